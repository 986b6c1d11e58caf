/* SPDX-License-Identifier: MIT */
#include "text/analyse/analyse.h"
#include "text/chunk/chunk.h"
#include "text/symbols/entity.h"
#include "text/extract/metadata.h"
#include "text/extract/property.h"
#include "text/match/gitignore.h"
#include "text/match/ignore.h"
#include "text/extract/kind.h"
#include "text/analyse/stop.h"
#include "base/buf.h"
#include "base/mem.h"
#include "unit/t.h"

static struct rk_analyser *analyser(const char *language)
{
	struct rk_analyser *a = NULL;

	CHECK_INT(rk_analyser_new(language, &a), 0);
	return a;
}

/* Terms with their positions, as "term@pos ..."; words are left out. */
static char *terms(struct rk_analyser *a, const char *text, int code)
{
	struct rk_buf b = RK_BUF_INIT;
	const struct rk_tok *t;
	uint32_t pos = 0;
	size_t n;

	rk_analyser_reset(a);
	CHECK_INT(rk_analyse(a, text, strlen(text), code, &pos), 0);
	t = rk_analyser_toks(a, &n);
	for (size_t i = 0; i < n; i++)
		if (!t[i].word)
			rk_buf_printf(&b, "%s%s@%u", b.n ? " " : "",
				      rk_analyser_vocab(a)->v[t[i].term].s,
				      t[i].pos);
	rk_buf_byte(&b, 0);
	return (char *)b.p;
}

static void tokens_become_terms(void)
{
	static const struct {
		const char *text, *want;
		int code;
	} ROWS[] = {
		{"Running quickly", "run@0 quick@1", 0},
		{"the cat and the hat", "cat@1 hat@4", 0},
		{"don't panic, user's guide", "dont@0 panic@1 user@2 guid@3",
		 0},
		{"don’t panic, user’s guide", "dont@0 panic@1 user@2 guid@3",
		 0},
		{"l'école dell’acqua aujourd’hui O'Brien's",
		 "ecol@0 acqua@1 aujourdhui@2 obrien@3 brien@4", 0},
		{"readAheadSize", "readaheads@0 read@0 ahead@1 size@2", 0},
		{"YouTube youtube", "youtub@0 tube@1 youtub@2", 0},
		{"max_open_files", "max_open_files@0 max@0 open@1 file@2", 0},
		{"HTTPServer2", "httpserver2@0 http@0 server@1", 0},
		{"sqlite3_open", "sqlite3_open@0 sqlite@0 open@2", 0},
		{"Rechnung_März_2024",
		 "rechnung_marz_2024@0 rechnung@0 marz@1 2024@2", 0},
		{"МояКнига3", "моякнига3@0 моя@0 книга@1", 0},
		{"__init", "init@0", 0},
		{"x = y", "x@0 y@1", 0},
		{"x = y", "", 1},
		{"2024 1e9", "2024@0 1e9@1", 0},
		{"١٢٣ १२३ 123", "123@0 123@1 123@2", 0},
		{"plug-ins, e-mail; a - b",
		 "plugin@0 plug@0 in@1 email@2 e@2 "
		 "mail@3 b@5",
		 0},
		{"under-\n  standable x-\nX",
		 "understand@0 under@0 "
		 "standabl@1 x@2 x@3",
		 0},
		{"xx-yy xx++", "xx@0 yy@1 xx@2", 1},
		{"C++ C# .NET and C", "c++@0 c@0 c#@1 c@1 .net@2 net@2 c@4", 0},
		{"§ 12 🎉!", "§@0 12@1 🎉@2", 0},
		{"Ge\u00adsamt\u00adkonzept key\u200bword",
		 "gesamtkonzept@0 keyword@1", 0},
		{"كتــاب", "كتاب@0", 0},
		{"Ｆｕｌｌ ﬁne Straße", "full@0 fine@1 strass@2", 0},
		{"naïve café résumés", "naiv@0 cafe@1 resum@2", 0},
		{"ÅNGSTRÖM Łódź Søren cœur",
		 "angstrom@0 lodz@1 soren@2 "
		 "coeur@3",
		 0},
		{"новый ёлка йод", "новый@0 елка@1 йод@2", 0},
		{"バス パス ハス",
		 "バス@0 バ@0 ス@1 パス@1 パ@1 ス@2 "
		 "ハス@2 ハ@2 ス@3",
		 0},
		{"ﾊﾞｽ", "バス@0 バ@0 ス@1", 0},
		{"학점", "학점@0 학@0 점@1", 0},
		{"全文検索", "全文@0 全@0 文検@1 文@1 検索@2 検@2 索@3", 0},
		{"篇", "篇@0", 0},
		{"ฉันกินข้าวเช้า", "ฉัน@0 กิน@1 ข้าว@2 เช้า@3", 0},
		{"ພາສາລາວ", "ພາສາ@0 ລາວ@1", 0},
		{"ខ្ញុំស្រលាញ់", "ខ្ញុំ@0 ស្រលាញ់@1", 0},
		{"မြန်မာစာ", "မြန်မာ@0 စာ@1", 0},
		{"", "", 0},
		{"\xff\xfe broken \xc3", "broken@0", 0},
	};
	struct rk_analyser *a = analyser("english");

	for (size_t i = 0; i < sizeof(ROWS) / sizeof(ROWS[0]); i++) {
		char *got = terms(a, ROWS[i].text, ROWS[i].code);

		CHECK_STR(got, ROWS[i].want);
		free(got);
	}
	rk_analyser_free(a);
}

