#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""languages.py MOUNT: of a document's ten queries nine find it first.

Every language of languages.tsv is in one index, so that a word of one is not
taken for a word of another."""
import pathlib
import sys

LEAST = 9
mount = pathlib.Path(sys.argv[1])
rows = []
for line in (pathlib.Path(__file__).parent / "languages.tsv").read_text().splitlines():
    if not line.startswith("#"):
        rows.append(line.split("\t"))


def first(query):
    answer = (mount / "query" / f"{query} as:paths").read_text().split("\n")
    return pathlib.Path(answer[0]).stem


if "write" in sys.argv:  # write them
    for language, text, _ in rows:
        (mount / f"{language}.txt").write_text(text + "\n")
    sys.exit()
bad = 0
for language, _, queries in rows:
    queries = queries.split("|")
    assert len(queries) == 10, language
    wrong = [f"{q} ({got or 'nothing'})" for q in queries if (got := first(q)) != language]
    if len(queries) - len(wrong) < LEAST:
        print(f"{language}: {', '.join(wrong)}")
        bad = 1
    elif wrong:
        print(f"# {language}: {', '.join(wrong)}")
sys.exit(bad)
