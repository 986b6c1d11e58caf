/* SPDX-License-Identifier: MIT */
/*
 * fsync_bench NATIVE RANKFS: create, write 512 bytes, fsync, close; by one
 * writer and by 16, on both folders in turns. Medians.
 */
#include "bench/bench.h"
#include <fcntl.h>
#include <pthread.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { ONE = 200, EACH = 60, WRITERS = 16, ROUNDS = 7 };

/* us from before open to behind close; *sync_us: of fsync alone */
static double durable_write(const char *dir, int round, int writer, int i,
			    double *sync_us)
{
	char path[4096], text[513];
	double start, before;
	int fd;

	snprintf(text, sizeof(text), "round%d writer%d item%d ", round, writer,
		 i);
	memset(text + strlen(text), 'x', 512 - strlen(text));
	snprintf(path, sizeof(path), "%s/r%d-w%d-%d.txt", dir, round, writer,
		 i);
	start = bench_now_us();
	fd = open(path, O_CREAT | O_WRONLY | O_TRUNC, 0644);
	if (fd < 0 || write(fd, text, 512) != 512)
		goto fail;
	before = bench_now_us();
	if (fsync(fd) < 0)
		goto fail;
	*sync_us = bench_now_us() - before;
	if (close(fd) < 0)
		goto fail;
	return bench_now_us() - start;
fail:
	perror(path);
	exit(1);
}

struct writer {
	pthread_t thread;
	const char *dir;
	int round, number;
};

static void *write_some(void *p)
{
	struct writer *w = p;
	double us;

	for (int i = 0; i < EACH; i++)
		durable_write(w->dir, w->round, w->number, i, &us);
	return NULL;
}

static double together(const char *dir, int round)
{
	struct writer w[WRITERS];
	double start = bench_now_us();

	for (int i = 0; i < WRITERS; i++) {
		w[i] = (struct writer){.dir = dir, .round = round, .number = i};
		pthread_create(&w[i].thread, NULL, write_some, &w[i]);
	}
	for (int i = 0; i < WRITERS; i++)
		pthread_join(w[i].thread, NULL);
	return WRITERS * EACH * 1e6 / (bench_now_us() - start);
}

static double median(double *v, int n)
{
	qsort(v, (size_t)n, sizeof(*v), bench_cmp);
	return v[n / 2];
}

int main(int argc, char **argv)
{
	static double sync_us[2][ROUNDS * ONE], all_us[2][ROUNDS * ONE];
	double many[2][ROUNDS];
	int n = 0;

	if (argc != 3)
		return 2;
	for (int r = 0; r < ROUNDS; r++) {
		for (int i = 0; i < ONE; i++, n++) /* in turns, one by one */
			for (int d = 0; d < 2; d++)
				all_us[d][n] = durable_write(argv[1 + d], r, 99,
							     i, &sync_us[d][n]);
		for (int d = 0; d < 2; d++)
			many[d][r] = together(argv[1 + d], r);
	}
	for (int d = 0; d < 2; d++) {
		sync_us[d][0] = median(sync_us[d], n);
		all_us[d][0] = median(all_us[d], n);
		many[d][0] = median(many[d], ROUNDS);
		printf("%-8s fsync %5.0f us, create to close %5.0f us; 16 "
		       "writers %6.0f documents/s, %.1fx one\n",
		       d ? "rankfs" : "native", sync_us[d][0], all_us[d][0],
		       many[d][0], many[d][0] * all_us[d][0] / 1e6);
	}
	printf("rankfs/native: fsync %.2fx, create to close %.2fx, 16 writers' "
	       "throughput %.2fx\n",
	       sync_us[1][0] / sync_us[0][0], all_us[1][0] / all_us[0][0],
	       many[1][0] / many[0][0]);
	return 0;
}
