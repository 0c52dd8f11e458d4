/* What two reports in JSON, shmguard-report/1, differ in: by the fingerprints of their findings. */
#ifndef SHMGUARD_DIFFERENCE_H
#define SHMGUARD_DIFFERENCE_H

#include <jansson.h>
#include <stdbool.h>

struct difference {
	json_t *fresh, *fixed, *changed; /* arrays; changed of {before, after} */
	json_t *hidden;                  /* of {finding, missing_in, by} */
};

/* The arrays are the caller's. Occurrences of one place that a grouped report has apart are added up in the reports. */
struct difference difference_of(const json_t *before, const json_t *after);

/* A number of a finding; 0 if it has none. */
json_int_t difference_number(const json_t *finding, const char *field);
/* Calls are missing that could have changed the verdict, of all its occurrences. */
bool difference_is_uncertain(const json_t *finding);

#endif
