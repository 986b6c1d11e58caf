/* SPDX-License-Identifier: MIT */
#include "text/extract/kind.h"
#include <ctype.h>
#include <stddef.h>
#include <string.h>
#include <strings.h>

/* Extensions of programming languages, separated by blanks. */
static const struct language {
	const char *name, *ext;
} LANGUAGES[] = {
	{"c", "c h inl"},
	{"c++", "cc cpp cxx c++ hh hpp hxx h++ ipp tpp ino"},
	{"cuda", "cu cuh"},
	{"objectivec", "m mm"},
	{"rust", "rs"},
	{"go", "go"},
	{"java", "java"},
	{"kotlin", "kt kts"},
	{"scala", "scala sc"},
	{"csharp", "cs"},
	{"fsharp", "fs fsx"},
	{"swift", "swift"},
	{"javascript", "js mjs cjs jsx"},
	{"typescript", "ts tsx mts cts"},
	{"vue", "vue svelte astro"},
	{"python", "py pyi pyx"},
	{"ruby", "rb rake gemspec"},
	{"perl", "pl pm t"},
	{"php", "php phtml"},
	{"lua", "lua"},
	{"tcl", "tcl tk"},
	{"sh", "sh bash zsh ksh fish bats"},
	{"powershell", "ps1 psm1"},
	{"sql", "sql"},
	{"r", "r"},
	{"julia", "jl"},
	{"haskell", "hs lhs"},
	{"ocaml", "ml mli"},
	{"elixir", "ex exs"},
	{"erlang", "erl hrl"},
	{"clojure", "clj cljs cljc edn"},
	{"lisp", "el lisp lsp cl"},
	{"scheme", "scm ss rkt"},
	{"vim", "vim"},
	{"asm", "s asm"},
	{"d", "d"},
	{"zig", "zig"},
	{"nim", "nim"},
	{"pascal", "pas pp"},
	{"fortran", "f f77 f90 f95 f03"},
	{"verilog", "v sv svh vh"},
	{"vhdl", "vhd vhdl"},
	{"protobuf", "proto"},
	{"cmake", "cmake"},
	{"make", "mk mak"},
	{"yacc", "y yy"},
	{"lex", "l ll"},
	{"devicetree", "dts dtsi"},
	{"css", "css scss sass less"},
	{"groovy", "groovy gradle jenkinsfile"},
	{"dart", "dart"},
	{"awk", "awk"},
	{"ada", "adb ads"},
	{"terraform", "tf tfvars hcl"},
	{"solidity", "sol"},
	{"crystal", "cr"},
	{"graphql", "graphql gql"},
	{"nix", "nix"},
	{"haxe", "hx"},
	{"elm", "elm"},
	{"glsl", "glsl vert frag comp hlsl wgsl metal"},
	{"opencl", "opencl"},
	{"starlark", "bzl star"},
	{"meson", ""},
	{"dockerfile", "dockerfile containerfile"},
};

/* Whole names. */
static const struct language NAMED[] = {
	{"make", "Makefile GNUmakefile BSDmakefile Kbuild"},
	{"cmake", "CMakeLists.txt"},
	{"ruby", "Rakefile Gemfile Vagrantfile Podfile Brewfile"},
	{"groovy", "Jenkinsfile"},
	{"meson", "meson.build meson_options.txt"},
	{"dockerfile", "Dockerfile Containerfile"},
	{"starlark", "BUILD.bazel WORKSPACE.bazel"},
};

/* Programs that run scripts, without the digits of their versions. */
static const struct language INTERPRETERS[] = {
	{"py", "python pypy"},
	{"sh", "sh bash dash ash zsh ksh bats"},
	{"fish", "fish"},
	{"pl", "perl"},
	{"rb", "ruby"},
	{"js", "node nodejs deno bun"},
	{"php", "php"},
	{"lua", "lua luajit"},
	{"tcl", "tclsh wish expect"},
	{"awk", "awk gawk mawk"},
	{"r", "Rscript"},
	{"exs", "elixir"},
	{"jl", "julia"},
	{"ps1", "pwsh"},
	{"scm", "guile"},
	{"mk", "make"},
};

static const struct {
	enum rk_kind kind;
	const char *name, *ext;
} KINDS[] = {
	{RK_KIND_TEXT, "text", ""},
	{RK_KIND_MARKDOWN, "markdown", "md markdown mdown mkd mdx rmd qmd"},
	{RK_KIND_CODE, "code", ""},
	{RK_KIND_MAN, "man", ""},
	{RK_KIND_BINARY, "binary", ""},
	{RK_KIND_ASCIIDOC, "asciidoc", "adoc asciidoc asc"},
	{RK_KIND_RST, "rst", "rst rest"},
	{RK_KIND_ORG, "org", "org"},
	{RK_KIND_MAIL, "mail", "eml mbox mbx"},
	{RK_KIND_JSONL, "jsonl", "jsonl ndjson"},
	{RK_KIND_TABLE, "table", "csv tsv"},
	{RK_KIND_LOG, "log", "log"},
	{RK_KIND_PAGES, "pages", ""},
	{RK_KIND_HTML, "html", "html htm xhtml"},
};
_Static_assert(sizeof(KINDS) / sizeof(KINDS[0]) == RK_KINDS, "one row each");

