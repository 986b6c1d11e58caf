/* SPDX-License-Identifier: MIT */
#ifndef RK_TEXT_PROPERTY_H
#define RK_TEXT_PROPERTY_H

#include <stddef.h>

/*
 * Properties of a document or chunk (a symbol defined there, a tag, a key of
 * its metadata) are terms of the lexical lane that nobody can type: they
 * begin with RK_PROPERTY_MARK and a letter that says what they are. They
 * have postings, so that filters are as fast as words, but no positions and
 * no share in lengths or scores.
 *
 *   0x02 's' name   0x02 'k' kind   0x02 't' tag   0x02 'm' key '=' value
 *
 * Names, keys and values are in lower case and cut at RK_PROPERTY_MAX.
 */
enum { RK_PROPERTY_MARK = 0x02, RK_PROPERTY_MAX = 120 };
enum {
	RK_PROP_SYMBOL = 's',
	RK_PROP_KIND = 'k',
	RK_PROP_TAG = 't',
	RK_PROP_META = 'm',
};

/*
 * Write the term to out (255 bytes of room). `key` is of metadata alone.
 * Returns its length, or 0 if there is nothing to name.
 */
size_t rk_property_name(char *out, char kind, const char *key, size_t key_n,
			const char *value, size_t value_n);

#endif
