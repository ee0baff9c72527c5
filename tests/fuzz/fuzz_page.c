/* Spellings of a page: a line with a pattern, then the spelling. */
#include "fuzz.h"

#include "page.h"

static struct str keys[] = {STR_INIT("p"), STR_INIT("page_id")};

static void
check_canonical(struct arena *arena, struct str page)
{
	struct str nfc, rest = page;
	MUST(page.len >= 1 && page.len <= PAGE_MOST && page.at[0] == '/');
	MUST(text_valid(page) && !fuzz_has_control(page));
	MUST(text_nfc(arena, page, &nfc) == STATUS_OK && str_eq(nfc, page));
	MUST(!str_ends(page, STR("/index.html")));
	MUST(page.len == 1 || page.at[page.len - 1] != '/');
	str_cut(&rest, '/');
	while (page.len > 1 && rest.at != NULL) {
		struct str segment = str_cut(&rest, '/');
		MUST(segment.len > 0 && segment.len <= PAGE_SEGMENT_MOST);
		MUST(segment.at[0] != '.' && !str_eq(segment, STR("~")));
	}
}

/* The page's own address, and the page as a path that needs no decoding, are spellings of it. */
static void
check_spellings(struct arena *arena, const struct config_site *site, struct str page)
{
	struct str again;
	struct str url = page_url(arena, site, page);
	MUST(page_canonical(arena, site, url, &again) == STATUS_OK && str_eq(again, page));
	MUST(page_of_path(arena, page, &again) == STATUS_OK && str_eq(again, page));
	MUST(fuzz_is_ascii(url) && !fuzz_has_control(url) && !str_starts(url, STR("//")));
	struct str file = page_file(arena, page, STR("thread.html"));
	MUST(str_starts(file, STR("threads/")) && str_ends(file, STR("/~/thread.html")));
	MUST(str_search(file, STR("/../")) == file.len && str_search(file, STR("//")) == file.len);
}

/* page_fits, said in the plainest way; `steps` bounds what backtracking costs. */
static bool
fits(struct str pattern, struct str page, size_t *steps)
{
	if (++*steps > 100000)
		return false;
	if (pattern.len == 0)
		return page.len == 0;
	bool star = pattern.at[0] == '*', across = star && pattern.len > 1 && pattern.at[1] == '*';
	size_t width = across ? 2 : 1;
	if (!star)
		return page.len > 0 && page.at[0] == pattern.at[0] &&
		       fits(str_sub(pattern, 1, pattern.len), str_sub(page, 1, page.len), steps);
	for (size_t i = 0; i <= page.len; i++) {
		if (fits(str_sub(pattern, width, pattern.len), str_sub(page, i, page.len), steps))
			return true;
		if (i < page.len && !across && page.at[i] == '/')
			return false;
	}
	return false;
}

static void
fuzz_one(struct arena *arena, struct str input)
{
	struct str spelling = input;
	struct str pattern = str_cut(&spelling, '\n');
	struct str page;
	struct config_site site = {.page_keys = {keys, sizeof keys / sizeof *keys}};
	if (spelling.at == NULL)
		return;
	bool canonical = page_canonical(arena, &site, spelling, &page) == STATUS_OK;
	if (canonical) {
		check_canonical(arena, page);
		check_spellings(arena, &site, page);
		size_t steps = 0;
		bool wanted = fits(pattern, page, &steps);
		MUST(steps > 100000 || page_fits(pattern, page) == wanted);
	}
	if (page_of_path(arena, spelling, &page) == STATUS_OK) {
		check_canonical(arena, page);
		check_spellings(arena, &site, page);
	}
}
