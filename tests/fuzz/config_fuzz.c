/* SPDX-License-Identifier: MIT */
/* What is accepted prints, and what is printed is accepted as the same. */
#include "fuzz/fuzz.h"
#include "index/state/config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct rk_config c, d, before;
	struct rk_buf b = RK_BUF_INIT;
	char err[200] = "";

	rk_config_defaults(&c);
	before = c;
	if (rk_config_parse(&c, (const char *)data, n, err, sizeof(err)) < 0) {
		PROPERTY(err[0] != '\0');
		PROPERTY(memcmp(&c, &before, sizeof(c)) == 0);
		return 0;
	}
	rk_config_format(&c, &b);
	rk_config_defaults(&d);
	PROPERTY(rk_config_parse(&d, (char *)b.p, b.n, err, sizeof(err)) == 0);
	PROPERTY(memcmp(&c, &d, sizeof(c)) == 0);
	rk_buf_release(&b);
	return 0;
}
