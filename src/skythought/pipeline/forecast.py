"""Before a run: what difference it could show, whether more problems or more samples would help, and what it takes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import NamedTuple

from skythought.config import TaskConfig
from skythought.errors import UserError
from skythought.metrics import Tally
from skythought.metrics.power import (
    Split,
    detectable_difference,
    expected_split,
    problems_needed,
    samples_needed,
    split_of_pair,
    split_of_run,
)
from skythought.runs.records import Manifest
from skythought.runs.view import Run
from skythought.tasks.load import load_task
from skythought.tasks.problems import problems as problems_of
from skythought.types import Problem

__all__ = ["Forecast", "forecast"]

LEVEL, POWER = 0.95, 0.8
RATE = 0.5
"""Of right answers, where no run tells: where the noise of one sample is largest."""
MOST_RUNS = 2


@dataclass(frozen=True, kw_only=True)
class Forecast:
    """What a run of a task could show beside another one of the same size, paired by problem. Differences are shares:
    0.05 is five points."""

    task: str
    problems: int
    n: int
    detectable: float
    """The smallest true difference that is found with a chance of 80%, by a two-sided test at the level of 5%."""
    with_twice_the_problems: float
    with_twice_the_samples: float
    with_endless_samples: float
    """No number of samples finds a smaller one."""
    wanted: float
    """The difference that the next two are about."""
    problems_needed: int
    """With n samples each."""
    samples_needed: int | None
    """With these problems; None: no number of samples is enough."""
    assumed: str
    """Where the variance comes from."""
    tokens: int | None = None
    """Of prompts and responses; None where no run tells."""
    hours: float | None = None
    in_flight: int | None = None
    """The requests side by side that `hours` is for."""
    cost: float | None = None
    source: str | None = None
    """The run that tells tokens, hours and cost."""

    @property
    def samples(self) -> int:
        """Of the whole run."""
        return self.problems * self.n

    def lines(self) -> list[str]:
        """All of it for people."""
        samples = _count(self.n, "sample")
        wanted = f"for {_points(self.wanted)}: {self.problems_needed:,} problems at {samples} each"
        if self.samples_needed is None:
            more = f"; no number of samples of these {self.problems:,} would find it"
        else:
            more = f", or {_count(self.samples_needed, 'sample')} each of these {self.problems:,}"
        return [
            f"{self.task}: {self.problems:,} problems x {samples}",
            f"could show: a difference of {_points(self.detectable)} from another such run (80% chance, at the level "
            "of 5%, paired by problem)",
            f"with twice the problems: {_points(self.with_twice_the_problems)}; with twice the samples: "
            f"{_points(self.with_twice_the_samples)}; with endless samples: {_points(self.with_endless_samples)}",
            wanted + more,
            f"assumed: {self.assumed}",
            *self._takes(),
        ]

    def _takes(self) -> list[str]:
        if self.tokens is None:
            return []
        parts = [f"{self.tokens:,} tokens"]
        if self.hours is not None:
            parts.append(
                f"{timedelta(seconds=round(3600 * self.hours))} (h:mm:ss) with {self.in_flight} requests in flight"
            )
        if self.cost is not None:
            parts.append(f"a cost of {self.cost:,.2f}")
        return [f"takes: {', '.join(parts)} ({self.samples:,} samples like those of {self.source})"]


def forecast(
    name: str,
    n: int = 1,
    *,
    runs: Sequence[str | Path] = (),
    difference: float | None = None,
    problems: int | None = None,
) -> Forecast:
    """What a run of a task could show.

    Args:
        name: The task.
        n: Samples a problem.
        runs: An earlier run that tells how its problems vary, and what they take; or two over the same problems, which
            tell how differences vary.
        difference: A share; by default half of what could be shown.
        problems: How many problems; by default all that the task has.

    Raises:
        UserError: No such task, a run of another task or without verdicts, a number that makes no sense.
    """
    task = load_task(name)
    for label, value in (("--n", n), ("--problems", problems), ("--difference", difference)):
        if value is not None and not (value > 0 if label != "--difference" else 0 < value < 1):
            raise UserError(f"{label} must be {'more than 0' if label != '--difference' else 'a share such as 0.03'}.")
    if len(runs) > MOST_RUNS:
        raise UserError(f"--from: one run, or two over the same problems, not {len(runs)}.")
    earlier = [_Earlier.read(path, task) for path in runs]
    count = problems or task.size or (earlier[0].whole_task if earlier else None) or _count_problems(task)
    split, assumed = _split(earlier)
    detectable = detectable_difference(split, count, n, n, LEVEL, POWER)
    wanted = difference if difference is not None else detectable / 2
    if not wanted:
        what = "the run's answers do not vary at all" if len(earlier) == 1 else "the two runs do not differ anywhere"
        raise UserError(f"--from: {what}; nothing can be told from that.")
    source = earlier[0] if earlier else None
    takes = source.takes(count * n) if source is not None else _Takes()
    return Forecast(
        task=task.name,
        problems=count,
        n=n,
        detectable=detectable,
        with_twice_the_problems=detectable_difference(split, 2 * count, n, n, LEVEL, POWER),
        with_twice_the_samples=detectable_difference(split, count, 2 * n, 2 * n, LEVEL, POWER),
        with_endless_samples=detectable_difference(Split(split.between, 0.0, 0.0), count, 1, 1, LEVEL, POWER),
        wanted=wanted,
        problems_needed=problems_needed(split, wanted, n, n, LEVEL, POWER),
        samples_needed=samples_needed(split, wanted, count, LEVEL, POWER),
        assumed=assumed,
        tokens=takes.tokens,
        hours=takes.hours,
        in_flight=takes.in_flight,
        cost=takes.cost,
        source=source.name if source is not None else None,
    )


class _Takes(NamedTuple):
    tokens: int | None = None
    hours: float | None = None
    in_flight: int | None = None
    cost: float | None = None


class _Earlier(NamedTuple):
    name: str
    tallies: dict[str, Tally]
    prompt_tokens: float
    completion_tokens: float
    """Both of one answer."""
    seconds: float | None
    """The same, from request to answer."""
    manifest: Manifest | None

    @classmethod
    def read(cls, path: str | Path, task: TaskConfig) -> _Earlier:
        run = Run(path)
        configuration = run.summary["configuration"]
        theirs = configuration.get("task", {}).get("name", task.name)
        if theirs != task.name:
            raise UserError(f"--from {str(path)!r} is a run of {theirs}, not of {task.name}.")
        if "estimates" in (run.statistics.get("asking") or {}):
            raise UserError(
                f"--from {str(path)!r} asked its problems until they were right; take a run with all samples."
            )
        tallies: dict[str, Tally] = {}
        for sample in run:
            scored, right = tallies.get(sample.problem_id, Tally(0, 0))
            if sample.correct is not None:
                tallies[sample.problem_id] = Tally(scored + 1, right + sample.correct)
        if not tallies:
            raise UserError(f"--from {str(path)!r} has no verdicts; score it first (`skythought score`).")
        means = [float(run.summary.get(f"avg_{kind}_tokens") or 0) for kind in ("prompt", "completion")]
        counts = run.statistics.get("samples", {})
        seconds, answered = run.statistics.get("sample_seconds"), counts.get("total", 0) - counts.get("failed", 0)
        each = seconds / answered if seconds and answered else None
        return cls(run.path.name, tallies, means[0], means[1], each, Manifest.read(run.path))

    @property
    def whole_task(self) -> int | None:
        """How many problems the task has, if the run is over all of them."""
        if self.manifest is None:
            return len(self.tallies)
        is_slice = self.manifest.config.start > 0 or self.manifest.config.end >= 0
        return None if is_slice else self.manifest.problems

    def takes(self, samples: int) -> _Takes:
        """What so many samples take."""
        prompt, completion = round(self.prompt_tokens * samples), round(self.completion_tokens * samples)
        if not prompt + completion:
            return _Takes()
        if self.manifest is None:
            return _Takes(prompt + completion)
        config = self.manifest.config
        in_flight = min(config.batch_size, samples)
        hours = None if self.seconds is None else self.seconds * samples / in_flight / 3600
        cost = None if config.model.price is None else config.model.price.of(prompt, completion)
        return _Takes(prompt + completion, hours, in_flight, cost)


def _split(earlier: Sequence[_Earlier]) -> tuple[Split, str]:
    """Where the noise of a difference comes from, and how that is known."""
    split: Split | None
    if len(earlier) == MOST_RUNS:
        first, second = earlier
        shared = [key for key in first.tallies if key in second.tallies]
        split = split_of_pair([first.tallies[key] for key in shared], [second.tallies[key] for key in shared])
        if split is None:
            raise UserError("--from: the two runs have fewer than two problems in common.")
        return split, f"differences vary as between {first.name} and {second.name} on {len(shared):,} problems"
    if earlier:
        split = split_of_run(list(earlier[0].tallies.values()))
        assert split is not None
        return split, (
            f"problems vary as in {earlier[0].name}, and the two runs find the same ones hard (correlation 0.5); two "
            "runs for --from tell it"
        )
    return expected_split(RATE), (
        "half of the answers right, problems of every difficulty alike, and the two runs find the same ones hard "
        "(correlation 0.5); --from RUN tells better"
    )


def _count_problems(task: TaskConfig) -> int:
    """How many problems the task's dataset gives.

    Raises:
        UserError: None, or it cannot be read.
    """
    found = sum(isinstance(entry, Problem) for entry in problems_of(task, 0, -1))
    if not found:
        raise UserError(f"task {task.name!r}: no problem is left after its filters.")
    return found


def _points(share: float) -> str:
    return f"{100 * share:.1f} points"


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
