#include "analyzer/cmd_status.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "analyzer/escape.h"
#include "analyzer/exe.h"
#include "analyzer/image.h"
#include "analyzer/living.h"
#include "analyzer/memory.h"
#include "tracepoints/environment.h"

enum { GUARDED = 0, NOT_GUARDED = 1, USAGE = 2, CANNOT_TELL = 3 };

static void put(const char *text)
{
	char *escaped = escape_terminal(text);

	fputs(escaped, stdout);
	free(escaped);
}

static int cannot_tell(const char *pid, const char *why)
{
	fprintf(stderr, "shmguard: whether process %s is guarded cannot be told: %s\n", pid, why);
	return CANNOT_TELL;
}

static FILE *process_file(int process, const char *name)
{
	int fd = openat(process, name, O_RDONLY | O_CLOEXEC);

	return fd < 0 ? NULL : fdopen(fd, "r");
}

static bool is_named(const char *path)
{
	return strncmp(strrchr(path, '/') + 1, LIBRARY_PRELOAD, strlen(LIBRARY_PRELOAD)) == 0;
}

/* Of a file that may be called otherwise: below the process's root, where another may have its name by now. */
static bool is_library(int process, const char *path, ino_t inode)
{
	char *below = memory_format("root%s", path);
	int fd = openat(process, below, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	struct image image = {0};
	struct stat st;
	bool is;

	free(below);
	if (fd < 0)
		return false;
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_ino == inode)
		image = image_read(fd);
	close(fd);
	is = image.soname && strcmp(image.soname, LIBRARY_PRELOAD) == 0;
	image_free(&image);
	return is;
}

/* *library: its path, to be freed, or NULL. False: errno, or 0 where nothing is mapped at all. */
static bool find_library(int process, char **library)
{
	FILE *maps = process_file(process, "maps");
	char *line = NULL, *path, rights[8];
	unsigned long inode;
	size_t room = 0;
	bool any = false;

	*library = NULL;
	if (!maps)
		return false;
	while (!*library && getline(&line, &room, maps) > 0) {
		any = true;
		line[strcspn(line, "\n")] = '\0';
		path = strchr(line, '/');
		if (!path || sscanf(line, "%*s %7s %*s %*s %lu", rights, &inode) != 2 || !strchr(rights, 'x'))
			continue;
		if (is_named(path) || is_library(process, path, inode))
			*library = memory_text(path);
	}
	errno = any ? 0 : ferror(maps) ? errno : 0;
	free(line);
	fclose(maps);
	return any;
}

/* The value of a variable of the environment that the process was started with, to be freed; NULL: none. */
static char *variable(FILE *environment, const char *name)
{
	size_t length = strlen(name), room = 0;
	char *entry = NULL, *value = NULL;

	rewind(environment);
	while (!value && getdelim(&entry, &room, '\0', environment) > 0)
		if (strncmp(entry, name, length) == 0 && entry[length] == '=')
			value = memory_text(entry + length + 1);
	free(entry);
	return value;
}

static int64_t nanoseconds(const struct timespec *time)
{
	return (int64_t)time->tv_sec * 1000000000 + time->tv_nsec;
}

/* Seconds since 1970 at which the process started; 0: unknown. */
static time_t started(const char *pid)
{
	char *path = memory_format("/proc/%s/stat", pid), text[1024] = "", *behind;
	FILE *file = fopen(path, "re");
	struct timespec boot, now;
	unsigned long long ticks = 0;

	free(path);
	if (!file)
		return 0;
	text[fread(text, 1, sizeof(text) - 1, file)] = '\0';
	fclose(file);
	/* The command's name, in parentheses, may hold anything. */
	behind = strrchr(text, ')');
	for (int field = 2; behind && field < 22; field++)
		behind = strchr(behind + 1, ' ');
	if (!behind || sscanf(behind, "%llu", &ticks) != 1)
		return 0;
	clock_gettime(CLOCK_BOOTTIME, &boot);
	clock_gettime(CLOCK_REALTIME, &now);
	/* Whole seconds of each would add up to another one from call to call. */
	return (nanoseconds(&now) - nanoseconds(&boot) +
		(int64_t)(ticks * (1000000000u / (unsigned long long)sysconf(_SC_CLK_TCK)))) /
	       1000000000;
}

