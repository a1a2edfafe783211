"""One spelling for the many that mean the same, and the guard against answers made to exhaust a computer."""

from __future__ import annotations

import re
from collections.abc import Callable

from skythought.boxes import closing_braces

__all__ = ["Parts", "absurd", "matrix", "normalise", "split", "value_side"]

LONGEST = 1000
MOST_DIGITS = 400
MOST_EXPONENT = 10_000
MOST_POWER_OF_SUM = 40
DEEPEST = 40


def _without_blanks(match: re.Match[str]) -> str:
    return match.group().replace(" ", "")


SYMBOLS = str.maketrans(
    {"−": "-", "–": "-", "×": r"\times ", "·": r"\cdot ", "÷": "/", "π": r"\pi ", "∞": r"\infty ", "√": r"\sqrt "}
    | {"≤": r"\leq ", "≥": r"\geq ", "≠": r"\neq ", "∪": r"\cup ", "∩": r"\cap ", "∈": r"\in ", "±": r"\pm "}
    | {"°": r"^\circ ", "，": ",", "（": "(", "）": ")", "：": ":", "\u00a0": " ", "\u202f": " ", "€": "", "£": ""}
)
Replacement = str | Callable[[re.Match[str]], str]
RULES: list[tuple[str, Replacement]] = [
    (r"\\\\(?=[a-zA-Z])", r"\\"),  # a backslash doubled on its way through JSON
    (r"\\(?:left|right|[bB]igg?[lr]?|displaystyle|limits|rm)(?![a-zA-Z])", ""),
    (r"\\[dtc]frac(?![a-zA-Z])", r"\\frac"),
    (r"\\d?binom(?![a-zA-Z])|\\dbinom(?![a-zA-Z])", r"\\binom"),
    (r"\\(?:leqslant|le|lt(?=\s*=))(?![a-zA-Z])", r"\\leq"),
    (r"\\(?:geqslant|ge|gt(?=\s*=))(?![a-zA-Z])", r"\\geq"),
    (r"\\ne(?![a-zA-Z])|!=", r"\\neq"),
    (r"<=", r"\\leq "),
    (r">=", r"\\geq "),
    (r"\\cupdot(?![a-zA-Z])", r"\\cup"),
    (r"\\lbrace(?![a-zA-Z])", r"\\{"),
    (r"\\rbrace(?![a-zA-Z])", r"\\}"),
    (r"(?<=\d)(?:,\s*)?(?<!\\)\\[,!;:]\s*(?=\d{3}(?!\d))", ""),  # 11,\!111 and 1\,234
    (r"^\d{1,3}(?: \d{3})+$", _without_blanks),
    (r"(?<=\d)\{,\}(?=\d{3}(?!\d))", ""),
    (r"(?<!\\)\\[,!;: ]|\\(?:quad|qquad|enspace|hfill)(?![a-zA-Z])|~", " "),
    (r"\\lt(?![a-zA-Z])", "<"),
    (r"\\gt(?![a-zA-Z])", ">"),
    (r"\\(begin|end)\{[bvpV]?matrix\}", r"\\\1{pmatrix}"),
    (r"\^\s*\{?\s*\\(?:circ|degree|textcirc)\s*\}?|\\degree(?![a-zA-Z])", " degrees"),
    (r"\\(?:textbf|textit|mathbf|boldsymbol|bm|mathrm|textrm|operatorname|textnormal|mbox|text)\s*\{", r"\\text{"),
    (r"\\?\$", ""),
    (r"\\\(|\\\)|\\\[|\\\]", " "),
    (r"(?<=[\w)}])\s*\*\*\s*(?=[\w({-])", "^"),
    (r"\*\*", " "),
    (r"\\frac\s*([0-9a-zA-Z])\s*([0-9a-zA-Z])", r"\\frac{\1}{\2}"),
    (r"\\frac\s*([0-9a-zA-Z])\s*\{", r"\\frac{\1}{"),
    (r"(\\frac\{[^{}]*\})\s*([0-9a-zA-Z])", r"\1{\2}"),
    (r"\\sqrt\s*([0-9a-zA-Z])", r"\\sqrt{\1}"),
    (r"\s*(?:\\?%|\bpercent(?:age)?\b|\bpct\b|\\text\{\s*(?:percent(?:age)?|pct|\\?%)\s*\})", "%"),
]
SPELLINGS = [(re.compile(pattern), replacement) for pattern, replacement in RULES]
TEXT = re.compile(r"\\text\{([^{}]*)\}")
AND = re.compile(r"(?:,\s*)?\\text\{\s*(?:and|or)\s*\}|(?:,\s*|\s+)(?:and|or)\s+(?!\w*\s*equal)")
UNIT_TEXT = re.compile(r"(?<=[\d})\]a-zA-Z%])\s*\\text\{\s*[^{}]*[a-zA-Z][^{}]*\}(?:\s*\^\s*\{?\s*-?\d\s*\}?)?\s*\.?$")
KNOWN_UNITS = (
    "degrees?|(?:deci|centi|milli|kilo)?met(?:er|re)s?|seconds?|minutes?|hours?|days?|weeks?|months?|years?|dollars?|cents?|"
    "miles?|inch(?:es)?|feet|foot|grams?|lit(?:er|re)s?|units?|km/h|mph|[cmk]m|kg|mg|ml|ft|cm|g|m|s|h"
)
UNIT_WORDS = re.compile(
    # Letters right behind a number may be a product ("6abc"): only known units are dropped there.
    rf"(?<=[\d}})%])(?:\s*(?:{KNOWN_UNITS})|\s+(?!pi\b|sqrt\b|or\b|and\b)[a-zA-Z]{{3,}})"
    r"(?:\s+[a-zA-Z]{2,})*(?:\s*\^\s*\{?\s*\d\s*\}?)?\.?$"
)
ASSIGNED = re.compile(
    r"^(?:[a-zA-Z](?:_\{?\w+\}?)?'?(?:\([a-zA-Z0-9]\))?|\\[a-z]+(?:_\{?\w+\}?)?|\|?[A-Z]{2,3}\|?|\([a-z](?:,\s*[a-z])+\))"
    r"\s*(?:=|\\approx|\\in(?![a-zA-Z]))\s*(?=\S)"
)
BACKWARDS = re.compile(r"^([^=<>]+)=\s*[a-z]$")
MATRIX = re.compile(r"\\begin\{pmatrix\}(.+)\\end\{pmatrix\}", re.DOTALL)
OPENING = {"(": ")", "[": "]", "\\{": "\\}"}
COMPACT = re.compile(r"(?<![a-zA-Z])\s+|\s+(?![a-zA-Z])")


