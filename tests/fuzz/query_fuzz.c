/* SPDX-License-Identifier: MIT */
/* Any bytes are a query: parsing succeeds, within its bounds. */
#include "fuzz/fuzz.h"
#include "query/explain.h"
#include "query/query.h"
#include "text/match/regex.h"
#include <time.h>

#define NOW 1773576000000000000ll

static double cpu_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

/* Every term belongs to one node; filters can be asked; patterns can match. */
static void check(const struct rk_query *q, const struct rk_qnode *n, int depth)
{
	struct rk_doc_rec d = {.size = 5, .mtime_ns = NOW};
	struct rk_facts x = {"some/path.txt", &d, "function"};

	PROPERTY(depth <= 2 * RK_QUERY_DEPTH + 4);
	for (; n; n = n->next) {
		PROPERTY(n->term + n->nterms <= q->nterms);
		PROPERTY(n->kind == RK_NODE_GROUP || !n->child);
		PROPERTY(n->kind != RK_NODE_GROUP || n->child);
		if (n->kind == RK_NODE_FILTER)
			rk_filter_ok(&n->filter, &x);
		if (n->kind == RK_NODE_REGEX)
			rk_regex_in_text(n->regex, "some text\n\xff", 11);
		check(q, n->child, depth + 1);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static struct rk_analyser *a;
	struct rk_query q;
	double start;

	if (!a)
		PROPERTY(rk_analyser_new("english", &a) == 0);
	/* any mix of languages beside the index's own; never long */
	start = cpu_ms();
	PROPERTY(rk_query_parse(&q, a, (const char *)data, n, NOW,
				n % 7 == 0 ? 0x1e : 0) == 0);
	PROPERTY(cpu_ms() - start < 100);
	PROPERTY(q.nterms <= RK_TERMS_MAX);
	PROPERTY(q.nnodes <= RK_NODES_MAX);
	PROPERTY(q.hits == -1 || (q.hits >= 1 && q.hits <= RK_HITS_MAX));
	PROPERTY(q.page >= 1 && q.page <= RK_HITS_MAX);
	for (unsigned i = 0; i < q.nterms; i++) {
		PROPERTY(q.terms[i].n >= 1 && q.terms[i].n <= 255);
		PROPERTY(q.terms[i].phrase < (int)RK_PHRASES_MAX);
	}
	check(&q, q.root, 0);
	PROPERTY(!q.root || rk_explain(&q, q.root, &q.arena));
	rk_query_release(&q);
	rk_analyser_trim(a);
	return 0;
}
