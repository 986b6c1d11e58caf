/* SPDX-License-Identifier: MIT */
#include "index/answers/saved.h"
#include "index/state/internal.h"
#include "base/crc32c.h"
#include "base/status.h"
#include "base/mem.h"
#include "base/mp.h"
#include "base/lock.h"
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>

enum { VERSION = 1, BYTES_MAX = 64 << 20, CRC_BYTES = 5, TEXT_MAX = 4096 };
static const char MAGIC[] = "rankfs-saved";
static const char NAME[] = "saved.mp";

void rk_saved_init(struct rk_saved *s)
{
	memset(s, 0, sizeof(*s));
	pthread_mutex_init(&s->lock, NULL);
}

static void forget_marks(struct rk_saved_query *q)
{
	for (size_t i = 0; i < q->nmarks; i++)
		rk_free(q->marks[i].path);
	rk_free(q->marks);
	q->marks = NULL;
	q->nmarks = q->marks_cap = 0;
}

static void query_release(struct rk_saved_query *q)
{
	forget_marks(q);
	rk_free(q->name);
	rk_free(q->text);
}

static void forget_all(struct rk_saved *s)
{
	for (size_t i = 0; i < s->n; i++)
		query_release(&s->v[i]);
	rk_free(s->v);
	s->v = NULL;
	s->n = s->cap = 0;
}

void rk_saved_release(struct rk_saved *s)
{
	forget_all(s);
	pthread_mutex_destroy(&s->lock);
}

struct rk_saved *rk_saved_new(void)
{
	struct rk_saved *s = rk_calloc(1, sizeof(*s));

	if (s)
		rk_saved_init(s);
	return s;
}

void rk_saved_free(struct rk_saved *s)
{
	if (!s)
		return;
	rk_saved_release(s);
	rk_free(s);
}

/* --- in memory --- */

