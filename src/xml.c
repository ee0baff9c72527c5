#include "xml.h"

#include <expat.h>
#include <stdlib.h>
#include <string.h>

enum {
	PIECE_MOST = 1 << 20,
	TOKEN_MOST = 2 * XML_TEXT_MOST /* bytes of a tag, a comment ...: expat keeps the whole of one that is not at its end */
};

struct xml {
	XML_Parser parser;
	struct xml_events events;
	enum status status;
	const char *fault;
	int64_t line; /* of the fault */
	int64_t fed; /* bytes */
	int depth;
	size_t begun[XML_DEPTH]; /* where the text of each open element begins */
	size_t len;
	char text[XML_TEXT_MOST];
};

static void
fail(struct xml *xml, enum status status, const char *fault)
{
	if (xml->status != STATUS_OK)
		return;
	xml->status = status;
	xml->fault = fault;
	xml->line = (int64_t)XML_GetCurrentLineNumber(xml->parser);
	XML_StopParser(xml->parser, XML_FALSE);
}

/* expat joins namespace and name by the character that it was told: a line end is in neither. */
static struct xml_name
split(const char *joined)
{
	struct str whole = str_from(joined);
	size_t at = str_find(whole, '\n');
	if (at == whole.len)
		return (struct xml_name){STR(""), whole};
	return (struct xml_name){str_sub(whole, 0, at), str_sub(whole, at + 1, whole.len)};
}

static void XMLCALL
on_begin(void *context, const XML_Char *name, const XML_Char **attributes)
{
	struct xml *xml = context;
	if (xml->status != STATUS_OK)
		return;
	if (xml->depth == XML_DEPTH) {
		fail(xml, STATUS_TOO_LARGE, "elements nest deeper than 64");
		return;
	}
	xml->begun[xml->depth++] = xml->len;
	struct xml_name split_name = split(name);
	if (xml->events.begin != NULL)
		xml->events.begin(xml->events.context, &split_name, (const char *const *)attributes, xml->depth);
}

static void XMLCALL
on_end(void *context, const XML_Char *name)
{
	struct xml *xml = context;
	if (xml->status != STATUS_OK)
		return;
	size_t from = xml->begun[xml->depth - 1];
	struct xml_name split_name = split(name);
	xml->events.end(xml->events.context, &split_name, (struct str){xml->text + from, xml->len - from}, xml->depth);
	xml->len = from;
	xml->depth--;
}

static void XMLCALL
on_text(void *context, const XML_Char *text, int len)
{
	struct xml *xml = context;
	size_t n = (size_t)len;
	if (xml->status != STATUS_OK)
		return;
	if (n > XML_TEXT_MOST - xml->len) {
		fail(xml, STATUS_TOO_LARGE, "an element has more than 1 MiB of text");
		return;
	}
	memcpy(xml->text + xml->len, text, n);
	xml->len += n;
}

static void XMLCALL
on_doctype(void *context, const XML_Char *name, const XML_Char *system, const XML_Char *public, int subset)
{
	(void)name;
	(void)system;
	(void)public;
	(void)subset;
	fail(context, STATUS_INVALID, "a document type declaration is not taken; remove it");
}

enum status
xml_new(const struct xml_events *events, struct xml **xml)
{
	struct xml *mine = calloc(1, sizeof *mine);
	XML_Parser parser = mine == NULL ? NULL : XML_ParserCreateNS(NULL, '\n');
	if (parser == NULL) {
		free(mine);
		return STATUS_BROKEN;
	}
	mine->parser = parser;
	mine->events = *events;
	XML_SetUserData(parser, mine);
	XML_SetElementHandler(parser, on_begin, on_end);
	XML_SetCharacterDataHandler(parser, on_text);
	XML_SetStartDoctypeDeclHandler(parser, on_doctype);
	*xml = mine;
	return STATUS_OK;
}

void
xml_free(struct xml *xml)
{
	if (xml != NULL)
		XML_ParserFree(xml->parser);
	free(xml);
}

static enum status
feed(struct xml *xml, struct str piece, bool last)
{
	if (xml->status != STATUS_OK)
		return xml->status;
	if (XML_Parse(xml->parser, piece.at == NULL ? "" : piece.at, (int)piece.len, last) == XML_STATUS_ERROR &&
	    xml->status == STATUS_OK) {
		enum XML_Error error = XML_GetErrorCode(xml->parser);
		fail(xml, error == XML_ERROR_NO_MEMORY ? STATUS_BROKEN : STATUS_INVALID, XML_ErrorString(error));
	}
	xml->fed += (int64_t)piece.len;
	if (xml->status == STATUS_OK && !last && xml->fed - (int64_t)XML_GetCurrentByteIndex(xml->parser) > TOKEN_MOST)
		fail(xml, STATUS_TOO_LARGE, "a tag or a comment has more than 2 MiB");
	return xml->status;
}

enum status
xml_feed(struct xml *xml, struct str piece, bool last)
{
	/* expat counts a piece's bytes in an int. */
	while (piece.len > PIECE_MOST) {
		enum status status = feed(xml, str_sub(piece, 0, PIECE_MOST), false);
		if (status != STATUS_OK)
			return status;
		piece = str_sub(piece, PIECE_MOST, piece.len);
	}
	return feed(xml, piece, last);
}

int64_t
xml_line(const struct xml *xml)
{
	return xml->status == STATUS_OK ? (int64_t)XML_GetCurrentLineNumber(xml->parser) : xml->line;
}

const char *
xml_fault(const struct xml *xml)
{
	return xml->fault == NULL ? "" : xml->fault;
}
