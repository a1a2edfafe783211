"""evaluate, generate and score, from Python: the command line is a thin skin over this.

Each comes in three forms: a stream of steps to watch (`execute`, `score_steps`), an awaitable (`aevaluate`,
`agenerate`, `ascore`), and a plain function, which also works where an event loop is running already (a notebook).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar, overload

from skythought.calls import checked
from skythought.comparison.compare import compare_runs
from skythought.comparison.comparison import Comparison
from skythought.comparison.selection import Given
from skythought.display.watching import carried_out
from skythought.errors import UserError
from skythought.exporting.decontamination import Decontaminated
from skythought.exporting.decontamination import decontaminate as decontaminate_rows
from skythought.exporting.options import ExportOptions
from skythought.exporting.reading import Given as GivenRun
from skythought.exporting.run import Exported, export_runs
from skythought.pipeline.evaluate import execute
from skythought.pipeline.folders import merge_steps, score_steps
from skythought.pipeline.forecast import Forecast, forecast
from skythought.pipeline.given import declared, suite_of, text_of
from skythought.pipeline.options import JudgeOptions
from skythought.pipeline.validate import Report, acheck_task
from skythought.reporting.report import Written, write_report
from skythought.runs.listing import runs_in
from skythought.runs.results import ResultsForm
from skythought.runs.view import Run
from skythought.streams import run_here
from skythought.wording import worded

__all__ = [
    "aevaluate",
    "agenerate",
    "ascore",
    "check_task",
    "compare",
    "decontaminate",
    "evaluate",
    "execute",
    "export",
    "generate",
    "merge",
    "merge_steps",
    "plan",
    "report",
    "score",
    "score_steps",
]

Name = str | Path
Names = str | Path | Sequence[str | Path]
"""One, or several: names, or paths."""

T = TypeVar("T")


@overload
async def aevaluate(task: Name, *, model: Name, config: None = None, progress: bool = True, **options: Any) -> Run: ...
@overload
async def aevaluate(
    task: Names | None = None,
    *,
    model: Names | None = None,
    config: str | Path | None = None,
    progress: bool = True,
    **options: Any,
) -> Run | list[Run]: ...
@worded
@checked
async def aevaluate(
    task: Names | None = None,
    *,
    model: Names | None = None,
    config: str | Path | None = None,
    progress: bool = True,
    **options: Any,
) -> Run | list[Run]:
    """`evaluate` for code that is asynchronous already."""
    suite = suite_of("evaluate", {"task": task, "model": model, **options}, config, {"result_dir": "./"})
    runs = await carried_out(execute(suite.plans), progress)
    return runs if suite.is_list else runs[0]


@overload
async def agenerate(task: Name, *, model: Name, config: None = None, progress: bool = True, **options: Any) -> Run: ...
@overload
async def agenerate(
    task: Names | None = None,
    *,
    model: Names | None = None,
    config: str | Path | None = None,
    progress: bool = True,
    **options: Any,
) -> Run | list[Run]: ...
@worded
@checked
async def agenerate(
    task: Names | None = None,
    *,
    model: Names | None = None,
    config: str | Path | None = None,
    progress: bool = True,
    **options: Any,
) -> Run | list[Run]:
    """`generate` for code that is asynchronous already."""
    suite = suite_of("generate", {"task": task, "model": model, **options}, config, {})
    runs = await carried_out(execute(suite.plans), progress)
    return runs if suite.is_list else runs[0]


@worded
@checked
async def ascore(
    task: Name | None,
    run_dir: str | Path,
    ids: str | Sequence[str | int] | None = None,
    *,
    executor: str = "local",
    ray_address: str | None = None,
    sandbox: str = "auto",
    k: int | Sequence[int] = (),
    results: ResultsForm = "auto",
    progress: bool = True,
    **judge: Any,
) -> Run:
    """`score` for code that is asynchronous already."""
    if isinstance(ids, str):
        ids = [part.strip() for part in ids.split(",")]
    names = None if ids is None else [str(problem_id) for problem_id in ids]
    places: dict[str, Any] = {"executor": executor, "ray_address": ray_address, "sandbox": sandbox}
    places |= {"k": k, "results": results}
    named = None if task is None else text_of("task", task)
    steps = score_steps(named, run_dir, names, **places, judge=declared("score", JudgeOptions, judge))
    return (await carried_out(steps, progress))[0]


@overload
def evaluate(task: Name, *, model: Name, config: None = None, progress: bool = True, **options: Any) -> Run: ...
@overload
def evaluate(
    task: list[str] | list[Path], *, model: Names, config: None = None, progress: bool = True, **options: Any
) -> list[Run]: ...
@overload
def evaluate(
    task: Names | None = None,
    *,
    model: Names | None = None,
    config: str | Path | None = None,
    progress: bool = True,
    **options: Any,
) -> Run | list[Run]: ...
@worded
@checked
def evaluate(
    task: Names | None = None,
    *,
    model: Names | None = None,
    config: str | Path | None = None,
    progress: bool = True,
    **options: Any,
) -> Run | list[Run]:
    """Ask a model the problems of a task (or several) and grade its answers.

    Args:
        task: Name of a task, path to a task YAML, or several of these (one engine start serves all).
        model: Hub id, local path, or a name of the library (`tiny` ships with the package); or several, one after
            another.
        config: A YAML file of options (docs/config.md), or a run's run.json; what is given here goes before it.
        progress: Show what is done, and the results: in a notebook, or on standard error as a bar, or as lines where
            that is no terminal. Notices go to the logger `skythought` as well.
        options: As on the command line, with underscores: backend, backend_args, sampling_params, task_args (dicts),
            n, seed, batch_size, start, end, system_prompt, ..., result_dir ("./"), resume, overwrite. See `Options`.

    Returns:
        The run, or a list of runs if tasks or models are a list, here or in the file: of each model all tasks.

    Raises:
        UserError: Something asked for is wrong; one line says what.
        BackendError: The engine cannot start or go on; `resume=True` continues later. Of several runs the others are
            done first.
    """
    return run_here(aevaluate(task, model=model, config=config, progress=progress, **options))


@overload
def generate(task: Name, *, model: Name, config: None = None, progress: bool = True, **options: Any) -> Run: ...
@overload
def generate(
    task: list[str] | list[Path], *, model: Names, config: None = None, progress: bool = True, **options: Any
) -> list[Run]: ...
@overload
def generate(
    task: Names | None = None,
    *,
    model: Names | None = None,
    config: str | Path | None = None,
    progress: bool = True,
    **options: Any,
) -> Run | list[Run]: ...
@worded
@checked
def generate(
    task: Names | None = None,
    *,
    model: Names | None = None,
    config: str | Path | None = None,
    progress: bool = True,
    **options: Any,
) -> Run | list[Run]:
    """Ask without grading: as `evaluate`, and `result_dir` (or `resume_from`) must be given."""
    return run_here(agenerate(task, model=model, config=config, progress=progress, **options))


@worded
@checked
def score(
    task: Name | None,
    run_dir: str | Path,
    ids: str | Sequence[str | int] | None = None,
    *,
    executor: str = "local",
    ray_address: str | None = None,
    sandbox: str = "auto",
    k: int | Sequence[int] = (),
    results: ResultsForm = "auto",
    progress: bool = True,
    **judge: Any,
) -> Run:
    """Grade the answers in a run folder, ours or the reference's.

    Args:
        task: The run's task; None: as it is recorded in the folder.
        ids: Only these problems.
        executor: "local", or "ray" for a large folder: the same verdicts by the cores of a Ray cluster.
        ray_address: Of the cluster; by default the one of this machine.
        sandbox: "strict" refuses to run programs without isolation of network and files.
        k: Of pass@k, maj@k and their kin in the summary; by default n and the powers of two below.
        results: Form of the samples that are derived: "json", "parquet" or "none"; by default as they are, JSON up to
            4 GiB.
        progress: Show what is done, and the results; as for `evaluate`.
        judge: For a task whose scorer asks a model: judge_model, judge_backend, ...; see `skythought.Options`.

    Raises:
        UserError: No such folder, another task's run, an unknown id, no such cluster.
    """
    places: dict[str, Any] = {"executor": executor, "ray_address": ray_address, "sandbox": sandbox}
    places |= {"k": k, "results": results, "progress": progress}
    return run_here(ascore(task, run_dir, ids, **places, **judge))


@worded
@checked
def merge(
    *shards: str | Path,
    result_dir: str | Path | None = None,
    results: ResultsForm = "auto",
    progress: bool = True,
) -> Run:
    """Put the parts of a run (`shard="1/8"` to `"8/8"`) together: the run that one machine would have made.

    Merging again takes over what has come since, and nothing twice.

    Args:
        shards: The folders of all parts.
        result_dir: Where the run's folder is made; by default beside the first.
        results: Form of the samples that are derived: "json", "parquet" or "none"; by default JSON up to 4 GiB.
        progress: Show what is done, and the results; as for `evaluate`.

    Raises:
        UserError: A part is missing, is still being worked on, or is of another run.
    """
    if not shards:
        raise UserError("merge: name the folders of the shards.")
    _require_folders("merge", shards)
    return run_here(carried_out(merge_steps(shards, result_dir, results=results), progress))[0]


@worded
@checked
def check_task(
    task: Name,
    *,
    task_args: Mapping[str, Any] | None = None,
    rows: int | None = None,
    show: int = 2,
    expect_size: bool | None = None,
) -> Report:
    """Prove that a task works, as `skythought tasks check` does: `report.ok`, and `report.findings` say what is wrong.

    For the tests of a package that brings tasks. Arguments as for `pipeline.validate.acheck_task`.

    Raises:
        UserError: There is no such task.
    """
    named = text_of("task", task)
    return run_here(acheck_task(named, task_args=task_args, rows=rows, show=show, expect_size=expect_size))


@worded
@checked
def compare(
    *runs: Given,
    names: Sequence[str] = (),
    allow: str | Sequence[str] = (),
    margin: float = 1.0,
    level: float = 0.95,
    flips: int = 3,
) -> Comparison:
    """Tell whether runs are really different: paired by problem, exact, with what changed and what could explain it.

    Printed, the result is one sentence; in a notebook it is tables. docs/compare.md tells how to read it.

    Args:
        runs: Two and more; the first is the baseline. Each is a run, its folder, a folder that holds runs (one a
            task), or a list of these.
        names: What they are to be called, in the same order.
        allow: Differences that would be refused: "problems" (compared are those that both have), "prompts", "targets",
            "scorer"; one, several by commas, or a list.
        margin: Points of accuracy that make no difference, for equivalence and non-inferiority.
        level: Of intervals and tests.
        flips: So many problems that changed, the largest changes first, are shown with what both answered.

    Raises:
        UserError: They are not comparable; one line says what differs and how to go on.
        RunFolderError: A folder holds no run, or a damaged one.
    """
    return compare_runs(runs, names=names, allow=allow, margin=margin, level=level, flips=flips)


@worded
@checked
def report(*runs: str | Path | Run, output: str | Path | None = None) -> Written:
    """Write one page about runs that can be opened from a disk and sent by mail: `report(run).path`.

    Args:
        runs: Runs, their folders, or folders that hold runs. Several are compared first, if they can be, else they
            stand side by side.
        output: The file; by default `RUN_DIR.html` beside the first run. An earlier page there is replaced.

    Raises:
        UserError: No run is given, a folder holds none, or the file is there and is no page.
        RunFolderError: A run is damaged.
    """
    if not runs:
        raise UserError("report(): give a run, or its folder.")
    _require_folders("report", [run for run in runs if not isinstance(run, Run)])
    found = [[run] if isinstance(run, Run) else runs_in(Path(run).expanduser(), "report") for run in runs]
    return write_report([run for part in found for run in part], output)


@worded
@checked
def export(
    runs: GivenRun | Sequence[GivenRun],
    output: str | Path,
    **options: Any,
) -> Exported:
    """Make training data of runs: a folder of shards, with a card that tells where every row comes from.

    Without options: TRL's messages, of each problem the first right response, with its thinking, and with the system
    turn and solved examples as they were sent. The same runs and options give the same bytes. See docs/export.md.

    Args:
        runs: A run or its folder, a folder that holds runs, or a list of these. Runs of one task are read problem by
            problem together.
        output: The folder to make. It is there as a whole, or not at all.
        options: As on the command line, with underscores: format, kind, thinking, select, per_problem, pairs,
            pass_rate, majority, filter, quota, files, shard_size, push_to_hub, overwrite, ... See
            `skythought.ExportOptions`.

    Raises:
        UserError: An option is wrong, the folder is not free, or nothing is left to export.
        RunFolderError: A folder holds no run, or a damaged one.
    """
    given = list(runs) if isinstance(runs, Sequence) and not isinstance(runs, str) else [runs]
    for name in ("columns", "drop", "decontaminate"):  # as the command line takes them: several, or one text
        if isinstance(value := options.get(name), str | list):
            options[name] = tuple(part.strip() for part in value.split(",")) if isinstance(value, str) else tuple(value)
    return export_runs(given, output, declared("export", ExportOptions, options))


@worded
@checked
def decontaminate(
    rows: Iterable[Any],
    against: str | Sequence[str],
    *,
    ngram: int = 8,
    threshold: float = 0.5,
    column: str | None = None,
    answers: bool = False,
    task_args: Mapping[str, Mapping[str, Any]] | None = None,
) -> Decontaminated[Any]:
    """Take the rows out in which a benchmark's problem stands, as `export --decontaminate` does.

    Args:
        rows: Texts, or rows with a chat (`messages`, `conversations`, `prompt`) or a problem's column.
        against: A benchmark or several: a task's name or YAML file, `TASK=FILE` for a task whose rows are in a local
            copy, a file of problems (`FILE`, `FILE:COLUMN`), or "all" for every task.
        ngram: So many words in a row are a sign; shorter problems are found as a whole.
        threshold: Share of a problem's words from which a row goes.
        column: The column to look in.
        answers: Look in the responses too, not only in what comes before them.
        task_args: By task, fields to replace, such as `dataset_path` or `dataset_kwargs`.

    Returns:
        What is kept and removed, all hits with both texts, and what could not be looked for (`notices`).

    Raises:
        UserError: No such benchmark or file, nothing that could be looked for, or a row without a problem.
    """
    return decontaminate_rows(
        rows, against, ngram=ngram, threshold=threshold, column=column, answers=answers, task_args=task_args
    )


@worded
@checked
def plan(
    task: Name,
    n: int = 1,
    *,
    runs: str | Path | Sequence[str | Path] = (),
    difference: float | None = None,
    problems: int | None = None,
) -> Forecast:
    """What a run of a task could show before it is made, as `skythought plan` tells; `plan(...).lines()` is its text.

    Args:
        n: Samples a problem.
        runs: An earlier run of the task, or two, by which variance, tokens and hours are told.
        difference: A share to look for, such as 0.03; by default half of what could be shown.
        problems: How many; by default the whole task.

    Raises:
        UserError: No such task, a run of another one or without verdicts.
    """
    earlier = [runs] if isinstance(runs, str | Path) else list(runs)
    return forecast(text_of("task", task), n, runs=earlier, difference=difference, problems=problems)


def _require_folders(function: str, given: Iterable[object]) -> None:
    for one in given:
        if not isinstance(one, str | Path):
            raise UserError(f"{function}() takes one or several folders, not {type(one).__name__}.")
