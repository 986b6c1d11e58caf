/* SPDX-License-Identifier: MIT */
#include "text/analyse/analyse.h"
#include "text/analyse/language.h"
#include "unit/t.h"

/* A few sentences in each, and two words that share a stem there. */
static const struct {
	enum rk_language language;
	const char *text, *a, *b;
} SAMPLES[] = {
	{RK_ENGLISH,
	 "The keys of the house are with the neighbour, and that is where you "
	 "have to go for them when this door is locked.",
	 "rotating", "rotated"},
	{RK_GERMAN,
	 "Die Schlüssel liegen auf dem Tisch, und der Nachbar ist nicht zu "
	 "Hause. Wir werden sie auch von den Kindern nicht bekommen.",
	 "Wohnungen", "Wohnung"},
	{RK_FRENCH,
	 "Les clés sont dans la maison du voisin, et il n'est pas là pour nous "
	 "ouvrir. Une fois que cette porte est fermée, nous attendons.",
	 "continuellement", "continuelle"},
	{RK_SPANISH,
	 "Las llaves están en la casa del vecino, pero él no está. Se puede "
	 "entrar por los balcones como lo hacen los gatos y son más rápidos.",
	 "canciones", "cancion"},
	{RK_ITALIAN,
	 "Le chiavi sono nella casa del vicino, che non è in città. Per questo "
	 "gli amici della famiglia sono con noi nel giardino.",
	 "gatti", "gatto"},
	{RK_PORTUGUESE,
	 "As chaves estão em casa do vizinho, que não está. Os amigos da "
	 "família são para nós uma ajuda e o cão é mais rápido com as patas.",
	 "cantando", "cantar"},
	{RK_DUTCH,
	 "De sleutels van het huis zijn niet bij de buren, dat wordt voor ons "
	 "een probleem. Er is ook een kat aan de deur en een hond in het hok.",
	 "katten", "kat"},
	{RK_SWEDISH,
	 "Nycklarna till huset är inte hos grannen, och det var från honom som "
	 "jag fick dem. Den som har ett hus på landet är av med dem.",
	 "flickor", "flickorna"},
	{RK_DANISH,
	 "Nøglerne til huset er ikke hos naboen, og det var fra ham, jeg fik "
	 "dem. Hvad blev der af den kat, som også har boet på loftet?",
	 "husene", "huset"},
	{RK_FINNISH,
	 "Avaimet ovat talossa, mutta naapuri on poissa ja se on lukossa. Kun "
	 "hän tulee, niin ovi on auki, joka oli kiinni, ja myös ikkuna.",
	 "talossa", "talo"},
	{RK_RUSSIAN, "Ключи от дома лежат на столе у соседа.", "ключами",
	 "ключи"},
	{RK_GREEK, "Τα κλειδιά του σπιτιού είναι στον γείτονα.", "δρόμος",
	 "δρόμους"},
	{RK_ARABIC, "مفاتيح البيت موجودة عند الجيران اليوم", "كتاب", "الكتاب"},
};

static void languages_are_recognised(void)
{
	for (size_t i = 0; i < sizeof(SAMPLES) / sizeof(SAMPLES[0]); i++) {
		enum rk_language got = rk_language_detect(
			SAMPLES[i].text, strlen(SAMPLES[i].text));

		if (got != SAMPLES[i].language)
			printf("# %s is taken for %s\n",
			       rk_language_name(SAMPLES[i].language),
			       rk_language_name(got));
		CHECK_INT(got, SAMPLES[i].language);
	}
}

static void what_is_unclear_is_left_to_the_configuration(void)
{
	static const char *const UNCLEAR[] = {
		"",
		"int main(void) { return 0; }",
		"1 2 3 4 5 6 7 8 9",
		"Kernel panic CPU fault at address",
		"das",
		"\xff\xfe\xfd garbage \x80"};

	for (size_t i = 0; i < sizeof(UNCLEAR) / sizeof(UNCLEAR[0]); i++)
		CHECK_INT(rk_language_detect(UNCLEAR[i], strlen(UNCLEAR[i])),
			  RK_LANGUAGE_BASE);
}

static const char *stem(struct rk_analyser *a, const char *word)
{
	const struct rk_tok *t;
	uint32_t pos = 0;
	size_t n;

	rk_analyser_reset(a);
	CHECK_INT(rk_analyse(a, word, strlen(word), 0, &pos), 0);
	t = rk_analyser_toks(a, &n);
	CHECK(n > 0);
	return rk_analyser_vocab(a)->v[t[0].term].s;
}

static void words_of_each_language_meet_in_their_stems(void)
{
	struct rk_analyser *a;

	CHECK_INT(rk_analyser_new("english", &a), 0);
	for (size_t i = 0; i < sizeof(SAMPLES) / sizeof(SAMPLES[0]); i++) {
		char *x;

		CHECK_INT(rk_analyser_use(a, SAMPLES[i].language), 0);
		x = strdup(stem(a, SAMPLES[i].a));
		CHECK_STR(stem(a, SAMPLES[i].b), x);
		free(x);
	}
	CHECK_INT(rk_analyser_use(a, RK_LANGUAGE_BASE), 0);
	CHECK_STR(stem(a, "rotating"), "rotat");
	rk_analyser_free(a);
}

static const struct t_case CASES[] = {
	{"languages are recognised", languages_are_recognised},
	{"what is unclear is left to the configuration",
	 what_is_unclear_is_left_to_the_configuration},
	{"words of each language meet in their stems",
	 words_of_each_language_meet_in_their_stems},
};
T_MAIN(CASES)
