/* SPDX-License-Identifier: MIT */
/*
 * What embedders read: the first byte says which. A safetensors file, a
 * tokenizer.json with a text behind the first NUL, an answer of a server, or
 * two texts for the cache's guard.
 */
#include "base/mem.h"
#include "fuzz/fuzz.h"
#include "index/answers/same_question.h"
#include "vector/embed/safetensors.h"
#include "vector/embed/server.h"
#include "vector/embed/tokenizer.h"
#include <math.h>

static void tensors(const uint8_t *p, size_t n)
{
	static const char *const NAMES[] = {"embeddings", "weights", "e"};

	for (size_t i = 0; i < 3; i++) {
		struct rk_tensor t;
		size_t bytes;

		if (rk_safetensors_find(p, n, NAMES[i], &t) != 1)
			continue;
		bytes = (size_t)(t.rows * t.cols) * rk_dtype_bytes(t.type);
		PROPERTY(t.p >= p && bytes <= n &&
			 (size_t)(t.p - p) <= n - bytes);
		for (uint64_t k = 0; k < t.rows * t.cols && k < 100; k++)
			rk_tensor_at(&t, k);
	}
}

static void tokenizer(const uint8_t *p, size_t n)
{
	const uint8_t *nul = memchr(p, 0, n);
	size_t json = nul ? (size_t)(nul - p) : n;
	struct rk_ids ids = {NULL, 0, 0};
	struct rk_tokenizer *t;
	char err[200];

	if (rk_tokenizer_load((const char *)p, json, &t, err, sizeof(err)) < 0)
		return;
	if (nul)
		rk_tokenize(t, (const char *)nul + 1, n - json - 1, &ids);
	for (size_t i = 0; i < ids.n; i++)
		PROPERTY(ids.v[i] < rk_tokenizer_size(t));
	rk_free(ids.v);
	rk_tokenizer_free(t);
}

static void answer(const uint8_t *p, size_t n)
{
	float rows[3 * 16];
	uint32_t dim = 5;
	char err[200];

	if (rk_server_parse((const char *)p, n, 3, &dim, 5, rows, 16, err,
			    sizeof(err)) < 0)
		return;
	PROPERTY(dim == 5);
	for (int i = 0; i < 3 * 16; i++)
		PROPERTY(isfinite(rows[i]));
}

static void texts(const uint8_t *p, size_t n)
{
	const char *a = (const char *)p, *b = a + n / 2;
	int one = rk_same_question(a, n / 2, b, n - n / 2);

	PROPERTY(one == rk_same_question(b, n - n / 2, a, n / 2));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static void (*const KINDS[])(const uint8_t *, size_t) = {
		tensors, tokenizer, answer, texts};
	uint8_t *copy;

	if (n == 0)
		return 0;
	copy = malloc(n); /* a bound of its own, for the sanitizer */
	memcpy(copy, data + 1, n - 1);
	KINDS[data[0] % 4](copy, n - 1);
	free(copy);
	return 0;
}
