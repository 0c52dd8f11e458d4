/* What confines the program: filters and profiles that it inherits from us, or gets when it starts. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/apparmor.h"
#include "analyzer/doctor.h"
#include "analyzer/memory.h"

/* A line of /proc/self/status; -1: there is none. */
static int status_number(const char *name)
{
	FILE *file = fopen("/proc/self/status", "re");
	char line[256];
	int number = -1;

	while (file && fgets(line, sizeof(line), file))
		if (!strncmp(line, name, strlen(name)) && line[strlen(name)] == ':')
			number = atoi(line + strlen(name) + 1);
	if (file)
		fclose(file);
	return number;
}

enum fitness doctor_seccomp(const struct surroundings *at, struct answer *answer)
{
	int mode = status_number("Seccomp"), filters = status_number("Seccomp_filters");
	bool links = image_needs(&at->suspect->image, "libseccomp.so");

	if (at->suspect->fd < 0)
		return FITNESS_aside;
	doctor_value(answer, "mode", mode < 0 ? UINT64_MAX : (uint64_t)mode);
	doctor_truth(answer, "libseccomp", links);
	if (mode < 0)
		return doctor_found(answer, FITNESS_warn, "not known: /proc/self/status does not tell");
	if (mode)
		return doctor_found(answer, FITNESS_warn, "it inherits %d filter%s from you%s",
				    filters < 1 ? 1 : filters, filters > 1 ? "s" : "",
				    links ? ", and links libseccomp for its own" : "");
	if (links)
		return doctor_found(answer, FITNESS_warn, "it links libseccomp, so it may filter itself");
	return doctor_found(answer, FITNESS_ok, "no filter");
}

static enum fitness apparmor_answer(struct answer *answer, const char *what, const char *profile, const char *mode,
				    const char *path)
{
	bool enforce = !strcmp(mode, "enforce") || !strcmp(mode, "kill");

	doctor_words(answer, "profile", profile);
	doctor_words(answer, "mode", mode);
	if (enforce) {
		char *quoted = doctor_quote(path);

		answer->change = memory_format("aa-complain %s", quoted);
		free(quoted);
	}
	return doctor_found(answer, enforce ? FITNESS_warn : FITNESS_ok, "%s %s (%s)", what, profile, mode);
}

enum fitness doctor_apparmor(const struct surroundings *at, struct answer *answer)
{
	struct apparmor_profile own, attached;
	const char *path = at->suspect->steps[at->suspect->step_count - 1].path;
	enum fitness fitness = FITNESS_ok;

	if (at->suspect->fd < 0)
		return FITNESS_aside;
	own = apparmor_own();
	attached = apparmor_attached(path);
	if (attached.name)
		fitness = apparmor_answer(answer, "it gets the profile", attached.name, attached.mode, path);
	else if (own.name)
		fitness = apparmor_answer(answer, "it inherits from you the profile", own.name, own.mode, own.name);
	else if (attached.error && own.active)
		fitness = doctor_found(answer, FITNESS_warn, "in use; the profiles may not be read: %s",
				       strerror(attached.error));
	else
		doctor_found(answer, FITNESS_ok, own.active ? "no profile is for it" : "not in use here");
	apparmor_free(&own);
	apparmor_free(&attached);
	return fitness;
}
