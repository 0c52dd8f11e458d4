/* Names for addresses, against programs that this test builds: C, C++ with inlining, stripped, with separate debug files. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "analyzer/memory.h"
#include "analyzer/symbols.h"
#include "analyzer/symbols_name.h"

static int number, failures;
static char dir[] = "/tmp/test-symbols-XXXXXX";

static void check(bool good, const char *what)
{
	failures += !good;
	printf("%sok %d - %s\n", good ? "" : "not ", ++number, what);
}

static void check_text(const char *is, const char *expected, const char *what)
{
	bool good = is && expected ? !strcmp(is, expected) : is == expected;

	check(good, what);
	if (!good)
		printf("# is %s, expected %s\n", is ? is : "nothing", expected ? expected : "nothing");
}

/* First line that the command prints, "" if none; it runs in the test's directory. */
__attribute__((format(printf, 1, 2))) static char *output(const char *format, ...)
{
	char *command, *whole, line[512] = "";
	va_list arguments;
	FILE *pipe;

	va_start(arguments, format);
	if (vasprintf(&command, format, arguments) < 0)
		exit(1);
	va_end(arguments);
	whole = memory_format("cd %s && { %s; }", dir, command);
	pipe = popen(whole, "r");
	if (!pipe || (!fgets(line, sizeof(line), pipe) && ferror(pipe)))
		exit(1);
	if (pclose(pipe)) {
		printf("# failed: %s\n", command);
		exit(1);
	}
	line[strcspn(line, "\n")] = '\0';
	free(command);
	free(whole);
	return memory_text(line);
}

static char *build_id(const char *file)
{
	return output("readelf -n %s 2>/dev/null | sed -n 's/.*Build ID: //p'", file);
}

static uint64_t address(const char *file, const char *symbol)
{
	char *text = output("nm %s | sed -n 's/ [tTwW] %s$//p'", file, symbol);
	uint64_t value = strtoull(text, NULL, 16);

	free(text);
	return value;
}

static void write_file(const char *name, const char *text)
{
	char *path = memory_format("%s/%s", dir, name);
	FILE *file = fopen(path, "w");

	if (!file || fputs(text, file) < 0 || fclose(file))
		exit(1);
	free(path);
}

static struct symbols *asked[32];
static size_t asked_count;

/* Each time anew, as the files change between questions; the answers live until the end. */
static const struct symbols_answer *resolve(const char *file, const char *id, uint64_t offset)
{
	char *problem, *path = *file == '/' ? memory_text(file) : memory_format("%s/%s", dir, file);
	const struct symbols_answer *symbol;

	if (asked_count == sizeof(asked) / sizeof(asked[0]))
		exit(1);
	asked[asked_count] = symbols_open(NULL, &problem);
	symbol = symbols_resolve(asked[asked_count++], path, id, offset, SYMBOLS_EXACT);
	free(path);
	return symbol;
}

static bool ends_with(const char *text, const char *end)
{
	return text && strlen(text) >= strlen(end) && !strcmp(text + strlen(text) - strlen(end), end);
}

static void test_c(void)
{
	const struct symbols_answer *symbol;
	uint64_t at;
	char *id;

	write_file("one.c", "int other(void);\n"
			    "static int first(int x)\n"
			    "{\n"
			    "	return x + other();\n"
			    "}\n"
			    "int main(int argc, char **argv)\n"
			    "{\n"
			    "	(void)argv;\n"
			    "	return first(argc);\n"
			    "}\n");
	write_file("two.c", "int other(void) { return 1; }\n");
	free(output("gcc -O0 -g one.c two.c -o plain"));
	id = build_id("plain");
	at = address("plain", "first");
	symbol = resolve("plain", id, at);
	check(symbol->count == 1, "a C function is one frame");
	check_text(symbol->count ? symbol->frames[0].function : NULL, "first", "a static C function has its name");
	check(symbol->count && ends_with(symbol->frames[0].file, "/one.c") && symbol->frames[0].file[0] == '/',
	      "its file is named with its directory");
	check(symbol->count && symbol->frames[0].line == 3, "its line is that of the opening brace");
	symbol = resolve("plain", id, address("plain", "other"));
	check(symbol->count && ends_with(symbol->frames[0].file, "/two.c") && symbol->frames[0].line == 1,
	      "a function of a second unit is found there");
	symbol = resolve("plain", id, 1);
	check(!symbol->count && symbol->why, "an address without code has no name, and it is said why");
	free(id);
}

