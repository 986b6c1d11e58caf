/* SPDX-License-Identifier: MIT */
#include "query/query.h"
#include "text/extract/kind.h"
#include "text/extract/property.h"
#include "text/match/regex.h"
#include "text/match/trigram.h"
#include "unit/t.h"
#include <errno.h>
#include <math.h>
#include <time.h>

static struct rk_analyser *an;
/* 2026-03-15 12:00:00 UTC, a Sunday */
#define NOW (1773576000ll * 1000000000)

/* --- the tree --- */

static void put_terms(struct rk_buf *b, const struct rk_query *q,
		      const struct rk_qnode *n)
{
	static const char *const TAIL[] = {"", "*", "~", "%", "?"};

	for (unsigned t = n->term; t < n->term + n->nterms; t++) {
		const struct rk_qterm *e = &q->terms[t];
		size_t skip = n->kind == RK_NODE_PROPERTY;

		rk_buf_printf(b, "%s%s%s", t > n->term ? "." : "", e->s + skip,
			      TAIL[e->match]);
		if (e->weight > 0 && fabs((double)e->weight - 1) > 0.001)
			rk_buf_printf(b, "^%g", (double)e->weight);
	}
}

/* "+" must, "-" not; (all), [any], "phrase", {filter}, <property> */
static void put_node(struct rk_buf *b, const struct rk_query *q,
		     const struct rk_qnode *n)
{
	static const char *const OPEN[] = {"(", "", "\"", "<", "{", "/"};
	static const char *const CLOSE[] = {")", "", "\"", ">", "}", "/"};

	rk_buf_str(b, n->occur == RK_MUST  ? "+"
		      : n->occur == RK_NOT ? "-"
					   : "");
	rk_buf_str(b, n->any ? "[" : OPEN[n->kind]);
	put_terms(b, q, n);
	if (n->kind == RK_NODE_FILTER)
		rk_buf_printf(b, "%d:%s", (int)n->filter.kind, n->filter.value);
	for (const struct rk_qnode *c = n->child; c; c = c->next) {
		put_node(b, q, c);
		if (c->next)
			rk_buf_byte(b, ' ');
	}
	rk_buf_str(b, n->any ? "]" : CLOSE[n->kind]);
	if (n->slop)
		rk_buf_printf(b, "~%u", n->slop);
}

static char *describe(const char *text)
{
	struct rk_buf b = RK_BUF_INIT;
	struct rk_query q;

	CHECK_INT(rk_query_parse(&q, an, text, strlen(text), NOW, 0), 0);
	for (const struct rk_qnode *c = q.root ? q.root->child : NULL; c;
	     c = c->next) {
		if (b.n)
			rk_buf_byte(&b, ' ');
		put_node(&b, &q, c);
	}
	if (q.hits > 0)
		rk_buf_printf(&b, " n=%lld", (long long)q.hits);
	if (q.page > 1)
		rk_buf_printf(&b, " page=%lld", (long long)q.page);
	if (q.format)
		rk_buf_printf(&b, " as=%d", (int)q.format);
	if (q.sort)
		rk_buf_printf(&b, " sort=%d", (int)q.sort);
	if (q.bare)
		rk_buf_printf(&b, " bare=%s", q.bare);
	for (const char *s = (char *)q.notes.p, *e = s + q.notes.n; s < e; s++)
		if (s == (char *)q.notes.p || s[-1] == '\n')
			rk_buf_printf(&b, " # %.*s", (int)strcspn(s, "\n"), s);
	rk_buf_byte(&b, 0);
	rk_query_release(&q);
	return (char *)b.p;
}

