#include "receipt.h"

#include <string.h>

enum { NUMBER = 8, MAC = 16, SECRET_SIZE = NUMBER + MAC, FORM_SIZE = NUMBER + RECEIPT_RANDOM + MAC };

static void
put_number(uint8_t *to, int64_t n)
{
	for (int i = 0; i < NUMBER; i++)
		to[i] = (uint8_t)((uint64_t)n >> (8 * (NUMBER - 1 - i)));
}

static int64_t
get_number(const uint8_t *from)
{
	uint64_t n = 0;
	for (int i = 0; i < NUMBER; i++)
		n = n << 8 | from[i];
	return (int64_t)n;
}

static void
put_mac(const struct secret_key *key, const char *purpose, uint8_t *bytes, size_t len)
{
	uint8_t hash[SECRET_HASH];
	struct str part = {(const char *)bytes, len};
	secret_hash(key, purpose, &part, 1, hash);
	memcpy(bytes + len, hash, MAC);
}

static bool
mac_fits(const struct secret_key *key, const char *purpose, const uint8_t *bytes, size_t len)
{
	uint8_t copy[FORM_SIZE];
	memcpy(copy, bytes, len);
	put_mac(key, purpose, copy, len);
	return secret_same(copy + len, bytes + len, MAC);
}

struct str
receipt_secret(struct arena *arena, const struct secret_key *key, int64_t reply_id)
{
	uint8_t bytes[SECRET_SIZE];
	put_number(bytes, reply_id);
	put_mac(key, "receipt", bytes, NUMBER);
	return str_base64url(arena, bytes, sizeof bytes);
}

enum status
receipt_reply(const struct secret_key *key, struct str secret, int64_t *reply_id)
{
	uint8_t bytes[SECRET_SIZE];
	if (str_unbase64url(secret, bytes, sizeof bytes) != STATUS_OK || !mac_fits(key, "receipt", bytes, NUMBER))
		return STATUS_MISSING;
	*reply_id = get_number(bytes);
	return STATUS_OK;
}

/* The time is hidden under a pad of the random part: a page that was cached shows no one's clock. */
static void
mask_time(const struct secret_key *key, uint8_t bytes[FORM_SIZE])
{
	uint8_t pad[SECRET_HASH];
	struct str random = {(const char *)bytes + NUMBER, RECEIPT_RANDOM};
	secret_hash(key, "form-time", &random, 1, pad);
	for (int i = 0; i < NUMBER; i++)
		bytes[i] ^= pad[i];
}

struct str
receipt_form_key(struct arena *arena, const struct secret_key *key, int64_t now, const uint8_t random[RECEIPT_RANDOM])
{
	uint8_t bytes[FORM_SIZE];
	put_number(bytes, now);
	memcpy(bytes + NUMBER, random, RECEIPT_RANDOM);
	mask_time(key, bytes);
	put_mac(key, "form", bytes, NUMBER + RECEIPT_RANDOM);
	return str_base64url(arena, bytes, sizeof bytes);
}

enum status
receipt_form_time(const struct secret_key *key, struct str form_key, int64_t *shown_at)
{
	uint8_t bytes[FORM_SIZE];
	if (str_unbase64url(form_key, bytes, sizeof bytes) != STATUS_OK ||
	    !mac_fits(key, "form", bytes, NUMBER + RECEIPT_RANDOM))
		return STATUS_MISSING;
	mask_time(key, bytes);
	*shown_at = get_number(bytes);
	return STATUS_OK;
}
