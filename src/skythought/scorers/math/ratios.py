"""Ratios of several parts and congruences: what is the same up to a common factor, or up to a modulus."""

from __future__ import annotations

import re

from skythought.scorers.math import equations, evaluation
from skythought.scorers.math.answer import Answer, part

__all__ = ["congruent", "proportional", "residue"]

CONGRUENCE = re.compile(
    r"(?:(?P<left>[^=<>]*?)(?:\\equiv|=))?(?P<right>[^=<>]*?)[,(\s]*\\?(?:pmod|bmod|mod"
    r"|text\s*\{\s*mod\s*\})\s*\{?\s*(?P<modulus>\d+)\s*[})]*"
)
MOST_PARTS = 10


def proportional(gold: str, given: str) -> bool | None:
    """Whether two ratios of three parts or more are the same, `1:2:3` and `2:4:6`; None where they are none."""
    first, second = gold.split(":"), given.split(":")
    if not 2 < len(first) <= MOST_PARTS or len(second) <= 1:
        return None
    if len(first) != len(second):
        return False
    one, other = ([part(text).tree for text in parts] for parts in (first, second))
    if None in one or None in other:
        return None
    pairs = zip(one[1:], other[1:], strict=True)
    return all(equations.equal(("mul", a, other[0]), ("mul", b, one[0])) for a, b in pairs)


def residue(text: str) -> tuple[str, str, int] | None:
    """Left side, residue and modulus of `x \\equiv 5 \\pmod{7}`; None for anything else."""
    match = CONGRUENCE.fullmatch(text) if "mod" in text else None
    if match is None or not 0 < int(match["modulus"]) < 10**12:
        return None
    return (match["left"] or "").strip(), match["right"].strip(), int(match["modulus"])


def congruent(gold: Answer, given: Answer) -> bool | None:
    """Whether two congruences are the same, or one gives the other as its number; None where there is none."""
    one, other = residue(gold.text), residue(given.text)
    if one is None and other is None:
        return None
    if one is not None and other is not None:
        first, second = _value(one[1]), _value(other[1])
        if first is None or second is None or one[2] != other[2]:
            return None if first is None or second is None else False
        return (first - second) % one[2] == 0
    left, right, modulus = one or other or ("", "", 1)
    number = _value((given if one is not None else gold).text)
    value = _value(right)
    if number is None or value is None:
        return None
    return number == (value if left and 0 <= value < modulus else value % modulus if not left else None)


def _value(text: str) -> int | None:
    tree = part(text).tree
    value = evaluation.exact(tree) if tree is not None else None
    return int(value) if value is not None and value.denominator == 1 else None
