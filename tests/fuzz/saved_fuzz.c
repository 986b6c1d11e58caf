/* SPDX-License-Identifier: MIT */
/*
 * saved.mp: what is accepted is written as it was read, names differ and are in
 * order; what is refused leaves nothing. The checksum is made to fit, so that
 * what is behind it is reached.
 */
#include "index/answers/saved.h"
#include "fuzz/fuzz.h"
#include "base/crc32c.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct rk_buf b = RK_BUF_INIT, again = RK_BUF_INIT;
	struct rk_saved s;
	uint32_t crc = rk_crc32c(0, data, n);

	rk_saved_init(&s);
	rk_buf_add(&b, data, n);
	rk_buf_byte(&b, 0xce);
	for (int shift = 24; shift >= 0; shift -= 8)
		rk_buf_byte(&b, (uint8_t)(crc >> shift));
	if (rk_saved_decode(&s, b.p, b.n) < 0) {
		PROPERTY(s.n == 0);
	} else {
		struct rk_saved t;

		for (size_t i = 1; i < s.n; i++)
			PROPERTY(strcmp(s.v[i - 1].name, s.v[i].name) < 0);
		rk_saved_encode(&s, &again);
		rk_saved_init(&t);
		PROPERTY(rk_saved_decode(&t, again.p, again.n) == 0);
		PROPERTY(t.n == s.n);
		for (size_t i = 0; i < s.n; i++)
			PROPERTY(t.v[i].nmarks == s.v[i].nmarks);
		rk_saved_release(&t);
	}
	rk_saved_release(&s);
	rk_buf_release(&b);
	rk_buf_release(&again);
	return 0;
}
