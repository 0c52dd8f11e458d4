/* A function's name as a person wrote it. */
#ifndef SHMGUARD_SYMBOLS_NAME_H
#define SHMGUARD_SYMBOLS_NAME_H

/*
 * Without symbol version, C++ and Rust demangled, and without what a compiler appends to the name of a copy that it made of
 * the function, or of a part: debug information has none of that. To be freed by the caller.
 */
char *symbols_name(const char *raw);

/* The same with what was appended. */
char *symbols_name_whole(const char *raw);

/*
 * symbols_name() of a symbol of C++ if that is the function which the source calls so, without its scope and parameters, as
 * debug information does where nobody outside of the file can call it; NULL: it is not. To be freed by the caller.
 */
char *symbols_name_of(const char *raw, const char *source);

#endif
