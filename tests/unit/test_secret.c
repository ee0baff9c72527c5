#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "secret.h"

static struct arena arena;
static char folder[] = "/tmp/test_secret.XXXXXX";

static const char *
path(const char *name)
{
	return str_format(&arena, "%s/%s", folder, name).at;
}

static int
set_up(void **state)
{
	(void)state;
	arena_init(&arena, 16 * 1024 * 1024);
	if (secret_init() != STATUS_OK || mkdtemp(folder) == NULL)
		return -1;
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	static const char *const names[] = {"key", "pair", "bad", "wide"};
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		unlink(path(names[i]));
	rmdir(path("directory"));
	arena_free(&arena);
	return rmdir(folder);
}

static bool
key_same(const struct secret_key *a, const struct secret_key *b)
{
	return secret_same(a->bytes, b->bytes, SECRET_KEY);
}

/* --- key files ---------------------------------------------------------------------------------- */

static void
key_is_made_and_loaded(void **state)
{
	(void)state;
	struct secret_key one, two;
	const char *name = path("key");
	mode_t mask = umask(077); /* is not to matter */
	assert_int_equal(secret_key_make(name, 0640), STATUS_OK);
	umask(mask);
	struct stat about;
	assert_int_equal(stat(name, &about), 0);
	assert_int_equal(about.st_mode & 07777, 0640);
	assert_int_equal(about.st_size, 65);
	assert_int_equal(secret_key_load(name, 0640, &one), STATUS_OK);
	assert_int_equal(secret_key_make(name, 0600), STATUS_CONFLICT);
	assert_int_equal(secret_key_load(name, 0640, &two), STATUS_OK);
	assert_true(key_same(&one, &two));
	assert_int_equal(secret_key_load(name, 0600, &two), STATUS_INVALID);
	struct secret_key zero = {{0}};
	assert_false(key_same(&one, &zero));
}

static void
key_that_cannot_be_made_is_told(void **state)
{
	(void)state;
	struct secret_key key;
	assert_int_equal(secret_key_make(path("no/folder"), 0600), STATUS_BROKEN);
	assert_int_equal(secret_key_load(path("nothing"), 0600, &key), STATUS_MISSING);
	assert_int_equal(secret_key_make("/dev/full/x", 0600), STATUS_BROKEN);
	assert_int_equal(symlink(path("elsewhere"), path("bad")), 0);
	assert_int_equal(secret_key_make(path("bad"), 0600), STATUS_CONFLICT);
	assert_int_not_equal(access(path("elsewhere"), F_OK), 0);
	unlink(path("bad"));
}

static void
put(const char *name, struct str content, mode_t mode)
{
	FILE *file = fopen(name, "w");
	assert_non_null(file);
	if (content.len > 0)
		assert_int_equal(fwrite(content.at, 1, content.len, file), content.len);
	assert_int_equal(fclose(file), 0);
	assert_int_equal(chmod(name, mode), 0);
}

#define HEX64 "00112233445566778899aabbccddeeff00112233445566778899AABBCCDDEEFF"

