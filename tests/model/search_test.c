/* SPDX-License-Identifier: MIT */
/*
 * The search against a naive one: BM25F over every chunk, no index structure,
 * no pruning; and the law that an answer does not depend on how the corpus is
 * cut into segments, on the order of writing, or on what was deleted since.
 */
#include "index/state/internal.h"
#include "unit/t.h"
#include <fcntl.h>

enum { DOCS = 400, VOCAB = 60 };

static char *backing;
static char files[300];

static void doc_text(int d, unsigned version, char *out, size_t cap)
{
	unsigned long long seed = (unsigned long long)d * 1000 + version;
	size_t n = 0;
	int words = 5 + (int)(t_rand(&seed) % 60);

	for (int i = 0; i < words; i++) {
		/* small numbers are frequent, as in text */
		unsigned a = (unsigned)(t_rand(&seed) % VOCAB);
		unsigned b = (unsigned)(t_rand(&seed) % VOCAB);

		n += (size_t)snprintf(out + n, cap - n, "w%c%c%s",
				      'a' + (char)((a < b ? a : b) % 26),
				      'a' + (char)((a < b ? a : b) / 26),
				      i % 9 == 8 ? "\n" : " ");
	}
}

static void write_doc(int d, unsigned version)
{
	char name[64], text[1024];

	doc_text(d, version, text, sizeof(text));
	snprintf(name, sizeof(name), "d%d/f%03d.txt", d % 7, d);
	t_write(files, name, text);
}

static struct rk_index *open_ix(void)
{
	struct rk_index *ix = NULL;

	CHECK_INT(rk_index_open(NULL, backing, "main", RK_NO_RECONCILE, &ix),
		  0);
	return ix;
}

static void touch(struct rk_index *ix, int d)
{
	char name[64];

	snprintf(name, sizeof(name), "d%d/f%03d.txt", d % 7, d);
	CHECK_INT(rk_touch(ix, name, 0, NULL), 0);
}

static void settle(struct rk_index *ix)
{
	CHECK_INT(rk_barrier(ix, 60000, NULL), 0);
}

static void enter(void)
{
	backing = t_mkdir();
	snprintf(files, sizeof(files), "%s/indexes/main/files", backing);
	rk_index_close(open_ix());
}

static void leave(void)
{
	t_rmdir(backing);
}

static const char *const QUERIES[] = {
	"waa",
	"wba wca",
	"wca wda wea wfa",
	"wab wbb wcb wdb",
	"+waa wfa",
	"+wba +wca wda",
	"waa -wba",
	"\"wba wca\"",
	"\"waa wba\" wca",
	"wza wya wxa wwa wva wua wta wsa",
	"waa path:d3/**",
	"waa wbb path:d1 path:d2",
	"wzz waa",
	"path:d5/**",
};
enum { NQ = sizeof(QUERIES) / sizeof(QUERIES[0]) };

/* Everything an answer says, as one string. */
static char *answer(struct rk_index *ix, const char *q, int k, const char *mode)
{
	struct rk_search_opts opts = {.size = sizeof(opts), .wait_ms = 10000};
	struct rk_buf b = RK_BUF_INIT;
	struct rk_results *r;
	char text[200];
	int n = snprintf(text, sizeof(text), "%s n:%d mode:%s", q, k, mode);

	CHECK_INT(rk_search(ix, text, (size_t)n, &opts, &r), 0);
	rk_buf_printf(&b, "%llu%s:", (unsigned long long)r->total,
		      r->total_is_lower ? "+" : "");
	for (size_t i = 0; i < r->nhits; i++)
		rk_buf_printf(&b, " %s:%u=%.9g/%.9g", r->hits[i].path,
			      r->hits[i].line, r->hits[i].lexical,
			      r->hits[i].vector);
	rk_buf_byte(&b, 0);
	rk_results_free(r);
	return (char *)b.p;
}

/* The same documents in several ways; with vectors after a fit on all. */
static void write_in_many_ways(const char *mode)
{
	char *first[NQ];
	unsigned long long seed = 42;
	int fitted = strcmp(mode, "lexical") != 0;

	for (int way = 0; way < 5; way++) {
		struct rk_index *ix;

		enter();
		ix = open_ix();
		/* other ways write old versions first, delete, and flush */
		for (int d = 0; way > 0 && d < DOCS; d += way) {
			write_doc(d, 1);
			touch(ix, d);
			if (t_rand(&seed) % 60 == 0) {
				settle(ix);
				CHECK_INT(rk_checkpoint(ix), 0);
			}
		}
		for (int i = 0; i < DOCS; i++) {
			int d = way == 2   ? DOCS - 1 - i
				: way == 3 ? i * 77 % DOCS
					   : i;

			write_doc(d, 0);
			touch(ix, d);
			if (way == 3 && i % 37 == 0) {
				settle(ix);
				CHECK_INT(rk_checkpoint(ix), 0);
			}
		}
		settle(ix);
		if (way == 4)
			CHECK_INT(rk_compact(ix), 0);
		if (fitted)
			CHECK_INT(rk_refit(ix, 60000), 0);
		for (int q = 0; q < NQ; q++) {
			char *got = answer(ix, QUERIES[q], 10, mode);

			if (way == 0) {
				first[q] = got;
				continue;
			}
			if (strcmp(first[q], got) != 0)
				printf("# way %d, %s\n", way, QUERIES[q]);
			CHECK_STR(got, first[q]);
			free(got);
		}
		CHECK_INT(rk_index_close(ix), 0);
		leave();
	}
	for (int q = 0; q < NQ; q++)
		free(first[q]);
}

