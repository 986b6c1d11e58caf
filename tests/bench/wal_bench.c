/* SPDX-License-Identifier: MIT */
/* wal_bench FOLDER: a durable commit of 512-byte records, and the raw floor. */
#include "bench/bench.h"
#include "storage/wal.h"
#include <fcntl.h>
#include <unistd.h>

static double times[2000];

static double median(int n)
{
	qsort(times, (size_t)n, sizeof(*times), bench_cmp);
	return times[n / 2];
}

int main(int argc, char **argv)
{
	static const int BATCH[] = {1, 100, 1000};
	static char body[512], zero[1 << 20];
	struct rk_wal_report rep;
	struct rk_wal *w;
	int dir, fd;

	if (argc != 2 || (dir = open(argv[1], O_RDONLY | O_DIRECTORY)) < 0 ||
	    rk_wal_open(rk_env_posix()->io, dir, 0, 0, NULL, NULL, &rep, &w) <
		    0)
		return 2;
	fd = openat(dir, "raw", O_RDWR | O_CREAT | O_TRUNC, 0600);
	for (int i = 0; i < 32; i++)
		if (write(fd, zero, sizeof(zero)) < 0)
			return 1;
	fsync(fd);
	memset(body, 'x', sizeof(body));
	for (int b = 0; b < 3; b++) {
		int rounds = BATCH[b] == 1000 ? 20 : 200;
		off_t at = 0;
		double ours;

		for (int i = 0; i < rounds; i++) {
			double start = bench_now_us();
			uint64_t seq = 0;

			for (int k = 0; k < BATCH[b]; k++)
				rk_wal_append(w, 1, body, sizeof(body), &seq);
			rk_wal_sync(w, seq);
			times[i] = bench_now_us() - start;
		}
		ours = median(rounds);
		for (int i = 0; i < rounds; i++) {
			double start = bench_now_us();

			for (int k = 0; k < BATCH[b]; k++, at += 529)
				if (pwrite(fd, body, sizeof(body),
					   at % (30 << 20)) < 0)
					return 1;
			fdatasync(fd);
			times[i] = bench_now_us() - start;
		}
		printf("wal_commit_%d_us %.0f\nraw_commit_%d_us %.0f\n",
		       BATCH[b], ours, BATCH[b], median(rounds));
	}
	rk_wal_close(w);
	return 0;
}
