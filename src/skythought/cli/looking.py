"""`skythought runs` and `skythought show`: what there is, and samples to read."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import get_args

from rich.padding import Padding
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from skythought.cli.console import PlainConsole
from skythought.errors import UserError, did_you_mean
from skythought.printable import printable, shortened
from skythought.runs.listing import RunLine, list_runs
from skythought.runs.sample import Sample
from skythought.runs.view import Run
from skythought.types import Verdict

__all__ = ["show_runs", "show_samples"]

HEADINGS = ("task", "model", "sampling", "problems x n", "answered", "accuracy", "last change", "folder")
NUMBERS = ("problems x n", "answered", "accuracy")
VERDICTS = (*get_args(Verdict), "unscored")
COLOURS = {"correct": "green", "wrong": "red", "unparsed": "yellow", "truncated": "yellow", "failed": "magenta"}
THINKING_CHARACTERS = 600
"""How much of the thinking is shown unless all is asked for."""


def show_runs(folder: str) -> None:
    """One line a run, the latest first."""
    console = PlainConsole()
    lines = list_runs(folder)
    if not lines:
        console.print(f"no runs in {folder!r}: a run folder has a run.json or a results.json")
        return
    table = Table(box=None, pad_edge=False)
    for heading in HEADINGS:
        table.add_column(heading, justify="right" if heading in NUMBERS else "left", overflow="fold")
    for line in lines:
        table.add_row(*map(Text, _cells(line, Path(folder).expanduser())))
    if not console.is_terminal:
        # A pipe has no edge: no column is squeezed there.
        console.width = max(
            console.width, console.measure(table, options=console.options.update(max_width=1000)).maximum
        )
    console.print(table)
    for line in lines:
        if line.error:
            console.print(f"{line.path}: {line.error}", soft_wrap=True)


def _cells(line: RunLine, root: Path) -> list[str]:
    where = str(line.path.relative_to(root)) if line.path != root else str(line.path)
    when = line.changed.strftime("%Y-%m-%d %H:%M") if line.changed else ""
    if line.error:
        return ["cannot be read", "", "", "", "", "", when, where]
    accuracy = "" if line.accuracy is None else f"{line.accuracy:.1%}"
    size = f"{line.problems:,} x {line.n}"
    return [line.task, line.model, line.sampling, size, f"{line.complete:.0%}", accuracy, when, where]


def show_samples(
    run_dir: str, ids: Collection[str] | None, sample: int | None, verdicts: str | None, most: int, whole: bool
) -> None:
    """Print samples of a run, as they were asked, answered and judged.

    Args:
        ids: Only of these problems.
        sample: Only the one of this number.
        verdicts: Only those of these verdicts, by commas.
        most: No more than so many.
        whole: Also all of the thinking.
    """
    console = PlainConsole()
    wanted = _verdicts(verdicts)
    found = _wanted(Run(run_dir), ids, sample, wanted)
    shown = 0
    for shown, each in enumerate(islice(found, most), 1):  # noqa: B007
        _show(console, each, whole)
    if not shown:
        raise UserError(f"{run_dir!r} holds no such sample.")
    if shown == most and next(found, None) is not None:
        console.print(f"\n{most} samples are shown; --most {most * 10} shows more, --id one problem.")


def _verdicts(given: str | None) -> list[str]:
    names = [part.strip().lower() for part in given.split(",")] if given else []
    for name in names:
        if name not in VERDICTS:
            raise UserError(f"--verdict: {name!r} is none.{did_you_mean(name, VERDICTS)} Known: {', '.join(VERDICTS)}.")
    return names


def _wanted(run: Run, ids: Collection[str] | None, sample: int | None, verdicts: Sequence[str]) -> Iterator[Sample]:
    return (
        each
        for each in run
        if (ids is None or each.problem_id in ids)
        and (sample is None or each.sample == sample)
        and (not verdicts or (each.verdict or "unscored") in verdicts)
    )


def _show(console: PlainConsole, sample: Sample, whole: bool) -> None:
    verdict = sample.verdict or "not scored"
    console.print(
        Rule(
            Text(f"problem {printable(sample.problem_id)}, sample {sample.sample}: {verdict}"),
            align="left",
            style=COLOURS.get(verdict, "dim"),
        )
    )
    for turn in sample.messages:
        _block(console, turn["role"], turn["content"], "cyan")
    parts = sample.parts
    if parts.thinking:
        text = parts.thinking if whole else shortened(parts.thinking, THINKING_CHARACTERS)
        _block(console, "thinking", text, "dim")
    if sample.error is None:
        _block(console, "answer", parts.answer if parts.answer is not None else "(the thinking never ended)", "bold")
    for label, value in _facts(sample):
        console.print(Text(f"{label}: ", "dim") + Text(printable(value)), soft_wrap=True)
    console.print()


def _block(console: PlainConsole, label: str, text: str, style: str) -> None:
    console.print(Text(label, style=style))
    console.print(Padding(Text(printable(text.strip("\n"))), (0, 0, 0, 2), expand=False))


def _facts(sample: Sample) -> Iterator[tuple[str, str]]:
    if sample.answer is not None:
        yield "read", sample.answer
    if sample.problem.target is not None:
        yield "gold", shortened(str(sample.problem.target), 300)
    if sample.reason:
        yield "why", sample.reason
    tokens = [
        f"{count:,} {way}" for count, way in ((sample.prompt_tokens, "in"), (sample.completion_tokens, "out")) if count
    ]
    ended = f"ended by {sample.finish_reason}" if sample.finish_reason else ""
    seed = f"seed {sample.seed}" if sample.seed is not None else ""
    yield "tokens", ", ".join(part for part in (*tokens, ended, seed) if part) or "unknown"
