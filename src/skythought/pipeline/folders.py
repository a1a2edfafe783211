"""Work on run folders that are there, as streams of steps: grading one, and putting the parts of one together."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from pathlib import Path

from skythought import catalog
from skythought.executors.base import Executor
from skythought.pipeline.options import JudgeOptions
from skythought.pipeline.plan import make_judge
from skythought.pipeline.score_folder import recorded_task, score_folder
from skythought.pipeline.shards import merge_shards
from skythought.pipeline.steps import Phase, Step
from skythought.pipeline.votes import check_form
from skythought.runs.metrics import whole_numbers
from skythought.runs.results import ResultsForm
from skythought.scorers.base import ModelScorer
from skythought.scorers.registry import sandboxed, scorer_of
from skythought.tasks.load import load_task

__all__ = ["make_executor", "merge_steps", "score_steps"]


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
