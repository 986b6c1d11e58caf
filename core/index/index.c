/* SPDX-License-Identifier: MIT */
#include "index/answers/saved.h"
#include "index/documents/links.h"
#include "index/state/requests.h"
#include "index/vectors/embed.h"
#include "index/write/ingest.h"
#include "index/write/persist.h"
#include "index/write/reconcile.h"
#include "index/write/recover.h"
#include "index/write/watch.h"
#include "base/sandbox.h"
#include "base/mem.h"
#include "base/mp.h"
#include "storage/registry.h"
#include "storage/lock.h"
#include <cblas.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <unistd.h>

enum { CONFIG_MAX = 64 * 1024 };

/* --- directories --- */

/* make: the mode it gets if it is not there; 0: do not make it. */
static int open_dir(int at, const char *name, mode_t make)
{
	int fd;

	if (make && mkdirat(at, name, make) < 0 && errno != EEXIST)
		return -errno;
	fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

/* mkdir -p for the backing path itself. */
static int make_path(const char *path)
{
	char *p = rk_strndup(path, strlen(path));
	int rc = 0;

	if (!p)
		return -ENOMEM;
	for (char *s = p + 1; *s && rc == 0; s++) {
		if (*s != '/')
			continue;
		*s = '\0';
		if (mkdir(p, 0755) < 0 && errno != EEXIST)
			rc = -errno;
		*s = '/';
	}
	if (rc == 0 && mkdir(p, 0700) < 0 && errno != EEXIST)
		rc = -errno;
	rk_free(p);
	return rc;
}

static int open_dirs(struct rk_index *ix, const char *backing)
{
	mode_t make = ix->flags & RK_READ_ONLY ? 0 : 0700;
	int indexes, rc;
	struct stat st;

	if (make && (rc = make_path(backing)) < 0)
		return rc;
	ix->backing_fd = open_dir(AT_FDCWD, backing, 0);
	if (ix->backing_fd < 0)
		return ix->backing_fd;
	indexes = open_dir(ix->backing_fd, "indexes", make);
	if (indexes < 0)
		return indexes;
	ix->dir_fd = open_dir(indexes, ix->name, make);
	if (make)
		fsync(indexes);
	close(indexes);
	if (ix->dir_fd < 0)
		return ix->dir_fd;
	/* the root of the mount: who was let into the backing folder is let in
	 */
	if (make && fstat(ix->backing_fd, &st) == 0)
		make = 0700 | (st.st_mode & 07777);
	ix->files_fd = open_dir(ix->dir_fd, "files", make);
	if (make) {
		fsync(ix->dir_fd);
		fsync(ix->backing_fd);
	}
	return ix->files_fd < 0 ? ix->files_fd : 0;
}

int rk_index_holder(const char *backing, const char *name, char *out, size_t n)
{
	char path[4096];
	int fd, rc;

	snprintf(path, sizeof(path), "%s/indexes/%s", backing, name);
	fd = open_dir(AT_FDCWD, path, 0);
	if (fd < 0)
		return -ENOENT;
	rc = rk_lock_holder(fd, out, n);
	close(fd);
	return rc;
}

/* --- configuration --- */

static int load_config(struct rk_index *ix)
{
	struct rk_buf b = RK_BUF_INIT;
	int rc = rk_io_read_file(ix->env->io, ix->dir_fd, "config", CONFIG_MAX,
				 &b);
	char err[200];

	rk_config_defaults(&ix->config);
	snprintf(err, sizeof(err), "%s", rk_strerror(rc));
	if (rc == 0 && b.n &&
	    rk_config_parse(&ix->config, (char *)b.p, b.n, err, sizeof(err)) <
		    0)
		rc = RK_ECORRUPT;
	rk_buf_release(&b);
	if (rc == RK_ECORRUPT)
		rk_warn(&ix->warnings, "config: %s; defaults are used", err);
	memcpy(ix->language, ix->config.language, sizeof(ix->language));
	return rc == RK_ECORRUPT || rc == -ENOENT ? 0 : rc;
}

int rk_backing_open(const char *backing, int *lock)
{
	int rc = make_path(backing), fd, indexes;

	if (rc < 0)
		return rc;
	if ((fd = open_dir(AT_FDCWD, backing, 0)) < 0)
		return fd;
	*lock = rk_lock_take(fd);
	if (*lock < 0) {
		rc = *lock;
		close(fd);
		return rc;
	}
	if (mkdirat(fd, "indexes", 0755) < 0 && errno != EEXIST)
		indexes = -errno;
	else
		indexes = open_dir(fd, "indexes", 0);
	close(fd);
	return indexes;
}

int rk_backing_holder(const char *backing, char *out, size_t n)
{
	int fd = open_dir(AT_FDCWD, backing, 0), rc;

	if (fd < 0)
		return -ENOENT;
	rc = rk_lock_holder(fd, out, n);
	close(fd);
	return rc;
}

int rk_index_forget(const struct rk_env *env, const char *backing,
		    const char *name)
{
	int fd = open_dir(AT_FDCWD, backing, 0), rc;

	if (fd < 0)
		return fd;
	rc = rk_registry_drop((env ? env : rk_env_posix())->io, fd, name);
	close(fd);
	return rc;
}

/* --- threads --- */

static unsigned worker_count(const struct rk_index *ix)
{
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);

	if (ix->config.workers > 0)
		return (unsigned)ix->config.workers;
	return cpus < 3 ? 1 : cpus > 4 ? 4 : (unsigned)cpus - 1;
}

