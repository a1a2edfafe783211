"""Splitting what a model wrote into thinking and answer: tags around the thinking, or the channels of gpt-oss."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

from skythought.config import COMMON_TAGS
from skythought.models.harmony import split_channels

__all__ = ["Split", "split_thinking"]


LOOKS = 50
FENCE = re.compile(r"^[ \t]*+```(?!`)[ \t]*+([^`\n]*+)$", re.MULTILINE)
"""A line that opens or closes a block of code."""


class _Marks(NamedTuple):
    opening: re.Pattern[str]
    closings: tuple[str, ...]


class Split(NamedTuple):
    """A response in two parts. `answer` is None if the model was still thinking when it stopped."""

    thinking: str
    answer: str | None


def split_thinking(
    content: str,
    *,
    tags: Sequence[tuple[str, str]] = COMMON_TAGS,
    opened: bool = False,
    reasoning: str | None = None,
) -> Split:
    """Take the thinking out of a response.

    The answer is what follows the last closing tag and the blank lines after it. An opening tag counts at the start
    of a line only, so that a model may write about tags; a closing tag without an opening one is what models leave
    whose chat template opens the thinking for them. A closing tag in the middle of a block of code that the answer
    has begun is a part of that code. A response in channels is split by these, where no tags of the model's own are
    given.

    Args:
        content: The whole assistant turn, prefill included.
        tags: Pairs of opening and closing tags.
        opened: The prompt already ended inside a thinking block.
        reasoning: Thinking that the endpoint returned apart; then `content` is the answer, if there is any.
    """
    if reasoning:
        return Split(reasoning, content if content.strip() else None)
    if tuple(tags) == COMMON_TAGS and (channels := split_channels(content)):
        return Split(*channels)
    marks = _marks(tuple(tags))
    close_at, close_end = _last_closing(content, marks.closings)
    for _ in range(LOOKS):
        if close_at < 0 or not _in_code(content, close_at, close_end):
            break
        earlier = _last_closing(content[:close_at], marks.closings)
        if earlier[0] < 0 and (opened or marks.opening.search(content, 0, close_at) or _alone(content, close_at)):
            break  # the thinking has begun, and this is all that ends it
        close_at, close_end = earlier
    thinking, rest = content[: max(close_at, 0)], content[close_end:]
    reopened = marks.opening.search(rest)
    if reopened is not None or (opened and close_at < 0):
        return Split(content, None)
    return Split(thinking, rest.lstrip("\n") if close_at >= 0 else rest)


def _in_code(text: str, start: int, end: int) -> bool:
    """Whether a tag stands in a block of code: one is open before it, and what follows closes it."""
    is_open = False
    for fence in FENCE.finditer(text, 0, start):
        is_open = bool(fence.group(1)) or not is_open
    if not is_open:
        return False
    for number, fence in enumerate(FENCE.finditer(text, end)):
        if number == 0 and fence.group(1):
            return False
        is_open = bool(fence.group(1)) or not is_open
    return not is_open


def _alone(text: str, start: int) -> bool:
    """Whether nothing stands before a tag in its line."""
    return not text[text.rfind("\n", 0, start) + 1 : start].strip()


@lru_cache
def _marks(tags: tuple[tuple[str, str], ...]) -> _Marks:
    openings = "|".join(re.escape(opening) for opening, _ in tags)
    return _Marks(re.compile(rf"^[ \t]*(?:{openings})", re.MULTILINE), tuple(closing for _, closing in tags))


def _last_closing(text: str, closings: tuple[str, ...]) -> tuple[int, int]:
    """Where the last closing tag begins and ends; (-1, 0) if there is none.

    Looks for the tags' last characters first: where there is none of them, that is a thousand times faster than to
    search backwards for the tags.
    """
    best = (-1, 0)
    for last in {closing[-1] for closing in closings}:
        end = len(text)
        for _ in range(LOOKS):
            end = text.rfind(last, 0, end)
            if end < best[1] or end < 0:
                break
            if text.endswith(closings, 0, end + 1):
                length = max(len(closing) for closing in closings if text.endswith(closing, 0, end + 1))
                best = (end + 1 - length, end + 1)
                break
        else:
            found = [(text.rfind(closing, 0, end), len(closing)) for closing in closings if closing[-1] == last]
            best = max([best, *((at, at + length) for at, length in found if at >= 0)])
    return best
