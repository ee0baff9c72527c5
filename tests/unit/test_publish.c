/* From the store to plain files: who stands where, what is told, and when a row may go. */
#include "room.h"

#include <jansson.h>
#include <pthread.h>

#include "publish.h"
#include "verdict.h"

static const struct words *all_words[1];

static struct publish_press
press_of(struct room *room)
{
	all_words[0] = words_default();
	return (struct publish_press){
	    .config = room->config, .words = all_words, .db = room->db, .public_tree = room->tree, .now = ROOM_NOW};
}

static int
enter(void **state)
{
	if (room_enter(state) != 0)
		return -1;
	struct room *room = *state;
	room_furnish(room, "");
	room_run(room, "INSERT INTO thread (id, site_id, page, title, updated_at) VALUES (1, 1, '/world/astana', 'Astana', 5)");
	return 0;
}

static void
add(struct room *room, int64_t id, const char *parent, int64_t page_number, const char *state)
{
	room_run(room, str_format(&room->arena,
	    "INSERT INTO reply (id, site_id, thread_id, parent_id, state, page_number, name, comment, email_sealed,"
	    " network_sealed, content_hash, created_at, published_at) VALUES (%lld, 1, 1, %s, '%s', %lld, 'Name %lld',"
	    " 'Words %lld', CAST('SEALED' AS BLOB), CAST('SEALED' AS BLOB), x'00', 1800000000, %lld)",
	    (long long)id, parent, state, (long long)page_number, (long long)id, (long long)id, (long long)(1800000000 + id))
	               .at);
}

static void
ask(struct room *room, int64_t page_number)
{
	room_show(room);
	room_run(room, str_format(&room->arena,
	    "UPDATE thread SET revision = revision + 1; INSERT INTO publication (thread_id, page_number, revision, asked_at) SELECT id, %lld, revision, 1 FROM thread"
	    " WHERE true ON CONFLICT DO UPDATE SET revision = excluded.revision", (long long)page_number).at);
}

static void
publish(struct room *room)
{
	struct publish_press press = press_of(room);
	OK(publish_thread(&press, &room->arena, 1));
	assert_int_equal(room_number(room, "SELECT count(*) FROM publication"), 0);
}

static struct str
file(struct room *room, const char *name)
{
	return room_read(room, str_format(&room->arena, "public/main/threads/world/astana/~/%s", name).at);
}

static json_t *
json_file(struct room *room, const char *name)
{
	struct str text = file(room, name);
	json_error_t error;
	json_t *json = text.at == NULL ? NULL : json_loadb(text.at, text.len, JSON_REJECT_DUPLICATES, &error);
	assert_non_null(json);
	return json;
}

/* The ids of the articles in the order of the file, each with its depth: "1.1 2.2 3.1". */
static const char *
shape(struct room *room)
{
	struct str html = file(room, "thread.html");
	struct out out;
	int depth = 0;
	out_init(&out, &room->arena);
	for (size_t i = 0; i < html.len; i++) {
		struct str rest = str_sub(html, i, html.len);
		if (str_starts(rest, STR("<ol")))
			depth++;
		else if (str_starts(rest, STR("</ol>")))
			depth--;
		else if (str_starts(rest, STR("id=\"reply-"))) {
			rest = str_sub(rest, 10, rest.len);
			struct str id = str_cut(&rest, '"');
			out_format(&out, "%s%.*s.%d", out.len > 0 ? " " : "", STR_FMT(id), depth);
		}
	}
	assert_int_equal(depth, 0);
	return str_copy(&room->arena, out_str(&out)).at;
}

static void
answers_nest_to_depth_five(void **state)
{
	struct room *room = *state;
	for (int64_t id = 1; id <= 8; id++)
		add(room, id, id == 1 ? "NULL" : str_format(&room->arena, "%d", (int)id - 1).at, 1, "published");
	add(room, 9, "NULL", 1, "published");
	add(room, 10, "2", 1, "published");
	room_run(room, "UPDATE thread SET roots = 2, published = 10");
	ask(room, 1);
	publish(room);
	assert_string_equal(shape(room), "1.1 2.2 3.3 4.4 5.5 6.5 7.5 8.5 10.3 9.1");
}

