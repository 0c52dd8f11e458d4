/* The rules of lifetime on made-up calls and a made-up kernel, each at its boundary. */
#include "tests/unit/check_stand_in.h"

#include "preload/check_lifetime.c"
#include "preload/check_name.c"

static void lifetime(void)
{
	struct check_opening o = opening(EITHER, 0600, false);
	struct identity identity = object(0600, ME);
	struct unlink_event removal = {.symbol = SYMBOL_shm_unlink};
	struct mmap_event e = {.error = ENOMEM};

	quiet();
	check_lifetime_opened(&o, &identity, 0);
	check(only(RULE_stale_reattach, SEVERITY_WARNING) && told[0].size == PAGE, "what another left, perhaps");
	check_lifetime_opened(&o, &identity, MARK_CREATED);
	check(is_silent(), "one's own");
	o = opening(NEW, 0600, true);
	o.result = 898;
	check_lifetime_opened(&o, &identity, 0);
	check(is_silent(), "899 of 1000 descriptors");
	o.result = 899;
	check_lifetime_opened(&o, &identity, 0);
	check(only(RULE_descriptor_exhaustion, SEVERITY_WARNING) && told[0].length == 900, "900 of 1000");
	o = opening(O_RDWR, 0, false);
	o.result = -1;
	o.error = EMFILE;
	check_lifetime_opened(&o, NULL, 0);
	check(only(RULE_descriptor_exhaustion, SEVERITY_WARNING) && told[0].error == EMFILE, "EMFILE");
	o = opening(NEW, 0600, false);
	o.error = EEXIST;
	o.result = -1;
	o.name = "/app.812";
	check_lifetime_opened(&o, NULL, 0);
	check(only(RULE_name_collision, SEVERITY_WARNING), "a name of the own pid that another made");
	kernel.made = true;
	check_lifetime_opened(&o, NULL, 0);
	check(is_silent(), "one that it made itself");
	kernel.made = false;
	o.name = "/app.8121";
	check_lifetime_opened(&o, NULL, 0);
	check(is_silent(), "another's name");
	check_lifetime_unlink(&removal, &identity, 0);
	check(only(RULE_unlink_by_stranger, SEVERITY_NOTE), "an unlink within one user");
	identity.uid = OTHER;
	check_lifetime_unlink(&removal, &identity, 0);
	check(only(RULE_unlink_by_stranger, SEVERITY_WARNING), "across users");
	check_lifetime_unlink(&removal, &identity, MARK_CREATED);
	check(is_silent(), "by its creator");
	kernel.mappings = 899;
	check_lifetime_mmap(&e);
	check(is_silent(), "ENOMEM with room for mappings");
	kernel.mappings = 900;
	check_lifetime_mmap(&e);
	check(only(RULE_descriptor_exhaustion, SEVERITY_WARNING), "ENOMEM without");
}

int main(void)
{
	lifetime();
	return end();
}
