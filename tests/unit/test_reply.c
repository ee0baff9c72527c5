/* A submission's way into the store: what is kept, what is refused, and what is kept only once. */
#include "room.h"

#include <pthread.h>

#include "receipt.h"

static const char words[] = "What a thoughtful article this is.";

static int
enter(void **state)
{
	if (room_enter(state) != 0)
		return -1;
	struct room *room = *state;
	room_furnish(room, "  pages = {\"/**\"}\n  pace_burst = 10\n  listed_words = {\"casino\"}");
	return 0;
}

static const struct reply_client client = {
    .ip = STR_INIT("192.0.2.77"), .network = STR_INIT("192.0.2.0/24"), .user_agent = STR_INIT("Browser/1"), .now = ROOM_NOW};

static struct reply_submission
submission(void)
{
	struct reply_submission s = {0};
	s.fields[REPLY_PAGE] = STR("/world/astana");
	s.fields[REPLY_NAME] = STR("Ada");
	s.fields[REPLY_EMAIL] = STR("Ada@Example.org");
	s.fields[REPLY_COMMENT] = str_from(words);
	s.fields[REPLY_KEY] = STR("key-1");
	return s;
}

static struct reply_result
submit_as(struct room *room, const struct reply_submission *s, const struct reply_client *who)
{
	struct reply_desk desk = room_desk(room);
	struct reply_result result;
	OK(reply_submit(&desk, &room->arena, s, who, &result));
	return result;
}

static struct reply_result
submit(struct room *room, const struct reply_submission *s)
{
	return submit_as(room, s, &client);
}

static int64_t
stored(struct room *room, const struct reply_submission *s)
{
	struct reply_result result = submit(room, s);
	assert_int_equal(result.outcome, REPLY_STORED);
	return result.id;
}

static void
assert_count(struct room *room, int64_t n)
{
	assert_int_equal(room_number(room, "SELECT count(*) FROM reply"), n);
	assert_int_equal(room_number(room, "SELECT coalesce(sum(n), 0) FROM tally WHERE state = 'held'"), n);
}

/* --- what is stored ---------------------------------------------------------------------------- */

static void
a_reply_is_stored_as_typed(void **state)
{
	struct room *room = *state;
	struct reply_submission s = submission();
	s.fields[REPLY_PAGE] = STR("/world//astana/?utm_source=x#y");
	s.fields[REPLY_WEBSITE] = STR("https://ada.example/");
	s.fields[REPLY_COMMENT] = STR("  *Hello*\n<b>you</b> & \xf0\x9f\x98\x80 ");
	struct reply_result result = submit(room, &s);
	assert_int_equal(result.outcome, REPLY_STORED);
	assert_str(result.page, "/world/astana");
	assert_int_equal(result.id, room_number(room, "SELECT id FROM reply"));
	assert_str(room_value(room, "SELECT page FROM thread"), "/world/astana");
	assert_str(room_value(room, "SELECT title FROM thread"), "/world/astana");
	assert_str(room_value(room, "SELECT state FROM reply"), "held");
	assert_str(room_value(room, "SELECT name FROM reply"), "Ada");
	assert_str(room_value(room, "SELECT website FROM reply"), "https://ada.example/");
	assert_str(room_value(room, "SELECT comment FROM reply"), "  *Hello*\n<b>you</b> & \xf0\x9f\x98\x80 ");
	assert_str(room_value(room, "SELECT reasons FROM reply"), "first");
	assert_int_equal(room_number(room, "SELECT created_at FROM reply"), ROOM_NOW);
	assert_int_equal(room_number(room, "SELECT count(*) FROM reply WHERE parent_id IS NULL AND page_number IS NULL"
	                                   " AND revision = 1 AND by_moderator = 0 AND decided_at IS NULL"),
	    1);
	assert_int_equal(room_number(room, "SELECT count(*) FROM publication"), 0);
	assert_count(room, 1);
	s.fields[REPLY_WEBSITE] = STR("");
	s.fields[REPLY_KEY] = STR("key-2");
	s.fields[REPLY_COMMENT] = STR("no website");
	stored(room, &s);
	assert_int_equal(room_number(room, "SELECT count(*) FROM reply WHERE website IS NULL"), 1);
	assert_int_equal(room_number(room, "SELECT count(*) FROM thread"), 1);
	assert_count(room, 2);
}

