/* SPDX-License-Identifier: MIT */
/* Names that are texts, and those that programs look for everywhere. */
#include "fs/base/names.h"
#include <ctype.h>
#include <fnmatch.h>
#include <string.h>

static const char *const PROBES[] = {".*",	     "#*#",
				     "*~",	     "*,v",
				     "*.sw[a-p]",    "RCS",
				     "SCCS",	     "CVS",
				     "_darcs",	     "_MTN",
				     "HEAD",	     "4913",
				     "Makefile",     "makefile",
				     "GNUmakefile",  "s.*",
				     "p.*",	     "package.json",
				     "node_modules", "Cargo.toml",
				     "go.mod",	     "pyproject.toml",
				     "setup.py",     "tags",
				     "TAGS",	     "Thumbs.db",
				     "desktop.ini",  "autorun.inf",
				     "*.tmp",	     NULL};

int fs_is_probe(const char *name)
{
	if (*name == '=')
		return 0;
	for (const char *const *p = PROBES; *p; p++)
		if (fnmatch(*p, name, 0) == 0)
			return 1;
	return 0;
}

size_t fs_decode_name(const char *name, char *out)
{
	static const struct {
		const char *code;
		char c;
	} CODES[] = {{"2F", '/'}, {"0A", '\n'}, {"25", '%'}};
	size_t n = 0;

	if (*name == '=')
		name++;
	while (*name) {
		size_t k = 3;

		if (*name == '%')
			for (k = 0; k < 3; k++)
				if (strncasecmp(name + 1, CODES[k].code, 2) ==
				    0)
					break;
		if (k < 3) {
			out[n++] = CODES[k].c;
			name += 3;
		} else {
			out[n++] = *name++;
		}
	}
	while (n > 0 && isspace((unsigned char)out[n - 1]))
		n--;
	out[n] = '\0';
	return n;
}

void fs_encode_name(const char *text, struct rk_buf *out)
{
	if (*text == '=' || fs_is_probe(text) || strcmp(text, "README") == 0)
		rk_buf_byte(out, '=');
	for (; *text && *text != 1; text++) {
		if (*text == '/' || *text == '\n' || *text == '%')
			rk_buf_printf(out, "%%%02X", (unsigned)*text);
		else
			rk_buf_byte(out, (uint8_t)*text);
	}
}
