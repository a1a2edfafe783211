"""Which problems two runs have in common, and what makes the runs hard to compare."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

from skythought.comparison.reading import Outcomes, ReadRun
from skythought.config import scorer_parts
from skythought.errors import UserError, unknown

__all__ = ["KINDS", "Kind", "Obstacle", "Paired", "allowed", "obstacles", "pair", "refuse"]

Kind = Literal["problems", "prompts", "targets", "scorer"]
"""What can differ so that a comparison means something else, and is made only where it is asked for."""

KINDS: tuple[Kind, ...] = get_args(Kind)

Pair = tuple[Outcomes, Outcomes]


@dataclass(frozen=True)
class Paired:
    """The problems of two runs, side by side."""

    pairs: tuple[Pair, ...]
    """Asked in both, with at least one scored sample in each; in the order of the first run."""
    asked_in_both: tuple[Pair, ...]
    """The same, and those that have no scored sample yet."""
    only: tuple[tuple[str, ...], tuple[str, ...]]
    """Ids of problems that only one of the two asks."""
    unscored: tuple[int, int]
    """Problems that both ask, but in which the first, or the second, has no scored sample."""
    renumbered: int
    """Problems that have another id in the second run, and were recognised by their text."""


@dataclass(frozen=True)
class Obstacle:
    """One reason why two runs cannot be compared as they are."""

    kind: Kind
    what: str
    """What differs, for people."""


def pair(first: ReadRun, second: ReadRun) -> Paired:
    """Find the problems of one run in another: by id, and where an id means another problem there, by its text."""
    same = [
        (one, other)
        for problem_id, one in first.problems.items()
        if (other := second.problems.get(problem_id)) is not None and one.asked.is_same_problem(other.asked)
    ]
    taken = {one.problem_id for one, _ in same}
    left = [one for problem_id, one in first.problems.items() if problem_id not in taken]
    others = [other for problem_id, other in second.problems.items() if problem_id not in taken]
    moved = _by_text(left, others)
    order = {problem_id: position for position, problem_id in enumerate(first.problems)}
    both = sorted([*same, *moved], key=lambda found: order[found[0].problem_id])
    found = ({one.problem_id for one, _ in moved}, {other.problem_id for _, other in moved})
    return Paired(
        pairs=tuple((one, other) for one, other in both if one.tally.scored and other.tally.scored),
        asked_in_both=tuple(both),
        only=(
            tuple(one.problem_id for one in left if one.problem_id not in found[0]),
            tuple(other.problem_id for other in others if other.problem_id not in found[1]),
        ),
        unscored=(
            sum(not one.tally.scored for one, _ in both),
            sum(not other.tally.scored for _, other in both),
        ),
        renumbered=len(moved),
    )


def _by_text(left: Sequence[Outcomes], others: Sequence[Outcomes]) -> list[Pair]:
    """Pairs of the same text; a text that stands for several problems tells nothing."""
    ours, theirs = _unique(left), _unique(others)
    found = [(one, theirs[text]) for text, one in ours.items() if text in theirs]
    return list({one.problem_id: (one, other) for one, other in found}.values())


def _unique(problems: Iterable[Outcomes]) -> dict[bytes, Outcomes]:
    by_text: dict[bytes, list[Outcomes]] = {}
    for one in problems:
        for text in one.asked.texts:
            by_text.setdefault(text, []).append(one)
    return {text: found[0] for text, found in by_text.items() if len(found) == 1}


def obstacles(first: ReadRun, second: ReadRun, paired: Paired, names: tuple[str, str]) -> list[Obstacle]:
    """What makes two runs hard to compare, worst first; `names` are what the runs are called."""
    both = paired.asked_in_both
    checks: list[tuple[Kind, str | None]] = [
        ("problems", _other_problems(paired, names)),
        ("prompts", _differing("prompts", both, lambda one, other: not one.asked.is_same_prompt(other.asked))),
        ("targets", _differing("targets", both, _has_other_target)),
        ("scorer", _other_scorer(first, second, names)),
    ]
    return [Obstacle(kind, what) for kind, what in checks if what is not None]


def _other_problems(paired: Paired, names: tuple[str, str]) -> str | None:
    alone = [f"{len(only):,} only in {name}" for only, name in zip(paired.only, names, strict=True) if only]
    if not alone:
        return None
    return f"they do not have the same problems: {len(paired.asked_in_both):,} in both, {', '.join(alone)}"


def _has_other_target(one: Outcomes, other: Outcomes) -> bool:
    targets = one.asked.target, other.asked.target
    return None not in targets and targets[0] != targets[1]


def _differing(what: str, both: Sequence[Pair], differs: Callable[[Outcomes, Outcomes], bool]) -> str | None:
    ids = [one.problem_id for one, other in both if differs(one, other)]
    return f"the {what} of {len(ids):,} of {len(both):,} problems differ (first: {ids[0]!r})" if ids else None


def _other_scorer(first: ReadRun, second: ReadRun, names: tuple[str, str]) -> str | None:
    ours, theirs = _scorer(first), _scorer(second)
    if not ours or not theirs:
        return None  # not recorded, which is said as a difference of configuration
    differing = [name for name in {**ours, **theirs} if ours.get(name) != theirs.get(name)]
    if not differing:
        return None
    told = "; ".join(f"{name} {ours.get(name)} in {names[0]}, {theirs.get(name)} in {names[1]}" for name in differing)
    return f"the verdicts are of other scorers: {told.replace('_', ' ')}"


def _scorer(one: ReadRun) -> dict[str, Any]:
    """What the verdicts were given with. A scorer of one's own is the same wherever its file lies."""
    record = {name: value for name, value in (one.run.statistics.get("scored_with") or {}).items()}
    record.pop("rescoring", None)
    if record and "skythought" not in record:  # of a run that was scored before this was recorded with its verdicts
        record["skythought"] = (one.run.statistics.get("versions") or {}).get("skythought")
    if isinstance(scorer := record.get("scorer"), str | Mapping):
        name, args = scorer_parts(scorer)
        args.pop("sandbox", None)  # where programs ran, not what is right
        record["scorer"] = f"{Path(name).name}{args or ''}"
    return record


