/* SPDX-License-Identifier: MIT */
#include "storage/compact.h"

enum { FACTOR = 2, DEAD_SHARE = 4, RUN_MAX = 32 };

static uint64_t live_bytes(const struct rk_compact_seg *s)
{
	if (s->docs == 0)
		return 0;
	return s->bytes - s->bytes / s->docs * s->dead;
}

/* Does one more segment go into the files that are to be written? */
static int fits(struct rk_compact_seg *sum, const struct rk_compact_seg *s)
{
	sum->bytes += s->bytes;
	sum->vectors += s->vectors;
	return sum->bytes <= RK_COMPACT_BYTES &&
	       sum->vectors <= RK_COMPACT_BYTES;
}

size_t rk_compact_pick(const struct rk_compact_seg *s, size_t n, size_t *first)
{
	uint64_t newer = n ? live_bytes(&s[n - 1]) : 0;
	struct rk_compact_seg sum = n ? s[n - 1] : (struct rk_compact_seg){0};
	size_t run = 0;

	for (size_t i = n - 1; n && i-- > 0;) {
		if (n - i > RUN_MAX || !fits(&sum, &s[i]))
			break;
		if (live_bytes(&s[i]) < FACTOR * newer)
			run = n - i;
		newer += live_bytes(&s[i]);
	}
	if (run) {
		*first = n - run;
		return run;
	}
	for (size_t i = 0; i < n; i++)
		if (s[i].dead && s[i].dead >= s[i].docs / DEAD_SHARE) {
			*first = i;
			return 1;
		}
	return 0;
}

size_t rk_compact_all(const struct rk_compact_seg *s, size_t n, size_t *first)
{
	for (size_t i = 0; i < n; i++) {
		struct rk_compact_seg sum = s[i];
		size_t run = 1;

		while (i + run < n && fits(&sum, &s[i + run]))
			run++;
		if (run > 1 || s[i].dead) {
			*first = i;
			return run;
		}
	}
	return 0;
}
