"""Runs in, a `Comparison` out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import TypeVar

from skythought.comparison import numbers
from skythought.comparison.comparison import Comparison
from skythought.comparison.configuration import differences
from skythought.comparison.flips import flips, largest
from skythought.comparison.matching import Obstacle, Paired, allowed, obstacles, pair, refuse
from skythought.comparison.reading import GroupsOf, ReadRun, read
from skythought.comparison.records import Estimate, PairComparison, RunFacts, TaskComparison
from skythought.comparison.selection import Given, RunSet, is_greedy, select
from skythought.comparison.sentence import notes, sentence
from skythought.errors import UserError
from skythought.metrics import Tally
from skythought.metrics.multiple import holm, pooled_test

__all__ = ["compare_runs"]

Key = TypeVar("Key")


@dataclass(frozen=True)
class _Matched:
    """Two runs of one task, with the problems that they have in common."""

    task: str
    names: tuple[str, str]
    runs: tuple[ReadRun, ReadRun]
    paired: Paired
    obstacles: tuple[Obstacle, ...]


def compare_runs(
    given: Sequence[Given],
    *,
    names: Sequence[str] = (),
    allow: str | Sequence[str] = (),
    margin: float = 1.0,
    level: float = 0.95,
    flips: int = 3,
) -> Comparison:
    """Compare runs; arguments as for `skythought.compare`. Each run is read once, and the texts of its flips after."""
    _check(margin, level, flips)
    kinds = allowed(allow)
    sets = select(given, names)
    matched = _matched(sets)
    refuse({_about(one): one.obstacles for pairs in matched.values() for one in pairs}, kinds)
    _refuse_what_is_empty(matched)
    share = margin / 100
    estimates = _adjusted(
        {
            (one.names, one.task): numbers.estimate([numbers.tallies(one.paired.pairs)], level, share)
            for pairs in matched.values()
            for one in pairs
        },
        level,
    )
    overalls = _adjusted({pair: _overall(ones, level, share) for pair, ones in matched.items()}, level)
    pairs = tuple(
        PairComparison(
            first=first,
            second=second,
            overall=overalls[first, second],
            pooled_p=pooled_test([numbers.tallies(one.paired.pairs) for one in ones]),
            tasks=tuple(
                _task(one, estimates[one.names, one.task], len(estimates), level, share, flips) for one in ones
            ),
            only=_only(sets, first, second),
        )
        for (first, second), ones in matched.items()
    )
    called = tuple(one.name for one in sets)
    return Comparison(sentence(called, pairs, share), called, level, share, pairs)


def _check(margin: float, level: float, flips: int) -> None:
    if not 0 < margin <= 100:
        raise UserError(
            f"compare: margin: points above 0 and up to 100 are wanted, such as 1 or 0.5 (given: {margin})."
        )
    if not 0.5 < level < 1:
        raise UserError(f"compare: level: a share above 0.5 and below 1 is wanted, such as 0.95 (given: {level}).")
    if flips < 0:
        raise UserError(f"compare: flips: 0 or more (given: {flips}).")


def _matched(sets: Sequence[RunSet]) -> dict[tuple[str, str], list[_Matched]]:
    """For each two names the tasks that both have, in the order of the first."""
    groups = _groupings(sets)
    _refuse_asked_until_correct(sets)
    read_runs = {(one.name, task): read(run, groups.get(task)) for one in sets for task, run in one.runs.items()}
    matched = {}
    for first, second in combinations(sets, 2):
        tasks = _tasks_of(first, second)
        if not tasks:
            ours, theirs = (", ".join(map(repr, one.runs)) for one in (first, second))
            raise UserError(
                f"cannot compare {first.name} with {second.name}: they have no task in common ({ours}; {theirs})."
            )
        matched[first.name, second.name] = [
            _match(task, (first.name, second.name), read_runs[first.name, task], read_runs[second.name, other])
            for task, other in tasks
        ]
    return matched


def _tasks_of(first: RunSet, second: RunSet) -> list[tuple[str, str]]:
    """Tasks of both, under the name that each has for it. Two single runs are taken for one task's."""
    both = [(task, task) for task in first.runs if task in second.runs]
    if not both and len(first.runs) == len(second.runs) == 1:
        both = [(next(iter(first.runs)), next(iter(second.runs)))]
    return both


