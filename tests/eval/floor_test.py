#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A floor of ranking quality, on a small collection of our own.

    floor_test.py RANKFS

The sixty notes in floor/ compete for the words of its questions (a piano has
keys, too), so that a change of how words are weighed moves the mean. Words
alone are exact: another number means another ranking, and whoever meant it
writes the new one down here, after `make eval` on collections that are large
enough to say which is better.
"""
import os
import sys

import evaluate as e

FOLDER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "floor")
LEXICAL, HYBRID, EXACT = 0.8258, 0.84, 0.001


def report(number, good, name, got):
    print("%s %d - %s" % ("ok" if good else "not ok", number, name))
    if not good:
        print("# nDCG@10 is %.4f" % got)
    return good


def main():
    if not os.access("/dev/fuse", os.W_OK):
        print("ok 1 - ranking # skip /dev/fuse cannot be opened here")
        return 0
    with e.filled(sys.argv[1], FOLDER) as (mount, ids):
        words = e.evaluate(mount, FOLDER, ids, False, "lexical", 0)[1]
        both = e.evaluate(mount, FOLDER, ids, False, "hybrid", 0)[1]
    good = [report(1, abs(words - LEXICAL) < EXACT,
                   "words alone rank as they did", words),
            report(2, both >= HYBRID, "words and vectors rank no worse", both)]
    return 0 if all(good) else 1


if __name__ == "__main__":
    sys.exit(main())
