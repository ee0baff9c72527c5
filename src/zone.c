#include "zone.h"

#include <string.h>

/* RFC 8536 section 3.1; all numbers are big-endian. */
enum { HEAD = 44, TYPE = 6, COUNTS_AT = 20, COUNT_ISUT = 0, COUNT_ISSTD, COUNT_LEAP, COUNT_TIME, COUNT_TYPE, COUNT_CHAR, COUNTS };

static uint64_t
number(struct str bytes, size_t at, size_t size)
{
	uint64_t n = 0;
	for (size_t i = 0; i < size; i++)
		n = n << 8 | (uint8_t)bytes.at[at + i];
	return n;
}

bool
zone_is_name(struct str name)
{
	for (size_t i = 0; i < name.len; i++) {
		char c = name.at[i];
		bool word = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
		if (!word && strchr("_+-/", c) == NULL)
			return false;
	}
	return name.len > 0 && name.len <= ZONE_NAME_MOST && name.at[0] != '/';
}

/* The counts of the header at the front of `file`; INVALID when there is none. */
static enum status
read_head(struct str file, size_t counts[COUNTS])
{
	if (file.len < HEAD || !str_starts(file, STR("TZif")) || file.at[4] < '2')
		return STATUS_INVALID;
	for (size_t i = 0; i < COUNTS; i++) {
		counts[i] = (size_t)number(file, COUNTS_AT + 4 * i, 4);
		if (counts[i] > ZONE_FILE_MOST)
			return STATUS_INVALID;
	}
	return STATUS_OK;
}

static size_t
body_size(const size_t counts[COUNTS], size_t time_size)
{
	return counts[COUNT_TIME] * (time_size + 1) + counts[COUNT_TYPE] * TYPE + counts[COUNT_CHAR] +
	       counts[COUNT_LEAP] * (time_size + 4) + counts[COUNT_ISSTD] + counts[COUNT_ISUT];
}

static struct str
take(struct str *rest, size_t len)
{
	struct str part = str_sub(*rest, 0, len);
	*rest = str_sub(*rest, len, rest->len);
	return part;
}

/* Each change leads to a type there is, and each type to a name that ends. */
static bool
is_sound(const struct zone *zone)
{
	for (size_t i = 0; i < zone->times_n; i++)
		if ((uint8_t)zone->indices.at[i] >= zone->types_n)
			return false;
	for (size_t i = 0; i < zone->types_n; i++)
		if ((uint8_t)zone->types.at[i * TYPE + 5] >= zone->names.len)
			return false;
	return zone->types_n > 0 && zone->names.len > 0 && zone->names.at[zone->names.len - 1] == '\0';
}

enum status
zone_read(struct str file, struct zone *zone)
{
	size_t counts[COUNTS];
	enum status status = read_head(file, counts);
	if (status != STATUS_OK)
		return status;
	/* The first block, of 32-bit times, is there for old readers. */
	size_t first = HEAD + body_size(counts, 4);
	struct str rest = str_sub(file, first, file.len);
	status = read_head(rest, counts);
	if (status != STATUS_OK || rest.len < HEAD + body_size(counts, 8))
		return STATUS_INVALID;
	take(&rest, HEAD);
	*zone = (struct zone){.times_n = counts[COUNT_TIME], .types_n = counts[COUNT_TYPE]};
	zone->times = take(&rest, 8 * zone->times_n);
	zone->indices = take(&rest, zone->times_n);
	zone->types = take(&rest, TYPE * zone->types_n);
	zone->names = take(&rest, counts[COUNT_CHAR]);
	return is_sound(zone) ? STATUS_OK : STATUS_INVALID;
}

/* The type that holds at a time: that of the last change before it, or the first of all. */
static size_t
type_at(const struct zone *zone, int64_t seconds)
{
	size_t low = 0, high = zone->times_n;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if ((int64_t)number(zone->times, 8 * middle, 8) <= seconds)
			low = middle + 1;
		else
			high = middle;
	}
	return low == 0 ? 0 : (uint8_t)zone->indices.at[low - 1];
}

int64_t
zone_offset(const struct zone *zone, int64_t seconds, struct str *name)
{
	*name = STR("UTC");
	if (zone == NULL)
		return 0;
	size_t type = TYPE * type_at(zone, seconds);
	*name = str_from(zone->names.at + (uint8_t)zone->types.at[type + 5]);
	return (int32_t)(uint32_t)number(zone->types, type, 4);
}
