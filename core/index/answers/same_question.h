/* SPDX-License-Identifier: MIT */
#ifndef RK_INDEX_SAME_QUESTION_H
#define RK_INDEX_SAME_QUESTION_H

#include "text/analyse/analyse.h"
#include <stddef.h>

/*
 * Do two short texts ask the same? For the semantic cache, where "enable the
 * firewall" must not answer for "disable the firewall", however near the two
 * are as vectors.
 */

/*
 * 0 to 1: cosine of the texts' words (stemmed, without stop words) and of
 * their 3- to 5-grams of characters, weighed together. Returns -ENOMEM or 0
 * and *out.
 */
int rk_similar(struct rk_analyser *a, const char *x, size_t xn, const char *y,
	       size_t yn, double *out);

/*
 * 1 unless a and b differ in what turns a question around: numbers, a
 * negation, or a word and its opposite.
 */
int rk_same_question(const char *a, size_t an, const char *b, size_t bn);

#endif
