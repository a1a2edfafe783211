r"""Answers that are sets of real numbers: `[0,1)`, `x>2`, `\{x \mid x<3\}`, unions, differences, `|x| \leq 2`.

A set is a sorted list of disjoint pieces. A piece has two ends; an end is a number with a tie-break, so that open and
closed ends sort rightly: (3, 0) is just before or at 3, (3, 1) just behind it.
"""

from __future__ import annotations

import math
import re
from typing import Any

from skythought.scorers.math import evaluation
from skythought.scorers.math.parsing import UnparsedError, parse
from skythought.scorers.math.structure import FLIPPED, chain, expand_signs, group, pieces

__all__ = [
    "NoSetError",
    "RealSet",
    "conditions",
    "integers",
    "is_joined",
    "looks_like_set",
    "real_set",
    "same_set",
]

Edge = tuple[Any, int]
RealSet = list[tuple[Edge, Edge]]
LOWEST, HIGHEST = LINE = (-math.inf, 1), (math.inf, 0)
LOOKS = re.compile(
    r"[<>]|\\(?:leq|geq|neq|cup|cap|in|infty|setminus|mathbb|text\{R\})(?![a-zA-Z])|[\[(].*,.*[\])]|\\\{"
)
REALS = {"\\mathbb{R}", "\\mathbb R", "R", "\\text{R}", "\\Re", "\\mathbf{R}"}
HALF_LINE = re.compile(
    r"\\mathbb\s*\{?\s*R\s*\}?\s*(?:\^\s*\{?\s*([-+])\s*\}?|_\s*\{?\s*([<>]|\\leq|\\geq)\s*0\s*\}?|_\s*\{?\s*\+\s*\}?)"
)
MINUS = re.compile(r"(?<=[)\]}])\s*-\s*(?=\\\{)|(?<=R)\s*[-/]\s*(?=\\\{)")
WHOLE = re.compile(r"[a-z]\s*\\in\s*(?:\\(?:mathbb|text)\s*\{?\s*)?Z")
MOST_WHOLE = 500
CLOSE = 1e-12
"""By how much ends may differ, relative to their size."""


class NoSetError(ValueError):
    """The text is no set of real numbers with known ends."""


def looks_like_set(text: str) -> bool:
    """A quick look, so that plain formulas cost nothing."""
    return bool(LOOKS.search(text))


def is_joined(text: str) -> bool:
    """Whether sets are joined in a text, or described by a condition, rather than written as one bracket."""
    return bool(re.search(r"\\(?:cup|cap|setminus)|[<>]|\\(?:leq|geq|neq)(?![a-zA-Z])", text))


def real_set(text: str) -> tuple[str, RealSet]:
    """Variable ("" if none is named) and set that a text describes.

    Raises:
        NoSetError: It describes none, or its ends are not known numbers.
    """
    try:
        name, found = _described(text.strip(), 0)
        return name, _union(found)
    except (UnparsedError, evaluation.UndecidedError, ValueError, ArithmeticError, RecursionError) as error:
        raise NoSetError(str(error)) from None


def conditions(parts: list[str]) -> tuple[str, RealSet]:
    r"""The set that several conditions leave, `a > 0` and `a \neq 1`; of `x \neq 1, 2` neither is left.

    Raises:
        NoSetError: They are no conditions on one variable.
    """
    if len(parts) < 2 or not chain(parts[0]).relations:
        raise NoSetError("no conditions")
    names, found = set(), [LINE]
    for part in parts:
        if not chain(part).relations and "\\neq" in parts[0]:
            part = f"{chain(parts[0]).sides[0]} \\neq {part}"
        name, one = real_set(part)
        names.add(name)
        found = _intersection(found, one)
    if len(names) != 1 or not found:
        raise NoSetError("not of one variable")
    return names.pop(), found


def same_set(first: RealSet, second: RealSet) -> bool:
    """Whether two sets are the same, to 12 digits at their ends."""
    ends = [end for piece in first for end in piece]
    others = [end for piece in second for end in piece]
    return len(ends) == len(others) and all(_same_edge(a, b) for a, b in zip(ends, others, strict=True))