static void
hidden_parents_hide_their_answers(void **state)
{
	struct room *room = *state;
	add(room, 1, "NULL", 1, "published");
	add(room, 2, "1", 1, "spam");
	add(room, 3, "2", 1, "published");
	add(room, 4, "3", 1, "published");
	add(room, 5, "1", 1, "published");
	add(room, 6, "NULL", 1, "held");
	add(room, 7, "6", 1, "published");
	room_run(room, "UPDATE thread SET roots = 1, published = 2");
	ask(room, 1);
	publish(room);
	assert_string_equal(shape(room), "1.1 5.2");
	json_t *json = json_file(room, "thread.json");
	assert_int_equal(json_array_size(json_object_get(json, "replies")), 2);
	json_decref(json);
	static const char *const hidden[] = {"Words 2", "Words 3", "Words 4", "Words 6", "Words 7"};
	static const char *const files[] = {"thread.html", "thread.json", "feed.xml"};
	for (size_t f = 0; f < 3; f++)
		for (size_t i = 0; i < 5; i++)
			assert_holds_not(file(room, files[f]), hidden[i]);
	assert_holds(file(room, "feed.xml"), "Words 5");
}

static void
assert_keys(json_t *object, const char *const *keys)
{
	size_t n = 0;
	for (; keys[n] != NULL; n++)
		if (json_object_get(object, keys[n]) == NULL)
			fail_msg("%s is not there", keys[n]);
	assert_int_equal(json_object_size(object), n);
}

static void
json_tells_the_contract_and_no_more(void **state)
{
	struct room *room = *state;
	static const char *const first[] = {"page", "pages", "next", "prev", "count", "closed", "updated_at", "replies", NULL};
	static const char *const later[] = {"page", "pages", "next", "prev", "replies", NULL};
	static const char *const fields[] = {"id", "parent_id", "name", "website", "comment_html", "created_at", "edited_at",
	    "by_moderator", NULL};
	add(room, 1, "NULL", 1, "published");
	add(room, 2, "1", 1, "published");
	add(room, 3, "NULL", 2, "published");
	room_run(room, "UPDATE reply SET website = 'https://a.example/', name = '</script>\"', edited_at = 1800000001,"
	               " by_moderator = 1, comment = '*x* <b>' WHERE id = 2");
	room_run(room, "UPDATE thread SET roots = 101, published = 3, closed = 1");
	ask(room, 1);
	ask(room, 2);
	publish(room);
	json_t *json = json_file(room, "thread.json"), *second = json_file(room, "thread.2.json");
	assert_keys(json, first);
	assert_keys(second, later);
	json_t *replies = json_object_get(json, "replies"), *one = json_array_get(replies, 0), *two = json_array_get(replies, 1);
	assert_keys(one, fields);
	assert_keys(two, fields);
	assert_string_equal(json_string_value(json_object_get(two, "id")), "2");
	assert_string_equal(json_string_value(json_object_get(two, "parent_id")), "1");
	assert_string_equal(json_string_value(json_object_get(two, "name")), "</script>\"");
	assert_string_equal(json_string_value(json_object_get(two, "website")), "https://a.example/");
	assert_holds(str_from(json_string_value(json_object_get(two, "comment_html"))), "<em>x</em> &lt;b&gt;");
	assert_string_equal(json_string_value(json_object_get(two, "edited_at")), "2027-01-15T08:00:01Z");
	assert_true(json_is_true(json_object_get(two, "by_moderator")));
	assert_true(json_is_null(json_object_get(one, "parent_id")) && json_is_null(json_object_get(one, "website")));
	assert_true(json_is_null(json_object_get(one, "edited_at")) && json_is_false(json_object_get(one, "by_moderator")));
	assert_int_equal(json_integer_value(json_object_get(json, "page")), 1);
	assert_int_equal(json_integer_value(json_object_get(json, "pages")), 2);
	assert_int_equal(json_integer_value(json_object_get(json, "count")), 3);
	assert_true(json_is_true(json_object_get(json, "closed")));
	assert_true(json_is_null(json_object_get(json, "prev")) && json_is_null(json_object_get(second, "next")));
	assert_string_equal(
	    json_string_value(json_object_get(json, "next")), "/comments/threads/world/astana/~/thread.2.json");
	assert_string_equal(
	    json_string_value(json_object_get(second, "prev")), "/comments/threads/world/astana/~/thread.json");
	json_decref(json);
	json_decref(second);
	static const char *const files[] = {"thread.html", "thread.json", "feed.xml", "page.2.html", "thread.2.json"};
	for (size_t i = 0; i < 5; i++) {
		assert_holds_not(file(room, files[i]), "SEALED");
		assert_holds_not(file(room, files[i]), "</script>\"");
	}
}