static void
addresses_are_sealed_and_nowhere_else(void **state)
{
	struct room *room = *state;
	struct reply_submission s = submission();
	struct str plain;
	s.fields[REPLY_EMAIL] = STR("Canary-7@B\xc3\xbc" "cher.example");
	stored(room, &s);
	struct str email = room_value(room, "SELECT email_sealed FROM reply");
	struct str network = room_value(room, "SELECT network_sealed FROM reply");
	OK(secret_open(&room->secret, &room->arena, SECRET_EMAIL, email, &plain));
	assert_str(plain, "Canary-7@xn--bcher-kva.example");
	OK(secret_open(&room->secret, &room->arena, SECRET_NETWORK, network, &plain));
	assert_str(plain, "192.0.2.77");
	assert_int_equal(secret_open(&room->secret, &room->arena, SECRET_NETWORK, email, &plain), STATUS_INVALID);
	room_run(room, "PRAGMA wal_checkpoint(TRUNCATE)");
	static const char *const files[] = {"rejoinder.db", "rejoinder.db-wal", "pace"};
	static const char *const secrets[] = {"anary-7", "bcher-kva", "192.0.2", "Browser/1", "key-1"};
	for (size_t f = 0; f < 3; f++) {
		struct str bytes = room_read(room, files[f]);
		assert_non_null(bytes.at);
		for (size_t i = 0; i < sizeof secrets / sizeof *secrets; i++)
			assert_int_equal(str_search(bytes, str_from(secrets[i])), bytes.len);
	}
	static const char *const columns[] = {
	    "author_hash", "client_hash", "key_hash", "submission_hash", "comment_hash", "content_hash"};
	for (size_t i = 0; i < sizeof columns / sizeof *columns; i++) {
		struct str hash = room_value(room, str_format(&room->arena, "SELECT %s FROM reply", columns[i]).at);
		assert_int_equal(hash.len, SECRET_HASH);
		for (size_t j = 0; j < i; j++)
			assert_false(str_eq(hash,
			    room_value(room, str_format(&room->arena, "SELECT %s FROM reply", columns[j]).at)));
	}
}

static void
content_hashes_notice_changes(void **state)
{
	struct room *room = *state;
	struct reply_submission s = submission();
	s.fields[REPLY_WEBSITE] = STR("https://ada.example/");
	stored(room, &s);
	struct reply_content content = {
	    .thread_id = room_number(room, "SELECT thread_id FROM reply"),
	    .name = room_value(room, "SELECT name FROM reply"),
	    .website = room_value(room, "SELECT website FROM reply"),
	    .comment = room_value(room, "SELECT comment FROM reply"),
	    .email_sealed = room_value(room, "SELECT email_sealed FROM reply"),
	    .network_sealed = room_value(room, "SELECT network_sealed FROM reply"),
	};
	uint8_t hash[SECRET_HASH], other[SECRET_HASH];
	reply_content_hash(&room->matching, &content, hash);
	assert_true(str_eq((struct str){(const char *)hash, sizeof hash}, room_value(room, "SELECT content_hash FROM reply")));
	struct str *parts[] = {&content.name, &content.website, &content.comment, &content.email_sealed,
	    &content.network_sealed};
	for (size_t i = 0; i < 5; i++) {
		struct str before = *parts[i];
		char *changed = str_c(&room->arena, before);
		changed[before.len - 1] ^= 1;
		parts[i]->at = changed;
		reply_content_hash(&room->matching, &content, other);
		assert_memory_not_equal(hash, other, sizeof hash);
		*parts[i] = before;
	}
	content.thread_id++;
	reply_content_hash(&room->matching, &content, other);
	assert_memory_not_equal(hash, other, sizeof hash);
	content.thread_id--;
	content.parent_id = (struct db_integer){true, 1};
	reply_content_hash(&room->matching, &content, other);
	assert_memory_not_equal(hash, other, sizeof hash);
	reply_content_hash(&room->receipt, &content, other);
	assert_memory_not_equal(hash, other, sizeof hash);
}

