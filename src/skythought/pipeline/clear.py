"""Stopping when it is clear: accuracy known to a width, or which of two runs is better.

Both may look after every problem without a price in error (metrics/sequential.py). For that the problems come in a
random order, fixed by the seed, and count in that order, whatever order they are finished in: short answers come first,
and they are seldom the hard ones.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from skythought.errors import UserError
from skythought.metrics.sequential import MeanSequence, discordant_e_value
from skythought.pipeline.earlier import Earlier
from skythought.types import Response, SampleKey, Score

__all__ = ["LEVEL", "Better", "Known", "half_width", "in_random_order"]

LEVEL = 0.95
SURE = f"{LEVEL:.0%} sure, at whatever moment one looks"
SHARE = 10
AT_LEAST = 8
"""A tenth of the samples (and at least eight) may be under way: what was asked before it was clear is taken as well, so
a fast engine that is asked everything at once saves nothing."""


def in_random_order(ids: Sequence[str], seed: int) -> list[str]:
    """The problems by a hash of the run's seed and their ids: an order that knows nothing of them."""
    return sorted(ids, key=lambda one: hashlib.sha256(f"order\x1f{seed}\x1f{one}".encode()).digest())


def half_width(given: str | float) -> float:
    """As `--until` takes it: 0.02, ±0.02, 2%.

    Raises:
        UserError: It is something else, or not between 0 and a half.
    """
    text = str(given).strip()
    for sign in ("±", "+/-", "+-"):
        text = text.removeprefix(sign).strip()
    try:
        width = float(text.removesuffix("%")) / (100 if text.endswith("%") else 1)
    except ValueError:
        width = -1.0
    if not 0 < width < 0.5:
        raise UserError(f"--until is how far off accuracy may be, such as 0.02 or 2%, not {str(given)!r}.")
    return width


class _Finished(NamedTuple):
    problem_id: str
    verdicts: list[bool]
    """Of its samples, by their numbers; those without one are left out."""


class _InOrder:
    """Problems as they are finished, given out in the order in which they are asked."""

    def __init__(self, ids: Sequence[str], n: int) -> None:
        self._ids = ids
        self._n = n
        self._come: dict[str, dict[int, bool | None]] = {}
        """Samples of problems that are not given out yet."""
        self._given_out = 0

    def add(self, key: SampleKey, correct: bool | None) -> Iterator[_Finished]:
        """One more sample is settled, with a verdict or without; the problems that may be given out by that."""
        self._come.setdefault(key.problem_id, {})[key.sample] = correct
        while self._given_out < len(self._ids):
            problem_id = self._ids[self._given_out]
            if len(self._come.get(problem_id, ())) < self._n:
                return
            samples = self._come.pop(problem_id)
            self._given_out += 1
            yield _Finished(problem_id, [right for _, right in sorted(samples.items()) if right is not None])


class _Clear:
    """What both rules share: they look at finished problems, in order."""

    def __init__(self, ids: Sequence[str], n: int) -> None:
        self._finished = _InOrder(ids, n)
        self.reason: str | None = None
        self.problems = 0
        """Finished ones that have a verdict."""
        self._most = max(AT_LEAST, len(ids) * n // SHARE)

    def may_ask(self, in_flight: int, ungraded: int) -> bool:
        return in_flight + ungraded < self._most

    def answered(self, response: Response) -> None:
        if response.error is not None:
            self._settle(response.key, None)

    def scored(self, score: Score) -> None:
        self._settle(score.key, score.correct)

    def _settle(self, key: SampleKey, correct: bool | None) -> None:
        for problem in self._finished.add(key, correct):
            if problem.verdicts:
                self.problems += 1
                self._take(problem)

    def _take(self, problem: _Finished) -> None:
        raise NotImplementedError


class Known(_Clear):
    """Accuracy over the whole benchmark, as this run would show it in the end, is known to a half-width (`--until`).

    Problems are drawn without replacement from a benchmark of known size, which makes the interval narrower, and a
    point once all are asked.
    """

    def __init__(self, ids: Sequence[str], n: int, width: float) -> None:
        super().__init__(ids, n)
        self._width = width
        self._all = len(ids)
        self._sequence = MeanSequence(len(ids), LEVEL, width)

    def _take(self, problem: _Finished) -> None:
        self._sequence.add(sum(problem.verdicts) / len(problem.verdicts))
        if self.reason is None and self._half <= self._width:
            self.reason = f"accuracy is known to ±{100 * self._width:g} points"

    @property
    def _half(self) -> float:
        interval = self._sequence.interval
        return (interval.high - interval.low) / 2

    def record(self) -> Mapping[str, Any]:
        interval = self._sequence.interval
        return {
            "accuracy_low": round(interval.low, 4),
            "accuracy_high": round(interval.high, 4),
            "level": LEVEL,
            "problems": self.problems,
        }

    def lines(self) -> Sequence[str]:
        low, high = self._sequence.interval[:2]
        if self.problems == self._all:
            return [f"accuracy over all {self._all:,} problems is {low:.1%}: they were all asked"]
        return [
            f"accuracy over all {self._all:,} problems is between {low:.1%} and {high:.1%} ({SURE}), after "
            f"{self.problems:,} of them"
        ]


class Better(_Clear):
    """It is clear which of two runs is better (`--versus`): by an e-process over the problems that only one gets right.

    A problem with several samples is won by the run with more right ones among the first samples, as many as both have.
    """

    def __init__(self, ids: Sequence[str], n: int, other: Earlier) -> None:
        super().__init__(ids, n)
        self._other = other
        self._wins = self._losses = 0

    def _take(self, problem: _Finished) -> None:
        theirs = self._other.verdicts.get(problem.problem_id, ())
        both = min(len(theirs), len(problem.verdicts))
        ahead = sum(problem.verdicts[:both]) - sum(theirs[:both])
        self._wins += ahead > 0
        self._losses += ahead < 0
        if self.reason is None and self._evidence * (1 - LEVEL) >= 1:
            this = "better" if self._wins > self._losses else "worse"
            self.reason = f"this run is {this} than {self._other.name}"

    @property
    def _evidence(self) -> float:
        return discordant_e_value(self._wins, self._losses)

    def record(self) -> Mapping[str, Any]:
        counts = {"won": self._wins, "lost": self._losses}
        return {"versus": self._other.name, **counts, "e_value": round(min(self._evidence, 1e12), 3), "level": LEVEL}

    def lines(self) -> Sequence[str]:
        counts = f"{self._wins:,} problems won and {self._losses:,} lost against {self._other.name}"
        if self.reason is not None:
            return [f"{self.reason} ({counts}; {SURE})"]
        return [f"{counts}: it is not clear which is better (`skythought compare` has the test for a whole run)"]
