/* shmguard clean: which objects are ghosts, why, and their removal. */
#include "analyzer/cmd_clean.h"

#include <fnmatch.h>
#include <getopt.h>
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "analyzer/cleaner.h"
#include "analyzer/escape.h"
#include "analyzer/machine_text.h"
#include "analyzer/memory.h"
#include "analyzer/refused.h"
#include "analyzer/terminal.h"

enum { EXIT_DONE, EXIT_SPARED, EXIT_USAGE, EXIT_CANNOT };
enum {
	OPTION_yes = 0x100,
	OPTION_older,
	OPTION_zero,
	OPTION_keep,
	OPTION_force,
	OPTION_all,
	OPTION_below,
	OPTION_show_keep
};

static const struct option_row rows[] = {
	{"yes", OPTION_yes, NULL, "remove them; without it they are only shown"},
	{"older", OPTION_older, "AGE",
	 "only what was last touched so long ago: seconds, or 10m, 2h, 1d; 60 without it"},
	{"zero", OPTION_zero, NULL, "wipe each before; what cannot be wiped is not removed"},
	{"keep", OPTION_keep, "GLOB", "keep objects of which the name matches; can be repeated"},
	{"force", OPTION_force, NULL, "even if there are processes that cannot be seen"},
	{"all", OPTION_all, NULL, "other users' objects as well; only for root"},
	{"below", OPTION_below, "DIR", "the files right in /dev/shm/DIR, instead of those on its top"},
	{"show-keep", OPTION_show_keep, NULL, "print which names are kept by design, and why"},
	{NULL, 0, NULL, NULL},
};

const struct option_table clean_option_table = {
	"clean", "",
	"Show, or with --yes remove, the ghosts on /dev/shm: named objects that no process has open or mapped.", rows,
	"The kernel itself confirms with a lease that nobody uses an object before its name goes; one that is "
	"attached "
	"meanwhile stays. Ghosts in directories are removed where --below names theirs; those on other file systems, "
	"in "
	"other mount namespaces, and System V segments are only told of.\n"
	"Exit status: 0 done; 1 a ghost could not be removed; 2 wrong usage; 3 refused, or nothing could be looked "
	"at."};

struct cleaning {
	bool yes, zero, force, all;
	int64_t older;
	char *below; /* "/dir", NULL: the top */
	char **keep;
	size_t keep_count;
	struct machine *machine;
	const struct machine_object **ghosts;
	size_t count;
	struct terminal terminal;
};

/* Frees the line. */
static void cleaning_say(const struct cleaning *cleaning, enum ink ink, char *line)
{
	terminal_paragraph(&cleaning->terminal, ink, line, 0, 2);
	free(line);
}

static int cleaning_show_keep(const struct cleaning *cleaning)
{
	printf("%-20s  %-16s  %s\n", "NAME", "WHILE THERE RUNS", "WHY");
	for (const struct machine_keep *keep = machine_keeps; keep->glob; keep++)
		printf("%-20s  %-16s  %s\n", keep->glob, keep->process ? keep->process : "-", keep->why);
	for (size_t i = 0; i < cleaning->keep_count; i++) {
		char *safe = escape_terminal(cleaning->keep[i]);

		printf("%-20s  %-16s  %s\n", safe, "-", "--keep");
		free(safe);
	}
	return EXIT_DONE;
}

/* "/x (shm, 4.0K, of root, touched 3h ago)" */
static char *cleaning_object(const struct cleaning *cleaning, const struct machine_object *object)
{
	char *name = machine_text_name(object), *size = machine_text_size(object->allocated);
	char *user = machine_text_user(object->uid), *age = machine_text_age(object->touched, cleaning->machine->when);
	char *line = memory_format("%s (%s, %s, of %s, touched %s ago)", name, machine_kind_names[object->kind], size,
				   user, age);

	free(name);
	free(size);
	free(user);
	free(age);
	return line;
}

/* Why an object that nobody holds is not to be removed; for free(3), NULL: it is a ghost. */
static char *cleaning_spared(const struct cleaning *cleaning, const struct machine_object *object)
{
	if (object->uid != geteuid() && !cleaning->all)
		return memory_text("it is another user's; root's --all");
	for (size_t i = 0; i < cleaning->keep_count; i++)
		if (machine_matches(object, cleaning->keep[i]))
			return memory_text("--keep");
	if (object->kept)
		return memory_text(object->kept);
	if (cleaning->machine->when - object->touched < cleaning->older)
		return memory_text("that is too recent: --older");
	return NULL;
}

static bool cleaning_takes(const void *context, const struct machine_object *object)
{
	char *spared = cleaning_spared(context, object);

	free(spared);
	return spared == NULL;
}

static void cleaning_refuse(const struct cleaning *cleaning)
{
	refused_tell(cleaning->machine, cleaning->below, cleaning_takes, cleaning, &cleaning->terminal);
}

