"""Whether a text repeats itself to its end, as models do that have lost their way."""

from __future__ import annotations

import zlib

__all__ = ["is_looping"]

TAIL = 16_384
"""Characters at the end of a text in which a repetition is looked for."""
TIMES = 4
"""So often the same words stand at the end, at least,"""
LEAST = 200
"""over so many characters at least: `0, 0, 0` at the end of a list is none."""
NEEDLE = 100
CANDIDATES = 64
"""Distances that are tried: each is one comparison of two slices, so the whole is linear."""
PACKED_TAIL = 4000
PACKED = 0.09
"""Of 11,500 solutions, programs and long texts made of them none is packed smaller than to 0.20 of its size, and of
made-up lists of cases with one number in each line none than to 0.10; of passages that come again and again with a
counter, with other first words or in another order, nine in ten are."""


def is_looping(text: str) -> bool:
    """Whether a text ends with one passage again and again: the same, or nearly (with a number that counts on).

    The same means exactly, at least 4 times and over 200 characters. Nearly: the last 4,000 characters can be packed
    to 9% of their size.

    >>> is_looping("Let me see. " + "Wait, no. " * 30)
    True
    """
    tail = text[-TAIL:]
    end = tail.rstrip()
    if len(tail) - len(end) >= LEAST:  # nothing but empty lines
        return True
    return _repeats(end) or (len(end) >= PACKED_TAIL and _packed(end[-PACKED_TAIL:]) < PACKED)


def _repeats(tail: str) -> bool:
    """Whether the last words stand there as often and as far as it takes.

    The period is the distance to an earlier place of the text's last characters.
    """
    needle = tail[-NEEDLE:]
    start = len(tail) - len(needle)
    for _ in range(CANDIDATES):
        start = tail.rfind(needle, 0, start + len(needle) - 1)
        period = len(tail) - len(needle) - start
        repeated = max((TIMES - 1) * period, LEAST)
        if start < 0 or repeated + period > len(tail):
            return False
        if tail[-repeated:] == tail[-repeated - period : -period]:
            return True
    return False


def _packed(text: str) -> float:
    """The size of a text when packed, as a share of its own."""
    data = text.encode("utf-8", "replace")
    return len(zlib.compress(data, 6)) / len(data)
