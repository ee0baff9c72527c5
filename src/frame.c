#include "frame.h"

#include "page/reader_style.h"

/* Where `needle` stands last; s.len when it does not. */
static size_t
find_last(struct str s, struct str needle)
{
	for (size_t i = s.len < needle.len ? 0 : s.len - needle.len + 1; i > 0; i--)
		if (str_starts(str_sub(s, i - 1, needle.len), needle))
			return i - 1;
	return s.len;
}

/* What people typed holds none of these: it is escaped. */
void
frame_page(struct out *page, const struct words *words, const struct frame *frame)
{
	struct str whole = out_str(page), end = STR("</main>\n");
	size_t style = str_search(whole, STR("</head>")), begun = str_search(whole, STR("<main ")),
	       ended = find_last(whole, end) + end.len;
	bool is_page = style < begun && begun < ended && ended <= whole.len;
	struct out framed;
	if (!is_page || page->failed || frame->head.len + frame->foot.len + frame->stylesheet.len == 0)
		return;
	out_init(&framed, page->arena);
	out_put(&framed, str_sub(whole, 0, style));
	if (frame->stylesheet.len > 0)
		page_reader_style(&framed, words, &(struct page_reader_style){.stylesheet = frame->stylesheet});
	out_put(&framed, str_sub(whole, style, begun - style));
	out_put(&framed, frame->head);
	out_put(&framed, str_sub(whole, begun, ended - begun));
	out_put(&framed, frame->foot);
	out_put(&framed, str_sub(whole, ended, whole.len));
	*page = framed;
}