static int start_threads(struct rk_index *ix)
{
	unsigned n = worker_count(ix);

	for (; ix->nworkers < n; ix->nworkers++)
		if (pthread_create(&ix->workers[ix->nworkers], NULL,
				   rk_worker_main, ix) != 0)
			return -EAGAIN;
	if (pthread_create(&ix->persist_thread, NULL, rk_persist_main, ix))
		return -EAGAIN;
	ix->have_persist = 1;
	if (pthread_create(&ix->reconcile_thread, NULL, rk_reconcile_main, ix))
		return -EAGAIN;
	ix->have_reconcile = 1;
	if (pthread_create(&ix->embed_thread, NULL, rk_embed_main, ix))
		return -EAGAIN;
	ix->have_embed = 1;
	if (pthread_create(&ix->watch_thread, NULL, rk_watch_main, ix))
		return -EAGAIN;
	ix->have_watch = 1;
	return 0;
}

static void stop_threads(struct rk_index *ix)
{
	pthread_mutex_lock(&ix->persist_lock);
	ix->stopping = 1;
	pthread_cond_broadcast(&ix->persist_cond);
	pthread_cond_broadcast(&ix->room_cond);
	pthread_cond_broadcast(&ix->embed_cond);
	pthread_mutex_unlock(&ix->persist_lock);
	rk_watch_wake(ix);
	rk_queue_close(&ix->queue);
	for (unsigned i = 0; i < ix->nworkers; i++)
		pthread_join(ix->workers[i], NULL);
	if (ix->have_persist)
		pthread_join(ix->persist_thread, NULL);
	if (ix->have_reconcile)
		pthread_join(ix->reconcile_thread, NULL);
	if (ix->have_embed)
		pthread_join(ix->embed_thread, NULL);
	if (ix->have_watch)
		pthread_join(ix->watch_thread, NULL);
	ix->nworkers = 0;
	ix->have_persist = ix->have_reconcile = ix->have_embed = 0;
	ix->have_watch = 0;
}

/* --- life --- */

