#include "notify.h"

#include "page/mail_waiting_txt.h"
#include "sql/moderators/mail.h"
#include "sql/rejoinder/outbox.h"
#include "when.h"

/* --- what is due ----------------------------------------------------------------------------------- */

/* The replies of a site that came behind one and wait still, newest first. */
static enum status
read_outbox(const struct notify_desk *desk, struct arena *arena, int64_t site_id, int64_t after, int64_t most,
    struct outbox_list_row **rows, size_t *n)
{
	struct db_conn *conn;
	struct outbox_list_in in = {.site_id = site_id, .reply_id = after, .most = most};
	enum status status = db_read(desk->db, &conn);
	if (status != STATUS_OK)
		return status;
	status = outbox_list(conn, arena, &in, rows, n);
	db_release(conn);
	return status;
}

/* Up to which reply somebody was told of a site: by mails that went out. */
static enum status
find_told(struct db_conn *conn, struct arena *arena, int64_t account_id, struct str site, int64_t *told)
{
	struct mail_told_row row;
	struct mail_told_in in = {.account_id = account_id, .site = site};
	enum status status = mail_told(conn, arena, &in, &row);
	*told = status == STATUS_OK ? row.through_id : 0;
	return status == STATUS_MISSING ? STATUS_OK : status;
}

struct gathering {
	const struct notify_desk *desk;
	struct arena *arena;
	const uint8_t *random;
	const struct notify_site *site;
	const struct recipient_list_row *recipient;
	int64_t newest; /* reply that it is made for */
};

/* May a mail be made?  Not while one is unsent, nor too soon after the last. */
static enum status
is_due(const struct gathering *gathering, struct db_conn *conn, bool *due)
{
	struct mail_last_row last;
	struct mail_last_in in = {.account_id = gathering->recipient->id, .site = gathering->site->config->name};
	enum status status = mail_last(conn, gathering->arena, &in, &last);
	*due = status == STATUS_MISSING;
	if (status != STATUS_OK)
		return status == STATUS_MISSING ? STATUS_OK : status;
	/* A clock that went back must not end all mail: a time to come counts as long past. */
	int64_t age = gathering->desk->now - last.told_at;
	*due = str_eq(last.state, STR("sent")) && (age < 0 || age >= gathering->desk->config->mail.every);
	return STATUS_OK;
}

static enum status
insert_mail(struct db_conn *conn, void *context)
{
	const struct gathering *gathering = context;
	struct str event = str_format(gathering->arena, "waiting.%lld.%lld.%lld.%.*s", (long long)gathering->site->id,
	    (long long)gathering->recipient->id, (long long)gathering->newest,
	    STR_FMT(str_hex(gathering->arena, gathering->random, 16)));
	struct mail_add_in in = {.account_id = gathering->recipient->id, .site = gathering->site->config->name,
	    .event = event, .made_at = gathering->desk->now};
	bool due;
	/* Once more: another `rejoinder mail` may have been faster. */
	enum status status = is_due(gathering, conn, &due);
	return status == STATUS_OK && due ? mail_add(conn, &in, NULL) : status;
}

/* One recipient of one site; *told is up to where nobody needs the outbox for this one. */
static enum status
gather_for(struct gathering *gathering, int64_t *told)
{
	struct outbox_list_row *rows;
	struct db_conn *conn;
	size_t n = 0;
	bool due = false;
	enum status status = db_read(gathering->desk->moderators, &conn);
	if (status != STATUS_OK)
		return status;
	status = find_told(conn, gathering->arena, gathering->recipient->id, gathering->site->config->name, told);
	if (status == STATUS_OK)
		status = is_due(gathering, conn, &due);
	db_release(conn);
	if (status != STATUS_OK || !due)
		return status;
	status = read_outbox(gathering->desk, gathering->arena, gathering->site->id, *told, 1, &rows, &n);
	if (status != STATUS_OK || n == 0)
		return status;
	gathering->newest = rows[0].reply_id;
	return db_write(gathering->desk->moderators, insert_mail, gathering);
}

struct forgetting {
	int64_t site_id, reply_id;
};

