"""`skythought compare`: the sentence, the tables, and the checks of a gate file."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from rich.table import Table as RichTable
from rich.text import Text

from skythought.comparison.comparison import Comparison
from skythought.comparison.formats import as_csv, as_latex, as_markdown
from skythought.comparison.gate import Check
from skythought.comparison.tables import Table, Tone, notes_of, tables
from skythought.display.console import PlainConsole
from skythought.errors import unknown
from skythought.printable import printable

__all__ = ["FORMATS", "show", "show_checks", "writer"]

WIDEST = 400
"""Columns of a table in a pipe."""

STYLES: Mapping[Tone, str] = {
    "good": "black on green",
    "bad": "black on red",
    "slightly good": "green",
    "slightly bad": "red",
}


def writer(form: str) -> Callable[[Comparison], None]:
    """What prints a comparison in a format: text, json, csv, markdown or latex.

    Raises:
        UserError: There is no such format.
    """
    if form not in FORMATS:
        raise unknown("format", form, FORMATS)
    return FORMATS[form]


def show_checks(checks: Sequence[Check], *, on_stderr: bool) -> bool:
    """Print what a gate file asks, a line each; whether all of it holds."""
    console = PlainConsole(stderr=on_stderr, soft_wrap=True)
    failed = sum(not check.passed for check in checks)
    for check in checks:
        console.print(str(check), style="red" if not check.passed else None)
    count = f"{len(checks)} check{'' if len(checks) == 1 else 's'}"
    console.print(f"gate failed: {failed} of {count}" if failed else f"gate passed: {count}")
    return not failed


def show(comparison: Comparison) -> None:
    """For a terminal: the sentence, notes, and all tables."""
    console = PlainConsole()
    console.print(Text(printable(comparison.sentence)), style="bold", soft_wrap=True)
    for note in notes_of(comparison.pairs):
        console.print(f"note: {note}", soft_wrap=True)
    for table in _tables(comparison):
        made = _table(table)
        if not console.is_terminal:  # a pipe has no edge: no column is squeezed there
            wanted = console.measure(made, options=console.options.update(max_width=WIDEST)).maximum
            console.width = max(console.width, wanted)
        console.print()
        console.print(Text(printable(table.title)))
        console.print(made)
        if table.remark:
            console.print(f"({table.remark})", soft_wrap=True)


def _table(table: Table) -> RichTable:
    made = RichTable(box=None, pad_edge=False)
    for number, name in enumerate(table.columns):
        made.add_column(Text(printable(name)), justify="left" if number in table.words else "right")
    for row in table.rows:
        made.add_row(*(Text(printable(cell.text), style=STYLES.get(cell.tone, "")) for cell in row))
    return made


def _write_json(comparison: Comparison) -> None:
    print(comparison.to_json(), end="")


def _write_csv(comparison: Comparison) -> None:
    print(as_csv(comparison.pairs), end="")


def _write_markdown(comparison: Comparison) -> None:
    print(as_markdown(comparison.sentence, _tables(comparison), notes_of(comparison.pairs)), end="")


def _write_latex(comparison: Comparison) -> None:
    print(as_latex(comparison.sentence, _tables(comparison), notes_of(comparison.pairs)), end="")


def _tables(comparison: Comparison) -> list[Table]:
    return tables(comparison.names, comparison.pairs, comparison.level, comparison.margin)


FORMATS: Mapping[str, Callable[[Comparison], None]] = {
    "text": show,
    "json": _write_json,
    "csv": _write_csv,
    "markdown": _write_markdown,
    "latex": _write_latex,
}
