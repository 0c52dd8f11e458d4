/* The decoder for traces of any layout: babeltrace2's graph of a source for each trace, its muxer and a sink of ours. */
#include "trace_job.h"

#include <babeltrace2/babeltrace.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "memory.h"
#include "trace_events.h"
#include "trace_settings.h"

#define FRAMES_MAX 256

/* How to decode one event class of one trace. */
struct decoder {
	const bt_event_class *class;
	enum event_id id; /* EVENT_COUNT: an event that this version does not know */
	bool ours;        /* it is shmguard's all the same */
	const struct trace_field *fields;
	size_t count;
	int64_t index[TRACE_FIELDS_MAX]; /* of the member in the payload, -1: the trace has no such field */
};

struct reader {
	const struct trace_job *job;
	struct decoder **decoders;
	size_t decoder_count;
	const struct decoder *last;
	const bt_stream *last_stream;
	const char *host;
	struct trace_dir *dir; /* of the last stream */
	uint64_t frames[FRAMES_MAX];
	char *error;
	bool stopped; /* `error` says why */
	uint64_t events, packets;
};

static bool form_matches(enum trace_form form, bt_field_class_type type)
{
	switch (form) {
	case FORM_integer:
		return bt_field_class_type_is(type, BT_FIELD_CLASS_TYPE_INTEGER);
	case FORM_text:
		return type == BT_FIELD_CLASS_TYPE_STRING;
	default:
		return bt_field_class_type_is(type, BT_FIELD_CLASS_TYPE_ARRAY);
	}
}

static int64_t member_index(const bt_field_class *payload, const char *name, const bt_field_class **class)
{
	uint64_t count = bt_field_class_structure_get_member_count(payload);

	for (uint64_t i = 0; i < count; i++) {
		const bt_field_class_structure_member *member =
			bt_field_class_structure_borrow_member_by_index_const(payload, i);

		if (strcmp(bt_field_class_structure_member_get_name(member), name) == 0) {
			*class = bt_field_class_structure_member_borrow_field_class_const(member);
			return (int64_t)i;
		}
	}
	return -1;
}

/* Every event needs the fields of its head. Any other may be newer than the trace: its value is 0 or "". */
static bool decoder_bind(struct reader *reader, struct decoder *decoder, const char *name)
{
	const bt_field_class *payload = bt_event_class_borrow_payload_field_class_const(decoder->class);

	for (size_t i = 0; i < decoder->count; i++) {
		const struct trace_field *field = &decoder->fields[i];
		const bt_field_class *class = NULL;

		decoder->index[i] = payload ? member_index(payload, field->name, &class) : -1;
		if (class && !form_matches(field->form, bt_field_class_get_type(class))) {
			reader->error = memory_format("the trace is of another version: %s has another kind of '%s'",
						      name, field->name);
			return false;
		}
		if (class)
			continue;
		if (field->offset < sizeof(struct event_head)) {
			reader->error =
				memory_format("the trace is of another version: %s has no '%s'", name, field->name);
			return false;
		}
	}
	return true;
}

static const struct decoder *decoder_make(struct reader *reader, const bt_event_class *class)
{
	struct decoder *decoder = memory_new(1, sizeof(*decoder));
	const char *name = bt_event_class_get_name(class);

	decoder->class = class;
	decoder->id = EVENT_COUNT;
	reader->decoders = memory_grow(reader->decoders, reader->decoder_count, sizeof(*reader->decoders));
	reader->decoders[reader->decoder_count++] = decoder;
	decoder->ours = name && trace_event_ours(name);
	if (name)
		decoder->fields = trace_event_fields(name, &decoder->id, &decoder->count);
	if (decoder->fields && !decoder_bind(reader, decoder, name))
		return NULL;
	return decoder;
}

static const struct decoder *decoder_of(struct reader *reader, const bt_event_class *class)
{
	if (reader->last && reader->last->class == class)
		return reader->last;
	for (size_t i = 0; i < reader->decoder_count; i++)
		if (reader->decoders[i]->class == class)
			return reader->last = reader->decoders[i];
	return reader->last = decoder_make(reader, class);
}

static uint64_t integer_of(const bt_field *field)
{
	if (bt_field_class_type_is(bt_field_get_class_type(field), BT_FIELD_CLASS_TYPE_SIGNED_INTEGER))
		return (uint64_t)bt_field_integer_signed_get_value(field);
	return bt_field_integer_unsigned_get_value(field);
}

/* babeltrace2 2.0.4 leaves the previous event's text in an empty string field. */
static const char *text_of(const bt_field *field)
{
	return bt_field_string_get_length(field) ? bt_field_string_get_value(field) : "";
}

