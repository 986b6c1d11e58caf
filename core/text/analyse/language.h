/* SPDX-License-Identifier: MIT */
#ifndef RK_TEXT_LANGUAGE_H
#define RK_TEXT_LANGUAGE_H

#include <stddef.h>
#include <stdint.h>

/*
 * Natural languages that words can be stemmed by. The numbers are on disk. 0
 * stands for the one that the index is configured for, whichever it is.
 */
enum rk_language {
	RK_LANGUAGE_BASE = 0,
	RK_ENGLISH = 1,
	RK_GERMAN,
	RK_FRENCH,
	RK_SPANISH,
	RK_ITALIAN,
	RK_PORTUGUESE,
	RK_DUTCH,
	RK_SWEDISH,
	RK_NORWEGIAN,
	RK_DANISH,
	RK_FINNISH,
	RK_HUNGARIAN,
	RK_ROMANIAN,
	RK_TURKISH,
	RK_RUSSIAN,
	RK_GREEK,
	RK_ARABIC,
	RK_HINDI,
	RK_TAMIL,
	RK_ARMENIAN,
	RK_LANGUAGES,
	/* on disk only: too few words to tell; any form counts in them */
	RK_LANGUAGE_UNSURE = 63,
	RK_SPOKEN = 64, /* numbers that there can be */
};

/* The Snowball algorithm's name, or "". */
const char *rk_language_name(enum rk_language l);
/* By that name; RK_LANGUAGE_BASE if it is none of these. */
enum rk_language rk_language_by_name(const char *name);

/*
 * What a text is written in: by its script, or by how many of its words are
 * the language's most frequent ones. RK_LANGUAGE_BASE where that is not clear.
 */
enum rk_language rk_language_detect(const char *s, size_t n);
/* Are there too few words to tell? */
int rk_language_few_words(const char *s, size_t n);

#endif
