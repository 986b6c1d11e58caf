/* SPDX-License-Identifier: MIT */
#include "index/state/config.h"
#include "storage/ann.h"
#include "text/analyse/analyse.h"
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int known_language(const char *v)
{
	return rk_analyser_knows(v);
}

static int one_of(const char *v, const char *const *list)
{
	for (; *list; list++)
		if (strcmp(*list, v) == 0)
			return 1;
	return 0;
}

static int known_embedder(const char *v)
{
	static const char *const PREFIX[] = {"static:/", "http://", "https://"};

	for (size_t i = 0; i < sizeof(PREFIX) / sizeof(PREFIX[0]); i++)
		if (strncmp(v, PREFIX[i], strlen(PREFIX[i])) == 0)
			return 1;
	if (strncmp(v, "import:", 7) == 0) {
		char *end;
		long dim = strtol(v + 7, &end, 10);

		return end > v + 7 && !*end && dim > 0 && dim <= 16384;
	}
	return strcmp(v, "none") == 0 || strcmp(v, "hash-lsa") == 0;
}

/* The whole index is no cache: that would be an accident. */
static int known_folder(const char *v)
{
	size_t n = strlen(v);

	return n && v[0] != '/' && v[n - 1] != '/' && !strstr(v, "..") &&
	       strcmp(v, ".") != 0;
}

static int known_index_type(const char *v)
{
	return strcmp(v, "auto") == 0 || rk_ann_type_by_name(v) >= 0;
}

static int known_fusion(const char *v)
{
	static const char *const KINDS[] = {"convex", "rrf", NULL};

	return one_of(v, KINDS);
}

