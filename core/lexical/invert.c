/* SPDX-License-Identifier: MIT */
#include "lexical/invert.h"
#include "base/hash.h"
#include "base/mem.h"
#include "lexical/dict.h"
#include "text/symbols/entity.h"
#include "text/extract/property.h"
#include <assert.h>
#include <errno.h>
#include <string.h>

enum { TITLE_GAP = 8 }; /* positions between a heading and its body */

void rk_inverted_release(struct rk_inverted *v)
{
	rk_free(v->chunks);
	rk_free(v->terms);
	rk_buf_release(&v->pos);
	rk_free(v->slot);
	rk_free(v->stamp);
	rk_free(v->at);
	memset(v, 0, sizeof(*v));
}

static int stamps_room(struct rk_inverted *v, uint32_t n)
{
	size_t cap = v->stamps_cap, same = cap;

	if (rk_grow(&v->slot, &cap, n, sizeof(*v->slot)) < 0 ||
	    rk_grow(&v->stamp, &same, n, sizeof(*v->stamp)) < 0)
		return -ENOMEM;
	v->stamps_cap = (uint32_t)cap;
	return 0;
}

/* Token ranges of one chunk's fields, in the order they are analysed. */
struct fields {
	size_t title, body, sym, path; /* ends; each begins at the one before */
	size_t lead; /* the body's first tokens count double */
};

static int analyse_fields(struct rk_analyser *a, const struct rk_chunk *c,
			  const char *s, const char *path, int code,
			  struct fields *f)
{
	uint32_t pos = 0, none = 0;
	int rc;

	rk_analyser_reset(a);
	if ((rc = rk_analyse(a, c->head, c->head_len, 0, &pos)) < 0)
		return rc;
	rk_analyser_toks(a, &f->title);
	if (pos)
		pos += TITLE_GAP;
	if ((rc = rk_analyse(a, s + c->off, c->len, code, &pos)) < 0)
		return rc;
	rk_analyser_toks(a, &f->body);
	if ((rc = rk_analyse(a, c->sym, c->sym_len, 0, &none)) < 0)
		return rc;
	rk_analyser_toks(a, &f->sym);
	if ((rc = rk_analyse(a, path, strlen(path), 0, &none)) < 0)
		return rc;
	rk_analyser_toks(a, &f->path);
	f->lead = f->title;
	if (c->head_len == 0 && c->sym_len == 0)
		f->lead = f->body - f->title < RK_LEAD_TOKENS
				  ? f->body
				  : f->title + RK_LEAD_TOKENS;
	return 0;
}

static uint32_t head_weight(const struct fields *f, size_t i)
{
	if (i < f->title)
		return RK_HEAD_TITLE;
	if (i < f->lead)
		return RK_HEAD_LEAD;
	if (i < f->body)
		return 0;
	return i < f->sym ? RK_HEAD_SYMBOL : RK_HEAD_PATH;
}

static struct rk_inv_term *inv_term(struct rk_inverted *v, uint32_t term)
{
	if (v->stamp[term] != v->serial) {
		v->stamp[term] = v->serial;
		v->slot[term] = (uint32_t)v->nterms;
		v->terms[v->nterms++] = (struct rk_inv_term){.term = term};
	}
	return &v->terms[v->slot[term]];
}

/* pos_n counts positions here; encode_positions() turns it into bytes */
static void count_token(struct rk_inverted *v, const struct rk_tok *t, size_t i,
			const struct fields *f, uint32_t *body, uint32_t *head)
{
	struct rk_inv_term *e = inv_term(v, t->term);

	if (t->word)
		return;
	e->pos_n += i < f->body;
	if (i >= f->title && i < f->body) {
		e->tf++;
		*body += !t->extra;
	}
	e->head += head_weight(f, i);
	*head += head_weight(f, i) != 0;
}

static void note_form(struct rk_inv_term *e, uint8_t code)
{
	for (unsigned i = 0; i < e->nforms; i++)
		if (e->form[i] == code || e->form[i] == RK_FORM_ANY)
			return;
	if (e->nforms == RK_FORMS_MAX) {
		e->nforms = 1;
		code = RK_FORM_ANY;
		e->form[0] = code;
		return;
	}
	e->form[e->nforms++] = code;
}

/* The word that token i was before it was stemmed; it is kept behind it. */
static uint8_t form_of(const struct rk_analyser *a, const struct rk_tok *t,
		       size_t n, size_t i)
{
	return i + 1 < n && t[i + 1].word && t[i + 1].off == t[i].off
		       ? rk_form_code(
				 rk_analyser_vocab(a)->v[t[i + 1].term].hash)
		       : RK_FORM_SELF;
}

/* Group the positions of title and body by term, in text order. */
static void group_positions(struct rk_inverted *v, const struct rk_analyser *a,
			    const struct rk_tok *toks, const struct fields *f,
			    size_t first)
{
	uint32_t next = 0;

	for (size_t i = first; i < v->nterms; i++) {
		v->terms[i].pos_off = next;
		next += v->terms[i].pos_n;
		v->terms[i].pos_n = 0;
	}
	for (size_t i = 0; i < f->body; i++) {
		struct rk_inv_term *e;

		if (toks[i].word)
			continue;
		e = &v->terms[v->slot[toks[i].term]];
		v->at[e->pos_off + e->pos_n++] = toks[i].pos;
		note_form(e, form_of(a, toks, f->body, i));
	}
}

