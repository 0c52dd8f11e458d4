/* What waits at objects, and how far into them processes map, against models that look at everything at each step. */
#include <stdlib.h>

#include "analyzer/docket.h"
#include "analyzer/pages.h"
#include "tests/unit/world_by_hand.h"

enum { PROCESSES = 3, OBJECTS = 2, PAGES = 12, STEPS = 6000, FIRST = 10 };

static const enum rule_id rules_of[] = {RULE_map_beyond_end, RULE_map_before_size, RULE_shrink_under_map,
					RULE_shrink_under_map, RULE_shm_fs_full};

static struct model {
	struct charge is; /* cover: its time alone */
	bool done;        /* nothing changes it any more */
	bool given;       /* up: nothing but another's SIGBUS changes it any more */
	bool old;         /* shrunk too long ago */
	bool closed, gone;
} models[STEPS];

static struct {
	bool closed;
	struct charge was;
} closed[STEPS];

static uint32_t count;
static uint64_t random_state;

static uint64_t draw(uint64_t below)
{
	random_state = random_state * 6364136223846793005u + 1442695040888963407u;
	return (random_state >> 33) % below;
}

static struct process *process_at(uint64_t index)
{
	return (struct process *)(uintptr_t)process_of(FIRST + (int)index);
}

static uint64_t end_in(const struct process *process, const struct object *object)
{
	uint64_t end = 0;

	for (size_t i = 0; i < process->holdings->piece_count; i++) {
		const struct piece *piece = &process->holdings->pieces[i];

		if (object_real(piece->from->object) == object && piece->end - piece->from->base > end)
			end = piece->end - piece->from->base;
	}
	return end;
}

static bool is_past_end(const struct model *m)
{
	return m->is.event.rule == RULE_map_beyond_end || m->is.event.rule == RULE_map_before_size;
}

static bool is_full(const struct model *m)
{
	return m->is.event.rule == RULE_shm_fs_full;
}

static void on_close(struct court *court, struct charge *charge)
{
	(void)court;
	closed[charge->event.seq].closed = true;
	closed[charge->event.seq].was = *charge;
}

static bool agree(void)
{
	for (uint32_t i = 0; i < count; i++) {
		const struct model *m = &models[i];
		const struct charge *was = &closed[i].was;

		if (m->closed != closed[i].closed)
			return false;
		if (m->closed &&
		    (m->is.faulted != was->faulted || m->is.trimmed != was->trimmed ||
		     m->is.cover.site.time != was->cover.site.time || (is_past_end(m) && m->is.end != was->end)))
			return false;
	}
	return true;
}

static void add(struct court *court, struct process *process, struct object *object)
{
	struct model *m = &models[count];
	struct charge *kept = calloc(1, sizeof(*kept));
	uint64_t size = object->size, past = size + PAGE * (1 + draw(4)) - draw(2);
	uint32_t of = seqs[process->pid];

	if (kept == NULL)
		abort();
	*m = (struct model){.is = {.process = process, .object = object, .end = past, .site = {.time = now}}};
	m->is.event = (struct finding_event){.of = of, .size = size};
	m->is.event.rule = (uint8_t)rules_of[draw(sizeof(rules_of) / sizeof(rules_of[0]))];
	m->is.event.length = m->is.event.rule == RULE_shrink_under_map ? draw(PAGES) * PAGE : past;
	m->is.event.other = (int32_t)draw(2);
	m->is.event.seq = count++;
	*kept = m->is;
	docket_add(court, kept);
}

static void cover(struct court *court, struct object *object, const struct process *by)
{
	struct change change = {.site = {.process = by, .time = now}, .after = draw(PAGES) * PAGE};

	object->size = change.after;
	for (uint32_t i = 0; i < count; i++) {
		struct model *m = &models[i];

		if (m->is.object != object || m->done || m->closed || m->gone || !is_past_end(m) ||
		    pages_up(m->is.end) > change.after)
			continue;
		m->is.cover.site.time = m->given ? 0 : now;
		m->done = true;
	}
	docket_covered(court, object, &change);
}

static void fault(struct court *court, const struct process *by, const struct object *object, bool full)
{
	for (uint32_t i = 0; i < count; i++) {
		struct model *m = &models[i];

		if (m->is.object != object || m->done || m->closed || m->gone || is_full(m) != full)
			continue;
		m->is.faulted = !m->given || m->is.shut || m->is.process != by;
		m->done = true;
	}
	docket_faulted(court, by, object, full);
}

static void trim_model(struct model *m, uint64_t reach, uint64_t limit, bool maps)
{
	const struct finding_event *e = &m->is.event;
	uint64_t end = reach < limit ? reach : limit;

	if (!m->done && !m->old && e->rule == RULE_shrink_under_map && e->other == 0 && charge_edge(&m->is) >= end) {
		m->is.trimmed = m->closed = now - m->is.site.time <= 1000000000;
		m->old = !m->closed;
	}
	if (!maps) {
		m->closed |= !is_full(m);
	} else if (!m->done && !m->given && is_past_end(m)) {
		m->is.end = m->is.end < end ? m->is.end : end;
		m->is.shut = limit < reach;
		m->given = m->is.trimmed = m->is.object->size && pages_up(m->is.end) <= pages_up(m->is.object->size);
	}
}

