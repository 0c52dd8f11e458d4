/* Work that may block for ever, such as a request to a daemon, done in a child process under a time limit. */
#ifndef SHMGUARD_LIMITED_H
#define SHMGUARD_LIMITED_H

#define LIMITED_TEXT 512 /* bytes of an error text */

/*
 * Runs work(context, error) in a child and returns what it returned (0 to 125), with what it wrote to `error`
 * (LIMITED_TEXT bytes). When it took more than `seconds` it is killed and -1 returned, -2 when it died.
 */
int limited(int seconds, int (*work)(const void *context, char *error), const void *context, char *error);

#endif
