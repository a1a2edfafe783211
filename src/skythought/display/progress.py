"""What is shown while runs are worked on: a bar on a terminal, lines now and then elsewhere (both on standard error),
one output that changes in a notebook.

A thread keeps the elapsed time moving: the event loop may be busy loading a dataset.
"""

from __future__ import annotations

import html
import sys
import threading
import time
from types import TracebackType
from typing import Any, Self

from rich.progress import BarColumn, ProgressColumn, SpinnerColumn, Task
from rich.progress import Progress as Bar
from rich.table import Column
from rich.text import Text

from skythought.display.console import PlainConsole
from skythought.pipeline.progress import Progress, on_failure
from skythought.pipeline.steps import Finished, Notice, Opened, Phase, Step
from skythought.printable import lasting, printable
from skythought.redaction import redacted
from skythought.types import Response, Score

__all__ = ["Display", "Lines", "LiveBar", "Silent", "in_notebook", "make_display"]

FIRST_LINE_S = 5.0
LINE_EVERY_S = 60.0
"""Where there is no bar, a line is said so long after something was begun, then after twice the time, and so on, but
at least this often."""

TICK_S = 0.5
WORTH_TELLING_S = 1.0
FAILURES_SHOWN = 3

_bar_is_taken = threading.Lock()
"""Two bars that move would overwrite one another."""


class Display:
    """What all displays have in common: which lines are said, and a thread that calls `tick`."""

    def __init__(self, *, verbose: bool = False) -> None:
        """`verbose`: say every single thing that is done."""
        self.progress = Progress()
        self._verbose = verbose
        self._failed = 0
        self._lock = threading.RLock()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._work, name="skythought display", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._ended.set()
        self._thread.join()

    def step(self, step: Step) -> None:
        """Take one step in."""
        with self._lock:
            if isinstance(step, Phase) and (ended := self._on_end()):
                self.say(ended)
            self.progress.step(step)
            if (line := self._line(step)) is not None:
                self.say(line)

    def say(self, text: str) -> None:
        """Show a line that stays."""

    def tick(self) -> None:
        """Show how far it is; called now and then."""

    def _work(self) -> None:
        while not self._ended.wait(TICK_S):
            with self._lock:
                self.tick()

    def _on_end(self) -> str | None:
        """What to say of the phase that ends now."""
        if self.progress.doing != "engine" or self.progress.elapsed < WORTH_TELLING_S:
            return None
        return f"{self.progress.what}: ready after {lasting(self.progress.elapsed)}"

    def _line(self, step: Step) -> str | None:
        """The line that a step is worth, if any."""
        if isinstance(step, Notice):
            return step.text
        if isinstance(step, Opened):
            self._failed = 0
            done = f", {step.answered:,} done before" if step.answered else ""
            return f"{step.title}: {step.samples:,} samples{done} -> {step.path}"
        if isinstance(step, Phase) and (step.doing == "engine" or self._verbose):
            return step.text
        if isinstance(step, Response) and step.error is not None:
            return self._failure(step)
        return _in_full(step) if self._verbose else None

    def _failure(self, response: Response) -> str | None:
        self._failed += 1
        if self._failed > FAILURES_SHOWN and not self._verbose:
            return None
        more = self._failed == FAILURES_SHOWN and not self._verbose
        return on_failure(response) + (" (further failures are only counted)" if more else "")


def _in_full(step: Step) -> str | None:
    """What `--verbose` says of an answer or a verdict."""
    if isinstance(step, Response):
        tokens = "" if step.completion_tokens is None else f"{step.completion_tokens:,} tokens, "
        reason = step.finish_reason or "ended"
        return (
            f"answered: problem {step.key.problem_id}, sample {step.key.sample}: {tokens}{step.seconds:.1f} s, {reason}"
        )
    if isinstance(step, Score):
        return f"scored: problem {step.key.problem_id}, sample {step.key.sample}: {step.verdict}: {step.reason}"
    return f"finished: {step.run.path}" if isinstance(step, Finished) else None


class Silent(Display):
    """Shows nothing."""


