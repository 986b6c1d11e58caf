/* SPDX-License-Identifier: MIT */
#include "text/analyse/language.h"
#include "base/hash.h"
#include <pthread.h>
#include <string.h>
#include <utf8proc.h>

enum {
	LOOK_BYTES = 4096, /* of a text */
	FEW_WORDS = 12,	   /* by which no language is known */
	SCRIPTS_FROM = 0x370,
	WORD_BYTES = 24,
	/* points: two for a function word, one for a letter of its own */
	POINTS_MIN = 6,
	SHARE = 3, /* of the points that its words could have, at least */
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
			"the and of to is that with for was are this have "
			"from not which be by it has were been their they "
			"would there what when your you will can but its had "
			"she his our who these those into than then"},
	[RK_GERMAN] = {"german",
		       "der die das und ist nicht ein eine einen einem einer "
		       "zu mit den von dem auf für sich auch wird sind wie "
		       "als werden nach bei aus über wir ihr sie er es im "
		       "am zum zur haben hat war wurde aber oder noch nur "
		       "kann müssen durch vor um bis diese dieser dieses "
		       "unter sehr mehr man wenn dass ich"},
	[RK_FRENCH] = {"french",
		       "le la les et des est une un dans pour que qui sur "
		       "pas avec du au aux cette ces sont il elle nous vous "
		       "être ce par plus mais ou se ne leur été ont fait "
		       "comme tout sans son sa ses très deux entre aussi "
		       "après avant je"},
	[RK_SPANISH] = {"spanish",
			"el la los las y es una un con por para del de se que "
			"lo como pero más su sus al este esta son está "
			"están no ha han muy sobre entre cuando también sin "
			"fue ser hay todo desde porque nos mi donde ya en"},
	[RK_ITALIAN] = {"italian",
			"il che di è per una un sono con non gli della del "
			"nel nella alla al questo questa anche dei delle "
			"degli le si lo da come più ma ha hanno stato essere "
			"ci sua suo loro tra dopo quando molto in i"},
	[RK_PORTUGUESE] = {"portuguese",
			   "o os as e é uma um não para com do da dos das em "
			   "no na nos nas que por mais são se foi ao à como "
			   "mas ser tem muito já também sua seu pela pelo "
			   "entre está quando depois"},
	[RK_DUTCH] = {"dutch",
		      "het een van de en niet dat zijn voor met op te aan "
		      "er wordt ook als bij naar om uit maar nog is in was "
		      "ik wij ze door over deze dit heeft worden kan geen "
		      "hebben meer dan zo onze tot moet moeten"},
	[RK_SWEDISH] = {"swedish",
			"och att det som är på av för med den inte har "
			"till ett om var från jag vi de en i så men kan ska "
			"vid när också efter eller sig hade alla över "
			"under mycket blev"},
	[RK_NORWEGIAN] = {"norwegian",
			  "og det er på til av for ikke som med jeg har var "
			  "fra et den også en vi de å han hun men kan skal om "
			  "når etter eller seg hadde være bli ble blir noe ut "
			  "over mot"},
	[RK_DANISH] = {"danish",
		       "og det er på til af for ikke som med jeg har var "
		       "fra et den også blev hvad en vi de at han hun men "
		       "kan skal om når efter eller sig havde være bliver "
		       "noget ud over mod meget"},
	[RK_FINNISH] = {"finnish",
			"ja on ei että se oli hän joka ovat mutta kun niin "
			"myös tai olla sen jos kuin mitä tämä minä sinä "
			"me he nyt vain jo sitä hänen ole olen olivat jotka "
			"voi sekä ennen jälkeen kanssa vielä tässä "
			"siitä"},
	[RK_HUNGARIAN] = {"hungarian",
			  "a az és hogy nem egy is van volt de ez meg csak "
			  "mint már vagy el ki fel be mert majd ha még azt "
			  "ezt akkor aki ami sem nagyon lesz minden után "
			  "előtt között benne voltam voltak ők mi te én"},
	[RK_ROMANIAN] = {"romanian",
			 "și în de la nu care este cu pe din mai să pentru "
			 "sunt au fost o un ce sau că dar ca după când prin "
			 "lui ei al ale unei unui această acest fără foarte "
			 "am va"},
	[RK_TURKISH] = {"turkish",
			"ve bir bu için ile de da çok daha olarak olan gibi "
			"değil var sonra ama ne mi o her en kadar ki ya biz "
			"ben sen onun önce hiç şey oldu olduğu bütün "
			"ancak veya yeni"},
	[RK_RUSSIAN] = {"russian", ""},
	[RK_GREEK] = {"greek", ""},
	[RK_ARABIC] = {"arabic", ""},
	[RK_HINDI] = {"hindi", ""},
	[RK_TAMIL] = {"tamil", ""},
	[RK_ARMENIAN] = {"armenian", ""},
};