static void
the_hundred_and_first_root_is_on_page_two(void **state)
{
	struct room *room = *state;
	assert_int_equal(publish_page_number(0), 1);
	assert_int_equal(publish_page_number(1), 1);
	assert_int_equal(publish_page_number(100), 1);
	assert_int_equal(publish_page_number(101), 2);
	assert_int_equal(publish_page_number(201), 3);
	for (int64_t id = 1; id <= 201; id++)
		add(room, id, "NULL", publish_page_number(id), "published");
	room_run(room, "UPDATE thread SET roots = 201, published = 201");
	for (int64_t page = 1; page <= 3; page++)
		ask(room, page);
	publish(room);
	assert_holds(file(room, "thread.html"), "id=\"reply-100\"");
	assert_holds_not(file(room, "thread.html"), "id=\"reply-101\"");
	assert_holds(file(room, "thread.html"), "rel=\"next\" href=\"/comments/threads/world/astana/~/page.2.html\"");
	assert_holds_not(file(room, "thread.html"), "rel=\"prev\"");
	assert_holds(file(room, "page.2.html"), "id=\"reply-101\"");
	assert_holds(file(room, "page.2.html"), "id=\"reply-200\"");
	assert_holds(file(room, "page.2.html"), "rel=\"prev\" href=\"/world/astana\"");
	assert_holds(file(room, "page.2.html"), "rel=\"next\" href=\"/comments/threads/world/astana/~/page.3.html\"");
	assert_holds(file(room, "page.2.html"), "<!DOCTYPE html>");
	/* No count: it would be wrong once a reply of another page comes or goes. */
	assert_holds(file(room, "page.2.html"), "<h2 class=\"rejoinder-heading\">Replies, page 2</h2>");
	assert_holds(file(room, "page.3.html"), "id=\"reply-201\"");
	assert_holds(file(room, "page.3.html"), "rel=\"prev\" href=\"/comments/threads/world/astana/~/page.2.html\"");
	assert_holds_not(file(room, "page.3.html"), "rel=\"next\"");
	assert_null(file(room, "page.1.html").at);
	assert_null(file(room, "page.4.html").at);
	/* The feed has the newest fifty, newest first, with links to where they stand. */
	struct str feed = file(room, "feed.xml"), rest = feed;
	size_t entries = 0;
	for (size_t at; (at = str_search(rest, STR("<entry>"))) < rest.len; entries++)
		rest = str_sub(rest, at + 7, rest.len);
	assert_int_equal(entries, PUBLISH_FEED);
	assert_true(str_search(feed, STR("#reply-201")) < str_search(feed, STR("#reply-200")));
	assert_holds(feed, "https://news.example/comments/threads/world/astana/~/page.3.html#reply-201");
	assert_holds(feed, "#reply-152");
	assert_holds_not(feed, "#reply-151");
}

