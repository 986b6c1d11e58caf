/* SPDX-License-Identifier: MIT */
/* The vectors in an embedding server's answer. */
#include "vector/embed/server.h"
#include "base/mem.h"
#include "vector/kernels.h"
#include <errno.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DIM_MAX = 65536 };

static int b64_value(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	return c == '+' ? 62 : c == '/' ? 63 : -1;
}

/* Little-endian floats in base64 (RFC 4648). Count, or -1. */
static int64_t b64_floats(const char *s, size_t n, float *out, size_t max)
{
	uint32_t acc = 0, bits = 0;
	uint8_t raw[4];
	size_t k = 0, floats = 0;

	while (n > 0 && s[n - 1] == '=')
		n--;
	for (size_t i = 0; i < n; i++) {
		int v = b64_value(s[i]);

		if (v < 0)
			return -1;
		acc = acc << 6 | (uint32_t)v;
		bits += 6;
		if (bits < 8)
			continue;
		bits -= 8;
		raw[k++] = (uint8_t)(acc >> bits);
		if (k < 4)
			continue;
		if (floats == max)
			return -1;
		memcpy(&out[floats++], raw, 4);
		k = 0;
	}
	return k ? -1 : (int64_t)floats;
}

static int64_t list_floats(const json_t *a, float *out, size_t max)
{
	size_t i, n = json_array_size(a);
	json_t *v;

	if (n > max)
		return -1;
	json_array_foreach(a, i, v)
	{
		if (!json_is_number(v))
			return -1;
		out[i] = (float)json_number_value(v);
	}
	return (int64_t)n;
}

/* Cut, check, scale; a vector of zeros is none. */
static const char *finish_row(float *row, uint32_t dim, size_t stride)
{
	for (uint32_t i = 0; i < dim; i++)
		if (!isfinite(row[i]))
			return "a number that is not finite";
	rk_unit(row, dim);
	memset(row + dim, 0, (stride - dim) * sizeof(*row));
	return NULL;
}

struct reading {
	uint32_t *dim;
	uint32_t cut;
	float *rows, *scratch;
	size_t stride;
};

static const char *read_row(struct reading *r, const json_t *v, size_t at)
{
	int64_t n;

	if (json_is_string(v))
		n = b64_floats(json_string_value(v), json_string_length(v),
			       r->scratch, DIM_MAX);
	else
		n = list_floats(v, r->scratch, DIM_MAX);
	if (n < 1)
		return "a vector that is none";
	if (r->cut && n > r->cut)
		n = r->cut;
	if (*r->dim == 0)
		*r->dim = (uint32_t)n;
	if (n != *r->dim)
		return "a vector of another dimension";
	if (!r->rows)
		return NULL;
	memcpy(r->rows + at * r->stride, r->scratch,
	       (size_t)n * sizeof(*r->scratch));
	return finish_row(r->rows + at * r->stride, *r->dim, r->stride);
}

/* OpenAI: data[] of {index, embedding}; matched by index. */
static const char *read_data(struct reading *r, const json_t *data, size_t n)
{
	uint8_t *seen = rk_calloc(n + 1, 1);
	const char *bad = seen ? NULL : "no memory";
	size_t i;
	json_t *e;

	if (!bad && json_array_size(data) != n)
		bad = "another number of vectors than texts";
	json_array_foreach(data, i, e)
	{
		const json_t *ix = json_object_get(e, "index");
		json_int_t at = ix ? json_integer_value(ix) : (json_int_t)i;

		if (bad)
			break;
		if (at < 0 || (size_t)at >= n || seen[at])
			bad = "a wrong index";
		else
			bad = read_row(r, json_object_get(e, "embedding"),
				       (size_t)at);
		if (!bad)
			seen[at] = 1;
	}
	rk_free(seen);
	return bad;
}

/* Ollama: embeddings[], in the order of the texts. */
static const char *read_list(struct reading *r, const json_t *list, size_t n)
{
	const char *bad = json_array_size(list) == n
				  ? NULL
				  : "another number of vectors than texts";

	for (size_t i = 0; i < n && !bad; i++)
		bad = read_row(r, json_array_get(list, i), i);
	return bad;
}

int rk_server_parse(const char *json, size_t len, size_t n, uint32_t *dim,
		    uint32_t cut, float *rows, size_t stride, char *err,
		    size_t err_n)
{
	struct reading r = {dim, cut, rows, NULL, stride};
	json_error_t e;
	json_t *o = json_loadb(json, len, 0, &e), *v;
	const char *bad;

	r.scratch = rk_malloc(DIM_MAX * sizeof(*r.scratch));
	if (!r.scratch)
		bad = "no memory";
	else if (!o)
		bad = "no JSON";
	else if ((v = json_object_get(o, "data")))
		bad = read_data(&r, v, n);
	else if ((v = json_object_get(o, "embeddings")))
		bad = read_list(&r, v, n);
	else
		bad = "no vectors";
	if (bad)
		snprintf(err, err_n, "the server's answer has %s", bad);
	rk_free(r.scratch);
	json_decref(o);
	return bad ? -EPROTO : 0;
}
