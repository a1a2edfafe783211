"""What a comparison finds, as plain data: shares are in [0, 1], and every difference is the second run minus the first.

docs/compare.md describes the JSON of a comparison, which is these records field by field.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from skythought.comparison.configuration import Setting

__all__ = [
    "Answers",
    "Conclusion",
    "Estimate",
    "Flip",
    "Length",
    "PairComparison",
    "Rate",
    "RunFacts",
    "Settle",
    "Subset",
    "TaskComparison",
]

Conclusion = Literal["better", "worse", "equivalent", "undecided"]
"""Of the second: shown to be better or worse (adjusted p), else shown to differ by less than the margin, or neither."""


@dataclass(frozen=True)
class Estimate:
    """How far the second run is from the first."""

    problems: int
    first: float
    second: float
    """Mean over problems of the share of right samples; over tasks: mean of the tasks' means."""
    difference: float
    low: float
    high: float
    """Interval of the difference, on other problems like these."""
    method: str
    p: float
    """Exact two-sided sign-flip test, paired by problem."""
    p_adjusted: float
    """By Holm, over all tests of its kind in the comparison: pairs of runs, and tasks."""
    conclusion: Conclusion
    at_least: float
    at_most: float
    """One-sided limits of the difference: the first shows that no more is lost, both together show equivalence."""
    not_worse: bool
    """Whether it is shown that the second loses less than the margin (non-inferiority): `at_least` is above -margin."""
    equivalent: bool
    """Whether it is shown that they differ by less than the margin either way."""


@dataclass(frozen=True)
class Settle:
    """What would decide, with a chance of 80%, what is undecided, if the difference is as large as it looks."""

    goal: Literal["difference", "equivalence"]
    """What would be shown: that they differ, or that they do not by as much as the margin."""
    more_problems: int | None
    """With the samples of each that there are now; None: more than a million."""
    more_samples: int | None
    """Of each problem that there is now, in both; None: no number of samples can, or the runs are greedy."""


@dataclass(frozen=True)
class Rate:
    """How often something happened to the samples of the compared problems; None where it is not recorded."""

    name: Literal["cut off", "unparsed"]
    first: float | None
    second: float | None
    difference: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True)
class Length:
    """Completion tokens of an answer, on the average over the compared problems."""

    first: float
    second: float
    growth: float | None
    """second / first - 1; None where the first is empty."""


@dataclass(frozen=True)
class Subset:
    """The problems of one value of what the task reports by."""

    column: str
    value: str
    problems: int
    first: float
    second: float
    difference: float
    low: float
    high: float
    p: float
    p_adjusted: float
    """By Benjamini and Hochberg, over all subsets of the task."""


@dataclass(frozen=True)
class Answers:
    """What one run answered to a problem."""

    right: int
    scored: int
    answers: tuple[tuple[str | None, int], ...]
    """Answers as they were taken out of the responses, most frequent first, with how often; None: none was found."""
    verdict: str | None
    """Of the sample that is shown."""
    reason: str | None
    ending: str
    """The end of that sample's response, at most 600 characters."""


@dataclass(frozen=True)
class Flip:
    """A problem that one run gets right more often than the other."""

    problem_id: str
    prompt: str
    """At most 600 characters."""
    target: str | None
    first: Answers
    second: Answers


@dataclass(frozen=True)
class RunFacts:
    """One run of the comparison."""

    path: str
    model: str
    problems: int
    samples_per_problem: int
    missing: int
    """Samples without a verdict: not asked yet, failed, or not scored."""
    failed: int


@dataclass(frozen=True)
class TaskComparison:
    """Two runs of one task."""

    task: str
    runs: tuple[RunFacts, RunFacts]
    estimate: Estimate
    settle: Settle | None
    """Only where it is undecided."""
    gained: int
    lost: int
    """Problems that the second run gets right more often, and less often."""
    rates: tuple[Rate, ...]
    length: Length | None
    """None where tokens are not recorded."""
    subsets: tuple[Subset, ...]
    flips: tuple[Flip, ...]
    """The largest changes, as many as were asked for."""
    differences: tuple[Setting, ...]
    """Of configuration and versions: what could explain it."""
    notes: tuple[str, ...]
    """What is to be known about these numbers: unfinished runs, failed samples, differences that were allowed."""


@dataclass(frozen=True)
class PairComparison:
    """Two of the names, on all tasks that both have."""

    first: str
    second: str
    overall: Estimate
    """Each task counts alike. With one task it is the task's."""
    pooled_p: float
    """The sign-flip test over the problems of all tasks, each problem alike."""
    tasks: tuple[TaskComparison, ...]
    only: Mapping[str, tuple[str, ...]]
    """Tasks that only one of the two has, by its name."""