static void
threads_may_be_empty(void **state)
{
	struct room *room = *state;
	struct publish_press press = press_of(room);
	struct publish_empty_thread nobodys = {.page = STR_INIT("/x")};
	struct str content;
	ask(room, 1);
	publish(room);
	assert_string_equal(shape(room), "");
	json_t *json = json_file(room, "thread.json");
	assert_int_equal(json_array_size(json_object_get(json, "replies")), 0);
	assert_int_equal(json_integer_value(json_object_get(json, "count")), 0);
	json_decref(json);
	OK(publish_empty(&press, &room->arena, room->site));
	assert_holds(room_read(room, "public/main/empty/thread.html"), "<section class=\"rejoinder\">");
	assert_non_null(room_read(room, "public/main/empty/thread.json").at);
	assert_non_null(room_read(room, "public/main/empty/feed.xml").at);
	assert_holds(room_read(room, "public/main/empty/down.html"), "<link rel=\"stylesheet\" href=\"/comments/static/rejoinder.css\">");
	assert_holds(room_read(room, "public/main/empty/down.html"), "Nothing is lost");
	assert_holds(room_read(room, "public/main/empty/down.json"), "{\"error\":\"down\",\"message\":\"");
	assert_holds(room_read(room, "public/main/empty/down.html.asis"), "Status: 503 Service Unavailable\nContent-Type: text/html; charset=utf-8\n");
	assert_holds(room_read(room, "public/main/empty/down.json.asis"), "\n\n{\"error\":\"down\"");
	assert_holds(room_read(room, "public/main/empty/down.json.asis"), "\nRetry-After: 30\n");
	assert_holds(room_read(room, "public/main/empty/over.html.asis"), "Status: 413 Payload Too Large\nContent-Type: text/html; charset=utf-8\n");
	struct str over = room_read(room, "public/main/empty/over.html.asis");
	assert_int_equal(str_search(over, STR("Retry-After")), over.len);
	assert_holds(room_read(room, "public/main/empty/over.json"), "{\"error\":\"too-large\",\"message\":\"");
	assert_holds(room_read(room, "public/main/empty/thread.html.asis"), "Status: 200 OK\nContent-Type: text/html; charset=utf-8\n");
	assert_holds(room_read(room, "public/main/empty/thread.html.asis"), "\n\n<section class=\"rejoinder\">");
	OK(publish_render_empty(&press, &room->arena, room->site, &nobodys, STR("thread.html"), &content));
	assert_int_equal(
	    publish_render_empty(&press, &room->arena, room->site, &nobodys, STR("page.2.html"), &content), STATUS_MISSING);
	OK(publish_render_empty(&press, &room->arena, room->site, &nobodys, STR("feed.xml"), &content));
	assert_holds(content, "<title>Replies to “/x”</title>");
	nobodys.title = STR("The X & the Y");
	OK(publish_render_empty(&press, &room->arena, room->site, &nobodys, STR("feed.xml"), &content));
	assert_holds(content, "<title>Replies to “The X &amp; the Y”</title>");
}

static void
rows_stay_until_the_files_are_written(void **state)
{
	struct room *room = *state;
	struct publish_press press = press_of(room);
	add(room, 1, "NULL", 1, "published");
	ask(room, 1);
	/* A file stands where a folder must be. */
	room_write(room, "public/main", STR("in the way"));
	room_listen(room);
	enum status failed = publish_thread(&press, &room->arena, 1);
	int64_t after = 0;
	enum status lagging = publish_lagging(&press, true, &after);
	room_heard(room);
	assert_int_not_equal(failed, STATUS_OK);
	assert_int_not_equal(lagging, STATUS_OK);
	assert_int_equal(room_number(room, "SELECT count(*) FROM publication"), 1);
	assert_int_equal(unlink(room_path(room, "public/main")), 0);
	OK(publish_whatever_lags(&press));
	assert_int_equal(room_number(room, "SELECT count(*) FROM publication"), 0);
	assert_holds(file(room, "thread.html"), "Words 1");
	/* With nothing to do no file is touched. */
	assert_int_equal(unlink(room_path(room, "public/main/threads/world/astana/~/thread.html")), 0);
	publish(room);
	assert_null(file(room, "thread.html").at);
	OK(publish_thread(&press, &room->arena, 99));
}

static void
a_failing_thread_holds_up_no_other(void **state)
{
	struct room *room = *state;
	struct publish_press press = press_of(room);
	room_run(room, "WITH RECURSIVE i (n) AS (SELECT 2 UNION ALL SELECT n + 1 FROM i WHERE n < 150)"
	               " INSERT INTO thread (id, site_id, page, title) SELECT n, 1, '/t/' || n, 'T' FROM i;"
	               " INSERT INTO publication (thread_id, page_number, revision, asked_at) SELECT id, 1, 0, 1 FROM thread");
	OK(file_folder(room_path(room, "public/main/threads"), 0775));
	room_write(room, "public/main/threads/world", STR("in the way"));
	room_listen(room);
	enum status status = publish_whatever_lags(&press);
	room_heard(room);
	assert_int_not_equal(status, STATUS_OK);
	assert_str(room_value(room, "SELECT group_concat(thread_id) FROM publication"), "1");
	assert_non_null(room_read(room, "public/main/threads/t/150/~/thread.html").at);
}

