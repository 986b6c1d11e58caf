/* SPDX-License-Identifier: MIT */
/* The first byte chooses the kind; chunks are in order and inside the text. */
#include "fuzz/fuzz.h"
#include "text/analyse/analyse.h"
#include "text/chunk/chunk.h"
#include "text/symbols/entity.h"
#include "text/extract/metadata.h"

static void check_entities(const struct rk_chunk *c)
{
	const char *p = c->ent, *end = p + c->ent_len;
	struct rk_entity_ref e;

	while (rk_entity_next(&p, end, &e))
		PROPERTY(e.line >= c->line && e.line < c->line + c->nlines);
	PROPERTY(p == end);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static struct rk_analyser *a;
	struct rk_chunks c = RK_CHUNKS_INIT;
	struct rk_buf props = RK_BUF_INIT;
	char *text;
	size_t end = 0;
	uint32_t pos = 0;

	if (n == 0)
		return 0;
	if (!a)
		PROPERTY(rk_analyser_new("english", &a) == 0);
	/* a copy with a NUL, as the extractor gives it */
	text = malloc(n);
	memcpy(text, data + 1, n - 1);
	text[n - 1] = '\0';
	PROPERTY(rk_chunk_text((enum rk_kind)(data[0] % RK_KINDS), text, n - 1,
			       NULL, &c) == 0);
	PROPERTY(c.n >= 1);
	for (size_t i = 0; i < c.n; i++) {
		PROPERTY(c.v[i].off >= end);
		end = c.v[i].off + c.v[i].len;
		PROPERTY(end <= n - 1);
		PROPERTY(c.v[i].nlines >= 1 && c.v[i].line >= 1);
		PROPERTY(strlen(c.v[i].head) == c.v[i].head_len);
		PROPERTY(c.v[i].head_len <= RK_HEAD_MAX);
		PROPERTY(c.v[i].sym_len <= RK_SYM_MAX);
		PROPERTY(c.v[i].ent_len <= RK_ENT_MAX);
		check_entities(&c.v[i]);
		rk_analyser_reset(a);
		PROPERTY(rk_analyse(a, text + c.v[i].off, c.v[i].len, 1,
				    &pos) == 0);
	}
	rk_analyser_trim(a);
	PROPERTY(rk_metadata((enum rk_kind)(data[0] % RK_KINDS), text, n - 1,
			     &props) == 0);
	PROPERTY(props.n == 0 || props.p[props.n - 1] == 0);
	rk_buf_release(&props);
	rk_chunks_release(&c);
	free(text);
	return 0;
}
