"""How many requests are in flight: what the endpoint bears, down and up again; and whether it is there at all."""

from __future__ import annotations

import asyncio
import time
from collections import deque

from skythought.types import SampleKey

__all__ = ["Pace"]

FIRST = 16
"""In flight at the very beginning, so that a refusal that meets all meets few."""

DOUBLED_S = 0.1
"""After so many seconds without a refusal, twice as many."""

FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.5, 15.0
"""Between two tries of an endpoint that says not how long to wait."""

LOST_MAX = 5
"""So many requests, one after another, have to come to nothing before the endpoint itself is taken to be away."""

RAREST = 32
"""A higher number that was refused before is tried again after at most so many rounds of answers."""


class Pace:
    """A limit on requests in flight that follows the endpoint. For use in one event loop."""

    def __init__(self, most: int) -> None:
        self.most = most
        self.limit = min(FIRST, most)
        self.in_flight = 0
        self.failing_since: float | None = None
        """When it first failed to do what it was asked for, after it last did; None: it does."""
        self.is_away = False
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._is_paused = False
        self._has_begun = False
        self._doubling: asyncio.TimerHandle | None = None
        self._failures = 0
        """Refusals and losses since the last answer."""
        self._lost: set[SampleKey] = set()
        self._peak = self.limit
        """The limit before the failures began."""
        self._served, self._step, self._rounds = 0, 1, 1
        """Answers since the limit last moved; by how much it is raised next, and after how many rounds."""
        self._is_trying = False
        """Whether the limit was raised since it was last lowered."""
        self._pauses = 0
        """Since the last answer."""

    async def enter(self) -> None:
        """Wait for a place; `leave` gives it back."""
        if not self._has_begun:
            self._has_begun = True
            self._double_later()
        if self.in_flight < self.limit and not self._is_paused and not self._waiting:
            self.in_flight += 1
            return
        place = asyncio.get_running_loop().create_future()
        self._waiting.append(place)
        try:
            await place
        except asyncio.CancelledError:
            if place.done() and not place.cancelled():
                self.leave()
            raise

    def leave(self) -> None:
        """Give a place back."""
        self.in_flight -= 1
        self._admit()

    def served(self) -> None:
        """The endpoint answered."""
        self.failing_since = None
        if self._failures:
            self._failures = self._pauses = 0
            self._lost.clear()
            self._peak = self.limit
        if self.is_away:
            self.is_away, self.limit = False, min(FIRST, self.most)
            self._double_later()
        if self.limit < self.most and self._doubling is None:
            self._served += 1
            if self._served >= self.limit * self._rounds:
                self._served, self.limit = 0, min(self.most, self.limit + self._step)
                self._rounds = 1 if self._is_trying else self._rounds
                self._is_trying, self._step = True, self._step * 2
                self._admit()

    def refused(self, wait: float | None) -> None:
        """Too many at once, or too many a minute; called before `leave`.

        What the endpoint holds now is what it bears. If it holds nothing, it is a matter of time: all wait.

        Args:
            wait: Seconds that the endpoint asks for.
        """
        self._failed()
        others = self.in_flight - 1
        if self._is_trying:
            self._rounds = min(RAREST, self._rounds * 2)
        self._is_trying, self._step, self._served = False, 1, 0
        if others:
            self.limit = min(self.limit, others)
        else:
            self.limit = max(1, self._peak // 2)
            self._pause(wait)

    def lost(self, key: SampleKey, *, unreached: bool, wait: float | None) -> bool:
        """A request came to nothing. Returns whether that is because the endpoint is away; then all wait."""
        self._failed()
        self._lost.add(key)
        if unreached or len(self._lost) >= LOST_MAX:
            self.is_away, self.limit = True, 1
        if self.is_away:
            self._pause(wait)
        return self.is_away

    def _failed(self) -> None:
        if not self._failures:
            self._peak, self.failing_since = self.limit, time.monotonic()
        self._failures += 1
        if self._doubling is not None:
            self._doubling.cancel()
            self._doubling = None

    def _backoff(self, told: float | None) -> float:
        if told is None:
            return float(min(LONGEST_PAUSE_S, FIRST_PAUSE_S * 2 ** min(10, self._pauses)))
        # One that says "at once" again and again is not believed.
        return max(told, min(LONGEST_PAUSE_S, 2.0 ** min(10, self._pauses) / 100))

    def _pause(self, told: float | None) -> None:
        """Let nothing in for a while: as long as the endpoint asks for, if it does."""
        seconds = self._backoff(told)
        if not self._is_paused:
            self._is_paused = True
            self._pauses += 1
            asyncio.get_running_loop().call_later(seconds, self._go_on)

    def _go_on(self) -> None:
        self._is_paused = False
        self._admit()

    def _double_later(self) -> None:
        self._doubling = asyncio.get_running_loop().call_later(DOUBLED_S, self._double)

    def _double(self) -> None:
        self.limit = min(self.most, self.limit * 2)
        self._doubling = None
        if self.limit < self.most:
            self._double_later()
        self._admit()

    def _admit(self) -> None:
        while self._waiting and self.in_flight < self.limit and not self._is_paused:
            place = self._waiting.popleft()
            if not place.done():
                self.in_flight += 1
                place.set_result(None)
