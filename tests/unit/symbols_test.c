/* SPDX-License-Identifier: MIT */
/* What ctags says of source code, and what is made of it. */
#include "text/symbols/ctags.h"
#include "text/symbols/ends.h"
#include "unit/t.h"

/* "name/kind:line-end ..." */
static char *described(struct rk_ctags *c, const char *path, const char *s)
{
	struct rk_entities e = RK_ENTITIES_INIT;
	struct rk_buf b = RK_BUF_INIT;

	CHECK_INT(rk_ctags_run(c, path, s, strlen(s), &e), 0);
	for (size_t i = 0; i < e.n; i++)
		rk_buf_printf(&b, "%s%s/%s:%u-%u", i ? " " : "", e.v[i].name,
			      e.v[i].kind, e.v[i].line, e.v[i].end);
	rk_buf_byte(&b, 0);
	rk_entities_release(&e);
	return (char *)b.p;
}

static void definitions_end_where_their_body_does(void)
{
	static const struct {
		const char *path, *text, *want;
	} ROWS[] = {
		{"a.clj",
		 "(defn add [a b]\n"
		 "  (+ a b))\n",
		 "add/function:1-2"},
		{"a.dart",
		 "class Box {\n"
		 "  int get(int x) {\n"
		 "    return x;\n"
		 "  }\n"
		 "}\n"
		 "void main() {\n"
		 "  print(1);\n"
		 "}\n",
		 "Box/class:1-5 get/function:2-4 main/function:6-8"},
		{"a.ex",
		 "defmodule App.User do\n"
		 "  def name(u) do\n"
		 "    if u do\n"
		 "      u.name\n"
		 "    end\n"
		 "  end\n"
		 "\n"
		 "  defp secret(x), do: x\n"
		 "  defmacro mac(x) do\n"
		 "    x\n"
		 "  end\n"
		 "end\n",
		 "User/module:1-12 name/function:2-6 secret/function:8-8 "
		 "mac/macro:9-11"},
		{"a.go",
		 "package main\n"
		 "\n"
		 "func Map[T, U any](xs []T, f func(T) U) []U {\n"
		 "\tvar out []U\n"
		 "\treturn out\n"
		 "}\n"
		 "\n"
		 "func (s *Server) Run() error {\n"
		 "\treturn nil\n"
		 "}\n"
		 "\n"
		 "type Server struct {\n"
		 "\tname string\n"
		 "}\n"
		 "type Doer interface {\n"
		 "\tDo()\n"
		 "}\n"
		 "func plain() {\n"
		 "\tx := `}`\n"
		 "}\n",
		 "main/package:1-1 Map/func:3-6 Run/func:8-10 "
		 "Server/struct:12-14 name/member:13-13 Doer/interface:15-17 "
		 "Do/methodSpec:16-16 plain/func:18-20"},
		{"a.groovy",
		 "class A {\n"
		 "  def run(x) {\n"
		 "    x\n"
		 "  }\n"
		 "}\n",
		 "A/class:1-5 run/function:2-4"},
		{"a.jl",
		 "function add(a, b)\n"
		 "    a + b\n"
		 "end\n"
		 "struct P\n"
		 "    x\n"
		 "end\n",
		 "add/function:1-3 P/struct:4-6 x/field:6-6"},
		{"a.js",
		 "/** Adds. */\n"
		 "function add(a, b) {\n"
		 "\tconst s = \"}\";\n"
		 "\treturn a + b; // }\n"
		 "}\n"
		 "\n"
		 "const mul = (a, b) => {\n"
		 "\treturn a * b;\n"
		 "};\n"
		 "\n"
		 "class Box {\n"
		 "\tconstructor(x) {\n"
		 "\t\tthis.x = x;\n"
		 "\t}\n"
		 "\tget(k) {\n"
		 "\t\treturn `${k}}`;\n"
		 "\t}\n"
		 "\tstatic make() { return new Box(/}/); }\n"
		 "}\n"
		 "\n"
		 "export async function load(url) {\n"
		 "\tif (url) {\n"
		 "\t\tawait fetch(url);\n"
		 "\t}\n"
		 "}\n"
		 "var obj = {\n"
		 "\trun: function () {\n"
		 "\t\treturn 1;\n"
		 "\t},\n"
		 "\tstop() {\n"
		 "\t\treturn 2;\n"
		 "\t}\n"
		 "};\n",
		 "add/function:2-5 mul/function:7-9 Box/class:11-19 "
		 "constructor/method:12-14 get/method:15-17 "
		 "load/function:21-25 obj/class:26-33 run/method:27-29 "
		 "stop/method:30-32"},
		{"a.kt",
		 "package a\n"
		 "class Repo(val x: Int) {\n"
		 "    fun load(id: Int): String {\n"
		 "        return \"$id}\"\n"
		 "    }\n"
		 "}\n"
		 "fun top(x: Int): Int {\n"
		 "    return x\n"
		 "}\n"
		 "object Single {\n"
		 "    fun go() = 1\n"
		 "}\n"
		 "data class P(val a: Int)\n",
		 "a/package:1-1 Repo/class:2-6 x/constant:2-2 load/method:3-5 "
		 "top/method:7-9 Single/object:10-12 go/method:11-11 "
		 "P/class:13-13 a/constant:13-13"},
		{"a.lua",
		 "local function inner(x)\n"
		 "  if x then\n"
		 "    return 1\n"
		 "  end\n"
		 "  for i = 1, 2 do\n"
		 "    print(i)\n"
		 "  end\n"
		 "end\n"
		 "function M.run(a)\n"
		 "  return a\n"
		 "end\n"
		 "local t = function()\n"
		 "  return 2\n"
		 "end\n",
		 "inner/function:1-8 M.run/function:9-11 t/function:12-14"},
		{"a.nim",
		 "proc add(a, b: int): int =\n"
		 "  a + b\n"
		 "type P = object\n"
		 "  x: int\n",
		 "add/function:1-2 P/type:3-4"},
		{"a.php",
		 "<?php\n"
		 "namespace App;\n"
		 "class User {\n"
		 "    public function name() {\n"
		 "        return \"}\";\n"
		 "    }\n"
		 "}\n"
		 "function helper($x) {\n"
		 "    return $x;\n"
		 "}\n"
		 "interface Can { }\n"
		 "trait T1 {\n"
		 "    function t() {\n"
		 "    }\n"
		 "}\n",
		 "App/namespace:2-2 User/class:3-7 name/function:4-6 "
		 "helper/function:8-10 Can/interface:11-11 T1/trait:12-15 "
		 "t/function:13-14"},
		{"a.pl",
		 "package Foo::Bar;\n"
		 "sub new {\n"
		 "    my ($c) = @_;\n"
		 "    return bless {}, $c;\n"
		 "}\n"
		 "sub run { return 1 }\n",
		 "Foo::Bar/package:1-1 new/subroutine:2-5 run/subroutine:6-6"},
		{"a.ps1",
		 "function Get-Thing {\n"
		 "    param($x)\n"
		 "    $x\n"
		 "}\n",
		 "Get-Thing/function:1-4"},
		{"a.py",
		 "class A:\n"
		 "    def m(self):\n"
		 "        return 1\n"
		 "\n"
		 "def f(x):\n"
		 "    return x\n",
		 "A/class:1-3 m/method:2-3 f/function:5-6"},
		{"a.r",
		 "add <- function(a, b) {\n"
		 "  a + b\n"
		 "}\n",
		 "add/function:1-3"},
		{"a.rb",
		 "module M\n"
		 "  class A\n"
		 "    def self.make\n"
		 "      1\n"
		 "    end\n"
		 "    def run\n"
		 "      2\n"
		 "    end\n"
		 "  end\n"
		 "end\n",
		 "M/module:1-10 A/class:2-9 make/singletonMethod:3-5 "
		 "run/method:6-8"},
		{"a.rs",
		 "pub struct Point {\n"
		 "    x: i32,\n"
		 "}\n"
		 "\n"
		 "impl Point {\n"
		 "    /// new\n"
		 "    pub fn new(x: i32) -> Self {\n"
		 "        let c = '}';\n"
		 "        Point { x }\n"
		 "    }\n"
		 "}\n"
		 "trait Draw {\n"
		 "    fn draw(&self);\n"
		 "}\n"
		 "fn life<'a>(s: &'a str) -> &'a str {\n"
		 "    s\n"
		 "}\n"
		 "enum E { A, B }\n"
		 "macro_rules! my {\n"
		 "    () => {};\n"
		 "}\n"
		 "mod inner {\n"
		 "    fn deep() {\n"
		 "    }\n"
		 "}\n",
		 "Point/struct:1-3 x/field:2-2 Point/implementation:5-11 "
		 "new/method:7-10 Draw/interface:12-14 draw/method:13-13 "
		 "life/function:15-17 A/enumerator:18-18 B/enumerator:18-18 "
		 "E/enum:18-18 my/macro:19-21 inner/module:22-25 "
		 "deep/function:23-24"},
		{"a.scala",
		 "object Main {\n"
		 "  def run(x: Int): Int = {\n"
		 "    x\n"
		 "  }\n"
		 "}\n"
		 "class B\n"
		 "trait C\n",
		 "Main/object:1-5 run/function:2-4 B/class:6-6 C/trait:7-7"},
		{"a.sh",
		 "#!/bin/sh\n"
		 "deploy() {\n"
		 "\techo \"}\"\n"
		 "}\n"
		 "function build {\n"
		 "\tif true; then\n"
		 "\t\techo\n"
		 "\tfi\n"
		 "}\n",
		 "deploy/function:2-4 build/function:5-9"},
		{"a.sol",
		 "contract Token {\n"
		 "    event Sent(address a);\n"
		 "    struct Item { uint x; }\n"
		 "    modifier onlyOwner() {\n"
		 "        _;\n"
		 "    }\n"
		 "    function send(address to) public {\n"
		 "        emit Sent(to);\n"
		 "    }\n"
		 "}\n"
		 "interface IToken { }\n"
		 "library Lib { }\n",
		 "Token/contract:1-10 Sent/event:2-2 Item/struct:3-3 "
		 "onlyOwner/modifier:4-6 send/function:7-9 "
		 "IToken/interface:11-11 Lib/library:12-12"},
		{"a.swift",
		 "import Foundation\n"
		 "struct Point { var x: Int }\n"
		 "class View: UIView {\n"
		 "    func layout(_ x: Int) -> Int {\n"
		 "        return x\n"
		 "    }\n"
		 "    init() {\n"
		 "    }\n"
		 "}\n"
		 "enum Dir { case up }\n"
		 "protocol Draw {\n"
		 "    func draw()\n"
		 "}\n"
		 "extension View {\n"
		 "    func more() {\n"
		 "    }\n"
		 "}\n"
		 "func top() {\n"
		 "}\n",
		 "Point/struct:2-2 View/class:3-9 layout/function:4-6 "
		 "init/function:7-8 Dir/enum:10-10 Draw/protocol:11-13 "
		 "draw/function:12-12 View/extension:14-17 more/function:15-16 "
		 "top/function:18-19"},
		{"a.tf",
		 "resource \"aws_instance\" \"web\" {\n"
		 "  ami = \"x\"\n"
		 "}\n"
		 "variable \"region\" {\n"
		 "  default = \"eu\"\n"
		 "}\n"
		 "module \"vpc\" {\n"
		 "  source = \"./vpc\"\n"
		 "}\n"
		 "output \"ip\" {\n"
		 "  value = 1\n"
		 "}\n",
		 "web/resource:1-3 region/variable:4-6 vpc/module:7-9 "
		 "ip/output:10-12"},
		{"a.ts",
		 "export interface Shape {\n"
		 "  area(): number;\n"
		 "}\n"
		 "export type Id = string;\n"
		 "export class Circle implements Shape {\n"
		 "  private r: number;\n"
		 "  area(): number {\n"
		 "    return 3 * this.r;\n"
		 "  }\n"
		 "}\n"
		 "export function build<T>(x: T): T {\n"
		 "  return x;\n"
		 "}\n"
		 "export const later = async (x: number) => {\n"
		 "  return x;\n"
		 "};\n"
		 "enum Color {\n"
		 "  Red,\n"
		 "}\n",
		 "Shape/interface:1-3 area/method:2-2 Id/alias:4-4 "
		 "Circle/class:5-10 r/property:6-6 area/method:7-9 "
		 "build/function:11-13 later/function:14-16 Color/enum:17-19 "
		 "Red/enumerator:18-18"},
		{"a.vue",
		 "<template><div/></template>\n"
		 "<script>\n"
		 "export default {\n"
		 "  methods: {\n"
		 "    save() {\n"
		 "      return 1;\n"
		 "    }\n"
		 "  }\n"
		 "}\n"
		 "function helper(x) {\n"
		 "  return x;\n"
		 "}\n"
		 "</script>\n",
		 "save/method:5-7 helper/function:10-12"},
		{"a.zig",
		 "const std = @import(\"std\");\n"
		 "pub fn add(a: i32, b: i32) i32 {\n"
		 "    return a + b;\n"
		 "}\n"
		 "const Point = struct {\n"
		 "    x: i32,\n"
		 "    pub fn len(self: Point) i32 {\n"
		 "        return self.x;\n"
		 "    }\n"
		 "};\n"
		 "test \"adds\" {\n"
		 "    _ = add(1, 2);\n"
		 "}\n",
		 "add/function:2-4 Point/struct:5-10 len/function:7-9 "
		 "adds/test:11-13"},
		{"tricky.js",
		 "const q = \"a \\\" {\"; // {\n"
		 "function strings(a = {x: 1}, { y }) {\n"
		 "\tconst r = /[/}\"]+/g, t = `x ${a ? `}` : \"}\"} {`;\n"
		 "\t/* } */\n"
		 "\treturn a / 2 / r;\n"
		 "}\n"
		 "export default function named() {\n"
		 "\treturn 1 }\n"
		 "const short = x => x * 2;\n"
		 "const object = (x) => ({\n"
		 "\tx,\n"
		 "});\n"
		 "let handler = function () {\n"
		 "\treturn 1;\n"
		 "};\n"
		 "class K extends A {\n"
		 "\t#priv(x) {\n"
		 "\t\tif (x) {\n"
		 "\t\t\treturn 1;\n"
		 "\t\t}\n"
		 "\t}\n"
		 "\tasync get(key) {\n"
		 "\t\treturn key;\n"
		 "\t}\n"
		 "}\n",
		 "q/constant:1-1 strings/function:2-6 named/function:7-8 "
		 "short/function:9-9 object/function:10-12 "
		 "handler/function:13-15 K/class:16-25 priv/method:17-21 "
		 "get/method:22-24 key/field:23-23"},
		{"tricky.ts",
		 "export function typed(x: {a: number}): {b: string} {\n"
		 "  return {b: \"\"};\n"
		 "}\n"
		 "export type Shape = {\n"
		 "  area: number;\n"
		 "};\n"
		 "export abstract class Base<T extends {id: string}> {\n"
		 "  abstract name(): string;\n"
		 "  find(\n"
		 "    id: string,\n"
		 "  ): T | undefined {\n"
		 "    return undefined;\n"
		 "  }\n"
		 "}\n",
		 "typed/function:1-3 Shape/alias:4-6 Base/class:7-14 "
		 "name/method:8-8"},
		{"tricky.rs",
		 "impl<'a, T> Iterator for Walk<'a, T>\n"
		 "where\n"
		 "    T: Clone,\n"
		 "{\n"
		 "    fn next(&mut self) -> Option<&'a T> {\n"
		 "        let open = '{';\n"
		 "        let s = \"\\\"{\";\n"
		 "        None\n"
		 "    }\n"
		 "}\n"
		 "pub async fn fetch(\n"
		 "    url: &str,\n"
		 ") -> Result<(), Error> {\n"
		 "    Ok(())\n"
		 "}\n",
		 "Walk/implementation:1-10 next/function:5-9 "
		 "fetch/function:11-15"},
		{"tricky.sh",
		 "#!/bin/sh\n"
		 "usage() {\n"
		 "\tcat <<END\n"
		 "{ \"unbalanced\"\n"
		 "END\n"
		 "\techo \"${x#*\\}}\"\n"
		 "}\n"
		 "\n"
		 "main ()\n"
		 "{\n"
		 "\tcase $1 in\n"
		 "\ta) usage ;;\n"
		 "\tesac\n"
		 "}\n",
		 "usage/function:2-7 END/heredoc:3-5 main/function:9-14"},
		{"tricky.pl",
		 "sub match {\n"
		 "\tmy $s = shift;\n"
		 "\treturn 1 if $s =~ /[{]/;\n"
		 "\treturn $#{$s};\n"
		 "}\n"
		 "\n"
		 "sub after { return 2 }\n",
		 "match/subroutine:1-5 after/subroutine:7-7"},
		{"tricky.go",
		 "package a\n"
		 "\n"
		 "func Keys[K comparable, V any](m map[K]V) (out []K, err "
		 "interface{ Error() string }) {\n"
		 "\tfor k := range m {\n"
		 "\t\tout = append(out, k)\n"
		 "\t}\n"
		 "\ts := `{`\n"
		 "\treturn\n"
		 "}\n",
		 "a/package:1-1 Keys/func:3-9"},
		{"tricky.kt",
		 "fun short(x: Int) = x * 2\n"
		 "fun long(x: Int) =\n"
		 "    x.let {\n"
		 "        it * 2\n"
		 "    }\n"
		 "class Empty\n"
		 "class Next : Base(), Other {\n"
		 "    val c = '{'\n"
		 "    override fun run() {\n"
		 "    }\n"
		 "}\n",
		 "short/method:1-1 long/method:2-5 Empty/class:6-6 "
		 "Next/class:7-11 c/constant:8-8 run/method:9-10"},
		{"tricky.php",
		 "<?php\n"
		 "# {\n"
		 "function kr($x)\n"
		 "{\n"
		 "    $s = '{' . \"{\";\n"
		 "    return function () use ($x) { return $x; };\n"
		 "}\n"
		 "abstract class Model\n"
		 "{\n"
		 "    abstract public function id();\n"
		 "    public static function find(int $id): ?self\n"
		 "    {\n"
		 "        return null;\n"
		 "    }\n"
		 "}\n",
		 "kr/function:3-7 Model/class:8-15 id/function:10-10 "
		 "find/function:11-14"},
		{"tricky.lua",
		 "function M:method(a) return a end\n"
		 "local function long()\n"
		 "  local s = \"end\"\n"
		 "  if a then\n"
		 "    return\n"
		 "  else\n"
		 "    return 1\n"
		 "  end\n"
		 "end\n",
		 "M:method/function:1-1 long/function:2-9"},
	};
	struct rk_ctags *c;

	CHECK_INT(rk_ctags_new(&c), 0);
	for (size_t i = 0; i < sizeof(ROWS) / sizeof(ROWS[0]); i++) {
		char *got = described(c, ROWS[i].path, ROWS[i].text);

		if (strcmp(got, ROWS[i].want) != 0)
			printf("# %s\n", ROWS[i].path);
		CHECK_STR(got, ROWS[i].want);
		free(got);
	}
	rk_ctags_free(c);
}

