/* The ways to an object: what events of names and descriptors mean for the model. */
#include <fcntl.h>
#include <linux/memfd.h>
#include <stdlib.h>

#include "memory.h"
#include "world_holdings.h"
#include "world_inner.h"
#include "world_take_inner.h"

static void object_gone(struct object *object, const struct site *created, int64_t time)
{
	if (created->process && !created->process->over)
		holdings_object_gone((struct process *)(uintptr_t)created->process, object, created->stack_id, time);
}

/* Did the process make the object that it tells it made? Who was taken for its maker is not. */
static bool made(struct taking *t, uint32_t id, uint32_t flags)
{
	const struct object *before = t->object;
	const struct site by = before->created;

	if (!object_note_created(t->world, t->process, id, flags & O_EXCL, &t->site))
		return false;
	t->object = object_of(t->world, t->process, id);
	if (t->object == before)
		object_gone(t->object, &by, t->site.time);
	holdings_object_made(t->process, &t->site);
	return true;
}

static void opened(struct taking *t, const char *name, int fd, bool created, bool kept, uint32_t seq)
{
	if (name && names_open(t->world, t->process, name, false, t->object, created, &t->site) && created)
		holdings_object_gone(t->process, t->object, t->site.stack_id, t->site.time);
	if (fd >= 0)
		holdings_open(t->process, t->object, fd, true, kept, seq, &t->site);
}

static void opened_size(struct taking *t, bool created, uint32_t flags, uint64_t before, uint64_t size, uint32_t seq)
{
	if (created || !(flags & O_TRUNC) || before == 0)
		sizes_seen(t->world, t->object, size, &t->site);
	else if (size == before)
		take_kept(t, 0, size, seq);
	else
		sizes_change(t->world, t->object,
			     &(struct change){.of = CHANGE_truncated, .before = before, .seq = seq, .site = t->site});
}

/* Of an object whose definition does not tell. */
static void made_of(struct object *object, enum kind kind)
{
	if (object->kind_known)
		return;
	object->kind = kind;
	object->kind_known = true;
}

void take_shm_open(struct taking *t, const struct shm_open_event *e)
{
	if (e->result < 0 || t->object == NULL) {
		names_open_failed(t->world, t->process, e->name, false, e->error, &t->site);
		return;
	}
	made_of(t->object, KIND_shm);
	bool created = e->created && made(t, e->object, e->flags);
	opened(t, e->name, e->result, created, false, e->seq);
	opened_size(t, created, e->flags, e->size_before, e->size, e->seq);
}

void take_open(struct taking *t, const struct open_event *e)
{
	/* mknod makes an object, and no descriptor. */
	if ((e->result < 0 && !e->created) || t->object == NULL) {
		names_open_failed(t->world, t->process, e->name, false, e->error, &t->site);
		return;
	}
	/* O_TMPFILE: the path is that of a directory. A memfd is opened by a link of /proc, which soon leads elsewhere. */
	bool unnamed = (e->flags & O_TMPFILE) == O_TMPFILE, nameless = unnamed || t->object->kind == KIND_memfd;
	bool created = (e->created || unnamed) && made(t, e->object, e->flags);

	opened(t, nameless ? NULL : e->name, e->result, created, !(e->flags & O_CLOEXEC), e->seq);
	if (call_ends_at_random((enum symbol)e->symbol))
		names_made_at_random(t->object, e->name);
	opened_size(t, created, e->flags, e->size_before, e->size, e->seq);
}

void take_memfd_create(struct taking *t, const struct memfd_create_event *e)
{
	char *name;

	if (e->result < 0 || t->object == NULL)
		return;
	made_of(t->object, KIND_memfd);
	opened(t, NULL, e->result, made(t, e->object, 0), !(e->flags & MFD_CLOEXEC), e->seq);
	if (!t->object->sized || t->object->size == 0)
		sizes_told(t->object, 0, t->site.time);
	name = memory_format("memfd:%s", e->name);
	names_add(t->object, name, t->site.time);
	free(name);
}

