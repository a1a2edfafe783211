"""Ratios of several parts and congruences: what is the same up to a common factor, or up to a modulus."""

from __future__ import annotations

import re

from skythought.scorers.math import equations, evaluation
from skythought.scorers.math.answer import Answer, part
from skythought.scorers.math.parsing import variables
from skythought.scorers.math.renaming import PARAMETERS, with_value
from skythought.scorers.math.structure import expand_signs, value
from skythought.scorers.math.words import clause_cut

__all__ = ["congruent", "proportional", "residue"]

CONGRUENCE = re.compile(
    r"(?:(?P<left>[^=<>]*?)(?:\\equiv|=))?(?P<right>[^=<>]*?)[,(\s]*\\?(?:pmod|bmod|mod"
    r"|text\s*\{\s*mod\s*\})\s*\{?\s*(?P<modulus>\d+)\s*[})]*"
)
LISTED = re.compile(r"(?<=[})])\s*,\s*|\s*,?\s*(?:\\text\s*\{\s*(?:or|and)\s*\}|\b(?:or|and)\b|;)\s*(?=.*mod)")
MOST_PARTS = 10


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
    moduli, residues = set(), set[int | None]()
    for text in LISTED.split(answer.text):
        found = residue(text)
        if found is None:
            return None
        moduli.add(found[2])
        residues |= {_value(one) for one in expand_signs(found[1].split(","))}
    known = {one for one in residues if one is not None}
    if len(moduli) != 1 or len(known) != len(residues):
        return None
    modulus = moduli.pop()
    return modulus, {one % modulus for one in known}


def _family(answer: Answer) -> tuple[int, set[int]] | None:
    """Modulus and residue of `n = 4k+1`; None for anything else."""
    tree = part(value(clause_cut(answer.text))[1]).tree
    names = variables(tree) if tree is not None else set()
    if tree is None or len(names) != 1 or not names <= PARAMETERS:
        return None
    name = names.pop()
    values = [evaluation.exact(with_value(tree, name, at)) for at in (0, 1, 2)]
    if any(one is None or one.denominator != 1 for one in values):
        return None
    first, second, third = (int(one) for one in values if one is not None)
    step = abs(second - first)
    return (step, {first % step}) if step and third - second == second - first else None


def congruent(gold: Answer, given: Answer) -> bool | None:
    """Whether two congruences are the same, or one gives the other as its number; None where there is none."""
    classes, others = _classes(gold), _classes(given)
    if classes or others:
        classes, others = classes or _family(gold), others or _family(given)
    if classes and others:
        return classes == others
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
