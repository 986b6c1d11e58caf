/* SPDX-License-Identifier: MIT */
/*
 * What a worker does with a path: read the file, extract its text, cut it
 * into chunks, invert them, and publish the result in place of what was known
 * of that path. All but the last step runs outside every lock.
 */
#include "index/write/ingest.h"
#include "index/documents/document.h"
#include "index/documents/linkwalk.h"
#include "index/documents/texts.h"
#include "index/documents/walk.h"
#include "index/state/requests.h"
#include "index/state/tables.h"
#include "index/vectors/embed_text.h"
#include "index/write/persist.h"
#include "index/write/rename.h"
#include "base/mem.h"
#include "text/symbols/entity.h"
#include "text/extract/extract.h"
#include "text/match/ignore.h"
#include "text/extract/metadata.h"
#include "base/lock.h"
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { WORKER_NICE = 4 };

int rk_worker_init(struct rk_worker *w, struct rk_index *ix)
{
	int rc;

	memset(w, 0, sizeof(*w));
	rc = rk_ctags_new(&w->ctags);
	w->base = rk_language_by_name(ix->language);
	if (rc == 0)
		rc = rk_analyser_new(ix->language, &w->analyser);
	if (rc < 0)
		rk_worker_release(w);
	return rc;
}

void rk_worker_release(struct rk_worker *w)
{
	rk_analyser_free(w->analyser);
	rk_ctags_free(w->ctags);
	rk_grams_release(&w->grams);
	rk_inverted_release(&w->inverted);
	rk_termmap_release(&w->map);
	rk_rows_release(&w->rows);
}

/* --- publishing --- */

static size_t memory_limit(struct rk_index *ix)
{
	size_t configured =
		(size_t)rk_config_int(ix, "memory_mib") * 1024 * 1024;
	size_t given = ix->memory_limit;

	/* one table is written out while the other fills */
	return (given && given < configured ? given : configured) / 2;
}

/* Make room in the active table; waits for the writer of segments. */
static int make_room(struct rk_index *ix)
{
	struct rk_memtable *m = ix->view->mems[ix->view->nmems - 1];
	int rc;

	rk_assert_held(&ix->writer);
	if (m->bytes < memory_limit(ix))
		return 0;
	while (ix->view->nmems > 1 && !ix->stopping) {
		pthread_mutex_unlock(&ix->writer);
		rk_wait_for_room(ix);
		pthread_mutex_lock(&ix->writer);
	}
	m = ix->view->mems[ix->view->nmems - 1];
	if (m->bytes < memory_limit(ix))
		return 0;
	rc = rk_freeze(ix);
	rk_persist_wake(ix);
	return rc;
}

static void mark_dirty(struct rk_index *ix)
{
	rk_assert_held(&ix->lock);
	ix->dirty = 1;
	if (ix->dirty_since_ns == 0)
		ix->dirty_since_ns = rk_mono_ns();
}

/* For who listens: the old one went, the new one came. */
static void note_published(struct rk_index *ix, struct rk_memtable *m,
			   uint32_t doc, const struct rk_docref *old,
			   uint32_t gen)
{
	const struct rk_docref now = {NULL, m, doc, m->docs[doc].rec};
	const char *path = rk_memtable_path(m, doc);

	if (old)
		rk_note_change(ix, old, path, now.rec.path_n, gen, 1);
	rk_note_change(ix, &now, path, now.rec.path_n, gen, 0);
}

/* The one moment in which the new takes the place of the old (X1). */
static int publish(struct rk_index *ix, struct rk_memtable *m, uint32_t doc,
		   const struct rk_docref *old)
{
	const struct rk_doc_rec *r = &m->docs[doc].rec;
	uint32_t gen;
	int rc = 0;

	rk_assert_held(&ix->writer);
	pthread_mutex_lock(&ix->lock);
	gen = ix->generation + 1;
	if (old)
		rc = rk_delete_doc(ix, old, gen);
	if (rc == 0) {
		rk_memtable_publish(m, doc, gen);
		ix->stats.docs++;
		ix->stats.chunks += r->nchunks;
		for (uint32_t c = r->chunk0; c < r->chunk0 + r->nchunks; c++) {
			ix->stats.body_sum += rk_norm_body(m->norms[c]);
			ix->stats.head_sum += rk_norm_head(m->norms[c]);
		}
		__atomic_store_n(&ix->generation, gen, __ATOMIC_RELEASE);
		mark_dirty(ix);
		note_published(ix, m, doc, old, gen);
	}
	pthread_mutex_unlock(&ix->lock);
	return rc;
}

