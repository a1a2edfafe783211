"""Numbers exactly: what a text says as a fraction of integers, and when two such numbers are the same answer."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from fractions import Fraction

__all__ = ["Number", "decimal_commas", "is_rounding", "number", "same_number"]

MOST_DIGITS = 1000
MOST_EXPONENT = 1000
DIGITS_OF_GOLD = 3
DIGITS_OF_GIVEN = 4
DIGITS_OF_IRRATIONAL = 5
DIGITS_OF_FLOAT = 12
"""Significant digits from which a decimal may stand for an exact value that rounds to it; with as many as a
float's, its last digit may be off."""
PLAIN = r"(?:\d+\.?\d*|\.\d+)"
DECIMAL = re.compile(rf"([-+]?)\s*({PLAIN})(?:[eE]([-+]?\d+))?")
SCIENTIFIC = re.compile(
    rf"([-+]?)\s*({PLAIN})\s*(?:\\times|\\cdot|\*|x|X)\s*10\s*(?:\^|\*\*)\s*[{{(]?\s*([-+]?\s*\d+)\s*[}})]?"
)
POWER_OF_TEN = re.compile(r"10\s*\^\s*\{?\s*([-+]?\d+)\s*\}?")
FRACTION = re.compile(rf"([-+]?)\s*\\frac\s*\{{\s*([-+]?{PLAIN})\s*\}}\s*\{{\s*([-+]?{PLAIN})\s*\}}")
SLASH = re.compile(rf"([-+]?)\s*({PLAIN})\s*/\s*({PLAIN})")
MIXED = re.compile(r"([-+]?)\s*(\d+)(?:\s*\\frac\s*\{\s*(\d+)\s*\}\s*\{\s*(\d+)\s*\}|\s+(\d+)\s*/\s*(\d+))")
THOUSANDS = re.compile(r"[-+]?\s*\d{1,3}(?:,\d{3})+(?:\.\d+)?")
DOTTED_THOUSANDS = re.compile(r"[-+]?\d{1,3}(?:\.\d{3}){2,}")
REPEATING = re.compile(r"([-+]?)\s*(\d*)\.(\d*)\s*\\(?:overline|bar|dot)\s*\{?\s*(\d+)\s*\}?(?:\s*\\ldots|\.\.\.)?")
EUROPEAN = re.compile(r"[-+]?\d{1,3}(?:\.\d{3})+,\d+")
DECIMAL_COMMA = re.compile(r"[-+]?(?:0,\d+|\d{4,},\d+|\d+,(?:\d{1,2}|\d{4,}))")
SHORT_LIST = re.compile(r"[-+]?[1-9],\d")
"""A gold answer of two digits."""
DOTTED = re.compile(r"([-+]?\d*\.\d{3,})\s*(?:\\ldots|\\dots|\\cdots|\.\.\.)")


@dataclass(frozen=True, slots=True)
class Number:
    """An exact value, and how it was written."""

    value: Fraction
    decimals: int | None = None
    """Digits after the point of a number that may be rounded (below zero for 1.2e5); None for exact ones."""
    percent: bool = False
    """True if a percent sign follows; it is not counted into the value."""

    @property
    def digits(self) -> int:
        """Significant digits as written; 0 for an exact number."""
        if self.decimals is None:
            return 0
        return len(str(abs(int(self.value * Fraction(10) ** self.decimals))))


def number(text: str) -> Number | None:
    r"""The number that a spelled text is, or None if it is none (or absurdly long).

    Reads integers, decimals, thousands separators, `a/b`, `\frac{a}{b}`, `1\frac{1}{2}`, `1 1/2`, `1.5\times10^{3}`,
    `5e-3`, `0.\overline{3}`, each with a percent sign or without.
    """
    percent = text.endswith("%")
    if percent:
        text = text.removesuffix("%").rstrip()
    if not text or len(text) > MOST_DIGITS or (text[0] not in "+-.\\" and not text[0].isdigit()):
        return None
    if "," in text and THOUSANDS.fullmatch(text):
        text = text.replace(",", "")
    elif text.count(".") > 1 and DOTTED_THOUSANDS.fullmatch(text):
        text = text.replace(".", "")
    if match := DECIMAL.fullmatch(text):
        sign, digits, exponent = match.groups()
        return _decimal(sign + digits, int(exponent or 0), percent, bool(exponent))
    if match := SCIENTIFIC.fullmatch(text):
        sign, digits, exponent = match.groups()
        return _decimal(sign + digits, int(exponent.replace(" ", "")), percent, True)
    if match := DOTTED.fullmatch(text):
        return _cut_off(match[1], percent)
    value = _composed(text)
    return None if value is None else Number(value, percent=percent)


