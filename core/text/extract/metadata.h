/* SPDX-License-Identifier: MIT */
#ifndef RK_TEXT_METADATA_H
#define RK_TEXT_METADATA_H

#include "base/buf.h"
#include "text/extract/kind.h"

/*
 * What a document says of itself, as properties (property.h), each ended by
 * a NUL: the front matter of markup ("---" YAML or "+++" TOML: keys with plain
 * values and lists of them, which is what front matter is), the header of a
 * message. Tags are "tags", "keywords" and "categories" there. At most
 * RK_META_MAX properties; anything not understood is left out.
 * Returns 0 or -ENOMEM.
 */
enum { RK_META_MAX = 64 };
int rk_metadata(enum rk_kind kind, const char *s, size_t n,
		struct rk_buf *props);

/* One more key and value; a list "a, b" of tags becomes several. */
int rk_metadata_add(struct rk_buf *props, const char *key, size_t key_n,
		    const char *value, size_t value_n);

/* Bytes of front matter at the start, its closing line included; or 0. */
size_t rk_front_matter(const char *s, size_t n);

#endif
