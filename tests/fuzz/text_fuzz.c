/* SPDX-License-Identifier: MIT */
/*
 * What reads documents and patterns before they are terms. The first byte says
 * which: HTML keeps its length and lines, a signature never hides a match,
 * ignore files and wildcards end in time, a language is one that is known,
 * entities that were encoded are read back.
 */
#include "fuzz/fuzz.h"
#include "text/symbols/entity.h"
#include "text/match/gitignore.h"
#include "text/extract/html.h"
#include "text/analyse/language.h"
#include "text/match/regex.h"
#include "text/match/trigram.h"

static void html(const char *s, size_t n)
{
	char *t = malloc(n + 1);

	memcpy(t, s, n);
	rk_html_blank(t, n);
	for (size_t i = 0; i < n; i++)
		PROPERTY((t[i] == '\n') == (s[i] == '\n'));
	free(t);
}

/* pattern, newline, text */
static void regex(const char *s, size_t n)
{
	const char *nl = memchr(s, '\n', n);
	struct rk_buf sig = RK_BUF_INIT;
	static struct rk_grams g;
	struct rk_regex *r = NULL;
	char why[100];
	size_t k;

	if (!nl || nl - s > 60)
		return;
	k = (size_t)(nl - s);
	if (rk_regex_new(s, k, (int)(n & 1), &r, why, sizeof(why)) < 0)
		return;
	PROPERTY(rk_signature(&g, nl + 1, n - k - 1, &sig) == 0);
	if (rk_regex_in_text(r, nl + 1, n - k - 1))
		PROPERTY(rk_regex_may_match(r, sig.p, sig.n));
	/* what is skipped does not match */
	for (const char *p = nl + 1, *end = s + n; p < end;) {
		const char *e = memchr(p, '\n', (size_t)(end - p));

		e = e ? e : end;
		if (rk_regex_match(r, p, (size_t)(e - p)) == 1) {
			const char *c = rk_regex_candidate(r, p, end);

			PROPERTY(c && c <= e);
		}
		p = e + 1;
	}
	rk_buf_release(&sig);
	rk_regex_free(r);
}

static void ignore(const char *s, size_t n)
{
	struct rk_ignore_set *a = rk_ignore_new("", NULL), *b;

	PROPERTY(a && rk_ignore_add(a, s, n) == 0);
	b = rk_ignore_new("dir/", a);
	PROPERTY(b && rk_ignore_add(b, s, n) == 0);
	rk_ignore_match(b, "dir/sub/aaaaaaaaaaaaaaaaaaaaaaaaaaa.txt", 0);
	rk_ignore_match(b, "dir/x", 1);
	rk_ignore_unref(b);
}

static void entities(const char *s, size_t n)
{
	struct rk_entity x = {.kind = "k", .scope = "s", .signature = "()"};
	struct rk_buf b = RK_BUF_INIT;
	struct rk_entity_ref e;
	const char *p = s;
	char *name = malloc(n + 1);

	while (rk_entity_next(&p, s + n, &e))
		PROPERTY(e.name >= s && e.name + e.name_n <= s + n);
	memcpy(name, s, n);
	name[n] = '\0';
	x.name = name;
	x.line = x.end = (uint32_t)n;
	rk_entity_encode(&x, &b);
	p = (const char *)b.p;
	PROPERTY(rk_entity_next(&p, (const char *)b.p + b.n, &e));
	PROPERTY(e.line == n && e.kind_n == 1);
	rk_buf_release(&b);
	free(name);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	const char *s = (const char *)data + 1;

	if (n == 0)
		return 0;
	n--;
	switch (data[0] % 5) {
	case 0:
		html(s, n);
		break;
	case 1:
		regex(s, n);
		break;
	case 2:
		ignore(s, n);
		break;
	case 3:
		PROPERTY((unsigned)rk_language_detect(s, n) < RK_LANGUAGES);
		break;
	default:
		entities(s, n);
	}
	return 0;
}