static void queries_are_understood(void)
{
	static const struct {
		const char *text, *want;
	} ROWS[] = {
		{"rotating keys", "rotat key"},
		{"keys", "key bare=keys"},
		{"word word", "word^2 bare=word"},
		{"+the -not word", "word bare=word"}, /* stop words */
		{"+secure -draft word", "+secur -draft word"},
		{"\"point in time\" backup", "+\"point.time\" backup"},
		{"\"point time\"~3 x1", "+\"point.time\"~3 x1"},
		{"\"unclosed phrase", "+\"unclos.phrase\""},
		{"\"readAhead size\"", "+\"read.ahead.size\""},
		{"cat OR dog", "[cat dog]"},
		{"cat | dog bird", "[cat dog] bird"},
		{"cat OR \"big dog\"", "+[cat +\"big.dog\"]"},
		{"cat AND dog", "+cat +dog"},
		{"cat AND dog bird", "+cat +dog bird"},
		{"(cat dog) bird", "(cat dog) bird"},
		{"+(cat OR dog) -(bird fish)", "+[cat dog] -(bird fish)"},
		{"((cat))", "cat"},
		{"(cat", "cat"},
		{"cat) dog", "cat dog"},
		{"OR cat AND", "cat bare=cat"},
		{"() cat ()", "cat bare=cat"},
		/* operators, which titles in capitals have not */
		{"cat AND NOT dog", "+cat -dog"},
		{"cat NOT dog", "cat -dog"},
		{"cat NOT \"big dog\" bird", "cat -\"big.dog\" bird"},
		{"(cat OR dog) NOT (bird OR fish)", "[cat dog] -[bird fish]"},
		{"cat NOT NOT", "cat bare=cat"},
		{"NOT found", "found bare=found"},
		{"Cat NOT found NOT", "cat -found"},
		{"ROLE OF X OR Y", "role x y"},
		{"CATS AND DOGS", "cat dog"},
		{"CATS NOT DOGS n:3 as:json", "cat dog n=3 as=1"},
		{"\xc3\x84RZTE OR \xc3\x96L", "arzt ol"},
		{"\xc3\xa4rzte OR \xc3\x96L", "[arzt ol]"},
		{"1984 OR 1985", "[1984 1985]"},
		{"\xe5\xbe\x8b\xe6\xb3\x95 OR 1985",
		 "[\xe5\xbe\x8b\xe6\xb3\x95 1985]"},
		{"CATS | DOGS", "[cat dog]"},
		/* a minus that would leave nothing is read as text */
		{"-draft",
		 "draft # -draft is read as a word, not excluded: without it "
		 "nothing is left"},
		{"-path:x -draft", "-{0:x} -draft"},
		{"-\"big dog\"", "-\"big.dog\""},
		/* keys are followed by one colon and a value */
		{"std::vector", "std.vector"},
		{"path::join tag::em", "path.join tag.em"},
		{"path: x1",
		 "path x1 # path: has no value and is read as a word"},
		{"path:\xe2\x80\x9cmy notes\xe2\x80\x9d x1",
		 "+[+{0:my notes}] x1"},
		{"path:SRC/** x1", "+[+{0:src/**}] x1"},
		/* typographic quotes are quotes */
		{"\xe2\x80\x9cpoint in time\xe2\x80\x9d x1",
		 "+\"point.time\" x1"},
		{"\xe2\x80\x9epoint in time\xe2\x80\x9c x1",
		 "+\"point.time\" x1"},
		{"\xc2\xab point in time \xc2\xbb x1", "+\"point.time\" x1"},
		{"\xe3\x80\x8cpoint in time\xe3\x80\x8d x1",
		 "+\"point.time\" x1"},
		{"-\xe2\x80\x9cpoint in time\xe2\x80\x9d x1",
		 "-\"point.time\" x1"},
		/* one word in quotes is meant as it is written */
		{"\"university\" x1", "+(+\"univers\" +//) x1"},
		{"-\"university\" x1", "-(+\"univers\" +//) x1"},
		{"\"\xc3\xa9t\xc3\xa9s\"", "+\"ete\""},
		/* wildcards */
		{"rotat* x", "rotat* x"},
		{"*schule x", "*schule% x"},
		{"wom?n dis*ed", "wom?n% dis*ed%"},
		{"Stra\xc3\x9f*bahn \xc3\x84*zte", "strass*bahn% a*zte%"},
		{"where is the key?", "key"},
		{"is it rotat*?", "rotat*"},
		{"a*b 2*3 **bold** c?", "b 2.3 bold c"},
		/* boosts */
		{"cat^2 dog", "cat^2 dog"},
		{"\"big dog\"^3 (cat bird)^0.5",
		 "+\"big^3.dog^3\" (cat^0.5 bird^0.5)"},
		{"x^2 cat^ cat^a", "x.2 cat^2"},
		{"\"point time\"~3^2 x1", "+\"point^2.time^2\"~3 x1"},
		/* values that make no sense */
		{"n:abc word", "n.abc word # n:abc is not a number"},
		{"case:maybe word",
		 "case.mayb word # case:maybe is not yes or no"},
		{"lang:klingon word",
		 "+[+{2:klingon}] word # lang:klingon is no language that is "
		 "known"},
		{"kind:function,gadget word", "+[+{3:function,gadget}] word # "
					      "kind:gadget is no kind that is "
					      "known"},
		/* very common words are a condition on the text */
		{"to be or not to be", "+//"},
		{"TO BE OR NOT TO BE", "+//"},
		{"\"the who\" concert", "+// concert"},
		{"-\"the who\" concert", "-// concert"},
		{"the", ""},
		{"the who ext:c", "+[+{1:c}] +//"},
		{"case:yes Apple", "appl +// bare=Apple"},
		{"case:yes +Apple \"Big Dog\" fish",
		 "+appl +\"big.dog\" fish +// +// +//"},
		/* a request is no part of what is asked for */
		{"I'd like to find articles about cat dog", "cat dog"},
		{"I\xe2\x80\x99"
		 "d like to find articles about cat dog",
		 "cat dog"},
		{"please show me papers on cat dog", "cat dog"},
		{"Could you tell me about cat dog", "cat dog"},
		{"I'm looking for cat dog", "cat dog"},
		{"documents that discuss cat dog", "cat dog"},
		{"are there any papers about cat dog", "cat dog"},
		{"find files larger", "find file larger"},
		{"show tables", "show tabl"},
		{"tell me about it", "tell bare=tell"},
		{"show me", "show bare=show"},
		{"files about", "file bare=files"},
		{"~recieve", "recieve~"},
		{"readAhead", "readahead.read.ahead bare=readAhead"},
		{"path:src/** ext:c,h main", "+[+{0:src/**}] +[+{1:c,h}] main"},
		{"path:a path:b", "+[+{0:a} +{0:b}]"},
		{"-path:test main", "-{0:test} main"},
		{"path:\"my notes\" x1", "+[+{0:my notes}] x1"},
		{"(path:a OR ext:c) x1", "+[+{0:a} +{1:c}] x1"},
		{"after:2026-01 before:7d x1", "+{4:2026-01} +{5:7d} x1"},
		{"size:>10k x1", "+{6:>10k} x1"},
		{"size:>99999999999999999k x1", "+{6:>99999999999999999k} x1"},
		{"after:whenever", "whenev # after:whenever is not a date: "
				   "2026-01-31, 7d or today"},
		{"sym:fooBar", "+<sfoobar>"},
		{"tag:#Work", "+<twork>"},
		{"meta.author:Ann", "+<mauthor=ann>"},
		{"meta.year:>2020", "+<myear=?>"},
		{"-tag:old x1", "-<told> x1"},
		{"/a.c/ path:x", "+// +[+{0:x}]"},
		{"/usr/lib/x", "usr.lib.x"},
		{"n:5 as:json word", "word n=5 as=1 bare=word"},
		{"page:2 sort:new word", "word page=2 sort=1 bare=word"},
		{"n:0 as:garbage",
		 "n.0 garbag # n:0 is not a number # as:garbage is not a form: "
		 "text, lines, paths, json, jsonl, pack or ansi"},
		{"http://example.com", "http.exampl.com"},
		{"- + -- \" ' ( ) : ::", ""},
		{"", ""},
	};

	CHECK_INT(rk_analyser_new("english", &an), 0);
	for (size_t i = 0; i < sizeof(ROWS) / sizeof(ROWS[0]); i++) {
		char *got = describe(ROWS[i].text);

		if (strcmp(got, ROWS[i].want) != 0)
			printf("# %s\n", ROWS[i].text);
		CHECK_STR(got, ROWS[i].want);
		free(got);
	}
	rk_analyser_free(an);
}

