/*
 * libdw finds an address by walking every unit and every function from the front. Here the units' ranges are sorted once
 * per file and the functions' ranges once per unit, when first asked for.
 */
#include "analyzer/symbols_dwarf.h"

#include <dwarf.h>
#include <elfutils/libdw.h>
#include <stdlib.h>

#include "analyzer/memory.h"
#include "analyzer/symbols_name.h"
#include "analyzer/symbols_ranges.h"

/* Namespaces and classes nest; inlining does too. Deeper than this is a damaged file. */
#define DEPTH_MAX 200

struct symbols_unit {
	Dwarf_Die die;
	bool indexed;
	struct symbols_ranges functions; /* what: offset of the DIE */
};

struct symbols_dwarf {
	Dwarf *dwarf;
	struct symbols_unit *unit;
	size_t count;
	struct symbols_ranges units; /* what: index into unit */
};

static void symbols_dwarf_add_ranges(struct symbols_ranges *ranges, Dwarf_Die *die, uint64_t what)
{
	Dwarf_Addr base, low, high;
	ptrdiff_t offset = 0;

	while ((offset = dwarf_ranges(die, offset, &base, &low, &high)) > 0)
		symbols_ranges_add(ranges, low, high, what);
}

struct symbols_dwarf *symbols_dwarf_open(Elf *elf)
{
	Dwarf *handle = dwarf_begin_elf(elf, DWARF_C_READ, NULL);
	struct symbols_dwarf *dwarf;
	Dwarf_CU *unit = NULL;
	Dwarf_Die die;
	uint8_t type;

	if (!handle)
		return NULL;
	dwarf = memory_new(1, sizeof(*dwarf));
	dwarf->dwarf = handle;
	while (!dwarf_get_units(handle, unit, &unit, NULL, &type, &die, NULL)) {
		if (type == DW_UT_type || type == DW_UT_split_type || type == DW_UT_partial)
			continue;
		dwarf->unit = memory_grow(dwarf->unit, dwarf->count, sizeof(*dwarf->unit));
		dwarf->unit[dwarf->count] = (struct symbols_unit){.die = die};
		symbols_dwarf_add_ranges(&dwarf->units, &die, dwarf->count++);
	}
	symbols_ranges_sort(&dwarf->units);
	if (dwarf->units.count)
		return dwarf;
	symbols_dwarf_close(dwarf);
	return NULL;
}

void symbols_dwarf_close(struct symbols_dwarf *dwarf)
{
	size_t i;

	if (!dwarf)
		return;
	for (i = 0; i < dwarf->count; i++)
		symbols_ranges_free(&dwarf->unit[i].functions);
	free(dwarf->unit);
	symbols_ranges_free(&dwarf->units);
	dwarf_end(dwarf->dwarf);
	free(dwarf);
}

static bool symbols_dwarf_holds_functions(int tag)
{
	return tag == DW_TAG_namespace || tag == DW_TAG_module || tag == DW_TAG_class_type ||
	       tag == DW_TAG_structure_type || tag == DW_TAG_union_type;
}

static void symbols_dwarf_index(struct symbols_ranges *functions, Dwarf_Die *parent, int depth)
{
	Dwarf_Die die;

	if (depth > DEPTH_MAX || dwarf_child(parent, &die))
		return;
	do {
		if (dwarf_tag(&die) == DW_TAG_subprogram)
			symbols_dwarf_add_ranges(functions, &die, dwarf_dieoffset(&die));
		else if (symbols_dwarf_holds_functions(dwarf_tag(&die)))
			symbols_dwarf_index(functions, &die, depth + 1);
	} while (!dwarf_siblingof(&die, &die));
}

static struct symbols_unit *symbols_dwarf_unit(struct symbols_dwarf *dwarf, uint64_t address)
{
	const struct symbols_range *range = symbols_ranges_find(&dwarf->units, address);
	struct symbols_unit *unit;

	if (!range)
		return NULL;
	unit = &dwarf->unit[range->what];
	if (!unit->indexed) {
		symbols_dwarf_index(&unit->functions, &unit->die, 0);
		symbols_ranges_sort(&unit->functions);
		unit->indexed = true;
	}
	return unit;
}

/* The next deeper block or inlined function around the address, if there is one. */
static bool symbols_dwarf_descend(Dwarf_Die *die, uint64_t address)
{
	Dwarf_Die child;

	if (dwarf_child(die, &child))
		return false;
	do {
		int tag = dwarf_tag(&child);

		if (tag != DW_TAG_inlined_subroutine && tag != DW_TAG_lexical_block && tag != DW_TAG_try_block &&
		    tag != DW_TAG_catch_block)
			continue;
		if (dwarf_haspc(&child, address) > 0) {
			*die = child;
			return true;
		}
	} while (!dwarf_siblingof(&child, &child));
	return false;
}

