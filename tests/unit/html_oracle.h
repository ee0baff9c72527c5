/*
 * html_oracle.h - reads markup as a browser would and says what of it markdown.h does not allow.
 *
 * Shared by the unit tests and the fuzzer of Markdown.  It knows nothing of how the markup was made:
 * ten tags, three attributes, references, nesting, addresses.
 */
#ifndef HTML_ORACLE_H
#define HTML_ORACLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "str.h"
#include "text.h"

struct oracle {
	struct str rest;
	const char *open[64];
	size_t open_n;
	size_t anchors;
};

static const char *const oracle_known[] = {
    "p", "em", "strong", "code", "pre", "blockquote", "ol", "ul", "li", "a"};

static bool
oracle_eat(struct oracle *oracle, const char *literal)
{
	struct str prefix = str_from(literal);
	if (!str_starts(oracle->rest, prefix))
		return false;
	oracle->rest = str_sub(oracle->rest, prefix.len, oracle->rest.len);
	return true;
}

static bool
oracle_is_one_of(const char *tag, const char *list)
{
	char quoted[16];
	snprintf(quoted, sizeof quoted, " %s ", tag);
	return strstr(list, quoted) != NULL;
}

/* HTML's content models, as far as these ten go. */
static const char *
oracle_misplaced(const struct oracle *oracle, const char *tag)
{
	const char *parent = oracle->open_n == 0 ? "" : oracle->open[oracle->open_n - 1];
	if (oracle_is_one_of(parent, " ol ul "))
		return strcmp(tag, "li") == 0 ? NULL : "something else than an item in a list";
	if (strcmp(tag, "li") == 0)
		return "an item outside of a list";
	if (oracle_is_one_of(tag, " p pre blockquote ol ul ") && oracle->open_n > 0 &&
	    !oracle_is_one_of(parent, " blockquote li "))
		return "a block in a span";
	if (oracle_is_one_of(tag, " em strong a ") && oracle_is_one_of(parent, " code pre "))
		return "a span in code";
	return NULL;
}

static const char *
oracle_reference(struct oracle *oracle)
{
	static const char *const references[] = {"&amp;", "&lt;", "&gt;", "&quot;", "&#39;", "&#x27;"};
	for (size_t i = 0; i < sizeof references / sizeof *references; i++)
		if (oracle_eat(oracle, references[i]))
			return NULL;
	return "a bare &";
}

static const char *
oracle_href(struct oracle *oracle)
{
	if (!oracle_eat(oracle, " href=\""))
		return "a without href";
	struct str scheme = str_sub(oracle->rest, 0, str_find(oracle->rest, ':'));
	if (!str_eq_nocase(scheme, STR("http")) && !str_eq_nocase(scheme, STR("https")))
		return "another scheme";
	while (oracle->rest.len > 0 && oracle->rest.at[0] != '"') {
		char c = oracle->rest.at[0];
		if (c == '<' || c == '>' || c == '\'' || c == '\\' || (unsigned char)c <= ' ')
			return "a byte that no address has";
		if (c == '&') {
			const char *wrong = oracle_reference(oracle);
			if (wrong != NULL)
				return wrong;
		} else {
			oracle->rest = str_sub(oracle->rest, 1, oracle->rest.len);
		}
	}
	return oracle_eat(oracle, "\" rel=\"ugc nofollow noopener noreferrer\"")
	    ? NULL
	    : "a link without rel, or with more";
}

static const char *
oracle_start(struct oracle *oracle)
{
	if (!oracle_eat(oracle, " start=\""))
		return NULL;
	size_t digits = str_find(oracle->rest, '"');
	int64_t start;
	if (str_integer(str_sub(oracle->rest, 0, digits), &start) != STATUS_OK || start < 0 ||
	    start > 999999999)
		return "an odd start";
	oracle->rest = str_sub(oracle->rest, digits + 1, oracle->rest.len);
	return NULL;
}

static const char *
oracle_opening(struct oracle *oracle, const char *tag)
{
	const char *wrong = oracle_misplaced(oracle, tag);
	if (wrong != NULL)
		return wrong;
	if (strcmp(tag, "a") == 0 && oracle->anchors++ > 0)
		return "a link in a link";
	if (oracle->open_n == sizeof oracle->open / sizeof *oracle->open)
		return "too deep";
	oracle->open[oracle->open_n++] = tag;
	wrong = strcmp(tag, "a") == 0 ? oracle_href(oracle)
	    : strcmp(tag, "ol") == 0  ? oracle_start(oracle)
				      : NULL;
	if (wrong != NULL)
		return wrong;
	return oracle_eat(oracle, ">") ? NULL : "an attribute that is not allowed";
}

static const char *
oracle_closing(struct oracle *oracle, const char *tag)
{
	if (oracle->open_n == 0 || strcmp(oracle->open[oracle->open_n - 1], tag) != 0)
		return "closed what is not open";
	oracle->open_n--;
	if (strcmp(tag, "a") == 0)
		oracle->anchors--;
	return oracle_eat(oracle, ">") ? NULL : "a closing tag with something in it";
}

/* The name at the beginning of the rest, and not the beginning of a longer one. */
static const char *
oracle_eat_name(struct oracle *oracle)
{
	for (size_t i = 0; i < sizeof oracle_known / sizeof *oracle_known; i++) {
		size_t len = strlen(oracle_known[i]);
		if (!str_starts(oracle->rest, str_from(oracle_known[i])) || oracle->rest.len <= len)
			continue;
		if (oracle->rest.at[len] != '>' && oracle->rest.at[len] != ' ')
			continue;
		oracle_eat(oracle, oracle_known[i]);
		return oracle_known[i];
	}
	return NULL;
}

static const char *
oracle_tag(struct oracle *oracle)
{
	if (oracle_eat(oracle, "<br>"))
		return NULL;
	bool closing = oracle_eat(oracle, "</");
	if (!closing)
		oracle_eat(oracle, "<");
	const char *name = oracle_eat_name(oracle);
	if (name == NULL)
		return "a tag that is not allowed";
	return closing ? oracle_closing(oracle, name) : oracle_opening(oracle, name);
}

static const char *
oracle_char(struct oracle *oracle)
{
	char c = oracle->rest.at[0];
	bool list = oracle->open_n > 0 && oracle_is_one_of(oracle->open[oracle->open_n - 1], " ol ul ");
	if ((list || oracle->open_n == 0) && c != '\n')
		return "text where none may stand";
	if (strchr(">\"'", c) != NULL && c != '\0')
		return "a byte that is not escaped";
	oracle->rest = str_sub(oracle->rest, 1, oracle->rest.len);
	return NULL;
}

/* NULL, or what is wrong. */
static const char *
oracle_complaint(struct str markup)
{
	struct oracle oracle = {.rest = markup};
	if (!text_valid(markup))
		return "bad UTF-8";
	while (oracle.rest.len > 0) {
		char c = oracle.rest.at[0];
		const char *wrong = c == '<' ? oracle_tag(&oracle)
		    : c == '&'		     ? oracle_reference(&oracle)
					     : oracle_char(&oracle);
		if (wrong != NULL)
			return wrong;
	}
	return oracle.open_n == 0 ? NULL : "something is left open";
}

#endif
