/* The tables as LTTng-UST tracepoints. LTTng reads this header several times, so it holds nothing but tracepoint macros. */
#undef LTTNG_UST_TRACEPOINT_PROVIDER
#define LTTNG_UST_TRACEPOINT_PROVIDER shmguard

#undef LTTNG_UST_TRACEPOINT_INCLUDE
#define LTTNG_UST_TRACEPOINT_INCLUDE "./provider.h"

#if !defined(SHMGUARD_PROVIDER_H) || defined(LTTNG_UST_TRACEPOINT_HEADER_MULTI_READ)
#define SHMGUARD_PROVIDER_H

#include <lttng/tracepoint.h>

#include "events.h"

#ifndef SHMGUARD_PROVIDER_FIELDS_H
#define SHMGUARD_PROVIDER_FIELDS_H

#define PROVIDE_addr(name) lttng_ust_field_integer_hex(uint64_t, name, e->name)
#define PROVIDE_size(name) lttng_ust_field_integer(uint64_t, name, e->name)
#define PROVIDE_off(name) lttng_ust_field_integer(int64_t, name, e->name)
#define PROVIDE_number(name) lttng_ust_field_integer(uint64_t, name, e->name)
#define PROVIDE_fd(name) lttng_ust_field_integer(int32_t, name, e->name)
#define PROVIDE_pid(name) lttng_ust_field_integer(int32_t, name, e->name)
#define PROVIDE_id(name) lttng_ust_field_integer(uint32_t, name, e->name)
#define PROVIDE_user(name) lttng_ust_field_integer(uint32_t, name, e->name)
#define PROVIDE_flags(name) lttng_ust_field_integer_hex(uint32_t, name, e->name)
/* LTTng-UST has no public macro for octal; its own integer macros are made of this one. */
#define PROVIDE_mode(name) lttng_ust__field_integer_ext(uint32_t, name, e->name, LTTNG_UST_BYTE_ORDER, 8, 0)
#define PROVIDE_status(name) lttng_ust_field_integer(int32_t, name, e->name)
#define PROVIDE_bool(name) lttng_ust_field_integer(uint8_t, name, e->name)
#define PROVIDE_error(name) lttng_ust_field_enum(shmguard, error, int16_t, name, e->name)
#define PROVIDE_symbol(name) lttng_ust_field_enum(shmguard, symbol, uint16_t, name, e->name)
#define PROVIDE_prot(name) lttng_ust_field_enum(shmguard, prot, uint8_t, name, e->name)
#define PROVIDE_began(name) lttng_ust_field_enum(shmguard, began, uint8_t, name, e->name)
#define PROVIDE_kind(name) lttng_ust_field_enum(shmguard, kind, uint8_t, name, e->name)
#define PROVIDE_rule(name) lttng_ust_field_enum(shmguard, rule, uint16_t, name, e->name)
#define PROVIDE_severity(name) lttng_ust_field_enum(shmguard, severity, uint8_t, name, e->name)
#define PROVIDE_cause(name) lttng_ust_field_enum(shmguard, cause, uint8_t, name, e->name)
#define PROVIDE_access(name) lttng_ust_field_enum(shmguard, access, uint8_t, name, e->name)
#define PROVIDE_response(name) lttng_ust_field_enum(shmguard, response, uint8_t, name, e->name)
#define PROVIDE_text(name) lttng_ust_field_string(name, e->name)
#define PROVIDE_frames(name) lttng_ust_field_sequence_hex(uint64_t, name, e->name.address, uint8_t, e->name.count)
#define PROVIDE(kind, name) PROVIDE_##kind(name)

#define PROVIDE_ERROR(name) lttng_ust_field_enum_value(#name, name)
#define PROVIDE_SYMBOL(symbol, event, result, parameters) lttng_ust_field_enum_value(#symbol, SYMBOL_##symbol)
#define PROVIDE_PROT(value, name) lttng_ust_field_enum_value(name, value)
#define PROVIDE_BEGAN(name) lttng_ust_field_enum_value(#name, BEGAN_##name)
#define PROVIDE_RESPONSE(name) lttng_ust_field_enum_value(#name, RESPONSE_##name)
#define PROVIDE_CAUSE(name) lttng_ust_field_enum_value(#name, CAUSE_##name)
#define PROVIDE_ACCESS(name) lttng_ust_field_enum_value(#name, ACCESS_##name)
#define PROVIDE_RULE(name, id, group, severity, seen, deny, fix, safe, cwe, checked, summary)                          \
	lttng_ust_field_enum_value(id, RULE_##name)
#define PROVIDE_KIND(name) lttng_ust_field_enum_value(#name, KIND_##name)

#endif

LTTNG_UST_TRACEPOINT_ENUM(shmguard, error,
			  LTTNG_UST_TP_ENUM_VALUES(lttng_ust_field_enum_value("none", 0) ERRNOS(PROVIDE_ERROR)))
LTTNG_UST_TRACEPOINT_ENUM(shmguard, symbol,
			  LTTNG_UST_TP_ENUM_VALUES(lttng_ust_field_enum_value("none", 0) CALLS(PROVIDE_SYMBOL)))
LTTNG_UST_TRACEPOINT_ENUM(shmguard, prot, LTTNG_UST_TP_ENUM_VALUES(PROTS(PROVIDE_PROT)))
LTTNG_UST_TRACEPOINT_ENUM(shmguard, began, LTTNG_UST_TP_ENUM_VALUES(BEGAN(PROVIDE_BEGAN)))
LTTNG_UST_TRACEPOINT_ENUM(shmguard, rule, LTTNG_UST_TP_ENUM_VALUES(RULES(PROVIDE_RULE)))
LTTNG_UST_TRACEPOINT_ENUM(shmguard, severity,
			  LTTNG_UST_TP_ENUM_VALUES(lttng_ust_field_enum_value("note", SEVERITY_NOTE)
							   lttng_ust_field_enum_value("warning", SEVERITY_WARNING)
								   lttng_ust_field_enum_value("error", SEVERITY_ERROR)))
LTTNG_UST_TRACEPOINT_ENUM(shmguard, response, LTTNG_UST_TP_ENUM_VALUES(RESPONSES(PROVIDE_RESPONSE)))
LTTNG_UST_TRACEPOINT_ENUM(shmguard, cause, LTTNG_UST_TP_ENUM_VALUES(CAUSES(PROVIDE_CAUSE)))
LTTNG_UST_TRACEPOINT_ENUM(shmguard, access, LTTNG_UST_TP_ENUM_VALUES(ACCESSES(PROVIDE_ACCESS)))
LTTNG_UST_TRACEPOINT_ENUM(shmguard, kind, LTTNG_UST_TP_ENUM_VALUES(KINDS(PROVIDE_KIND)))

#define PROVIDE_EVENT(event, channel)                                                                                  \
	LTTNG_UST_TRACEPOINT_EVENT(shmguard, event, LTTNG_UST_TP_ARGS(const struct event##_event *, e),                \
				   LTTNG_UST_TP_FIELDS(FIELDS_HEAD(PROVIDE) FIELDS_##event(PROVIDE)))
EVENTS(PROVIDE_EVENT)
#undef PROVIDE_EVENT

#endif

#include <lttng/tracepoint-event.h>
