/* SPDX-License-Identifier: MIT */
#include "text/analyse/stop.h"
#include <stdlib.h>
#include <string.h>

/* Sorted by strcmp(), for the binary search below. */
static const char *const STOP[] = {
	"a",	     "about",	  "above",	"across",     "after",
	"again",     "against",	  "all",	"almost",     "alone",
	"along",     "already",	  "also",	"although",   "always",
	"am",	     "among",	  "an",		"and",	      "another",
	"any",	     "anybody",	  "anyone",	"anything",   "anywhere",
	"are",	     "as",	  "at",		"be",	      "became",
	"because",   "become",	  "becomes",	"been",	      "before",
	"being",     "between",	  "both",	"but",	      "by",
	"can",	     "cannot",	  "could",	"did",	      "do",
	"does",	     "doing",	  "during",	"each",	      "either",
	"enough",    "etc",	  "even",	"ever",	      "every",
	"everybody", "everyone",  "everything", "few",	      "for",
	"from",	     "further",	  "had",	"has",	      "have",
	"having",    "he",	  "her",	"here",	      "herself",
	"him",	     "himself",	  "his",	"how",	      "however",
	"i",	     "if",	  "in",		"instead",    "into",
	"is",	     "it",	  "its",	"itself",     "just",
	"many",	     "may",	  "me",		"might",      "mine",
	"more",	     "most",	  "much",	"must",	      "my",
	"myself",    "neither",	  "never",	"no",	      "nobody",
	"none",	     "nor",	  "not",	"nothing",    "now",
	"nowhere",   "of",	  "often",	"on",	      "once",
	"one",	     "only",	  "onto",	"or",	      "other",
	"others",    "otherwise", "our",	"ours",	      "ourselves",
	"own",	     "per",	  "perhaps",	"put",	      "quite",
	"rather",    "really",	  "seem",	"seemed",     "seems",
	"several",   "shall",	  "she",	"should",     "since",
	"so",	     "some",	  "somebody",	"someone",    "something",
	"somewhere", "still",	  "such",	"than",	      "that",
	"the",	     "their",	  "theirs",	"them",	      "themselves",
	"then",	     "there",	  "therefore",	"these",      "they",
	"this",	     "those",	  "though",	"through",    "thus",
	"to",	     "together",  "too",	"toward",     "towards",
	"until",     "upon",	  "us",		"very",	      "was",
	"we",	     "well",	  "were",	"what",	      "whatever",
	"when",	     "where",	  "whereas",	"wherever",   "whether",
	"which",     "while",	  "who",	"whole",      "whom",
	"whose",     "why",	  "will",	"with",	      "within",
	"without",   "would",	  "yes",	"yet",	      "you",
	"your",	     "yours",	  "yourself",	"yourselves",
};

struct word {
	const char *s;
	size_t n;
};

static int word_cmp(const void *key, const void *elem)
{
	const struct word *w = key;
	const char *const *e = elem;
	int r = strncmp(w->s, *e, w->n);

	return r ? r : -(int)((*e)[w->n] != '\0');
}

int rk_is_stop_word(const char *s, size_t n)
{
	struct word w = {s, n};

	return n <= 10 && bsearch(&w, STOP, sizeof(STOP) / sizeof(STOP[0]),
				  sizeof(STOP[0]), word_cmp) != NULL;
}
