"""ShareGPT: `conversations` of turns that are `from` somebody and have a `value`."""

from __future__ import annotations

from skythought.exporting.example import Example
from skythought.exporting.exporter import Exporter, Row

__all__ = ["ShareGpt"]

NAMES = {"system": "system", "user": "human", "assistant": "gpt"}


def _renamed(turn: Row) -> Row:
    """A turn in the words of this format; a field for the thinking keeps its name."""
    others = {name: value for name, value in turn.items() if name not in ("role", "content")}
    return {"from": NAMES[turn["role"]], "value": turn["content"], **others}


class ShareGpt(Exporter):
    """One column, `conversations`; a system prompt is its first turn."""

    def sft(self, example: Example) -> Row:
        """`conversations`."""
        return {"conversations": [_renamed(turn) for turn in self.conversation(example)]}
