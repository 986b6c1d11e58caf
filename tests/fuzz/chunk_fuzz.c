/* SPDX-License-Identifier: MIT */
/* The first byte chooses the kind; chunks are in order and inside the text. */
#include "fuzz/fuzz.h"
#include "text/analyse/analyse.h"
#include "text/chunk/chunk.h"
#include "text/symbols/ends.h"
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

/* As if ctags had named the lines that look like definitions. */
static void check_ends(const char *s, size_t n, unsigned style)
{
	static const char *const LANGUAGES[] = {"JavaScript", "Rust",	 "Perl",
						"Lua",	      "Clojure", "Sh"};
	struct rk_entities e = RK_ENTITIES_INIT;
	uint32_t lines = 1;

	for (size_t i = 0; i < n; i++)
		lines += s[i] == '\n';
	PROPERTY(rk_entities_by_shape(s, n, &e) == 0);
	for (size_t i = 0; i < e.n; i++) {
		e.v[i].end = e.v[i].line;
		e.v[i].kind = i % 2 ? "constant" : "function";
	}
	PROPERTY(rk_entities_find_ends(LANGUAGES[style % 6], s, n, &e) == 0);
	for (size_t i = 0; i < e.n; i++)
		PROPERTY(e.v[i].end >= e.v[i].line && e.v[i].end <= lines);
	rk_entities_release(&e);
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
	check_ends(text, n - 1, data[0] / RK_KINDS);
	rk_analyser_trim(a);
	PROPERTY(rk_metadata((enum rk_kind)(data[0] % RK_KINDS), text, n - 1,
			     &props) == 0);
	PROPERTY(props.n == 0 || props.p[props.n - 1] == 0);
	rk_buf_release(&props);
	rk_chunks_release(&c);
	free(text);
	return 0;
}