static char *symbols_dwarf_function(Dwarf_Die *die)
{
	static const unsigned attributes[] = {DW_AT_linkage_name, DW_AT_MIPS_linkage_name, DW_AT_name};
	size_t i;

	for (i = 0; i < sizeof(attributes) / sizeof(attributes[0]); i++) {
		Dwarf_Attribute attribute;
		const char *name = NULL;

		if (dwarf_attr_integrate(die, attributes[i], &attribute))
			name = dwarf_formstring(&attribute);
		if (name && *name)
			return symbols_name(name);
	}
	return NULL;
}

/* libdw leaves the names of DWARF 5 relative to the directory of the compilation. */
static char *symbols_dwarf_file(struct symbols_unit *unit, const char *file)
{
	Dwarf_Attribute attribute;
	const char *directory = NULL;

	if (*file != '/' && dwarf_attr(&unit->die, DW_AT_comp_dir, &attribute))
		directory = dwarf_formstring(&attribute);
	if (!directory || *directory != '/')
		return memory_text(file);
	return memory_format("%s/%s", directory, file);
}

static void symbols_dwarf_called_from(struct symbols_unit *unit, Dwarf_Die *inlined, struct symbols_frame *frame)
{
	Dwarf_Attribute attribute;
	Dwarf_Files *files;
	Dwarf_Word value;
	const char *file;
	size_t count;

	if (!dwarf_attr(inlined, DW_AT_call_line, &attribute) || dwarf_formudata(&attribute, &value))
		return;
	frame->line = (unsigned)value;
	if (!dwarf_attr(inlined, DW_AT_call_file, &attribute) || dwarf_formudata(&attribute, &value))
		return;
	if (dwarf_getsrcfiles(&unit->die, &files, &count) || value >= count)
		return;
	file = dwarf_filesrc(files, value, NULL, NULL);
	if (file)
		frame->file = symbols_dwarf_file(unit, file);
}

static void symbols_dwarf_line(struct symbols_unit *unit, uint64_t address, struct symbols_frame *frame)
{
	Dwarf_Line *line = dwarf_getsrc_die(&unit->die, address);
	const char *file = line ? dwarf_linesrc(line, NULL, NULL) : NULL;
	int number = 0;

	if (!file)
		return;
	if (!dwarf_lineno(line, &number) && number > 0)
		frame->line = (unsigned)number;
	frame->file = symbols_dwarf_file(unit, file);
}

/* The function at `die` and what was inlined there, outermost first. */
static size_t symbols_dwarf_chain(Dwarf_Die *die, uint64_t address, Dwarf_Die **chain)
{
	size_t count = 0;
	int depth;

	*chain = memory_grow(NULL, 0, sizeof(**chain));
	(*chain)[count++] = *die;
	for (depth = 0; depth < DEPTH_MAX && symbols_dwarf_descend(die, address); depth++) {
		if (dwarf_tag(die) != DW_TAG_inlined_subroutine)
			continue;
		*chain = memory_grow(*chain, count, sizeof(**chain));
		(*chain)[count++] = *die;
	}
	return count;
}

size_t symbols_dwarf_look_up(struct symbols_dwarf *dwarf, uint64_t address, struct symbols_frame **frames)
{
	struct symbols_unit *unit = symbols_dwarf_unit(dwarf, address);
	const struct symbols_range *function;
	Dwarf_Die die, *chain;
	size_t count, i;

	if (!unit)
		return 0;
	function = symbols_ranges_find(&unit->functions, address);
	if (!function || !dwarf_offdie(dwarf->dwarf, function->what, &die)) {
		*frames = memory_new(1, sizeof(**frames));
		symbols_dwarf_line(unit, address, *frames);
		if ((*frames)->file)
			return 1;
		free(*frames);
		*frames = NULL;
		return 0;
	}
	count = symbols_dwarf_chain(&die, address, &chain);
	*frames = memory_new(count, sizeof(**frames));
	symbols_dwarf_line(unit, address, *frames);
	for (i = 0; i < count; i++) {
		Dwarf_Die *here = &chain[count - 1 - i];

		(*frames)[i].function = symbols_dwarf_function(here);
		(*frames)[i].inlined = i + 1 < count;
		if (i + 1 < count)
			symbols_dwarf_called_from(unit, here, &(*frames)[i + 1]);
	}
	free(chain);
	return count;
}
