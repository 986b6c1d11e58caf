/* SPDX-License-Identifier: MIT */
/*
 * corpus DOCS OUT QUERIES: a Zipfian corpus with topics, about 50 words a
 * document, and 100 queries of 1, 2, 4 and 8 words, each drawn from one
 * document. The same bytes everywhere.
 */
#include "unit/t.h"
#include <math.h>

enum { WORDS = 200000, TOPICS = 500, TOPIC_WORDS = 400 };

static unsigned long long seed = 12345;

static double uniform(void)
{
	return (double)(t_rand(&seed) >> 11) / 9007199254740992.0;
}

/* Zipf with exponent 1 by inverse of the continuous distribution */
static unsigned zipf(unsigned n)
{
	return (unsigned)exp(uniform() * log((double)n));
}

static int put_word(char *out, unsigned w)
{
	static const char SYL[] = "bacedifoguhajekilomunaperisotuvawexiyozu";
	int n = 0;

	w += 400;
	while (w) {
		memcpy(out + n, SYL + w % 20 * 2, 2);
		n += 2;
		w /= 20;
	}
	out[n++] = ' ';
	return n;
}

static int make_doc(char *out)
{
	int words = 20 + (int)(t_rand(&seed) % 60), n = 0;
	unsigned topic = zipf(TOPICS);

	for (int i = 0; i < words; i++) {
		unsigned w = zipf(WORDS);

		if (t_rand(&seed) % 3 == 0)
			w = topic * 97 % (WORDS - TOPIC_WORDS) +
			    zipf(TOPIC_WORDS);
		n += put_word(out + n, w);
	}
	out[n - 1] = '\0';
	return n - 1;
}

static void put_query(FILE *q, int len, char *doc)
{
	char *words[100], *save = NULL;
	int n = 0;

	for (char *w = strtok_r(doc, " ", &save); w && n < 100;
	     w = strtok_r(NULL, " ", &save))
		words[n++] = w;
	fprintf(q, "%d\t", len);
	for (int i = 0; i < len; i++)
		fprintf(q, "%s%s", i ? " " : "",
			words[t_rand(&seed) % (unsigned)n]);
	fputc('\n', q);
}

int main(int argc, char **argv)
{
	static const int LENS[] = {1, 2, 4, 8};
	long docs = argc == 4 ? atol(argv[1]) : 0;
	FILE *out, *q;
	char doc[4096];

	if (docs < 400 || !(out = fopen(argv[2], "w")) ||
	    !(q = fopen(argv[3], "w")))
		return 2;
	for (long i = 0; i < docs; i++) {
		make_doc(doc);
		fprintf(out, "%s\n", doc);
		if (i % (docs / 400) == 0 && i / (docs / 400) < 400)
			put_query(q, LENS[i / (docs / 400) % 4], doc);
	}
	return fclose(out) || fclose(q);
}
