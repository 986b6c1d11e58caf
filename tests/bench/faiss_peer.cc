// SPDX-License-Identifier: MIT
// FAISS on the same vectors: faiss_peer DATA N DIM
#include "vector_data.h"
#include <faiss/IndexFlat.h>
#include <faiss/IndexHNSW.h>
#include <faiss/IndexIVFFlat.h>
#include <omp.h>
#include <vector>

static float dot(const float *a, const float *b, size_t n)
{
	float s = 0;

	for (size_t i = 0; i < n; i++)
		s += a[i] * b[i];
	return s;
}

template <class F>
static void run(const struct data &d, const faiss::Index &ix, const char *name,
		const char *setting, F before)
{
	std::vector<float> dist(TRUTH);
	std::vector<faiss::Index::idx_t> ids(TRUTH);
	double recall = 0, best = 1e9;

	before();
	for (int round = 0; round < 2; round++) {
		double at = now_s();

		recall = 0;
		for (uint32_t q = 0; q < d.nq; q++) {
			uint32_t got[TRUTH];

			ix.search(1, d.queries + (size_t)q * d.dim, TRUTH,
				  dist.data(), ids.data());
			for (int i = 0; i < TRUTH; i++)
				got[i] = (uint32_t)ids[i];
			recall += recall_of(&d, q, got, TRUTH);
		}
		at = now_s() - at;
		best = at < best ? at : best;
	}
	report(name, setting, recall / d.nq, best, d.nq);
}

int main(int argc, char **argv)
{
	struct data d;

	if (argc < 4)
		return 2;
	omp_set_num_threads(1);
	load_data(&d, argv[1], (uint32_t)atoi(argv[2]), 500,
		  (uint32_t)atoi(argv[3]));
	find_truth(&d, dot);
	{
		faiss::IndexFlatIP flat(d.dim);
		double t = cpu_s();

		flat.add(d.n, d.rows);
		printf("# faiss flat build %.2f CPU s\n", cpu_s() - t);
		run(d, flat, "faiss_flat", "", [] {});
	}
	{
		faiss::IndexFlatIP quantiser(d.dim);
		faiss::IndexIVFFlat ivf(&quantiser, d.dim, 512,
					faiss::METRIC_INNER_PRODUCT);
		double t = cpu_s();

		ivf.train(d.n, d.rows);
		ivf.add(d.n, d.rows);
		printf("# faiss ivf512 build %.2f CPU s\n", cpu_s() - t);
		for (size_t p : {4, 8, 16, 32, 64, 128}) {
			std::string s = "nprobe=" + std::to_string(p);
			run(d, ivf, "faiss_ivf512", s.c_str(),
			    [&] { ivf.nprobe = p; });
		}
	}
	{
		faiss::IndexHNSWFlat h((int)d.dim, 16,
				       faiss::METRIC_INNER_PRODUCT);
		double t = cpu_s();

		h.hnsw.efConstruction = 200;
		h.add(d.n, d.rows);
		printf("# faiss hnsw16 build %.2f CPU s\n", cpu_s() - t);
		for (int ef : {16, 32, 64, 128, 256}) {
			std::string s = "ef=" + std::to_string(ef);
			run(d, h, "faiss_hnsw16", s.c_str(),
			    [&] { h.hnsw.efSearch = ef; });
		}
	}
}