void take_sem_open(struct taking *t, const struct sem_open_event *e)
{
	if (e->result == 0 || t->object == NULL) {
		names_open_failed(t->world, t->process, e->name, true, e->error, &t->site);
		if (e->created)
			names_made_unseen(t->world, e->name, true, &t->site);
		return;
	}
	bool created = e->created && made(t, e->object, e->flags);
	if (created) {
		t->object->kind = KIND_semaphore;
		t->object->kind_known = true;
	}
	t->process->takes_turns = true;
	if (names_open(t->world, t->process, e->name, true, t->object, created, &t->site) && created)
		holdings_object_gone(t->process, t->object, t->site.stack_id, t->site.time);
	holdings_semaphore(t->process, t->object, e->result, e->seq, &t->site);
}

void take_sem_close(struct taking *t, const struct sem_close_event *e)
{
	if (e->error == 0)
		holdings_semaphore_close(t->process, e->addr, e->seq, &t->site);
}

/* The call may still fail. */
static void removes(struct taking *t, const struct name_change *change, uint32_t seq)
{
	if (change->object)
		object_gone(change->object, &change->object->created, t->site.time);
	holdings_log_name(t->process, seq, *change);
}

static struct name_change unlinked(struct taking *t, const char *name, bool semaphore)
{
	if (!semaphore)
		names_lost_early(t->world, name, t->object, &t->site);
	return names_unlink(t->world, t->process, name, semaphore, t->object, &t->site);
}

void take_unlink(struct taking *t, const struct unlink_event *e)
{
	bool semaphore = e->symbol == SYMBOL_sem_unlink;
	struct name_change change;

	if (e->error) {
		change = names_unlink(t->world, t->process, e->name, semaphore, NULL, &t->site);
		names_unlink_failed(t->world, t->process, &change, e->error);
		free(change.text);
		return;
	}
	if (t->object)
		change = unlinked(t, e->name, semaphore);
	else
		change = names_unlink_unseen(t->world, t->process, e->name, semaphore, &t->site);
	removes(t, &change, e->seq);
}

void take_unlink_told(struct taking *t, const struct finding_event *e)
{
	struct name_change change;
	char *semaphore;

	if (t->object->unlinked.process || holdings_took_name(t->process, e->of))
		return;
	/* By which function it was removed the finding does not tell. */
	semaphore = name_canonical(e->name, true);
	change = unlinked(t, e->name, t->object->kind == KIND_semaphore && object_is_called(t->object, semaphore));
	free(semaphore);
	removes(t, &change, e->of);
	/* It may have failed, which would be let go as well: a removal that is told later is the one. */
	t->object->presumed = true;
}

/* It has another name, or what took its name is told beside: that is no removal by itself. */
static void take_name(struct taking *t, const char *name, struct object *object)
{
	struct name_change change = names_unlink(t->world, t->process, name, false, object, &t->site);

	free(change.text);
}

/* And gone from its new name, too: else it would have been seen there. A directory, which is no object, has no name here. */
static void moved_unseen(struct taking *t, const char *from)
{
	struct object *object = names_just_made(t->world, from, &t->site);

	if (object == NULL)
		return;
	take_name(t, from, object);
	object_gone(object, &object->created, t->site.time);
}

/* It has another name by now: that is no removal. What was made of this one since keeps it. */
static void take_left(struct taking *t, const char *from, struct object *moved)
{
	const struct object *leads = names_leads(t->world, from, &t->site);
	struct site unlinked = moved->unlinked;

	names_lost_early(t->world, from, moved, &t->site);
	if (leads == NULL || leads == moved)
		take_name(t, from, moved);
	moved->unlinked = unlinked;
}

/* What was there is not what was seen to be replaced: that one was put over it, which is told later. */
static void take_hidden(struct taking *t, const char *to, const struct object *moved, const struct object *replaced)
{
	struct object *hidden = names_leads(t->world, to, &t->site);

	if (hidden && hidden != moved && hidden != replaced)
		names_replaced(t->world, to, hidden, &t->site);
}

