CC ?= gcc
BUILD ?= build
WARNINGS = -Wall -Wextra -Wshadow -Wconversion -Werror
CFLAGS ?= -O2 -g
ALL_CFLAGS = -std=gnu11 -D_GNU_SOURCE $(WARNINGS) $(CFLAGS) -I. -MMD -MP

PRELOAD_SOURCES := $(wildcard preload/*.c)
ANALYZER_SOURCES := $(wildcard analyzer/*.c)
RULE_SOURCES := tracepoints/rules.c
ANALYZER_LIBRARIES = -lbabeltrace2 -llttng-ctl -ldw -lelf -ljansson

PRELOAD_OBJECTS := $(PRELOAD_SOURCES:%.c=$(BUILD)/%.o)
ANALYZER_OBJECTS := $(ANALYZER_SOURCES:%.c=$(BUILD)/%.o) $(RULE_SOURCES:%.c=$(BUILD)/%.o)

all: $(BUILD)/shmguard $(BUILD)/libshmguard.so $(BUILD)/libshmguard-tracepoints.so

$(BUILD)/preload/%.o: preload/%.c
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) -fPIC -fvisibility=hidden -ftls-model=initial-exec -fno-omit-frame-pointer -U_FORTIFY_SOURCE -c $< -o $@

# LTTng's tracepoint macros convert and shadow freely.
$(BUILD)/tracepoints/emit.o: tracepoints/emit.c
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) -Wno-conversion -Wno-shadow -fPIC -fvisibility=hidden -Itracepoints -c $< -o $@

$(BUILD)/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) -c $< -o $@

$(BUILD)/libshmguard.so: $(PRELOAD_OBJECTS) preload/exports.map
	$(CC) $(CFLAGS) -shared -Wl,--version-script=preload/exports.map -Wl,-soname,libshmguard.so -Wl,-z,defs -Wl,-z,now $(PRELOAD_OBJECTS) -o $@

$(BUILD)/libshmguard-tracepoints.so: $(BUILD)/tracepoints/emit.o
	$(CC) $(CFLAGS) -shared -Wl,-soname,libshmguard-tracepoints.so -Wl,-z,nodelete $< -o $@ -llttng-ust

$(BUILD)/shmguard: $(ANALYZER_OBJECTS)
	$(CC) $(CFLAGS) $^ -o $@ $(ANALYZER_LIBRARIES)

clean:
	rm -rf $(BUILD)

.PHONY: all clean
-include $(shell find $(BUILD) -name '*.d' 2>/dev/null)