static void cleaning_select(struct cleaning *cleaning)
{
	const struct machine *machine = cleaning->machine;

	cleaning->ghosts = memory_new(machine->count, sizeof(struct machine_object *));
	for (size_t i = 0; i < machine->count; i++) {
		const struct machine_object *object = machine->objects[i];
		char *spared, *line;

		if (!refused_lies(object, cleaning->below) || object->holder_count)
			continue;
		spared = cleaning_spared(cleaning, object);
		if (!spared) {
			cleaning->ghosts[cleaning->count++] = object;
			continue;
		}
		line = cleaning_object(cleaning, object);
		cleaning_say(cleaning, INK_faint, memory_format("keeps %s: %s", line, spared));
		free(line);
		free(spared);
	}
}

/* Segments are their own namespace and have their own tool. */
static void cleaning_explain_sysv(const struct cleaning *cleaning)
{
	for (size_t i = 0; i < cleaning->machine->count; i++) {
		const struct machine_object *object = cleaning->machine->objects[i];
		char *line;

		if (object->kind != MACHINE_sysv || !object->has_status || object->state != MACHINE_STATE_ghost ||
		    (object->uid != geteuid() && !cleaning->all))
			continue;
		line = cleaning_object(cleaning, object);
		cleaning_say(cleaning, INK_plain,
			     memory_format("System V, not removed here: %s; nobody has it attached: ipcrm -m %ju", line,
					   (uintmax_t)object->inode));
		free(line);
	}
}

/* Namespaces and hidepid hide processes whose number is not even known. Others are seen to be there: the lease sees them. */
static int cleaning_is_blind(const struct cleaning *cleaning)
{
	const struct machine *machine = cleaning->machine;
	const struct terminal errors = terminal_on(stderr);
	char *namespace_words = memory_text(""), *words;
	struct stat namespace;

	if (machine->inner_pid_namespace && !stat("/proc/self/ns/pid", &namespace)) {
		free(namespace_words);
		namespace_words = memory_format(" this is the pid namespace %ju, those outside of it are not listed;",
						(uintmax_t) namespace.st_ino);
	}
	words = memory_format(
		"shmguard: %snot all processes can be seen:%s%s %s", cleaning->force ? "--force, although " : "",
		machine->hidepid ? " /proc is mounted with hidepid, which leaves out those of other users;" : "",
		namespace_words,
		cleaning->force ? "the kernel's leases are relied on" : "they may use an object: --force goes on");
	if (machine->hidepid || machine->inner_pid_namespace)
		terminal_paragraph(&errors, INK_plain, words, 0, 2);
	free(words);
	free(namespace_words);
	if (!machine->hidepid && !machine->inner_pid_namespace)
		return 0;
	return cleaning->force ? 0 : EXIT_CANNOT;
}

static void cleaning_show(const struct cleaning *cleaning)
{
	uint64_t bytes = 0;
	char *size;

	for (size_t i = 0; i < cleaning->count; i++) {
		const struct machine_object *object = cleaning->ghosts[i];
		char *line = cleaning_object(cleaning, object);

		cleaning_say(cleaning, INK_plain,
			     memory_format("would remove %s: no process%s has it open or mapped", line,
					   object->incomplete ? " that can be seen" : ""));
		bytes += object->links > 1 ? 0 : object->allocated;
		free(line);
	}
	size = machine_text_size(bytes);
	cleaning_refuse(cleaning);
	if (cleaning->count)
		printf("\n%zu object%s, %s: --yes removes %s\n", cleaning->count, cleaning->count == 1 ? "" : "s", size,
		       cleaning->count == 1 ? "it" : "them");
	else
		puts("nothing to remove");
	free(size);
}

static uint64_t cleaning_tell(const struct cleaning *cleaning, const struct machine_object *object,
			      const struct cleaner_item *item)
{
	char *safe = escape_terminal(object->name);
	char *size = machine_text_size(item->freed);

	if (!item->removed)
		cleaning_say(cleaning, INK_warning, memory_format("kept %s: %s", safe, item->why));
	else if (item->links)
		cleaning_say(cleaning, INK_plain,
			     memory_format("removed %s: nothing freed, it has %" PRIu64 " more name%s", safe,
					   item->links, item->links == 1 ? "" : "s"));
	else
		cleaning_say(cleaning, INK_plain,
			     memory_format("removed %s: %s%s freed", safe, item->wiped ? "wiped, " : "", size));
	free(size);
	free(safe);
	return item->freed;
}

static int cleaning_remove(const struct cleaning *cleaning, struct cleaner *cleaner)
{
	struct cleaner_item *items = memory_new(cleaning->count, sizeof(*items));
	size_t removed = 0;
	uint64_t freed = 0;
	char *size;

	for (size_t i = 0; i < cleaning->count; i++)
		items[i] = (struct cleaner_item){.name = strrchr(cleaning->ghosts[i]->name, '/') + 1,
						 .device = cleaning->ghosts[i]->device,
						 .inode = cleaning->ghosts[i]->inode,
						 .touched = cleaning->ghosts[i]->touched,
						 .fd = -1};
	cleaner_remove(cleaner, items, cleaning->count, cleaning->zero);
	for (size_t i = 0; i < cleaning->count; i++) {
		freed += cleaning_tell(cleaning, cleaning->ghosts[i], &items[i]);
		removed += items[i].removed;
		free(items[i].why);
		free(items[i].aside);
	}
	free(items);
	size = machine_text_size(freed);
	printf("%zu object%s removed, %s freed\n", removed, removed == 1 ? "" : "s", size);
	free(size);
	return removed == cleaning->count ? EXIT_DONE : EXIT_SPARED;
}