static void
suspicion_is_noted(void **state)
{
	struct room *room = *state;
	struct reply_submission s = submission();
	uint8_t random[RECEIPT_RANDOM] = {1};
	s.fields[REPLY_KEY] = receipt_form_key(&room->arena, &room->receipt, ROOM_NOW - 1, random);
	s.fields[REPLY_PHONE] = STR("555");
	s.fields[REPLY_COMMENT] = STR("casino https://a.example https://b.example https://c.example");
	stored(room, &s);
	assert_str(room_value(room, "SELECT reasons FROM reply"), "links 3\nfirst\nhoneypot\nquick 1\nword casino");
	room_run(room, "UPDATE reply SET state = 'published'");
	s = submission();
	s.fields[REPLY_EMAIL] = STR("ADA@example.ORG");
	random[0] = 2;
	s.fields[REPLY_KEY] = receipt_form_key(&room->arena, &room->receipt, ROOM_NOW - 60, random);
	int64_t id = stored(room, &s);
	assert_str(room_value(room, str_format(&room->arena, "SELECT reasons FROM reply WHERE id = %d", (int)id).at), "");
}

/* --- the same again ---------------------------------------------------------------------------- */

static void
the_same_submission_gets_its_first_answer(void **state)
{
	struct room *room = *state;
	struct reply_submission s = submission();
	int64_t id = stored(room, &s);
	for (int i = 0; i < 30; i++) {
		struct reply_result again = submit(room, &s);
		assert_int_equal(again.outcome, REPLY_SAME);
		assert_int_equal(again.id, id);
	}
	/* Another network and browser, and a day later: the key is enough. */
	struct reply_client other = {STR("198.51.100.1"), STR("198.51.100.0/24"), STR("B"), ROOM_NOW + 86400};
	assert_int_equal(submit_as(room, &s, &other).outcome, REPLY_SAME);
	/* Another spelling of the page is the same page. */
	s.fields[REPLY_PAGE] = STR("/world/./astana/");
	assert_int_equal(submit(room, &s).outcome, REPLY_SAME);
	s.fields[REPLY_PHONE] = STR("filled");
	assert_int_equal(submit(room, &s).outcome, REPLY_SAME);
	assert_count(room, 1);
}

static void
without_a_key_the_sender_counts(void **state)
{
	struct room *room = *state;
	struct reply_submission s = submission();
	s.fields[REPLY_KEY] = STR_NONE;
	s.fields[REPLY_COMMENT] = STR("short words");
	int64_t id = stored(room, &s);
	struct reply_result again = submit(room, &s);
	assert_int_equal(again.outcome, REPLY_SAME);
	assert_int_equal(again.id, id);
	struct reply_client browser = client, network = client;
	browser.user_agent = STR("Browser/2");
	network.network = STR("198.51.100.0/24");
	assert_int_equal(submit_as(room, &s, &browser).outcome, REPLY_STORED);
	assert_int_equal(submit_as(room, &s, &network).outcome, REPLY_STORED);
	struct reply_client later = client;
	later.now = ROOM_NOW + REPLY_SAME_WITHIN;
	assert_int_equal(submit_as(room, &s, &later).outcome, REPLY_SAME);
	later.now++;
	assert_int_equal(submit_as(room, &s, &later).outcome, REPLY_STORED);
	assert_int_equal(room_number(room, "SELECT count(*) FROM reply WHERE key_hash IS NULL"), 4);
}

static void
a_key_belongs_to_its_words(void **state)
{
	struct room *room = *state;
	static const enum reply_field changed[] = {
	    REPLY_PAGE, REPLY_NAME, REPLY_EMAIL, REPLY_WEBSITE, REPLY_COMMENT};
	struct reply_submission first = submission();
	stored(room, &first);
	for (size_t i = 0; i < sizeof changed / sizeof *changed; i++) {
		struct reply_submission s = submission();
		s.fields[changed[i]] = changed[i] == REPLY_WEBSITE ? STR("https://x.example")
		                       : changed[i] == REPLY_PAGE  ? STR("/other")
		                       : changed[i] == REPLY_EMAIL ? STR("other@example.org")
		                                                   : STR("Something else");
		assert_int_equal(submit(room, &s).outcome, REPLY_KEY_SPENT);
	}
	/* Wrong fields are told first. */
	struct reply_submission s = submission();
	s.fields[REPLY_NAME] = STR("");
	assert_int_equal(submit(room, &s).outcome, REPLY_WRONG);
	assert_count(room, 1);
}

