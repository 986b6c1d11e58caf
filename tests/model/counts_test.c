/* SPDX-License-Identifier: MIT */
/*
 * What is counted over an index is what it holds, however that came to be:
 * documents, chunks and lengths, by which scores are weighed, and how often a
 * word is there, by which spellings are repaired.
 */
#include "index/state/internal.h"
#include "index/write/persist.h"
#include "text/analyse/analyse.h"
#include "unit/t.h"
#include <glob.h>

enum { DOCS = 12 };

static char *backing;
static char files[300];

static struct rk_index *open_ix(void)
{
	struct rk_index *ix = NULL;

	CHECK_INT(rk_index_open(NULL, backing, "main", RK_NO_RECONCILE, &ix),
		  0);
	return ix;
}

static void put(struct rk_index *ix, int d, const char *more)
{
	char name[32], text[200];

	snprintf(name, sizeof(name), "d%d.md", d);
	snprintf(text, sizeof(text), "# A heading %d\n\nzebras and %s\n", d,
		 more);
	t_write(files, name, text);
	CHECK_INT(rk_touch(ix, name, 0, NULL), 0);
	CHECK_INT(rk_barrier(ix, 20000, NULL), 0);
}

static void drop(struct rk_index *ix, int d)
{
	char name[32], path[340];

	snprintf(name, sizeof(name), "d%d.md", d);
	snprintf(path, sizeof(path), "%s/%s", files, name);
	CHECK_INT(unlink(path), 0);
	CHECK_INT(rk_touch(ix, name, 0, NULL), 0);
	CHECK_INT(rk_barrier(ix, 20000, NULL), 0);
}

static int add_up(void *ctx, const struct rk_docref *d, const char *path)
{
	const rk_norm *norms =
		d->seg ? rk_segment_norms(d->seg) : d->mem->norms;
	struct rk_corpus_stats *t = ctx;

	(void)path;
	t->docs++;
	for (uint32_t c = 0; c < d->rec.nchunks; c++) {
		t->chunks++;
		t->body_sum += rk_norm_body(norms[d->rec.chunk0 + c]);
		t->head_sum += rk_norm_head(norms[d->rec.chunk0 + c]);
	}
	return 0;
}

static void counts_fit(struct rk_index *ix, uint64_t docs)
{
	struct rk_corpus_stats t = {0};

	pthread_mutex_lock(&ix->writer);
	rk_each_live(ix, "", add_up, &t);
	pthread_mutex_unlock(&ix->writer);
	CHECK_INT(t.docs, docs);
	CHECK(t.body_sum > 2 * docs && t.head_sum > docs);
	CHECK_INT(ix->stats.docs, t.docs);
	CHECK_INT(ix->stats.chunks, t.chunks);
	CHECK_INT(ix->stats.body_sum, t.body_sum);
	CHECK_INT(ix->stats.head_sum, t.head_sum);
}

static void lengths_are_counted_whatever_happens(void)
{
	struct rk_index *ix = open_ix();

	for (int d = 0; d < DOCS; d++)
		put(ix, d, "some more words");
	CHECK_INT(rk_checkpoint(ix), 0);
	drop(ix, 0);
	CHECK_INT(rk_index_close(ix), 0);
	ix = open_ix(); /* too few are dead for the segment to be rewritten */
	CHECK_INT(ix->view->segs[0]->ndead, 1);
	counts_fit(ix, DOCS - 1);
	put(ix, 0, "here again");
	counts_fit(ix, DOCS);
	put(ix, 1, "longer than before by some words");
	drop(ix, 2);
	counts_fit(ix, DOCS - 1);
	CHECK_INT(rk_checkpoint(ix), 0);
	counts_fit(ix, DOCS - 1);
	put(ix, 3, "again");
	drop(ix, 4);
	counts_fit(ix, DOCS - 2);
	CHECK_INT(rk_index_close(ix), 0);
	ix = open_ix();
	counts_fit(ix, DOCS - 2);
	CHECK_INT(rk_compact(ix), 0);
	counts_fit(ix, DOCS - 2);
	rk_index_close(ix);
	ix = open_ix();
	counts_fit(ix, DOCS - 2);
	put(ix, 20, "in another segment");
	CHECK_INT(rk_checkpoint(ix), 0);
	ix->view->segs[0]->damaged = 1;
	rk_drop_damaged(ix); /* its documents are read again */
	CHECK_INT(rk_barrier(ix, 20000, NULL), 0);
	counts_fit(ix, ix->stats.docs);
	rk_index_close(ix);
}

