"""The channels of gpt-oss (its format "harmony"), with their special tokens or after an engine dropped those."""

from __future__ import annotations

import re

__all__ = ["split_channels"]

MESSAGE = re.compile(
    r"<\|channel\|>\s*(?P<name>analysis|commentary|final)\b[^<\n]{0,80}(?:<\|constrain\|>[^<\n]{0,20})?<\|message\|>"
)
OPENED = re.compile(r"\s*(?:<\|start\|>\s*)?(?:assistant)?\s*<\|channel\|>")
END = re.compile(r"<\|(?:return|end|start|call|channel)\|>")
# "analysisThe user asks ...assistantfinalIt is 4": what is left of the tokens are the names of role and channel.
DROPPED = re.compile(r"\s*(?:assistant)?(?:analysis|commentary)(?P<glued>[\w\"$\\])?")
FINAL = "assistantfinal"
NAMES = re.compile(r"\A\s*(?:assistant)?(?:analysis|commentary)|assistant(?:analysis|commentary)(?=[\w\"$\\])")
ONLY_FINAL = re.compile(r"\s*(?:assistantfinal|final(?=[A-Z\d*$\\]))(?!\w*\s?[=(])")


def split_channels(content: str) -> tuple[str, str | None] | None:
    """Thinking and answer of a response in channels; None for a response that has none.

    The answer is the last message of the channel "final", and None where there is no such message: an analysis that
    was cut short is no answer. The thinking is what the other messages say, a blank line between two. A response
    that merely begins with the word "analysis" has no channels.
    """
    if "<|channel|>" in content:
        last = next((m for m in reversed(list(MESSAGE.finditer(content))) if m["name"] == "final"), None)
        if last is not None:
            return _thoughts(content[: last.start()]), END.split(content[last.end() :], maxsplit=1)[0]
        return (_thoughts(content), None) if OPENED.match(content) else None
    opening = DROPPED.match(content)
    if opening is not None:
        thinking, final, answer = content.rpartition(FINAL)
        if final:
            return _without_names(thinking), answer
        return (_without_names(content), None) if opening["glued"] else None
    only = ONLY_FINAL.match(content)
    return ("", content[only.end() :]) if only else None


def _thoughts(content: str) -> str:
    """The messages of a text in channels, without their tokens; the text itself where there is none."""
    begins = [message.end() for message in MESSAGE.finditer(content)]
    ends = [end.start() if (end := END.search(content, begin)) else len(content) for begin in begins]
    messages = [content[begin:end].strip() for begin, end in zip(begins, ends, strict=True)]
    return "\n\n".join(text for text in messages if text) if begins else content


def _without_names(content: str) -> str:
    """The same where only the names of role and channel are left of the tokens."""
    return "\n\n".join(text.strip() for text in NAMES.split(content) if text.strip())
