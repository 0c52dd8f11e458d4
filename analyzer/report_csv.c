/* The report as a table, RFC 4180: a row for each finding; of several recordings with a column more, for where it was. */
#include <inttypes.h>
#include <stdlib.h>

#include "analyzer/escape.h"
#include "analyzer/memory.h"
#include "analyzer/spots.h"

static void csv_text(FILE *out, const char *bytes, const char *end)
{
	char *field = escape_csv(bytes ? bytes : "");

	fprintf(out, "%s%s", field, end);
	free(field);
}

static void csv_place(const struct report *report, const struct finding *finding, FILE *out)
{
	struct spots spots = spots_of(report, finding->stack_count ? finding->stacks[0].stack : NULL);
	const struct spot *own = spots_own(&spots);
	char *place = own ? spot_place(own) : NULL;

	csv_text(out, own ? own->function : NULL, ",");
	csv_text(out, place, ",");
	csv_text(out, own && own->frame->module ? own->frame->module->path : NULL, ",");
	free(place);
	spots_free(&spots);
}

static void csv_finding(const struct report *report, const struct finding *finding, FILE *out)
{
	const struct process *process = finding->process;

	csv_text(out, severity_name(finding->severity), ",");
	csv_text(out, rules[finding->rule].id, ",");
	fprintf(out, "%" PRIu64 ",%" PRIu64 ",", finding->count, finding->bytes);
	csv_text(out, finding_name(finding), ",");
	if (process)
		fprintf(out, "%d", (int)process->pid);
	fputc(',', out);
	csv_text(out, process ? process->exe : NULL, ",");
	csv_place(report, finding, out);
	if (finding->time)
		fprintf(out, "%" PRId64, finding->time);
	fprintf(out, ",%s,", finding->uncertain ? "yes" : "no");
	csv_text(out, finding->message, ",");
	fputs(finding->fingerprint, out);
	if (recording_is_several(report->analysis->recording)) {
		char *recorded = report_recorded(report, finding);

		fputc(',', out);
		csv_text(out, recorded, "");
		free(recorded);
	}
	fputs("\r\n", out);
}

void report_csv(const struct report *report, FILE *out)
{
	const struct findings *findings = &report->analysis->findings;
	size_t i;

	fprintf(out,
		"severity,rule,count,bytes,object,pid,exe,function,place,module,time_ns,uncertain,message,"
		"fingerprint%s\r\n",
		recording_is_several(report->analysis->recording) ? ",recordings" : "");
	for (i = 0; i < findings->count; i++)
		csv_finding(report, &findings->all[i], out);
	report_lacks(report);
}
