"""`skythought runs` and `skythought show`: what there is, and samples to read."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, get_args

from rich.padding import Padding
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from skythought.display.console import PlainConsole
from skythought.errors import UserError, did_you_mean, unknown
from skythought.printable import printable, shortened
from skythought.runs.flags import Flags, flags_of
from skythought.runs.listing import RunLine, list_runs
from skythought.runs.marks import Mark
from skythought.runs.sample import Sample
from skythought.runs.table import share
from skythought.runs.view import Run
from skythought.types import SampleKey, Verdict

__all__ = ["Wanted", "show_runs", "show_samples"]

HEADINGS = ("task", "model", "sampling", "problems x n", "answered", "accuracy", "last change", "folder")
NUMBERS = ("problems x n", "answered", "accuracy")
FORMATS = ("text", "jsonl")
MOST = 10
SIGNS = {
    Flags.LOOPING: "it was cut off while it repeated itself",
    Flags.GOLD_UNREAD: "the gold answer stands in its last lines, but was not read",
    Flags.THINKING_OPEN: "the thinking never ended",
}
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
    size = f"{line.problems:,} x {line.n}"
    accuracy = share(line.accuracy, line.interval)
    return [line.task, line.model, line.sampling, size, f"{line.complete:.0%}", accuracy, when, where]


@dataclass(frozen=True)
class Wanted:
    """Which samples are to be shown."""

    ids: Collection[str] | None = None
    """Only of these problems."""
    sample: int | None = None
    """Only the one of this number."""
    verdicts: tuple[str, ...] = ()
    """Only those of these verdicts."""
    marked: bool = False
    """Only those that somebody marked."""

    @classmethod
    def of(cls, ids: Collection[str] | None, sample: int | None, verdicts: str, marked: bool) -> Wanted:
        """As the options are typed; verdicts by commas.

        Raises:
            UserError: No such verdict.
        """
        names = [part.strip().lower() for part in verdicts.split(",") if part.strip()]
        for name in names:
            if name not in VERDICTS:
                known = f"Known: {', '.join(VERDICTS)}."
                raise UserError(f"--verdict: {name!r} is none.{did_you_mean(name, VERDICTS)} {known}")
        return cls(ids, sample, tuple(names), marked)

    def samples(self, run: Run, marks: Mapping[SampleKey, Mark]) -> Iterator[Sample]:
        """Those of a run, in its order."""
        ids = self.ids
        if self.marked:
            ids = {key.problem_id for key in marks if ids is None or key.problem_id in ids}
        return (each for _, samples in run.problems(ids) for each in samples if self._takes(each, marks))

    def _takes(self, each: Sample, marks: Mapping[SampleKey, Mark]) -> bool:
        return (
            (self.sample is None or each.sample == self.sample)
            and (not self.verdicts or (each.verdict or "unscored") in self.verdicts)
            and (not self.marked or each.key in marks)
        )


def show_samples(run_dir: str, wanted: Wanted, most: int | None, whole: bool, form: str) -> None:
    """Print samples of a run, as they were asked, answered and judged.

    Args:
        most: No more than so many; by default 10, and all of them as jsonl.
        whole: Also all of the thinking.
        form: "text", or "jsonl": a test case a line (docs/report.md).
    """
    if form not in FORMATS:
        raise unknown("format", form, FORMATS)
    run = Run(run_dir)
    marks = run.marks
    found = wanted.samples(run, marks)
    if form == "jsonl":
        for each in islice(found, most):
            text = json.dumps(_case(run, each, marks.get(each.key)), ensure_ascii=False)
            print(text.encode("utf-8", "backslashreplace").decode())  # half a character becomes an escape of JSON
        return
    console, most, shown = PlainConsole(), most or MOST, 0
    for shown, each in enumerate(islice(found, most), 1):  # noqa: B007
        _show(console, each, marks.get(each.key), whole)
    if not shown:
        raise UserError(f"{run_dir!r} holds no such sample.")
    if shown == most and next(found, None) is not None:
        console.print(f"\n{most} samples are shown; --most {most * 10} shows more, --id one problem.")


def _case(run: Run, sample: Sample, mark: Mark | None) -> dict[str, Any]:
    """A sample as a test case of its scorer."""
    return {
        "run": run.path.name,
        "task": run.summary["configuration"].get("task", {}).get("name", ""),
        "scorer": (run.statistics.get("scored_with") or {}).get("scorer"),
        "id": sample.problem_id,
        "sample": sample.sample,
        "prompt": sample.prompt,
        "target": sample.problem.target,
        "answer": sample.answer,
        "response": sample.content,
        "verdict": sample.verdict,
        "doubt": mark is not None and mark.doubt,
        "note": "" if mark is None else mark.note,
        "time": None if mark is None else mark.time,
    }


def _show(console: PlainConsole, sample: Sample, mark: Mark | None, whole: bool) -> None:
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
    for label, value in _facts(sample, mark):
        console.print(Text(f"{label}: ", "dim") + Text(printable(value)), soft_wrap=True)
    console.print()


def _block(console: PlainConsole, label: str, text: str, style: str) -> None:
    console.print(Text(label, style=style))
    console.print(Padding(Text(printable(text.strip("\n"))), (0, 0, 0, 2), expand=False))


def _facts(sample: Sample, mark: Mark | None) -> Iterator[tuple[str, str]]:
    if sample.answer is not None:
        yield "read", sample.answer
    if sample.problem.target is not None:
        yield "gold", shortened(str(sample.problem.target), 300)
    if sample.reason:
        yield "why", sample.reason
    for sign in flags_of(sample, sample.parts):
        yield "sign", SIGNS[sign]
    if mark is not None:
        yield "marked", ": ".join(part for part in ("doubtful" if mark.doubt else "", mark.note) if part)
    tokens = [
        f"{count:,} {way}" for count, way in ((sample.prompt_tokens, "in"), (sample.completion_tokens, "out")) if count
    ]
    ended = f"ended by {sample.finish_reason}" if sample.finish_reason else ""
    seed = f"seed {sample.seed}" if sample.seed is not None else ""
    yield "tokens", ", ".join(part for part in (*tokens, ended, seed) if part) or "unknown"
