"""An export from beginning to end: runs -> examples -> steps -> rows -> a folder with a card."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path

from skythought.catalog import find_part
from skythought.errors import UserError, unknown
from skythought.exporting.card import card_of, given_options
from skythought.exporting.cleaning import Clean, Unrepeated, nearness_of
from skythought.exporting.columns import Columns
from skythought.exporting.example import Example
from skythought.exporting.exporter import Exporter, Kind, Row, Written
from skythought.exporting.hub import push, require_pushable
from skythought.exporting.majority import require_share
from skythought.exporting.options import ExportOptions
from skythought.exporting.own import Own
from skythought.exporting.place import RECORD, require_free, whole_folder
from skythought.exporting.reading import Given, Source, examples_of, sources_of
from skythought.exporting.selection import Chosen, Paired, Quota, subsets_of
from skythought.exporting.shards import size_of, write_shards
from skythought.exporting.steps import Read, Step, StepCount
from skythought.exporting.verdicts import Asked, Faultless, InWindow, Judged, require_faults
from skythought.runs.pass_rates import PassRates

__all__ = ["Exported", "export_runs"]

SHORT: Mapping[str, tuple[str, Kind]] = {
    "sft": ("trl", "sft"),
    "completion": ("trl", "completion"),
    "prompt-completion": ("trl", "completion"),
    "dpo": ("trl", "dpo"),
    "kto": ("trl", "kto"),
    "grpo": ("trl", "rl"),
}
"""Formats that are called by what is trained: TRL's."""


@dataclass(frozen=True)
class Exported:
    """An export that was made."""

    path: Path
    rows: int
    files: tuple[str, ...]
    """The data's files, seen from `path`."""
    steps: tuple[StepCount, ...]
    """What each step kept and dropped, in their order; the first is all that was asked."""
    remarks: tuple[str, ...] = ()
    """What could not be done as asked, such as a benchmark that could not be read; a line each."""
    url: str | None = None
    """Where it was uploaded, if it was."""


def export_runs(runs: Sequence[Given], output: str | Path, options: ExportOptions) -> Exported:
    """Make training data of runs: see `skythought.export`.

    Raises:
        UserError: An option is wrong, the folder is not free, or nothing is left to export.
        RunFolderError: A run is damaged.
    """
    path = Path(output).expanduser()
    size, exporter = size_of(options.shard_size), exporter_of(options)
    kind = kind_of(exporter, options)
    require_free(path, overwrite=options.overwrite)
    if options.majority is not None:
        require_share(options.majority)
    if options.push_to_hub:
        require_pushable(options.push_to_hub)
    sources = sources_of(runs)
    steps = steps_of(options, kind, sources)
    paired = Paired(options.pairs, options.per_problem) if kind == "dpo" else None
    counted: list[Step | Paired] = [*steps, *([paired] if paired else [])]
    with whole_folder(path, overwrite=options.overwrite) as folder:
        examples = examples_of(sources, options.majority)
        rows = _rows(examples, steps, paired, exporter, kind, Columns(options.columns))
        (folder / "data").mkdir()
        names, count = write_shards(rows, folder / "data", options.files or exporter.files, size)
        counts = tuple(step.count() for step in counted)
        if not count:
            raise UserError(f"export: nothing is left. {_told(counts)}")
        written = Written(
            path.resolve().name,
            kind,
            tuple(f"data/{name}" for name in names),
            count,
            options.push_to_hub or "USER/NAME",
        )
        for step in steps:
            step.write(folder)
        remarks = [line for step in steps for line in step.remarks()]
        texts = {
            **exporter.beside(written),
            "README.md": card_of(
                written, sources, options, counts, [*(step.card() for step in counted), exporter.usage(written)]
            ),
            RECORD: _record(written, sources, options, counts),
        }
        for name, text in texts.items():
            (folder / name).write_text(text, encoding="utf-8")
    url = push(path, options.push_to_hub, private=options.private) if options.push_to_hub else None
    return Exported(path, count, written.files, counts, tuple(remarks), url)


