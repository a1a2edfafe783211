"""The figures as text, tables and SVG: what is read without script, in mail and on paper. Everything is escaped."""

from __future__ import annotations

import html
from collections.abc import Iterable, Iterator, Sequence

from skythought.printable import printable
from skythought.reporting.charts import pass_at_k_curve, verdict_bar
from skythought.reporting.records import Figure, RunFigures, SubsetFigure
from skythought.runs.table import share

__all__ = ["static_html"]

ROWS = 40
"""Values of one column that are shown; the index has all."""
LEFT = ' style="text-align:left;white-space:nowrap;padding-top:1em"'
APART = ' style="margin-bottom:3em"'
SAMPLES = "The samples need a browser that runs this page's script, and DecompressionStream: any of 2023 and later."


def static_html(runs: Sequence[RunFigures], comparison: str = "", note: str = "") -> str:
    """A fragment for all runs of a page.

    Args:
        comparison: HTML of their comparison, which comes first.
        note: Why there is none.
    """
    parts = [f"<section{APART}><h1>Comparison</h1>{comparison}</section>"] if comparison else []
    if note:
        parts.append(f"<p>{_text(note)}</p>")
    parts += [_run(run) for run in runs]
    return "\n".join([*parts, f"<noscript><p>{SAMPLES}</p></noscript>"])


def _run(run: RunFigures) -> str:
    title = " · ".join(part for part in (run.task, run.model) if part) or run.name
    sampling = ", ".join(f"{name}={value}" for name, value in run.sampling.items())
    about = [run.name, run.backend, sampling, f"{run.problems:,} problems x {run.n}"]
    if run.pending:
        about.append(f"{run.pending:,} samples are not answered yet")
    parts = [
        f"<h1>{_text(title)}</h1>",
        f"<p>{_text(' · '.join(part for part in about if part))}</p>",
        _table("figures", ("", "", "interval", ""), map(_figure, run.figures)),
        verdict_bar(run.verdicts),
        _table("samples by verdict", ("", ""), ((name, f"{count:,}") for name, count in run.verdicts.items())),
        pass_at_k_curve(run.pass_at_k),
        *(_subsets(column, values) for column, values in run.subsets.items()),
        _table("how it was made", ("", ""), run.facts),
        f"<p><code>{_text(run.command)}</code></p>" if run.command else "",
    ]
    return f"<section{APART}>{''.join(parts)}</section>"


def _figure(figure: Figure) -> tuple[str, ...]:
    if figure.unit == "share":
        limits = "" if figure.low is None or figure.high is None else f"{100 * figure.low:.1f} to {figure.high:.1%}"
        return (figure.name, f"{figure.value:.1%}", limits, figure.note)
    number = f"{figure.value:,.3g}" if figure.unit == "seconds" else f"{figure.value:,.0f}"
    return (figure.name, f"{number}{' s' if figure.unit == 'seconds' else ''}", "", figure.note)


def _subsets(column: str, values: Sequence[SubsetFigure]) -> str:
    rows = [
        (one.value, f"{one.problems:,}", share(one.accuracy, None if one.low is None else (one.low, one.high or 0)))
        for one in values[:ROWS]
    ]
    more = f"<p>{len(values) - ROWS:,} more</p>" if len(values) > ROWS else ""
    return _table(f"by {column}", (column, "problems", "accuracy"), rows) + more


def _table(caption: str, headings: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    body = "".join(f"<tr>{''.join(_cells(row))}</tr>" for row in rows)
    if not body:
        return ""
    head = "".join(f'<th scope="col">{_text(name)}</th>' for name in headings) if any(headings) else ""
    return f"<table><caption{LEFT}>{_text(caption)}</caption>{f'<tr>{head}</tr>' if head else ''}{body}</table>"


def _cells(row: Sequence[str]) -> Iterator[str]:
    yield f'<th scope="row" style="text-align:left">{_text(row[0])}</th>'
    for cell in row[1:]:
        yield f"<td>{_text(cell)}</td>"


def _text(text: str) -> str:
    return html.escape(printable(text))
