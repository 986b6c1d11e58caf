/* SPDX-License-Identifier: MIT */
/* A text as a tokenizer wants it: case, accents, spaces. */
#include "vector/embed/normalize.h"
#include "base/buf.h"
#include "vector/embed/characters.h"
#include "vector/embed/tokenizer_state.h"
#include <stdlib.h>
#include <string.h>
#include <utf8proc.h>

/* Steps that look at one character at a time. */
static void map_char(const struct step *s, int32_t c, struct rk_buf *out)
{
	switch ((int)s->what) {
	case DO_CLEAN:
		if (c == 0 || c == 0xfffd || rk_char_is_control(c))
			return;
		rk_char_put(out, rk_char_is_space(c) ? ' ' : c);
		return;
	case DO_CJK:
		if (!rk_char_is_ideograph(c))
			break;
		rk_buf_byte(out, ' ');
		rk_char_put(out, c);
		rk_buf_byte(out, ' ');
		return;
	case DO_ACCENTS:
		if (utf8proc_category(c) == UTF8PROC_CATEGORY_MN)
			return;
		break;
	case DO_LOWER:
		c = utf8proc_tolower(c);
		break;
	default:
		break;
	}
	rk_char_put(out, c);
}

static void map_chars(const struct step *s, const struct rk_buf *in,
		      struct rk_buf *out)
{
	for (size_t i = 0; i < in->n;) {
		int32_t c;

		i += rk_char_next((const char *)in->p + i, in->n - i, &c);
		map_char(s, c, out);
	}
}

static int recompose(const struct rk_buf *in, int options, struct rk_buf *out)
{
	utf8proc_uint8_t *p = NULL;
	utf8proc_ssize_t n =
		utf8proc_map(in->p, (utf8proc_ssize_t)in->n, &p,
			     (utf8proc_option_t)(options | UTF8PROC_STABLE));

	if (n >= 0)
		rk_buf_add(out, p, (size_t)n);
	else /* not UTF-8: as it is */
		rk_buf_add(out, in->p, in->n);
	free(p);
	return out->err;
}

void rk_replace(const struct rk_buf *in, const char *from, const char *to,
		struct rk_buf *out)
{
	size_t n = strlen(from), to_n = strlen(to);

	for (size_t i = 0; i < in->n;)
		if (in->n - i >= n && memcmp(in->p + i, from, n) == 0) {
			rk_buf_add(out, to, to_n);
			i += n;
		} else {
			rk_buf_byte(out, in->p[i++]);
		}
}

static void squeeze(const struct rk_buf *in, const char *to, struct rk_buf *out)
{
	int in_space = 0;

	for (size_t i = 0; i < in->n;) {
		int32_t c;
		size_t k = rk_char_next((const char *)in->p + i, in->n - i, &c);

		if (rk_char_is_space(c)) {
			if (!in_space)
				rk_buf_str(out, to);
			in_space = 1;
		} else {
			rk_buf_add(out, in->p + i, k);
			in_space = 0;
		}
		i += k;
	}
}

static void strip(const struct rk_buf *in, int left, struct rk_buf *out)
{
	size_t first = in->n, last = 0;

	for (size_t i = 0; i < in->n;) {
		int32_t c;
		size_t k = rk_char_next((const char *)in->p + i, in->n - i, &c);

		if (!rk_char_is_space(c)) {
			first = i < first ? i : first;
			last = i + k;
		}
		i += k;
	}
	if (left)
		rk_buf_add(out, in->p + first, in->n - first);
	else
		rk_buf_add(out, in->p, last);
}

static void normalize_step(const struct step *s, const struct rk_buf *in,
			   struct rk_buf *out)
{
	struct rk_buf nfd = RK_BUF_INIT;

	switch (s->what) {
	case DO_NFC:
		recompose(in, UTF8PROC_COMPOSE, out);
		break;
	case DO_NFD:
		recompose(in, UTF8PROC_DECOMPOSE, out);
		break;
	case DO_NFKC:
		recompose(in, UTF8PROC_COMPOSE | UTF8PROC_COMPAT, out);
		break;
	case DO_NFKD:
		recompose(in, UTF8PROC_DECOMPOSE | UTF8PROC_COMPAT, out);
		break;
	case DO_STRIP_LEFT:
		strip(in, 1, out);
		break;
	case DO_STRIP_RIGHT:
		strip(in, 0, out);
		break;
	case DO_PREPEND:
		if (in->n)
			rk_buf_str(out, s->to);
		rk_buf_add(out, in->p, in->n);
		break;
	case DO_REPLACE:
		rk_replace(in, s->from, s->to, out);
		break;
	case DO_SPACES:
		squeeze(in, s->to, out);
		break;
	case DO_ACCENTS:
		recompose(in, UTF8PROC_DECOMPOSE, &nfd);
		map_chars(s, &nfd, out);
		out->err |= nfd.err;
		rk_buf_release(&nfd);
		break;
	case DO_CLEAN:
	case DO_CJK:
	case DO_LOWER:
	default:
		map_chars(s, in, out);
	}
}

/* Valid UTF-8 to begin with: utf8proc_map() takes nothing else. */
int rk_normalize(const struct rk_tokenizer *t, const char *s, size_t n,
		 struct rk_buf *out)
{
	struct rk_buf b[2] = {RK_BUF_INIT, RK_BUF_INIT};
	unsigned at = 0;
	int err = 0;

	for (size_t i = 0; i < n;) {
		int32_t c;

		i += rk_char_next(s + i, n - i, &c);
		rk_char_put(&b[0], c);
	}
	for (unsigned i = 0; i < t->nsteps; i++) {
		b[!at].n = 0;
		normalize_step(&t->steps[i], &b[at], &b[!at]);
		at = !at;
	}
	err = b[0].err | b[1].err;
	*out = b[at];
	rk_buf_release(&b[!at]);
	return err;
}
