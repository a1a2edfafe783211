"""What is left for math-verify (integrals, limits, ...), and what is too much for any algebra system."""

from __future__ import annotations

import logging
import re

__all__ = ["absurd", "is_formula", "same_algebra"]

LONGEST = 1000
MOST_FOR_ALGEBRA = 400
MOST_DIGITS = 400
MOST_EXPONENT = 300
MOST_POWER_OF_SUM = 20
DEEPEST = 20


def is_formula(text: str) -> bool:
    """Whether an algebra system could make something of a text that the own grammar does not know."""
    return bool(re.search(r"\\(?!text|begin|end)[a-zA-Z]+|\d", text))


def absurd(text: str) -> str | None:
    """Why an answer is not worth handing to an algebra system, or None if it is fine.

    Towers of powers, powers and factorials with astronomically many digits, and endless texts would occupy it for
    ever; no benchmark's answer that only an algebra system can tell looks like that.
    """
    if len(text) > MOST_FOR_ALGEBRA:
        return f"the answer is {len(text):,} characters long (at most {MOST_FOR_ALGEBRA} are worked out)"
    if re.search(rf"\d{{{MOST_DIGITS // 8},}}", re.sub(r"[,\s]", "", text)):
        return "the answer has a number of too many digits"
    if re.search(rf"[({{\[]{{{DEEPEST}}}", text) or text.count("\\sqrt{\\sqrt{") > DEEPEST // 4:
        return "the answer is nested too deeply"
    plain = re.sub(r"[{}()\s]|\\left|\\right", "", text.replace("**", "^"))
    if re.search(r"(?:\d|!)\^-?\d+!?\^|\^-?\d+(?:!|\^)", plain):
        return "the answer is a tower of powers"
    if re.search(r"\d{4,}!|\d!+!|!\)+!|!\}+!|[)}]!", text.replace(" ", "")):
        return "the answer has a factorial that is too large"
    if any(int(found[:9]) > MOST_EXPONENT for found in re.findall(r"\^-?(\d+)", plain)):
        return f"the answer has an exponent above {MOST_EXPONENT:,}"
    if any(int(found[:9]) > MOST_POWER_OF_SUM for found in re.findall(r"[a-zA-Z][^,=]*\)\s*\^\s*\{?\s*(\d+)", text)):
        return "the answer is a large power of a sum"
    if re.search(r"\\binom\{\d{4,}\}", text):
        return "the answer has a binomial coefficient that is too large"
    if r"\int" in text and "=" not in text:
        return "the answer holds an integral that is not worked out"
    return None


def same_algebra(wanted: str, got: str) -> bool:
    """What math-verify makes of the two. Its own limit is an alarm signal, so it is switched off."""
    import math_verify

    logging.getLogger("math_verify").setLevel(logging.CRITICAL)
    gold = math_verify.parse(f"\\boxed{{{wanted}}}", parsing_timeout=None)
    given = math_verify.parse(f"\\boxed{{{got}}}", parsing_timeout=None)
    return bool(math_verify.verify(gold, given, timeout_seconds=None, allow_set_relation_comp=True))
