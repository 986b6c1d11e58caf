/* SPDX-License-Identifier: MIT */
#include "base/crc32c.h"
#include "base/lock.h"
#include "base/mp.h"
#include "base/status.h"
#include "unit/t.h"
#include <sys/wait.h>

static void crc32c_check_value(void)
{
	CHECK(rk_crc32c(0, "123456789", 9) == 0xe3069283);
	CHECK(rk_crc32c(rk_crc32c(0, "1234", 4), "56789", 5) == 0xe3069283);
	CHECK(rk_crc32c(0, "", 0) == 0);
}

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_rwlock_t rwlock = PTHREAD_RWLOCK_INITIALIZER;

static void *look_from_elsewhere(void *held)
{
	*(int *)held = rk_is_held(&mutex);
	return NULL;
}

static int held_elsewhere(void)
{
	pthread_t th;
	int held = 1;

	pthread_create(&th, NULL, look_from_elsewhere, &held);
	pthread_join(th, NULL);
	return held;
}

static void a_mutex_is_held_by_one_thread(void)
{
	CHECK(!rk_is_held(&mutex));
	pthread_mutex_lock(&mutex);
	CHECK(rk_is_held(&mutex));
	CHECK(!held_elsewhere());
	pthread_mutex_unlock(&mutex);
	CHECK(!rk_is_held(&mutex));
}

static void a_child_knows_what_it_holds(void)
{
	int status = -1;
	pid_t pid;

	CHECK(!rk_is_held(&mutex)); /* this thread's id is known from here on */
	pid = fork();
	if (pid == 0) {
		pthread_mutex_lock(&mutex);
		_exit(rk_is_held(&mutex) ? 0 : 1);
	}
	CHECK(waitpid(pid, &status, 0) == pid && status == 0);
}

static void a_rwlock_is_shared_by_readers_and_its_writer(void)
{
	CHECK(!rk_is_shared(&rwlock));
	pthread_rwlock_rdlock(&rwlock);
	CHECK(rk_is_shared(&rwlock));
	pthread_rwlock_unlock(&rwlock);
	CHECK(!rk_is_shared(&rwlock));
	pthread_rwlock_wrlock(&rwlock);
	CHECK(rk_is_shared(&rwlock));
	pthread_rwlock_unlock(&rwlock);
	CHECK(!rk_is_shared(&rwlock));
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
	msgpack_packer pk;
	struct rk_mpr r;
	size_t n;

	rk_mp_init(&pk, &b);
	msgpack_pack_map(&pk, 2);
	rk_mp_key(&pk, "a");
	msgpack_pack_int64(&pk, -70000);
	rk_mp_key(&pk, "b");
	msgpack_pack_bin(&pk, 3);
	msgpack_pack_bin_body(&pk, "xyz", 3);
	r = (struct rk_mpr){b.p, b.p + b.n, 0};
	CHECK_INT(rk_mpr_map(&r), 2);
	CHECK(rk_mpr_key(&r, "a"));
	CHECK_INT(rk_mpr_int(&r), -70000);
	CHECK(rk_mpr_key(&r, "b"));
	CHECK(memcmp(rk_mpr_bin(&r, &n), "xyz", 3) == 0 && n == 3);
	CHECK(r.p == r.end && !r.err);
	rk_buf_release(&b);
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
	{"a mutex is held by one thread", a_mutex_is_held_by_one_thread},
	{"a child knows what it holds", a_child_knows_what_it_holds},
	{"a rwlock is shared by readers and its writer",
	 a_rwlock_is_shared_by_readers_and_its_writer},
	{"crc32c has its check value", crc32c_check_value},
	{"varints round trip", varints_round_trip},
	{"a varint above 32 bits is refused as 32 bits",
	 a_varint_above_32_bits_is_refused_as_32},
	{"msgpack round trips", msgpack_round_trip},
	{"msgpack headers that lie are errors", msgpack_lies_are_errors},
	{"every code has a sentence", every_code_has_a_sentence},
};
T_MAIN(CASES)
