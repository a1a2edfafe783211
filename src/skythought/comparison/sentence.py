"""What a person would say about a comparison, and what must be said beside its numbers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence

from skythought.comparison.matching import Obstacle, Paired
from skythought.comparison.reading import ReadRun
from skythought.comparison.records import Estimate, PairComparison, Settle, TaskComparison

__all__ = ["chance", "notes", "points", "sentence", "signed", "told"]

NAMED = 3
"""Tasks, or runs, that the sentence names of a kind; the table has the rest."""


def sentence(names: Sequence[str], pairs: Sequence[PairComparison], margin: float) -> str:
    """One sentence on all of it: which is better by how much, where that does not hold, and what would settle it."""
    if len(names) == 2:
        return _of_two(pairs[0], margin)
    return _of_several(names, pairs, margin)


def _of_two(pair: PairComparison, margin: float) -> str:
    one = pair.overall
    several, where = len(pair.tasks) > 1, _where(pair)
    if one.conclusion in ("better", "worse"):
        said = f"{_winner(pair.first, pair.second, one)}{where} by {_range(one)}, {_p(one)}"
    elif one.conclusion == "equivalent":
        said = (
            f"{pair.first} and {pair.second} are shown to be the same{where} to within {points(margin)} "
            f"{_plural(margin)}: {_gap(pair, one)}, {_p(one)}"
        )
    else:
        said = f"{pair.first} and {pair.second} cannot be told apart{where}: {_gap(pair, one)}, {_p(one)}"
        if not several and (way := settled_by(pair.tasks[0].settle)):
            said += f"; {way}"
    return f"{said}{_exceptions(pair, margin) if several else ''}."


def _where(pair: PairComparison) -> str:
    tasks = pair.tasks
    if len(tasks) > 1:
        return f" on average over {len(tasks)} tasks"
    return f" on {tasks[0].task}" if tasks[0].task else ""


def _where_of_all(pairs: Sequence[PairComparison]) -> str:
    """Not every two need have the same tasks."""
    alike = {tuple(task.task for task in pair.tasks) for pair in pairs}
    return _where(pairs[0]) if len(alike) == 1 else " on average over the tasks that each two have"


def _winner(first: str, second: str, one: Estimate) -> str:
    return f"{second} is better than {first}" if one.difference > 0 else f"{first} is better than {second}"


def _range(one: Estimate) -> str:
    """The difference as a gain of the better one."""
    sign = 1 if one.difference > 0 else -1
    low, high = sorted((sign * one.low, sign * one.high))
    return f"{points(sign * one.difference)} {_plural(one.difference)} ({points(low)} to {points(high)})"


def _gap(pair: PairComparison, one: Estimate) -> str:
    """The difference in words: which is ahead, if it were believed."""
    if not one.difference:
        return f"a difference of 0.0 points ({points(one.low)} to {points(one.high)})"
    ahead = pair.second if one.difference > 0 else pair.first
    return f"{ahead} is ahead by {_range(one)}"


def _exceptions(pair: PairComparison, margin: float) -> str:
    """The tasks on which it is otherwise than on average."""
    parts = []
    for conclusion in ("better", "worse", "equivalent", "undecided"):
        tasks = [task for task in pair.tasks if task.estimate.conclusion == conclusion]
        if not tasks or conclusion == pair.overall.conclusion:
            continue
        if len(tasks) <= NAMED and any(settled_by(task.settle) for task in tasks):
            parts += [_exception(pair, [task], margin) for task in tasks]
        else:
            parts.append(_exception(pair, tasks, margin))
    return "".join(f"; {part}" for part in parts)


def _exception(pair: PairComparison, tasks: Sequence[TaskComparison], margin: float) -> str:
    conclusion = tasks[0].estimate.conclusion
    where = f"on {_listed([task.task for task in tasks])}"
    if conclusion == "equivalent":
        return f"{where} they are the same to within {points(margin)} {_plural(margin)}"
    if conclusion == "undecided":
        way = settled_by(tasks[0].settle) if len(tasks) == 1 else ""
        return f"{where} they cannot be told apart{f': {way}' if way else ''}"
    winner = pair.second if conclusion == "better" else pair.first
    amount = f" by {_range(tasks[0].estimate)}" if len(tasks) == 1 else ""
    return f"{where} {winner} is better{amount}"


def settled_by(settle: Settle | None) -> str:
    """What would decide it, in words; empty if nothing can be said."""
    if settle is None or (settle.more_problems is None and settle.more_samples is None):
        return ""
    ways = []
    if settle.more_problems is not None:
        ways.append(f"{_round(settle.more_problems):,} more problem{'s' if settle.more_problems > 1 else ''}")
    if settle.more_samples is not None:
        ways.append(f"{_round(settle.more_samples):,} more sample{'s' if settle.more_samples > 1 else ''} each")
    return f"{' or '.join(ways)} would settle it"


def _of_several(names: Sequence[str], pairs: Sequence[PairComparison], margin: float) -> str:
    """The best of several, and from which others it cannot be told apart."""
    apart = [pair for pair in pairs if pair.overall.difference]
    ahead = Counter(pair.second if pair.overall.difference > 0 else pair.first for pair in apart)
    best = max(names, key=lambda name: ahead[name])
    beaten: list[tuple[str, Estimate]] = []
    level_with: list[str] = []
    same: list[str] = []
    for pair in pairs:
        if best not in (pair.first, pair.second):
            continue
        other = pair.first if pair.second == best else pair.second
        if pair.overall.conclusion in ("better", "worse"):
            beaten.append((other, pair.overall))
        else:
            (same if pair.overall.conclusion == "equivalent" else level_with).append(other)
    return _ranking(best if ahead else "", _where_of_all(pairs), beaten, level_with, same, margin)


def _ranking(
    best: str, where: str, beaten: Sequence[tuple[str, Estimate]], level_with: list[str], same: list[str], margin: float
) -> str:
    """Without a best one, all are exactly alike."""
    if not best:
        shown = f"all are shown to be the same{where} to within {points(margin)} {_plural(margin)}"
        return f"{shown if not level_with else f'they cannot be told apart{where}'}: no run is ahead of another."
    said = []
    if beaten:
        than = [f"than {name} by {_range(one)}, {_p(one)}" for name, one in beaten[:NAMED]]
        than += [f"than {len(beaten) - NAMED} more"] if len(beaten) > NAMED else []
        said.append(f"{best} is better{where} {', and '.join(than)}")
    else:
        said.append(f"{best} is ahead{where}, and shown to be better than none of the others")
    if level_with:
        said.append(f"it cannot be told apart from {_listed(level_with)}")
    if same:
        said.append(f"it is the same as {_listed(same)} to within {points(margin)} {_plural(margin)}")
    return "; ".join(said) + "."


def notes(
    names: tuple[str, str], runs: tuple[ReadRun, ReadRun], paired: Paired, obstacles: Sequence[Obstacle]
) -> tuple[str, ...]:
    """What is to be known about the numbers of two runs, a line each."""
    said = [f"{obstacle.what} (allowed)" for obstacle in obstacles]
    if runs[0].run.path.resolve() == runs[1].run.path.resolve():
        said.append(f"{names[0]} and {names[1]} are one and the same folder")
    for name, run in zip(names, runs, strict=True):
        failed = sum(one.failed for one in run.problems.values())
        if rest := run.missing - failed:
            said.append(f"{name} is unfinished: {rest:,} of {run.expected:,} samples have no verdict; the others count")
        if rest and "versus" in _chosen_by(run):
            said.append(
                f"{name} was stopped by --versus once it was clear: tests for whole runs take no account of it, and "
                "p is too small; --resume asks the rest"
            )
        if failed:
            said.append(f"{failed:,} of {run.expected:,} samples of {name} failed, and are not counted")
        if not run.run.statistics.get("scored_with"):
            said.append(f"{name} does not record what scored it")
    if len(paired.pairs) < len(paired.asked_in_both):
        said.append(
            f"{len(paired.pairs):,} of {len(paired.asked_in_both):,} problems are compared: the others have no scored "
            "sample in one of the two"
        )
    if paired.renumbered:
        said.append(f"{paired.renumbered:,} problems have another id in {names[1]}; they were recognised by their text")
    if runs[0].samples_per_problem != runs[1].samples_per_problem:
        counts = " and ".join(str(run.samples_per_problem) for run in runs)
        said.append(f"{counts} samples a problem: a mean over each is compared")
    return tuple(said)


def _chosen_by(run: ReadRun) -> Collection[str]:
    """The options by which a rule ended the run early, the last time; none if it did not."""
    asking = run.run.statistics.get("asking")
    options = asking.get("options") if isinstance(asking, Mapping) and asking.get("reason") else None
    return options if isinstance(options, Mapping) else ()


def points(share: float) -> str:
    """A share in points, one digit after the point; never `-0.0`."""
    value = round(100 * share, 1)
    return f"{value if value else 0.0:.1f}"


def chance(p: float) -> str:
    """A p-value as people write it."""
    if p < 0.001:
        return "< 0.001"
    return f"{p:.2f}" if p >= 0.095 else f"{p:.1g}" if p < 0.01 else f"{p:.2g}"


def signed(share: float) -> str:
    """A difference in points, with its sign."""
    text = points(share)
    return text if text.startswith("-") or text == "0.0" else f"+{text}"


def told(p: float) -> str:
    """What stands behind the letter p."""
    text = chance(p)
    return text if text.startswith("<") else f"= {text}"


def _p(one: Estimate) -> str:
    return f"p {told(one.p_adjusted)}"


def _plural(share: float) -> str:
    return "point" if abs(round(100 * share, 1)) == 1 else "points"


def _round(count: int) -> int:
    """Two digits of it, upwards: an estimate is no more exact."""
    size: int = 10 ** max(0, len(str(count)) - 2)
    return -(-count // size) * size


def _listed(names: Sequence[str]) -> str:
    if len(names) > NAMED:
        return f"{', '.join(names[:NAMED])} and {len(names) - NAMED} more"
    return " and ".join(filter(None, [", ".join(names[:-1]), names[-1]]))
