/* SPDX-License-Identifier: MIT */
#ifndef RK_INDEX_CONFIG_H
#define RK_INDEX_CONFIG_H

#include "base/buf.h"
#include "text/extract/extractor.h"
#include "base/env.h"

/*
 * Configuration of one index: the file `config` in its directory, `key value`
 * lines, `#` comments. One table in config.c names, checks, prints and
 * documents every key.
 */
enum { RK_RETAIN_MAX = 100 }; /* checkpoints */

struct rk_config {
	char language[32];
	int64_t memory_mib;   /* memory tables, both of them */
	int64_t text_max_mib; /* indexed text of one document */
	int64_t workers;      /* 0: by the number of processors */
	int64_t wait_ms;      /* read-your-writes at most */
	int64_t checkpoint_s; /* memory is written out at least so often */
	int64_t sync_ms;      /* background sync of the log; 0: never */
	int64_t retain;	      /* checkpoints kept */
	int64_t hits;	      /* results of a query without n: */
	int64_t excerpt_lines;
	char embedder[200];    /* none, hash-lsa, static:DIR, http(s)://... */
	char vector_index[16]; /* type of the index over vectors */
	int64_t vector_weight; /* percent in the fused score; 0: embedder's */
	char fusion[16];
	/* of an embedding server */
	char embed_model[128];
	char embed_key_file[200];
	char embed_doc_prefix[128];
	char embed_query_prefix[128];
	struct rk_extractors helpers; /* extract.GLOB */
	int64_t extract_memory_mib, extract_timeout_s, extract_cache_mib;
	int64_t watch_max; /* inotify watches; 0: as many as there are */
	int64_t scan_s;	   /* linked sources without watches are compared */
	int64_t detect_language; /* of each document */
	int64_t ctags;		 /* definitions by universal-ctags */
	int64_t recall_min;	 /* percent */
	char cache_dir[200];	 /* documents that go by themselves */
	int64_t cache_ttl_s, cache_max_mib, cache_max_docs;
	int64_t embed_dims, embed_batch, embed_chars;
	int64_t embed_timeout_ms, embed_query_ms;
};

void rk_config_defaults(struct rk_config *c);
/*
 * Apply `key value` lines over *c. On a bad line nothing is changed and err
 * says which line and why. Returns 0 or -EINVAL.
 */
int rk_config_parse(struct rk_config *c, const char *s, size_t n, char *err,
		    size_t err_n);
void rk_config_format(const struct rk_config *c, struct rk_buf *out);
/* Value of an integer key, or -1; of a text key, borrowed, or NULL. */
int64_t rk_config_lookup(const struct rk_config *c, const char *key);
const char *rk_config_text(const struct rk_config *c, const char *key);

#endif