static void
key_files_are_checked(void **state)
{
	(void)state;
	static const struct str bad[] = {
	    STR_INIT(""),
	    STR_INIT("\n"),
	    STR_INIT("0011\n"),
	    STR_INIT(HEX64 "0"),
	    STR_INIT(HEX64 "\n\n"),
	    STR_INIT(HEX64 "\r\n"),
	    STR_INIT(HEX64 HEX64 "\n"),
	    STR_INIT("g0112233445566778899aabbccddeeff00112233445566778899aabbccddeeff\n"),
	    STR_INIT("0x112233445566778899aabbccddeeff00112233445566778899aabbccddeeff\n"),
	    STR_INIT(" 0112233445566778899aabbccddeeff00112233445566778899aabbccddeeff\n"),
	    STR_INIT("00112233445566778899aabbccddeeff00112233445566778899aabbccddeef\n"),
	};
	struct secret_key key;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		put(path("bad"), bad[i], 0600);
		if (secret_key_load(path("bad"), 0600, &key) != STATUS_INVALID)
			fail_msg("content %zu passes", i);
	}
	put(path("bad"), STR(HEX64), 0600);
	assert_int_equal(secret_key_load(path("bad"), 0600, &key), STATUS_OK);
	assert_int_equal(key.bytes[1], 0x11);
	assert_int_equal(key.bytes[31], 0xff);
	assert_true(str_eq_nocase(secret_key_hex(&arena, &key), STR(HEX64)));
	put(path("wide"), STR(HEX64 "\n"), 0604);
	assert_int_equal(secret_key_load(path("wide"), 0640, &key), STATUS_INVALID);
	assert_int_equal(secret_key_load(path("wide"), 0644, &key), STATUS_OK);
	assert_int_equal(mkdir(path("directory"), 0700), 0);
	assert_int_equal(secret_key_load(path("directory"), 0777, &key), STATUS_INVALID);
	/* A pipe that nobody writes to does not hold us. */
	unlink(path("bad"));
	assert_int_equal(mkfifo(path("bad"), 0600), 0);
	assert_int_equal(secret_key_load(path("bad"), 0600, &key), STATUS_INVALID);
}

static void
hex_is_read_strictly(void **state)
{
	(void)state;
	struct secret_key key;
	assert_int_equal(secret_key_read(STR(HEX64), &key), STATUS_OK);
	assert_int_equal(secret_key_read(STR(HEX64 "\n"), &key), STATUS_INVALID);
	assert_int_equal(secret_key_read(STR_NONE, &key), STATUS_INVALID);
	assert_int_equal(
	    secret_key_read(STR("0011:233445566778899aabbccddeeff00112233445566778899aabbccddeeff"), &key),
	    STATUS_INVALID);
	assert_int_equal(secret_key_read(str_sub(STR(HEX64), 0, 62), &key), STATUS_INVALID);
}

static void
subkeys_differ(void **state)
{
	(void)state;
	struct secret_key master, a, b;
	secret_random(master.bytes, sizeof master.bytes);
	secret_subkey(&master, 1, "receipt_", &a);
	secret_subkey(&master, 1, "receipt_", &b);
	assert_true(key_same(&a, &b));
	assert_false(key_same(&a, &master));
	secret_subkey(&master, 2, "receipt_", &b);
	assert_false(key_same(&a, &b));
	secret_subkey(&master, 1, "network_", &b);
	assert_false(key_same(&a, &b));
	master.bytes[31] ^= 1;
	secret_subkey(&master, 1, "receipt_", &b);
	assert_false(key_same(&a, &b));
}

/* --- sealing ------------------------------------------------------------------------------------ */

static struct secret_key recipient, recipient_public;

/* A pair from a file, as a moderator has it. */
static void
have_recipient(void)
{
	struct secret_key derived;
	unlink(path("pair"));
	assert_int_equal(secret_pair_make(path("pair"), 0600, &recipient_public), STATUS_OK);
	assert_int_equal(secret_key_load(path("pair"), 0600, &recipient), STATUS_OK);
	secret_public(&recipient, &derived);
	assert_true(key_same(&derived, &recipient_public));
}

static struct str
seal(const struct secret_batch *batch, char purpose, struct str plain)
{
	struct str sealed = STR_NONE;
	assert_int_equal(secret_seal(batch, &arena, purpose, plain, &sealed), STATUS_OK);
	return sealed;
}

static enum status
unseal(char purpose, struct str sealed, struct str *plain)
{
	*plain = STR_NONE;
	return secret_open(&recipient, &arena, purpose, sealed, plain);
}

