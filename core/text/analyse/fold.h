/* SPDX-License-Identifier: MIT */
#ifndef RK_TEXT_FOLD_H
#define RK_TEXT_FOLD_H

#include "text/analyse/language.h"
#include <stddef.h>
#include <stdint.h>

/*
 * Two steps of making spellings equal. Stemmers stand between them: endings
 * are known by their accents.
 */

/*
 * One width, one case, composed (NFKC, case folded); what no reader sees is
 * gone: soft hyphens, joiners, tatweel. Digits are those of ASCII. Turkish
 * has capitals of its own. Returns the length, 0 if it is more than max or s
 * is no UTF-8, or -ENOMEM.
 */
int64_t rk_fold_case(enum rk_language l, const char *s, size_t n, char *out,
		     size_t max);
/*
 * Accents off, where people leave them out: Latin, Greek, Hebrew, Arabic;
 * stress and the dots of ё. Letters that are two to their readers, as й or
 * バ and ハ, stay. s is of rk_fold_case(). Returns as that.
 */
int64_t rk_fold_marks(const char *s, size_t n, char *out, size_t max);

enum { RK_RESPELL_MAX = 64 }; /* bytes of a word that has some */

/*
 * Other spellings of a word (as of rk_fold_case()) which that language has:
 * first without any accent, then ue for ü, and letters with the accent that a
 * hasty writer left out. Counted from 0. Returns the length, or 0 when there
 * are no more of them.
 */
size_t rk_respelling(enum rk_language l, const char *s, size_t n, unsigned i,
		     char *out, size_t max);

#endif
