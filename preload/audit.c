#include "preload/audit.h"

#include <dlfcn.h>
#include <link.h>
#include <stdatomic.h>
#include <string.h>
#include <time.h>

#include "preload/audit_log.h"
#include "preload/kernel.h"
#include "preload/process.h"
#include "preload/real.h"
#include "preload/text.h"

enum {
	LINE = 1024, /* holds two texts, a module and all the rest */
	TEXT = 300,
	MODULE = 100,
	PLACES = 256,
	LINES_A_SECOND = 10,
	NAME = 128,
	ONCE = 64,                   /* objects; of more each line is told */
	SYSLOG_PRIORITY = 8 * 10 + 4 /* authpriv.warning, RFC 3164 */
};

/*
 * How often a rule was broken at a place in this second, and the last of what was held back, which is told when its count
 * is. Two threads that collide may mix two of them up, and lose no line and no count.
 */
static struct place {
	_Atomic uint64_t key;
	atomic_llong second;
	atomic_uint lines, held;
	struct audit_decision last;
	char last_name[NAME];
} places[PLACES];

static _Atomic uint64_t once[ONCE]; /* what audit_line_once() has told */

static atomic_llong swept; /* the second in which all places were looked at */

void audit_fork_reset(void)
{
	audit_log_fork_reset();
	for (size_t i = 0; audit_log_kind != LOG_none && i < PLACES; i++) {
		atomic_store(&places[i].key, 0);
		atomic_store(&places[i].held, 0);
	}
	for (size_t i = 0; audit_log_kind != LOG_none && i < ONCE; i++)
		atomic_store(&once[i], 0);
}

static void append_two(char *line, uint64_t number)
{
	if (number < 10)
		text_append(line, LINE, "0");
	text_append_decimal(line, LINE, number);
}

/* UTC as in RFC 3339: localtime(3) takes locks. Days to a date by Hinnant's civil_from_days. */
static void append_time(char *line, time_t now)
{
	long days = now / 86400, rest = now % 86400, z = days + 719468, era = z / 146097, doe = z - era * 146097;
	long yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365, doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
	long mp = (5 * doy + 2) / 153, month = mp < 10 ? mp + 3 : mp - 9;

	text_append_decimal(line, LINE, (uint64_t)(yoe + era * 400 + (month <= 2)));
	text_append(line, LINE, "-");
	append_two(line, (uint64_t)month);
	text_append(line, LINE, "-");
	append_two(line, (uint64_t)(doy - (153 * mp + 2) / 5 + 1));
	text_append(line, LINE, "T");
	append_two(line, (uint64_t)rest / 3600);
	text_append(line, LINE, ":");
	append_two(line, (uint64_t)rest / 60 % 60);
	text_append(line, LINE, ":");
	append_two(line, (uint64_t)rest % 60);
	text_append(line, LINE, "Z");
}

/* Names and paths are the program's: a control byte must not forge a line, nor a long one push the rest out of it. */
static void append_safely(char *line, const char *text, size_t most)
{
	char safe[TEXT + 1];
	size_t length = strnlen(text, most);

	for (size_t i = 0; i < length; i++)
		safe[i] = (char)((unsigned char)text[i] < 0x20 || text[i] == 0x7f || text[i] == ' ' ? '?' : text[i]);
	safe[length] = 0;
	text_append(line, LINE, safe);
	if (text[length])
		text_append(line, LINE, "...");
}

/* However it was spelled. */
static void append_name(char *line, const char *name)
{
	if (name && strncmp(name, "/dev/shm/", 9) == 0)
		name += 8;
	while (name && name[0] == '/' && name[1] == '/')
		name++;
	append_safely(line, name && *name ? name : "-", TEXT);
}

static void append_hexadecimal(char *line, uint64_t number)
{
	char digits[20], *at = digits + sizeof digits;

	*--at = 0;
	do
		*--at = "0123456789abcdef"[number % 16];
	while (number /= 16);
	text_append(line, LINE, at);
}

static void append_place(char *line, const void *caller)
{
	struct dl_find_object found;

	/* No call of the program's: what is told is told of its end. */
	if (!caller) {
		text_append(line, LINE, "exit");
		return;
	}
	if (_dl_find_object((void *)(uintptr_t)caller, &found) != 0) {
		append_hexadecimal(line, (uint64_t)(uintptr_t)caller);
		return;
	}
	const char *name = *found.dlfo_link_map->l_name ? found.dlfo_link_map->l_name : process_program();
	const char *slash = strrchr(name, '/');
	append_safely(line, slash ? slash + 1 : name, MODULE);
	text_append(line, LINE, "+0x");
	append_hexadecimal(line, (uint64_t)(uintptr_t)caller - found.dlfo_link_map->l_addr);
}

static void append_field(char *line, const char *key, const char *value)
{
	text_append(line, LINE, key);
	text_append(line, LINE, value);
}

static void begin(char line[static LINE], time_t now, const char *rule, const char *name, const char *action)
{
	line[0] = 0;
	if (audit_log_kind == LOG_syslog) {
		text_append(line, LINE, "<");
		text_append_decimal(line, LINE, SYSLOG_PRIORITY);
		text_append(line, LINE, ">shmguard: ");
	}
	append_time(line, now);
	text_append(line, LINE, " pid=");
	text_append_decimal(line, LINE, (uint64_t)kernel_call(SYS_getpid, 0, 0, 0, 0, 0, 0));
	text_append(line, LINE, " exe=");
	append_safely(line, process_exe(), TEXT);
	append_field(line, " rule=", rule);
	text_append(line, LINE, " object=");
	append_name(line, name);
	append_field(line, " action=", action);
}

