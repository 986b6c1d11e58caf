/* SPDX-License-Identifier: MIT */
/*
 * The daemon has more rights than most who ask it for something. Documents are
 * the kernel's to decide about; what remains is this table. The owner of an
 * index does with it as he likes, as long as nothing is done with the daemon's
 * rights that he could not do himself: no program is run, no file or folder
 * outside is read, no server is called because he says so.
 */
#include "fs/base/capabilities.h"
#include "fs/base/errors.h"
#include "fs/base/node.h"
#include <errno.h>

static const struct {
	enum fs_caller least;
	const char *why_not;
} TABLE[FS_DEEDS] = {
	[FS_DO_ANY] = {FS_OTHER, ""},
	[FS_DO_SEE] = {FS_OWNER, "only the index's owner may see that"},
	[FS_DO_SAVE] = {FS_OWNER, "only who mounted, or the index's owner, may "
				  "save queries and change their results"},
	[FS_DO_MAINTAIN] = {FS_OWNER, "only the index's owner may do that"},
	[FS_DO_TUNE] = {FS_OWNER, "only the index's owner may set that"},
	[FS_DO_IMPORT] = {FS_OWNER, "only the index's owner may import"},
	[FS_DO_EXPORT] = {FS_OWNER, "only the index's owner may export"},
	[FS_DO_RESTORE] = {FS_MOUNTER, "only who mounted may put an archive "
				       "back"},
	[FS_DO_REACH_OUT] = {FS_MOUNTER, "only who mounted may set that"},
	[FS_DO_LINK_OUT] = {FS_MOUNTER, "only who mounted may link a source"},
	[FS_DO_LIMIT] = {FS_MOUNTER, "only who mounted may limit and remove "
				     "indexes"},
};

enum fs_caller fs_caller(const struct fs_index *x, uid_t uid)
{
	if (uid == 0 || uid == x->fs->uid)
		return FS_MOUNTER;
	return uid == x->uid ? FS_OWNER : FS_OTHER;
}

int fs_may(const struct fs_index *x, uid_t uid, enum fs_deed deed)
{
	return fs_caller(x, uid) >= TABLE[deed].least;
}

int fs_may_by(fuse_req_t req, const struct fs_handle *h, enum fs_deed deed)
{
	const struct fs_index *x = h->node->index;

	return fs_may(x, h->uid, deed) &&
	       fs_may(x, fuse_req_ctx(req)->uid, deed);
}

int fs_may_else_reply(fuse_req_t req, const struct fs_index *x,
		      enum fs_deed deed)
{
	uid_t uid = fuse_req_ctx(req)->uid;

	if (fs_may(x, uid, deed))
		return 1;
	fs_remember_error(x->fs, uid, TABLE[deed].why_not);
	fuse_reply_err(req, EPERM);
	return 0;
}

const char *fs_may_not(enum fs_deed deed)
{
	return TABLE[deed].why_not;
}
