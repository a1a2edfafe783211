"""A backend whose answers are right by a chance that the problem has: by its number, the same for the same seed."""

from __future__ import annotations

import asyncio
import json
import os
import signal
from collections.abc import AsyncGenerator, Iterable
from pathlib import Path
from random import Random

from pydantic import Field

from skythought.backends.base import UNHASHED, Backend, BackendArgs, ConcurrentBackend
from skythought.types import Request, Response


class SureArgs(BackendArgs):
    strong: bool = False
    """Every problem's chance is higher by a half."""
    log: str = Field(os.devnull, json_schema_extra=UNHASHED)
    """A file that gets a line for each request: problem, sample, and how many others are under way."""
    kill_at: int = Field(-1, json_schema_extra=UNHASHED)
    """The process is killed at this request."""
    stop_at: int = Field(-1, json_schema_extra=UNHASHED)
    """At this request the process is told to end in order (Ctrl-C)."""
    fail: str = Field("", json_schema_extra=UNHASHED)
    """A problem whose requests fail."""


def chance(number: int, *, strong: bool = False) -> float:
    """Of the problem with this number: 0.05 to 0.95, in steps of 0.1."""
    return min(1.0, 0.05 + number % 10 / 10 + strong / 2)


class Sure(ConcurrentBackend[SureArgs]):
    """Takes as many turns of the event loop as the answer is long."""

    asked = under_way = 0

    async def answer(self, request: Request) -> Response:
        number, self.asked, self.under_way = self.asked, self.asked + 1, self.under_way + 1
        with Path(self.args.log).open("a", encoding="utf-8") as log:
            log.write(json.dumps([*request.key, request.seed, self.under_way]) + "\n")
        if number == self.args.kill_at:
            os.kill(os.getpid(), signal.SIGKILL)
        if number == self.args.stop_at:
            os.kill(os.getpid(), signal.SIGINT)
        await asyncio.sleep(0.001 * (request.seed % 5))
        self.under_way -= 1
        return answer(request, self.args)


class Plain(Backend[SureArgs]):
    """The same for a backend of the plainest kind: it iterates over what it is given, one after another."""

    async def generate(self, requests: Iterable[Request]) -> AsyncGenerator[Response, None]:
        for request in requests:
            yield answer(request, self.args)


def answer(request: Request, args: SureArgs) -> Response:
    """Right by the problem's chance."""
    key = request.key
    if key.problem_id == args.fail:
        return request.failed("no answer")
    right = Random(request.seed).random() < chance(int(key.problem_id), strong=args.strong)
    return request.response(
        f"\\boxed{{{request.messages[-1]['content'].split()[-1] if right else 'nothing'}}}",
        finish_reason="stop",
        prompt_tokens=10,
        completion_tokens=90,
    )


SURE = f"{Path(__file__)}:Sure"
PLAIN = f"{Path(__file__)}:Plain"
