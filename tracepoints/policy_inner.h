/* What the files that read a policy share. Only for policy_*.c. */
#ifndef SHMGUARD_POLICY_INNER_H
#define SHMGUARD_POLICY_INNER_H

#include <stddef.h>

#include "policy.h"

enum { POLICY_INCLUDES = POLICY_FILES - 1, POLICY_DEPTH = 8, POLICY_FILE_MAX = 1024 * 1024 };

/* Bytes of a text, or of a file by way of a buffer. */
struct source {
	const char *at, *end;
	int fd;      /* -1: all is there */
	int failure; /* errno of read(2), 0: none */
	char buffer[1024];
};

/* The reading of one text or file. */
struct parse {
	struct policy *policy;
	policy_error *error;
	void *context;
	const char *file;
	unsigned line;
	unsigned depth;
	struct parse *includer; /* NULL: the file was asked for */
	uint64_t dev, ino;      /* of the file */
	unsigned *includes;     /* of the file that was asked for, all levels together */
	bool failed;
	bool owed;                      /* the line that libinih has got came back neither as a key nor as an error */
	struct policy_section *section; /* NULL: [default], which begins with the first key */
	bool labelled;                  /* the section has a heading of its own, not [default] */
	struct source source;
};

/* Tells an error at the current line; its words are the texts up to NULL, joined. Always false. */
bool parse_tell(struct parse *parse, const char *hint, ...) __attribute__((sentinel));
/* "KEY takes WHAT, not 'VALUE'". Always false. */
bool parse_expected(struct parse *parse, const char *key, const char *what, const char *value, const char *hint);
/* A copy that lives as long as the policy; NULL and told when there is no room left. */
const char *parse_keep(struct parse *parse, const char *text, size_t length);
/* Reads what the source gives. False if there was any error. */
bool parse_source(struct parse *parse);

/* One key of a section: an action or a parameter. False and told if it cannot be. */
bool policy_set(struct parse *parse, struct policy_section *section, const char *key, char *value);

/* Opens a file that may hold a policy, in parse->source. False and told if it may not. */
bool policy_file_open(struct parse *parse, const char *path);
/* Reads another file from within one. */
bool policy_file_include(struct parse *parse, const char *path);

#endif
