/* SPDX-License-Identifier: MIT */
#include "storage/container.h"
#include "base/crc32c.h"
#include "base/mem.h"
#include "base/status.h"
#include <unistd.h>
#include <stdlib.h>
#include <dirent.h>
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

enum { WRITE_BYTES = 1024 * 1024, TRAIL_BYTES = 18, FOOTER_MAX = 64 << 20 };
static const char MAGIC[] = "\xa6rankfs";

struct section_out {
	char name[16];
	uint64_t off, len;
	struct rk_buf crcs;
};

struct rk_container_writer {
	const struct rk_io *io;
	int dir, fd;
	char name[NAME_MAX + 1];
	struct rk_buf buf; /* bytes not yet written */
	uint64_t written;  /* file offset of buf */
	uint64_t len_at;   /* where the open section's length belongs */
	struct section_out s[RK_SECTIONS_MAX];
	int n;		  /* sections begun */
	uint32_t crc;	  /* of the open granule */
	size_t granule_n; /* bytes in it */
	int err;
};

static uint64_t cw_off(const struct rk_container_writer *w)
{
	return w->written + w->buf.n;
}

static void cw_flush(struct rk_container_writer *w)
{
	if (w->err == 0)
		w->err = w->buf.err;
	if (w->err == 0 && w->buf.n)
		w->err = rk_io_write_all(w->io, w->fd, w->buf.p, w->buf.n,
					 (off_t)w->written);
	w->written += w->buf.n;
	w->buf.n = 0;
}

int rk_cw_open(const struct rk_io *io, int dir, const char *name,
	       struct rk_container_writer **out)
{
	struct rk_container_writer *w = rk_calloc(1, sizeof(*w));
	msgpack_packer pk;

	if (!w)
		return -ENOMEM;
	w->io = io;
	w->dir = dir;
	snprintf(w->name, sizeof(w->name), "%s", name);
	w->fd = io->openat(io->ctx, dir, name, O_RDWR | O_CREAT | O_TRUNC,
			   0600);
	if (w->fd < 0) {
		int rc = w->fd;

		rk_free(w);
		return rc;
	}
	rk_mp_init(&pk, &w->buf);
	rk_mp_key(&pk, "rankfs");
	msgpack_pack_uint64(&pk, RK_CONTAINER_VERSION);
	msgpack_pack_uint64(&pk, 0); /* features a reader must know */
	*out = w;
	return 0;
}

static void pack_bin32(struct rk_buf *b, uint32_t n)
{
	uint8_t h[5] = {0xc6, (uint8_t)(n >> 24), (uint8_t)(n >> 16),
			(uint8_t)(n >> 8), (uint8_t)n};

	rk_buf_add(b, h, sizeof(h));
}

void rk_cw_begin(struct rk_container_writer *w, const char *section)
{
	struct section_out *s = &w->s[w->n++];
	msgpack_packer pk;
	uint64_t at;

	assert(w->err || w->n < RK_SECTIONS_MAX);
	assert(!strchr(section, '/'));
	snprintf(s->name, sizeof(s->name), "%s", section);
	rk_mp_init(&pk, &w->buf);
	rk_mp_key(&pk, section);
	/* pad header (2 bytes), pad, payload header (5 bytes): then aligned */
	at = cw_off(w) + 2 + 5;
	rk_buf_byte(&w->buf, 0xc4);
	rk_buf_byte(&w->buf, (uint8_t)(-at & (RK_ALIGN - 1)));
	rk_buf_zero(&w->buf, -at & (RK_ALIGN - 1));
	w->len_at = cw_off(w) + 1;
	pack_bin32(&w->buf, 0);
	s->off = cw_off(w);
	w->crc = 0;
	w->granule_n = 0;
	cw_flush(w);
}

static void close_granule(struct rk_container_writer *w)
{
	rk_buf_u32(&w->s[w->n - 1].crcs, w->crc);
	w->crc = 0;
	w->granule_n = 0;
}

