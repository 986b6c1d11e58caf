/* SPDX-License-Identifier: MIT */
/* Run a fuzz target over a corpus, and over damaged copies of each file. */
#include "fuzz/fuzz.h"
#include "unit/t.h"
#include <dirent.h>

enum { VARIANTS = 400, INPUT_MAX = 1 << 16 };

static unsigned long long seed = 7;

/* One to four random edits: flip, set, cut, repeat. */
static size_t mutate(uint8_t *p, size_t n)
{
	for (int k = (int)(t_rand(&seed) % 4); k >= 0 && n > 0; k--) {
		size_t at = t_rand(&seed) % n, len;

		switch (t_rand(&seed) % 4) {
		case 0:
			p[at] ^= (uint8_t)(1u << t_rand(&seed) % 8);
			break;
		case 1:
			p[at] = (uint8_t)t_rand(&seed);
			break;
		case 2:
			n = at;
			break;
		default:
			len = t_rand(&seed) % (n - at + 1);
			if (n + len <= INPUT_MAX) {
				memmove(p + at + len, p + at, n - at);
				n += len;
			}
		}
	}
	return n;
}

static void run_file(const char *path)
{
	static uint8_t original[INPUT_MAX], copy[INPUT_MAX];
	FILE *f = fopen(path, "rb");
	size_t n;

	if (!f)
		return;
	n = fread(original, 1, sizeof(original), f);
	fclose(f);
	LLVMFuzzerTestOneInput(original, n);
	for (int i = 0; i < VARIANTS; i++) {
		memcpy(copy, original, n);
		LLVMFuzzerTestOneInput(copy, mutate(copy, n));
	}
}

int main(int argc, char **argv)
{
	int files = 0;
	struct dirent *e;
	DIR *d = argc > 1 ? opendir(argv[1]) : NULL;

	while (d && (e = readdir(d))) {
		char path[1024];

		if (e->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "%s/%s", argv[1], e->d_name);
		run_file(path);
		files++;
	}
	if (d)
		closedir(d);
	printf("%s 1 - %d inputs, %d runs\n", files ? "ok" : "not ok", files,
	       files * (VARIANTS + 1));
	return files == 0;
}
