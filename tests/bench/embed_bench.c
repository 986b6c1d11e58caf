/* SPDX-License-Identifier: MIT */
/*
 * The built-in embedding on an index: embed_bench BACKING TMPDIR. Prints the
 * time of the sample, the fit and the fold-in, on one thread.
 */
#include "index/state/internal.h"
#include "bench.h"
#include "storage/fold.h"
#include <fcntl.h>

int main(int argc, char **argv)
{
	struct rk_snapshot snap;
	struct rk_index *ix;
	struct rk_sampled s;
	struct rk_latent *l;
	double t, chunks;
	int dir;

	if (argc < 3 || rk_index_open(NULL, argv[1], "main", RK_READ_ONLY, &ix))
		return 2;
	dir = open(argv[2], O_RDONLY | O_DIRECTORY);
	rk_snapshot_take(ix, &snap);
	chunks = (double)snap.stats.chunks;
	t = bench_cpu_s();
	if (rk_sample_segments(snap.view->segs, snap.view->nsegs,
			       snap.generation, NULL, &s) < 0)
		return 1;
	printf("sample\t%.2f s of %.0f chunks\n", bench_cpu_s() - t, chunks);
	t = bench_cpu_s();
	if (rk_latent_fit(&s.sample, s.chunks, NULL, &l) < 0)
		return 1;
	printf("fit\t%.2f s on %u chunks, %u terms\n", bench_cpu_s() - t,
	       l->sampled, l->nterms);
	t = bench_cpu_s();
	for (unsigned i = 0; i < snap.view->nsegs; i++)
		if (rk_fold_segment(ix->env->io, dir, i + 1, 1, l,
				    snap.view->segs[i], NULL) < 0)
			return 1;
	t = bench_cpu_s() - t;
	printf("fold\t%.2f s, %.0f chunks/s\n", t, chunks / t);
	rk_latent_unref(l);
	rk_sampled_release(&s);
	rk_snapshot_release(&snap);
	return rk_index_close(ix);
}
