/*
 * operator_rekey.c - `rejoinder rekey`: a new pair of keys, and old addresses sealed to it.
 *
 * Two steps, with a restart of the doors in between, so that at no moment anything is sealed that nobody
 * can open.  First: the new pair is made, the configuration names it, and the former secret key stays
 * beside the new one, where moderator.fcgi finds it.  Then, `--finish`: whatever is sealed to the former
 * key is opened and sealed anew.  Each step can be run again wherever it was interrupted.
 */
#include "operator.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "door.h"
#include "file.h"
#include "log.h"
#include "reply.h"
#include "secret.h"
#include "sql/rejoinder/reseal.h"

/* A step of the longest replies that comment_most lets in fits. */
enum { ARENA_MOST = 256 * 1024 * 1024, STEP = 50, CONFIG_MOST = 1024 * 1024 };

struct places {
	const char *secret, *fresh, *former, *retired; /* "<secret_key>", and with .new, .former, .retired behind it */
};

static bool
is_there(const char *path)
{
	struct stat info;
	return lstat(path, &info) == 0;
}

/* ".retired", or with a number behind it: a key that was retired before still opens the backups of its time. */
static const char *
free_place(struct arena *arena, const char *secret)
{
	const char *path = str_format(arena, "%s.retired", secret).at;
	for (int n = 2; path != NULL && is_there(path); n++)
		path = str_format(arena, "%s.retired.%d", secret, n).at;
	return path;
}

static enum status
find_places(struct arena *arena, const struct config *config, struct places *places)
{
	places->secret = config->secret_key;
	places->fresh = str_format(arena, "%s.new", config->secret_key).at;
	places->former = str_format(arena, "%s" DOOR_FORMER, config->secret_key).at;
	places->retired = free_place(arena, config->secret_key);
	return places->fresh == NULL || places->former == NULL || places->retired == NULL ? STATUS_BROKEN : STATUS_OK;
}

/* --- the new pair ---------------------------------------------------------------------------------- */

/* The one line with the sealing key changes, all else stays as its owner wrote it. */
static enum status
change_line(struct str text, struct str hex, struct out *out)
{
	bool changed = false;
	while (text.at != NULL && text.len > 0) {
		struct str line = str_cut(&text, '\n');
		bool ours = !changed && str_starts(str_trim(line), STR("sealing_key"));
		if (ours)
			out_format(out, "sealing_key = \"%.*s\"\n", STR_FMT(hex));
		else
			out_format(out, "%.*s\n", STR_FMT(line));
		changed = changed || ours;
	}
	return changed ? out_status(out) : STATUS_INVALID;
}

/* By descriptors alone: where the configuration's folder is not root's, somebody may exchange files in it. */
static enum status
replace_config(const struct config *config, struct str text, const struct stat *info)
{
	struct file_draft draft;
	enum status status = file_draft_begin(config->path.at, info->st_mode & 07777, &draft);
	if (status != STATUS_OK)
		return status;
	/* chown(2) may take bits of the mode away. */
	if (fchown(draft.fd, info->st_uid, info->st_gid) == 0 && fchmod(draft.fd, info->st_mode & 07777) == 0 &&
	    write(draft.fd, text.at, text.len) == (ssize_t)text.len)
		return file_draft_keep(&draft, true);
	log_event(LOG_LEVEL_ERROR, "%s: %s", config->path.at, strerror(errno));
	file_draft_drop(&draft);
	return STATUS_BROKEN;
}

static enum status
change_config(struct arena *arena, const struct config *config, struct str hex)
{
	struct str text;
	struct out out;
	struct stat info;
	enum status status = file_slurp(arena, config->path.at, CONFIG_MOST, &text);
	if (status != STATUS_OK || stat(config->path.at, &info) != 0)
		return status == STATUS_OK ? STATUS_BROKEN : status;
	out_init(&out, arena);
	status = change_line(text, hex, &out);
	return status == STATUS_OK ? replace_config(config, out_str(&out), &info) : status;
}

/* What the steps share; in memory that a child's answer reaches its parent by. */
struct pair {
	const struct config *config;
	const struct places *places;
	struct secret_key public;
};