class Parts(tuple[str, ...]):
    """Top-level parts of a list, set, tuple or interval, with the brackets around them ("" if none)."""

    opening: str = ""
    closing: str = ""

    @property
    def ordered(self) -> bool:
        """True for tuples and intervals; lists without brackets and sets may come in any order."""
        return self.opening in ("(", "[")


def normalise(text: str) -> str:
    """`text` in the spelling that all comparisons work on. Equal results mean equal answers; nothing is computed."""
    text = text.translate(SYMBOLS).strip()
    for pattern, replacement in SPELLINGS:
        text = pattern.sub(replacement, text)
    # A comma with a blank separates parts; one without may belong to a number, which `number` and `split` decide.
    text = re.sub(r",\s+", ";", AND.sub(", ", text))
    text = re.sub(r"^\\quad|\s+", " ", text).strip().rstrip(".;:").strip()
    text = _without_units(text)
    text = TEXT.sub(lambda match: match.group(1).strip(), text)
    text = re.sub(r"^\((-?[A-Za-z])\)$", r"\1", text.strip())
    return _unwrapped(COMPACT.sub(_joined, text).strip())


def _joined(match: re.Match[str]) -> str:
    # Between two digits a blank means something ("1 1/2", "3 4"); elsewhere it does not.
    before, after = match.string[match.start() - 1 : match.start()], match.string[match.end() : match.end() + 1]
    return " " if before.isdigit() and after.isdigit() else ""


def _without_units(text: str) -> str:
    for pattern in (UNIT_TEXT, UNIT_WORDS):
        shorter = pattern.sub("", text).strip()
        if shorter and shorter != text and re.search(r"\d|[a-zA-Z]$|[})]$", shorter):
            text = shorter
    return text


