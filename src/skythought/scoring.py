"""Judging outside of a run: a response, the rows of a table, in any process or thread, by the name of scorer or task.

Verdicts are those of a run: thinking is split from the answer, and each answer is judged in a worker process that is
killed when it overruns, so that no text can hang the caller.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from skythought import catalog, pipeline
from skythought.config import COMMON_TAGS, TaskConfig
from skythought.errors import UserError, unknown
from skythought.executors.background import run_in_background
from skythought.executors.local import LocalExecutor
from skythought.models.thinking import split_thinking
from skythought.scorers._judge import make_scorer, settled
from skythought.scorers.base import Scorer
from skythought.tasks.load import load_task, task_names
from skythought.tasks.problems import problem_from_record
from skythought.types import Problem, Score

__all__ = ["COLUMNS", "RowScorer", "get_scorer", "score_response", "score_rows"]

OTHER_NAMES = {"multiple_choice": "choice", "mcq": "choice", "instruction_following": "instructions"}
COLUMNS = ("correct", "verdict", "reason", "extracted", "fraction")
"""What judging adds to a row: `correct` (None: could not be judged), `verdict` (correct, wrong, unparsed, truncated,
failed), why, what was taken for the answer, and the share of parts passed (1.0 or 0.0 where an answer has no parts)."""


def get_scorer(name: str, **args: Any) -> Scorer:
    """The scorer of this name ("math", "choice", "code", "instructions"), or the one of a task ("gsm8k", "ifeval").

    Args:
        args: The scorer's arguments; they replace those that a task gives it.

    Raises:
        UserError: No such scorer or task, or a wrong argument.
    """
    return _named(name, args)[0]


def score_response(
    name: str, response: str, target: Any, choices: Sequence[str] = (), *, opened: bool = False, **args: Any
) -> Score:
    """Judge one whole response; see `RowScorer` for many.

    Args:
        name: A scorer or a task.
        response: All that the model wrote, thinking included.
        target: The gold answer, as the scorer takes it; of GSM8K, the whole solution with its "####" will do.
        opened: The prompt ended inside a thinking block already.
    """
    judge = RowScorer(name, target="target", choices="choices", args=args)
    row = {"target": target, "choices": list(choices), "response": response}
    return judge.scores([row], opened=[opened])[0]


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
    """Judge a table: the same kind of table comes back with the columns of `COLUMNS` added (or replaced).

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
    judge = RowScorer(name, response, target, choices, finish_reason, args)
    library = _library_of(rows)
    if library == "ray":
        return rows.map_batches(judge, batch_format="pyarrow")  # which leaves other columns as they are
    if library == "datasets":
        return rows.map(judge, batched=True)
    if library == "pandas":
        return judge(rows)
    listed = [dict(row) for row in rows]
    return [{**row, **_verdict(score)} for row, score in zip(listed, judge.scores(listed), strict=True)]


@dataclass(frozen=True)
class RowScorer:
    """Judges rows. A value that can be pickled, for `Dataset.map` of datasets and `map_batches` of Ray Data.

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
        get_scorer(self.name, **self.args)

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
        scores: list[Score | None] = [None] * len(rows)
        pairs: dict[int, tuple[Problem, str]] = {}
        for number, row in enumerate(rows):
            text = _column(row, self.response)
            text = text if isinstance(text, str) else ""
            problem = self._problem(row)
            answer = split_thinking(text, tags=COMMON_TAGS, opened=bool(opened) and opened[number]).answer
            if isinstance(problem, Score):
                scores[number] = problem
            elif answer is None:
                scores[number] = self._scorer.unanswered(problem, pipeline.NEVER_ENDED)
            else:
                pairs[number] = (pipeline.slim(problem, self._scorer), answer)
        for number, score in zip(pairs, self._judged(list(pairs.values())), strict=True):
            scores[number] = score
        reasons = [row.get(self.finish_reason) if self.finish_reason else None for row in rows]
        return [settled(score, reason) for score, reason in zip(scores, reasons, strict=True) if score is not None]

    def _judged(self, pairs: list[tuple[Problem, str]]) -> list[Score]:
        async def work(executor: LocalExecutor) -> list[Score]:
            return await pipeline.judge_pairs(pairs, self._scorer, self._task, executor)

        return run_in_background(work) if pairs else []

    @property
    def _scorer(self) -> Scorer:
        return _named(self.name, self.args)[0]

    @property
    def _task(self) -> TaskConfig:
        return _named(self.name, self.args)[1]

    def _problem(self, row: Mapping[str, Any]) -> Problem | Score:
        """The problem of a row; a score that says why, if the row is faulty."""
        if self.target is None and self._task.name:
            made = problem_from_record(self._task, _plain(row))
            if isinstance(made, Problem):
                return made
            if made.column is not None and made.column not in row:
                raise _no_column(made.column, row)
            return Score(None, f"column {made.column!r}: {made.why}")
        target = _plain(_column(row, self.target or "target"))
        if self._task.scorer_name == "math" and isinstance(target, str):
            target = target.rpartition("####")[2].strip()
        elif self._task.scorer_name in ("code", "instructions") and isinstance(target, str):
            try:
                target = json.loads(target)
            except ValueError as error:
                return Score(None, f"column {self.target or 'target'!r}: neither a mapping nor its JSON: {error}")
        choices = _plain(_column(row, self.choices)) if self.choices else ()
        return Problem("", str(row.get("prompt", "")), target, tuple(map(str, choices or ())), _plain(row))


@lru_cache(maxsize=64)
def _made(name: str, args: str) -> tuple[Scorer, TaskConfig]:
    """The scorer, and a task that names it: the one of that name, or an empty one."""
    name = OTHER_NAMES.get(name, name)
    known = {*catalog.module_names("scorers"), *catalog.plugins("scorers")}
    if name in known or ".py:" in name:
        task = TaskConfig(dataset_path="", scorer={name: json.loads(args)})
    else:
        task = _task_named(name, known)
        task = task.model_copy(update={"scorer": {task.scorer_name: {**task.scorer_args, **json.loads(args)}}})
    return make_scorer(task.scorer_name, task.scorer_args), task


def _task_named(name: str, scorers: set[str]) -> TaskConfig:
    try:
        return load_task(name)
    except UserError:
        if name.lower() in task_names() or name.endswith((".yaml", ".yml")):
            raise
        raise unknown("scorer or task", name, [*scorers, *OTHER_NAMES, *task_names()]) from None


def _named(name: str, args: Mapping[str, Any]) -> tuple[Scorer, TaskConfig]:
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


def _plain(value: Any) -> Any:
    """The value without numpy's types, which Ray Data and pandas hand over, so that it is what a JSON row holds."""
    if hasattr(value, "tolist"):
        value = value.tolist()
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, list | tuple) else value
