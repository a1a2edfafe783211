"""evaluate, generate and score, from Python: the command line is a thin skin over this.

Each comes in three forms: a stream of events to watch (`*_events`), an awaitable (`aevaluate`), and a plain function
(`evaluate`), which also works where an event loop is already running, as in a notebook.
"""

from __future__ import annotations

import asyncio
import importlib.util
import logging
import threading
from collections.abc import AsyncGenerator, Coroutine, Mapping, Sequence
from concurrent.futures import Future
from contextlib import AsyncExitStack, aclosing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar, overload

from skythought import pipeline
from skythought.backends.base import Backend
from skythought.checking import Report, acheck_task
from skythought.config import RunConfig
from skythought.errors import UserError, unknown
from skythought.executors.base import Executor
from skythought.executors.local import LocalExecutor
from skythought.executors.ray import RayExecutor
from skythought.pipeline import Answered, Judged
from skythought.plan import Options, Plan, make_plan
from skythought.rescore import rescore
from skythought.resume import open_run
from skythought.runs.folder import RunFolder
from skythought.runs.view import Run
from skythought.scorers._judge import sandboxed
from skythought.tasks.load import load_task

__all__ = [
    "Finished",
    "Notice",
    "Opened",
    "Step",
    "aevaluate",
    "agenerate",
    "ascore",
    "check_task",
    "evaluate",
    "execute",
    "generate",
    "score",
    "score_steps",
]

logger = logging.getLogger("skythought")
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Notice:
    """A line that the user should read."""

    text: str


@dataclass(frozen=True, slots=True)
class Opened:
    """Work on a run begins."""

    config: RunConfig
    path: Path
    samples: int
    """Samples of the whole run."""
    answered: int
    """Of these, already in the journal when it was opened."""


@dataclass(frozen=True, slots=True)
class Finished:
    """A run's derived files are written."""

    run: Run


Step = Notice | Opened | Answered | Judged | Finished


async def execute(plan: Plan) -> AsyncGenerator[Step, None]:
    """Carry a plan out: one engine start, its runs one after another.

    Every run folder is opened before the engine starts, so that what can be wrong shows in seconds.
    """
    async with AsyncExitStack() as stack:
        notices = list(plan.notices)
        runs = []
        for config in plan.configs:
            run = open_run(config, plan.options, notices)
            runs.append(stack.enter_context(run))
        for text in notices:
            yield Notice(text)
        said: set[str] = set()
        executor = await stack.enter_async_context(LocalExecutor())
        backend = plan.backend()
        started = False
        for run in runs:
            owed = sum(1 for _ in run.owed())
            total = len(run.ids) * run.config.n
            yield Opened(run.config, run.path, total, total - owed)
            if owed and not started:
                yield Notice(f"starting {run.config.backend.name} with {run.config.model.model_id}")
                if plan.judge:  # the scorer's imports cost seconds that the engine needs to load anyway
                    stack.callback(asyncio.create_task(pipeline.warm_up(run.config.task, executor)).cancel)
                await stack.enter_async_context(backend)
                started = True
            async with aclosing(_work(plan, run, backend, executor, owed)) as steps:
                async for step in steps:
                    for notice in _new_notices(backend, said):
                        yield notice
                    yield step
            for notice in _new_notices(backend, said):
                yield notice
            pipeline.finish(run)
            yield Finished(Run(run.path))


async def _work(
    plan: Plan, run: RunFolder, backend: Backend, executor: Executor, owed: int
) -> AsyncGenerator[Step, None]:
    if not plan.judge:
        stream: AsyncGenerator[Step, None] = pipeline.generate(run, backend) if owed else _nothing()
    elif owed:
        stream = pipeline.evaluate(run, backend, executor)
    else:
        stream = pipeline.judge_unscored(run, executor)
    async for event in stream:
        yield event


def _new_notices(backend: Backend, said: set[str]) -> list[Notice]:
    """What the backend has to say and has not said yet; it may be adding from a thread of its own."""
    texts = [text for text in dict.fromkeys(list(backend.notices)) if text not in said]
    said.update(texts)
    return [Notice(text) for text in texts]


async def _nothing() -> AsyncGenerator[Step, None]:
    return
    yield


def make_executor(name: str = "local", ray_address: str | None = None) -> LocalExecutor | RayExecutor:
    """Where scorers run: "local" (this machine), or "ray" (a cluster; docs/ray.md).

    Raises:
        UserError: Another name, an address without "ray", or Ray is not installed.
    """
    if name not in ("local", "ray"):
        raise unknown("executor", name, ("local", "ray"))
    if name == "local":
        if ray_address is not None:
            raise UserError("--ray-address belongs to --executor ray.")
        return LocalExecutor()
    if importlib.util.find_spec("ray") is None:
        raise UserError("--executor ray needs the package 'ray': pip install 'skythought[ray]'.")
    return RayExecutor(ray_address)


