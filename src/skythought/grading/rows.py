"""Grading outside of a run: a response, the rows of a table, in any process or thread, by the name of scorer or task.

Verdicts are those of a run, and no text can hang the caller: see `grade`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from skythought import catalog
from skythought.calls import checked
from skythought.config import TaskConfig
from skythought.errors import UserError, unknown
from skythought.executors.background import run_in_background
from skythought.executors.local import LocalExecutor
from skythought.grading.grade import Grader, not_gradable
from skythought.scorers.base import ModelScorer, Scorer
from skythought.tasks.data.rows import jsonable
from skythought.tasks.load import load_task, task_names
from skythought.tasks.problems import MissingColumn, problem_of_row
from skythought.types import MalformedRow, Problem, Response, SampleKey, Score

__all__ = ["COLUMNS", "RowScorer", "get_scorer", "score_response", "score_rows"]

OTHER_NAMES = {"multiple_choice": "choice", "mcq": "choice", "instruction_following": "instructions"}
COLUMNS = ("correct", "verdict", "reason", "extracted", "fraction")
"""What grading adds to a row: `correct` (None: could not be graded), `verdict` (correct, wrong, unparsed, truncated,
failed), why, what was taken for the answer, and the share of parts passed (1.0 or 0.0 where an answer has no parts)."""


@checked
def get_scorer(name: str, **args: Any) -> Scorer:
    """The scorer of this name ("math", "choice", "code", "instructions"), or the one of a task ("gsm8k", "ifeval").

    Args:
        args: The scorer's arguments; they replace those that a task gives it.

    Raises:
        UserError: No such scorer or task, or a wrong argument.
    """
    return _named(name, args)[1].scorer


@checked
def score_response(
    name: str, response: str, target: Any, choices: Sequence[str] = (), *, opened: bool = False, **args: Any
) -> Score:
    """Grade one whole response; see `RowScorer` for many.

    Args:
        name: A scorer or a task.
        response: All that the model wrote, thinking included.
        target: The gold answer, as the scorer takes it; of GSM8K, the whole solution with its "####" will do.
        opened: The prompt ended inside a thinking block already.
    """
    scorer = RowScorer(name, target="target", choices="choices", args=args)
    row = {"target": target, "choices": list(choices), "response": response}
    return scorer.scores([row], opened=[opened])[0]


@checked
def score_rows(
    rows: Any,
    name: str,
    *,
    response: str = "response",
    target: str | None = None,
    choices: str | None = None,
    finish_reason: str | None = None,
    **args: Any,
) -> Any:
    """Grade a table: the same kind of table comes back with the columns of `COLUMNS` added (or replaced).

    Args:
        rows: A pandas DataFrame, a `datasets.Dataset`, a Ray dataset (then lazily), or an iterable of mappings (a list
            of dictionaries comes back).
        name: A scorer or a task.
        response: Column of the responses, thinking included.
        target: Column of the gold answers. None: the columns of the task's own dataset are there, and its target is
            made from them; for a scorer's name, "target".
        choices: Column of the lists of options, for multiple choice.
        finish_reason: Column that says "length" where a response was cut off.
        args: The scorer's arguments.

    Raises:
        UserError: No such scorer, task or column.
    """
    scorer = RowScorer(name, response, target, choices, finish_reason, args)
    library = _library_of(rows)
    if library == "ray":
        return rows.map_batches(scorer, batch_format="pyarrow")  # which leaves other columns as they are
    if library == "datasets":
        return rows.map(scorer, batched=True)
    if library == "pandas":
        return scorer(rows)
    listed = _listed(rows)
    return [{**row, **_verdict(score)} for row, score in zip(listed, scorer.scores(listed), strict=True)]


@dataclass(frozen=True)
class RowScorer:
    """Grades rows. A value that can be pickled, for `Dataset.map` of datasets and `map_batches` of Ray Data.

    Called with a row (a mapping) or a batch (a mapping of columns, a pandas DataFrame or an Arrow table), it gives back
    the same with the columns of `COLUMNS` added. Arguments are those of `score_rows`.
    """

    name: str
    response: str = "response"
    target: str | None = None
    choices: str | None = None
    finish_reason: str | None = None
    args: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if isinstance(get_scorer(self.name, **self.args), ModelScorer):
            raise UserError(
                f"scorer {self.name!r} asks a model, which rows alone cannot: `skythought evaluate`, or `skythought "
                "score` on a run, with --judge-model."
            )

    def __call__(self, rows: Any) -> Any:
        """A row or batch with verdicts."""
        if _library_of(rows) == "pandas":
            return rows.assign(**_columns(self.scores(rows.to_dict("records"))))
        if _library_of(rows) == "pyarrow":
            return _arrow(rows, _columns(self.scores(rows.to_pylist())))
        _column(rows, self.response)
        if isinstance(rows[self.response], str) or rows[self.response] is None:
            return {**rows, **_verdict(self.scores([rows])[0])}
        names = list(rows)
        listed = [dict(zip(names, values, strict=True)) for values in zip(*rows.values(), strict=True)]
        return {**rows, **_columns(self.scores(listed))}

    def scores(self, rows: Sequence[Mapping[str, Any]], *, opened: Sequence[bool] = ()) -> list[Score]:
        """One score a row, each with its verdict.

        Args:
            rows: Rows of one batch, all with the same columns.
            opened: For each row whether its prompt ended inside a thinking block already.

        Raises:
            UserError: A column is missing.
        """
        task, grader = _named(self.name, self.args)
        scores: dict[int, Score] = {}
        samples: dict[int, tuple[Problem, Response]] = {}
        for number, row in enumerate(rows):
            problem = self._problem(task, row)
            if isinstance(problem, Score):
                scores[number] = problem
            else:
                samples[number] = (problem, self._response(row, number, bool(opened) and opened[number]))

        async def work(executor: LocalExecutor) -> list[Score]:
            return await grader.grade(list(samples.values()), executor)

        graded = run_in_background(work) if samples else []
        scores |= dict(zip(samples, graded, strict=True))
        return [scores[number] for number in range(len(rows))]

    def _response(self, row: Mapping[str, Any], number: int, opened: bool) -> Response:
        text = _column(row, self.response)
        return Response(
            key=SampleKey(str(number), 0),
            content=text if isinstance(text, str) else "",
            finish_reason=row.get(self.finish_reason) if self.finish_reason else None,
            thinking_open=opened,
        )

    def _problem(self, task: TaskConfig, row: Mapping[str, Any]) -> Problem | Score:
        """The problem of a row; a score that says why, if the row is faulty."""
        _column(row, self.response)
        columns = {name: value for name, value in row.items() if name != self.response}
        if self.target is None and task.name:
            made = problem_of_row(task, jsonable(columns), prompt=str(row.get("prompt", "")))
            if isinstance(made, MissingColumn):
                raise _no_column(str(made.column), row)  # no verdict, nor a reward of 0.0, for want of a column
            return not_gradable(made) if isinstance(made, MalformedRow) else made
        target = jsonable(_column(row, self.target or "target"))
        if task.scorer_name == "math" and isinstance(target, str):
            target = target.rpartition("####")[2].strip()
        elif task.scorer_name in ("code", "instructions") and isinstance(target, str):
            try:
                target = json.loads(target)
            except ValueError as error:
                why = f"neither a mapping nor its JSON: {error}"
                return not_gradable(MalformedRow(0, self.target or "target", why))
        choices = jsonable(_column(row, self.choices)) if self.choices else ()
        return Problem("", str(row.get("prompt", "")), target, tuple(map(str, choices or ())), jsonable(columns))


def _listed(rows: Any) -> list[dict[str, Any]]:
    """The rows of an iterable of mappings, copied."""
    if isinstance(rows, str | bytes | Mapping) or not isinstance(rows, Iterable):
        raise UserError(f"rows: a table or an iterable of mappings is wanted, not {type(rows).__name__}.")
    listed = list(rows)
    for number, row in enumerate(listed):
        if not isinstance(row, Mapping):
            raise UserError(f"rows: number {number} is no mapping of columns to values, but {type(row).__name__}.")
    return [dict(row) for row in listed]


@lru_cache(maxsize=64)
def _made(name: str, args: str) -> tuple[TaskConfig, Grader]:
    """A task that names the scorer, the one of that name or an empty one; and its grader."""
    name = OTHER_NAMES.get(name, name)
    known = {*catalog.part_names("scorer"), *catalog.entries("scorers")}
    if name in known or catalog.is_file_name(name):
        task = TaskConfig(dataset_path="", scorer={name: json.loads(args)})
    else:
        task = _task_named(name, known)
        task = task.model_copy(update={"scorer": {task.scorer_name: {**task.scorer_args, **json.loads(args)}}})
    return task, Grader.of(task)


def _task_named(name: str, scorers: set[str]) -> TaskConfig:
    try:
        return load_task(name)
    except UserError:
        if name.lower() in task_names() or name.endswith((".yaml", ".yml")):
            raise
        raise unknown("scorer or task", name, [*scorers, *OTHER_NAMES, *task_names()]) from None


def _named(name: str, args: Mapping[str, Any]) -> tuple[TaskConfig, Grader]:
    return _made(name, json.dumps(args, sort_keys=True))


def _library_of(rows: Any) -> str:
    """The package whose kind of table it is."""
    return type(rows).__module__.partition(".")[0]


def _verdict(score: Score) -> dict[str, Any]:
    whole = None if score.correct is None else float(score.correct)
    fraction = whole if score.fraction is None else score.fraction
    values = (score.correct, score.verdict, score.reason, score.answer, fraction)
    return dict(zip(COLUMNS, values, strict=True))


def _columns(scores: Iterable[Score]) -> dict[str, list[Any]]:
    verdicts = [_verdict(score) for score in scores]
    return {name: [verdict[name] for verdict in verdicts] for name in COLUMNS}


def _arrow(table: Any, columns: Mapping[str, list[Any]]) -> Any:
    """The table with these columns, of one type each even if a batch has nothing but None in it."""
    import pyarrow

    types = (pyarrow.bool_(), pyarrow.string(), pyarrow.string(), pyarrow.string(), pyarrow.float64())
    table = table.drop_columns([name for name in COLUMNS if name in table.column_names])
    for (name, values), kind in zip(columns.items(), types, strict=True):
        table = table.append_column(name, pyarrow.array(values, kind))
    return table


def _column(row: Mapping[str, Any], name: str) -> Any:
    if name not in row:
        raise _no_column(name, row)
    return row[name]


def _no_column(name: str, row: Mapping[str, Any]) -> UserError:
    return unknown("column", name, [str(column) for column in row])
