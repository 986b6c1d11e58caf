/* SPDX-License-Identifier: MIT */
/* hello BACKING QUERY: put a file into an index, ask, print the answer. */
#define _POSIX_C_SOURCE 200809L
#include <rankfs.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	struct rk_search_opts opts = {.size = sizeof(opts), .wait_ms = 10000};
	struct rk_buf *out = rk_buf_new();
	struct rk_results *r = NULL;
	struct rk_index *ix;
	const char *ask = argc > 2 ? argv[2] : "";
	int fd, rc;

	rc = argc > 2 ? rk_index_open(NULL, argv[1], "main", 0, &ix) : -1;
	if (rc < 0 || !out) {
		fprintf(stderr, "hello: %s\n", rk_strerror(rc));
		return 1;
	}
	fd = openat(rk_index_files_fd(ix), "hello.md", O_CREAT | O_WRONLY,
		    0644);
	dprintf(fd, "# Keys\n\nRotate the signing keys.\n");
	close(fd);
	rk_touch(ix, "hello.md", 0, NULL);
	rc = rk_search(ix, ask, strlen(ask), &opts, &r);
	if (rc == 0)
		rc = rk_render(r, RK_AS_JSON, ask, strlen(ask), argv[1], out,
			       NULL);
	printf("%s", rc < 0 ? rk_strerror(rc) : rk_buf_data(out));
	rk_results_free(r);
	rk_buf_free(out);
	return rk_index_close(ix) < 0 || rc < 0;
}
