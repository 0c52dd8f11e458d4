/* Reports to be compared: of a recording, or one kept as JSON, which may have come from anywhere. */
#ifndef SHMGUARD_KEPT_REPORT_H
#define SHMGUARD_KEPT_REPORT_H

#include <jansson.h>
#include <stdbool.h>

/* It is "-". */
bool kept_report_is_input(const char *path);
/* What messages call it. */
const char *kept_report_name(const char *path);

/* As JSON, with all that a comparison needs of the findings; NULL: stderr was told. */
json_t *kept_report_read(const char *path);

#endif