def _unwrapped(text: str) -> str:
    """Without braces that enclose the whole."""
    while text.startswith("{") and closing_braces(text).get(0) == len(text) - 1:
        text = text[1:-1].strip()
    return text


def value_side(text: str) -> str:
    """The value in `x = value`, `x \\in value` or `value = x`; the text itself if it is no such thing."""
    match = ASSIGNED.match(text)
    if match and not re.search(r"[=<>]|\\[lg]eq|\\neq", text[match.end() :]):
        return text[match.end() :].strip()
    backwards = BACKWARDS.match(text)
    return backwards.group(1).strip() if backwards else text


def split(text: str) -> Parts:
    """The parts between top-level commas (or semicolons), e.g. of `(1,2)`, `{1,2}` or `1,2`."""
    opening = next((mark for mark in OPENING if text.startswith(mark)), "")
    closing = next((mark for mark in (")", "]", "\\}") if text.endswith(mark)), "")
    inner = text
    if opening and closing and _encloses(text, len(opening), len(closing)):
        inner = text[len(opening) : len(text) - len(closing)]
    else:
        opening = closing = ""
    parts = Parts(part.strip() for part in _top_level(inner))
    parts.opening, parts.closing = opening, closing
    return parts


def matrix(text: str) -> list[list[str]] | None:
    """Rows of a normalised matrix, or None if the text is not one. A tuple is a column, as vectors are written."""
    if found := MATRIX.fullmatch(text):
        rows = [row for row in found.group(1).split(r"\\") if row.strip()]
        return [[entry.strip() for entry in row.split("&")] for row in rows]
    parts = split(text)
    return [[part] for part in parts] if parts.opening == "(" and len(parts) > 1 else None


def _encloses(text: str, opening: int, closing: int) -> bool:
    """True if the bracket at the start closes only at the very end."""
    depth = 0
    for position in range(opening, len(text) - closing):
        depth += (text[position] in "([{") - (text[position] in ")]}")
        if depth < 0:
            return False
    return depth == 0


def _top_level(text: str) -> list[str]:
    parts, depth, start = [], 0, 0
    for position, character in enumerate(text):
        depth += (character in "([{") - (character in ")]}")
        if character in ",;" and depth == 0:
            parts.append(text[start:position])
            start = position + 1
    return [*parts, text[start:]]


def absurd(text: str) -> str | None:
    """Why an answer is not worth handing to an algebra system, or None if it is fine.

    Towers of powers, powers and factorials with astronomically many digits, and endless texts would occupy it for
    ever; no benchmark's answer looks like that.
    """
    if len(text) > LONGEST:
        return f"the answer is {len(text):,} characters long (at most {LONGEST:,} are compared)"
    if re.search(rf"\d{{{MOST_DIGITS},}}", re.sub(r"[,\s]", "", text)):
        return f"the answer has a number of more than {MOST_DIGITS} digits"
    if re.search(rf"[({{\[]{{{DEEPEST}}}", text) or text.count("\\sqrt{\\sqrt{") > DEEPEST // 4:
        return "the answer is nested too deeply"
    plain = re.sub(r"[{}()\s]|\\left|\\right", "", text.replace("**", "^"))
    tower = re.search(r"(?:\d|!)\^-?(\d+)(!?)\^(\d+)", plain)
    if tower and (len(tower[1]) > 4 or len(tower[3]) > 1 or int(tower[1]) ** int(tower[3]) > MOST_EXPONENT):
        return "the answer is a tower of powers"
    if re.search(r"\^-?\d+(?:!|\^\d+\^)", plain) or re.search(r"\d{4,}!|\d!+!|!\)+!|!\}+!", text.replace(" ", "")):
        return "the answer has a factorial or power that is too large"
    if any(int(found[:9]) > MOST_EXPONENT for found in re.findall(r"\^-?(\d+)", plain)):
        return f"the answer has an exponent above {MOST_EXPONENT:,}"
    if any(int(found) > MOST_POWER_OF_SUM for found in re.findall(r"[a-zA-Z][^,=]*\)\s*\^\s*\{?\s*(\d+)", text)):
        return "the answer is a large power of a sum"
    if re.search(r"\\binom\{\d{5,}\}", text):
        return "the answer has a binomial coefficient that is too large"
    if r"\int" in text and "=" not in text:
        return "the answer holds an integral that is not worked out"
    return None