static void other_languages_stem_their_own_way(void)
{
	struct rk_analyser *a = analyser("german");
	char *got = terms(a, "Häuser und the", 0);

	CHECK_STR(got, "haus@0 und@1 the@2");
	free(got);
	rk_analyser_free(a);
	CHECK(!rk_analyser_knows("klingon"));
	CHECK(rk_analyser_knows("none"));
}

static void long_tokens_give_their_parts(void)
{
	static const char *const ROWS[][2] = {
		{"Smith_2021_A_survey_of_retrieval_methods_for_large_document_"
		 "archives_and_other_places_where_texts_are_put_away_by_people_"
		 "who_do_not_want_to_read_them_now_but_may_want_to_find_them_"
		 "again_in_a_year",
		 "retriev@"},
		{"a_b_c_do_re_mi_fa_so_la_ti_uno_due_tre_qua_cin_sei_otter",
		 "otter@"},
		{"Предварительное-Согласование_Документов_И_Приложений_К_ним_"
		 "На_Предприятии_в_Следующем_Году_После_Проверки_Отчётности",
		 "проверки@"},
	};
	struct rk_analyser *a = analyser("english");

	for (size_t i = 0; i < sizeof(ROWS) / sizeof(ROWS[0]); i++) {
		char *got = terms(a, ROWS[i][0], 0);

		if (!strstr(got, ROWS[i][1]))
			printf("# no %s in %s\n", ROWS[i][1], got);
		CHECK(strstr(got, ROWS[i][1]) != NULL);
		free(got);
	}
	rk_analyser_free(a);
}

static void encoded_data_gives_few_terms(void)
{
	char text[500];
	struct rk_analyser *a = analyser("english");
	uint32_t pos = 0;
	size_t n;

	for (size_t i = 0; i < sizeof(text); i++)
		text[i] = "aGVsbG8gd29ybGQ"[i % 15];
	memcpy(text + sizeof(text) - 5, " end", 5);
	rk_analyser_reset(a);
	CHECK_INT(rk_analyse(a, text, sizeof(text) - 1, 0, &pos), 0);
	rk_analyser_toks(a, &n);
	CHECK_INT(n, 9); /* pieces of 64 bytes, and the word */
	rk_analyser_free(a);
}

