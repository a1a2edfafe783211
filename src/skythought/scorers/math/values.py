"""Whether two formulas, each a single one, have the same value: exactly, or as far as a decimal was written."""

from __future__ import annotations

from skythought.scorers.math import equations, evaluation
from skythought.scorers.math.answer import Answer, part
from skythought.scorers.math.numbers import DIGITS_OF_GIVEN, DIGITS_OF_GOLD, DIGITS_OF_IRRATIONAL, is_rounding
from skythought.scorers.math.parsing import holds
from skythought.scorers.math.policy import Policy
from skythought.scorers.math.renaming import without_degrees

__all__ = ["are_near", "same_value"]

NEAR = 20
"""A rounded value is within a twentieth of the exact one."""


def same_value(gold: Answer, given: Answer, policy: Policy) -> bool:
    """Whether two answers that are formulas have the same value, up to rounding and a degree sign left out."""
    one, other = gold.tree, given.tree
    if one is None or other is None:
        return False
    if equations.equal(one, other):
        return True
    if evaluation.is_constant(one) and evaluation.is_constant(other):
        return _is_rounded(gold, given, policy)
    if holds(one, {"deg"}) != holds(other, {"deg"}):  # "180 - 2a"
        return equations.equal(without_degrees(one), without_degrees(other))
    return False


def _is_rounded(gold: Answer, given: Answer, policy: Policy) -> bool:
    """Whether one is a decimal, and the other a constant that it may be a rounding of."""
    for decimal, other, digits in ((gold, given, DIGITS_OF_GOLD), (given, gold, DIGITS_OF_GIVEN)):
        if decimal.number is None or other.number is not None or other.tree is None:
            continue
        exact = evaluation.as_fraction(other.tree)
        if exact is None:
            continue
        if given is decimal and evaluation.exact(other.tree) is None:
            digits = DIGITS_OF_IRRATIONAL
        worth = decimal.number.value / (100 if decimal.number.percent else 1)
        if policy.tolerance is not None and abs(worth - exact) <= policy.tolerance:
            return True
        may_round = policy.rounding and exact.denominator > 1 and not decimal.number.percent
        if may_round and is_rounding(decimal.number, exact, digits):
            return True
    return False


def are_near(exact: str, rounded: str) -> bool:
    r"""Whether the sides of `\approx` may be what it says: not "3 \approx 4", which names two answers."""
    trees = [part(text).tree for text in (exact, rounded)]
    known = [evaluation.as_fraction(tree) for tree in trees if tree is not None and evaluation.is_constant(tree)]
    values = [value for value in known if value is not None]
    return len(values) < 2 or abs(values[0] - values[1]) <= max(map(abs, values)) / NEAR
