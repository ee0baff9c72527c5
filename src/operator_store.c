/*
 * operator_store.c - for `rejoinder check`: what the store tells about the web server, the clock
 * and the page lists.
 */
#include <string.h>
#include <time.h>

#include "address.h"
#include "operator_findings.h"
#include "secret.h"
#include "sql/rejoinder/check.h"

enum {
	NEWEST = 200,       /* replies that are looked at */
	ENOUGH = 20,        /* replies of a site from which on one network is no accident */
	FUTURE = 3600       /* seconds that a clock may be ahead */
};

/* Where the newest replies of a site came from. */
struct origin_of_replies {
	int64_t n, unknown;
	struct str network; /* the only one, until there is another */
	bool several;
};

static void
add_origin(struct origin_of_replies *from, struct arena *arena, struct str address)
{
	struct str network = address_network(arena, address);
	from->n++;
	if (str_eq(network, STR("unknown")))
		from->unknown++;
	from->several = from->several || (from->n > 1 && !str_eq(network, from->network));
	from->network = network;
}

static bool
is_local(struct str base)
{
	struct str host = str_sub(base, str_search(base, STR("//")) + 2, base.len);
	host = str_cut(&host, ':');
	return str_eq(host, STR("localhost")) || str_ends(host, STR(".localhost")) || str_starts(host, STR("127."));
}

static void
tell_origin(struct findings *findings, const struct config_site *site, const struct origin_of_replies *from)
{
	if (from->unknown > 0)
		operator_find(findings, false, "%lld of the newest %lld replies of site %s came without an address: the web server must "
		                               "pass REMOTE_ADDR", (long long)from->unknown, (long long)from->n, site->name.at);
	else if (from->n >= ENOUGH && !from->several && !is_local(site->base))
		operator_find(findings, false, "the newest %lld replies of site %s came from one network, as if from a proxy: let the web "
		                               "server find the visitor's address (nginx: real_ip_header and set_real_ip_from)",
		    (long long)from->n, site->name.at);
}

static void
check_origins(struct findings *findings, struct door *door, const struct secret_key *secret,
    const struct check_newest_row *rows, size_t n)
{
	for (size_t i = 0; i < door->config->sites_n; i++) {
		struct secret_opener opener = {.secret = secret};
		struct origin_of_replies from = {.n = 0};
		for (size_t j = 0; j < n; j++) {
			struct str address;
			if (rows[j].site_id == door->sites[i].id && rows[j].network_sealed.len > 0 &&
			    secret_open_next(&opener, &door->arena, SECRET_NETWORK, rows[j].network_sealed, &address) == STATUS_OK)
				add_origin(&from, &door->arena, address);
		}
		secret_wipe(&opener, sizeof opener);
		tell_origin(findings, door->sites[i].config, &from);
	}
}

static void
check_lists(struct findings *findings, struct door *door, struct db_conn *conn)
{
	for (size_t i = 0; i < door->config->sites_n; i++) {
		const struct config_site *site = door->sites[i].config;
		struct check_listed_row row;
		enum status status = site->page_list ? check_listed(conn, &door->arena,
		                                           &(struct check_listed_in){.site_id = door->sites[i].id}, &row)
		                                     : STATUS_OK;
		if (status == STATUS_MISSING)
			operator_find(findings, false, "site %s takes replies on listed pages only, and its list is empty: rejoinder pages "
			                               "import FILE --site %s", site->name.at, site->name.at);
	}
}

static void
check_clock(struct findings *findings, const struct check_newest_row *rows, size_t n)
{
	int64_t now = (int64_t)time(NULL);
	for (size_t i = 0; i < n; i++) {
		if (rows[i].created_at <= now + FUTURE)
			continue;
		operator_find(findings, false, "reply %lld is of a time to come: set the clock, and let it be kept (NTP)",
		    (long long)rows[i].id);
		return;
	}
}

void
operator_check_store(struct findings *findings, struct door *door)
{
	struct check_newest_row *rows = NULL;
	struct db_conn *conn;
	size_t n = 0;
	struct secret_key secret;
	enum status status = db_read(door->db, &conn);
	if (status != STATUS_OK)
		return;
	status = check_newest(conn, &door->arena, &(struct check_newest_in){.id = INT64_MAX, .most = NEWEST}, &rows, &n);
	if (status == STATUS_OK)
		check_lists(findings, door, conn);
	db_release(conn);
	if (status != STATUS_OK) {
		operator_find(findings, false, "the newest replies cannot be read");
		return;
	}
	check_clock(findings, rows, n);
	/* What is wrong with the key was told among the files. */
	if (secret_key_load(door->config->secret_key, 0777, &secret) == STATUS_OK)
		check_origins(findings, door, &secret, rows, n);
	secret_wipe(&secret, sizeof secret);
}