static void
repeated_words_are_noticed(void **state)
{
	struct room *room = *state;
	struct reply_submission s = submission();
	stored(room, &s);
	s.fields[REPLY_KEY] = STR("key-2");
	s.fields[REPLY_NAME] = STR("Bob");
	s.fields[REPLY_EMAIL] = STR("bob@example.org");
	assert_int_equal(submit(room, &s).outcome, REPLY_REPEATED);
	room_run(room, "UPDATE reply SET state = 'published'");
	assert_int_equal(submit(room, &s).outcome, REPLY_REPEATED);
	struct reply_client other = client;
	other.user_agent = STR("Browser/2");
	struct reply_submission elsewhere = s;
	elsewhere.fields[REPLY_PAGE] = STR("/other");
	elsewhere.fields[REPLY_KEY] = STR("key-3");
	assert_int_equal(submit(room, &elsewhere).outcome, REPLY_STORED);
	assert_int_equal(submit_as(room, &s, &other).outcome, REPLY_STORED);
	room_run(room, "UPDATE reply SET state = 'spam'");
	s.fields[REPLY_KEY] = STR("key-4");
	assert_int_equal(submit(room, &s).outcome, REPLY_STORED);
	/* 19 characters may be said twice, 20 not; bytes do not count. */
	for (int n = 19; n <= 20; n++) {
		s.fields[REPLY_COMMENT] = str_sub(STR("\xc3\xa4" "234567890123456789X"), 0, (size_t)n + 1);
		s.fields[REPLY_KEY] = str_format(&room->arena, "a%d", n);
		stored(room, &s);
		s.fields[REPLY_KEY] = str_format(&room->arena, "b%d", n);
		assert_int_equal(submit(room, &s).outcome, n < REPLY_SAME_WORDS ? REPLY_STORED : REPLY_REPEATED);
	}
}

/* --- refusals ---------------------------------------------------------------------------------- */

static void
closed_paused_and_unknown_pages(void **state)
{
	struct room *room = *state;
	struct reply_desk desk = room_desk(room);
	struct reply_result result;
	struct reply_submission s = submission();
	static const char *const unknown[] = {"world", "/~", "/.git", "/a%00", "https://evil.example/", "/\xff"};
	for (size_t i = 0; i < sizeof unknown / sizeof *unknown; i++) {
		s.fields[REPLY_PAGE] = str_from(unknown[i]);
		assert_int_equal(submit(room, &s).outcome, REPLY_UNKNOWN_PAGE);
		OK(reply_page(&desk, &room->arena, str_from(unknown[i]), &result));
		assert_int_equal(result.outcome, REPLY_UNKNOWN_PAGE);
	}
	struct str only[] = {STR("/blog/*")};
	struct config_list any = room->site->pages;
	room->site->pages = (struct config_list){only, 1};
	s = submission();
	assert_int_equal(submit(room, &s).outcome, REPLY_UNKNOWN_PAGE);
	room->site->pages = any;
	stored(room, &s);
	room_run(room, "UPDATE thread SET closed = 1");
	/* Closed comes before the same submission. */
	assert_int_equal(submit(room, &s).outcome, REPLY_CLOSED);
	OK(reply_page(&desk, &room->arena, STR("/world/astana/"), &result));
	assert_int_equal(result.outcome, REPLY_CLOSED);
	assert_str(result.page, "/world/astana");
	OK(reply_page(&desk, &room->arena, STR("/open"), &result));
	assert_int_equal(result.outcome, REPLY_STORED);
	room->site->paused = true;
	assert_int_equal(submit(room, &s).outcome, REPLY_PAUSED);
	OK(reply_page(&desk, &room->arena, STR("/open"), &result));
	assert_int_equal(result.outcome, REPLY_PAUSED);
	assert_count(room, 1);
}

static struct str
repeated(struct room *room, const char *unit, size_t n)
{
	struct out out;
	out_init(&out, &room->arena);
	for (size_t i = 0; i < n; i++)
		out_put(&out, str_from(unit));
	return out_str(&out);
}

