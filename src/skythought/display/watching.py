"""Watching a stream of steps from Python: what is done is shown, and so are the results at the end."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing

from skythought.display.console import PlainConsole
from skythought.display.progress import Notebook, make_display
from skythought.display.results import print_results, shortcomings
from skythought.pipeline.steps import Finished, Notice, Step
from skythought.runs.view import Run
from skythought.wording import in_python

__all__ = ["watched"]

AGAIN = "resume=True asks them again"


async def watched(steps: AsyncGenerator[Step, None]) -> AsyncGenerator[Step, None]:
    """The steps, shown as they come: in the output of a notebook's cell, else on standard error."""
    runs: list[Run] = []
    with make_display() as display:
        async with aclosing(steps) as stream:
            async for step in stream:
                shown = Notice(in_python(step.text)) if isinstance(step, Notice) else step
                display.step(shown)
                yield step
                if isinstance(step, Finished):
                    runs.append(step.run)
        if isinstance(display, Notebook):  # the tables are there already
            for run in runs:
                for line in shortcomings(run, AGAIN):
                    display.say(line)
            return
    print_results(PlainConsole(stderr=True, soft_wrap=True), runs, AGAIN)
