r"""Derivatives in one notation: primes behind the name, `x_0'` for `\dot{x}_0`, `y''` for `\frac{d^2y}{dx^2}`."""

from __future__ import annotations

import re

from skythought.scorers.math.tokens import GREEK

__all__ = ["primed"]

INDEX = r"\s*_\s*(?:\{[^{}]*\}|\w)"
LETTER = rf"(?:\\(?:{'|'.join(sorted(GREEK))})(?![a-zA-Z])|[a-zA-Z])"
NAME = rf"{LETTER}(?:{INDEX})?"
D = r"(?:d|\\text\s*\{\s*d\s*\})"
ORDER = r"(?:\s*\^\s*\{?\s*(\d)\s*\}?)?"
ANY = re.compile(r"'|\\d+ot(?![a-z])|\\partial|\}\s*\{\s*(?:d|\\text\s*\{\s*d)|/\s*d|\^\s*\{\s*\(")
"""What every text with a derivative has: a quick look, so that others cost nothing."""
DOTS = re.compile(rf"\\(d{{1,3}})ot\s*(?:\{{\s*({NAME})\s*\}}|({LETTER}))({INDEX})?")
QUOTIENT = re.compile(
    rf"\\frac\s*\{{\s*{D}{ORDER}\s*({NAME})?(?:\s*\(\s*[a-z]\s*\))?\s*\}}"
    rf"\s*\{{\s*{D}\s*[a-zA-Z](?:\s*\^\s*\{{?\s*\d\s*\}}?)?\s*\}}(?:\s*({NAME})(?![a-zA-Z]))?"
)
STROKE = re.compile(rf"(?<![a-zA-Z\\])d{ORDER}\s*({NAME})\s*/\s*d\s*[a-z](?:\s*\^\s*\{{?\s*\d\s*\}}?)?(?![a-zA-Z])")
PARTIAL = re.compile(
    rf"\\frac\s*\{{\s*\\partial{ORDER}\s*({NAME})\s*\}}\s*\{{\s*\\partial\s*([a-z])(?:\s*\^\s*\{{?\s*\d\s*\}}?)?\s*\}}"
)
NUMBERED = re.compile(r"(?<![a-zA-Z])([fguy])\s*\^\s*\{\s*\(\s*([2-9])\s*\)\s*\}")
OF_ARGUMENT = re.compile(rf"({NAME})('+)\s*\(\s*([a-z])\s*\)")


def primed(text: str) -> str:
    r"""Every derivative as primes behind a name, `x''(t)` and the `x(t)` and `f(t)` beside it without their argument.

    What it is taken by is not kept, except of partial derivatives: `\frac{\partial^2 u}{\partial x^2}` is `u_{xx}`.
    """
    if ANY.search(text) is None:
        return text
    text = DOTS.sub(lambda match: f"{match[2] or match[3]}{match[4] or ''}{chr(39) * len(match[1])}", text)
    text = QUOTIENT.sub(_of_quotient, text)
    text = STROKE.sub(lambda match: match[2] + "'" * int(match[1] or 1), text)
    text = PARTIAL.sub(lambda match: f"{match[2]}_{{{match[3] * int(match[1] or 1)}}}", text)
    text = NUMBERED.sub(lambda match: match[1] + "'" * int(match[2]), text)
    arguments = {argument for _, _, argument in OF_ARGUMENT.findall(text)} | ({"t"} if "'" in text else set())
    return re.sub(rf"({NAME}'*)\s*\(\s*[{''.join(sorted(arguments))}]\s*\)", r"\1", text) if arguments else text


def _of_quotient(match: re.Match[str]) -> str:
    order, above, behind = match.groups()
    if bool(above) == bool(behind):
        return match[0] if not above else f"{above}{chr(39) * int(order or 1)} {behind}"
    return f"{above or behind}{chr(39) * int(order or 1)}"
