/* The side of a reading that meets the bytes of a trace, in a process of its own: see trace_child.h. */
#ifndef SHMGUARD_TRACE_READER_CHILD_H
#define SHMGUARD_TRACE_READER_CHILD_H

#include "trace_reader.h"
#include "trace_wire.h"

/* Reads all that lies below `dir`, and sends it, how it ended included. */
void trace_reader_child(const char *dir, const struct trace_scope *scope, struct wire_out *out);

#endif
