#include "analyzer/policy_load.h"

#include <stdio.h>
#include <stdlib.h>

#include "analyzer/escape.h"
#include "analyzer/memory.h"
#include "tracepoints/words.h"

static void tell(void *context, const char *file, unsigned line, const char *what, const char *hint)
{
	char *where = escape_terminal(file), *words = escape_terminal(what);

	(void)context;
	fprintf(stderr, "shmguard: %s:", where);
	if (line)
		fprintf(stderr, "%u:", line);
	fprintf(stderr, " %s", words);
	if (hint)
		fprintf(stderr, "; did you mean '%s'?", hint);
	fputc('\n', stderr);
	free(where);
	free(words);
}

struct policy *policy_load(const char *profile, const char *file)
{
	struct policy *policy = memory_new(1, sizeof(*policy));
	bool good = true;

	if (profile)
		good = policy_add_profile(policy, profile, tell, NULL);
	if (file)
		good = policy_add_file(policy, file, tell, NULL) && good;
	if (good)
		return policy;
	free(policy);
	return NULL;
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
