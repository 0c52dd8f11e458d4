/* What "grows" means, and that thinning a series out does not change the answer. */
#include <stdio.h>

#include "analyzer/series.h"

static int number, failures;

static void check(bool good, const char *what)
{
	failures += !good;
	printf("%sok %d - %s\n", good ? "" : "not ", ++number, what);
}

/* One more every `step`, `count` times, from time 1000 on. */
static bool grows_after(int count, int64_t step, int64_t end)
{
	struct series series = {0};
	bool grows;

	for (int i = 0; i < count; i++)
		series_add(&series, 1000 + i * step, (uint64_t)i + 1);
	grows = series_grows(&series, end);
	series_clear(&series);
	return grows;
}

static void check_definition(void)
{
	struct series empty = {0};

	check(grows_after(10, 10, 1090), "ten that come evenly grow");
	check(!grows_after(9, 10, 1080), "nine are too few");
	check(!grows_after(100, 1, 2000), "a hundred at the start and none later do not grow");
	check(!grows_after(60, 10, 1800), "what stops before three quarters of the time does not grow");
	check(grows_after(60, 10, 1700), "what goes on after three quarters of the time does");
	check(!series_grows(&empty, 1000), "nothing does not grow");
	check(!grows_after(50, 0, 1000), "all at one moment do not grow");
}

static void check_sawtooth(void)
{
	struct series series = {0};

	for (int i = 0; i < 1000; i++)
		series_add(&series, i * 10, (uint64_t)(i % 16));
	check(!series_grows(&series, 10000), "what is released again and again does not grow");
	series_clear(&series);
}

static void check_value(const struct series *series, int64_t time, uint64_t low, uint64_t high, const char *what)
{
	uint64_t value = series_at(series, time);

	check(value >= low && value <= high, what);
	if (value < low || value > high)
		printf("# %llu is not in %llu .. %llu\n", (unsigned long long)value, (unsigned long long)low,
		       (unsigned long long)high);
}

static void check_thinning(void)
{
	struct series series = {0};

	for (int64_t i = 0; i < 1000000; i++)
		series_add(&series, i, (uint64_t)i + 1);
	check(series.count <= SERIES_POINTS && series.room <= SERIES_POINTS, "a million changes take bounded memory");
	check_value(&series, 999999, 1000000, 1000000, "the last value is exact");
	check_value(&series, 500000, 490000, 510000, "the value at half of the time is right within a hundredth");
	check_value(&series, 750000, 740000, 760000, "and that at three quarters");
	check(series_grows(&series, 1000000), "steady growth is seen after thinning");
	series_clear(&series);
}

static void check_sparse(void)
{
	struct series series = {0};

	for (int64_t i = 0; i < 5000; i++)
		series_add(&series, i * 1000000, i < 100 ? (uint64_t)i : 100);
	check(series.count <= SERIES_POINTS, "changes far apart take bounded memory too");
	check(!series_grows(&series, 5000000000), "and a plateau stays one");
	series_clear(&series);
}

/* One is taken and given back at once, again and again, and each tenth time one stays. */
static void check_blips(void)
{
	struct series series = {0};
	uint64_t held = 0;

	for (int64_t i = 0; i < 400; i++) {
		series_add(&series, i * 1000, held + 1);
		if (i % 10 == 9)
			held++;
		else
			series_add(&series, i * 1000 + 1, held);
	}
	check(series.count < 60, "what is given back at once leaves nothing");
	check_value(&series, 200500, 20, 20, "what stays is known at half of the time");
	check_value(&series, 399500, 40, 40, "and at the end");
	check(series_grows(&series, 400000), "it grows by what stays");
	series_clear(&series);
	series_add(&series, 0, 1);
	series_add(&series, 500, 0);
	series_add(&series, 900, 1);
	series_add(&series, 901, 0);
	check_value(&series, 900, 1, 1, "what can be seen over all that time is exact");
	series_clear(&series);
}

int main(void)
{
	check_blips();
	check_definition();
	check_sawtooth();
	check_thinning();
	check_sparse();
	printf("1..%d\n", number);
	return failures != 0;
}
