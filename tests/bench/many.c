/*
 * Makes traces of any size without a session daemon, in the layout that the metadata of a canned trace describes:
 *
 *	many METADATA OUT EVENTS PROCESSES TRACES [MODULE BUILD_ID FIRST LAST [turnover]]
 *
 * PROCESSES map, unmap and resize 16 objects each, from 500 stacks of 20 frames in [FIRST, LAST] of MODULE; one mapping
 * of 20,000 stays, the others are gone at their end. They are spread over TRACES directories below OUT, each of its own
 * UUID, with two streams. "turnover": they make, size, map and remove one new object after another instead.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "analyzer/memory.h"
#include "analyzer/trace_layout.h"
#include "analyzer/trace_metadata.h"
#include "analyzer/trace_packets.h"

#define PACKET_MAX (256u << 10)
#define STREAMS 2
#define STACKS 500
#define FRAMES 20
#define OBJECTS 16
#define PLACES 8 /* of a program that make and remove objects */
#define LENGTH 65536
#define RECORDING 0x1a2b3c4d

struct stream {
	FILE *file;
	unsigned char *bytes;
	size_t used;
	uint64_t begin, number, instance;
};

struct trace {
	char *dir;
	struct metadata metadata;
	struct layout layout;
	uint32_t class;
	struct stream streams[STREAMS];
};

struct program {
	struct trace *trace;
	struct stream *stream;
	int32_t pid;
	uint32_t seq;
	bool mapped[OBJECTS];
	uint64_t left[OBJECTS]; /* mappings that stay */
	uint64_t size[OBJECTS];
	uint32_t turns;
};

static size_t packet = PACKET_MAX; /* bytes of one; less in each of many traces */
static uint64_t now = 1000000000, made, state = 1;
static const char *module = "/usr/bin/server", *build_id = "";
static uint64_t first = 0x1000, last = 0x2000;

static uint64_t chance(uint64_t below)
{
	state = state * 6364136223846793005u + 1442695040888963407u;
	return (state >> 33) % below;
}

static void fail(const char *what)
{
	perror(what);
	exit(1);
}

static void put(unsigned char **at, const void *from, size_t size)
{
	memcpy(*at, from, size);
	*at += size;
}

static void packet_end(struct trace *trace, struct stream *stream)
{
	const uint32_t magic = 0xc1fc1fc1u, cpu = (uint32_t)(stream - trace->streams);
	uint64_t numbers[] = {stream->begin, now, stream->used * 8, packet * 8, stream->number++, 0};
	unsigned char *at = stream->bytes;

	put(&at, &magic, 4);
	put(&at, trace->metadata.kind.uuid, 16);
	put(&at, &trace->class, 4);
	put(&at, &stream->instance, 8);
	put(&at, numbers, sizeof(numbers));
	put(&at, &cpu, 4);
	memset(stream->bytes + stream->used, 0, packet - stream->used);
	if (fwrite(stream->bytes, packet, 1, stream->file) != 1)
		fail(trace->dir);
	stream->used = PACKET_HEADER;
	stream->begin = now;
}

static void put_piece(unsigned char **at, const struct piece *piece, const void *event)
{
	static const uint64_t nothing;
	const char *from = piece->wanted ? (const char *)event + piece->to.offset : (const char *)&nothing;

	if (piece->kind == PIECE_text) {
		const char *text = piece->wanted ? *(const char *const *)(const void *)from : "";

		put(at, text, strlen(text) + 1);
	} else if (piece->kind == PIECE_integer) {
		uint64_t value = 0;

		memcpy(&value, from, piece->wanted ? piece->to.size : 0);
		put(at, &value, piece->size);
	} else {
		const struct frames *frames = (const void *)from;

		put(at, &frames->count, piece->size);
		put(at, frames->address, frames->count * sizeof(uint64_t));
	}
}

static void emit(struct program *program, enum event_id id, union any_event *event)
{
	struct stream_layout *class = &program->trace->layout.streams[program->trace->class];
	struct stream *stream = program->stream;
	uint16_t number = 0;
	uint32_t low;
	unsigned char *at;

	event->head.recording = RECORDING;
	event->head.pid = event->head.tid = program->pid;
	event->head.seq = ++program->seq;
	now += 100 + chance(100);
	while (number < class->count && class->events[number].id != id)
		number++;
	if (number == class->count) {
		fprintf(stderr, "many: the metadata does not have event %d\n", id);
		exit(1);
	}
	if (packet - stream->used < 1024)
		packet_end(program->trace, stream);
	low = (uint32_t)now;
	at = stream->bytes + stream->used;
	put(&at, &number, 2);
	put(&at, &low, 4);
	for (size_t i = 0; i < class->events[number].count; i++)
		put_piece(&at, &class->events[number].pieces[i], event);
	stream->used = (size_t)(at - stream->bytes);
	made++;
}

