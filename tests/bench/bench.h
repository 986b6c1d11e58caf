/* SPDX-License-Identifier: MIT */
#ifndef TESTS_BENCH_BENCH_H
#define TESTS_BENCH_BENCH_H

/*
 * What every engine under test shares: a corpus of one document a line,
 * queries of one a line ("<words> TAB <text>"), CPU seconds, latencies.
 * Output: `ingest_cpu_s X`, `rss_mib X`, `bytes X`, `p50_us LEN X` ...
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

static inline double bench_now_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec * 1e6 + (double)ts.tv_nsec / 1e3;
}

static inline double bench_cpu_s(void)
{
	struct rusage u;

	getrusage(RUSAGE_SELF, &u);
	return (double)u.ru_utime.tv_sec + (double)u.ru_stime.tv_sec +
	       (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
}

/* A field of /proc/self/status in MiB, such as "VmHWM" or "RssAnon". */
static inline double bench_mem_mib(const char *field)
{
	FILE *f = fopen("/proc/self/status", "r");
	char line[200];
	double kib = 0;

	while (f && fgets(line, sizeof(line), f))
		if (strncmp(line, field, strlen(field)) == 0)
			kib = atof(line + strlen(field) + 1);
	if (f)
		fclose(f);
	return kib / 1024;
}

static int bench_cmp(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* Time every query three times, keep the best; report by number of words. */
static inline void bench_queries(const char *path,
				 void (*ask)(const char *text, void *ctx),
				 void *ctx)
{
	static const int LENS[] = {1, 2, 4, 8};
	static double t[100000];
	char line[4096];

	for (int l = 0; l < 4; l++) {
		FILE *f = fopen(path, "r");
		int n = 0;
		double sum = 0;

		while (f && fgets(line, sizeof(line), f) && n < 100000) {
			char *text = strchr(line, '\t');

			if (!text || atoi(line) != LENS[l])
				continue;
			text[strcspn(text, "\n")] = '\0';
			t[n] = 1e18;
			for (int k = 0; k < 3; k++) {
				double start = bench_now_us(), took;

				ask(text + 1, ctx);
				took = bench_now_us() - start;
				if (took < t[n])
					t[n] = took;
			}
			sum += t[n++];
		}
		if (f)
			fclose(f);
		qsort(t, (size_t)n, sizeof(*t), bench_cmp);
		if (n)
			printf("mean_us_%d %.1f\np50_us_%d %.1f\np99_us_%d "
			       "%.1f\n",
			       LENS[l], sum / n, LENS[l], t[n / 2], LENS[l],
			       t[n * 99 / 100]);
	}
}

#endif
