r"""A text as words that stay the same however it is typeset: what duplicates and leaks are found by.

`\frac{1}{2}`, `1/2` and `½`, `$1{,}000$` and `1,000`, `\pi` and π, bold type, HTML and line breaks come to the same
words. Only letters and digits are words; signs of operation are kept apart, for texts too short to do without them.
"""

from __future__ import annotations

import html
import re
import unicodedata
from functools import cache

__all__ = ["END", "is_word", "numbers", "tokens", "words"]

END = "\n"
"""The token for the end of a sentence or line."""

COMBINING = {
    **{chr(code): f" {index}" for index, code in enumerate([0x2070, 0xB9, 0xB2, 0xB3, *range(0x2074, 0x207A)])},
    **{chr(0x2080 + digit): f" {digit}" for digit in range(10)},
    **{char: f" {unicodedata.normalize('NFKC', char).replace('⁄', '/')}" for char in "¼½¾⅐⅑⅒⅓⅔⅕⅖⅗⅘⅙⅚⅛⅜⅝⅞"},
}
"""Characters that would run into the digit before them: `5²` is not 52."""
SIGNS = str.maketrans(
    {
        **COMBINING,
        **dict.fromkeys("−–—‐‑‒﹣-", "-"),
        **dict.fromkeys("×⋅·∙∗•", "*"),
        **dict.fromkeys("÷∕⁄", "/"),
        **dict.fromkeys("。？！：｡", ". "),
        **dict.fromkeys("\u00a0\u2007\u2009\u200a\u202f", " "),
        **dict.fromkeys("\u200b\u200c\u200d\u2060\ufeff\u00ad", ""),
        "≤": "<=",
        "≥": ">=",
        "°": " degrees ",
        "∞": " infinity ",
        "∠": " angle ",
        "△": " triangle ",
        "∆": " triangle ",
        "Δ": " delta ",
        "%": " percent ",
    }
)
GREEK = re.compile("[\u0370-\u03ff]")
# Commands that are a word where they are spoken, or where others write the character.
SPOKEN = {
    **{f"var{name}": name for name in ("epsilon", "phi", "theta", "rho", "sigma", "pi", "kappa")},
    **{
        name: name
        for name in re.findall(r"\w+", "sin cos tan cot sec csc arcsin arccos arctan log ln exp max min lim gcd det")
    },
    **{name: name for name in ["triangle", "angle", "sinh", "cosh", "tanh"]},
    **{name: "mod" for name in ("mod", "bmod", "pmod")},
    **{name: "-" for name in ("minus",)},
    **{name: "*" for name in ("times", "cdot", "ast")},
    **{name: "/" for name in ("div", "over")},
    **{name: "<=" for name in ("le", "leq", "leqslant")},
    **{name: ">=" for name in ("ge", "geq", "geqslant")},
    **{name: "=" for name in ("ne", "neq")},
    "circ": "degrees",
    "degree": "degrees",
    "infty": "infinity",
    "lt": "<",
    "gt": ">",
}
GREEK_NAMES = re.findall(
    r"\w+",
    "alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu nu xi pi rho sigma tau upsilon phi chi psi "
    "omega",
)
SPOKEN.update({name: name for name in GREEK_NAMES} | {name.capitalize(): name for name in GREEK_NAMES})

PICTURES = re.compile(r"\[asy\].*?\[/asy\]|!\[[^\]\n]*\]\([^)\n]*\)|https?://\S+", re.DOTALL | re.IGNORECASE)
TAGS = re.compile(
    r"</?(?:p|br|div|span|b|i|em|strong|sub|sup|code|pre|ul|ol|li|table|tr|td|th|tbody|img|a|center|h[1-6])"
    r"(?:\s+[a-z-]+=[^<>]*)?\s*/?>",
    re.IGNORECASE,
)
SPACE = re.compile(r",?\\(?:[,;:!> ]|(?:thin|med|thick)space\b)|\{,\}|~")
SHORT_FRACTION = re.compile(r"\\[dtc]?frac\s*(\d|\{[^{}]*\})\s*(\d|\{[^{}]*\})")
UNSEEN = re.compile(
    r"\\(?:begin|end)\s*\{[^{}]*\}(?:\s*\{[lcr|@\s]*\})?|\\(?:hspace|vspace|label|color|includegraphics)\*?"
    r"(?:\[[^\]]*\])?\s*\{[^{}]*\}",
    re.IGNORECASE,
)
BETWEEN = re.compile(r"\}\s*\{")
COMMAND = re.compile(r"\\\\\[-?[\d.]+[a-z]{2}\]|\\([A-Za-z]+)\*?|\\\\|\\([%$&#_])|\\.")
THOUSANDS = re.compile(r"(?<![\d.,])\d{1,3}(?:,\d{3})+(?!,?\d)|(?<![\d.,])(?<!\d\s)\d{1,3}(?: 000)+(?![\s,]?\d)")
THIN = re.compile("(?<=\\d)[\u00a0\u2007\u2009\u202f](?=\\d{3}(?!\\d))")
"""Spaces that only stand inside of numbers; a plain one does so before zeros: `100 200` may be two numbers."""
POWER = re.compile(r"\*\*")
LABEL = re.compile(
    r"^[ \t]*(?:[-*#>]+[ \t]+)?(?:\(?(?:[A-Ja-j]|\d{1,2})[.):]+[ \t]+)?(?=[^\W\d_$\\])|(?<=[ \t])\([A-Ja-j]\)[ \t]+",
    re.MULTILINE,
)
"""What stands before an item of a list, a heading or an option."""
TOKEN = re.compile(
    r"\d+(?:\.\d+)?|\.\d+|[^\W\d_\u0e00-\u0e7f\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]+"
    r"|[\u0e00-\u0e7f\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]|(?<![a-z]{2})-|-(?![a-z]{2})|[+*/<>=]|[.!?:](?=[\"'*)\]]*(?:\s|$))|\n"
)
"""A number, a word, a character of a script without spaces, a sign, or an end."""
ENDS = frozenset(".!?:\n")
UNITS = re.findall(
    r"\w+",
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen "
    "eighteen nineteen",
)
ROUND = re.findall(r"\w+", "twenty thirty forty fifty sixty seventy eighty ninety")
NUMERALS = {
    **{name: str(value) for value, name in enumerate(UNITS)},
    **{name: str(10 * value) for value, name in enumerate(ROUND, 2)},
}
SCALES = {"hundred": 10**2, "thousand": 10**3, "million": 10**6, "billion": 10**9, "trillion": 10**12}
TENS = re.compile(rf"\b({'|'.join(ROUND)})[\s-]+({'|'.join(UNITS[1:10])})\b")
SCALED = re.compile(rf"\b(\d+(?:\.\d+)?|{'|'.join([*UNITS, *ROUND])})[\s-]+({'|'.join(SCALES)})\b")


