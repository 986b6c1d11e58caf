/* SPDX-License-Identifier: MIT */
#include "text/analyse/language.h"
#include "base/hash.h"
#include <pthread.h>
#include <string.h>
#include <utf8proc.h>

enum {
	LOOK_BYTES = 4096, /* of a text */
	SCRIPTS_FROM = 0x370,
	WORD_BYTES = 24,
	WORDS_MIN = 5, /* function words that make a language likely */
	SHARE = 8,     /* one in so many words, at least */
};

/*
 * Function words that are frequent in one language and rare in the others of
 * the list, so that counting them tells which it is.
 */
static const struct {
	const char *name, *words;
} LANGUAGES[RK_LANGUAGES] = {
	[RK_LANGUAGE_BASE] = {"", ""},
	[RK_ENGLISH] = {"english",
			"the and of to is that with for was are this "
			"have from not which be by it"},
	[RK_GERMAN] = {"german",
		       "der die das und ist nicht ein eine zu mit den von dem "
		       "auf für sich auch wird sind wie als werden"},
	[RK_FRENCH] = {"french", "le la les et des est une dans pour que qui "
				 "sur pas avec du au cette sont il nous être"},
	[RK_SPANISH] = {"spanish",
			"el los las y es una por con para del se que lo como "
			"pero más su al este son está"},
	[RK_ITALIAN] = {"italian", "il di che è per una sono con non gli della "
				   "del nel alla questo anche dei le si"},
	[RK_PORTUGUESE] = {"portuguese", "o os as e é uma não para com do da "
					 "dos das em no na que por mais são"},
	[RK_DUTCH] = {"dutch", "het een van de en niet dat zijn voor met op te "
			       "aan er wordt ook als bij naar"},
	[RK_SWEDISH] = {"swedish", "och att det som är på av för med den inte "
				   "har till ett om var från jag"},
	[RK_NORWEGIAN] = {"norwegian", "og det er på til av for ikke som med "
				       "jeg har var fra et den også"},
	[RK_DANISH] = {"danish", "og det er på til af for ikke som med jeg har "
				 "var fra et den også blev hvad"},
	[RK_FINNISH] = {"finnish", "ja on ei että se oli hän joka ovat mutta "
				   "kun niin myös tai olla sen"},
	[RK_HUNGARIAN] = {"hungarian", "a az és hogy nem egy is van volt de ez "
				       "meg csak mint már vagy"},
	[RK_ROMANIAN] = {"romanian", "și în de la nu care este cu pe din mai "
				     "să pentru sunt au fost o"},
	[RK_TURKISH] = {"turkish", "ve bir bu için ile de da çok daha olarak "
				   "olan gibi değil var sonra"},
	[RK_RUSSIAN] = {"russian", ""},
	[RK_GREEK] = {"greek", ""},
	[RK_ARABIC] = {"arabic", ""},
	[RK_HINDI] = {"hindi", ""},
	[RK_TAMIL] = {"tamil", ""},
	[RK_ARMENIAN] = {"armenian", ""},
};

/* Languages that their script tells. */
static const struct {
	int32_t from, to;
	enum rk_language language;
} SCRIPTS[] = {
	{0x0400, 0x04ff, RK_RUSSIAN}, {0x0370, 0x03ff, RK_GREEK},
	{0x0600, 0x06ff, RK_ARABIC},  {0x0900, 0x097f, RK_HINDI},
	{0x0b80, 0x0bff, RK_TAMIL},   {0x0530, 0x058f, RK_ARMENIAN},
};
enum { NSCRIPTS = sizeof(SCRIPTS) / sizeof(SCRIPTS[0]) };

const char *rk_language_name(enum rk_language l)
{
	return (unsigned)l < RK_LANGUAGES ? LANGUAGES[l].name : "";
}

enum rk_language rk_language_by_name(const char *name)
{
	for (int i = 1; i < RK_LANGUAGES; i++)
		if (strcmp(LANGUAGES[i].name, name) == 0)
			return (enum rk_language)i;
	return RK_LANGUAGE_BASE;
}

struct counts {
	unsigned words;
	unsigned of[RK_LANGUAGES];     /* function words */
	unsigned script[RK_LANGUAGES]; /* letters */
	unsigned letters;
};

