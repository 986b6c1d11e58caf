/* SPDX-License-Identifier: MIT */
/* What .rankfs/ says at the top of many indexes, and the verbs of its ctl. */
#include "fs/base/quota.h"
#include "fs/control/control.h"
#include "fs/indexes/fixed.h"
#include "fs/indexes/tenants.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- what the files say --- */

void fs_top_status(const struct fs_use *u, struct rk_buf *out)
{
	struct fs *fs = u->x->fs;
	struct rk_buf names = RK_BUF_INIT;
	size_t n = 0, at = 0;

	fs_tenants_list(fs, &names);
	while (rk_buf_next(&names, &at))
		n++;
	rk_buf_printf(out, "indexes %zu\nopen %u\nopen_max %u\n", n, fs->nopen,
		      fs->open_max);
	/* names and owners are told by ls; only who mounted sees the rest */
	for (const struct fs_index *i = fs->indexes;
	     i && (u->uid == 0 || u->uid == fs->uid); i = i->next)
		if (i->ix && !i->removed)
			rk_buf_printf(out, "index %s pending %zu\n", i->name,
				      rk_pending(i->ix));
	rk_buf_release(&names);
}

void fs_top_metrics(const struct fs_use *u, struct rk_buf *out)
{
	rk_buf_printf(out,
		      "# TYPE rankfs_open_indexes gauge\n"
		      "rankfs_open_indexes %u\n",
		      u->x->fs->nopen);
}

/* --- verbs --- */

/* A number and, if there is room for one, K, M or G. */
static int parse_size(const char *s, const char *units, uint64_t *out)
{
	const char *unit;
	char *end;
	int shift = 0;

	if (*s < '0' || *s > '9')
		return -EINVAL;
	errno = 0;
	*out = strtoull(s, &end, 10);
	if (*end && (unit = strchr(units, *end)) != NULL && !end[1])
		shift = 10 * (int)(unit - units + 1);
	else if (*end)
		return -EINVAL;
	if (errno || *out > UINT64_MAX >> shift)
		return -ERANGE;
	*out <<= shift;
	return 0;
}

/* quota NAME BYTES FILES */
static int top_quota(struct fs_index *x, const char *arg)
{
	char name[64], first[32], second[32], rest;
	uint64_t bytes, files;
	struct fs_index *i;
	int rc;

	if (sscanf(arg, "%63s %31s %31s %c", name, first, second, &rest) != 3)
		return -EINVAL;
	if ((rc = parse_size(first, "KMG", &bytes)) < 0 ||
	    (rc = parse_size(second, "", &files)) < 0)
		return rc;
	pthread_mutex_lock(&x->fs->loop);
	i = fs_tenant(x->fs, name);
	rc = i ? fs_quota_set(i, bytes, files) : -ENOENT;
	pthread_mutex_unlock(&x->fs->loop);
	return rc;
}

/* expire DAYS */
static int top_expire(struct fs_index *x, const char *arg)
{
	char *end;
	long days = strtol(arg, &end, 10);

	if (end == arg || *end || days < 1)
		return -EINVAL;
	return fs_tenants_expire(x->fs, days * 86400) < 0 ? -EIO : 0;
}

/* remove NAME: the index and all documents in it */
static int top_remove(struct fs_index *x, const char *arg)
{
	int rc;

	if (!fs_tenant_name_ok(arg))
		return -EINVAL;
	pthread_mutex_lock(&x->fs->loop);
	rc = fs_tenant_remove(x->fs, arg);
	pthread_mutex_unlock(&x->fs->loop);
	return rc;
}

const struct fs_verb FS_TOP_VERBS[] = {
	{"quota", "quota NAME BYTES[K|M|G] FILES: limits of an index; 0: none",
	 NULL, top_quota},
	{"expire", "expire DAYS: remove indexes that nobody opened so long",
	 NULL, top_expire},
	{"remove", "remove NAME: an index and all documents in it", NULL,
	 top_remove},
	{NULL, NULL, NULL, NULL},
};
