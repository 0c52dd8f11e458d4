#include "trace_layout.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "memory.h"

#define EVENTS_MAX 65536u
#define NAME_MAX_BYTES 256

/* What must stand there word by word, or the layout is another one. `%` stands for a text in quotes. */
static const char *const expected[] = {
	"typealias integer { size = 8; align = 8; signed = false; } := uint8_t",
	"typealias integer { size = 16; align = 8; signed = false; } := uint16_t",
	"typealias integer { size = 32; align = 8; signed = false; } := uint32_t",
	"typealias integer { size = 64; align = 8; signed = false; } := uint64_t",
	"typealias integer { size = 64; align = 8; signed = false; } := unsigned long",
	"typealias integer { size = 5; align = 1; signed = false; } := uint5_t",
	"typealias integer { size = 27; align = 1; signed = false; } := uint27_t",
	"typealias integer { size = 27; align = 1; signed = false; map = clock.monotonic.value; } := "
	"uint27_clock_monotonic_t",
	"typealias integer { size = 32; align = 8; signed = false; map = clock.monotonic.value; } := "
	"uint32_clock_monotonic_t",
	"typealias integer { size = 64; align = 8; signed = false; map = clock.monotonic.value; } := "
	"uint64_clock_monotonic_t",
	"trace { major = 1; minor = 8; uuid = %; byte_order = le; packet.header := struct { uint32_t magic; uint8_t "
	"uuid[16]; uint32_t stream_id; uint64_t stream_instance_id; }; }",
	"struct packet_context { uint64_clock_monotonic_t timestamp_begin; uint64_clock_monotonic_t timestamp_end; "
	"uint64_t content_size; uint64_t packet_size; uint64_t packet_seq_num; unsigned long events_discarded; "
	"uint32_t cpu_id; }",
	"struct event_header_compact { enum : uint5_t { compact = 0 ... 30, extended = 31 } id; variant <id> { struct "
	"{ uint27_clock_monotonic_t timestamp; } compact; struct { uint32_t id; uint64_clock_monotonic_t timestamp; } "
	"extended; } v; } align(8)",
	"struct event_header_large { enum : uint16_t { compact = 0 ... 65534, extended = 65535 } id; variant <id> { "
	"struct { uint32_clock_monotonic_t timestamp; } compact; struct { uint32_t id; uint64_clock_monotonic_t "
	"timestamp; } extended; } v; } align(8)",
};

#define EXPECTED (sizeof(expected) / sizeof(*expected))

/* Takes `text` if it stands at *at; `%` in it takes a text in quotes. */
static bool eat(const char **at, const char *text)
{
	const char *p = *at;

	for (; *text; text++) {
		if (*text == '%') {
			if (*p++ != '"')
				return false;
			for (; *p && *p != '"'; p++)
				if (*p == '\\' && p[1])
					p++;
			if (*p++ != '"')
				return false;
		} else if (*p++ != *text) {
			return false;
		}
	}
	*at = p;
	return true;
}

static bool eat_number(const char **at, int64_t *value)
{
	char *end;

	if (!isdigit((unsigned char)**at) && **at != '-')
		return false;
	*value = strtoll(*at, &end, 10);
	*at = end;
	return true;
}

static bool eat_small(const char **at, uint32_t limit, uint32_t *value)
{
	int64_t number;

	if (!eat_number(at, &number) || number < 0 || number >= limit)
		return false;
	*value = (uint32_t)number;
	return true;
}

static bool eat_word(const char **at, char word[NAME_MAX_BYTES])
{
	size_t length = 0;

	while ((isalnum((unsigned char)**at) || **at == '_' || **at == ':') && length + 1 < NAME_MAX_BYTES)
		word[length++] = *(*at)++;
	word[length] = 0;
	return length > 0;
}

/* The rest of a block, to the brace that closes it. */
static bool eat_block(const char **at)
{
	for (int depth = 1; **at; (*at)++) {
		if (**at == '"') {
			if (!eat(at, "%"))
				return false;
			(*at)--;
		} else if (**at == '{') {
			depth++;
		} else if (**at == '}' && --depth == 0) {
			(*at)++;
			return true;
		}
	}
	return false;
}

