"""The numbers of two runs side by side: estimates, rates, subsets, and what would settle it."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Literal, NamedTuple

from skythought.comparison.reading import Outcomes, ReadRun
from skythought.comparison.records import Conclusion, Estimate, Length, Rate, Settle, Subset
from skythought.metrics import Tally
from skythought.metrics.multiple import Pair as Tallies
from skythought.metrics.multiple import benjamini_hochberg, macro_difference
from skythought.metrics.paired import difference, difference_interval
from skythought.metrics.power import Split, equivalence_factor, problems_needed, samples_needed, split_of_pair

__all__ = ["adjusted", "estimate", "length", "rates", "settle", "subsets", "tallies"]

MOST_PROBLEMS = 1_000_000
"""More problems than this are no advice."""

Pairs = Sequence[tuple[Outcomes, Outcomes]]


def tallies(pairs: Pairs) -> Tallies:
    """The counts of right samples of both runs, problem by problem."""
    return [one.tally for one, _ in pairs], [other.tally for _, other in pairs]


def estimate(tasks: Sequence[Tallies], level: float, margin: float) -> Estimate:
    """The difference over one task or, each task counting alike, over several; p is not adjusted yet.

    Each task must have a problem that is scored in both.
    """
    found = macro_difference(tasks, level) if len(tasks) > 1 else difference(*tasks[0], level)
    assert found is not None
    # Two one-sided tests at 1 - level: the interval at 2 level - 1.
    one_sided = 2 * level - 1
    if len(tasks) > 1:
        macro = macro_difference(tasks, one_sided)
        assert macro is not None
        inner = macro.interval
    else:
        inner = difference_interval(*tasks[0], one_sided)
    return Estimate(
        problems=found.problems,
        first=found.a,
        second=found.b,
        difference=found.estimate,
        low=found.interval.low,
        high=found.interval.high,
        method=found.interval.method,
        p=found.p,
        p_adjusted=found.p,
        conclusion="undecided",
        at_least=inner.low,
        at_most=inner.high,
        not_worse=inner.low > -margin,
        equivalent=-margin < inner.low and inner.high < margin,
    )


def adjusted(one: Estimate, p: float, level: float) -> Estimate:
    """The estimate with its adjusted p, and what follows from it."""
    conclusion: Conclusion = "undecided"
    if p <= 1 - level and one.difference:
        conclusion = "better" if one.difference > 0 else "worse"
    elif one.equivalent:
        conclusion = "equivalent"
    return replace(one, p_adjusted=p, conclusion=conclusion)


def settle(
    pairs: Pairs, one: Estimate, level: float, margin: float, *, family: int = 1, greedy: bool = False
) -> Settle | None:
    """What would decide it if the difference is as large as it looks; None if that cannot be told.

    A difference of less than the margin is settled when it is shown to be less, or to be there: whichever comes first.

    Args:
        level: Of the tests, before a correction for several.
        family: How many tests of a difference there are: the smallest p of them is corrected for all.
        greedy: A run was sampled at temperature 0, where one more sample is the same again.
    """
    first, second = tallies(pairs)
    split = split_of_pair(first, second)
    if split is None:
        return None
    now = _Now(split, one.problems, max(tally.scored for tally in first), max(tally.scored for tally in second))
    size = abs(one.difference)
    ways = []
    if size:
        stricter = 1 - (1 - level) / family
        ways.append(_way("difference", now, size, _least_for_difference(pairs, stricter), stricter))
    if size < margin:
        ways.append(
            _way(
                "equivalence",
                now,
                margin - size,
                _least_for_equivalence(margin - size, level),
                level,
                equivalence_factor(size, margin, level),
            )
        )
    ways = [way for way in ways if way.more_problems is not None] or ways
    if not ways:
        return None
    best = min(ways, key=lambda way: MOST_PROBLEMS if way.more_problems is None else way.more_problems)
    return replace(best, more_samples=None) if greedy else best


class _Now(NamedTuple):
    """What two runs have so far, and how it varies."""

    split: Split
    problems: int
    first_n: int
    second_n: int


def _least_for_difference(pairs: Pairs, level: float) -> int:
    """Problems below which even differences that all go one way show nothing: 5 to 0 has p = 0.06."""
    differing = sum(
        one.tally.right * other.tally.scored != other.tally.right * one.tally.scored for one, other in pairs
    )
    return math.ceil(math.log2(2 / (1 - level)) * len(pairs) / differing)


def _least_for_equivalence(room: float, level: float) -> int:
    """Problems below which even answers that never differ do not rule out so large a difference."""
    return math.ceil(math.log(1 - level) / math.log1p(-room)) if room < 1 else 1


def _way(
    goal: Literal["difference", "equivalence"],
    now: _Now,
    size: float,
    least: int,
    level: float,
    factor: float | None = None,
) -> Settle:
    problems = max(least, problems_needed(now.split, size, now.first_n, now.second_n, level, factor=factor))
    samples = samples_needed(now.split, size, now.problems, level, factor=factor) if now.problems >= least else None
    problems -= now.problems
    return Settle(
        goal=goal,
        more_problems=max(1, problems) if problems <= MOST_PROBLEMS else None,
        more_samples=None if samples is None else max(1, samples - min(now.first_n, now.second_n)),
    )


def rates(pairs: Pairs, first: ReadRun, second: ReadRun, level: float) -> tuple[Rate, ...]:
    """How often answers were cut off, and how often none was found."""
    cut_off = _rate("cut off", pairs, lambda one: Tally(one.answered, one.cut_off), level)
    unparsed = _rate("unparsed", pairs, lambda one: Tally(one.tally.scored, one.unparsed), level)
    knows = [(first.knows_cut_off, second.knows_cut_off), (first.knows_unparsed, second.knows_unparsed)]
    return tuple(_known(rate, *known) for rate, known in zip((cut_off, unparsed), knows, strict=True))


def _rate(name: str, pairs: Pairs, counts: Callable[[Outcomes], Tally], level: float) -> Rate:
    found = difference([counts(one) for one, _ in pairs], [counts(other) for _, other in pairs], level)
    rate = Rate("cut off" if name == "cut off" else "unparsed", None, None, None, None, None)
    if found is None:
        return rate
    low, high = found.interval.low, found.interval.high
    return replace(rate, first=found.a, second=found.b, difference=found.estimate, low=low, high=high)


def _known(rate: Rate, first: bool, second: bool) -> Rate:
    if first and second:
        return rate
    left = replace(rate, difference=None, low=None, high=None)
    return replace(left, first=rate.first if first else None, second=rate.second if second else None)


def length(pairs: Pairs) -> Length | None:
    """Tokens of an answer, over the problems for which both runs tell them."""
    told = [(one.tokens / one.counted, two.tokens / two.counted) for one, two in pairs if one.counted and two.counted]
    if not told:
        return None
    first, second = (sum(values) / len(told) for values in zip(*told, strict=True))
    return Length(first, second, second / first - 1 if first else None)


def subsets(pairs: Pairs, level: float) -> tuple[Subset, ...]:
    """The same by each value of what the task reports by, in the order of the columns and of size."""
    groups: dict[tuple[str, str], list[tuple[Outcomes, Outcomes]]] = {}
    for one, other in pairs:
        for group in one.groups or other.groups:
            groups.setdefault(group, []).append((one, other))
    columns = list(dict.fromkeys(column for column, _ in groups))
    found = []
    for (column, value), members in groups.items():
        gap = difference(*tallies(members), level)
        assert gap is not None
        low, high = gap.interval.low, gap.interval.high
        found.append(Subset(column, value, gap.problems, gap.a, gap.b, gap.estimate, low, high, gap.p, gap.p))
    ps = benjamini_hochberg([subset.p for subset in found])
    found = [replace(subset, p_adjusted=p) for subset, p in zip(found, ps, strict=True)]
    return tuple(sorted(found, key=lambda subset: (columns.index(subset.column), -subset.problems, subset.value)))
