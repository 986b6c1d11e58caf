/* SPDX-License-Identifier: MIT */
#include "text/extract/extract.h"
#include "base/buf.h"
#include "base/mem.h"
#include "text/extract/html.h"
#include <assert.h>
#include <errno.h>
#include <string.h>
#include <zlib.h>

enum {
	SNIFF_BYTES = 8192,
	READ_BYTES = 64 * 1024,
	INFLATE_BYTES = 16 * 1024,
};

void rk_text_release(struct rk_text *t)
{
	rk_free(t->p);
	*t = (struct rk_text)RK_TEXT_INIT;
}

static ssize_t read_some(const struct rk_io *io, int fd, void *p, size_t n,
			 uint64_t off)
{
	ssize_t r;

	do
		r = io->pread(io->ctx, fd, p, n, (off_t)off);
	while (r == -EINTR);
	return r;
}

/* Append file bytes [off, off+max) to out; stops early at end of file. */
static int read_plain(const struct rk_io *io, int fd, uint64_t off, size_t max,
		      struct rk_buf *out)
{
	size_t step = SNIFF_BYTES; /* most documents are small */

	while (max > 0) {
		size_t want = max < step ? max : step;
		ssize_t r;

		if (rk_buf_reserve(out, want) < 0)
			return out->err;
		r = read_some(io, fd, out->p + out->n, want, off);
		if (r < 0)
			return (int)r;
		out->n += (size_t)r;
		off += (uint64_t)r;
		max -= (size_t)r;
		if ((size_t)r < want)
			break;
		step = READ_BYTES;
	}
	return 0;
}

/* One inflate step into at most `room` more bytes of out. */
static int inflate_step(z_stream *z, size_t room, struct rk_buf *out)
{
	size_t want = room < READ_BYTES ? room : READ_BYTES;
	int rc;

	if (rk_buf_reserve(out, want) < 0)
		return out->err;
	z->next_out = out->p + out->n;
	z->avail_out = (uInt)want;
	rc = inflate(z, Z_NO_FLUSH);
	out->n += want - z->avail_out;
	return rc;
}

struct packed {
	const struct rk_io *io;
	int fd;
	uint64_t off;
	uint8_t in[INFLATE_BYTES];
};

/* Have input, if there is any left: bytes that are there, or -errno. */
static ssize_t refill(struct packed *p, z_stream *z)
{
	ssize_t r;

	if (z->avail_in > 0)
		return z->avail_in;
	r = read_some(p->io, p->fd, p->in, sizeof(p->in), p->off);
	if (r > 0) {
		p->off += (uint64_t)r;
		z->next_in = p->in;
		z->avail_in = (uInt)r;
	}
	return r;
}

/* *end: Z_STREAM_END, Z_OK at `max`, or how it breaks off. 0 or -errno. */
static int inflate_member(struct packed *p, z_stream *z, size_t max,
			  struct rk_buf *out, int *end)
{
	ssize_t r;

	do {
		*end = Z_BUF_ERROR;
		if ((r = refill(p, z)) <= 0)
			return (int)r;
		*end = Z_OK;
		if (out->n >= max)
			return 0;
		*end = inflate_step(z, max - out->n, out);
	} while (*end == Z_OK || *end == Z_BUF_ERROR);
	return out->err;
}

/* Members may follow one another; what else follows is not of the text. */
static int inflate_file(struct packed *p, z_stream *z, size_t max,
			struct rk_buf *out, unsigned *flags)
{
	ssize_t more;
	int rc, end;

	do {
		rc = inflate_member(p, z, max, out, &end);
		if (rc < 0 || end != Z_STREAM_END)
			break;
		more = refill(p, z);
		if (more < 0)
			return (int)more;
	} while (more > 0 && *z->next_in == 0x1f && inflateReset(z) == Z_OK);
	if (end == Z_OK)
		*flags |= RK_TEXT_TRUNCATED;
	else if (end != Z_STREAM_END)
		*flags |= RK_TEXT_DAMAGED;
	return rc;
}

static int read_gzip(const struct rk_io *io, int fd, size_t max,
		     struct rk_buf *out, unsigned *flags)
{
	struct packed p = {.io = io, .fd = fd};
	z_stream z;
	int rc;

	memset(&z, 0, sizeof(z));
	if (inflateInit2(&z, 16 + MAX_WBITS) != Z_OK)
		return -ENOMEM;
	rc = inflate_file(&p, &z, max, out, flags);
	inflateEnd(&z);
	*flags |= RK_TEXT_DERIVED;
	return rc;
}

