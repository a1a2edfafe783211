"""Characters beyond ASCII in LaTeX: signs, Greek letters, powers and indices, roots, fractions, circled numbers."""

from __future__ import annotations

import re
import unicodedata

__all__ = ["in_ascii"]

GREEK = "alpha beta gamma delta epsilon theta lambda mu pi rho sigma varphi phi omega tau Delta"
GREEK += " xi eta kappa nu psi chi zeta"
FRACTIONS = {
    sign: "\\frac{" + unicodedata.normalize("NFKC", sign).replace("⁄", "}{") + "}" for sign in "½⅓⅔¼¾⅕⅖⅗⅘⅙⅚⅐⅛⅜⅝⅞⅑⅒"
}
RAISED = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁼⁽⁾ⁿⁱˣʸᵃᵇᵏᵐ", "0123456789+-=()nixyabkm")
LOWERED = str.maketrans("₀₁₂₃₄₅₆₇₈₉₊₋₌₍₎ₙᵢⱼₖₘₐₓ", "0123456789+-=()nijkmax")
SYMBOLS = str.maketrans(
    {"−": "-", "–": "-", "×": r"\times ", "·": r"\cdot ", "⋅": r"\cdot ", "÷": "/", "∞": r"\infty ", "∗": "*"}
    | {"≤": r"\leq ", "≥": r"\geq ", "≠": r"\neq ", "∪": r"\cup ", "∩": r"\cap ", "∈": r"\in ", "±": r"\pm "}
    | {"≈": r"\approx ", "⩽": r"\leq ", "⩾": r"\geq ", "∅": r"\emptyset ", "∖": r"\setminus ", "∓": r"\mp "}
    | {"°": r"^\circ ", "º": r"^\circ ", "∶": ":", "✕": r"\times ", "✖": r"\times ", "∙": r"\cdot ", "•": r"\cdot "}
    | {"\u00a0": " ", "\u202f": " ", "\u2009": " ", "\u200b": "", "′": "'", "’": "'"}
    | {"€": " EUR ", "£": " GBP ", "¥": " CNY ", "₹": " INR ", "₽": " RUB ", "₩": " KRW ", "₺": " TRY "}
    | {"⁄": "/", "∕": "/", "、": ",", "或": " or ", "和": " and ", "｛": r"\{", "｝": r"\}", "∨": r"\lor "}
    | {
        "ℝ": r"\mathbb{R}",
        "ℤ": r"\mathbb{Z}",
        "ℕ": r"\mathbb{N}",
        "ℚ": r"\mathbb{Q}",
        "ℂ": r"\mathbb{C}",
        "≡": r"\equiv ",
    }
    | {"…": r"\ldots ", "⋯": r"\ldots ", "⟨": r"\langle ", "⟩": r"\rangle ", "∣": "|", "√": r"\sqrt ", "∑": r"\sum "}
    | {"⌊": r"\lfloor ", "⌋": r"\rfloor ", "⌈": r"\lceil ", "⌉": r"\rceil ", "∠": r"\angle ", "△": r"\triangle "}
    | {"∫": r"\int ", "∂": r"\partial ", "→": r"\to ", "⇒": r"\Rightarrow "}
    | {letter: f"\\{name} " for letter, name in zip("αβγδεθλμπρσφϕωτΔξηκνψχζ", GREEK.split(), strict=True)}
    | FRACTIONS
)
STYLED = re.compile(r"[\U0001d400-\U0001d7ff\uff01-\uff5a\u2460-\u2473\u0660-\u0669]")
"""Letters and digits of mathematical alphabets and in circles, whatever is of full width, and Arabic digits."""
CIRCLED = re.compile(r"(?<=[\u2460-\u2473])(?=[\u2460-\u2473\d])|(?<=\d)(?=[\u2460-\u2473])")
POWER = re.compile("[⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁼⁽⁾ⁿⁱˣʸᵃᵇᵏᵐ]+")
INDEX = re.compile("[₀₁₂₃₄₅₆₇₈₉₊₋₌₍₎ₙᵢⱼₖₘₐₓ]+")
ROOT = re.compile(r"([√∛∜])\s*(\d+(?:\.\d+)?|[^\W\d_]|\([^()]*\)|(?=\{))")
DEGREES = {"√": "", "∛": "[3]", "∜": "[4]"}


def in_ascii(text: str) -> str:
    """A text with its signs as LaTeX writes them; letters of other languages stay."""
    text = CIRCLED.sub(",", text)
    text = STYLED.sub(_plain, text)
    text = POWER.sub(lambda match: f"^{{{match[0].translate(RAISED)}}}", text)
    text = INDEX.sub(lambda match: f"_{{{match[0].translate(LOWERED)}}}", text)
    return ROOT.sub(_root, text).translate(SYMBOLS)


def _plain(match: re.Match[str]) -> str:
    plain = unicodedata.normalize("NFKC", match[0])
    return str(int(plain)) if plain.isdecimal() else plain


def _root(match: re.Match[str]) -> str:
    sign, inner = match.groups()
    return rf"\sqrt{DEGREES[sign]}" + (f"{{{inner}}}" if inner else "")
