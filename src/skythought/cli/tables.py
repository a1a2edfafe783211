"""The results of a run as tables: the numbers of the whole, then by subject, level, source, ..."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from rich.table import Table
from rich.text import Text

from skythought.printable import printable
from skythought.runs.view import Run

__all__ = ["breakdowns", "result_table"]

ROWS = 12
"""Values of one column that are shown; the rest is in the summary."""
VERDICTS = ("correct", "wrong", "unparsed", "truncated", "failed", "unscored")


def result_table(run: Run) -> Table:
    """The numbers of the whole run."""
    configuration, numbers = run.summary["configuration"], run.statistics
    task = configuration.get("task", {}).get("name", run.path.name)
    model = configuration.get("model", {}).get("name", "")
    title = Text(printable(f"{task} · {model}" if model else task))
    table = Table(title=title, show_header=False, title_justify="left")
    counts = dict(numbers.get("samples", {}))
    total = counts.pop("total", 0)
    problems, pending = numbers.get("problems", 0), numbers.get("samples_pending", 0)
    table.add_row("problems x samples", f"{problems:,} x {numbers.get('samples_per_problem', 1)}")
    if pending:
        planned = problems * numbers.get("samples_per_problem", 1)
        table.add_row("answered", f"{planned - pending:,} of {planned:,} ({1 - pending / planned:.0%})")
    scored = total - counts.get("unscored", 0) - counts.get("failed", 0)
    if counts.get("unscored"):
        table.add_row("scored", f"{scored:,} of {total:,} ({scored / total:.0%})")
    if run.accuracy is not None:
        table.add_row("accuracy", _share(run.accuracy, numbers.get("accuracy_stderr")))
    errors = numbers.get("pass_at_k_stderr") or {}
    for key, value in (run.pass_at_k or {}).items():
        error = f" ± {errors[key]:.1f}%" if key in errors else ""
        over = (numbers.get("pass_at_k_problems") or {}).get(key, problems)
        told = "" if over == problems else f" ({over:,} problems)"
        table.add_row(f"pass@{key.removeprefix('k=')}", f"{value:.1f}%{error}{told}")
    for name, value in (numbers.get("metrics") or {}).items():
        table.add_row(name.replace("_", " "), f"{value:.1%}" if 0 <= value <= 1 else f"{value:,.3g}")
    for verdict in VERDICTS:
        if counts.get(verdict):
            table.add_row(verdict, f"{counts[verdict]:,} ({counts[verdict] / total:.1%})")
    tokens_out, tokens_in = (run.summary.get(f"avg_{kind}_tokens") or 0 for kind in ("completion", "prompt"))
    table.add_row("tokens a sample", f"{tokens_out:,.0f} out, {tokens_in:,.0f} in")
    return table


def breakdowns(run: Run) -> Iterator[Table | str]:
    """For each column that the task reports by, if anything was scored: its largest groups, and how many more."""
    if run.accuracy is None:
        return
    for column, parts in (run.statistics.get("by") or {}).items():
        table = Table(box=None, pad_edge=False, title_justify="left")
        most = max(len(part.get("pass_at_k") or {}) for part in parts.values())
        table.add_column(Text(printable(column)), overflow="ellipsis", no_wrap=True, max_width=48)
        table.add_column("accuracy", no_wrap=True)
        if most:
            ks = next(part["pass_at_k"] for part in parts.values() if len(part.get("pass_at_k") or {}) == most)
            largest = next(iter(ks))
            table.add_column(f"pass@{largest.removeprefix('k=')}", justify="right")
        table.add_column("problems", justify="right")
        for value in _in_order(list(parts)[:ROWS]):
            part = parts[value]
            cells = [value, _share(part["accuracy"], part["accuracy_stderr"])]
            if most:
                chance = (part["pass_at_k"] or {}).get(largest)
                cells.append("" if chance is None else f"{chance:.1f}%")
            table.add_row(*(Text(printable(cell)) for cell in cells), f"{part['problems']:,}")
        yield table
        if len(parts) > ROWS:
            yield f"the {ROWS} largest; {len(parts) - ROWS:,} more in summary.json"


def _share(value: float | None, error: float | None) -> str:
    if value is None:
        return ""
    return f"{value:.1%}" + (f" ± {error:.1%}" if error is not None else "")


def _in_order(values: Iterable[str]) -> list[str]:
    """Numbers by size, words by the alphabet."""

    def rank(value: str) -> tuple[Any, ...]:
        try:
            return (0, float(value), value)
        except ValueError:
            return (1, value.casefold(), value)

    return sorted(values, key=rank)
