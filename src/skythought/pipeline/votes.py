"""What the samples of a run voted, for the maj@k of its summary: found once all is scored, where scorers run."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import aclosing
from typing import Any, get_args

from skythought.errors import unknown
from skythought.executors.base import Executor
from skythought.pipeline.clock import Clock
from skythought.runs.classes import Answered, Votes, answer_classes
from skythought.runs.folder import RunFolder
from skythought.runs.results import ResultsForm, answered_in, derive, results_form

__all__ = ["check_form", "derive_with_votes", "form_notice", "votes_on"]


async def derive_with_votes(
    run: RunFolder, executor: Executor, ks: Sequence[int] = (), form: ResultsForm = "auto", clock: Clock | None = None
) -> dict[str, Any]:
    """Write the run's results and `summary.json` (see `derive`), the latter with maj@k where there can be one.

    `clock` is ended before, so that the summary has all of its time.
    """
    votes: list[Votes] = []
    if run.config.n > 1 and run.scoring is not None:
        votes = await votes_on(answered_in(run), run.config.task.scorer, executor)
    if clock is not None:
        clock.end()
    return derive(run, ks, votes, form)


def check_form(form: str) -> None:
    """Raises UserError if there is no such form of results."""
    if form not in get_args(ResultsForm):
        raise unknown("form of results (--results)", form, get_args(ResultsForm))


def form_notice(run: RunFolder, asked: ResultsForm) -> str | None:
    """What to say where results are derived in another form than everybody expects; None if they are not."""
    if asked != "auto" or results_form(run) == "json":
        return None
    return (
        f"{run.response_bytes / 2**30:,.1f} GiB of responses: the results are Parquet, results.parquet/, instead of "
        "results.json (--results json|parquet|none)"
    )


async def votes_on(problems: Iterable[Answered], scorer: str | Mapping[str, Any], executor: Executor) -> list[Votes]:
    """The votes on each problem; on none if the scorer cannot tell which answers are the same."""
    async with aclosing(answer_classes(problems, scorer, executor)) as classes:
        return [found.votes async for found in classes]
