"""Who is asked what: open requests are shared out among replicas, taken back from lost ones, and answered once."""

from __future__ import annotations

import asyncio
import itertools
import pickle
from array import array
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from skythought.backends.vllm.answering import Completion
from skythought.errors import BackendError

__all__ = ["Asked", "Share", "Sharing"]

ROUNDS = 2
"""Requests that a replica holds at most, in times of what it works on; the others wait here for whoever is free."""

MOST_LOSSES = 10
"""Engines that may be lost with a request until it counts as one that kills them."""


@dataclass(eq=False)
class Asked:
    """A request that somebody waits for."""

    number: int
    tokens: Any
    """Those of the prompt, an `array`: small when pickled."""
    sampling: Mapping[str, Any]
    """Arguments of vLLM's `SamplingParams`."""
    answer: asyncio.Future[Completion]
    losses: int = 0
    """Engines that were lost with it."""


@dataclass(eq=False)
class Share:
    """One replica, and what it has of the open requests."""

    actor: Any = None
    """That of its `Replica`. What becomes of calls shows in its `news`, so nobody waits for them here."""
    slots: int = 0
    """Requests that it works on at a time; 0 while it can be given none."""
    held: dict[int, Asked] = field(default_factory=dict)


class Sharing:
    """The open requests of a run."""

    def __init__(self, piece: int) -> None:
        """`piece`: requests that go to a replica at once, at most."""
        self.shares: Sequence[Share] = ()
        self.fault: BackendError | None = None
        """Why nothing more will be answered."""
        self._piece = piece
        self._waiting: deque[Asked] = deque()
        """Those that no replica holds."""
        self._numbers = itertools.count()
        self._is_due = False

    async def ask(self, tokens: Sequence[int], sampling: Mapping[str, Any]) -> Completion:
        """What an engine makes of a prompt. Cancelled, it takes the request back.

        Raises:
            BackendError: The engines are gone for good.
        """
        if self.fault is not None:
            raise self.fault
        asked = Asked(next(self._numbers), array("i", tokens), sampling, asyncio.get_running_loop().create_future())
        self._waiting.append(asked)
        self.share_soon()
        try:
            return await asked.answer
        finally:
            for share in self.shares:
                if share.held.pop(asked.number, None) is not None:
                    share.actor.drop.remote(asked.number)

    def share_soon(self) -> None:
        """Share out what waits when this turn of the loop is over, so that it goes in few pieces."""
        if not self._is_due:
            self._is_due = True
            asyncio.get_running_loop().call_soon(self._share)

    def _share(self) -> None:
        """Give what waits to the replicas, the one that holds least first."""
        self._is_due = False
        pieces: dict[Share, list[tuple[Any, ...]]] = {}
        while self._waiting and (free := [one for one in self.shares if len(one.held) < ROUNDS * one.slots]):
            asked = self._waiting.popleft()
            if not asked.answer.done():
                least = min(free, key=lambda share: len(share.held))
                least.held[asked.number] = asked
                pieces.setdefault(least, []).append((asked.number, asked.tokens, asked.sampling))
        for share, piece in pieces.items():
            for at in range(0, len(piece), self._piece):
                share.actor.ask.remote(pickle.dumps(piece[at : at + self._piece]))

    def take(self, share: Share, answers: Iterable[tuple[Any, ...]]) -> None:
        """Hand answers to whoever waits for them. What was given back meanwhile is asked elsewhere and counts there.

        `answers`: of each the number of the request, and the fields of a `Completion`.
        """
        for number, *completion in answers:
            asked = share.held.pop(number, None)
            if asked is not None and not asked.answer.done():
                asked.answer.set_result(Completion(*completion))
        self.share_soon()

    def give_back(self, share: Share, *, lost: bool = False) -> int:
        """What a replica has waits again, first in the line; returns how much that is.

        `lost`: its engine is gone, perhaps because of one of them. Otherwise it is told not to go on with them.
        """
        back = [share.held.pop(number) for number in sorted(share.held, reverse=True)]
        for asked in back:
            asked.losses += lost
            if not lost:
                share.actor.drop.remote(asked.number)
            if asked.losses == MOST_LOSSES and not asked.answer.done():
                asked.answer.set_result(Completion(error=f"{MOST_LOSSES} engines were lost with this request"))
        self._waiting.extendleft(back)
        self.share_soon()
        return len(back)

    def fail(self, fault: BackendError) -> None:
        """Nothing more will be answered."""
        self.fault = self.fault or fault
        for asked in [*self._waiting, *(asked for share in self.shares for asked in share.held.values())]:
            if not asked.answer.done():
                asked.answer.set_exception(self.fault)
