/* SPDX-License-Identifier: MIT */
#include "vector/embed/tokenizer.h"
#include "base/arena.h"
#include "base/buf.h"
#include "base/hash.h"
#include "base/mem.h"
#include <errno.h>
#include <jansson.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <utf8proc.h>

enum {
	STEPS_MAX = 64,
	PIECE_MAX = 256,      /* bytes of a vocabulary entry that matter */
	DEPTH_MAX = 8,	      /* of nested sequences */
	UNIGRAM_WORD = 65536, /* bytes looked at in one go */
};

/* One step of the normalizer, in order. */
enum step_kind {
	DO_CLEAN, /* drop control characters, unify white space */
	DO_CJK,	  /* spaces around ideographs */
	DO_LOWER,
	DO_ACCENTS, /* decompose, drop marks */
	DO_NFC,
	DO_NFD,
	DO_NFKC,
	DO_NFKD,
	DO_STRIP_LEFT,
	DO_STRIP_RIGHT,
	DO_PREPEND,
	DO_REPLACE,
	DO_SPACES, /* runs of white space: by `to` */
};

struct step {
	enum step_kind what;
	const char *from, *to;
};

enum cut { CUT_NONE, CUT_BERT, CUT_SPACE, CUT_WORDS, CUT_META };
enum model { WORDPIECE, UNIGRAM, WORDLEVEL };

struct rk_tokenizer {
	struct rk_arena arena;
	struct step steps[STEPS_MAX];
	unsigned nsteps;
	enum cut cut[2];
	unsigned ncuts;
	const char *meta; /* replacement of a space */
	int meta_prepend, meta_split;
	enum model model;
	const char *prefix; /* of pieces inside a word */
	size_t max_chars;
	uint32_t unk;
	int has_unk, byte_fallback;
	double unk_score;
	/* vocabulary */
	struct piece {
		const char *s;
		uint32_t n, id;
		double score;
	} * pieces;
	size_t npieces;
	uint32_t *slot; /* open addressing: piece + 1 */
	size_t mask, longest;
	uint32_t size;
};

/* What loading needs besides. */
struct loading {
	struct rk_tokenizer *t;
	char *err;
	size_t err_n;
};

__attribute__((format(printf, 3, 4))) static int
refuse(struct loading *l, int code, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(l->err, l->err_n, fmt, ap);
	va_end(ap);
	return code;
}

static const char *text_of(const json_t *o, const char *key)
{
	const char *s = json_string_value(json_object_get(o, key));

	return s ? s : "";
}

static int is_true(const json_t *o, const char *key, int missing)
{
	const json_t *v = json_object_get(o, key);

	return json_is_boolean(v) ? json_is_true(v) : missing;
}

/* --- loading: the normalizer --- */

static int add_step(struct loading *l, enum step_kind what, const char *from,
		    const char *to)
{
	struct rk_tokenizer *t = l->t;
	struct step *s = &t->steps[t->nsteps];

	if (t->nsteps == STEPS_MAX)
		return refuse(l, -ENOTSUP, "tokenizer: too many normalizers");
	s->what = what;
	s->from = rk_arena_strndup(&t->arena, from, strlen(from));
	s->to = rk_arena_strndup(&t->arena, to, strlen(to));
	t->nsteps++;
	return s->from && s->to ? 0 : -ENOMEM;
}

static int load_bert(struct loading *l, const json_t *o)
{
	int lower = is_true(o, "lowercase", 1), rc = 0;

	if (is_true(o, "clean_text", 1))
		rc = add_step(l, DO_CLEAN, "", "");
	if (rc == 0 && is_true(o, "handle_chinese_chars", 1))
		rc = add_step(l, DO_CJK, "", "");
	/* null: as lowercase says */
	if (rc == 0 && is_true(o, "strip_accents", lower))
		rc = add_step(l, DO_ACCENTS, "", "");
	if (rc == 0 && lower)
		rc = add_step(l, DO_LOWER, "", "");
	return rc;
}

