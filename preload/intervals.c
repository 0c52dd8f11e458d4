#include "preload/intervals.h"

static uint32_t next_random(struct intervals *map)
{
	map->random ^= map->random << 13;
	map->random ^= map->random >> 17;
	map->random ^= map->random << 5;
	return map->random;
}

/* Below `key` to *low, the rest to *high. */
static void split(struct interval *tree, uint64_t key, struct interval **low, struct interval **high)
{
	while (tree) {
		if (tree->start < key) {
			*low = tree;
			low = &tree->right;
			tree = tree->right;
		} else {
			*high = tree;
			high = &tree->left;
			tree = tree->left;
		}
	}
	*low = *high = NULL;
}

static struct interval *merge(struct interval *low, struct interval *high)
{
	struct interval *root, **at = &root;

	while (low && high) {
		if (low->priority > high->priority) {
			*at = low;
			at = &low->right;
			low = low->right;
		} else {
			*at = high;
			at = &high->left;
			high = high->left;
		}
	}
	*at = low ? low : high;
	return root;
}

struct interval *intervals_find(struct intervals *map, uint64_t start, uint64_t end)
{
	struct interval *found = NULL;

	for (struct interval *at = map->root; at;) {
		if (at->end <= start) {
			at = at->right;
		} else {
			if (at->start < end)
				found = at;
			at = at->left;
		}
	}
	return found;
}

bool intervals_add(struct intervals *map, const struct interval *piece)
{
	struct interval *low, *high, *node = arena_take(&map->arena);

	if (!node)
		return false;
	*node = *piece;
	node->left = node->right = NULL;
	node->priority = next_random(map);
	split(map->root, piece->start, &low, &high);
	map->root = merge(merge(low, node), high);
	return true;
}

static void remove_node(struct intervals *map, struct interval *node)
{
	struct interval **at = &map->root;

	while (*at != node)
		at = node->start < (*at)->start ? &(*at)->left : &(*at)->right;
	*at = merge(node->left, node->right);
	arena_give(&map->arena, node);
}

int intervals_cut(struct intervals *map, uint64_t start, uint64_t end, struct interval *piece)
{
	struct interval *node = intervals_find(map, start, end);
	int left = 0;

	if (!node)
		return -1;
	*piece = *node;
	if (start > node->start) {
		piece->offset += start - node->start;
		piece->start = start;
	}
	if (end < node->end)
		piece->end = end;

	struct interval rest = *node;
	rest.start = piece->end;
	rest.offset += piece->end - node->start;
	/* Shortening keeps the order of the starts, so the tree need not change. */
	if (piece->start > node->start) {
		node->end = piece->start;
		left++;
	} else {
		remove_node(map, node);
	}
	if (rest.end > piece->end && intervals_add(map, &rest))
		left++;
	return left;
}