static void
boxes_open_again(void **state)
{
	(void)state;
	have_recipient();
	struct secret_batch batch;
	assert_int_equal(secret_batch_begin(&batch, &recipient_public), STATUS_OK);
	char text[SECRET_PLAIN + 1];
	memset(text, 'x', sizeof text);
	for (size_t len = 0; len <= SECRET_PLAIN; len += len < 300 ? 1 : 97) {
		struct str plain, sealed = seal(&batch, SECRET_EMAIL, (struct str){text, len});
		assert_int_equal(unseal(SECRET_EMAIL, sealed, &plain), STATUS_OK);
		assert_non_null(plain.at);
		assert_true(str_eq(plain, (struct str){text, len}));
		assert_int_equal((sealed.len - SECRET_OVERHEAD) % SECRET_PAD, 0);
	}
	struct str plain = STR("a\0\x80\0"), opened, sealed;
	assert_int_equal(unseal(SECRET_NETWORK, seal(&batch, SECRET_NETWORK, plain), &opened), STATUS_OK);
	assert_true(str_eq(plain, opened));
	assert_int_equal(unseal(SECRET_NETWORK, seal(&batch, SECRET_NETWORK, STR_NONE), &opened), STATUS_OK);
	assert_int_equal(opened.len, 0);
	assert_int_equal(secret_seal(&batch, &arena, SECRET_EMAIL, (struct str){text, sizeof text}, &sealed),
	    STATUS_TOO_LARGE);
	secret_batch_end(&batch);
}

static struct secret_key
join(struct secret_sealer *sealer)
{
	struct secret_batch batch;
	assert_int_equal(secret_sealer_join(sealer, &batch), STATUS_OK);
	struct secret_key ephemeral = batch.ephemeral;
	secret_batch_end(&batch);
	return ephemeral;
}

static void
a_batch_is_shared_while_somebody_seals(void **state)
{
	(void)state;
	have_recipient();
	struct secret_sealer sealer;
	static const struct secret_batch none;
	secret_sealer_open(&sealer, &recipient_public);
	struct secret_key one = join(&sealer), two = join(&sealer), three;
	assert_memory_equal(&one, &two, sizeof one);
	secret_sealer_leave(&sealer);
	assert_memory_not_equal(&sealer.batch, &none, sizeof none);
	secret_sealer_leave(&sealer);
	assert_memory_equal(&sealer.batch, &none, sizeof none);
	two = join(&sealer);
	assert_memory_not_equal(&one, &two, sizeof one);
	for (int i = 1; i < SECRET_SHARED_MOST; i++)
		three = join(&sealer);
	assert_memory_equal(&two, &three, sizeof two);
	three = join(&sealer);
	assert_memory_not_equal(&two, &three, sizeof two);
	secret_sealer_close(&sealer);
}

static void
an_opener_tells_batches_apart(void **state)
{
	(void)state;
	have_recipient();
	struct secret_batch batches[2];
	struct secret_opener opener = {.secret = &recipient};
	struct str plain, boxes[4];
	for (int i = 0; i < 2; i++)
		assert_int_equal(secret_batch_begin(&batches[i], &recipient_public), STATUS_OK);
	for (int i = 0; i < 4; i++)
		boxes[i] = seal(&batches[i / 2], SECRET_EMAIL, str_sub(STR("abcd"), 0, (size_t)i));
	static const int order[] = {0, 1, 2, 1, 3, 3, 0};
	for (size_t i = 0; i < sizeof order / sizeof *order; i++) {
		assert_int_equal(secret_open_next(&opener, &arena, SECRET_EMAIL, boxes[order[i]], &plain), STATUS_OK);
		assert_int_equal(plain.len, order[i]);
		assert_int_equal(secret_open_next(&opener, &arena, SECRET_NETWORK, boxes[order[i]], &plain), STATUS_INVALID);
	}
	for (int i = 0; i < 2; i++)
		secret_batch_end(&batches[i]);
	secret_wipe(&opener, sizeof opener);
}

