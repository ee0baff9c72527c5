#include "page.h"

#include "out.h"
#include "text.h"

static bool
has_control(struct str s)
{
	for (size_t i = 0; i < s.len; i++) {
		unsigned char c = (unsigned char)s.at[i];
		bool c1 = c == 0xc2 && i + 1 < s.len && (unsigned char)s.at[i + 1] < 0xa0;
		if (c < 0x20 || c == 0x7f || c1)
			return true;
	}
	return false;
}

static void
drop_last_segment(struct out *out)
{
	while (out->len > 0 && out->at[--out->len] != '/')
		;
}

/* Appends the segments of `path` to `out`, each behind a slash, dots resolved. */
static enum status
resolve(struct out *out, struct str path)
{
	while (path.at != NULL) {
		struct str segment = str_cut(&path, '/');
		if (segment.len == 0 || str_eq(segment, STR(".")))
			continue;
		if (str_eq(segment, STR(".."))) {
			drop_last_segment(out);
			continue;
		}
		if (segment.at[0] == '.' || str_eq(segment, STR("~")))
			return STATUS_INVALID;
		out_byte(out, '/');
		out_put(out, segment);
	}
	return out_status(out);
}

static struct str
query_value(struct arena *arena, struct str query, struct str key)
{
	while (query.at != NULL) {
		struct str value = str_cut(&query, '&');
		struct str name = str_cut(&value, '=');
		if (str_eq(str_percent_decode(arena, name, false), key))
			return str_percent_decode(arena, value, false);
	}
	return STR_NONE;
}

/* What the site's page_keys found in the query, as one more segment: "p=12" or "p=12&q=3". */
static enum status
add_keys(struct arena *arena, const struct config_site *site, struct str query, struct out *out)
{
	size_t before = out->len;
	for (size_t i = 0; i < site->page_keys.n; i++) {
		struct str value = query_value(arena, query, site->page_keys.items[i]);
		if (value.len == 0)
			continue;
		if (str_has(value, '/') || str_has(value, '&'))
			return STATUS_INVALID;
		out_byte(out, out->len == before ? '/' : '&');
		out_put(out, site->page_keys.items[i]);
		out_byte(out, '=');
		out_put(out, value);
	}
	return out_status(out);
}

/* Resolves a decoded path into `out`, without a final /index.html, or several: a page is its own spelling. */
static enum status
resolve_path(struct out *out, struct str path)
{
	enum status status = resolve(out, path);
	while (status == STATUS_OK && str_ends(out_str(out), STR("/index.html")))
		drop_last_segment(out);
	return status;
}

static bool
fits_limits(struct str page)
{
	size_t len = page.len;
	while (page.at != NULL)
		if (str_cut(&page, '/').len > PAGE_SEGMENT_MOST)
			return false;
	return len <= PAGE_MOST;
}

/* Lengths count last: normalisation makes some texts longer, as U+FB30. */
static enum status
finish(struct arena *arena, const struct out *out, struct str *page)
{
	struct str whole = out->len == 0 ? STR("/") : out_str(out);
	if (!text_valid(whole) || has_control(whole))
		return STATUS_INVALID;
	enum status status = text_nfc(arena, whole, page);
	return status == STATUS_OK && !fits_limits(*page) ? STATUS_INVALID : status;
}

enum status
page_canonical(struct arena *arena, const struct config_site *site, struct str spelling, struct str *page)
{
	struct out out;
	out_init(&out, arena);
	struct str query = str_cut(&spelling, '#');
	struct str path = str_cut(&query, '?');
	if (path.len == 0 || path.at[0] != '/' || path.len > 3 * PAGE_MOST || query.len > 8 * PAGE_MOST)
		return STATUS_INVALID;
	enum status status = resolve_path(&out, str_percent_decode(arena, path, false));
	if (status == STATUS_OK)
		status = add_keys(arena, site, query, &out);
	return status == STATUS_OK ? finish(arena, &out, page) : status;
}

/* --- what people type --------------------------------------------------------------------------------- */

/* What stands behind "https://"; the whole where there is no scheme. */
static struct str
behind_scheme(struct str address)
{
	size_t at = str_search(address, STR("://"));
	return at < address.len ? str_sub(address, at + 3, address.len) : address;
}

bool
page_is_address(struct str typed)
{
	size_t at = str_search(typed, STR("://"));
	struct str scheme = str_sub(typed, 0, at);
	return at < typed.len && (str_eq_nocase(scheme, STR("http")) || str_eq_nocase(scheme, STR("https")));
}

/* The path of an address at one origin; STR_NONE for one elsewhere. */
static struct str
path_behind(struct arena *arena, struct str address, struct str origin)
{
	struct str host = behind_scheme(origin), own = behind_scheme(address);
	struct str rest = str_sub(own, host.len, own.len);
	if (own.len < host.len || !str_eq_nocase(str_sub(own, 0, host.len), host))
		return STR_NONE;
	if (rest.len == 0 || rest.at[0] == '?' || rest.at[0] == '#')
		return str_join(arena, STR("/"), rest);
	return rest.at[0] == '/' ? rest : STR_NONE;
}

