#include "preload/interrupted.h"

#include <dlfcn.h>
#include <link.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>

#include "preload/kernel.h"
#include "preload/loader.h"
#include "preload/maps.h"
#include "preload/own_stack.h"
#include "preload/own_symbol.h"
#include "preload/real.h"
#include "preload/signals.h"
#include "preload/small_stack.h"

#if defined(__x86_64__)
/* Handlers that interrupt each other on stacks of their own, and bytes of a stack that are looked through. */
enum { STACKS = 4, DEEPEST = 1024 * 1024 };

/* What the kernel lays onto the stack for a handler: struct rt_sigframe (arch/x86/include/asm/sigframe.h). */
struct laid {
	const void *restorer; /* where the handler returns to */
	uint64_t flags;
	void *link;
	stack_t stack;
	uint64_t registers[32]; /* struct sigcontext_64 */
	uint64_t blocked;       /* before it */
};

enum { REGISTER_stack = 15, REGISTER_instruction = 16, REGISTER_segments = 18, SEGMENT_user = 0x33 };

struct inquiry {
	uint64_t from, blocked;
	bool unsafe;
};

static const struct link_map *libc, *linker, *allocator;

static const struct link_map *library_of(const void *address, struct dl_find_object *found)
{
	return _dl_find_object((void *)(uintptr_t)address, found) == 0 ? found->dlfo_link_map : NULL;
}

/* Between the parts of a library there may be holes. */
static bool is_code(const struct dl_find_object *found, uintptr_t from, uintptr_t to)
{
	const ElfW(Ehdr) *image = found->dlfo_map_start;
	const ElfW(Phdr) *headers = (const void *)((const char *)image + image->e_phoff);

	for (int i = 0; i < image->e_phnum; i++) {
		uintptr_t start = found->dlfo_link_map->l_addr + headers[i].p_vaddr;
		if (headers[i].p_type == PT_LOAD && (headers[i].p_flags & PF_X) && from >= start &&
		    to <= start + headers[i].p_memsz)
			return true;
	}
	return false;
}

/* sigaction(2): what libc gives the kernel to return by: movq $__NR_rt_sigreturn, %rax; syscall. */
static bool is_restorer(const void *address)
{
	static const unsigned char code[] = {0x48, 0xc7, 0xc0, SYS_rt_sigreturn, 0, 0, 0, 0x0f, 0x05};
	uintptr_t at = (uintptr_t)address;
	struct dl_find_object found;
	const struct link_map *library = library_of(address, &found);

	return library && library == libc && is_code(&found, at, at + sizeof code) &&
	       memcmp(address, code, sizeof code) == 0;
}

/* One that is over leaves where it was what the kernel had laid. During one its signal is blocked, but for SA_NODEFER. */
static bool is_under_way(const struct laid *laid, uint64_t blocked)
{
	return !(laid->blocked & ~blocked) && laid->blocked != blocked;
}

static bool takes_memory(uint32_t number)
{
	switch (number) {
	case SYS_mmap:
	case SYS_munmap:
	case SYS_mremap:
	case SYS_mprotect:
	case SYS_madvise:
	case SYS_brk:
	case SYS_clone:
	case SYS_clone3:
		return true;
	default:
		return false;
	}
}

/* In a system call that libc makes for something else, or about to make it again: mov $number, %eax; syscall. */
static bool waits_in_kernel(const struct dl_find_object *found, const unsigned char *ip)
{
	static const unsigned char call[] = {0x0f, 0x05};
	uint32_t number;

	if (!is_code(found, (uintptr_t)ip - 7, (uintptr_t)ip + 2))
		return false;
	const unsigned char *at = memcmp(ip, call, sizeof call) == 0 ? ip : ip - sizeof call;
	if (memcmp(at, call, sizeof call) != 0)
		return false;
	memcpy(&number, at - sizeof number, sizeof number);
	return at[-5] != 0xb8 || !takes_memory(number);
}

static bool may_allocate(const void *ip)
{
	struct dl_find_object found;
	const struct link_map *library = library_of(ip, &found);

	if (!library || (library != libc && library != linker && library != allocator))
		return false;
	return library != libc || !waits_in_kernel(&found, ip);
}

/* Answers the stack of the outermost handler that lies on this one, from where it was entered; 0: there is none. */
static uint64_t look_at_stack(struct inquiry *inquiry, uint64_t from, uint64_t end)
{
	uint64_t before = 0;

	for (uint64_t at = (from + 7) & ~UINT64_C(7); at + sizeof(struct laid) <= end && !inquiry->unsafe; at += 8) {
		const struct laid *laid = (const void *)(uintptr_t)at;
		if ((laid->registers[REGISTER_segments] & 0xffff) != SEGMENT_user || !is_restorer(laid->restorer) ||
		    !is_under_way(laid, inquiry->blocked))
			continue;
		before = laid->registers[REGISTER_stack];
		inquiry->unsafe = may_allocate((const void *)(uintptr_t)laid->registers[REGISTER_instruction]);
	}
	return before;
}

static void look(void *context)
{
	struct inquiry *inquiry = context;
	uint64_t from = inquiry->from;
	char text[MAPS_LINE];
	struct maps_line line;

	for (int i = 0; i < STACKS && from && !inquiry->unsafe && maps_find(from, text, &line); i++) {
		/* The first thread's grows where there is room below. */
		if (i == 0 && strcmp(line.path, "[stack]") != 0)
			small_stack_found(from, line.start);
		uint64_t end = line.end - from > DEEPEST ? from + DEEPEST : line.end;
		uint64_t next = look_at_stack(inquiry, from, end);
		from = next - from < end - from ? 0 : next;
	}
}

void interrupted_initialise(void)
{
	struct dl_find_object found;
	size_t bytes;

	libc = own_symbol_libc();
	linker = library_of(loader_data(&bytes), &found);
	allocator = library_of(LIBC(dlsym)(RTLD_DEFAULT, "malloc"), &found);
}

/* A handler's stack may be a small one. */
bool interrupted_amid_allocation(const uint64_t *blocked)
{
	struct inquiry inquiry = {.from = (uint64_t)__builtin_frame_address(0),
				  .blocked = blocked ? *blocked : signals_block_these(0)};

	return own_stack_run(look, &inquiry) && inquiry.unsafe;
}
#else
void interrupted_initialise(void)
{
}

bool interrupted_amid_allocation(const uint64_t *blocked)
{
	(void)blocked;
	return false;
}
#endif
