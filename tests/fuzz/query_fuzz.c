/* SPDX-License-Identifier: MIT */
/* Any bytes are a query: parsing succeeds, within its bounds. */
#include "fuzz/fuzz.h"
#include "index/query.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static struct rk_analyser *a;
	struct rk_query q;

	if (!a)
		PROPERTY(rk_analyser_new("english", &a) == 0);
	PROPERTY(rk_query_parse(&q, a, (const char *)data, n) == 0);
	PROPERTY(q.nterms <= RK_TERMS_MAX);
	PROPERTY(q.nfilters <= RK_FILTERS_MAX);
	PROPERTY(q.hits == -1 || (q.hits >= 1 && q.hits <= 1000));
	for (unsigned i = 0; i < q.nterms; i++) {
		PROPERTY(q.terms[i].n >= 1 && q.terms[i].n <= 255);
		PROPERTY(q.terms[i].phrase < (int)q.nphrases);
	}
	rk_query_path_ok(&q, "some/path.txt");
	rk_query_release(&q);
	PROPERTY(rk_analyser_trim(a) == 0);
	return 0;
}
