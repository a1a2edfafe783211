"""What is asked in a row of whatever shape: chats, prompts, columns of a dataset."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

__all__ = ["COLUMNS", "question_of", "whole_of"]

CHATS = ("messages", "conversations", "conversation", "prompt")
COLUMNS = ("problem", "question", "prompt", "instruction", "query", "text", "content", "input", "question_content")
"""Names of columns that hold a problem, in any case; of several, the first of these."""
MODELS = ("assistant", "gpt", "model", "bot")


def question_of(row: Mapping[str, Any] | str, column: str | None = None) -> str | None:
    """All that comes before the model's last turn, or the text in the problem's column; None if there is neither.

    Args:
        row: A text is itself.
        column: The one to read; by default a chat, else the first of `COLUMNS`.
    """
    return _text(row, column, with_answer=False)


def whole_of(row: Mapping[str, Any] | str, column: str | None = None) -> str | None:
    """The same with the response: of a chat every turn, of other rows every column that is text."""
    return _text(row, column, with_answer=True)


def _text(row: Mapping[str, Any] | str, column: str | None, *, with_answer: bool) -> str | None:
    if isinstance(row, str):
        return row
    names = {str(name).lower(): name for name in row}
    for name in [column] if column else [names[name] for name in CHATS if name in names]:
        if (chat := _chat(row.get(name), with_answer)) is not None:
            replies = [_chat(row.get(part), True) or row.get(part) for part in ("completion", "chosen", "rejected")]
            return "\n\n".join([chat, *(part for part in replies if with_answer and isinstance(part, str))])
    if with_answer and not column:
        return "\n\n".join(value for value in row.values() if isinstance(value, str)) or None
    named = [column] if column else [names[name] for name in COLUMNS if name in names]
    found = [row[name] for name in named if isinstance(row.get(name), str)]
    if not column and named[:1] == [names.get("instruction")]:  # Alpaca's rows: what it is about stands in `input`
        return "\n\n".join([*found[:1], *([row[names["input"]]] if "input" in names else [])])
    return found[0] if found else None


def _chat(value: Any, with_answer: bool) -> str | None:
    """The turns of a chat as one text; None if it is none."""
    if (
        not isinstance(value, Sequence)
        or isinstance(value, str)
        or not all(isinstance(turn, Mapping) for turn in value)
    ):
        return None
    turns = [
        (str(turn.get("role", turn.get("from"))), turn.get("content", turn.get("value")), turn.get("reasoning_content"))
        for turn in value
    ]
    if not with_answer and turns and turns[-1][0] in MODELS:
        turns.pop()
    return "\n\n".join(part for _, *parts in turns for part in reversed(parts) if isinstance(part, str))
