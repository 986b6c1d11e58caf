/* SPDX-License-Identifier: MIT */
#include "text/kind.h"
#include <ctype.h>
#include <stddef.h>
#include <string.h>
#include <strings.h>

static const char *const MARKDOWN_EXT[] = {"md",  "markdown", "mdown", "mkd",
					   "mdx", "rmd",      NULL};
static const char *const CODE_EXT[] = {
	"c",	 "h",	  "cc",	   "cpp",   "cxx",  "hh",   "hpp",  "hxx",
	"inl",	 "m",	  "mm",	   "rs",    "go",   "java", "kt",   "kts",
	"scala", "cs",	  "fs",	   "swift", "js",   "mjs",  "cjs",  "jsx",
	"ts",	 "tsx",	  "vue",   "py",    "pyi",  "rb",   "pl",   "pm",
	"php",	 "lua",	  "tcl",   "sh",    "bash", "zsh",  "fish", "ps1",
	"sql",	 "r",	  "jl",	   "hs",    "ml",   "mli",  "ex",   "exs",
	"erl",	 "clj",	  "el",	   "lisp",  "scm",  "vim",  "s",    "asm",
	"d",	 "zig",	  "nim",   "pas",   "f",    "f90",  "v",    "sv",
	"vhd",	 "proto", "cmake", "mk",    "y",    "l",    "dts",  "css",
	"scss",	 NULL};

static int one_of(const char *ext, size_t n, const char *const *list)
{
	for (; *list; list++)
		if (strlen(*list) == n && strncasecmp(ext, *list, n) == 0)
			return 1;
	return 0;
}

/* name.1 to name.9, with an optional letter as in name.3pm */
static int manual_section(const char *ext, size_t n)
{
	if (n < 1 || n > 5 || ext[0] < '1' || ext[0] > '9')
		return 0;
	for (size_t i = 1; i < n; i++)
		if (!islower((unsigned char)ext[i]))
			return 0;
	return 1;
}

enum rk_kind rk_kind_of_path(const char *path)
{
	const char *base = strrchr(path, '/');
	const char *dot;
	size_t n;

	base = base ? base + 1 : path;
	n = strlen(base);
	if (n > 3 && strcasecmp(base + n - 3, ".gz") == 0)
		n -= 3;
	if (n == 8 && strncmp(base, "Makefile", 8) == 0)
		return RK_KIND_CODE;
	dot = memrchr(base, '.', n);
	if (!dot || dot == base)
		return RK_KIND_TEXT;
	n = (size_t)(base + n - dot) - 1;
	if (one_of(dot + 1, n, MARKDOWN_EXT))
		return RK_KIND_MARKDOWN;
	if (one_of(dot + 1, n, CODE_EXT))
		return RK_KIND_CODE;
	return manual_section(dot + 1, n) ? RK_KIND_MAN : RK_KIND_TEXT;
}

const char *rk_kind_name(enum rk_kind kind)
{
	static const char *const NAME[] = {"text", "markdown", "code", "man",
					   "binary"};

	return (unsigned)kind < 5 ? NAME[kind] : "text";
}
