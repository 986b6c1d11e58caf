/* SPDX-License-Identifier: MIT */
/*
 * From whatever is in the directory to a view:
 *
 *   CURRENT            missing or bad: the newest manifest that verifies
 *   manifest           bad: the one before, and more of the log; written by
 *                      a newer rankfs: refused
 *   analyser           another: all segments are dropped and built anew
 *   segment            missing, short, bad header: set aside as
 *                      *.damaged; its documents are missing then, and the
 *                      comparison of documents and index brings them back
 *   log                replayed above the manifest's floor; see wal.h
 *   any of them        cannot be read now (rk_unreadable()): opening fails
 *                      and changes nothing, unless all is built anew
 *
 * Bytes inside segments are verified when they are first used.
 */
#include "index/write/recover.h"
#include "index/state/internal.h"
#include "index/vectors/embed.h"
#include "base/mem.h"
#include "base/mp.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Changes when the same text would give other terms. */
const char RK_ANALYSER_VERSION[] = "5";

enum { MANIFESTS_MAX = 256 };

/* The newest that verifies. 1: m, 0: there is none, -errno, RK_EVERSION. */
static int newest_manifest(struct rk_index *ix, const uint64_t *numbers, int n,
			   struct rk_manifest *m)
{
	for (int i = 0; i < n; i++) {
		int rc = rk_manifest_read(ix->env->io, ix->dir_fd, numbers[i],
					  m);

		if (rc == RK_EVERSION || rk_unreadable(rc))
			return rc;
		if (rc < 0)
			continue;
		rk_warn(&ix->warnings,
			"CURRENT or its manifest is damaged: went on from "
			"checkpoint %llu",
			(unsigned long long)numbers[i]);
		return 1;
	}
	return 0;
}

static int load_manifest(struct rk_index *ix, struct rk_manifest *m)
{
	const struct rk_io *io = ix->env->io;
	int64_t current = rk_manifest_current(io, ix->dir_fd);
	uint64_t numbers[MANIFESTS_MAX];
	int n = rk_manifest_list(ix->dir_fd, numbers, MANIFESTS_MAX), rc;

	ix->last_manifest = n > 0 ? numbers[0] : 0;
	if (n < 0)
		return n;
	if (ix->at)
		return rk_manifest_read(io, ix->dir_fd, ix->at, m);
	rc = current < 0
		     ? (int)current
		     : rk_manifest_read(io, ix->dir_fd, (uint64_t)current, m);
	if (rc == 0 || rc == RK_EVERSION)
		return rc;
	if (!rk_unreadable(rc))
		rc = newest_manifest(ix, numbers, n, m);
	if (rk_unreadable(rc) && (ix->flags & RK_REBUILD))
		rc = 0;
	if (rc != 0)
		return rc < 0 ? rc : 0;
	if (n > 0 || current != -ENOENT)
		rk_warn(&ix->warnings,
			"no checkpoint is usable: the index is built anew");
	return 0;
}

static void set_aside(struct rk_index *ix, uint64_t id)
{
	const struct rk_io *io = ix->env->io;
	char name[40], to[56];

	if (ix->flags & RK_READ_ONLY)
		return;
	rk_segment_name(id, name);
	snprintf(to, sizeof(to), "%s.damaged", name);
	io->rename(io->ctx, ix->dir_fd, name, to);
}

static int mark_deleted(struct rk_segment *s, const struct rk_manifest_seg *ms)
{
	int rc = 0;

	for (uint32_t i = 0; i < ms->ndead && rc == 0; i++) {
		if (ms->dead[i] >= s->ndocs)
			return RK_ECORRUPT;
		rc = rk_segment_kill(s, ms->dead[i], 1);
	}
	return rc;
}