/* What was opened opens again from memory, with whatever key is at hand; what did not open is not remembered. */
static void
memory_opens_what_was_opened(void **state)
{
	(void)state;
	have_recipient();
	static struct secret_memory memory;
	struct secret_key stranger = {{1}};
	struct secret_batch batch;
	struct str plain, box, bent;
	secret_memory_open(&memory);
	assert_int_equal(secret_batch_begin(&batch, &recipient_public), STATUS_OK);
	box = seal(&batch, SECRET_EMAIL, STR("a@b"));
	secret_batch_end(&batch);
	char *bytes = str_c(&arena, box);
	bytes[box.len - 1] ^= 1;
	bent = (struct str){bytes, box.len};
	struct secret_opener fresh = {.secret = &stranger, .memory = &memory};
	assert_int_equal(secret_open_next(&fresh, &arena, SECRET_EMAIL, box, &plain), STATUS_INVALID);
	fresh = (struct secret_opener){.secret = &recipient, .memory = &memory};
	assert_int_equal(secret_open_next(&fresh, &arena, SECRET_EMAIL, box, &plain), STATUS_OK);
	fresh = (struct secret_opener){.secret = &stranger, .memory = &memory};
	assert_int_equal(secret_open_next(&fresh, &arena, SECRET_EMAIL, box, &plain), STATUS_OK);
	assert_true(str_eq(plain, STR("a@b")));
	assert_int_equal(secret_open_next(&fresh, &arena, SECRET_EMAIL, bent, &plain), STATUS_INVALID);
	assert_int_equal(secret_open_next(&fresh, &arena, SECRET_NETWORK, box, &plain), STATUS_INVALID);
	secret_memory_close(&memory);
	static const struct secret_memory none;
	assert_memory_equal(&memory, &none, sizeof none);
	secret_wipe(&fresh, sizeof fresh);
}

static void
boxes_tell_no_length(void **state)
{
	(void)state;
	have_recipient();
	struct secret_batch batch;
	assert_int_equal(secret_batch_begin(&batch, &recipient_public), STATUS_OK);
	struct str text = STR("abcdefghijklmnopqrstuvwxyz.abcdefghijklmnopqrstuvwxyz@example.org");
	size_t shortest = seal(&batch, SECRET_EMAIL, STR("a@b")).len;
	assert_int_equal(shortest, SECRET_OVERHEAD + SECRET_PAD);
	for (size_t len = 0; len < SECRET_PAD - 1; len++)
		assert_int_equal(seal(&batch, SECRET_EMAIL, str_sub(text, 0, len)).len, shortest);
	assert_int_equal(
	    seal(&batch, SECRET_EMAIL, str_sub(text, 0, SECRET_PAD - 1)).len, shortest + SECRET_PAD);
	secret_batch_end(&batch);
}

static bool
contains(const void *hay, size_t hay_len, const void *needle, size_t needle_len)
{
	return memmem(hay, hay_len, needle, needle_len) != NULL;
}

static void
boxes_are_fresh(void **state)
{
	(void)state;
	have_recipient();
	struct secret_batch one, two;
	struct str plain = STR("somebody@example.org");
	assert_int_equal(secret_batch_begin(&one, &recipient_public), STATUS_OK);
	assert_int_equal(secret_batch_begin(&two, &recipient_public), STATUS_OK);
	struct str a = seal(&one, SECRET_EMAIL, plain), b = seal(&one, SECRET_EMAIL, plain),
		   c = seal(&two, SECRET_EMAIL, plain);
	assert_int_equal(a.at[0], 1);
	assert_memory_equal(a.at + 1, b.at + 1, SECRET_KEY);
	assert_memory_not_equal(a.at + 1, c.at + 1, SECRET_KEY);
	assert_memory_not_equal(a.at + 33, b.at + 33, 24);
	assert_memory_not_equal(a.at + 57, b.at + 57, 16 + SECRET_PAD);
	assert_false(contains(a.at, a.len, "somebody", 8));
	secret_batch_end(&one);
	secret_batch_end(&two);
	struct secret_batch zero;
	memset(&zero, 0, sizeof zero);
	assert_memory_equal(&one, &zero, sizeof zero);
}

