#include "secret.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fd.h"
#include "log.h"

_Static_assert(SECRET_KEY == crypto_box_PUBLICKEYBYTES, "public keys");
_Static_assert(SECRET_KEY == crypto_box_SECRETKEYBYTES, "secret keys");
_Static_assert(SECRET_KEY == crypto_box_BEFORENMBYTES, "shared keys");
_Static_assert(SECRET_KEY == crypto_kdf_KEYBYTES, "master keys");
_Static_assert(SECRET_KEY == crypto_generichash_KEYBYTES, "keys of hashes");
_Static_assert(SECRET_HASH == crypto_generichash_BYTES, "hashes");

enum {
	HEX = 2 * SECRET_KEY,
	SEAL_VERSION = 1,
	SEAL_NONCE = 1 + SECRET_KEY,
	SEAL_BOX = SEAL_NONCE + crypto_box_NONCEBYTES,
};
_Static_assert(SECRET_OVERHEAD == SEAL_BOX + crypto_box_MACBYTES, "overhead of a box");

enum status
secret_init(void)
{
	return sodium_init() < 0 ? STATUS_BROKEN : STATUS_OK;
}

void
secret_random(void *bytes, size_t len)
{
	randombytes_buf(bytes, len);
}

void
secret_wipe(void *bytes, size_t len)
{
	sodium_memzero(bytes, len);
}

bool
secret_same(const void *a, const void *b, size_t len)
{
	return sodium_memcmp(a, b, len) == 0;
}

/* --- key files ---------------------------------------------------------------------------------- */

static enum status
refuse(const char *path, const char *reason)
{
	log_event(LOG_LEVEL_ERROR, "key file %s: %s", path, reason);
	return STATUS_INVALID;
}

/* The status of a failed system call on a key file, logged. */
static enum status
trouble(const char *path, const char *what)
{
	int error = errno;
	log_event(LOG_LEVEL_ERROR, "key file %s: %s: %s", path, what, strerror(error));
	return error == ENOSPC || error == EDQUOT || error == EROFS ? STATUS_BUSY : STATUS_BROKEN;
}

/* A key that a power cut takes, after it was used, opens nothing any more: the folder is synced too. */
static bool
sync_folder(const char *path)
{
	char copy[4096];
	size_t len = strlen(path);
	if (len >= sizeof copy) {
		errno = ENAMETOOLONG;
		return false;
	}
	memcpy(copy, path, len + 1);
	int fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return false;
	bool synced = fsync(fd) == 0;
	close(fd);
	return synced;
}

static bool
fill(int fd, unsigned mode, const struct secret_key *key)
{
	char hex[HEX + 1];
	sodium_bin2hex(hex, sizeof hex, key->bytes, sizeof key->bytes);
	hex[HEX] = '\n';
	bool filled = fchmod(fd, (mode_t)mode) == 0 && fd_write_all(fd, hex, sizeof hex) && fsync(fd) == 0;
	sodium_memzero(hex, sizeof hex);
	return filled;
}

/* Not every file system knows RENAME_NOREPLACE; those that do not know links. */
static bool
give_name(const char *fresh, const char *path)
{
	if (renameat2(AT_FDCWD, fresh, AT_FDCWD, path, RENAME_NOREPLACE) == 0)
		return true;
	return errno == EINVAL && link(fresh, path) == 0 && unlink(fresh) == 0;
}