static int load_replace(struct loading *l, const json_t *o)
{
	const json_t *p = json_object_get(o, "pattern");
	const char *s = text_of(p, "String"), *re = text_of(p, "Regex");

	if (*s)
		return add_step(l, DO_REPLACE, s, text_of(o, "content"));
	if (strcmp(re, "\\s+") == 0 || strcmp(re, " {2,}") == 0)
		return add_step(l, DO_SPACES, "", text_of(o, "content"));
	return refuse(l, -ENOTSUP,
		      "tokenizer: regular expression '%.40s' in a normalizer",
		      re);
}

static int load_strip(struct loading *l, const json_t *o)
{
	int rc = 0;

	if (is_true(o, "strip_left", 1))
		rc = add_step(l, DO_STRIP_LEFT, "", "");
	if (rc == 0 && is_true(o, "strip_right", 1))
		rc = add_step(l, DO_STRIP_RIGHT, "", "");
	return rc;
}

static int load_normalizer(struct loading *l, const json_t *o, int depth)
{
	/* Precompiled is sentencepiece's table, which is NFKC in the main */
	static const struct {
		const char *type;
		enum step_kind what;
	} PLAIN[] = {{"Lowercase", DO_LOWER}, {"NFC", DO_NFC},
		     {"NFD", DO_NFD},	      {"NFKC", DO_NFKC},
		     {"NFKD", DO_NFKD},	      {"StripAccents", DO_ACCENTS},
		     {"Precompiled", DO_NFKC}};
	const char *type = text_of(o, "type");
	const json_t *e;
	size_t i;
	int rc = 0;

	if (!json_is_object(o))
		return 0;
	for (i = 0; i < sizeof(PLAIN) / sizeof(PLAIN[0]); i++)
		if (strcmp(type, PLAIN[i].type) == 0)
			return add_step(l, PLAIN[i].what, "", "");
	if (strcmp(type, "BertNormalizer") == 0)
		return load_bert(l, o);
	if (strcmp(type, "Replace") == 0)
		return load_replace(l, o);
	if (strcmp(type, "Strip") == 0)
		return load_strip(l, o);
	if (strcmp(type, "Prepend") == 0)
		return add_step(l, DO_PREPEND, "", text_of(o, "prepend"));
	if (strcmp(type, "Sequence") != 0 || depth == DEPTH_MAX)
		return refuse(l, -ENOTSUP, "tokenizer: normalizer '%.40s'",
			      type);
	json_array_foreach(json_object_get(o, "normalizers"), i, e) if (rc == 0)
		rc = load_normalizer(l, e, depth + 1);
	return rc;
}

/* --- loading: the pre-tokenizer --- */

static int load_metaspace(struct loading *l, const json_t *o)
{
	struct rk_tokenizer *t = l->t;
	const char *r = text_of(o, "replacement");
	const char *scheme = text_of(o, "prepend_scheme");

	t->meta = rk_arena_strndup(&t->arena, *r ? r : "\xe2\x96\x81",
				   strlen(*r ? r : "\xe2\x96\x81"));
	t->meta_prepend = *scheme ? strcmp(scheme, "never") != 0
				  : is_true(o, "add_prefix_space", 1);
	t->meta_split = is_true(o, "split", 1);
	return t->meta ? 0 : -ENOMEM;
}

static int load_cut(struct loading *l, const json_t *o, int depth)
{
	static const struct {
		const char *type;
		enum cut cut;
	} CUTS[] = {{"BertPreTokenizer", CUT_BERT},
		    {"WhitespaceSplit", CUT_SPACE},
		    {"Whitespace", CUT_WORDS},
		    {"Metaspace", CUT_META}};
	const char *type = text_of(o, "type");
	struct rk_tokenizer *t = l->t;
	const json_t *e;
	size_t i;
	int rc = 0;

	if (!json_is_object(o))
		return 0;
	for (i = 0; i < sizeof(CUTS) / sizeof(CUTS[0]); i++)
		if (strcmp(type, CUTS[i].type) == 0 && t->ncuts < 2) {
			t->cut[t->ncuts++] = CUTS[i].cut;
			return CUTS[i].cut == CUT_META ? load_metaspace(l, o)
						       : 0;
		}
	if (strcmp(type, "Sequence") != 0 || depth == DEPTH_MAX)
		return refuse(l, -ENOTSUP, "tokenizer: pre-tokenizer '%.40s'",
			      type);
	json_array_foreach(json_object_get(o, "pretokenizers"), i,
			   e) if (rc == 0) rc = load_cut(l, e, depth + 1);
	return rc;
}

