/*
 * Names that cannot be read, where the call fails for another reason before the kernel reads them: its flags, or ("filtered")
 * a filter of system calls. Prints what each call answers.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "hostile.h"

#define OBJECT "/dev/shm/hostile-unreadable"

/* All calls that take a name and are not needed by a recording fail. */
static void refuse_names(void)
{
#define REFUSE(name)                                                                                                   \
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_##name, 0, 1), BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM)
	struct sock_filter filter[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		REFUSE(renameat),
		REFUSE(renameat2),
		REFUSE(linkat),
		REFUSE(unlinkat),
		REFUSE(mknodat),
		REFUSE(memfd_create),
		REFUSE(fchmodat),
		REFUSE(fchownat),
		REFUSE(truncate),
#ifdef SYS_rename
		REFUSE(rename),
		REFUSE(link),
		REFUSE(unlink),
		REFUSE(mknod),
		REFUSE(chmod),
		REFUSE(chown),
#endif
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_openat, 0, 3),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[2])),
		BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, O_CREAT, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = {sizeof filter / sizeof *filter, filter};
#undef REFUSE
	must(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
		     syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) == 0,
	     "seccomp");
}

static void says(const char *call, int result)
{
	int error = errno;

	printf("%s: %d %s\n", call, result, result < 0 ? strerrorname_np(error) : "");
	fflush(stdout);
}

#define SAYS(call) says(#call, call)

/* There are the name that stands nowhere, and one that goes on where nothing is. */
static void names(const char *bad)
{
	const unsigned flags[] = {0, RENAME_NOREPLACE, RENAME_EXCHANGE, RENAME_NOREPLACE | RENAME_EXCHANGE,
				  8, 1u << 31};

	for (size_t i = 0; i < sizeof flags / sizeof *flags; i++) {
		printf("%#x ", flags[i]);
		SAYS(renameat2(AT_FDCWD, OBJECT, AT_FDCWD, bad, flags[i]));
		SAYS(renameat2(AT_FDCWD, bad, AT_FDCWD, OBJECT, flags[i]));
		SAYS(renameat2(AT_FDCWD, OBJECT "-not", AT_FDCWD, bad, flags[i]));
		SAYS(renameat2(AT_FDCWD, "/dev/shm", AT_FDCWD, bad, flags[i]));
		SAYS(renameat2(AT_FDCWD, bad, AT_FDCWD, bad, flags[i]));
	}
	SAYS(rename(OBJECT, bad));
	SAYS(rename(bad, OBJECT));
	SAYS(renameat(AT_FDCWD, OBJECT, AT_FDCWD, bad));
	SAYS(linkat(AT_FDCWD, OBJECT, AT_FDCWD, bad, 0x8000));
	SAYS(linkat(AT_FDCWD, bad, AT_FDCWD, OBJECT "-not", 0x8000));
	SAYS(link(OBJECT, bad));
	SAYS(unlink(bad));
	SAYS(unlinkat(AT_FDCWD, bad, 0x8000));
	SAYS(remove(bad));
	SAYS(memfd_create(bad, 0x8000));
	SAYS(memfd_create(bad, 0));
	SAYS((int)syscall(SYS_memfd_create, bad, 0x8000));
	SAYS(open(bad, O_RDONLY));
	SAYS(open(bad, O_TMPFILE | O_RDONLY, 0600));
	SAYS(open(bad, O_CREAT | O_RDWR, 0600));
	SAYS(openat(AT_FDCWD, bad, O_TMPFILE | O_RDONLY, 0600));
	SAYS(openat(-1, bad, O_CREAT | O_DIRECTORY | O_RDWR, 0600));
	SAYS(creat(bad, 0600));
	SAYS(fopen(bad, "no mode") ? 0 : -1);
	SAYS(fopen(bad, "w") ? 0 : -1);
	SAYS(mknod(bad, S_IFREG | 0600, 0));
	SAYS(mknodat(AT_FDCWD, bad, S_IFREG | 0600, 0));
	SAYS(chmod(bad, 0600));
	SAYS(fchmodat(AT_FDCWD, bad, 0600, 0x8000));
	SAYS(chown(bad, (uid_t)-1, (gid_t)-1));
	SAYS(fchownat(AT_FDCWD, bad, (uid_t)-1, (gid_t)-1, 0x8000));
	SAYS(truncate(bad, -1));
	SAYS(truncate(bad, 0));
}

/* Without these nothing would be recorded of the object, nor a failed rename of it. */
static void readable(void)
{
	SAYS(renameat2(AT_FDCWD, OBJECT, AT_FDCWD, OBJECT "-other", 8));
	SAYS(renameat2(AT_FDCWD, OBJECT "-other", AT_FDCWD, OBJECT, RENAME_NOREPLACE | RENAME_EXCHANGE));
	SAYS(open(OBJECT, O_TMPFILE | O_RDONLY, 0600));
	SAYS(memfd_create("hostile", 0x8000));
}

int main(int count, char **arguments)
{
	char *page = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int fd = open(OBJECT, O_CREAT | O_RDWR, 0600);

	must(fd >= 0 && ftruncate(fd, PAGE) == 0 && page != MAP_FAILED && munmap(page + PAGE, PAGE) == 0, "prepare");
	use(fd);
	memset(page, 'a', PAGE);
	memcpy(page + PAGE - 12, "/dev/shm/tor", 12);
	if (count > 1 && strcmp(arguments[1], "filtered") == 0)
		refuse_names();
	const char *bad[] = {(const char *)1, NULL, (const char *)-1, page + PAGE - 12};
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		names(bad[i]);
	readable();
	return 0;
}