static void marks_that_are_no_accents_stay(void)
{
	struct rk_analyser *a = analyser("hindi");
	char *x = terms(a, "हिन्दी", 0), *y = terms(a, "हन्द", 0);

	CHECK(strcmp(x, y) != 0);
	free(x);
	free(y);
	rk_analyser_free(a);
}

static void trimming_changes_the_epoch_and_keeps_working(void)
{
	struct rk_analyser *a = analyser("none");
	uint64_t epoch = rk_analyser_epoch(a);
	char text[64];
	uint32_t pos = 0;

	for (int i = 0; i < 900000 && rk_analyser_epoch(a) == epoch; i++) {
		int n = snprintf(text, sizeof(text), "word%dx%d", i, i * 7);

		rk_analyser_reset(a);
		CHECK_INT(rk_analyse(a, text, (size_t)n, 0, &pos), 0);
		if (i % 1000 == 0)
			rk_analyser_trim(a);
	}
	CHECK(rk_analyser_epoch(a) > epoch);
	rk_analyser_free(a);
}

static void stop_words(void)
{
	CHECK(rk_is_stop_word("the", 3));
	CHECK(rk_is_stop_word("yourselves", 10));
	CHECK(rk_is_stop_word("a", 1));
	CHECK(!rk_is_stop_word("th", 2));
	CHECK(!rk_is_stop_word("then!", 5));
	CHECK(!rk_is_stop_word("search", 6));
}

static void kinds_follow_names(void)
{
	CHECK_INT(rk_kind_of_path("a/b.md"), RK_KIND_MARKDOWN);
	CHECK_INT(rk_kind_of_path("a/b.C"), RK_KIND_CODE);
	CHECK_INT(rk_kind_of_path("man/ls.1.gz"), RK_KIND_MAN);
	CHECK_INT(rk_kind_of_path("man/x.3pm"), RK_KIND_MAN);
	CHECK_INT(rk_kind_of_path("x/Page.HTML.BZ2"), RK_KIND_HTML);
	CHECK_INT(rk_kind_of_path("x.gz/.gz"), RK_KIND_TEXT);
	CHECK_INT(rk_kind_of_path("notes"), RK_KIND_TEXT);
	CHECK_INT(rk_kind_of_path(".md"), RK_KIND_TEXT);
	CHECK_INT(rk_kind_of_path("Makefile"), RK_KIND_CODE);
	CHECK_INT(rk_kind_of_path("CMakeLists.txt"), RK_KIND_CODE);
	CHECK_STR(rk_language_of_path("a/Dockerfile"), "dockerfile");
	CHECK_STR(rk_language_of_path("k.cu"), "cuda");
	CHECK_STR(rk_script_extension("#!/bin/sh -e\n", 13), "sh");
	CHECK_STR(rk_script_extension("#!/usr/bin/env python3.11", 25), "py");
	CHECK_STR(rk_script_extension("#! /usr/bin/env -S A=1 node\n", 28),
		  "js");
	CHECK_STR(rk_script_extension("#!/bin/nonesuch\n", 16), "");
	CHECK_STR(rk_script_extension("#!", 2), "");
	CHECK_STR(rk_script_extension("", 0), "");
}

static void what_is_ignored(void)
{
	static const char *const YES[] = {
		"a~",	     "d/.x.swp",     "#a#",	    ".#a",    "4913",
		"sedAb12Cd", ".n.md.Ab12Cd", ".git/config", "x/.git", "a.tmp"};
	static const char *const NO[] = {"a.md", ".bashrc", "sediment",
					 ".gitignore", "x/seduce.txt"};

	for (size_t i = 0; i < sizeof(YES) / sizeof(YES[0]); i++)
		CHECK(rk_ignored(YES[i]));
	for (size_t i = 0; i < sizeof(NO) / sizeof(NO[0]); i++)
		CHECK(!rk_ignored(NO[i]));
}