static void parentheses_may_be_as_deep_as_they_like(void)
{
	size_t n = 20000;
	char *s = malloc(n + 1);
	struct rk_query q;

	CHECK_INT(rk_analyser_new("english", &an), 0);
	memset(s, '(', n);
	memcpy(s + n / 2, "word", 4);
	s[n] = '\0';
	CHECK_INT(rk_query_parse(&q, an, s, n, NOW, 0), 0);
	CHECK_INT(q.nterms, 1);
	rk_query_release(&q);
	free(s);
	rk_analyser_free(an);
}

/* --- filters --- */

static void filters_ask_what_they_say(void)
{
	static const int64_t DAY = 86400ll * 1000000000;
	static const struct {
		enum rk_filter_kind kind;
		const char *value, *path;
		int64_t age_days;
		uint64_t size;
		int want;
	} ROWS[] = {
		{RK_BY_PATH, "src/**", "src/a/b.c", 0, 0, 1},
		{RK_BY_PATH, "src/**", "lib/src.c", 0, 0, 0},
		{RK_BY_PATH, "*.md", "a/b/c.md", 0, 0, 1},
		{RK_BY_PATH, "notes", "my/Notes.txt", 0, 0, 1},
		{RK_BY_PATH, "src/a", "src/a/b.c", 0, 0, 1},
		{RK_BY_PATH, "src/a", "src/ab.c", 0, 0, 0},
		{RK_BY_PATH, "docs/**", "Docs/README.md", 0, 0, 1},
		{RK_BY_PATH, "docs/a", "Docs/A/b", 0, 0, 1},
		{RK_BY_PATH, "gr\xc3\xb6ssen", "gro\xcc\x88ssen.md", 0, 0, 1},
		{RK_BY_PATH, "gr\xc3\xb6*", "a/GR\xc3\x96SSEN.md", 0, 0, 1},
		{RK_BY_PATH, "a/gr\xc3\xb6ssen", "A/GRO\xcc\x88SSEN/b", 0, 0,
		 1},
		{RK_BY_PATH, "\xff", "a\xff\x62", 0, 0, 1},
		{RK_BY_EXT, "c,h", "a/b.H", 0, 0, 1},
		{RK_BY_EXT, ".c", "a/b.c", 0, 0, 1},
		{RK_BY_EXT, "c", "a.c/b", 0, 0, 0},
		{RK_BY_EXT, "c", "noext", 0, 0, 0},
		{RK_BY_LANG, "python,c", "x/y.py", 0, 0, 1},
		{RK_BY_LANG, "C", "x.h", 0, 0, 1},
		{RK_BY_LANG, "c", "x.md", 0, 0, 0},
		{RK_BY_KIND, "code", "x.c", 0, 0, 1},
		{RK_BY_KIND, "markdown,mail", "x.c", 0, 0, 0},
		{RK_BY_AFTER, "7d", "x", 6, 0, 1},
		{RK_BY_AFTER, "7d", "x", 8, 0, 0},
		{RK_BY_BEFORE, "1m", "x", 40, 0, 1},
		{RK_BY_BEFORE, "1w", "x", 6, 0, 0},
		{RK_BY_AFTER, "2026-03", "x", 13, 0, 1},
		{RK_BY_AFTER, "2026-03", "x", 20, 0, 0},
		{RK_BY_BEFORE, "2026", "x", 90, 0, 1},
		{RK_BY_AFTER, "yesterday", "x", 1, 0, 1},
		{RK_BY_AFTER, "today", "x", 1, 0, 0},
		{RK_BY_SIZE, ">10k", "x", 0, 10241, 1},
		{RK_BY_SIZE, ">10k", "x", 0, 10240, 0},
		{RK_BY_SIZE, ">=10k", "x", 0, 10240, 1},
		{RK_BY_SIZE, "<1M", "x", 0, 1 << 20, 0},
		{RK_BY_SIZE, "<=1MiB", "x", 0, 1 << 20, 1},
		{RK_BY_SIZE, "1k..2k", "x", 0, 2048, 1},
		{RK_BY_SIZE, "1k..2k", "x", 0, 2049, 0},
		{RK_BY_SIZE, "=5", "x", 0, 5, 1},
		{RK_BY_SIZE, "1.5k", "x", 0, 1536, 1},
	};

	for (size_t i = 0; i < sizeof(ROWS) / sizeof(ROWS[0]); i++) {
		struct rk_doc_rec d = {.size = ROWS[i].size,
				       .kind = RK_KIND_CODE,
				       .mtime_ns =
					       NOW - ROWS[i].age_days * DAY};
		struct rk_facts x = {ROWS[i].path, &d, ""};
		struct rk_filter f;

		CHECK_INT(rk_filter_parse(&f, ROWS[i].kind, ROWS[i].value, NOW),
			  1);
		if (rk_filter_ok(&f, &x) != ROWS[i].want)
			printf("# %d:%s on row %zu\n", (int)ROWS[i].kind,
			       ROWS[i].value, i);
		CHECK_INT(rk_filter_ok(&f, &x), ROWS[i].want);
	}
}

