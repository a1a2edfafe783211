"""Plain messages, as chat endpoints have them: what NeMo-RL, verl's SFT, torchtune and most loaders read."""

from __future__ import annotations

from skythought.exporting.example import Example
from skythought.exporting.exporter import Exporter, Row

__all__ = ["Messages"]


class Messages(Exporter):
    """One column, `messages`."""

    def sft(self, example: Example) -> Row:
        """`messages`."""
        return {"messages": self.conversation(example)}
