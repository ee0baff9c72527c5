#include "host.h"

#include <errno.h>
#include <idn2.h>
#include <stdbool.h>
#include <string.h>

static bool
is_ldh(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
}

static bool
is_label(struct str label)
{
	if (label.len == 0 || label.len > HOST_LABEL)
		return false;
	for (size_t i = 0; i < label.len; i++)
		if (!is_ldh(label.at[i]))
			return false;
	return label.at[0] != '-' && label.at[label.len - 1] != '-';
}

/* The rules of STD 3, for what libidn2 made. */
static bool
is_host(struct str host)
{
	if (host.len == 0 || host.len > HOST_MAX)
		return false;
	struct str rest = host;
	while (rest.at != NULL)
		if (!is_label(str_cut(&rest, '.')))
			return false;
	return true;
}

/* No A-label, nor anything that is kept for another kind of prefix (RFC 5891 section 4.2.3.1). */
static bool
is_plain(struct str host)
{
	for (struct str rest = host; rest.at != NULL;) {
		struct str label = str_cut(&rest, '.');
		if (label.len >= 4 && label.at[2] == '-' && label.at[3] == '-')
			return false;
	}
	return is_host(host);
}

enum status
host_ascii(struct arena *arena, struct str host, struct str *ascii)
{
	if (host.len == 0 || host.len > HOST_INPUT || str_has(host, '\0'))
		return STATUS_INVALID;
	/* libidn2 would give it back as it is, after a tenth of all the work that a reply is. */
	if (is_plain(host)) {
		*ascii = str_copy(arena, host);
		return ascii->at == NULL ? STATUS_BROKEN : STATUS_OK;
	}
	const char *from = str_c(arena, host);
	if (from == NULL)
		return STATUS_BROKEN;
	char *made = NULL;
	/*
	 * lookup_u8 and not to_ascii_8z: only it tries whether an A-label leads back to itself.  STD 3 is
	 * is_host's, since IDN2_USE_STD3_ASCII_RULES drops bytes in silence: «a_b.org» became «ab.org».
	 */
	errno = 0;
	int failed =
	    idn2_lookup_u8((const uint8_t *)from, (uint8_t **)&made, IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL);
	/* Which of its failures was one of memory libidn2 does not always say. */
	if (failed != IDN2_OK && (failed == IDN2_MALLOC || errno == ENOMEM))
		arena->failed = true;
	if (failed != IDN2_OK)
		return arena->failed ? STATUS_BROKEN : STATUS_INVALID;
	struct str copy = str_copy(arena, str_from(made));
	idn2_free(made);
	if (copy.at == NULL)
		return STATUS_BROKEN;
	if (!is_host(copy))
		return STATUS_INVALID;
	*ascii = copy;
	return STATUS_OK;
}