static void nonsense_is_no_filter(void)
{
	static const struct {
		enum rk_filter_kind kind;
		const char *value;
	} ROWS[] = {{RK_BY_AFTER, "soon"},     {RK_BY_AFTER, "2026-13"},
		    {RK_BY_AFTER, "7"},	       {RK_BY_BEFORE, "-3d"},
		    {RK_BY_BEFORE, "7dd"},     {RK_BY_SIZE, "big"},
		    {RK_BY_SIZE, ">"},	       {RK_BY_SIZE, "nan"},
		    {RK_BY_SIZE, "1k..2k..3"}, {RK_BY_AFTER, "26"}};
	struct rk_filter f;

	for (size_t i = 0; i < sizeof(ROWS) / sizeof(ROWS[0]); i++) {
		if (rk_filter_parse(&f, ROWS[i].kind, ROWS[i].value, NOW))
			printf("# %s\n", ROWS[i].value);
		CHECK_INT(rk_filter_parse(&f, ROWS[i].kind, ROWS[i].value, NOW),
			  0);
	}
}

static void properties_compare_as_numbers_or_words(void)
{
	static const struct {
		const char *want, *value;
		int yes;
	} ROWS[] = {{">2020", "2021", 1},
		    {">2020", "2020", 0},
		    {"10..20", "10", 1},
		    {"10..20", "20", 1},
		    {"10..20", "9", 0},
		    {"10..20", "100", 0},
		    {"10..", "100", 1},
		    {"..20", "9.5", 1},
		    {"..20", "21", 0},
		    {"10..20", "soon", 0},
		    {"2026-01..2026-03", "2026-03-31", 1},
		    {"2026-01..2026-03", "2026-04-01", 0},
		    {"b..d", "Cow", 1},
		    {">=2020", "2020", 1},
		    {"<9", "10", 0},
		    {"<b", "a", 1},
		    {"*", "anything", 1},
		    {"an*", "anna", 1},
		    {"an*", "bob", 0},
		    {">2020", "soon", 0}};
	struct rk_compare c;

	for (size_t i = 0; i < sizeof(ROWS) / sizeof(ROWS[0]); i++) {
		char text[32];

		strcpy(text, ROWS[i].want);
		if (!rk_compare_range(&c, text))
			rk_compare_parse(&c, ROWS[i].want);
		CHECK_INT(
			rk_compare_ok(&c, ROWS[i].value, strlen(ROWS[i].value)),
			ROWS[i].yes);
	}
}

