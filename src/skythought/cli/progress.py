"""Watching a stream of steps on the command line: progress, an end in good order at Ctrl-C, and tables at the end."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import time
from collections.abc import AsyncGenerator
from contextlib import aclosing

from skythought.cli.leaving import leave
from skythought.display.console import PlainConsole
from skythought.display.progress import Display, Silent, make_display
from skythought.display.results import print_results, shortcomings
from skythought.errors import BackendError, SkythoughtError, UserError
from skythought.pipeline.steps import Finished, Opened, Step
from skythought.runs.view import Run
from skythought.streams import Stop

__all__ = ["Shown", "watch"]

ENGINE_LOGS = {"VLLM_LOGGING_LEVEL": "INFO", "TRANSFORMERS_VERBOSITY": "info"}
"""Variables by which engines show what they log, on `--verbose`."""

SAME_WISH_S = 0.5
"""Signals so soon after the first are no second wish: launchers pass on what the terminal has sent already."""


class Shown:
    """How much is shown."""

    def __init__(self, *, quiet: bool = False, verbose: bool = False) -> None:
        """Raises UserError if both are asked for."""
        if quiet and verbose:
            raise UserError("--quiet and --verbose exclude each other.")
        self.quiet, self.verbose = quiet, verbose
        if verbose:
            for name, value in ENGINE_LOGS.items():
                os.environ.setdefault(name, value)

    def display(self) -> Display:
        """Where the progress goes."""
        return Silent() if self.quiet else make_display(verbose=self.verbose)

    def results(self, runs: list[Run], again: str) -> None:
        """Print what came of it: tables, or on `--quiet` the folders, and on standard error what failed."""
        if not self.quiet:
            print_results(PlainConsole(soft_wrap=not sys.stdout.isatty()), runs, again)
            return
        for run in runs:
            PlainConsole(soft_wrap=True).print(str(run.path))
            for line in shortcomings(run, again):
                PlainConsole(stderr=True, soft_wrap=True).print(line)


def watch(
    steps: AsyncGenerator[Step, None],
    *,
    stop: Stop | None = None,
    again: str = "--resume asks them again",
    shown: Shown | None = None,
) -> None:
    """Carry the steps out, showing them; then print the results of all runs.

    Args:
        stop: By which the steps end early, at the first Ctrl-C (or SIGTERM, as clusters send it, or SIGHUP). A second
            one ends all at once, as the first does where there is no `stop`.
        again: What is said of failed samples.
        shown: How much is shown.

    Raises:
        KeyboardInterrupt: It was interrupted; what there is was printed.
    """
    finished: list[Run] = []
    shown = shown or Shown()

    async def follow(display: Display) -> None:
        async with aclosing(steps) as stream:
            async for step in stream:
                display.step(step)
                if isinstance(step, Opened):  # before, nothing is under way, and Ctrl-C may end the process as ever
                    _end_in_order(display, stop)
                if isinstance(step, Finished):
                    finished.append(step.run)

    with shown.display() as display:
        try:
            asyncio.run(follow(display))
        except asyncio.CancelledError:
            raise KeyboardInterrupt from None
        except SkythoughtError:
            display.__exit__(None, None, None)
            shown.results(finished, again)  # of several runs, some are finished
            raise
    shown.results(finished, again)
    if stop is not None and stop.is_requested:
        raise KeyboardInterrupt
    _require_answers(finished, again)


def _end_in_order(display: Display, stop: Stop | None) -> None:
    """From now on, Ctrl-C (or SIGTERM or SIGHUP) ends the running task in order, and a second one at once."""
    task, loop = asyncio.current_task(), asyncio.get_running_loop()
    assert task is not None
    signals = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

    def interrupt() -> None:
        asked = time.monotonic()

        def once_more(*_: object) -> None:
            if time.monotonic() - asked > SAME_WISH_S:
                leave()

        for number in signals:  # not the loop's, which may be busy
            loop.remove_signal_handler(number)
            signal.signal(number, once_more)
        if stop is None:
            task.cancel()
            return
        display.say(f"stopping: what is in flight has {stop.grace_s:g} s to end; once more ends it at once")
        stop.request()

    for number in signals:
        loop.add_signal_handler(number, interrupt)


def _require_answers(runs: list[Run], again: str) -> None:
    """Raises BackendError for a run all of whose samples failed."""
    for run in runs:
        counts = run.statistics.get("samples", {})
        if counts.get("total") and counts.get("failed") == counts["total"]:
            raise BackendError(f"all {counts['total']:,} samples failed; {again}.")
