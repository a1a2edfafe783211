r"""Names that do not matter, because the answer itself brings them in: `2k\pi` and `2n\pi`, `C e^x` and `A e^x`.

Only then: a name that the question uses means what it says there.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from fractions import Fraction
from itertools import permutations

from skythought.scorers.math.parsing import Tree
from skythought.scorers.math.structure import group, value
from skythought.scorers.math.tokens import UnparsedError, letters
from skythought.scorers.math.words import clause_cut

__all__ = ["PARAMETERS", "renamed", "renamings", "with_value", "without_degrees"]

PARAMETERS = set("knmljtKN")
WHOLE = set("nkmlj")
"""Names of whole numbers: where they are all that an answer has, and no question is known, they are its own."""
CONSTANT = re.compile(r"[A-DKa-dkm]|[CcAa]_\d")
ARBITRARY = re.compile(r"[ABCDK]|[CcAa]_\d")
"""Names that stand for an arbitrary constant also where no label says that the answer is a function."""
MOST = 2
NAMES = re.compile(r"\\text\s*\{[^{}]*\}|\\[a-zA-Z]+|([a-zA-Z]+)(_\{?\d+\}?)?")
DECLARED = re.compile(r"(?<![a-zA-Z\\])([a-zA-Z])\s*\\in\s*(?:\\(?:mathbb|text)\s*\{?\s*)?[ZNRQ]")
FUNCTION = re.compile(r"[a-zA-Z]\s*\(\s*[a-z]\s*\)|y")
ARGUMENT = re.compile(r"[xyzts]")
FORMULA = re.compile(r"\$[^$]+\$|\\\(.+?\\\)|\\\[.+?\\\]", re.DOTALL)
ALONE = re.compile(r"(?<![a-zA-Z\\'])[b-zB-HJ-Z](?![a-zA-Z'])")


def without_degrees(tree: Tree) -> Tree:
    """The tree without its degree signs."""
    tree = tree[1] if tree[0] == "deg" else tree
    return tuple(without_degrees(part) if isinstance(part, tuple) else part for part in tree)


def with_value(tree: Tree, name: str, number: int) -> Tree:
    """The tree with a number for a variable."""
    if tree == ("var", name):
        return ("num", Fraction(number))
    return tuple(with_value(part, name, number) if isinstance(part, tuple) else part for part in tree)


def renamed(text: str, names: Mapping[str, str]) -> str:
    """The text with other names of variables, `c_1` among them."""

    def one(match: re.Match[str]) -> str:
        *others, last = _split(match) or [""]
        if not last:
            return match[0]
        kept = names.get(last, match[1][-1] + (match[2] or ""))
        return "".join(names.get(name, name) for name in others) + kept

    return NAMES.sub(one, text)


def renamings(gold: str, given: str, question: str = "") -> Iterator[dict[str, str]]:
    """How names in `given` may be changed to those of `gold`, where the two differ in names that mean nothing.

    These are the name that both say a set for (`t \\in \\mathbb{R}`), `C` and `c`, a whole-number parameter, and up to
    two constants that are free to choose. The names must not stand in the question. Where that is not known, the
    answer must show that they are its own: a parameter by the period of an
    angle, a tuple, a list or a label, a constant by a function's label or a name that is used for nothing else.
    """
    wanted, got = _names(gold), _names(given)
    missing, extra = wanted - got, got - wanted
    if not 0 < len(missing) == len(extra) <= MOST or missing & _all_names(given) or extra & _all_names(gold):
        return
    declared = set(DECLARED.findall(gold)), set(DECLARED.findall(given))
    if declared == (missing, extra) and len(missing) == 1:
        yield {extra.pop(): missing.pop()}
        return
    asked = _names_of_question(question)
    if extra & asked:
        return
    if not missing & asked and _are_free(gold, given, missing | extra, wanted & got, bool(question)):
        first = sorted(missing)
        for order in permutations(sorted(extra)):
            yield dict(zip(order, first, strict=True))


def _are_free(gold: str, given: str, changed: set[str], kept: set[str], asked: bool) -> bool:
    """Whether names are a parameter's or constants' of the answer itself."""
    if changed == {"C", "c"}:
        return True
    (label, inner), (given_label, _) = value(clause_cut(gold)), value(clause_cut(given))
    if len(changed) == 2 and changed <= PARAMETERS and len(inner) > 1:
        shown = "," in inner or "\\pi" in inner or label or given_label or DECLARED.search(gold + given)
        return asked or bool(shown) or (not kept and changed <= WHOLE)
    constants = ARBITRARY
    if asked or FUNCTION.fullmatch(label) or FUNCTION.fullmatch(given_label):
        constants = CONSTANT
    return any(ARGUMENT.fullmatch(name) for name in kept) and all(constants.fullmatch(name) for name in changed)


def _names(text: str) -> set[str]:
    """The names in an answer, without its labels."""
    inner = " , ".join(value(part)[1] for part in group(clause_cut(text)).parts)
    return {name for match in NAMES.finditer(inner) for name in _split(match)} - {"e", "i"}


def _all_names(text: str) -> set[str]:
    """The names in an answer, those of its labels too."""
    return {name for match in NAMES.finditer(text) for name in _split(match)}


def _split(match: re.Match[str]) -> list[str]:
    """The names in a run of letters, the last one with its index; none of a command or a word."""
    if not match[1]:
        return []
    try:
        found = letters(match[1])
    except UnparsedError:
        return []
    if found[-1][0] == "\\":
        return []
    return [*found[:-1], found[-1] + re.sub(r"[{}]", "", match[2] or "")]


def _names_of_question(question: str) -> set[str]:
    """Letters in the formulas of a question, and those that stand alone in its text."""
    formulas = " ".join(FORMULA.findall(question))
    return {name for match in NAMES.finditer(formulas) for name in _split(match)} | set(ALONE.findall(question))