def tokens(text: str) -> list[str]:
    """Words, signs of operation and ends of sentences (`END`) in order; words are lower-case letters or a number."""
    found = [_token(token) for token in TOKEN.findall(_plain(text))]
    return [token for token in found if token]


def words(text: str) -> list[str]:
    """The words alone."""
    return [token for token in tokens(text) if is_word(token)]


def is_word(token: str) -> bool:
    """Whether a token is a word, and no sign or end."""
    return token[0].isalnum()


def numbers(found: list[str]) -> list[str]:
    """The numbers among words, in order."""
    return [word for word in found if word[0].isdigit()]


def _plain(text: str) -> str:
    """Lower case without LaTeX, markup and other characters for the same thing."""
    if "&" in text:
        text = html.unescape(text)
    if "<" in text:
        text = TAGS.sub(" ", text)
    text = LABEL.sub(" ", text)
    if "](" in text or "/asy]" in text.lower() or "://" in text:
        text = PICTURES.sub(" ", text)
    text = text.replace("$", " ")
    if "\\" in text or "{" in text:
        text = _without_latex(text)
    text = _ascii(text).lower()
    text = THOUSANDS.sub(lambda match: match[0].replace(",", "").replace(" ", ""), text)
    text = POWER.sub(" ", text)
    text = TENS.sub(lambda match: str(int(NUMERALS[match[1]]) + int(NUMERALS[match[2]])), text)
    return SCALED.sub(_scaled, text) if "illion" in text or "hundred" in text or "thousand" in text else text


def _scaled(match: re.Match[str]) -> str:
    value = float(NUMERALS.get(match[1], match[1])) * SCALES[match[2]]
    return f"{value:.0f}" if value.is_integer() else match[0]


def _ascii(text: str) -> str:
    """Characters for the same thing as one; letters without accents."""
    if text.isascii():
        return text.replace("%", " percent ")
    text = THIN.sub(",", text)
    text = unicodedata.normalize("NFKD", text.translate(SIGNS)).translate(SIGNS)
    if not text.isascii():
        text = "".join(char for char in text if not unicodedata.combining(char))
        text = GREEK.sub(lambda match: f" {_greek(match[0])} ", text)
    return text


@cache
def _greek(char: str) -> str:
    return unicodedata.name(char, "").rpartition(" ")[2].lower().replace("lamda", "lambda")


def _without_latex(text: str) -> str:
    text = SPACE.sub(_space, text)
    text = SHORT_FRACTION.sub(r" \1/\2 ", UNSEEN.sub(" ", text))
    text = COMMAND.sub(_spoken, text)
    return BETWEEN.sub("/", text).replace("{", " ").replace("}", " ")


def _space(match: re.Match[str]) -> str:
    r"""A thin space or `{,}` between the digits of a number is its comma; elsewhere it is a space."""
    before, after = match.string[: match.start()][-1:], match.string[match.end() :][:4]
    return "," if before.isdigit() and re.match(r"\d{3}(?!\d)", after) else " "


def _spoken(match: re.Match[str]) -> str:
    name, sign = match.groups()
    if name:
        return f" {SPOKEN.get(name, '')} "
    return "%" if sign == "%" else " "


def _token(token: str) -> str:
    """The token as it counts; empty for what only LaTeX or code says in words."""
    if token in ENDS:
        return END
    if token[0] == ".":
        token = f"0{token}"
    if token[0].isdigit():
        return _number(token)
    return NUMERALS.get(token, "" if token in ("sqrt", "frac", "cdot") else token)


def _number(token: str) -> str:
    whole, point, part = token.partition(".")
    part = part.rstrip("0") if point else ""
    whole = whole.lstrip("0") or "0"
    return f"{whole}.{part}" if part else whole
