/* The diagnoses for people and for programs. */
#include <stdlib.h>
#include <string.h>

#include "analyzer/doctor.h"
#include "analyzer/escape.h"
#include "analyzer/memory.h"
#include "analyzer/terminal.h"

enum { COLUMN_title = 6, COLUMN_found = COLUMN_title + DOCTOR_TITLE + 2 };

static const struct {
	enum ink word, rest;
} inks[] = {
	[FITNESS_ok] = {INK_good, INK_faint},
	[FITNESS_warn] = {INK_warning, INK_plain},
	[FITNESS_bad] = {INK_error, INK_plain},
};

static const char *const headings[] = {
	[AREA_shm] = "/dev/shm",    [AREA_memory] = "Memory",       [AREA_limits] = "Limits",
	[AREA_kernel] = "Settings", [AREA_program] = "The program", [AREA_recording] = "Recording",
};

static void doctor_text(const struct terminal *terminal, enum ink ink, const char *text, int at, int indent)
{
	char *safe = escape_terminal(text);

	terminal_paragraph(terminal, ink, safe, at, indent);
	free(safe);
}

static void doctor_row(const struct terminal *terminal, const struct diagnosis *diagnosis)
{
	const struct check *check = diagnosis->check;
	enum ink rest = inks[diagnosis->fitness].rest;

	terminal_cell(terminal, inks[diagnosis->fitness].word, fitness_names[diagnosis->fitness], COLUMN_title - 2);
	terminal_cell(terminal, INK_strong, check->title, DOCTOR_TITLE);
	doctor_text(terminal, INK_plain, diagnosis->answer.found, COLUMN_found, COLUMN_found);
	fprintf(terminal->out, "%*s", COLUMN_title, "");
	doctor_text(terminal, rest, check->meaning, COLUMN_title, COLUMN_title);
	if (diagnosis->answer.change) {
		char *safe = escape_terminal(diagnosis->answer.change);
		/* On one line however long it is: a shell would take two for two commands. */
		char *line = memory_format("%*s%s: %s\n", COLUMN_title, "",
					   diagnosis->fitness == FITNESS_ok ? "Set by" : "To change it", safe);

		terminal_put(terminal, rest, line);
		free(line);
		free(safe);
	}
}

/* "2 bad: size, used" */
static void doctor_count(const struct terminal *terminal, const struct diagnoses *diagnoses, enum fitness fitness)
{
	char *line = memory_format("%zu %s", diagnoses->counts[fitness], fitness_names[fitness]), *longer;
	const char *between = ": ";

	if (!diagnoses->counts[fitness]) {
		free(line);
		return;
	}
	for (size_t i = 0; fitness > FITNESS_ok && i < diagnoses->count; i++) {
		if (diagnoses->all[i].fitness != fitness)
			continue;
		longer = memory_format("%s%s%s", line, between, diagnoses->all[i].check->title);
		free(line);
		line = longer;
		between = ", ";
	}
	terminal_paragraph(terminal, inks[fitness].word, line, 0, 2);
	free(line);
}

static enum fitness doctor_worst(const struct diagnoses *diagnoses, enum doctor_area area)
{
	enum fitness worst = FITNESS_aside;

	for (size_t i = 0; i < diagnoses->count; i++)
		if (diagnoses->all[i].check->area == area && diagnoses->all[i].fitness > worst)
			worst = diagnoses->all[i].fitness;
	return worst;
}

void doctor_print(const struct diagnoses *diagnoses, const char *command)
{
	struct terminal terminal = terminal_on(stdout);
	const struct check *before = NULL;
	char *safe;

	for (size_t i = 0; i < diagnoses->count; i++) {
		const struct diagnosis *diagnosis = &diagnoses->all[i];

		if (diagnosis->fitness == FITNESS_aside)
			continue;
		if (!before || before->area != diagnosis->check->area) {
			fputs(before ? "\n" : "", stdout);
			terminal_put(&terminal, INK_strong, headings[diagnosis->check->area]);
			putchar('\n');
		}
		before = diagnosis->check;
		doctor_row(&terminal, diagnosis);
	}
	putchar('\n');
	for (enum fitness fitness = FITNESS_ok; fitness <= FITNESS_bad; fitness++)
		doctor_count(&terminal, diagnoses, fitness);
	if (!command)
		return;
	safe = memory_format("%s %s.", command,
			     doctor_worst(diagnoses, AREA_program) == FITNESS_bad ? "cannot be guarded here"
			     : doctor_worst(diagnoses, AREA_recording) == FITNESS_bad
				     ? "can be held to a policy here, but not recorded"
				     : "can be guarded here");
	doctor_text(&terminal, INK_strong, safe, 0, 0);
	free(safe);
}

static json_t *doctor_string(const char *text)
{
	char *safe = text ? escape_utf8(text) : NULL;
	json_t *json = safe ? json_string(safe) : json_null();

	free(safe);
	return json;
}

static json_t *doctor_json_row(const struct diagnosis *diagnosis)
{
	const struct check *check = diagnosis->check;

	return json_pack("{s:s, s:s, s:s, s:s, s:s, s:o, s:s, s:o, s:O}", "id", check->id, "area",
			 doctor_area_names[check->area], "title", check->title, "fitness",
			 fitness_names[diagnosis->fitness], "source", check->source, "found",
			 doctor_string(diagnosis->answer.found), "meaning", check->meaning, "change",
			 doctor_string(diagnosis->answer.change), "values", diagnosis->answer.values);
}

json_t *doctor_json(const struct diagnoses *diagnoses, const char *command)
{
	enum fitness worst = diagnoses->counts[FITNESS_bad]    ? FITNESS_bad
			     : diagnoses->counts[FITNESS_warn] ? FITNESS_warn
							       : FITNESS_ok;
	json_t *rows = json_array();

	for (size_t i = 0; i < diagnoses->count; i++)
		if (diagnoses->all[i].fitness != FITNESS_aside)
			json_array_append_new(rows, doctor_json_row(&diagnoses->all[i]));
	return json_pack("{s:s, s:o, s:s, s:{s:I, s:I, s:I}, s:o}", "schema", "shmguard-doctor/1", "command",
			 doctor_string(command), "fitness", fitness_names[worst], "counts", "ok",
			 (json_int_t)diagnoses->counts[FITNESS_ok], "warn", (json_int_t)diagnoses->counts[FITNESS_warn],
			 "bad", (json_int_t)diagnoses->counts[FITNESS_bad], "checks", rows);
}
