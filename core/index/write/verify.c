/* SPDX-License-Identifier: MIT */
/* Every checksum, and the documents against the index; nothing is changed. */
#include "index/documents/walk.h"
#include "index/state/internal.h"
#include <errno.h>
#include <fcntl.h>
#include <string.h>

struct verify {
	struct rk_index *ix;
	struct rk_verify_report *out;
};

static int check_file(void *ctx, const char *path, const struct stat *st)
{
	struct verify *v = ctx;
	struct rk_docref d;
	int rc;

	v->out->files++;
	pthread_mutex_lock(&v->ix->writer);
	rc = rk_find_live(v->ix, path, strlen(path), &d);
	pthread_mutex_unlock(&v->ix->writer);
	if (rc != 1)
		v->out->missing++;
	else if (d.rec.size != (uint64_t)st->st_size || d.rec.ino != st->st_ino)
		v->out->stale++;
	return 0;
}

static int check_doc(void *ctx, const struct rk_docref *d, const char *path)
{
	struct verify *v = ctx;
	struct stat st;

	(void)d;
	if (rk_stat_document(v->ix, path, &st) < 0)
		v->out->stale++;
	return 0;
}

static int verify(struct rk_index *ix, struct rk_verify_report *out)
{
	struct verify v = {ix, out};
	struct rk_snapshot s;
	int rc;

	rk_snapshot_take(ix, &s);
	for (unsigned i = 0; i < s.view->nsegs; i++) {
		struct rk_segment *seg = s.view->segs[i];

		out->segments++;
		out->bytes += rk_segment_bytes(seg);
		if (rk_container_verify(seg->c) < 0) {
			out->damaged++;
			seg->damaged = 1; /* the writer rebuilds it */
		}
		if (s.vecs[i]) {
			out->bytes += rk_vectors_bytes(s.vecs[i]);
			out->damaged += rk_vectors_verify(s.vecs[i]) < 0;
		}
	}
	rk_snapshot_release(&s);
	rc = rk_walk_files(ix, "", check_file, &v);
	if (rc == 0) {
		pthread_mutex_lock(&ix->writer);
		rc = rk_each_live(ix, "", check_doc, &v);
		pthread_mutex_unlock(&ix->writer);
	}
	return rc;
}

int rk_verify(struct rk_index *ix, struct rk_verify_report *out)
{
	struct rk_verify_report all = {.size = out->size};
	int rc = verify(ix, &all);

	memcpy(out, &all, out->size < sizeof(all) ? out->size : sizeof(all));
	return rc;
}
