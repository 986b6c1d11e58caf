/* SPDX-License-Identifier: MIT */
/* rankfs_bench CORPUS QUERIES FOLDER: the engine in this process. */
#include "index/write/ingest.h"
#include "bench/bench.h"
#include <sys/stat.h>

static void ask(const char *text, void *ctx)
{
	struct rk_search_opts opts = {.size = sizeof(opts), .no_excerpts = 1};
	struct rk_results *r;

	if (rk_search(ctx, text, strlen(text), &opts, &r) == 0)
		rk_results_free(r);
}

/* After a fresh open: how long to the first answer. */
static void boot(const char *folder, const char *text)
{
	double start = bench_now_us();
	struct rk_index *ix;

	if (rk_index_open(NULL, folder, "main", RK_NO_RECONCILE, &ix) < 0)
		return;
	ask(text, ix);
	printf("boot_us %.0f\n", bench_now_us() - start);
	rk_index_close(ix);
}

static void put_one(struct rk_index *ix, struct rk_worker *w)
{
	double sum = 0;

	for (int i = 0; i < 200; i++) {
		struct rk_doc_rec rec = {.size = 30};
		char path[32], text[64];
		double start;
		int n;

		snprintf(path, sizeof(path), "new/%d", i);
		n = snprintf(text, sizeof(text), "fresh document fresh%d", i);
		start = bench_now_us();
		rk_put_text(ix, w, path, &rec,
			    &(struct rk_source_text){RK_KIND_TEXT, text,
						     (size_t)n, -1});
		sum += bench_now_us() - start;
	}
	printf("put_us %.1f\n", sum / 200);
}

static void sizes(struct rk_index *ix)
{
	static const char *const S[] = {"posts", "poss",  "dict",   "dictix",
					"docs",	 "paths", "sorted", "chunks",
					"norms", "heads"};
	struct rk_view *v = ix->view;
	double lex = 0, all = 0, pos = 0;

	for (unsigned i = 0; i < v->nsegs; i++)
		for (int k = 0; k < 10; k++) {
			int s = rk_container_section(v->segs[i]->c, S[k]);
			double n = (double)rk_section_len(v->segs[i]->c, s);

			all += n;
			if (k == 1)
				pos += n;
			else if (k < 4 || k == 8)
				lex += n;
		}
	printf("bytes_docs_tf %.0f\nbytes_positions %.0f\nbytes %.0f\n", lex,
	       pos, all);
}

/* The peers have no vectors: neither does this run. */
static void words_only(const char *backing)
{
	char path[4200];
	FILE *f;

	snprintf(path, sizeof(path), "mkdir -p '%s/indexes/main'", backing);
	if (system(path) != 0)
		exit(2);
	snprintf(path, sizeof(path), "%s/indexes/main/config", backing);
	if ((f = fopen(path, "w"))) {
		fputs("embedder none\n", f);
		fclose(f);
	}
}

int main(int argc, char **argv)
{
	struct rk_index *ix;
	struct rk_worker w;
	static char line[65536];
	FILE *f;
	long n = 0;
	double cpu, wall = bench_now_us();

	if (argc == 4)
		words_only(argv[3]);
	if (argc != 4 || !(f = fopen(argv[1], "r")) ||
	    rk_index_open(NULL, argv[3], "main", RK_NO_RECONCILE, &ix) < 0 ||
	    rk_worker_init(&w, ix) < 0)
		return 2;
	cpu = bench_cpu_s();
	while (fgets(line, sizeof(line), f)) {
		struct rk_doc_rec rec = {.size = strlen(line)};
		char path[32];

		snprintf(path, sizeof(path), "d/%07ld", n++);
		rk_put_text(ix, &w, path, &rec,
			    &(struct rk_source_text){RK_KIND_TEXT, line,
						     strlen(line) - 1, -1});
	}
	rk_compact(ix);
	printf("ingest_cpu_s %.2f\ningest_wall_s %.2f\n", bench_cpu_s() - cpu,
	       (bench_now_us() - wall) / 1e6);
	printf("peak_rss_mib %.0f\nanon_rss_mib %.0f\n", bench_mem_mib("VmHWM"),
	       bench_mem_mib("RssAnon"));
	sizes(ix);
	bench_queries(argv[2], ask, ix);
	put_one(ix, &w);
	rk_worker_release(&w);
	rk_index_close(ix);
	boot(argv[3], "bace difo");
	return 0;
}
