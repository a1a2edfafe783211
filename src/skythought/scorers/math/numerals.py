"""Numbers written out in words: "forty-two", "minus five", "two hundred and six", "one half"."""

from __future__ import annotations

import re

__all__ = ["in_digits"]

ONES = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen"
    " eighteen nineteen"
)
TENS = "twenty thirty forty fifty sixty seventy eighty ninety"
SMALL = {word: number for number, word in enumerate(ONES.split())}
SMALL |= {word: 10 * number for number, word in enumerate(TENS.split(), 2)}
LARGE = {"hundred": 100, "thousand": 10**3, "million": 10**6, "billion": 10**9}
PARTS = {"half": 2, "halves": 2, "third": 3, "thirds": 3, "quarter": 4, "quarters": 4, "fourth": 4, "fourths": 4}
PARTS |= {"fifth": 5, "fifths": 5, "sixth": 6, "sixths": 6, "eighth": 8, "eighths": 8, "tenth": 10, "tenths": 10}
ORDINALS = "first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth"
ORDINAL = {word: number for number, word in enumerate(ORDINALS.split(), 1)}
WORD = re.compile(r"[a-z]+")
WRAPPED = re.compile(r"\\text\s*\{\s*([^{}]*?)\s*\}")


def in_digits(text: str) -> str:
    """The text in digits where it is a number in words, before a unit or alone; else as it is."""
    wrapped = WRAPPED.fullmatch(text)
    words = (wrapped[1] if wrapped else text).casefold().replace("-", " ").split()
    sign = ""
    if len(words) == 1 and words[0] in ORDINAL:
        return str(ORDINAL[words[0]])
    if words == ["half"]:
        return "\\frac{1}{2}"
    if words[:1] in (["minus"], ["negative"]):
        sign, words = "-", words[1:]
    if sign and words and words[0][0] in "0123456789\\.$":
        return sign + " ".join(text.split()[1:])
    if words[:1] in (["a"], ["an"]) and words[1:2] and (words[1] in PARTS or words[1] in LARGE or words[1] == "dozen"):
        words[0] = "one"
    count, value = _leading(words)
    rest = words[count:]
    if not count or (count == 1 and len(rest) > 1) or any(not WORD.fullmatch(word) for word in rest):
        return text
    if rest and rest[0] in PARTS:
        return f"{sign}\\frac{{{value}}}{{{PARTS[rest[0]]}}}" if len(rest) == 1 else text
    return " ".join([f"{sign}{value}", *rest])


def _leading(words: list[str]) -> tuple[int, int]:
    """How many words the number at the start has, and its value."""
    total = part = count = 0
    for word in words:
        if word in SMALL:
            part += SMALL[word]
        elif word in LARGE and count:
            part = max(part, 1) * LARGE[word]
            if LARGE[word] > 100:
                total, part = total + part, 0
        elif word != "and" or not count or words[count + 1 : count + 2] == [] or words[count + 1] not in SMALL:
            break
        count += 1
    return count, total + part