/* Where nothing is written twice the same way, whatever is cut off. */
static void any_beginning_of_a_text_has_ends_within_it(void)
{
	static const char TEXT[] = "function f(a = `${b}`) {\n\tx = /}/;\n"
				   "\t'\\'';\n}\nclass A {\n\tg() {}\n}\n";
	static const char *const LANGUAGES[] = {
		"JavaScript", "Rust", "Sh", "Lua", "Clojure", "rkSwift"};

	for (size_t n = 0; n < sizeof(TEXT); n++)
		for (size_t k = 0; k < 6; k++) {
			struct rk_entities e = RK_ENTITIES_INIT;
			struct rk_entity f = {"f", "function", "", "", 1, 0};
			struct rk_entity a = {"A", "class", "", "", 5, 0};
			char *s = malloc(n + 1);

			memcpy(s, TEXT, n); /* its end is watched */
			CHECK_INT(rk_entities_add(&e, &f), 0);
			CHECK_INT(rk_entities_add(&e, &a), 0);
			s = realloc(s, n ? n : 1);
			CHECK_INT(rk_entities_find_ends(LANGUAGES[k], s, n, &e),
				  0);
			CHECK(e.v[0].end >= 1 && e.v[0].end <= 8);
			CHECK(e.v[1].end >= 5 && e.v[1].end <= 8);
			free(s);
			rk_entities_release(&e);
		}
}

