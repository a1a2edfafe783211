"""What a run's figures are: each metric by the name under which it was published, one estimate with one interval.

`skythought.metrics` has the formulas and their sources.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from skythought.errors import UserError, unknown
from skythought.metrics import estimates, intervals
from skythought.metrics.intervals import Interval
from skythought.metrics.tally import Tally
from skythought.runs.classes import Votes
from skythought.types import Score

__all__ = ["LEVEL", "Metric", "Metrics", "measure", "require_ks", "tally_of", "whole_numbers"]

LEVEL = 0.95
TAUS = (0.5, 0.75)
"""Of G-Pass@k, as its authors report it; at 1 it is pass^k."""


@dataclass(frozen=True, slots=True)
class Metric:
    """One number about a run, in [0, 1]."""

    name: str
    """As published: accuracy, pass@5, pass^5, G-Pass@5_0.5, mG-Pass@5, maj@5, Bayes@8."""
    value: float
    problems: int
    """How many problems it is over: those with enough scored samples."""
    interval: Interval | None
    """Where it would lie on other problems like these. None for Bayes@N, which is about these problems alone."""
    asked_again: Interval | None = None
    """Where it would lie if the same problems were asked again; for the accuracy of several samples, and Bayes@N."""
    also: tuple[str, ...] = ()
    """Other names of the same number: the accuracy of 8 samples is mean@8, and pass@1."""

    def record(self) -> dict[str, Any]:
        """As JSON values, intervals as [low, high]."""
        given = {"interval": self.interval, "asked_again": self.asked_again}
        limits = {name: [round(i.low, 6), round(i.high, 6)] for name, i in given.items() if i is not None}
        also = {"also": list(self.also)} if self.also else {}
        return {"value": round(self.value, 6), **limits, "problems": self.problems, **also}


@dataclass(frozen=True)
class Metrics:
    """The metrics of a run. `metrics["pass@5"]` is one, by any of its names; iterating gives all."""

    level: float
    """How often an interval holds the number that it is for."""
    metrics: tuple[Metric, ...]
    notes: tuple[str, ...] = ()
    """Why something is not given, a line each."""

    def __getitem__(self, name: str) -> Metric:
        """Raises UserError (a KeyError would quote its own message) if there is none of that name."""
        named = {name: metric for metric in self.metrics for name in (metric.name, *metric.also)}
        if name not in named:
            raise unknown("metric", name, named)
        return named[name]

    def __iter__(self) -> Iterator[Metric]:
        return iter(self.metrics)

    def record(self) -> dict[str, dict[str, Any]]:
        """As JSON values by name."""
        return {metric.name: metric.record() for metric in self.metrics}


def tally_of(scores: Iterable[Score | None]) -> Tally:
    """How many of a problem's samples have a verdict, and how many are right."""
    verdicts = [score.correct for score in scores if score is not None and score.correct is not None]
    return Tally(len(verdicts), sum(verdicts))


def whole_numbers(given: int | Sequence[int]) -> tuple[int, ...]:
    """One k or several, each once."""
    return (given,) if isinstance(given, int) else tuple(dict.fromkeys(given))


def require_ks(ks: Sequence[int], n: int, option: str = "--k", whose: str = "the run") -> None:
    """Refuse a k that there cannot be; `whose` samples are meant is told.

    Raises:
        UserError: It is below 1, or a problem has fewer samples.
    """
    for k in ks:
        if k < 1:
            raise UserError(f"{option} {k}: a number of samples, 1 or more.")
        if k > n:
            has = "one sample" if n == 1 else f"{n} samples"
            raise UserError(f"{option} {k}: that takes {k} samples a problem, and {whose} has {has} of each (--n).")


def measure(
    tallies: Sequence[Tally],
    n: int,
    ks: Sequence[int] = (),
    *,
    votes: Sequence[Votes] = (),
    level: float = LEVEL,
    notes: Sequence[str] = (),
) -> Metrics:
    """The metrics of the problems that these tallies are of; none if nothing was scored.

    Args:
        n: Samples a problem.
        ks: Of pass@k and its kin; by default n and the powers of two below. At 1 they are all the accuracy.
        votes: What the samples of each problem voted, for maj@k; without them it is left out.
    """
    scored = [tally for tally in tallies if tally.scored]
    mean = estimates.accuracy(scored)
    if mean is None:
        return Metrics(level, (), tuple(notes))
    found = [_accuracy(scored, mean, n, level)]
    for k in ks or estimates.ks(n):
        if k > 1:
            found += _of_k(scored, k, votes, level)
    if n > 1:
        found.append(_bayes(scored, n, level))
    return Metrics(level, tuple(found), tuple(notes))


def _accuracy(tallies: Sequence[Tally], mean: float, n: int, level: float) -> Metric:
    return Metric(
        name="accuracy",
        value=mean,
        problems=len(tallies),
        interval=intervals.accuracy_interval(tallies, level),
        asked_again=intervals.accuracy_interval(tallies, level, over="samples") if n > 1 else None,
        also=(f"mean@{n}", "pass@1") if n > 1 else ("pass@1",),
    )


def _bayes(tallies: Sequence[Tally], n: int, level: float) -> Metric:
    found = estimates.bayes_at_n(tallies)
    assert found is not None
    return Metric(f"Bayes@{n}", found[0], len(tallies), None, intervals.bayes_interval(tallies, level))


def _of_k(tallies: Sequence[Tally], k: int, votes: Sequence[Votes], level: float) -> Iterator[Metric]:
    """What is published for k of the samples; nothing if no problem has so many."""
    enough = [tally for tally in tallies if tally.scored >= k]
    known: dict[tuple[str, Tally], float] = {}

    def over_problems(name: str, value: Callable[[Tally], float]) -> Metric:
        values = []
        for tally in enough:
            if (name, tally) not in known:
                known[name, tally] = value(tally)
            values.append(known[name, tally])
        return _mean(name, values, level)

    if not enough:
        return
    yield over_problems(f"pass@{k}", partial(estimates.pass_at_k, k=k))
    yield over_problems(f"pass^{k}", partial(estimates.pass_hat_k, k=k))
    for tau in TAUS:
        yield over_problems(f"G-Pass@{k}_{tau:g}", partial(estimates.g_pass_at_k, k=k, tau=tau))
    yield over_problems(f"mG-Pass@{k}", partial(estimates.mg_pass_at_k, k=k))
    counted = [vote for vote in votes if vote.samples >= k]
    if counted:
        shares = {vote: estimates.maj_at_k(vote.classes, vote.unparsed, k) for vote in set(counted)}
        yield _mean(f"maj@{k}", [shares[vote] for vote in counted], level)


def _mean(name: str, values: Sequence[float], level: float) -> Metric:
    mean = sum(values) / len(values)
    return Metric(name, mean, len(values), intervals.gaffke(values, (0, 1), level))