static void begin(struct program *program)
{
	uint64_t addresses[FRAMES];

	emit(program, EVENT_process, &(union any_event){.process = {.parent = 1, .exe = module, .argv = "server"}});
	emit(program, EVENT_module,
	     &(union any_event){.module = {.base = 0x400000, .size = 0x4000000, .build_id = build_id, .path = module}});
	for (uint32_t id = 1; id <= STACKS; id++) {
		for (size_t i = 0; i < FRAMES; i++)
			addresses[i] = 0x400000 + first + chance(last - first);
		emit(program, EVENT_stack_definition,
		     &(union any_event){.stack_definition = {.id = id, .frames = {FRAMES, addresses}}});
	}
	for (uint32_t id = 1; id <= OBJECTS; id++) {
		emit(program, EVENT_object,
		     &(union any_event){.object = {.id = id,
						   .kind = KIND_memfd,
						   .dev = 1,
						   .ino = (uint64_t)program->pid * OBJECTS + id,
						   .size = LENGTH,
						   .mode = 0777,
						   .name = "memfd:pool"}});
		program->size[id - 1] = LENGTH;
	}
}

static uint64_t address_of(const struct program *program, uint32_t object)
{
	uint64_t left = object < OBJECTS ? program->left[object] : 0;

	return 0x7f0000000000 + (uint64_t)object * 0x100000000 + left * 0x100000;
}

static void act(struct program *program)
{
	uint32_t object = (uint32_t)chance(OBJECTS), stack = 1 + (uint32_t)chance(STACKS);

	if (chance(20) == 0) {
		uint64_t size = LENGTH * (1 + chance(4)), before = program->size[object];

		program->size[object] = size > before ? size : before;
		emit(program, EVENT_ftruncate,
		     &(union any_event){.ftruncate = {.stack = stack,
						      .symbol = SYMBOL_ftruncate,
						      .fd = 3,
						      .length = (int64_t)program->size[object],
						      .object = object + 1,
						      .size_before = before,
						      .size = program->size[object]}});
	} else if (program->mapped[object] && chance(20000) == 0) {
		program->left[object]++;
		program->mapped[object] = false;
	} else if (program->mapped[object]) {
		emit(program, EVENT_munmap,
		     &(union any_event){.munmap = {.stack = stack,
						   .addr = address_of(program, object),
						   .length = LENGTH,
						   .object = object + 1}});
		program->mapped[object] = false;
	} else {
		emit(program, EVENT_mmap,
		     &(union any_event){.mmap = {.stack = stack,
						 .length = LENGTH,
						 .prot = 3,
						 .flags = 1,
						 .fd = -1,
						 .result = address_of(program, object),
						 .object = object + 1,
						 .size = program->size[object]}});
		program->mapped[object] = true;
	}
}

static void turn_over(struct program *program)
{
	uint32_t object = OBJECTS + ++program->turns, stack = 1 + (uint32_t)chance(PLACES);
	uint64_t address = address_of(program, OBJECTS), inode = (uint64_t)(unsigned)program->pid << 32 | object;
	char name[40];

	snprintf(name, sizeof(name), "/job-%d-%u", (int)program->pid, program->turns);
	emit(program, EVENT_object,
	     &(union any_event){.object = {.id = object, .dev = 1, .ino = inode, .mode = 0600, .name = name}});
	emit(program, EVENT_shm_open,
	     &(union any_event){.shm_open = {.stack = stack,
					     .name = name,
					     .flags = O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC,
					     .mode = 0600,
					     .result = 3,
					     .object = object,
					     .created = 1}});
	emit(program, EVENT_ftruncate,
	     &(union any_event){.ftruncate = {.stack = stack,
					      .symbol = SYMBOL_ftruncate,
					      .fd = 3,
					      .length = LENGTH,
					      .object = object,
					      .size = LENGTH}});
	emit(program, EVENT_mmap,
	     &(union any_event){.mmap = {.stack = stack,
					 .length = LENGTH,
					 .prot = 3,
					 .flags = 1,
					 .fd = 3,
					 .result = address,
					 .object = object,
					 .size = LENGTH}});
	emit(program, EVENT_munmap,
	     &(union any_event){.munmap = {.stack = stack, .addr = address, .length = LENGTH, .object = object}});
	emit(program, EVENT_close, &(union any_event){.close = {.stack = stack, .fd = 3, .object = object}});
	emit(program, EVENT_unlink,
	     &(union any_event){.unlink = {.stack = stack,
					   .symbol = SYMBOL_shm_unlink,
					   .dirfd = AT_FDCWD,
					   .name = name,
					   .object = object}});
}

