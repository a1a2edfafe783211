"""One spelling for the many that mean the same. Nothing is computed or compared here."""

from __future__ import annotations

import re
from collections.abc import Callable

from skythought.latex import closing_braces
from skythought.scorers.math.characters import in_ascii
from skythought.scorers.math.derivatives import primed
from skythought.scorers.math.numerals import in_digits

__all__ = ["compact", "normalised", "unwrapped"]


def _without_blanks(match: re.Match[str]) -> str:
    return match.group().replace(" ", "")


def _primes(match: re.Match[str]) -> str:
    return "'" * match.group().count("prime")


def _in_degrees(match: re.Match[str]) -> str:
    """Degrees, minutes and seconds as degrees alone."""
    degrees, minutes, seconds = (int(part or 0) for part in match.groups())
    return f"\\frac{{{3600 * degrees + 60 * minutes + seconds}}}{{3600}}^\\circ "


SOLVED = re.compile(r"([a-z])\s*=[^a-z]*(?:\\[a-z]+[^a-z]*)*")
MOST_ON_DIAGONAL = 10
IF = re.compile(r"^\s*(?:\\text\s*\{\s*(?:if|for|when)\s*\}|(?:if|for|when)\b)?\s*|[\s,]+$")
UNIT = r"\\(?:mathbf|hat|vec|bm|boldsymbol)\s*\{?\s*(?:\\hat\s*\{?)?\\?([ijk])(?:math)?\s*\}{0,2}"
UNIT = rf"(?:{UNIT}|(?<![a-zA-Z\\])([ijk])(?![a-zA-Z_^]))"
TERM = re.compile(rf"([-+]?)((?:[^-+=,&()]|\([^()]*\))*?){UNIT}\s*")
ROW = r"(?:(?!\\\\|\\end|&).)+&(?:(?!\\\\|\\end|&).)+"


def _base(match: re.Match[str]) -> str:
    """A base in words as a subscript in digits."""
    return "_{" + in_digits(match[1]) + "}"


def _in_a_row(match: re.Match[str]) -> str:
    """The equations of a system, one a line, as a list."""
    return ", ".join(row.strip().strip(",") for row in re.split(r"\\\\", match[1]) if row.strip())


def _aligned(match: re.Match[str]) -> str:
    """Aligned lines as one chain, or as a list of equations where a line begins with a side of its own."""
    lines = [line for row in match[1].split("\\\\") if (line := row.replace("&", "").strip().rstrip(","))]
    solved = SOLVED.fullmatch(lines[-1]) if lines else None
    if solved and all(solved[1] in line and not SOLVED.fullmatch(line) for line in lines[:-1]):
        return " " + lines[-1]  # the last step of solving for one name
    text = ""
    for line in lines:
        text += (" " if not text or line.startswith(("=", "\\approx")) else ", ") + line
    return text


def _by_cases(match: re.Match[str]) -> str:
    """A function by cases as a set of values with their conditions."""
    rows = (row.rstrip(" ,").split("&") for row in match[1].split("\\\\") if row.strip())
    return "\\{" + ", ".join(f"({value.strip(' ,')}, {IF.sub('', rule)})" for value, rule in rows) + "\\}"


def _as_tuple(match: re.Match[str]) -> str:
    """A sum of multiples of the unit vectors i, j and k as a tuple."""
    terms = [(one or other, sign + (factor.strip() or "1")) for sign, factor, one, other in TERM.findall(match[0])]
    factors = dict(terms)
    if len(factors) < len(terms) or not ("j" in factors or "\\" in match[0]):
        return match[0]
    return f"\\langle {', '.join(factors.get(name, '0') for name in 'ijk'[: 3 if 'k' in factors else 2])}\\rangle"


def _zeta(match: re.Match[str]) -> str:
    """Riemann's zeta where it is known in powers of pi."""
    return {"2": "\\frac{\\pi^2}{6}", "4": "\\frac{\\pi^4}{90}"}[match[1]]


def _turned_round(match: re.Match[str]) -> str:
    """An interval whose open ends are brackets turned round, `[0,1[`, as `[0,1)`."""
    before, opening, inner, closing = match.groups()
    return f"{before}{'(' if opening == ']' else '['}{inner}{')' if closing == '[' else ']'}"


