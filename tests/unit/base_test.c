/* SPDX-License-Identifier: MIT */
#include "base/crc32c.h"
#include "base/mp.h"
#include "base/status.h"
#include "unit/t.h"

static void crc32c_check_value(void)
{
	CHECK(rk_crc32c(0, "123456789", 9) == 0xe3069283);
	CHECK(rk_crc32c(rk_crc32c(0, "1234", 4), "56789", 5) == 0xe3069283);
	CHECK(rk_crc32c(0, "", 0) == 0);
}

static void varints_round_trip(void)
{
	static const uint64_t V[] = {0,		 1,	     127,
				     128,	 16383,	     16384,
				     UINT32_MAX, 1ull << 40, UINT64_MAX};

	for (size_t i = 0; i < sizeof(V) / sizeof(V[0]); i++) {
		uint8_t b[10];
		unsigned n = rk_put_varint(b, V[i]);
		uint64_t got = 0;

		CHECK(rk_get_varint(b, b + n, &got) == b + n && got == V[i]);
		CHECK(rk_get_varint(b, b + n - 1, &got) == NULL);
	}
}

static void a_varint_above_32_bits_is_refused_as_32(void)
{
	uint8_t b[10];
	unsigned n = rk_put_varint(b, 1ull << 33);
	uint32_t v = 7;

	CHECK(rk_get_varint32(b, b + n, &v) == NULL);
	CHECK(v == 7);
}

static void msgpack_round_trip(void)
{
	struct rk_buf b = RK_BUF_INIT;
	struct rk_mpr r;
	size_t n;

	rk_mp_map(&b, 2);
	rk_mp_key(&b, "a");
	rk_mp_int(&b, -70000);
	rk_mp_key(&b, "b");
	rk_mp_bin(&b, "xyz", 3);
	r = (struct rk_mpr){b.p, b.p + b.n, 0};
	CHECK_INT(rk_mpr_map(&r), 2);
	CHECK(rk_mpr_key(&r, "a"));
	CHECK_INT(rk_mpr_int(&r), -70000);
	CHECK(rk_mpr_key(&r, "b"));
	CHECK(memcmp(rk_mpr_bin(&r, &n), "xyz", 3) == 0 && n == 3);
	CHECK(r.p == r.end && !r.err);
	rk_buf_release(&b);
}

/* Files of earlier builds are compared byte by byte: the shortest forms. */
static void msgpack_forms_are_shortest(void)
{
	static const struct {
		int64_t v;
		const char *bytes;
		size_t n;
	} ROWS[] = {
		{0, "\x00", 1},
		{127, "\x7f", 1},
		{128, "\xcc\x80", 2},
		{256, "\xcd\x01\x00", 3},
		{65536, "\xce\x00\x01\x00\x00", 5},
		{INT64_C(1) << 32, "\xcf\0\0\0\x01\0\0\0\0", 9},
		{-32, "\xe0", 1},
		{-33, "\xd0\xdf", 2},
		{-129, "\xd1\xff\x7f", 3},
		{-32769, "\xd2\xff\xff\x7f\xff", 5},
		{INT64_MIN, "\xd3\x80\0\0\0\0\0\0\0", 9},
	};

	for (size_t i = 0; i < sizeof(ROWS) / sizeof(ROWS[0]); i++) {
		struct rk_buf b = RK_BUF_INIT;

		rk_mp_int(&b, ROWS[i].v);
		CHECK(b.n == ROWS[i].n && memcmp(b.p, ROWS[i].bytes, b.n) == 0);
		rk_buf_release(&b);
	}
}

static void check_head(void (*put)(struct rk_buf *, size_t), size_t n,
		       const char *bytes, size_t bytes_n)
{
	struct rk_buf b = RK_BUF_INIT;

	put(&b, n);
	CHECK(b.n == bytes_n && memcmp(b.p, bytes, b.n) == 0);
	rk_buf_release(&b);
}

static void put_str(struct rk_buf *b, size_t n)
{
	char s[300] = "";

	memset(s, 'x', n);
	rk_mp_key(b, s);
	b->n -= n; /* the head alone */
}

static void put_bin(struct rk_buf *b, size_t n)
{
	static const char zeros[300];

	rk_mp_bin(b, zeros, n);
	b->n -= n;
}

static void msgpack_heads_are_shortest(void)
{
	check_head(rk_mp_array, 15, "\x9f", 1);
	check_head(rk_mp_array, 16, "\xdc\x00\x10", 3);
	check_head(rk_mp_array, 65536, "\xdd\x00\x01\x00\x00", 5);
	check_head(rk_mp_map, 15, "\x8f", 1);
	check_head(rk_mp_map, 16, "\xde\x00\x10", 3);
	check_head(put_str, 31, "\xbf", 1);
	check_head(put_str, 32, "\xd9\x20", 2);
	check_head(put_str, 256, "\xda\x01\x00", 3);
	check_head(put_bin, 0, "\xc4\x00", 2);
	check_head(put_bin, 256, "\xc5\x01\x00", 3);
}

/* Headers that claim more than there is, and nesting without end. */
static void msgpack_lies_are_errors(void)
{
	static const struct {
		const char *name, *bytes;
		size_t n;
	} ROWS[] = {
		{"array32 of 0x0fffffff", "\xdd\x0f\xff\xff\xff\x01", 6},
		{"map32", "\xdf\xff\xff\xff\xff", 5},
		{"str32",
		 "\xdb\x7f\xff\xff\xff"
		 "a",
		 6},
		{"bin32", "\xc6\xff\xff\xff\xff", 5},
		{"torn uint64", "\xcf\x01\x02", 3},
		{"ext32", "\xc9\xff\xff\xff\xff\x01", 6},
		{"nothing", "", 0},
	};
	uint8_t deep[64];
	struct rk_mpr r;

	for (size_t i = 0; i < sizeof(ROWS) / sizeof(ROWS[0]); i++) {
		const uint8_t *p = (const uint8_t *)ROWS[i].bytes;

		r = (struct rk_mpr){p, p + ROWS[i].n, 0};
		rk_mpr_skip(&r);
		if (r.err != RK_ECORRUPT)
			printf("# %s\n", ROWS[i].name);
		CHECK(r.err == RK_ECORRUPT);
	}
	memset(deep, 0x91, sizeof(deep));
	r = (struct rk_mpr){deep, deep + sizeof(deep), 0};
	rk_mpr_skip(&r);
	CHECK(r.err == RK_ECORRUPT);
}

static void every_code_has_a_sentence(void)
{
	CHECK_STR(rk_strerror(0), "success");
	CHECK(strstr(rk_strerror(RK_EVERSION), "newer") != NULL);
	CHECK(strlen(rk_strerror(-2)) > 5);
}

static const struct t_case CASES[] = {
	{"crc32c has its check value", crc32c_check_value},
	{"varints round trip", varints_round_trip},
	{"a varint above 32 bits is refused as 32 bits",
	 a_varint_above_32_bits_is_refused_as_32},
	{"msgpack round trips", msgpack_round_trip},
	{"msgpack integers take their shortest form",
	 msgpack_forms_are_shortest},
	{"msgpack heads take their shortest form", msgpack_heads_are_shortest},
	{"msgpack headers that lie are errors", msgpack_lies_are_errors},
	{"every code has a sentence", every_code_has_a_sentence},
};
T_MAIN(CASES)