static enum status
complain(const char *path)
{
	log_event(LOG_LEVEL_ERROR, "%s: %s", path, strerror(errno));
	return STATUS_BROKEN;
}

/* The new pair beside the present one, which gets its second name. */
static int
make_keys(void *context)
{
	struct pair *pair = context;
	const struct places *places = pair->places;
	struct secret_key secret;
	enum status status = is_there(places->fresh) ? STATUS_OK : secret_pair_make(places->fresh, 0600, &pair->public);
	if (status == STATUS_OK)
		status = secret_key_load(places->fresh, 0600, &secret);
	if (status != STATUS_OK)
		return OPERATOR_FAILED;
	secret_public(&secret, &pair->public);
	secret_wipe(&secret, sizeof secret);
	if (is_there(places->secret) && link(places->secret, places->former) != 0 && errno != EEXIST)
		status = complain(places->former);
	return status == STATUS_OK ? OPERATOR_DONE : OPERATOR_FAILED;
}

static int
put_in_place(void *context)
{
	const struct pair *pair = context;
	if (rename(pair->places->fresh, pair->places->secret) == 0)
		return OPERATOR_DONE;
	complain(pair->places->secret);
	return OPERATOR_FAILED;
}

/*
 * In this order, whoever is interrupted finds either the pair that was, or a former key and the new
 * pair, and running it again goes on from there.  The keys are the moderators' user's to make; the
 * configuration is root's, as a rule.
 */
static int
make_pair(struct arena *arena, struct pair *pair)
{
	const struct config *config = pair->config;
	if (operator_apart(config->path.at, make_keys, pair) != OPERATOR_DONE ||
	    change_config(arena, config, secret_key_hex(arena, &pair->public)) != STATUS_OK)
		return OPERATOR_FAILED;
	return operator_apart(config->path.at, put_in_place, pair);
}

