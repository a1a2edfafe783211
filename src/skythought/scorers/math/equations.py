"""Equations and inequalities: when two are the same, and when a value solves one."""

from __future__ import annotations

import re

from skythought.scorers.math import evaluation, numeric, structure
from skythought.scorers.math.answer import Answer, part
from skythought.scorers.math.parsing import Tree
from skythought.scorers.math.structure import FLIPPED

__all__ = [
    "are_other_quantities",
    "arguments",
    "equal",
    "is_equation",
    "is_product",
    "may_be_value",
    "same_relations",
    "solves",
    "states_value",
]

COORDINATES = {"x", "y", "z"}
"""Names that say something: `x = 5` is another line than `y = 5`, while `k = 5` and `n = 5` are the number 5."""
SIZE = re.compile(r"\|\s*[xyz]\s*\|")
"""Of a number, which has two values."""
FUNCTION = re.compile(r"\\?[a-zA-Z]+(?:_\{?\w+\}?)?\s*\(\s*([a-zA-Z])\s*\)")


def equal(first: Tree, second: Tree) -> bool:
    """Whether two formulas are the same; False also where that cannot be told."""
    try:
        return numeric.equal(first, second)
    except evaluation.UndecidedError:
        return False


def is_equation(answer: Answer) -> bool:
    """Whether an answer is one equation, `xy = 6`."""
    return answer.chain.relations == ["="]


def is_product(label: str) -> bool:
    """Whether a left side that looks like a name is a product of coordinates, `xy`."""
    return len(label) > 1 and set(label) <= COORDINATES


def are_other_quantities(one: str, other: str, value: str) -> bool:
    """`x = 5` and `y = 5` are different lines, `x' = 5` another quantity than `x = 5`; other names are only names.

    Not so in a differential equation, where the name stands on the other side too.
    """
    if one.count("'") != other.count("'"):
        return True
    name = one[:1] if one[:1].isalpha() else one
    recurs = re.search(rf"(?<![a-zA-Z\\]){re.escape(name)}_?\{{?[a-z]", value) is not None and "_" in one
    return one != other and (recurs or (one.rstrip("'") in COORDINATES and other.rstrip("'") in COORDINATES))


def arguments(one: str, other: str) -> dict[str, str] | None:
    """How to rename the argument of the second function, for `f(n)` and `f(m)`; None where they have no two."""
    first, second = FUNCTION.fullmatch(one), FUNCTION.fullmatch(other)
    if first is None or second is None or first[1] == second[1]:
        return None
    return {second[1]: first[1], first[1]: second[1]}


def states_value(answer: Answer) -> bool:
    r"""Whether an equation says what something is, `\tan B = 2`, rather than what solves it, `x+y = 2`."""
    if not is_equation(answer):
        return False
    left, right = answer.chain.sides
    trees = part(left).tree, part(right).tree
    constants = all(tree is not None and evaluation.is_constant(tree) for tree in trees)
    return constants or (structure.names_quantity(left) and not left.isdigit())


def may_be_value(answer: Answer, question: str) -> bool:
    """Whether the last side of a chain may be the value that is asked for: `2^3 = 8`, `m+n = 70`.

    Not of an equation in x, y or z, `x+y = 3`, unless the question (without blanks) has its left side.
    """
    *lefts, _ = answer.chain.sides
    if any(mark not in ("=", "\\approx", "\\equiv") for mark in answer.chain.relations):
        return False
    for left in lefts:
        if SIZE.fullmatch(left):
            return False
        tree = part(left).tree
        known = tree is None or evaluation.is_constant(tree) or structure.names_quantity(left)
        if not known and left.replace(" ", "").casefold() not in question:
            return False
    return True


def _difference(answer: Answer) -> Tree | None:
    """Left side minus right side."""
    left, right = (part(side).tree for side in answer.chain.sides[:2])
    return None if left is None or right is None else ("add", left, ("neg", right))


def solves(equation: Answer, value: Answer) -> bool:
    """Whether an equation, solved for one of its variables, gives the value: `xy = 6` and `6/x`."""
    difference = _difference(equation)
    if difference is None or value.tree is None or evaluation.is_constant(value.tree):
        return False
    try:
        return numeric.solves(difference, value.tree)
    except evaluation.UndecidedError:
        return False


def same_relations(gold: Answer, given: Answer) -> tuple[bool, str] | None:
    """Whether two equations or inequalities say the same; None if that cannot be told.

    Equations are the same if one is a multiple of the other (`2x = 4`, `x = 2`), or if both are solved alike by a
    derivative or a variable that stands below a stroke; inequalities if one is a positive multiple of the other.
    """
    wanted, got = gold.chain, given.chain
    if len(wanted.sides) != 2 or len(got.sides) != 2:
        return None
    one, other = _difference(gold), _difference(given)
    mark, given_mark = wanted.relations[0], got.relations[0]
    if one is None or other is None or mark not in FLIPPED or given_mark not in FLIPPED:
        return None
    if FLIPPED[mark] == given_mark != mark:
        other, given_mark = ("neg", other), mark
    if mark != given_mark:
        return False, "different relations"
    try:
        same = numeric.proportional(one, other, positive=mark not in ("=", "\\neq"))
        same = same or (mark == "=" and numeric.same_solution(one, other))
    except evaluation.UndecidedError:
        return None
    return same, "compared as equations" if mark == "=" else "compared as inequalities"
