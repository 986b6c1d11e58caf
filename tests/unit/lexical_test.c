/* SPDX-License-Identifier: MIT */
#include "base/status.h"
#include "lexical/bitpack.h"
#include "lexical/cursor.h"
#include "lexical/dict.h"
#include "lexical/fuzzy.h"
#include "lexical/maxscore.h"
#include "lexical/topk.h"
#include "unit/t.h"
#include <math.h>

static void every_width_packs_and_unpacks(void)
{
	unsigned long long seed = 1;

	for (unsigned w = 0; w <= 32; w++) {
		uint32_t in[RK_BLOCK], out[RK_BLOCK];
		uint8_t packed[16 * 32 + 16];

		for (int i = 0; i < RK_BLOCK; i++)
			in[i] = w ? (uint32_t)(t_rand(&seed) >> (64 - w)) : 0;
		rk_pack128(in, w, packed);
		rk_unpack128(packed, w, out);
		CHECK(memcmp(in, out, sizeof(in)) == 0);
		CHECK(rk_bit_width(in, RK_BLOCK) <= w);
	}
}

static void gaps_become_ids(void)
{
	uint32_t gaps[RK_BLOCK], ids[RK_BLOCK];
	uint8_t packed[16 * 7];
	uint32_t want = UINT32_MAX;

	for (uint32_t i = 0; i < RK_BLOCK; i++)
		gaps[i] = i * 31 % 100;
	rk_pack128(gaps, 7, packed);
	rk_unpack128_ids(packed, 7, UINT32_MAX, ids);
	for (int i = 0; i < RK_BLOCK; i++) {
		want += gaps[i] + 1;
		CHECK(ids[i] == want);
	}
}

/* A list of n postings with gaps up to `gap`, and what was put in. */
/* of every length that a first place is written in */
static uint32_t first_place(uint32_t i)
{
	static const uint32_t AT[] = {0,    63,	  64,	127,   128,
				      7935, 7936, 8191, 70000, UINT32_MAX};

	return i % 2 ? i % 300 : AT[i / 2 % 10];
}

struct made {
	struct rk_buf posts, poss;
	uint32_t *ids, *tf, *head;
	uint32_t n, chunks;
	int bound;
};

static struct made make_list(uint32_t n, uint32_t gap, unsigned long long seed)
{
	struct made m = {.n = n};
	struct rk_postw *w = calloc(1, sizeof(*w));
	uint32_t id = UINT32_MAX;

	m.ids = malloc(n * 4 + 4);
	m.tf = malloc(n * 4 + 4);
	m.head = malloc(n * 4 + 4);
	for (uint32_t i = 0; i < n; i++) {
		struct rk_buf pos = RK_BUF_INIT;
		uint8_t form[] = {(uint8_t)(i % 126), 126};
		uint32_t count;

		id += 1 + (uint32_t)(t_rand(&seed) % gap);
		m.ids[i] = id;
		m.tf[i] = 1 + (uint32_t)(t_rand(&seed) % 3);
		m.head[i] = t_rand(&seed) % 5 == 0 ? 6 : 0;
		count = m.tf[i];
		if (m.head[i])
			rk_buf_varint(&pos, count);
		rk_first_gap(&pos, first_place(i), form, i % 3);
		for (uint32_t p = 1; p < count; p++)
			rk_buf_varint(&pos, p + i % 300);
		rk_postw_add(w,
			     &(struct rk_posting){id, m.tf[i], m.head[i],
						  (uint32_t)pos.n, pos.p},
			     (float)m.tf[i]);
		rk_buf_release(&pos);
	}
	m.chunks = id + 1;
	m.bound = rk_postw_finish(w, &m.posts, &m.poss);
	rk_postw_release(w);
	free(w);
	return m;
}

static void free_list(struct made *m)
{
	rk_buf_release(&m->posts);
	rk_buf_release(&m->poss);
	free(m->ids);
	free(m->tf);
	free(m->head);
}