static int embed(struct rk_index *ix, struct rk_worker *w,
		 const struct rk_embspace *sp, const char *path, const char *s)
{
	int rc = rk_embspace_embed(sp, &w->rows, &w->inverted, w->analyser, s);

	if (rc == 0 && sp->embedder && sp->embedder->by_document)
		rk_document_vector(ix, sp, path, w->inverted.nchunks,
				   w->rows.v);
	return rc;
}

/*
 * The document's vectors in the table's embedding space. They were made
 * outside all locks; if a new space has come since, they are made again.
 */
static int fitting_rows(struct rk_index *ix, struct rk_worker *w,
			const struct rk_memtable *m, struct rk_embspace **sp,
			const char *path, const char *s)
{
	rk_assert_held(&ix->writer);
	if ((*sp)->number == m->vec_space)
		return 0;
	rk_embspace_unref(*sp);
	*sp = rk_target_embspace(ix);
	return embed(ix, w, *sp, path, s);
}

static int insert(struct rk_index *ix, struct rk_worker *w, const char *path,
		  struct rk_doc_rec *rec, const struct rk_buf *gram,
		  struct rk_embspace **sp, const char *s)
{
	struct rk_docref old;
	int64_t doc;
	int rc, had;

	rec->path_n = (uint16_t)strlen(path);
	rec->gram_n = (uint32_t)gram->n;
	pthread_mutex_lock(&ix->writer);
	rc = make_room(ix);
	if (rc == 0) {
		struct rk_memtable *m = ix->view->mems[ix->view->nmems - 1];

		rc = fitting_rows(ix, w, m, sp, path, s);
		doc = rk_memtable_add(m, rec, path, gram->p, &w->inverted,
				      w->analyser, &w->map,
				      rc == 0 ? w->rows.v : NULL);
		had = rk_find_live(ix, path, rec->path_n, &old);
		rc = doc < 0 ? (int)doc
			     : publish(ix, m, (uint32_t)doc,
				       had == 1 ? &old : NULL);
	}
	pthread_mutex_unlock(&ix->writer);
	return rc;
}

int rk_remove_path(struct rk_index *ix, const char *path)
{
	struct rk_docref old;
	int rc;

	pthread_mutex_lock(&ix->writer);
	rc = rk_find_live(ix, path, strlen(path), &old);
	if (rc == 1) {
		pthread_mutex_lock(&ix->lock);
		rc = rk_delete_doc(ix, &old, ix->generation + 1);
		if (rc == 0) {
			__atomic_store_n(&ix->generation, ix->generation + 1,
					 __ATOMIC_RELEASE);
			mark_dirty(ix);
			rk_note_change(ix, &old, path, strlen(path),
				       ix->generation, 1);
		}
		pthread_mutex_unlock(&ix->lock);
	}
	pthread_mutex_unlock(&ix->writer);
	rk_warnings_forget(&ix->warnings, path);
	return rc < 0 ? rc : 0;
}

/* --- what a document is made of --- */

/* What is defined in source code; NULL where a look at lines must do. */
static int define(struct rk_index *ix, struct rk_worker *w, const char *path,
		  const struct rk_source_text *t, struct rk_entities *out)
{
	int rc;

	if (t->kind != RK_KIND_CODE || !rk_config_int(ix, "ctags"))
		return 0;
	rc = rk_ctags_run(w->ctags, path, t->s, t->n, out);
	if (rc == -ETIMEDOUT || rc == -EPIPE)
		rk_warn_document(
			&ix->warnings,
			"%s: ctags %s; definitions are taken from the shape "
			"of its lines",
			path, rc == -EPIPE ? "died" : "hung");
	if (rc == -ENOENT && !ix->told_no_ctags) {
		ix->told_no_ctags = 1;
		rk_warn(&ix->warnings,
			"universal-ctags cannot be used: definitions are "
			"taken from the shape of lines");
	}
	return rc == -ENOMEM ? rc : 0;
}