def allowed(kinds: str | Iterable[str]) -> frozenset[Kind]:
    """What may differ, as people name it: `problems,prompts` or a list.

    Raises:
        UserError: There is no such kind.
    """
    names = [kinds] if isinstance(kinds, str) else list(kinds)
    parts = [part.strip() for name in names for part in name.split(",") if part.strip()]
    for part in parts:
        if part not in KINDS:
            raise unknown("kind of difference for --allow", part, KINDS)
    return frozenset(kind for kind in KINDS if kind in parts)


def refuse(found: Mapping[str, Collection[Obstacle]], allow: Collection[Kind]) -> None:
    """Refuse a comparison of what is not comparable.

    Args:
        found: Obstacles by what is compared ("A with B on gsm8k").
        allow: Kinds that were asked for nevertheless.

    Raises:
        UserError: There is one that was not allowed; the line says what differs and how to go on.
    """
    for what, given in found.items():
        left = [obstacle for obstacle in given if obstacle.kind not in allow]
        if left:
            kinds = ",".join(dict.fromkeys([*allow, *(obstacle.kind for obstacle in left)]))
            told = "; ".join(obstacle.what for obstacle in left)
            raise UserError(f"cannot compare {what}: {told}. {_how(left, kinds)}")


def _how(left: Collection[Obstacle], kinds: str) -> str:
    kinds_left = {obstacle.kind for obstacle in left}
    ways = [f"--allow {kinds}: they are compared all the same"]
    if "problems" in kinds_left:
        ways[0] += ", on the problems that both have"
    if kinds_left == {"scorer"}:
        ways.append("`skythought score` gives both the verdicts of one scorer")
    return f"{'; '.join(ways)}."
