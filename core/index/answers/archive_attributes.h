/* SPDX-License-Identifier: MIT */
#ifndef RK_INDEX_ARCHIVE_ATTRIBUTES_H
#define RK_INDEX_ARCHIVE_ATTRIBUTES_H

#include <archive_entry.h>

struct rk_index;

/* Extended attributes of documents in an archive. 0 or -errno. */

/* Going out: of a file that libarchive has looked at, also those that lie
 * beside it (base/attributes.h). */
int rk_archive_put_attributes(struct rk_index *ix, struct archive_entry *e);
/* Coming in: leave each attribute once; -EPERM if one is rankfs's own. */
int rk_archive_take_attributes(struct archive_entry *e);
/* Then, when the file is there: those that libarchive had no room for. */
int rk_archive_set_attributes(struct rk_index *ix, struct archive_entry *e,
			      const char *file);

#endif