static void test_return_address(void)
{
	char *problem, *path = memory_format("%s/plain", dir), *id = build_id("plain");
	struct symbols *symbols = symbols_open(NULL, &problem);
	uint64_t at = address("plain", "main");

	/* `first` lies directly before `main`: the byte before main's first is first's last. */
	check_text(symbols_resolve(symbols, path, id, at, SYMBOLS_RETURN)->frames[0].function, "first",
		   "a return address belongs to the call before it");
	check_text(symbols_resolve(symbols, path, id, at, SYMBOLS_EXACT)->frames[0].function, "main",
		   "an interrupted address is looked up as it is");
	symbols_close(symbols);
	free(path);
	free(id);
}

static void test_build_id(void)
{
	const struct symbols_answer *symbol =
		resolve("plain", "0123456789abcdef0123456789abcdef01234567", address("plain", "main"));

	check(!symbol->count, "a file with another build-id is not believed");
	check(symbol->why && strstr(symbol->why, "build-id"), "and the reason says so");
	symbol = resolve("no-such-file", "", 4096);
	check(symbol->why && strstr(symbol->why, "not on this machine"), "a file that is gone is said to be gone");
	free(output("mkfifo pipe"));
	symbol = resolve("pipe", "", 4096);
	check(symbol->why != NULL, "a pipe in a module's place does not hang");
	symbol = resolve("../../../../../etc/passwd", "../../x", 4096);
	check(symbol->why != NULL, "a build-id that is a path leads nowhere");
}

static void test_stripped(void)
{
	const struct symbols_answer *symbol;
	uint64_t at = address("plain", "first");
	char *id = build_id("plain");

	free(output("strip plain -o stripped"));
	symbol = resolve("stripped", id, at);
	check(!symbol->count, "a static function of a stripped program has no name");
	check(symbol->why && strstr(symbol->why, "stripped"), "and the reason says stripped");
	free(output("objcopy --only-keep-debug plain plain.debug && "
		    "objcopy --strip-all --add-gnu-debuglink=plain.debug plain linked"));
	symbol = resolve("linked", id, at);
	check_text(symbol->count ? symbol->frames[0].function : NULL, "first", "a debuglink is followed");
	check(symbol->count && symbol->frames[0].line == 3, "and gives lines");
	free(output("mkdir -p .debug && mv plain.debug .debug/"));
	symbol = resolve("linked", id, at);
	check(symbol->count && symbol->frames[0].line == 3, "also into .debug/");
	free(output("gcc -O0 -g two.c -shared -fPIC -o other.debug && mv other.debug .debug/plain.debug"));
	symbol = resolve("linked", id, at);
	check(!symbol->count, "but not to a file with another build-id");
	free(output("gcc -O0 -shared -fPIC -s two.c -o exporting.so"));
	free(id);
	id = build_id("exporting.so");
	at = address("-D exporting.so", "other");
	symbol = resolve("exporting.so", id, at + 4);
	check(symbol->count == 1 && symbol->frames[0].into == 4,
	      "a stripped library's function is named with its offset");
	check_text(symbol->count ? symbol->frames[0].function : NULL, "other", "from its dynamic symbols");
	free(id);
}

static void test_inlined(void)
{
	const struct symbols_answer *symbol;
	char *id;

	write_file("in.cc", "namespace box {\n"
			    "extern volatile int cell;\n"
			    "volatile int cell;\n"
			    "struct Ring {\n"
			    "	__attribute__((always_inline)) void store(int x) {\n"
			    "		cell = x;\n"
			    "	}\n"
			    "};\n"
			    "template <typename T> __attribute__((noinline)) void fill(T x) {\n"
			    "	Ring ring;\n"
			    "	ring.store(x);\n"
			    "}\n"
			    "}\n"
			    "int main() {\n"
			    "	box::fill(7);\n"
			    "}\n");
	free(output("g++ -O2 -g in.cc -o inlined"));
	id = build_id("inlined");
	symbol = resolve("inlined", id, address("inlined", "_ZN3box4fillIiEEvT_"));
	check(symbol->count == 2, "an inlined method is a frame of its own");
	if (symbol->count == 2) {
		check_text(symbol->frames[0].function, "box::Ring::store(int)",
			   "the inlined one comes first, demangled");
		check(symbol->frames[0].inlined && !symbol->frames[1].inlined, "and is marked");
		check(symbol->frames[0].line == 6, "with the line inside it");
		check_text(symbol->frames[1].function, "void box::fill<int>(int)",
			   "then the function it was inlined into");
		check(symbol->frames[1].line == 11, "with the line of the call");
	}
	free(id);
}