static int open_list(const struct made *m, struct rk_postr *r)
{
	return rk_postr_init(r, m->posts.p, m->posts.n, m->poss.p, m->poss.n,
			     m->n, m->chunks);
}

/* None, one or two, as make_list() has put there. */
static void check_forms(uint32_t i, const uint8_t *p, uint32_t n, uint32_t tf,
			uint32_t head)
{
	uint8_t code = (uint8_t)(i % 126);

	CHECK_INT(rk_positions_have(p, n, tf, head, 125), i % 3 && code == 125);
	CHECK_INT(rk_positions_have(p, n, tf, head, 126), i % 3 == 2);
	CHECK_INT(rk_positions_have(p, n, tf, head, RK_FORM_SELF),
		  i % 3 == 0 || code == RK_FORM_SELF);
	if (i % 3)
		CHECK_INT(rk_positions_have(p, n, tf, head, code), 1);
}

static void lists_of_any_length_round_trip(void)
{
	static const uint32_t N[] = {1, 2, 127, 128, 129, 256, 1000, 5000};

	for (size_t k = 0; k < sizeof(N) / sizeof(N[0]); k++) {
		struct made m = make_list(N[k], 50, k);
		uint32_t ids[RK_BLOCK], tf[RK_BLOCK], head[RK_BLOCK], at = 0;
		struct rk_postr r;

		CHECK_INT(open_list(&m, &r), 0);
		for (uint32_t b = 0; b < rk_postr_blocks(&r); b++) {
			const uint8_t *pos[RK_BLOCK];
			uint32_t pos_n[RK_BLOCK], places[8];
			int has_head;
			int n = rk_postr_decode(&r, b, ids, tf, head,
						&has_head);

			CHECK(n > 0);
			CHECK_INT(rk_postr_positions(&r, b, (unsigned)n, tf,
						     head, pos, pos_n),
				  0);
			for (int i = 0; i < n; i++, at++) {
				CHECK(ids[i] == m.ids[at]);
				CHECK(tf[i] == m.tf[at]);
				CHECK(head[i] == m.head[at]);
				CHECK_INT(rk_positions_decode(pos[i], pos_n[i],
							      tf[i], head[i],
							      places, 8),
					  tf[i]);
				CHECK(places[0] == first_place(at));
				check_forms(at, pos[i], pos_n[i], tf[i],
					    head[i]);
			}
		}
		CHECK_INT(at, N[k]);
		free_list(&m);
	}
}

static void a_cursor_finds_every_id_and_no_other(void)
{
	struct made m = make_list(3000, 20, 9);
	struct rk_cursor *c = malloc(sizeof(*c));
	struct rk_postr r;

	CHECK_INT(open_list(&m, &r), 0);
	rk_cursor_list(c, &r, (uint8_t)m.bound, 1, 1);
	for (uint32_t i = 0; i < m.n; i += 7)
		CHECK(rk_cursor_geq(c, i ? m.ids[i - 1] + 1 : 0) == m.ids[i]);
	CHECK(rk_cursor_geq(c, m.ids[m.n - 1] + 1) == RK_END);
	free(c);
	free_list(&m);
}

/* No byte string may crash the decoder or loop; most are errors. */
static void damaged_lists_end_politely(void)
{
	struct made m = make_list(700, 9, 3);
	uint32_t ids[RK_BLOCK], tf[RK_BLOCK], head[RK_BLOCK];

	for (size_t i = 0; i < m.posts.n; i++) {
		struct rk_postr r;
		int has_head;

		m.posts.p[i] ^= 0x55;
		if (open_list(&m, &r) == 0)
			for (uint32_t b = 0; b < rk_postr_blocks(&r); b++) {
				const uint8_t *pos[RK_BLOCK];
				uint32_t pos_n[RK_BLOCK];
				int n = rk_postr_decode(&r, b, ids, tf, head,
							&has_head);

				CHECK(n <= RK_BLOCK);
				if (n > 0)
					rk_postr_positions(&r, b, (unsigned)n,
							   tf, head, pos,
							   pos_n);
			}
		m.posts.p[i] ^= 0x55;
	}
	for (size_t n = 0; n < m.posts.n; n++) {
		struct rk_postr r;

		CHECK(rk_postr_init(&r, m.posts.p, n, m.poss.p, m.poss.n, m.n,
				    m.chunks) <= 0);
	}
	free_list(&m);
}