/* In how many documents, as the only segment counts it for spelling. */
static uint32_t spelled(struct rk_index *ix, const char *word)
{
	const struct rk_dict *dict;
	struct rk_dict_entry e = {.df = 0};
	char term[64] = {RK_WORD_MARK};

	CHECK_INT(ix->view->nsegs, 1);
	dict = rk_segment_dict(ix->view->segs[0]);
	memcpy(term + 1, word, strlen(word));
	return rk_dict_find(dict, term, strlen(word) + 1, &e) == 1 ? e.df : 0;
}

static void spellings_fade_with_their_documents(void)
{
	struct rk_index *ix = open_ix();

	for (int d = 0; d < DOCS; d++)
		put(ix, d, "words");
	CHECK_INT(rk_checkpoint(ix), 0);
	CHECK_INT(spelled(ix, "zebras"), DOCS);
	for (int d = 0; d < DOCS * 3 / 4; d++)
		drop(ix, d);
	CHECK_INT(rk_compact(ix), 0);
	CHECK_INT(spelled(ix, "zebras"), DOCS / 4);
	put(ix, 0, "words");
	CHECK_INT(rk_compact(ix), 0);
	CHECK_INT(spelled(ix, "zebras"), DOCS / 4 + 1);
	rk_index_close(ix);
}

/* How many files of the index match the pattern. */
static size_t count_files(const char *pattern)
{
	char path[340];
	glob_t g;
	size_t n;

	snprintf(path, sizeof(path), "%s/indexes/main/%s", backing, pattern);
	n = glob(path, 0, NULL, &g) == 0 ? g.gl_pathc : 0;
	globfree(&g);
	return n;
}

static void files_that_nothing_names_go_away(void)
{
	struct rk_index *ix = open_ix();

	for (int d = 0; d < DOCS; d++) {
		put(ix, d, "words");
		CHECK_INT(rk_checkpoint(ix), 0);
	}
	CHECK_INT(count_files("MANIFEST-*"), 2); /* as configured */
	CHECK_INT(rk_compact(ix), 0);
	CHECK_INT(count_files("MANIFEST-*"), 1);
	CHECK_INT(count_files("seg-*.mp"), 1);
	CHECK_INT(count_files("wal-*.log"), 1);
	CHECK(count_files("vec-*.vec") <= 1);
	rk_index_close(ix);
}

/* Of the kinds of index over vectors, the one that is configured stays. */
static void indexes_of_another_kind_go_away(void)
{
	static const char SETTINGS[] = "embedder import:2\n";
	struct rk_index *ix = open_ix();
	char err[100], dir[300];

	CHECK_INT(rk_config_set(ix, SETTINGS, strlen(SETTINGS), err, 100), 0);
	rk_index_close(ix);
	ix = open_ix();
	put(ix, 1, "words");
	CHECK_INT(rk_checkpoint(ix), 0);
	CHECK(ix->view->segs[0]->vec != NULL);
	if (ix->view->segs[0]->vec) {
		char ivf[64], hnsw[64];

		rk_ann_name(RK_ANN_IVF, ix->view->segs[0]->vec->id, ivf);
		rk_ann_name(RK_ANN_HNSW, ix->view->segs[0]->vec->id, hnsw);
		snprintf(dir, sizeof(dir), "%s/indexes/main", backing);
		t_write(dir, ivf, "made a moment ago");
		t_write(dir, hnsw, "of the configuration before");
		put(ix, 2, "words");
		CHECK_INT(rk_checkpoint(ix), 0);
		CHECK_INT(count_files("vec-*.ivf"), 1);
		CHECK_INT(count_files("vec-*.hnsw"), 0);
	}
	rk_index_close(ix);
}

static void in_a_folder_of_its_own(void (*test)(void))
{
	backing = t_mkdir();
	snprintf(files, sizeof(files), "%s/indexes/main/files", backing);
	test();
	t_rmdir(backing);
}

static void lengths(void)
{
	in_a_folder_of_its_own(lengths_are_counted_whatever_happens);
}

static void spellings(void)
{
	in_a_folder_of_its_own(spellings_fade_with_their_documents);
}

static void leavings(void)
{
	in_a_folder_of_its_own(files_that_nothing_names_go_away);
}

static void kinds(void)
{
	in_a_folder_of_its_own(indexes_of_another_kind_go_away);
}

static const struct t_case CASES[] = {
	{"indexes of another kind go away", kinds},
	{"files that nothing names go away", leavings},
	{"lengths are counted, whatever happens", lengths},
	{"spellings fade with their documents", spellings},
};
T_MAIN(CASES)
