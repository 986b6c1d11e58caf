/* SPDX-License-Identifier: MIT */
#ifndef RK_TEXT_ANALYSE_H
#define RK_TEXT_ANALYSE_H

#include "text/analyse/language.h"
#include "text/analyse/vocab.h"
#include <stddef.h>
#include <stdint.h>

/*
 * Text to terms. A token is a run of Unicode letters, marks and digits with
 * underscores, and apostrophes and hyphens inside words. It becomes
 *   - a plain word: normalised (NFKC, case folded), dropped if a stop word,
 *     stemmed (Snowball) with its accents, by which endings are known, and
 *     then without them; or
 *   - an identifier (inner capitals, underscores or digits) or a word with
 *     hyphens: the whole of it, then its parts, treated as words;
 *   - of a run of Han, Kana or Hangul: overlapping pairs of characters;
 *   - of Thai, Lao, Khmer and Burmese: the words of ICU's dictionaries;
 *   - an emoji, a paragraph sign, C++, C#, .NET: that.
 * Tokens above RK_TOKEN_MAX bytes give their parts, or pieces of RK_PIECE
 * bytes where they have none (encoded data).
 * The unstemmed form of each stemmed word is kept as a "word", which feeds
 * spelling repair; words are vocabulary entries that begin with RK_WORD_MARK.
 */
enum { RK_TOKEN_MAX = 192, RK_PIECE = 64, RK_WORD_MARK = 0x01 };

struct rk_tok {
	uint32_t term; /* id in the analyser's vocabulary */
	uint32_t pos;  /* position; parts of one identifier follow on */
	uint32_t off;  /* bytes from the start of the analysed text */
	uint16_t len;  /* bytes of the token in the text */
	uint8_t word;  /* 1: an unstemmed form (no posting), 0: a term */
	uint8_t extra; /* 1: found by it, but queries do not ask for it */
};

struct rk_analyser;

/*
 * `language` is a Snowball algorithm name ("english", "german", ...) or
 * "none" for no stemming. Stop words apply to English only. One analyser
 * belongs to one thread.
 * Returns 0, -EINVAL for an unknown language, -ENOMEM.
 */
int rk_analyser_new(const char *language, struct rk_analyser **out);
void rk_analyser_free(struct rk_analyser *a);
/*
 * From now on words are of this language; RK_LANGUAGE_BASE for the one it was
 * made for. Returns 0, -ENOMEM (and the base language is in use).
 */
int rk_analyser_use(struct rk_analyser *a, enum rk_language l);
/* The language in use; BASE for one that has no number. */
enum rk_language rk_analyser_language(const struct rk_analyser *a);
/*
 * Of a text of a few words it is not known which language it is in: besides
 * its own, tokens give the stems of these (a bit each). 0 from the start.
 */
void rk_analyser_also(struct rk_analyser *a, uint64_t languages);
/* True if rk_analyser_new() would know this language. */
int rk_analyser_knows(const char *language);

/*
 * Analyse n bytes; tokens are appended behind those of earlier calls since
 * rk_analyser_reset(), positions from *pos, which is advanced. `code` drops
 * one-letter words. Borrowed result: rk_analyser_toks() until the next call.
 * Returns 0 or -ENOMEM.
 */
int rk_analyse(struct rk_analyser *a, const char *s, size_t n, int code,
	       uint32_t *pos);
void rk_analyser_reset(struct rk_analyser *a);
const struct rk_tok *rk_analyser_toks(const struct rk_analyser *a, size_t *n);
/* The id of a term that is no word of the text (property.h), or -ENOMEM. */
int64_t rk_analyser_intern(struct rk_analyser *a, const char *s, size_t n);

/*
 * The vocabulary behind the ids. rk_analyser_trim() forgets it when it has
 * grown past its share of memory; the epoch then changes, and with it the
 * meaning of every id. Call it between documents.
 */
const struct rk_vocab *rk_analyser_vocab(const struct rk_analyser *a);
void rk_analyser_trim(struct rk_analyser *a);
uint64_t rk_analyser_epoch(const struct rk_analyser *a);

#endif