static void trim(struct court *court, const struct process *process, const struct object *object, uint64_t limit)
{
	const struct site site = {.process = process, .time = now};
	uint64_t end = end_in(process, object);

	for (uint32_t i = 0; i < count; i++)
		if (models[i].is.object == object && models[i].is.process == process && !models[i].closed &&
		    !models[i].gone)
			trim_model(&models[i], end, limit, holdings_maps(process, object));
	docket_trimmed(court, process, object, &site, limit, on_close);
}

static void undo(struct court *court, struct process *process, uint32_t of)
{
	for (uint32_t i = 0; i < count; i++)
		if (models[i].is.process == process && !models[i].closed && models[i].is.event.of == of)
			models[i].gone = true;
	docket_undone(court, process, of);
}

static void close_some(struct court *court, struct process *process, const struct object *object)
{
	for (uint32_t i = 0; i < count; i++)
		if (process ? models[i].is.process == process && !is_full(&models[i]) : models[i].is.object == object)
			models[i].closed |= !models[i].gone;
	if (process) {
		process->over = true;
		docket_close_process(court, process, on_close);
		process->over = false;
	} else {
		docket_close_object(court, object, on_close);
	}
}

/* Maps somewhere, or unmaps, or shortens and moves what may be mapped there. */
static void change_mappings(struct process *process, uint32_t id)
{
	uint64_t address = BASE + draw(4 * PAGES) * PAGE, length = (1 + draw(PAGES)) * PAGE;
	uint32_t of;

	if (draw(8) == 0) {
		of = FEED(mremap, process->pid, .addr = address, .length = length,
			  .new_length = PAGE * (1 + draw(PAGES)), .flags = MREMAP_MAYMOVE, .object = id);
		FEED(mremapped, process->pid, .of = of, .result = BASE + draw(4 * PAGES) * PAGE,
		     .error = draw(2) ? 0 : 12);
	} else if (draw(2)) {
		FEED(mmap, process->pid, .length = length, .prot = 3, .flags = MAP_SHARED, .fd = -1, .result = address,
		     .object = id, .offset = (int64_t)(draw(PAGES) * PAGE), .size = length);
	} else {
		unmap(process->pid, address, length);
	}
}

static bool step(struct court *court)
{
	struct process *process = process_at(draw(PROCESSES));
	uint64_t which = draw(OBJECTS);
	struct object *object = world->objects[which];

	now += draw(50) ? (int64_t)draw(1000) : 700000000;
	switch (draw(40)) {
	case 0:
		fault(court, process, object, draw(2));
		break;
	case 1:
		undo(court, process, seqs[process->pid] - (uint32_t)draw(3));
		break;
	case 2:
		if (draw(4) == 0)
			close_some(court, draw(2) ? process : NULL, object);
		break;
	case 3:
	case 4:
	case 5:
		cover(court, object, process);
		break;
	default:
		if (draw(2))
			add(court, process, object);
		change_mappings(process, (uint32_t)which + 1);
		for (uint64_t i = 0; i < OBJECTS; i++)
			trim(court, process, world->objects[i], draw(4) ? UINT64_MAX : draw(PAGES) * PAGE);
	}
	return agree();
}

static bool reach_agrees(void)
{
	for (uint64_t i = 0; i < PROCESSES; i++)
		for (size_t o = 0; o < OBJECTS; o++)
			if (holdings_end(process_at(i), world->objects[o]) != end_in(process_at(i), world->objects[o]))
				return false;
	return true;
}

static void check_random(uint64_t seed)
{
	struct court court = {0};
	bool alike = true, reaches = true, over = true, none = true;
	uint32_t ended = 0;

	random_state = seed;
	count = 0;
	memset(closed, 0, sizeof(closed));
	begin();
	court.world = world;
	for (int pid = FIRST; pid < FIRST + PROCESSES; pid++) {
		start(pid, BEGAN_exec, 1, 0);
		define(pid, 1, 77);
		define(pid, 2, 78);
	}
	for (int i = 0; i < STEPS && alike && reaches; i++) {
		alike = step(&court);
		reaches = draw(3) || reach_agrees();
	}
	for (uint32_t i = 0; i < count; i++) {
		ended += models[i].closed;
		models[i].closed |= !models[i].gone;
	}
	check(alike && ended * 2 > count && ended < count, "what becomes of what waits, one step after the other");
	check(reaches, "how far processes map");
	docket_close_all(&court, on_close);
	over = agree();
	for (size_t o = 0; o < OBJECTS; o++)
		none &= world->objects[o]->charges == 0;
	check(over && none, "nothing is left at the end");
	end();
}

static void check_merged(void)
{
	begin();
	start(10, BEGAN_exec, 1, 0);
	define(10, 1, 77);
	map_at(10, 1, BASE, PAGE);
	check(holdings_end(process_of(10), world->objects[0]) == PAGE, "the reach is where its mapping ends");
	map_at(10, 2, BASE + 16 * PAGE, 4 * PAGE);
	define(10, 2, 77);
	check(object_real(world->objects[1]) == world->objects[0] &&
		      holdings_end(process_of(10), world->objects[0]) == 4 * PAGE,
	      "that of an object that proves to be the same is its own");
	unmap(10, BASE + 19 * PAGE, PAGE);
	check(holdings_end(process_of(10), world->objects[0]) == 3 * PAGE, "and a part given up is gone");
	end();
}

int main(void)
{
	for (uint64_t seed = 1; seed <= 6; seed++)
		check_random(seed);
	check_merged();
	printf("1..%d\n", number);
	return failures != 0;
}
