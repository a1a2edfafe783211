"""TRL: messages for SFT, prompt and completion, DPO, KTO and GRPO (its docs, `dataset_formats.md`)."""

from __future__ import annotations

from skythought.exporting.example import Example, Pair
from skythought.exporting.exporter import Exporter, Row

__all__ = ["Trl"]


class Trl(Exporter):
    """Conversations as lists of messages. The prompt is explicit wherever there are two parts, as TRL recommends."""

    def sft(self, example: Example) -> Row:
        """`messages`."""
        return {"messages": self.conversation(example)}

    def completion(self, example: Example) -> Row:
        """`prompt` and `completion`: only the latter is learnt."""
        return {"prompt": self.prompt(example), "completion": [self.reply(example)]}

    def dpo(self, pair: Pair) -> Row:
        """`prompt`, `chosen`, `rejected`."""
        return {
            "prompt": self.prompt(pair.chosen),
            "chosen": [self.reply(pair.chosen)],
            "rejected": [self.reply(pair.rejected)],
        }

    def kto(self, example: Example) -> Row:
        """`prompt`, `completion`, `label`."""
        return {**self.completion(example), "label": bool(example.right)}

    def rl(self, example: Example) -> Row:
        """`prompt`, and the columns that `skythought.reward` scores by."""
        return {"prompt": self.prompt(example), **self.gold(example)}
