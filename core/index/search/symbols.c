/* SPDX-License-Identifier: MIT */
/*
 * Definitions by name: the postings of a symbol's property say which chunks,
 * the entities that lie with those chunks say what and in which line.
 */
#include "index/search/symbols.h"
#include "index/search/candidates.h"
#include "text/extract/property.h"
#include <assert.h>
#include <errno.h>
#include <string.h>
#include <strings.h>

struct finder {
	struct rk_searching *s;
	const char *name;
	size_t n;
	struct rk_definition *out;
	int count, max;
};

int rk_is_major(const struct rk_entity_ref *e)
{
	static const char *const MINOR[] = {
		"member",   "enumerator", "variable", "externvar", "field",
		"property", "prototype",  "header",   "constant",  "label"};

	if (e->end > e->line || e->signature_n)
		return 1;
	for (size_t i = 0; i < sizeof(MINOR) / sizeof(MINOR[0]); i++)
		if (strlen(MINOR[i]) == e->kind_n &&
		    memcmp(MINOR[i], e->kind, e->kind_n) == 0)
			return 0;
	return 1;
}

static int look_in_chunk(struct finder *f, unsigned source, uint32_t chunk)
{
	const struct rk_qsource *src = &f->s->src[source];
	struct rk_entity_ref e;
	struct rk_found x;
	const char *p, *end;

	if (chunk >= src->nchunks || rk_resolve(f->s, src, chunk, &x) < 0)
		return RK_ECORRUPT;
	if (!x.alive)
		return 0;
	p = x.head + x.chunk.head_n + x.chunk.sym_n;
	end = p + x.chunk.ent_n;
	while (f->count < f->max && rk_entity_next(&p, end, &e)) {
		if (e.name_n != f->n || strncasecmp(e.name, f->name, f->n) != 0)
			continue;
		f->out[f->count++] = (struct rk_definition){
			{0, source, chunk},
			e,
			memcmp(e.name, f->name, f->n) == 0};
	}
	return 0;
}

static int look_in_memtable(struct finder *f, unsigned source, const char *term,
			    size_t n)
{
	const struct rk_memtable *m = f->s->src[source].mem;
	int64_t id = rk_vocab_find(&m->vocab, term, (uint32_t)n);
	struct rk_posting p = {.id = UINT32_MAX};
	int rc = 0;

	if (id < 0 || (uint64_t)id >= m->terms_cap)
		return 0;
	for (const uint8_t *q = m->terms[id].p;
	     q < m->terms[id].p + m->terms[id].n && rc == 0;) {
		q = rk_mposting_next(q, &p);
		rc = look_in_chunk(f, source, p.id);
	}
	return rc;
}

static int look_in_segment(struct finder *f, unsigned source, const char *term,
			   size_t n)
{
	struct rk_dict_entry e;
	struct rk_postr list;
	struct rk_cursor c;
	int rc = rk_segment_postings(f->s->src[source].seg, term, n, &e, &list);

	if (rc <= 0)
		return rc;
	rk_cursor_list(&c, &list, 255, 1, 1);
	for (uint32_t id = rk_cursor_geq(&c, 0); id != RK_END && rc >= 0;
	     id = rk_cursor_geq(&c, id + 1))
		rc = look_in_chunk(f, source, id);
	return rc < 0 ? rc : c.err;
}

int rk_find_definitions(struct rk_searching *s, const char *name, size_t n,
			struct rk_definition *out, int max)
{
	struct finder f = {s, name, n, out, 0, max};
	char term[RK_TERM_MAX];
	size_t k = rk_property_name(term, RK_PROP_SYMBOL, "", 0, name, n);

	assert(max > 0);
	for (unsigned i = 0; i < s->nsrc; i++) {
		struct rk_qsource *src = &s->src[i];
		int rc;

		if (src->bad)
			continue;
		rc = src->mem ? look_in_memtable(&f, i, term, k)
			      : look_in_segment(&f, i, term, k);
		if (rc == RK_ECORRUPT)
			rk_source_failed(src);
		else if (rc < 0)
			return rc;
	}
	return f.count;
}
