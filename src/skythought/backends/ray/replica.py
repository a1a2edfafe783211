"""What runs on the cluster: an actor that holds one of vLLM's engines, is asked in pieces and tells one by one.

Nodes need Ray and vLLM, not this package: this code, and the modules of ours that it uses, is sent to them.
"""

from __future__ import annotations

import asyncio
import getpass
import os
import pickle
import sys
import tempfile
from array import array
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from skythought import guard
from skythought.backends.vllm import asking, root_cause
from skythought.backends.vllm.asking import Asking
from skythought.backends.vllm.root_cause import told, why_dead
from skythought.guard import Guard

__all__ = ["BEAT_S", "Replica", "load", "ship"]

BEAT_S = 2.0
"""How long `news` waits before it tells that there is none."""

GATHER_S = 0.02
"""How long an answer waits for others to go with: a call costs about a millisecond of CPU on either side."""

LAST_WORDS_S = 1.0
"""A dying engine reports itself before it has written why."""

LOG_BYTES = 200_000
"""How much of the end of a log is read, for an engine that died."""


def ship() -> None:
    """Let Ray send this code along, instead of its name."""
    import ray

    for module in (sys.modules[__name__], asking, guard, root_cause):
        ray.cloudpickle.register_pickle_by_value(module)


def load(values: Mapping[str, Any]) -> Any:
    """vLLM's asynchronous engine with these arguments."""
    from vllm.engine.arg_utils import AsyncEngineArgs
    from vllm.v1.engine.async_llm import AsyncLLM

    return AsyncLLM.from_engine_args(AsyncEngineArgs(**values))


class Replica:
    """One engine, in an asynchronous actor. What goes to and fro is made of plain tuples."""

    def __init__(self, values: Mapping[str, Any], silence: float) -> None:
        """Load the engine. An error is kept for `start`.

        Args:
            values: The engine's arguments.
            silence: Seconds without a token after which an engine that has requests counts as hung.
        """
        self._running: dict[int, asyncio.Task[None]] = {}
        self._answers: list[tuple[Any, ...]] = []
        self._fault: str | None = None
        """What is wrong with the engine, in words that go behind "a replica"."""
        self._changed = asyncio.Event()
        self._silence = silence
        self._guard = _guard()
        try:
            self._engine = load(values)
            self._asking = Asking(self._engine)
        except BaseException as error:  # noqa: BLE001 -- the head decides what is to be done
            self._fault = self._why(error)

    def _why(self, error: BaseException) -> str:
        return why_dead(told(error), _log())

    async def start(self) -> tuple[tuple[int, list[int], int] | None, str | None]:
        """Once the engine is there, `Asking.limits`; or why it could not start."""
        if self._fault is not None:
            return None, self._fault
        self._watching = asyncio.create_task(self._watch())
        return self._asking.limits(), None

    async def _watch(self) -> None:
        await self._asking.hang(self._silence)
        self._fault = f"hangs: it has written no token for {self._silence:g} s"
        self._changed.set()

    async def ask(self, asked: bytes) -> None:
        """Begin with these requests, pickled: a number, tokens and sampling parameters each."""
        try:
            for number, tokens, sampling in pickle.loads(asked):
                self._running[number] = asyncio.create_task(self._answer(number, tokens, sampling))
        except Exception as error:  # noqa: BLE001 -- objects of another version of vLLM's
            self._fault = f"cannot read requests: {told(error)}"

    async def drop(self, number: int) -> None:
        """Nobody waits for this one any more."""
        if (task := self._running.pop(number, None)) is not None:
            task.cancel()

    async def news(self) -> bytes:
        """Since the last time, pickled: the answers, each its number and the fields of a `Completion`; and what is
        wrong with the engine, if anything is. Waits up to `BEAT_S`.
        """
        with suppress(TimeoutError):
            async with asyncio.timeout(BEAT_S):
                await self._changed.wait()
                await asyncio.sleep(GATHER_S)
        self._changed.clear()
        if self._fault is None and self._engine.errored:
            await asyncio.sleep(LAST_WORDS_S)
            self._fault = f"died: {self._why(self._engine.dead_error)}"
        answers, self._answers = self._answers, []
        return pickle.dumps((answers, self._fault))

    async def _answer(self, number: int, tokens: Any, sampling: Mapping[str, Any]) -> None:
        try:
            written, finish_reason = await self._asking.complete(tokens, sampling)
            self._answers.append((number, array("i", written), finish_reason))
        except Exception as error:  # noqa: BLE001 -- costs this request alone, unless the engine is gone
            if not self._engine.errored:
                why = told(error.__cause__ or error)
                self._answers.append((number, (), None, why, getattr(error, "parameter", None)))
        self._running.pop(number, None)
        self._changed.set()


def _guard() -> Guard:
    """vLLM's processes would outlive a replica that is killed, and keep its GPU; and what they leave in folders."""
    made = Guard()
    folder = made.add_folder()
    made.add(f"SKYTHOUGHT_REPLICA={folder}")
    cache = f"{tempfile.gettempdir()}/torchinductor_{getpass.getuser()}"  # torch's default, which is to stay
    os.environ.setdefault("TORCHINDUCTOR_CACHE_DIR", cache)
    os.environ |= {"SKYTHOUGHT_REPLICA": folder, "TMPDIR": folder, "VLLM_RPC_BASE_PATH": folder}
    return made


def _log() -> str:
    """The end of what this process and those that it started have printed: under Ray that goes to a file."""
    with suppress(OSError), open("/proc/self/fd/2", "rb") as file:
        file.seek(-min(LOG_BYTES, os.fstat(2).st_size), os.SEEK_END)
        return file.read().decode("utf-8", "replace")
    return ""