/* Source code speaks as the index does. */
static enum rk_language written_in(struct rk_index *ix,
				   const struct rk_worker *w,
				   const struct rk_source_text *t)
{
	enum rk_language l = RK_LANGUAGE_BASE;

	if (t->kind != RK_KIND_CODE && rk_config_int(ix, "detect_language"))
		l = rk_language_detect(t->s, t->n);
	else
		return l;
	if (l == RK_LANGUAGE_BASE && rk_language_few_words(t->s, t->n))
		return RK_LANGUAGE_UNSURE;
	return l == w->base ? RK_LANGUAGE_BASE : l;
}

/* What a text of a few words may be written in, by the others. */
static uint64_t spoken_around(struct rk_index *ix)
{
	uint64_t languages;

	pthread_mutex_lock(&ix->lock);
	languages = rk_spoken(ix->view, RK_SHARE_NEAR);
	pthread_mutex_unlock(&ix->lock);
	return languages;
}

struct parts {
	struct rk_entities defs;
	struct rk_chunks chunks;
	struct rk_props props;
	struct rk_buf gram;
};

static void parts_release(struct parts *p)
{
	rk_entities_release(&p->defs);
	rk_chunks_release(&p->chunks);
	rk_buf_release(&p->props.terms);
	rk_buf_release(&p->gram);
}

static int take_apart(struct rk_index *ix, struct rk_worker *w,
		      const char *path, const struct rk_source_text *t,
		      enum rk_language language, struct parts *p)
{
	int rc;

	rk_analyser_trim(w->analyser);
	rk_analyser_also(w->analyser, language == RK_LANGUAGE_UNSURE
					      ? spoken_around(ix)
					      : 0);
	rc = rk_analyser_use(w->analyser, language);
	if (rc < 0 || (rc = define(ix, w, path, t, &p->defs)) < 0 ||
	    (rc = rk_chunk_text(t->kind, t->s, t->n, &p->defs, &p->chunks)) <
		    0 ||
	    (rc = rk_metadata(t->kind, t->s, t->n, &p->props.terms)) < 0 ||
	    (t->fd >= 0 &&
	     (rc = rk_attached(ix, t->fd, &p->props.terms)) < 0) ||
	    /* line tools see markup as it is, not as it was analysed */
	    (t->kind != RK_KIND_MAN && t->kind != RK_KIND_HTML &&
	     (rc = rk_signature(&w->grams, t->s, t->n, &p->gram)) < 0))
		return rc;
	return rk_invert(&w->inverted, w->analyser, path, t->kind, t->s,
			 &p->chunks, &p->props);
}

int rk_put_text(struct rk_index *ix, struct rk_worker *w, const char *path,
		struct rk_doc_rec *rec, const struct rk_source_text *t)
{
	struct parts p = {
		RK_ENTITIES_INIT, RK_CHUNKS_INIT, {RK_BUF_INIT}, RK_BUF_INIT};
	struct rk_embspace *sp = rk_target_embspace(ix);
	enum rk_language language = written_in(ix, w, t);
	int rc = take_apart(ix, w, path, t, language, &p);

	assert(path[0]);
	rec->kind = (uint8_t)t->kind;
	rec->language = (uint8_t)language;
	if (p.chunks.truncated) {
		rec->flags |= RK_DOC_TRUNCATED;
		rk_warn_document(&ix->warnings,
				 "%s: more than %d chunks; the rest is "
				 "not searched",
				 path, RK_CHUNKS_MAX);
	}
	if (rc == 0)
		rc = embed(ix, w, sp, path, t->s);
	if (rc == 0)
		rc = insert(ix, w, path, rec, &p.gram, &sp, t->s);
	rk_embspace_unref(sp);
	parts_release(&p);
	return rc;
}

/* --- reading --- */

static void warn_about(struct rk_index *ix, const char *path,
		       const struct rk_text *t)
{
	if ((t->flags & RK_TEXT_BINARY) && t->kind == RK_KIND_BINARY &&
	    !(t->flags & RK_TEXT_DERIVED))
		rk_warn_document(&ix->warnings,
				 "%s: not text; found by its name alone", path);
	if (t->flags & RK_TEXT_TRUNCATED)
		rk_warn_document(
			&ix->warnings,
			"%s: only the first %lld MiB of text are searched",
			path, (long long)rk_config_int(ix, "text_max_mib"));
	if (t->flags & RK_TEXT_DAMAGED)
		rk_warn_document(
			&ix->warnings,
			"%s: the compressed data breaks off; searched so far",
			path);
}