static enum status
ask_all(struct db_conn *conn, void *context)
{
	struct room *room = context;
	return publish_ask(conn, &room->arena, 1, ROOM_NOW, true);
}

static void
ask_all_now(struct room *room)
{
	OK(db_write(room->db, ask_all, room));
}

/* Each failure is tried again later than the one before, but for a clock that was set back. */
static void
a_failing_page_is_tried_again_later(void **state)
{
	struct room *room = *state;
	struct publish_press press = press_of(room);
	int64_t after = 0, due;
	add(room, 1, "NULL", 1, "published");
	ask(room, 1);
	room_write(room, "public/main", STR("in the way"));
	for (int64_t tries = 1; tries <= 12; tries++) {
		room_listen(room);
		enum status status = publish_lagging(&press, false, &after);
		room_heard(room);
		assert_int_equal(status, STATUS_BROKEN);
		assert_int_equal(room_number(room, "SELECT tries FROM publication"), tries);
		assert_str(room_value(room, "SELECT failure FROM publication"), "broken");
		due = room_number(room, "SELECT due_at FROM publication");
		assert_int_equal(due, press.now + (tries < 10 ? (int64_t)1 << tries : 600));
		press.now = due - 1;
		assert_int_equal(publish_waits(&press, &room->arena, false), STATUS_MISSING);
		OK(publish_waits(&press, &room->arena, true));
		press.now = due;
	}
	assert_int_equal(unlink(room_path(room, "public/main")), 0);
	press.now = due - 10 * 86400;
	OK(publish_lagging(&press, false, &after));
	assert_holds(file(room, "thread.html"), "Words 1");
	/* A new change begins anew. */
	room_run(room, "INSERT INTO publication VALUES (1, 1, 1, 1, 99, 7, 'broken')");
	ask_all_now(room);
	assert_int_equal(room_number(room, "SELECT tries FROM publication"), 0);
	assert_int_equal(room_number(room, "SELECT due_at FROM publication"), ROOM_NOW + PUBLISH_WAIT);
}

static void
rows_newer_than_the_snapshot_stay(void **state)
{
	struct room *room = *state;
	struct publish_press press = press_of(room);
	add(room, 1, "NULL", 1, "published");
	ask(room, 1);
	/* As a decision would between snapshot and removal: the row asks for more than the thread has. */
	room_run(room, "UPDATE publication SET revision = revision + 1");
	OK(publish_thread(&press, &room->arena, 1));
	assert_int_equal(room_number(room, "SELECT count(*) FROM publication"), 1);
}

/* --- threads of many pages ----------------------------------------------------------------------- */

/* Replies 1 to n to the article, a hundred a page, of which those up to `published` are published. */
static void
fill(struct room *room, int64_t n, int64_t published)
{
	room_run(room, str_format(&room->arena,
	    "WITH RECURSIVE i (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM i WHERE n < %lld)"
	    " INSERT INTO reply (id, site_id, thread_id, state, page_number, name, comment, content_hash, created_at, published_at)"
	    " SELECT n, 1, 1, iif(n <= %lld, 'published', 'held'), iif(n <= %lld, (n + 99) / 100, NULL), 'Name ' || n,"
	    " 'Words ' || n, x'00', 1800000000, 1800000000 + n FROM i;"
	    "INSERT INTO tally VALUES (1, 'published', %lld), (1, 'held', %lld);"
	    "UPDATE thread SET roots = %lld, published = %lld",
	    (long long)n, (long long)published, (long long)published, (long long)published, (long long)(n - published),
	    (long long)published, (long long)published).at);
}

static void
approve(struct room *room, int64_t id)
{
	struct verdict_target target = {id, 1};
	struct verdict_order order = {.key = &room->log_key, .site_id = room->site_id, .targets = &target, .targets_n = 1,
	    .state = VERDICT_PUBLISHED, .moderator = STR("eve"), .network = STR(""), .why = STR(""), .now = ROOM_NOW};
	struct verdict_result result;
	OK(verdict_decide(room->db, &room->arena, &order, &result));
	OK(result.status);
}