def _groupings(sets: Sequence[RunSet]) -> dict[str, GroupsOf]:
    """What each task reports by: another program's folder does not tell, but that of another run of the task may."""
    return {task: groups for one in sets for task, run in one.runs.items() if (groups := run.groups_of) is not None}


def _match(task: str, names: tuple[str, str], first: ReadRun, second: ReadRun) -> _Matched:
    paired = pair(first, second)
    return _Matched(task, names, (first, second), paired, tuple(obstacles(first, second, paired, names)))


def _about(one: _Matched) -> str:
    other = one.runs[1].task
    task = f"{one.task}, which is {other} there" if one.task and other not in ("", one.task) else one.task
    return f"{one.names[0]} with {one.names[1]}{f' on {task}' if task else ''}"


def _refuse_what_is_empty(matched: Mapping[tuple[str, str], Sequence[_Matched]]) -> None:
    for one in (one for ones in matched.values() for one in ones):
        if not one.paired.asked_in_both:
            raise UserError(f"cannot compare {_about(one)}: they have no problem in common.")
        if not one.paired.pairs:
            first, second = one.runs
            raise UserError(
                f"cannot compare {_about(one)}: no problem is scored in both yet "
                f"({_scored(first):,} samples scored in {one.names[0]}, {_scored(second):,} in {one.names[1]}); "
                f"`skythought score` grades what was only generated."
            )


def _refuse_asked_until_correct(sets: Sequence[RunSet]) -> None:
    """Of such a run the shares of right samples are not what they would be: what is left is after a right one."""
    for one in sets:
        for run in one.runs.values():
            if "estimates" in (run.statistics.get("asking") or {}):
                raise UserError(
                    f"cannot compare {one.name}: {str(run.path)!r} asked its problems until they were right "
                    "(--until-correct), which shares of right samples do not bear; --resume without that option asks "
                    "the rest."
                )


def _scored(one: ReadRun) -> int:
    return sum(outcomes.tally.scored for outcomes in one.problems.values())


def _adjusted(estimates: Mapping[Key, Estimate], level: float) -> dict[Key, Estimate]:
    """All of one kind with their p-values adjusted together."""
    ps = holm([one.p for one in estimates.values()])
    return {key: numbers.adjusted(one, p, level) for (key, one), p in zip(estimates.items(), ps, strict=True)}


def _overall(ones: Sequence[_Matched], level: float, margin: float) -> Estimate:
    return numbers.estimate([numbers.tallies(one.paired.pairs) for one in ones], level, margin)


def _only(sets: Sequence[RunSet], first: str, second: str) -> dict[str, tuple[str, ...]]:
    ours, theirs = (next(one.runs for one in sets if one.name == name) for name in (first, second))
    if len(ours) == len(theirs) == 1:
        return {}
    alone = {
        first: [task for task in ours if task not in theirs],
        second: [task for task in theirs if task not in ours],
    }
    return {name: tuple(tasks) for name, tasks in alone.items() if tasks}


def _task(one: _Matched, found: Estimate, family: int, level: float, margin: float, count: int) -> TaskComparison:
    first, second = one.runs
    pairs = one.paired.pairs
    changes = [_gain(ours.tally, theirs.tally) for ours, theirs in pairs]
    advice = None
    if found.conclusion == "undecided":
        greedy = any(is_greedy(run.run) for run in one.runs)
        advice = numbers.settle(pairs, found, level, margin, family=family, greedy=greedy)
    return TaskComparison(
        task=one.task,
        runs=(_facts(first), _facts(second)),
        estimate=found,
        settle=advice,
        gained=sum(change > 0 for change in changes),
        lost=sum(change < 0 for change in changes),
        rates=numbers.rates(pairs, first, second, level),
        length=numbers.length(pairs),
        subsets=numbers.subsets(pairs, level),
        flips=flips(largest(pairs, count), first.run, second.run) if count else (),
        differences=differences(first.run, second.run),
        notes=notes(one.names, one.runs, one.paired, one.obstacles),
    )


def _gain(first: Tally, second: Tally) -> int:
    return second.right * first.scored - first.right * second.scored


def _facts(one: ReadRun) -> RunFacts:
    return RunFacts(
        path=str(one.run.path),
        model=one.model,
        problems=len(one.problems),
        samples_per_problem=one.samples_per_problem,
        missing=one.missing,
        failed=sum(outcomes.failed for outcomes in one.problems.values()),
    )