static void end(struct program *program)
{
	for (uint32_t object = 0; object < OBJECTS; object++)
		if (program->mapped[object])
			emit(program, EVENT_munmap,
			     &(union any_event){.munmap = {.stack = 1,
							   .addr = address_of(program, object),
							   .length = LENGTH,
							   .object = object + 1}});
	emit(program, EVENT_exit, &(union any_event){0});
}

static void write_file(const char *path, const void *bytes, size_t size)
{
	FILE *file = fopen(path, "w");

	if (file == NULL || fwrite(bytes, 1, size, file) != size || fclose(file))
		fail(path);
}

/* The metadata's text with the last digits of the first UUID counted up. */
static void trace_open(struct trace *trace, const char *text, const char *out, unsigned number, unsigned count)
{
	char *copy = memory_text(text), *uuid = strstr(copy, "uuid = \""), digits[5], *path;

	if (number > 0 && uuid) {
		snprintf(digits, sizeof(digits), "%04x", number & 0xffff);
		memcpy(uuid + 8 + 32, digits, 4);
	}
	trace->dir = count > 1 ? memory_format("%s/%u", out, number) : memory_text(out);
	if (mkdir(trace->dir, 0755) < 0)
		fail(trace->dir);
	path = memory_format("%s/metadata", trace->dir);
	write_file(path, copy, strlen(copy));
	if (metadata_parse(copy, strlen(copy), &trace->metadata) || !layout_parse(copy, &trace->layout)) {
		fprintf(stderr, "many: another layout\n");
		exit(1);
	}
	while (!(trace->metadata.kind.streams >> trace->class & 1))
		trace->class ++;
	for (unsigned i = 0; i < STREAMS; i++) {
		struct stream *stream = &trace->streams[i];

		free(path);
		path = memory_format("%s/events_%u", trace->dir, i);
		stream->file = fopen(path, "w");
		stream->bytes = memory_new(1, packet);
		stream->used = PACKET_HEADER;
		stream->begin = now;
		stream->instance = i;
		if (stream->file == NULL)
			fail(path);
	}
	free(path);
	free(copy);
}

static void trace_close(struct trace *trace)
{
	for (unsigned i = 0; i < STREAMS; i++) {
		struct stream *stream = &trace->streams[i];

		packet_end(trace, stream);
		if (fclose(stream->file))
			fail(trace->dir);
		free(stream->bytes);
	}
	metadata_clear(&trace->metadata);
	layout_clear(&trace->layout);
	free(trace->dir);
}

static char *read_metadata(const char *path)
{
	char *bytes = memory_new(1, 1 << 20);
	FILE *file = fopen(path, "r");
	struct metadata metadata;

	if (file == NULL || metadata_parse(bytes, fread(bytes, 1, 1 << 20, file), &metadata))
		fail(path);
	fclose(file);
	free(bytes);
	return metadata.text;
}

int main(int argc, char **argv)
{
	if (argc != 6 && argc != 10 && argc != 11) {
		fputs("usage: many METADATA OUT EVENTS PROCESSES TRACES [MODULE BUILD_ID FIRST LAST [turnover]]\n",
		      stderr);
		return 2;
	}
	uint64_t events = strtoull(argv[3], NULL, 10);
	unsigned programs = (unsigned)atoi(argv[4]), traces = (unsigned)atoi(argv[5]);
	struct program *program = memory_new(programs, sizeof(*program));
	struct trace *trace = memory_new(traces, sizeof(*trace));
	char *text = read_metadata(argv[1]);

	if (argc >= 10) {
		module = argv[6];
		build_id = argv[7];
		first = strtoull(argv[8], NULL, 16);
		last = strtoull(argv[9], NULL, 16);
	}
	if (traces > 1)
		packet /= 8;
	if (traces > 1 && mkdir(argv[2], 0755) < 0)
		fail(argv[2]);
	for (unsigned i = 0; i < traces; i++)
		trace_open(&trace[i], text, argv[2], i, traces);
	for (unsigned i = 0; i < programs; i++) {
		program[i].trace = &trace[i % traces];
		program[i].stream = &program[i].trace->streams[i / traces % STREAMS];
		program[i].pid = 1000 + (int32_t)i;
		begin(&program[i]);
	}
	while (made + (OBJECTS + 1) * programs < events)
		(argc == 11 ? turn_over : act)(&program[chance(programs)]);
	for (unsigned i = 0; i < programs; i++)
		end(&program[i]);
	for (unsigned i = 0; i < traces; i++)
		trace_close(&trace[i]);
	printf("%llu\n", (unsigned long long)made);
	free(program);
	free(trace);
	free(text);
	return 0;
}