static void put_utf8(struct rk_buf *b, uint32_t c)
{
	if (c < 0x80) {
		rk_buf_byte(b, (uint8_t)c);
	} else if (c < 0x800) {
		rk_buf_byte(b, (uint8_t)(0xc0 | c >> 6));
		rk_buf_byte(b, (uint8_t)(0x80 | (c & 63)));
	} else if (c < 0x10000) {
		rk_buf_byte(b, (uint8_t)(0xe0 | c >> 12));
		rk_buf_byte(b, (uint8_t)(0x80 | (c >> 6 & 63)));
		rk_buf_byte(b, (uint8_t)(0x80 | (c & 63)));
	} else {
		rk_buf_byte(b, (uint8_t)(0xf0 | c >> 18));
		rk_buf_byte(b, (uint8_t)(0x80 | (c >> 12 & 63)));
		rk_buf_byte(b, (uint8_t)(0x80 | (c >> 6 & 63)));
		rk_buf_byte(b, (uint8_t)(0x80 | (c & 63)));
	}
}

static int utf16_order(const struct rk_buf *b)
{
	if (b->n >= 2 && b->p[0] == 0xff && b->p[1] == 0xfe)
		return 1; /* little */
	if (b->n >= 2 && b->p[0] == 0xfe && b->p[1] == 0xff)
		return 2; /* big */
	return 0;
}

static int utf16_to_utf8(struct rk_buf *b, int order)
{
	struct rk_buf out = RK_BUF_INIT;
	unsigned hi = order == 2 ? 0 : 1;
	uint32_t lead = 0;

	for (size_t i = 2; i + 1 < b->n; i += 2) {
		uint32_t u = (uint32_t)b->p[i + hi] << 8 | b->p[i + 1 - hi];

		if (u >= 0xd800 && u < 0xdc00) {
			lead = u;
			continue;
		}
		if (u >= 0xdc00 && u < 0xe000)
			u = lead ? 0x10000 + ((lead - 0xd800) << 10) +
					    (u - 0xdc00)
				 : 0xfffd;
		lead = 0;
		put_utf8(&out, u);
	}
	if (out.err) {
		rk_buf_release(&out);
		return -ENOMEM;
	}
	rk_buf_release(b);
	*b = out;
	return 0;
}

/*
 * Roff escapes become spaces of the same length, so that offsets and lines
 * stay: \fB \f(CW \f[..], \- (keeps the dash), \& \| \^ and \(xx.
 */
static void blank_roff(char *s, size_t n)
{
	for (size_t i = 0; i + 1 < n; i++) {
		size_t len = 2;
		char c;

		if (s[i] != '\\')
			continue;
		c = s[i + 1];
		if (c == '-') {
			s[i] = ' ';
			continue;
		}
		if (c == '(')
			len = 4;
		else if (c == 'f' || c == 'm' || c == 's' || c == '*')
			len = i + 2 < n && s[i + 2] == '(' ? 5 : 3;
		for (size_t k = i; k < i + len && k < n; k++)
			if (s[k] != '\n')
				s[k] = ' ';
		i += len - 1;
	}
}

static int looks_like_man(const char *s, size_t n)
{
	size_t end = n < 4096 ? n : 4096;

	for (size_t i = 0; i + 3 < end; i++)
		if ((i == 0 || s[i - 1] == '\n') && s[i] == '.' &&
		    (memcmp(s + i, ".TH", 3) == 0 ||
		     memcmp(s + i, ".Dd", 3) == 0 ||
		     memcmp(s + i, ".SH", 3) == 0))
			return 1;
	return 0;
}

static int is_binary(const struct rk_buf *b)
{
	size_t n = b->n < SNIFF_BYTES ? b->n : SNIFF_BYTES;

	return n > 0 && memchr(b->p, 0, n) != NULL;
}

/* Bytes are in b: settle kind, flags and derived forms. */
static int settle(struct rk_buf *b, int raw, struct rk_text *t)
{
	int order = utf16_order(b);
	int rc;

	if (order) {
		if ((rc = utf16_to_utf8(b, order)) < 0)
			return rc;
		t->flags |= RK_TEXT_DERIVED;
	}
	if (is_binary(b)) {
		t->flags |= RK_TEXT_BINARY;
		t->kind = RK_KIND_BINARY;
		b->n = 0;
	}
	if (t->kind == RK_KIND_MAN && !raw) {
		if (looks_like_man((char *)b->p, b->n)) {
			blank_roff((char *)b->p, b->n);
			t->flags |= RK_TEXT_DERIVED;
		} else {
			t->kind = RK_KIND_TEXT;
		}
	}
	if (t->kind == RK_KIND_TEXT && *rk_script_extension((char *)b->p, b->n))
		t->kind = RK_KIND_CODE;
	if (t->kind == RK_KIND_HTML && !raw) {
		rk_html_blank((char *)b->p, b->n);
		t->flags |= RK_TEXT_DERIVED;
	}
	rk_buf_byte(b, 0);
	if (b->err)
		return b->err;
	t->p = (char *)b->p;
	t->n = b->n - 1;
	return 0;
}

