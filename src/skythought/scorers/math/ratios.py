"""Ratios of several parts and congruences: what is the same up to a common factor, or up to a modulus."""

from __future__ import annotations

import math
import re
from fractions import Fraction

from skythought.scorers.math import equations, evaluation
from skythought.scorers.math.answer import Answer, part
from skythought.scorers.math.parsing import variables
from skythought.scorers.math.renaming import PARAMETERS, with_value
from skythought.scorers.math.structure import expand_signs, value
from skythought.scorers.math.words import clause_cut

__all__ = ["congruent", "proportional", "residue", "same_progression"]

CONGRUENCE = re.compile(
    r"(?:(?P<left>[^=<>]*?)(?:\\equiv|=))?(?P<right>[^=<>]*?)[,(\s]*\\?(?:pmod|bmod|mod"
    r"|text\s*\{\s*mod\s*\})\s*\{?\s*(?P<modulus>\d+)\s*[})]*"
)
LISTED = re.compile(r"(?<=[})])\s*,\s*|\s*,?\s*(?:\\text\s*\{\s*(?:or|and)\s*\}|\b(?:or|and)\b|;)\s*(?=.*mod)")
MOST_PARTS = 10
MOST_CLASSES = 1000
CLOSE = Fraction(1, 10**30)
WHOLE = re.compile(r"\\in\s*(?:\\(?:mathbb|text)\s*\{?\s*)?Z")


def proportional(gold: str, given: str) -> bool | None:
    """Whether two ratios of three parts or more are the same, `1:2:3` and `2:4:6`; None where they are none."""
    first, second = gold.split(":"), given.split(":")
    if min(len(first), len(second)) < 2 or not 2 < max(len(first), len(second)) <= MOST_PARTS:
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


def _classes(answer: Answer) -> tuple[int, set[int]] | None:
    r"""Modulus and residues of `n \equiv 0,1 \pmod{4}`, or of each in a list; None for anything else."""
    found = [residue(text) for text in LISTED.split(answer.text)]
    modulus, residues = math.lcm(*(one[2] for one in found if one)), set[int]()
    for one in found:
        values = [_value(text) for text in expand_signs(one[1].split(","))] if one else [None]
        if one is None or None in values or modulus // one[2] > MOST_CLASSES:
            return None
        residues |= _lifted((one[2], {value for value in values if value is not None}), modulus)
    return modulus, residues


def _lifted(classes: tuple[int, set[int]], modulus: int) -> set[int]:
    """The residues by a multiple of their modulus: 1 (mod 3) is 1 and 4 (mod 6)."""
    return {at % modulus for one in classes[1] for at in range(one, one + modulus, classes[0])}


def _progression(answer: Answer) -> tuple[Fraction, Fraction] | None:
    """First value and step of `4k+1` or `k\\pi`, to 40 digits; None for anything else."""
    tree = part(value(clause_cut(answer.text))[1]).tree
    names = variables(tree) if tree is not None else set()
    if tree is None or len(names) != 1 or not names <= PARAMETERS:
        return None
    name = names.pop()
    values = [evaluation.as_fraction(with_value(tree, name, at)) for at in (0, 1, 2)]
    first, second, third = (Fraction(0) if one is None else one for one in values)
    linear = None not in values and first != second and abs(first + third - 2 * second) < CLOSE
    return (first, abs(second - first)) if linear else None


def _family(answer: Answer) -> tuple[int, set[int]] | None:
    """Modulus and residue of `n = 4k+1`; None for anything else."""
    first, step = _progression(answer) or (Fraction(1, 2), Fraction(1))
    return (int(step), {int(first % step)}) if first.denominator == step.denominator == 1 else None


def same_progression(gold: Answer, given: Answer) -> bool:
    r"""Whether two families of a whole number are the same, `\frac{3\pi}{4}+k\pi, k \in Z` and `n\pi-\frac{\pi}{4}`."""
    one, other = _progression(gold), _progression(given)
    if not WHOLE.search(gold.text) or one is None or other is None:
        return False
    steps = (one[0] - other[0]) / one[1]
    return abs(one[1] - other[1]) < CLOSE and abs(steps - round(steps)) < CLOSE


def congruent(gold: Answer, given: Answer) -> bool | None:
    """Whether two congruences are the same, or one gives the other as its number; None where there is none."""
    classes, others = _classes(gold), _classes(given)
    if classes or others:
        classes, others = classes or _family(gold), others or _family(given)
    if classes and others:
        modulus = math.lcm(classes[0], others[0])
        if modulus > MOST_CLASSES * min(classes[0], others[0]):
            return False
        return _lifted(classes, modulus) == _lifted(others, modulus)
    one, other = residue(gold.text), residue(given.text)
    if (one is None) == (other is None):
        return None
    left, right, modulus = one or other or ("", "", 1)
    number, rest = _value((given if one is not None else gold).text), _value(right)
    if number is None or rest is None:
        return None
    return number == (rest if left and 0 <= rest < modulus else rest % modulus if not left else None)


def _value(text: str) -> int | None:
    tree = part(text).tree
    exact = evaluation.exact(tree) if tree is not None else None
    return int(exact) if exact is not None and exact.denominator == 1 else None
