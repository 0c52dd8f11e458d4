/* Whether a program lets itself be guarded: its file, its interpreters, its image. */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "analyzer/doctor.h"
#include "analyzer/loader.h"
#include "analyzer/memory.h"
#include "analyzer/program.h"

static const struct suspect_step *last_step(const struct suspect *suspect)
{
	return &suspect->steps[suspect->step_count - 1];
}

/* Has the way led to an image that can be read? */
static bool has_image(const struct surroundings *at)
{
	return at->suspect->fd >= 0 && at->suspect->image.elf;
}

static bool ends_in_return(const char *path)
{
	return *path && path[strlen(path) - 1] == '\r';
}

enum fitness doctor_command(const struct surroundings *at, struct answer *answer)
{
	const struct suspect_step *step = &at->suspect->steps[0];
	struct stat status;
	char *quoted;

	doctor_words(answer, "path", step->path);
	if (!step->error && at->suspect->fd < 0 && at->suspect->step_count == 1 && access(step->path, R_OK))
		return doctor_found(answer, FITNESS_warn, "%s may be executed but not read: what it is is not known",
				    step->path);
	if (!step->error)
		return doctor_found(answer, FITNESS_ok, "%s", step->path);
	if (!stat(step->path, &status) && S_ISREG(status.st_mode) && !(status.st_mode & 0111)) {
		quoted = doctor_quote(step->path);
		answer->change = memory_format("chmod +x %s", quoted);
		free(quoted);
	}
	return doctor_found(answer, FITNESS_bad, "%s: %s", step->path, strerror(step->error));
}

/* "/bin/sh -> dash" of what follows the command. */
static char *interpreter_way(const struct suspect *suspect)
{
	char *way = memory_text("");

	for (size_t i = 1; i < suspect->step_count; i++) {
		char *longer = memory_format("%s%s%s", way, i > 1 ? ", by it " : "", suspect->steps[i].path);

		free(way);
		way = longer;
	}
	return way;
}

static enum fitness interpreter_missing(const struct suspect *suspect, struct answer *answer)
{
	const struct suspect_step *step = last_step(suspect), *by = step - 1;

	if (ends_in_return(step->path)) {
		char *quoted = doctor_quote(by->path);

		answer->change = memory_format("sed -i 's/\\r$//' %s", quoted);
		free(quoted);
	}
	return doctor_found(answer, FITNESS_bad, "%s, which %s names: %s%s", step->path, by->path,
			    strerror(step->error), answer->change ? " (the line ends in a carriage return)" : "");
}

enum fitness doctor_interpreter(const struct surroundings *at, struct answer *answer)
{
	const struct suspect *suspect = at->suspect;
	enum fitness fitness = FITNESS_ok;
	char *way;

	if (suspect->steps[0].error || (suspect->fd < 0 && suspect->step_count == 1))
		return FITNESS_aside;
	answer->values = json_pack("{s:[]}", "interpreters");
	for (size_t i = 1; i < suspect->step_count; i++) {
		struct answer step = {0};

		doctor_words(&step, "path", suspect->steps[i].path);
		json_array_append(json_object_get(answer->values, "interpreters"),
				  json_object_get(step.values, "path"));
		json_decref(step.values);
	}
	if (suspect->too_deep)
		return doctor_found(answer, FITNESS_bad, "interpreters of interpreters, more than the kernel follows");
	if (suspect->step_count == 1)
		return doctor_found(answer, FITNESS_ok, "none, it is no script");
	if (last_step(suspect)->error)
		return interpreter_missing(suspect, answer);
	way = interpreter_way(suspect);
	doctor_found(answer, fitness, "%s%s", way, suspect->by_shell ? ", as it has no first line that names one" : "");
	free(way);
	return fitness;
}

enum fitness doctor_class(const struct surroundings *at, struct answer *answer)
{
	const struct image *image = &at->suspect->image;

	if (!has_image(at))
		return FITNESS_aside;
	doctor_value(answer, "bits", (uint64_t)image->bits);
	if (!image->bits)
		return doctor_found(answer, FITNESS_bad, "ELF, but its header is cut short");
	doctor_words(answer, "machine", image->machine);
	return doctor_found(answer, image->own ? FITNESS_ok : FITNESS_bad, "ELF, %d bits, %s%s", image->bits,
			    image->machine, image->own ? "" : ": the library is for another");
}

enum fitness doctor_linkage(const struct surroundings *at, struct answer *answer)
{
	const struct image *image = &at->suspect->image;
	const char *name = strrchr(image->loader, '/');

	if (!has_image(at) || !image->bits)
		return FITNESS_aside;
	doctor_truth(answer, "static", !image->loaded && !loader_is(image));
	if (!image->whole)
		return doctor_found(answer, FITNESS_bad, "its headers are cut short");
	if (loader_is(image))
		return doctor_found(answer, FITNESS_ok, "the dynamic loader itself");
	if (!image->loaded)
		return doctor_found(answer, FITNESS_bad, "static");
	doctor_words(answer, "loader", image->loader);
	if (access(image->loader, F_OK))
		return doctor_found(answer, FITNESS_bad, "dynamic, but its loader %s is not here", image->loader);
	if (name && !strncmp(name, "/ld-musl", 8))
		return doctor_found(answer, FITNESS_bad, "dynamic, with another C library: %s", image->loader);
	return doctor_found(answer, FITNESS_ok, "dynamic, loaded by %s", image->loader);
}

