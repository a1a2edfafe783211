"""Where the work on runs stands, counted from its steps: for displays and for the log."""

from __future__ import annotations

import time

from skythought.pipeline.steps import Doing, Opened, Phase, Step
from skythought.printable import lasting
from skythought.runs.records import Reply
from skythought.types import Response, Score

__all__ = ["Progress", "on_failure"]


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


class Progress:
    """What is being done, how far it is, how fast, and how long it will take."""

    def __init__(self) -> None:
        self.doing: Doing | None = None
        self.total: int | None = None
        self.done = 0
        """Of `total`: samples answered while generating, else samples scored or replies of the judge."""
        self._text = self._title = ""
        self._before = 0
        self._began = time.monotonic()
        self._start = (0, 0)
        """Samples answered before the run was opened, and all of its samples."""
        self._score = RunningScore()
        self._tokens = self._failed = self._cut = 0

    def step(self, step: Step) -> None:
        """Take one step into account."""
        if isinstance(step, Opened):
            self._score = RunningScore(step.until_correct)
            self._tokens = self._failed = self._cut = 0
            self._start = (step.answered, step.samples)
            self._title = step.title
            self._begin("generating", self._title, *self._start)
        elif isinstance(step, Phase):
            self._begin(step.doing, step.text, 0, step.total)
            if step.doing == "generating":
                self._begin(step.doing, self._title or step.text, *self._start)
        elif isinstance(step, Response):
            self.done += step.error is None
            self._tokens += step.completion_tokens or 0
            self._cut += step.is_cut_off
            self._failed += step.error is not None
        elif isinstance(step, Reply):
            self.done += 1
        elif isinstance(step, Score):
            self._score.add(step)
            self.done += self.doing == "scoring"

    def _begin(self, doing: Doing, text: str, done: int, total: int | None) -> None:
        self.doing, self._text, self.total = doing, text, total
        self.done = self._before = done
        self._began = time.monotonic()

    @property
    def elapsed(self) -> float:
        """Seconds since what is being done now began."""
        return time.monotonic() - self._began

    @property
    def what(self) -> str:
        """What is being done."""
        waiting = self.doing == "generating" and self.done == self._before and not self._failed
        return f"{self._text}: waiting for the first answer" if waiting else self._text

    @property
    def counts(self) -> str:
        """How many samples are done, of how many; empty where nothing is counted."""
        if self.done == self._before and self.total is None:
            return ""
        return f"{self.done:,}" + ("" if self.total is None else f" of {self.total:,}")

    @property
    def note(self) -> str:
        """Score, tokens a second, and what went wrong, as far as there is anything to say."""
        parts = [str(self._score)] if self.doing != "judging" else []
        if self.doing == "generating":
            parts.append(f"{self._tokens / max(self.elapsed, 1e-9):,.0f} tok/s" if self._tokens else "")
        parts.append(f"{self._cut:,} cut off" if self._cut else "")
        parts.append(f"{self._failed:,} failed" if self._failed else "")
        return ", ".join(part for part in parts if part)

    @property
    def remaining(self) -> str:
        """How long the rest will take, at the pace since this began; what was there before is not counted."""
        done = self.done - self._before
        if done <= 0 or not self.total or self.done >= self.total:
            return ""
        return f"{lasting((self.total - self.done) * self.elapsed / done)} left"

    def line(self) -> str:
        """All of it in one line: "math500: 515 of 1,000 samples, accuracy 61.2%, 0:04:10, 0:08:05 left"."""
        unit = "replies of the judge" if self.doing == "judging" else "samples"
        counts = f"{self.counts} {unit}" if self.counts else ""
        parts = [counts, self.note, lasting(self.elapsed), self.remaining]
        return f"{self.what}: {', '.join(part for part in parts if part)}"


def on_failure(response: Response) -> str:
    """The line about a sample that failed."""
    return f"failed: problem {response.key.problem_id}, sample {response.key.sample}: {response.error}"