/* Live totals of a segment; the dead ones are looked up one by one. */
static int add_stats(struct rk_index *ix, struct rk_segment *s,
		     const struct rk_manifest_seg *ms)
{
	struct rk_corpus_stats t = s->stats;
	const rk_norm *norms = ms->ndead ? rk_segment_norms(s) : NULL;

	if (ms->ndead && !norms)
		return RK_ECORRUPT;
	for (uint32_t i = 0; i < ms->ndead; i++) {
		const struct rk_doc_rec *r = rk_segment_doc(s, ms->dead[i]);

		if (!r)
			return RK_ECORRUPT;
		t.docs--;
		t.chunks -= r->nchunks;
		for (uint32_t c = r->chunk0; c < r->chunk0 + r->nchunks; c++) {
			t.body_sum -= rk_norm_body(norms[c]);
			t.head_sum -= rk_norm_head(norms[c]);
		}
	}
	ix->stats.docs += t.docs;
	ix->stats.chunks += t.chunks;
	ix->stats.body_sum += t.body_sum;
	ix->stats.head_sum += t.head_sum;
	return 0;
}

/* Vectors that cannot be used are made again by the embedding thread. */
static int open_vectors(struct rk_index *ix, struct rk_segment *s, uint64_t id)
{
	struct rk_vectors *v = NULL;
	int rc = rk_vectors_open(ix->env->io, ix->dir_fd, id, &v);

	if (rc == RK_EVERSION || rk_unreadable(rc))
		return rc;
	if (rc == 0 && v->space == ix->space->number && v->rows == s->nchunks &&
	    v->stride == ix->space->stride) {
		s->vec = v;
		return 0;
	}
	rk_vectors_unref(v);
	if (rc < 0)
		rk_warn(&ix->warnings, "vectors %llu: %s; they are made again",
			(unsigned long long)id, rk_strerror(rc));
	return 0;
}

static int open_segment(struct rk_index *ix, const struct rk_manifest_seg *ms)
{
	struct rk_segment *s = NULL;
	int rc = rk_segment_open(ix->env->io, ix->dir_fd, ms->id, &s);

	if (rc == 0)
		rc = mark_deleted(s, ms);
	if (rc == 0)
		rc = add_stats(ix, s, ms);
	if (rc == 0 && ms->vectors)
		rc = open_vectors(ix, s, ms->vectors);
	if (rc == 0 && ix->view->nsegs < RK_SEGS_MAX) {
		ix->view->segs[ix->view->nsegs++] = s;
		return 0;
	}
	rk_segment_unref(s);
	if (rc == RK_EVERSION || rk_unreadable(rc))
		return rc;
	rk_warn(&ix->warnings,
		"segment %llu: %s; its documents are indexed "
		"again",
		(unsigned long long)ms->id, rk_strerror(rc));
	set_aside(ix, ms->id);
	ix->dirty = 1;
	return 0;
}

static int analyser_matches(struct rk_index *ix, const struct rk_manifest *m)
{
	char want[64];

	snprintf(want, sizeof(want), "%s %s", RK_ANALYSER_VERSION,
		 ix->language);
	return m->analyser[0] == '\0' || strcmp(m->analyser, want) == 0;
}

/* Never reuse the name of a file that is there. 0 and *next, or -errno. */
static int next_number(struct rk_index *ix, uint64_t named, const char *prefix,
		       const char *suffix, uint64_t *next)
{
	int64_t highest = rk_highest_number(ix->dir_fd, prefix, suffix);

	if (highest < 0)
		return (int)highest;
	*next = named > (uint64_t)highest ? named : (uint64_t)highest + 1;
	return 0;
}

static int next_numbers(struct rk_index *ix)
{
	const struct rk_manifest *m = &ix->manifest;
	int rc;

	if ((rc = next_number(ix, m->next_vectors, "vec", "vec",
			      &ix->next_vectors)) < 0 ||
	    (rc = next_number(ix, m->next_space, "latent", "mp",
			      &ix->next_space)) < 0)
		return rc;
	return next_number(ix, m->next_segment, "seg", "mp", &ix->next_segment);
}

