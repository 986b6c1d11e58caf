#!/usr/bin/env bats
# How words are found: in every language and script, however they are typed.

load setup

# found QUERY NAME...: these, in any order
found() {
	local want
	want=$(printf '%s\n' "${@:2}" | sort | xargs)
	assert_equal "$(paths "$1" | sort | xargs)" "$want"
}

@test "twenty languages: nine of ten queries find their document first" {
	python3 "$BATS_TEST_DIRNAME/languages.py" "$MNT" write
	python3 "$BATS_TEST_DIRNAME/languages.py" "$MNT"
	echo checkpoint >"$MNT/.rankfs/ctl"
	python3 "$BATS_TEST_DIRNAME/languages.py" "$MNT"
}

@test "a part of a compound is found where nothing is called so by itself" {
	echo "Die Krankenversicherung hat die Rechnung nicht bezahlt, und das Finanzamt wartet auf die Steuer." >"$MNT/de.txt"
	echo "The insurance did not pay." >"$MNT/en.txt"
	found "Versicherung mode:lexical" de.txt
	echo "Die Versicherung ist nicht mit dem Amt verwandt, und das ist auch gut." >"$MNT/own.txt"
	assert_equal "$(paths 'Versicherung mode:lexical' | head -n 1)" own.txt
}

@test "typing errors are repaired in every alphabet" {
	echo "Старая библиотека открыта для студентов" >"$MNT/ru.txt"
	echo "Η βιβλιοθήκη της πόλης είναι ανοιχτή" >"$MNT/el.txt"
	echo "Die Straßenbahn kommt heute wieder zu spät und wir warten." >"$MNT/de.txt"
	found "библиоткеа mode:lexical" ru.txt
	found "βιβλιοθηκι mode:lexical" el.txt
	found "Straßenbhan mode:lexical" de.txt
}

@test "a form of a word counts in documents of its language alone" {
	echo "Der Hund und die Katze sind nicht im Haus, aber wir haben auch die Wohnungen mit dem Garten." >"$MNT/de.txt"
	echo "the wohnung family came with the boat, and they have been here for years" >"$MNT/en.txt"
	found "Wohnungen mode:lexical" de.txt
	run bash -c "cat '$MNT/query/Wohnungen as:json' | jq -r '.clauses[0].terms'"
	assert_output "wohnungen wohnung(german)"
}

@test "a text of a few words is found by the languages around it" {
	echo "Die Rechnung wurde gestern an den Kunden geschickt, aber er hat sie noch nicht bezahlt und wartet auf die Mahnung." >"$MNT/long.txt"
	echo "Rechnungen" >"$MNT/short.txt"
	found "Rechnung mode:lexical" long.txt short.txt
}

@test "what is typed in another way is the same word" {
	echo "we don't panic, as posted on YouTube" >"$MNT/a.txt"
	echo "we don’t use C++ but the .NET runtime 🎉" >"$MNT/b.txt"
	echo "Łódź, Søren and the Ge­samt­kon­zept" >"$MNT/c.txt"
	printf 'an argument that is under-\nstandable needs a plug-in\n' >"$MNT/d.txt"
	echo x >"$MNT/Rechnung_März_2024.txt"
	echo "ﾊﾞｽ と 一篇" >"$MNT/ja.txt"
	found "don't mode:lexical" a.txt b.txt
	found "youtube mode:lexical" a.txt
	found "C++ mode:lexical" b.txt
	found ".NET mode:lexical" b.txt
	found "🎉 mode:lexical" b.txt
	found "Lodz mode:lexical" c.txt
	found "Soren mode:lexical" c.txt
	found "Gesamtkonzept mode:lexical" c.txt
	found "understandable mode:lexical" d.txt
	found "plugins mode:lexical" d.txt
	found "März mode:lexical" Rechnung_März_2024.txt
	found "バス mode:lexical" ja.txt
	found "篇 mode:lexical" ja.txt
	found "パス mode:lexical"
}
