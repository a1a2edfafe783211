"""`skythought tasks check`: what the model will see, what is wrong, and one line that sums it up."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

from skythought.display.console import PlainConsole
from skythought.pipeline.validate import Report, acheck_task

__all__ = ["check_all"]

console = PlainConsole(soft_wrap=True)
SHOWN_TARGET = 300


def check_all(names: Sequence[str], task_args: Mapping[str, Any], rows: int | None, show: int | None) -> bool:
    """Check tasks one after another, printing each; whether all of them are sound."""
    show = (2 if len(names) == 1 else 0) if show is None else show
    sound = 0
    for name in names:
        with PlainConsole(stderr=True).status(f"checking {name}"):
            report = asyncio.run(acheck_task(name, task_args=task_args, rows=rows, show=show))
        _print(report)
        sound += report.ok
    if len(names) > 1:
        console.print(f"{sound} of {len(names)} tasks are sound.")
    return sound == len(names)


def _print(report: Report) -> None:
    for problem, given in zip(report.shown, report.given, strict=True):
        console.rule(f"{report.name}, problem {problem.id}: what the model sees", style="default", align="left")
        for question, answer in problem.shots:
            console.print(f"[user]\n{question}\n[assistant]\n{answer}")
        console.print(f"[user]\n{problem.prompt}" if problem.shots else problem.prompt)
        console.rule(style="default")
        console.print(f"right answer: {str(problem.target)[:SHOWN_TARGET]}")
        for text in given[:1]:
            console.print(f"given to the scorer: {text[:SHOWN_TARGET]}")
    for finding in report.findings:
        console.print(str(finding))
    console.print(str(report))
