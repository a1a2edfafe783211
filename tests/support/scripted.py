"""A backend that gives the responses that it is told, the same to every problem: one a sample, in order."""

from __future__ import annotations

from pathlib import Path

from skythought.backends.base import BackendArgs, ConcurrentBackend
from skythought.types import Request, Response


class ScriptedArgs(BackendArgs):
    responses: list[str]


class Scripted(ConcurrentBackend[ScriptedArgs]):
    async def answer(self, request: Request) -> Response:
        return request.response(self.args.responses[request.key.sample], finish_reason="stop")


SCRIPTED = f"{Path(__file__)}:Scripted"
