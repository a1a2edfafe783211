r"""Where an answer comes apart: lists, tuples, sets, matrices, labels before values, chains of relations.

All functions work on normalised text (`normalisation.normalised`).
"""

from __future__ import annotations

import re
from typing import NamedTuple

from skythought.scorers.math.normalisation import unwrapped

__all__ = [
    "FLIPPED",
    "Chain",
    "Group",
    "chain",
    "expand_signs",
    "group",
    "is_label",
    "labelled",
    "matrix",
    "matrix_value",
    "pieces",
    "point",
    "turned",
    "value",
    "without_dots",
]

PAIRS = {"(": ")", "[": "]", "\\{": "\\}", "\\langle": "\\rangle", "|": "|"}
SPECIAL = re.compile(
    r"\\begin\{[a-z]+\}|\\end\{[a-z]+\}|\\langle|\\rangle|\\[lr]floor|\\[lr]ceil|\\\\|\\[a-zA-Z]+|\\."
    r"|[()\[\]{}]|[,;=<>|]"
)
FLIPPED = {"<": ">", ">": "<", "\\leq": "\\geq", "\\geq": "\\leq", "=": "=", "\\neq": "\\neq"}
RELATIONS = {"=", "<", ">", "\\leq", "\\geq", "\\neq", "\\approx", "\\in", "\\equiv", "\\sim"}
MATRIX = re.compile(r"\\begin\{pmatrix\}(.*?)\\end\{pmatrix\}", re.DOTALL)
IN_BRACKETS = re.compile(r"[(\[]\s*\\begin\{pmatrix\}((?:(?!\\end).)*)\\end\{pmatrix\}\s*[)\]]", re.DOTALL)
TURNED = re.compile(r"\s*\^\s*\{?\s*(?:T|\\top|\\text\{T\}|\\intercal)\s*\}?$")
THOUSANDS = re.compile(r"(?<![\d,.])\d{1,3}(?:,\d{3})+(?:\.\d+)?(?!\d|,\d)")
AND = re.compile(
    r"(?:,\s*)?(?<![a-zA-Z\\])(?:and|or)(?![a-zA-Z])(?!\s+\w*\s*equal)|(?:,\s*)?\\text\{\s*,?\s*(?:and|or)\s*,?\s*\}"
    r"|(?:,\s*)?\\lor(?![a-zA-Z])"
)
TEXT_AND = re.compile(r"\\text\s*\{([^{}]*?)\s*,?\s+(?:and|or)\s*((?:\s[^{}]*)?)\}")
NAME = (
    r"(?:\\?[a-zA-Z]+|\\[a-z]+\s*\{[^{}]*\})(?:\s*_\s*(?:\{[^{}]*\}|\w|\\[a-z]+))?"
    r"(?:\s*\^\s*(?:\{?\s*(?:-1|\*)\s*\}?))?'*"
    r"(?:\s*\(\s*(?:\\?[a-zA-Z0-9_]+(?:\s*,\s*\\?[a-zA-Z0-9_]+)*)\s*\))?"
)
# What looks like the name of a quantity but is a value.
VALUES = re.compile(
    r"\\(?:pi|infty|emptyset|[dt]?frac|sqrt|binom|sin|cos|tan|ln|log|exp|lfloor|lceil)(?![a-zA-Z]).*|e|i|pi", re.DOTALL
)
# A left side that only names what is asked for: `x`, `f(x)`, `a_n`, `|AB|`, `(p,q)`, `\angle ABC`.
LABEL = re.compile(
    rf"\s*(?:{NAME}(?:\s*:\s*{NAME})*|\|\s*[A-Z]+\s*\||\(\s*{NAME}(?:\s*,\s*{NAME})+\s*\)|"
    rf"(?:\\text\s*\{{[^{{}}]*\}}\s*)+(?:of\s+\w+)?"
    rf"|[A-Za-z][A-Za-z ]*\d*|\\(?:angle|triangle|overline|widehat|measuredangle)\s*\{{?\s*[A-Z]+\s*\}}?"
    rf"|m\s*\\angle\s*[A-Z]+|[A-Za-z_{{}}]+\s*:\s*[A-Z])\s*"
)
WORD_LABEL = re.compile(
    r"^\s*(?:\\text\s*\{[^{}]*[:=]\s*\}|(?:\\text\s*\{)?[A-Za-z][A-Za-z ]+\d*\}?\s*[:=])\s*(?=[-+\\\d.(\[a-zA-Z])"
)
POINT = re.compile(r"(?:\\text\s*\{[^{}]*\}|[A-Z]'*(?:_\{?\w+\}?)?)\s*(\([^()]*,.*\))")
QUANTITY = re.compile(r"[^\d=<>]*(?:[\^_]\s*\{?\s*\d+[^\d=<>]*)*")
ARGUMENTS = re.compile(r"\\(?:sin|cos|tan|cot|sec|csc)\s*\d+|(?<=[a-zA-Z}])\s*\([^()]*\)|_\s*\{[^{}]*\}")
ARGUMENT = re.compile(r"(?<=[fghFGPQ])'*\s*\(\s*[xyz]\s*\)|_\s*\{[^{}]*\}|[xyz]\s*_\s*\w")
COORDINATE = re.compile(r"(?<![a-zA-Z\\])[xyz]+(?![a-zA-Z])|\|[xyz]\|")
MOST_SIGNS = 4
MOST_BETWEEN = 200
WHOLE = re.compile(r"-?\d{1,9}")
OPENS = {"(", "[", "{", "\\{", "\\langle", "\\lfloor", "\\lceil"}
CLOSES = {")", "]", "}", "\\}", "\\rangle", "\\rfloor", "\\rceil"}


