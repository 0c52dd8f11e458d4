/* Reports to be compared: of a recording, or one kept as JSON, which may have come from anywhere. */
#ifndef SHMGUARD_KEPT_REPORT_H
#define SHMGUARD_KEPT_REPORT_H

#include <jansson.h>

/* As JSON, with all that a comparison needs of the findings; NULL: stderr was told. */
json_t *kept_report_read(const char *path);

#endif
