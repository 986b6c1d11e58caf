/* SPDX-License-Identifier: MIT */
#ifndef FS_USERS_H
#define FS_USERS_H

/* What each user has of what all share, and the most of it. Any thread. */
#include "fs/base/fs.h"

void fs_users_init(struct fs *fs);
void fs_users_release(struct fs *fs);
/*
 * A virtual file is opened by h->uid; 0, or -EMFILE: he has too many. Its
 * counterpart, when the handle is freed, gives back its bytes as well.
 */
int fs_user_opens(struct fs_handle *h);
void fs_user_closes(struct fs_handle *h);
/* An open file holds so many bytes now; 0, or -EMFILE and it is as before. */
int fs_user_holds(struct fs_handle *h, size_t bytes);
/* One more query that is followed because he looked it up; 0 or -EMFILE. */
int fs_user_follows(struct fs *fs, uid_t uid);
void fs_user_unfollows(struct fs *fs, uid_t uid);

#endif
