#include "when.h"

#include <time.h>

static void
put_digits(char *at, int digits, int n)
{
	for (int i = digits - 1; i >= 0; i--, n /= 10)
		at[i] = (char)('0' + n % 10);
}

struct str
when_rfc3339(struct arena *arena, int64_t seconds)
{
	time_t when = (time_t)seconds;
	char text[] = "0000-00-00T00:00:00Z";
	struct tm utc;
	if (gmtime_r(&when, &utc) == NULL || utc.tm_year < -1900 || utc.tm_year > 9999 - 1900)
		return STR("1970-01-01T00:00:00Z");
	/* A page of the queue has two hundred of these: strftime would read the format each time. */
	put_digits(text, 4, utc.tm_year + 1900);
	put_digits(text + 5, 2, utc.tm_mon + 1);
	put_digits(text + 8, 2, utc.tm_mday);
	put_digits(text + 11, 2, utc.tm_hour);
	put_digits(text + 14, 2, utc.tm_min);
	put_digits(text + 17, 2, utc.tm_sec);
	return str_copy(arena, (struct str){text, sizeof text - 1});
}

struct str
when_rfc5322(struct arena *arena, int64_t seconds)
{
	static const char days[7][4] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
	static const char months[12][4] = {
	    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
	time_t when = (time_t)seconds;
	struct tm utc;
	if (gmtime_r(&when, &utc) == NULL)
		return STR("Thu, 01 Jan 1970 00:00:00 +0000");
	return str_format(arena, "%s, %02d %s %04d %02d:%02d:%02d +0000", days[utc.tm_wday], utc.tm_mday,
	    months[utc.tm_mon], utc.tm_year + 1900, utc.tm_hour, utc.tm_min, utc.tm_sec);
}

/* `digits` digits from the front of `rest`, within a range, and the byte behind them; -1 when they are not there. */
static int
cut_number(struct str *rest, size_t digits, int least, int most, char behind)
{
	int n = 0;
	size_t taken = digits + (behind == '\0' ? 0 : 1);
	if (rest->len < taken)
		return -1;
	for (size_t i = 0; i < digits; i++) {
		if (rest->at[i] < '0' || rest->at[i] > '9')
			return -1;
		n = n * 10 + (rest->at[i] - '0');
	}
	if (n < least || n > most || (behind != '\0' && rest->at[digits] != behind))
		return -1;
	*rest = str_sub(*rest, taken, rest->len);
	return n;
}

static enum status
cut_date(struct str *rest, struct tm *utc)
{
	int year = cut_number(rest, 4, 1000, 9999, '-');
	int month = year < 0 ? -1 : cut_number(rest, 2, 1, 12, '-');
	int day = month < 0 ? -1 : cut_number(rest, 2, 1, 31, '\0');
	if (day < 0)
		return STATUS_INVALID;
	*utc = (struct tm){.tm_year = year - 1900, .tm_mon = month - 1, .tm_mday = day};
	/* timegm() makes the 1st of May of the 31st of April. */
	timegm(utc);
	return utc->tm_mday == day ? STATUS_OK : STATUS_INVALID;
}

/* "Z", "+01:00": seconds east of Greenwich. */
static enum status
cut_offset(struct str *rest, int64_t *offset)
{
	char sign = rest->len > 0 ? rest->at[0] : '\0';
	*offset = 0;
	*rest = str_sub(*rest, 1, rest->len);
	if (sign == 'Z' || sign == 'z')
		return STATUS_OK;
	if (sign != '+' && sign != '-')
		return STATUS_INVALID;
	int hours = cut_number(rest, 2, 0, 23, ':');
	int minutes = hours < 0 ? -1 : cut_number(rest, 2, 0, 59, '\0');
	*offset = (hours * 3600 + minutes * 60) * (sign == '-' ? -1 : 1);
	return minutes < 0 ? STATUS_INVALID : STATUS_OK;
}

static enum status
cut_time(struct str *rest, struct tm *utc, int64_t *offset)
{
	int hour = cut_number(rest, 2, 0, 23, ':');
	int minute = hour < 0 ? -1 : cut_number(rest, 2, 0, 59, ':');
	int second = minute < 0 ? -1 : cut_number(rest, 2, 0, 60, '\0'); /* 60: a leap second */
	if (second < 0)
		return STATUS_INVALID;
	utc->tm_hour = hour;
	utc->tm_min = minute;
	utc->tm_sec = second;
	if (rest->len > 0 && rest->at[0] == '.') {
		size_t digits = 1;
		while (digits < rest->len && rest->at[digits] >= '0' && rest->at[digits] <= '9')
			digits++;
		if (digits == 1)
			return STATUS_INVALID;
		*rest = str_sub(*rest, digits, rest->len);
	}
	return cut_offset(rest, offset);
}

enum status
when_read(struct str text, int64_t *seconds)
{
	struct tm utc;
	int64_t offset = 0;
	enum status status = cut_date(&text, &utc);
	bool timed = status == STATUS_OK && text.len > 0;
	if (timed && text.at[0] != 'T' && text.at[0] != 't' && text.at[0] != ' ')
		return STATUS_INVALID;
	text = str_sub(text, 1, text.len);
	if (timed)
		status = cut_time(&text, &utc, &offset);
	if (status != STATUS_OK || text.len > 0)
		return STATUS_INVALID;
	*seconds = (int64_t)timegm(&utc) - offset;
	return STATUS_OK;
}

struct str
when_date(struct arena *arena, const struct words *words, const struct zone *zone, int64_t seconds)
{
	static const enum word months[] = {WORD_DATE_JANUARY, WORD_DATE_FEBRUARY, WORD_DATE_MARCH, WORD_DATE_APRIL,
	    WORD_DATE_MAY, WORD_DATE_JUNE, WORD_DATE_JULY, WORD_DATE_AUGUST, WORD_DATE_SEPTEMBER, WORD_DATE_OCTOBER,
	    WORD_DATE_NOVEMBER, WORD_DATE_DECEMBER};
	struct str name;
	time_t when = (time_t)(seconds + zone_offset(zone, seconds, &name));
	struct tm utc; /* the clock's hands there */
	if (gmtime_r(&when, &utc) == NULL)
		return when_rfc3339(arena, seconds);
	const struct word_hole holes[] = {
	    {STR("day"), str_format(arena, "%d", utc.tm_mday), 0},
	    {STR("month"), words_say(arena, words, months[utc.tm_mon], NULL, 0), 0},
	    {STR("year"), str_format(arena, "%d", utc.tm_year + 1900), 0},
	    {STR("time"), str_format(arena, "%02d:%02d", utc.tm_hour, utc.tm_min), 0},
	    {STR("zone"), name, 0},
	};
	return words_say(arena, words, WORD_DATE_FULL, holes, sizeof holes / sizeof *holes);
}

struct str
when_ago(struct arena *arena, const struct words *words, int64_t seconds, int64_t now)
{
	int64_t age = now > seconds ? now - seconds : 0;
	struct word_hole n = {.name = STR("n")};
	enum word word = WORD_TIME_NOW;
	if (age >= 2 * 86400) {
		word = WORD_TIME_DAYS;
		n.n = age / 86400;
	} else if (age >= 3600) {
		word = WORD_TIME_HOURS;
		n.n = age / 3600;
	} else if (age >= 60) {
		word = WORD_TIME_MINUTES;
		n.n = age / 60;
	}
	return words_say(arena, words, word, &n, word == WORD_TIME_NOW ? 0 : 1);
}

int64_t
when_again(int64_t tries, int64_t first, int64_t most)
{
	int64_t seconds = first;
	for (; tries > 0 && seconds < most; tries--)
		seconds *= 2;
	return seconds < most ? seconds : most;
}