/* "line+nlines head|sym" of each chunk */
static char *chunks(enum rk_kind kind, const char *s, size_t n)
{
	struct rk_chunks c = RK_CHUNKS_INIT;
	struct rk_buf b = RK_BUF_INIT;

	CHECK_INT(rk_chunk_text(kind, s, n, NULL, &c), 0);
	for (size_t i = 0; i < c.n; i++)
		rk_buf_printf(&b, "%s%u+%u %s|%s", i ? "; " : "", c.v[i].line,
			      c.v[i].nlines, c.v[i].head, c.v[i].sym);
	rk_buf_byte(&b, 0);
	rk_chunks_release(&c);
	return (char *)b.p;
}

static char *long_text(const char *a, const char *fill, int times,
		       const char *b)
{
	struct rk_buf t = RK_BUF_INIT;

	rk_buf_str(&t, a);
	for (int i = 0; i < times; i++)
		rk_buf_str(&t, fill);
	rk_buf_str(&t, b);
	rk_buf_byte(&t, 0);
	return (char *)t.p;
}

static void markdown_is_cut_at_headings(void)
{
	char *s = long_text("---\nkey: v\n---\n# Top\n", "word word\n", 120,
			    "\n```\n# no heading\n```\n\nSub\n---\ntext\n");
	char *got = chunks(RK_KIND_MARKDOWN, s,
			   strlen(s) > 2000 ? strlen(s) : strlen(s));

	CHECK(strstr(got, "Top|") != NULL);
	free(got);
	free(s);
	s = long_text("# Top\n\n", "words in a row that fill the page\n", 80,
		      "\n## Under\nmore\n\n# Next\nlast\n");
	got = chunks(RK_KIND_MARKDOWN, s, strlen(s));
	CHECK_STR(got, "1+82 Top|; 84+2 Top > Under|; 87+2 Next|");
	free(got);
	free(s);
}

static void a_short_markdown_file_is_one_chunk_with_its_title(void)
{
	const char *s = "# Title\n\na\n\n## Sub\nb\n";
	char *got = chunks(RK_KIND_MARKDOWN, s, strlen(s));

	CHECK_STR(got, "1+6 Title|");
	free(got);
}

static void code_is_cut_at_top_level_blocks(void)
{
	char *s = long_text("int first(int a)\n{\n", "\tcall(a, b, c);\n", 80,
			    "}\n\nstatic void second(void)\n{\n\tx();\n}\n");
	char *t = long_text(s, "/* on and on */\n", 0,
			    "\nint third(void)\n{\n\ty();\n}\n");
	char *big =
		long_text(t, "\n/* about it */\nint last(int b)\n{\n", 1, "");
	char *all = long_text(big, "\tcall(b, b, b);\n", 80, "}\n");
	char *got = chunks(RK_KIND_CODE, all, strlen(all));

	/* small ones join what is before them; a comment what it is about */
	CHECK_STR(got, "1+93 |first second third; 95+84 |last");
	free(got);
	free(all);
	free(big);
	free(t);
	free(s);
}

/* Chunks where a parser has said what is defined. */
static void definitions_cut_a_large_class_at_its_methods(void)
{
	static const struct rk_entity DEFS[] = {
		{"Shop", "class", "", "", 1, 402},
		{"open", "method", "Shop", "()", 2, 201},
		{"close", "method", "Shop", "(x)", 202, 401},
		{"PI", "macro", "", "", 404, 404},
	};
	struct rk_entities defs = {(struct rk_entity *)(uintptr_t)DEFS, 4, 4,
				   RK_ARENA_INIT};
	char *s = long_text("class Shop {\n", "\tcall(a, b, c, d, e);\n", 400,
			    "}\n\n#define PI 3\n");
	struct rk_chunks c = RK_CHUNKS_INIT;
	struct rk_entity_ref e;
	const char *p;

	CHECK_INT(rk_chunk_text(RK_KIND_CODE, s, strlen(s), &defs, &c), 0);
	CHECK_INT(c.n, 2);
	CHECK_STR(c.v[0].sym, "Shop open");
	CHECK_STR(c.v[1].sym, "close PI");
	CHECK_STR(c.v[1].head, "Shop");
	p = c.v[1].ent;
	CHECK(rk_entity_next(&p, c.v[1].ent + c.v[1].ent_len, &e));
	CHECK_INT(e.line, 202);
	CHECK_INT(e.signature_n, 3);
	CHECK(rk_entity_next(&p, c.v[1].ent + c.v[1].ent_len, &e));
	CHECK(!rk_entity_next(&p, c.v[1].ent + c.v[1].ent_len, &e));
	rk_chunks_release(&c);
	free(s);
}

