"""`skythought report`: runs as one self-contained file."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO

from skythought.comparison.compare import compare_runs
from skythought.comparison.comparison import Comparison
from skythought.comparison.formats import as_html
from skythought.comparison.tables import tables
from skythought.errors import DiskError, UserError
from skythought.reporting.blocks import BlockWriter, in_base64
from skythought.reporting.columns import Columns
from skythought.reporting.figures import run_figures
from skythought.reporting.gather import gather, place_of
from skythought.reporting.page import DOCTYPE, END, before_data, data, script
from skythought.reporting.records import BLOCK, RunFigures, index_record
from skythought.reporting.static import static_html
from skythought.runs.jsonfile import open_temporary
from skythought.runs.marks import Mark
from skythought.runs.view import Run

__all__ = ["FLIPS", "Written", "compared", "title_of", "write_report"]

FLIPS = 100
"""Problems that changed, of each task of a comparison."""
STATIC_ROWS = 12
"""Of their table where it is read without script: two a problem."""


@dataclass(frozen=True, slots=True)
class Written:
    """A report that was written."""

    path: Path
    size: int
    """In bytes."""
    samples: int
    not_compared: str = ""
    """Why there is no comparison of several runs."""


def write_report(runs: Sequence[Run], output: str | Path | None = None) -> Written:
    """Write a page about one run or several; several are compared first, if they can be.

    Each run is read once more than its comparison needs, a problem at a time; texts are packed and written as they
    come.

    Args:
        output: By default `RUN_DIR.html` beside the first run.

    Raises:
        UserError: The file is something else than a page, or cannot be written.
        RunFolderError: A run is damaged.
    """
    path = Path(output).expanduser() if output is not None else _beside(runs)
    _require_page(path)
    comparison, why = compared(runs)
    try:
        with tempfile.TemporaryFile(dir=path.parent) as blocks:
            columns = Columns()
            figures = _gathered(runs, columns, blocks)
            _assemble(path, title_of(figures), figures, columns, runs, blocks, comparison, why)
        return Written(path, path.stat().st_size, len(columns), why)
    except OSError as error:
        raise DiskError(f"cannot write {path}: {error.strerror or error}.") from None


def compared(runs: Sequence[Run]) -> tuple[Comparison | None, str]:
    """The comparison of several runs; or none, and why."""
    if len(runs) < 2:
        return None, ""
    try:
        return compare_runs(runs, flips=FLIPS), ""
    except UserError as error:
        return None, str(error)


def title_of(figures: Sequence[RunFigures]) -> str:
    """Of a page: tasks, and who answered."""
    tasks, models = (dict.fromkeys(getattr(one, name) for one in figures) for name in ("task", "model"))
    words = [", ".join(filter(None, names)) for names in (tasks, models)]
    return " · ".join(filter(None, words)) or ", ".join(one.name for one in figures)


def _as_html(comparison: Comparison) -> str:
    """Its tables, with the largest changes alone: the page's script shows the others."""
    made = tables(comparison.names, comparison.pairs, comparison.level, comparison.margin)
    shown = (replace(table, rows=table.rows[:STATIC_ROWS]) if table.kind == "flips" else table for table in made)
    return as_html(comparison.sentence, list(shown))


def _beside(runs: Sequence[Run]) -> Path:
    first = runs[0].path.resolve()
    more = f"_and_{len(runs) - 1}_more" if len(runs) > 1 else ""
    return first.with_name(f"{first.name}{more}.html")


def _require_page(path: Path) -> None:
    """Refuse to replace anything but an earlier page."""
    if path.is_dir():
        raise UserError(f"--output {str(path)!r} is a folder; the name of a file is wanted, such as report.html.")
    if not path.parent.is_dir():
        raise UserError(f"--output {str(path)!r}: there is no folder {str(path.parent)!r}.")
    if path.exists():
        with path.open("rb") as file:
            if file.read(len(DOCTYPE)) not in (DOCTYPE, b""):
                raise UserError(f"--output {str(path)!r} is there and is no report; give another name.")


def _gathered(runs: Sequence[Run], columns: Columns, blocks: BinaryIO) -> list[RunFigures]:
    figures = []

    def write(number: int, packed: bytes) -> None:
        blocks.write(data(f"block-{number}", packed, block=True))

    with BlockWriter(write, in_base64) as writer:
        for number, run in enumerate(runs):
            totals = gather(run, place_of(number, run), columns, writer.add)
            figures.append(run_figures(run, totals))
    return figures


def _assemble(
    path: Path,
    title: str,
    figures: Sequence[RunFigures],
    columns: Columns,
    runs: Sequence[Run],
    blocks: BinaryIO,
    comparison: Comparison | None,
    why: str,
) -> None:
    """Put the page together and in its place."""
    marks: list[tuple[int, Mark]] = [(number, mark) for number, run in enumerate(runs) for mark in run.marks.values()]
    record = comparison.record() if comparison else None
    index = index_record(figures, columns.since(0, BLOCK), marks, record, why)
    static = static_html(figures, _as_html(comparison) if comparison else "", why)
    temporary = path.with_name(path.name + ".tmp")
    try:
        with open_temporary(temporary) as file:
            file.write(before_data(title, static))
            file.write(data("index", in_base64(index)))
            file.write(script())
            blocks.seek(0)
            shutil.copyfileobj(blocks, file, 1 << 20)
            file.write(END)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    finally:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