static struct frames frames_of(struct reader *reader, const bt_field *field)
{
	struct frames frames = {0, reader->frames};
	uint64_t count = bt_field_array_get_length(field);

	for (; frames.count < count && frames.count < FRAMES_MAX; frames.count++) {
		const bt_field *element = bt_field_array_borrow_element_field_by_index_const(field, frames.count);

		reader->frames[frames.count] = integer_of(element);
	}
	return frames;
}

static void decode(struct reader *reader, const struct decoder *decoder, const bt_field *payload,
		   union any_event *event)
{
	for (size_t i = 0; i < decoder->count; i++) {
		const struct trace_field *field = &decoder->fields[i];
		void *to = (char *)event + field->offset;
		const bt_field *from = NULL;

		if (decoder->index[i] >= 0)
			from = bt_field_structure_borrow_member_field_by_index_const(payload,
										     (uint64_t)decoder->index[i]);
		if (field->form == FORM_integer)
			trace_put_integer(to, field->size, from ? integer_of(from) : 0);
		else if (field->form == FORM_text)
			*(const char **)to = from ? text_of(from) : "";
		else
			*(struct frames *)to = from ? frames_of(reader, from) : (struct frames){0, NULL};
	}
}

/* Where the trace of a stream lies, or another of its kind. */
static struct trace_dir *dir_of(const struct reader *reader, const bt_stream *stream)
{
	const struct trace_files *files = reader->job->files;
	bt_uuid uuid = bt_trace_get_uuid(bt_stream_borrow_trace_const(stream));

	for (size_t i = 0; uuid && i < files->count; i++)
		if (memcmp(files->dirs[i].metadata.kind.uuid, uuid, 16) == 0)
			return &files->dirs[i];
	return &files->dirs[0];
}

static const char *host_of(struct reader *reader, const bt_stream *stream)
{
	const bt_value *name;

	if (stream == reader->last_stream)
		return reader->host;
	reader->dir = dir_of(reader, stream);
	name = bt_trace_borrow_environment_entry_value_by_name_const(bt_stream_borrow_trace_const(stream), "hostname");
	reader->last_stream = stream;
	reader->host = name && bt_value_is_string(name) ? bt_value_string_get(name) : "";
	return reader->host;
}

static void take_event(struct reader *reader, const bt_message *message)
{
	const bt_event *event = bt_message_event_borrow_event_const(message);
	const struct decoder *decoder = decoder_of(reader, bt_event_borrow_class_const(event));
	struct trace_event out = {0};

	if (decoder == NULL) {
		reader->stopped = true;
		return;
	}
	out.host = host_of(reader, bt_event_borrow_stream_const(event));
	if (decoder->id == EVENT_COUNT) {
		trace_count_other(reader->job, reader->dir, decoder->ours);
		return;
	}
	if (bt_clock_snapshot_get_ns_from_origin(bt_message_event_borrow_default_clock_snapshot_const(message),
						 &out.time) != BT_CLOCK_SNAPSHOT_GET_NS_FROM_ORIGIN_STATUS_OK) {
		reader->error = memory_text("the trace is damaged: an event's time is out of range");
		reader->stopped = true;
		return;
	}
	out.id = decoder->id;
	decode(reader, decoder, bt_event_borrow_payload_field_const(event), &out.event);
	/* No event is shorter than two bytes: the library goes round in a circle. */
	if (++reader->events > reader->job->files->bytes / 2) {
		reader->error = memory_text("the trace is damaged: it has no end");
		reader->stopped = true;
		return;
	}
	trace_deliver(reader->job, reader->dir, &out);
}

/* What is missing of LTTng's own streams was counted when they were looked at, over all files of each. */
static bool is_counted(const struct reader *reader, const bt_stream *stream)
{
	return dir_of(reader, stream)->metadata.lttng;
}

static void take_message(struct reader *reader, const bt_message *message)
{
	uint64_t count = 0;

	switch (bt_message_get_type(message)) {
	case BT_MESSAGE_TYPE_EVENT:
		take_event(reader, message);
		break;
	case BT_MESSAGE_TYPE_PACKET_END:
		reader->packets++;
		break;
	case BT_MESSAGE_TYPE_DISCARDED_EVENTS:
		if (is_counted(reader, bt_message_discarded_events_borrow_stream_const(message)))
			break;
		if (bt_message_discarded_events_get_count(message, &count) != BT_PROPERTY_AVAILABILITY_AVAILABLE)
			count = 1;
		reader->job->totals->discarded_events += count;
		break;
	case BT_MESSAGE_TYPE_DISCARDED_PACKETS:
		if (is_counted(reader, bt_message_discarded_packets_borrow_stream_const(message)))
			break;
		if (bt_message_discarded_packets_get_count(message, &count) != BT_PROPERTY_AVAILABILITY_AVAILABLE)
			count = 1;
		reader->job->totals->discarded_packets += count;
		break;
	default:
		break;
	}
}

