// SPDX-License-Identifier: MIT
// hnswlib on the same vectors: hnswlib_peer DATA N DIM
#include "vector_data.h"
#include <hnswlib/hnswlib.h>
#include <vector>

static float dot(const float *a, const float *b, size_t n)
{
	float s[16] = {0};

	for (size_t i = 0; i < n; i += 16)
		for (int k = 0; k < 16; k++)
			s[k] += a[i + k] * b[i + k];
	for (int k = 1; k < 16; k++)
		s[0] += s[k];
	return s[0];
}

int main(int argc, char **argv)
{
	struct data d;
	double t;

	if (argc < 4)
		return 2;
	load_data(&d, argv[1], (uint32_t)atoi(argv[2]), 500,
		  (uint32_t)atoi(argv[3]));
	find_truth(&d, dot);
	hnswlib::InnerProductSpace space(d.dim);
	t = cpu_s();
	hnswlib::HierarchicalNSW<float> index(&space, d.n, 16, 200);
	for (uint32_t r = 0; r < d.n; r++)
		index.addPoint(d.rows + (size_t)r * d.dim, r);
	printf("# hnswlib build %.2f CPU s, %.1f MB\n", cpu_s() - t,
	       index.size_data_per_element_ * 1e-6 * d.n);
	for (size_t ef : {10, 16, 24, 32, 48, 64, 96, 128, 192, 256, 400, 600}) {
		double recall = 0, best = 1e9;

		index.setEf(ef);
		for (int round = 0; round < 3; round++) {
			recall = 0;
			double at = now_s();
			for (uint32_t q = 0; q < d.nq; q++) {
				auto got = index.searchKnn(
					d.queries + (size_t)q * d.dim, TRUTH);
				uint32_t ids[TRUTH], n = 0;
				for (; !got.empty(); got.pop())
					ids[n++] = (uint32_t)got.top().second;
				recall += recall_of(&d, q, ids, n);
			}
			at = now_s() - at;
			best = at < best ? at : best;
		}
		char setting[40];
		snprintf(setting, sizeof(setting), "ef=%zu", ef);
		report("hnswlib", setting, recall / d.nq, best, d.nq);
	}
}