static int cleaning_look(struct cleaning *cleaning)
{
	char *error = NULL;

	cleaning->machine = machine_look(0, cleaning->older, &error);
	if (cleaning->machine)
		return cleaning_is_blind(cleaning);
	fprintf(stderr, "shmguard: %s\n", error);
	free(error);
	return EXIT_CANNOT;
}

/* In turn with other cleaners, so that what one has aside is not missing for the other. */
static int cleaning_clean(struct cleaning *cleaning)
{
	struct cleaner cleaner;
	size_t stuck = 0, back;
	char *error = NULL, *path = memory_format("/dev/shm%s", cleaning->below ? cleaning->below : "");
	int result = cleaner_open(&cleaner, path, &error);

	free(path);
	if (result) {
		fprintf(stderr, "shmguard: %s\n", error);
		free(error);
		return EXIT_CANNOT;
	}
	back = cleaner_recover(&cleaner, &stuck);
	if (back || stuck)
		fprintf(stderr, "shmguard: a cleaner was killed: %zu of its names are back%s\n", back,
			stuck ? ", others are taken meanwhile and stay aside, in .shmguard-clean.*" : "");
	result = cleaning_look(cleaning);
	if (!result) {
		cleaning_select(cleaning);
		result = cleaning_remove(cleaning, &cleaner);
		cleaning_refuse(cleaning);
		cleaning_explain_sysv(cleaning);
	}
	cleaner_close(&cleaner);
	return result;
}

static int cleaning_run(struct cleaning *cleaning)
{
	struct rlimit files;
	int result;

	if (!getrlimit(RLIMIT_NOFILE, &files)) {
		files.rlim_cur = files.rlim_max;
		setrlimit(RLIMIT_NOFILE, &files);
	}
	if (cleaning->yes) {
		result = cleaning_clean(cleaning);
	} else if (!(result = cleaning_look(cleaning))) {
		cleaning_select(cleaning);
		cleaning_show(cleaning);
		cleaning_explain_sysv(cleaning);
	}
	free(cleaning->ghosts);
	machine_free(cleaning->machine);
	return result;
}

/* "/dir", however it was given. */
static bool cleaning_below(struct cleaning *cleaning, const char *given)
{
	size_t length;

	if (!strncmp(given, "/dev/shm/", 9))
		given += 9;
	given += strspn(given, "/");
	cleaning->below = memory_format("/%s", given);
	length = strlen(cleaning->below);
	while (length > 1 && cleaning->below[length - 1] == '/')
		cleaning->below[--length] = '\0';
	if (length > 1 && !strstr(cleaning->below, "/.."))
		return true;
	fputs("shmguard: --below takes a directory below /dev/shm\n", stderr);
	return false;
}

static bool cleaning_option(struct cleaning *cleaning, int option)
{
	switch (option) {
	case OPTION_yes:
		cleaning->yes = true;
		return true;
	case OPTION_zero:
		cleaning->zero = true;
		return true;
	case OPTION_force:
		cleaning->force = true;
		return true;
	case OPTION_all:
		cleaning->all = true;
		if (!geteuid())
			return true;
		fputs("shmguard: --all is for root: the objects of others are theirs\n", stderr);
		return false;
	case OPTION_older:
		if (machine_age(optarg, &cleaning->older))
			return true;
		fputs("shmguard: an age is a number of seconds, or 10m, 2h, 1d\n", stderr);
		return false;
	case OPTION_below:
		free(cleaning->below);
		return cleaning_below(cleaning, optarg);
	case OPTION_keep:
		cleaning->keep = memory_grow(cleaning->keep, cleaning->keep_count, sizeof(char *));
		cleaning->keep[cleaning->keep_count++] = optarg;
		return true;
	default:
		return true;
	}
}

int cmd_clean(int argc, char **argv)
{
	struct cleaning cleaning = {.older = MACHINE_RECENT, .terminal = terminal_on(stdout)};
	bool show_keep = false;
	int option, result;

	optind = 0;
	while ((option = options_next(&clean_option_table, argc, argv)) != OPTIONS_END) {
		if (option == OPTIONS_HELP)
			return EXIT_DONE;
		if (option == OPTIONS_BAD)
			return EXIT_USAGE;
		if (!cleaning_option(&cleaning, option))
			return options_usage(&clean_option_table, EXIT_USAGE);
		show_keep |= option == OPTION_show_keep;
	}
	if (argc != optind) {
		fputs("shmguard: clean takes no operand\n", stderr);
		return options_usage(&clean_option_table, EXIT_USAGE);
	}
	signal(SIGPIPE, SIG_IGN);
	result = show_keep ? cleaning_show_keep(&cleaning) : cleaning_run(&cleaning);
	free(cleaning.keep);
	free(cleaning.below);
	return result;
}