static void index_free(struct rk_index *ix)
{
	while (ix->nspare)
		rk_analyser_free(ix->spare[--ix->nspare]);
	rk_wal_close(ix->wal);
	rk_queue_release(&ix->queue);
	rk_view_unref(ix->view);
	rk_embspace_unref(ix->space);
	rk_embspace_unref(ix->next);
	rk_embedder_unref(ix->awaited);
	for (size_t i = 0;
	     i < sizeof(ix->query_vecs) / sizeof(ix->query_vecs[0]); i++)
		rk_free(ix->query_vecs[i].v);
	rk_manifest_release(&ix->manifest);
	rk_warnings_release(&ix->warnings);
	rk_links_free(ix->links);
	rk_change_log_release(&ix->changes);
	rk_saved_free(ix->saved);
	if (ix->watch_fd >= 0)
		close(ix->watch_fd);
	if (ix->files_fd >= 0)
		close(ix->files_fd);
	if (ix->dir_fd >= 0)
		close(ix->dir_fd);
	if (ix->backing_fd >= 0)
		close(ix->backing_fd);
	if (ix->lock_fd >= 0)
		close(ix->lock_fd);
	rk_moves_release(&ix->moves);
	pthread_mutex_destroy(&ix->moving);
	pthread_mutex_destroy(&ix->touching);
	pthread_mutex_destroy(&ix->writer);
	pthread_mutex_destroy(&ix->lock);
	pthread_mutex_destroy(&ix->persist_lock);
	pthread_mutex_destroy(&ix->config_lock);
	pthread_cond_destroy(&ix->persist_cond);
	pthread_cond_destroy(&ix->room_cond);
	pthread_cond_destroy(&ix->embed_cond);
	rk_free(ix->name);
	rk_free(ix);
}

static struct rk_index *index_alloc(const struct rk_env *env, const char *name,
				    unsigned flags)
{
	struct rk_index *ix = rk_calloc(1, sizeof(*ix));
	pthread_condattr_t attr;

	if (!ix)
		return NULL;
	ix->env = env ? env : rk_env_posix();
	ix->flags = flags;
	ix->backing_fd = ix->dir_fd = ix->files_fd = ix->lock_fd = -1;
	ix->watch_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	ix->links = rk_links_new();
	rk_change_log_init(&ix->changes);
	ix->saved = rk_saved_new();
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_mutex_init(&ix->moving, NULL);
	pthread_mutex_init(&ix->touching, NULL);
	pthread_mutex_init(&ix->writer, NULL);
	pthread_mutex_init(&ix->lock, NULL);
	pthread_mutex_init(&ix->persist_lock, NULL);
	pthread_mutex_init(&ix->config_lock, NULL);
	pthread_cond_init(&ix->persist_cond, &attr);
	pthread_cond_init(&ix->room_cond, &attr);
	pthread_cond_init(&ix->embed_cond, &attr);
	pthread_condattr_destroy(&attr);
	rk_warnings_init(&ix->warnings);
	ix->name = rk_strndup(name, strlen(name));
	if (!ix->name || !ix->links || !ix->saved ||
	    rk_queue_init(&ix->queue) < 0) {
		index_free(ix);
		return NULL;
	}
	return ix;
}

static int register_index(struct rk_index *ix)
{
	struct rk_registry_entry e = {.created_ns = ix->env->now_ns(),
				      .docs = ix->stats.docs,
				      .chunks = ix->stats.chunks};

	snprintf(e.id, sizeof(e.id), "%s", ix->name);
	return rk_registry_put(ix->env->io, ix->backing_fd, &e);
}

static int open_writer(struct rk_index *ix)
{
	int rc = register_index(ix);

	if (rc == RK_EVERSION)
		return rc;
	if (rc < 0)
		rk_warn(&ix->warnings, "registry: %s", rk_strerror(rc));
	if ((rc = start_threads(ix)) < 0)
		return rc;
	if (!(ix->flags & RK_NO_RECONCILE))
		rk_reindex(ix, 0);
	return 0;
}

/* Of OpenBLAS alone: the header may be another library's (libblas-dev). */
void openblas_set_num_threads(int threads);

/* One thread: several requests run side by side, and fits give way. */
static void limit_blas(void)
{
	openblas_set_num_threads(1);
}

