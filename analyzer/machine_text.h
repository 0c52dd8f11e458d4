/* An object of the machine in words and numbers for people and programs; what ls, clean and top share. */
#ifndef SHMGUARD_MACHINE_TEXT_H
#define SHMGUARD_MACHINE_TEXT_H

#include <jansson.h>

#include "analyzer/machine.h"

/* All texts returned are harmless on a terminal and to be freed by the caller. */

/* "4.0K", at most five columns */
char *machine_text_size(uint64_t bytes);
/* "12s", "5m", "3h", "9d" between two times; "-" if the first is 0 */
char *machine_text_age(int64_t since, int64_t now);
/* The user's name, or the number of one without. */
char *machine_text_user(uid_t uid);
/* As the table calls it: its name, on another /dev/shm than ours the path that leads to it. */
char *machine_text_name(const struct machine_object *object);
/* "python3": the last part of exe, else comm. */
char *machine_text_program(const struct machine_process *process);
/* "812 python3, 813 python3, 2 more": at most `most` of those that hold it. */
char *machine_text_holders(const struct machine_object *object, size_t most);

/* Does a pattern of fnmatch(3), with or without the leading slash, match the name? */
bool machine_matches(const struct machine_object *object, const char *glob);

/* "90", "90s", "10m", "2h", "1d" in nanoseconds. */
bool machine_age(const char *text, int64_t *age);

/* As in tests/ls.schema.json. */
json_t *machine_json_object(const struct machine_object *object);
/* "seen": what was looked at and what could not be. */
json_t *machine_json_seen(const struct machine *machine);
json_t *machine_json_file_systems(const struct machine *machine);

#endif