static void test_names(void)
{
	static const char *const names[][2] = {
		{"_ZNSt6vectorIiSaIiEE9push_backERKi", "std::vector<int, std::allocator<int> >::push_back(int const&)"},
		{"_ZN4core3fmt9Formatter3pad17h0123456789abcdefE", "core::fmt::Formatter::pad"},
		{"_RNvCs4fqI2P2rA04_13rust_provider4open", "rust_provider::open"},
		{"mmap64@@GLIBC_2.2.5", "mmap64"},
		{"@odd@V1", "@odd"},
		{"", ""},
		{"_D4main", "_D4main"},
		{"_Restart", "_Restart"},
		{"_Zebra", "_Zebra"},
		{"plain\xff", "plain\xff"},
		{"_ZL5innerPKc.constprop.0.isra.0", "inner(char const*)"},
		{"inner.part.3.cold@V1", "inner"},
		{"inner.llvm.1234567890", "inner"},
		{"inner.isra.0.other", "inner.isra.0.other"},
		{"inner.partly", "inner.partly"},
		{".isra.0", ".isra.0"},
	};
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		char *name = symbols_name(names[i][0]);

		check_text(name, names[i][1], names[i][1]);
		free(name);
	}
}

static void test_source_names(void)
{
	static const char *const names[][3] = {
		{"_ZN12_GLOBAL__N_11S3actEi", "act", "(anonymous namespace)::S::act(int)"},
		{"_ZL2ofIjEiT_", "of<unsigned int>", "int of<unsigned int>(unsigned int)"},
		{"_ZZ4mainENKUliE_clEi.isra.0", "operator()", "main::{lambda(int)#1}::operator()(int) const"},
		/* Two functions that are alike have one address. */
		{"_ZN12_GLOBAL__N_11S3actEi", "react", NULL},
		{"_ZN12_GLOBAL__N_15reactEi", "act", NULL},
		{"_ZN5outer4openEl", "outer::open(long)", "outer::open(long)"},
		{"act", "act", NULL},
	};
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		char *name = symbols_name_of(names[i][0], names[i][1]);

		check_text(name, names[i][2], names[i][1]);
		free(name);
	}
}

static void test_saved(void)
{
	char *problem, *path = memory_format("%s/inlined", dir), *id = build_id("inlined");
	uint64_t at = address("inlined", "_ZN3box4fillIiEEvT_");
	struct symbols *symbols = symbols_open(dir, &problem);
	const struct symbols_answer *symbol;

	check(!problem, "a directory without saved names is no problem");
	symbols_resolve(symbols, path, id, at, SYMBOLS_EXACT);
	symbols_resolve(symbols, path, id, 1, SYMBOLS_EXACT);
	check(!symbols_save(symbols, dir), "names are saved");
	symbols_close(symbols);
	free(output("rm inlined"));

	symbols = symbols_open(dir, &problem);
	symbol = symbols_resolve(symbols, path, id, at, SYMBOLS_EXACT);
	check(symbol->count == 2 && symbol->frames[1].line == 11 && symbol->frames[0].inlined,
	      "they are there without the binary");
	check_text(symbol->count ? symbol->frames[0].function : NULL, "box::Ring::store(int)", "with their functions");
	check_text(symbols_resolve(symbols, path, id, 1, SYMBOLS_EXACT)->why, "no symbol covers this address",
		   "and the reason where there is none is the same");
	symbols_close(symbols);

	write_file("symbols.json", "{\"schema\":");
	symbols = symbols_open(dir, &problem);
	check(problem && strstr(problem, "symbols.json"), "a damaged file is one sentence, not an end");
	check(symbols_save(symbols, "/nowhere/at/all") < 0, "a directory that cannot be written is an error");
	symbols_close(symbols);
	free(problem);
	free(path);
	free(id);
}

int main(void)
{
	if (!mkdtemp(dir))
		return 1;
	test_names();
	test_source_names();
	test_c();
	test_return_address();
	test_build_id();
	test_stripped();
	test_inlined();
	test_saved();
	while (asked_count)
		symbols_close(asked[--asked_count]);
	printf("1..%d\n", number);
	free(output("rm -rf %s", dir));
	return failures != 0;
}
