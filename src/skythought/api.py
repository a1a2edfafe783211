"""evaluate, generate and score, from Python: the command line is a thin skin over this.

Each comes in three forms: a stream of steps to watch (`execute`, `score_steps`), an awaitable (`aevaluate`,
`agenerate`, `ascore`), and a plain function, which also works where an event loop is running already (a notebook).
"""

from __future__ import annotations

import asyncio
import inspect
import logging
import threading
from collections.abc import AsyncGenerator, Coroutine, Iterable, Mapping, Sequence
from concurrent.futures import Future
from contextlib import aclosing
from contextvars import copy_context
from pathlib import Path
from typing import Any, TypeVar, get_type_hints, overload

from skythought import catalog
from skythought.calls import checked, require_fitting, require_type
from skythought.comparison.compare import compare_runs
from skythought.comparison.comparison import Comparison
from skythought.comparison.selection import Given
from skythought.errors import UserError
from skythought.executors.base import Executor
from skythought.exporting.decontamination import Decontaminated
from skythought.exporting.decontamination import decontaminate as decontaminate_rows
from skythought.exporting.options import ExportOptions
from skythought.exporting.reading import Given as GivenRun
from skythought.exporting.run import Exported, export_runs
from skythought.pipeline.configfile import read_config
from skythought.pipeline.evaluate import execute
from skythought.pipeline.forecast import Forecast, forecast
from skythought.pipeline.misplaced import require_in_place
from skythought.pipeline.options import JudgeOptions, Options
from skythought.pipeline.plan import make_judge
from skythought.pipeline.score_folder import recorded_task, score_folder
from skythought.pipeline.shards import merge_shards
from skythought.pipeline.steps import Finished, Notice, Phase, Step
from skythought.pipeline.suite import Suite, make_suite
from skythought.pipeline.validate import Report, acheck_task
from skythought.pipeline.votes import check_form
from skythought.printable import printable
from skythought.reporting.report import Written, write_report
from skythought.runs.listing import runs_in
from skythought.runs.metrics import whole_numbers
from skythought.runs.results import ResultsForm
from skythought.runs.view import Run
from skythought.scorers.base import ModelScorer
from skythought.scorers.registry import sandboxed, scorer_of
from skythought.tasks.load import load_task
from skythought.wording import in_python

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

logger = logging.getLogger("skythought")
T = TypeVar("T")


def make_executor(name: str = "local", address: str | None = None) -> Executor:
    """Where scorers run: "local" (this machine), "ray" (a cluster; docs/ray.md), or `file.py:ClassName`.

    Raises:
        UserError: Another name, an address for one that has none, or a package that is not installed.
    """
    return catalog.find_part("executor", name, Executor).at(address)  # type: ignore[type-abstract]


async def score_steps(
    task: str | None,
    run_dir: str | Path,
    ids: Sequence[str] | None = None,
    *,
    executor: str = "local",
    ray_address: str | None = None,
    sandbox: str = "auto",
    judge: JudgeOptions | None = None,
    k: int | Sequence[int] = (),
    results: ResultsForm = "auto",
) -> AsyncGenerator[Step, None]:
    """Grade a run folder; docs/runs.md tells which files it reads."""
    check_form(results)
    path, place = Path(run_dir).expanduser(), make_executor(executor, ray_address)
    config = sandboxed(recorded_task(path) if task is None else load_task(task, {}), sandbox)
    asked = make_judge(judge or JudgeOptions()) if isinstance(scorer_of(config), ModelScorer) else None
    if executor != "local":
        yield Phase("scoring", f"starting where scorers run: {executor}")
    async with place, aclosing(score_folder(path, config, ids, place, asked, whole_numbers(k), results)) as steps:
        async for step in steps:
            yield step


async def merge_steps(
    shards: Sequence[str | Path], result_dir: str | Path | None = None, *, results: ResultsForm = "auto"
) -> AsyncGenerator[Step, None]:
    """Put the shards of a run together; docs/scale.md tells how."""
    check_form(results)
    paths = [Path(shard).expanduser() for shard in shards]
    place = None if result_dir is None else Path(result_dir).expanduser()
    async with make_executor() as executor, aclosing(merge_shards(paths, place, executor, results)) as steps:
        async for step in steps:
            yield step


