/* A function's name as a person wrote it. */
#ifndef SHMGUARD_SYMBOLS_NAME_H
#define SHMGUARD_SYMBOLS_NAME_H

/* Without symbol version, C++ and Rust demangled; to be freed by the caller. */
char *symbols_name(const char *raw);

#endif