static void
wrong_fields_are_named(void **state)
{
	struct room *room = *state;
	struct str name81 = repeated(room, "\xc3\xa4", 81), comment10001 = repeated(room, "\xc3\xa4", 10001);
	struct str mail = str_join(&room->arena, repeated(room, "a", 250), STR("@b.example"));
	struct str site = str_join(&room->arena, STR("https://a.example/"), repeated(room, "a", 2000));
	const struct {
		enum reply_field field;
		struct str value;
		enum reply_fault fault;
		int64_t limit;
	} cases[] = {
	    {REPLY_PAGE, STR(""), REPLY_FAULT_EMPTY, 0},
	    {REPLY_NAME, STR(""), REPLY_FAULT_EMPTY, 0},
	    {REPLY_NAME, STR_NONE, REPLY_FAULT_EMPTY, 0},
	    {REPLY_NAME, name81, REPLY_FAULT_LONG, 80},
	    {REPLY_NAME, STR("a\tb"), REPLY_FAULT_CHARACTER, 0},
	    {REPLY_NAME, STR("a\xe2\x80\xae" "b"), REPLY_FAULT_CHARACTER, 0},
	    {REPLY_NAME, STR("a\xe2\x80\x8d" "b"), REPLY_FAULT_JOINER, 0},
	    {REPLY_NAME, STR("\xe2\x80\x8b"), REPLY_FAULT_CHARACTER, 0},
	    {REPLY_NAME, STR("a\xcc\x81\xcc\x81\xcc\x81\xcc\x81\xcc\x81"), REPLY_FAULT_MARKS, 0},
	    {REPLY_COMMENT, STR(""), REPLY_FAULT_EMPTY, 0},
	    {REPLY_COMMENT, STR(" \n\t "), REPLY_FAULT_EMPTY, 0},
	    {REPLY_COMMENT, STR(" x "), REPLY_FAULT_SHORT, 2},
	    {REPLY_COMMENT, comment10001, REPLY_FAULT_LONG, 10000},
	    {REPLY_COMMENT, STR("a\x01"), REPLY_FAULT_CHARACTER, 0},
	    {REPLY_EMAIL, STR(""), REPLY_FAULT_EMPTY, 0},
	    {REPLY_EMAIL, STR("nobody"), REPLY_FAULT_INVALID, 0},
	    {REPLY_EMAIL, mail, REPLY_FAULT_LONG, 254},
	    {REPLY_WEBSITE, STR("javascript:x"), REPLY_FAULT_INVALID, 0},
	    {REPLY_WEBSITE, site, REPLY_FAULT_LONG, 2000},
	    {REPLY_PARENT, STR("1"), REPLY_FAULT_UNKNOWN, 0},
	    {REPLY_PARENT, STR("x"), REPLY_FAULT_UNKNOWN, 0},
	    {REPLY_PARENT, STR("-1"), REPLY_FAULT_UNKNOWN, 0},
	    {REPLY_KEY, STR("a b"), REPLY_FAULT_CHARACTER, 0},
	    {REPLY_KEY, repeated(room, "k", 129), REPLY_FAULT_LONG, 128},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct reply_submission s = submission();
		s.fields[cases[i].field] = cases[i].value;
		struct reply_client who = client;
		who.network = str_format(&room->arena, "net%zu", i);
		struct reply_result result = submit_as(room, &s, &who);
		assert_int_equal(result.outcome, REPLY_WRONG);
		for (int field = 0; field < REPLY_FIELDS; field++)
			if (result.faults[field] != (field == (int)cases[i].field ? cases[i].fault : REPLY_FAULT_NONE))
				fail_msg("case %zu: %s: %d", i, reply_field_names[field], (int)result.faults[field]);
		assert_int_equal(result.limits[cases[i].field], cases[i].limit);
	}
	assert_count(room, 0);
	assert_int_equal(room_number(room, "SELECT count(*) FROM thread"), 0);
	/* At the limits all is well. */
	struct reply_submission s = submission();
	s.fields[REPLY_NAME] = repeated(room, "\xc3\xa4", 80);
	s.fields[REPLY_COMMENT] = repeated(room, "\xc3\xa4", 10000);
	s.fields[REPLY_KEY] = repeated(room, "k", 128);
	stored(room, &s);
}

static void
all_faults_are_told_at_once(void **state)
{
	struct room *room = *state;
	struct reply_submission s = {0};
	s.not_text[REPLY_WEBSITE] = true;
	struct reply_result result = submit(room, &s);
	assert_int_equal(result.outcome, REPLY_WRONG);
	static const enum reply_field faulty[] = {REPLY_PAGE, REPLY_NAME, REPLY_EMAIL, REPLY_COMMENT};
	for (size_t i = 0; i < 4; i++)
		assert_int_equal(result.faults[faulty[i]], REPLY_FAULT_EMPTY);
	assert_int_equal(result.faults[REPLY_WEBSITE], REPLY_FAULT_NOT_TEXT);
}

