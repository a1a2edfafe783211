"""`skythought report` and `skythought view`: the page as a file, and served from here."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Sequence
from pathlib import Path

from skythought.api import report
from skythought.display.console import PlainConsole
from skythought.reporting.report import Written
from skythought.reporting.server import serve
from skythought.runs.listing import runs_in

__all__ = ["make_report", "view_runs"]

LARGE = 100_000_000
"""Bytes above which browsers are slow to open a file, and mail refuses it."""


def make_report(paths: Sequence[str], output: str | None) -> None:
    """Write a page about runs, and say where it is and how large."""
    notes = PlainConsole(stderr=True, soft_wrap=True)
    with notes.status("reading the runs"):
        written = report(*paths, output=output)
    if written.not_compared:
        notes.print(f"side by side, not compared: {written.not_compared}")
    PlainConsole(soft_wrap=True).print(f"{written.path}: {_size(written)}, {written.samples:,} samples")
    if written.size > LARGE:
        notes.print(f"it is large to open and to send: `skythought view {paths[0]}` serves it from the run folder")


def _size(written: Written) -> str:
    return f"{written.size / 1e6:.1f} MB" if written.size >= 1e6 else f"{written.size / 1e3:.0f} KB"


def view_runs(paths: Sequence[str], port: int) -> None:
    """Serve the page until Ctrl-C."""
    console = PlainConsole(soft_wrap=True)

    def ready(address: str) -> None:
        console.print(f"{address}\nopen this in a browser on this machine; Ctrl-C ends it")
        sys.stdout.flush()

    runs = [run.path for path in paths for run in runs_in(Path(path).expanduser(), "view")]
    asyncio.run(serve(runs, port, ready))
