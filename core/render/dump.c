/* SPDX-License-Identifier: MIT */
#include "render/dump.h"
#include "base/buf.h"
#include <errno.h>
#include <stdlib.h>

void rk_dump_json(json_t *o, size_t flags, struct rk_buf *out)
{
	char *s = json_dumps(o, flags | JSON_REAL_PRECISION(6));

	if (s) {
		rk_buf_str(out, s);
		rk_buf_byte(out, '\n');
	} else {
		out->err = -ENOMEM;
	}
	free(s);
	json_decref(o);
}
