/* SPDX-License-Identifier: MIT */
/*
 * Files of the index. The first byte says which: a container (segment), a
 * manifest, a log, the registry. Checksums are not forged, so most damage
 * ends there; what passes must be read within its bounds.
 */
#include "base/status.h"
#include "fuzz/fuzz.h"
#include "storage/registry.h"
#include "storage/manifest.h"
#include "storage/segment.h"
#include "storage/source.h"
#include "storage/wal.h"
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

static const uint8_t *input;
static size_t input_n;

/* A directory of one file, whatever its name: the input. */
static int f_openat(void *ctx, int dir, const char *name, int flags,
		    mode_t mode)
{
	int fd = memfd_create("fuzz", MFD_CLOEXEC);

	(void)ctx;
	(void)dir;
	(void)name;
	(void)flags;
	(void)mode;
	PROPERTY(fd >= 0);
	PROPERTY(write(fd, input, input_n) == (ssize_t)input_n);
	return fd;
}

static void read_segment(const struct rk_io *io)
{
	struct rk_segment *s = NULL;
	struct rk_source *src;
	struct rk_posting p;
	const char *text;

	if (rk_segment_open(io, -1, 1, &s) < 0)
		return;
	src = calloc(1, sizeof(*src));
	for (uint32_t d = 0; d < s->ndocs && d < 1000; d++) {
		const struct rk_doc_rec *r = rk_segment_doc(s, d);

		if (r && rk_segment_path(s, r))
			rk_segment_find(s, rk_segment_path(s, r), r->path_n);
	}
	if (rk_source_segment(src, s) == 0)
		while (src->ops->next_term(src) == 1) {
			if (src->term[0] == 1 || src->ops->open_list(src) < 0)
				continue;
			while (src->ops->next_posting(src, &p) == 1)
				src->ops->chunk(src, p.id, &text);
		}
	rk_source_release(src);
	free(src);
	rk_segment_unref(s);
}

static void read_manifest(const struct rk_io *io)
{
	struct rk_manifest m = RK_MANIFEST_INIT;

	if (rk_manifest_read(io, -1, 1, &m) == 0)
		PROPERTY(m.number == 1);
	rk_manifest_release(&m);
	PROPERTY(rk_manifest_current(io, -1) != 0 || input_n > 0);
}

static void read_registry(const struct rk_io *io)
{
	static struct rk_registry_entry e[64];
	int n = rk_registry_read(io, -1, e, 64);

	PROPERTY(n <= 64);
}

static int see(void *ctx, const struct rk_wal_record *r)
{
	uint64_t *last = ctx;

	PROPERTY(r->seq > 0 && r->len <= RK_WAL_BODY_MAX);
	*last = r->seq;
	return 0;
}

static void read_log(const struct rk_io *io)
{
	char dir[] = "/tmp/rankfs-fuzz-XXXXXX", path[64];
	struct rk_wal_report rep;
	struct rk_wal *w;
	uint64_t last = 0;
	FILE *f;
	int fd;

	PROPERTY(mkdtemp(dir) != NULL);
	snprintf(path, sizeof(path), "%s/wal-000001.log", dir);
	f = fopen(path, "wb");
	fwrite(input, 1, input_n, f);
	fclose(f);
	fd = open(dir, O_RDONLY | O_DIRECTORY);
	PROPERTY(rk_wal_open(io, fd, 0, 1, see, &last, &rep, &w) == 0);
	PROPERTY(rep.last_seq == last);
	close(fd);
	unlink(path);
	rmdir(dir);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct rk_io io = *rk_env_posix()->io;

	if (n == 0)
		return 0;
	input = data + 1;
	input_n = n - 1;
	io.openat = f_openat;
	switch (data[0] % 4) {
	case 0:
		read_segment(&io);
		break;
	case 1:
		read_manifest(&io);
		break;
	case 2:
		read_registry(&io);
		break;
	default:
		read_log(&io);
	}
	return 0;
}