/* A path of a record: 1 and out, 0: of a newer kind. */
static int read_path(struct rk_mpr *r, char out[4096])
{
	size_t n;
	const char *p = rk_mpr_str(r, &n);

	if (r->err || n >= 4096 || memchr(p, 0, n))
		return 0;
	memcpy(out, p, n);
	out[n] = '\0';
	return 1;
}

/* body: path str, flags uint [, the name it had before: str] */
static int replay_record(void *ctx, const struct rk_wal_record *rec)
{
	struct rk_index *ix = ctx;
	struct rk_mpr r = {rec->body, rec->body + rec->len, 0};
	char path[4096], from[4096];
	unsigned flags;

	if (!read_path(&r, path))
		return 0; /* the comparison sees to it */
	flags = (unsigned)rk_mpr_uint(&r);
	if (r.err)
		return 0;
	if (r.p < r.end && read_path(&r, from))
		return rk_push_rename(ix, from, path, flags, rec->seq);
	return rk_queue_push(&ix->queue, path,
			     RK_TASK_FORCE |
				     (flags & RK_TOUCH_TREE ? RK_TASK_TREE : 0),
			     rec->seq);
}

static int open_log(struct rk_index *ix)
{
	struct rk_wal_report report;
	int rc = rk_wal_open(ix->env->io, ix->dir_fd, ix->manifest.wal_floor,
			     ix->flags & RK_READ_ONLY, replay_record, ix,
			     &report, &ix->wal);

	if (rc == 0 && report.damaged)
		rk_warn(&ix->warnings, "%s", report.detail);
	if (rc == 0) {
		uint64_t last = report.last_seq;

		if (last < ix->manifest.wal_floor)
			last = ix->manifest.wal_floor;
		ix->queue.last_seq = last;
	}
	return rc;
}

static int open_segments(struct rk_index *ix)
{
	const struct rk_manifest *m = &ix->manifest;
	int rc = 0;

	/* a reader answers from what there is */
	if ((!analyser_matches(ix, m) && !(ix->flags & RK_READ_ONLY)) ||
	    (ix->flags & RK_REBUILD)) {
		rk_warn(&ix->warnings, "all documents are indexed anew (%s)",
			ix->flags & RK_REBUILD
				? "asked for"
				: "written by another version or with "
				  "another language");
		ix->dirty = 1;
		return 0;
	}
	for (uint32_t i = 0; i < m->nsegs && rc == 0; i++)
		rc = open_segment(ix, &m->segs[i]);
	return rc;
}

int rk_checkpoints(struct rk_index *ix, struct rk_checkpoint *v, int max)
{
	const struct rk_io *io = ix->env->io;
	uint64_t numbers[MANIFESTS_MAX];
	int n = rk_manifest_list(ix->dir_fd, numbers, MANIFESTS_MAX), k = 0;

	for (int i = 0; i < n && k < max; i++) {
		struct rk_manifest m = RK_MANIFEST_INIT;

		if (rk_manifest_read(io, ix->dir_fd, numbers[i], &m) == 0)
			v[k++] = (struct rk_checkpoint){m.number, m.generation,
							m.created_ns};
		rk_manifest_release(&m);
	}
	return n < 0 ? n : k;
}

int rk_recover(struct rk_index *ix)
{
	int rc;

	if (!(ix->view = rk_view_new()))
		return -ENOMEM;
	if ((rc = load_manifest(ix, &ix->manifest)) < 0 ||
	    (rc = next_numbers(ix)) < 0 || (rc = rk_embspace_recover(ix)) < 0 ||
	    (rc = rk_memtable_new(ix->space->number, ix->space->stride,
				  &ix->view->mems[0])) < 0)
		return rc;
	ix->view->nmems = 1;
	ix->generation = (uint32_t)ix->manifest.generation + 1;
	ix->floor = ix->manifest.wal_floor;
	if ((rc = open_segments(ix)) < 0 || ix->at)
		return rc; /* what came later is in the log */
	return open_log(ix);
}