static void encode_positions(struct rk_inverted *v, size_t first)
{
	for (size_t i = first; i < v->nterms; i++) {
		struct rk_inv_term *e = &v->terms[i];
		const uint32_t *at = v->at + e->pos_off;
		size_t start = v->pos.n;
		uint32_t prev = 0;
		/* the term itself and nothing else goes without saying */
		unsigned told = e->nforms == 1 && e->form[0] == RK_FORM_SELF
					? 0
					: e->nforms;

		if (e->head)
			rk_buf_varint(&v->pos, e->pos_n);
		for (uint32_t k = 0; k < e->pos_n; k++) {
			if (k == 0)
				rk_first_gap(&v->pos, at[k], e->form, told);
			else
				rk_buf_varint(&v->pos, at[k] - prev);
			prev = at[k];
		}
		e->pos_off = (uint32_t)start;
		e->pos_n = (uint32_t)(v->pos.n - start);
	}
}

/*
 * A property's posting counts once in the heading: it has no positions, and
 * lengths do not know of it.
 */
static int add_property(struct rk_inverted *v, struct rk_analyser *a,
			const char *term, size_t n)
{
	int64_t id = rk_analyser_intern(a, term, n);

	if (id < 0 || stamps_room(v, (uint32_t)id + 1) < 0 ||
	    rk_grow(&v->terms, &v->terms_cap, v->nterms + 1,
		    sizeof(*v->terms)) < 0)
		return -ENOMEM;
	inv_term(v, (uint32_t)id)->head = 1;
	return 0;
}

static int add_properties(struct rk_inverted *v, struct rk_analyser *a,
			  const struct rk_chunk *c,
			  const struct rk_props *props)
{
	const char *p = c->ent, *end = c->ent + c->ent_len;
	struct rk_entity_ref e;
	char term[RK_TERM_MAX];
	int rc = 0;

	while (rc == 0 && rk_entity_next(&p, end, &e)) {
		size_t n = rk_property_name(term, RK_PROP_SYMBOL, "", 0, e.name,
					    e.name_n);

		rc = add_property(v, a, term, n);
		n = rk_property_name(term, RK_PROP_KIND, "", 0, e.kind,
				     e.kind_n);
		if (rc == 0)
			rc = add_property(v, a, term, n);
	}
	for (size_t i = 0; props && i < props->terms.n && rc == 0;) {
		const char *t = (const char *)props->terms.p + i;
		size_t n = strlen(t);

		rc = add_property(v, a, t, n);
		i += n + 1;
	}
	return rc;
}

static int invert_chunk(struct rk_inverted *v, struct rk_analyser *a,
			const struct rk_chunk *c, const char *s,
			const char *path, int code,
			const struct rk_props *props)
{
	struct rk_inv_chunk *out;
	struct fields f;
	const struct rk_tok *toks;
	size_t n, first = v->nterms;
	uint32_t body = 0, head = 0;

	if (analyse_fields(a, c, s, path, code, &f) < 0)
		return -ENOMEM;
	toks = rk_analyser_toks(a, &n);
	if (stamps_room(v, rk_analyser_vocab(a)->n) < 0 ||
	    rk_grow(&v->terms, &v->terms_cap, v->nterms + n,
		    sizeof(*v->terms)) < 0 ||
	    rk_grow(&v->at, &v->at_cap, n, sizeof(*v->at)) < 0)
		return -ENOMEM;
	v->serial++;
	for (size_t i = 0; i < n; i++)
		count_token(v, &toks[i], i, &f, &body, &head);
	group_positions(v, a, toks, &f, first);
	if (add_properties(v, a, c, props) < 0)
		return -ENOMEM;
	encode_positions(v, first);
	out = &v->chunks[v->nchunks++];
	*out = (struct rk_inv_chunk){
		.rec = {.off = c->off,
			.len = (uint32_t)c->len,
			.line = c->line,
			.nlines = c->nlines,
			.head_n = c->head_len,
			.sym_n = c->sym_len,
			.ent_n = c->ent_len,
			.page = c->page,
			.id = rk_hash64(s + c->off, c->len)},
		.head = c->head,
		.sym = c->sym,
		.ent = c->ent,
		.norm = rk_norm_make(body, head, code),
		.first = (uint32_t)first,
		.n = (uint32_t)(v->nterms - first),
	};
	return v->pos.err;
}

int rk_invert(struct rk_inverted *v, struct rk_analyser *a, const char *path,
	      enum rk_kind kind, const char *s, const struct rk_chunks *chunks,
	      const struct rk_props *props)
{
	int rc = 0;

	assert(chunks->n > 0);
	v->nchunks = v->nterms = 0;
	v->pos.n = 0;
	v->pos.err = 0;
	if (rk_grow(&v->chunks, &v->chunks_cap, chunks->n, sizeof(*v->chunks)) <
	    0)
		return -ENOMEM;
	for (size_t i = 0; i < chunks->n && rc == 0; i++)
		rc = invert_chunk(v, a, &chunks->v[i], s, path,
				  kind == RK_KIND_CODE, props);
	return rc;
}
