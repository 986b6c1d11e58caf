/* SPDX-License-Identifier: MIT */
/* What .rankfs/error says: the last refusal of each user. Any thread. */
#include "fs/base/errors.h"
#include <stdio.h>

void fs_read_error(const struct fs_use *u, struct rk_buf *out)
{
	struct fs *fs = u->x->fs;

	pthread_mutex_lock(&fs->answers);
	for (size_t i = 0; i < 16; i++)
		if (fs->errors[i].text[0] && fs->errors[i].uid == u->uid)
			rk_buf_printf(out, "%s\n", fs->errors[i].text);
	pthread_mutex_unlock(&fs->answers);
}

void fs_remember_error(struct fs *fs, uid_t uid, const char *text)
{
	size_t i = 0;

	pthread_mutex_lock(&fs->answers);
	while (i < 16 && (!fs->errors[i].text[0] || fs->errors[i].uid != uid))
		i++;
	if (i == 16 && *text)
		i = fs->next_error++ % 16;
	if (i < 16) {
		fs->errors[i].uid = uid;
		snprintf(fs->errors[i].text, sizeof(fs->errors[i].text), "%s",
			 text);
	}
	pthread_mutex_unlock(&fs->answers);
}
