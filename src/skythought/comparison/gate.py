"""A policy that a comparison must pass, as a file for CI: what may not get worse, what must win, and limits.

    every_task: {no_loss_over: 1, cut_off: 5, unparsed: 2, longer: 20}
    tasks:
      aime24: {no_loss_over: 5}
    must_win: [math500]
    mean: {no_loss_over: 0.5}

Losses are in points, the other limits in percent. docs/compare.md tells each.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from pydantic import ConfigDict, Field

from skythought.comparison.comparison import Comparison
from skythought.comparison.records import Estimate, PairComparison, TaskComparison
from skythought.comparison.sentence import points, signed, told
from skythought.config import Declared, check
from skythought.errors import UserError, unknown
from skythought.yamlfile import read_yaml

__all__ = ["Check", "Limits", "Policy", "TaskLimits", "check_policy", "read_policy"]

Points = Annotated[float, Field(ge=0, le=100, allow_inf_nan=False)]
Percent = Annotated[float, Field(ge=0, allow_inf_nan=False)]


class Limits(Declared):
    """What is asked of a difference in accuracy."""

    model_config = ConfigDict(use_attribute_docstrings=True, strict=True)

    no_loss_over: Points | None = None
    """Points that may be lost at most; that no more is lost must be shown, not only not refuted. 0: it must win."""
    must_win: bool = False
    """It must be shown to be better, by the two-sided test."""


class TaskLimits(Limits):
    """What is asked of a task, or of each."""

    cut_off: Percent | None = None
    """Percent of the answers that may be cut off at the token limit."""
    cut_off_more: Percent | None = None
    """Points by which that may be more than in the baseline."""
    unparsed: Percent | None = None
    """Percent of the answers in which none may be found."""
    unparsed_more: Percent | None = None
    """Points by which that may be more than in the baseline."""
    longer: Percent | None = None
    """Percent by which answers may be longer than the baseline's, in tokens."""
    missing: Percent | None = None
    """Percent of the samples that may lack a verdict: failed, or not there yet. 0 if left out."""


class Policy(Declared):
    """The content of a gate file."""

    model_config = ConfigDict(use_attribute_docstrings=True, strict=True)

    every_task: TaskLimits = TaskLimits()
    """For each task that the baseline has."""
    tasks: dict[str, TaskLimits] = Field(default_factory=dict)
    """For single tasks: what is given here stands in place of `every_task`."""
    must_win: list[str] = Field(default_factory=list)
    """Tasks that must be shown to be better; short for `must_win` of each."""
    mean: Limits = Limits()
    """For the mean of all tasks, each counting alike."""


@dataclass(frozen=True)
class Check:
    """One thing that a policy asks, and whether it holds."""

    passed: bool
    what: str
    """For people: task, what was asked, and what was found."""

    def __str__(self) -> str:
        return f"{'passed' if self.passed else 'FAILED'}: {self.what}"


def read_policy(path: str | Path) -> Policy:
    """The policy in a YAML file.

    Raises:
        UserError: It cannot be read, asks nothing, or holds an unknown key or a wrong value; one line names it.
    """
    file = Path(path).expanduser()
    given = read_yaml(file)
    if not isinstance(given, Mapping) or not given:
        raise UserError(f"{file}: a gate file holds keys and values, such as `every_task: {{no_loss_over: 1}}`.")
    nested = {"every_task": TaskLimits, "mean": Limits}
    for name, kind in nested.items():
        if isinstance(given.get(name), Mapping):
            check(kind, given[name], f"{file}: {name}")
    tasks = given.get("tasks")
    if isinstance(tasks, Mapping):
        for task, limits in tasks.items():
            if isinstance(limits, Mapping):
                check(TaskLimits, limits, f"{file}: tasks.{task}")
    policy = check(Policy, given, str(file))
    if (
        not any(_asked(limits) for limits in (policy.every_task, policy.mean, *policy.tasks.values()))
        and not policy.must_win
    ):
        raise UserError(f"{file}: it asks nothing, so that everything would pass.")
    return policy


def _asked(limits: Limits) -> bool:
    return limits != type(limits)()