def _same_edge(one: Edge, other: Edge) -> bool:
    if one[1] != other[1]:
        return False
    if one[0] == other[0] or _is_infinite(one[0]) or _is_infinite(other[0]):
        return bool(one[0] == other[0])
    return bool(abs(one[0] - other[0]) <= CLOSE * max(1, abs(one[0])))


def _described(text: str, depth: int) -> tuple[str, RealSet]:
    if depth > 8 or not text:
        raise NoSetError(text)
    alternatives = _alternatives(text)
    if len(alternatives) > 1:
        described = [_described(part, depth + 1) for part in alternatives]
        if len({name for name, _ in described}) > 1:
            raise NoSetError("several variables")
        return described[0][0], _union([piece for _, part in described for piece in part])
    sides, relations = chain(text)
    if relations:
        return _related(sides, relations, depth)
    return "", _built(text, depth)


def _alternatives(text: str) -> list[str]:
    text = re.sub(r"\\text\{\s*(and|or|,)\s*\}", r" \1 ", text)
    parts = re.split(r"\s+or\s+|(?<=[\d}])or(?=[a-z\\])|\\lor\b|\\vee\b", text)
    if len(parts) == 1 and chain(text).relations and not group(text).opening:
        commas, found = pieces(text, {",", ";"})
        if found and all(chain(part).relations for part in commas) and all("\\neq" in part for part in commas):
            raise NoSetError("several exclusions")
    return parts


def _related(sides: list[str], relations: list[str], depth: int) -> tuple[str, RealSet]:
    if relations == ["\\in"] or (relations == ["="] and looks_like_set(sides[1]) and "," not in sides[0]):
        name = sides[0].strip()
        return (name if relations == ["\\in"] else ""), _described(sides[1], depth + 1)[1]
    if len(sides) == 3 and relations[0] in FLIPPED and relations[1] in FLIPPED:
        low, middle, high = sides
        name, one = _half_line(middle, FLIPPED[relations[0]], low)
        _, other = _half_line(middle, relations[1], high)
        return name, _intersection(one, other)
    if len(sides) != 2 or relations[0] not in FLIPPED:
        raise NoSetError("no inequality")
    left, right = sides
    if not left or _is_name(left):
        return _half_line(left, relations[0], right)
    return _half_line(right, FLIPPED[relations[0]], left)


def _is_name(text: str) -> bool:
    return bool(re.fullmatch(r"\|?\s*\\?[a-zA-Z]+(?:_\{?\w+\}?)?\s*\|?", text)) and text not in ("e", "\\pi", "\\infty")


def _half_line(name: str, relation: str, bound: str) -> tuple[str, RealSet]:
    if name and not _is_name(name):  # ">= 5" says nothing of which variable
        raise NoSetError("no variable")
    end = _number(bound)
    if name.startswith("|"):
        positive = _beside(relation, end)
        mirrored = [((-high, 1 - high_side), (-low, 1 - low_side)) for (low, low_side), (high, high_side) in positive]
        inside = relation in ("<", "\\leq", "\\neq")
        return name.strip("| "), _intersection(positive, mirrored) if inside else _union(positive + mirrored)
    return name, _beside(relation, end)


def _beside(relation: str, end: Any) -> RealSet:
    below, above = (LOWEST, (end, 0)), ((end, 1), HIGHEST)
    beside: dict[str, RealSet] = {"<": [below], "\\leq": [(LOWEST, (end, 1))], ">": [above]}
    beside |= {"\\geq": [((end, 0), HIGHEST)], "\\neq": [below, above]}
    return beside.get(relation, [((end, 0), (end, 1))])


def _number(text: str) -> Any:
    tree = parse(re.sub(r"(?<=\d),(?=\d{3}(?!\d))", "", text))
    if not evaluation.is_constant(tree):
        raise NoSetError("an end with a variable")
    value = evaluation.approximate(tree)
    if value.imag != 0:
        raise NoSetError("an end that is not real")
    return value.real


