"""Sums and products of matrices worked out, entry by entry, as text."""

from __future__ import annotations

import re

from skythought.scorers.math.structure import matrix

__all__ = ["worked_out"]

ONE = re.compile(r"\\begin\{pmatrix\}.*?\\end\{pmatrix\}", re.DOTALL)
MOST_ENTRIES = 100
MOST_FACTORS = 5
Rows = list[list[str]]


def worked_out(text: str) -> str:
    """A sum, difference or product of matrices, or a multiple of one, as one matrix; any other text as it is."""
    found = list(ONE.finditer(text))
    if not 0 < len(found) <= MOST_FACTORS or (len(found) == 1 and found[0].group() == text):
        return text
    factor = text[: found[0].start()].strip().removesuffix("\\cdot").removesuffix("\\times").strip()
    if text[found[-1].end() :].strip() or re.search(r"[=,<>]", factor):
        return text
    result = matrix(found[0].group())
    for before, after in zip(found, found[1:], strict=False):
        operator = text[before.end() : after.start()].strip()
        result = _combined(result, operator, matrix(after.group()))
    if result is None or sum(len(row) for row in result) > MOST_ENTRIES:
        return text
    if factor in ("+", "-") or (factor and not re.search(r"[-+]", factor[1:])):
        result = [[f"{factor}({entry})" for entry in row] for row in result]
    elif factor:
        return text
    return "\\begin{pmatrix}" + "\\\\".join("&".join(row) for row in result) + "\\end{pmatrix}"


def _combined(first: Rows | None, operator: str, second: Rows | None) -> Rows | None:
    if first is None or second is None or not first or not second:
        return None
    sign, factor = operator[:1], operator[1:].strip()
    if sign in ("+", "-") and not re.search(r"[-+&=]|\\\\", factor):  # a multiple of the second, "+ t"
        second = [[f"({factor})({entry})" for entry in row] for row in second] if factor else second
        if [len(row) for row in first] != [len(row) for row in second]:
            return None
        pairs = zip(first, second, strict=True)
        return [[f"({a}){sign}({b})" for a, b in zip(row, other, strict=True)] for row, other in pairs]
    if operator not in ("", "\\cdot", "\\times") or any(len(row) != len(second) for row in first):
        return None
    columns = list(zip(*second, strict=False))
    if sum(len(row) for row in second) > MOST_ENTRIES or len(first) > 10:
        return None
    return [["+".join(f"({a})({b})" for a, b in zip(row, column, strict=True)) for column in columns] for row in first]