static bt_graph_simple_sink_component_consume_func_status consume(bt_message_iterator *iterator, void *data)
{
	struct reader *reader = data;
	bt_message_array_const messages;
	uint64_t count;
	bt_message_iterator_next_status status = bt_message_iterator_next(iterator, &messages, &count);

	if (status != BT_MESSAGE_ITERATOR_NEXT_STATUS_OK)
		return (bt_graph_simple_sink_component_consume_func_status)status;
	for (uint64_t i = 0; i < count; i++) {
		if (!reader->stopped)
			take_message(reader, messages[i]);
		bt_message_put_ref(messages[i]);
	}
	reader->job->progress(reader->job->context, reader->packets, reader->job->files->packets);
	return reader->stopped ? BT_GRAPH_SIMPLE_SINK_COMPONENT_CONSUME_FUNC_STATUS_END
			       : BT_GRAPH_SIMPLE_SINK_COMPONENT_CONSUME_FUNC_STATUS_OK;
}

/* Where babeltrace2 has what it speaks of in memory, "NAME-addr=0x5580...", nobody wants to know, and no two runs agree on. */
static void strip_addresses(char *text)
{
	static const char mark[] = "addr=0x";
	char *at;

	while ((at = strstr(text, mark))) {
		char *end = at + strlen(mark), *begin = at;

		end += strspn(end, "0123456789abcdef");
		end += strncmp(end, ", ", 2) == 0 ? 2 : 0;
		while (begin > text && begin[-1] != ' ')
			begin--;
		if (!*end && begin - text >= 2 && begin[-2] == ',')
			begin -= 2;
		memmove(begin, end, strlen(end) + 1);
	}
}

static char *library_error(const char *what)
{
	const bt_error *error = bt_current_thread_take_error();
	char *text = NULL;

	/* The first cause is the one that lies deepest. */
	if (error && bt_error_get_cause_count(error) > 0) {
		const bt_error_cause *cause = bt_error_borrow_cause_by_index(error, 0);

		text = memory_format("%s: %s", what, bt_error_cause_get_message(cause));
		strip_addresses(text);
	}
	if (error)
		bt_error_release(error);
	return text ? text : memory_text(what);
}

static const bt_value *source_parameters(const char *dir, int64_t offset)
{
	bt_value *parameters = bt_value_map_create(), *inputs = bt_value_array_create();
	bool made = parameters && inputs &&
		    bt_value_array_append_string_element(inputs, dir) == BT_VALUE_ARRAY_APPEND_ELEMENT_STATUS_OK &&
		    bt_value_map_insert_entry(parameters, "inputs", inputs) == BT_VALUE_MAP_INSERT_ENTRY_STATUS_OK &&
		    /* Else traces of several machines cannot be put in one order. */
		    bt_value_map_insert_bool_entry(parameters, "force-clock-class-origin-unix-epoch", BT_TRUE) ==
			    BT_VALUE_MAP_INSERT_ENTRY_STATUS_OK &&
		    bt_value_map_insert_signed_integer_entry(parameters, "clock-class-offset-ns", offset) ==
			    BT_VALUE_MAP_INSERT_ENTRY_STATUS_OK;

	bt_value_put_ref(inputs);
	if (made)
		return parameters;
	bt_value_put_ref(parameters);
	return NULL;
}

static const bt_component_source *add_source(bt_graph *graph, const bt_plugin *plugin, const char *dir, int64_t offset,
					     size_t number)
{
	const bt_component_class_source *class = bt_plugin_borrow_source_component_class_by_name_const(plugin, "fs");
	const bt_value *parameters = source_parameters(dir, offset);
	const bt_component_source *source = NULL;
	char *name = memory_format("trace%zu", number);
	bt_graph_add_component_status status = BT_GRAPH_ADD_COMPONENT_STATUS_ERROR;

	if (class && parameters)
		status = bt_graph_add_source_component(graph, class, name, parameters, BT_LOGGING_LEVEL_NONE, &source);
	free(name);
	bt_value_put_ref(parameters);
	return status == BT_GRAPH_ADD_COMPONENT_STATUS_OK ? source : NULL;
}

