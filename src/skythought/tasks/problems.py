"""From rows to problems: filter, slice, and render each with the task's templates."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any

from jinja2 import Template, UndefinedError

from skythought.config import TaskConfig
from skythought.errors import UserError, did_you_mean
from skythought.tasks import few_shot
from skythought.tasks.data.rows import Row, Rows, rows
from skythought.tasks.formats.base import Format, find_format
from skythought.tasks.templates import FAULTS, LETTERS, expression, missing_name, template, variables
from skythought.tasks.upstream.handlers import preprocess_filters
from skythought.types import MalformedRow, Problem, Shard

__all__ = ["MissingColumn", "Problems", "lacking_columns", "problem_of_row", "problems", "solutions"]

Expression = Callable[[Mapping[str, Any]], Any]

LOOKED_AT, MOST_NAMES = 20, 20
"""Rows in which missing columns are looked for, and how many of one template are told."""


def problems(
    task: TaskConfig,
    start: int = 0,
    end: int = -1,
    *,
    shard: Shard | None = None,
    revisions: Mapping[str, str] | None = None,
    whole_rows: bool = False,
) -> Problems:
    """The problems of a task in the dataset's order, made one at a time.

    Args:
        task: The task, as `load_task` returns it.
        start: Number of the first problem, counted after the task's filters.
        end: Number after the last one; negative means all. Reading stops there: of a large dataset no more is fetched.
        shard: Only the problems of this part.
        revisions: The commits to read where the task pins none, by repository: those of an earlier reading.
        whole_rows: Keep the columns of the task's `unrecorded` in the problems' rows.
    """
    return Problems(task, start, end, rows(task, some=end >= 0, revisions=revisions), whole_rows, shard)


@dataclass
class Problems:
    """A task's problems on their way: iterate once."""

    task: TaskConfig
    start: int
    end: int
    rows: Rows
    whole_rows: bool
    shard: Shard | None = None

    @property
    def revisions(self) -> Mapping[str, str]:
        """The dataset's repositories or addresses -> the commits (or ETags) read; known once a problem has come."""
        return self.rows.revisions

    @property
    def why_none(self) -> str:
        """Why nothing came, once all is read."""
        if not self.rows.read:
            return f"no problem is left, for its dataset {self.task.dataset_path!r} has no rows"
        asked = f"--start {self.start} --end {self.end}" + (f" --shard {self.shard}" if self.shard else "")
        if self.task.filters:
            return f"no problem is left after its filters and {asked}; widen them"
        if self.start >= self.rows.read:
            return f"no problem is left: --start {self.start} is beyond the {self.rows.read:,} rows of its dataset"
        return f"no problem is left after {asked}; widen them"

    def __iter__(self) -> Iterator[Problem | MalformedRow]:
        """A problem, or for a row that cannot become one an object that names row, column and reason.

        Raises:
            UserError: The dataset cannot be read, or a column that the task needs is in none of its rows.
        """
        maker = _Maker.of(self.task, self.whole_rows)
        shown = few_shot.examples(self.task, _Maker.of(self.task, whole_rows=True).example)
        kept = (made for index, row in self.rows if (made := maker.kept(index, row)) is not None)
        wanted = enumerate(islice(kept, self.start, None if self.end < 0 else self.end), self.start)
        asked = (entry for position, entry in wanted if self.shard is None or self.shard.has(position))
        made_problems = (shown(maker.problem(*entry)) if isinstance(entry, tuple) else entry for entry in asked)
        return _unless_all_lack(made_problems, self.task, maker)


def solutions(task: TaskConfig, problem: Problem) -> list[str]:
    """The reference solutions that the dataset has of a problem made with `whole_rows`; an empty list if none.

    Raises:
        UserError: The task's `solution` is no text and no list of texts.
    """
    if task.solution is None:
        return []
    try:
        found = _value(expression(task.solution), variables(task, find_format(task.format), problem.row), None)
    except _RowFaultError as fault:
        raise UserError(f"task {task.name}: solution of problem {problem.id}: {fault.why}.") from None
    texts = [found] if isinstance(found, str) else found or []
    if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
        raise UserError(f"task {task.name}: solution of problem {problem.id} is neither a text nor a list of texts.")
    return [text for text in texts if text.strip()]


def lacking_columns(task: TaskConfig) -> list[str]:
    """The columns that the task's templates read and that none of its first rows has.

    Raises:
        UserError: The dataset cannot be read.
    """
    maker, lacking = _Maker.of(task), []
    for _, row in islice(rows(task, some=True), LOOKED_AT):
        if isinstance(row, MalformedRow):
            continue
        try:
            seen = maker.variables(maker.plain(row))
        except _RowFaultError:
            continue
        lacking.append(_missing_in(maker, seen))
    return [name for name in (lacking[0] if lacking else []) if all(name in others for others in lacking)]