/* --- patterns --- */

static int pattern(const char *re, int fold, const char *text, int *may)
{
	struct rk_buf sig = RK_BUF_INIT;
	struct rk_grams g = {0};
	struct rk_regex *r = NULL;
	char why[100];
	int yes;

	CHECK_INT(rk_regex_new(re, strlen(re), fold, &r, why, sizeof(why)), 0);
	CHECK_INT(rk_signature(&g, text, strlen(text), &sig), 0);
	yes = rk_regex_in_text(r, text, strlen(text));
	*may = rk_regex_may_match(r, sig.p, sig.n);
	rk_regex_free(r);
	rk_buf_release(&sig);
	rk_grams_release(&g);
	return yes;
}

static void a_signature_never_hides_a_match(void)
{
	static const struct {
		const char *re;
		int fold;
		const char *text;
		int yes, may;
	} ROWS[] = {
		{"hello", 0, "say hello\n", 1, 1},
		{"hello", 0, "say hallo\n", 0, 0},
		{"HELLO", 1, "say hello\n", 1, 1},
		{"hel+o", 0, "hellllo", 1, 1},
		{"hellx?o", 0, "hello", 1, 1},
		{"hellx*o", 0, "hello", 1, 1},
		{"hellx{0,3}o", 0, "hello", 1, 1},
		{"hellx{2}o", 0, "hellxxo", 1, 1},
		{"(abc|xyz)tail", 0, "xyztail", 1, 1},
		{"(abc|xyz)tail", 0, "uvwtail", 0, 0},
		{"(abc|)tail", 0, "tail", 1, 1},
		{"(abcd)?tail", 0, "tail", 1, 1},
		{"(?:abcd)+tail", 0, "abcdtail", 1, 1},
		{"abc[x-z]def", 0, "abcydef", 1, 1},
		{"abc[]x]def", 0, "abc]def", 1, 1},
		{"abc[[:alpha:]]def", 0, "abcqdef", 1, 1},
		{"abc.def", 0, "abc\ndef", 0, 1},
		{"^#include\\s+<", 0, "#include   <x>", 1, 1},
		{"foo\\(bar", 0, "foo(bar", 1, 1},
		{"foo\\x41bar", 0, "fooAbar", 1, 1},
		{"(?i)hello", 0, "HELLO", 1, 1},
		{"foo(?=bar)", 0, "foobar", 1, 1},
		{"foo(?!bar)", 0, "foobaz", 1, 1},
		{"\\Qa.b\\E", 0, "a.b", 1, 1},
		{"na\xc3\xafve", 0, "na\xc3\xafve", 1, 1},
		{"na\xc3\xafve", 1, "NA\xc3\x8fVE", 1, 1},
		{"nai\xc3\xaf?ve", 0, "naive", 1, 1},
		{"kelvin", 1,
		 "\xe2\x84\xaa"
		 "elvin",
		 1, 1},
		{"sieve", 1, "\xc5\xbfieve", 1, 1},
		{"a|b|c", 0, "c", 1, 1},
		{"x{,3}yz", 0, "x{,3}yz", 1, 1},
		{"end$", 0, "the end\nx", 1, 1},
	};

	for (size_t i = 0; i < sizeof(ROWS) / sizeof(ROWS[0]); i++) {
		int may, yes = pattern(ROWS[i].re, ROWS[i].fold, ROWS[i].text,
				       &may);

		if (yes != ROWS[i].yes || may != ROWS[i].may)
			printf("# /%s/ on %s: %d %d\n", ROWS[i].re,
			       ROWS[i].text, yes, may);
		CHECK_INT(yes, ROWS[i].yes);
		CHECK_INT(may, ROWS[i].may);
	}
}

static void a_catastrophic_pattern_ends(void)
{
	struct rk_regex *r = NULL;
	char why[100];
	const char *line = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab";

	CHECK_INT(rk_regex_new("(a+)+$", 6, 0, &r, why, sizeof(why)), 0);
	CHECK(rk_regex_match(r, line, strlen(line)) <= 0);
	rk_regex_free(r);
	CHECK_INT(rk_regex_new("(", 1, 0, &r, why, sizeof(why)), -EINVAL);
	CHECK(strlen(why) > 0);
}

static const struct t_case CASES[] = {
	{"queries are understood", queries_are_understood},
	{"parentheses may be as deep as they like",
	 parentheses_may_be_as_deep_as_they_like},
	{"filters ask what they say", filters_ask_what_they_say},
	{"nonsense is no filter", nonsense_is_no_filter},
	{"properties compare as numbers or words",
	 properties_compare_as_numbers_or_words},
	{"a signature never hides a match", a_signature_never_hides_a_match},
	{"a catastrophic pattern ends", a_catastrophic_pattern_ends},
};
T_MAIN(CASES)