def _with_cents(match: re.Match[str]) -> str:
    """`1.234,50` of a price, with a point before its cents."""
    whole, cents = match[1] or match[3], match[2] or match[4]
    return f"{whole.replace('.', '')}.{cents}"


def _diagonal(match: re.Match[str]) -> str:
    """`diag(1,2)` as a matrix."""
    entries = match[1].split(",")
    if len(entries) > MOST_ON_DIAGONAL:
        return match.group()
    rows = ("&".join(entry if at == row else "0" for at in range(len(entries))) for row, entry in enumerate(entries))
    return "\\begin{pmatrix}" + "\\\\".join(rows) + "\\end{pmatrix}"


COMMANDS: dict[str, str] = {
    name: replacement
    for names, replacement in {
        "dfrac tfrac cfrac nicefrac": r"\frac",
        "dbinom tbinom": r"\binom",
        "le leqslant": r"\leq ",
        "ge geqslant": r"\geq ",
        "ne neq": r"\neq ",
        "lt": "<",
        "gt": ">",
        "div": "/",
        "dots cdots dotsc dotsb": r"\ldots ",
        "lor vee": r" \lor ",
        "cupdot": r"\cup ",
        "varnothing": r"\emptyset",
        "backslash": r"\setminus ",
        "lbrace": r"\{",
        "rbrace": r"\}",
        "imath": "i",
        "jmath": "j",
        "lvert rvert vert mid": "|",
        "left right displaystyle textstyle rm bf it large Large LARGE huge Huge small normalsize limits boldmath": " ",
    }.items()
    for name in names.split()
}
"""Commands that mean the same as another, or nothing."""
COMMAND = re.compile(r"\\([a-zA-Z]+)")
DOUBLED = (
    "[dtc]?frac|text|sqrt|left|right|boxed|pi|cdot|times|begin|end|in|leq?|geq?|neq?|infty|cup|cap|pm|circ|theta|alpha|"
    "beta|sin|cos|tan|log|ln|mathbb|mathrm|mathbf|binom|overline|quad|sum"
)
CODES = "USD|EUR|GBP|INR|CAD|AUD|CNY|RMB|JPY|RUB|KRW|TRY"
CURRENCY = rf"(?:\\\$|{CODES})"
Replacement = str | Callable[[re.Match[str]], str]
# What a transport did to the text: before commands can be told.
REPAIRS: list[tuple[str, Replacement]] = [
    # A backslash that a programming language took for an escape: \f(rac), \t(ext), \r(ight), \b(inom).
    (r"\x0c(?=rac)", r"\\f"),
    (r"\t(?=ext|imes|frac|an|heta|o\b)", r"\\t"),
    (r"\r(?=ight|ho|angle|floor|ceil)", r"\\r"),
    (r"\x08(?=inom|egin|oxed|eta|ar|ig)", r"\\b"),
    (rf"(?<!\\)\\\\(?=(?:{DOUBLED})(?![a-zA-Z]))", r"\\"),  # and one doubled on its way through JSON
    (r"\\n(?![a-zA-Z])", " "),
]  # fmt: skip
RULES: list[tuple[str, Replacement]] = [
    (r"^(?:[-+]?\d[\d./]*\s*\n\s*)+[-+]?\d[\d./]*$", lambda match: ", ".join(match[0].split())),  # one a line
    (r"^\\#\s*(?=\d)", ""),
    # Notations that name the same: combinations, ordinals, bases in words.
    (r"(?:\{\s*\})?(?:\^|_)\s*\{?(\d+)\}?\s*C\s*_\s*\{?(\d+)\}?", r"\\binom{\1}{\2}"),
    (r"(?<![a-zA-Z\\])[AP]\s*_\s*\{?(\d+)\}?\s*\^\s*\{?(\d+)\}?", r"\\frac{\1!}{(\1-\2)!}"),
    (r"\\zeta\s*\(\s*([24])\s*\)", _zeta),
    (r"(?:\bC|\\(?:text|mathrm)\s*\{\s*C\s*\})\s*_\s*\{?(\d+|n)\}?\s*\^\s*\{?(\d+)\}?", r"\\binom{\1}{\2}"),
    (r"^([a-zA-Z]) is (?=[-\d\\])", r"\1 = "),
    (r"^([a-z])\s*:\s*([a-z])\s*\\mapsto\s*", r"\1(\2) = "),
    (r"(?<=\d)\s*\^?\s*\{?\s*\\(?:text|mathrm|textrm)\s*\{\s*(?:th|st|nd|rd)\s*\}\s*\}?", ""),
    (r"(?<=\d)\s*\^\s*\{?\s*(?:th|st|nd|rd)\s*\}?(?![a-z])", ""),
    (r"(?<=\d)_\s*\{\s*(?:\\(?:text|mathrm)\s*\{\s*)?(two|three|four|five|six|seven|eight|nine|ten|twelve"
     r"|sixteen)\s*\}\s*\}?", _base),
    (r"(?<![\w.])(\d+)\s*_\s*\{?\s*10\s*\}?$", r"\1"),
    (r"(?<=\d)_\s*\{\s*\\(?:text|mathrm)\s*\{\s*([a-zA-Z ]+)\}\s*\}$", r"\\text{ \1}"),
    (rf"^(?:{TERM.pattern}){{2,3}}$", _as_tuple),
    (rf"\\begin\{{cases\}}({ROW}(?:\\\\{ROW})*(?:\\\\\s*)?)\\end\{{cases\}}", _by_cases),
    (r"\\mathrm\s*\{\s*([ei])\s*\}|\\(?:mathbf|boldsymbol|bm)\s*\{\s*([a-zA-Z])\s*\}", r"\1\2"),
    (r"\{:\}", ":"),
    (r"\\mathbb\s+([A-Z])", r"\\mathbb{\1}"),
    (r"\\text\s*\{\s*\\?\$\s*\}", r"\\$"),
    (r"\\(?:mathbf|boldsymbol|bm|mathrm|mathit|vec)\s+([a-zA-Z])(?![a-zA-Z])", r"\1"),
    (r"\\frac\s*\{\s*\\(?:text|mathrm)\s*\{\s*(\w+)\s*\}\s*\}\s*\{\s*\\(?:text|mathrm)\s*\{\s*(\w+)\s*\}\s*\}$",
     r"\\text{\1/\2}"),
    (r"\\[bB]igg?[lrm]?(?![a-zA-Z])", " "),
    (r"\\(?:text)?color\s*\{[a-zA-Z!\d]*\}", " "),
    (r"\\text\s*\{\s*,(\s*)\}", r",\1"),
    (r"\\\\\s*\[\s*[\d.]+\s*(?:pt|mm|cm|em|ex)\s*\]", r"\\\\"),
    (r"\\not\s*=|!=", r"\\neq "),
    (r"<=", r"\\leq "),
    (r"(?<=\d)\s+[xX]\s+(?=\d)", r"\\times "),
    (r">=", r"\\geq "),
    (r"(?<=[\])}])\s*\bU\b\s*(?=[\[({\\])", r"\\cup "),
    (r"^(\d+)\s*(?:to|\\text\s*\{\s*to\s*\})\s*(\d+)$", r"\1:\2"),
    (r"\{([^{}]*)\\choose(?![a-zA-Z])([^{}]*)\}", r"\\binom{\1}{\2}"),
    (r"^(-[\d./]+)\s*(?:to|\\text\s*\{\s*to\s*\})\s*(-?[\d./]+)$", r"[\1,\2]"),
    (r"(?:\\\{\s*)?\\begin\{(?:align(?:ed)?|equation|gather(?:ed)?|split)\*?\}"
     r"((?:(?!\\end|\\begin)[\s\S])*)\\end\{[a-z]+\*?\}", _aligned),
    (r"(?:\\\{\s*)?\\begin\{(?:cases|array|pmatrix)\}(?:\{[lcr|]*\})?"
     r"((?:(?!\\end|&).)*=(?:(?!\\end|&).)*)\\end\{[a-z]+\}", _in_a_row),
    # Thousands: 11,\!111 and 1\,234, 1 000, 1{,}000. What blanks are left are layout.
    (r"(?<=\d)(?:,\s*)?(?<!\\)\\[,!;: ]\s*(?=\d{3}(?!\d))", ""),
    (r"^[-+]?\d{1,3}(?: \d{3})+(?=(?:[.,]\d+|\s\d+/\d+)?(?:\s[^\W\d_]+)?$)", _without_blanks),
    (r"(?<=\d)\{,\}(?=\d{3}(?!\d))", ""),
    (r"(?<=\d)\{,\}(?=\d)", "."),
    (r"(?<!\\)\\[,!;: ]|\\q?quad|\\(?:hspace|phantom)\{[^{}]*\}|~", " "),
    (r"\\(begin|end)\{(?:[bpBV]?matrix|smallmatrix|array)\}(?:\{[lcr|]*\})?", r"\\\1{pmatrix}"),
    (r"\^\s*\{?\s*\\(?:circ|degree|textcirc|text\{o\}|mathrm\{o\})\s*\}?|\\degree(?![a-zA-Z])", r"^\\circ "),
    (r"\^\s*\{?\s*(?:\\prime\s*)+\}?", _primes),
    (r"(?<![\d.])(\d{1,3})\s*\^\\circ\s*(\d{1,2})\s*'(?!')(?:\s*(\d{1,2})\s*(?:''|\"))?", _in_degrees),
    (r"\\(?:f?boxed|underline)(?=\s*\{)", ""),
    (r"\\\{\s*\\\}", r"\\emptyset"),
    (r"\\(?:text(?:bf|it|rm|sf|tt|normal|up)?|mathbf|mathrm|mathit|mathsf|boldsymbol|bm|operatorname\*?|mbox"
     r"|hbox)\s*\{",
     r"\\text{"),
    (rf"^(?:{CURRENCY}\s*)?(\d{{1,3}}(?:\.\d{{3}})*),(\d\d)(?=\s*{CURRENCY}$)|"
     rf"(?<=[A-Z$])\s*(\d{{1,3}}(?:\.\d{{3}})*),(\d\d)$", _with_cents),
    (r"^(?:US)?\s*\\?\$\s*(\d[\d,]*(?:\.\d+)?|\.\d+)$", r"\1\\text{ dollars}"),
    (rf"^(?:\\text\{{\s*)?({CODES})\s*\}}?\s*(\d[\d,]*(?:\.\d+)?|\.\d+)\s*\}}?$", r"\2\\text{ \1}"),
    (r"(\\text\{[^{}]*\^)\{(-?\d)\}", r"\1\2"),
    (r"\\text\{\s*([-+]?\d[\d.,]*|[\dA-F]+(?=\s*\}\s*_))\s*\}", r"\1"),
    (r"((?:sin|cos|tan|cot|sec|csc)\s*\(?\s*\d+)\s*(?:\\text\{\s*degrees?\s*\}|degrees?\b)", r"\1^\\circ "),
    (r"\\?\$", " "),
    (r"(?<=\d)\s*\\Omega$", r"\\text{ ohm}"),
    (r"(?<=\d)\s*\\text\{\s*k\s*\}$", r"\\text{ thousand}"),  # a K is Kelvin
    (r"(?<=\d)\s*\\mu\s*\\text\{\s*", r"\\text{ u"),
    (r"\s*(?:\^\\circ|\\text\{\s*degrees?|degrees?)\s*\}?\s*(?:\\text\{\s*)?([CF])(?:elsius|ahrenheit)?\s*\}?$",
     r"\\text{ degree\1}"),
    (r"\\\(|\\\)|\\\[|\\\]", " "),
    (r"(?<=[\w)}])\s*\*\*\s*(?=[\w({-])", "^"),  # a power in Python; any other pair of stars is Markdown's
    (r"\*\*", " "),
    (r"^(\d{1,3})\.(\d{3})(?=\s*\\?(?:text\{\s*)?(?:[Ee]uros?|EUR|reais|pesos)\s*\}?$)", r"\1\2"),
    (r"^R +(\d{1,3})\.(\d{3})$", r"\1\2"),  # R$ 2.500
    (r"^(?:\\text\{\s*)?(?:Rs\.?|US|R(?= +\d)|(?:HK|No\.|Nr\.)\s)\s*(?=\d)", ""),
    # \frac12 is one half, for LaTeX takes one character without braces.
    (r"\\(frac|binom)\s*([0-9a-zA-Z])\s*([0-9a-zA-Z])", r"\\\1{\2}{\3}"),
    (r"(?<![a-zA-Z\\])(?:infinity|inf|oo)(?![a-zA-Z])", r"\\infty "),
    (r"^\\text\{\s*\(([A-Za-z]|[IVX]+)\)\s*\}\W*$", r"\1"),
    (r"\s*(?:\\?%|(?<![a-zA-Z])(?:per\s?cent(?:age)?|pct)\b|\\text\{\s*(?:per\s?cent(?:age)?|pct|\\?%)\s*\})", "%"),
    (r"(^\s*|\\cup\s*|\\in\s*|=\s*)"
     r"([\[\]])([^\[\](){}|]+[,;][^\[\](){}|]+)([\[\]])(?=\s*(?:$|\\cup|\\text))", _turned_round),
    (r"(?:\\text\{\s*diag\s*\}|\\?(?<![a-zA-Z])diag)\s*\(([^()]*)\)", _diagonal),
    # Words around the answer, and words that are one.
    (r'^\s*\\?["“]|\\?["”]\s*$', ""),
    (r"^\\text\{([^{}]*=[^{}]*|\s*[A-Z](?:(?:\s*,\s*|\s*,?\s+and\s+)[A-Z])+\s*)\}$", r"\1"),
    (r"(?<=\S)\s*\\text\{\s*(?:\([^{}()\d]{3,60}\)|only|exactly)\s*\}$", ""),
    (r"(?<=\S)\s*(?:\(\s*\\approx|(?:\(\s*\\text\{|\\text\{\s*\()\s*(?:approximately|approx\.?|about|roughly)\s*\}?)"
     r"\s*([\d.,]+)\s*\)\s*\}?$", r" \\approx \1"),
    (r"(?<=[^\s,;])[,;]?\s+\(\s*(-?[\d.]*\s*(?:<|\\leq)?\s*[a-z]\s*(?:\\(?:leq|geq|neq)|[<>])[^()]*)\)$", r", \1"),
    (r"(\\(?:setminus|cup|cap|in)\s*)\{([^{}]*)\}", r"\1\\{\2\\}"),
    (r"^\s*(?:\\approx|\\sim|=|approximately|about|\\text\{[^{}]*\b(?:is|are|equals)\s*:?\s*\})\s*(?=[^\s=])", ""),
    (r"(?:\\text\{)?\b(?:all|any)\s+real(?:\s+numbers?|s)?\b\s*\}?\s*[a-z]?$", r"\\mathbb{R}"),
    (r"^(?:\\text\{)?\s*all\s+integers\s*\}?$", r"\\mathbb{Z}"),
]  # fmt: skip
COMPILED_REPAIRS, COMPILED_RULES = (
    [(re.compile(pattern), replacement) for pattern, replacement in rules] for rules in (REPAIRS, RULES)
)
PLAIN = re.compile(r"[-+]?\d+\.?\d*|[A-Z]")
COMPACT = re.compile(
    r"(?<![a-zA-Z0-9.,])\s+|(?<!,)\s+(?![a-zA-Z0-9.])|(?<=[0-9])\s+(?=[a-zA-Z])|(?<=[a-zA-Z])\s+(?=[0-9])"
)
CHOICE = re.compile(r"\((-?[A-Za-z])\)")
END = re.compile(r"(?:\s|(?<!\.)\.|[;:,])+$")