/* What all were told of, and, while somebody cannot be told, all but the newest. */
static enum status
forget_rows(struct db_conn *conn, void *context)
{
	const struct forgetting *forgetting = context;
	struct outbox_forget_in told = {.site_id = forgetting->site_id, .reply_id = forgetting->reply_id};
	struct outbox_trim_in trim = {.site_id = forgetting->site_id, .most = NOTIFY_LOOK};
	enum status status = outbox_forget(conn, &told, NULL);
	return status == STATUS_OK ? outbox_trim(conn, &trim, NULL) : status;
}

static enum status
gather_site(struct gathering *gathering, const struct recipient_list_row *recipients, size_t n)
{
	struct forgetting forgetting = {.site_id = gathering->site->id, .reply_id = INT64_MAX};
	enum status status = STATUS_OK;
	for (size_t i = 0; status == STATUS_OK && i < n; i++) {
		int64_t told = 0;
		gathering->recipient = &recipients[i];
		status = gather_for(gathering, &told);
		if (told < forgetting.reply_id)
			forgetting.reply_id = told;
	}
	return status == STATUS_OK ? db_write(gathering->desk->db, forget_rows, &forgetting) : status;
}

static enum status
forget_sent(struct db_conn *conn, void *context)
{
	const struct notify_desk *desk = context;
	return mail_forget(conn, &(struct mail_forget_in){.before = desk->now - NOTIFY_KEEP}, NULL);
}

enum status
notify_gather(const struct notify_desk *desk, struct arena *arena, const uint8_t random[16])
{
	struct recipient_list_row *recipients;
	struct notify_desk copy = *desk;
	struct db_conn *conn;
	size_t n = 0;
	enum status status = db_read(desk->moderators, &conn);
	if (status != STATUS_OK)
		return status;
	status = recipient_list(conn, arena, &recipients, &n);
	db_release(conn);
	for (size_t i = 0; status == STATUS_OK && i < desk->sites_n; i++) {
		struct gathering gathering = {.desk = desk, .arena = arena, .random = random, .site = &desk->sites[i]};
		status = gather_site(&gathering, recipients, n);
	}
	return status == STATUS_OK ? db_write(desk->moderators, forget_sent, &copy) : status;
}

/* --- what it says ------------------------------------------------------------------------------------ */

/* Control characters of a title would break its line. */
static struct str
one_line(struct arena *arena, struct str text)
{
	char *copy = str_c(arena, text);
	for (size_t i = 0; copy != NULL && i < text.len; i++)
		if ((unsigned char)copy[i] < ' ' || copy[i] == 0x7f)
			copy[i] = ' ';
	return copy == NULL ? STR_NONE : (struct str){copy, text.len};
}

static void
count_page(struct arena *arena, const struct outbox_list_row *row, struct page_mail_waiting_txt *page)
{
	struct str title = one_line(arena, row->title.len > 0 ? row->title : row->page);
	for (size_t i = 0; i < page->pages_n; i++) {
		if (str_eq(page->pages[i].title, title)) {
			page->pages[i].n++;
			return;
		}
	}
	page->more = page->more || page->pages_n == NOTIFY_PAGES;
	if (!page->more)
		page->pages[page->pages_n++] = (struct page_mail_waiting_txt_pages){.n = 1, .title = title};
}

static enum status
write_letter(const struct notify_desk *desk, struct arena *arena, const struct notify_site *site,
    const struct outbox_list_row *rows, size_t n, struct notify_mail *mail)
{
	struct out body;
	struct str title = one_line(arena, site->config->title.len > 0 ? site->config->title : site->config->base);
	struct word_hole holes[] = {{.name = STR("n"), .text = STR_NONE, .n = (int64_t)n}, {.name = STR("site"), .text = title, .n = 0}};
	struct page_mail_waiting_txt page = {.n = (int64_t)n, .site = title, .name = one_line(arena, mail->name),
	    .link = str_format(arena, "%.*s%.*s/moderate/", STR_FMT(config_moderators_base(site->config)), STR_FMT(site->config->mount)),
	    .pages = arena_array(arena, NOTIFY_PAGES, sizeof *page.pages), .more = n == NOTIFY_LOOK};
	if (page.pages == NULL)
		return STATUS_BROKEN;
	for (size_t i = 0; i < n; i++)
		count_page(arena, &rows[i], &page);
	out_init(&body, arena);
	page_mail_waiting_txt(&body, site->words, &page);
	mail->letter.from = desk->config->mail.from;
	mail->letter.from_name = title;
	mail->letter.subject = words_say(arena, site->words, WORD_MAIL_SUBJECT, holes, 2);
	mail->letter.body = out_str(&body);
	return out_status(&body);
}

