r"""What lists and sets have in them, said in other ways: `2 \leq n \leq 5, n \in \mathbb{Z}`, `3 boys, 4 girls`."""

from __future__ import annotations

from skythought.scorers.math import sets, structure, words
from skythought.scorers.math.answer import Answer, Parts

__all__ = ["brackets_differ", "element", "name_by_unit", "same_conditions", "same_integers"]


def brackets_differ(one: Parts, other: Parts) -> bool:
    r"""Whether both have brackets, and other ones, `\langle` and a parenthesis aside."""
    if not (one.opening and other.opening) or {one.opening, other.opening} == {"(", "\\langle"}:
        return False
    return (one.opening, one.closing) != (other.opening, other.closing)


def name_by_unit(one: Parts, other: Parts) -> None:
    """Label the parts by what is counted, `14 boys and 11 girls`, where both count the same different things."""
    units = [[words.without_unit(text)[1].removesuffix("^1") for text in parts.values] for parts in (one, other)]
    plain = any(not unit or words.unit_scale(unit) for unit in units[0])
    if not (one.labels or other.labels or plain) and len(set(units[0])) > 1 and sorted(units[0]) == sorted(units[1]):
        one.labels, other.labels = units


def element(answer: Answer) -> str:
    r"""What is in a set of one element, `\{5\}` or `x \in \{5\}`; else the text as it is."""
    inner = structure.group(structure.value(answer.text)[1])
    return inner.parts[0] if inner.opening == "\\{" and len(inner.parts) == 1 else answer.text


def same_integers(gold: Answer, given: Answer) -> bool | None:
    """Whether the whole numbers between two are the other's; None where neither speaks of them."""
    if not any("Z" in answer.text and sets.is_joined(answer.text) for answer in (gold, given)):
        return None
    try:
        one, other = (sets.integers(answer.text) if "Z" in answer.text else _points(answer) for answer in (gold, given))
    except sets.NoSetError:
        return None
    return sets.same_set(one, other)


def _points(answer: Answer) -> sets.RealSet:
    """A list without braces, or a set, as a set."""
    return answer.set[1] if answer.set else sets.real_set(f"\\{{{', '.join(answer.group.parts)}\\}}")[1]


def same_conditions(gold: Answer, given: Answer) -> bool | None:
    """Whether conditions in a row, `a > 0, a \\neq 1`, leave the other side's set; None where neither has them."""
    if (gold.set is None) == (given.set is None):
        return None
    try:
        one, other = (answer.set or sets.conditions(answer.group.parts) for answer in (gold, given))
    except sets.NoSetError:
        return None
    return sets.same_set(one[1], other[1])
