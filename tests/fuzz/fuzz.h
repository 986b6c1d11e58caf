/* SPDX-License-Identifier: MIT */
#ifndef TESTS_FUZZ_FUZZ_H
#define TESTS_FUZZ_FUZZ_H

/*
 * A fuzz target is LLVMFuzzerTestOneInput() with properties as asserts. The
 * same file links to libFuzzer (make fuzz) and to replay.c, which runs a
 * corpus and then damaged copies of it without any special compiler.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

#define PROPERTY(cond)                                                         \
	do {                                                                   \
		if (!(cond)) {                                                 \
			fprintf(stderr, "property failed: %s\n", #cond);       \
			abort();                                               \
		}                                                              \
	} while (0)

#endif