/* --- loading: the vocabulary --- */

static uint32_t find_slot(const struct rk_tokenizer *t, const char *s, size_t n)
{
	size_t at = rk_hash64(s, n) & t->mask;

	for (; t->slot[at]; at = (at + 1) & t->mask) {
		const struct piece *p = &t->pieces[t->slot[at] - 1];

		if (p->n == n && memcmp(p->s, s, n) == 0)
			break;
	}
	return (uint32_t)at;
}

static const struct piece *find_piece(const struct rk_tokenizer *t,
				      const char *s, size_t n)
{
	uint32_t slot = n <= t->longest ? t->slot[find_slot(t, s, n)] : 0;

	return slot ? &t->pieces[slot - 1] : NULL;
}

static int make_table(struct rk_tokenizer *t, size_t n)
{
	for (t->mask = 1023; t->mask < n * 2; t->mask = t->mask * 2 + 1)
		;
	t->slot = rk_calloc(t->mask + 1, sizeof(*t->slot));
	t->pieces = rk_calloc(n + 1, sizeof(*t->pieces));
	return t->slot && t->pieces ? 0 : -ENOMEM;
}

static int add_piece(struct rk_tokenizer *t, const char *s, size_t n,
		     uint32_t id, double score)
{
	struct piece *p = &t->pieces[t->npieces];
	uint32_t at = find_slot(t, s, n);

	if (id >= t->size)
		t->size = id + 1;
	if (n > PIECE_MAX || t->slot[at])
		return 0; /* the first of equals counts */
	*p = (struct piece){rk_arena_strndup(&t->arena, s, n), (uint32_t)n, id,
			    score};
	if (!p->s)
		return -ENOMEM;
	t->slot[at] = (uint32_t)++t->npieces;
	if (n > t->longest)
		t->longest = n;
	return 0;
}

static int load_map(struct loading *l, json_t *vocab)
{
	const char *key;
	json_t *v;
	int rc = make_table(l->t, json_object_size(vocab));

	json_object_foreach(vocab, key, v)
	{
		json_int_t id = json_integer_value(v);

		if (rc == 0 &&
		    (!json_is_integer(v) || id < 0 || id > INT32_MAX))
			return refuse(l, -EINVAL, "tokenizer: a bad token id");
		if (rc == 0)
			rc = add_piece(l->t, key, strlen(key), (uint32_t)id, 0);
	}
	return rc;
}

static int load_list(struct loading *l, const json_t *vocab)
{
	double low = 0;
	json_t *e;
	size_t i;
	int rc = make_table(l->t, json_array_size(vocab));

	json_array_foreach(vocab, i, e)
	{
		const json_t *s = json_array_get(e, 0);
		double score = json_number_value(json_array_get(e, 1));

		if (rc == 0 && !json_is_string(s))
			return refuse(l, -EINVAL, "tokenizer: a bad piece");
		if (score < low)
			low = score;
		if (rc == 0)
			rc = add_piece(l->t, json_string_value(s),
				       json_string_length(s), (uint32_t)i,
				       score);
	}
	l->t->unk_score = low - 10;
	return rc;
}

static int load_words(struct loading *l, const json_t *o)
{
	struct rk_tokenizer *t = l->t;
	const char *unk = text_of(o, "unk_token"), *prefix;
	const struct piece *p;
	json_int_t max;
	int rc = load_map(l, json_object_get(o, "vocab"));

	if (rc < 0)
		return rc;
	if ((p = find_piece(t, unk, strlen(unk)))) {
		t->has_unk = 1;
		t->unk = p->id;
	}
	prefix = json_string_value(
		json_object_get(o, "continuing_subword_prefix"));
	if (!prefix)
		prefix = "##";
	if (strlen(prefix) > PIECE_MAX) /* wordpiece() has no room for it */
		return refuse(l, -EINVAL,
			      "tokenizer: a continuing_subword_prefix longer "
			      "than %d bytes",
			      PIECE_MAX);
	t->prefix = rk_arena_strndup(&t->arena, prefix, strlen(prefix));
	max = json_integer_value(
		json_object_get(o, "max_input_chars_per_word"));
	t->max_chars = max > 0 && max < 10000 ? (size_t)max : 100;
	return t->prefix ? 0 : -ENOMEM;
}

