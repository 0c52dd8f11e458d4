#include "analyzer/policy_load.h"

#include <stdio.h>
#include <stdlib.h>

#include "analyzer/escape.h"
#include "analyzer/memory.h"
#include "tracepoints/words.h"

/* What is wrong with a policy. */
struct errors {
	bool first_alone;
	unsigned count;
	char *first;
};

static void tell(void *context, const char *file, unsigned line, const char *what, const char *hint)
{
	struct errors *errors = context;
	char number[16] = "";

	if (errors->count++ && errors->first_alone)
		return;
	char *where = escape_terminal(file), *words = escape_terminal(what);
	if (line)
		snprintf(number, sizeof(number), "%u:", line);
	char *told = memory_format("shmguard: %s:%s %s%s%s%s", where, number, words, hint ? "; did you mean '" : "",
				   hint ? hint : "", hint ? "'?" : "");
	free(where);
	free(words);
	if (errors->first_alone) {
		errors->first = told;
		return;
	}
	fprintf(stderr, "%s\n", told);
	free(told);
}

static struct policy *load(const char *profile, const char *file, struct errors *errors)
{
	struct policy *policy = memory_new(1, sizeof(*policy));
	bool good = true;

	if (profile)
		good = policy_add_profile(policy, profile, tell, errors);
	if (file)
		good = policy_add_file(policy, file, tell, errors) && good;
	if (good)
		return policy;
	free(policy);
	return NULL;
}

struct policy *policy_load(const char *profile, const char *file)
{
	return load(profile, file, &(struct errors){0});
}

struct policy *policy_load_to_run(const char *profile, const char *file)
{
	struct errors errors = {.first_alone = true};
	struct policy *policy = load(profile, file, &errors);
	char *name = escape_terminal(file);

	if (errors.count > 1)
		fprintf(stderr, "%s (and %u more: `shmguard policy check %s`)\n", errors.first, errors.count - 1, name);
	else if (errors.count)
		fprintf(stderr, "%s\n", errors.first);
	free(errors.first);
	free(name);
	return policy;
}

bool policy_load_known(const char *profile)
{
	struct nearest nearest = nearest_to(profile);
	const char *name;
	char *given;

	if (policy_profile_text(profile))
		return true;
	for (size_t i = 0; (name = policy_profile_name(i)); i++)
		nearest_try(&nearest, name);
	given = escape_terminal(profile);
	fprintf(stderr, "shmguard: there is no profile '%s'; ", given);
	if (nearest_found(&nearest))
		fprintf(stderr, "did you mean '%s'?\n", nearest_found(&nearest));
	else
		fputs("there are observe, safe and strict\n", stderr);
	free(given);
	return false;
}