static int sniff_gzip(const struct rk_io *io, int fd)
{
	uint8_t magic[3];

	return read_some(io, fd, magic, sizeof(magic), 0) == 3 &&
	       magic[0] == 0x1f && magic[1] == 0x8b && magic[2] == 8;
}

static int load(const struct rk_io *io, int fd, enum rk_kind kind, int raw,
		size_t max_bytes, struct rk_text *out)
{
	struct rk_buf b = RK_BUF_INIT;
	struct rk_text t = RK_TEXT_INIT;
	int rc;

	t.kind = kind;
	rc = read_plain(io, fd, 0, max_bytes + 1, &b);
	if (rc == 0 && b.n >= 3 && b.p[0] == 0x1f && b.p[1] == 0x8b &&
	    b.p[2] == 8) {
		b.n = 0;
		rc = read_gzip(io, fd, max_bytes + 1, &b, &t.flags);
	}
	if (rc == 0 && b.n > max_bytes) {
		b.n = max_bytes;
		t.flags |= RK_TEXT_TRUNCATED;
	}
	if (rc < 0 || (rc = settle(&b, raw, &t)) < 0) {
		rk_buf_release(&b);
		return rc;
	}
	*out = t;
	return 0;
}

int rk_text_load(const struct rk_io *io, int fd, const char *path,
		 size_t max_bytes, struct rk_text *out)
{
	assert(fd >= 0 && max_bytes > 0);
	return load(io, fd, rk_kind_of_path(path), 0, max_bytes, out);
}

int rk_text_load_raw(const struct rk_io *io, int fd, const char *path,
		     size_t max_bytes, struct rk_text *out)
{
	return load(io, fd, rk_kind_of_path(path), 1, max_bytes, out);
}

int rk_text_adopt(struct rk_buf *b, enum rk_kind kind, size_t max_bytes,
		  struct rk_text *out)
{
	struct rk_text t = {.kind = kind, .flags = RK_TEXT_DERIVED};
	int rc;

	if (b->n > max_bytes) {
		b->n = max_bytes;
		t.flags |= RK_TEXT_TRUNCATED;
	}
	if ((rc = settle(b, 0, &t)) < 0) {
		rk_buf_release(b);
		return rc;
	}
	*b = (struct rk_buf)RK_BUF_INIT;
	*out = t;
	return 0;
}

static int derived_kind(const struct rk_io *io, int fd, const char *path)
{
	uint8_t bom[2] = {0, 0};

	enum rk_kind kind = rk_kind_of_path(path);

	if (kind == RK_KIND_MAN || kind == RK_KIND_HTML || sniff_gzip(io, fd))
		return 1;
	return read_some(io, fd, bom, 2, 0) == 2 && (bom[0] ^ bom[1]) == 1 &&
	       bom[0] >= 0xfe;
}

void rk_text_slice(struct rk_text *t, uint64_t off, size_t len)
{
	if (off > t->n)
		off = t->n;
	if (len > t->n - off)
		len = t->n - (size_t)off;
	if (t->p) {
		memmove(t->p, t->p + off, len);
		t->p[len] = '\0';
	}
	t->n = len;
}

int rk_text_load_range(const struct rk_io *io, int fd, const char *path,
		       uint64_t off, size_t len, size_t max_bytes,
		       struct rk_text *out)
{
	struct rk_buf b = RK_BUF_INIT;
	int rc;

	assert(fd >= 0 && max_bytes > 0);
	if (derived_kind(io, fd, path)) {
		rc = rk_text_load(io, fd, path, max_bytes, out);
		if (rc == 0)
			rk_text_slice(out, off, len);
		return rc;
	}
	rc = read_plain(io, fd, off, len, &b);
	rk_buf_byte(&b, 0);
	if (rc == 0)
		rc = b.err;
	if (rc < 0) {
		rk_buf_release(&b);
		return rc;
	}
	*out = (struct rk_text){(char *)b.p, b.n - 1, rk_kind_of_path(path), 0};
	return 0;
}
