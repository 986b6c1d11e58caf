/* SPDX-License-Identifier: MIT */
#ifndef RK_VECTOR_SAFETENSORS_H
#define RK_VECTOR_SAFETENSORS_H

#include <stddef.h>
#include <stdint.h>

/*
 * Tensors of a safetensors file (https://huggingface.co/docs/safetensors:
 * length of the header, JSON header, data). Nothing in the file is trusted:
 * every tensor handed out lies inside it and has the bytes of its shape.
 */
enum rk_dtype { RK_F64, RK_F32, RK_F16, RK_I64, RK_I32, RK_I8 };

struct rk_tensor {
	enum rk_dtype type;
	uint64_t rows, cols; /* cols 1 for a vector */
	const uint8_t *p;    /* little-endian, row-major; borrowed */
};

/*
 * Find a tensor of one or two dimensions by name in the n bytes of a file.
 * Returns 1, 0 if there is none, RK_ECORRUPT if the file does not hold
 * together, -ENOTSUP for another type or shape, -ENOMEM.
 */
int rk_safetensors_find(const uint8_t *file, size_t n, const char *name,
			struct rk_tensor *out);

/* IEEE 754 binary16 to binary32. */
float rk_half(uint16_t h);

size_t rk_dtype_bytes(enum rk_dtype t);
/* Element i as a number, whatever its type. */
double rk_tensor_at(const struct rk_tensor *t, uint64_t i);
/* to[i] += w * row[i] */
void rk_tensor_add_row(const struct rk_tensor *t, uint64_t row, float w,
		       float *to);

#endif
