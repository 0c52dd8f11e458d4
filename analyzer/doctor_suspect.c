/* Follows a command to the image that would run, and asks ld.so what it would load into it. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <signal.h>
#include <unistd.h>

#include "analyzer/doctor.h"
#include "analyzer/environment.h"
#include "analyzer/limited.h"
#include "analyzer/memory.h"
#include "analyzer/program.h"

/* As the kernel follows them, in one exec. */
enum { SCRIPTS_MAX = 5, LD_SO_SECONDS = 10 };

static struct suspect_step *suspect_step(struct suspect *suspect, const char *name)
{
	struct suspect_step *step = &suspect->steps[suspect->step_count++];

	/* A shell would look in PATH, the kernel looks in the working directory. */
	snprintf(step->path, sizeof(step->path), "%s%s", strchr(name, '/') ? "" : "./", name);
	step->error = program_find(step->path, (char[PATH_MAX]){0});
	return step;
}

static void suspect_find(struct suspect *suspect, const char *name)
{
	struct suspect_step *step = &suspect->steps[suspect->step_count++];

	step->error = program_find(name, step->path);
	if (step->error)
		snprintf(step->path, sizeof(step->path), "%s", name);
}

/*
 * The program that "#!/usr/bin/env NAME" or "#!/usr/bin/env -S NAME ARG..." means; false if none. Without -S the kernel
 * passes all that follows as one word.
 */
static bool suspect_env(char word[PROGRAM_SCRIPT_WORD], char name[PROGRAM_SCRIPT_WORD])
{
	if (*word && *word != '-') {
		snprintf(name, PROGRAM_SCRIPT_WORD, "%s", word);
		return true;
	}
	if (strncmp(word, "-S", 2) != 0)
		return false;
	for (const char *part = strtok(word + 2, " \t"); part; part = strtok(NULL, " \t")) {
		if (*part == '-' || strchr(part, '='))
			continue;
		snprintf(name, PROGRAM_SCRIPT_WORD, "%s", part);
		return true;
	}
	return false;
}

static bool suspect_is_env(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash && !strcmp(slash + 1, "env");
}

/* From the last step on to the next; false: it is the last. */
static bool suspect_next(struct suspect *suspect, int *scripts)
{
	struct suspect_step *step = &suspect->steps[suspect->step_count - 1];
	char interpreter[PATH_MAX], word[PROGRAM_SCRIPT_WORD], name[PROGRAM_SCRIPT_WORD];
	int fd;

	if (step->error)
		return false;
	fd = open(step->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return false;
	if (suspect->step_count < SUSPECT_STEPS - 1 && program_script(fd, interpreter, word)) {
		bool env = suspect_is_env(interpreter) && suspect_env(word, name);

		close(fd);
		suspect->too_deep = ++*scripts > SCRIPTS_MAX;
		if (suspect->too_deep || suspect_step(suspect, interpreter)->error)
			return false;
		if (env) {
			*scripts = 0;
			suspect_find(suspect, name);
		}
		return true;
	}
	suspect->image = image_read(fd);
	if (suspect->image.elf || suspect->by_shell || suspect->step_count == SUSPECT_STEPS) {
		suspect->fd = fd;
		return false;
	}
	close(fd);
	suspect->by_shell = true;
	suspect_step(suspect, "/bin/sh");
	return true;
}

struct question {
	const char *loader, *path, *library;
	int out;
};

/* Nothing of the program runs: ld.so prints what it would load, and ends. */
static int ld_so_ask(const void *context, char *error)
{
	const struct question *question = context;
	char *preload = memory_format("LD_PRELOAD=%s", question->library);

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	dup2(question->out, STDOUT_FILENO);
	dup2(question->out, STDERR_FILENO);
	putenv(preload);
	setenv("LD_TRACE_LOADED_OBJECTS", "1", 1);
	unsetenv("LD_DEBUG");
	execl(question->loader, question->loader, question->path, (char *)NULL);
	snprintf(error, LIMITED_TEXT, "%s: %s", question->loader, strerror(errno));
	return 126;
}

/* "	libm.so.6 => /lib/libm.so.6 (0x7f...)", "	/build/libshmguard.so (0x7f...)", "	libx.so => not found" */
static void ld_so_line(struct suspect *suspect, const char *library, char *line)
{
	size_t length = strlen(library);
	char *missing, *longer;

	line += strspn(line, "\t ");
	line[strcspn(line, "\n")] = '\0';
	if (!strncmp(line, library, length) && line[length] == ' ')
		suspect->preloads = true;
	missing = strstr(line, "not found");
	if (!missing)
		return;
	if (strstr(line, " => "))
		*strstr(line, " => ") = '\0';
	longer = memory_format("%s%s%s", suspect->ld_so ? suspect->ld_so : "", suspect->ld_so ? ", " : "", line);
	free(suspect->ld_so);
	suspect->ld_so = longer;
}

static bool ld_so_is_ours(const char *loader)
{
	char *theirs = realpath(loader, NULL), *ours = realpath(image_own_loader(), NULL);
	bool same = theirs && ours && !strcmp(theirs, ours);

	free(theirs);
	free(ours);
	return same;
}

/* A loader that only the program names may be anything: that one is not run. */
static void suspect_ask(struct suspect *suspect)
{
	char library[PATH_MAX], provider[PATH_MAX], error[LIMITED_TEXT], *problem = NULL, *line = NULL;
	const char *path = suspect->steps[suspect->step_count - 1].path;
	size_t room = 0;
	FILE *file;
	int out;

	if (!suspect->image.own || !suspect->image.whole || !suspect->image.loaded ||
	    !ld_so_is_ours(suspect->image.loader))
		return;
	if (environment_find_libraries(library, provider, &problem)) {
		free(problem);
		return;
	}
	out = memfd_create("ld.so", MFD_CLOEXEC);
	limited(LD_SO_SECONDS, ld_so_ask, &(struct question){suspect->image.loader, path, library, out}, error);
	lseek(out, 0, SEEK_SET);
	file = fdopen(out, "r");
	while (file && getline(&line, &room, file) > 0)
		ld_so_line(suspect, library, line);
	free(line);
	if (file)
		fclose(file);
}

struct suspect *doctor_suspect(char *const *command)
{
	struct suspect *suspect = memory_new(1, sizeof(*suspect));
	int scripts = 0;

	suspect->words = command;
	suspect->fd = -1;
	suspect_find(suspect, command[0]);
	while (suspect_next(suspect, &scripts))
		;
	if (suspect->fd >= 0)
		suspect_ask(suspect);
	return suspect;
}

void doctor_suspect_free(struct suspect *suspect)
{
	if (!suspect)
		return;
	if (suspect->fd >= 0)
		close(suspect->fd);
	image_free(&suspect->image);
	free(suspect->ld_so);
	free(suspect);
}