static bool eat_integer(const char **at, struct piece *piece)
{
	uint32_t bits, is_signed, base;

	if (!eat(at, "integer { size = ") || !eat_small(at, 65, &bits) || !eat(at, "; align = 8; signed = ") ||
	    !eat_small(at, 2, &is_signed) || !eat(at, "; encoding = none; base = ") || !eat_small(at, 17, &base) ||
	    !eat(at, "; }"))
		return false;
	if (bits != 8 && bits != 16 && bits != 32 && bits != 64)
		return false;
	*piece = (struct piece){.kind = PIECE_integer, .size = (uint8_t)(bits / 8), .is_signed = is_signed};
	return true;
}

/* One field, and its name; a sequence is joined with the field before it, which is its length. */
static bool eat_field(const char **at, struct event_layout *event, char name[NAME_MAX_BYTES])
{
	struct piece piece = {.kind = PIECE_text}, *before;
	char length[NAME_MAX_BYTES];

	memcpy(length, name, NAME_MAX_BYTES);
	if (eat(at, "enum : ")) {
		if (!eat_integer(at, &piece) || !eat(at, " {") || !eat_block(at))
			return false;
	} else if (!eat(at, "string")) {
		if (!eat_integer(at, &piece))
			return false;
	}
	if (!eat(at, " ") || !eat_word(at, name))
		return false;
	if (eat(at, "[ ")) {
		before = event->count ? &event->pieces[event->count - 1] : NULL;
		if (piece.kind != PIECE_integer || before == NULL || before->kind != PIECE_integer ||
		    before->is_signed || !eat(at, length) || !eat(at, " ]"))
			return false;
		before->kind = PIECE_frames;
		before->element = piece.size;
		return eat(at, "; ");
	}
	event->pieces = memory_grow(event->pieces, event->count, sizeof(*event->pieces));
	event->pieces[event->count++] = piece;
	return eat(at, "; ");
}

static bool piece_fits(const struct piece *piece, const struct trace_field *field)
{
	switch (field->form) {
	case FORM_integer:
		return piece->kind == PIECE_integer;
	case FORM_text:
		return piece->kind == PIECE_text;
	default:
		return piece->kind == PIECE_frames && piece->element == sizeof(uint64_t);
	}
}

/* Leads the piece to the field of that name, if the event has one; false: it is of another kind, or came before. */
static bool piece_bind(struct piece *piece, const struct trace_field *fields, size_t count, const char *name,
		       uint64_t *bound)
{
	for (size_t i = 0; i < count; i++) {
		if (strcmp(fields[i].name, name) != 0)
			continue;
		if (*bound >> i & 1 || !piece_fits(piece, &fields[i]))
			return false;
		*bound |= (uint64_t)1 << i;
		piece->wanted = true;
		piece->to = fields[i];
	}
	return true;
}

static bool head_is_bound(const struct trace_field *fields, size_t count, uint64_t bound)
{
	for (size_t i = 0; i < count; i++)
		if (fields[i].offset < sizeof(struct event_head) && !(bound >> i & 1))
			return false;
	return true;
}

static bool eat_fields(const char **at, const char *event_name, struct event_layout *event)
{
	char name[NAME_MAX_BYTES] = "";
	const struct trace_field *fields;
	size_t count = 0;
	uint64_t bound = 0;

	event->id = EVENT_COUNT;
	event->ours = trace_event_ours(event_name);
	fields = trace_event_fields(event_name, &event->id, &count);
	while (!eat(at, "}; }")) {
		if (!eat_field(at, event, name))
			return false;
		if (fields && !piece_bind(&event->pieces[event->count - 1], fields, count,
					  name[0] == '_' ? name + 1 : name, &bound))
			return false;
	}
	event->complete = bound == ((uint64_t)1 << count) - 1;
	return fields == NULL || head_is_bound(fields, count, bound);
}

static bool take_event(struct layout *layout, const char *at)
{
	char name[NAME_MAX_BYTES];
	struct stream_layout *stream;
	struct event_layout *event;
	uint32_t id, stream_id, level;

	if (!eat(&at, "event { name = \"") || !eat_word(&at, name) || !eat(&at, "\"; id = ") ||
	    !eat_small(&at, EVENTS_MAX, &id) || !eat(&at, "; stream_id = ") ||
	    !eat_small(&at, LAYOUT_STREAMS, &stream_id) || !eat(&at, "; loglevel = ") || !eat_small(&at, 256, &level) ||
	    !eat(&at, "; fields := struct { "))
		return false;
	stream = &layout->streams[stream_id];
	if (id >= stream->count) {
		stream->events = memory_resize(stream->events, id + 1, sizeof(*stream->events));
		memset(&stream->events[stream->count], 0, (id + 1 - stream->count) * sizeof(*stream->events));
		stream->count = id + 1;
	}
	event = &stream->events[id];
	if (event->described)
		return false;
	event->described = true;
	return eat_fields(&at, name, event) && *at == 0;
}