static void lists_are_cut_at_their_entries(void)
{
	static const struct {
		enum rk_kind kind;
		const char *text, *want;
	} ROWS[] = {
		{RK_KIND_JSONL, "{\"a\":1}\n{\"b\":2}\n", "1+1 |; 2+1 |"},
		{RK_KIND_TABLE, "name,age\nann,1\nbob,2\n",
		 "1+2 name age|; 3+1 name age|"},
		{RK_KIND_TABLE, "k,v\n1,\"two\nlines\"\n2,x\n",
		 "1+3 k v|; 4+1 k v|"},
		{RK_KIND_MAIL,
		 "From a\nSubject: One\n two\n\nhi\n\nFrom b\nSubject: "
		 "Next\n\nyo\n",
		 "1+5 One two|; 7+4 Next|"},
		{RK_KIND_ASCIIDOC, "= Top\ntext\n", "1+2 Top|"},
		{RK_KIND_RST, "Top\n===\n\ntext\n", "1+4 Top|"},
		{RK_KIND_ORG, "* Top\ntext\n", "1+2 Top|"},
		{RK_KIND_PAGES, "one\n\ftwo\n\f", "1+1 |; 2+1 |"},
	};

	for (size_t i = 0; i < sizeof(ROWS) / sizeof(ROWS[0]); i++) {
		char *got = chunks(ROWS[i].kind, ROWS[i].text,
				   strlen(ROWS[i].text));

		CHECK_STR(got, ROWS[i].want);
		free(got);
	}
}

static void markup_is_cut_at_headings(void)
{
	static const struct {
		enum rk_kind kind;
		const char *a, *b, *c;
	} ROWS[] = {
		{RK_KIND_ASCIIDOC, "= Top\n\n",
		 "\n== Sub\nmore\n----\n== no "
		 "heading\n----\n",
		 "\n= Next\nend\n"},
		{RK_KIND_RST, "===\nTop\n===\n", "\nSub\n---\nmore\n\n\n",
		 "\n====\nNext\n====\nend\n"},
		{RK_KIND_ORG, "* Top\n\n",
		 "\n** Sub\nmore\n#+begin_src\n* "
		 "code\n#+end_src\n",
		 "\n* Next\nend\n"},
	};

	for (size_t i = 0; i < sizeof(ROWS) / sizeof(ROWS[0]); i++) {
		char *s = long_text(ROWS[i].a, "words that fill the page\n",
				    100, ROWS[i].b);
		char *t = long_text(s, "", 0, ROWS[i].c);
		char *got = chunks(ROWS[i].kind, t, strlen(t));
		char *p = got;

		for (const char *const *h =
			     (const char *const[]){" Top|", " Top > Sub|",
						   " Next|", NULL};
		     *h; h++) {
			p = p ? strstr(p, *h) : NULL;
			CHECK(p != NULL);
		}
		if (!p)
			printf("# %d: %s\n", (int)ROWS[i].kind, got);
		free(got);
		free(t);
		free(s);
	}
}

static void a_log_is_cut_at_silence(void)
{
	char *s = long_text("", "2026-01-02 10:00:01 something happened\n", 10,
			    "2026-01-02 10:30:00 and again\n\tat stack\n");
	char *got = chunks(RK_KIND_LOG, s, strlen(s));

	CHECK_STR(got, "1+10 |; 11+2 |");
	free(got);
	free(s);
}

