"""Watching a stream of steps: a live display on a terminal, a line now and then elsewhere; a table at the end."""

from __future__ import annotations

import asyncio
import datetime
import signal
import sys
import time
from collections.abc import AsyncGenerator
from contextlib import aclosing

from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeRemainingColumn

from skythought.cli.console import PlainConsole
from skythought.cli.leaving import leave
from skythought.cli.tables import breakdowns, intervals_told, result_table
from skythought.errors import BackendError
from skythought.pipeline.steps import Finished, Notice, Opened, Step
from skythought.printable import printable
from skythought.runs.records import Reply
from skythought.runs.view import Run
from skythought.streams import Stop
from skythought.types import Response, Score

__all__ = ["watch"]

FIRST_LINE_S = 15.0
LINE_EVERY_S = 60.0
"""Where there is no live display, a line is said this long after the start, and then this often."""

FAILURES_SHOWN = 3

SAME_WISH_S = 0.5
"""Signals so soon after the first are no second wish: launchers pass on what the terminal has sent already."""


class RunningScore:
    """Accuracy so far: an interval comes with the result, for it takes all problems."""

    def __init__(self, until_correct: int | None = None) -> None:
        """`until_correct`: problems are asked until so many are right, which makes a mean over samples too low."""
        self._until_correct = until_correct
        self._right_of: dict[str, int] = {}
        self._scored = self._right = 0

    def add(self, score: Score) -> None:
        """Count one verdict; failed samples are not counted."""
        if score.correct is not None:
            self._scored += 1
            self._right += score.correct
            if self._until_correct is not None:
                key = score.key.problem_id
                self._right_of[key] = self._right_of.get(key, 0) + score.correct

    def __str__(self) -> str:
        if not self._scored:
            return ""
        if self._until_correct is not None:
            solved = sum(right >= self._until_correct for right in self._right_of.values())
            return f"{solved:,} of {len(self._right_of):,} problems solved"
        return f"accuracy {self._right / self._scored:.1%}"