static int load_unigram(struct loading *l, const json_t *o)
{
	const json_t *unk = json_object_get(o, "unk_id");
	struct rk_tokenizer *t = l->t;
	int rc = load_list(l, json_object_get(o, "vocab"));

	if (rc == 0 && json_is_integer(unk)) {
		json_int_t id = json_integer_value(unk);

		if (id < 0 || id >= (json_int_t)t->size)
			return refuse(l, -EINVAL, "tokenizer: a bad unk_id");
		t->has_unk = 1;
		t->unk = (uint32_t)id;
	}
	t->byte_fallback = is_true(o, "byte_fallback", 0);
	return rc;
}

static int load_model(struct loading *l, const json_t *o)
{
	const char *type = text_of(o, "type");

	if (!*type) /* older files do not say */
		type = json_is_array(json_object_get(o, "vocab")) ? "Unigram"
								  : "WordPiece";
	if (strcmp(type, "Unigram") == 0) {
		l->t->model = UNIGRAM;
		return load_unigram(l, o);
	}
	l->t->model = strcmp(type, "WordLevel") == 0 ? WORDLEVEL : WORDPIECE;
	if (l->t->model == WORDPIECE && strcmp(type, "WordPiece") != 0)
		return refuse(l, -ENOTSUP, "tokenizer: model '%.40s'", type);
	return load_words(l, o);
}

int rk_tokenizer_load(const char *json, size_t n, struct rk_tokenizer **out,
		      char *err, size_t err_n)
{
	struct loading l = {rk_calloc(1, sizeof(*l.t)), err, err_n};
	json_error_t e;
	json_t *root;
	int rc;

	if (!l.t)
		return -ENOMEM;
	root = json_loadb(json, n, 0, &e);
	if (!json_is_object(root))
		rc = refuse(&l, -EINVAL, "tokenizer: not JSON: %s", e.text);
	else if ((rc = load_normalizer(&l, json_object_get(root, "normalizer"),
				       0)) == 0 &&
		 (rc = load_cut(&l, json_object_get(root, "pre_tokenizer"),
				0)) == 0)
		rc = load_model(&l, json_object_get(root, "model"));
	json_decref(root);
	if (rc < 0) {
		if (rc == -ENOMEM)
			refuse(&l, rc, "tokenizer: out of memory");
		rk_tokenizer_free(l.t);
		return rc;
	}
	*out = l.t;
	return 0;
}

void rk_tokenizer_free(struct rk_tokenizer *t)
{
	if (!t)
		return;
	rk_arena_release(&t->arena);
	rk_free(t->pieces);
	rk_free(t->slot);
	rk_free(t);
}

uint32_t rk_tokenizer_size(const struct rk_tokenizer *t)
{
	return t->size;
}

/* --- characters --- */

/* The next character; invalid bytes are U+FFFD, one at a time. */
static size_t next_char(const char *s, size_t n, int32_t *c)
{
	utf8proc_ssize_t k = utf8proc_iterate((const utf8proc_uint8_t *)s,
					      (utf8proc_ssize_t)n, c);

	if (k > 0)
		return (size_t)k;
	*c = 0xfffd;
	return 1;
}

static void put_char(struct rk_buf *b, int32_t c)
{
	utf8proc_uint8_t u[4];

	rk_buf_add(b, u, (size_t)utf8proc_encode_char(c, u));
}

static int is_space(int32_t c)
{
	utf8proc_category_t k;

	if (c == ' ' || (c >= '\t' && c <= '\r') || c == 0x85)
		return 1;
	k = utf8proc_category(c);
	return k == UTF8PROC_CATEGORY_ZS || k == UTF8PROC_CATEGORY_ZL ||
	       k == UTF8PROC_CATEGORY_ZP;
}

