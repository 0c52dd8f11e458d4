/* The one place of the version: `shmguard --version`, recordings and the manual page take it from here. */
#ifndef SHMGUARD_VERSION_H
#define SHMGUARD_VERSION_H

#define SHMGUARD_VERSION "0.1.0"

#endif