static void answers_do_not_depend_on_segments(void)
{
	write_in_many_ways("lexical");
}

static void nor_do_hybrid_ones(void)
{
	write_in_many_ways("hybrid");
}

static void nor_do_those_by_vectors(void)
{
	write_in_many_ways("vector");
}

/* How often word w is in document d; *len gets its length in words. */
static int count_word(int d, const char *w, int *len)
{
	char text[1024], *save = NULL;
	int n = 0;

	*len = 0;
	doc_text(d, 0, text, sizeof(text));
	for (char *t = strtok_r(text, " \n", &save); t;
	     t = strtok_r(NULL, " \n", &save)) {
		++*len;
		n += strcmp(t, w) == 0;
	}
	return n;
}

/* The head of an untitled text: its first 12 words, and its path. */
static int count_lead(int d, const char *w)
{
	char text[1024], *save = NULL;
	int n = 0, i = 0;

	doc_text(d, 0, text, sizeof(text));
	for (char *t = strtok_r(text, " \n", &save); t && i < 12;
	     t = strtok_r(NULL, " \n", &save), i++)
		n += strcmp(t, w) == 0;
	return n;
}

static void one_word_is_ranked_as_the_formula_says(void)
{
	static const char *const WORDS[] = {"waa", "wfa", "wbb"};
	struct rk_index *ix;

	enter();
	ix = open_ix();
	for (int d = 0; d < DOCS; d++) {
		write_doc(d, 0);
		touch(ix, d);
	}
	settle(ix);
	CHECK_INT(rk_checkpoint(ix), 0);
	for (int k = 0; k < 3; k++) {
		struct rk_search_opts opts = {.size = sizeof(opts),
					      .wait_ms = 1000};
		struct rk_results *r;
		double best = 0, sum = 0, head_sum = 0;
		int df = 0, len, n;
		char text[64];

		n = snprintf(text, sizeof(text), "%s mode:lexical", WORDS[k]);
		/* path words: d3, d, 3, f003 (f, 003), txt are in the head */
		for (int d = 0; d < DOCS; d++) {
			df += count_word(d, WORDS[k], &len) > 0;
			sum += len;
			head_sum += (len < 12 ? len : 12);
		}
		CHECK_INT(rk_search(ix, text, (size_t)n, &opts, &r), 0);
		CHECK_INT(r->total, df);
		for (int d = 0; d < DOCS; d++) {
			struct rk_norms t;
			struct rk_corpus_stats s = {.chunks = DOCS,
						    .body_sum = (uint64_t)sum,
						    .head_sum =
							    ix->stats.head_sum};
			int tf = count_word(d, WORDS[k], &len);
			uint32_t head = (uint32_t)(ix->stats.head_sum -
						   (uint64_t)head_sum) /
					DOCS;
			double x, score;

			rk_norms_init(&t, &s);
			x = (double)rk_bm25_x(
				&t,
				rk_norm_make(
					(uint32_t)len,
					head + (len < 12 ? (uint32_t)len : 12),
					0),
				(uint32_t)tf,
				4 * (uint32_t)count_lead(d, WORDS[k]));
			score = rk_bm25_idf(DOCS, (uint64_t)df) * 2.2 * x /
				(x + 1.2);
			if (score > best)
				best = score;
		}
		CHECK(r->nhits > 0 && r->hits[0].lexical > best * 0.9999 &&
		      r->hits[0].lexical < best * 1.0001);
		rk_results_free(r);
	}
	rk_index_close(ix);
	leave();
}

/* Pruning must not lose anything: deep answers start as shallow ones do. */
static void more_results_begin_with_the_same(void)
{
	struct rk_index *ix;

	enter();
	ix = open_ix();
	for (int d = 0; d < DOCS; d++) {
		write_doc(d, 0);
		touch(ix, d);
	}
	settle(ix);
	CHECK_INT(rk_checkpoint(ix), 0);
	for (int q = 0; q < NQ; q++) {
		char *few = answer(ix, QUERIES[q], 5, "lexical");
		char *many = answer(ix, QUERIES[q], 300, "lexical");
		char *a = strchr(few, ':'), *b = strchr(many, ':');

		if (strncmp(a, b, strlen(a)) != 0)
			printf("# %s\n", QUERIES[q]);
		CHECK(strncmp(a, b, strlen(a)) == 0);
		free(few);
		free(many);
	}
	rk_index_close(ix);
	leave();
}

static const struct t_case CASES[] = {
	{"answers do not depend on segments",
	 answers_do_not_depend_on_segments},
	{"nor do hybrid ones", nor_do_hybrid_ones},
	{"nor do those by vectors", nor_do_those_by_vectors},
	{"one word is ranked as the formula says",
	 one_word_is_ranked_as_the_formula_says},
	{"more results begin with the same", more_results_begin_with_the_same},
};
T_MAIN(CASES)
