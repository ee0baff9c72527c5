#include "status.h"

static const char *const names[STATUS_COUNT] = {
    [STATUS_OK] = "ok",
    [STATUS_INVALID] = "invalid",
    [STATUS_DENIED] = "denied",
    [STATUS_MISSING] = "missing",
    [STATUS_CONFLICT] = "conflict",
    [STATUS_TOO_LARGE] = "too-large",
    [STATUS_TOO_MANY] = "too-many",
    [STATUS_BUSY] = "busy",
    [STATUS_BROKEN] = "broken",
};

const char *
status_name(enum status status)
{
	return status < STATUS_COUNT ? names[status] : "unknown";
}
