/* The rules of names on made-up calls and a made-up kernel, each at its boundary. */
#include "tests/unit/check_stand_in.h"

#include "preload/check_name.c"

static void named(const char *name, bool created)
{
	struct check_opening o = opening(NEW, 0600, created);
	struct identity identity = object(0600, ME);

	o.name = name;
	check_name_opened(&o, &identity);
}

static void names(void)
{
	char long_name[300];

	quiet();
	kernel.known = 812;
	check(check_name_bits("/myapp") == 0, "a word has no random bits");
	check(check_name_bits("/MyRingBuffer2") < 32, "CamelCase has few");
	check(check_name_bits("/app.812") == 0 && check_name_bits("/app812") == 0, "the pid has none");
	check(check_name_bits("/app.8121") == 12, "another number has some");
	check(check_name_bits("/psm_3f2a1b9c") == 32, "CPython's eight hexadecimal digits are enough");
	check(check_name_bits("/psm_12345678") == 32, "even if all are decimal");
	check(check_name_bits("/pym-39-hve_zwyd") >= 32 && check_name_bits("/tmpkwmdkn13") >= 32,
	      "as are those of its tempfile, also where chance makes words of them");
	check(check_name_bits("/tmpfile") < 32 && check_name_bits("/tmp_segment") < 32 &&
		      check_name_bits("/tmpkwmdkn13.lock") < 32 && check_name_bits("/pym-39-lock") < 32,
	      "but not what only begins so");
	check(check_name_bits("/x-aB3xYz") >= 32, "so are mkstemp's six characters");
	check(check_name_bits("/x.3f2a1b9") == 28, "seven are not");
	named("/x.3f2a1b9", true);
	check(only(RULE_predictable_name, SEVERITY_NOTE) && told[0].length == 28, "which is told");
	named("/x.3f2a1b9", false);
	check(is_silent(), "by whoever creates it");
	named("/x.3f2a1b9c", true);
	check(is_silent(), "eight are not told");
	named("x.3f2a1b9c", true);
	check(only(RULE_name_nonportable, SEVERITY_NOTE), "no slash");
	named("/x/3f2a1b9c", true);
	check(only(RULE_name_nonportable, SEVERITY_NOTE), "two slashes");
	named("/..", false);
	check(only(RULE_name_nonportable, SEVERITY_NOTE), "only dots");
	memset(long_name, 'x', sizeof long_name);
	long_name[0] = '/';
	long_name[256] = 0;
	named(long_name, false);
	check(is_silent(), "255 bytes");
	strcpy(long_name + 256, "x");
	named(long_name, false);
	check(only(RULE_name_nonportable, SEVERITY_NOTE), "256 bytes");
	check(check_name_holds("/x.812.y", 812) && !check_name_holds("/x.8120", 812) && !check_name_holds("/x", 812),
	      "a name holds a whole number");
}

int main(void)
{
	names();
	return end();
}