class Group(NamedTuple):
    """Parts between top-level commas, with the brackets around them ("" if none)."""

    opening: str
    closing: str
    parts: list[str]


class Chain(NamedTuple):
    """Sides of `a = b < c` and the relations between them."""

    sides: list[str]
    relations: list[str]


def pieces(text: str, separators: set[str]) -> tuple[list[str], list[str]]:
    """The text cut at separators outside of all brackets, and the separators found."""
    parts, found, depth, start = [], [], 0, 0
    for match in SPECIAL.finditer(text):
        mark = match.group()
        if mark in OPENS or mark.startswith("\\begin"):
            depth += 1
        elif mark in CLOSES or mark.startswith("\\end"):
            depth -= 1
        elif depth == 0 and mark in separators:
            parts.append(text[start : match.start()].strip())
            found.append(mark)
            start = match.end()
    parts.append(text[start:].strip())
    return parts, found


def group(text: str) -> Group:
    """The parts of a list, set, tuple or interval; one part if it is none."""
    if "\\pm" in text and text.startswith("(") and _encloses(text, 1, 1):
        return Group("", "", signed_points(text))
    opening = next((mark for mark in PAIRS if mark != "|" and text.startswith(mark)), "")
    closing = next((mark for mark in PAIRS.values() if mark != "|" and text.endswith(mark)), "")
    if opening and closing and _encloses(text, len(opening), len(closing)):
        inner = unwrapped(text[len(opening) : len(text) - len(closing)].strip())
        return Group(opening, closing, _comma_parts(inner))
    return Group("", "", _comma_parts(_and_as_comma(text)))


def _and_as_comma(text: str) -> str:
    if "and" not in text and "or" not in text:
        return text
    while (shorter := TEXT_AND.sub(r"\\text{\1} , \\text{\2}", text)) != text:
        text = shorter
    text = AND.sub(", ", text.replace("\\text{}", " "))
    return re.sub(r"[,;]\s*(?=[,;])", "", text).strip().strip(",;").strip()


def _comma_parts(text: str) -> list[str]:
    """Split at commas and semicolons; a comma between digits may belong to a number if blanks stand behind others."""
    if ";" in text:
        parts, found = pieces(text, {";"})
        if found:
            return [part for part in parts if part]
    if "," not in text:
        return [text]
    if re.search(r",\s", text) and "," not in THOUSANDS.sub("", text).replace(", ", ""):
        text = THOUSANDS.sub(lambda match: match.group().replace(",", ""), text)
    parts, _ = pieces(text, {","})
    return [unwrapped(part) for part in parts if part] or [text]


def _encloses(text: str, opening: int, closing: int) -> bool:
    """True if the bracket at the start closes only at the very end."""
    depth = 0
    for match in SPECIAL.finditer(text, opening, len(text) - closing):
        depth += (match.group() in OPENS) - (match.group() in CLOSES)
        if depth < 0:
            return False
    return depth == 0


def matrix(text: str) -> list[list[str]] | None:
    """Entries of a matrix by rows; a tuple or `\\langle a,b \\rangle` is a column. None if it is neither."""
    text, turned = TURNED.subn("", text)
    found = MATRIX.fullmatch(text) or IN_BRACKETS.fullmatch(text)
    if found:
        rows = [row for row in re.split(r"\\\\|\\cr(?![a-z])", found.group(1)) if row.strip()]
        rows = [row for row in rows if row.strip() != "\\hline"]
        entries = [[entry.strip() for entry in row.split("&")] for row in rows]
        return [list(row) for row in zip(*entries, strict=False)] if turned else entries
    parts = group(text)
    if parts.opening == "[" and all(part.startswith("[") for part in parts.parts):
        return [group(part).parts for part in parts.parts]
    return (
        [[part] for part in parts.parts] if parts.opening in ("(", "[", "\\langle") and len(parts.parts) > 1 else None
    )


def matrix_value(of: Chain) -> str:
    """The last side of `A = ...`, or of a column of names and its values; "" of any other chain."""
    named = (
        is_label(side) or all(is_label(name) for row in matrix(side) or [[""]] for name in row)
        for side in of.sides[:-1]
    )
    return of.sides[-1] if set(of.relations) == {"="} and all(named) else ""


