"""More than one comparison: corrections of p-values, and several tasks taken together."""

from __future__ import annotations

import math
from collections.abc import Sequence

from skythought.metrics.intervals import Interval
from skythought.metrics.paired import Difference, difference, difference_test, weighted_test
from skythought.metrics.tally import Tally

__all__ = ["Pair", "benjamini_hochberg", "holm", "macro_difference", "pooled_test"]

Pair = tuple[Sequence[Tally], Sequence[Tally]]
"""One task's tallies in run A and in run B, problem by problem."""


def holm(ps: Sequence[float]) -> list[float]:
    """p-values adjusted so that the chance of *any* false finding among them stays below the level (Holm 1979).

    In the order given. Holds however the tests depend on one another. For a family of few: tasks, pairs of runs.
    """
    adjusted = [0.0] * len(ps)
    largest = 0.0
    for rank, index in enumerate(sorted(range(len(ps)), key=lambda i: ps[i])):
        largest = max(largest, min(1.0, (len(ps) - rank) * ps[index]))
        adjusted[index] = largest
    return adjusted


def benjamini_hochberg(ps: Sequence[float]) -> list[float]:
    """p-values adjusted so that the expected *share* of false ones among findings stays below the level.

    In the order given (Benjamini & Hochberg 1995; tests independent or positively dependent). For tables of many:
    subsets.
    """
    adjusted = [0.0] * len(ps)
    smallest = 1.0
    order = sorted(range(len(ps)), key=lambda i: ps[i])
    for rank, index in reversed(list(enumerate(order, start=1))):
        smallest = min(smallest, ps[index] * len(ps) / rank)
        adjusted[index] = smallest
    return adjusted


def macro_difference(pairs: Sequence[Pair], level: float = 0.95) -> Difference | None:
    """What B gains over A on the average task: each task counts alike, however many problems it has.

    The interval joins those of the tasks by the method of variance estimates recovery (Zou & Donner 2008): squared
    distances from the estimates add up, so that each task's own asymmetry is kept. p is the sign-flip test of the
    weighted sum of all problems. Tasks without a scored problem in common are left out; None if none is left.
    """
    parts = [(pair, found) for pair in pairs if (found := difference(*pair, level))]
    if not parts:
        return None
    tasks = len(parts)
    tests = [part for _, part in parts]
    estimate = math.fsum(part.estimate for part in tests) / tasks
    below = math.sqrt(sum((part.estimate - part.interval.low) ** 2 for part in tests)) / tasks
    above = math.sqrt(sum((part.interval.high - part.estimate) ** 2 for part in tests)) / tasks
    return Difference(
        problems=sum(part.problems for part in tests),
        a=math.fsum(part.a for part in tests) / tasks,
        b=math.fsum(part.b for part in tests) / tasks,
        estimate=estimate,
        interval=Interval(max(-1.0, estimate - below), min(1.0, estimate + above), level, tests[0].interval.method),
        p=weighted_test(
            [
                (1 / part.problems, problem)
                for (a, b), part in parts
                for problem in zip(a, b, strict=True)
                if problem[0].scored and problem[1].scored
            ]
        ),
        wins=sum(part.wins for part in tests),
        losses=sum(part.losses for part in tests),
    )


def pooled_test(pairs: Sequence[Pair]) -> float:
    """p-value of "no difference on any task": the sign-flip test over the problems of all tasks, each problem alike.

    (Kübler et al. 2026, arXiv:2602.10144, aggregate McNemar tests over tasks in this way.)
    """
    a = [tally for first, _ in pairs for tally in first]
    b = [tally for _, second in pairs for tally in second]
    return difference_test(a, b)