static void a_line_that_no_one_reads_is_not_parsed(void)
{
	struct rk_buf b = RK_BUF_INIT;
	struct rk_ctags *c;
	char *got;

	rk_buf_str(&b, "function first() {\n\treturn 1;\n}\n");
	for (int i = 0; i < 4000; i++)
		rk_buf_printf(&b, "function f%d(a){return a};", i);
	rk_buf_str(&b, "\nfunction last() {\n\treturn 1;\n}\n");
	rk_buf_byte(&b, 0);
	CHECK_INT(rk_ctags_new(&c), 0);
	got = described(c, "a.min.js", (char *)b.p);
	CHECK_STR(got, "first/function:1-3 last/function:5-7");
	free(got);
	rk_ctags_free(c);
	rk_buf_release(&b);
}

static void a_kind_means_the_same_in_every_language(void)
{
	static const struct {
		const char *kind, *common;
	} ROWS[] = {{"func", "function"},    {"subroutine", "function"},
		    {"method", "method"},    {"singletonMethod", "method"},
		    {"record", "struct"},    {"protocol", "interface"},
		    {"namespace", "module"}, {"define", "constant"},
		    {"chapter", "chapter"},  {"", ""}};

	for (size_t i = 0; i < sizeof(ROWS) / sizeof(ROWS[0]); i++)
		CHECK_STR(rk_entity_kind_common(ROWS[i].kind), ROWS[i].common);
	CHECK(rk_entity_kind_known("Subroutine", 10));
	CHECK(!rk_entity_kind_known("gadget", 6));
	CHECK(!rk_entity_kind_known("", 0));
}

static const struct t_case CASES[] = {
	{"definitions end where their body does",
	 definitions_end_where_their_body_does},
	{"any beginning of a text has ends within it",
	 any_beginning_of_a_text_has_ends_within_it},
	{"a line that no one reads is not parsed",
	 a_line_that_no_one_reads_is_not_parsed},
	{"a kind means the same in every language",
	 a_kind_means_the_same_in_every_language},
};
T_MAIN(CASES)