/* Where the file leads: "prev next", without the folder, "-" for nowhere. */
static const char *
neighbours(struct room *room, const char *name)
{
	static const char folder[] = "/comments/threads/world/astana/~/";
	json_t *json = json_file(room, name);
	const char *ends[2] = {json_string_value(json_object_get(json, "prev")), json_string_value(json_object_get(json, "next"))};
	for (size_t i = 0; i < 2; i++)
		ends[i] = ends[i] == NULL ? "-" : ends[i] + sizeof folder - 1;
	const char *both = str_format(&room->arena, "%s %s", ends[0], ends[1]).at;
	json_decref(json);
	return both;
}

static int64_t
pages_told(struct room *room, const char *name)
{
	json_t *json = json_file(room, name);
	int64_t pages = json_integer_value(json_object_get(json, "pages"));
	json_decref(json);
	return pages;
}

static void
a_page_that_opens_is_led_to_at_once(void **state)
{
	struct room *room = *state;
	fill(room, 301, 200);
	OK(db_write(room->db, ask_all, room));
	publish(room);
	assert_string_equal(neighbours(room, "thread.json"), "- thread.2.json");
	assert_string_equal(neighbours(room, "thread.2.json"), "thread.json -");
	for (int64_t id = 201; id <= 300; id++) {
		approve(room, id);
		if (id > 201)
			continue;
		publish(room);
		assert_string_equal(neighbours(room, "thread.json"), "- thread.2.json");
		assert_string_equal(neighbours(room, "thread.2.json"), "thread.json thread.3.json");
		assert_string_equal(neighbours(room, "thread.3.json"), "thread.2.json -");
		assert_holds(file(room, "page.2.html"), "rel=\"next\" href=\"/comments/threads/world/astana/~/page.3.html\"");
		assert_holds(file(room, "page.3.html"), "id=\"reply-201\"");
	}
	publish(room);
	assert_int_equal(room_number(room, "SELECT roots FROM thread"), 300);
	assert_holds(file(room, "page.3.html"), "id=\"reply-300\"");
	assert_string_equal(neighbours(room, "thread.3.json"), "thread.2.json -");
	assert_null(file(room, "page.4.html").at);
	/* `pages` is as of the moment that the file was written. */
	approve(room, 301);
	publish(room);
	assert_string_equal(neighbours(room, "thread.3.json"), "thread.2.json thread.4.json");
	assert_int_equal(pages_told(room, "thread.json"), 4);
	assert_int_equal(pages_told(room, "thread.2.json"), 3);
	assert_int_equal(pages_told(room, "thread.3.json"), 4);
}

static size_t
times(struct str text, struct str part)
{
	size_t n = 0;
	for (size_t at; (at = str_search(text, part)) < text.len; n++)
		text = str_sub(text, at + part.len, text.len);
	return n;
}

static void
a_page_that_fails_costs_no_other(void **state)
{
	struct room *room = *state;
	struct publish_press press = press_of(room);
	fill(room, 3000, 3000);
	OK(db_write(room->db, ask_all, room));
	assert_int_equal(room_number(room, "SELECT count(*) FROM publication"), 30);
	/* A folder stands where a file must be. */
	OK(file_folder(room_path(room, "public/main/threads/world/astana/~/page.20.html"), 0775));
	room_listen(room);
	enum status status = publish_thread(&press, &room->arena, 1);
	struct str heard = room_heard(room);
	assert_int_not_equal(status, STATUS_OK);
	assert_int_equal(times(heard, STR("page 20 of thread 1 is not published")), 1);
	assert_int_equal(times(heard, STR("is not published")), 1);
	assert_str(room_value(room, "SELECT group_concat(page_number) FROM publication"), "20");
	assert_holds(file(room, "thread.html"), "Words 100<");
	assert_holds(file(room, "page.19.html"), "Words 1900<");
	assert_holds(file(room, "page.21.html"), "Words 2100<");
	assert_int_equal(rmdir(room_path(room, "public/main/threads/world/astana/~/page.20.html")), 0);
	publish(room);
	assert_holds(file(room, "page.20.html"), "Words 2000<");
	assert_holds(file(room, "page.30.html"), "Words 3000<");
}