def _missing_in(maker: _Maker, seen: dict[str, Any]) -> list[str]:
    """The names that the templates look for in vain in one row."""
    shown: dict[str, Any] = {"choices": [], "letters": []} if maker.choices is not None else {}
    missing: list[str] = []
    for compute in (*maker.filters, maker.choices, maker.target, maker.prompt.render):
        for _ in range(MOST_NAMES if compute is not None else 0):
            try:
                compute({**shown, **seen, **dict.fromkeys(missing, "")})  # type: ignore[misc]  # not None
                break
            except UndefinedError as error:
                name = missing_name(error)
                if name is None or name in missing:
                    break
                missing.append(name)
            except FAULTS:
                break
    return missing


def problem_of_row(task: TaskConfig, row: Mapping[str, Any], id: str = "", prompt: str = "") -> Problem | MalformedRow:
    """The problem behind a row of the task's dataset that was asked already: for scoring answers to it.

    The prompt is the one that was asked, not rendered again. A row that cannot be used is returned as a
    `MalformedRow`, as a `MissingColumn` if it lacks a column. Where options were shuffled by whoever asked, the row's
    letter (in the column that the task calls `answer_key`) is believed: the right option stands there.
    """
    return _Maker.of(task).recorded(dict(row), id, prompt)


@dataclass(frozen=True)
class MissingColumn(MalformedRow):
    """A row that lacks a column which the task needs. If all rows lack it, it is the user's mistake, not the data's."""


class _RowFaultError(Exception):
    """Why a row cannot become a problem; never leaves this module."""

    def __init__(self, column: str | None, why: str, missing: bool = False) -> None:
        super().__init__(why)
        self.column, self.why, self.missing = column, why, missing


