r"""Text from outside, made fit to be shown: what an endpoint, a file or a scorer says may hold anything.

A terminal obeys control characters: `\x1b]52;...` sets the user's clipboard. Characters that turn the direction of
writing make a text look like another. Records keep the true text; whatever is shown goes through here.
"""

from __future__ import annotations

import re
from datetime import timedelta

__all__ = ["MOST_CHARACTERS", "lasting", "printable", "shortened"]

MOST_CHARACTERS = 2000
"""How much is kept of a reason or of an error's text: an exception may carry megabytes."""

_UNSEEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff\ufff9-\ufffb]"
    "|[\U000e0000-\U000e007f]"
)
"""Control characters but newline and tab, marks and overrides of direction, what has no width, half characters."""


def printable(text: str) -> str:
    r"""The text with control, bidirectional and invisible characters written as escapes; newline and tab stay.

    >>> print(printable("\x1b[31mred"))
    \x1b[31mred
    """
    return _UNSEEN.sub(lambda found: found[0].encode("unicode_escape").decode("ascii"), text)


def lasting(seconds: float) -> str:
    """A duration as `h:mm:ss`.

    >>> lasting(83.4)
    '0:01:23'
    """
    return str(timedelta(seconds=round(seconds)))


def shortened(text: str, most: int = MOST_CHARACTERS) -> str:
    """At most `most` characters of the text: its beginning, its end, and how much is left out between them."""
    if len(text) <= most:
        return text
    told = f" ... ({len(text):,} characters) ... "
    tail = most // 4
    return text[: most - tail - len(told)] + told + text[-tail:]