static void bounds_are_never_too_low(void)
{
	for (float x = 0.001f; x < 200; x *= 1.07f)
		CHECK(rk_bound_value(rk_bound_code(x)) >= x);
	CHECK(rk_bound_code(1.0f) < 255);
}

static void the_dictionary_finds_what_was_put_in(void)
{
	struct rk_dictw w = {.n = 0};
	struct rk_dict_entry e;
	struct rk_dict_iter it;
	struct rk_dict d;
	char term[32];
	uint64_t off = 0;
	int n = 0;

	for (int i = 0; i < 1000; i++) {
		int k = snprintf(term, sizeof(term), "term%05d", i * 3);

		rk_dictw_add(&w, term, (size_t)k, (uint32_t)i + 1, 5, 2, 9);
	}
	CHECK_INT(rk_dict_init(&d, w.blob.p, w.blob.n, w.index.p, w.index.n),
		  0);
	for (int i = 0; i < 3000; i++, off += 0) {
		int k = snprintf(term, sizeof(term), "term%05d", i);
		int rc = rk_dict_find(&d, term, (size_t)k, &e);

		CHECK_INT(rc, i % 3 == 0);
		if (rc == 1) {
			CHECK_INT(e.df, i / 3 + 1);
			CHECK_INT(e.posts_off, i / 3 * 5);
			CHECK_INT(e.poss_off, i / 3 * 2);
		}
	}
	rk_dict_seek(&d, "term029", 7, &it);
	while (rk_dict_next(&it) == 1 && n < 5)
		n++;
	CHECK_INT(n, 5);
	CHECK_INT(rk_dict_find(&d, "a", 1, &e), 0);
	CHECK_INT(rk_dict_find(&d, "zzz", 3, &e), 0);
	rk_dictw_release(&w);
}

static void edit_distances(void)
{
	static const struct {
		const char *a, *b;
		unsigned want;
	} ROWS[] = {{"kitten", "kitten", 0},   {"teh", "the", 1},
		    {"recieve", "receive", 1}, {"abc", "abcd", 1},
		    {"abcdef", "badcfe", 3},   {"", "ab", 2},
		    {"kitten", "sitting", 3}};

	for (size_t i = 0; i < sizeof(ROWS) / sizeof(ROWS[0]); i++)
		CHECK_INT(rk_edit_distance(ROWS[i].a, strlen(ROWS[i].a),
					   ROWS[i].b, strlen(ROWS[i].b), 2),
			  ROWS[i].want > 2 ? 3 : ROWS[i].want);
}

static void the_nearest_then_the_most_frequent_spelling_wins(void)
{
	struct rk_spelling s = {.n = 0};

	rk_spelling_offer(&s, "aeroelstic", 10, "aeroelastic", 11, 5);
	rk_spelling_offer(&s, "aeroelstic", 10, "aeroelasticx", 12, 500);
	CHECK_STR(s.word, "aeroelastic");
	s.n = 0;
	rk_spelling_offer(&s, "cart", 4, "card", 4, 3);
	rk_spelling_offer(&s, "cart", 4, "care", 4, 8);
	rk_spelling_offer(&s, "cart", 4, "cars", 4, 2);
	CHECK_STR(s.word, "care");
	s.n = 0;
	rk_spelling_offer(&s, "abc", 3, "abd", 3, 9);
	CHECK_INT(s.n, 0); /* too short to guess */
}

static int by_chunk(void *ctx, const struct rk_candidate *a,
		    const struct rk_candidate *b)
{
	(void)ctx;
	return a->chunk < b->chunk;
}

