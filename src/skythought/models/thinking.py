"""Splitting what a model wrote into thinking and answer."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from skythought.config import COMMON_TAGS

__all__ = ["Split", "split_thinking"]


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

    The answer is what follows the last closing tag. An opening tag counts at the start of a line only, so that a model
    may write about tags; a closing tag without an opening one is what models leave whose chat template opens the
    thinking for them.

    Args:
        content: The whole assistant turn, prefill included.
        tags: Pairs of opening and closing tags.
        opened: The prompt already ended inside a thinking block.
        reasoning: Thinking that the endpoint returned apart; then `content` is the answer, if there is any.
    """
    if reasoning:
        return Split(reasoning, content if content.strip() else None)
    # `in` first: searching backwards for what is not there takes ten times as long.
    found = [(content.rfind(close), len(close)) for _, close in tags if close in content]
    close_at, length = max(found, default=(-1, 0))
    close_end = close_at + length if found else 0
    thinking, rest = content[: max(close_at, 0)], content[close_end:]
    reopened = _first_opening(rest, tags)
    if reopened is not None or (opened and close_at < 0):
        return Split(content, None)
    return Split(thinking, rest)


def _first_opening(text: str, pairs: Sequence[tuple[str, str]]) -> re.Match[str] | None:
    openings = "|".join(re.escape(opening) for opening, _ in pairs)
    return re.search(rf"^[ \t]*(?:{openings})", text, re.MULTILINE)
