/* SPDX-License-Identifier: MIT */
#include "storage/manifest.h"
#include "base/crc32c.h"
#include "base/mp.h"
#include "base/status.h"
#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { VERSION = 1, BYTES_MAX = 256 << 20, CRC_BYTES = 5 };
static const char MAGIC[] = "rankfs-manifest";

void rk_manifest_release(struct rk_manifest *m)
{
	for (uint32_t i = 0; m->segs && i < m->nsegs; i++)
		rk_free(m->segs[i].dead);
	rk_free(m->segs);
	*m = (struct rk_manifest)RK_MANIFEST_INIT;
}

void rk_manifest_name(uint64_t number, char out[40])
{
	snprintf(out, 40, "MANIFEST-%06llu", (unsigned long long)number);
}

static void pack_body(msgpack_packer *pk, const struct rk_manifest *m)
{
	const struct {
		const char *key;
		uint64_t v;
	} PAIRS[] = {
		{"number", m->number},
		{"generation", m->generation},
		{"wal_floor", m->wal_floor},
		{"next_segment", m->next_segment},
		{"created_ns", (uint64_t)m->created_ns},
		{"space", m->space},
		{"next_vectors", m->next_vectors},
		{"next_space", m->next_space},
		{"fitted", (uint64_t)m->fitted},
	};
	size_t npairs = sizeof(PAIRS) / sizeof(PAIRS[0]);

	msgpack_pack_map(pk, npairs + 4);
	for (size_t i = 0; i < npairs; i++) {
		rk_mp_key(pk, PAIRS[i].key);
		msgpack_pack_uint64(pk, PAIRS[i].v);
	}
	rk_mp_key(pk, "analyser");
	rk_mp_key(pk, m->analyser);
	rk_mp_key(pk, "embedder");
	rk_mp_key(pk, m->embedder);
	rk_mp_key(pk, "vectors"); /* in the order of the segments */
	msgpack_pack_array(pk, m->nsegs);
	for (uint32_t i = 0; i < m->nsegs; i++)
		msgpack_pack_uint64(pk, m->segs[i].vectors);
	rk_mp_key(pk, "segments");
	msgpack_pack_array(pk, m->nsegs);
	for (uint32_t i = 0; i < m->nsegs; i++) {
		size_t n = (size_t)m->segs[i].ndead * 4;

		msgpack_pack_array(pk, 2);
		msgpack_pack_uint64(pk, m->segs[i].id);
		msgpack_pack_bin(pk, n);
		msgpack_pack_bin_body(pk, m->segs[i].dead, n);
	}
}

static void encode(const struct rk_manifest *m, struct rk_buf *b)
{
	msgpack_packer pk;
	uint32_t crc;

	rk_mp_init(&pk, b);
	rk_mp_key(&pk, MAGIC);
	msgpack_pack_uint64(&pk, VERSION);
	msgpack_pack_uint64(&pk, 0); /* features a reader must know */
	pack_body(&pk, m);
	crc = rk_crc32c(0, b->p, b->n);
	rk_buf_byte(b, 0xce); /* uint 32, always five bytes */
	for (int s = 24; s >= 0; s -= 8)
		rk_buf_byte(b, (uint8_t)(crc >> s));
}

int rk_manifest_commit(const struct rk_io *io, int dir,
		       const struct rk_manifest *m)
{
	struct rk_buf b = RK_BUF_INIT;
	char name[40], line[48];
	int rc;

	assert(m->number > 0);
	rk_manifest_name(m->number, name);
	snprintf(line, sizeof(line), "%s\n", name);
	encode(m, &b);
	if ((rc = b.err) == 0 &&
	    (rc = rk_io_replace(io, dir, name, b.p, b.n)) == 0)
		rc = rk_io_replace(io, dir, "CURRENT", line, strlen(line));
	rk_buf_release(&b);
	return rc;
}

static int check_crc(const struct rk_buf *b)
{
	const uint8_t *t;
	uint32_t want;

	if (!b->p || b->n < CRC_BYTES)
		return RK_ECORRUPT;
	t = b->p + b->n - CRC_BYTES;
	if (*t != 0xce)
		return RK_ECORRUPT;
	want = (uint32_t)t[1] << 24 | (uint32_t)t[2] << 16 |
	       (uint32_t)t[3] << 8 | t[4];
	return rk_crc_ok(rk_crc32c(0, b->p, b->n - CRC_BYTES), want)
		       ? 0
		       : RK_ECORRUPT;
}

static int read_dead(struct rk_mpr *r, struct rk_manifest_seg *s)
{
	const uint8_t *p;
	size_t n;

	if (rk_mpr_array(r) != 2)
		return RK_ECORRUPT;
	s->id = rk_mpr_uint(r);
	p = rk_mpr_bin(r, &n);
	if (r->err || n % 4)
		return RK_ECORRUPT;
	s->dead = rk_malloc(n + 4);
	if (!s->dead)
		return -ENOMEM;
	memcpy(s->dead, p, n);
	s->ndead = (uint32_t)(n / 4);
	return 0;
}

static int read_segments(struct rk_mpr *r, struct rk_manifest *m)
{
	uint32_t n = rk_mpr_array(r);
	int rc = r->err;

	if (m->segs)
		return RK_ECORRUPT;
	m->segs = rk_calloc(n + 1, sizeof(*m->segs));
	if (!m->segs)
		return -ENOMEM;
	for (; m->nsegs < n && rc == 0; m->nsegs++)
		rc = read_dead(r, &m->segs[m->nsegs]);
	return rc;
}