static bool take_stream(struct layout *layout, const char *at)
{
	struct stream_layout *stream;
	uint32_t id;

	if (!eat(&at, "stream { id = ") || !eat_small(&at, LAYOUT_STREAMS, &id) ||
	    !eat(&at, "; event.header := struct event_header_"))
		return false;
	stream = &layout->streams[id];
	if (stream->described)
		return false;
	stream->described = true;
	stream->large = eat(&at, "large");
	if (!stream->large && !eat(&at, "compact"))
		return false;
	return eat(&at, "; packet.context := struct packet_context; }") && *at == 0;
}

static bool take_clock(struct layout *layout, const char *at)
{
	if (!eat(&at, "clock { name = \"monotonic\"; "))
		return false;
	eat(&at, "uuid = %; ");
	return eat(&at, "description = %; freq = 1000000000; offset = ") && eat_number(&at, &layout->origin) &&
	       eat(&at, "; }") && *at == 0;
}

static bool take(struct layout *layout, const char *declaration, uint64_t *seen)
{
	const char *at = declaration;

	if (eat(&at, "event {"))
		return take_event(layout, declaration);
	if (eat(&at, "stream {"))
		return take_stream(layout, declaration);
	if (eat(&at, "env {"))
		return true;
	if (eat(&at, "clock {")) {
		*seen |= (uint64_t)1 << EXPECTED;
		return take_clock(layout, declaration);
	}
	for (size_t i = 0; i < EXPECTED; i++) {
		at = declaration;
		if (eat(&at, expected[i]) && *at == 0) {
			*seen |= (uint64_t)1 << i;
			return true;
		}
	}
	return false;
}

/* Where a remark or a text in quotes that begins at `at` ends; `at` itself: it does not, or none begins there. */
static const char *skip(const char *at)
{
	const char *end = at;

	if (*at == '"')
		return eat(&end, "%") ? end : at;
	end = at[0] == '/' && at[1] == '*' ? strstr(at + 2, "*/") : NULL;
	return end ? end + 2 : at;
}

/*
 * Writes the declaration that begins at *text, with one blank where there is any space and without remarks, to `to`,
 * which is as long as the text. False at the end; *text is then NULL if it ends in the middle of a declaration.
 */
static bool next_declaration(const char **text, char *to)
{
	const char *at = *text, *end;
	char *begin = to;
	int depth = 0;

	for (; *at && !(*at == ';' && depth == 0); at = end) {
		end = skip(at);
		if (*at == '"' && end > at) {
			memcpy(to, at, (size_t)(end - at));
			to += end - at;
		} else if (end == at) {
			end = at + 1;
			depth += (*at == '{') - (*at == '}');
			if (!isspace((unsigned char)*at))
				*to++ = *at;
			else if (to > begin && to[-1] != ' ')
				*to++ = ' ';
		}
	}
	*to = 0;
	*text = *at == ';' ? at + 1 : to == begin ? at : NULL;
	return *at == ';';
}

bool layout_parse(const char *metadata, struct layout *layout)
{
	char *declaration = memory_resize(NULL, strlen(metadata) + 1, 1);
	uint64_t seen = 0;
	bool good = __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__;

	memset(layout, 0, sizeof(*layout));
	while (good && next_declaration(&metadata, declaration))
		good = take(layout, declaration, &seen);
	free(declaration);
	return good && metadata && seen == ((uint64_t)2 << EXPECTED) - 1;
}

void layout_clear(struct layout *layout)
{
	for (size_t i = 0; i < LAYOUT_STREAMS; i++) {
		for (size_t j = 0; j < layout->streams[i].count; j++)
			free(layout->streams[i].events[j].pieces);
		free(layout->streams[i].events);
	}
	memset(layout, 0, sizeof(*layout));
}