static const struct notify_site *
site_of(const struct notify_desk *desk, struct str name)
{
	for (size_t i = 0; i < desk->sites_n; i++)
		if (str_eq(desk->sites[i].config->name, name))
			return &desk->sites[i];
	return NULL;
}

static enum status
drop(struct db_conn *conn, void *context)
{
	const struct notify_mail *mail = context;
	return mail_drop(conn, &(struct mail_drop_in){.id = mail->id}, NULL);
}

static enum status
read_told(const struct notify_desk *desk, struct arena *arena, const struct mail_next_row *row, int64_t *told)
{
	struct db_conn *conn;
	enum status status = db_read(desk->moderators, &conn);
	if (status != STATUS_OK)
		return status;
	status = find_told(conn, arena, row->account_id, row->site, told);
	db_release(conn);
	return status;
}

/* MISSING when nothing waits of what it was to tell, or nobody is to be told. */
static enum status
fill_mail(const struct notify_desk *desk, struct arena *arena, const struct mail_next_row *row, struct notify_mail *mail)
{
	const struct notify_site *site = site_of(desk, row->site);
	struct outbox_list_row *rows;
	int64_t told = 0;
	size_t n = 0;
	*mail = (struct notify_mail){.id = row->id, .tries = row->tries, .name = row->name,
	    .letter = {.to = row->email, .event = row->event, .made_at = row->made_at}};
	if (site == NULL || row->email.len == 0 || row->disabled != 0)
		return STATUS_MISSING;
	enum status status = read_told(desk, arena, row, &told);
	if (status == STATUS_OK)
		status = read_outbox(desk, arena, site->id, told, NOTIFY_LOOK, &rows, &n);
	if (status != STATUS_OK || n == 0)
		return status == STATUS_OK ? STATUS_MISSING : status;
	mail->through_id = rows[0].reply_id;
	return write_letter(desk, arena, site, rows, n, mail);
}

enum status
notify_next(const struct notify_desk *desk, struct arena *arena, int64_t after, struct notify_mail *mail)
{
	for (;;) {
		struct mail_next_row row;
		struct db_conn *conn;
		enum status status = db_read(desk->moderators, &conn);
		if (status != STATUS_OK)
			return status;
		status = mail_next(conn, arena, &(struct mail_next_in){.now = desk->now, .id = after}, &row);
		db_release(conn);
		if (status != STATUS_OK)
			return status;
		status = fill_mail(desk, arena, &row, mail);
		if (status != STATUS_MISSING)
			return status;
		status = db_write(desk->moderators, drop, mail);
		if (status != STATUS_OK)
			return status;
		after = row.id;
	}
}

/* --- what became of it ------------------------------------------------------------------------------- */

struct result {
	const struct notify_mail *mail;
	enum status sent;
	struct str why;
	int64_t now;
};

static enum status
note_result(struct db_conn *conn, void *context)
{
	const struct result *result = context;
	struct mail_sent_in sent = {.id = result->mail->id, .through_id = result->mail->through_id, .sent_at = {true, result->now}};
	struct mail_failed_in failed = {.id = result->mail->id, .failure = result->why,
	    .state = result->sent == STATUS_DENIED ? STR("parked") : STR("ready"),
	    .next_try_at = result->now + when_again(result->mail->tries, NOTIFY_RETRY, NOTIFY_RETRY_MOST)};
	return result->sent == STATUS_OK ? mail_sent(conn, &sent, NULL) : mail_failed(conn, &failed, NULL);
}

enum status
notify_done(const struct notify_desk *desk, const struct notify_mail *mail, enum status sent, struct str why)
{
	struct result result = {.mail = mail, .sent = sent, .why = why, .now = desk->now};
	return db_write(desk->moderators, note_result, &result);
}

static enum status
try_all(struct db_conn *conn, void *context)
{
	const struct notify_desk *desk = context;
	return mail_retry(conn, &(struct mail_retry_in){.now = desk->now}, NULL);
}

enum status
notify_retry(const struct notify_desk *desk)
{
	struct notify_desk copy = *desk;
	return db_write(desk->moderators, try_all, &copy);
}
