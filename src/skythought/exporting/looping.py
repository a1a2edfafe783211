"""Whether a text repeats itself without end, as models do that have lost their way."""

from __future__ import annotations

import zlib

__all__ = ["is_looping"]

TAIL = 8000
"""Characters at the end that are looked at: a loop, once begun, goes on to the end."""
TIMES = 8
"""So many times in a row something has to be repeated,"""
SHORTEST = 400
"""over so many characters at least: a table of zeros or a row of dashes is none."""
LONGEST = 800
"""Characters of what is repeated, at most."""
SQUEEZED = 0.06
"""Text that says something new is not packed to so small a share, loops with a counter in them are."""


def is_looping(text: str) -> bool:
    """Whether the text's end is one passage again and again: the same, or nearly (with a number that counts on)."""
    tail = text[-TAIL:].rstrip()
    if len(tail) < SHORTEST:
        return False
    return _repeats(tail) or (len(tail) > TAIL // 2 and _packed(tail) < SQUEEZED)


def _packed(text: str) -> float:
    data = text.encode("utf-8", "replace")
    return len(zlib.compress(data, 6)) / len(data)


def _repeats(tail: str) -> bool:
    """Whether some period holds over the last characters, as often and as far as it takes."""
    at = len(tail)
    for _ in range(64):  # periods to try: the places where the last 20 characters stand before
        at = tail.rfind(tail[-20:], 0, at + 19)
        period = len(tail) - 20 - at
        if at < 0 or period > LONGEST:
            return False
        if period and (length := max(SHORTEST, TIMES * period)) <= len(tail):
            end = tail[-length:]
            if end[period:] == end[:-period] and end.strip(end[-1]):
                return True
    return False
