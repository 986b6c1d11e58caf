/* SPDX-License-Identifier: MIT */
/* fts5_peer CORPUS QUERIES FILE: SQLite FTS5 on the same input. */
#include "bench/bench.h"
#include <sqlite3.h>
#include <sys/stat.h>

static sqlite3 *db;
static sqlite3_stmt *query;

static void run(const char *sql)
{
	char *err = NULL;

	if (sqlite3_exec(db, sql, NULL, NULL, &err) != SQLITE_OK) {
		fprintf(stderr, "%s\n", err);
		exit(1);
	}
}

static void ask(const char *text, void *ctx)
{
	char match[8192];
	size_t n = 0;

	(void)ctx;
	for (const char *s = text; *s;) {
		size_t k = strcspn(s, " ");

		n += (size_t)snprintf(match + n, sizeof(match) - n,
				      "%s\"%.*s\"", n ? " OR " : "", (int)k, s);
		s += k + (s[k] == ' ');
	}
	sqlite3_bind_text(query, 1, match, -1, SQLITE_TRANSIENT);
	while (sqlite3_step(query) == SQLITE_ROW)
		;
	sqlite3_reset(query);
}

int main(int argc, char **argv)
{
	static char line[65536];
	sqlite3_stmt *insert;
	struct stat st;
	double cpu, start;
	FILE *f;

	if (argc != 4 || !(f = fopen(argv[1], "r")) ||
	    sqlite3_open(argv[3], &db) != SQLITE_OK)
		return 2;
	cpu = bench_cpu_s();
	run("PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF;"
	    "CREATE VIRTUAL TABLE t USING fts5(body, tokenize='porter "
	    "unicode61'); BEGIN");
	sqlite3_prepare_v2(db, "INSERT INTO t VALUES(?)", -1, &insert, NULL);
	while (fgets(line, sizeof(line), f)) {
		sqlite3_bind_text(insert, 1, line, (int)strlen(line) - 1,
				  SQLITE_TRANSIENT);
		sqlite3_step(insert);
		sqlite3_reset(insert);
	}
	sqlite3_finalize(insert);
	run("COMMIT; INSERT INTO t(t) VALUES('optimize')");
	printf("ingest_cpu_s %.2f\n", bench_cpu_s() - cpu);
	printf("peak_rss_mib %.0f\n", bench_mem_mib("VmHWM"));
	stat(argv[3], &st);
	printf("bytes %.0f\n", (double)st.st_size);
	sqlite3_prepare_v2(db,
			   "SELECT rowid FROM t WHERE t MATCH ? "
			   "ORDER BY rank LIMIT 10",
			   -1, &query, NULL);
	bench_queries(argv[2], ask, NULL);
	sqlite3_finalize(query);
	sqlite3_close(db);
	start = bench_now_us();
	sqlite3_open(argv[3], &db);
	sqlite3_prepare_v2(db,
			   "SELECT rowid FROM t WHERE t MATCH ? "
			   "ORDER BY rank LIMIT 10",
			   -1, &query, NULL);
	ask("bace difo", NULL);
	printf("boot_us %.0f\n", bench_now_us() - start);
	return 0;
}
