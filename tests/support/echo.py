"""A backend without a model: what it answers depends on the prompt and the request's seed alone, and comes at once."""

from __future__ import annotations

import re
from pathlib import Path

from pydantic import Field
from pydantic.config import JsonDict

from skythought.backends.base import BackendArgs, ConcurrentBackend
from skythought.errors import BackendError
from skythought.types import Request, Response

NO_MATTER: JsonDict = {"affects_answers": False}


class EchoArgs(BackendArgs):
    log: str = Field("", json_schema_extra=NO_MATTER)
    """A file that gets a line for each request: problem, sample and seed."""
    fail: str = Field("", json_schema_extra=NO_MATTER)
    """A problem whose requests fail."""
    wrong: bool = Field(False, json_schema_extra=NO_MATTER)
    """Every answer is 777777."""
    die_after: int = Field(-1, json_schema_extra=NO_MATTER)
    """So many answers until the backend as a whole breaks."""


class Echo(ConcurrentBackend[EchoArgs]):
    answered = 0

    async def answer(self, request: Request) -> Response:
        if self.answered == self.args.die_after:
            raise BackendError("the echo died away")
        self.answered += 1
        if self.args.log:
            with Path(self.args.log).open("a", encoding="utf-8") as file:
                file.write(f"{request.key.problem_id} {request.key.sample} {request.seed}\n")
        if request.key.problem_id == self.args.fail:
            raise ValueError("no echo")
        prompt = next(turn["content"] for turn in reversed(request.messages) if turn["role"] == "user")
        total = 777776 + request.seed % 2 if self.args.wrong else sum(map(int, re.findall(r"\d+", prompt)))
        thinking = "" if request.prefill else "<think>\n"
        words = f"{thinking}Seed {request.seed} \n</think>\n\nIt is \\boxed{{{total + request.seed % 2}}}.".split(" ")
        kept = words[: request.sampling.max_tokens]
        return request.response(
            " ".join(kept),
            finish_reason="stop" if len(kept) == len(words) else "length",
            prompt_tokens=len(prompt.split()),
            completion_tokens=len(kept),
        )


ECHO = f"{Path(__file__)}:Echo"
