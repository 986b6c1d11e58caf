#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Code search end to end: a source tree in, places in files out.

    code_tree.py [--limit N] [--modes M,M] RANKFS COLLECTION

A collection with tree.tar.gz, and a corpus whose rows are functions (path,
symbol, start, end). A result counts if it covers eight lines of the function,
or all of a shorter one. Prints MRR@10 of the collection's queries, and how
often a query that is a function's name has a definition of it first.
"""
import argparse
import os
import subprocess
import sys
import tarfile
import tempfile
import json

import evaluate as ev


def hits(mount, text, options):
    text = text.replace("%", "%25").replace("/", "%2F").replace("\n", " ")
    name = "=%s as:jsonl n:10 %s" % (text[:900], options)
    with open(os.path.join(mount, "query", name), encoding="utf-8") as f:
        for line in f:
            h = json.loads(line)
            yield (os.path.relpath(h["path"], mount), h["line_start"],
                   h["line_end"], h["line"])


def covers(hit, row):
    path, first, last, _ = hit
    lines = min(last, row["end"]) - max(first, row["start"]) + 1
    return path == row["path"] and lines >= min(8, row["end"] - row["start"] + 1)


def reciprocal_rank(found, target):
    for i, hit in enumerate(found[:10]):
        if covers(hit, target):
            return 1 / (i + 1)
    return 0.0


def ask_sentences(mount, folder, rows, mode, limit):
    qrels = ev.read_qrels(os.path.join(folder, "qrels.tsv"))
    ranks = []
    for q in ev.read_jsonl(os.path.join(folder, "queries.jsonl")):
        targets = [rows[d] for d in qrels.get(q["_id"], {}) if d in rows]
        if not targets or (limit and len(ranks) >= limit):
            continue
        found = list(hits(mount, q["text"], "mode:" + mode))
        ranks.append(max(reciprocal_rank(found, t) for t in targets))
    return len(ranks), sum(ranks) / len(ranks)


def ask_names(mount, rows, limit):
    names = {}
    for row in rows.values():
        names.setdefault(row["symbol"], []).append(row)
    right, wrong = 0, []
    for name in sorted(names)[:limit or None]:
        found = list(hits(mount, name, "n:1"))
        if found and any(found[0][0] == r["path"] and
                         r["start"] <= found[0][3] <= r["end"]
                         for r in names[name]):
            right += 1
        else:
            wrong.append((name, found))
    return right, wrong


def main():
    p = argparse.ArgumentParser()
    p.add_argument("rankfs")
    p.add_argument("collection")
    p.add_argument("--limit", type=int, default=0)
    p.add_argument("--modes", default="lexical,hybrid")
    p.add_argument("--verbose", action="store_true")
    a = p.parse_args()
    rows = {r["_id"]: r for r in ev.read_jsonl(ev.corpus_path(a.collection))}
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as tmp:
        mount, backing = os.path.join(tmp, "m"), os.path.join(tmp, "b")
        os.mkdir(mount)
        subprocess.run([a.rankfs, backing, mount], check=True)
        try:
            with tarfile.open(os.path.join(a.collection, "tree.tar.gz")) as t:
                t.extractall(mount)
            ev.settle(mount)
            for mode in a.modes.split(","):
                n, mrr = ask_sentences(mount, a.collection, rows, mode, a.limit)
                print("sentences %-8s n=%d MRR@10=%.4f" % (mode, n, mrr))
                sys.stdout.flush()
            right, wrong = ask_names(mount, rows, a.limit)
            print("names: definition first %d of %d = %.2f %%" % (
                right, right + len(wrong), 100 * right / (right + len(wrong))))
            for w in wrong[:40] if a.verbose else []:
                print(w)
        finally:
            subprocess.run([a.rankfs, "umount", mount], check=True)


if __name__ == "__main__":
    main()
