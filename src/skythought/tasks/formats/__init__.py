"""Rows that no template can express, turned into plain ones: one module per layout, named in a task by `format`.

A target of test cases is a dictionary, whatever the benchmark: see `skythought.scorers.code.scorer.CodeScorer`.
"""
