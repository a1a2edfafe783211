"""Splitting what a model wrote into thinking and answer."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from skythought.config import COMMON_TAGS

__all__ = ["Split", "split_thinking"]


LOOKS = 50


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
    whose chat template opens the thinking for them.

    Args:
        content: The whole assistant turn, prefill included.
        tags: Pairs of opening and closing tags.
        opened: The prompt already ended inside a thinking block.
        reasoning: Thinking that the endpoint returned apart; then `content` is the answer, if there is any.
    """
    if reasoning:
        return Split(reasoning, content if content.strip() else None)
    close_at, close_end = max(
        ((at, at + len(close)) for _, close in tags if (at := _last(content, close)) >= 0), default=(-1, 0)
    )
    thinking, rest = content[: max(close_at, 0)], content[close_end:]
    reopened = _first_opening(rest, tags)
    if reopened is not None or (opened and close_at < 0):
        return Split(content, None)
    return Split(thinking, rest.lstrip("\n") if close_at >= 0 else rest)


def _last(text: str, tag: str) -> int:
    """Where a tag is last, or -1. Looks for its last character first: a thousand times faster where there is none."""
    end = len(text)
    for _ in range(LOOKS):
        end = text.rfind(tag[-1], 0, end)
        start = end + 1 - len(tag)
        if start < 0:
            return -1
        if text.startswith(tag, start):
            return start
    return text.rfind(tag, 0, end)


def _first_opening(text: str, pairs: Sequence[tuple[str, str]]) -> re.Match[str] | None:
    openings = "|".join(re.escape(opening) for opening, _ in pairs)
    return re.search(rf"^[ \t]*(?:{openings})", text, re.MULTILINE)
