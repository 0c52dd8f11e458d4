#include "analyzer/top_screen.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <ncurses.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "analyzer/escape.h"
#include "analyzer/memory.h"
#include "analyzer/terminal.h"
#include "analyzer/top_text.h"
#include "analyzer/top_watch.h"

enum { NEWS_LINES = 4, COLOUR_good = 1, COLOUR_warning, COLOUR_error, COLOUR_note };

static const char keys[] = "q quit  r s g n a h sort  R reverse  t tree  / filter  + - pace  space look";
static const char more_keys[] = "  arrows scroll";

struct screen {
	struct top top;
	struct top_settings *settings;
	struct watch watch;
	size_t scroll;
	int64_t delay, next; /* nanoseconds; next: of the monotonic clock */
	bool editing, ends;
	char *error; /* of the last look, or NULL */
};

static volatile sig_atomic_t ended_by;

static void on_end(int number)
{
	ended_by = number;
}

static int64_t now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec * INT64_C(1000000000) + time.tv_nsec;
}

static void look(struct screen *screen)
{
	free(screen->error);
	screen->error = NULL;
	top_look(&screen->top, &screen->error);
	screen->next = now() + screen->delay;
}

/* Frees the text. */
static void put(int row, attr_t attributes, char *text)
{
	char *cut = terminal_cut(text, COLS, false);

	attron(attributes);
	mvaddstr(row, 0, cut);
	attroff(attributes);
	clrtoeol();
	free(cut);
	free(text);
}

static attr_t attribute_of(const struct top_line *line)
{
	static const attr_t of_state[] = {
		[MACHINE_STATE_live] = COLOUR_good,
		[MACHINE_STATE_idle] = 0,
		[MACHINE_STATE_ghost] = COLOUR_warning,
		[MACHINE_STATE_unlinked] = COLOUR_note,
	};

	if (line->holder)
		return A_DIM;
	if (!line->object)
		return A_BOLD;
	return (attr_t)COLOR_PAIR(of_state[line->object->state]);
}

static int draw_head(const struct screen *screen)
{
	static const char *const views[] = {"", ", by object", ", by process"};
	char *summary = top_text_summary(&screen->top), clock[16];
	time_t seconds = (time_t)(screen->top.machine->when / 1000000000);
	struct tm local;
	int row = 0;

	strftime(clock, sizeof(clock), "%H:%M:%S", localtime_r(&seconds, &local));
	put(row++, A_BOLD,
	    memory_format("shmguard top %s  %s; every %.1f s%s", clock, summary, (double)screen->delay / 1e9,
			  views[screen->settings->view]));
	free(summary);
	for (size_t i = 0; i < screen->top.fs_count && row < LINES / 3; i++) {
		const struct top_fs *fs = &screen->top.fs[i];
		bool full = fs->fs->size && fs->fs->used >= fs->fs->size / 10 * 9;
		bool soon = fs->full_in >= 0 && fs->full_in < 60;

		put(row++, (attr_t)COLOR_PAIR(full || soon ? COLOUR_error : 0), top_text_fs(fs));
	}
	if (screen->error)
		put(row++, (attr_t)COLOR_PAIR(COLOUR_error), escape_terminal(screen->error));
	if (screen->editing || *screen->settings->filter) {
		char *filter = escape_terminal(screen->settings->filter);

		put(row++, A_BOLD, memory_format("filter: %s%s", filter, screen->editing ? "_" : ""));
		free(filter);
	}
	return row;
}

/* The latest below. */
static void draw_news(const struct screen *screen, int row)
{
	const struct watch *watch = &screen->watch;
	size_t from = watch->count > NEWS_LINES ? watch->count - NEWS_LINES : 0;

	for (size_t i = from; i < watch->count; i++) {
		const struct watch_news *news = &watch->news[i % WATCH_KEPT];
		time_t seconds = (time_t)(news->time / 1000000000);
		char *name = escape_terminal(news->name), clock[16];
		struct tm local;

		strftime(clock, sizeof(clock), "%H:%M:%S", localtime_r(&seconds, &local));
		put(row++, A_DIM,
		    memory_format("%s.%03d %s %s%s", clock, (int)(news->time / 1000000 % 1000), news->what, name,
				  watch->missed && i + 1 == watch->count ? " (some were missed)" : ""));
		free(name);
	}
}

static void draw(struct screen *screen)
{
	size_t count, news = screen->watch.count < NEWS_LINES ? screen->watch.count : NEWS_LINES;
	struct top_line *lines = top_lines(&screen->top, screen->settings, &count);
	int row, end = LINES - 1 - (int)news;

	erase();
	row = draw_head(screen);
	if (row < end)
		put(row++, A_REVERSE, top_text_heading(screen->settings, COLS));
	size_t room = end > row ? (size_t)(end - row) : 0;
	if (screen->scroll + room > count)
		screen->scroll = count > room ? count - room : 0;
	for (size_t i = screen->scroll; i < count && row < end; i++)
		put(row++, attribute_of(&lines[i]), top_text_line(&screen->top, &lines[i], COLS));
	if (!count && row < end)
		put(row, A_DIM, memory_text(*screen->settings->filter ? "nothing matches" : "no object"));
	if (end > 0)
		draw_news(screen, end);
	put(LINES - 1, A_DIM,
	    memory_format("%s%s", keys, COLS < (int)(sizeof(keys) + sizeof(more_keys)) ? "" : more_keys));
	refresh();
	free(lines);
}

