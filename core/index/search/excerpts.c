/* SPDX-License-Identifier: MIT */
/* The excerpts of an answer, read from the documents as they are now. */
#include "index/search/excerpts.h"
#include "index/documents/links.h"
#include "index/documents/texts.h"
#include "index/search/excerpt.h"
#include <assert.h>
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int unchanged(const struct rk_hit *h, const struct stat *st)
{
	return h->size == (uint64_t)st->st_size &&
	       h->mtime_ns == (int64_t)st->st_mtim.tv_sec * 1000000000 +
				      st->st_mtim.tv_nsec;
}

static int keep_excerpt(struct rk_answer *a, struct rk_hit *h,
			const struct rk_excerpt *e)
{
	size_t bytes = e->nmarks * sizeof(*e->marks);
	size_t line_bytes = e->nlines * sizeof(*e->lines);
	struct rk_mark *marks = rk_arena_alloc(&a->arena, bytes + 1);
	uint32_t *lines = rk_arena_alloc(&a->arena, line_bytes + 1);

	h->excerpt = rk_arena_strndup(&a->arena, (char *)e->text.p, e->text.n);
	if (!marks || !lines || !h->excerpt)
		return -ENOMEM;
	if (bytes)
		memcpy(marks, e->marks, bytes);
	if (line_bytes)
		memcpy(lines, e->lines, line_bytes);
	h->lines = lines;
	h->nlines = e->nlines;
	h->marks = marks;
	h->nmarks = e->nmarks;
	h->line = h->excerpt_line ? h->excerpt_line : e->best_line;
	h->excerpt_line = e->first_line;
	h->complete = e->complete;
	return 0;
}

static int read_excerpt(struct rk_searching *s, struct rk_answer *a,
			struct rk_hit *h, int fd)
{
	struct rk_excerpt e = RK_EXCERPT_INIT;
	struct rk_text t = RK_TEXT_INIT;
	struct rk_excerpt_want want = {
		.first = h->first,
		.must_show = h->excerpt_line,
		.whole = h->complete,
		.lines = s->q.format == RK_AS_PACK
				 ? RK_LINES_ALL
				 : (unsigned)rk_config_int(s->ix,
							   "excerpt_lines"),
		.squeeze = strcmp(h->kind, "html") == 0,
	};
	int rc = rk_read_range(s->ix, fd, h->path, h->off, (size_t)h->len, &t);

	if (rc == 0)
		rc = rk_analyser_use(s->a, rk_language_by_name(h->language));
	if (rc == 0)
		rc = rk_excerpt_make(&e, s->a, &s->q, t.p, t.n, &want);
	if (rc == 0)
		rc = keep_excerpt(a, h, &e);
	if (rk_analyser_use(s->a, RK_LANGUAGE_BASE) < 0)
		rc = -ENOMEM;
	rk_excerpt_release(&e);
	rk_text_release(&t);
	return rc == -ENOMEM ? rc : 0;
}

/* Its source is not there now: it is named, without an excerpt. */
static int is_missing(struct rk_searching *s, const char *path)
{
	if (rk_link_there(s->ix, path))
		return 0;
	if (!s->told_missing)
		rk_buf_printf(&s->q.notes, "source %.*s is missing now\n",
			      (int)strcspn(path, "/"), path);
	s->told_missing = 1;
	return 1;
}

int rk_add_excerpts(struct rk_searching *s, struct rk_answer *a)
{
	size_t kept = 0;
	int rc = 0;

	assert(s->nsrc == 0); /* no table is kept from writers */
	for (size_t i = 0; i < a->r.nhits && rc == 0; i++) {
		struct rk_hit *h = &a->r.hits[i];
		int fd = rk_open_document(s->ix, h->path);
		struct stat st;

		if ((fd == -ENOENT || fd == -ENOTDIR || fd == -ELOOP) &&
		    !is_missing(s, h->path) && !s->ix->at)
			continue;
		/* without text, extracting again would not find any either */
		if (fd >= 0 && h->len > 0 && fstat(fd, &st) == 0 &&
		    unchanged(h, &st)) {
			rc = read_excerpt(s, a, h, fd);
		} else {
			h->complete = h->size == 0;
			h->excerpt_line = h->first;
		}
		if (fd >= 0)
			close(fd);
		a->r.hits[kept++] = *h;
	}
	a->r.nhits = kept;
	return rc;
}
