r"""Rewritings of an answer that keep its value, and changes that alter it: tables for `answer_styles`.

A rule gives another writing of a text, or None where it does not apply. A new rewriting is a line in `REWRITINGS` (or
in `OF_LETTER` for options), a new change one in `A_NUMBER`, `A_FORMULA`, `OF_LETTERS` or `A_TEXT`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from answer_golds import Gold, changed_digit

__all__ = ["changes", "plain", "writings"]

Rewrite = Callable[[str], str | None]
"""Another writing of a text; None where the rule does not apply."""

PLAIN_FRACTION = re.compile(r"\\[dt]?frac\{(\w+)\}\{(\w+)\}")
BESIDE = re.compile(PLAIN_FRACTION.pattern + r"(?=\s*[\w\\(π√])")
"""A fraction before a factor, which without LaTeX needs brackets."""
MIXED = re.compile(r"(\d)(?=\\[dt]?frac)")
INTEGER = re.compile(r"(?<![\d.^_{\w])\d{4,}(?![\d.\w])")
SUPERSCRIPT = dict(zip("0123456789-n", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻ⁿ", strict=True))
SUBSCRIPT = dict(zip("0123456789", "₀₁₂₃₄₅₆₇₈₉", strict=True))
SIGNS = {
    "\\pi": "π", "\\infty": "∞", "\\cup": "∪", "\\leq": "≤", "\\geq": "≥", "\\le": "≤", "\\ge": "≥", "\\cdot": "·",
    "\\times": "×", "\\pm": "±", "^\\circ": "°", "^{\\circ}": "°", "\\in": "∈", "\\left": "", "\\right": "",
    "\\%": "%", "\\$": "$", "\\,": " ", "\\{": "{", "\\}": "}",
}  # fmt: skip


def sub(pattern: str, replacement: str) -> Rewrite:
    """A rule that replaces what a pattern finds."""
    return lambda text: re.sub(pattern, lambda match: match.expand(replacement), text)


def around(before: str, after: str, where: str = ".*") -> Rewrite:
    """A rule that puts something before and behind a text of some form."""
    return lambda text: before + text + after if re.fullmatch(where, text, re.DOTALL) else None


def thousands(separator: str) -> Rewrite:
    """Digits in groups of three."""
    return lambda text: INTEGER.sub(lambda match: f"{int(match.group()):,}".replace(",", separator), text)


def signs(text: str) -> str | None:
    """Every LaTeX command as its Unicode sign; None if one is left, or where a mixed number would be another."""
    if MIXED.search(text):
        return None
    for command, sign in SIGNS.items():
        text = re.sub(re.escape(command) + r"(?![a-zA-Z])\s?", sign, text)
    text = re.sub(r"\\text\s*\{([^{}]*)\}|\\mathrm\s*\{([^{}]*)\}", r"\1\2", text)
    text = re.sub(r"\^(?:\{([-\dn]+)\}|([\dn]))", lambda match: _small(match[1] or match[2], SUPERSCRIPT), text)
    text = re.sub(r"_(?:\{(\d+)\}|(\d))", lambda match: _small(match[1] or match[2], SUBSCRIPT), text)
    text = BESIDE.sub(r"(\1/\2)", text)
    text = PLAIN_FRACTION.sub(r"\1/\2", text)
    text = re.sub(r"\\sqrt\[3\]\{(\w+)\}", r"∛\1", text)
    text = re.sub(r"\\sqrt\s*\{(\w+)\}", r"√\1", text)
    text = re.sub(r"\\sqrt\s*\{([^{}]+)\}", r"√(\1)", text).replace("-", "−")
    return None if "\\" in text or "^" in text else text


def _small(text: str, letters: dict[str, str]) -> str:
    return "".join(letters[char] for char in text)


def plain(text: str) -> str | None:
    """A formula as one types it without LaTeX; None if that cannot be said."""
    text = MIXED.sub(r"\1 ", text)
    text = re.sub(r"\\(?:left|right)(?![a-zA-Z])", "", text)
    for _ in range(3):
        text = re.sub(r"\\text\s*\{([^{}]*)\}|\\mathrm\s*\{([^{}]*)\}", r"\1\2", text)
        text = re.sub(r"\\sqrt\s*\{([^{}]+)\}", r"sqrt(\1)", text)
        text = BESIDE.sub(r"(\1/\2)", text)
        text = PLAIN_FRACTION.sub(r"\1/\2", text)
        text = re.sub(r"\\[dt]?frac\{([^{}]+)\}\{([^{}]+)\}(?=\s*[\w\\(])", r"((\1)/(\2))", text)
        text = re.sub(r"\\[dt]?frac\{([^{}]+)\}\{([^{}]+)\}", r"(\1)/(\2)", text)
        text = re.sub(r"\^\{(\w)\}", r"^\1", text)
        text = re.sub(r"\^\{([^{}\\]+)\}", r"^(\1)", text)
    text = re.sub(r"_\{(\w+)\}", r"_\1", text)
    text = re.sub(r"(?<=[a-z])\\pi", r"*\\pi", text)
    words = {"\\cdot": "*", "\\times": "*", "\\pi": "pi", "\\leq": "<=", "\\geq": ">=", "\\le": "<=", "\\ge": ">="}
    words |= {"\\infty": "infinity", "\\cup": "U", "^\\circ": " degrees", "^°": " degrees", "\\%": "%", "\\$": "$"}
    words |= {"\\{": "{", "\\}": "}", "\\,": " ", "\\ln": "ln", "\\sin": "sin", "\\cos": "cos", "\\arctan": "arctan"}
    for command, word in words.items():
        text = re.sub(re.escape(command) + r"(?![a-zA-Z])", word.replace("\\", "\\\\"), text)
    return None if "\\" in text or "^(th" in text else text


def reversed_list(text: str) -> str | None:
    """The members of a set the other way round."""
    match = re.fullmatch(r"(\\\{)?([^()\[\]\\,{}]+(?:,[^()\[\]\\,{}]+)+)(\\\})?", text)
    return (match[1] or "") + ", ".join(reversed(match[2].split(","))).strip() + (match[3] or "") if match else None


def exact_decimal(text: str) -> str | None:
    """A fraction of integers that is a short decimal."""
    match = re.fullmatch(r"(-?)\\d?frac\{(\d+)\}\{(2|4|5|8|10|20|25|40|50|100|125|250|1000)\}", text)
    return match[1] + f"{int(match[2]) / int(match[3]):.6f}".rstrip("0").rstrip(".") if match else None


NUMBER = r"-?\d+(?:\.\d+)?"
POSITIVE = r"\d+(?:\.\d+)?"
FORMULA = r"(?!.*[=<>%$,:|]|.*\\(?:text|in|le|ge|circ|cup|begin|pm|mathrm|mathbb)|\(|\[|.*_\d|[a-z]+$).*[^%]"
REWRITINGS: dict[str, list[tuple[str, Rewrite]]] = {
    "math": [
        ("dfrac", sub(r"\\frac", r"\\dfrac")),
        ("tfrac", sub(r"\\frac", r"\\tfrac")),
        ("cfrac", sub(r"\\frac", r"\\cfrac")),
        ("frac of digits", sub(r"\\frac\{(\d)\}\{(\d)\}(?!\d)", r"\\frac\1\2")),
        ("a/b", lambda text: PLAIN_FRACTION.sub(r"\1/\2", text) if PLAIN_FRACTION.fullmatch(text) else None),
        ("exact decimal", exact_decimal),
        ("decimal with a zero more", sub(r"^(-?\d+\.\d+)$", r"\g<1>0")),
        ("thousands, comma", thousands(",")),
        ("thousands, {,}", thousands("{,}")),
        ("thousands, thin space", thousands("\\,")),
        ("thousands, \\!", thousands(",\\!")),
        ("blanks around signs", sub(r"(?<=[\w})])([+=<>-])(?=[\w\\(])", r" \1 ")),
        ("no blanks", sub(r"(?<![a-zA-Z&\\\d]) (?![a-zA-Z])| (?=[-+=<>,])|(?<=[-+=<>,]) (?![a-z])", "")),
        ("thin spaces", sub(r"(?<=[\w)])([+=])(?=[\w(])", r"\\,\1\\,")),
        ("left and right", sub(r"^([(\[])([^()\[\]]*)([)\]])$", r"\\left\1\2\\right\3")),
        ("big brackets", sub(r"^([(\[])([^()\[\]]*)([)\]])$", r"\\bigl\1\2\\bigr\3")),
        ("no left and right", sub(r"\\(?:left|right)(?![a-zA-Z])", "")),
        ("cdot", sub(r"(?<=\d)(?=\\sqrt|\\pi)", r" \\cdot ")),
        ("times sign for times", sub(r"\\times", r"\\cdot")),
        ("sqrt without braces", sub(r"\\sqrt\{(\d)\}", r"\\sqrt\1")),
        ("braces around exponents", sub(r"\^(\d)(?!\d)", r"^{\1}")),
        ("order of a set", reversed_list),
        ("unicode", signs),
        ("plain text", plain),
        ("minus sign", sub(r"-(?=\d)", "−")),
        ("leading plus", around("+", "", POSITIVE)),
        ("brackets around", around("(", ")", FORMULA)),
        ("braces around", around("{", "}")),
        ("with a name", around("S = ", "", FORMULA)),
        ("with a function", around("f(2) = ", "", NUMBER + r"|-?\\d?frac\{\d+\}\{\d+\}|-?\d*\\(?:sqrt\{\d+\}|pi)")),
        ("full stop", around("", ".")),
        ("display style", around("\\displaystyle ", "")),
        ("space at the end", around("", "\\,")),
        ("pmatrix, bmatrix", sub(r"\{pmatrix\}", "{bmatrix}")),
        ("degrees in text", sub(r"\^(?:\{\\circ\}|\\circ)", r" \\text{ degrees}")),
        ("units in mathrm", sub(r"(?<=\d)\\text\{ ?", r"\\,\\mathrm{")),
        ("le, leq", sub(r"\\leq(?![a-z])", r"\\le")),
        ("le, leqslant", sub(r"\\leq(?![a-z])", r"\\leqslant")),
        ("i, mathrm", sub(r"(?<![a-zA-Z])i(?![a-zA-Z])", r"\\mathrm{i}")),
    ],
    "number": [
        ("thousands, comma", thousands(",")),
        ("thousands, {,}", thousands("{,}")),
        ("dollar", around("$", "", POSITIVE)),
        ("dollar of LaTeX", around("\\$", "", POSITIVE)),
        ("dollars", around("", " dollars", POSITIVE)),
        ("unit", around("", " apples", POSITIVE)),
        ("unit in text", around("", "\\text{ miles}", POSITIVE)),
        ("unit, long", around("", " hours per week", POSITIVE)),
        (".0", around("", ".0", r"-?\d+")),
        (".00", around("", ".00", r"-?\d+")),
        ("leading plus", around("+", "", POSITIVE)),
        ("brackets around", around("(", ")", POSITIVE)),
        ("minus sign", sub("-", "−")),
        ("with a name", around("x = ", "")),
        ("sum", lambda text: f"{int(text) - 1} + 1" if re.fullmatch(r"\d{2,}", text) else None),
        ("product", lambda text: f"2 \\times {text} / 2" if re.fullmatch(r"\d+", text) else None),
        ("worked equation", lambda text: f"{int(text) - 4} + 4 = {text}" if re.fullmatch(r"\d{2,}", text) else None),
        ("full stop", around("", ".")),
        ("display style", around("\\displaystyle ", "")),
    ],
    "choice": [],
    "text": [
        ("full stop", around("", ".")),
        ("small letters", lambda text: text.lower() if len(text) > 3 else None),
        ("capitals", lambda text: text.upper() if len(text) > 3 else None),
        ("text", around("\\text{", "}")),
        ("textbf", around("\\textbf{", "}")),
        ("quotes", around('"', '"')),
        ("bold", around("**", "**", r"[^*]+")),
        ("wide blanks", sub(" ", "  ")),
        ("commas", sub(r"(?<=[a-z]) (?=[a-z])", ", ")),
        ("minus sign", sub("^-", "−")),
    ],
}
OF_LETTER = [
    ("(B)", "({0})"),
    ("B.", "{0}."),
    ("B)", "{0})"),
    ("B. text", "{0}. {1}"),
    ("B) text", "{0}) {1}"),
    ("(B) text", "({0}) {1}"),
    ("B: text", "{0}: {1}"),
    ("B - text", "{0} - {1}"),
    ("\\text{B}", "\\text{{{0}}}"),
    ("\\text{(B)}", "\\text{{({0})}}"),
    ("\\textbf{(B)}", "\\textbf{{({0})}}"),
    ("\\mathbf{B}", "\\mathbf{{{0}}}"),
    ("\\text{B. text}", "\\text{{{0}. {1}}}"),
    ("option B", "option {0}"),
    ("Option B", "Option {0}"),
    ("choice (B)", "choice ({0})"),
    ("[B]", "[{0}]"),
    ("bold", "**{0}**"),
    ("text alone", "{1}"),
]

A_NUMBER = [
    ("two, with or", "{0} or {1}"),
    ("two, with a comma", "{0}, {1}"),
    ("a point", "({0}, 12)"),
    ("squared", "{0}^2"),
    ("factorial", "{0}!"),
    ("imaginary", "{0}i"),
    ("in base 8", "{0}_8"),
    ("greater than, sign", ">{0}"),
    ("less than, sign", "< {0}"),
    ("more than", "more than {0}"),
    ("less than", "less than {0}"),
    ("at least", "at least {0}"),
    ("not", "not {0}"),
    ("not, LaTeX", "not\\ {0}"),
    ("anything but", "anything but {0}"),
    ("million", "{0} million"),
    ("million, in text", "{0}\\text{{ million}}"),
    ("thousand", "{0} thousand"),
    ("dozen", "{0} dozen"),
    ("half of", "half of {0}"),
    ("twice", "twice {0}"),
    ("product", "{0} x 3"),
    ("product, LaTeX", "{0} \\times 3"),
    ("time of day", "{0}:30"),
    ("range", "{0} to {0}9"),
    ("between", "between {0} and {0}9"),
    ("plus or minus", "{0} \\pm 1"),
    ("a factor", "{0}x"),
    ("pi", "{0}\\pi"),
    ("root", "\\sqrt{{{0}}}"),
    ("a digit before", "1{0}"),
    ("power of ten", "{0} \\times 10^3"),
    ("sum", "{0} + 5"),
    ("congruent to another", "1000 \\equiv {1} \\pmod{{{0}}}"),
    ("equation with another", "{0} = {1}"),
    ("two, with and", "{0} and {1}"),
    ("two, with either", "either {0} or {1}"),
    ("two, with a semicolon", "{0}; {1}"),
    ("two, with or of LaTeX", "{0} \\text{{ or }} {1}"),
    ("two in braces", "\\{{{0}, {1}\\}}"),
    ("two in square brackets", "[{0}, {1}]"),
    ("two lines", "{0} \\\\ {1}"),
    ("neither", "neither {0} nor {1}"),
    ("inequality", "x < {0}"),
    ("inequality, LaTeX", "x \\geq {0}"),
    ("unequal", "\\neq {0}"),
    ("half", "{0}/2"),
    ("one part of it", "\\frac{{1}}{{{0}}}"),
    ("a digit behind the point", "0.0{0}"),
    ("power of ten, e", "{0}e3"),
    ("k", "{0}k"),
    ("hundred", "{0} hundred"),
    ("billion", "{0} billion"),
    ("trillion, in text", "{0}\\text{{ trillion}}"),
    ("squared, in words", "{0} squared"),
    ("root, in words", "the square root of {0}"),
    ("divided, in words", "{0} divided by 4"),
    ("a third of", "a third of {0}"),
    ("three times", "three times {0}"),
    ("greater than, words", "greater than {0}"),
    ("at most", "at most {0}"),
    ("up to", "up to {0}"),
    ("over", "over {0}"),
    ("fewer than", "fewer than {0}"),
    ("percent of", "{0}% of {1}"),
    ("less one", "{0} - 1"),
    ("repeated digits", "\\overline{{{0}}} + 3"),
    ("logarithm", "\\log {0}"),
    ("vector", "\\begin{{pmatrix}} {0} \\\\ 1 \\end{{pmatrix}}"),
]
"""Of positive numbers without unit, at least 3; {1} is another number."""
A_FORMULA = [
    ("negative", "-({0})"),
    ("twice", "2({0})"),
    ("one more", "{0} + 1"),
    ("root", "\\sqrt{{{0} + 7}}"),
    ("reciprocal of one more", "\\frac{{1}}{{{0} + 1}}"),
    ("two, with or", "{0} \\text{{ or }} {1}"),
    ("two, with a comma", "{0}, {1}"),
    ("not", "\\text{{not }} {0}"),
    ("not, with a sign", "\\neq {0}"),
    ("less than", "< {0}"),
]
OF_LETTERS = [
    ("two, with or", "{0} or {1}"),
    ("two, with and", "{0} and {1}"),
    ("two, with a comma", "{0}, {1}"),
    ("two in brackets", "\\text{{({0})}}, \\text{{({1})}}"),
    ("not", "not {0}"),
    ("neither", "neither {0} nor {1}"),
    ("anything but", "anything but {0}"),
    ("another, not this", "{1}, not {0}"),
    ("two, with a slash", "{0}/{1}"),
    ("two letters together", "{0}{1}"),
    ("either", "either {0} or {1}"),
    ("all but", "all but {0}"),
    ("incorrect", "{0} is incorrect"),
]
A_TEXT = [
    ("two, with or", "{0} or {1}"),
    ("two, with a slash", "{0} / {1}"),
    ("not", "not {0}"),
    ("neither", "neither {0} nor {1}"),
    ("another first", "{1}, not {0}"),
    ("two, with a comma", "{0}, {1}"),
    ("either", "either {0} or {1}"),
    ("half", "partly {0}"),
    ("to be false", "{0} is wrong"),
]
ONE_VALUE = ("list", "interval", "inequality", "letters", "words", "base", "time", "ratio", "equation")
"""Kinds of formulas that `A_FORMULA` does not hold for: some of its lines would make no change, or no formula."""


def writings(gold: Gold) -> Iterator[tuple[str, str]]:
    """Other writings of a gold answer, each with the name of its rule."""
    for text in gold.same:
        yield "another form", text
    if gold.group == "choice":
        letter = gold.target
        text = gold.choices["ABCDEFGHIJ".index(letter)] if gold.choices else ""
        yield from ((name, form.format(letter, text)) for name, form in OF_LETTER if _is_fit(name, gold.choices, text))
    for name, rule in REWRITINGS[gold.group]:
        text = rule(gold.target)
        if text is not None and text != gold.target:
            yield name, text


def changes(gold: Gold) -> Iterator[tuple[str, str]]:
    """Wrong answers made of the right one, each with the name of its rule."""
    yield from (("another value", text) for text in gold.other)
    if gold.group == "choice":
        forms = OF_LETTERS
    elif gold.group == "text":
        forms = A_TEXT if gold.kind in ("text truth", "text name") else []
    else:
        yield from (("a digit changed", text) for text in changed_digit(gold.target))
        yield from [("a digit more", gold.target + "0")] if re.fullmatch(r"[1-9]\d*", gold.target) else []
        number = re.fullmatch(POSITIVE, gold.target) and float(gold.target) >= 3
        forms = A_NUMBER if number else A_FORMULA if _is_formula(gold) else []
        if gold.group == "math" and not number and forms:
            turned = re.sub(r"(?<=[\w)}]) ?([+-])", lambda match: "-" if match[1] == "+" else "+", gold.target, count=1)
            yield from [("another operator", turned)] if turned != gold.target else []
    yield from ((name, form.format(gold.target, gold.other[0])) for name, form in forms)


def _is_formula(gold: Gold) -> bool:
    return (
        gold.group == "math"
        and gold.kind not in ONE_VALUE
        and gold.target != "0"
        and re.fullmatch(FORMULA, gold.target) is not None
    )


def _is_fit(name: str, options: tuple[str, ...], text: str) -> bool:
    """Whether a form of an option makes sense: with its text only where no option may be taken for a letter, nor
    dollars in a command for text.
    """
    if name.startswith("\\text") and "$" in text:
        return False
    return "text" not in name.replace("\\text", "") or bool(options and min(map(len, options)) > 2)