/*
 * Others changed the names at the same time. Was it what had the name next that was renamed, or was what had been renamed
 * replaced by them, before (true) or since?
 */
static bool replaced_since(struct taking *t, const struct rename_event *e, struct object **moved,
			   struct object **replaced)
{
	struct object *after = *replaced, *leads = names_leads(t->world, e->to, &t->site);

	*replaced = NULL;
	if (names_is_next(t->world, e->from, *moved, after, &t->site))
		*moved = after;
	else if (leads == after)
		return true;
	else if (leads != *moved)
		*replaced = leads;
	return false;
}

void take_rename(struct taking *t, const struct rename_event *e)
{
	struct object *moved = t->object, *replaced = object_of(t->world, t->process, e->replaced);
	bool both = (e->flags & RENAME_EXCHANGE) && replaced;

	if (e->error)
		return;
	bool past = moved && !both && names_is_lost_early(t->world, moved, e->to, &t->site);
	if (e->flags & RENAME_ANOTHER && moved && replaced)
		past |= replaced_since(t, e, &moved, &replaced);
	if (past) {
		if (replaced)
			names_replaced(t->world, e->to, replaced, &t->site);
		take_name(t, e->from, moved);
		return;
	}
	/* Another was faster: what he left there is what was replaced. */
	if (replaced && !both && names_lost(replaced, e->to))
		replaced = NULL;
	bool over = moved && !replaced && !(e->flags & (RENAME_EXCHANGE | RENAME_NOREPLACE));
	/* What was made between the look and the call is replaced unseen. */
	if (over)
		replaced = names_just_made(t->world, e->to, &t->site);
	if (!moved && !replaced)
		moved_unseen(t, e->from);
	/* Two names of one object: the kernel leaves them. */
	if (moved && moved == replaced)
		return;
	/* What is no object may be a directory. */
	if (moved == NULL || (replaced == NULL && e->flags & RENAME_EXCHANGE))
		names_directory_renamed(t->world, t->process, e->from, e->to, e->flags & RENAME_EXCHANGE, &t->site);
	if (both)
		names_link(t->world, e->from, replaced, &t->site);
	if (moved && !both) {
		take_left(t, e->from, moved);
		take_hidden(t, e->to, moved, replaced);
	}
	/* Also by what is no object: a symbolic link, a FIFO. */
	if (replaced) {
		if (!both)
			names_lost_early(t->world, e->to, replaced, &t->site);
		take_name(t, e->to, replaced);
	}
	if (replaced && over)
		replaced->presumed = true;
	if (moved)
		names_link(t->world, e->to, moved, &t->site);
	if (over && !replaced)
		names_replaced_unseen(t->world, e->to, &t->site);
}

void take_link(struct taking *t, const struct link_event *e)
{
	if (e->error == 0 && t->object)
		names_linked(t->world, e->to, t->object, &t->site);
}

void take_close(struct taking *t, const struct close_event *e)
{
	if (e->error == 0)
		holdings_close(t->process, e->fd, e->seq, &t->site);
}

void take_dup(struct taking *t, const struct dup_event *e)
{
	if (e->error == 0 && t->object && e->result >= 0 && e->result != e->fd)
		holdings_open(t->process, t->object, e->result, true, false, e->seq, &t->site);
}

void take_used(struct taking *t, int fd, uint32_t seq)
{
	if (fd >= 0 && t->object)
		holdings_open(t->process, t->object, fd, false, false, seq, &t->site);
}

void take_seal(struct taking *t, const struct seal_event *e)
{
	take_used(t, e->fd, e->seq);
}

void take_sendmsg(struct taking *t, const struct sendmsg_event *e)
{
	take_used(t, e->fd, e->seq);
}

void take_recvmsg(struct taking *t, const struct recvmsg_event *e)
{
	if (t->object == NULL)
		return;
	holdings_open(t->process, t->object, e->fd, true, false, e->seq, &t->site);
	sizes_seen(t->world, t->object, e->size, &t->site);
}