static void
boxes_open_only_unharmed(void **state)
{
	(void)state;
	have_recipient();
	struct secret_batch batch;
	struct str opened;
	assert_int_equal(secret_batch_begin(&batch, &recipient_public), STATUS_OK);
	struct str sealed = seal(&batch, SECRET_EMAIL, STR("somebody@example.org"));
	secret_batch_end(&batch);
	/* Version, ephemeral key, nonce, authenticator, box: every bit of them. */
	for (size_t bit = 0; bit < sealed.len * 8; bit++) {
		struct str copy = str_copy(&arena, sealed);
		char *at = arena_alloc(&arena, copy.len);
		memcpy(at, copy.at, copy.len);
		at[bit / 8] = (char)(at[bit / 8] ^ (1 << bit % 8));
		if (unseal(SECRET_EMAIL, (struct str){at, copy.len}, &opened) != STATUS_INVALID)
			fail_msg("bit %zu does not matter", bit);
		assert_null(opened.at);
	}
	for (size_t len = 0; len < sealed.len; len++)
		assert_int_equal(unseal(SECRET_EMAIL, str_sub(sealed, 0, len), &opened), STATUS_INVALID);
	assert_int_equal(unseal(SECRET_EMAIL, str_join(&arena, sealed, STR("x")), &opened), STATUS_INVALID);
	assert_int_equal(unseal(SECRET_EMAIL, STR_NONE, &opened), STATUS_INVALID);
	assert_int_equal(unseal(SECRET_EMAIL, sealed, &opened), STATUS_OK);
}

static void
boxes_have_one_purpose_and_one_recipient(void **state)
{
	(void)state;
	have_recipient();
	struct secret_batch batch;
	struct str opened;
	assert_int_equal(secret_batch_begin(&batch, &recipient_public), STATUS_OK);
	struct str sealed = seal(&batch, SECRET_EMAIL, STR("somebody@example.org"));
	assert_int_equal(unseal(SECRET_NETWORK, sealed, &opened), STATUS_INVALID);
	assert_null(opened.at);
	struct secret_key right = recipient;
	have_recipient();
	assert_int_equal(unseal(SECRET_EMAIL, sealed, &opened), STATUS_INVALID);
	assert_int_equal(secret_open(&right, &arena, SECRET_EMAIL, sealed, &opened), STATUS_OK);
	/* What the public door keeps for a while does not open as a secret key. */
	assert_int_equal(
	    secret_open(&batch.ephemeral, &arena, SECRET_EMAIL, sealed, &opened), STATUS_INVALID);
	secret_batch_end(&batch);
}

static void
weak_recipients_are_refused(void **state)
{
	(void)state;
	struct secret_key weak = {{0}};
	struct secret_batch batch;
	assert_int_equal(secret_batch_begin(&batch, &weak), STATUS_INVALID);
	weak.bytes[0] = 1;
	assert_int_equal(secret_batch_begin(&batch, &weak), STATUS_INVALID);
}

static void
pairs_do_not_overwrite(void **state)
{
	(void)state;
	have_recipient();
	struct secret_key public = recipient_public, again;
	assert_int_equal(secret_pair_make(path("pair"), 0600, &public), STATUS_CONFLICT);
	assert_true(key_same(&public, &recipient_public));
	assert_int_equal(secret_key_load(path("pair"), 0600, &again), STATUS_OK);
	assert_true(key_same(&again, &recipient));
}

/* --- keyed hashes ------------------------------------------------------------------------------- */

static struct str
hash_of(const struct secret_key *key, const char *purpose, const struct str *parts, size_t parts_n)
{
	uint8_t *hash = arena_alloc(&arena, SECRET_HASH);
	assert_non_null(hash);
	secret_hash(key, purpose, parts, parts_n, hash);
	return (struct str){(const char *)hash, SECRET_HASH};
}

