"""Solved examples before each problem: drawn once, the same in every run and slice."""

from __future__ import annotations

import hashlib
import heapq
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from skythought.config import FewShot, TaskConfig
from skythought.errors import UserError
from skythought.tasks.data.rows import Row, rows
from skythought.tasks.templates import FAULTS, LETTERS, expression, template
from skythought.types import MalformedRow, Problem

__all__ = ["examples"]

SPARE = 8
"""Rows held beyond those that are needed, for some may be unusable or say the same as another."""

Make = Callable[[int, Row], Problem | MalformedRow]
Made = Problem | MalformedRow


class Example(NamedTuple):
    """A solved problem."""

    prompt: str
    answer: str


def examples(task: TaskConfig, make: Make) -> Callable[[Made], Made]:
    """What puts a task's examples before a problem.

    Args:
        task: The task.
        make: Renders a row as the task's problem, without examples.

    Raises:
        UserError: (when the first problem is given) The examples cannot be read, or are too few.
    """
    if task.few_shot is None or task.few_shot.count == 0:
        return lambda made: made
    return _Examples(task, task.few_shot, make)


@dataclass
class _Examples:
    task: TaskConfig
    config: FewShot
    make: Make
    pools: dict[str, list[Example]] | None = None
    """Examples by the value of `match`, one more than shown, so that a problem can be left out of its own."""

    def __call__(self, made: Made) -> Made:
        if isinstance(made, MalformedRow):
            return made
        if self.pools is None:
            self.pools = self._drawn()
        try:
            key = self._key(made.row)
        except FAULTS as error:
            return MalformedRow(int(made.id), None, f"few_shot.match: {error}")
        chosen = [example for example in self.pools.get(key, []) if example.prompt != made.prompt]
        if len(chosen) < self.config.count:
            where = f" for {self.config.match} = {key}" if self.config.match else ""
            raise UserError(
                f"task {self.task.name}: few_shot: {self.config.count} examples are asked for, but {_source(self)} "
                f"has {len(chosen)} usable ones{where} besides problem {made.id}."
            )
        chosen = chosen[: self.config.count]
        if self.config.as_turns:
            return replace(made, shots=tuple((example.prompt, example.answer) for example in chosen))
        parts = [example.prompt + self.config.joint + example.answer for example in chosen]
        return replace(made, prompt=self.config.separator.join([*parts, made.prompt]))

    def _drawn(self) -> dict[str, list[Example]]:
        """The pools: rows in order, or in the order of a hash; only as many as can be needed are held, or even read."""
        if self.config.seed is None and self.config.match is None:
            return {"": self._solved(self._rows())}
        held: dict[str, list[tuple[int, int, Row]]] = {}
        most = 2 * self.config.count + SPARE
        for index, row in self._rows():
            heap = held.setdefault(self._key(row), [])
            entry = (-self._rank(index), index, row)
            if len(heap) < most:
                heapq.heappush(heap, entry)
            elif entry[0] > heap[0][0]:
                heapq.heapreplace(heap, entry)
        ordered = {key: sorted(heap, key=lambda entry: -entry[0]) for key, heap in held.items()}
        return {key: self._solved((index, row) for _, index, row in entries) for key, entries in ordered.items()}

    def _rows(self) -> Iterator[tuple[int, Row]]:
        conditions = [expression(text) for text in self.config.filters]
        for index, row in self._source_rows():
            if isinstance(row, MalformedRow):
                continue
            try:
                usable = all(condition({**row, "row": row}) for condition in conditions)
                self._key(row)
            except FAULTS as error:
                raise UserError(f"task {self.task.name}: few_shot: row {index} of {_source(self)}: {error}.") from None
            if usable:
                yield index, row

    def _source_rows(self) -> Iterator[tuple[int, Row | MalformedRow]]:
        if self.config.rows is not None:
            return iter(enumerate(self.config.rows))
        given = self.config.model_dump(include={"dataset_subset", "dataset_split", "dataset_kwargs"}, exclude_none=True)
        if self.config.dataset_path is not None:  # another dataset: nothing of the task's own goes with it
            absent: dict[str, Any] = {"dataset_subset": None, "dataset_split": None, "dataset_kwargs": {}}
            given = {**absent, **given, "dataset_path": self.config.dataset_path}
        return iter(rows(self.task.model_copy(update=given)))

    def _key(self, row: Mapping[str, Any]) -> str:
        return str(expression(self.config.match)({**row, "row": row})) if self.config.match else ""

    def _rank(self, index: int) -> int:
        if self.config.seed is None:
            return index
        digest = hashlib.sha256(f"{self.config.seed}\x1f{index}".encode()).digest()
        return int.from_bytes(digest[:8], "big")

    def _solved(self, entries: Iterable[tuple[int, Row]]) -> list[Example]:
        """The first usable ones, one more than shown."""
        found: dict[str, Example] = {}
        for index, row in entries:
            made = self.make(index, row)
            if isinstance(made, MalformedRow):
                if self.config.rows is not None:  # written by hand: a mistake, not a bad row among many
                    raise UserError(f"task {self.task.name}: few_shot.rows: {made}.")
                continue
            answer = self._answer(index, made)
            if answer.strip() and made.prompt not in found:
                found[made.prompt] = Example(made.prompt, answer)
            if len(found) > self.config.count:
                break
        return list(found.values())

    def _answer(self, index: int, made: Problem) -> str:
        variables = {**made.row, "row": made.row, "target": made.target}
        if made.choices:
            variables |= {"choices": list(made.choices), "letters": list(LETTERS[: len(made.choices)])}
        try:
            return template(self.config.answer).render(variables)
        except FAULTS as error:
            raise UserError(
                f"task {self.task.name}: few_shot.answer, for row {index} of {_source(self)}: {error}."
            ) from None


def _source(held: _Examples) -> str:
    if held.config.rows is not None:
        return "few_shot.rows"
    split = held.config.dataset_split or (held.task.dataset_split if held.config.dataset_path is None else None)
    return " ".join(filter(None, [repr(held.config.dataset_path or held.task.dataset_path), split]))
