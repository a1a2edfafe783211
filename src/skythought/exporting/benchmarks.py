"""The problems of benchmarks: tasks of the catalogue, from the hub or a copy, or any file of problems."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from skythought.config import TaskConfig
from skythought.errors import SkythoughtError, UserError
from skythought.exporting.ngrams import Known
from skythought.exporting.texts import COLUMNS, question_of
from skythought.tasks.data.readers import kind_of
from skythought.tasks.data.rows import rows
from skythought.tasks.load import load_task, task_names
from skythought.tasks.problems import problems
from skythought.types import MalformedRow, Problem

__all__ = ["ALL", "LEFT_OUT", "Benchmark", "read_benchmarks"]

ALL = "all"
LEFT_OUT: Mapping[str, str] = {
    **dict.fromkeys(
        ("numina", "numina_amc_aime", "numina_math", "numina_olympiads", "taco"), "its problems are for training"
    ),
    "arithmetic": "an example without a benchmark's problems",
    **dict.fromkeys(("livecodebench_easy", "livecodebench_medium", "livecodebench_hard"), "part of livecodebench"),
}
"""Tasks that `all` does not mean, and why. Each can be named."""


@dataclass(frozen=True)
class Benchmark:
    """What was read of one benchmark."""

    name: str
    texts: Sequence[Known] = field(default=(), repr=False)
    size: int | None = None
    """How many problems it should have, where the task says so."""
    unreadable: int = 0
    """Rows that hold no problem."""
    why_not: str | None = None
    """Why it could not be read at all."""


def read_benchmarks(
    against: Sequence[str], task_args: Mapping[str, Mapping[str, Any]] | None = None
) -> Iterator[Benchmark]:
    """Each benchmark that is named, once; one that cannot be had (no network, no access) with the reason.

    Args:
        against: `all` (every task of the catalogue and of plugins but `LEFT_OUT`), a task's name or YAML file,
            `TASK=FILE` for a task whose rows are in a local copy, or a file of problems: `FILE`, `FILE:COLUMN`. A file
            is jsonl, json, csv, parquet, arrow, or txt with a problem a line.
        task_args: By task, fields to replace, as `--task-args` does; for `dataset_path` and the like.

    Raises:
        UserError: No such task or file, or a file in which no problems are found.
    """
    args = dict(task_args or {})
    names: dict[str, None] = {}
    for name in against:
        if name == ALL:
            names.update(dict.fromkeys(task for task in task_names() if task not in LEFT_OUT))
        else:
            names[name] = None
    for name in args:
        load_task(name, args[name])  # refuse a wrong one before reading hours of others
    made = [_reader(name, args) for name in names]
    for name, (config, place) in zip(names, made, strict=True):
        if config is None:
            yield _of_file(name, *place)
        else:
            yield _of_task(config, must_be_there="=" in name)
    if ALL in against:
        yield from (Benchmark(name, why_not=why) for name, why in LEFT_OUT.items() if name not in names)


def _reader(name: str, args: Mapping[str, Mapping[str, Any]]) -> tuple[TaskConfig | None, tuple[Path, str | None]]:
    """The task meant, or the file and its column; checked before anything is read."""
    file, _, column = name.rpartition(":") if not Path(name).exists() and ":" in name else (name, "", "")
    path = Path(file).expanduser()
    if kind_of(path.name) or path.suffix == ".txt":
        task, equals, copy = file.partition("=")
        if not equals or path.exists():
            if not path.is_file():
                raise UserError(f"decontaminate: there is no file {file!r}.")
            return None, (path, column or None)
        if not Path(copy).expanduser().exists():
            raise UserError(f"decontaminate: there is no file {copy!r} for task {task!r}.")
        return load_task(task, {**args.get(task, {}), "dataset_path": copy}), (path, None)
    task, equals, copy = name.partition("=")
    own = {**args.get(task, {}), **({"dataset_path": copy} if equals else {})}
    return load_task(task, own), (path, None)


def _of_task(config: TaskConfig, *, must_be_there: bool) -> Benchmark:
    texts: list[Known] = []
    unreadable = 0
    try:
        for problem in problems(config):
            if isinstance(problem, MalformedRow):
                unreadable += 1
            else:
                texts.append(Known(config.name, problem.id, _question(config, problem), problem.choices))
    except SkythoughtError as error:
        if must_be_there:
            raise
        return Benchmark(config.name, size=config.size, why_not=str(error))
    return Benchmark(config.name, texts, config.size, unreadable)


def _question(config: TaskConfig, problem: Problem) -> str:
    """The problem without the task's instruction, which all have and which is not what leaks."""
    asked = problem.row.get(config.question_key or "")
    return asked if isinstance(asked, str) and asked.strip() else problem.prompt


def _of_file(name: str, path: Path, column: str | None) -> Benchmark:
    texts: list[Known] = []
    unreadable = 0
    columns: list[str] = []
    for number, row in _rows(path):
        text = None if isinstance(row, MalformedRow) else question_of(row, column)
        if text is None or not text.strip():
            unreadable += 1
            columns = columns or ([] if isinstance(row, MalformedRow | str) else list(row))
        else:
            texts.append(Known(name, str(number), text))
    if not texts:
        which = f"a column {column!r}" if column else f"a chat or a column of {', '.join(COLUMNS)}"
        raise UserError(
            f"decontaminate: no row of {str(path)!r} has {which}; name it: {path.name}:COLUMN. "
            f"Its columns: {', '.join(columns) or 'none'}."
        )
    return Benchmark(name, texts, None, unreadable)


def _rows(path: Path) -> Iterator[tuple[int, Mapping[str, Any] | str | MalformedRow]]:
    if path.suffix != ".txt":
        yield from rows(TaskConfig(dataset_path=str(path.resolve())))
        return
    with path.open(encoding="utf-8", errors="replace") as lines:
        yield from ((number, line) for number, line in enumerate(lines) if line.strip())