static void
hashes_tell_apart(void **state)
{
	(void)state;
	struct secret_key key = {{1, 2, 3}}, other = {{1, 2, 4}};
	const struct str ab_c[] = {STR("ab"), STR("c")}, a_bc[] = {STR("a"), STR("bc")}, abc[] = {STR("abc")},
			 abc_[] = {STR("abc"), STR("")}, abc_none[] = {STR("abc"), STR_NONE};
	const struct str hashes[] = {
	    hash_of(&key, "author", ab_c, 2),
	    hash_of(&key, "author", a_bc, 2),
	    hash_of(&key, "author", abc, 1),
	    hash_of(&key, "author", abc_, 2),
	    hash_of(&key, "authora", ab_c, 2),
	    hash_of(&key, "network", ab_c, 2),
	    hash_of(&key, "", ab_c, 2),
	    hash_of(&key, "author", NULL, 0),
	    hash_of(&other, "author", ab_c, 2),
	};
	enum { N = sizeof hashes / sizeof *hashes };
	for (size_t i = 0; i < N; i++)
		for (size_t j = 0; j < i; j++)
			if (str_eq(hashes[i], hashes[j]))
				fail_msg("hashes %zu and %zu are the same", i, j);
	assert_true(str_eq(hashes[0], hash_of(&key, "author", ab_c, 2)));
	assert_true(str_eq(hashes[3], hash_of(&key, "author", abc_none, 2)));
}

/* Computed with Python's hashlib.blake2b(digest_size=32, key=bytes(range(32))) over the same frame. */
static void
hashes_are_blake2b(void **state)
{
	(void)state;
	struct secret_key key;
	for (size_t i = 0; i < SECRET_KEY; i++)
		key.bytes[i] = (uint8_t)i;
	const struct str parts[] = {STR("anna@example.org"), STR("")};
	struct str hash = hash_of(&key, "author", parts, 2);
	assert_string_equal(str_hex(&arena, hash.at, hash.len).at,
	    "4f61c2a656f0d3927b6b82c9e1e0a36a4567bfe8973a57ee33273d8faf8fc2dd");
}

/* --- the rest ----------------------------------------------------------------------------------- */

static void
comparing_and_wiping(void **state)
{
	(void)state;
	uint8_t a[32], b[32];
	secret_random(a, sizeof a);
	memcpy(b, a, sizeof a);
	assert_true(secret_same(a, b, sizeof a));
	for (size_t i = 0; i < sizeof a; i++) {
		b[i] ^= 0x80;
		assert_false(secret_same(a, b, sizeof a));
		b[i] ^= 0x80;
	}
	secret_random(b, sizeof b);
	assert_false(secret_same(a, b, sizeof a));
	secret_wipe(a, sizeof a);
	memset(b, 0, sizeof b);
	assert_memory_equal(a, b, sizeof a);
}

static void
passwords_match(void **state)
{
	(void)state;
	struct str password = STR("correct horse battery staple \xf0\x9f\x90\xb4"), stored, again;
	assert_int_equal(secret_password_hash(&arena, password, &stored), STATUS_OK);
	assert_int_equal(secret_password_hash(&arena, password, &again), STATUS_OK);
	assert_false(str_eq(stored, again));
	assert_true(str_starts(stored, STR("$argon2id$v=19$m=19456,t=2,p=1$")));
	assert_true(secret_password_matches(stored, password));
	assert_false(secret_password_matches(stored, str_sub(password, 0, password.len - 1)));
	assert_false(secret_password_matches(stored, str_join(&arena, password, STR("x"))));
	assert_false(secret_password_matches(stored, STR_NONE));
	assert_false(secret_password_matches(STR_NONE, password));
	assert_false(secret_password_matches(STR(""), password));
	assert_false(secret_password_matches(str_sub(stored, 0, stored.len - 1), password));
	assert_false(secret_password_matches(str_join(&arena, stored, stored), password));
	assert_false(secret_password_outdated(stored));
	assert_true(secret_password_outdated(STR_NONE));
	assert_true(secret_password_outdated(STR("x")));
	assert_true(secret_password_outdated(STR("$argon2id$v=19$m=8192,t=1,p=1$c29tZXNhbHRzb21lc2FsdA$"
						 "c29tZWhhc2hzb21lc29tZWhhc2hzb21lc29tZWhhc2g")));
}

