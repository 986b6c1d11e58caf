/* SPDX-License-Identifier: MIT */
#include "storage/footer.h"
#include <assert.h>
#include <string.h>

void rk_footer_add(struct rk_footer *f, const char *key, uint64_t value)
{
	assert(f->n < RK_FOOTER_MAX);
	f->key[f->n] = key;
	f->value[f->n++] = value;
}

int rk_footer_finish(const struct rk_footer *f, struct rk_container_writer *w)
{
	struct rk_buf meta = RK_BUF_INIT;
	uint64_t size;
	int rc;

	rk_mp_map(&meta, f->n);
	for (unsigned i = 0; i < f->n; i++) {
		rk_mp_key(&meta, f->key[i]);
		rk_mp_uint(&meta, f->value[i]);
	}
	rc = meta.err;
	if (rc == 0)
		rc = rk_cw_finish(w, &meta, &size);
	else
		rk_cw_abort(w);
	rk_buf_release(&meta);
	return rc;
}

uint64_t rk_footer_get(const struct rk_container *c, const char *key)
{
	struct rk_mpr r = rk_container_meta(c);

	for (uint32_t pairs = rk_mpr_map(&r); pairs && !r.err; pairs--) {
		if (rk_mpr_key(&r, key))
			return rk_mpr_uint(&r);
		rk_mpr_skip(&r);
	}
	return 0;
}

void rk_cw_section(struct rk_container_writer *w, const char *name,
		   const void *p, size_t n)
{
	rk_cw_begin(w, name);
	rk_cw_add(w, p, n);
	rk_cw_end(w);
}

const void *rk_section_whole(struct rk_container *c, const char *name,
			     uint64_t n)
{
	int s = rk_container_section(c, name);

	return s >= 0 && rk_section_len(c, s) == n ? rk_section_at(c, s, 0, n)
						   : NULL;
}
