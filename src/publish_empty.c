/*
 * publish_empty.c - what a web server shows when nobody answers: files of each site's folder `empty`.
 */
#include "publish_sheet.h"

#include "overview.h"
#include "page/notice.h"
#include "page/refusal_json.h"
#include "page/stand_in_txt.h"

/* What is told in the place of an answer of a program. */
struct stand_in_notice {
	struct str status, error;
	bool again; /* is worth another try soon, just as it is */
	enum word title, message, advice, program;
};
static const struct stand_in_notice down = {STR_INIT("503 Service Unavailable"), STR_INIT("down"), true,
    WORD_DOWN_TITLE, WORD_DOWN_MESSAGE, WORD_DOWN_ADVICE, WORD_DOWN_PROGRAM};
static const struct stand_in_notice over = {STR_INIT("413 Payload Too Large"), STR_INIT("too-large"), false,
    WORD_TITLE_TOO_LARGE, WORD_REFUSED_TOO_LARGE, WORD_OVER_ADVICE, WORD_REFUSED_TOO_LARGE};

static void
render_notice(const struct publish_press *press, struct arena *arena, const struct config_site *site,
    const struct stand_in_notice *notice, struct out *out)
{
	const struct words *words = publish_words(press, site);
	struct page_reader_head head = {.mount = site->mount, .noindex = true};
	struct page_reader_foot foot = {.page_title = STR_NONE};
	struct page_notice page = {.head = &head, .head_n = 1, .foot = &foot, .foot_n = 1,
	    .title = words_say(arena, words, notice->title, NULL, 0),
	    .message = words_say(arena, words, notice->message, NULL, 0),
	    .advice = words_say(arena, words, notice->advice, NULL, 0)};
	page_notice(out, words, &page);
}

static void
render_notice_json(const struct publish_press *press, struct arena *arena, const struct config_site *site,
    const struct stand_in_notice *notice, struct out *out)
{
	const struct words *words = publish_words(press, site);
	struct page_refusal_json page = {.error = notice->error, .message = words_say(arena, words, notice->program, NULL, 0)};
	page_refusal_json(out, words, &page);
}

/* A file of the site's folder `empty`; the same with a head before it is `name`.asis. */
struct stand_in {
	struct str name, type;
	const struct stand_in_notice *notice; /* NULL: of a thread or a site without replies */
};
static const struct stand_in stand_ins[] = {
    {STR_INIT("thread.html"), STR_INIT("text/html; charset=utf-8"), NULL},
    {STR_INIT("thread.json"), STR_INIT("application/json"), NULL},
    {STR_INIT("feed.xml"), STR_INIT("application/atom+xml"), NULL},
    {STR_INIT("latest.html"), STR_INIT("text/html; charset=utf-8"), NULL},
    {STR_INIT("latest.json"), STR_INIT("application/json"), NULL},
    {STR_INIT("trending.html"), STR_INIT("text/html; charset=utf-8"), NULL},
    {STR_INIT("trending.json"), STR_INIT("application/json"), NULL},
    {STR_INIT("counts.json"), STR_INIT("application/json"), NULL},
    {STR_INIT("down.html"), STR_INIT("text/html; charset=utf-8"), &down},
    {STR_INIT("down.json"), STR_INIT("application/json"), &down},
    {STR_INIT("over.html"), STR_INIT("text/html; charset=utf-8"), &over},
    {STR_INIT("over.json"), STR_INIT("application/json"), &over},
};

static enum status
render_stand_in(const struct publish_press *press, struct arena *arena, const struct config_site *site,
    const struct stand_in *in, struct str *content)
{
	struct out out;
	out_init(&out, arena);
	if (in->notice == NULL) {
		struct publish_empty_thread nobodys = {0};
		enum status status = publish_render_empty(press, arena, site, &nobodys, in->name, content);
		return status == STATUS_MISSING ? overview_render_empty(press, arena, site, in->name, content) : status;
	}
	if (str_ends(in->name, STR(".json")))
		render_notice_json(press, arena, site, in->notice, &out);
	else
		render_notice(press, arena, site, in->notice, &out);
	*content = out_str(&out);
	return out_status(&out);
}

static enum status
write_stand_in(const struct publish_press *press, struct arena *arena, const struct config_site *site,
    const struct stand_in *in)
{
	struct str content;
	struct out whole;
	out_init(&whole, arena);
	enum status status = render_stand_in(press, arena, site, in, &content);
	struct str path = str_format(arena, "%.*s/empty/%.*s", STR_FMT(site->name), STR_FMT(in->name));
	if (status == STATUS_OK)
		status = path.at == NULL ? STATUS_BROKEN : file_replace(&press->public_tree, path, content);
	struct page_stand_in_txt head = {.type = in->type, .notice = in->notice != NULL, .status = STR("200 OK")};
	if (in->notice != NULL) {
		head.status = in->notice->status;
		head.again = in->notice->again;
	}
	page_stand_in_txt(&whole, publish_words(press, site), &head);
	out_byte(&whole, '\n');
	out_put(&whole, content);
	struct str asis = str_join(arena, path, STR(".asis"));
	if (status == STATUS_OK)
		status = out_status(&whole);
	return status == STATUS_OK ? file_replace(&press->public_tree, asis, out_str(&whole)) : status;
}

enum status
publish_empty(const struct publish_press *press, struct arena *arena, const struct config_site *site)
{
	enum status status = STATUS_OK;
	for (size_t i = 0; status == STATUS_OK && i < sizeof stand_ins / sizeof *stand_ins; i++)
		status = write_stand_in(press, arena, site, &stand_ins[i]);
	return status;
}