/* Eight pages of some 40 MB each in memory, which the 256 MB of one rendering could not hold together. */
static void
pages_are_not_in_memory_together(void **state)
{
	struct room *room = *state;
	struct publish_press press = press_of(room);
	struct arena small;
	fill(room, 900, 900);
	room_run(room, "UPDATE reply SET comment = 'Words ' || id || printf('%.*c', 1000000, 'x') WHERE id % 100 < 4");
	room_run(room, "INSERT INTO publication (thread_id, page_number, revision, asked_at) SELECT DISTINCT 1, page_number, 0, 1 FROM reply WHERE page_number > 1");
	arena_init(&small, 64 * 1024);
	OK(publish_thread(&press, &small, 1));
	assert_true(small.taken <= small.limit && !small.failed);
	arena_free(&small);
	assert_int_equal(room_number(room, "SELECT count(*) FROM publication"), 0);
	assert_int_equal(times(file(room, "thread.9.json"), STR("Words 8")), 99);
	assert_int_equal(times(file(room, "thread.9.json"), STR("Words 900")), 1);
}

/* Bytes that this process has handed to write calls; -1 where the kernel does not tell. */
static int64_t
bytes_written(void)
{
	long long bytes = -1;
	char line[64];
	FILE *file = fopen("/proc/self/io", "re");
	while (file != NULL && fgets(line, sizeof line, file) != NULL)
		if (sscanf(line, "wchar: %lld", &bytes) == 1)
			break;
	if (file != NULL)
		fclose(file);
	return bytes;
}

/* What the approval of one more root writes, behind `roots` that are published. */
static int64_t
cost_of_one_more(struct room *room, int64_t roots)
{
	struct verdict_target target = {roots + 1, 1};
	struct verdict_result result;
	uint8_t bytes[SECRET_KEY] = {1};
	struct secret_key key;
	memcpy(key.bytes, bytes, sizeof key.bytes);
	fill(room, roots + 1, roots);
	room_show(room);
	struct verdict_order order = {.site_id = room->site_id, .targets = &target, .targets_n = 1, .state = VERDICT_PUBLISHED,
	    .moderator = STR("eve"), .network = STR("192.0.2.0/24"), .why = STR(""), .key = &key, .now = ROOM_NOW};
	int64_t before = bytes_written();
	OK(verdict_decide(room->db, &room->arena, &order, &result));
	publish(room);
	return bytes_written() - before;
}

static void
one_more_root_costs_the_same_in_any_thread(void **state)
{
	(void)state;
	int64_t costs[2];
	if (bytes_written() < 0) {
		print_message("skipped: no /proc/self/io\n");
		return;
	}
	for (size_t i = 0; i < 2; i++) {
		void *room = NULL;
		assert_int_equal(enter(&room), 0);
		costs[i] = cost_of_one_more(room, i == 0 ? 1050 : 10050);
		assert_int_equal(room_leave(&room), 0);
	}
	/* A tree of an index may have grown by a level. */
	if (costs[1] > costs[0] * 5 / 4)
		fail_msg("%lld bytes with 1050 roots, %lld with 10050", (long long)costs[0], (long long)costs[1]);
}

struct publisher {
	struct room *room;
	struct publish_press press;
	enum status status;
};

static void *
publish_often(void *context)
{
	struct publisher *publisher = context;
	struct arena arena;
	arena_init(&arena, 64 << 20);
	for (int i = 0; publisher->status == STATUS_OK && i < 40; i++) {
		arena_reset(&arena);
		publisher->status = publish_thread(&publisher->press, &arena, 1);
	}
	arena_free(&arena);
	return NULL;
}

static void
concurrent_publications_end_with_the_newest(void **state)
{
	struct room *room = *state;
	struct publisher publishers[3];
	pthread_t threads[3];
	add(room, 1, "NULL", 1, "published");
	for (size_t i = 0; i < 3; i++) {
		publishers[i] = (struct publisher){room, press_of(room), STATUS_OK};
		assert_int_equal(pthread_create(&threads[i], NULL, publish_often, &publishers[i]), 0);
	}
	for (int i = 1; i <= 60; i++) {
		room_run(room, str_format(&room->arena, "BEGIN IMMEDIATE; UPDATE reply SET comment = 'version %d.';"
		                                        "UPDATE thread SET revision = revision + 1; INSERT INTO publication (thread_id, page_number, revision, asked_at)"
		                                        " SELECT id, 1, revision, 1 FROM thread WHERE true ON CONFLICT DO UPDATE"
		                                        " SET revision = excluded.revision; COMMIT",
		                   i)
		                   .at);
		usleep(2000);
	}
	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(pthread_join(threads[i], NULL), 0);
		OK(publishers[i].status);
	}
	publish(room);
	assert_holds(file(room, "thread.html"), "version 60.");
	assert_holds(file(room, "thread.json"), "version 60.");
}