static void top_k_keeps_the_best_in_a_total_order(void)
{
	struct rk_candidate v[4];
	struct rk_topk t = {.v = v, .k = 4, .before = by_chunk};
	static const float S[] = {1, 5, 3, 5, 2, 5, 4, 5};

	for (uint32_t i = 0; i < 8; i++)
		rk_topk_offer(&t, (struct rk_candidate){S[i], 0, 7 - i});
	rk_topk_sort(&t);
	CHECK_INT(t.n, 4);
	CHECK_INT(v[0].chunk, 0);
	CHECK_INT(v[1].chunk, 2);
	CHECK_INT(v[2].chunk, 4);
	CHECK_INT(v[3].chunk, 6);
}

/* --- giving up --- */

enum { LONG = 100 * RK_BLOCK };

/* Postings first, first + step, ... in both cursors' one form, arrays. */
static void fill_cursor(struct rk_cursor *c, uint32_t first, uint32_t step)
{
	static uint32_t ids[2][LONG], tf[LONG], head[LONG];
	static float x[LONG / RK_BLOCK];

	for (uint32_t i = 0; i < LONG; i++) {
		ids[first][i] = first + i * step;
		tf[i] = 1;
		x[i / RK_BLOCK] = 100;
	}
	rk_cursor_arrays(c, ids[first], tf, head, x, LONG, 1);
}

static _Atomic int given_up;
static unsigned asked;

/* The reader gives up at the fifth; no other is a result. */
static int fifth_is_enough(void *ctx, uint32_t chunk)
{
	(void)ctx, (void)chunk;
	if (++asked == 5)
		given_up = 1;
	return asked < 5;
}

/* How a scan of so many lists ends; `step` 2: they have nothing in common. */
static int64_t scan_lists(unsigned n, unsigned must, uint32_t step)
{
	static rk_norm norms[2 * LONG];
	static struct rk_cursor one, two;
	struct rk_corpus_stats stats = {.docs = 1, .chunks = 1, .body_sum = 1};
	struct rk_cursor *cur[] = {&one, &two};
	struct rk_candidate best[10];
	struct rk_topk top = {.v = best, .k = 10, .before = by_chunk};
	static struct rk_norms table;
	struct rk_scan s = {.cur = cur,
			    .n = n,
			    .must = must,
			    .norms = norms,
			    .table = &table,
			    .nchunks = 2 * LONG,
			    .top = &top,
			    .accept = fifth_is_enough,
			    .cancel = &given_up};

	rk_norms_init(&table, &stats);
	fill_cursor(&one, 0, step);
	fill_cursor(&two, step - 1, step);
	return must ? rk_scan_all(&s) : rk_scan_any(&s);
}

static void arrays_end_where_their_last_posting_is(void)
{
	static const uint32_t N[] = {1, RK_BLOCK - 1, RK_BLOCK, RK_BLOCK + 1,
				     2 * RK_BLOCK};
	static uint32_t ids[2 * RK_BLOCK], tf[2 * RK_BLOCK];
	static const float X[3] = {1, 1, 99}; /* of no block */

	for (uint32_t i = 0; i < 2 * RK_BLOCK; i++)
		ids[i] = i;
	for (size_t r = 0; r < sizeof(N) / sizeof(N[0]); r++) {
		struct rk_cursor c;

		memset(&c, 0, sizeof(c));
		rk_cursor_arrays(&c, ids, tf, tf, X, N[r], 1);
		CHECK_INT(c.nblocks, (N[r] - 1) / RK_BLOCK + 1);
		CHECK(c.ub < 1);
		CHECK_INT(rk_cursor_geq(&c, N[r] - 1), N[r] - 1);
		CHECK_INT(rk_cursor_geq(&c, N[r]), RK_END);
	}
}

static int any(void *ctx, uint32_t chunk)
{
	(void)ctx, (void)chunk;
	return 1;
}

