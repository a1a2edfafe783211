r"""Where a text marks its answer with `\boxed{...}`: needed for gold answers (tasks) and for responses (scorers)."""

from __future__ import annotations

import re
from typing import NamedTuple

__all__ = ["Box", "boxes", "closing_braces", "last_box"]

# Also what is left of it where a backslash was lost, or taken for an escape.
BOX = re.compile(r"(?:\\(?:begin)?f?[bB]ox(?:ed)?|\x08oxed|\bboxed(?=\s?\{))(?![a-zA-Z])\s*")
LONGEST_NAME = len("\\beginfb")
BRACE = re.compile(r"\\.|[{}]", re.DOTALL)
ESCAPED_END = re.compile(r"\{([^{}\n]{1,200}?)\\\}(?=[\s$.,;)*]|$)")
BARE = re.compile(r"[^\s$.,;{}\\]+|\\[dt]?frac\s?\{[^{}]{1,60}\}\s?\{[^{}]{1,60}\}")


class Box(NamedTuple):
    """One box: what is in it, and where it begins and ends in the text."""

    text: str
    start: int
    end: int


def boxes(text: str) -> list[Box]:
    r"""All boxes in `text` that are closed, in order; of nested ones the outer, and never an empty one.

    The bare word "boxed" is none; `\boxed 5` is one (old LaTeX allows a single token without braces), and so is
    `\boxed{5\}`.
    """
    found: list[Box] = []
    # By a plain search first: the pattern has no fixed beginning, and is slow to find one in a long text.
    near = text.find("ox")
    first = BOX.search(text, max(0, near - LONGEST_NAME)) if near >= 0 else None
    if first is None:
        return []
    position, closing = first.start(), closing_braces(text, first.start())
    while match := BOX.search(text, position):
        start = position = match.end()
        if text[start : start + 1] == "{":
            if start in closing:
                content, position = text[start + 1 : closing[start]].strip(), closing[start] + 1
            elif escaped := ESCAPED_END.match(text, start):
                content, position = escaped[1].strip(), escaped.end()
            else:
                continue
        else:
            bare = BARE.match(text, start)
            if bare is None:
                continue
            content, position = bare.group(), bare.end()
        if content:
            found.append(Box(content, match.start(), position))
    return found


def last_box(text: str) -> str | None:
    """What is in the last box, or None if there is none."""
    found = boxes(text)
    return found[-1].text if found else None


def closing_braces(text: str, start: int = 0) -> dict[int, int]:
    r"""Where each brace that opens behind `start` is closed, in one pass; unclosed ones are left out.

    `\{` and `\}` are no braces.
    """
    closing: dict[int, int] = {}
    opened: list[int] = []
    for match in BRACE.finditer(text, start):
        if match.group() == "{":
            opened.append(match.start())
        elif match.group() == "}" and opened:
            closing[opened.pop()] = match.start()
    return closing