async def score_steps(
    task: str,
    run_dir: str | Path,
    ids: Sequence[str] | None = None,
    executor: str = "local",
    ray_address: str | None = None,
    sandbox: str = "auto",
) -> AsyncGenerator[Step, None]:
    """Judge a run folder; docs/runs.md tells which files it reads."""
    path = Path(run_dir).expanduser()
    config = sandboxed(load_task(task, {}), sandbox)
    notices: list[str] = []
    place = make_executor(executor, ray_address)
    async with place, aclosing(rescore(path, config, ids, place, notices)) as judged:
        async for event in judged:
            while notices:
                yield Notice(notices.pop(0))
            yield event
    yield Finished(Run(path))


async def _drain(steps: AsyncGenerator[Step, None]) -> list[Run]:
    runs = []
    async with aclosing(steps) as stream:
        async for step in stream:
            if isinstance(step, Notice):
                logger.warning("%s", step.text)
            elif isinstance(step, Finished):
                runs.append(step.run)
    return runs


def _options(task: str | Sequence[str], options: Mapping[str, Any]) -> Options:
    unknown = sorted(set(options) - set(Options.__dataclass_fields__))
    if unknown:
        raise TypeError(f"unknown option {unknown[0]!r}; see skythought.Options for all")
    return Options(task=(task,) if isinstance(task, str) else tuple(task), **options)


async def aevaluate(task: str | Sequence[str], **options: Any) -> Any:
    """`evaluate` for code that is asynchronous already."""
    options.setdefault("result_dir", "./" if options.get("resume_from") is None else None)
    runs = await _drain(execute(make_plan(_options(task, options), judge=True)))
    return runs[0] if isinstance(task, str) else runs


async def agenerate(task: str | Sequence[str], **options: Any) -> Any:
    """`generate` for code that is asynchronous already."""
    runs = await _drain(execute(make_plan(_options(task, options), judge=False)))
    return runs[0] if isinstance(task, str) else runs


async def ascore(
    task: str,
    run_dir: str | Path,
    ids: Sequence[str | int] | None = None,
    *,
    executor: str = "local",
    ray_address: str | None = None,
    sandbox: str = "auto",
) -> Run:
    """`score` for code that is asynchronous already."""
    if isinstance(ids, str):
        ids = [part.strip() for part in ids.split(",")]
    names = None if ids is None else [str(problem_id) for problem_id in ids]
    return (await _drain(score_steps(task, run_dir, names, executor, ray_address, sandbox)))[0]


@overload
def evaluate(task: str, *, model: str, **options: Any) -> Run: ...
@overload
def evaluate(task: Sequence[str], *, model: str, **options: Any) -> list[Run]: ...
def evaluate(task: str | Sequence[str], *, model: str, **options: Any) -> Run | list[Run]:
    """Ask a model the problems of a task (or several) and judge its answers.

    Args:
        task: Name of a task, path to a task YAML, or several of these (one engine start serves all).
        model: Hub id, local path, or a name of the library (`tiny` ships with the package).
        options: As on the command line, with underscores: backend, backend_args, sampling_params, task_args (dicts),
            n, seed, batch_size, start, end, system_prompt, ..., result_dir ("./"), resume, overwrite. See `Options`.

    Returns:
        The run, or a list of runs if `task` is a list.

    Raises:
        UserError: Something asked for is wrong; one line says what.
        BackendError: The engine cannot start or go on; `resume=True` continues later.
    """
    run: Run | list[Run] = _run_here(aevaluate(task, model=model, **options))
    return run


@overload
def generate(task: str, *, model: str, **options: Any) -> Run: ...
@overload
def generate(task: Sequence[str], *, model: str, **options: Any) -> list[Run]: ...
def generate(task: str | Sequence[str], *, model: str, **options: Any) -> Run | list[Run]:
    """Ask without judging: as `evaluate`, and `result_dir` (or `resume_from`) must be given."""
    run: Run | list[Run] = _run_here(agenerate(task, model=model, **options))
    return run


def score(
    task: str,
    run_dir: str | Path,
    ids: Sequence[str | int] | None = None,
    *,
    executor: str = "local",
    ray_address: str | None = None,
    sandbox: str = "auto",
) -> Run:
    """Judge the answers in a run folder, ours or the reference's.

    Args:
        ids: Only these problems.
        executor: "local", or "ray" for a large folder: the same verdicts by the cores of a Ray cluster.
        ray_address: Of the cluster; by default the one of this machine.
        sandbox: "strict" refuses to run programs without isolation of network and files.

    Raises:
        UserError: No such folder, another task's run, an unknown id, no such cluster.
    """
    return _run_here(ascore(task, run_dir, ids, executor=executor, ray_address=ray_address, sandbox=sandbox))


def check_task(
    task: str,
    *,
    task_args: Mapping[str, Any] | None = None,
    rows: int | None = None,
    show: int = 2,
    expect_size: bool | None = None,
) -> Report:
    """Prove that a task works, as `skythought tasks check` does: `report.ok`, and `report.findings` say what is wrong.

    For the tests of a package that brings tasks. Arguments as for `checking.acheck_task`.

    Raises:
        UserError: There is no such task.
    """
    return _run_here(acheck_task(task, task_args=task_args, rows=rows, show=show, expect_size=expect_size))


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

    thread = threading.Thread(target=target, name="skythought")
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