static int one_of(const char *ext, size_t n, const char *list)
{
	while (*list) {
		size_t k = strcspn(list, " ");

		if (k == n && strncasecmp(ext, list, n) == 0)
			return 1;
		list += k + (list[k] == ' ');
	}
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

enum rk_packing rk_packing_of_name(const char *name, size_t *inner_n)
{
	static const char *const SUFFIX[RK_PACKINGS] = {"", ".gz", ".xz",
							".zst", ".bz2"};

	*inner_n = strlen(name);
	for (int i = RK_PACKED_NOT + 1; i < RK_PACKINGS; i++) {
		size_t n = strlen(SUFFIX[i]);

		if (*inner_n > n &&
		    strcasecmp(name + *inner_n - n, SUFFIX[i]) == 0) {
			*inner_n -= n;
			return (enum rk_packing)i;
		}
	}
	return RK_PACKED_NOT;
}

/* The last component without a suffix of compression. */
static const char *base_name(const char *path, size_t *n)
{
	const char *base = strrchr(path, '/');

	base = base ? base + 1 : path;
	rk_packing_of_name(base, n);
	return base;
}

static const char *extension(const char *base, size_t n, size_t *ext_n)
{
	const char *dot = memrchr(base, '.', n);

	*ext_n = 0;
	if (!dot || dot == base)
		return NULL;
	*ext_n = (size_t)(base + n - dot) - 1;
	return dot + 1;
}

const char *rk_language_of_path(const char *path)
{
	size_t n, k;
	const char *base = base_name(path, &n);
	const char *ext = extension(base, n, &k);

	for (size_t i = 0; i < sizeof(NAMED) / sizeof(NAMED[0]); i++)
		if (one_of(base, n, NAMED[i].ext))
			return NAMED[i].name;
	if (!ext)
		return "";
	for (size_t i = 0; i < sizeof(LANGUAGES) / sizeof(LANGUAGES[0]); i++)
		if (one_of(ext, k, LANGUAGES[i].ext))
			return LANGUAGES[i].name;
	return "";
}

static const char *interpreter(const char *s, size_t n)
{
	while (n && (isdigit((unsigned char)s[n - 1]) || s[n - 1] == '.'))
		n--;
	for (size_t i = 0; i < sizeof(INTERPRETERS) / sizeof(INTERPRETERS[0]);
	     i++)
		if (n && one_of(s, n, INTERPRETERS[i].ext))
			return INTERPRETERS[i].name;
	return "";
}

const char *rk_script_extension(const char *s, size_t n)
{
	const char *nl = memchr(s, '\n', n), *end = nl ? nl : s + n;

	if (n < 3 || memcmp(s, "#!", 2) != 0)
		return "";
	for (s += 2; s < end;) { /* env and its options come first */
		const char *word = s, *slash;

		while (s < end && !isspace((unsigned char)*s))
			s++;
		slash = memrchr(word, '/', (size_t)(s - word));
		word = slash ? slash + 1 : word;
		if (s > word && *word != '-' &&
		    !memchr(word, '=', (size_t)(s - word)) &&
		    !(s - word == 3 && memcmp(word, "env", 3) == 0))
			return interpreter(word, (size_t)(s - word));
		while (s < end && isspace((unsigned char)*s))
			s++;
	}
	return "";
}

enum rk_kind rk_kind_of_path(const char *path)
{
	size_t n, k;
	const char *base = base_name(path, &n);
	const char *ext = extension(base, n, &k);

	if (*rk_language_of_path(path))
		return RK_KIND_CODE;
	if (one_of(base, n, "mbox"))
		return RK_KIND_MAIL;
	if (one_of(base, n, "syslog dmesg"))
		return RK_KIND_LOG;
	if (!ext)
		return RK_KIND_TEXT;
	for (size_t i = 0; i < RK_KINDS; i++)
		if (one_of(ext, k, KINDS[i].ext))
			return KINDS[i].kind;
	return manual_section(ext, k) ? RK_KIND_MAN : RK_KIND_TEXT;
}

const char *rk_kind_name(enum rk_kind kind)
{
	return (unsigned)kind < RK_KINDS ? KINDS[kind].name : "text";
}

int rk_kind_known(const char *name, size_t n)
{
	for (size_t i = 0; i < RK_KINDS; i++)
		if (strlen(KINDS[i].name) == n &&
		    strncasecmp(KINDS[i].name, name, n) == 0)
			return 1;
	return 0;
}

int rk_language_known(const char *name, size_t n)
{
	for (size_t i = 0; i < sizeof(LANGUAGES) / sizeof(LANGUAGES[0]); i++)
		if (strlen(LANGUAGES[i].name) == n &&
		    strncasecmp(LANGUAGES[i].name, name, n) == 0)
			return 1;
	return 0;
}