/* It has its name when it is whole: whoever is killed on the way leaves no half key where a key is looked for. */
static enum status
key_put(const char *fresh, const char *path, unsigned mode, const struct secret_key *key)
{
	unlink(fresh); /* of one that was killed */
	int fd = open(fresh, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return trouble(path, "cannot be made");
	enum status status = STATUS_OK;
	if (!fill(fd, mode, key))
		status = trouble(path, "cannot be written");
	else if (!give_name(fresh, path))
		status = errno == EEXIST ? STATUS_CONFLICT : trouble(path, "cannot be made");
	close(fd);
	if (status != STATUS_OK)
		unlink(fresh);
	else if (!sync_folder(path)) {
		status = trouble(path, "cannot be written");
		unlink(path);
	}
	return status;
}

static enum status
key_write(const char *path, unsigned mode, const struct secret_key *key)
{
	/* Two that make the same one at a time each have a file of their own. */
	char fresh[4096];
	struct stat info;
	int len = snprintf(fresh, sizeof fresh, "%s.%ld.part", path, (long)getpid());
	if (len < 0 || (size_t)len >= sizeof fresh) {
		errno = ENAMETOOLONG;
		return trouble(path, "cannot be made");
	}
	return lstat(path, &info) == 0 ? STATUS_CONFLICT : key_put(fresh, path, mode, key);
}

enum status
secret_key_make(const char *path, unsigned mode)
{
	struct secret_key key;
	randombytes_buf(key.bytes, sizeof key.bytes);
	enum status status = key_write(path, mode, &key);
	secret_wipe(&key, sizeof key);
	return status;
}

enum status
secret_pair_make(const char *path, unsigned mode, struct secret_key *public)
{
	struct secret_key secret, made;
	crypto_box_keypair(made.bytes, secret.bytes);
	enum status status = key_write(path, mode, &secret);
	secret_wipe(&secret, sizeof secret);
	if (status == STATUS_OK)
		*public = made;
	return status;
}

/* One byte more than the longest right content is read, to notice what is too long. */
static enum status
key_content(const char *path, int fd, struct secret_key *key)
{
	char content[HEX + 2];
	size_t len = 0;
	ssize_t n = 1;
	while (len < sizeof content && n > 0) {
		n = read(fd, content + len, sizeof content - len);
		if (n < 0 && errno != EINTR)
			return trouble(path, "cannot be read");
		len += n > 0 ? (size_t)n : 0;
		n = n < 0 ? 1 : n;
	}
	enum status status = STATUS_OK;
	bool sized = len == HEX || (len == HEX + 1 && content[HEX] == '\n');
	if (!sized)
		status = refuse(path, "must hold 64 hexadecimal digits and a newline");
	else if (secret_key_read((struct str){content, HEX}, key) != STATUS_OK)
		status = refuse(path, "holds something else than hexadecimal digits");
	sodium_memzero(content, sizeof content);
	return status;
}

static enum status
key_permissions(const char *path, int fd, unsigned permitted)
{
	struct stat about;
	if (fstat(fd, &about) != 0)
		return trouble(path, "cannot be looked at");
	if (!S_ISREG(about.st_mode))
		return refuse(path, "is no ordinary file");
	if ((about.st_mode & 07777 & ~(mode_t)permitted) != 0) {
		log_event(LOG_LEVEL_ERROR, "key file %s: its mode is %04o, at most %04o is permitted", path,
		    (unsigned)(about.st_mode & 07777), permitted);
		return STATUS_INVALID;
	}
	return STATUS_OK;
}

enum status
secret_key_load(const char *path, unsigned permitted, struct secret_key *key)
{
	/* O_NONBLOCK: a pipe in the place of the file would hold the program for ever. */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return errno == ENOENT ? STATUS_MISSING : trouble(path, "cannot be opened");
	enum status status = key_permissions(path, fd, permitted);
	if (status == STATUS_OK)
		status = key_content(path, fd, key);
	close(fd);
	return status;
}

void
secret_public(const struct secret_key *secret, struct secret_key *public)
{
	crypto_scalarmult_base(public->bytes, secret->bytes);
}

enum status
secret_key_read(struct str hex, struct secret_key *key)
{
	size_t len = 0;
	if (hex.len != HEX)
		return STATUS_INVALID;
	if (sodium_hex2bin(key->bytes, sizeof key->bytes, hex.at, hex.len, NULL, &len, NULL) != 0)
		return STATUS_INVALID;
	return len == SECRET_KEY ? STATUS_OK : STATUS_INVALID;
}

struct str
secret_key_hex(struct arena *arena, const struct secret_key *key)
{
	return str_hex(arena, key->bytes, sizeof key->bytes);
}

void
secret_subkey(const struct secret_key *master, uint64_t id, const char *context, struct secret_key *key)
{
	_Static_assert(crypto_kdf_CONTEXTBYTES == 8, "contexts");
	crypto_kdf_derive_from_key(key->bytes, sizeof key->bytes, id, context, master->bytes);
}

/* --- sealing ------------------------------------------------------------------------------------ */

enum status
secret_batch_begin(struct secret_batch *batch, const struct secret_key *recipient)
{
	struct secret_key secret;
	crypto_box_keypair(batch->ephemeral.bytes, secret.bytes);
	int weak = crypto_box_beforenm(batch->shared.bytes, recipient->bytes, secret.bytes);
	secret_wipe(&secret, sizeof secret);
	return weak != 0 ? STATUS_INVALID : STATUS_OK;
}

void
secret_batch_end(struct secret_batch *batch)
{
	secret_wipe(batch, sizeof *batch);
}

void
secret_sealer_open(struct secret_sealer *sealer, const struct secret_key *recipient)
{
	*sealer = (struct secret_sealer){.recipient = *recipient};
	pthread_mutex_init(&sealer->lock, NULL);
}

void
secret_sealer_close(struct secret_sealer *sealer)
{
	pthread_mutex_destroy(&sealer->lock);
	secret_batch_end(&sealer->batch);
}

/* Made under the lock: whoever waits for it shares it. */
enum status
secret_sealer_join(struct secret_sealer *sealer, struct secret_batch *batch)
{
	enum status status = STATUS_OK;
	pthread_mutex_lock(&sealer->lock);
	if (sealer->joined == 0 || sealer->joins == SECRET_SHARED_MOST) {
		status = secret_batch_begin(&sealer->batch, &sealer->recipient);
		sealer->joins = 0;
	}
	if (status == STATUS_OK) {
		sealer->joined++;
		sealer->joins++;
		*batch = sealer->batch;
	}
	pthread_mutex_unlock(&sealer->lock);
	return status;
}

void
secret_sealer_leave(struct secret_sealer *sealer)
{
	pthread_mutex_lock(&sealer->lock);
	if (--sealer->joined == 0)
		secret_batch_end(&sealer->batch);
	pthread_mutex_unlock(&sealer->lock);
}

/* Purpose, value and padding, written where the box will be made in place; `room` is their length. */
static enum status
pad(unsigned char *at, size_t room, char purpose, struct str plain)
{
	at[0] = (unsigned char)purpose;
	if (plain.len > 0)
		memcpy(at + 1, plain.at, plain.len);
	size_t padded;
	int failed = sodium_pad(&padded, at, 1 + plain.len, SECRET_PAD, room);
	return failed != 0 || padded != room ? STATUS_BROKEN : STATUS_OK;
}

enum status
secret_seal(
    const struct secret_batch *batch, struct arena *arena, char purpose, struct str plain, struct str *sealed)
{
	if (plain.len > SECRET_PLAIN)
		return STATUS_TOO_LARGE;
	/* sodium_pad always adds at least one byte. */
	size_t room = (1 + plain.len) / SECRET_PAD * SECRET_PAD + SECRET_PAD;
	unsigned char *at = arena_alloc(arena, SECRET_OVERHEAD + room);
	if (at == NULL)
		return STATUS_BROKEN;
	unsigned char *message = at + SECRET_OVERHEAD;
	enum status status = pad(message, room, purpose, plain);
	if (status != STATUS_OK)
		return status;
	at[0] = SEAL_VERSION;
	memcpy(at + 1, batch->ephemeral.bytes, SECRET_KEY);
	randombytes_buf(at + SEAL_NONCE, crypto_box_NONCEBYTES);
	/* Source and target may overlap: libsodium moves the message first. */
	crypto_box_easy_afternm(at + SEAL_BOX, message, room, at + SEAL_NONCE, batch->shared.bytes);
	*sealed = (struct str){(const char *)at, SECRET_OVERHEAD + room};
	return STATUS_OK;
}

/*
 * X25519 ignores the highest bit of a public key, so a box would open with that bit changed as well;
 * no key that we make has it.
 */
static bool
has_frame(struct str sealed)
{
	if (sealed.len < SECRET_OVERHEAD + SECRET_PAD ||
	    sealed.len > SECRET_OVERHEAD + SECRET_PLAIN + 2 * SECRET_PAD)
		return false;
	return sealed.at[0] == SEAL_VERSION && ((unsigned char)sealed.at[SECRET_KEY] & 0x80) == 0;
}

void
secret_memory_open(struct secret_memory *memory)
{
	*memory = (struct secret_memory){0};
	pthread_mutex_init(&memory->lock, NULL);
}

void
secret_memory_close(struct secret_memory *memory)
{
	pthread_mutex_destroy(&memory->lock);
	secret_wipe(memory, sizeof *memory);
}

static size_t
place_of(const struct secret_key *ephemeral)
{
	return (size_t)(ephemeral->bytes[0] << 8 | ephemeral->bytes[1]) % SECRET_REMEMBERED;
}

static bool
remembered(struct secret_opener *opener)
{
	struct secret_memory *memory = opener->memory;
	size_t place = place_of(&opener->ephemeral);
	if (memory == NULL)
		return false;
	pthread_mutex_lock(&memory->lock);
	bool has = memory->rows[place].has &&
	           secret_same(memory->rows[place].ephemeral.bytes, opener->ephemeral.bytes, SECRET_KEY);
	if (has)
		opener->shared = memory->rows[place].shared;
	pthread_mutex_unlock(&memory->lock);
	return has;
}

static void
remember(const struct secret_opener *opener)
{
	struct secret_memory *memory = opener->memory;
	size_t place = place_of(&opener->ephemeral);
	if (memory == NULL)
		return;
	pthread_mutex_lock(&memory->lock);
	memory->rows[place].ephemeral = opener->ephemeral;
	memory->rows[place].shared = opener->shared;
	memory->rows[place].has = true;
	pthread_mutex_unlock(&memory->lock);
}

/* Makes the shared key of the box that begins with this ephemeral one, unless it is at hand. */
static void
take_shared(struct secret_opener *opener, const unsigned char *ephemeral)
{
	if (opener->has && secret_same(opener->ephemeral.bytes, ephemeral, SECRET_KEY))
		return;
	memcpy(opener->ephemeral.bytes, ephemeral, SECRET_KEY);
	opener->has = remembered(opener);
	if (opener->has)
		return;
	opener->has = crypto_box_beforenm(opener->shared.bytes, ephemeral, opener->secret->bytes) == 0;
}

static enum status
box_open(struct secret_opener *opener, const unsigned char *at, size_t len, unsigned char *message)
{
	bool had = opener->has && secret_same(opener->ephemeral.bytes, at + 1, SECRET_KEY);
	take_shared(opener, at + 1);
	if (!opener->has)
		return STATUS_INVALID;
	int failed = crypto_box_open_easy_afternm(
	    message, at + SEAL_BOX, len - SEAL_BOX, at + SEAL_NONCE, opener->shared.bytes);
	/* Only what opened something: nonsense in the store pushes nothing out. */
	if (failed == 0 && !had)
		remember(opener);
	return failed != 0 ? STATUS_INVALID : STATUS_OK;
}

enum status
secret_open(
    const struct secret_key *secret, struct arena *arena, char purpose, struct str sealed, struct str *plain)
{
	struct secret_opener opener = {.secret = secret};
	enum status status = secret_open_next(&opener, arena, purpose, sealed, plain);
	secret_wipe(&opener, sizeof opener);
	return status;
}

static enum status
open_with_own(
    struct secret_opener *opener, struct arena *arena, char purpose, struct str sealed, struct str *plain)
{
	if (!has_frame(sealed))
		return STATUS_INVALID;
	size_t padded = sealed.len - SECRET_OVERHEAD;
	unsigned char *message = arena_alloc(arena, padded);
	if (message == NULL)
		return STATUS_BROKEN;
	enum status status = box_open(opener, (const unsigned char *)sealed.at, sealed.len, message);
	if (status != STATUS_OK)
		return status;
	size_t len;
	if (sodium_unpad(&len, message, padded, SECRET_PAD) != 0 || len < 1)
		return STATUS_INVALID;
	if (message[0] != (unsigned char)purpose)
		return STATUS_INVALID;
	*plain = (struct str){(const char *)message + 1, len - 1};
	return STATUS_OK;
}

enum status
secret_open_next(
    struct secret_opener *opener, struct arena *arena, char purpose, struct str sealed, struct str *plain)
{
	enum status status = open_with_own(opener, arena, purpose, sealed, plain);
	return status == STATUS_INVALID && opener->former != NULL
	    ? secret_open(opener->former, arena, purpose, sealed, plain)
	    : status;
}

/* --- keyed hashes ------------------------------------------------------------------------------- */

static void
hash_part(crypto_generichash_state *state, struct str part)
{
	uint8_t len[8];
	for (size_t i = 0; i < sizeof len; i++)
		len[i] = (uint8_t)((uint64_t)part.len >> (8 * i));
	crypto_generichash_update(state, len, sizeof len);
	if (part.len > 0)
		crypto_generichash_update(state, (const unsigned char *)part.at, part.len);
}

void
secret_hash(const struct secret_key *key, const char *purpose, const struct str *parts, size_t parts_n,
    uint8_t hash[SECRET_HASH])
{
	crypto_generichash_state state;
	crypto_generichash_init(&state, key->bytes, sizeof key->bytes, SECRET_HASH);
	hash_part(&state, str_from(purpose));
	for (size_t i = 0; i < parts_n; i++)
		hash_part(&state, parts[i]);
	crypto_generichash_final(&state, hash, SECRET_HASH);
	secret_wipe(&state, sizeof state);
}

/* --- passwords ---------------------------------------------------------------------------------- */

static const char *
password_bytes(struct str password)
{
	return password.at == NULL ? "" : password.at;
}

/* libsodium reads the stored text as a C string of fixed room; false when it does not fit. */
static bool
stored_text(struct str stored, char text[crypto_pwhash_STRBYTES])
{
	if (stored.len == 0 || stored.len >= crypto_pwhash_STRBYTES || str_has(stored, '\0'))
		return false;
	memset(text, 0, crypto_pwhash_STRBYTES);
	memcpy(text, stored.at, stored.len);
	return true;
}

enum status
secret_password_hash(struct arena *arena, struct str password, struct str *stored)
{
	char text[crypto_pwhash_STRBYTES];
	if (crypto_pwhash_str_alg(text, password_bytes(password), password.len, SECRET_PASSWORD_OPS,
		SECRET_PASSWORD_MEMORY, crypto_pwhash_ALG_ARGON2ID13) != 0)
		return STATUS_BROKEN;
	*stored = str_copy(arena, str_from(text));
	return stored->at == NULL ? STATUS_BROKEN : STATUS_OK;
}

bool
secret_password_matches(struct str stored, struct str password)
{
	char text[crypto_pwhash_STRBYTES];
	return stored_text(stored, text) &&
	    crypto_pwhash_str_verify(text, password_bytes(password), password.len) == 0;
}

void
secret_password_dummy(struct str password)
{
	static const unsigned char salt[crypto_pwhash_SALTBYTES];
	unsigned char out[32];
	/* What comes out, or that nothing does, is not looked at: it is the time that counts. */
	if (crypto_pwhash(out, sizeof out, password_bytes(password), password.len, salt, SECRET_PASSWORD_OPS,
		SECRET_PASSWORD_MEMORY, crypto_pwhash_ALG_ARGON2ID13) != 0)
		return;
	secret_wipe(out, sizeof out);
}

bool
secret_password_outdated(struct str stored)
{
	char text[crypto_pwhash_STRBYTES];
	return !stored_text(stored, text) ||
	    crypto_pwhash_str_needs_rehash(text, SECRET_PASSWORD_OPS, SECRET_PASSWORD_MEMORY) != 0;
}