/* A copy has neither set-id bits nor file capabilities. */
static void copy_change(const struct surroundings *at, struct answer *answer)
{
	const char *path = last_step(at->suspect)->path, *name = strrchr(path, '/');
	char *from = doctor_quote(path), *target = memory_format("/tmp/%s", name ? name + 1 : path),
	     *to = doctor_quote(target);

	answer->change = memory_format("install -m 755 %s %s", from, to);
	free(target);
	free(from);
	free(to);
}

enum fitness doctor_set_id(const struct surroundings *at, struct answer *answer)
{
	struct stat status;
	char *why;

	if (!has_image(at) || fstat(at->suspect->fd, &status))
		return FITNESS_aside;
	doctor_truth(answer, "set_uid", status.st_mode & S_ISUID);
	doctor_truth(answer, "set_gid", (status.st_mode & (S_ISGID | S_IXGRP)) == (S_ISGID | S_IXGRP));
	why = program_set_id(at->suspect->fd, getuid(), getgid());
	if (!why)
		return doctor_found(answer, FITNESS_ok,
				    status.st_mode & (S_ISUID | S_ISGID) ? "its bit gains you nothing here" : "no");
	copy_change(at, answer);
	doctor_found(answer, FITNESS_bad, "%s", why);
	free(why);
	return FITNESS_bad;
}

enum fitness doctor_capabilities(const struct surroundings *at, struct answer *answer)
{
	char *why, *as_any;

	if (!has_image(at))
		return FITNESS_aside;
	why = program_capabilities(at->suspect->fd, getuid());
	as_any = program_capabilities(at->suspect->fd, (uid_t)-1);
	doctor_truth(answer, "capabilities", as_any != NULL);
	if (why)
		copy_change(at, answer);
	doctor_found(answer, FITNESS_ok, "%s", why ? why : as_any ? "it has some, which gain root nothing" : "none");
	free(as_any);
	free(why);
	return answer->change ? FITNESS_bad : FITNESS_ok;
}

enum fitness doctor_libraries(const struct surroundings *at, struct answer *answer)
{
	const struct image *image = &at->suspect->image;
	json_t *list;

	if (!has_image(at) || !image->loaded || !image->own)
		return FITNESS_aside;
	list = json_array();
	for (size_t i = 0; i < image->needed_count; i++) {
		struct answer library = {0};

		doctor_words(&library, "name", image->needed[i]);
		json_array_append(list, json_object_get(library.values, "name"));
		json_decref(library.values);
	}
	answer->values = json_pack("{s:o}", "needed", list);
	if (at->suspect->ld_so)
		return doctor_found(answer, FITNESS_bad, "not found: %s", at->suspect->ld_so);
	return doctor_found(answer, FITNESS_ok, "%zu, all found", image->needed_count);
}

enum fitness doctor_preload(const struct surroundings *at, struct answer *answer)
{
	const struct suspect *suspect = at->suspect;
	/* The loader is not asked about itself: what it is given is looked at. */
	bool preloads = suspect->preloads || loader_is(&suspect->image);
	char *why;

	if (suspect->fd < 0 || !suspect->image.whole)
		return FITNESS_aside;
	why = program_unseen(last_step(suspect)->path, "", getuid(), getgid(),
			     suspect->step_count == 1 ? suspect->words : NULL);
	doctor_truth(answer, "loads", preloads && !why);
	doctor_found(answer, FITNESS_ok, "%s%s",
		     why        ? "not loaded: "
		     : preloads ? "ld.so would load libshmguard.so"
				: "ld.so does not load libshmguard.so",
		     why ? why : "");
	if (!why)
		return preloads ? FITNESS_ok : FITNESS_bad;
	free(why);
	return FITNESS_bad;
}

enum fitness doctor_sanitizer(const struct surroundings *at, struct answer *answer)
{
	const struct image *image = &at->suspect->image;
	const char *options = getenv("ASAN_OPTIONS");
	bool told = options && strstr(options, "verify_asan_link_order=0");

	if (!has_image(at))
		return FITNESS_aside;
	if (image->sanitizer)
		doctor_words(answer, "sanitizer", image->sanitizer);
	if (!image->sanitizer)
		return doctor_found(answer, FITNESS_ok, "none");
	if (strcmp(image->sanitizer, "AddressSanitizer") != 0 || !image->sanitizer_shared || !image->asan_options)
		return doctor_found(answer, FITNESS_ok, "%s, %s", image->sanitizer,
				    image->sanitizer_shared ? "a library" : "linked into it");
	answer->change = memory_text("export ASAN_OPTIONS=${ASAN_OPTIONS:+$ASAN_OPTIONS:}verify_asan_link_order=0");
	return doctor_found(answer, told ? FITNESS_ok : FITNESS_bad, "%s, a library%s", image->sanitizer,
			    told ? ", told to let others come first" : " whose options the program has itself");
}