static void
parents_are_shown_on_the_same_page(void **state)
{
	struct room *room = *state;
	struct reply_submission s = submission();
	int64_t parent = stored(room, &s);
	/* The last but one hangs on a reply that is not published. */
	static const char *const states[] = {"held", "spam", "trash", "withdrawn", "published", "published"};
	for (size_t i = 0; i < 6; i++) {
		room_run(room, str_format(&room->arena, "UPDATE reply SET state = '%s', shown = %d WHERE id = %d",
		    states[i], i == 5, (int)parent).at);
		s.fields[REPLY_KEY] = str_format(&room->arena, "answer-%zu", i);
		s.fields[REPLY_COMMENT] = STR("An answer");
		s.fields[REPLY_PARENT] = str_format(&room->arena, "%lld", (long long)parent);
		struct reply_result result = submit(room, &s);
		assert_int_equal(result.outcome, i == 5 ? REPLY_STORED : REPLY_WRONG);
		assert_int_equal(result.faults[REPLY_PARENT], i == 5 ? REPLY_FAULT_NONE : REPLY_FAULT_UNKNOWN);
	}
	assert_int_equal(room_number(room, "SELECT parent_id FROM reply WHERE parent_id IS NOT NULL"), parent);
	s.fields[REPLY_KEY] = STR("elsewhere");
	s.fields[REPLY_PAGE] = STR("/other");
	assert_int_equal(submit(room, &s).faults[REPLY_PARENT], REPLY_FAULT_UNKNOWN);
}

static void
the_pace_is_kept(void **state)
{
	struct room *room = *state;
	struct reply_submission s = submission();
	for (int i = 0; i < 10; i++) {
		s.fields[REPLY_KEY] = str_format(&room->arena, "k%d", i);
		s.fields[REPLY_COMMENT] = str_format(&room->arena, "Number %d", i);
		stored(room, &s);
	}
	struct reply_submission eleventh = s;
	eleventh.fields[REPLY_KEY] = STR("k10");
	eleventh.fields[REPLY_COMMENT] = STR("Number 10");
	struct reply_result result = submit(room, &eleventh);
	assert_int_equal(result.outcome, REPLY_TOO_FAST);
	assert_in_range(result.wait, 1, 30);
	/* The same again is answered even now, and another network is not touched. */
	assert_int_equal(submit(room, &s).outcome, REPLY_SAME);
	struct reply_client other = client, later = client;
	other.network = STR("198.51.100.0/24");
	later.now += 30;
	assert_int_equal(submit_as(room, &eleventh, &other).outcome, REPLY_STORED);
	eleventh.fields[REPLY_KEY] = STR("k11");
	eleventh.fields[REPLY_COMMENT] = STR("Number 11");
	assert_int_equal(submit_as(room, &eleventh, &later).outcome, REPLY_STORED);
	assert_count(room, 12);
}

static void
refusals_have_five_times_the_pace(void **state)
{
	struct room *room = *state;
	struct reply_submission s = submission();
	s.fields[REPLY_NAME] = STR("");
	for (int i = 0; i < 50; i++)
		assert_int_equal(submit(room, &s).outcome, REPLY_WRONG);
	struct reply_result result = submit(room, &s);
	assert_int_equal(result.outcome, REPLY_TOO_FAST);
	assert_in_range(result.wait, 1, 6);
	/* What is right is stored all the same. */
	s = submission();
	stored(room, &s);
}

static void
the_site_has_a_brake(void **state)
{
	struct room *room = *state;
	room->site->pace_site = 3;
	struct reply_submission s = submission();
	for (int i = 0; i < 4; i++) {
		struct reply_client who = client;
		who.network = str_format(&room->arena, "net%d", i);
		s.fields[REPLY_KEY] = str_format(&room->arena, "k%d", i);
		assert_int_equal(submit_as(room, &s, &who).outcome, i < 3 ? REPLY_STORED : REPLY_TOO_FAST);
	}
	assert_count(room, 3);
}

/* --- two at once ------------------------------------------------------------------------------- */

