"""What may be odd about a response and is worth a person's look: signs, not verdicts."""

from __future__ import annotations

import re
from enum import IntFlag
from typing import Any

from skythought.models.thinking import Split
from skythought.runs.looping import is_looping
from skythought.runs.sample import Sample

__all__ = ["Flags", "flags_of", "golds", "holds_gold", "was_looping"]

LAST_LINES = 5
LAST_CHARACTERS = 1000
SHORT = 2
"""A gold answer of so few characters stands in many a line by chance: it is looked for in the last one alone."""

_MARKUP = re.compile(r"\\(?:left|right|displaystyle|[,;!: ])|[$*`~]")
_WRAPPED = re.compile(r"\\(?:boxed|fbox|text|textbf|mathrm|mathbf)\s*\{([^{}]*)\}")
_GROUPED = re.compile(r"\{([^{}]*)\}")
_TOKEN = re.compile(r"\w+|[^\w\s]")
_BEFORE = r"(?<![\w.,/^{\-])(?<!- )"
_AFTER = r"(?![\w^/}]|[.,]\d)"
"""What makes a number or word another one: 7 does not stand in 17, -7, 7.5, 3/7, x^7 or \\frac{7}{8}."""
_THOUSANDS = re.compile(r"(?<=\d),(?=\d{3}(?!\d))")


class Flags(IntFlag):
    """Of one sample; the numbers stand in the index of a report."""

    NONE = 0
    LOOPING = 1
    """Cut off at the token limit while it repeated itself."""
    GOLD_UNREAD = 2
    """Wrong or unparsed, although the gold answer stands in the last lines."""
    THINKING_OPEN = 4
    """The thinking never ended."""


def flags_of(sample: Sample, parts: Split) -> Flags:
    """The signs on a sample, whose `parts` these are; none on one that failed."""
    if sample.error is not None:
        return Flags.NONE
    found = Flags.NONE
    if was_looping(sample):
        found |= Flags.LOOPING
    if parts.answer is None:
        found |= Flags.THINKING_OPEN
    if sample.verdict in ("wrong", "unparsed"):
        text = parts.answer if parts.answer is not None else parts.thinking
        if any(holds_gold(text, gold) for gold in golds(sample.problem.target)):
            found |= Flags.GOLD_UNREAD
    return found


def was_looping(sample: Sample) -> bool:
    """Whether it was cut off while it repeated itself; vLLM's `repetition_detection` cuts off just those."""
    if sample.error is not None or not sample.response.is_cut_off:
        return False
    return sample.finish_reason == "repetition" or is_looping(sample.content or sample.reasoning or "")


def golds(target: Any) -> list[str]:
    """The texts of a gold answer, any of which is right; none where it is no text (tests of a program)."""
    if isinstance(target, str) and target.strip():
        return [target]
    if isinstance(target, int | float) and not isinstance(target, bool):
        return [str(target)]
    if isinstance(target, list | tuple) and all(isinstance(one, str) for one in target):
        return [one for one in target if one.strip()]
    return []


def holds_gold(text: str, gold: str) -> bool:
    """Whether the gold answer stands as a whole in a text's last lines, whatever is written around it.

    >>> holds_gold("So x = 7.\\nThus the total is $1,234$ apples.", "1234")
    True
    """
    lines = [line for line in text[-LAST_CHARACTERS:].splitlines() if line.strip()]
    wanted = _TOKEN.findall(_normal(gold))
    if not wanted:
        return False
    lines = lines[-(1 if len("".join(wanted)) <= SHORT else LAST_LINES) :]
    answer = r"\s*".join(map(re.escape, wanted))
    return re.search(rf"{_BEFORE}{answer}{_AFTER}", "\n".join(map(_normal, lines))) is not None


def _normal(text: str) -> str:
    """Lower case, without markup and the braces of single groups."""
    plain = _WRAPPED.sub(r" \1 ", _MARKUP.sub("", text.strip()))
    if "\\" not in plain:
        plain = _GROUPED.sub(r"\1", plain)
    plain = plain.replace("\\dfrac", "\\frac").replace("\\tfrac", "\\frac")
    return _THOUSANDS.sub("", plain.casefold())
