/*
 * publish_tree.c - who stands under whom on a page of a thread.
 */
#include "publish_sheet.h"

static size_t
find_row(const struct publish_sheet *sheet, int64_t id)
{
	size_t low = 0, high = sheet->rows_n;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (sheet->rows[middle].id < id)
			low = middle + 1;
		else
			high = middle;
	}
	return low < sheet->rows_n && sheet->rows[low].id == id ? low : PUBLISH_NOBODY;
}

/* An answer deeper than PUBLISH_DEPTH stands beside the one it answers. */
static void
place(const struct publish_sheet *sheet, struct publish_node *nodes, size_t i)
{
	struct db_integer parent_id = sheet->rows[i].parent_id;
	nodes[i] = (struct publish_node){.shown = true, .under = PUBLISH_NOBODY, .depth = 1};
	if (!parent_id.set)
		return;
	size_t parent = find_row(sheet, parent_id.value);
	nodes[i].shown = parent != PUBLISH_NOBODY && parent < i && nodes[parent].shown;
	if (!nodes[i].shown)
		return;
	bool deepest = nodes[parent].depth >= PUBLISH_DEPTH;
	nodes[i].under = deepest ? nodes[parent].under : parent;
	nodes[i].depth = deepest ? PUBLISH_DEPTH : nodes[parent].depth + 1;
	if (nodes[i].under != PUBLISH_NOBODY)
		nodes[nodes[i].under].answers++;
}

struct publish_node *
publish_tree(const struct publish_sheet *sheet)
{
	struct publish_node *nodes = arena_array(sheet->arena, sheet->rows_n, sizeof *nodes);
	for (size_t i = 0; nodes != NULL && i < sheet->rows_n; i++)
		place(sheet, nodes, i);
	return nodes;
}