static void
all_pages_can_be_asked_for(void **state)
{
	struct room *room = *state;
	room_run(room, "UPDATE thread SET roots = 201");
	OK(db_write(room->db, ask_all, room));
	assert_str(room_value(room, "SELECT group_concat(page_number) FROM publication"), "1,2,3");
	assert_int_equal(room_number(room, "SELECT min(revision) FROM publication"), 1);
}

static void
links_and_openings(void **state)
{
	struct room *room = *state;
	assert_str(publish_link(&room->arena, room->site, STR("/a b"), 1, 7), "/a%20b#reply-7");
	assert_str(publish_link(&room->arena, room->site, STR("/"), 2, 7), "/comments/threads/~/page.2.html#reply-7");
	struct out out;
	out_init(&out, &room->arena);
	for (int i = 0; i < 700; i++)
		out_put(&out, i % 4 == 3 ? STR("\xf0\x9f\x98\x80 ") : STR("w\xc3\xb6rd"));
	struct str comment = out_str(&out), opening = publish_opening(&room->arena, comment);
	assert_true(opening.len > PUBLISH_OPENING / 2 && opening.len <= PUBLISH_OPENING);
	assert_true(str_starts(comment, opening));
	assert_null(publish_opening(&room->arena, str_sub(comment, 0, PUBLISH_LONG)).at);
}

/* The store is a stranger's: what it asks for comes to an end. */
static void
pages_that_cannot_be_asked_for_go_away(void **state)
{
	struct room *room = *state;
	struct publish_press press = press_of(room);
	room_run(room, "INSERT INTO publication (thread_id, page_number, revision, asked_at) VALUES (1, 0, 0, 1), (1, -7, 0, 1)");
	OK(publish_whatever_lags(&press));
	assert_int_equal(room_number(room, "SELECT count(*) FROM publication"), 0);
}

static enum status
ask_for_all(struct db_conn *conn, void *context)
{
	struct room *room = context;
	return publish_ask(conn, &room->arena, 1, ROOM_NOW, true);
}

static void
pages_without_number_are_not_asked_for(void **state)
{
	struct room *room = *state;
	room_run(room, "UPDATE thread SET roots = 4611686018427387904");
	OK(db_write(room->db, ask_for_all, room));
	assert_int_equal(room_number(room, "SELECT max(page_number) FROM publication"), PUBLISH_PAGES);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, enter, room_leave)

int
main(void)
{
	static const struct CMUnitTest tests[] = {
	    TEST(answers_nest_to_depth_five),
	    TEST(hidden_parents_hide_their_answers),
	    TEST(json_tells_the_contract_and_no_more),
	    TEST(the_hundred_and_first_root_is_on_page_two),
	    TEST(threads_may_be_empty),
	    TEST(rows_stay_until_the_files_are_written),
	    TEST(a_failing_thread_holds_up_no_other),
	    TEST(a_page_that_opens_is_led_to_at_once),
	    TEST(a_page_that_fails_costs_no_other),
	    TEST(pages_are_not_in_memory_together),
	    cmocka_unit_test(one_more_root_costs_the_same_in_any_thread),
	    TEST(a_failing_page_is_tried_again_later),
	    TEST(rows_newer_than_the_snapshot_stay),
	    TEST(concurrent_publications_end_with_the_newest),
	    TEST(all_pages_can_be_asked_for),
	    TEST(links_and_openings),
	    TEST(pages_that_cannot_be_asked_for_go_away),
	    TEST(pages_without_number_are_not_asked_for),
	};
	if (!room_has_openat2())
		return 0;
	return cmocka_run_group_tests_name("publish", tests, NULL, NULL);
}