/* Letters that few languages have: by them even a few words tell. */
#define BIT(l) (1u << (l))
static const struct {
	int32_t letter;
	uint32_t languages;
} RARE[] = {
	{0xdf, BIT(RK_GERMAN)},
	{0xe3, BIT(RK_PORTUGUESE)},
	{0xe5, BIT(RK_SWEDISH) | BIT(RK_NORWEGIAN) | BIT(RK_DANISH)},
	{0xe6, BIT(RK_NORWEGIAN) | BIT(RK_DANISH)},
	{0xea, BIT(RK_FRENCH) | BIT(RK_PORTUGUESE)},
	{0xe8, BIT(RK_FRENCH) | BIT(RK_ITALIAN)},
	{0xf1, BIT(RK_SPANISH)},
	{0xf5, BIT(RK_PORTUGUESE)},
	{0xf8, BIT(RK_NORWEGIAN) | BIT(RK_DANISH)},
	{0x103, BIT(RK_ROMANIAN)},
	{0x11f, BIT(RK_TURKISH)},
	{0x131, BIT(RK_TURKISH)},
	{0x151, BIT(RK_HUNGARIAN)},
	{0x153, BIT(RK_FRENCH)},
	{0x15f, BIT(RK_TURKISH)},
	{0x171, BIT(RK_HUNGARIAN)},
	{0x219, BIT(RK_ROMANIAN)},
	{0x21b, BIT(RK_ROMANIAN)},
};
enum { NRARE = sizeof(RARE) / sizeof(RARE[0]) };

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
	unsigned of[RK_LANGUAGES];     /* points */
	unsigned script[RK_LANGUAGES]; /* letters */
	unsigned letters;
	uint32_t letters_of; /* languages that have a letter of the word */
	/* which words spoke for it, by a bit of their hash: one word alone,
	 * however often ("a/a/a"), says nothing */
	uint32_t kinds[RK_LANGUAGES];
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
	uint32_t kind = 1u << (rk_hash64(w, n) & 31);
	uint32_t left = slot_of(w, n)->languages;

	c->words++;
	for (; left; left &= left - 1) {
		c->of[__builtin_ctz(left)] += 2;
		c->kinds[__builtin_ctz(left)] |= kind;
	}
	for (left = c->letters_of; left; left &= left - 1) {
		c->of[__builtin_ctz(left)]++;
		c->kinds[__builtin_ctz(left)] |= kind;
	}
	c->letters_of = 0;
}

static void count_letter(struct counts *c, int32_t ch)
{
	c->letters++;
	for (int i = 0; ch >= 0xdf && i < NRARE; i++)
		if (RARE[i].letter == ch)
			c->letters_of |= RARE[i].languages;
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
	if (most < POINTS_MIN || most * SHARE < c.words ||
	    __builtin_popcount(c.kinds[best]) < 2)
		return RK_LANGUAGE_BASE;
	/* neighbours (Danish, Norwegian) may be close: the first will do */
	if (most * 5 < next * 6 && (best < RK_SWEDISH || best > RK_DANISH))
		return RK_LANGUAGE_BASE;
	return best;
}

int rk_language_few_words(const char *s, size_t n)
{
	unsigned gaps = 0;

	for (size_t i = 0; i < n && gaps < FEW_WORDS; i++)
		gaps += s[i] == ' ' || s[i] == '\n';
	return gaps < FEW_WORDS;
}
