/* The one place of the version: `shmguard --version`, recordings, the manual page and the Makefile take it from here. */
#ifndef SHMGUARD_VERSION_H
#define SHMGUARD_VERSION_H

#define SHMGUARD_VERSION "0.1.0"

#endif
