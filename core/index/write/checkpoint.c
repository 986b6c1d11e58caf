/* SPDX-License-Identifier: MIT */
/*
 * A checkpoint: what the view holds as a manifest, durably; then manifests
 * that are too old go away, and files that no kept one names.
 */
#include "index/write/checkpoint.h"
#include "index/state/internal.h"
#include "index/vectors/embed.h"
#include "index/write/recover.h"
#include "base/mem.h"
#include "storage/manifest.h"
#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static int collect_dead(const struct rk_segment *s, struct rk_manifest_seg *out)
{
	out->id = s->id;
	out->vectors = s->vec ? s->vec->id : 0;
	if (!s->dead)
		return 0;
	out->dead = rk_malloc((s->ndead + 1) * sizeof(*out->dead));
	if (!out->dead)
		return -ENOMEM;
	for (uint32_t d = 0; d < s->ndocs; d++)
		if (s->dead[d])
			out->dead[out->ndead++] = d;
	return 0;
}

static int collect_manifest(struct rk_index *ix, struct rk_manifest *m)
{
	const struct rk_view *v = ix->view;
	int rc = 0;

	m->segs = rk_calloc(v->nsegs + 1, sizeof(*m->segs));
	if (!m->segs)
		return -ENOMEM;
	for (; m->nsegs < v->nsegs && rc == 0; m->nsegs++)
		rc = collect_dead(v->segs[m->nsegs], &m->segs[m->nsegs]);
	m->number = ix->last_manifest + 1;
	m->generation = ix->generation;
	m->wal_floor = ix->floor;
	m->next_segment = ix->next_segment;
	m->created_ns = ix->env->now_ns();
	m->space = ix->space->number;
	m->next_vectors = ix->next_vectors;
	m->next_space = ix->next_space;
	m->fitted = ix->space->latent && ix->space->latent->chunks > 0;
	snprintf(m->embedder, sizeof(m->embedder), "%s",
		 ix->foreign ? ix->manifest.embedder
			     : rk_embspace_embedder(ix->space));
	snprintf(m->analyser, sizeof(m->analyser), "%s %s", RK_ANALYSER_VERSION,
		 ix->language);
	return rc;
}

/* The files that kept manifests name, and how to know the others. */
struct kept {
	const struct rk_manifest *m;
	int n;
};

static int keeps_segment(struct rk_index *ix, const struct kept *k, uint64_t id)
{
	(void)ix;
	for (int i = 0; i < k->n; i++)
		for (uint32_t s = 0; s < k->m[i].nsegs; s++)
			if (k->m[i].segs[s].id == id)
				return 1;
	return 0;
}

/* Vectors may also be newer than the newest manifest: attached, or written. */
static int keeps_vectors(struct rk_index *ix, const struct kept *k, uint64_t id)
{
	int keep;

	for (int i = 0; i < k->n; i++)
		for (uint32_t s = 0; s < k->m[i].nsegs; s++)
			if (k->m[i].segs[s].vectors == id)
				return 1;
	pthread_mutex_lock(&ix->lock);
	keep = id == ix->vectors_busy;
	for (unsigned i = 0; i < ix->view->nsegs; i++) {
		const struct rk_segment *s = ix->view->segs[i];

		keep |= s->vec && s->vec->id == id;
		keep |= s->vec_next && s->vec_next->id == id;
	}
	pthread_mutex_unlock(&ix->lock);
	return keep;
}

static int keeps_latent(struct rk_index *ix, const struct kept *k, uint64_t id)
{
	int keep;

	for (int i = 0; i < k->n; i++)
		if (k->m[i].space == id)
			return 1;
	pthread_mutex_lock(&ix->lock);
	keep = id == ix->space->number || id + 1 >= ix->next_space;
	pthread_mutex_unlock(&ix->lock);
	return keep;
}

static const struct kind_of_file {
	const char *prefix, *suffix;
	void (*name)(uint64_t id, char out[40]);
	int (*keep)(struct rk_index *, const struct kept *, uint64_t id);
} KINDS[] = {
	{"seg", "mp", rk_segment_name, keeps_segment},
	{"vec", "vec", rk_vectors_name, keeps_vectors},
	{"latent", "mp", rk_latent_name, keeps_latent},
};

/* Does an index of this kind serve, over these vectors? */
static int serves(struct rk_index *ix, enum rk_ann_type t, uint64_t id)
{
	int found = 0;

	pthread_mutex_lock(&ix->lock);
	for (unsigned i = 0; i < ix->view->nsegs; i++) {
		const struct rk_vectors *v = ix->view->segs[i]->vec;

		found |= v && v->id == id && v->ann &&
			 rk_ann_type_of(v->ann) == t;
	}
	pthread_mutex_unlock(&ix->lock);
	return found;
}

/*
 * An index over vectors, vec-NNNNNN.TYPE, goes with them, or when another kind
 * is configured and has taken its place.
 */
