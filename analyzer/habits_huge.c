/* Huge pages: of several rules that a mapping of them breaks one is told; the others are learned from its numbers. */
#include <sys/mman.h>

#include "analyzer/habits_inner.h"

void habits_huge_told(struct gathering *gathering, const struct object *object, uint64_t page)
{
	if (object && page)
		map_put(&gathering->huge, (uintptr_t)object, 0, (void *)(uintptr_t)page);
}

/* Of the machine's own size, which the trace does not tell, the usual one is taken. */
void habits_huge_made(struct gathering *gathering, const struct object *object, uint32_t flags)
{
	unsigned exponent = flags >> MAP_HUGE_SHIFT & MAP_HUGE_MASK;

	if (flags & MFD_HUGETLB)
		habits_huge_told(gathering, object, UINT64_C(1) << (exponent ? exponent : 21));
}

void habits_huge_mapped(const struct gathering *gathering, struct call *call, const struct object *object,
			uint64_t where)
{
	call->huge_page = (uintptr_t)map_get(&gathering->huge, (uintptr_t)object, 0);
	call->misaligned = call->huge_page && (where & (call->huge_page - 1));
}

/* Past the end, or privately, it is not told that one is mapped in part, nor of a part whether the pool has them. */
void habits_huge_settle(struct call *call)
{
	static const enum rule_id first[] = {RULE_resize_failed_ignored, RULE_map_before_size, RULE_map_beyond_end,
					     RULE_private_map};
	bool hides = habits_was_found(call, RULE_huge_page_misaligned);

	for (size_t i = 0; call->huge_page && i < sizeof(first) / sizeof(*first); i++) {
		if (!habits_was_found(call, first[i]))
			continue;
		hides = true;
		call->met[RULE_huge_page_misaligned] |= call->misaligned;
	}
	call->met[RULE_huge_page_unbacked] |= call->unreserved && hides;
}