static uint8_t doc_flags(const struct rk_text *t)
{
	uint8_t f = 0;

	if (t->flags & RK_TEXT_BINARY)
		f |= RK_DOC_BINARY;
	if (t->flags & RK_TEXT_TRUNCATED)
		f |= RK_DOC_TRUNCATED;
	if (t->flags & RK_TEXT_DAMAGED)
		f |= RK_DOC_DAMAGED;
	return f;
}

static int put_unreadable(struct rk_index *ix, struct rk_worker *w,
			  const char *path, struct rk_doc_rec *rec, int err)
{
	rk_warn_document(&ix->warnings, "%s: cannot be read: %s", path,
			 rk_strerror(err));
	rec->flags |= RK_DOC_UNREADABLE;
	return rk_put_text(
		ix, w, path, rec,
		&(struct rk_source_text){rk_kind_of_path(path), "", 0, -1});
}

static int put_open_file(struct rk_index *ix, struct rk_worker *w,
			 const char *path, int fd, const struct stat *st)
{
	struct rk_doc_rec rec = {
		.ino = st->st_ino,
		.size = (uint64_t)st->st_size,
		.mtime_ns = (int64_t)st->st_mtim.tv_sec * 1000000000 +
			    st->st_mtim.tv_nsec,
	};
	struct rk_text text = RK_TEXT_INIT;
	int rc;

	rk_warnings_forget(&ix->warnings, path);
	rc = rk_read_text(ix, fd, path, RK_READ_TO_INDEX, &text);
	if (rc == -ENOMEM)
		return rc;
	if (rc < 0) {
		rec = (struct rk_doc_rec){0}; /* compared again: it differs */
		rk_retry_later(ix);
		return put_unreadable(ix, w, path, &rec, rc);
	}
	warn_about(ix, path, &text);
	rec.flags = doc_flags(&text);
	rc = rk_put_text(
		ix, w, path, &rec,
		&(struct rk_source_text){text.kind, text.p, text.n, fd});
	rk_text_release(&text);
	return rc;
}

static int unchanged(struct rk_index *ix, const char *path,
		     const struct stat *st)
{
	struct rk_docref d;
	int rc;

	pthread_mutex_lock(&ix->writer);
	rc = rk_find_live(ix, path, strlen(path), &d);
	pthread_mutex_unlock(&ix->writer);
	return rc == 1 && rk_is_unchanged(&d.rec, st);
}

/* Documents of one inode: a write through one name changes all. */
struct links {
	struct rk_index *ix;
	const struct rk_task *task;
	uint64_t ino;
};

static int touch_link(void *ctx, const struct rk_docref *d, const char *path)
{
	struct links *l = ctx;

	if (d->rec.ino == l->ino && strcmp(path, l->task->path) != 0)
		rk_queue_push_child(&l->ix->queue, l->task, path, 0);
	return 0;
}

static void touch_links(struct rk_index *ix, const struct rk_task *t,
			uint64_t ino)
{
	struct links l = {ix, t, ino};

	pthread_mutex_lock(&ix->writer);
	rk_each_live(ix, "", touch_link, &l);
	pthread_mutex_unlock(&ix->writer);
}

/* Gone, a symbolic link, a socket; not: it could not be opened just now. */
static int is_no_document(int err)
{
	return err == -ENOENT || err == -ENOTDIR || err == -ELOOP ||
	       err == -ENXIO || err == -EXDEV || err == -ENAMETOOLONG ||
	       err == -ENODEV;
}

