/* SPDX-License-Identifier: MIT */
#include "vector/embed/safetensors.h"
#include "base/status.h"
#include <assert.h>
#include <errno.h>
#include <jansson.h>
#include <string.h>

enum { HEADER_MAX = 100 << 20, PREFIX = 8 };

static const struct {
	const char *name;
	size_t bytes;
} TYPES[] = {
	[RK_F64] = {"F64", 8}, [RK_F32] = {"F32", 4}, [RK_F16] = {"F16", 2},
	[RK_I64] = {"I64", 8}, [RK_I32] = {"I32", 4}, [RK_I8] = {"I8", 1},
};
enum { NTYPES = sizeof(TYPES) / sizeof(TYPES[0]) };

size_t rk_dtype_bytes(enum rk_dtype t)
{
	return TYPES[t].bytes;
}

static uint64_t load_u64(const uint8_t *p)
{
	uint64_t v;

	memcpy(&v, p, sizeof(v));
	return v;
}

static int read_type(const json_t *o, struct rk_tensor *t)
{
	const char *s = json_string_value(json_object_get(o, "dtype"));

	for (int i = 0; s && i < NTYPES; i++)
		if (strcmp(s, TYPES[i].name) == 0) {
			t->type = (enum rk_dtype)i;
			return 0;
		}
	return s ? -ENOTSUP : RK_ECORRUPT;
}

static int read_shape(const json_t *o, struct rk_tensor *t)
{
	const json_t *shape = json_object_get(o, "shape");
	size_t n = json_array_size(shape);
	uint64_t *out[] = {&t->rows, &t->cols};

	t->rows = t->cols = 1;
	if (n < 1 || n > 2)
		return json_is_array(shape) ? -ENOTSUP : RK_ECORRUPT;
	for (size_t i = 0; i < n; i++) {
		json_int_t v = json_integer_value(json_array_get(shape, i));

		if (v < 0 || v > INT32_MAX)
			return RK_ECORRUPT;
		*out[i] = (uint64_t)v;
	}
	return 0;
}

/* Two offsets into the data that fit the shape and the file. */
static int read_place(const json_t *o, const uint8_t *data, size_t n,
		      struct rk_tensor *t)
{
	const json_t *off = json_object_get(o, "data_offsets");
	json_int_t begin = json_integer_value(json_array_get(off, 0));
	json_int_t end = json_integer_value(json_array_get(off, 1));
	uint64_t bytes = t->rows * t->cols * TYPES[t->type].bytes;

	if (json_array_size(off) != 2 || begin < 0 || end < begin ||
	    (uint64_t)end > n || (uint64_t)(end - begin) != bytes)
		return RK_ECORRUPT;
	t->p = data + begin;
	return 0;
}

int rk_safetensors_find(const uint8_t *file, size_t n, const char *name,
			struct rk_tensor *out)
{
	struct rk_tensor t = {RK_F64, 0, 0, NULL};
	uint64_t head;
	json_t *root, *o;
	int rc;

	if (n < PREFIX || (head = load_u64(file)) > HEADER_MAX ||
	    head > n - PREFIX || head == 0 || file[PREFIX] != '{')
		return RK_ECORRUPT;
	root = json_loadb((const char *)file + PREFIX, (size_t)head, 0, NULL);
	if (!json_is_object(root)) {
		json_decref(root);
		return RK_ECORRUPT;
	}
	if (!(o = json_object_get(root, name)))
		rc = 0;
	else if ((rc = read_type(o, &t)) == 0 && (rc = read_shape(o, &t)) == 0)
		rc = read_place(o, file + PREFIX + head,
				n - PREFIX - (size_t)head, &t);
	if (o && rc == 0) {
		*out = t;
		rc = 1;
	}
	json_decref(root);
	return rc;
}

float rk_half(uint16_t h)
{
	uint32_t sign = (uint32_t)(h & 0x8000) << 16, exp = h >> 10 & 31,
		 man = h & 0x3ff, bits;
	float f;

	if (exp == 0) { /* zero or subnormal: man * 2^-24 */
		f = (float)man * 0x1p-24f;
		return sign ? -f : f;
	}
	exp = exp == 31 ? 255 : exp + 112;
	bits = sign | exp << 23 | man << 13;
	memcpy(&f, &bits, sizeof(f));
	return f;
}

#define LOAD(type, from)                                                       \
	({                                                                     \
		type v_;                                                       \
		memcpy(&v_, (from), sizeof(v_));                               \
		v_;                                                            \
	})

double rk_tensor_at(const struct rk_tensor *t, uint64_t i)
{
	const uint8_t *p = t->p + i * TYPES[t->type].bytes;

	switch (t->type) {
	case RK_F64:
		return LOAD(double, p);
	case RK_F32:
		return (double)LOAD(float, p);
	case RK_F16:
		return (double)rk_half(LOAD(uint16_t, p));
	case RK_I64:
		return (double)LOAD(int64_t, p);
	case RK_I32:
		return LOAD(int32_t, p);
	case RK_I8:
	default:
		return (int8_t)*p;
	}
}

void rk_tensor_add_row(const struct rk_tensor *t, uint64_t row, float w,
		       float *to)
{
	const uint8_t *p = t->p + row * t->cols * TYPES[t->type].bytes;

	assert(row < t->rows);
	if (t->type == RK_F32)
		for (uint64_t i = 0; i < t->cols; i++)
			to[i] += w * LOAD(float, p + i * 4);
	else if (t->type == RK_F16)
		for (uint64_t i = 0; i < t->cols; i++)
			to[i] += w * rk_half(LOAD(uint16_t, p + i * 2));
	else
		for (uint64_t i = 0; i < t->cols; i++)
			to[i] += w * (float)rk_tensor_at(t, row * t->cols + i);
}