/* Files of vectors by segment; "segments" may come before or after. */
static int read_vectors(struct rk_mpr *r, struct rk_manifest *m)
{
	uint32_t n = rk_mpr_array(r);

	if (r->err || m->vectors)
		return RK_ECORRUPT;
	m->vectors = rk_calloc(n + 1, sizeof(*m->vectors));
	if (!m->vectors)
		return -ENOMEM;
	for (m->nvectors = 0; m->nvectors < n; m->nvectors++)
		m->vectors[m->nvectors] = rk_mpr_uint(r);
	return r->err;
}

static int read_string(struct rk_mpr *r, char *out, size_t cap)
{
	size_t n;
	const char *s = rk_mpr_str(r, &n);

	if (n >= cap)
		return RK_ECORRUPT;
	memcpy(out, s, n);
	out[n] = '\0';
	return r->err;
}

static int is_key(const char *key, size_t n, const char *want)
{
	return strlen(want) == n && !memcmp(want, key, n);
}

static int read_field(struct rk_mpr *r, struct rk_manifest *m)
{
	size_t n;
	const char *key = rk_mpr_str(r, &n);
	const struct {
		const char *key;
		uint64_t *v;
	} FIELDS[] = {
		{"number", &m->number},
		{"generation", &m->generation},
		{"wal_floor", &m->wal_floor},
		{"next_segment", &m->next_segment},
		{"space", &m->space},
		{"next_vectors", &m->next_vectors},
		{"next_space", &m->next_space},
	};

	for (size_t i = 0; i < sizeof(FIELDS) / sizeof(FIELDS[0]); i++)
		if (is_key(key, n, FIELDS[i].key)) {
			*FIELDS[i].v = rk_mpr_uint(r);
			return r->err;
		}
	if (is_key(key, n, "created_ns"))
		m->created_ns = (int64_t)rk_mpr_uint(r);
	else if (is_key(key, n, "fitted"))
		m->fitted = rk_mpr_uint(r) != 0;
	else if (is_key(key, n, "analyser"))
		return read_string(r, m->analyser, sizeof(m->analyser));
	else if (is_key(key, n, "embedder"))
		return read_string(r, m->embedder, sizeof(m->embedder));
	else if (is_key(key, n, "segments"))
		return read_segments(r, m);
	else if (is_key(key, n, "vectors"))
		return read_vectors(r, m);
	else
		rk_mpr_skip(r); /* newer, and not needed for reading */
	return r->err;
}

/* Older manifests know no vectors. */
static int give_vectors(struct rk_manifest *m)
{
	if (m->vectors && m->nvectors != m->nsegs)
		return RK_ECORRUPT;
	for (uint32_t i = 0; m->vectors && i < m->nsegs; i++)
		m->segs[i].vectors = m->vectors[i];
	return 0;
}

static int decode(const struct rk_buf *b, struct rk_manifest *m)
{
	struct rk_mpr r = {b->p, b->p + b->n, 0};
	uint64_t version, features;
	uint32_t pairs;
	int rc = 0;

	if (!rk_mpr_key(&r, MAGIC))
		return RK_ECORRUPT;
	version = rk_mpr_uint(&r);
	features = rk_mpr_uint(&r);
	if (r.err)
		return RK_ECORRUPT;
	if (version != VERSION || features)
		return rk_newer("the manifest", version, features);
	for (pairs = rk_mpr_map(&r); pairs && rc == 0; pairs--)
		rc = read_field(&r, m);
	if (rc == 0 && (rc = r.err) == 0)
		rc = give_vectors(m);
	rk_free(m->vectors);
	m->vectors = NULL;
	return rc;
}

int rk_manifest_read(const struct rk_io *io, int dir, uint64_t number,
		     struct rk_manifest *out)
{
	struct rk_manifest m = RK_MANIFEST_INIT;
	struct rk_buf b = RK_BUF_INIT;
	char name[40];
	int rc;

	rk_manifest_name(number, name);
	if ((rc = rk_io_read_file(io, dir, name, BYTES_MAX, &b)) == 0 &&
	    (rc = check_crc(&b)) == 0)
		rc = decode(&b, &m);
	if (rc == 0 && m.number != number)
		rc = RK_ECORRUPT; /* a copy under another name */
	rk_buf_release(&b);
	if (rc < 0) {
		rk_manifest_release(&m);
		return rc;
	}
	*out = m;
	return 0;
}

int64_t rk_manifest_current(const struct rk_io *io, int dir)
{
	struct rk_buf b = RK_BUF_INIT;
	unsigned long long n;
	char name[40], want[48];
	int64_t out = RK_ECORRUPT;
	int rc = rk_io_read_file(io, dir, "CURRENT", BYTES_MAX, &b);

	if (rc == 0) {
		rk_buf_byte(&b, 0);
		if (b.err == 0 &&
		    sscanf((char *)b.p, "MANIFEST-%llu", &n) == 1) {
			rk_manifest_name(n, name);
			snprintf(want, sizeof(want), "%s\n", name);
			if (strcmp(want, (char *)b.p) == 0)
				out = (int64_t)n;
		}
	}
	rk_buf_release(&b);
	return rc < 0 ? rc : out;
}

static int newest_first(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x < y) - (x > y);
}

int rk_manifest_list(int dir, uint64_t *numbers, int max)
{
	struct dirent *e = NULL;
	int n = 0, rc;
	DIR *d;

	assert(max > 0);
	if ((rc = rk_dir_open(dir, ".", &d)) < 0)
		return rc;
	while (n < max && (rc = rk_dir_next(d, &e)) == 1) {
		unsigned long long v;
		char name[40];

		if (sscanf(e->d_name, "MANIFEST-%llu", &v) != 1)
			continue;
		rk_manifest_name(v, name);
		if (strcmp(name, e->d_name) == 0)
			numbers[n++] = v;
	}
	closedir(d);
	qsort(numbers, (size_t)n, sizeof(*numbers), newest_first);
	return rc < 0 ? rc : n;
}