/* All function words by hash, with the languages that have them. */
enum { SLOTS = 2048 };
static struct slot {
	uint64_t hash; /* 0: free */
	uint32_t languages;
} table[SLOTS];

static struct slot *slot_of(const char *w, size_t n)
{
	uint64_t h = rk_hash64(w, n) | 1;
	size_t i = h >> 1 & (SLOTS - 1);

	while (table[i].hash && table[i].hash != h)
		i = (i + 1) & (SLOTS - 1);
	return &table[i];
}

static void fill_table(void)
{
	for (int l = 1; l < RK_LANGUAGES; l++)
		for (const char *w = LANGUAGES[l].words; *w;) {
			size_t n = strcspn(w, " ");
			struct slot *s = slot_of(w, n);

			s->hash = rk_hash64(w, n) | 1;
			s->languages |= 1u << l;
			w += n + (w[n] == ' ');
		}
}

static void count_word(struct counts *c, const char *w, size_t n)
{
	uint32_t left = slot_of(w, n)->languages;

	c->words++;
	for (; left; left &= left - 1)
		c->of[__builtin_ctz(left)]++;
}

static void count_letter(struct counts *c, int32_t ch)
{
	c->letters++;
	if (ch < SCRIPTS_FROM)
		return;
	for (int i = 0; i < NSCRIPTS; i++)
		if (ch >= SCRIPTS[i].from && ch <= SCRIPTS[i].to)
			c->script[SCRIPTS[i].language]++;
}

static int is_letter_beyond(int32_t c)
{
	utf8proc_category_t cat = utf8proc_category(c);

	return cat >= UTF8PROC_CATEGORY_LU && cat <= UTF8PROC_CATEGORY_MC;
}

static int is_letter(int32_t c)
{
	if (c < 0x80)
		return (c | 0x20) >= 'a' && (c | 0x20) <= 'z';
	return is_letter_beyond(c);
}

static size_t put_lower(char *out, int32_t c)
{
	if (c < 0x80) {
		*out = (char)(c | 0x20);
		return 1;
	}
	return (size_t)utf8proc_encode_char(utf8proc_tolower(c),
					    (utf8proc_uint8_t *)out);
}

/* Words in lower case, letters by their scripts. */
static void count_text(struct counts *c, const char *s, size_t n)
{
	char word[WORD_BYTES];
	size_t len = 0;

	for (size_t i = 0; i < n;) {
		int32_t ch = (unsigned char)s[i];
		utf8proc_ssize_t k = 1;

		if (ch >= 0x80)
			k = utf8proc_iterate((const utf8proc_uint8_t *)s + i,
					     (utf8proc_ssize_t)(n - i), &ch);
		if (k > 0 && is_letter(ch)) {
			count_letter(c, ch);
			if (len + 4 <= WORD_BYTES)
				len += put_lower(word + len, ch);
		} else if (len) {
			count_word(c, word, len);
			len = 0;
		}
		i += k > 0 ? (size_t)k : 1;
	}
	if (len)
		count_word(c, word, len);
}

enum rk_language rk_language_detect(const char *s, size_t n)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	struct counts c = {0};
	enum rk_language best = RK_LANGUAGE_BASE;
	unsigned most = 0, next = 0;

	pthread_once(&once, fill_table);
	count_text(&c, s, n < LOOK_BYTES ? n : LOOK_BYTES);
	for (int l = 1; l < RK_LANGUAGES; l++) {
		if (c.script[l] * 2 > c.letters && c.letters >= 10)
			return (enum rk_language)l;
		if (c.of[l] > most) {
			next = most;
			most = c.of[l];
			best = (enum rk_language)l;
		} else if (c.of[l] > next) {
			next = c.of[l];
		}
	}
	/* neighbours (Danish, Norwegian) may be close: the first will do */
	if (most < WORDS_MIN || most * SHARE < c.words || most * 4 < next * 5)
		return most >= WORDS_MIN && most * SHARE >= c.words &&
				       best >= RK_SWEDISH && best <= RK_DANISH
			       ? best
			       : RK_LANGUAGE_BASE;
	return best;
}