void rk_cw_add(struct rk_container_writer *w, const void *p, size_t n)
{
	const uint8_t *c = p;

	while (n > 0) {
		size_t k = RK_GRANULE - w->granule_n;

		if (k > n)
			k = n;
		w->crc = rk_crc32c(w->crc, c, k);
		rk_buf_add(&w->buf, c, k);
		w->granule_n += k;
		if (w->granule_n == RK_GRANULE)
			close_granule(w);
		if (w->buf.n >= WRITE_BYTES)
			cw_flush(w);
		c += k;
		n -= k;
	}
}

void rk_cw_end(struct rk_container_writer *w)
{
	struct section_out *s = &w->s[w->n - 1];
	uint8_t be[4];

	assert(w->n > 0);
	if (w->granule_n)
		close_granule(w);
	cw_flush(w);
	s->len = cw_off(w) - s->off;
	if (s->len > UINT32_MAX && w->err == 0)
		w->err = RK_ETOOBIG;
	for (int i = 0; i < 4; i++)
		be[i] = (uint8_t)(s->len >> (24 - 8 * i));
	if (w->err == 0)
		w->err = rk_io_write_all(w->io, w->fd, be, 4, (off_t)w->len_at);
}

static void pack_footer(struct rk_container_writer *w,
			const struct rk_buf *meta, struct rk_buf *out)
{
	msgpack_packer pk;

	rk_mp_init(&pk, out);
	msgpack_pack_map(&pk, 3);
	rk_mp_key(&pk, "sections");
	msgpack_pack_array(&pk, (size_t)w->n);
	for (int i = 0; i < w->n; i++) {
		struct section_out *s = &w->s[i];

		msgpack_pack_array(&pk, 4);
		rk_mp_key(&pk, s->name);
		msgpack_pack_uint64(&pk, s->off);
		msgpack_pack_uint64(&pk, s->len);
		msgpack_pack_bin(&pk, s->crcs.n);
		msgpack_pack_bin_body(&pk, s->crcs.p, s->crcs.n);
	}
	rk_mp_key(&pk, "format");
	msgpack_pack_array(&pk, 2);
	msgpack_pack_uint64(&pk, RK_CONTAINER_VERSION);
	msgpack_pack_uint64(&pk, 0);
	rk_mp_key(&pk, "meta");
	rk_buf_add(out, meta->p, meta->n);
}

static void cw_free(struct rk_container_writer *w)
{
	for (int i = 0; i < w->n; i++)
		rk_buf_release(&w->s[i].crcs);
	rk_buf_release(&w->buf);
	rk_free(w);
}

void rk_cw_abort(struct rk_container_writer *w)
{
	if (!w)
		return;
	w->io->close(w->io->ctx, w->fd);
	w->io->unlink(w->io->ctx, w->dir, w->name);
	cw_free(w);
}

int rk_cw_finish(struct rk_container_writer *w, const struct rk_buf *meta,
		 uint64_t *size)
{
	struct rk_buf footer = RK_BUF_INIT;
	uint64_t off = cw_off(w);
	uint8_t trail[TRAIL_BYTES] = {0xc4, 16};
	uint32_t len, crc;
	int rc;

	pack_footer(w, meta, &footer);
	len = (uint32_t)footer.n;
	crc = rk_crc32c(0, footer.p, footer.n);
	memcpy(trail + 2, &off, 8);
	memcpy(trail + 10, &len, 4);
	memcpy(trail + 14, &crc, 4);
	rk_buf_add(&w->buf, footer.p, footer.n);
	rk_buf_add(&w->buf, trail, sizeof(trail));
	if (footer.err)
		w->err = footer.err;
	rk_buf_release(&footer);
	cw_flush(w);
	if (w->err == 0)
		w->err = w->io->sync(w->io->ctx, w->fd, 0);
	rc = w->err;
	if (rc < 0) {
		rk_cw_abort(w);
		return rc;
	}
	*size = w->written;
	w->io->close(w->io->ctx, w->fd);
	cw_free(w);
	return 0;
}

struct section {
	char name[16];
	uint64_t off, len;
	const uint8_t *crcs;
	uint32_t granules;
	uint8_t *seen; /* one bit a granule, set atomically */
};

struct rk_container {
	uint8_t *map;
	size_t size;
	struct section s[RK_SECTIONS_MAX];
	int n;
	int has_format; /* the footer repeats the head: */
	uint64_t format, features;
	struct rk_mpr meta;
};

