/* SPDX-License-Identifier: MIT */
/*
 * Words and vectors together, with vectors that are known: two dimensions,
 * a query along the first, documents by their cosine with it. The one that
 * holds the word lies along it, too: what is learnt from it changes nothing.
 */
#include "rankfs.h"
#include "unit/idle.h"
#include "unit/t.h"
#include <math.h>
#include <stdint.h>
#include <sys/xattr.h>

static char *backing;

/* IEEE half of a number in [0, 1]; less than 2^-14 counts as nothing. */
static uint16_t half(float x)
{
	uint32_t u;

	memcpy(&u, &x, sizeof(u));
	if (x < 0x1p-14f)
		return 0;
	return (uint16_t)(((u >> 23) - 112) << 10 | (u >> 13 & 0x3ff));
}

static void put(struct rk_index *ix, const char *name, const char *text,
		float cosine)
{
	uint16_t v[2] = {half(cosine), half(sqrtf(1 - cosine * cosine))};
	char files[300], path[340];

	snprintf(files, sizeof(files), "%s/indexes/main/files", backing);
	snprintf(path, sizeof(path), "%s/%s", files, name);
	t_write(files, name, text);
	CHECK_INT(setxattr(path, "user.rankfs.vector", v, sizeof(v), 0), 0);
	CHECK_INT(rk_touch(ix, name, 0, NULL), 0);
}

static struct rk_index *filled(void)
{
	static const char SETTINGS[] = "embedder import:2\nvector_weight 30\n";
	struct rk_index *ix = NULL;
	char err[100] = "";

	backing = t_mkdir();
	CHECK_INT(rk_index_open(NULL, backing, "main", RK_NO_RECONCILE, &ix),
		  0);
	CHECK_INT(rk_config_set(ix, SETTINGS, strlen(SETTINGS), err, 100), 0);
	rk_index_close(ix);
	CHECK_INT(rk_index_open(NULL, backing, "main", RK_NO_RECONCILE, &ix),
		  0);
	CHECK_INT(rk_reindex(ix, 1), 0);
	t_wait_idle(ix);
	put(ix, "both.md", "zebra\n", 1);
	put(ix, "nearest.md", "horse\n", .9f);
	put(ix, "near.md", "horse\n", .6f);
	put(ix, "middling.md", "horse\n", .5f);
	put(ix, "far.md", "horse\n", .1f);
	CHECK_INT(rk_barrier(ix, 20000, NULL), 0);
	CHECK_INT(rk_vectors_wait(ix, 20000), 0);
	return ix;
}

/* The score of a document among the results; -1: it is none. */
static double score(const struct rk_results *r, const char *path)
{
	for (size_t i = 0; i < r->nhits; i++)
		if (strcmp(r->hits[i].path, path) == 0)
			return r->hits[i].score;
	return -1;
}

#define CHECK_NEAR(a, b)                                                       \
	do {                                                                   \
		double a_ = (a), b_ = (b);                                     \
		if (fabs(a_ - b_) > .002) {                                    \
			printf("# %s:%d: %s is %.4f, not %.4f\n", __FILE__,    \
			       __LINE__, #a, a_, b_);                          \
			t_failed = 1;                                          \
		}                                                              \
	} while (0)

static struct rk_results *ask(struct rk_index *ix, const char *text)
{
	static const float ALONG[] = {1, 0};
	struct rk_search_opts opts = {.size = sizeof(opts),
				      .wait_ms = -1,
				      .vector = ALONG,
				      .vector_dim = 2};
	struct rk_results *r = NULL;

	CHECK_INT(rk_search(ix, text, strlen(text), &opts, &r), 0);
	return r;
}

static void scores_of_both_lanes_become_one(void)
{
	struct rk_index *ix = filled();
	struct rk_results *r = ask(ix, "zebra");

	/* .7 by words, .3 by the place among cosines from .1 to 1 */
	CHECK_NEAR(score(r, "both.md"), .7 + .3);
	CHECK_NEAR(score(r, "nearest.md"), .3 * 8 / 9);
	CHECK_NEAR(score(r, "near.md"), .3 * 5 / 9);
	rk_results_free(r);
	r = ask(ix, "zebra mode:vector");
	CHECK_NEAR(score(r, "nearest.md"), 8. / 9);
	CHECK_NEAR(score(r, "middling.md"), 4. / 9);
	rk_results_free(r);
	rk_index_close(ix);
	t_rmdir(backing);
}

/* Ranks in the lanes, as "lexical/vector"; 0: not found there. */
static void ranks_are_those_of_the_lanes(void)
{
	struct rk_index *ix = filled();
	struct rk_results *r = ask(ix, "zebra");
	char got[100] = "";
	size_t n = 0;

	for (size_t i = 0; i < r->nhits; i++)
		n += (size_t)snprintf(got + n, sizeof(got) - n, "%s %u/%u ",
				      r->hits[i].path, r->hits[i].lexical_rank,
				      r->hits[i].vector_rank);
	CHECK_STR(got, "both.md 1/1 nearest.md 0/2 near.md 0/3 ");
	rk_results_free(r);
	rk_index_close(ix);
	t_rmdir(backing);
}

static void what_only_vectors_find_is_in_the_nearer_half(void)
{
	struct rk_index *ix = filled();
	struct rk_results *r = ask(ix, "zebra");

	CHECK_INT(r->nhits, 3);
	CHECK(score(r, "near.md") > 0);
	CHECK_NEAR(score(r, "middling.md"), -1);
	CHECK_NEAR(score(r, "far.md"), -1);
	rk_results_free(r);
	rk_index_close(ix);
	t_rmdir(backing);
}

static const struct t_case CASES[] = {
	{"scores of both lanes become one", scores_of_both_lanes_become_one},
	{"ranks are those of the lanes", ranks_are_those_of_the_lanes},
	{"what only vectors find is in the nearer half",
	 what_only_vectors_find_is_in_the_nearer_half},
};
T_MAIN(CASES)
