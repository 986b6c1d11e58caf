/* SPDX-License-Identifier: MIT */
#include "text/symbols/dialects.h"

#define NAME "([A-Za-z_][A-Za-z0-9_]*)"
#define IN   "^[ \t]*"
/* Words before what is defined, whatever they are. */
#define MODIFIERS "([A-Za-z@_]+(\\([^)]*\\))?[ \t]+)*"

#define LANGUAGE(name, maps) "--langdef=" name, "--map-" name "=" maps
/* The kind's letter and word; the number of the group that is the name. */
#define KIND(lang, letter, word, group, pattern)                               \
	"--kinddef-" lang "=" letter "," word "," word "s",                    \
		"--regex-" lang "=/" pattern "/\\" group "/" letter "/"
#define MORE(lang, letter, group, pattern)                                     \
	"--regex-" lang "=/" pattern "/\\" group "/" letter "/"

const char *const RK_CTAGS_DIALECTS[] = {
	LANGUAGE("rkSwift", "+.swift"),
	KIND("rkSwift", "f", "function", "3", IN MODIFIERS "func[ \t]+" NAME),
	MORE("rkSwift", "f", "3", IN MODIFIERS "(init|deinit)[ \t]*[?(<{]"),
	KIND("rkSwift", "c", "class", "4",
	     IN MODIFIERS "(class|actor)[ \t]+" NAME "[ \t]*[:{<]"),
	KIND("rkSwift", "s", "struct", "3", IN MODIFIERS "struct[ \t]+" NAME),
	KIND("rkSwift", "e", "enum", "3", IN MODIFIERS "enum[ \t]+" NAME),
	KIND("rkSwift", "p", "protocol", "3",
	     IN MODIFIERS "protocol[ \t]+" NAME),
	KIND("rkSwift", "x", "extension", "3",
	     IN MODIFIERS "extension[ \t]+" NAME),
	KIND("rkSwift", "t", "typealias", "3",
	     IN MODIFIERS "typealias[ \t]+" NAME),

	LANGUAGE("rkZig", "+.zig"),
	KIND("rkZig", "f", "function", "3", IN MODIFIERS "fn[ \t]+" NAME),
	KIND("rkZig", "s", "struct", "2",
	     IN "(pub[ \t]+)?const[ \t]+" NAME
		"[^=]*=[ \t]*(packed[ \t]+|extern[ \t]+)?struct"),
	KIND("rkZig", "e", "enum", "2",
	     IN "(pub[ \t]+)?const[ \t]+" NAME
		"[^=]*=[ \t]*(extern[ \t]+)?enum"),
	KIND("rkZig", "u", "union", "2",
	     IN "(pub[ \t]+)?const[ \t]+" NAME
		"[^=]*=[ \t]*(extern[ \t]+|packed[ \t]+)?union"),
	KIND("rkZig", "t", "test", "1", IN "test[ \t]+\"([^\"]+)\""),

	LANGUAGE("rkVue", "+.vue.svelte.astro"),
	KIND("rkVue", "f", "function", "3",
	     IN MODIFIERS "function[ \t*]+" NAME),
	MORE("rkVue", "f", "2",
	     IN "(const|let|var)[ \t]+" NAME
		"[^=]*=[ \t]*(async[ \t]*)?(\\([^)]*\\)|[A-Za-z_]+)[^=]*=>"),
	KIND("rkVue", "m", "method", "2",
	     IN "(async[ \t]+)?" NAME "\\([^)]*\\)[ \t]*\\{"),
	KIND("rkVue", "c", "class", "3", IN MODIFIERS "class[ \t]+" NAME),

	LANGUAGE("rkTerraform", "+.tf.tfvars.hcl"),
	KIND("rkTerraform", "r", "resource", "2",
	     IN "resource[ \t]+\"([^\"]+)\"[ \t]+\"([^\"]+)\""),
	KIND("rkTerraform", "d", "data", "2",
	     IN "data[ \t]+\"([^\"]+)\"[ \t]+\"([^\"]+)\""),
	KIND("rkTerraform", "v", "variable", "1",
	     IN "variable[ \t]+\"([^\"]+)\""),
	KIND("rkTerraform", "o", "output", "1", IN "output[ \t]+\"([^\"]+)\""),
	KIND("rkTerraform", "m", "module", "1", IN "module[ \t]+\"([^\"]+)\""),
	KIND("rkTerraform", "p", "provider", "1",
	     IN "provider[ \t]+\"([^\"]+)\""),

	LANGUAGE("rkSolidity", "+.sol"),
	KIND("rkSolidity", "c", "contract", "2",
	     IN "(abstract[ \t]+)?contract[ \t]+" NAME),
	KIND("rkSolidity", "i", "interface", "1", IN "interface[ \t]+" NAME),
	KIND("rkSolidity", "l", "library", "1", IN "library[ \t]+" NAME),
	KIND("rkSolidity", "f", "function", "1", IN "function[ \t]+" NAME),
	MORE("rkSolidity", "f", "1", IN "(constructor)[ \t]*\\("),
	KIND("rkSolidity", "m", "modifier", "1", IN "modifier[ \t]+" NAME),
	KIND("rkSolidity", "s", "struct", "1", IN "struct[ \t]+" NAME),
	KIND("rkSolidity", "e", "enum", "1", IN "enum[ \t]+" NAME),
	KIND("rkSolidity", "v", "event", "1", IN "event[ \t]+" NAME),
	KIND("rkSolidity", "x", "error", "1", IN "error[ \t]+" NAME),

	LANGUAGE("rkDart", "+.dart"),
	KIND("rkDart", "c", "class", "3", IN MODIFIERS "class[ \t]+" NAME),
	KIND("rkDart", "x", "mixin", "3", IN MODIFIERS "mixin[ \t]+" NAME),
	KIND("rkDart", "e", "enum", "1", IN "enum[ \t]+" NAME),
	KIND("rkDart", "n", "extension", "1", IN "extension[ \t]+" NAME),
	KIND("rkDart", "t", "typedef", "1", IN "typedef[ \t]+" NAME),
	KIND("rkDart", "f", "function", "3",
	     IN "((static|external|@override)[ \t]+)*[A-Za-z_][A-Za-z0-9_<>?, "
		".]*[ \t]+" NAME
		"[ \t]*(<[^>]*>)?\\([^;]*\\)[ \t]*(async\\*?|sync\\*)?[ "
		"\t]*(\\{|=>)"),

	LANGUAGE("rkScala", "+.scala.sc"),
	KIND("rkScala", "c", "class", "3", IN MODIFIERS "class[ \t]+" NAME),
	KIND("rkScala", "o", "object", "3", IN MODIFIERS "object[ \t]+" NAME),
	KIND("rkScala", "t", "trait", "3", IN MODIFIERS "trait[ \t]+" NAME),
	KIND("rkScala", "e", "enum", "3", IN MODIFIERS "enum[ \t]+" NAME),
	KIND("rkScala", "f", "function", "3", IN MODIFIERS "def[ \t]+" NAME),
	KIND("rkScala", "y", "type", "3", IN MODIFIERS "type[ \t]+" NAME),

	LANGUAGE("rkGroovy", "+.groovy.gradle"),
	KIND("rkGroovy", "c", "class", "3", IN MODIFIERS "class[ \t]+" NAME),
	KIND("rkGroovy", "i", "interface", "3",
	     IN MODIFIERS "interface[ \t]+" NAME),
	KIND("rkGroovy", "e", "enum", "3", IN MODIFIERS "enum[ \t]+" NAME),
	KIND("rkGroovy", "f", "function", "4",
	     IN MODIFIERS "(def|void|int|String|boolean)[ \t]+" NAME
			  "[ \t]*\\("),
	KIND("rkGroovy", "t", "task", "1", IN "task[ \t]+" NAME),

	LANGUAGE("rkNim", "+.nim"),
	KIND("rkNim", "f", "function", "2",
	     IN "(proc|func|method|iterator|converter)[ \t]+`?" NAME),
	KIND("rkNim", "m", "macro", "2", IN "(macro|template)[ \t]+" NAME),
	KIND("rkNim", "t", "type", "2",
	     IN "(type[ \t]+)?" NAME
		"\\*?[ \t]*=[ \t]*(ref[ \t]+)?(object|enum|tuple|distinct)"),

	LANGUAGE("rkFSharp", "+.fs.fsx.fsi"),
	KIND("rkFSharp", "f", "function", "3",
	     IN "let[ \t]+((rec|inline|private)[ \t]+)*" NAME "[ \t]+[^=:]"),
	KIND("rkFSharp", "t", "type", "1", IN "type[ \t]+" NAME),
	KIND("rkFSharp", "m", "module", "1", IN "module[ \t]+" NAME),

	LANGUAGE("rkCrystal", "+.cr"),
	KIND("rkCrystal", "f", "function", "2", IN "def[ \t]+(self\\.)?" NAME),
	KIND("rkCrystal", "c", "class", "2",
	     IN "(abstract[ \t]+)?class[ \t]+" NAME),
	KIND("rkCrystal", "s", "struct", "1", IN "struct[ \t]+" NAME),
	KIND("rkCrystal", "m", "module", "1", IN "module[ \t]+" NAME),

	LANGUAGE("rkGraphQL", "+.graphql.gql"),
	KIND("rkGraphQL", "t", "type", "2",
	     IN "(extend[ \t]+)?type[ \t]+" NAME),
	KIND("rkGraphQL", "i", "interface", "1", IN "interface[ \t]+" NAME),
	KIND("rkGraphQL", "n", "input", "1", IN "input[ \t]+" NAME),
	KIND("rkGraphQL", "e", "enum", "1", IN "enum[ \t]+" NAME),
	KIND("rkGraphQL", "q", "query", "2",
	     IN "(query|mutation|fragment)[ \t]+" NAME),
	0,
};