static int read_section(struct rk_container *c, struct rk_mpr *r)
{
	struct section *s = &c->s[c->n];
	const char *name;
	size_t name_n, crcs_n;

	if (rk_mpr_array(r) != 4 || c->n == RK_SECTIONS_MAX)
		return RK_ECORRUPT;
	name = rk_mpr_str(r, &name_n);
	s->off = rk_mpr_uint(r);
	s->len = rk_mpr_uint(r);
	s->crcs = rk_mpr_bin(r, &crcs_n);
	s->granules = (uint32_t)((s->len + RK_GRANULE - 1) / RK_GRANULE);
	if (r->err || name_n >= sizeof(s->name) || s->off > c->size ||
	    s->len > c->size - s->off || s->off % RK_ALIGN ||
	    crcs_n != (size_t)s->granules * 4)
		return RK_ECORRUPT;
	memcpy(s->name, name, name_n);
	s->seen = rk_calloc(s->granules / 8 + 1, 1);
	if (!s->seen)
		return -ENOMEM;
	c->n++;
	return 0;
}

static int read_footer(struct rk_container *c)
{
	const uint8_t *t = c->map + c->size - TRAIL_BYTES;
	struct rk_mpr r;
	uint64_t off;
	uint32_t len, crc, n, pairs;
	int rc = 0;

	memcpy(&off, t + 2, 8);
	memcpy(&len, t + 10, 4);
	memcpy(&crc, t + 14, 4);
	if (t[0] != 0xc4 || t[1] != 16 || len > FOOTER_MAX || off > c->size ||
	    off + len + TRAIL_BYTES != c->size ||
	    !rk_crc_ok(rk_crc32c(0, c->map + off, len), crc))
		return RK_ECORRUPT;
	r = (struct rk_mpr){c->map + off, c->map + off + len, 0};
	pairs = rk_mpr_map(&r);
	if (pairs < 2 || pairs > 3 || !rk_mpr_key(&r, "sections"))
		return RK_ECORRUPT;
	n = rk_mpr_array(&r);
	for (uint32_t i = 0; i < n && rc == 0; i++)
		rc = read_section(c, &r);
	if (rc == 0 && pairs == 3) { /* files before had none */
		if (!rk_mpr_key(&r, "format") || rk_mpr_array(&r) != 2)
			return RK_ECORRUPT;
		c->format = rk_mpr_uint(&r);
		c->features = rk_mpr_uint(&r);
		c->has_format = 1;
	}
	if (rc == 0 && (!rk_mpr_key(&r, "meta") || r.err))
		rc = RK_ECORRUPT;
	c->meta = r;
	return rc;
}

static int check_head(struct rk_container *c, const char *name)
{
	struct rk_mpr r = {c->map + sizeof(MAGIC) - 1, c->map + c->size, 0};
	uint64_t version, features;

	assert(c->map); /* map_file() has succeeded */
	if (memcmp(c->map, MAGIC, sizeof(MAGIC) - 1) != 0)
		return RK_ECORRUPT;
	version = rk_mpr_uint(&r);
	features = rk_mpr_uint(&r);
	if (r.err)
		return RK_ECORRUPT;
	if (version == RK_CONTAINER_VERSION && !features)
		return 0;
	/* no checksum is over the head: the footer has its numbers, too */
	if (read_footer(c) == 0 && c->has_format &&
	    c->format == RK_CONTAINER_VERSION && !c->features)
		return RK_ECORRUPT;
	return rk_newer(name, version, features);
}

static int map_file(struct rk_container *c, int fd)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode) || st.st_size < 64)
		return RK_ECORRUPT;
	c->size = (size_t)st.st_size;
	c->map = mmap(NULL, c->size, PROT_READ, MAP_SHARED, fd, 0);
	if (c->map == MAP_FAILED) {
		c->map = NULL;
		return -errno;
	}
	return 0;
}

int rk_container_open(const struct rk_io *io, int dir, const char *name,
		      struct rk_container **out)
{
	struct rk_container *c = rk_calloc(1, sizeof(*c));
	int fd, rc;

