/* The rules of zeroing on made-up calls and a made-up kernel, each at its boundary. */
#include "tests/unit/check_stand_in.h"

#include "preload/check_zeroing.c"

static void grown_to(uint64_t before, int64_t after, int data, uint64_t at)
{
	struct ftruncate_event e = {.length = after, .size_before = before};
	struct identity identity = object(0600, ME);

	kernel.data = data;
	kernel.data_at = at;
	check_zeroing_ftruncate(&e, &identity);
}

static void zeroing(void)
{
	struct madvise_event advice = {.length = PAGE, .advice = MADV_DONTNEED, .object = 1};
	struct check_opening o = opening(EITHER, 0600, false);
	struct identity identity = object(0600, ME);

	quiet();
	grown_to(100, 2 * PAGE, 1, PAGE - 1);
	check(only(RULE_grow_exposes_tail, SEVERITY_WARNING) && told[0].offset == 100 && told[0].length == PAGE - 100,
	      "the last byte of the old page comes to light");
	grown_to(100, 2 * PAGE, 1, PAGE);
	check(is_silent(), "the first of the next page does not count");
	grown_to(100, 200, 1, 200);
	check(is_silent(), "nor what is still past the end");
	grown_to(PAGE, 2 * PAGE, 1, PAGE);
	check(is_silent(), "whole pages have no tail");
	grown_to(100, 50, 1, 100);
	check(is_silent(), "shrinking uncovers nothing");
	grown_to(100, 2 * PAGE, -1, 0);
	check(only(RULE_grow_exposes_tail, SEVERITY_NOTE), "what cannot be read: a note");
	check_zeroing_madvise(&advice, MARK_PRIVATE);
	check(is_silent(), "MADV_DONTNEED of a private mapping");
	check_zeroing_madvise(&advice, 0);
	check(only(RULE_discard_no_op, SEVERITY_WARNING), "of a shared one");
	advice.advice = MADV_WILLNEED;
	check_zeroing_madvise(&advice, 0);
	check(is_silent(), "other advice");
	kernel.data = 1;
	kernel.data_at = 7;
	check_zeroing_opened(&o, &identity, 0);
	check(only(RULE_stale_bytes, SEVERITY_WARNING) && told[0].offset == 7, "bytes of another");
	check_zeroing_opened(&o, &identity, MARK_CREATED);
	check(is_silent(), "bytes of one's own");
	kernel.data = 0;
	check_zeroing_opened(&o, &identity, 0);
	check(is_silent(), "zeros");
	kernel.data = 1;
	kernel.mapped_end = PAGE;
	check_zeroing_opened(&o, &identity, 0);
	check(is_silent(), "an object that this process maps");
}

int main(void)
{
	zeroing();
	return end();
}