static void end(char line[static LINE], const char *error, const void *caller, const char *why)
{
	append_field(line, " errno=", error);
	text_append(line, LINE, " at=");
	append_place(line, caller);
	if (why)
		append_field(line, " why=", why);
}

static bool put(char line[static LINE])
{
	text_append(line, LINE, "\n");
	return audit_log_write(line);
}

/* held: how many like it were not told before it. False: it could not be written. */
static bool tell(const struct audit_decision *d, const char *name, time_t now, unsigned held)
{
	static const char *const words[] = {
#define RESPONSE_WORD(name) #name,
		RESPONSES(RESPONSE_WORD)
#undef RESPONSE_WORD
	};
	const bool of_rule = d->rule < RULE_COUNT;
	char line[LINE], why[64] = "";

	if (of_rule)
		text_append(why, sizeof why, d->rule == RULE_stale_reattach ? "not-removed:" : "not-wiped:");
	begin(line, now, of_rule ? rules[d->rule].id : "-", name, words[d->response]);
	if (d->response == RESPONSE_audit)
		append_field(line, " would=", d->error ? "denied" : "fixed");
	end(line, d->error ? LIBC(strerrorname_np)(d->error) : "0", d->caller,
	    d->doubtful                                      ? "users-unknown"
	    : d->why && text_append(why, sizeof why, d->why) ? why
							     : NULL);
	if (held) {
		text_append(line, LINE, " held-back=");
		text_append_decimal(line, LINE, held);
	}
	return put(line);
}

/* The last of what was held back at the place, and how many there were before it. */
static void tell_held(struct place *place, time_t now)
{
	unsigned held = atomic_exchange(&place->held, 0);

	if (held && !tell(&place->last, place->last_name, now, held - 1))
		atomic_fetch_add(&place->held, held);
}

static time_t seconds_now(void)
{
	struct timespec now = {0};

	kernel_call(SYS_clock_gettime, CLOCK_REALTIME, (long)&now, 0, 0, 0, 0);
	return now.tv_sec;
}

void audit_unguarded(const char *path, const char *why, const void *caller)
{
	char line[LINE];

	if (audit_log_kind == LOG_none)
		return;
	begin(line, seconds_now(), "-", path, "unguarded");
	end(line, "0", caller, why);
	put(line);
}

void audit_unheld(const char *path, const char *why)
{
	char line[LINE];

	if (audit_log_kind == LOG_none)
		return;
	begin(line, seconds_now(), "-", path, "unguarded");
	append_field(line, " errno=0 at=start why=", why);
	put(line);
}

void audit_flush(void)
{
	for (size_t i = 0; audit_log_kind != LOG_none && i < PLACES; i++)
		if (atomic_load_explicit(&places[i].held, memory_order_relaxed))
			tell_held(&places[i], seconds_now());
}

/* What was held back in an earlier second is told by the first line of a new one, wherever it comes from. */
static void sweep(const struct place *except, time_t now)
{
	long long before = atomic_load(&swept);

	if (before == now || !atomic_compare_exchange_strong(&swept, &before, now))
		return;
	for (size_t i = 0; i < PLACES; i++)
		if (&places[i] != except && atomic_load(&places[i].held) && atomic_load(&places[i].second) != now)
			tell_held(&places[i], now);
}

static void hold_back(struct place *place, const struct audit_decision *d, const char *name)
{
	size_t length = name ? strnlen(name, NAME - 1) : 0;

	place->last = *d;
	if (length)
		memcpy(place->last_name, name, length);
	place->last_name[length] = 0;
	atomic_fetch_add(&place->held, 1);
}

void audit_line(const struct audit_decision *d, const char *name)
{
	uint64_t key = ((uint64_t)(uintptr_t)d->caller << 8 | d->rule) * 0x9e3779b97f4a7c15u | 1;
	struct place *place = &places[key >> 56];
	unsigned held = 0;

	if (audit_log_kind == LOG_none)
		return;
	time_t now = seconds_now();
	sweep(place, now);
	if (atomic_load(&place->key) != key) {
		tell_held(place, now);
		atomic_store(&place->second, 0);
		atomic_store(&place->key, key);
	}
	if (atomic_exchange(&place->second, now) != now) {
		atomic_store(&place->lines, 0);
		held = atomic_exchange(&place->held, 0);
	}
	if (atomic_fetch_add(&place->lines, 1) < LINES_A_SECOND && tell(d, name, now, held))
		return;
	atomic_fetch_add(&place->held, held);
	hold_back(place, d, name);
}

void audit_line_once(const struct audit_decision *d, const char *name, uint64_t dev, uint64_t ino)
{
	const uint64_t mix = 0x9e3779b97f4a7c15u;
	uint64_t key = (((ino * mix ^ dev) * mix ^ d->rule) * mix ^ d->response) | 1, none;

	for (size_t i = 0; i < ONCE; i++) {
		none = 0;
		if (atomic_compare_exchange_strong(&once[i], &none, key))
			break;
		if (none == key)
			return;
	}
	audit_line(d, name);
}