	if (!c)
		return -ENOMEM;
	fd = io->openat(io->ctx, dir, name, O_RDONLY | O_NOFOLLOW, 0);
	if (fd < 0) {
		rk_free(c);
		return fd;
	}
	rc = map_file(c, fd);
	io->close(io->ctx, fd);
	if (rc < 0 || (rc = check_head(c, name)) < 0 ||
	    (rc = read_footer(c)) < 0) {
		rk_container_close(c);
		return rc;
	}
	*out = c;
	return 0;
}

void rk_container_close(struct rk_container *c)
{
	if (!c)
		return;
	for (int i = 0; i < RK_SECTIONS_MAX; i++)
		rk_free(c->s[i].seen);
	if (c->map)
		munmap(c->map, c->size);
	rk_free(c);
}

uint64_t rk_container_size(const struct rk_container *c)
{
	return c->size;
}

struct rk_mpr rk_container_meta(const struct rk_container *c)
{
	return c->meta;
}

int rk_container_section(const struct rk_container *c, const char *name)
{
	for (int i = 0; i < c->n; i++)
		if (strcmp(c->s[i].name, name) == 0)
			return i;
	return -1;
}

uint64_t rk_section_len(const struct rk_container *c, int section)
{
	return section < 0 ? 0 : c->s[section].len;
}

static int verify_granule(struct rk_container *c, struct section *s, uint32_t g)
{
	uint64_t off = (uint64_t)g * RK_GRANULE;
	size_t n =
		s->len - off < RK_GRANULE ? (size_t)(s->len - off) : RK_GRANULE;
	uint32_t want;

	memcpy(&want, s->crcs + 4 * (size_t)g, 4);
	if (!rk_crc_ok(rk_crc32c(0, c->map + s->off + off, n), want))
		return RK_ECORRUPT;
	__atomic_fetch_or(&s->seen[g / 8], (uint8_t)(1u << g % 8),
			  __ATOMIC_RELAXED);
	return 0;
}

const void *rk_section_at(struct rk_container *c, int section, uint64_t off,
			  uint64_t n)
{
	struct section *s;

	if (section < 0)
		return n ? NULL : "";
	s = &c->s[section];
	if (off > s->len || n > s->len - off)
		return NULL;
	if (n == 0)
		return c->map + s->off;
	for (uint32_t g = (uint32_t)(off / RK_GRANULE);
	     g <= (off + n - 1) / RK_GRANULE; g++) {
		uint8_t seen =
			__atomic_load_n(&s->seen[g / 8], __ATOMIC_RELAXED);

		if (!(seen >> g % 8 & 1) && verify_granule(c, s, g) < 0)
			return NULL;
	}
	return c->map + s->off + off;
}

void rk_container_cool(struct rk_container *c)
{
	madvise(c->map, c->size, MADV_DONTNEED);
}

int rk_container_verify(struct rk_container *c)
{
	int rc = 0;

	for (int i = 0; i < c->n && rc == 0; i++)
		for (uint32_t g = 0; g < c->s[i].granules && rc == 0; g++)
			rc = verify_granule(c, &c->s[i], g);
	return rc;
}

/* --- names --- */

int64_t rk_name_number(const char *file, const char *prefix, const char *suffix)
{
	size_t n = strlen(prefix);
	long long id;
	char *end;

	if (strncmp(file, prefix, n) != 0 || file[n] != '-' ||
	    file[n + 1] < '0' || file[n + 1] > '9')
		return -1;
	errno = 0;
	id = strtoll(file + n + 1, &end, 10);
	if (errno || *end != '.' ||
	    strncmp(end + 1, suffix, strlen(suffix)) != 0)
		return -1;
	return id;
}

int64_t rk_highest_number(int dir, const char *prefix, const char *suffix)
{
	struct dirent *e = NULL;
	int64_t max = 0;
	DIR *d;
	int rc;

	if ((rc = rk_dir_open(dir, ".", &d)) < 0)
		return rc;
	while ((rc = rk_dir_next(d, &e)) == 1) {
		int64_t id = rk_name_number(e->d_name, prefix, suffix);

		if (id > max)
			max = id;
	}
	closedir(d);
	return rc < 0 ? rc : max;
}
