"""`skythought export`: what was kept at each step, and where the data is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.table import Table
from rich.text import Text

from skythought.api import export
from skythought.display.console import PlainConsole
from skythought.exporting.run import Exported
from skythought.printable import printable

__all__ = ["export_and_tell"]


def export_and_tell(runs: Sequence[str], output: str, options: Mapping[str, Any]) -> None:
    """Export, and print the counts of each step."""
    with PlainConsole(stderr=True).status("exporting"):
        exported = export(list(runs), output, **options)
    console = PlainConsole()
    console.print(_table(exported))
    for line in exported.remarks:
        console.print(Text(printable(line)), soft_wrap=True)
    rows = f"{exported.rows:,} row{'' if exported.rows == 1 else 's'}"
    files = f"{len(exported.files)} file{'' if len(exported.files) == 1 else 's'}"
    console.print(f"{rows} in {files}: {printable(str(exported.path))}", soft_wrap=True)
    if exported.url:
        console.print(f"uploaded: {printable(exported.url)}", soft_wrap=True)


def _table(exported: Exported) -> Table:
    table = Table(box=None, pad_edge=False)
    table.add_column("step")
    table.add_column("kept", justify="right")
    table.add_column("dropped", overflow="fold")
    for step in exported.steps:
        dropped = ", ".join(f"{count:,} {why}" for why, count in step.dropped.items())
        table.add_row(Text(printable(step.name)), f"{step.kept:,}", Text(printable(dropped)))
    return table
