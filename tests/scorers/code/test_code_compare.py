"""Comparing outputs with the expected ones."""

from __future__ import annotations

import time
import tracemalloc
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest

from skythought.sandbox import Opaque
from skythought.scorers.code.comparison import Rules, same_output, same_result

EXACT = Rules()
DECIMAL = Rules(decimal_integers=True)


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        ("1 2\n3\n", "1 2\n3"),
        ("1 2 \n3  \n\n", "1 2\n3\n"),
        ("1 2\r\n3\r\n", "1 2\n3\n"),
        ("\n1  2\n\n3", "1 2\n3"),
        ("007", "7"),
        ("+5 -0", "5 0"),
        ("", "\n"),
        ("9" * 5000 + "\n", "9" * 5000),
        ("Yes\nNo", "Yes\nNo"),
        ("0.50", "0.5"),
        ("nan inf", "nan inf"),
        ("1 2 3", "1 2\n3"),
        ("1\n2", "1 2"),
    ],
)
def test_same_output(given: str, wanted: str) -> None:
    assert same_output(given, wanted, EXACT)


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        ("3\n1 2", "1 2\n3"),  # another order of lines
        ("2 1", "1 2"),  # of tokens
        ("1 2", "1 2 1"),  # repetition
        ("1 2\n3\ndone", "1 2\n3"),
        ("1 2", "1 2\n3"),
        ("yes", "Yes"),
        ("", "0"),
        ("10000000000000001", "10000000000000000"),
        ("9" * 4999 + "8", "9" * 5000),
        ("1.0004", "1"),
        ("6.0", "6"),
        ("0x10", "16"),
        ("1_000", "1000"),
        ("1/2", "0.5"),
        ("1e400000", "1"),
        ("1e99999999", "1"),
        ("١٢", "12"),
        ("101", "0101"),  # digits, not a number
    ],
)
def test_other_output(given: str, wanted: str) -> None:
    assert not same_output(given, wanted, EXACT)


@pytest.mark.parametrize(
    ("given", "wanted", "same"),
    [
        ("3.1415926", "3.1415927", True),
        ("3.1414", "3.1415927", False),
        ("0.0", "0.000000001", True),
        ("0.0", "0.0001", False),
        ("1000000.1", "1000000.2", True),
        ("1000001", "1000000", False),  # integers are exact
        ("1", "1.0", True),
        ("1.0", "1", True),  # the problem has decimal points elsewhere
        ("1e-7", "0.0000001", True),
        ("nan", "1.0", False),
        ("1000001.0", "1000000", False),
        ("999999.9999", "1000000", True),
        ("١.٥", "1.5", False),
    ],
)
def test_tolerance_is_for_numbers_with_a_decimal_point(given: str, wanted: str, same: bool) -> None:
    rules = Rules(outputs=["0.5", wanted], tolerance=1e-5)
    assert same_output(given, wanted, rules) is same


def test_line_by_line() -> None:
    rules = Rules(lines=True)
    assert same_output(" 1  2 \n\n3", "1 2\n3\n", rules)
    assert not same_output("1 2 3", "1 2\n3", rules)
    assert not same_output("1\n2", "1 2", rules)


def test_decimal_integers_are_exact_decimals() -> None:
    assert same_output("6.0", "6", DECIMAL)
    assert not same_output("6.0000001", "6", DECIMAL)
    assert not same_output("10000000000000000.5", "10000000000000000", DECIMAL)


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        ([1, 2], [1, 2]),
        ((1, 2), [1, 2]),
        ([(1, 2), (3,)], [[1, 2], [3]]),
        ({1: "a"}, {"1": "a"}),
        ({"a": (1,)}, {"a": [1]}),
        ({True: 1, None: 2}, {"true": 1, "null": 2}),
        (1, True),
        (2.0, 2),
        (Fraction(4, 2), 2),
        (Decimal("0.5"), 0.5),
        (None, None),
        ("x", "x"),
        (float("nan"), float("nan")),
    ],
)
def test_same_result(given: Any, wanted: Any) -> None:
    assert same_result(given, wanted, EXACT)


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        ([2, 1], [1, 2]),
        ([1], [1, 1]),
        ("1", 1),
        ("True", True),
        (None, False),
        ([], None),
        ({1, 2}, [1, 2]),
        ({"a": 1}, {"a": 1, "b": 2}),
        ({1: 1, "1": 1}, {"1": 1}),
        (0.1 + 0.2, 0.3),
        (b"x", "x"),
        (Fraction(1, 3), 1 / 3),
        (Decimal("0.1"), "0.1"),
        (Opaque("Everything"), 1),
        ([Opaque("Everything")], [1]),
    ],
)
def test_other_result(given: Any, wanted: Any) -> None:
    assert not same_result(given, wanted, EXACT)


def test_lists_of_one() -> None:
    outputs = [[5], [6]]
    assert same_result(5, [5], Rules(outputs))
    assert not same_result([[5]], [5], Rules(outputs))
    assert not same_result(5, [5], Rules(outputs, wrapped_results=False))
    assert not same_result(5, [5], Rules([[5], [6, 7]]))


def test_results_of_any_size() -> None:
    assert not same_result({(10**6000,): 1}, {"a": 1}, EXACT)
    assert same_result([10**6000], [10**6000], EXACT)
    assert not same_result([10**6000 + 1], [10**6000], EXACT)
    assert same_result({10**6000: 1}, {10**6000: 1}, EXACT)


def test_floats_within_the_tolerance() -> None:
    rules = Rules(tolerance=1e-5)
    assert same_result([0.1 + 0.2], [0.3], rules)
    assert not same_result([0.31], [0.3], rules)
    assert not same_result(1000001, 1000000, rules)


def test_results_wrapped_in_a_list_of_one() -> None:
    """Many rows of APPS have each result in a list; a list of several is never unwrapped."""
    wrapped = Rules(outputs=[[5], [[1, 2]]])
    assert same_result(5, [5], wrapped)
    assert same_result([5], [5], wrapped)
    assert same_result([1, 2], [[1, 2]], wrapped)
    assert not same_result(6, [5], wrapped)
    assert not same_result(5, [5], Rules(outputs=[[5], [5, 6]]))


def test_deep_results_do_not_break_the_comparison() -> None:
    deep: list[Any] = []
    other: list[Any] = [1]
    for _ in range(100_000):
        deep, other = [deep], [other]
    assert not same_result(deep, other, EXACT)


@pytest.mark.parametrize("lines", [False, True])
@pytest.mark.parametrize(
    "given", ["ab " * 500_000, "\n" * 1_000_000, "7" * 500_000 + "x", "7" * 500_000 + ".5", "a\n" * 500_000]
)
def test_a_flood_is_compared_in_little_time_and_memory(given: str, lines: bool) -> None:
    tracemalloc.start()
    started = time.process_time()
    try:
        assert not same_output(given, "3\n4\n", Rules(["3\n4\n"], lines=lines))
        assert not same_output(given, "3.5", Rules(["3.5"], lines=lines))
        assert tracemalloc.get_traced_memory()[1] < 4 * len(given) + 1_000_000
    finally:
        tracemalloc.stop()
    assert time.process_time() - started < 2
