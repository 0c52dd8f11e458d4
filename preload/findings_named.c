#include "preload/findings_named.h"

#include <errno.h>

#include "preload/text.h"

const char *findings_given_name(enum event_id id, const union any_event *event, const struct identity *identity)
{
	switch (id) {
	case EVENT_shm_open:
		return event->shm_open.error == EFAULT ? "" : event->shm_open.name;
	case EVENT_open:
		if (identity && identity->link)
			return identity->link;
		return event->open.error == EFAULT ? "" : event->open.name;
	case EVENT_sem_open:
		return event->sem_open.error == EFAULT ? "" : event->sem_open.name;
	case EVENT_memfd_create:
		return event->memfd_create.name;
	case EVENT_unlink:
		return event->unlink.name;
	default:
		return NULL;
	}
}

uint32_t findings_object_at(enum event_id id, const union any_event *event, uint64_t *address)
{
	*address = 0;
	switch (id) {
	case EVENT_munmap:
		return event->munmap.object;
	case EVENT_mprotect:
		*address = event->mprotect.addr;
		return event->mprotect.object;
	case EVENT_madvise:
		*address = event->madvise.addr;
		return event->madvise.object;
	case EVENT_mlock:
		*address = event->mlock.addr;
		return event->mlock.object;
	case EVENT_mutex:
		*address = event->mutex.addr;
		return event->mutex.object;
	default:
		return 0;
	}
}

/* As policies know what shm_open(3) and sem_open(3) are given. Too long a name, which they refuse, is told as it came. */
static const char *posix_name(const char *prefix, const char *given, char name[static OBJECT_NAME_SIZE])
{
	while (*given == '/')
		given++;
	name[0] = 0;
	return text_append(name, OBJECT_NAME_SIZE, prefix) && text_append(name, OBJECT_NAME_SIZE, given) ? name : given;
}

const char *findings_audited_name(const struct findings_place *place, char name[static OBJECT_NAME_SIZE])
{
	if (place->identity && ledger_name(place->identity, name))
		return name;
	if (place->address && ledger_mapped_name(place->address, name))
		return name;
	if (!place->given || !place->given[0])
		return NULL;
	if (place->by == EVENT_shm_open)
		return posix_name("/", place->given, name);
	return place->by == EVENT_sem_open ? posix_name("/sem.", place->given, name) : place->given;
}
