#include "analyzer/symbols_name.h"

#include <libiberty/demangle.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/memory.h"

/* Only what surely is mangled: libiberty would also read meaning into plain C names such as _D4main. */
static char *symbols_name_demangled(const char *raw)
{
	if (!strncmp(raw, "_R", 2))
		return rust_demangle(raw, DMGL_RUST);
	if (!strncmp(raw, "_Z", 2) || !strncmp(raw, "__Z", 3) || !strncmp(raw, "_GLOBAL_", 8))
		return cplus_demangle(raw, DMGL_AUTO | DMGL_PARAMS | DMGL_ANSI);
	return NULL;
}

char *symbols_name(const char *raw)
{
	char *plain = memory_text(raw), *demangled;

	/* Its version; a name may begin so. */
	if (*plain)
		plain[1 + strcspn(plain + 1, "@")] = '\0';
	demangled = symbols_name_demangled(plain);
	if (!demangled)
		return plain;
	free(plain);
	return demangled;
}
