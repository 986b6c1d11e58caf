/* SPDX-License-Identifier: MIT */
#include "storage/registry.h"
#include "base/crc32c.h"
#include "base/mem.h"
#include "base/mp.h"
#include "base/status.h"
#include "base/lock.h"
#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

enum { VERSION = 1, BYTES_MAX = 4 << 20, CRC_BYTES = 5 };
static const char MAGIC[] = "rankfs-registry";
static const char NAME[] = "registry.mp";

static void encode(const struct rk_registry_entry *e, int n, struct rk_buf *b)
{
	msgpack_packer pk;
	uint32_t crc;

	rk_mp_init(&pk, b);
	rk_mp_key(&pk, MAGIC);
	msgpack_pack_uint64(&pk, VERSION);
	msgpack_pack_array(&pk, (size_t)n);
	for (int i = 0; i < n; i++) {
		msgpack_pack_array(&pk, 4);
		rk_mp_key(&pk, e[i].id);
		msgpack_pack_int64(&pk, e[i].created_ns);
		msgpack_pack_uint64(&pk, e[i].docs);
		msgpack_pack_uint64(&pk, e[i].chunks);
	}
	crc = rk_crc32c(0, b->p, b->n);
	rk_buf_byte(b, 0xce);
	for (int s = 24; s >= 0; s -= 8)
		rk_buf_byte(b, (uint8_t)(crc >> s));
}

static int decode_entry(struct rk_mpr *r, struct rk_registry_entry *e)
{
	const char *id;
	size_t n;

	memset(e, 0, sizeof(*e));
	if (rk_mpr_array(r) != 4)
		return RK_ECORRUPT;
	id = rk_mpr_str(r, &n);
	e->created_ns = rk_mpr_int(r);
	e->docs = rk_mpr_uint(r);
	e->chunks = rk_mpr_uint(r);
	if (r->err || n >= sizeof(e->id))
		return RK_ECORRUPT;
	memcpy(e->id, id, n);
	return 0;
}

static int decode(const uint8_t *p, size_t n, struct rk_registry_entry *out,
		  int max)
{
	struct rk_mpr r = {p, p + n - CRC_BYTES, 0};
	struct rk_mpr tail = {p + n - CRC_BYTES, p + n, 0};
	uint64_t version;
	uint32_t count;
	int rc = 0;

	if (n < CRC_BYTES ||
	    !rk_crc_ok(rk_crc32c(0, p, n - CRC_BYTES),
		       (uint32_t)rk_mpr_uint(&tail)) ||
	    tail.err || !rk_mpr_key(&r, MAGIC))
		return RK_ECORRUPT;
	version = rk_mpr_uint(&r);
	if (!r.err && version != VERSION)
		return rk_newer("registry.mp", version, 0);
	count = rk_mpr_array(&r);
	if (r.err || count > (uint32_t)max)
		return RK_ECORRUPT;
	for (uint32_t i = 0; i < count && rc == 0; i++)
		rc = decode_entry(&r, &out[i]);
	return rc < 0 ? rc : (int)count;
}

int rk_registry_read(const struct rk_io *io, int backing_fd,
		     struct rk_registry_entry *out, int max)
{
	struct rk_buf b = RK_BUF_INIT;
	int rc = rk_io_read_file(io, backing_fd, NAME, BYTES_MAX, &b);

	if (rc == 0)
		rc = b.n < CRC_BYTES ? RK_ECORRUPT : decode(b.p, b.n, out, max);
	rk_buf_release(&b);
	return rc;
}

/* Several indexes of one process are opened and closed side by side. */
static pthread_mutex_t writing = PTHREAD_MUTEX_INITIALIZER;

static int store(const struct rk_io *io, int backing_fd,
		 const struct rk_registry_entry *all, int n)
{
	struct rk_buf b = RK_BUF_INIT;
	int rc;

	rk_assert_held(&writing);
	encode(all, n, &b);
	rc = b.err ? b.err : rk_io_replace(io, backing_fd, NAME, b.p, b.n);
	rk_buf_release(&b);
	return rc;
}

/* All entries into all[]; how many, RK_EVERSION, or why they are unreadable. */
static int load(const struct rk_io *io, int backing_fd,
		struct rk_registry_entry *all)
{
	int n = rk_registry_read(io, backing_fd, all, RK_REGISTRY_MAX - 1);

	if (n == RK_EVERSION || rk_unreadable(n))
		return n;
	return n < 0 ? 0 : n; /* damaged: begin again */
}

static int place(const struct rk_registry_entry *all, int n, const char *id)
{
	int i = 0;

	while (i < n && strcmp(all[i].id, id) != 0)
		i++;
	return i;
}

int rk_registry_put(const struct rk_io *io, int backing_fd,
		    const struct rk_registry_entry *e)
{
	struct rk_registry_entry *all =
		rk_calloc(RK_REGISTRY_MAX, sizeof(*all));
	int n, i, rc = -ENOMEM;
	int64_t created;

	assert(e->id[0]);
	pthread_mutex_lock(&writing);
	if (all && (rc = n = load(io, backing_fd, all)) >= 0) {
		i = place(all, n, e->id);
		created = i < n && all[i].created_ns ? all[i].created_ns
						     : e->created_ns;
		all[i] = *e;
		all[i].created_ns = created;
		rc = store(io, backing_fd, all, i == n ? n + 1 : n);
	}
	pthread_mutex_unlock(&writing);
	rk_free(all);
	return rc;
}

int rk_registry_drop(const struct rk_io *io, int backing_fd, const char *id)
{
	struct rk_registry_entry *all =
		rk_calloc(RK_REGISTRY_MAX, sizeof(*all));
	int n, i, rc = -ENOMEM;

	pthread_mutex_lock(&writing);
	if (all && (rc = n = load(io, backing_fd, all)) > 0) {
		i = place(all, n, id);
		if (i < n) {
			all[i] = all[n - 1];
			rc = store(io, backing_fd, all, n - 1);
		}
	}
	pthread_mutex_unlock(&writing);
	rk_free(all);
	return rc < 0 ? rc : 0;
}
