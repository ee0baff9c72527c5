/* Secrets that need no storing: made by one key, known again by it, and by nothing else. */
#include "room.h"

#include "receipt.h"

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

struct keys {
	struct secret_key one, other;
};

static struct keys
keys(void)
{
	struct keys made;
	secret_random(&made, sizeof made);
	return made;
}

static void
receipts_lead_back_to_replies(void **state)
{
	struct room *room = *state;
	struct keys k = keys();
	static const int64_t ids[] = {1, 2, 255, 256, 4294967296, INT64_MAX, 0, -1};
	for (size_t i = 0; i < sizeof ids / sizeof *ids; i++) {
		struct str secret = receipt_secret(&room->arena, &k.one, ids[i]);
		int64_t id = 7;
		assert_int_equal(secret.len, 32);
		OK(receipt_reply(&k.one, secret, &id));
		assert_int_equal(id, ids[i]);
		assert_true(str_eq(secret, receipt_secret(&room->arena, &k.one, ids[i])));
		assert_int_equal(receipt_reply(&k.other, secret, &id), STATUS_MISSING);
	}
	assert_false(str_eq(receipt_secret(&room->arena, &k.one, 1), receipt_secret(&room->arena, &k.other, 1)));
}

static void
every_changed_digit_is_noticed(void **state)
{
	struct room *room = *state;
	struct keys k = keys();
	uint8_t random[RECEIPT_RANDOM];
	int64_t n;
	secret_random(random, sizeof random);
	struct str secret = receipt_secret(&room->arena, &k.one, 12);
	struct str form = receipt_form_key(&room->arena, &k.one, ROOM_NOW, random);
	struct str both[] = {secret, form};
	for (size_t which = 0; which < 2; which++) {
		for (size_t i = 0; i < both[which].len; i++) {
			for (size_t d = 0; d < 64; d++) {
				char *copy = str_c(&room->arena, both[which]);
				struct str changed = {copy, both[which].len};
				if (copy[i] == digits[d])
					continue;
				copy[i] = digits[d];
				enum status status = which == 0 ? receipt_reply(&k.one, changed, &n)
				                                : receipt_form_time(&k.one, changed, &n);
				assert_int_equal(status, STATUS_MISSING);
			}
		}
		for (size_t len = 0; len < both[which].len; len++) {
			assert_int_equal(receipt_reply(&k.one, str_sub(both[which], 0, len), &n), STATUS_MISSING);
			assert_int_equal(receipt_form_time(&k.one, str_sub(both[which], 0, len), &n), STATUS_MISSING);
		}
	}
	/* One is not taken for the other, nor anything else for either. */
	assert_int_equal(receipt_reply(&k.one, form, &n), STATUS_MISSING);
	assert_int_equal(receipt_form_time(&k.one, secret, &n), STATUS_MISSING);
	assert_int_equal(receipt_reply(&k.one, str_join(&room->arena, secret, STR("A")), &n), STATUS_MISSING);
	assert_int_equal(receipt_reply(&k.one, str_join(&room->arena, secret, STR("=")), &n), STATUS_MISSING);
	assert_int_equal(receipt_reply(&k.one, STR_NONE, &n), STATUS_MISSING);
	assert_int_equal(receipt_form_time(&k.one, STR("my own key"), &n), STATUS_MISSING);
}

static void
form_keys_know_their_time_and_hide_it(void **state)
{
	struct room *room = *state;
	struct keys k = keys();
	uint8_t random[RECEIPT_RANDOM] = {0}, bytes[40];
	for (int64_t now = ROOM_NOW; now < ROOM_NOW + 50; now++) {
		int64_t shown_at = 0;
		secret_random(random, sizeof random);
		struct str key = receipt_form_key(&room->arena, &k.one, now, random);
		OK(receipt_form_time(&k.one, key, &shown_at));
		assert_int_equal(shown_at, now);
		assert_int_equal(receipt_form_time(&k.other, key, &shown_at), STATUS_MISSING);
		assert_true(key.len <= REPLY_KEY_MOST);
		OK(str_unbase64url(key, bytes, sizeof bytes));
		/* The first bytes of a time are zeros: a pad hides them. */
		assert_memory_not_equal(bytes, "\0\0\0\0", 4);
	}
	struct str one = receipt_form_key(&room->arena, &k.one, ROOM_NOW, random);
	random[0] ^= 1;
	assert_false(str_eq(one, receipt_form_key(&room->arena, &k.one, ROOM_NOW, random)));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, room_enter, room_leave)

int
main(void)
{
	static const struct CMUnitTest tests[] = {
	    TEST(receipts_lead_back_to_replies),
	    TEST(every_changed_digit_is_noticed),
	    TEST(form_keys_know_their_time_and_hide_it),
	};
	return cmocka_run_group_tests_name("receipt", tests, NULL, NULL);
}