/*
 * One chunk fills the top at the start; whole windows then cannot matter,
 * and are left out by their bounds, but for one better chunk at each place
 * around a window's edge.
 */
static void the_best_is_found_behind_windows_that_are_left_out(void)
{
	static const uint32_t BEST[] = {1,
					RK_WINDOW - 1,
					RK_WINDOW,
					2 * RK_WINDOW - 1,
					2 * RK_WINDOW,
					2 * RK_WINDOW + 1,
					LONG - 1};
	static uint32_t ids[LONG], tf[LONG], head[LONG];
	static float x[LONG / RK_BLOCK];
	static rk_norm norms[LONG];
	static struct rk_cursor one, two;
	static struct rk_norms table;
	struct rk_corpus_stats stats = {.docs = 1, .chunks = 1, .body_sum = 1};
	struct rk_cursor *cur[] = {&one, &two};

	rk_norms_init(&table, &stats);
	for (size_t r = 0; r < sizeof(BEST) / sizeof(BEST[0]); r++) {
		struct rk_candidate best[1];
		struct rk_topk top = {.v = best, .k = 1, .before = by_chunk};
		struct rk_scan s = {.cur = cur,
				    .n = 2,
				    .norms = norms,
				    .table = &table,
				    .nchunks = LONG,
				    .top = &top,
				    .accept = any};

		memset(x, 0, sizeof(x));
		for (uint32_t i = 0; i < LONG; i++) {
			float v;

			ids[i] = i;
			tf[i] = i == BEST[r] ? 90 : i == 0 ? 50 : 1;
			v = rk_bm25_x(&table, norms[i], tf[i], 0);
			x[i / RK_BLOCK] = fmaxf(x[i / RK_BLOCK], v);
		}
		rk_cursor_arrays(&one, ids, tf, head, x, LONG, 1);
		rk_cursor_arrays(&two, ids, tf, head, x, LONG, 1);
		CHECK_INT(rk_scan_any(&s), 0);
		CHECK_INT(best[0].chunk, BEST[r]);
	}
}

static void a_scan_ends_soon_after_it_was_given_up(void)
{
	static const struct {
		unsigned n, must;
		uint32_t step;
		int before;
	} ROWS[] = {{1, 0, 1, 0}, {2, 0, 1, 0}, {2, 0, 2, 0}, {1, 1, 1, 0},
		    {2, 1, 1, 0}, {2, 2, 1, 0}, {2, 2, 2, 1}};

	for (size_t i = 0; i < sizeof(ROWS) / sizeof(ROWS[0]); i++) {
		asked = 0;
		given_up = ROWS[i].before;
		CHECK_INT(scan_lists(ROWS[i].n, ROWS[i].must, ROWS[i].step),
			  RK_ECANCELLED);
		CHECK(asked < 5 + RK_WINDOW + RK_BLOCK);
	}
	given_up = 0;
}

static const struct t_case CASES[] = {
	{"arrays end where their last posting is",
	 arrays_end_where_their_last_posting_is},
	{"the best is found behind windows that are left out",
	 the_best_is_found_behind_windows_that_are_left_out},
	{"a scan ends soon after it was given up",
	 a_scan_ends_soon_after_it_was_given_up},
	{"every width packs and unpacks", every_width_packs_and_unpacks},
	{"gaps become ids", gaps_become_ids},
	{"lists of any length round trip", lists_of_any_length_round_trip},
	{"a cursor finds every id and no other",
	 a_cursor_finds_every_id_and_no_other},
	{"damaged lists end politely", damaged_lists_end_politely},
	{"bounds are never too low", bounds_are_never_too_low},
	{"the dictionary finds what was put in",
	 the_dictionary_finds_what_was_put_in},
	{"edit distances", edit_distances},
	{"the nearest, then the most frequent spelling wins",
	 the_nearest_then_the_most_frequent_spelling_wins},
	{"top k keeps the best in a total order",
	 top_k_keeps_the_best_in_a_total_order},
};
T_MAIN(CASES)