struct str
page_behind_site(struct arena *arena, const struct config_site *site, struct str address)
{
	struct str path = path_behind(arena, address, site->base);
	for (size_t i = 0; path.at == NULL && i < site->origins.n; i++)
		path = path_behind(arena, address, site->origins.items[i]);
	return path;
}

/* Of "/comments/threads/a/~/page.2.html", where a link to a reply leads, the page. */
static struct str
page_of_file(struct arena *arena, const struct config_site *site, struct str path)
{
	struct str begin = str_join(arena, site->mount, STR("/threads")), rest = str_sub(path, begin.len, path.len);
	size_t at = str_search(rest, STR("/~/"));
	if (!str_starts(path, begin) || at == rest.len)
		return path;
	return at == 0 ? STR("/") : str_sub(rest, 0, at);
}

enum status
page_typed(struct arena *arena, const struct config_site *site, struct str typed, struct str *page)
{
	struct str path = str_trim(typed);
	if (path.len == 0 || path.at[0] != '/') {
		path = page_behind_site(arena, site, path);
		if (path.at == NULL)
			return page_is_address(str_trim(typed)) ? STATUS_MISSING : STATUS_INVALID;
	}
	return page_canonical(arena, site, page_of_file(arena, site, path), page);
}

enum status
page_of_path(struct arena *arena, struct str path, struct str *page)
{
	struct out out;
	out_init(&out, arena);
	if (path.len == 0 || path.at[0] != '/' || path.len > 2 * PAGE_MOST)
		return STATUS_INVALID;
	enum status status = resolve_path(&out, path);
	return status == STATUS_OK ? finish(arena, &out, page) : status;
}

/*
 * row[i] says whether the pattern so far fits the first i bytes of the page.  A star lets a fit
 * spread to the right, one star not over a slash.
 */
static void
spread(bool *row, struct str page, bool across)
{
	for (size_t i = 1; i <= page.len; i++)
		row[i] = row[i] || (row[i - 1] && (across || page.at[i - 1] != '/'));
}

static void
advance(bool *row, struct str page, char byte)
{
	for (size_t i = page.len; i > 0; i--)
		row[i] = row[i - 1] && page.at[i - 1] == byte;
	row[0] = false;
}

bool
page_fits(struct str pattern, struct str page)
{
	bool row[PAGE_MOST + 1] = {true};
	if (page.len > PAGE_MOST)
		return false;
	for (size_t p = 0; p < pattern.len; p++) {
		bool star = pattern.at[p] == '*';
		bool across = star && p + 1 < pattern.len && pattern.at[p + 1] == '*';
		if (star)
			spread(row, page, across);
		else
			advance(row, page, pattern.at[p]);
		p += across ? 1 : 0;
	}
	return row[page.len];
}

bool
page_allowed(const struct config_site *site, struct str page)
{
	for (size_t i = 0; i < site->pages.n; i++)
		if (page_fits(site->pages.items[i], page))
			return true;
	return false;
}

struct str
page_file(struct arena *arena, struct str page, struct str name)
{
	struct str folder = str_eq(page, STR("/")) ? STR("") : page;
	return str_format(arena, "threads%.*s/~/%.*s", STR_FMT(folder), STR_FMT(name));
}

/* Is it what add_keys makes: some of the keys in their order, each with a value? */
static bool
is_key_segment(const struct config_site *site, struct str segment)
{
	size_t key = 0;
	do {
		struct str value = str_cut(&segment, '&');
		struct str name = str_cut(&value, '=');
		while (key < site->page_keys.n && !str_eq(site->page_keys.items[key], name))
			key++;
		if (key == site->page_keys.n || value.len == 0)
			return false;
		key++;
	} while (segment.at != NULL);
	return true;
}

struct str
page_url(struct arena *arena, const struct config_site *site, struct str page)
{
	struct out out;
	size_t last = page.len;
	while (last > 0 && page.at[last - 1] != '/')
		last--;
	out_init(&out, arena);
	struct str segment = str_sub(page, last, page.len);
	/* In front of a query an index.html would be dropped again. */
	if (!is_key_segment(site, segment) || str_ends(str_sub(page, 0, last), STR("/index.html/"))) {
		out_url_path(&out, page);
		return out_str(&out);
	}
	out_url_path(&out, str_sub(page, 0, last));
	out_byte(&out, '?');
	while (segment.at != NULL) {
		struct str value = str_cut(&segment, '&');
		out_url_part(&out, str_cut(&value, '='));
		out_byte(&out, '=');
		out_url_part(&out, value);
		if (segment.at != NULL)
			out_byte(&out, '&');
	}
	return out_str(&out);
}
