// SPDX-License-Identifier: MIT
// xapian_peer CORPUS QUERIES FOLDER: Xapian on the same input (its API is C++).
#include "bench/bench.h"
#include <xapian.h>
#include <filesystem>
#include <fstream>
#include <string>

static void ask(const char *text, void *ctx)
{
	auto *db = static_cast<Xapian::Database *>(ctx);
	Xapian::QueryParser qp;
	Xapian::Enquire enquire(*db);

	qp.set_stemmer(Xapian::Stem("english"));
	qp.set_stemming_strategy(Xapian::QueryParser::STEM_ALL);
	enquire.set_query(qp.parse_query(text));
	enquire.set_weighting_scheme(Xapian::BM25Weight(1.2, 0, 1, 0.75, 0));
	enquire.get_mset(0, 10);
}

int main(int argc, char **argv)
{
	if (argc != 4)
		return 2;
	std::string tmp = std::string(argv[3]) + ".build", line;
	double cpu = bench_cpu_s();
	{
		Xapian::WritableDatabase db(tmp, Xapian::DB_CREATE);
		Xapian::TermGenerator tg;
		std::ifstream in(argv[1]);

		tg.set_stemmer(Xapian::Stem("english"));
		tg.set_stemming_strategy(Xapian::TermGenerator::STEM_ALL);
		while (std::getline(in, line)) {
			Xapian::Document doc;
			tg.set_document(doc);
			tg.index_text_without_positions(line);
			db.add_document(doc);
		}
		db.commit();
		db.compact(argv[3]);
	}
	printf("ingest_cpu_s %.2f\n", bench_cpu_s() - cpu);
	printf("peak_rss_mib %.0f\n", bench_mem_mib("VmHWM"));
	double bytes = 0;
	for (auto &e : std::filesystem::directory_iterator(argv[3]))
		bytes += double(e.file_size());
	printf("bytes %.0f\n", bytes);
	{
		Xapian::Database db(argv[3]);
		bench_queries(argv[2], ask, &db);
	}
	double start = bench_now_us();
	Xapian::Database db(argv[3]);
	ask("bace difo", &db);
	printf("boot_us %.0f\n", bench_now_us() - start);
	return 0;
}
