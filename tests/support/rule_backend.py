"""An engine without a model, for whole runs that take no time: `--backend .../rule_backend.py:RuleBackend`."""

from __future__ import annotations

import asyncio
import os
import re
import signal
from pathlib import Path

from pydantic import Field

from skythought.backends.base import BackendArgs, ConcurrentBackend
from skythought.errors import BackendError
from skythought.types import Request, Response

NAME = f"{__file__}:RuleBackend"
CHANGES_NOTHING = {"affects_answers": False}


class RuleArgs(BackendArgs):
    log: str = Field(os.devnull, json_schema_extra=CHANGES_NOTHING)
    """A file that gets a line for each request: `judge` or `model`, and the key."""
    fail_at: int = Field(-1, json_schema_extra=CHANGES_NOTHING)
    """This request fails, counted from 0."""
    die_at: int = Field(-1, json_schema_extra=CHANGES_NOTHING)
    """The engine dies at this one."""
    kill_at: int = Field(-1, json_schema_extra=CHANGES_NOTHING)
    """The whole process is killed at this one."""


class RuleBackend(ConcurrentBackend[RuleArgs]):
    """Answers with the last word of the prompt; asked to compare, whether the two texts are the same."""

    asked = 0

    async def answer(self, request: Request) -> Response:
        number, self.asked = self.asked, self.asked + 1
        if number == self.args.kill_at:
            await asyncio.sleep(0.1)  # as an engine would take: what was answered before is journalled by now
            os.kill(os.getpid(), signal.SIGKILL)
        if number == self.args.die_at:
            raise BackendError("the engine died")
        if number == self.args.fail_at:
            raise ValueError("no reply")
        prompt = request.messages[-1]["content"]
        texts = re.findall(r"^<(?:reference|answer)>\n(.*?)\n</", prompt, re.MULTILINE | re.DOTALL)
        with Path(self.args.log).open("a") as log:
            log.write(f"{'judge' if texts else 'model'} {request.key.problem_id.partition(chr(31))[0]}\n")
        if not texts:
            return request.response(prompt.split()[-1], finish_reason="stop", completion_tokens=1)
        verdict = "CORRECT" if texts[0] == texts[1] else "INCORRECT"
        reply = "Hard to tell." if texts[1] == "vague" else f"They say {texts}.\n**{verdict}**"
        return request.response(f"<think>CORRECT?</think>{reply}", finish_reason="stop", completion_tokens=9)