static const struct key {
	const char *name;
	size_t offset;
	int64_t dflt, min, max; /* of a number */
	const char *help;
	size_t size; /* of a text; 0: a number */
	const char *text_dflt;
	int (*check)(const char *v);
	const char *expected;
} KEYS[] = {
	{.name = "language",
	 .offset = offsetof(struct rk_config, language),
	 .size = sizeof(((struct rk_config *)0)->language),
	 .text_dflt = "english",
	 .check = known_language,
	 .expected = "a Snowball language or none",
	 .help = "Snowball stemmer (english, german, french, ...) or none; a "
		 "change reads every document again at the next mount"},
	{.name = "embedder",
	 .offset = offsetof(struct rk_config, embedder),
	 .size = sizeof(((struct rk_config *)0)->embedder),
	 .text_dflt = "hash-lsa",
	 .check = known_embedder,
	 .expected = "none, hash-lsa, static:/DIR, import:DIM, http://... or "
		     "https://...",
	 .help = "what makes vectors: hash-lsa (built in), none, static:/DIR "
		 "(a model2vec folder), import:DIM (vectors that come with "
		 "documents), or the URL of a server; a change takes "
		 "effect with `reindex`"},
	{.name = "vector_index",
	 .offset = offsetof(struct rk_config, vector_index),
	 .size = sizeof(((struct rk_config *)0)->vector_index),
	 .text_dflt = "auto",
	 .check = known_index_type,
	 .expected = "auto, flat, ivf, hnsw, sq8_hnsw or binary_hnsw",
	 .help = "index over vectors: auto, flat (exact), ivf (1-bit codes in "
		 "inverted lists), hnsw, sq8_hnsw, binary_hnsw (graphs)"},
	{.name = "fusion",
	 .offset = offsetof(struct rk_config, fusion),
	 .size = sizeof(((struct rk_config *)0)->fusion),
	 .text_dflt = "convex",
	 .check = known_fusion,
	 .expected = "convex or rrf",
	 .help = "how words and vectors are weighed together: convex (of "
		 "scores) or rrf (of ranks)"},
	{"vector_weight", offsetof(struct rk_config, vector_weight), 0, 0, 100,
	 "percent of the vectors in the fused score; 0: what suits the "
	 "embedder",
	 0, NULL, NULL, NULL},
	{"ctags", offsetof(struct rk_config, ctags), 1, 0, 1,
	 "find definitions in source code by universal-ctags; 0: by the shape "
	 "of lines",
	 0, NULL, NULL, NULL},
	{"extract_memory_mib", offsetof(struct rk_config, extract_memory_mib),
	 512, 16, 65536,
	 "address space of a program that extracts text; a compressed document "
	 "for it may unpack to a quarter of that",
	 0, NULL, NULL, NULL},
	{"extract_timeout_s", offsetof(struct rk_config, extract_timeout_s), 30,
	 1, 3600, "time it has for one document", 0, NULL, NULL, NULL},
	{"extract_cache_mib", offsetof(struct rk_config, extract_cache_mib),
	 256, 0, 1 << 20, "extracted texts that are kept", 0, NULL, NULL, NULL},
	{"detect_language", offsetof(struct rk_config, detect_language), 1, 0,
	 1,
	 "stem each document by the language that it is written in; 0: all by "
	 "`language`",
	 0, NULL, NULL, NULL},
	{"watch_max", offsetof(struct rk_config, watch_max), 0, 0, 1 << 30,
	 "folders of linked sources that are watched by inotify; 0: as many "
	 "as the system allows",
	 0, NULL, NULL, NULL},
	{"scan_s", offsetof(struct rk_config, scan_s), 30, 1, 86400,
	 "linked sources with more folders than inotify watches are compared "
	 "with the index this often, in seconds",
	 0, NULL, NULL, NULL},
	{"recall_min", offsetof(struct rk_config, recall_min), 70, 1, 100,
	 "how near, in percent, a document must be for recall/ to give it", 0,
	 NULL, NULL, NULL},
	{.name = "cache_dir",
	 .offset = offsetof(struct rk_config, cache_dir),
	 .size = sizeof(((struct rk_config *)0)->cache_dir),
	 .text_dflt = "cache",
	 .check = known_folder,
	 .expected = "a folder of the mount, without / at its ends",
	 .help = "folder whose documents are a cache: they are removed by the "
		 "three limits below"},
	{"cache_ttl_s", offsetof(struct rk_config, cache_ttl_s), 0, 0,
	 (int64_t)1 << 32, "seconds after which they go; 0: never", 0, NULL,
	 NULL, NULL},
	{"cache_max_mib", offsetof(struct rk_config, cache_max_mib), 0, 0,
	 1 << 30,
	 "size from which on those go that were used longest ago; 0: none", 0,
	 NULL, NULL, NULL},
	{"cache_max_docs", offsetof(struct rk_config, cache_max_docs), 0, 0,
	 1 << 30, "the same for their number; 0: none", 0, NULL, NULL, NULL},
	{.name = "embed_model",
	 .offset = offsetof(struct rk_config, embed_model),
	 .size = sizeof(((struct rk_config *)0)->embed_model),
	 .text_dflt = "",
	 .help = "model that an embedding server is asked for"},
	{.name = "embed_key_file",
	 .offset = offsetof(struct rk_config, embed_key_file),
	 .size = sizeof(((struct rk_config *)0)->embed_key_file),
	 .text_dflt = "",
	 .help = "file with the bearer token for the server; or "
		 "RANKFS_EMBED_KEY in the environment of the mount"},
	{.name = "embed_doc_prefix",
	 .offset = offsetof(struct rk_config, embed_doc_prefix),
	 .size = sizeof(((struct rk_config *)0)->embed_doc_prefix),
	 .text_dflt = "",
	 .help = "put before each text, \"search_document: \" for some models "
		 "(in quotes to keep the blank)"},
	{.name = "embed_query_prefix",
	 .offset = offsetof(struct rk_config, embed_query_prefix),
	 .size = sizeof(((struct rk_config *)0)->embed_query_prefix),
	 .text_dflt = "",
	 .help = "put before each query"},
	{"embed_dims", offsetof(struct rk_config, embed_dims), 0, 0, 65536,
	 "dimensions to ask for and to cut vectors to; 0: as the model has", 0,
	 NULL, NULL, NULL},
	{"embed_batch", offsetof(struct rk_config, embed_batch), 32, 1, 2048,
	 "texts in one request", 0, NULL, NULL, NULL},
	{"embed_chars", offsetof(struct rk_config, embed_chars), 8192, 64,
	 1000000, "bytes of a text that are sent", 0, NULL, NULL, NULL},
	{"embed_timeout_ms", offsetof(struct rk_config, embed_timeout_ms),
	 60000, 100, 3600000, "time for one request with documents", 0, NULL,
	 NULL, NULL},
	{"embed_query_ms", offsetof(struct rk_config, embed_query_ms), 1500, 10,
	 600000, "time a query waits for its vector", 0, NULL, NULL, NULL},
	{"memory_mib", offsetof(struct rk_config, memory_mib), 96, 4, 65536,
	 "memory for what is not yet written to segments", 0, NULL, NULL, NULL},
	{"text_max_mib", offsetof(struct rk_config, text_max_mib), 8, 1, 1024,
	 "text indexed of one document; the rest is stored, not searched", 0,
	 NULL, NULL, NULL},
	{"workers", offsetof(struct rk_config, workers), 0, 0, 64,
	 "indexing threads; 0: a processor less than there are, 1 to 4 "
	 "(next mount)",
	 0, NULL, NULL, NULL},
	{"wait_ms", offsetof(struct rk_config, wait_ms), 5000, 0, 600000,
	 "how long a query waits for changes made before it", 0, NULL, NULL,
	 NULL},
	{"checkpoint_s", offsetof(struct rk_config, checkpoint_s), 30, 1, 86400,
	 "write memory out at least this often while it changes", 0, NULL, NULL,
	 NULL},
	{"sync_ms", offsetof(struct rk_config, sync_ms), 1000, 0, 3600000,
	 "put the log on disk this often; 0: only on fsync", 0, NULL, NULL,
	 NULL},
	{"retain", offsetof(struct rk_config, retain), 2, 1, RK_RETAIN_MAX,
	 "checkpoints kept to fall back to", 0, NULL, NULL, NULL},
	{"hits", offsetof(struct rk_config, hits), 10, 1, 1000,
	 "results of a query that does not say n:", 0, NULL, NULL, NULL},
	{"excerpt_lines", offsetof(struct rk_config, excerpt_lines), 8, 1, 200,
	 "lines of text shown with a result", 0, NULL, NULL, NULL},
};
enum { NKEYS = sizeof(KEYS) / sizeof(KEYS[0]) };

