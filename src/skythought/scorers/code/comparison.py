"""Whether a program's output, or a function's result, is the one that a test expects.

Everything here is handed the two sides as plain data, outside of the sandbox.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Context, Decimal, DecimalException
from fractions import Fraction
from functools import cached_property
from itertools import islice
from typing import Any

__all__ = ["Rules", "same_output", "same_result"]

INTEGER = re.compile(r"[+-]?[0-9]+")
NUMBER = re.compile(r"[+-]?(?:[0-9]++\.?[0-9]*+|\.[0-9]++)(?:[eE][+-]?[0-9]{1,6})?")
"""Possessive, so that megabytes of digits cost no more than reading them."""
LINE = re.compile(r"\S[^\n]*+")
"""A line that is not blank, without the space before it."""
LEADING_ZERO = re.compile(r"[+-]?0[0-9]+")
ABSOLUTE_FOR_RELATIVE = Decimal("1e-3")
"""Near zero, an error of a thousandth of the relative tolerance is allowed (numpy's allclose: 1e-5 and 1e-8)."""
PRECISE = Context(prec=60, traps=[])
"""What tolerances are computed in, whatever the process's own context is; nothing raises in it."""


@dataclass(frozen=True)
class Rules:
    """How the outputs of one problem are compared.

    Args:
        outputs: All expected outputs of the problem, to see what kind of numbers it is about.
        tolerance: Relative error allowed in numbers with a decimal point. Integers are exact whatever their size.
        decimal_integers: Whether `6.0` is a way to write an expected 6 (LiveCodeBench's grader compares decimals).
            Otherwise it is only in a problem that has decimal points in some expected output.
        lines: Whether line ends must be where they are expected (LiveCodeBench's grader compares line by line).
        wrapped_results: Whether the element alone is right, too, where every expected result is a list of one.
    """

    outputs: Sequence[Any] = ()
    tolerance: float = 0.0
    decimal_integers: bool = False
    lines: bool = False
    wrapped_results: bool = True

    @cached_property
    def has_decimals(self) -> bool:
        """Whether any expected output holds a number with a decimal point."""
        texts = (output for output in self.outputs if isinstance(output, str))
        return any(_is_decimal(token) for text in texts if "." in text for token in text.split())

    @cached_property
    def all_wrapped(self) -> bool:
        """Whether every expected result is a list of one element, as many rows of APPS write them."""
        return self.wrapped_results and all(isinstance(output, list) and len(output) == 1 for output in self.outputs)

    def close(self, given: Decimal, wanted: Decimal) -> bool:
        """Whether two numbers are the same within the tolerance."""
        if given == wanted:
            return True
        if not self.tolerance:
            return False
        allowed = Decimal(self.tolerance) * PRECISE.add(PRECISE.abs(wanted), ABSOLUTE_FOR_RELATIVE)
        return PRECISE.abs(PRECISE.subtract(given, wanted)) <= allowed


def same_output(given: str, wanted: str, rules: Rules) -> bool:
    """Whether what a program printed is what was expected.

    Compared token by token, in order; the space between tokens does not matter, nor (unless the rules say so) the line
    ends. Tokens are the same if they are the same text, or numbers of the same value: integers exactly, others within
    the tolerance.
    """
    if given == wanted:
        return True
    if not rules.lines:
        return _same_tokens(given, wanted, rules)
    expected = _lines(wanted)
    got = _lines(given, len(expected) + 1)
    if len(got) != len(expected):
        return False
    return all(a == b or _same_tokens(a, b, rules) for a, b in zip(got, expected, strict=True))


def _lines(text: str, at_most: int | None = None) -> list[str]:
    """The first lines, without the space around them; blank ones left out."""
    return [match.group().rstrip() for match in islice(LINE.finditer(text), at_most)]


def _same_tokens(given: str, wanted: str, rules: Rules) -> bool:
    expected = wanted.split()
    got = given.split(None, len(expected))  # no more of them, where there are millions, than can be right
    return len(got) == len(expected) and all(
        a == b or _same_number(a, b, rules) for a, b in zip(got, expected, strict=True)
    )


def _same_number(given: str, wanted: str, rules: Rules) -> bool:
    if not NUMBER.fullmatch(given) or not NUMBER.fullmatch(wanted):
        return False
    if LEADING_ZERO.fullmatch(wanted):  # binary digits, a serial number: the question asks for this way of writing it
        return False
    whole, got_whole = INTEGER.fullmatch(wanted), INTEGER.fullmatch(given)
    if whole and got_whole:
        return _digits(given) == _digits(wanted)
    if whole and not (rules.decimal_integers or rules.has_decimals):
        return False
    try:
        if whole and not rules.has_decimals:
            return Decimal(given) == Decimal(wanted)
        if whole and PRECISE.remainder(Decimal(given), 1) == 0:  # 8.0 for 7: both are integers, and those are exact
            return Decimal(given) == Decimal(wanted)
        return rules.close(Decimal(given), Decimal(wanted))
    except DecimalException:
        return False


def _digits(text: str) -> str:
    """An integer in one way of writing; never converted, for it may be of any size."""
    digits = text.lstrip("+-").lstrip("0") or "0"
    return "-" + digits if text[0] == "-" and digits != "0" else digits


def _is_decimal(token: str) -> bool:
    return "." in token and NUMBER.fullmatch(token) is not None


def same_result(given: Any, wanted: Any, rules: Rules) -> bool:
    """Whether what a function returned is what was expected, as JSON sees them.

    Tuples are lists, keys of dictionaries are text, 1 is True as in Python; other types are never the same.
    """
    if _same_value(given, wanted, rules):
        return True
    return rules.all_wrapped and isinstance(wanted, list) and _same_value(given, wanted[0], rules)


def _same_value(given: Any, wanted: Any, rules: Rules) -> bool:
    """Without recursion: what untrusted programs return may be nested deeply."""
    pairs = [(given, wanted)]
    while pairs:
        a, b = pairs.pop()
        if isinstance(a, (list, tuple)) and isinstance(b, (list, tuple)):
            inner: Iterable[tuple[Any, Any]] | None = zip(a, b, strict=True) if len(a) == len(b) else None
        elif isinstance(a, dict) and isinstance(b, dict):
            inner = _items(a, b)
        else:
            inner = () if _same_scalar(a, b, rules) else None
        if inner is None:
            return False
        pairs.extend(inner)
    return True


def _items(given: dict[Any, Any], wanted: dict[Any, Any]) -> list[tuple[Any, Any]] | None:
    first = {_key(key): value for key, value in given.items()}
    second = {_key(key): value for key, value in wanted.items()}
    if first.keys() != second.keys() or len(first) != len(given):
        return None
    return [(value, second[key]) for key, value in first.items()]


def _key(key: Any) -> str:
    """A key as JSON writes it."""
    if key is None or isinstance(key, bool):
        return {None: "null", True: "true", False: "false"}[key]
    if isinstance(key, int):
        return hex(key) if abs(key) >= 10**1000 else str(key)
    if isinstance(key, str):
        return key
    try:
        return repr(key)
    except (ValueError, RecursionError):  # with more digits than Python likes to write
        return f"a key of type {type(key).__name__}"


def _same_scalar(given: Any, wanted: Any, rules: Rules) -> bool:
    numbers = (bool, int, float)
    if type(given) in numbers and type(wanted) in numbers:
        if given == wanted:
            return True
        if isinstance(given, float) and isinstance(wanted, float) and math.isfinite(given) and math.isfinite(wanted):
            return rules.close(Decimal(given), Decimal(wanted))
        return isinstance(given, float) and isinstance(wanted, float) and math.isnan(given) and math.isnan(wanted)
    if type(given) in (Fraction, Decimal):
        return type(wanted) in numbers and bool(given == wanted)
    return type(given) is type(wanted) and type(given) in (str, type(None), bytes) and bool(given == wanted)