def exporter_of(options: ExportOptions) -> Exporter:
    """The format that is asked for.

    Raises:
        UserError: No such format, or no such way to write the thinking.
    """
    name = SHORT[options.format][0] if options.format in SHORT else options.format
    found = find_part("exporter", name, Exporter)
    for thinking in found.thinkings:
        if thinking == options.thinking:
            return found(thinking, options.thinking_field)
    raise unknown(f"--thinking of the format {options.format}", options.thinking, found.thinkings)


def kind_of(exporter: Exporter, options: ExportOptions) -> Kind:
    """What is trained: what is asked for, or the format's first.

    Raises:
        UserError: The format has no rows for it.
    """
    kinds = exporter.kinds()
    wanted = options.kind or (SHORT[options.format][1] if options.format in SHORT else kinds[0])
    for kind in kinds:
        if kind == wanted:
            return kind
    raise unknown(f"--kind of the format {options.format}", wanted, kinds)


def steps_of(options: ExportOptions, kind: Kind, sources: Sequence[Source]) -> list[Step]:
    """The steps between reading and writing, in their order.

    What is wrong with a response by itself comes first and choosing among those of a problem last, so that a good one
    takes the place of one that is dropped.
    """
    steps: list[Step] = [Read(), Asked() if kind == "rl" else Judged(kind, by_majority=options.majority is not None)]
    if options.pass_rate:
        steps.append(InWindow(PassRates.of(options.pass_rate)))
    if kind != "rl" and (faults := require_faults(options.drop)):
        steps.append(Faultless(faults))
    if options.filter:
        steps.append(Own(options.filter))
    if options.decontaminate:
        answers = options.decontaminate_answers and kind != "rl"
        steps.append(Clean(options.decontaminate, options.ngram, options.threshold, answers=answers))
    if options.duplicates != "keep":
        steps.append(Unrepeated(nearness_of(options.duplicates), answers=kind != "rl"))
    if kind not in ("rl", "dpo"):
        steps.append(Chosen(options.select, options.per_problem))
    if options.quota:
        steps.append(Quota(options.quota, subsets_of(sources, options.quota_by)))
    return steps


def _rows(
    examples: Iterator[Example],
    steps: Sequence[Step],
    paired: Paired | None,
    exporter: Exporter,
    kind: Kind,
    columns: Columns,
) -> Iterator[Row]:
    for step in steps:
        examples = step(examples)
    if paired is not None:
        for pair in paired(examples):
            yield _joined(exporter.dpo(pair), pair.chosen, columns)
    else:
        make = getattr(exporter, kind)
        for example in examples:
            yield _joined(make(example), example, columns)
    columns.require_all()


def _joined(row: Row, example: Example, columns: Columns) -> Row:
    """The row with its id and further columns."""
    more = {"id": example.id, **columns.of(example)}
    for name in more:
        if name in row:
            raise UserError(f"--columns: the format has a column {name!r} of its own.")
    return {**row, **more}


def _told(counts: Sequence[StepCount]) -> str:
    """Where everything went, for an error."""
    dropped: Counter[str] = Counter()
    for count in counts:
        dropped.update(count.dropped)
    reasons = ", ".join(f"{count} {why}" for why, count in dropped.most_common())
    return f"Of {counts[0].kept} samples: {reasons}." if counts[0].kept else "The runs have no samples yet."


def _record(written: Written, sources: Sequence[Source], options: ExportOptions, counts: Sequence[StepCount]) -> str:
    record = {
        "kind": written.kind,
        "rows": written.rows,
        "files": written.files,
        "skythought": version("skythought"),
        "options": given_options(options),
        "runs": [source.record() for source in sources],
        "steps": [asdict(count) for count in counts],
    }
    return json.dumps(record, indent=2, ensure_ascii=False, default=str) + "\n"