static int is_control(int32_t c)
{
	if (c == '\t' || c == '\n' || c == '\r')
		return 0;
	switch ((int)utf8proc_category(c)) {
	case UTF8PROC_CATEGORY_CC:
	case UTF8PROC_CATEGORY_CF:
	case UTF8PROC_CATEGORY_CN:
	case UTF8PROC_CATEGORY_CO:
	case UTF8PROC_CATEGORY_CS:
		return 1;
	default:
		return 0;
	}
}

static int is_punctuation(int32_t c)
{
	utf8proc_category_t k;

	if ((c >= 33 && c <= 47) || (c >= 58 && c <= 64) ||
	    (c >= 91 && c <= 96) || (c >= 123 && c <= 126))
		return 1;
	k = utf8proc_category(c);
	return k >= UTF8PROC_CATEGORY_PC && k <= UTF8PROC_CATEGORY_PO;
}

static int is_word(int32_t c)
{
	utf8proc_category_t k = utf8proc_category(c);

	return c == '_' ||
	       (k >= UTF8PROC_CATEGORY_LU && k <= UTF8PROC_CATEGORY_NO);
}

static int is_ideograph(int32_t c)
{
	static const struct {
		int32_t first, last;
	} RANGES[] = {{0x4e00, 0x9fff},	  {0x3400, 0x4dbf},
		      {0x20000, 0x2a6df}, {0x2a700, 0x2b73f},
		      {0x2b740, 0x2b81f}, {0x2b920, 0x2ceaf},
		      {0xf900, 0xfaff},	  {0x2f800, 0x2fa1f}};

	for (size_t i = 0; i < sizeof(RANGES) / sizeof(RANGES[0]); i++)
		if (c >= RANGES[i].first && c <= RANGES[i].last)
			return 1;
	return 0;
}

/* --- normalizing --- */