static int is_orphan(struct rk_index *ix, const struct kept *k,
		     const char *file)
{
	for (int t = RK_ANN_FLAT + 1; t < RK_ANN_TYPES; t++) {
		enum rk_ann_type type = (enum rk_ann_type)t;
		int64_t id =
			rk_name_number(file, "vec", rk_ann_type_name(type));

		if (id >= 0)
			return !keeps_vectors(ix, k, (uint64_t)id) ||
			       (type != rk_wanted_ann(ix) &&
				!serves(ix, type, (uint64_t)id));
	}
	return 0;
}

/* Is it a file of ours that nothing names any more? */
static int is_garbage(struct rk_index *ix, const struct kept *k,
		      const char *file)
{
	for (size_t i = 0; i < sizeof(KINDS) / sizeof(KINDS[0]); i++) {
		int64_t id =
			rk_name_number(file, KINDS[i].prefix, KINDS[i].suffix);
		char name[40];

		if (id < 0)
			continue;
		KINDS[i].name((uint64_t)id, name);
		if (strncmp(name, file, strlen(name)) != 0 ||
		    strstr(file, ".damaged"))
			return 0;
		return strcmp(name, file) != 0 ||
		       !KINDS[i].keep(ix, k, (uint64_t)id);
	}
	return is_orphan(ix, k, file);
}

/* Remove files that neither a kept manifest nor the view names. */
static void remove_files(struct rk_index *ix, const struct kept *k)
{
	int fd = openat(ix->dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	const struct rk_io *io = ix->env->io;
	struct dirent *e;

	if (!d && fd >= 0)
		close(fd);
	while (d && (e = readdir(d)))
		if (is_garbage(ix, k, e->d_name))
			io->unlink(io->ctx, ix->dir_fd, e->d_name);
	if (d)
		closedir(d);
}

/*
 * Read the newest `retain` manifests that verify into kept[] and remove the
 * others. Returns how many; -errno if one cannot be read now: which files it
 * names is not known then.
 */
static int keep_manifests(struct rk_index *ix, int retain,
			  struct rk_manifest *kept)
{
	enum { MAX = 512 };
	const struct rk_io *io = ix->env->io;
	uint64_t numbers[MAX];
	int n = rk_manifest_list(ix->dir_fd, numbers, MAX), k = 0;

	for (int i = 0; i < n; i++) {
		int rc = k < retain ? rk_manifest_read(io, ix->dir_fd,
						       numbers[i], &kept[k])
				    : RK_ECORRUPT;
		char name[40];

		if (rc == 0) {
			k++;
		} else if (rc == RK_EVERSION || rk_unreadable(rc)) {
			n = rc;
		} else {
			rk_manifest_name(numbers[i], name);
			io->unlink(io->ctx, ix->dir_fd, name);
		}
	}
	for (int i = 0; n < 0 && i < k; i++)
		rk_manifest_release(&kept[i]);
	return n < 0 ? n : k;
}

/* Keep `retain` manifests and what they name; cut the log behind them. */
static void retire(struct rk_index *ix, int retain)
{
	struct rk_manifest kept[RK_RETAIN_MAX] = {RK_MANIFEST_INIT};
	int k = keep_manifests(ix, retain, kept);
	uint64_t floor = UINT64_MAX;

	if (k < 0)
		rk_warn(&ix->warnings,
			"old checkpoints are kept, as one cannot be read: %s",
			rk_strerror(k));
	for (int i = 0; i < k; i++)
		if (kept[i].wal_floor < floor)
			floor = kept[i].wal_floor;
	if (k > 0) {
		remove_files(ix, &(struct kept){kept, k});
		rk_wal_drop(ix->wal, floor);
	}
	for (int i = 0; i < k; i++)
		rk_manifest_release(&kept[i]);
}

/*
 * What a new manifest says must be reachable before the log is cut: a new
 * log file first, so that the old ones can go with the manifest after next.
 */
static int commit(struct rk_index *ix, int retain)
{
	struct rk_manifest m = RK_MANIFEST_INIT;
	int rc;

	assert(retain > 0);
	pthread_mutex_lock(&ix->writer);
	pthread_mutex_lock(&ix->lock);
	rc = collect_manifest(ix, &m);
	ix->dirty = 0;
	pthread_mutex_unlock(&ix->lock);
	pthread_mutex_unlock(&ix->writer);
	if (rc == 0)
		rc = rk_wal_rotate(ix->wal);
	if (rc == 0)
		rc = rk_manifest_commit(ix->env->io, ix->dir_fd, &m);
	if (rc == 0) {
		pthread_mutex_lock(&ix->lock);
		rk_manifest_release(&ix->manifest);
		ix->manifest = m;
		ix->last_manifest = m.number;
		pthread_mutex_unlock(&ix->lock);
		retire(ix, retain);
		return 0;
	}
	pthread_mutex_lock(&ix->lock);
	ix->dirty = 1;
	pthread_mutex_unlock(&ix->lock);
	rk_manifest_release(&m);
	return rc;
}

/* Nothing is half written while files that nothing names go away. */
int rk_commit_manifest(struct rk_index *ix, int retain)
{
	int rc;

	pthread_mutex_lock(&ix->moving);
	rc = commit(ix, retain);
	pthread_mutex_unlock(&ix->moving);
	return rc;
}
