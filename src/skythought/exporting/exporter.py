"""The interface of every format: from an example to a row.

To add one: a module in `exporting/exporters/` (or a package with an entry point in the group `skythought.exporters`, or
`path/to/file.py:ClassName`) with one class deriving from `Exporter` in `__all__`. It defines a method for each kind of
training that it has rows for.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from skythought.exporting.example import Example, Pair
from skythought.exporting.gold import data_source, ground_truth

__all__ = ["KINDS", "Exporter", "Kind", "Row", "Thinking", "Written"]

Row = dict[str, Any]
Kind = Literal["sft", "completion", "dpo", "kto", "rl"]
KINDS: tuple[Kind, ...] = ("sft", "completion", "dpo", "kto", "rl")
Thinking = Literal["inline", "field", "drop"]


@dataclass(frozen=True)
class Written:
    """What was written, for files beside the data and for the card."""

    name: str
    """The folder's name, which is the dataset's."""
    kind: Kind
    files: tuple[str, ...]
    """Of the data, seen from the export's folder."""
    rows: int
    hub: str
    """The dataset's name on the hub; USER/NAME where it is not uploaded."""


class Exporter:
    """A format of training data. One method makes one kind of row; those that are not defined are not offered."""

    files: ClassVar[str] = "jsonl"
    """What its trainer reads best: jsonl or parquet."""
    thinkings: ClassVar[tuple[Thinking, ...]] = ("inline", "field", "drop")
    """Where it has a place for the thinking."""

    def __init__(self, thinking: Thinking = "inline", field: str = "reasoning_content") -> None:
        self.thinking = thinking
        self.field = field

    @classmethod
    def kinds(cls) -> list[Kind]:
        """What it has rows for; the first is the default."""
        return [kind for kind in KINDS if getattr(cls, kind) is not getattr(Exporter, kind)]

    def sft(self, example: Example) -> Row:
        """A right response to learn, as a conversation."""
        raise NotImplementedError

    def completion(self, example: Example) -> Row:
        """The same as prompt and completion."""
        raise NotImplementedError

    def dpo(self, pair: Pair) -> Row:
        """A response that is preferred to another one."""
        raise NotImplementedError

    def kto(self, example: Example) -> Row:
        """A response, and whether it is right (`example.right`)."""
        raise NotImplementedError

    def rl(self, example: Example) -> Row:
        """A problem to be answered, with its gold answer; the example's response is not used."""
        raise NotImplementedError

    def beside(self, written: Written) -> Mapping[str, str]:
        """Texts of files that the trainer wants beside the data, by their names."""
        return {}

    def usage(self, written: Written) -> str:
        """For the card: how the trainer is told to read this, as Markdown."""
        return ""

    def reply(self, example: Example) -> Row:
        """The model's turn with its thinking where it is wanted: inside the content, in a field, or nowhere."""
        turn: Row = {"role": "assistant", "content": self.text(example)}
        if self.thinking == "field":
            turn[self.field] = example.thinking
        return turn

    def text(self, example: Example) -> str:
        """The content of the model's turn."""
        return example.whole if self.thinking == "inline" else example.answer

    def conversation(self, example: Example) -> list[Row]:
        """The turns before, and the model's."""
        return [*self.prompt(example), self.reply(example)]

    def prompt(self, example: Example) -> list[Row]:
        """The turns before the model's."""
        return [{"role": turn["role"], "content": turn["content"]} for turn in example.messages]

    def gold(self, example: Example) -> Row:
        """What our rewards score by: `data_source`, `ground_truth`, and the options of a multiple-choice problem."""
        problem = example.problem
        row = {"data_source": data_source(example.task, example.scorer), "ground_truth": ground_truth(problem.target)}
        return row | ({"choices": list(problem.choices)} if problem.choices else {})