/* Steps that look at one character at a time. */
static void map_char(const struct step *s, int32_t c, struct rk_buf *out)
{
	switch ((int)s->what) {
	case DO_CLEAN:
		if (c == 0 || c == 0xfffd || is_control(c))
			return;
		put_char(out, is_space(c) ? ' ' : c);
		return;
	case DO_CJK:
		if (!is_ideograph(c))
			break;
		rk_buf_byte(out, ' ');
		put_char(out, c);
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
	put_char(out, c);
}

static void map_chars(const struct step *s, const struct rk_buf *in,
		      struct rk_buf *out)
{
	for (size_t i = 0; i < in->n;) {
		int32_t c;

		i += next_char((const char *)in->p + i, in->n - i, &c);
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

static void replace(const struct rk_buf *in, const char *from, const char *to,
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
		size_t k = next_char((const char *)in->p + i, in->n - i, &c);

		if (is_space(c)) {
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
		size_t k = next_char((const char *)in->p + i, in->n - i, &c);

		if (!is_space(c)) {
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
		replace(in, s->from, s->to, out);
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
static int normalize(const struct rk_tokenizer *t, const char *s, size_t n,
		     struct rk_buf *out)
{
	struct rk_buf b[2] = {RK_BUF_INIT, RK_BUF_INIT};
	unsigned at = 0;
	int err = 0;

	for (size_t i = 0; i < n;) {
		int32_t c;

		i += next_char(s + i, n - i, &c);
		put_char(&b[0], c);
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

/* --- models: one word to ids --- */

static int add_id(struct rk_ids *out, uint32_t id)
{
	if (rk_grow(&out->v, &out->cap, out->n + 1, sizeof(*out->v)) < 0)
		return -ENOMEM;
	out->v[out->n++] = id;
	return 0;
}

static size_t count_chars(const char *s, size_t n)
{
	size_t chars = 0;

	for (size_t i = 0; i < n; i++)
		chars += ((unsigned char)s[i] & 0xc0) != 0x80;
	return chars;
}

/* Longest match first; a word with an unknown rest is unknown: left out. */
static int wordpiece(const struct rk_tokenizer *t, const char *s, size_t n,
		     struct rk_ids *out)
{
	size_t before = out->n, prefix = strlen(t->prefix);
	char piece[PIECE_MAX * 2];

	if (count_chars(s, n) > t->max_chars)
		return 0;
	for (size_t at = 0; at < n;) {
		size_t pre = at ? prefix : 0, len = n - at;
		const struct piece *p = NULL;

		if (len > PIECE_MAX)
			len = PIECE_MAX;
		memcpy(piece, t->prefix, pre);
		memcpy(piece + pre, s + at, len);
		for (; len > 0 && !p; len -= !p)
			if (at + len == n ||
			    ((unsigned char)s[at + len] & 0xc0) != 0x80)
				p = find_piece(t, piece, pre + len);
		if (!p) {
			out->n = before;
			return 0;
		}
		if (add_id(out, p->id) < 0)
			return -ENOMEM;
		at += len;
	}
	return 0;
}

static int wordlevel(const struct rk_tokenizer *t, const char *s, size_t n,
		     struct rk_ids *out)
{
	const struct piece *p = find_piece(t, s, n);

	return p ? add_id(out, p->id) : 0;
}

/* The best way to end at a byte. */
struct lattice {
	double score;
	uint32_t from;		   /* where its last piece begins */
	const struct piece *piece; /* NULL: unknown */
};

static void relax(struct lattice *at, const struct lattice *to_here,
		  uint32_t from, double score, const struct piece *p)
{
	double sum = to_here->score + score;

	if (sum > at->score)
		*at = (struct lattice){sum, from, p};
}

/* Pieces that begin at `at`, shortest first; ties keep the earlier. */
static void extend(const struct rk_tokenizer *t, const char *s, size_t n,
		   uint32_t at, struct lattice *v)
{
	int32_t c;
	size_t one = next_char(s + at, n - at, &c);
	int single = 0;

	for (size_t len = one; at + len <= n && len <= t->longest; len++) {
		const struct piece *p;

		if (at + len < n && ((unsigned char)s[at + len] & 0xc0) == 0x80)
			continue;
		if (!(p = find_piece(t, s + at, len)))
			continue;
		single |= len == one;
		relax(&v[at + len], &v[at], at, p->score, p);
	}
	if (!single)
		relax(&v[at + one], &v[at], at, t->unk_score, NULL);
}

static int fall_back(const struct rk_tokenizer *t, const char *s, size_t n,
		     struct rk_ids *out)
{
	for (size_t i = 0; i < n; i++) {
		char name[8];
		const struct piece *p;

		snprintf(name, sizeof(name), "<0x%02X>", (unsigned char)s[i]);
		if (!(p = find_piece(t, name, strlen(name))))
			return 0;
		if (add_id(out, p->id) < 0)
			return -ENOMEM;
	}
	return 1;
}

/* Walk back, then put out in order; unknown neighbours are one. */
static int emit(const struct rk_tokenizer *t, const char *s, size_t n,
		const struct lattice *v, uint32_t *ends, struct rk_ids *out)
{
	size_t k = 0;
	int was_unk = 0, rc;

	for (size_t at = n; at > 0; at = v[at].from)
		ends[k++] = (uint32_t)at;
	while (k-- > 0) {
		const struct lattice *e = &v[ends[k]];

		if (e->piece) {
			was_unk = 0;
			if (add_id(out, e->piece->id) < 0)
				return -ENOMEM;
			continue;
		}
		if (t->byte_fallback) {
			rc = fall_back(t, s + e->from, ends[k] - e->from, out);
			if (rc != 0) {
				if (rc < 0)
					return rc;
				continue;
			}
		}
		if (!was_unk && t->has_unk && add_id(out, t->unk) < 0)
			return -ENOMEM;
		was_unk = 1;
	}
	return 0;
}

/* Viterbi over the characters of a word. */
static int unigram(const struct rk_tokenizer *t, const char *s, size_t n,
		   struct rk_ids *out)
{
	struct lattice *v;
	uint32_t *ends;
	int rc = -ENOMEM;

	if (n > UNIGRAM_WORD) { /* a wall of text: the rest as a new word */
		size_t cut = UNIGRAM_WORD;

		while (cut > 1 && ((unsigned char)s[cut] & 0xc0) == 0x80)
			cut--;
		rc = unigram(t, s, cut, out);
		return rc ? rc : unigram(t, s + cut, n - cut, out);
	}
	v = rk_malloc((n + 1) * sizeof(*v));
	ends = rk_malloc((n + 1) * sizeof(*ends));
	if (v && ends) {
		for (size_t i = 0; i <= n; i++)
			v[i] = (struct lattice){-HUGE_VAL, 0, NULL};
		v[0].score = 0;
		for (uint32_t at = 0; at < n; at++)
			if (isfinite(v[at].score))
				extend(t, s, n, at, v);
		rc = emit(t, s, n, v, ends, out);
	}
	rk_free(v);
	rk_free(ends);
	return rc;
}

static int word(const struct rk_tokenizer *t, const char *s, size_t n,
		struct rk_ids *out)
{
	if (n == 0)
		return 0;
	switch (t->model) {
	case UNIGRAM:
		return unigram(t, s, n, out);
	case WORDLEVEL:
		return wordlevel(t, s, n, out);
	case WORDPIECE:
	default:
		return wordpiece(t, s, n, out);
	}
}

/* --- pre-tokenizers: a text to words --- */

static int cut_with(const struct rk_tokenizer *t, unsigned level, const char *s,
		    size_t n, struct rk_ids *out);

/* Spaces become the mark, which begins each word. */
static int cut_meta(const struct rk_tokenizer *t, unsigned level, const char *s,
		    size_t n, struct rk_ids *out)
{
	struct rk_buf b = RK_BUF_INIT,
		      in = {.p = (uint8_t *)(uintptr_t)s, .n = n};
	size_t mark = strlen(t->meta), from = 0;
	int rc;

	if (t->meta_prepend && n && *s != ' ' &&
	    (n < mark || memcmp(s, t->meta, mark) != 0))
		rk_buf_str(&b, t->meta);
	replace(&in, " ", t->meta, &b);
	rc = b.err;
	for (size_t i = mark;
	     b.p && t->meta_split && i + mark <= b.n && rc == 0; i++)
		if (memcmp(b.p + i, t->meta, mark) == 0) {
			rc = cut_with(t, level + 1, (char *)b.p + from,
				      i - from, out);
			from = i;
		}
	if (rc == 0 && b.n)
		rc = cut_with(t, level + 1, (char *)b.p + from, b.n - from,
			      out);
	rk_buf_release(&b);
	return rc;
}

/* What a character is to a way of cutting: 0 a gap, 1 alone, 2.. its run. */
static int class_of(enum cut cut, int32_t c)
{
	if (is_space(c))
		return 0;
	if (cut == CUT_BERT && is_punctuation(c))
		return 1;
	if (cut == CUT_WORDS)
		return is_word(c) ? 2 : 3;
	return 2;
}

static int cut_runs(const struct rk_tokenizer *t, unsigned level, const char *s,
		    size_t n, struct rk_ids *out)
{
	size_t from = 0;
	int was = 0, rc = 0;

	for (size_t i = 0; i < n && rc == 0;) {
		int32_t c;
		size_t k = next_char(s + i, n - i, &c);
		int is = class_of(t->cut[level], c);

		if (is != was || is == 1) {
			if (was)
				rc = cut_with(t, level + 1, s + from, i - from,
					      out);
			from = i;
			was = is;
		}
		i += k;
	}
	return rc || !was ? rc
			  : cut_with(t, level + 1, s + from, n - from, out);
}

static int cut_with(const struct rk_tokenizer *t, unsigned level, const char *s,
		    size_t n, struct rk_ids *out)
{
	if (level >= t->ncuts)
		return word(t, s, n, out);
	return t->cut[level] == CUT_META ? cut_meta(t, level, s, n, out)
					 : cut_runs(t, level, s, n, out);
}

int rk_tokenize(const struct rk_tokenizer *t, const char *s, size_t n,
		struct rk_ids *out)
{
	struct rk_buf b = RK_BUF_INIT;
	int rc = normalize(t, s, n, &b);

	if (rc == 0 && b.n)
		rc = cut_with(t, 0, (char *)b.p, b.n, out);
	rk_buf_release(&b);
	return rc;
}
