/* What is read from /proc/PID/smaps, and what of a line of it that is not as it should be. */
#include <stdio.h>
#include <string.h>
#include <sys/sysmacros.h>

#include "analyzer/smaps.h"

static int number, failures;
static size_t taken;
static struct smaps mappings[8];
static char names[8][64];

static void check(bool good, const char *what)
{
	failures += !good;
	printf("%sok %d - %s\n", good ? "" : "not ", ++number, what);
}

static void take(void *context, const struct smaps *mapping)
{
	(void)context;
	if (taken == 8)
		return;
	snprintf(names[taken], sizeof(names[taken]), "%s", mapping->name);
	mappings[taken++] = *mapping;
}

static void read_text(const char *text)
{
	FILE *file = fmemopen((void *)(uintptr_t)text, strlen(text), "r");

	taken = 0;
	smaps_read(file, take, NULL);
	fclose(file);
}

static void check_whole(void)
{
	read_text("7f0000000000-7f0002000000 rw-s 00001000 00:1c 77                          /dev/shm/a\\012b c\n"
		  "Size:              32768 kB\nKernelPageSize:        4 kB\nMMUPageSize:           4 kB\n"
		  "Rss:               20480 kB\nPss:               10240 kB\nReferenced:        16384 kB\n"
		  "ShmemPmdMapped:     2048 kB\nSwap:               8192 kB\nSwapPss:               0 kB\n"
		  "Locked:              128 kB\nTHPeligible:           0\n"
		  "VmFlags: rd wr sh mr mw me ms hg sd \n"
		  "7f0003000000-7f0003001000 r--p 00000000 fe:00 12 \n"
		  "Rss:                   4 kB\nVmFlags: rd mr nh \n");
	check(taken == 2, "each mapping is handed out");
	check(mappings[0].end - mappings[0].start == 32 << 20 && mappings[0].inode == 77 &&
		      mappings[0].device == makedev(0, 0x1c) && mappings[0].shared,
	      "its range, device and inode, and that it is shared");
	check(strcmp(names[0], "/dev/shm/a\\012b c") == 0, "its name, blanks and all");
	check(mappings[0].page == 4096 && mappings[0].rss == 20 << 20 && mappings[0].pss == 10 << 20 &&
		      mappings[0].referenced == 16 << 20,
	      "what is in memory");
	check(mappings[0].huge == 2 << 20 && mappings[0].swap == 8 << 20 && mappings[0].locked == 128 << 10,
	      "what is huge, swapped, locked");
	check(mappings[0].wants_huge && !mappings[0].refuses_huge, "MADV_HUGEPAGE");
	check(!mappings[1].shared && *names[1] == '\0' && mappings[1].rss == 4096 && mappings[1].refuses_huge,
	      "a private one without a name, with MADV_NOHUGEPAGE");
}

static void check_odd(void)
{
	read_text("Rss: 4 kB\n");
	check(taken == 0, "amounts of nothing are left alone");
	read_text("7f0000000000-7f0002000000 rw-s 00001000 00:1c 77 /x\nRss: many kB\nSwap:\nRss");
	check(taken == 1 && mappings[0].rss == 0 && mappings[0].swap == 0, "amounts that are no numbers are 0");
	read_text("7f0000000000-7f0002000000 rw-s 00001000 00:1c");
	check(taken == 0, "a line that is cut short is no mapping");
}

int main(void)
{
	check_whole();
	check_odd();
	printf("1..%d\n", number);
	return failures != 0;
}
