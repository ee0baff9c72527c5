/*
 * frame.h - the owner's page around ours: what stands above and below, and a style sheet.
 *
 * The owner's HTML is trusted like the site itself and written as it is.  The Content-Security-Policy of
 * our pages holds for it, too: no inline script or style, nothing from elsewhere.
 */
#ifndef FRAME_H
#define FRAME_H

#include "out.h"
#include "status.h"
#include "str.h"
#include "words.h"

enum { FRAME_MOST = 256 * 1024 /* bytes of each file */ };

struct frame {
	struct str head, foot;   /* HTML before and behind our main element; empty: none */
	struct str stylesheet;   /* path on the site of a style sheet behind ours; empty: none */
};

/*
 * Puts the frame into a whole page of the public door: the style sheet at the end of its head, the rest
 * around its main element.  Leaves anything else alone.
 */
void frame_page(struct out *page, const struct words *words, const struct frame *frame);

#endif