struct click {
	struct room *room;
	pthread_barrier_t *start;
	struct reply_submission submission;
	struct reply_result result;
	enum status status;
};

static void *
click(void *context)
{
	struct click *c = context;
	struct reply_desk desk = room_desk(c->room);
	struct arena arena;
	arena_init(&arena, 64 << 20);
	pthread_barrier_wait(c->start);
	c->status = reply_submit(&desk, &arena, &c->submission, &client, &c->result);
	arena_free(&arena);
	return NULL;
}

static void
a_double_click_is_stored_once(void **state)
{
	struct room *room = *state;
	pthread_barrier_t start;
	pthread_t threads[2];
	room->site->pace_burst = 1000;
	assert_int_equal(pthread_barrier_init(&start, NULL, 2), 0);
	for (int round = 0; round < 40; round++) {
		struct click clicks[2];
		for (size_t i = 0; i < 2; i++) {
			clicks[i] = (struct click){.room = room, .start = &start, .submission = submission()};
			struct str *fields = clicks[i].submission.fields;
			fields[REPLY_KEY] = round % 2 == 0 ? STR_NONE : str_format(&room->arena, "round-%d", round);
			fields[REPLY_COMMENT] = str_format(&room->arena, "These are the words of round %d", round);
			assert_int_equal(pthread_create(&threads[i], NULL, click, &clicks[i]), 0);
			if (i == 1)
				for (size_t j = 0; j < 2; j++)
					assert_int_equal(pthread_join(threads[j], NULL), 0);
		}
		OK(clicks[0].status);
		OK(clicks[1].status);
		assert_int_equal(clicks[0].result.id, clicks[1].result.id);
		assert_int_equal(clicks[0].result.outcome + clicks[1].result.outcome, REPLY_STORED + REPLY_SAME);
		assert_count(room, round + 1);
	}
	pthread_barrier_destroy(&start);
}

static void
declared_fields_come_once(void **state)
{
	struct room *room = *state;
	struct form form;
	struct reply_submission s;
	OK(form_query(&room->arena, STR("page=+/a+&name=+Ada%0A&comment=+x+&id=7&id=8&email=%09a@b&state=published"), &form));
	OK(reply_fields(&form, &s));
	assert_str(s.fields[REPLY_PAGE], " /a ");
	assert_str(s.fields[REPLY_NAME], " Ada\n");
	assert_str(s.fields[REPLY_COMMENT], " x ");
	assert_str(s.fields[REPLY_EMAIL], "\ta@b");
	assert_null(s.fields[REPLY_WEBSITE].at);
	/* They come back as typed, and are stored without white space at their ends, but for the comment. */
	s.fields[REPLY_COMMENT] = STR(" xyz ");
	assert_int_equal(submit(room, &s).outcome, REPLY_STORED);
	assert_str(room_value(room, "SELECT name FROM reply"), "Ada");
	assert_str(room_value(room, "SELECT comment FROM reply"), " xyz ");
	for (int i = 0; i < REPLY_FIELDS; i++) {
		struct str twice = str_format(&room->arena, "%s=1&%s=1", reply_field_names[i], reply_field_names[i]);
		OK(form_query(&room->arena, twice, &form));
		assert_int_equal(reply_fields(&form, &s), STATUS_INVALID);
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, enter, room_leave)

int
main(void)
{
	static const struct CMUnitTest tests[] = {
	    TEST(a_reply_is_stored_as_typed),
	    TEST(addresses_are_sealed_and_nowhere_else),
	    TEST(content_hashes_notice_changes),
	    TEST(suspicion_is_noted),
	    TEST(the_same_submission_gets_its_first_answer),
	    TEST(without_a_key_the_sender_counts),
	    TEST(a_key_belongs_to_its_words),
	    TEST(repeated_words_are_noticed),
	    TEST(closed_paused_and_unknown_pages),
	    TEST(wrong_fields_are_named),
	    TEST(all_faults_are_told_at_once),
	    TEST(parents_are_shown_on_the_same_page),
	    TEST(the_pace_is_kept),
	    TEST(refusals_have_five_times_the_pace),
	    TEST(the_site_has_a_brake),
	    TEST(a_double_click_is_stored_once),
	    TEST(declared_fields_come_once),
	};
	return cmocka_run_group_tests_name("reply", tests, NULL, NULL);
}