static int64_t *number(const struct rk_config *c, const struct key *k)
{
	return (int64_t *)(uintptr_t)((const char *)c + k->offset);
}

static char *text(const struct rk_config *c, const struct key *k)
{
	return (char *)(uintptr_t)((const char *)c + k->offset);
}

void rk_config_defaults(struct rk_config *c)
{
	memset(c, 0, sizeof(*c));
	for (int i = 0; i < NKEYS; i++)
		if (KEYS[i].size)
			snprintf(text(c, &KEYS[i]), KEYS[i].size, "%s",
				 KEYS[i].text_dflt);
		else
			*number(c, &KEYS[i]) = KEYS[i].dflt;
}

static const struct key *find_key(const char *s, size_t n)
{
	for (int i = 0; i < NKEYS; i++)
		if (strlen(KEYS[i].name) == n && !memcmp(KEYS[i].name, s, n))
			return &KEYS[i];
	return NULL;
}

static int set_text(struct rk_config *c, const struct key *k, const char *v,
		    char *err, size_t err_n)
{
	size_t n = strlen(v);
	char plain[512];

	if (n >= 2 && n < sizeof(plain) && v[0] == '"' && v[n - 1] == '"') {
		memcpy(plain, v + 1, n - 2);
		plain[n - 2] = '\0';
		v = plain;
	}
	if (strlen(v) >= k->size || (k->check && !k->check(v))) {
		snprintf(err, err_n, "%s: '%.40s' is not %s", k->name, v,
			 k->expected);
		return -EINVAL;
	}
	memset(text(c, k), 0, k->size); /* no old bytes behind */
	snprintf(text(c, k), k->size, "%s", v);
	return 0;
}

