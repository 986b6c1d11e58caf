/* SPDX-License-Identifier: MIT */
/* Names that are texts, and those that programs look for everywhere. */
#include "fs/base/names.h"
#include "fs/base/caller.h"
#include <ctype.h>
#include <fnmatch.h>
#include <stdio.h>
#include <string.h>

#define VIM	"vim vi nvim gvim view vimdiff "
#define EMACS	"emacs* "
#define MAKE	"make gmake bmake ninja "
#define GO	"go gopls gofmt golangci-lint dlv "
#define RUST	"cargo rustc rust-analyzer rustup clippy-driver "
#define NODE	"node npm npx yarn pnpm bun deno esbuild code codium electron "
#define PYTHON	"python* pip* uv poetry pdm hatch tox ruff black pytest mypy "
#define DESKTOP "smbd nautilus nemo thunar dolphin pcmanfm* caja gvfs* wine* "

/*
 * What programs look for in every folder. A name that nobody asks for is never
 * a query; one that is a good question, too, is none to those programs alone.
 */
static const struct {
	const char *names;    /* patterns */
	const char *programs; /* patterns; NULL: whoever asks */
} PROBES[] = {
	{".git* .hg* .svn .bzr* .jj ._* .#* .*.sw? .*.sw?? .*.kate-swp "
	 ".~lock.* "
	 ".goutputstream-* .fuse_hidden* .nfs* .DS_Store .Trash* .directory "
	 ".hidden .xdg-volume-info .ignore .rgignore .fdignore .agignore "
	 ".rankfsignore .editorconfig .dir-locals*.el .projectile .project "
	 ".classpath .vscode .idea .env .env.* .envrc .venv .exrc .vimrc "
	 ".nvimrc .nvim.lua .lvimrc .clang-format .clang-tidy .clangd .ccls "
	 ".prettierrc* .prettierignore .eslintrc* .eslintignore .babelrc* "
	 ".npmrc .nvmrc .yarn* .node-version .python-version .ruby-version "
	 ".tool-versions .terraform .cargo .flake8 .pylintrc .coveragerc "
	 ".dockerignore .cvsignore",
	 NULL},
	{"#*# *,v _darcs _MTN", NULL},
	{"4913", VIM},
	{"tags TAGS", VIM EMACS "ctags* etags* global gtags nano"},
	{"RCS SCCS CVS s.* p.*", MAKE EMACS "cvs ci co rcs*"},
	{"Makefile makefile GNUmakefile", MAKE},
	{"HEAD", "git*"},
	{"package.json node_modules", NODE},
	{"Cargo.toml", RUST},
	{"go.mod go.work", GO},
	{"pyproject.toml setup.py setup.cfg", PYTHON},
	{"Thumbs.db desktop.ini autorun.inf", DESKTOP},
};
/* Does one of the patterns, with blanks between, match the name? */
static int one_matches(const char *patterns, const char *name)
{
	char pattern[64];

	while (*patterns) {
		size_t n = strcspn(patterns, " ");

		snprintf(pattern, sizeof(pattern), "%.*s", (int)n, patterns);
		if (fnmatch(pattern, name, 0) == 0)
			return 1;
		patterns += n + strspn(patterns + n, " ");
	}
	return 0;
}

/* What programs make beside a file: a blank is in it only if it was before. */
static int is_temporary(const char *name)
{
	size_t n = strlen(name);

	if (n > 1 && name[n - 1] == '~')
		return name[n - 2] != ' ';
	return !strchr(name, ' ') && one_matches("*.sw[a-p] *.tmp", name);
}

/* NULL: nobody asks for the name in earnest; "": it is a question. */
static const char *who_probes(const char *name)
{
	if (*name == '=')
		return "";
	if (is_temporary(name))
		return NULL;
	for (size_t i = 0; i < sizeof(PROBES) / sizeof(PROBES[0]); i++)
		if (one_matches(PROBES[i].names, name))
			return PROBES[i].programs;
	return "";
}

int fs_may_be_probe(const char *name)
{
	const char *programs = who_probes(name);

	return !programs || *programs;
}

int fs_is_probe(const char *name, pid_t pid)
{
	const char *programs = who_probes(name);
	char comm[32];

	if (!programs || !*programs)
		return !programs;
	for (int leader = 0; leader < 2; leader++) {
		fs_caller_name(pid, leader, comm, sizeof(comm));
		if (*comm && one_matches(programs, comm))
			return 1;
	}
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
	if (*text == '=' || fs_may_be_probe(text) ||
	    strcmp(text, "README") == 0)
		rk_buf_byte(out, '=');
	for (; *text && *text != 1; text++) {
		if (*text == '/' || *text == '\n' || *text == '%')
			rk_buf_printf(out, "%%%02X", (unsigned)*text);
		else
			rk_buf_byte(out, (uint8_t)*text);
	}
}
