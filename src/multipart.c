#include "multipart.h"

/* The value of a parameter `name` of a header such as `form-data; name="x"`; STR_NONE without it. */
static enum status
parameter(struct arena *arena, struct str header, struct str name, struct str *value)
{
	*value = STR_NONE;
	str_cut(&header, ';');
	while (header.at != NULL) {
		header = str_trim(header);
		size_t equals = str_find(header, '=');
		struct str key = str_trim(str_sub(header, 0, equals));
		struct str found;
		header = str_sub(header, equals < header.len ? equals + 1 : equals, header.len);
		if (header.len > 0 && header.at[0] == '"') {
			header = str_sub(header, 1, header.len);
			if (!str_has(header, '"'))
				return STATUS_INVALID;
			found = str_cut(&header, '"');
			str_cut(&header, ';');
		} else
			found = str_trim(str_cut(&header, ';'));
		if (!str_eq_nocase(key, name))
			continue;
		if (value->at != NULL)
			return STATUS_INVALID;
		*value = found.at == NULL ? STR("") : str_copy(arena, found);
	}
	return STATUS_OK;
}

static bool
is_boundary(struct str boundary)
{
	for (size_t i = 0; i < boundary.len; i++)
		if (boundary.at[i] < ' ' || boundary.at[i] > '~')
			return false;
	return boundary.len > 0 && boundary.len <= MULTIPART_BOUNDARY_MOST && boundary.at[boundary.len - 1] != ' ';
}

enum status
multipart_boundary(struct arena *arena, struct str content_type, struct str *boundary)
{
	struct str found;
	if (parameter(arena, content_type, STR("boundary"), &found) != STATUS_OK || !is_boundary(found))
		return STATUS_INVALID;
	*boundary = str_join(arena, STR("\r\n--"), found);
	return boundary->at == NULL ? STATUS_BROKEN : STATUS_OK;
}

/* A field's name as the HTML standard encodes it: only quotes and line ends are escaped. */
static struct str
decode_name(struct arena *arena, struct str name)
{
	char *to = str_c(arena, name);
	size_t n = 0;
	for (size_t i = 0; to != NULL && i < name.len; i++) {
		struct str three = str_sub(name, i, 3);
		char c = str_eq_nocase(three, STR("%22"))   ? '"'
		         : str_eq_nocase(three, STR("%0d")) ? '\r'
		         : str_eq_nocase(three, STR("%0a")) ? '\n'
		                                            : '\0';
		i += c == '\0' ? 0 : 2;
		to[n++] = c == '\0' ? three.at[0] : c;
	}
	return to == NULL ? STR_NONE : (struct str){to, n};
}

/* Reads a part's headers: its name, and that it is no file. */
static enum status
read_head(struct arena *arena, struct str head, struct multipart_part *part)
{
	part->name = STR_NONE;
	while (head.len > 0) {
		size_t end = str_search(head, STR("\r\n"));
		struct str value = str_sub(head, 0, end);
		struct str name = str_cut(&value, ':'), field, file;
		head = str_sub(head, end + 2, head.len);
		if (!str_eq_nocase(name, STR("content-disposition")))
			continue;
		struct str kind = value;
		if (part->name.at != NULL || !str_eq_nocase(str_trim(str_cut(&kind, ';')), STR("form-data")) ||
		    parameter(arena, value, STR("name"), &field) != STATUS_OK || field.at == NULL ||
		    parameter(arena, value, STR("filename"), &file) != STATUS_OK || file.at != NULL)
			return STATUS_INVALID;
		part->name = decode_name(arena, field);
	}
	return part->name.at == NULL ? STATUS_INVALID : STATUS_OK;
}

/*
 * The delimiter is CR LF, two dashes and the boundary; the body's own first one stands without the
 * CR LF.  Behind it follow two dashes (the end) or CR LF (a part).
 */
static enum status
take_delimiter(struct str boundary, struct str *body)
{
	struct str delimiter = str_starts(*body, STR("--")) ? str_sub(boundary, 2, boundary.len) : boundary;
	if (!str_starts(*body, delimiter))
		return STATUS_INVALID;
	*body = str_sub(*body, delimiter.len, body->len);
	if (str_starts(*body, STR("--")))
		return STATUS_MISSING;
	/* RFC 2046 allows spaces and tabs here, which transports may have added. */
	while (body->len > 0 && (body->at[0] == ' ' || body->at[0] == '\t'))
		*body = str_sub(*body, 1, body->len);
	if (!str_starts(*body, STR("\r\n")))
		return STATUS_INVALID;
	*body = str_sub(*body, 2, body->len);
	return STATUS_OK;
}

enum status
multipart_next(struct arena *arena, struct str boundary, struct str *body, struct multipart_part *part)
{
	enum status status = take_delimiter(boundary, body);
	if (status != STATUS_OK)
		return status;
	size_t head = str_search(str_sub(*body, 0, MULTIPART_HEAD_MOST), STR("\r\n\r\n"));
	if (head >= MULTIPART_HEAD_MOST || head >= body->len)
		return STATUS_INVALID;
	status = read_head(arena, str_sub(*body, 0, head), part);
	*body = str_sub(*body, head + 4, body->len);
	if (status != STATUS_OK)
		return status;
	size_t end = str_search(*body, boundary);
	if (end >= body->len)
		return STATUS_INVALID;
	part->value = str_sub(*body, 0, end);
	*body = str_sub(*body, end, body->len);
	return STATUS_OK;
}
