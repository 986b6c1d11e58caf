/* SPDX-License-Identifier: MIT */
#ifndef RK_TEXT_GITIGNORE_H
#define RK_TEXT_GITIGNORE_H

#include <stddef.h>

/*
 * Patterns of files to leave out, as gitignore(5) has them. A set holds those
 * of one folder and asks the sets of the folders above when it has nothing to
 * say. Reference counted, since many folders share the set of one above; a
 * set is not changed once others see it.
 */
struct rk_ignore_set;

/*
 * An empty set for the folder `base` (relative to the top, "" or ending in a
 * slash). `parent` may be NULL; its reference is taken over. NULL: no memory
 * (parent is then released).
 */
struct rk_ignore_set *rk_ignore_new(const char *base,
				    struct rk_ignore_set *parent);
struct rk_ignore_set *rk_ignore_ref(struct rk_ignore_set *s);
void rk_ignore_unref(struct rk_ignore_set *s);
/* Add the lines of a file; later ones win. Returns 0 or -ENOMEM. */
int rk_ignore_add(struct rk_ignore_set *set, const char *s, size_t n);
/* Does the set itself hold any pattern? */
int rk_ignore_empty(const struct rk_ignore_set *s);

/*
 * Is the path (relative to the top) left out by some set, from this one up?
 * Says nothing of the folders that it is in: when one of those is left out, so
 * is all that is in it, whatever is said of the path.
 */
int rk_ignore_match(const struct rk_ignore_set *s, const char *path,
		    int is_dir);

/* git's wildmatch, with slashes apart: "*" and "?" match none, "**" does. */
int rk_wildmatch(const char *pattern, const char *text);

#endif