async def _carry_out(steps: AsyncGenerator[Step, None], progress: bool) -> list[Run]:
    """The finished runs; with `progress`, what is done is shown, and so are the results. Notices are logged as well."""
    if progress:
        from skythought.display.watching import watched

        steps = watched(steps)
    runs = []
    async with aclosing(steps) as stream:
        async for step in stream:
            if isinstance(step, Notice) and (logger.hasHandlers() or not progress):  # without any, it prints them
                logger.warning("%s", printable(in_python(step.text)))
            elif isinstance(step, Finished):
                runs.append(step.run)
    return runs


def _suite(called: str, given: Mapping[str, Any], config: str | Path | None, base: Mapping[str, Any]) -> Suite:
    """What `evaluate` or `generate` is asked for. `base`: defaults, under what the file says."""
    given = {name: value for name, value in given.items() if value is not None or name not in ("task", "model")}
    given |= {name: _texts(name, given[name]) for name in ("task", "model") if name in given}
    hints = get_type_hints(Options)
    require_in_place(called, given, hints)
    require_fitting(called, inspect.signature(Options), (), {"task": (), "model": "", **given})
    for name, value in given.items():
        if name not in ("task", "model"):
            require_type(called, name, value, hints[name])
    file = None if config is None else read_config(config)
    return make_suite(given, grade=called == "evaluate", base=base, config=file)


def _texts(name: str, value: Any) -> str | list[str]:
    """A task or model as text, or several."""
    return [_text(name, part) for part in value] if isinstance(value, list | tuple) else _text(name, value)


def _text(name: str, value: Any) -> str:
    """A name as it is; a path as text that is one, also where it could be a name."""
    if not isinstance(value, str | Path):
        raise UserError(f"{name}: a name, a path or a list of these, not {type(value).__name__}.")
    return f"./{value}" if isinstance(value, Path) and len(value.parts) == 1 else str(value)


def _declared(called: str, kind: type[T], options: Mapping[str, Any]) -> T:
    """Options given to a function, checked by name and type, as the dataclass that declares them."""
    require_fitting(called, inspect.signature(kind), (), options)
    hints = get_type_hints(kind)
    for name, value in options.items():
        require_type(called, name, value, hints[name])
    return kind(**options)


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
    suite = _suite("evaluate", {"task": task, "model": model, **options}, config, {"result_dir": "./"})
    runs = await _carry_out(execute(suite.plans), progress)
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
    suite = _suite("generate", {"task": task, "model": model, **options}, config, {})
    runs = await _carry_out(execute(suite.plans), progress)
    return runs if suite.is_list else runs[0]


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
    named = None if task is None else _text("task", task)
    steps = score_steps(named, run_dir, names, **places, judge=_declared("score", JudgeOptions, judge))
    return (await _carry_out(steps, progress))[0]


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
    return _run_here(aevaluate(task, model=model, config=config, progress=progress, **options))


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
    return _run_here(agenerate(task, model=model, config=config, progress=progress, **options))


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
    return _run_here(ascore(task, run_dir, ids, **places, **judge))


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
    return _run_here(_carry_out(merge_steps(shards, result_dir, results=results), progress))[0]


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
    return _run_here(
        acheck_task(_text("task", task), task_args=task_args, rows=rows, show=show, expect_size=expect_size)
    )


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
    found = [[run] if isinstance(run, Run) else runs_in(Path(run).expanduser(), "report") for run in runs]
    return write_report([run for part in found for run in part], output)


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
    return export_runs(given, output, _declared("export", ExportOptions, options))


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
    return forecast(_text("task", task), n, runs=earlier, difference=difference, problems=problems)


def _run_here(work: Coroutine[Any, Any, T]) -> T:
    """Run to the end; in a thread of its own if this one has a loop already (a notebook)."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(work)
    outcome: Future[T] = Future()
    started: Future[tuple[asyncio.AbstractEventLoop, asyncio.Task[Any]]] = Future()

    async def main() -> T:
        task = asyncio.current_task()
        assert task is not None
        started.set_result((asyncio.get_running_loop(), task))
        return await work

    def target() -> None:
        try:
            outcome.set_result(asyncio.run(main()))
        except BaseException as error:  # noqa: BLE001 -- raised again in the calling thread
            outcome.set_exception(error)

    # In the cell's own context, by which a notebook knows where an output belongs.
    thread = threading.Thread(target=copy_context().run, args=(target,), name="skythought")
    thread.start()
    try:
        return outcome.result()
    except KeyboardInterrupt:
        # The notebook's stop button: end the work in its thread too, which frees engine and run folder.
        loop, task = started.result()
        loop.call_soon_threadsafe(task.cancel)
        raise
    finally:
        thread.join()