def chain(text: str) -> Chain:
    """The sides of a chain of relations; one side if there is none."""
    return Chain(*pieces(text, RELATIONS))


def turned(of: Chain) -> Chain:
    """The same chain read from its end, `c > b > a` for `a < b < c`."""
    return Chain(of.sides[::-1], [FLIPPED.get(mark, mark) for mark in reversed(of.relations)])


def is_label(text: str) -> bool:
    r"""Whether a left side only names what is equal to the right one: `x`, `f(x)`, `a_{n}`, `|AB|`, `(p,q)`."""
    return bool(LABEL.fullmatch(text)) and not VALUES.fullmatch(text)


def is_quantity(text: str) -> bool:
    r"""Whether a left side may be the quantity that was asked for, without coefficients: `m+n`, `\tan B`, `f(2)`."""
    return bool(QUANTITY.fullmatch(ARGUMENTS.sub("", text))) and "," not in text


def names_quantity(text: str) -> bool:
    r"""Whether a left side is a quantity rather than one side of an equation in x, y or z: `\tan B`, not `x+y`."""
    return is_quantity(text) and not COORDINATE.search(ARGUMENT.sub("", text))


def value(text: str) -> tuple[str, str]:
    """Label and value of `x = 5`, `x \\in [0,1]`, `5 = x`, `Minimum: 1`; no label and the text itself otherwise."""
    word = WORD_LABEL.match(text)
    if word and not chain(text[word.end() :]).relations:
        return word.group().strip(" :=").replace("\\text{", "").rstrip("}:= "), text[word.end() :].strip()
    sides, relations = chain(text)
    if (
        not relations
        or pieces(text, {","})[1]
        or not all(mark in ("=", "\\approx", "\\in", "\\equiv") for mark in relations)
    ):
        return "", text
    labels = [side for side in sides[:-1] if is_label(side)]
    if len(labels) == len(sides) - 1 or (labels and labels[0] == sides[0]):
        return sides[0], sides[-1]
    if len(sides) == 2 and is_label(sides[1]) and not is_label(sides[0]):
        return sides[1], sides[0]
    return "", text


def point(text: str) -> str:
    r"""The coordinates of a point with its name, `P(1,2)` or `\text{the point }(1,2)`; "" for anything else."""
    match = POINT.fullmatch(text)
    return match[1] if match and group(match[1]).opening == "(" else ""


def labelled(parts: list[str]) -> list[tuple[str, str]] | None:
    """Labels and values of parts that are all assignments; `(p,q)=(3,2)` counts as two. None if one is none."""
    found: list[tuple[str, str]] = []
    for part in parts:
        label, text = value(part)
        if not label:
            return None
        names, values = group(label), group(text)
        if names.opening == "(" == values.opening and len(names.parts) == len(values.parts):
            found += zip(names.parts, values.parts, strict=True)
        else:
            found.append((label, text))
    return found


def signed_points(text: str) -> list[str]:
    r"""The points that `(\pm 1, \pm 2)` stands for: both signs of each, but together where `\mp` says so."""
    pieces_ = text.split("\\pm")
    if "\\mp" in text or len(pieces_) > MOST_SIGNS + 1:
        return expand_signs([text])
    points = pieces_[:1]
    for piece in pieces_[1:]:
        points = [f"{point}{sign}{piece}" for point in points for sign in "+-"]
    return points


def expand_signs(parts: list[str]) -> list[str]:
    r"""Each part with a `\pm` as two, one for either sign."""
    if not any("\\pm" in part for part in parts):
        return parts
    expanded = []
    for part in parts:
        if "\\pm" in part:
            expanded.append(part.replace("\\pm", "+").replace("\\mp", "-"))
            part = part.replace("\\pm", "-").replace("\\mp", "+")
        expanded.append(part)
    return expanded


def without_dots(parts: list[str]) -> list[str]:
    r"""`1, 2, \ldots, 6` with all its numbers; where the end is none, `1, 2, 3, \ldots, n`, two are left before it."""
    at = parts.index("\\ldots") if "\\ldots" in parts else 0
    if not at or len(parts) > at + 2 or not all(WHOLE.fullmatch(part) for part in parts[:at]):
        return parts
    numbers = [int(part) for part in parts[:at]]
    step = numbers[1] - numbers[0] if at > 1 else 1
    if step == 0 or numbers != list(range(numbers[0], numbers[0] + at * step, step)):
        return parts
    end = parts[at + 1 :]
    if not end or not WHOLE.fullmatch(end[0]):
        return [str(numbers[0]), str(numbers[0] + step), "\\ldots", *end]
    steps, rest = divmod(int(end[0]) - numbers[0], step)
    if rest or not at <= steps < MOST_BETWEEN:
        return parts
    return [str(numbers[0] + step * count) for count in range(steps + 1)]