/* Nothing is cut at 72 bytes. */
static void
passwords_are_long(void **state)
{
	(void)state;
	char *text = arena_alloc(&arena, 1024);
	assert_non_null(text);
	memset(text, 'p', 1024);
	struct str stored;
	assert_int_equal(secret_password_hash(&arena, (struct str){text, 1024}, &stored), STATUS_OK);
	assert_true(secret_password_matches(stored, (struct str){text, 1024}));
	text[1023] = 'q';
	assert_false(secret_password_matches(stored, (struct str){text, 1024}));
}

static double
now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

/* Of many tries the shortest, so that what else runs here does not count: at least five, at most sixty. */
static void
dummy_takes_as_long(void **state)
{
	(void)state;
	struct str stored;
	assert_int_equal(secret_password_hash(&arena, STR("password password"), &stored), STATUS_OK);
	double real = 1e9, dummy = 1e9;
	bool alike = false;
	for (int i = 0; i < 60 && (i < 5 || !alike); i++) {
		double begin = now();
		assert_false(secret_password_matches(stored, STR("another password")));
		double middle = now();
		secret_password_dummy(STR("another password"));
		double end = now();
		real = middle - begin < real ? middle - begin : real;
		dummy = end - middle < dummy ? end - middle : dummy;
		alike = dummy >= real * 0.75 && dummy <= real * 1.33;
	}
	if (!alike)
		fail_msg("%.1f ms against %.1f ms", dummy, real);
}

static void
no_memory_is_told(void **state)
{
	(void)state;
	have_recipient();
	struct arena small;
	struct secret_batch batch;
	struct str out;
	arena_init(&small, 16);
	assert_int_equal(secret_batch_begin(&batch, &recipient_public), STATUS_OK);
	assert_int_equal(secret_seal(&batch, &small, SECRET_EMAIL, STR("x"), &out), STATUS_BROKEN);
	struct str sealed = seal(&batch, SECRET_EMAIL, STR("x"));
	assert_int_equal(secret_open(&recipient, &small, SECRET_EMAIL, sealed, &out), STATUS_BROKEN);
	assert_int_equal(secret_password_hash(&small, STR("x"), &out), STATUS_BROKEN);
	secret_batch_end(&batch);
	arena_free(&small);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(key_is_made_and_loaded),
	    cmocka_unit_test(key_that_cannot_be_made_is_told),
	    cmocka_unit_test(key_files_are_checked),
	    cmocka_unit_test(hex_is_read_strictly),
	    cmocka_unit_test(subkeys_differ),
	    cmocka_unit_test(boxes_open_again),
	    cmocka_unit_test(a_batch_is_shared_while_somebody_seals),
	    cmocka_unit_test(an_opener_tells_batches_apart),
	    cmocka_unit_test(memory_opens_what_was_opened),
	    cmocka_unit_test(boxes_tell_no_length),
	    cmocka_unit_test(boxes_are_fresh),
	    cmocka_unit_test(boxes_open_only_unharmed),
	    cmocka_unit_test(boxes_have_one_purpose_and_one_recipient),
	    cmocka_unit_test(weak_recipients_are_refused),
	    cmocka_unit_test(pairs_do_not_overwrite),
	    cmocka_unit_test(hashes_tell_apart),
	    cmocka_unit_test(hashes_are_blake2b),
	    cmocka_unit_test(comparing_and_wiping),
	    cmocka_unit_test(passwords_match),
	    cmocka_unit_test(passwords_are_long),
	    cmocka_unit_test(dummy_takes_as_long),
	    cmocka_unit_test(no_memory_is_told),
	};
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
