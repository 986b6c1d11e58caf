/* SPDX-License-Identifier: MIT */
#ifndef TESTS_UNIT_T_H
#define TESTS_UNIT_T_H

/*
 * A test program is a table of named functions; each CHECK that fails says
 * where. Output is TAP, one line a test, for scripts/test to count.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int t_failed;

#define CHECK(cond)                                                            \
	do {                                                                   \
		if (!(cond)) {                                                 \
			printf("# %s:%d: %s\n", __FILE__, __LINE__, #cond);    \
			t_failed = 1;                                          \
		}                                                              \
	} while (0)

#define CHECK_INT(a, b)                                                        \
	do {                                                                   \
		long long a_ = (long long)(a), b_ = (long long)(b);            \
		if (a_ != b_) {                                                \
			printf("# %s:%d: %s is %lld, not %lld\n", __FILE__,    \
			       __LINE__, #a, a_, b_);                          \
			t_failed = 1;                                          \
		}                                                              \
	} while (0)

#define CHECK_STR(a, b)                                                        \
	do {                                                                   \
		const char *a_ = (a), *b_ = (b);                               \
		if (strcmp(a_, b_) != 0) {                                     \
			printf("# %s:%d: \"%s\" is not \"%s\"\n", __FILE__,    \
			       __LINE__, a_, b_);                              \
			t_failed = 1;                                          \
		}                                                              \
	} while (0)

struct t_case {
	const char *name;
	void (*run)(void);
};

/* Run the table, or with T_ONLY=text what is so named; main()'s exit status. */
static inline int t_main(const struct t_case *cases, int n)
{
	const char *only = getenv("T_ONLY");
	int failures = 0;

	for (int i = 0; i < n; i++) {
		if (only && !strstr(cases[i].name, only))
			continue;
		t_failed = 0;
		cases[i].run();
		failures += t_failed;
		printf("%s %d - %s\n", t_failed ? "not ok" : "ok", i + 1,
		       cases[i].name);
		fflush(stdout);
	}
	return failures != 0;
}
#define T_MAIN(cases)                                                          \
	int main(void)                                                         \
	{                                                                      \
		return t_main(cases, (int)(sizeof(cases) / sizeof(cases[0]))); \
	}

/* A fresh folder below $TMPDIR; removed by t_rmdir(). */
static inline char *t_mkdir(void)
{
	char path[256];
	const char *tmp = getenv("TMPDIR");

	snprintf(path, sizeof(path), "%s/rankfs-test-XXXXXX",
		 tmp ? tmp : "/tmp");
	if (!mkdtemp(path)) {
		perror(path);
		exit(1);
	}
	return strdup(path);
}

static inline void t_rmdir(char *path)
{
	char cmd[300];

	snprintf(cmd, sizeof(cmd), "rm -rf '%s'", path);
	if (system(cmd) != 0)
		perror(cmd);
	free(path);
}

/* Write a file, making its folders. */
static inline void t_write(const char *dir, const char *name, const char *text)
{
	char path[1024];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	for (char *s = path + 1; (s = strchr(s, '/')); s++) {
		*s = '\0';
		mkdir(path, 0755);
		*s = '/';
	}
	f = fopen(path, "w");
	if (!f || fputs(text, f) < 0 || fclose(f) != 0)
		perror(path);
}

/* A small generator, the same everywhere: SplitMix64. */
static inline unsigned long long t_rand(unsigned long long *state)
{
	unsigned long long z = *state += 0x9e3779b97f4a7c15ull;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
	return z ^ (z >> 31);
}

#endif
