"""What is worth a word about a run's answers as a whole."""

from __future__ import annotations

from collections import Counter

from skythought.runs.sample import Sample

__all__ = ["Remarks"]

ENOUGH = 5
"""Answers, before it is worth a word that all are alike."""


class Remarks:
    """Gathered sample by sample; holds one answer, not all."""

    def __init__(self) -> None:
        self.sent: Counter[str] = Counter()
        """Parameters that the endpoint refused, and how many answers were asked for without them."""
        self._answers = 0
        self._empty = 0
        self._first: tuple[str, str] | None = None
        """The first answer, and the problem that it is for."""
        self._are_alike = True
        self._problems = False
        """Whether there is an answer to a second problem."""

    def add(self, sample: Sample) -> None:
        """One more answer."""
        content = sample.content or ""
        self._answers += 1
        self._empty += not content.strip() and not sample.reasoning
        self.sent.update(list(sample.response.sent or ()))
        if self._first is None:
            self._first = (content, sample.problem_id)
        elif self._are_alike:
            self._are_alike = content == self._first[0]
            self._problems = self._problems or sample.problem_id != self._first[1]

    def lines(self) -> list[str]:
        """The remarks, a line each."""
        lines = []
        if self._answers and self._empty == self._answers:
            lines.append(f"all {self._answers:,} answers are empty: is this the endpoint's fault, or the template's?")
        elif self._answers >= ENOUGH and self._are_alike and self._problems and self._first is not None:
            shown = " ".join(self._first[0].split())[:60]
            lines.append(f"all {self._answers:,} answers are the same ({shown!r}): does the model see the problems?")
        for name, times in self.sent.items():
            lines.append(f"{name} was not sent with {times:,} of {self._answers:,} requests: the endpoint refuses it")
        return lines