static void documents_tell_of_themselves(void)
{
	static const struct {
		enum rk_kind kind;
		const char *text, *want;
	} ROWS[] = {
		{RK_KIND_MARKDOWN,
		 "---\ntitle: \"A b\"\ntags: [Work, 'x y']\nyear: 2020\n---\n",
		 "mtitle=a b twork mtags=work tx y mtags=x y myear=2020 "},
		{RK_KIND_MARKDOWN, "---\ntags:\n  - one\n  - two\n---\n",
		 "tone mtags=one ttwo mtags=two "},
		{RK_KIND_MARKDOWN, "+++\nweight = 5\n+++\n", "mweight=5 "},
		{RK_KIND_MARKDOWN, "---\nno end: x\n", ""},
		{RK_KIND_MAIL, "From: Ann <a@b.c>\nSubject: Hi\n\nFrom: x\n",
		 "mfrom=ann <a@b.c> msubject=hi "},
	};

	for (size_t i = 0; i < sizeof(ROWS) / sizeof(ROWS[0]); i++) {
		struct rk_buf b = RK_BUF_INIT;

		CHECK_INT(rk_metadata(ROWS[i].kind, ROWS[i].text,
				      strlen(ROWS[i].text), &b),
			  0);
		for (size_t k = 0; k < b.n; k++) {
			if (b.p[k] == 0)
				b.p[k] = ' ';
			else if (b.p[k] == RK_PROPERTY_MARK)
				memmove(b.p + k, b.p + k + 1, --b.n - k);
		}
		rk_buf_byte(&b, 0);
		CHECK_STR((char *)b.p, ROWS[i].want);
		rk_buf_release(&b);
	}
}

static void manual_pages_are_cut_at_sections(void)
{
	const char *s =
		".TH LS 1\n.SH NAME\nls - list\n.SH \"SEE ALSO\"\ndir\n";
	char *got = chunks(RK_KIND_MAN, s, strlen(s));

	CHECK_STR(got, "1+1 LS|; 2+2 LS > NAME|; 4+2 LS > SEE ALSO|");
	free(got);
}

static void one_endless_line_is_cut_too(void)
{
	char *s = long_text("", "lorem ipsum ", 5000, "");
	struct rk_chunks c = RK_CHUNKS_INIT;

	CHECK_INT(rk_chunk_text(RK_KIND_TEXT, s, strlen(s), NULL, &c), 0);
	CHECK(c.n > 5);
	for (size_t i = 0; i < c.n; i++)
		CHECK(c.v[i].len <= 6000 && c.v[i].line == 1);
	rk_chunks_release(&c);
	free(s);
}

/* What costs most per byte: all that can be cut into the smallest pieces. */
static void small_pieces_do_not_become_a_chunk_each(void)
{
	static const char *const UNITS[] = {"\n",	 "a\n",
					    "a\n\n",	 "# a\n",
					    "a\n=\n",	 "* a\n",
					    "\f",	 "a\f",
					    "{}\n",	 ",\n",
					    "\"\"\n",	 "<p>a",
					    "a(){}\n",	 "From \n",
					    "== a\n",	 "<h1>a",
					    ".SH a\n",	 "\0",
					    "\x1b",	 "\xff",
					    "\x80",	 "\xbf\xbf\xbf\xbf",
					    "\xe2\x82",	 "#define A\n",
					    "int a;\n\n"};
	enum { N = 256 << 10 };
	char *s = malloc(N);

	for (size_t u = 0; u < sizeof(UNITS) / sizeof(UNITS[0]); u++) {
		size_t len = strlen(UNITS[u]);

		for (size_t i = 0; i < N; i++)
			s[i] = len ? UNITS[u][i % len] : '\0';
		for (int kind = 0; kind < RK_KINDS; kind++) {
			struct rk_chunks c = RK_CHUNKS_INIT;

			CHECK_INT(rk_chunk_text((enum rk_kind)kind, s, N, NULL,
						&c),
				  0);
			CHECK(c.n <= 2001 + N / 100);
			CHECK(!c.truncated);
			rk_chunks_release(&c);
		}
	}
	free(s);
}

