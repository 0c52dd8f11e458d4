# make            build/shmguard, build/libshmguard.so, build/libshmguard-tracepoints.so, usable from the build tree
# make help       every other target
ifeq ($(origin CC),default)
CC = gcc
endif
BUILD ?= build
PREFIX ?= /usr/local
VERSION := $(shell sed -n 's/^#define SHMGUARD_VERSION "\(.*\)"/\1/p' tracepoints/version.h)

WARNINGS = -Wall -Wextra -Wshadow -Wconversion -Werror
CFLAGS ?= -O2 -g
ALL_CFLAGS = -std=gnu11 -D_GNU_SOURCE $(WARNINGS) $(CFLAGS) -I. -MMD -MP
PRELOAD_CFLAGS = -fPIC -fvisibility=hidden -ftls-model=initial-exec -fno-omit-frame-pointer -U_FORTIFY_SOURCE \
	-fno-plt -ffunction-sections -fdata-sections
# LTTng's tracepoint macros convert and shadow freely.
PROVIDER_CFLAGS = -Wno-conversion -Wno-shadow -fPIC -fvisibility=hidden -Itracepoints
# Test programs must reach libc as an unmodified program does, with the arguments that warnings are about.
PROGRAM_CFLAGS = -fno-builtin -U_FORTIFY_SOURCE -Wno-nonnull -Wno-deprecated-declarations
# A missing libinih.so would make ld.so drop the preload without a word. Its symbols must not meet the program's own.
INI_LIBRARY = -Wl,-l:libinih.a -Wl,--exclude-libs,libinih.a
# Where the libraries are: DT_RPATH comes before LD_LIBRARY_PATH, which is the program's.
LIBRARY_DIRECTORY = $(patsubst %/,%,$(dir $(realpath $(shell $(CC) -print-file-name=liblttng-ust.so))))
look_first = -Wl,--disable-new-dtags,-rpath,$(1)
ANALYZER_LIBRARIES = -lbabeltrace2 -llttng-ctl -ldw -lelf -ljansson -lncursesw -ltinfo -liberty $(INI_LIBRARY)

PACKAGES_BUILD = gcc libc6-dev make libbabeltrace2-dev libdw-dev libelf-dev libiberty-dev libinih-dev \
	libjansson-dev libncurses-dev liblttng-ctl-dev liblttng-ust-dev libunwind-dev
PACKAGES_RUNTIME = libbabeltrace2-0 libdw1 libelf1 libjansson4 libncursesw6 liblttng-ctl0 liblttng-ust1 libunwind8 lttng-tools
PACKAGES_TEST = acl apparmor chromium tmux openmpi-bin libopenmpi-dev poppler-utils babeltrace2 bats binutils bsdutils clang g++ gcc-multilib groff-base jq libcap2-bin libclang-rt-dev \
	libjemalloc2 libpython3.11-testsuite libtcmalloc-minimal4 mount openjdk-17-jdk-headless postgresql-15 procps python3 python3-jsonschema \
	strace stress-ng util-linux
PACKAGES_LINT = clang clang-format clang-tidy cppcheck shellcheck

# $(call install,PACKAGES): nothing is done, and neither root nor a network needed, when all of them are there.
define install
	@missing=$$(for package in $(1); do \
		dpkg-query -W -f='$${db:Status-Status}\n' "$$package" 2>/dev/null | grep -qx installed || echo "$$package"; \
	done); \
	test -z "$$missing" || { \
		as_root=; test "$$(id -u)" = 0 || as_root=sudo; \
		$$as_root env DEBIAN_FRONTEND=noninteractive apt-get update -q </dev/null && \
		$$as_root env DEBIAN_FRONTEND=noninteractive apt-get install -qy --no-install-recommends $$missing </dev/null; \
	}
endef