static int open_index(const struct rk_env *env, const char *backing,
		      const char *name, unsigned flags, uint64_t at,
		      struct rk_index **out)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	struct rk_index *ix = index_alloc(env, name, flags);
	int rc;

	pthread_once(&once, limit_blas);
	if (!ix)
		return -ENOMEM;
	ix->at = at;
	rc = open_dirs(ix, backing);
	if (rc == 0 && !(flags & RK_READ_ONLY)) {
		ix->lock_fd = rk_lock_take(ix->dir_fd);
		if (ix->lock_fd < 0)
			rc = ix->lock_fd;
	}
	if (rc == 0)
		rk_warnings_load(&ix->warnings, ix->env->io, ix->dir_fd);
	if (rc == 0 && (rc = load_config(ix)) == 0 &&
	    (rc = rk_saved_load(ix)) == 0 &&
	    (rc = rk_links_open(ix, backing)) == 0)
		rc = rk_recover(ix);
	if (rc == 0 && !(flags & RK_READ_ONLY))
		rc = open_writer(ix);
	if (rc < 0) {
		stop_threads(ix);
		index_free(ix);
		return rc;
	}
	if (flags & RK_READ_ONLY)
		rk_drain_queue(ix);
	*out = ix;
	return 0;
}

int rk_index_open(const struct rk_env *env, const char *backing,
		  const char *name, unsigned flags, struct rk_index **out)
{
	return open_index(env, backing, name, flags, 0, out);
}

int rk_index_open_at(const struct rk_env *env, const char *backing,
		     const char *name, uint64_t checkpoint,
		     struct rk_index **out)
{
	return open_index(env, backing, name, RK_READ_ONLY, checkpoint, out);
}

int rk_index_close(struct rk_index *ix)
{
	int rc = 0;

	if (!ix)
		return 0;
	if (!(ix->flags & RK_READ_ONLY)) {
		rk_queue_close(&ix->queue); /* workers finish what is there */
		rk_queue_barrier(&ix->queue, 10000, NULL);
		rc = rk_checkpoint(ix);
		stop_threads(ix);
		register_index(ix);
	}
	index_free(ix);
	return rc;
}

/* --- looking --- */

static void status(struct rk_index *ix, struct rk_status *out)
{
	struct rk_snapshot s;

	rk_snapshot_take(ix, &s);
	out->docs = s.stats.docs;
	out->chunks = s.stats.chunks;
	out->generation = s.generation;
	out->segments = s.view->nsegs;
	for (unsigned i = 0; i < s.view->nsegs; i++) {
		out->index_bytes += rk_segment_bytes(s.view->segs[i]);
		out->terms += s.view->segs[i]->nterms;
	}
	for (unsigned i = 0; i < s.view->nmems; i++) {
		struct rk_memtable_size size;

		rk_memtable_size(s.view->mems[i], &size);
		out->memory_bytes += size.bytes;
		out->terms += size.terms;
	}
	out->vectors = s.space->stride ? rk_vectors_there(&s) : 0;
	for (unsigned i = 0; i < s.view->nsegs; i++)
		out->vector_bytes +=
			s.vecs[i] ? rk_vectors_bytes(s.vecs[i]) : 0;
	out->fitted = s.space->latent ? s.space->latent->chunks : 0;
	snprintf(out->embedder, sizeof(out->embedder), "%s",
		 rk_embspace_embedder(s.space));
	rk_snapshot_release(&s);
	out->embedding = rk_embed_pending(ix);
	pthread_mutex_lock(&ix->lock);
	out->checkpoint = ix->manifest.number;
	out->checkpoint_ns = ix->manifest.created_ns;
	pthread_mutex_unlock(&ix->lock);
	out->sandbox = rk_sandbox_version();
	out->pending = rk_pending(ix);
	out->reconciling = ix->reconciling || ix->links->scanning ||
			   ix->links_rescan || ix->links_changed;
	out->queries = ix->queries;
	out->recall_hits = ix->recall_hits;
	out->recall_misses = ix->recall_misses;
	out->evicted = ix->evicted;
	pthread_mutex_lock(&ix->warnings.lock);
	out->warnings = ix->warnings.count;
	pthread_mutex_unlock(&ix->warnings.lock);
	snprintf(out->state, sizeof(out->state), "ok");
	snprintf(out->language, sizeof(out->language), "%s", ix->language);
}

void rk_status(struct rk_index *ix, struct rk_status *out)
{
	struct rk_status all = {.size = out->size};

	status(ix, &all);
	memcpy(out, &all, out->size < sizeof(all) ? out->size : sizeof(all));
}
