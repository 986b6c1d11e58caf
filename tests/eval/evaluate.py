#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Ranking quality through a real mount.

    evaluate.py [--limit N] [--modes M,M] [--config LINE]... RANKFS COLLECTION...

A collection is a folder with corpus.jsonl[.gz], queries.jsonl, qrels.tsv
(_id, title, text; BEIR's form). Each document becomes a file, each query is
read from query/<text>, and nDCG@10 (linear gain), Recall@100 and MRR@10 are
averaged over the judged queries. Where queries-typo.jsonl exists (the same
queries with a typing error each), hybrid answers to it are measured too.
"""
import argparse
import contextlib
import gzip
import json
import math
import os
import subprocess
import sys
import tempfile
import time


def dcg(gains):
    return sum(g / math.log2(i + 2) for i, g in enumerate(gains))


def ndcg(ranking, relevant, k=10):
    """ranking: ids, best first; relevant: id -> grade > 0."""
    best = dcg(sorted(relevant.values(), reverse=True)[:k])
    return dcg([relevant.get(d, 0) for d in ranking[:k]]) / best if best else 0.0


def recall(ranking, relevant, k=100):
    return sum(d in relevant for d in ranking[:k]) / len(relevant)


def mrr(ranking, relevant, k=10):
    for i, d in enumerate(ranking[:k]):
        if d in relevant:
            return 1.0 / (i + 1)
    return 0.0


def read_jsonl(path):
    opener = gzip.open if path.endswith(".gz") else open
    with opener(path, "rt", encoding="utf-8") as f:
        for line in f:
            yield json.loads(line)


def read_qrels(path):
    qrels = {}
    with open(path, encoding="utf-8") as f:
        next(f)
        for line in f:
            query, doc, grade = line.rstrip("\n").split("\t")
            if int(grade) > 0:
                qrels.setdefault(query, {})[doc] = int(grade)
    return qrels


def corpus_path(folder):
    path = os.path.join(folder, "corpus.jsonl.gz")
    return path if os.path.exists(path) else path[:-3]


def document(row):
    """(file name, text) of a corpus row: a note with a title, or a function."""
    if "symbol" in row:
        name = "%s/%s/%s.c" % (row["path"], row["start"], row["symbol"])
        return name, row["text"] + "\n"
    name = "%s.md" % row["_id"].replace("/", "_")
    return name, "# %s\n\n%s\n" % (row["title"], row["text"])


def fill(mount, folder):
    """Write the corpus into the mount; returns file name -> id."""
    ids = {}
    for row in read_jsonl(corpus_path(folder)):
        name, text = document(row)
        path = os.path.join(mount, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as f:
            f.write(text)
        ids[name] = row["_id"]
    return ids


def settle(mount, deadline_s=300):
    """Wait until all that was written is indexed and has its vectors."""
    end = time.monotonic() + deadline_s
    while time.monotonic() < end:
        with open(os.path.join(mount, ".rankfs/status.json")) as f:
            status = json.load(f)
        if not (status["pending"] or status["embedding"]):
            return
        time.sleep(0.05)
    raise TimeoutError("the index does not come to rest")


def ask(mount, text, mode, k=100):
    text = text.replace("%", "%25").replace("/", "%2F").replace("\n", " ")
    while len(text.encode()) > 950:
        text = text[:-1]
    name = "=%s as:paths n:%d mode:%s" % (text, k, mode)
    with open(os.path.join(mount, "query", name), encoding="utf-8") as f:
        return [os.path.relpath(line.rstrip("\n"), mount) for line in f]


def evaluate(mount, folder, ids, typo, mode, limit):
    qrels = read_qrels(os.path.join(folder, "qrels.tsv"))
    name = "queries-typo.jsonl" if typo else "queries.jsonl"
    scores = []
    for query in read_jsonl(os.path.join(folder, name)):
        relevant = qrels.get(query["_id"])
        if not relevant or (limit and len(scores) >= limit):
            continue
        ranking = [ids[p] for p in ask(mount, query["text"], mode)]
        scores.append((ndcg(ranking, relevant), recall(ranking, relevant),
                       mrr(ranking, relevant)))
    n = len(scores)
    return [n] + [sum(s[i] for s in scores) / n for i in range(3)]


def runs(folder, modes):
    """(mode, with typing errors) of everything that is to be measured."""
    for mode in modes:
        yield mode, False
    if os.path.exists(os.path.join(folder, "queries-typo.jsonl")):
        yield modes[-1], True


@contextlib.contextmanager
def filled(rankfs, folder, config=()):
    """A mount of its own with the corpus in it, at rest; and its names."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as tmp:
        mount, backing = os.path.join(tmp, "m"), os.path.join(tmp, "b")
        os.mkdir(mount)
        subprocess.run([rankfs, backing, mount], check=True)
        try:
            for line in config:
                with open(os.path.join(mount, ".rankfs/config"), "w") as f:
                    f.write(line + "\n")
            ids = fill(mount, folder)
            settle(mount)
            yield mount, ids
        finally:
            subprocess.run([rankfs, "umount", mount], check=True)


def main():
    p = argparse.ArgumentParser()
    p.add_argument("rankfs")
    p.add_argument("collections", nargs="+")
    p.add_argument("--limit", type=int, default=0)
    p.add_argument("--modes", default="lexical,vector,hybrid")
    p.add_argument("--config", action="append", default=[])
    a = p.parse_args()
    print("%-14s %-8s %-8s %5s  %7s  %10s  %7s" % (
        "collection", "mode", "queries", "n", "nDCG@10", "Recall@100",
        "MRR@10"))
    for folder in a.collections:
        with filled(a.rankfs, folder, a.config) as (mount, ids):
            for mode, typo in runs(folder, a.modes.split(",")):
                row = evaluate(mount, folder, ids, typo, mode, a.limit)
                print("%-14s %-8s %-8s %5d  %7.4f  %10.4f  %7.4f" % (
                    os.path.basename(os.path.normpath(folder)), mode,
                    "typo" if typo else "clean", *row))
                sys.stdout.flush()


if __name__ == "__main__":
    main()