# What both programs are built from.
POLICY_FILES := tracepoints/rules.c tracepoints/words.c $(wildcard tracepoints/policy*.c)
PRELOAD_OBJECTS := $(patsubst %.c,$(BUILD)/%.o,$(wildcard preload/*.c)) $(patsubst %.c,$(BUILD)/preload/%.o,$(POLICY_FILES))
CONTRACT_OBJECTS := $(patsubst %.c,$(BUILD)/%.o,$(POLICY_FILES) tracepoints/system.c tracepoints/rules_help.c)
ANALYZER_OBJECTS := $(patsubst %.c,$(BUILD)/%.o,$(wildcard analyzer/*.c)) $(CONTRACT_OBJECTS)
UNIT_PROGRAMS := $(patsubst %.c,$(BUILD)/%,$(wildcard tests/unit/test_*.c))
TEST_PROGRAMS := $(patsubst %.c,$(BUILD)/%,$(wildcard tests/calls/*.c tests/rules/*.c tests/programs/*.c tests/traces/*.c))
C_FILES := $(wildcard tracepoints/*.[ch] preload/*.[ch] analyzer/*.[ch] tests/*/*.[ch])
# Their tables are laid out by hand.
FORMAT_FILES := $(filter-out $(addprefix tracepoints/,calls.h fields.h events.h errnos.h policy.h),$(C_FILES))
SHELL_FILES := $(wildcard .ci/run tests/run-suite tests/demo tests/docs tests/*.bash tests/*.bats tests/soak/*.bats)

.DELETE_ON_ERROR:

all: $(BUILD)/shmguard $(BUILD)/libshmguard.so $(BUILD)/libshmguard-tracepoints.so $(BUILD)/shmguard.1 $(BUILD)/shmguard.bash ## Build everything

# What was built with other flags or another compiler is built again.
FLAGS := $(CC) $(ALL_CFLAGS) $(PRELOAD_CFLAGS) $(PROVIDER_CFLAGS) $(PROGRAM_CFLAGS)
$(BUILD)/flags: FORCE
	@mkdir -p $(@D)
	@echo '$(FLAGS)' | cmp -s - $@ || echo '$(FLAGS)' >$@

$(BUILD)/preload/%.o: preload/%.c $(BUILD)/flags
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) $(PRELOAD_CFLAGS) -c $< -o $@

$(BUILD)/preload/tracepoints/%.o: tracepoints/%.c $(BUILD)/flags
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) $(PRELOAD_CFLAGS) -c $< -o $@

$(BUILD)/tracepoints/emit.o $(BUILD)/tracepoints/heap.o: $(BUILD)/%.o: %.c $(BUILD)/flags
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) $(PROVIDER_CFLAGS) -c $< -o $@

$(BUILD)/%.o: %.c $(BUILD)/flags
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) -c $< -o $@

$(BUILD)/analyzer/report_html.o: $(wildcard analyzer/report_*.html analyzer/report_*.css analyzer/report_*.js)

$(BUILD)/libshmguard.so: $(PRELOAD_OBJECTS) preload/exports.map preload/hot.ld
	$(CC) $(CFLAGS) -shared -Wl,-T,preload/hot.ld -Wl,--version-script=preload/exports.map -Wl,-soname,libshmguard.so -Wl,-z,defs -Wl,-z,now -Wl,-z,initfirst $(PRELOAD_OBJECTS) -o $@ $(INI_LIBRARY)

# What it needs finds functions in that order (preload/own_load.c).
$(BUILD)/libshmguard-tracepoints.so: $(BUILD)/tracepoints/emit.o $(BUILD)/tracepoints/heap.o $(BUILD)/libshmguard.so
	$(CC) $(CFLAGS) -shared -Wl,-soname,libshmguard-tracepoints.so -Wl,-z,nodelete -Wl,-z,now -Wl,--no-as-needed \
		$^ -o $@ -llttng-ust $(call look_first,'$$ORIGIN':$(LIBRARY_DIRECTORY))

$(BUILD)/shmguard: $(ANALYZER_OBJECTS)
	$(CC) $(CFLAGS) $^ -o $@ $(ANALYZER_LIBRARIES) $(call look_first,$(LIBRARY_DIRECTORY))

$(BUILD)/shmguard.1: analyzer/shmguard.1.in $(BUILD)/shmguard tests/docs
	tests/docs manual $(BUILD)/shmguard $(VERSION) >$@

$(BUILD)/shmguard.bash: $(BUILD)/shmguard tests/docs
	tests/docs completion $(BUILD)/shmguard >$@

$(BUILD)/analyzer.a: $(filter-out %/main.o,$(ANALYZER_OBJECTS))
	@rm -f $@
	$(AR) rcs $@ $^

$(BUILD)/tests/unit/%: tests/unit/%.c $(BUILD)/analyzer.a
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) -pthread $< $(BUILD)/analyzer.a -o $@ $(ANALYZER_LIBRARIES) -ldl

$(addprefix $(BUILD)/tests/bench/,ledger many) $(BUILD)/tests/fuzz/mutate: $(BUILD)/%: %.c $(BUILD)/analyzer.a
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) $< $(BUILD)/analyzer.a -o $@ $(ANALYZER_LIBRARIES)

# libshmguard.so with one function more, which shows its ledger.
$(BUILD)/tests/ledger/libshmguard.so: $(PRELOAD_OBJECTS) tests/ledger/show.c tests/ledger/ledger.h preload/exports.map
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) $(PRELOAD_CFLAGS) -c tests/ledger/show.c -o $(@D)/show.o
	$(CC) $(CFLAGS) -shared -Wl,--version-script=preload/exports.map -Wl,-soname,libshmguard.so -Wl,-z,defs -Wl,-z,now -Wl,-z,initfirst $(PRELOAD_OBJECTS) $(@D)/show.o -o $@ $(INI_LIBRARY)

$(BUILD)/tests/%: tests/%.c $(BUILD)/flags
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) $(PROGRAM_CFLAGS) -pthread $< -o $@ -ldl

programs: $(TEST_PROGRAMS) $(UNIT_PROGRAMS) $(BUILD)/tests/ledger/libshmguard.so $(BUILD)/tests/ledger/threads $(BUILD)/tests/ledger/left $(BUILD)/tests/bench/many $(BUILD)/tests/fuzz/mutate

deps: ## Install the Debian packages to build and to run
	$(call install,$(PACKAGES_BUILD) $(PACKAGES_RUNTIME))

deps-test: ## Install the Debian packages of the tests
	$(call install,$(PACKAGES_TEST))

deps-lint: ## Install the Debian packages of lint and format
	$(call install,$(PACKAGES_LINT))

install: all ## Install below PREFIX (/usr/local), DESTDIR before it
	install -d $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(PREFIX)/lib/shmguard $(DESTDIR)$(PREFIX)/share/man/man1
	install -m 755 $(BUILD)/shmguard $(DESTDIR)$(PREFIX)/bin/shmguard
	install -m 644 $(BUILD)/libshmguard.so $(BUILD)/libshmguard-tracepoints.so $(DESTDIR)$(PREFIX)/lib/shmguard/
	install -d $(DESTDIR)$(PREFIX)/share/bash-completion/completions
	install -m 644 $(BUILD)/shmguard.bash $(DESTDIR)$(PREFIX)/share/bash-completion/completions/shmguard
	install -m 644 $(BUILD)/shmguard.1 $(DESTDIR)$(PREFIX)/share/man/man1/shmguard.1

uninstall: ## Remove what install put there
	rm -f $(DESTDIR)$(PREFIX)/bin/shmguard $(DESTDIR)$(PREFIX)/share/man/man1/shmguard.1
	rm -f $(DESTDIR)$(PREFIX)/share/bash-completion/completions/shmguard
	rm -f $(DESTDIR)$(PREFIX)/lib/shmguard/libshmguard.so $(DESTDIR)$(PREFIX)/lib/shmguard/libshmguard-tracepoints.so
	test ! -d $(DESTDIR)$(PREFIX)/lib/shmguard || rmdir $(DESTDIR)$(PREFIX)/lib/shmguard

test: deps deps-test ## Packages, build, every test
	@$(MAKE) --no-print-directory -j2 all programs
	@BUILD=$(BUILD) tests/run-suite $(UNIT_PROGRAMS) $(sort $(wildcard tests/*.bats))

unit: $(UNIT_PROGRAMS) ## The unit tests
	@BUILD=$(BUILD) tests/run-suite $(UNIT_PROGRAMS)

bats: all programs ## The tests of whole programs; FILES=... for some of them
	@BUILD=$(BUILD) tests/run-suite $(or $(FILES),$(sort $(wildcard tests/*.bats)))

FUZZ_SECONDS ?= 60
# clang alone has libFuzzer. What it compares in the distance of two words tells it nothing, and was most of its time.
FUZZ_CFLAGS = -std=gnu11 -D_GNU_SOURCE $(WARNINGS) -O2 -g -fno-sanitize-recover=all -I.
$(BUILD)/tests/fuzz/%: tests/fuzz/%.c $(POLICY_FILES) tracepoints/system.c $(wildcard tracepoints/*.h)
	@mkdir -p $(@D)
	clang $(FUZZ_CFLAGS) -fsanitize=address,undefined -c tracepoints/words.c -o $@.words.o
	clang $(FUZZ_CFLAGS) -fsanitize=fuzzer,address,undefined $< $(filter-out %/words.c,$(POLICY_FILES)) \
		tracepoints/system.c $@.words.o -o $@ $(INI_LIBRARY)

# The parts of the reader that see a trace's bytes.
READER_FILES := analyzer/memory.c analyzer/trace_decode.c analyzer/trace_events.c analyzer/trace_layout.c \
	analyzer/trace_metadata.c analyzer/trace_packets.c analyzer/trace_wire.c
CANNED = tests/traces/leaks/trace/ust/uid/65534/64-bit
$(BUILD)/tests/fuzz/fuzz_preflight $(BUILD)/tests/fuzz/fuzz_events: $(BUILD)/tests/fuzz/%: tests/fuzz/%.c $(READER_FILES) \
		$(wildcard analyzer/trace_*.h tracepoints/*.h)
	@mkdir -p $(@D)
	clang $(FUZZ_CFLAGS) -DSHMGUARD_METADATA='"$(abspath $(CANNED))/metadata"' -fsanitize=fuzzer,address,undefined \
		$< $(READER_FILES) -o $@

# A first byte says what the rest is taken for.
$(BUILD)/corpus/reader: $(wildcard tests/traces/*/trace/ust/uid/*/*/*)
	@mkdir -p $@
	@for kind in m s w; do n=0; for file in $^; do n=$$((n + 1)); { printf $$kind; cat $$file; } >$@/$$kind$$n; done; done
	@touch $@

FUZZERS = policy preflight events
fuzz: deps deps-test $(addprefix $(BUILD)/tests/fuzz/fuzz_,$(FUZZERS)) $(BUILD)/corpus/reader ## Fuzz the policy parser and the reader, FUZZ_SECONDS (60) each; the corpus grows in BUILD
	@mkdir -p $(addprefix $(BUILD)/corpus/,$(FUZZERS))
	$(BUILD)/tests/fuzz/fuzz_policy -max_total_time=$(FUZZ_SECONDS) -max_len=1024 -print_final_stats=1 \
		-artifact_prefix=$(BUILD)/corpus/ $(BUILD)/corpus/policy tests/fuzz/policy
	for target in preflight events; do \
		$(BUILD)/tests/fuzz/fuzz_$$target -max_total_time=$(FUZZ_SECONDS) -max_len=65536 -print_final_stats=1 \
			-artifact_prefix=$(BUILD)/corpus/ $(BUILD)/corpus/$$target $(BUILD)/corpus/reader || exit 1; \
	done

soak: deps deps-test ## What takes half an hour: SOAK_SECONDS (30), MUTATIONS (10000), SOAK_RACES (20000), PGBENCH_SECONDS (120)
	@$(MAKE) --no-print-directory -j2 all programs
	@BUILD=$(BUILD) BATS_TEST_TIMEOUT=3600 SUITE_SECONDS=7200 tests/run-suite tests/soak/soak.bats

asan: ## The unit tests under AddressSanitizer and UBSan
	@ASAN_OPTIONS=detect_leaks=1 $(MAKE) --no-print-directory BUILD=$(BUILD)/asan \
		CFLAGS='-O1 -g -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=all' unit

TSAN_PROGRAM := $(BUILD)/tsan/test_threads
$(TSAN_PROGRAM): tests/unit/test_threads.c $(wildcard preload/*.[ch] tracepoints/*.h)
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) -O1 -fsanitize=thread -pthread $< -o $@ -ldl

tsan: $(TSAN_PROGRAM) ## What threads share in the preload, under ThreadSanitizer
	@BUILD=$(BUILD) TSAN_OPTIONS=halt_on_error=1 setarch --addr-no-randomize tests/run-suite $(TSAN_PROGRAM)

bench: deps ## What recording and reading cost, against the untouched program and babeltrace2; kept as JSON too
	@$(MAKE) --no-print-directory -j2 all $(addprefix $(BUILD)/tests/bench/,calls ledger many)
	@/usr/bin/python3 tests/bench/run.py $(BUILD)
	@/usr/bin/python3 tests/bench/reading.py $(BUILD)

demo: deps ## Record a real program, print the report; CMD='...' for one of yours
	@$(MAKE) --no-print-directory -j2 all
	@BUILD=$(BUILD) CMD='$(subst ','\'',$(CMD))' tests/demo

docs: $(BUILD)/shmguard ## Write the tables in README.md anew from their sources
	tests/docs readme $(BUILD)/shmguard <README.md >$(BUILD)/README.md
	cp $(BUILD)/README.md README.md

lint: deps-lint ## clang-tidy, cppcheck, shellcheck
	clang-tidy --quiet --warnings-as-errors='*' $(POLICY_FILES) tracepoints/system.c tracepoints/rules_help.c $(wildcard preload/*.c analyzer/*.c) -- \
		-std=gnu11 -D_GNU_SOURCE -I.
	cppcheck --quiet --std=c11 --error-exitcode=1 --inline-suppr --enable=warning,performance,portability \
		--suppress=missingIncludeSystem --suppress=allocaCalled --suppress=uninitvar:preload/kernel.h \
		--suppress=unknownMacro --suppress=selfAssignment:analyzer/cmd_run.c \
		--suppress=nullPointer:analyzer/trace_events.c --suppress=varFuncNullUB --suppress=wrongPrintfScanfArgNum -D_GNU_SOURCE -I. \
		preload analyzer $(POLICY_FILES) tracepoints/system.c
	shellcheck --external-sources $(SHELL_FILES)

format: deps-lint ## Lay out the sources
	clang-format -i $(FORMAT_FILES)

format-check: deps-lint ## Fail if a source is not laid out
	clang-format --dry-run --Werror $(FORMAT_FILES)

clean: ## Remove what was built
	rm -rf $(BUILD)

help: ## This list
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' Makefile | expand -t 16

FORCE:
.PHONY: soak all programs deps deps-test deps-lint install uninstall test unit bats asan tsan fuzz bench demo docs lint format \
	format-check clean help FORCE
-include $(shell find $(BUILD) -name '*.d' 2>/dev/null)
