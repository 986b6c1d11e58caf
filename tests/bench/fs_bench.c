/* SPDX-License-Identifier: MIT */
/*
 * fs_bench NATIVE PASSTHROUGH RANKFS HELLO_FILE QUERY_DIR: the same file
 * operations on three folders, taking turns; and what reading a query costs
 * beside reading a file of the emptiest FUSE mount.
 */
#include "bench/bench.h"
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FILES = 3000, BIG_MIB = 256, BLOCK = 1 << 20, ROUNDS = 3 };

static char block[BLOCK];

static double create_small(const char *dir, int round)
{
	char path[4096], text[2048];
	double start;

	for (int i = 0; i < 2048; i++)
		text[i] =
			i % 7 == 6 ? ' ' : (char)('a' + (i * 31 + round) % 26);
	snprintf(path, sizeof(path), "%s/small%d", dir, round);
	mkdir(path, 0755);
	start = bench_now_us();
	for (int i = 0; i < FILES; i++) {
		int fd;

		snprintf(path, sizeof(path), "%s/small%d/f%d.txt", dir, round,
			 i);
		fd = open(path, O_CREAT | O_WRONLY | O_TRUNC, 0644);
		if (write(fd, text, sizeof(text)) != (ssize_t)sizeof(text))
			exit(1);
		close(fd);
	}
	return FILES * 1e6 / (bench_now_us() - start);
}

static double stat_small(const char *dir, int round)
{
	char path[4096];
	struct stat st;
	double start = bench_now_us();

	for (int i = 0; i < FILES; i++) {
		snprintf(path, sizeof(path), "%s/small%d/f%d.txt", dir, round,
			 i);
		stat(path, &st);
	}
	return FILES * 1e6 / (bench_now_us() - start);
}

static double write_big(const char *dir, int round)
{
	char path[4096];
	double start = bench_now_us();
	int fd;

	(void)round;
	snprintf(path, sizeof(path), "%s/big.bin", dir);
	fd = open(path, O_CREAT | O_WRONLY | O_TRUNC, 0644);
	for (int i = 0; i < BIG_MIB; i++)
		if (write(fd, block, BLOCK) != BLOCK)
			exit(1);
	close(fd);
	return BIG_MIB * 1e6 / (bench_now_us() - start);
}

static double read_big(const char *dir, int round)
{
	char path[4096];
	double start;
	int fd;

	(void)round;
	snprintf(path, sizeof(path), "%s/big.bin", dir);
	fd = open(path, O_RDONLY);
	posix_fadvise(fd, 0, 0,
		      POSIX_FADV_DONTNEED); /* ours, not the backing's */
	start = bench_now_us();
	while (read(fd, block, BLOCK) > 0)
		;
	close(fd);
	return BIG_MIB * 1e6 / (bench_now_us() - start);
}

static const struct {
	const char *name;
	double (*run)(const char *dir, int round);
} WORK[] = {
	{"create+write 2 KB+close /s", create_small},
	{"stat /s", stat_small},
	{"write MiB/s", write_big},
	{"read MiB/s", read_big},
};

static double times[2000];

static double read_file(const char *path)
{
	double start = bench_now_us();
	int fd = open(path, O_RDONLY);

	while (fd >= 0 && read(fd, block, 65536) > 0)
		;
	close(fd);
	return bench_now_us() - start;
}

static void queries(const char *hello, const char *dir)
{
	char path[4096];

	for (int i = 0; i < 500; i++)
		times[i] = read_file(hello);
	qsort(times, 500, sizeof(*times), bench_cmp);
	printf("  open+read+close hello_ll, p50 us     %8.1f\n", times[250]);
	for (int i = 0; i < 500; i++) {
		snprintf(path, sizeof(path), "%s/purple yak n:%d", dir, i + 1);
		times[i] = read_file(path);
	}
	qsort(times, 500, sizeof(*times), bench_cmp);
	printf("  open+read+close query/<new>, p50 us  %8.1f\n", times[250]);
	for (int i = 0; i < 500; i++)
		times[i] = read_file(path);
	qsort(times, 500, sizeof(*times), bench_cmp);
	printf("  open+read+close query/<again>, p50 us%8.1f\n", times[250]);
}

int main(int argc, char **argv)
{
	if (argc != 6)
		return 2;
	printf("  %-28s %10s %14s %10s %22s\n", "", "native", "passthrough_ll",
	       "rankfs", "rankfs/passthrough_ll");
	for (int w = 0; w < 4; w++) {
		double best[3] = {0, 0, 0};

		for (int r = 0; r < ROUNDS; r++)
			for (int d = 0; d < 3; d++) {
				double v = WORK[w].run(argv[1 + d], r);

				if (v > best[d])
					best[d] = v;
			}
		printf("  %-28s %10.0f %14.0f %10.0f %22.2f\n", WORK[w].name,
		       best[0], best[1], best[2], best[2] / best[1]);
	}
	queries(argv[4], argv[5]);
	return 0;
}
