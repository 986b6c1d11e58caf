/* SPDX-License-Identifier: MIT */
/* What parsers call a definition, and what it goes by in every language. */
#include "text/symbols/entity.h"
#include <string.h>
#include <strings.h>

static const struct {
	const char *common;
	const char *words; /* of universal-ctags, blanks around each */
} KINDS[] = {
	{"function", " function func subroutine procedure proc fn subprogram "
		     "functor predicate generator guard delegate entry "},
	{"method", " method singletonMethod submethod getter setter accessor "},
	{"prototype",
	 " prototype subroutineDeclaration signature subprogspec "},
	{"class",
	 " class object implementation category mixin contract actor "},
	{"struct", " struct structure record "},
	{"union", " union "},
	{"interface", " interface protocol trait "},
	{"enum", " enum enumeration "},
	{"enumerator", " enumerator enumConstant "},
	{"type", " type typedef typealias talias subtype synonym typespec "},
	{"module", " module namespace package submodule library unit "},
	{"macro", " macro "},
	{"constant", " constant const define val "},
	{"variable", " variable var global externvar data "},
	{"field", " field member property slot attribute port "},
	{"other", " alias anchor block chapter command component "
		  "definition element entity error event exception extension "
		  "feature input output provider query "
		  "generic group header id instance key label local modifier "
		  "net node paragraph parameter part program project register "
		  "resource role rule script section selector service signal "
		  "string subsection subsubsection table target task template "
		  "test testcase title trigger version view "},
};

/* Is the word one of those, whatever its case? */
static int among(const char *words, const char *word, size_t n)
{
	for (const char *p = words + 1; *p;) {
		size_t k = strcspn(p, " ");

		if (k == n && strncasecmp(p, word, n) == 0)
			return 1;
		p += k + 1;
	}
	return 0;
}

const char *rk_entity_kind_common(const char *kind)
{
	const size_t kinds = sizeof(KINDS) / sizeof(KINDS[0]);

	for (size_t i = 0; i + 1 < kinds; i++)
		if (among(KINDS[i].words, kind, strlen(kind)))
			return KINDS[i].common;
	return kind;
}

int rk_entity_kind_known(const char *kind, size_t n)
{
	for (size_t i = 0; i < sizeof(KINDS) / sizeof(KINDS[0]); i++)
		if (among(KINDS[i].words, kind, n))
			return 1;
	return 0;
}
