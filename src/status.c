#include "status.h"

static const struct {
	int http;
	const char *name;
} table[STATUS_COUNT] = {
	[STATUS_OK] = {200, "ok"},
	[STATUS_INVALID] = {422, "invalid"},
	[STATUS_DENIED] = {403, "denied"},
	[STATUS_MISSING] = {404, "missing"},
	[STATUS_CONFLICT] = {409, "conflict"},
	[STATUS_TOO_LARGE] = {413, "too-large"},
	[STATUS_TOO_MANY] = {429, "too-many"},
	[STATUS_BUSY] = {503, "busy"},
	[STATUS_BROKEN] = {500, "broken"},
};

int
status_http(enum status status)
{
	return status < STATUS_COUNT ? table[status].http : 500;
}

const char *
status_name(enum status status)
{
	return status < STATUS_COUNT ? table[status].name : "unknown";
}
