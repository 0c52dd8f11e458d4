/* What the forms that are JSON share. */
#ifndef SHMGUARD_REPORT_JSON_H
#define SHMGUARD_REPORT_JSON_H

#include <jansson.h>
#include <stdint.h>

#include "analyzer/report_cast.h"

/* A string of any bytes; null for NULL. */
json_t *json_of_text(const char *bytes);
/* Counters beyond what JSON readers take for an integer do not occur in a sound trace: they are cut. */
json_t *json_of_number(uint64_t value);
/* Where a finding was recorded; NULL if the report is of one recording alone. */
json_t *json_recordings(const struct report *report, const struct finding *finding);
/* The filters that were given, by the names of their options; what lines of suppressions hid, and those of no use. */
json_t *json_selection(const struct report *report);
json_t *json_suppressions(const struct report *report);
/* report_untold.c: what is said, in words, of what is not shown, and why nothing was found. */
json_t *json_untold(const struct report *report);

/* shmguard-report/1, with no more than `most` of the findings, and those processes. */
json_t *report_as_json(const struct report *report, size_t most, const struct cast *cast);

#endif