def _built(text: str, depth: int) -> RealSet:
    """A set put together from intervals and finite sets."""
    text = MINUS.sub(r"\\setminus ", text)
    for mark, combine in (
        ("\\cup", lambda one, other: _union(one + other)),
        ("\\cap", _intersection),
        ("\\setminus", _difference),
    ):
        parts, found = pieces(text, {mark})
        if found:
            result = _described(parts[0], depth + 1)[1]
            for part in parts[1:]:
                result = combine(result, _described(part, depth + 1)[1])
            return result
    known = _named(text)
    if known is not None:
        return known
    opening, closing, parts = group(text)
    if opening == "\\{":
        return _braces(text[2:-2].strip(), parts, depth)
    if opening in ("(", "[") and closing in (")", "]") and len(parts) == 2:
        low, high = (_number(part) for part in parts)
        if low > high:
            raise NoSetError("no interval")
        return [((low, 0 if opening == "[" else 1), (high, 1 if closing == "]" else 0))]
    raise NoSetError("no set")


def _named(text: str) -> RealSet | None:
    """A set that has a name: all real numbers, the positive ones, none."""
    if text in REALS:
        return [LINE]
    if half := HALF_LINE.fullmatch(text):
        sign, relation = half.groups()
        return _beside(relation or ("<" if sign == "-" else ">"), _number("0"))
    return [] if text == "\\emptyset" else None


def _braces(inner: str, parts: list[str], depth: int) -> RealSet:
    described = re.match(r"([^|:]+)(?:\||:)(?=.*(?:[<>]|\\(?:leq|geq|neq|in)))(.*)$", inner, re.DOTALL)
    if described:
        conditions = [part for part in pieces(described[2], {",", ";"})[0] if part]
        conditions = [part for part in conditions if "\\mathbb" not in part or "setminus" in part] or conditions
        result = [LINE]
        for condition in conditions:
            result = _intersection(result, _described(condition, depth + 1)[1])
        return _whole_numbers(result) if WHOLE.search(inner) else result
    points = [_number(part) for part in expand_signs(parts)]
    return _union([((point, 0), (point, 1)) for point in points])


def integers(text: str) -> RealSet:
    r"""The whole numbers of `2 \\leq n < 5, n \\in \\mathbb{Z}`, each a point.

    Raises:
        NoSetError: It describes none, or too many.
    """
    match = WHOLE.search(text)
    if match is None or match.end() < len(text.rstrip("} .")):
        raise NoSetError("no whole numbers")
    return _whole_numbers(real_set(text[: match.start()].rstrip(" ,;(").removesuffix("\\text{"))[1])


def _whole_numbers(found: RealSet) -> RealSet:
    points = []
    for (low, low_side), (high, high_side) in _union(found):
        if not -MOST_WHOLE < low <= high < MOST_WHOLE:
            raise NoSetError("too many whole numbers")
        first, last = math.ceil(low), math.floor(high)
        first, last = first + (low_side == 1 and first == low), last - (high_side == 0 and last == high)
        points += [((number, 0), (number, 1)) for number in range(first, last + 1)]
    return _union(points)


def _clean(pieces_: RealSet) -> RealSet:
    """Open ends at infinity, pieces in order, none empty."""
    cleaned = []
    for (low, low_side), (high, high_side) in pieces_:
        start = (low, 1) if _is_infinite(low) else (low, low_side)
        end = (high, 0) if _is_infinite(high) else (high, high_side)
        if start < end:
            cleaned.append((start, end))
    return sorted(cleaned)


def _is_infinite(value: Any) -> bool:
    return bool(abs(value) == math.inf)


def _union(parts: RealSet) -> RealSet:
    merged: RealSet = []
    for start, end in _clean(parts):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(merged[-1][1], end))
        else:
            merged.append((start, end))
    return merged


def _intersection(first: RealSet, second: RealSet) -> RealSet:
    return _union([(max(a, c), min(b, d)) for a, b in first for c, d in second])


def _difference(first: RealSet, second: RealSet) -> RealSet:
    for low, high in second:
        first = _intersection(first, [(LOWEST, low), (high, HIGHEST)])
    return first