static void edit(struct screen *screen, int key)
{
	char *filter = screen->settings->filter;
	size_t length = strlen(filter);

	if (key == '\n' || key == '\r' || key == KEY_ENTER)
		screen->editing = false;
	else if (key == 27)
		*filter = '\0', screen->editing = false;
	else if (length && (key == KEY_BACKSPACE || key == 127 || key == '\b'))
		filter[length - 1] = '\0';
	else if (key >= ' ' && key < 127 && length + 1 < sizeof(screen->settings->filter))
		filter[length] = (char)key, filter[length + 1] = '\0';
}

static void pace(struct screen *screen, int64_t delay)
{
	const int64_t least = 100000000, most = INT64_C(60000000000);

	screen->delay = delay < least ? least : delay > most ? most : delay;
	screen->next = now() + screen->delay;
}

static void scroll_by(struct screen *screen, int lines)
{
	screen->scroll = lines < 0 && screen->scroll < (size_t)-lines ? 0 : screen->scroll + (size_t)lines;
}

static bool take_sort(struct screen *screen, int key)
{
	static const char sorts[] = {
#define SORT_KEY(name, key, heading) key,
		TOP_SORTS(SORT_KEY)
#undef SORT_KEY
	};
	const char *found = memchr(sorts, key, sizeof(sorts));

	if (found)
		screen->settings->sort = (enum top_sort)(found - sorts);
	return found != NULL;
}

static void take_key(struct screen *screen, int key)
{
	if (screen->editing) {
		edit(screen, key);
		return;
	}
	if (key < 128 && take_sort(screen, key))
		return;
	switch (key) {
	case 'q':
		screen->ends = true;
		break;
	case 'R':
		screen->settings->reversed = !screen->settings->reversed;
		break;
	case 't':
		screen->settings->view = (screen->settings->view + 1) % TOP_VIEW_COUNT;
		break;
	case '/':
		screen->editing = true;
		break;
	case '+':
		pace(screen, screen->delay / 2);
		break;
	case '-':
		pace(screen, screen->delay * 2);
		break;
	case ' ':
		look(screen);
		break;
	case KEY_UP:
	case KEY_DOWN:
		scroll_by(screen, key == KEY_UP ? -1 : 1);
		break;
	case KEY_PPAGE:
	case KEY_NPAGE:
		scroll_by(screen, (key == KEY_PPAGE ? -1 : 1) * (LINES / 2));
		break;
	default:
		break;
	}
}

static void wait_for_news(struct screen *screen)
{
	struct pollfd events[] = {{.fd = STDIN_FILENO, .events = POLLIN}, {.fd = screen->watch.fd, .events = POLLIN}};
	int64_t left = (screen->next - now()) / 1000000;
	int key;

	poll(events, 2, left > 0 ? (int)left + 1 : 0);
	/* The terminal is gone. */
	if (events[0].revents & (POLLHUP | POLLERR | POLLNVAL))
		screen->ends = true;
	watch_read(&screen->watch);
	while ((key = getch()) != ERR)
		take_key(screen, key);
	if (now() >= screen->next)
		look(screen);
}

static bool begin_screen(void)
{
	if (!newterm(NULL, stdout, stdin))
		return false;
	cbreak();
	noecho();
	nodelay(stdscr, true);
	keypad(stdscr, true);
	curs_set(0);
	if (has_colors() && !getenv("NO_COLOR")) {
		start_color();
		use_default_colors();
		init_pair(COLOUR_good, COLOR_GREEN, -1);
		init_pair(COLOUR_warning, COLOR_YELLOW, -1);
		init_pair(COLOUR_error, COLOR_RED, -1);
		init_pair(COLOUR_note, COLOR_CYAN, -1);
	}
	return true;
}

/* ncurses leaves signals that have a handler alone; what stops and resizes is its own. */
static void catch_signals(void)
{
	static const int numbers[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT};

	ended_by = 0;
	for (size_t i = 0; i < sizeof(numbers) / sizeof(*numbers); i++)
		sigaction(numbers[i], &(struct sigaction){.sa_handler = on_end}, NULL);
}

int screen_run(struct top_settings *settings, int64_t delay)
{
	struct screen screen = {.settings = settings, .delay = delay};
	int result = 0;

	look(&screen);
	if (screen.error) {
		fprintf(stderr, "shmguard: %s\n", screen.error);
		free(screen.error);
		return -2;
	}
	catch_signals();
	if (!begin_screen()) {
		top_free(&screen.top);
		return -1;
	}
	watch_open(&screen.watch);
	while (!screen.ends && !ended_by) {
		draw(&screen);
		wait_for_news(&screen);
	}
	result = ended_by;
	endwin();
	watch_close(&screen.watch);
	top_free(&screen.top);
	free(screen.error);
	return result;
}
