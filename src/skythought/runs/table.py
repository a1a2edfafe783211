"""The numbers of a run in words, for a terminal and a notebook alike."""

from __future__ import annotations

import html
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from skythought.printable import lasting, printable

if TYPE_CHECKING:
    from skythought.runs.view import Run

__all__ = ["as_html", "limits", "lines", "share", "title"]

SHOWN = ("accuracy", "pass@", "maj@")
LEAST_TIME = 1.0
"""Seconds; what took less is not told."""
VERDICTS = ("correct", "wrong", "unparsed", "truncated", "failed", "unscored")


def title(run: Run) -> str:
    """Task and model."""
    configuration = run.summary["configuration"]
    task = configuration.get("task", {}).get("name", run.path.name)
    model = configuration.get("model", {}).get("name", "")
    return f"{task} · {model}" if model else str(task)


def lines(run: Run) -> Iterator[tuple[str, str]]:
    """What is worth knowing about a run at once: name and text of each number."""
    numbers = run.statistics
    counts = dict(numbers.get("samples", {}))
    total = counts.pop("total", 0)
    problems, pending = numbers.get("problems", 0), numbers.get("samples_pending", 0)
    yield "problems x samples", f"{problems:,} x {numbers.get('samples_per_problem', 1)}"
    if pending:
        planned = problems * numbers.get("samples_per_problem", 1)
        yield "answered", f"{planned - pending:,} of {planned:,} ({1 - pending / planned:.0%})"
    scored = total - counts.get("unscored", 0) - counts.get("failed", 0)
    if counts.get("unscored"):
        yield "scored", f"{scored:,} of {total:,} ({scored / total:.0%})"
    yield from _estimates(run)
    for name, value in (numbers.get("metrics") or {}).items():
        yield name.replace("_", " "), f"{value:.1%}" if 0 <= value <= 1 else f"{value:,.3g}"
    for verdict in VERDICTS:
        if counts.get(verdict):
            yield verdict, f"{counts[verdict]:,} ({counts[verdict] / total:.1%})"
    if looped := numbers.get("looping"):
        yield "looped to the limit", f"{looped:,} ({looped / total:.1%})"
    tokens_out, tokens_in = (run.summary.get(f"avg_{kind}_tokens") or 0 for kind in ("completion", "prompt"))
    yield "tokens a sample", f"{tokens_out:,.0f} out, {tokens_in:,.0f} in"
    if spent := numbers.get("time"):
        yield "time", _time(spent)


def _time(spent: Mapping[str, Any]) -> str:
    """Wall time as `h:mm:ss`, where it went, and how fast tokens came."""
    parts = [f"{name} {lasting(seconds)}" for name, seconds in spent["seconds"].items() if seconds >= LEAST_TIME]
    sessions = f" in {spent['sessions']} sessions" if spent["sessions"] > 1 else ""
    rate = f"; {spent['tokens_per_second']:,.0f} tokens/s" if spent.get("tokens_per_second") else ""
    return f"{lasting(spent['wall_seconds'])}{sessions}" + (f" ({', '.join(parts)})" if parts else "") + rate


def _estimates(run: Run) -> Iterator[tuple[str, str]]:
    """Accuracy, pass@k and maj@k, each with its interval; every metric if somebody chose the k."""
    numbers = run.statistics
    estimates = numbers.get("estimates") or {}
    if not estimates and run.accuracy is not None:
        yield "accuracy", share(run.accuracy)
    shown = [name for kind in SHOWN for name in estimates if name.startswith(kind)]
    for name in estimates if numbers.get("k") else shown:
        one = estimates[name]
        told = "" if "interval" in one else ", these asked again"
        if one["problems"] != estimates["accuracy"]["problems"]:
            told += f", {one['problems']:,} problems"
        yield name, share(one["value"], one.get("interval") or one.get("asked_again")) + told


def limits(interval: Sequence[float]) -> str:
    """An interval in percent."""
    return f"{100 * interval[0]:.1f} to {interval[1]:.1%}"


def share(value: float | None, interval: Sequence[float] | None = None) -> str:
    """A share in percent, with its interval in brackets; empty where it is not known."""
    if value is None:
        return ""
    return f"{value:.1%}" + (f" ({limits(interval)})" if interval else "")


def as_html(run: Run) -> str:
    """A small static table for a notebook; no script, everything escaped."""
    rows = [*lines(run), ("folder", str(run.path))]
    body = "".join(
        f'<tr><th style="text-align:left">{_text(name)}</th><td style="text-align:left">{_text(value)}</td></tr>'
        for name, value in rows
    )
    return f'<table><caption style="text-align:left">{_text(title(run))}</caption>{body}</table>'


def _text(text: str) -> str:
    return html.escape(printable(text))
