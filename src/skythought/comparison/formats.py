"""Tables as text: Markdown, LaTeX, CSV, HTML. What comes from outside is escaped in each."""

from __future__ import annotations

import csv
import html
import io
import re
from collections.abc import Sequence

from skythought.comparison.records import Estimate, PairComparison
from skythought.comparison.tables import Table, Tone
from skythought.printable import printable

__all__ = ["as_csv", "as_html", "as_latex", "as_markdown"]

COLOURS: dict[Tone, str] = {
    "good": "background:#9ad19a",
    "bad": "background:#eba0a0",
    "slightly good": "background:#e2f2e2",
    "slightly bad": "background:#fae4e4",
}
_LATEX = {
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "·": r"\textperiodcentered{}",
    "…": r"\ldots{}",
    "\n": " ",
    **{char: f"\\{char}" for char in "&%$#_{}"},
}


def as_markdown(sentence: str, tables: Sequence[Table], notes: Sequence[str]) -> str:
    """The sentence, a pipe table each, and the notes as a list."""
    parts = [_markdown(sentence)]
    for table in tables:
        rules = ["---" if number in table.words else "---:" for number in range(len(table.columns))]
        rows = [[_markdown(cell.text) for cell in row] for row in table.rows]
        lines = [[_markdown(name) for name in table.columns], rules, *rows]
        text = "\n".join(f"| {' | '.join(line)} |" for line in lines)
        remark = f"\n\n{_markdown(table.remark)}" if table.remark else ""
        parts.append(f"**{_markdown(table.title)}**\n\n{text}{remark}")
    if notes:
        parts.append("\n".join(f"- {_markdown(note)}" for note in notes))
    return "\n\n".join(parts) + "\n"


def _markdown(text: str) -> str:
    escaped = re.sub(r"([\\`*_\[\]|~$])", r"\\\1", printable(text))
    return escaped.replace("&", "&amp;").replace("<", "&lt;").replace("\n", " ")


def as_latex(sentence: str, tables: Sequence[Table], notes: Sequence[str]) -> str:
    """A `table` with a `tabular` in the manner of booktabs each; what else is said stands in comments."""
    lines = [f"% {line}" for line in printable(sentence).splitlines()]
    lines += [f"% {printable(note)}" for note in notes]
    for table in tables:
        if table.kind in ("flips", "configuration"):  # long texts, which nobody prints
            continue
        columns = "".join("l" if number in table.words else "r" for number in range(len(table.columns)))
        rows = [" & ".join(_latex(cell.text) for cell in row) + r" \\" for row in table.rows]
        lines += [
            r"\begin{table}",
            rf"\caption{{{_latex(table.title)}}}",
            rf"\begin{{tabular}}{{{columns}}}",
            r"\toprule",
            " & ".join(_latex(name) for name in table.columns) + r" \\",
            r"\midrule",
            *rows,
            r"\bottomrule",
            r"\end{tabular}",
            r"\end{table}",
        ]
    return "\n".join(lines) + "\n"


def _latex(text: str) -> str:
    return "".join(_LATEX.get(char, char) for char in printable(text))


CSV = (
    "first_name",
    "second_name",
    "task",
    "problems",
    "first",
    "second",
    "difference",
    "low",
    "high",
    "p",
    "p_adjusted",
    "conclusion",
    "not_worse",
    "equivalent",
    "gained",
    "lost",
    "first_tokens",
    "second_tokens",
    "first_cut_off",
    "second_cut_off",
    "first_unparsed",
    "second_unparsed",
)
"""Columns, a line for each two runs and task."""


def as_csv(pairs: Sequence[PairComparison]) -> str:
    """A line for each two runs and task, shares as they are; of several tasks also their mean, without a task's name.

    A name that a spreadsheet would run as a formula is given a quote in front.
    """
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(CSV)
    for pair in pairs:
        for task in pair.tasks:
            lengths = (task.length.first, task.length.second) if task.length else (None, None)
            shares = [share for rate in task.rates for share in (rate.first, rate.second)]
            writer.writerow(_line(pair, task.task, task.estimate, task.gained, task.lost, *lengths, *shares))
        if len(pair.tasks) > 1:
            writer.writerow(_line(pair, "", pair.overall))
    return file.getvalue()


def _line(pair: PairComparison, task: str, one: Estimate, *more: object) -> list[object]:
    names = [pair.first, pair.second, task]
    numbers = [one.problems, one.first, one.second, one.difference, one.low, one.high, one.p, one.p_adjusted]
    line = [*names, *numbers, one.conclusion, one.not_worse, one.equivalent, *more]
    return [_harmless(value) for value in line] + [""] * (len(CSV) - len(line))


def _harmless(value: object) -> object:
    if isinstance(value, str):
        return f"'{value}" if value[:1] in ("=", "+", "-", "@", "\t", "\r") else value
    return "" if value is None else value


def as_html(sentence: str, tables: Sequence[Table]) -> str:
    """A fragment: a paragraph and static tables, without scripts or style sheets."""
    parts = [f"<p><strong>{_html(sentence)}</strong></p>"]
    for table in tables:
        head = "".join(f"<th>{_html(name)}</th>" for name in table.columns)
        rows = []
        for row in table.rows:
            cells = []
            for number, cell in enumerate(row):
                align = "left" if number in table.words else "right"
                colour = f";{COLOURS[cell.tone]};color:#000" if cell.tone else ""
                cells.append(f'<td style="text-align:{align}{colour}">{_html(cell.text)}</td>')
            rows.append(f"<tr>{''.join(cells)}</tr>")
        remark = f"<p><small>{_html(table.remark)}</small></p>" if table.remark else ""
        caption = f'<caption style="text-align:left">{_html(table.title)}</caption>'
        parts.append(f"<table>{caption}<tr>{head}</tr>{''.join(rows)}</table>{remark}")
    return "".join(parts)


def _html(text: str) -> str:
    return html.escape(printable(text))
