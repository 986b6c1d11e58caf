/* SPDX-License-Identifier: MIT */
#ifndef FS_ANSWERS_H
#define FS_ANSWERS_H

/* What makes an answer this answer. */
#include "fs/base/fs.h"

/* Of what makes an answer this answer: places and texts, not scores. */
uint64_t fs_answer_hash(const struct rk_results *r);
/* What its first line says of how it was found, but for times. */
uint64_t fs_answer_form(const struct rk_results *r);

#endif