def check_policy(comparison: Comparison, policy: Policy) -> list[Check]:
    """Check every run against the baseline, which is the first name.

    Raises:
        UserError: The policy names a task that none of the runs is of, or asks nothing of those that there are.
    """
    pairs = [pair for pair in comparison.pairs if pair.first == comparison.names[0]]
    known = {task.task for pair in pairs for task in pair.tasks} | {
        task for pair in pairs for tasks in pair.only.values() for task in tasks
    }
    for name in (*policy.tasks, *policy.must_win):
        if name not in known:
            raise unknown("task in the gate file", name, known)
    checks = [found for pair in pairs for found in _pair(pair, policy, len(comparison.names) > 2)]
    if not checks:
        raise UserError("the gate file asks nothing of the tasks that are compared, so that everything would pass.")
    return checks


def _pair(pair: PairComparison, policy: Policy, several: bool) -> Iterator[Check]:
    prefix = f"{pair.second}: " if several else ""
    for task in pair.tasks:
        about = prefix + (task.task or "the run")
        for passed, what in _task(task, _limits(policy, task.task), pair):
            yield Check(passed, f"{about}: {what}")
    for task_name in pair.only.get(pair.first, ()):
        if _limits(policy, task_name) != TaskLimits():
            yield Check(False, f"{prefix}{task_name}: {pair.second} has no run of it")
    for task_name in pair.only.get(pair.second, ()):
        if task_name in policy.tasks or task_name in policy.must_win:
            yield Check(False, f"{prefix}{task_name}: {pair.first} has no run of it")
    for passed, what in _accuracy(pair.overall, policy.mean):
        yield Check(passed, f"{prefix}mean of tasks: {what}")


def _limits(policy: Policy, task: str) -> TaskLimits:
    """What is asked of a task: of each, and what is given for this one in its place."""
    own = policy.tasks.get(task, TaskLimits())
    given = {name: getattr(own, name) for name in own.model_fields_set}
    if task in policy.must_win:
        given["must_win"] = True
    return policy.every_task.model_copy(update=given)


def _task(task: TaskComparison, limits: TaskLimits, pair: PairComparison) -> Iterator[tuple[bool, str]]:
    for name, run in zip((pair.first, pair.second), task.runs, strict=True):
        expected = run.problems * run.samples_per_problem
        passed = run.missing * 100 <= (limits.missing or 0) * expected
        if not passed or limits.missing is not None:
            what = f"{run.missing:,} of {expected:,} samples of {name} have no verdict (unfinished, or failed)"
            yield passed, f"{what}; at most {limits.missing or 0:g}% is allowed"
    yield from _accuracy(task.estimate, limits)
    for rate in task.rates:
        cut_off = rate.name == "cut off"
        most, more = (limits.cut_off, limits.cut_off_more) if cut_off else (limits.unparsed, limits.unparsed_more)
        if most is not None:
            yield _at_most(rate.second, most, f"{{}} of the answers are {rate.name}", "%")
        if more is not None:
            yield _at_most(rate.difference, more, f"{{}} more of the answers are {rate.name}", " points")
    if limits.longer is not None:
        yield _at_most(None if task.length is None else task.length.growth, limits.longer, "answers are {} longer", "%")


def _accuracy(one: Estimate, limits: Limits) -> Iterator[tuple[bool, str]]:
    found = f"{signed(one.difference)} points ({signed(one.low)} to {signed(one.high)})"
    if limits.no_loss_over is not None:
        shown = one.at_least > -limits.no_loss_over / 100
        most = f"{limits.no_loss_over:g}"
        loss = f"a loss of {points(-one.at_least)} points is not ruled out, and {most} at most is allowed"
        yield shown, f"{found}; {f'a loss over {most} is ruled out' if shown else loss}"
    if limits.must_win:
        yield one.conclusion == "better", f"must win: {found}, p {told(one.p_adjusted)}"


def _at_most(value: float | None, most: float, what: str, unit: str) -> tuple[bool, str]:
    if value is None:
        return False, f"{what.format('an unknown share')}: it is not recorded, and at most {most:g}{unit} is allowed"
    return 100 * value <= most, f"{what.format(f'{100 * value:.1f}{unit}')}; at most {most:g}{unit} is allowed"