class Lines(Display):
    """Lines for a log file, a pipe, or a terminal that cannot move its cursor."""

    def __init__(self, *, verbose: bool = False) -> None:
        super().__init__(verbose=verbose)
        self._console = PlainConsole(stderr=True, soft_wrap=True)
        self._wait = FIRST_LINE_S
        self._next_line = time.monotonic() + FIRST_LINE_S

    def step(self, step: Step) -> None:
        with self._lock:
            super().step(step)
            if isinstance(step, Phase | Opened):
                self._wait = FIRST_LINE_S
                self._next_line = time.monotonic() + FIRST_LINE_S

    def say(self, text: str) -> None:
        self._console.print(text)

    def tick(self) -> None:
        if self.progress.doing is None or (now := time.monotonic()) < self._next_line:
            return
        self._wait = min(2 * self._wait, LINE_EVERY_S)
        self._next_line = now + self._wait
        self.say(self.progress.line())


class LiveBar(Display):
    """A bar at the bottom of a terminal."""

    def __init__(self) -> None:
        super().__init__()
        self._console = PlainConsole(stderr=True, soft_wrap=True)
        self._bar = Bar(
            SpinnerColumn(),
            _Now(lambda: self.progress.what),
            BarColumn(bar_width=20),
            _Now(self._told),
            console=self._console,
            transient=True,
        )
        self._task = self._bar.add_task("", total=None)

    def __enter__(self) -> Self:
        self._bar.start()
        return super().__enter__()

    def __exit__(self, *error: Any) -> None:
        super().__exit__(*error)
        self._bar.stop()
        _bar_is_taken.release()

    def say(self, text: str) -> None:
        self._console.print(text)

    def tick(self) -> None:
        self._bar.update(self._task, completed=self.progress.done, total=self.progress.total)

    def _told(self) -> str:
        now = self.progress
        parts = (now.counts, lasting(now.elapsed), now.remaining, now.note)  # a narrow terminal cuts off the end
        return ", ".join(part for part in parts if part)


class _Now(ProgressColumn):
    """A text that is made when it is shown."""

    def __init__(self, made: Any) -> None:
        super().__init__(table_column=Column(no_wrap=True, overflow="ellipsis"))
        self._made = made

    def render(self, task: Task) -> Text:
        return Text(printable(self._made()))


class Notebook(Display):
    """One output of a cell, which is replaced as the work goes on; at the end by the results."""

    MOST_LINES = 12

    def __init__(self, *, verbose: bool = False) -> None:
        from IPython.display import display  # type: ignore[import-not-found,unused-ignore]

        super().__init__(verbose=verbose)
        self._lines: list[str] = []
        self._results: list[str] = []
        self._output = display(self._made(), raw=True, display_id=True)  # type: ignore[no-untyped-call,unused-ignore]

    def __exit__(self, *error: Any) -> None:
        super().__exit__(*error)
        self._ended.set()
        self._output.update(self._made(), raw=True)

    def step(self, step: Step) -> None:
        with self._lock:
            super().step(step)
            if isinstance(step, Finished):
                self._results.append(step.run._repr_html_())

    def say(self, text: str) -> None:
        self._lines.append(printable(redacted(text)))

    def tick(self) -> None:
        self._output.update(self._made(), raw=True)

    def _made(self) -> dict[str, str]:
        """The output as a page and as a text, by their kinds."""
        lines = self._lines[-self.MOST_LINES :]
        parts = [f"<div>{html.escape(line)}</div>" for line in lines]
        now, line = self.progress, ""
        if not self._ended.is_set() and now.doing is not None:
            size = f' value="{now.done}" max="{now.total}"' if now.total else ""
            line = printable(now.line())
            parts.append(f"<div><progress{size}></progress> {html.escape(line)}</div>")
        return {"text/html": "".join([*parts, *self._results]), "text/plain": "\n".join([*lines, line])}


def in_notebook() -> bool:
    """Whether this is the kernel of a notebook, which shows outputs and not a terminal."""
    module = sys.modules.get("IPython")
    shell = module.get_ipython() if module is not None else None
    return getattr(shell, "kernel", None) is not None


def make_display(*, verbose: bool = False) -> Display:
    """The display that fits where this runs: a notebook, a terminal, or anything that takes lines."""
    if in_notebook():
        return Notebook(verbose=verbose)
    console = PlainConsole(stderr=True)
    # A terminal that calls itself dumb shows no bar that moves; and a bar would be torn by what an engine prints.
    is_live = console.is_terminal and not console.is_dumb_terminal and not verbose
    return LiveBar() if is_live and _bar_is_taken.acquire(blocking=False) else Lines(verbose=verbose)
