"""The steps of a pipeline, written into the `run.log` of the runs that they are about."""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator
from contextlib import aclosing
from pathlib import Path

from skythought.errors import SkythoughtError
from skythought.pipeline.progress import Progress, on_failure
from skythought.pipeline.steps import Finished, Notice, Opened, Phase, Step
from skythought.runs.environment import versions
from skythought.runs.log import log
from skythought.runs.table import share
from skythought.types import Response

__all__ = ["logged"]

LINE_EVERY_S = 60.0
"""How often the log says how far a run is."""


async def logged(steps: AsyncGenerator[Step, None], folder: Path | None = None) -> AsyncGenerator[Step, None]:
    """The steps, each told in the log of its run.

    What is told before the first run is opened stands in the log of each. Nothing is written for work that is refused
    before that.

    Args:
        folder: Of the run, where it is open already.
    """
    book = _Book(folder)
    try:
        async with aclosing(steps) as stream:
            async for step in stream:
                book.step(step)
                yield step
    except SkythoughtError as error:
        book.say(f"ended: {error}")
        raise
    except Exception as error:
        book.say(f"ended by a bug: {type(error).__name__}: {error}")
        raise
    except BaseException:  # cancelled, closed early
        book.say("interrupted")
        raise


class _Book:
    """Which lines go into which log."""

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder
        self._first: list[tuple[float, str]] = []
        """What was told before any run was opened, and when."""
        self._progress = Progress()
        self._next_line = time.monotonic() + LINE_EVERY_S

    def step(self, step: Step) -> None:
        if isinstance(step, Opened):
            self._open(step)
        elif isinstance(step, Phase) and step.path is not None and self._folder is not None:
            self._folder = step.path
        self._progress.step(step)
        if isinstance(step, Phase):
            self._next_line = time.monotonic() + LINE_EVERY_S
        if (text := _line(step)) is not None:
            self.say(text)
        elif time.monotonic() >= self._next_line:
            self._next_line = time.monotonic() + LINE_EVERY_S
            self.say(self._progress.line())

    def say(self, text: str) -> None:
        if self._folder is None:
            self._first.append((time.time(), text))
        else:
            log(self._folder, text)

    def _open(self, step: Opened) -> None:
        self._folder = step.path
        told = ", ".join(f"{name} {version}" for name, version in versions().items())
        log(step.path, f"-- opened with {told}")
        for at, text in self._first:
            log(step.path, text, at)


def _line(step: Step) -> str | None:
    """What the log has of a step."""
    if isinstance(step, Notice):
        return step.text
    if isinstance(step, Phase):
        return f"{step.text}: generating" if step.doing == "generating" else step.text
    if isinstance(step, Opened):
        return f"{step.config.task.name}: {step.samples:,} samples, {step.answered:,} of them answered before"
    if isinstance(step, Response) and step.error is not None:
        return on_failure(step)
    if isinstance(step, Finished):
        accuracy = share(step.run.accuracy)
        return f"finished: results are written{f', accuracy {accuracy}' if accuracy else ''}"
    return None
