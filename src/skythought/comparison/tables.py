"""A comparison as tables, whatever they are written in: the terminal's, Markdown, LaTeX, CSV or HTML."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from skythought.comparison.records import Answers, Estimate, Length, PairComparison, Rate, TaskComparison
from skythought.comparison.sentence import chance, signed, told

__all__ = ["Cell", "Table", "Tone", "notes_of", "tables"]

Tone = Literal["", "good", "bad", "slightly good", "slightly bad"]
"""How a cell is coloured where there is colour."""

Kind = Literal["pairs", "numbers", "answers", "subsets", "flips", "configuration"]

ROWS = 12
"""Subsets of one column, and differences of configuration, that are shown; JSON has all."""
WIDE = 90
"""Characters of a value."""
PROMPT = 60
ENDING = 200
"""Characters of the end of a response."""
CONCLUSIONS = {"better": "better", "worse": "worse", "equivalent": "the same", "undecided": "not told apart"}


@dataclass(frozen=True)
class Cell:
    """A text, and how it is coloured."""

    text: str
    tone: Tone = ""


@dataclass(frozen=True)
class Table:
    """A table of texts."""

    kind: Kind
    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    words: frozenset[int] = frozenset({0})
    """Columns that hold words, and are set from the left; the others hold numbers."""
    remark: str = ""


def tables(names: Sequence[str], pairs: Sequence[PairComparison], level: float, margin: float) -> list[Table]:
    """All tables, those that say most first. Of three runs and more the details are those against the baseline."""
    made = [heat_map(names, pairs)] if len(names) > 2 else []
    made += [numbers(pair, level, margin) for pair in pairs]
    for pair in pairs:
        if pair.first == names[0]:
            made += [answers(pair), *_subsets(pair), *_flips(pair), *_configuration(pair)]
    return [table for table in made if table.rows]


def heat_map(names: Sequence[str], pairs: Sequence[PairComparison]) -> Table:
    """How far each run (a row) is ahead of each other (a column), in points."""
    found = {(pair.first, pair.second): pair.overall for pair in pairs}
    rows = []
    for row in names:
        cells = [_ahead(found, row, column) for column in names]
        rows.append((Cell(row), *cells))
    return Table(
        "pairs",
        "points by which the row is ahead of the column; * where that is shown",
        ("", *names),
        tuple(rows),
        remark="tasks count alike; p-values adjusted by Holm over all pairs" if len(pairs[0].tasks) > 1 else "",
    )


def _ahead(found: dict[tuple[str, str], Estimate], row: str, column: str) -> Cell:
    if row == column:
        return Cell("·")
    turned = (column, row) not in found
    one = found[(row, column) if turned else (column, row)]
    difference = -one.difference if turned else one.difference
    shown = one.conclusion in ("better", "worse")
    return Cell(f"{signed(difference)}{'*' if shown else ' '}", _tone(difference, shown))


def numbers(pair: PairComparison, level: float, margin: float) -> Table:
    """Accuracy on each task, the difference, and what follows from it."""
    rows = [_row(task.task or "run", task.estimate, f"{task.gained:,}/{task.lost:,}") for task in pair.tasks]
    if len(pair.tasks) > 1:
        gained, lost = (sum(getattr(task, name) for task in pair.tasks) for name in ("gained", "lost"))
        rows.append(_row("mean of tasks", pair.overall, f"{gained:,}/{lost:,}"))
    remark = f"gained/lost: problems that {pair.second} gets right more/less often"
    if len(pair.tasks) > 1:
        remark += f"; all problems pooled: p {told(pair.pooled_p)}"
    if corrected := any(task.estimate.p != task.estimate.p_adjusted for task in pair.tasks):
        remark += "; Holm: p adjusted for all tests of its kind"
    headings = ["task", "problems", pair.first, pair.second, "points", f"{100 * level:g}% interval", "p", "p (Holm)"]
    headings += ["gained/lost", f"{pair.second} is", f"loses < {100 * margin:g}"]
    kept = [number for number, heading in enumerate(headings) if corrected or heading != "p (Holm)"]
    return Table(
        "numbers",
        f"{pair.second} against {pair.first}",
        tuple(headings[number] for number in kept),
        tuple(tuple(row[number] for number in kept) for row in rows),
        frozenset({0, len(kept) - 2, len(kept) - 1}),
        remark,
    )


def _row(task: str, one: Estimate, changed: str) -> tuple[Cell, ...]:
    shown = one.conclusion in ("better", "worse")
    tone = _tone(one.difference, shown)
    texts = [f"{one.problems:,}", _percent(one.first), _percent(one.second)]
    after = [f"{signed(one.low)} to {signed(one.high)}", chance(one.p), chance(one.p_adjusted), changed]
    return (
        Cell(task),
        *map(Cell, texts),
        Cell(signed(one.difference), tone),
        *map(Cell, after),
        Cell(CONCLUSIONS[one.conclusion], tone if shown else ""),
        Cell("shown" if one.not_worse else "not shown"),
    )


def answers(pair: PairComparison) -> Table:
    """Length of answers, and how many were cut off or had no answer in them."""
    rows = []
    for task in pair.tasks:
        where = f" ({task.task})" if len(pair.tasks) > 1 else ""
        if task.length is not None:
            rows.append(_length(f"tokens an answer{where}", task.length))
        rows += [_rate(f"{rate.name}{where}", rate) for rate in task.rates if rate.first or rate.second]
        missing = [run.failed for run in task.runs]
        if any(missing):
            rows.append(
                (Cell(f"failed samples{where}"), *(Cell(f"{count:,}") for count in missing), Cell(""), Cell(""))
            )
    return Table("answers", "answers", ("", pair.first, pair.second, "difference", "interval"), tuple(rows))


def _length(name: str, one: Length) -> tuple[Cell, ...]:
    growth = "" if one.growth is None else f"{100 * one.growth:+.1f}%"
    return (Cell(name), Cell(f"{one.first:,.0f}"), Cell(f"{one.second:,.0f}"), Cell(growth), Cell(""))


def _rate(name: str, one: Rate) -> tuple[Cell, ...]:
    known = [Cell("not recorded" if value is None else _percent(value)) for value in (one.first, one.second)]
    if one.difference is None or one.low is None or one.high is None:
        return (Cell(name), *known, Cell(""), Cell(""))
    interval = f"{signed(one.low)} to {signed(one.high)}"
    apart = one.low > 0 or one.high < 0
    return (Cell(name), *known, Cell(signed(one.difference), _tone(-one.difference, apart)), Cell(interval))


def _subsets(pair: PairComparison) -> Iterator[Table]:
    for task in pair.tasks:
        for column in dict.fromkeys(subset.column for subset in task.subsets):
            members = [subset for subset in task.subsets if subset.column == column]
            rows = [
                (
                    Cell(_short(subset.value)),
                    Cell(f"{subset.problems:,}"),
                    Cell(_percent(subset.first)),
                    Cell(_percent(subset.second)),
                    Cell(signed(subset.difference), _tone(subset.difference, subset.p_adjusted <= 0.05)),
                    Cell(f"{signed(subset.low)} to {signed(subset.high)}"),
                    Cell(chance(subset.p)),
                    Cell(chance(subset.p_adjusted)),
                )
                for subset in members[:ROWS]
            ]
            more = f"the {ROWS} largest; {len(members) - ROWS:,} more in the JSON" if len(members) > ROWS else ""
            headings = (column, "problems", pair.first, pair.second, "points", "interval", "p", "p (B-H)")
            yield Table("subsets", _titled(pair, task, f"by {column}"), headings, tuple(rows), remark=more)


def _flips(pair: PairComparison) -> Iterator[Table]:
    for task in pair.tasks:
        rows: list[tuple[Cell, ...]] = []
        for flip in task.flips:
            tone: Tone = (
                "good" if flip.second.right * flip.first.scored > flip.first.right * flip.second.scored else "bad"
            )
            sides = (_answered(flip.first), _answered(flip.second))
            rows.append((Cell(flip.problem_id), Cell(_short(flip.target or "")), Cell(sides[0]), Cell(sides[1], tone)))
            texts = (_short(flip.prompt, PROMPT), "", _ending(flip.first), _ending(flip.second))
            rows.append(tuple(map(Cell, texts)))
        changed = task.gained + task.lost
        shown = len(task.flips)
        remark = f"{shown} of {changed:,} problems that changed; --flips N shows more" if shown < changed else ""
        headings = ("problem", "target", pair.first, pair.second)
        yield Table("flips", _titled(pair, task, "largest changes"), headings, tuple(rows), frozenset(range(4)), remark)


def _answered(one: Answers) -> str:
    told = ", ".join(
        f"{'no answer' if answer is None else _short(answer, 40)}{f' x{count}' if count > 1 else ''}"
        for answer, count in one.answers
    )
    return f"{one.right}/{one.scored} right: {told}"


def _ending(one: Answers) -> str:
    """How the response that is shown ends."""
    line = " ".join(one.ending.split())
    return line if len(line) <= ENDING else f"…{line[-ENDING:]}"


def _configuration(pair: PairComparison) -> Iterator[Table]:
    """What could explain a difference, once for all tasks where it is the same in all of them."""
    common = set.intersection(*(set(task.differences) for task in pair.tasks))
    parts = [("", [one for one in pair.tasks[0].differences if one in common])]
    parts += [(task.task, [one for one in task.differences if one not in common]) for task in pair.tasks]
    for task, settings in parts:
        rows = [(Cell(one.name), Cell(_short(one.first)), Cell(_short(one.second))) for one in settings[:ROWS]]
        more = f"{len(settings) - ROWS:,} more in the JSON" if len(settings) > ROWS else ""
        title = f"what else differs{f' on {task}' if task else ''}"
        yield Table("configuration", title, ("", pair.first, pair.second), tuple(rows), frozenset(range(3)), more)


def notes_of(pairs: Sequence[PairComparison]) -> list[str]:
    """What is to be known about the numbers, each once, with the tasks that it is about."""
    tasks = dict.fromkeys(task.task for pair in pairs for task in pair.tasks)
    about: dict[str, dict[str, None]] = {}
    for task in (task for pair in pairs for task in pair.tasks):
        for note in task.notes:
            about.setdefault(note, {})[task.task] = None
    said = [note if len(names) == len(tasks) else f"{', '.join(names)}: {note}" for note, names in about.items()]
    alone = [f"only {name} has a run of {', '.join(only)}" for pair in pairs for name, only in pair.only.items()]
    return [*said, *dict.fromkeys(alone)]


def _titled(pair: PairComparison, task: TaskComparison, title: str) -> str:
    return f"{title} ({task.task})" if len(pair.tasks) > 1 else title


def _tone(difference: float, shown: bool) -> Tone:
    if not difference:
        return ""
    if difference > 0:
        return "good" if shown else "slightly good"
    return "bad" if shown else "slightly bad"


def _percent(share: float) -> str:
    return f"{share:.1%}"


def _short(text: str, most: int = WIDE) -> str:
    line = " ".join(text.split())
    return line if len(line) <= most else f"{line[: most - 1]}…"