def _decimal(digits: str, exponent: int, percent: bool, scientific: bool) -> Number | None:
    if abs(exponent) > MOST_EXPONENT:
        return None
    try:
        value = Fraction(Decimal(f"{digits}e{exponent}"))
    except InvalidOperation:
        return None
    _, point, after = digits.partition(".")
    decimals = len(after) - exponent
    is_integer = value.denominator == 1 and not (scientific and point and decimals < 0)
    return Number(value, None if is_integer else decimals, percent)


def _cut_off(digits: str, percent: bool) -> Number | None:
    """`0.333...`, which goes on as it began if its last digits are alike, else is known as far as written."""
    whole, _, after = digits.partition(".")
    if len(after) >= 3 and len(set(after[-3:])) == 1:
        start, again = after[:-3], int(after[-1])
        exact = Fraction(f"{abs(int(whole or 0))}.{start}0") + Fraction(again, 9 * 10 ** len(start))
        return Number(-exact if whole.startswith("-") else exact, percent=percent)
    return _decimal(digits, 0, percent, False)


def _composed(text: str) -> Fraction | None:
    """A value written as a fraction, a mixed number, a power of ten or with repeating digits."""
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
    if match := REPEATING.fullmatch(text):
        sign, whole, after, again = match.groups()
        value = Fraction(f"{whole or 0}.{after}0") + Fraction(int(again), (10 ** len(again) - 1) * 10 ** len(after))
        return -value if sign == "-" else value
    power = POWER_OF_TEN.fullmatch(text)
    if power is None or abs(int(power[1])) > MOST_EXPONENT:
        return None
    return Fraction(10) ** int(power[1])


def same_number(gold: Number, given: Number, *, rounding: bool = True, percent: bool = True) -> bool:
    """True if two numbers are the same answer.

    Integers and fractions must be equal. A decimal may be an exact value rounded or cut off, see `is_rounding`; of two
    decimals the coarser may be the finer one rounded. A percent sign may be left out or worked out (28% is 28 and
    0.28), and may be added to a number that is not below 1; a factor of 100 without one is wrong.

    Args:
        rounding: Whether one may be the other rounded.
        percent: Whether a percent sign may be left out.
    """
    added = given.percent and abs(gold.value) < 1  # 0.25% for 0.25, which is no percentage
    pairs = [(gold, given)] if gold.percent == given.percent or (percent and not added) else []
    if gold.percent != given.percent:
        first, second = (_worked_out(number) if number.percent else number for number in (gold, given))
        pairs.append((first, second))
    return any(_same(one, other) if rounding else one.value == other.value for one, other in pairs)


def _worked_out(number: Number) -> Number:
    return Number(number.value / 100, None if number.decimals is None else number.decimals + 2)


def _same(gold: Number, given: Number) -> bool:
    if gold.value == given.value:
        return True
    if gold.decimals is not None and given.decimals is not None:
        coarse, fine = sorted((gold, given), key=lambda n: n.decimals or 0)
        return coarse.decimals != fine.decimals and is_rounding(coarse, fine.value, DIGITS_OF_GIVEN)
    if gold.decimals is not None:
        return (given.value.denominator > 1 or gold.decimals < 0) and is_rounding(gold, given.value, DIGITS_OF_GOLD)
    if given.decimals is not None:
        return (gold.value.denominator > 1 or given.decimals < 0) and is_rounding(given, gold.value, DIGITS_OF_GIVEN)
    return False


def is_rounding(number: Number, exact: Fraction, digits: int) -> bool:
    """Whether a decimal of at least `digits` significant digits is this exact value, rounded or cut off.

    Two decimals in a fraction of one ("0.02") are enough where three digits are.
    """
    if number.decimals is None or (number.digits < digits and not (digits == DIGITS_OF_GOLD and number.decimals >= 2)):
        return False
    step = Fraction(1, 10) ** number.decimals
    if number.digits >= DIGITS_OF_FLOAT:
        return abs(exact - number.value) <= 2 * step
    beyond = abs(exact) - abs(number.value)
    return number.value * exact > 0 and -step / 2 <= beyond < step


def decimal_commas(gold: str, given: str) -> tuple[Number, Number] | None:
    """Both as numbers, if one has a comma for its decimal point and the other has a point: `0,111` and `0.111`."""
    gold, given = (text.replace(".", "") if EUROPEAN.fullmatch(text) else text for text in (gold, given))
    one, other = DECIMAL_COMMA.fullmatch(gold), DECIMAL_COMMA.fullmatch(given)
    if bool(one) == bool(other) or (one and SHORT_LIST.fullmatch(gold)):
        return None
    gold_number, given_number = number(gold.replace(",", ".")), number(given.replace(",", "."))
    if gold_number is None or given_number is None or "." not in gold + given:
        return None
    return gold_number, given_number