static bool connect_source(bt_graph *graph, const bt_component_source *source, const bt_component_filter *muxer)
{
	uint64_t count = bt_component_source_get_output_port_count(source);

	for (uint64_t i = 0; i < count; i++) {
		const bt_port_output *out = bt_component_source_borrow_output_port_by_index_const(source, i);
		uint64_t free_port = bt_component_filter_get_input_port_count(muxer) - 1;
		const bt_port_input *in = bt_component_filter_borrow_input_port_by_index_const(muxer, free_port);

		if (bt_graph_connect_ports(graph, out, in, NULL) != BT_GRAPH_CONNECT_PORTS_STATUS_OK)
			return false;
	}
	return true;
}

static bool has_nothing(const struct trace_dir *dir)
{
	for (size_t i = 0; i < dir->stream_count; i++)
		if (dir->streams[i].ranges.count)
			return false;
	return true;
}

static bool add_trace(bt_graph *graph, const bt_plugin *ctf, const bt_component_filter *muxer,
		      struct trace_files *files, size_t index, struct reader *reader)
{
	const struct trace_job *job = reader->job;
	const struct trace_dir *dir = &files->dirs[index];
	char *place = trace_stand_in(files, index, job->copies, job->context);
	const bt_component_source *source;

	if (place == NULL) {
		reader->error =
			memory_format("no copy of what is whole in %s could be made: %s", dir->path, strerror(errno));
		return false;
	}
	source = add_source(graph, ctf, place, dir->move, index);
	free(place);
	job->progress(job->context, 0, 1);
	return source && connect_source(graph, source, muxer);
}

static bool build_graph(bt_graph *graph, const bt_plugin *ctf, const bt_plugin *utils, struct trace_files *files,
			struct reader *reader)
{
	const bt_component_class_filter *class = bt_plugin_borrow_filter_component_class_by_name_const(utils, "muxer");
	const bt_component_filter *muxer;
	const bt_component_sink *sink;

	if (class == NULL || bt_graph_add_filter_component(graph, class, "muxer", NULL, BT_LOGGING_LEVEL_NONE,
							   &muxer) != BT_GRAPH_ADD_COMPONENT_STATUS_OK)
		return false;
	for (size_t i = 0; i < files->count; i++)
		if (!has_nothing(&files->dirs[i]) && !add_trace(graph, ctf, muxer, files, i, reader))
			return false;
	if (bt_graph_add_simple_sink_component(graph, "events", NULL, consume, NULL, reader, &sink) !=
	    BT_GRAPH_ADD_COMPONENT_STATUS_OK)
		return false;
	return bt_graph_connect_ports(graph, bt_component_filter_borrow_output_port_by_index_const(muxer, 0),
				      bt_component_sink_borrow_input_port_by_index_const(sink, 0),
				      NULL) == BT_GRAPH_CONNECT_PORTS_STATUS_OK;
}

static const bt_plugin *find_plugin(const char *name)
{
	const bt_plugin *plugin = NULL;

	if (bt_plugin_find(name, BT_TRUE, BT_FALSE, BT_TRUE, BT_TRUE, BT_TRUE, &plugin) != BT_PLUGIN_FIND_STATUS_OK)
		return NULL;
	return plugin;
}

static int run_graph(struct trace_files *files, struct reader *reader)
{
	const bt_plugin *ctf = find_plugin("ctf"), *utils = find_plugin("utils");
	bt_graph *graph = bt_graph_create(0);
	int result = -1;

	if (ctf == NULL || utils == NULL)
		reader->error = library_error("babeltrace2's plugins are not installed");
	else if (graph == NULL || !build_graph(graph, ctf, utils, files, reader))
		reader->error = reader->error ? reader->error : library_error("the trace cannot be read");
	else if (bt_graph_run(graph) != BT_GRAPH_RUN_STATUS_OK)
		reader->error = library_error("the trace is damaged");
	else
		result = reader->stopped ? -1 : 0;
	bt_graph_put_ref(graph);
	bt_plugin_put_ref(ctf);
	bt_plugin_put_ref(utils);
	return result;
}

int trace_babeltrace_read(const struct trace_job *job, char **error)
{
	struct reader reader = {.job = job};
	int result;

	bt_logging_set_global_level(BT_LOGGING_LEVEL_NONE);
	result = run_graph(job->files, &reader);
	if (result < 0)
		*error = reader.error;
	else
		free(reader.error);
	for (size_t i = 0; i < reader.decoder_count; i++)
		free(reader.decoders[i]);
	free(reader.decoders);
	return result;
}
