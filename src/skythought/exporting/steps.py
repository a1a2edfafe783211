"""The steps of an export: each lets examples through or drops them, and counts both."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from skythought.exporting.example import Example

__all__ = ["Read", "Step", "StepCount"]


class Step:
    """One step. It is used once: called with the examples, it yields those that it keeps, in the same order.

    A step that looks at one example at a time defines `why_not`; another one defines `__call__`, and counts with `keep`
    and `drop`. Its memory must not grow with the texts that go through, and what it keeps must not depend on a clock, a
    hash seed or the order in which threads finish.
    """

    name = ""
    """For the table of counts in the card, in a few words."""

    def __init__(self) -> None:
        self.kept = 0
        self.dropped: Counter[str] = Counter()
        """Why, in a few words -> how many examples."""

    def why_not(self, example: Example) -> str | None:
        """Why the example is dropped; None to keep it."""
        raise NotImplementedError

    def __call__(self, examples: Iterator[Example]) -> Iterator[Example]:
        """Those that are kept."""
        for example in examples:
            why = self.why_not(example)
            if why is None:
                yield self.keep(example)
            else:
                self.drop(why)

    def keep(self, example: Example) -> Example:
        """Count an example as kept."""
        self.kept += 1
        return example

    def drop(self, why: str, count: int = 1) -> None:
        """Count an example, or several, as dropped."""
        self.dropped[why] += count

    def card(self) -> str:
        """What the card has to say beyond the counts, as Markdown with headings from `##`; asked at the end."""
        return ""

    def remarks(self) -> list[str]:
        """What whoever exports has to know, a line each; asked at the end."""
        return []

    def write(self, folder: Path) -> None:
        """Put files of its own into the export's folder (a list of hits); asked at the end."""

    def count(self) -> StepCount:
        """What it did, once all examples are through."""
        return StepCount(self.name, self.kept, dict(sorted(self.dropped.items())))


@dataclass(frozen=True)
class StepCount:
    """What a step did."""

    name: str
    kept: int
    dropped: Mapping[str, int]
    """Why -> how many."""


class Read(Step):
    """Everything that was asked, for the count."""

    name = "asked"

    def why_not(self, example: Example) -> str | None:
        """Never."""
        return None