static int set_number(struct rk_config *c, const struct key *k, const char *v,
		      char *err, size_t err_n)
{
	char *end;
	long long x;

	errno = 0;
	x = strtoll(v, &end, 10);
	if (end == v || *end || errno || x < k->min || x > k->max) {
		snprintf(err, err_n,
			 "%s: '%.40s' is not a number from %lld to %lld",
			 k->name, v, (long long)k->min, (long long)k->max);
		return -EINVAL;
	}
	*number(c, k) = x;
	return 0;
}

/* extract.GLOB COMMAND; the line is cut into pieces. */
static int set_extractor(struct rk_config *c, char *s, size_t n, char *err,
			 size_t err_n)
{
	char *v = s + n + strspn(s + n, " \t="), *end = v + strlen(v);

	while (end > v && strchr(" \t\r", end[-1]))
		*--end = '\0';
	s[n] = '\0';
	return rk_extractor_set(&c->helpers, s + 8, v, err, err_n);
}

static int parse_line(struct rk_config *c, char *line, char *err, size_t err_n)
{
	char *s = line + strspn(line, " \t"), *v, *end;
	const struct key *k;
	size_t n;

	if (*s == '\0' || *s == '#')
		return 0;
	n = strcspn(s, " \t=");
	if (n > 8 && strncmp(s, "extract.", 8) == 0)
		return set_extractor(c, s, n, err, err_n);
	k = find_key(s, n);
	if (!k) {
		snprintf(err, err_n, "unknown key '%.*s'",
			 (int)(n < 40 ? n : 40), s);
		return -EINVAL;
	}
	v = s + n + strspn(s + n, " \t=");
	end = v + strlen(v);
	while (end > v && strchr(" \t\r", end[-1]))
		*--end = '\0';
	return k->size ? set_text(c, k, v, err, err_n)
		       : set_number(c, k, v, err, err_n);
}

int rk_config_parse(struct rk_config *c, const char *s, size_t n, char *err,
		    size_t err_n)
{
	struct rk_config next = *c;
	const char *end = s + n;

	while (s < end) {
		const char *nl = memchr(s, '\n', (size_t)(end - s));
		size_t len = (size_t)((nl ? nl : end) - s);
		char line[512];
		int rc;

		if (len >= sizeof(line) || memchr(s, '\0', len)) {
			snprintf(err, err_n, "not a configuration line");
			return -EINVAL;
		}
		memcpy(line, s, len);
		line[len] = '\0';
		if ((rc = parse_line(&next, line, err, err_n)) < 0)
			return rc;
		s += len + 1;
	}
	*c = next;
	return 0;
}

/* In quotes where blanks at an end would get lost. */
static void print_text(const char *name, const char *v, struct rk_buf *out)
{
	size_t n = strlen(v);
	int quote = n && (v[0] == ' ' || v[n - 1] == ' ' || v[0] == '"');

	rk_buf_printf(out, quote ? "%s \"%s\"\n" : "%s %s\n", name, v);
}

void rk_config_format(const struct rk_config *c, struct rk_buf *out)
{
	for (int i = 0; i < NKEYS; i++) {
		rk_buf_printf(out, "# %s\n", KEYS[i].help);
		if (KEYS[i].size)
			print_text(KEYS[i].name, text(c, &KEYS[i]), out);
		else
			rk_buf_printf(out, "%s %lld\n", KEYS[i].name,
				      (long long)*number(c, &KEYS[i]));
	}
	rk_extractors_print(&c->helpers, out);
}

int64_t rk_config_lookup(const struct rk_config *c, const char *key)
{
	const struct key *k = find_key(key, strlen(key));

	return k && !k->size ? *number(c, k) : -1;
}

const char *rk_config_text(const struct rk_config *c, const char *key)
{
	const struct key *k = find_key(key, strlen(key));

	return k && k->size ? text(c, k) : NULL;
}