@dataclass
class _Maker:
    """A task's templates, compiled once."""

    task: TaskConfig
    prompt: Template
    target: Expression | None
    choices: Expression | None
    filters: list[Expression]
    columns: set[str]
    """All columns seen so far, to name the nearest when one is missing."""
    format: Format
    whole_rows: bool

    @classmethod
    def of(cls, task: TaskConfig, whole_rows: bool = False) -> _Maker:
        filters = [*preprocess_filters(task.preprocess_config), *task.filters]
        return cls(
            task=task,
            prompt=template(task.prompt or ""),
            target=expression(task.target) if task.target else None,
            choices=expression(task.choices) if task.choices else None,
            filters=[expression(text) for text in filters],
            columns=set(),
            format=find_format(task.format),
            whole_rows=whole_rows,
        )

    def plain(self, row: Row) -> Row:
        """The row as the task's format makes it."""
        try:
            return self.format.plain(row)
        except KeyError as error:
            column = str(error.args[0]) if error.args else ""
            raise _RowFaultError(column, "not in this row", missing=column not in row) from None
        except (ValueError, TypeError, AttributeError) as error:
            raise _RowFaultError(None, str(error)) from None

    def variables(self, row: Row) -> dict[str, Any]:
        """What the task's templates see of a row."""
        return variables(self.task, self.format, row)

    def recordable(self, row: Row) -> Row:
        """The row without the columns that the task does not record."""
        if self.whole_rows or not self.task.unrecorded:
            return row
        return {name: value for name, value in row.items() if name not in self.task.unrecorded}

    def kept(self, index: int, row: Row | MalformedRow) -> tuple[int, Row] | MalformedRow | None:
        """The row if it passes all filters, what is wrong with it, or None if it is filtered out."""
        if isinstance(row, MalformedRow):
            return row
        self.columns.update(row)
        try:
            row = self.plain(row)
            seen = self.variables(row)
            passes = all(_value(condition, seen, None) for condition in self.filters)
        except _RowFaultError as fault:
            return _row_error(index, fault)
        return (index, row) if passes else None

    def example(self, index: int, row: Row) -> Problem | MalformedRow:
        """A row that passed no filter as a problem."""
        try:
            return self.problem(index, self.plain(row))
        except _RowFaultError as fault:
            return _row_error(index, fault)

    def problem(self, index: int, row: Row) -> Problem | MalformedRow:
        """The row, which is plain, as a problem."""
        try:
            self._require_question(row)
            choices, right = self._options(row)
            order = self._order(row, len(choices))
            shown = tuple(choices[number] for number in order)
            target = self._target(row) if right is None else LETTERS[order.index(right)]
            return Problem(str(index), self._prompt(row, shown), target, shown, self.recordable(row))
        except _RowFaultError as fault:
            return _row_error(index, fault)

    def recorded(self, row: Row, name: str, prompt: str) -> Problem | MalformedRow:
        """The row of a record as a problem whose prompt is known."""
        index = int(name) if name.isdecimal() else -1
        try:
            row = self.plain(row)
            choices, right = self._options(row)
            order = self._order(row, len(choices))
            letter = row.get(self.task.answer_key or "")
            if (
                right is not None
                and self.task.shuffle_choices
                and isinstance(letter, str)
                and letter in _letters(choices)
            ):
                # Only where the right one stood matters: all others are wrong in any order.
                order = [number for number in range(len(choices)) if number != right]
                order.insert(LETTERS.index(letter), right)
            target = self._target(row) if right is None else LETTERS[order.index(right)]
            shown = tuple(choices[number] for number in order)
            return Problem(name, prompt, target, shown, self.recordable(row))
        except _RowFaultError as fault:
            return _row_error(index, fault)

    def _require_question(self, row: Row) -> None:
        key = self.task.question_key
        if key in row and not (isinstance(row[key], str) and row[key].strip()):
            given = "empty" if row[key] in (None, "") or isinstance(row[key], str) else type(row[key]).__name__
            raise _RowFaultError(key, f"a question must be text, but it is {given}")

    def _target(self, row: Row) -> Any:
        if self.target is None:
            return None
        value = _value(self.target, self.variables(row), self.task.answer_key)
        if value is None or value == [] or (isinstance(value, str) and not value.strip()):
            raise _RowFaultError(self.task.answer_key, "the right answer is empty")
        return value.strip() if isinstance(value, str) else value

    def _options(self, row: Row) -> tuple[list[str], int | None]:
        """Texts of the options in the dataset's order, and the number of the right one where there are both."""
        if self.choices is None:
            return [], None
        given = _value(self.choices, self.variables(row), None)
        if not isinstance(given, list) or not 2 <= len(given) <= len(LETTERS):
            raise _RowFaultError(None, f"options must be a list of 2 to {len(LETTERS)}, but are {given!r:.80}")
        if any(option is None or isinstance(option, (dict, list)) for option in given):
            raise _RowFaultError(None, f"an option is not text: {given!r:.80}")
        target = self._target(row)
        if target is None:
            return [str(option).strip() for option in given], None
        if isinstance(target, str):
            target = LETTERS.find(target.upper()) if len(target) == 1 else -1
        if isinstance(target, bool) or not isinstance(target, int) or not 0 <= target < len(given):
            raise _RowFaultError(self.task.answer_key, f"the right answer is not one of the {len(given)} options")
        return [str(option).strip() for option in given], target

    def _order(self, row: Row, count: int) -> list[int]:
        """Which option is shown where: drawn from the question's text, so the same in every run, slice and place."""
        if not self.task.shuffle_choices:
            return list(range(count))
        question = str(row.get(self.task.question_key or "", ""))
        return sorted(
            range(count),
            key=lambda number: hashlib.sha256(f"{question}\x1f{number}".encode("utf-8", "surrogatepass")).digest(),
        )

    def _prompt(self, row: Row, shown: tuple[str, ...]) -> str:
        seen = self.variables(row)
        if shown:
            seen |= {"choices": list(shown), "letters": _letters(list(shown))}
        text = str(_value(self.prompt.render, seen, None))
        if not text.strip():
            raise _RowFaultError(None, "the prompt is empty")
        if not text.isascii() and any("\ud800" <= char <= "\udfff" for char in text):
            raise _RowFaultError(None, "the prompt holds half a character (a lone surrogate)")
        return text


def _value(compute: Callable[[Mapping[str, Any]], Any], variables: Mapping[str, Any], column: str | None) -> Any:
    """What a template makes of a row, its errors turned into the row's fault."""
    try:
        return compute(variables)
    except UndefinedError as error:
        name = missing_name(error)
        if name is None:
            raise _RowFaultError(column, f"cannot be used: {error}") from None
        raise _RowFaultError(name, "not in this row", missing=True) from None
    except FAULTS as error:
        raise _RowFaultError(column, f"{type(error).__name__}: {error}") from None


def _row_error(index: int, fault: _RowFaultError) -> MalformedRow:
    kind = MissingColumn if fault.missing else MalformedRow
    return kind(index, fault.column, fault.why)


def _letters(choices: list[str]) -> list[str]:
    return list(LETTERS[: len(choices)])


def _unless_all_lack(
    made: Iterator[Problem | MalformedRow], task: TaskConfig, maker: _Maker
) -> Iterator[Problem | MalformedRow]:
    """`made`, but one error for the user instead of as many as there are rows if all lack the same column."""
    held: list[MalformedRow] = []
    for item in made:
        if isinstance(item, MalformedRow):
            held.append(item)
            continue
        yield from held
        yield item
        yield from made
        return
    lacking = next((item.column for item in held if isinstance(item, MissingColumn)), None)
    if lacking:
        near = did_you_mean(lacking, maker.columns)
        columns = ", ".join(sorted(maker.columns))
        raise UserError(
            f"task {task.name}: no row of {task.dataset_path!r} has a column {lacking!r}.{near} Columns: {columns}."
        )
    yield from held