static void put_since(const char *pid)
{
	time_t since = started(pid);
	char text[64];
	struct tm tm;

	if (since && localtime_r(&since, &tm) && strftime(text, sizeof(text), "%F %T %z", &tm))
		printf("since    %s, when the process started\n", text);
}

static void put_variable(const char *label, const char *value, const char *otherwise)
{
	printf("%-8s ", label);
	put(value ? value : otherwise);
	putchar('\n');
}

static int put_policy(int process, const char *pid, const char *library)
{
	FILE *environment = process_file(process, "environ");
	char *profile, *policy, *recording, *preload;
	int result = GUARDED;

	if (!environment)
		return cannot_tell(pid, strerror(errno));
	profile = variable(environment, ENVIRONMENT_PROFILE);
	policy = variable(environment, ENVIRONMENT_POLICY);
	recording = variable(environment, ENVIRONMENT_RECORDING);
	preload = variable(environment, "LD_PRELOAD");
	if (preload && !profile && !policy && !recording) {
		fputs("guarded  no: ", stdout);
		put(library);
		puts(" is loaded, but neither a profile nor a policy nor a recording was asked for");
		result = NOT_GUARDED;
	} else {
		fputs("guarded  by ", stdout);
		put(library);
		putchar('\n');
		/* Programs that change their title write over it. */
		if (!preload && !profile && !policy) {
			puts("policy   unknown: the process has overwritten its environment, or was never told any");
		} else {
			put_variable("profile", profile, "observe");
			put_variable("policy", policy, "none");
		}
		if (recording)
			put_variable("recorded", recording, "");
	}
	free(profile);
	free(policy);
	free(recording);
	free(preload);
	fclose(environment);
	return result;
}

static int put_status(int process, const char *pid)
{
	char *exe, *library;
	int result;

	if (!find_library(process, &library)) {
		if (errno == ENOENT || errno == ESRCH)
			return cannot_tell(pid, "there is no such process");
		return cannot_tell(pid, errno ? strerror(errno) : "it is a thread of the kernel, or has ended");
	}
	exe = exe_path(process, "exe");
	printf("process  %s ", pid);
	put(exe ? exe : "");
	putchar('\n');
	free(exe);
	if (!library) {
		puts("guarded  no");
		return NOT_GUARDED;
	}
	result = put_policy(process, pid, library);
	put_since(pid);
	free(library);
	return result;
}

static int status_of(const char *pid)
{
	int proc, process, result;

	if (!*pid || pid[strspn(pid, "0123456789")] || strlen(pid) > 10) {
		fputs("shmguard: status takes the number of a process\n", stderr);
		return USAGE;
	}
	proc = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (proc < 0)
		return cannot_tell(pid, "/proc: cannot be opened");
	process = living_open(proc, pid);
	close(proc);
	if (process < 0)
		return cannot_tell(pid, errno == ENOENT ? "there is no such process" : strerror(errno));
	result = put_status(process, pid);
	close(process);
	return result;
}

static int usage(FILE *out, int result)
{
	fputs("usage: shmguard status PID\n"
	      "Tells whether a process is guarded, by which profile and policy, and since when.\n"
	      "Exit status: 0 guarded; 1 not guarded; 2 wrong usage; 3 it cannot be told.\n",
	      out);
	return result;
}

int cmd_status(int argc, char **argv)
{
	if (argc == 2 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0))
		return usage(stdout, GUARDED);
	if (argc != 2)
		return usage(stderr, USAGE);
	return status_of(argv[1]);
}
