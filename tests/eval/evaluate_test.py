#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The evaluator's measures against values worked out by hand."""
import math
import unittest

import evaluate as e


class Measures(unittest.TestCase):
    def test_a_perfect_ranking_scores_one(self):
        rel = {"a": 1, "b": 1}
        self.assertEqual(e.ndcg(["a", "b", "c"], rel), 1.0)
        self.assertEqual(e.mrr(["a"], rel), 1.0)
        self.assertEqual(e.recall(["b", "a"], rel), 1.0)

    def test_ndcg_discounts_by_rank(self):
        self.assertAlmostEqual(e.ndcg(["x", "a"], {"a": 1}), 1 / math.log2(3))

    def test_ndcg_counts_the_ideal_over_all_relevant(self):
        ideal = 1 + 1 / math.log2(3)
        self.assertAlmostEqual(e.ndcg(["a"], {"a": 1, "b": 1}), 1 / ideal)

    def test_graded_gain_is_linear(self):
        ideal = 2 + 1 / math.log2(3)
        got = 1 + 2 / math.log2(3)
        self.assertAlmostEqual(e.ndcg(["a", "b"], {"a": 1, "b": 2}),
                               got / ideal)

    def test_ranks_beyond_the_cut_do_not_count(self):
        ranking = ["x"] * 10 + ["a"]
        self.assertEqual(e.ndcg(ranking, {"a": 1}), 0.0)
        self.assertEqual(e.mrr(ranking, {"a": 1}), 0.0)
        self.assertEqual(e.recall(ranking, {"a": 1}), 1.0)
        self.assertEqual(e.recall(["x"] * 100 + ["a"], {"a": 1}), 0.0)

    def test_reciprocal_rank_is_of_the_first_relevant(self):
        self.assertEqual(e.mrr(["x", "y", "a", "b"], {"a": 1, "b": 1}), 1 / 3)

    def test_a_function_is_filed_under_its_path_line_and_symbol(self):
        row = {"symbol": "f", "path": "src/a.c", "start": 7, "text": "int f;"}
        self.assertEqual(e.document(row), ("src/a.c/7/f.c", "int f;\n"))


class Tap(unittest.TextTestResult):
    """One TAP line a test, for scripts/test to count."""

    def stopTest(self, test):
        bad = any(t is test for t, _ in self.failures + self.errors)
        print("%s %d - %s" % ("not ok" if bad else "ok", self.testsRun,
                              test._testMethodName.replace("_", " ")))
        super().stopTest(test)


if __name__ == "__main__":
    unittest.main(testRunner=unittest.TextTestRunner(resultclass=Tap, verbosity=0))
