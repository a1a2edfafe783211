"""Budgets in tokens, hours and money, and what a run is going to take."""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from datetime import timedelta
from typing import Any

from skythought.config import Price
from skythought.pipeline.steps import Notice, Step
from skythought.runs.folder import RunFolder
from skythought.types import Response, Score

__all__ = ["Budget", "shared", "with_estimate"]

FIRST = 20
"""Answers by which a run is estimated."""
WORTH_IT = 100
"""Samples to ask, from which on an estimate is worth a word."""


class Usage:
    """Tokens of answers, and what they cost."""

    def __init__(self, price: Price | None) -> None:
        self.price = price
        self.answers = self.prompt = self.completion = self.unknown = 0

    def add(self, response: Response) -> None:
        """One more answer, a failed one included, as far as it tells its tokens."""
        if response.prompt_tokens is None and response.completion_tokens is None:
            self.unknown += response.error is None
            return
        self.answers += 1
        self.prompt += response.prompt_tokens or 0
        self.completion += response.completion_tokens or 0

    @property
    def tokens(self) -> int:
        """Of prompts and responses."""
        return self.prompt + self.completion

    @property
    def cost(self) -> float:
        """By the price; 0 without one."""
        return self.price.of(self.prompt, self.completion) if self.price else 0.0

    def mean(self, total: float) -> float:
        """Of one answer; 0 before the first."""
        return total / self.answers if self.answers else 0.0


class Budget:
    """A rule that ends the asking of all runs of an invocation: tokens and money over all that their journals hold,
    hours since it began.

    What is under way counts at what an answer took on the average, so the budget is exceeded only by as much as the
    last answers are longer than that, and by the first ones, of which nothing is known yet.
    """

    def __init__(
        self, *, tokens: int | None = None, hours: float | None = None, cost: float | None = None, price: Price | None
    ) -> None:
        self._tokens, self._cost = tokens, cost
        self._hours = hours
        self._until = None if hours is None else time.monotonic() + 3600 * hours
        self._used = Usage(price)
        self._all: Sequence[Budget] = (self,)
        """The budgets that spend from the same limits."""
        self.reason: str | None = None

    def begin(self, run: RunFolder) -> None:
        """Count what the journal of a run holds already."""
        if self._tokens is None and self._cost is None:
            return
        for key in run.answered():
            if (response := run.response(key)) is not None:
                self._used.add(response)

    def answered(self, response: Response) -> None:
        self._used.add(response)

    def scored(self, score: Score) -> None:
        pass

    def may_ask(self, in_flight: int, ungraded: int) -> bool:
        if self._until is not None and time.monotonic() >= self._until:
            self.reason = self.reason or f"--max-hours {self._hours:g} are over"
            return False
        tokens, cost = (sum(getattr(one._used, kind) for one in self._all) for kind in ("tokens", "cost"))
        spent = (
            (self._tokens, tokens, self._used.tokens, f"--max-total-tokens {self._tokens or 0:,} are used"),
            (self._cost, cost, self._used.cost, f"--max-cost {self._cost or 0:g} is spent"),
        )
        for limit, used, own, reason in spent:
            if limit is not None and used + (in_flight + 1) * self._used.mean(own) > limit:
                if not in_flight:
                    self.reason = self.reason or reason
                return False
        return True

    def record(self) -> Mapping[str, Any]:
        cost = {"cost": round(self._used.cost, 6)} if self._used.price else {}
        return {"tokens": self._used.tokens, **cost, "answers_without_usage": self._used.unknown}

    def lines(self) -> Sequence[str]:
        if self.reason is None:
            return []
        cost = f", a cost of {self._used.cost:,.2f}" if self._used.price else ""
        used = f"{self._used.tokens:,} tokens{cost}" if self._tokens is not None or self._cost is not None else ""
        told = f" ({used})" if used else ""
        unknown = f"; {self._used.unknown:,} answers told no tokens and are not counted" if self._used.unknown else ""
        return [f"{self.reason}{told}{unknown}"]


def shared(budgets: Sequence[Budget]) -> None:
    """Let budgets of several models spend from one: what each has used counts for all."""
    for budget in budgets:
        budget._all = tuple(budgets)


async def with_estimate(
    steps: AsyncGenerator[Step, None], pending: int, in_flight: int, price: Price | None, *, at_most: bool
) -> AsyncGenerator[Step, None]:
    """The steps, and after the first answers a notice of what all of them will take.

    Args:
        pending: Samples that are going to be asked.
        in_flight: How many are answered side by side.
        at_most: Whether fewer may be asked.
    """
    used, seconds = Usage(price), 0.0
    async with aclosing(steps) as stream:
        async for step in stream:
            yield step
            if pending < WORTH_IT or used.answers >= FIRST or not isinstance(step, Response) or step.error is not None:
                continue
            used.add(step)
            seconds += step.seconds
            if used.answers == FIRST:
                yield Notice(_estimate(used, seconds, pending, min(in_flight, pending), at_most=at_most))


def _estimate(used: Usage, seconds: float, pending: int, in_flight: int, *, at_most: bool) -> str:
    tokens = used.mean(used.tokens) * pending
    lasting = timedelta(seconds=round(seconds / FIRST * pending / in_flight))
    hours = f", {lasting} (h:mm:ss)" if lasting else ""
    cost = f", a cost of {used.mean(used.cost) * pending:,.2f}" if used.price else ""
    return (
        f"estimate from the first {FIRST} answers (short ones come first, so rather more): {pending:,} samples take "
        f"{'at most ' if at_most else ''}{_rounded(tokens)} tokens{hours}{cost}"
    )


def _rounded(tokens: float) -> str:
    for size, name in ((1e9, "billion"), (1e6, "million")):
        if tokens >= size:
            return f"{tokens / size:,.1f} {name}"
    return f"{round(tokens, -2 if tokens >= 1000 else 0):,.0f}"