/* Where the name is, or would be. */
static size_t place(const struct rk_saved *s, const char *name, int *found)
{
	size_t lo = 0, hi = s->n;

	*found = 0;
	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		int c = strcmp(s->v[mid].name, name);

		if (c == 0) {
			*found = 1;
			return mid;
		}
		if (c < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

static struct rk_saved_query *find(struct rk_saved *s, const char *name)
{
	int found;
	size_t i = place(s, name, &found);

	return found ? &s->v[i] : NULL;
}

static int insert(struct rk_saved *s, const char *name, size_t name_n,
		  const char *text, size_t text_n)
{
	struct rk_saved_query q = {.name = rk_strndup(name, name_n),
				   .text = rk_strndup(text, text_n)};
	int found = 0;
	size_t i;

	if (!q.name || !q.text ||
	    rk_grow(&s->v, &s->cap, s->n + 1, sizeof(*s->v)) < 0) {
		query_release(&q);
		return -ENOMEM;
	}
	i = place(s, q.name, &found);
	if (found) {
		query_release(&q);
		return -EEXIST;
	}
	memmove(&s->v[i + 1], &s->v[i], (s->n - i) * sizeof(*s->v));
	s->v[i] = q;
	s->n++;
	return 0;
}

static void erase(struct rk_saved *s, size_t i)
{
	assert(i < s->n);
	query_release(&s->v[i]);
	s->n--;
	memmove(&s->v[i], &s->v[i + 1], (s->n - i) * sizeof(*s->v));
}

static int add_mark(struct rk_saved_query *q, const char *path, size_t n,
		    int mark)
{
	char *copy;

	if (q->nmarks == RK_SAVED_MARKS_MAX)
		return -ENOSPC;
	if (rk_grow(&q->marks, &q->marks_cap, q->nmarks + 1,
		    sizeof(*q->marks)) < 0 ||
	    !(copy = rk_strndup(path, n)))
		return -ENOMEM;
	q->marks[q->nmarks++] = (struct rk_saved_mark){copy, mark};
	return 0;
}

/* --- on disk --- */

void rk_saved_encode(const struct rk_saved *s, struct rk_buf *b)
{
	msgpack_packer pk;
	uint32_t crc;

	rk_mp_init(&pk, b);
	rk_mp_key(&pk, MAGIC);
	msgpack_pack_uint64(&pk, VERSION);
	msgpack_pack_array(&pk, s->n);
	for (size_t i = 0; i < s->n; i++) {
		const struct rk_saved_query *q = &s->v[i];

		msgpack_pack_array(&pk, 3);
		rk_mp_key(&pk, q->name);
		rk_mp_key(&pk, q->text);
		msgpack_pack_array(&pk, q->nmarks);
		for (size_t k = 0; k < q->nmarks; k++) {
			msgpack_pack_array(&pk, 2);
			rk_mp_key(&pk, q->marks[k].path);
			msgpack_pack_uint64(&pk, (uint64_t)q->marks[k].mark);
		}
	}
	crc = rk_crc32c(0, b->p, b->n);
	rk_buf_byte(b, 0xce);
	for (int shift = 24; shift >= 0; shift -= 8)
		rk_buf_byte(b, (uint8_t)(crc >> shift));
}

static int decode_marks(struct rk_mpr *r, struct rk_saved_query *q)
{
	uint32_t count = rk_mpr_array(r);
	int rc = 0;

	for (uint32_t i = 0; i < count && rc == 0 && !r->err; i++) {
		const char *path;
		uint64_t mark;
		size_t n;

		if (rk_mpr_array(r) != 2)
			return RK_ECORRUPT;
		path = rk_mpr_str(r, &n);
		mark = rk_mpr_uint(r);
		if (r->err || memchr(path, '\0', n) ||
		    mark > RK_FEEDBACK_DEMOTED)
			return RK_ECORRUPT;
		rc = add_mark(q, path, n, (int)mark);
	}
	return rc ? rc : r->err;
}

static int decode_query(struct rk_mpr *r, struct rk_saved *s)
{
	struct rk_saved_query q = {.name = NULL};
	const char *name, *text;
	size_t name_n, text_n;
	int rc;

	if (rk_mpr_array(r) != 3)
		return RK_ECORRUPT;
	name = rk_mpr_str(r, &name_n);
	text = rk_mpr_str(r, &text_n);
	if (r->err || name_n == 0 || memchr(name, '\0', name_n) ||
	    memchr(text, '\0', text_n))
		return RK_ECORRUPT;
	if ((rc = decode_marks(r, &q)) == 0 &&
	    (rc = insert(s, name, name_n, text, text_n)) == 0) {
		char *copy = rk_strndup(name, name_n);
		struct rk_saved_query *to = copy ? find(s, copy) : NULL;

		rk_free(copy);
		if (to) {
			to->marks = q.marks;
			to->nmarks = q.nmarks;
			to->marks_cap = q.marks_cap;
			return 0;
		}
		rc = -ENOMEM;
	}
	forget_marks(&q);
	return rc == -EEXIST ? RK_ECORRUPT : rc;
}

static int decode(struct rk_saved *s, const uint8_t *p, size_t n)
{
	struct rk_mpr r = {p, p + n - CRC_BYTES, 0};
	struct rk_mpr tail = {p + n - CRC_BYTES, p + n, 0};
	uint32_t count;
	uint64_t version;
	int rc = 0;

	if (n < CRC_BYTES)
		return RK_ECORRUPT;
	if (!rk_crc_ok(rk_crc32c(0, p, n - CRC_BYTES),
		       (uint32_t)rk_mpr_uint(&tail)) ||
	    tail.err || !rk_mpr_key(&r, MAGIC))
		return RK_ECORRUPT;
	version = rk_mpr_uint(&r);
	if (!r.err && version != VERSION)
		return rk_newer("saved.mp", version, 0);
	count = rk_mpr_array(&r);
	if (count > RK_SAVED_MAX)
		return RK_ECORRUPT;
	for (uint32_t i = 0; i < count && rc == 0 && !r.err; i++)
		rc = decode_query(&r, s);
	return rc ? rc : r.err;
}

int rk_saved_decode(struct rk_saved *s, const uint8_t *p, size_t n)
{
	int rc = n < CRC_BYTES ? RK_ECORRUPT : decode(s, p, n);

	if (rc < 0)
		forget_all(s);
	return rc;
}

int rk_saved_load(struct rk_index *ix)
{
	const struct rk_io *io = ix->env->io;
	struct rk_buf b = RK_BUF_INIT;
	int rc = rk_io_read_file(io, ix->dir_fd, NAME, BYTES_MAX, &b);

	if (rc == 0)
		rc = rk_saved_decode(ix->saved, b.p, b.n);
	rk_buf_release(&b);
	if (rc == -ENOENT)
		return 0;
	if (rc == RK_ECORRUPT && !(ix->flags & RK_READ_ONLY)) {
		rk_warn(&ix->warnings,
			"%s is damaged; it is kept as %s.damaged "
			"and no query is saved now",
			NAME, NAME);
		io->rename(io->ctx, ix->dir_fd, NAME, "saved.mp.damaged");
	}
	return rc == RK_ECORRUPT ? 0 : rc;
}

static int store(struct rk_index *ix)
{
	struct rk_buf b = RK_BUF_INIT;
	int rc;

	rk_assert_held(&ix->saved->lock);
	rk_saved_encode(ix->saved, &b);
	rc = b.err ? b.err
		   : rk_io_replace(ix->env->io, ix->dir_fd, NAME, b.p, b.n);
	rk_buf_release(&b);
	return rc;
}

/* Keep what has changed, or go back to what the file says. */
static int commit(struct rk_index *ix, int rc)
{
	rk_assert_held(&ix->saved->lock);
	if (rc == 0 && (rc = store(ix)) < 0) {
		forget_all(ix->saved);
		rk_saved_load(ix);
	}
	pthread_mutex_unlock(&ix->saved->lock);
	return rc;
}

static int begin(struct rk_index *ix)
{
	if (ix->flags & RK_READ_ONLY)
		return RK_EREADONLY;
	pthread_mutex_lock(&ix->saved->lock);
	return 0;
}

/* --- what the world calls --- */

/* Folders list these names: each must be one that a file can have. */
static int is_name(const char *s)
{
	return *s && !strchr(s, '/') && strcmp(s, ".") != 0 &&
	       strcmp(s, "..") != 0 && strlen(s) <= TEXT_MAX;
}

int rk_saved_put(struct rk_index *ix, const char *name, const char *text)
{
	struct rk_saved *s = ix->saved;
	int rc;

	if (!is_name(name) || strlen(text) > TEXT_MAX)
		return -EINVAL;
	if ((rc = begin(ix)) < 0)
		return rc;
	rc = s->n == RK_SAVED_MAX
		     ? -ENOSPC
		     : insert(s, name, strlen(name), text, strlen(text));
	return commit(ix, rc);
}

int rk_saved_drop(struct rk_index *ix, const char *name)
{
	int found, rc;
	size_t i;

	if ((rc = begin(ix)) < 0)
		return rc;
	i = place(ix->saved, name, &found);
	if (found)
		erase(ix->saved, i);
	return commit(ix, found ? 0 : -ENOENT);
}

int rk_saved_rename(struct rk_index *ix, const char *from, const char *to)
{
	struct rk_saved *s = ix->saved;
	struct rk_saved_query q;
	int found, rc;
	size_t i;
	char *name;

	if (!is_name(to))
		return -EINVAL;
	if ((rc = begin(ix)) < 0)
		return rc;
	i = place(s, from, &found);
	name = rk_strndup(to, strlen(to));
	if (!found || !name || strcmp(from, to) == 0) {
		rk_free(name);
		pthread_mutex_unlock(&s->lock);
		return !found ? -ENOENT : !name ? -ENOMEM : 0;
	}
	q = s->v[i];
	s->n--;
	memmove(&s->v[i], &s->v[i + 1], (s->n - i) * sizeof(*s->v));
	rk_free(q.name);
	q.name = name;
	i = place(s, to, &found);
	if (found)
		erase(s, i);
	memmove(&s->v[i + 1], &s->v[i], (s->n - i) * sizeof(*s->v));
	s->v[i] = q;
	s->n++;
	return commit(ix, 0);
}

int rk_saved_text(struct rk_index *ix, const char *name, struct rk_buf *out)
{
	const struct rk_saved_query *q;

	pthread_mutex_lock(&ix->saved->lock);
	q = find(ix->saved, name);
	if (q && out)
		rk_buf_str(out, q->text);
	pthread_mutex_unlock(&ix->saved->lock);
	return q != NULL;
}

void rk_saved_names(struct rk_index *ix, struct rk_buf *out)
{
	pthread_mutex_lock(&ix->saved->lock);
	for (size_t i = 0; i < ix->saved->n; i++)
		rk_buf_name(out, ix->saved->v[i].name);
	pthread_mutex_unlock(&ix->saved->lock);
}

int rk_saved_mark(struct rk_index *ix, const char *name, const char *path,
		  enum rk_feedback mark)
{
	struct rk_saved_query *q;
	int rc = begin(ix);

	if (rc < 0)
		return rc;
	if (!(q = find(ix->saved, name)))
		return commit(ix, -ENOENT);
	for (size_t i = 0; i < q->nmarks; i++) {
		if (strcmp(q->marks[i].path, path) != 0)
			continue;
		rk_free(q->marks[i].path);
		q->marks[i] = q->marks[--q->nmarks];
		break;
	}
	if (mark != RK_FEEDBACK_NONE)
		rc = add_mark(q, path, strlen(path), (int)mark);
	return commit(ix, rc);
}

int rk_saved_unmark(struct rk_index *ix, const char *name)
{
	struct rk_saved_query *q;
	int rc = begin(ix);

	if (rc < 0)
		return rc;
	if ((q = find(ix->saved, name)) != NULL)
		forget_marks(q);
	return commit(ix, q ? 0 : -ENOENT);
}

void rk_saved_marks(struct rk_index *ix, const char *name,
		    enum rk_feedback mark, struct rk_buf *out)
{
	const struct rk_saved_query *q;

	pthread_mutex_lock(&ix->saved->lock);
	q = find(ix->saved, name);
	for (size_t i = 0; q && i < q->nmarks; i++)
		if (q->marks[i].mark == (int)mark)
			rk_buf_name(out, q->marks[i].path);
	pthread_mutex_unlock(&ix->saved->lock);
}
