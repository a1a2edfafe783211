"""Numbers exactly: what a text says as a fraction of integers, and when two such numbers are the same."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from fractions import Fraction

__all__ = ["Number", "number", "same_number"]

MOST_DIGITS = 1000
MOST_EXPONENT = 1000
PLAIN = r"(?:\d+\.?\d*|\.\d+)"
DECIMAL = re.compile(rf"([-+]?)({PLAIN})(?:[eE]([-+]?\d+))?")
SCIENTIFIC = re.compile(rf"([-+]?{PLAIN})(?:\\times|\\cdot|\*|x)10(?:\^|\*\*)[{{(]?([-+]?\d+)[}})]?")
POWER_OF_TEN = re.compile(r"10\^\{?([-+]?\d+)\}?")
FRACTION = re.compile(rf"([-+]?)\\frac\{{([-+]?{PLAIN})\}}\{{([-+]?{PLAIN})\}}")
SLASH = re.compile(rf"([-+]?)({PLAIN})/({PLAIN})")
MIXED = re.compile(r"([-+]?)(\d+)(?:\\frac\{(\d+)\}\{(\d+)\}|\s+(\d+)/(\d+))")
THOUSANDS = re.compile(r"[-+]?\d{1,3}(?:,\d{3})+(?:\.\d+)?")


@dataclass(frozen=True, slots=True)
class Number:
    """An exact value, and how it was written."""

    value: Fraction
    decimals: int | None = None
    """Digits after the point of a decimal number; None for integers and fractions, which are exact."""
    percent: bool = False
    """True if a percent sign follows; it is not counted into the value."""


def number(text: str) -> Number | None:
    r"""The number that a normalised text is, or None if it is none (or absurdly long).

    Reads integers, decimals, thousands separators, `a/b`, `\frac{a}{b}`, `1\frac{1}{2}`, `1.5\times10^{3}` and `5e-3`.
    """
    percent = text.endswith("%")
    text = text.removesuffix("%").removesuffix("\\").strip()
    if len(text) > MOST_DIGITS:
        return None
    if THOUSANDS.fullmatch(text):
        text = text.replace(",", "")
    if match := DECIMAL.fullmatch(text):
        return _decimal(match, percent)
    value = _composed(text)
    return None if value is None else Number(value, percent=percent)


def _decimal(match: re.Match[str], percent: bool) -> Number | None:
    sign, digits, exponent = match.groups()
    if exponent and abs(int(exponent)) > MOST_EXPONENT:
        return None
    try:
        value = Fraction(Decimal(f"{sign}{digits}e{exponent or 0}"))
    except InvalidOperation:
        return None
    _, point, after = digits.partition(".")
    is_integer = not point or not after.strip("0")
    return Number(value, None if is_integer else max(0, len(after) - int(exponent or 0)), percent)


def _composed(text: str) -> Fraction | None:
    """A value written as a fraction, a mixed number or with a power of ten."""
    if match := FRACTION.fullmatch(text) or SLASH.fullmatch(text):
        sign, above, below = match.groups()
        if Fraction(below) == 0:
            return None
        value = Fraction(above) / Fraction(below)
        return -value if sign == "-" else value
    if match := MIXED.fullmatch(text):
        sign, whole, *parts = match.groups()
        above, below = [part for part in parts if part is not None]
        if int(below) == 0:
            return None
        value = int(whole) + Fraction(int(above), int(below))
        return -value if sign == "-" else value
    scientific = SCIENTIFIC.fullmatch(text)
    power = POWER_OF_TEN.fullmatch(text)
    mantissa, exponent = scientific.groups() if scientific else ("1", power.group(1) if power else None)
    if exponent is None or abs(int(exponent)) > MOST_EXPONENT:
        return None
    return Fraction(mantissa) * Fraction(10) ** int(exponent)


def same_number(gold: Number, given: Number) -> bool:
    """True if two numbers are the same answer.

    Integers and fractions must be equal. A decimal answer may be an exact value rounded, but only where the other side
    is exact: to the digits of a gold decimal of two or more digits, or to six significant digits of a given one.
    A percent sign may be left out or worked out (28% is 28 and 0.28); a factor of 100 without one is wrong.
    """
    if _close(gold, given):
        return True
    if gold.percent != given.percent:
        return _close(*(Number(n.value / 100, _shifted(n), False) if n.percent else n for n in (gold, given)))
    return False


def _shifted(given: Number) -> int | None:
    return None if given.decimals is None else given.decimals + 2


def _close(gold: Number, given: Number) -> bool:
    if gold.value == given.value:
        return True
    if gold.decimals is not None and gold.decimals >= 2 and given.decimals is None and given.value.denominator > 1:
        return abs(gold.value - given.value) <= Fraction(1, 2 * 10**gold.decimals)
    if given.decimals is not None and gold.decimals is None and gold.value.denominator > 1:
        return abs(gold.value - given.value) <= abs(gold.value) / 10**6
    return False