def _common_command(match: re.Match[str]) -> str:
    return COMMANDS.get(match[1], match.group())


def normalised(text: str) -> str:
    """`text` in the one spelling that all comparisons work on. Equal results mean equal answers."""
    text = text.strip()
    if PLAIN.fullmatch(text):
        return text
    text = text if text.isascii() else in_ascii(text)
    for pattern, replacement in COMPILED_REPAIRS:
        text = pattern.sub(replacement, text)
    text = COMMAND.sub(_common_command, text)
    text = text.strip() if "\\choose" in text else unwrapped(text.strip())
    for pattern, replacement in COMPILED_RULES:
        text = pattern.sub(replacement, text)
    text = END.sub("", primed(" ".join(text.split())))
    if text.startswith("\\text{") and re.search(r"[\d\\^]", text[6:]) and closing_braces(text).get(5) == len(text) - 1:
        return normalised(text[6:-1])
    if text[-1:].isalpha() or text[-1:] == "}" or text[:1] in "nm":
        text = in_digits(text)
    return unwrapped(CHOICE.sub(r"\1", text) if len(text) < 5 else text)


def unwrapped(text: str) -> str:
    """Without braces that enclose the whole."""
    while text.startswith("{"):
        end = closing_braces(text).get(0)
        if end is not None and end != len(text) - 1:
            break
        text = text[1:end].strip()  # of a box that the end of the response left open, all
    return text


def compact(text: str) -> str:
    """Without blanks that mean nothing; one between two words or two numbers stays, and one behind a comma."""
    return COMPACT.sub("", text)