static void a_long_line_of_any_byte_is_cut_at_the_usual_size(void)
{
	enum { N = 64 << 10 };
	char *s = malloc(N);

	for (int byte = 1; byte < 256; byte++) {
		struct rk_chunks c = RK_CHUNKS_INIT;

		memset(s, byte, N);
		CHECK_INT(rk_chunk_text(RK_KIND_TEXT, s, N, NULL, &c), 0);
		CHECK(byte == '\n' || c.n <= N / 2000);
		rk_chunks_release(&c);
	}
	free(s);
}

static void an_empty_text_has_one_empty_chunk(void)
{
	char *got = chunks(RK_KIND_TEXT, "", 0);

	CHECK_STR(got, "1+1 |");
	free(got);
}

/* By the shape of its lines alone, as without ctags. */
static void a_keyword_defines_nothing(void)
{
	static const char S[] = "if (x)\n\ty();\nwhile (x)\n\ty();\n"
				"int shown(void)\n{\n\treturn 1;\n}\n";
	struct rk_chunks c = RK_CHUNKS_INIT;

	CHECK_INT(rk_chunk_text(RK_KIND_CODE, S, strlen(S), NULL, &c), 0);
	CHECK_INT(c.n, 1);
	CHECK_STR(c.v[0].sym, "shown");
	rk_chunks_release(&c);
}

static void ignore_patterns_match_where_they_are_anchored(void)
{
	static const struct {
		const char *pattern, *path;
		int is_dir, want;
	} ROWS[] = {
		{"out.txt", "out.txt", 0, 1},
		{"out.txt", "sub/out.txt", 0, 1},
		{"/out.txt", "out.txt", 0, 1},
		{"/out.txt", "sub/out.txt", 0, 0},
		{"sub/out.txt", "sub/out.txt", 0, 1},
		{"sub/out.txt", "a/sub/out.txt", 0, 0},
		{"/*.txt", "out.txt", 0, 1},
		{"/*.txt", "sub/out.txt", 0, 0},
		{"**/out.txt", "a/b/out.txt", 0, 1},
		{"build/", "build", 1, 1},
		{"build/", "build", 0, 0},
		{"build/", "sub/build", 1, 1},
		{"/build/", "sub/build", 1, 0},
		{"*.txt\n!out.txt", "sub/out.txt", 0, 0},
		{"!out.txt\n*.txt", "sub/out.txt", 0, 1},
	};

	for (size_t i = 0; i < sizeof(ROWS) / sizeof(ROWS[0]); i++) {
		struct rk_ignore_set *set = rk_ignore_new("", NULL);

		CHECK_INT(rk_ignore_add(set, ROWS[i].pattern,
					strlen(ROWS[i].pattern)),
			  0);
		CHECK_INT(rk_ignore_match(set, ROWS[i].path, ROWS[i].is_dir),
			  ROWS[i].want);
		rk_ignore_unref(set);
	}
}

/* A text of every kind: headings, blank lines, records, long lines. */
static char *manifold(enum rk_kind kind, size_t *n)
{
	static const char *const PARTS[] = {
		"\n\n# Heading ~\n\nsome words of part ~\n",
		"Title ~\n=======\n\nwords ~\n\n\n",
		"int f~(void)\n{\n\treturn ~;\n}\n\n",
		".SH NAME ~\nwords of it ~\n.PP\nmore\n",
		"* Org ~\nbody ~\n== Doc\n\nbody\n",
		"{\"id\":~,\"text\":\"words ~\"}\n",
		"From a@b Mon Jan 1\nSubject: mail ~\n\nwords ~\n\n",
		"2026-01-01 10:~:00 started ~\n\n\n",
		"name,value\n~,\"a field\nof two lines ~\"\n",
		"a page ~\n\f\nanother ~\n",
		"<h2>Html ~</h2>\n<p>words\n~</p>\n",
		"   \n\t\n~ ~\n",
	};
	struct rk_buf b = RK_BUF_INIT;
	unsigned long long seed = (unsigned long long)kind;

	for (int i = 0; i < 400; i++) {
		unsigned p = (unsigned)(t_rand(&seed) %
					(sizeof(PARTS) / sizeof(PARTS[0])));

		for (const char *c = PARTS[p]; *c; c++)
			if (*c == '~') /* a number of two digits */
				rk_buf_printf(&b, "%d", 10 + i % 50);
			else
				rk_buf_byte(&b, (uint8_t)*c);
		for (int k = 0; i % 50 == 7 && k < 3000; k++)
			rk_buf_str(&b, "long ");
	}
	*n = b.n;
	return (char *)b.p;
}

