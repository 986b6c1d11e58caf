/* SPDX-License-Identifier: MIT */
/* What the mount says of itself: to people, and to agents that live in it. */
#include "fs/control/help.h"

void fs_help_readme(const char *root, struct rk_buf *out)
{
	rk_buf_printf(
		out,
		"rankfs: copy documents in, read query/<text>.\n\n"
		"  cp -a ~/notes %s/\n"
		"  cat \"%s/query/how do I rotate the keys\"\n"
		"  cat \"%s/query/backup \\\"point in time\\\" -draft ext:md "
		"as:paths\"\n\n",
		root, root, root);
	rk_buf_str(
		out,
		"Words are ranked by relevance; all of them need not occur.\n"
		"  \"a phrase\"  +must  -not  OR  NOT  ( )  pre*  w?ld  "
		"~fuzzy  word^2  /regex/\n"
		"  path:src/**  ext:c,h  lang:  kind:function  sym:name  tag:\n"
		"  meta.key:value  after:2026-01  before:7d  size:>10k\n"
		"  n:20  page:2  min:0.3  sort:new  case:yes  mode:lexical\n"
		"  as:text as:lines as:paths as:paths0 as:json as:jsonl "
		"as:pack "
		"tokens:4000\n"
		"A / between words may stay; around a regex, at either end and "
		"in find/ it is\nwritten %2F, a % always %25. =name makes a "
		"query of any name.\n\n"
		"query/<text>         the results; whoever watches the file "
		"(tail -F, inotifywait,\n"
		"                     an editor) is told when they change\n"
		"ln -s \"a query\" query/NAME   saves it; mv, ln -sf and rm "
		"work\n"
		"find/<text>/         the results as files; files/ has links "
		"to "
		"the documents,\n"
		"                     by-ext/ by-dir/ by-tag/ narrow down, so "
		"does another query\n"
		"find/NAME/           of a saved query: rm leaves a document "
		"out for good,\n"
		"                     ln DOCUMENT find/NAME/ puts one first\n"
		"recall/<question>    the document put away for it, if there "
		"is "
		"one\n\n"
		".rankfs/ask                   write a question, read the "
		"answer\n"
		".rankfs/similar/<path>        what is like a document\n"
		".rankfs/chunks/<path>/        what a document was cut into\n"
		".rankfs/text/<path>           the text of a document (PDF, "
		"office, packed)\n"
		".rankfs/symbols/<name>        definitions, callers, callees, "
		"references\n"
		".rankfs/terms/<prefix>/       words that begin so; ls -lS "
		"sorts them by frequency\n"
		".rankfs/at/<checkpoint>/      query/ and find/ as they were "
		"then\n"
		".rankfs/import                JSON Lines: id, text, metadata, "
		"vector; or an export\n"
		".rankfs/export                all of it as one file\n"
		".rankfs/status, status.json   how the index is doing; also "
		"progress, metrics\n"
		".rankfs/events                a line for each change; tail -F "
		"follows it\n"
		".rankfs/warnings              what could not be indexed "
		"whole\n"
		".rankfs/config                settings, readable and "
		"writable\n"
		".rankfs/ctl                   verbs; cat it for the list\n"
		".rankfs/error                 why your last write failed\n"
		".rankfs/AGENTS.md             the same for language models\n");
}

void fs_help_agents(const char *root, struct rk_buf *out)
{
	rk_buf_printf(
		out,
		"## Searching %s\n\n"
		"`%s` is a search engine in the form of a file system. Prefer "
		"it to grep and find: one read gives ranked places with their "
		"text.\n\n"
		"- Ask: `cat \"%s/query/WORDS OR QUESTION\"`. Each hit is "
		"`path:line: [first-last] score`, then the lines themselves; "
		"`(complete)` means there is no more in that file.\n"
		"- Exact lines, like grep -rn: "
		"`cat '%s/query/%%2Fregex%%2F ext:c'` (the slashes of a "
		"pattern are %%2F, a %% is %%25).\n",
		root, root, root, root);
	rk_buf_printf(
		out,
		"- Narrow down inside the text: `\"a phrase\" +must -not "
		"path:src/** ext:c,h sym:name after:7d n:20`.\n"
		"- Context for a prompt: `as:pack tokens:4000`. Machine "
		"readable: `as:json`.\n"
		"- The text of a PDF, an office file, anything compressed, by "
		"those lines: `cat %s/.rankfs/text/PATH`.\n"
		"- A definition and who calls it: "
		"`cat %s/.rankfs/symbols/NAME`.\n"
		"- Which words there are to ask for: "
		"`ls -U %s/.rankfs/terms/PREFIX`.\n"
		"- Any length, any characters: `exec 3<>%s/.rankfs/ask; "
		"echo 'question' >&3; cat <&3`.\n"
		"- Remember something: `mkdir -p %s/cache; echo TEXT > "
		"\"%s/cache/QUESTION.md\"`; "
		"recall it by meaning: `cat \"%s/recall/QUESTION\"` (no such "
		"file: nothing near enough).\n"
		"- A file you write is found by the next query. `pending=0` in "
		"the first line says that nothing is missing; `# no hits:` "
		"says why there are none.\n",
		root, root, root, root, root, root, root);
}
