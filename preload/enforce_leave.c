#include "preload/enforce_leave.h"

#include <string.h>

#include "preload/facts.h"
#include "preload/kernel.h"
#include "preload/wipe.h"

void enforce_leave(const struct policy_decision *decision, int fd, const struct identity *identity, bool unused,
		   bool zero)
{
	struct check_finding finding = {
		.rule = RULE_secret_left, .severity = rules[RULE_secret_left].severity, .size = identity->size};
	struct policy_decision d = *decision;

	if (zero)
		d.action[RULE_secret_left] = ACTION_fix;
	if (!unused || (!d.secret && !zero) || !wipe_has_data(fd, identity))
		return;
	if (enforce_broken(&d, &finding, 0) == VERDICT_fix && !wipe_object(fd, identity, WIPE_unused))
		enforce_not_fixed(RULE_secret_left);
}

/* By its name, if that still leads to it: an object without a name is freed with its last mapping. */
static int open_object(const struct object *object, struct identity *identity)
{
	char path[512];
	const char *name = strncmp(object->name, "/dev/shm/", 9) == 0 ? object->name + 9 : object->name;

	if (object->kind == KIND_memfd || (name == object->name && !identity_shm_path(name, "", path)))
		return -1;
	int fd = wipe_open(AT_FDCWD, name == object->name ? path : object->name);
	if (fd < 0)
		return -1;
	if (identity_of_fd(fd, identity) && identity->ino == object->ino && identity->dev == object->dev)
		return fd;
	kernel_close(fd);
	return -1;
}

/* It was mapped to the end as no core dump should have it: neither MADV_DONTDUMP nor mlock was seen. */
static void dumpable(const struct policy_decision *d, const struct object *object, bool own_mappings_go)
{
	struct identity identity = {.dev = object->dev, .ino = object->ino, .fd = -1};
	bool mapped = ledger_mapped_end(&identity);

	if (!d->secret || enforce_asks(d, RULE_dumpable_secret) || mapped != own_mappings_go ||
	    (ledger_marks(&identity) & (MARK_UNDUMPABLE | MARK_DUMPABLE_TOLD)))
		return;
	ENFORCE(d, dumpable_secret, .length = object->size);
	ledger_mark(&identity, MARK_DUMPABLE_TOLD, 0);
}

static void leave(const struct object *object, bool own_mappings_go)
{
	struct policy_decision d;
	struct identity identity;

	enforce_decide(object->name[0] ? object->name : NULL, &d);
	if (!d.secret && !(d.zero & ZERO_on_last_unmap))
		return;
	dumpable(&d, object, own_mappings_go);
	int fd = open_object(object, &identity);
	if (fd < 0)
		return;
	unsigned before = enforce_decided();
	bool told = own_mappings_go && (ledger_marks(&identity) & MARK_LEFT_TOLD);
	if (!told && (own_mappings_go || !ledger_mapped_end(&identity)))
		enforce_leave(&d, fd, &identity, facts_no_other_maps(&identity), d.zero & ZERO_on_last_unmap);
	if (enforce_decided() > before)
		ledger_mark(&identity, MARK_LEFT_TOLD, 0);
	kernel_close(fd);
}

bool enforce_last_unmap(const struct object *object, const void *caller)
{
	struct object copy = *object;

	enforce_begin();
	leave(&copy, false);
	enforce_end(caller);
	return enforce_decided();
}

void enforce_exit(void (*record)(const struct object *object))
{
	struct object object;

	for (unsigned i = 0; ledger_object_at(i, &object); i++) {
		enforce_begin();
		leave(&object, true);
		enforce_end(NULL);
		if (enforce_decided())
			record(&object);
	}
}
