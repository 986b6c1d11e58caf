/* SPDX-License-Identifier: MIT */
/* A tokenizer from its JSON file. */
#include "base/mem.h"
#include "vector/embed/tokenizer_state.h"
#include "vector/embed/vocabulary.h"
#include <errno.h>
#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { DEPTH_MAX = 8 }; /* of nested sequences */

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

static int load_map(struct loading *l, json_t *vocab)
{
	const char *key;
	json_t *v;
	int rc = rk_pieces_init(l->t, json_object_size(vocab));

	json_object_foreach(vocab, key, v)
	{
		json_int_t id = json_integer_value(v);

		if (rc == 0 &&
		    (!json_is_integer(v) || id < 0 || id > INT32_MAX))
			return refuse(l, -EINVAL, "tokenizer: a bad token id");
		if (rc == 0)
			rc = rk_piece_add(l->t, key, strlen(key), (uint32_t)id,
					  0);
	}
	return rc;
}

static int load_list(struct loading *l, const json_t *vocab)
{
	double low = 0;
	json_t *e;
	size_t i;
	int rc = rk_pieces_init(l->t, json_array_size(vocab));

	json_array_foreach(vocab, i, e)
	{
		const json_t *s = json_array_get(e, 0);
		double score = json_number_value(json_array_get(e, 1));

		if (rc == 0 && !json_is_string(s))
			return refuse(l, -EINVAL, "tokenizer: a bad piece");
		if (score < low)
			low = score;
		if (rc == 0)
			rc = rk_piece_add(l->t, json_string_value(s),
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
	if ((p = rk_piece_find(t, unk, strlen(unk)))) {
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
