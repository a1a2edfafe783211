"""Further columns of a row: what is known of the sample, and the dataset's own."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from skythought.errors import unknown
from skythought.exporting.example import Example
from skythought.exporting.exporter import Row
from skythought.exporting.gold import ground_truth

__all__ = ["Columns"]

KNOWN: Mapping[str, Callable[[Example], Any]] = {
    "task": lambda example: example.task,
    "problem_id": lambda example: example.problem.id,
    "sample": lambda example: example.sample.sample,
    "seed": lambda example: example.sample.seed,
    "target": lambda example: ground_truth(example.problem.target),
    "extracted": lambda example: example.sample.answer,
    "verdict": lambda example: example.sample.verdict,
    "pass_rate": lambda example: example.pass_rate,
    "tokens": lambda example: example.sample.completion_tokens,
    "thinking": lambda example: example.thinking,
}


class Columns:
    """Columns by their names; a row of the dataset that lacks one has null there."""

    def __init__(self, names: Sequence[str]) -> None:
        self._names = names
        self._missing = {name for name in names if name not in KNOWN}
        self._others: set[str] = set()

    def of(self, example: Example) -> Row:
        """The columns' values. A mapping of the dataset's is written as its JSON: rows differ in what they have."""
        row = example.problem.row
        if self._missing:
            self._missing -= row.keys()
            self._others |= row.keys()
        return {name: KNOWN[name](example) if name in KNOWN else _plain(row.get(name)) for name in self._names}

    def require_all(self) -> None:
        """Refuse, once all rows are made, a name that neither a sample nor any row has.

        Raises:
            UserError: There is one.
        """
        for name in sorted(self._missing) if self._others else ():  # without rows nothing is known of the dataset's
            raise unknown("column in --columns", name, [*KNOWN, *map(str, self._others)])


def _plain(value: Any) -> Any:
    return json.dumps(value, ensure_ascii=False, sort_keys=True) if isinstance(value, Mapping) else value