class Display:
    """What is shown while runs are worked on. Everything goes to standard error; results to standard output."""

    def __init__(self) -> None:
        self._console = PlainConsole(stderr=True, soft_wrap=True)
        # A terminal that calls itself dumb shows no bar that moves: it gets lines, as a pipe does.
        self._live = self._console.is_terminal and not self._console.is_dumb_terminal
        self._progress = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=24),
            MofNCompleteColumn(),
            TextColumn("{task.fields[note]}", markup=False),
            TimeRemainingColumn(),
            console=self._console,
            transient=True,
            disable=not self._live,
        )
        self._bar = self._progress.add_task("", total=None, note="", visible=False)
        self._score = RunningScore()
        self._started = time.monotonic()
        self._next_line = self._started + FIRST_LINE_S
        self._before = 0
        self._done = self._total = self._tokens = self._failed = self._cut = self._replies = 0
        self._generating = False

    def __enter__(self) -> Display:
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def step(self, step: Step) -> None:
        """Show one step."""
        if isinstance(step, Notice):
            self.say(step.text)
        elif isinstance(step, Opened):
            self._open(step)
        elif isinstance(step, Response):
            self._answered(step)
        elif isinstance(step, Reply):
            self._replies += 1
        elif isinstance(step, Score):
            self._score.add(step)
            if not self._generating:
                self._done += 1
        if isinstance(step, Response | Reply | Score):
            self._update()

    def say(self, text: str) -> None:
        """Show a line above the progress bar."""
        self._console.print(text)

    def _open(self, step: Opened) -> None:
        name = step.config.task.name
        done = f", {step.answered:,} done before" if step.answered else ""
        self.say(f"{name}: {step.samples:,} samples{done} -> {step.path}")
        self._score = RunningScore(step.until_correct)
        self._started = time.monotonic()
        self._next_line = self._started + FIRST_LINE_S
        self._tokens = self._failed = self._cut = self._replies = 0
        self._generating = step.answered < step.samples
        self._done, self._total = (step.answered if self._generating else 0), step.samples
        self._before = self._done
        self._progress.reset(
            self._bar, total=step.samples, completed=self._done, description=name, note="", visible=True
        )

    def _answered(self, step: Response) -> None:
        failed = step.error is not None
        self._done += not failed
        self._tokens += step.completion_tokens or 0
        self._cut += step.finish_reason == "length"
        self._failed += failed
        if failed and self._failed <= FAILURES_SHOWN:
            more = " (further failures are only counted)" if self._failed == FAILURES_SHOWN else ""
            self.say(f"failed: problem {step.key.problem_id}, sample {step.key.sample}: {step.error}{more}")

    def _note(self) -> str:
        elapsed = max(time.monotonic() - self._started, 1e-9)
        parts = [str(self._score)]
        parts.append(f"{self._tokens / elapsed:,.0f} tok/s" if self._tokens else "")
        parts.append(f"{self._cut:,} cut off" if self._cut else "")
        parts.append(f"{self._failed:,} failed" if self._failed else "")
        parts.append(f"{self._replies:,} replies of the judge" if self._replies else "")
        return ", ".join(part for part in parts if part)

    def _update(self) -> None:
        if self._live:
            self._progress.update(self._bar, completed=self._done, note=self._note())
        elif (now := time.monotonic()) >= self._next_line:
            self._next_line = now + LINE_EVERY_S
            total = f" of {self._total:,}" if self._total else ""
            parts = [f"{self._done:,}{total} samples", self._note(), self._remaining(now)]
            self.say(", ".join(part for part in parts if part))

    def _remaining(self, now: float) -> str:
        """How long the rest will take, at the pace since the run was opened; what was there before is not counted."""
        done = self._done - self._before
        if done <= 0 or not self._total:
            return ""
        seconds = (self._total - self._done) * (now - self._started) / done
        return f"{datetime.timedelta(seconds=round(seconds))} left"


def watch(
    steps: AsyncGenerator[Step, None], *, stop: Stop | None = None, again: str = "--resume asks them again"
) -> None:
    """Carry the steps out, showing them; then print the results of all runs.

    Args:
        stop: By which the steps end early, at the first Ctrl-C (or SIGTERM, as clusters send it, or SIGHUP). A second
            one ends all at once, as the first does where there is no `stop`.
        again: What is said of failed samples.

    Raises:
        KeyboardInterrupt: It was interrupted; what there is was printed.
    """
    finished: list[Run] = []

    async def follow(display: Display) -> None:
        async with aclosing(steps) as stream:
            async for step in stream:
                display.step(step)
                if isinstance(step, Opened):  # before, nothing is under way, and Ctrl-C may end the process as ever
                    _end_in_order(display, stop)
                if isinstance(step, Finished):
                    finished.append(step.run)

    with Display() as display:
        try:
            asyncio.run(follow(display))
        except asyncio.CancelledError:
            raise KeyboardInterrupt from None
    _print_results(finished, again)
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


def _print_results(runs: list[Run], again: str) -> None:
    console = PlainConsole(soft_wrap=not sys.stdout.isatty())
    for run in runs:
        console.print(result_table(run))
        if told := intervals_told(run):
            console.print(told)
        for table in breakdowns(run):
            console.print(table)
        console.print(f"results: {run.path}")
        failed = run.statistics.get("samples", {}).get("failed", 0)
        pending = run.statistics.get("samples_pending", 0) - failed
        asking = run.statistics.get("asking") or {}
        for line in asking.get("lines", ()):
            console.print(printable(line))
        if pending > 0 and not asking.get("ended"):
            console.print(f"unfinished: {pending:,} samples have no answer yet, and the numbers are over the others.")
        if failed:
            console.print(f"{failed:,} samples failed and count as neither right nor wrong; {again}.")