static void a_chunk_is_on_the_line_it_says(void)
{
	for (int kind = 0; kind < RK_KINDS; kind++) {
		struct rk_chunks c = RK_CHUNKS_INIT;
		size_t n, at = 0;
		char *s = manifold((enum rk_kind)kind, &n);
		uint32_t line = 1;

		CHECK_INT(rk_chunk_text((enum rk_kind)kind, s, n, NULL, &c), 0);
		CHECK(c.n > 3 || kind == RK_KIND_BINARY);
		for (size_t i = 0; i < c.n && !t_failed; i++) {
			uint32_t nlines = 1;

			for (; at < c.v[i].off; at++)
				line += s[at] == '\n';
			for (size_t k = 0; k + 1 < c.v[i].len; k++)
				nlines += s[c.v[i].off + k] == '\n';
			CHECK_INT(c.v[i].line, line);
			CHECK_INT(c.v[i].nlines, nlines);
		}
		if (t_failed)
			printf("# as %s\n", rk_kind_name((enum rk_kind)kind));
		rk_chunks_release(&c);
		rk_free(s);
	}
}

static const struct t_case CASES[] = {
	{"a keyword defines nothing", a_keyword_defines_nothing},
	{"ignore patterns match where they are anchored",
	 ignore_patterns_match_where_they_are_anchored},
	{"a chunk is on the line it says", a_chunk_is_on_the_line_it_says},
	{"tokens become terms", tokens_become_terms},
	{"other languages stem their own way",
	 other_languages_stem_their_own_way},
	{"long tokens give their parts", long_tokens_give_their_parts},
	{"encoded data gives few terms", encoded_data_gives_few_terms},
	{"marks that are no accents stay", marks_that_are_no_accents_stay},
	{"a trimmed analyser goes on",
	 trimming_changes_the_epoch_and_keeps_working},
	{"stop words", stop_words},
	{"kinds follow names", kinds_follow_names},
	{"what is ignored", what_is_ignored},
	{"markdown is cut at headings", markdown_is_cut_at_headings},
	{"a short markdown file is one chunk with its title",
	 a_short_markdown_file_is_one_chunk_with_its_title},
	{"code is cut at top-level blocks", code_is_cut_at_top_level_blocks},
	{"definitions cut a large class at its methods",
	 definitions_cut_a_large_class_at_its_methods},
	{"lists are cut at their entries", lists_are_cut_at_their_entries},
	{"markup is cut at headings", markup_is_cut_at_headings},
	{"a log is cut at silence", a_log_is_cut_at_silence},
	{"documents tell of themselves", documents_tell_of_themselves},
	{"manual pages are cut at sections", manual_pages_are_cut_at_sections},
	{"one endless line is cut, too", one_endless_line_is_cut_too},
	{"small pieces do not become a chunk each",
	 small_pieces_do_not_become_a_chunk_each},
	{"a long line of any byte is cut at the usual size",
	 a_long_line_of_any_byte_is_cut_at_the_usual_size},
	{"an empty text has one empty chunk",
	 an_empty_text_has_one_empty_chunk},
};
T_MAIN(CASES)
