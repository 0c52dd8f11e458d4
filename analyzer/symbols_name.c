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

char *symbols_name_whole(const char *raw)
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

/* How long what a compiler appends to the name of a copy or of a part of a function is: ".isra.0", ".cold"; 0: it is none. */
static size_t symbols_name_clone(const char *text)
{
	static const char *const kinds[] = {".isra", ".constprop", ".part", ".cold", ".lto_priv", ".llvm"};
	size_t i, length, digits;

	for (i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		length = strlen(kinds[i]);
		if (strncmp(text, kinds[i], length) != 0 || (text[length] && !strchr(".@", text[length])))
			continue;
		digits = text[length] ? strspn(text + length + 1, "0123456789") : 0;
		return length + (digits ? 1 + digits : 0);
	}
	return 0;
}

char *symbols_name(const char *raw)
{
	char *cut = memory_text(raw), *at, *name;

	for (at = cut; (at = strchr(at, '.')); at++) {
		size_t length = 0, more;

		while ((more = symbols_name_clone(at + length)))
			length += more;
		if (at > cut && length && (!at[length] || at[length] == '@')) {
			*at = '\0';
			break;
		}
	}
	name = symbols_name_whole(cut);
	free(cut);
	return name;
}

char *symbols_name_of(const char *raw, const char *source)
{
	size_t length = strncmp(source, "operator", 8) ? strcspn(source, "<") : strlen(source);
	char *name = strncmp(raw, "_Z", 2) ? NULL : symbols_name(raw), *at;

	for (at = name; at && (at = strstr(at, source)); at++)
		if ((at == name || strchr(": ", at[-1])) && (!at[length] || strchr("(<[", at[length])))
			return name;
	free(name);
	return NULL;
}
