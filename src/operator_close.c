/*
 * operator_close.c - `rejoinder close` and `reopen`: a page takes no new replies, or takes them again.
 */
#include "operator.h"

#include <stdio.h>
#include <time.h>

#include "closing.h"
#include "door.h"
#include "page.h"
#include "publish.h"
#include "sql/rejoinder/page.h"
#include "title.h"

/* By the page list, else by the article's file; MISSING when the page had to be in the list and is not. */
static enum status
find_title(const struct door *door, const struct door_site *site, struct arena *arena, struct str page,
    struct str *title)
{
	struct page_listed_row row = {0};
	struct db_conn *conn;
	enum status status = db_read(door->db, &conn);
	if (status != STATUS_OK)
		return status;
	status = page_listed(conn, arena, &(struct page_listed_in){.site_id = site->id, .page = page}, &row);
	db_release(conn);
	if (status != STATUS_OK && (status != STATUS_MISSING || site->config->page_list))
		return status;
	*title = row.title.len > 0 ? row.title : title_find(arena, site->config, page);
	return STATUS_OK;
}

static int
close_page(const struct door *door, const struct door_site *site, struct arena *arena, const char *typed, bool closed)
{
	struct closing_order order = {.site_id = site->id, .closed = closed, .moderator = STR(""), .network = STR(""),
	    .now = (int64_t)time(NULL)};
	struct closing_result result;
	enum status status = page_typed(arena, site->config, str_from(typed), &order.page);
	if (status == STATUS_MISSING)
		return operator_fail("that address is not of the site; compare `base` and `origins` in the configuration, or say --site NAME");
	if (status != STATUS_OK ||
	    !page_allowed(site->config, order.page))
		return operator_fail("that is no page that may have replies: give its path on the site, as /world/astana-summit, or its address; `pages` and page_list in the configuration say which there are");
	status = find_title(door, site, arena, order.page, &order.title);
	if (status == STATUS_MISSING)
		return operator_fail("the page is not in the page list: rejoinder pages import adds it");
	if (status == STATUS_OK)
		status = closing_do(door->db, arena, &order, &result);
	if (status == STATUS_OK && result.changed) {
		struct publish_press press = door_press(door);
		status = publish_thread(&press, arena, result.thread_id);
	}
	if (status != STATUS_OK)
		return operator_fail("the page could not be changed; the reason stands above");
	printf("%.*s %s\n", STR_FMT(order.page), closed ? "takes no new replies" : "takes replies again");
	return OPERATOR_DONE;
}

static int
with_page(const struct operator_command *command, const char *config, int argc, char **argv, bool closed)
{
	struct door door;
	const char *name;
	if (!operator_take_site(&argc, argv, &name) || argc != 2)
		return operator_misread(command, argc, argv);
	if (operator_open(config, &door) != STATUS_OK)
		return OPERATOR_FAILED;
	const struct door_site *site = operator_site(&door, name);
	int result = site == NULL ? OPERATOR_FAILED : close_page(&door, site, &door.arena, argv[1], closed);
	door_close(&door);
	return result;
}

int
operator_close(const struct operator_command *command, const char *config, int argc, char **argv)
{
	return with_page(command, config, argc, argv, true);
}

int
operator_reopen(const struct operator_command *command, const char *config, int argc, char **argv)
{
	return with_page(command, config, argc, argv, false);
}
