/* SPDX-License-Identifier: MIT */
/* An index as it is mounted: its folder of documents, its owner; and all. */
#include "base/attributes.h"
#include "fs/base/mounted.h"
#include "fs/base/walls.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>

static int open_files(struct fs_index *x)
{
	char path[4096];

	if (x->files_fd >= 0)
		return 0;
	snprintf(path, sizeof(path), "%s/indexes/%s/files", x->fs->backing,
		 x->name);
	x->files_fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	x->own_fd = 1;
	x->attributes = x->files_fd >= 0 && rk_attr_used(x->files_fd);
	return x->files_fd < 0 ? -errno : 0;
}

int fs_index_files(struct fs_index *x)
{
	int rc = open_files(x);

	return rc < 0 ? rc : x->files_fd;
}

int fs_index_stat(struct fs_index *x, struct stat *st)
{
	int rc = open_files(x);

	if (rc == 0 && fstat(x->files_fd, st) < 0)
		rc = -errno;
	if (rc == 0) {
		if (x->uid != st->st_uid || x->gid != st->st_gid ||
		    x->mode != (st->st_mode & 0777)) {
			x->fs->epoch++; /* others may read it now */
			fs_wall_recheck(x);
		}
		x->uid = st->st_uid;
		x->gid = st->st_gid;
		x->mode = st->st_mode & 0777;
	}
	return rc;
}

static size_t count_open(const struct fs *fs)
{
	size_t n = 0;

	for (const struct fs_index *x = fs->indexes; x; x = x->next)
		n += x->ix != NULL;
	return n;
}

void fs_index_each(struct fs *fs, void (*fn)(struct fs_index *x, void *ctx),
		   void *ctx)
{
	struct fs_index **v;
	size_t n = 0;

	pthread_mutex_lock(&fs->loop);
	v = calloc(count_open(fs) + 1, sizeof(*v));
	for (struct fs_index *x = fs->indexes; v && x; x = x->next)
		if (x->ix) {
			x->busy++;
			v[n++] = x;
		}
	pthread_mutex_unlock(&fs->loop);
	for (size_t i = 0; i < n; i++) {
		fn(v[i], ctx);
		v[i]->busy--;
	}
	free(v);
}