static int
change_pair(struct arena *arena, const struct config *config, const struct places *places)
{
	struct pair *pair = mmap(NULL, sizeof *pair, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (pair == MAP_FAILED)
		return OPERATOR_FAILED;
	*pair = (struct pair){.config = config, .places = places};
	int result = make_pair(arena, pair);
	munmap(pair, sizeof *pair);
	return result;
}

/* Whoever may not look must not be told that it is lost. */
static bool
is_hidden(const char *path)
{
	struct stat info;
	return lstat(path, &info) != 0 && errno != ENOENT;
}

static void
print_finish(const char *config)
{
	bool usual = strcmp(config, CONFIG_DEFAULT_PATH) == 0;
	printf("Then run rejoinder %s%s%srekey --finish, which refuses while one of them goes on with the former key.\n",
	    usual ? "" : "--config ", usual ? "" : config, usual ? "" : " ");
}

static int
run_begin(struct arena *arena, const struct config *config, const struct places *places, bool lost)
{
	char restart[OPERATOR_RESTART];
	if (is_hidden(places->secret))
		return operator_fail("nothing was changed: this user may not look for the secret key");
	if (!lost && !is_there(places->secret))
		return operator_fail("the secret key is not there, so what is sealed to it can never be opened; with --lost a new "
		                     "pair is made, and the addresses stored so far stay sealed for ever");
	if (lost && is_there(places->secret))
		return operator_fail("the secret key is there, so nothing is lost; run it without --lost");
	if (is_there(places->former) && !is_there(places->fresh))
		return operator_fail("a rekey is not finished: restart reader.fcgi and moderator.fcgi, then run rejoinder rekey --finish");
	if (change_pair(arena, config, places) != OPERATOR_DONE)
		return operator_fail("the keys were not changed to the end; mend the reason above and run it again");
	puts("There is a new pair of keys, and the configuration names it.");
	operator_restart_words(config->path.at, restart);
	printf("Now restart reader.fcgi and moderator.fcgi: %s.\n", restart);
	if (lost)
		puts("Addresses stored before stay sealed.");
	else
		print_finish(config->path.at);
	return OPERATOR_DONE;
}

/* --- sealing anew ---------------------------------------------------------------------------------- */

struct resealing {
	struct door *door;
	struct arena *arena;
	struct secret_key secret, former;
	struct secret_batch batch;
	int64_t after, changed, closed;
	size_t n;
};

/* *sealed anew where the former key opens it; left as it is where the new one does. */
static enum status
reseal_box(struct resealing *resealing, char purpose, struct str *sealed, bool *changed)
{
	struct str plain;
	if (sealed->len == 0)
		return STATUS_OK;
	enum status status = secret_open(&resealing->secret, resealing->arena, purpose, *sealed, &plain);
	if (status != STATUS_INVALID)
		return status;
	status = secret_open(&resealing->former, resealing->arena, purpose, *sealed, &plain);
	if (status == STATUS_INVALID) {
		resealing->closed++;
		return STATUS_OK;
	}
	*changed = true;
	return status == STATUS_OK ? secret_seal(&resealing->batch, resealing->arena, purpose, plain, sealed) : status;
}

static void
hash_of(const struct resealing *resealing, const struct reseal_list_row *row, uint8_t hash[SECRET_HASH])
{
	struct reply_content content = {row->thread_id, row->parent_id, row->name, row->website, row->comment,
	    row->email_sealed, row->network_sealed};
	reply_content_hash(&resealing->door->matching, &content, hash);
}

/* A reply that was not as it was stored keeps a hash that says so. */
static enum status
reseal_reply(struct resealing *resealing, struct db_conn *conn, struct reseal_list_row *row)
{
	uint8_t hash[SECRET_HASH];
	bool changed = false;
	hash_of(resealing, row, hash);
	bool sound = row->content_hash.len == SECRET_HASH && secret_same(hash, row->content_hash.at, SECRET_HASH);
	enum status status = reseal_box(resealing, SECRET_EMAIL, &row->email_sealed, &changed);
	if (status == STATUS_OK)
		status = reseal_box(resealing, SECRET_NETWORK, &row->network_sealed, &changed);
	if (status != STATUS_OK || !changed)
		return status;
	hash_of(resealing, row, hash);
	resealing->changed++;
	struct reseal_store_in in = {.id = row->id, .email_sealed = row->email_sealed, .network_sealed = row->network_sealed,
	    .content_hash = sound ? (struct str){(const char *)hash, sizeof hash} : row->content_hash};
	return reseal_store(conn, &in, NULL);
}

/* Read and written in one transaction: an author may change a reply meanwhile. */
static enum status
reseal_some(struct db_conn *conn, void *context)
{
	struct resealing *resealing = context;
	struct resealing before = *resealing;
	struct reseal_list_row *rows;
	struct reseal_list_in in = {.id = resealing->after, .most = STEP};
	enum status status = reseal_list(conn, resealing->arena, &in, &rows, &resealing->n);
	for (size_t i = 0; status == STATUS_OK && i < resealing->n; i++) {
		status = reseal_reply(resealing, conn, &rows[i]);
		resealing->after = rows[i].id;
	}
	if (status != STATUS_OK)
		*resealing = before; /* it may be called once more */
	return status;
}

static enum status
reseal_all(struct resealing *resealing)
{
	struct secret_key public;
	enum status status;
	secret_public(&resealing->secret, &public);
	do {
		arena_reset(resealing->arena);
		status = secret_batch_begin(&resealing->batch, &public);
		if (status == STATUS_OK)
			status = db_write(resealing->door->db, reseal_some, resealing);
		secret_batch_end(&resealing->batch);
		if (isatty(STDERR_FILENO) != 0)
			fprintf(stderr, "\rSealed anew: %lld %s", (long long)resealing->changed,
			    operator_noun(resealing->changed, "reply", "replies"));
	} while (status == STATUS_OK && resealing->n == STEP);
	if (isatty(STDERR_FILENO) != 0)
		fputc('\n', stderr);
	/* The former boxes must not be left in the WAL, or in free pages. */
	return status == STATUS_OK ? db_truncate(resealing->door->db) : status;
}

/* No door goes on with the former key, and none begins to while the claim is held; CONFLICT when one does. */
static enum status
claim_former(struct resealing *resealing, struct file_lock *claim, const char **path)
{
	struct secret_key public;
	*claim = (struct file_lock){-1};
	secret_public(&resealing->former, &public);
	enum status status = door_attendance(&resealing->door->arena, resealing->door->config, public.bytes, path);
	if (status == STATUS_OK)
		status = file_claim(*path, claim);
	return status == STATUS_MISSING ? STATUS_OK : status;
}

static enum status
retire_former(const struct places *places, const char *attendance)
{
	if (rename(places->former, places->retired) != 0)
		return complain(places->former);
	unlink(attendance);
	return STATUS_OK;
}

static enum status
finish(struct door *door, struct arena *arena, const struct places *places, struct resealing *resealing)
{
	struct file_lock claim = {-1};
	const char *attendance = NULL;
	*resealing = (struct resealing){.door = door, .arena = arena};
	enum status status = door_key(places->secret, 0600, &resealing->secret);
	if (status == STATUS_OK)
		status = door_key(places->former, 0600, &resealing->former);
	if (status == STATUS_OK)
		status = claim_former(resealing, &claim, &attendance);
	if (status == STATUS_OK)
		status = reseal_all(resealing);
	if (status == STATUS_OK)
		status = retire_former(places, attendance);
	if (claim.fd >= 0)
		file_unlock(&claim);
	secret_wipe(&resealing->secret, sizeof resealing->secret);
	secret_wipe(&resealing->former, sizeof resealing->former);
	return status;
}

static int
run_finish(struct door *door, const struct places *places)
{
	struct arena arena;
	struct resealing resealing = {0};
	if (!is_there(places->former))
		return operator_fail("there is nothing to finish: run rejoinder rekey first");
	arena_init(&arena, ARENA_MOST);
	enum status status = finish(door, &arena, places, &resealing);
	arena_free(&arena);
	if (status == STATUS_CONFLICT)
		return operator_fail("nothing was changed: a program that was started before there were new keys still runs, and seals "
		                     "to the former one; restart reader.fcgi and moderator.fcgi, then run this again");
	if (status == STATUS_BUSY)
		return operator_fail("not finished: the store was busy; run it again");
	if (status != STATUS_OK)
		return operator_fail("not finished; mend the reason above and run it again");
	printf("%lld %s sealed to the new key.\n", (long long)resealing.changed,
	    operator_noun(resealing.changed, "reply is", "replies are"));
	if (resealing.closed > 0)
		printf("%lld %s with neither key and %s.\n", (long long)resealing.closed,
		    operator_noun(resealing.closed, "address opens", "addresses open"),
		    operator_noun(resealing.closed, "stays as it is", "stay as they are"));
	printf("The former key is %s now: it opens only backups from before. Delete it when you keep none of them.\n",
	    places->retired);
	return OPERATOR_DONE;
}

/* --- the command ----------------------------------------------------------------------------------- */

static int
finish_with(const char *path)
{
	struct door door;
	struct places places;
	int result = OPERATOR_FAILED;
	if (operator_open(path, &door) != STATUS_OK)
		return OPERATOR_FAILED;
	if (find_places(&door.arena, door.config, &places) == STATUS_OK)
		result = run_finish(&door, &places);
	door_close(&door);
	return result;
}

static int
begin_with(const char *path, bool lost)
{
	struct arena arena;
	struct config *config;
	struct places places;
	int result = OPERATOR_FAILED;
	arena_init(&arena, ARENA_MOST);
	if (secret_init() == STATUS_OK && config_read(&arena, path, &config) == STATUS_OK &&
	    find_places(&arena, config, &places) == STATUS_OK)
		result = run_begin(&arena, config, &places, lost);
	arena_free(&arena);
	return result;
}

int
operator_rekey(const struct operator_command *command, const char *config, int argc, char **argv)
{
	bool end = argc == 2 && strcmp(argv[1], "--finish") == 0, lost = argc == 2 && strcmp(argv[1], "--lost") == 0;
	if (argc != 1 && !end && !lost)
		return operator_misread(command, argc, argv);
	return end ? finish_with(config) : begin_with(config, lost);
}
