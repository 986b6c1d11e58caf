/* SPDX-License-Identifier: MIT */
#include "text/analyse/breaks.h"
#include "base/mem.h"
#include <errno.h>
#include <unicode/ubrk.h>
#include <utf8proc.h>

struct rk_breaks {
	UBreakIterator *words;
	UChar units[RK_RUN_MAX];
	uint16_t byte[RK_RUN_MAX + 1]; /* where a unit is in the bytes */
};

void rk_breaks_free(struct rk_breaks *b)
{
	if (!b)
		return;
	ubrk_close(b->words);
	rk_free(b);
}

static int breaks_new(struct rk_breaks **out)
{
	UErrorCode e = U_ZERO_ERROR;
	struct rk_breaks *b = rk_calloc(1, sizeof(*b));

	if (!b)
		return -ENOMEM;
	/* dictionaries go by script: the root's rules have all of them */
	b->words = ubrk_open(UBRK_WORD, "", NULL, 0, &e);
	if (U_FAILURE(e)) {
		rk_breaks_free(b);
		return -ENOMEM;
	}
	*out = b;
	return 0;
}

/* These scripts are in the plane of 16-bit units: one for each character. */
static int32_t to_units(struct rk_breaks *b, const char *s, size_t n)
{
	int32_t k = 0, i = 0;

	while (i < (int32_t)n) {
		int32_t c;
		utf8proc_ssize_t len =
			utf8proc_iterate((const utf8proc_uint8_t *)s + i,
					 (utf8proc_ssize_t)n - i, &c);

		b->byte[k] = (uint16_t)i;
		b->units[k++] = len > 0 && c < 0xd800 ? (UChar)c : 0xfffd;
		i += len > 0 ? (int32_t)len : 1;
	}
	b->byte[k] = (uint16_t)n;
	return k;
}

int rk_breaks_find(struct rk_breaks **b, const char *s, size_t n,
		   uint16_t ends[RK_RUN_MAX])
{
	UErrorCode e = U_ZERO_ERROR;
	int rc = *b ? 0 : breaks_new(b), count = 0;
	int32_t units, at;

	if (rc < 0)
		return rc;
	units = to_units(*b, s, n);
	ubrk_setText((*b)->words, (*b)->units, units, &e);
	if (U_FAILURE(e))
		return -ENOMEM;
	while ((at = ubrk_next((*b)->words)) != UBRK_DONE)
		ends[count++] = (*b)->byte[at];
	return count;
}