static int process_file(struct rk_index *ix, struct rk_worker *w,
			const struct rk_task *t)
{
	struct stat st;
	int fd, rc = 0;

	if (rk_ignored(t->path) || strlen(t->path) > 4095)
		return rk_remove_path(ix, t->path);
	if (!rk_link_there(ix, t->path))
		return 0; /* its source is missing, not the document */
	if ((rc = rk_link_ignored(ix, t->path)) != 0)
		return rc < 0 ? rc : rk_remove_path(ix, t->path);
	fd = rk_open_document(ix, t->path);
	if (fd < 0 && is_no_document(fd))
		return rk_remove_path(ix, t->path);
	if (fd < 0) {
		struct rk_doc_rec rec = {0};

		if (fd != -EACCES)
			rk_retry_later(ix);
		return put_unreadable(ix, w, t->path, &rec, fd);
	}
	if (fstat(fd, &st) < 0)
		rc = -errno;
	else if (!S_ISREG(st.st_mode))
		rc = rk_remove_path(ix, t->path);
	else if ((t->flags & RK_TASK_FORCE) || !unchanged(ix, t->path, &st))
		rc = put_open_file(ix, w, t->path, fd, &st);
	if (rc == 0 && S_ISREG(st.st_mode) && st.st_nlink > 1 &&
	    (t->flags & RK_TASK_FORCE))
		touch_links(ix, t, st.st_ino);
	close(fd);
	return rc;
}

/* --- folders --- */

struct expand {
	struct rk_index *ix;
	const struct rk_task *task;
};

static int expand_known(void *ctx, const struct rk_docref *d, const char *path)
{
	struct expand *e = ctx;

	(void)d;
	return rk_queue_push_child(&e->ix->queue, e->task, path, 0);
}

/* What came by another name is known by now, unless it changed as well. */
static int expand_found(void *ctx, const char *path, const struct stat *st)
{
	struct expand *e = ctx;

	if (!(e->task->flags & RK_TASK_FORCE) &&
	    (e->task->flags & RK_TASK_CAME) && unchanged(e->ix, path, st))
		return 0;
	return rk_queue_push_child(&e->ix->queue, e->task, path, RK_TASK_FORCE);
}

/* Everything known below the path, and everything that is there now. */
static int process_tree(struct rk_index *ix, const struct rk_task *t)
{
	struct expand e = {ix, t};
	char prefix[4098];
	size_t n = strlen(t->path);
	int rc = 0;

	if (n > 4095)
		return 0;
	memcpy(prefix, t->path, n);
	memcpy(prefix + n, n ? "/" : "", n ? 2 : 1);
	/* a folder that came was not there before */
	if (!(t->flags & RK_TASK_CAME) ||
	    t->flags & (RK_TASK_FORCE | RK_TASK_LEFT)) {
		pthread_mutex_lock(&ix->writer);
		rc = rk_each_live(ix, prefix, expand_known, &e);
		pthread_mutex_unlock(&ix->writer);
	}
	return rc ? rc : rk_walk_files(ix, t->path, expand_found, &e);
}

static void process(struct rk_index *ix, struct rk_worker *w, struct rk_task *t)
{
	int rc = 0;

	if (t->flags & (RK_TASK_LEFT | RK_TASK_CAME))
		rk_rename_known(ix, w, t);
	if (t->flags & RK_TASK_TREE)
		rc = process_tree(ix, t);
	if (rc == 0 && t->path[0])
		rc = process_file(ix, w, t);
	if (rc < 0) {
		rk_warn(&ix->warnings, "%s: not indexed: %s", t->path,
			rk_strerror(rc));
		rk_retry_later(ix);
	}
}

static void work(struct rk_index *ix, struct rk_worker *w, struct rk_task *t)
{
	do
		process(ix, w, t);
	while (rk_queue_done(&ix->queue, t));
}

void *rk_worker_main(void *arg)
{
	struct rk_index *ix = arg;
	struct rk_worker w;
	struct rk_task *t;

	/* the thread that takes requests goes first (nice is per thread) */
	setpriority(PRIO_PROCESS, (id_t)syscall(SYS_gettid), WORKER_NICE);
	while (rk_worker_init(&w, ix) < 0) {
		rk_warn(&ix->warnings, "an indexing thread could not start");
		if (ix->stopping)
			return NULL;
		usleep(START_AGAIN_US);
	}
	while ((t = rk_queue_pop(&ix->queue)) != NULL)
		work(ix, &w, t);
	rk_worker_release(&w);
	return NULL;
}

void rk_drain_queue(struct rk_index *ix)
{
	struct rk_worker w;

	if (rk_queue_count(&ix->queue) == 0 || rk_worker_init(&w, ix) < 0)
		return;
	while (rk_queue_count(&ix->queue) > 0)
		work(ix, &w, rk_queue_pop(&ix->queue));
	rk_worker_release(&w);
}
