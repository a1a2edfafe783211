"""What runs on the cluster: an actor that holds one of vLLM's engines, is asked in pieces and tells one by one.

Nodes need Ray and vLLM, not this package: the code of this module is sent to them. So it imports nothing of ours.
"""

from __future__ import annotations

import asyncio
import os
import pickle
import subprocess
import sys
from array import array
from collections.abc import Iterable, Mapping
from contextlib import aclosing, suppress
from pathlib import Path
from typing import Any, NamedTuple

__all__ = ["Answer", "Asked", "News", "Replica", "begin", "load", "ship"]

BEAT_S = 2.0
"""How long `news` waits before it tells that there is none."""

GATHER_S = 0.02
"""How long an answer waits for others to go with: a call costs about a millisecond of CPU on either side."""

LAST_WORDS_S = 1.0
"""A dying engine reports itself before it has written why."""

LOG_BYTES = 200_000
"""How much of the end of a log is sent to the head, for an engine that died."""


class Asked(NamedTuple):
    """A request."""

    number: int
    tokens: Any
    """Those of the prompt, an `array`: small when pickled."""
    sampling: Mapping[str, Any]
    """Arguments of vLLM's `SamplingParams`."""


class Answer(NamedTuple):
    """What the engine made of a request."""

    number: int
    tokens: Any = ()
    """An `array`."""
    finish_reason: str | None = None
    error: str | None = None
    parameter: str | None = None
    """The sampling parameter that is at fault."""


class News(NamedTuple):
    """Of a replica, since the last ones."""

    tokens: int
    """Written so far, all requests together."""
    answers: list[Answer]
    dead: tuple[str, str] | None
    """Error, and end of the log, of an engine that died."""


def ship() -> None:
    """Let Ray send the code of this module along, instead of its name."""
    import ray

    ray.cloudpickle.register_pickle_by_value(sys.modules[__name__])


def load(values: Mapping[str, Any]) -> Any:
    """vLLM's asynchronous engine with these arguments."""
    from vllm.engine.arg_utils import AsyncEngineArgs
    from vllm.v1.engine.async_llm import AsyncLLM

    return AsyncLLM.from_engine_args(AsyncEngineArgs(**values))


def begin(engine: Any, asked: Asked, name: str) -> Any:
    """Let an engine begin with a request: an asynchronous generator of vLLM's outputs."""
    from vllm.inputs import tokens_input
    from vllm.sampling_params import RequestOutputKind, SamplingParams

    params = SamplingParams(**asked.sampling, output_kind=RequestOutputKind.FINAL_ONLY)
    return engine.generate(tokens_input(list(asked.tokens)), params, name)


class Replica:
    """One engine, in an asynchronous actor."""

    def __init__(self, values: Mapping[str, Any]) -> None:
        """Load the engine. An error is kept for `start`."""
        self._running: dict[int, asyncio.Task[None]] = {}
        self._asked = 0
        self._tokens = 0
        self._answers: list[Answer] = []
        self._dead: tuple[str, str] | None = None
        self._changed = asyncio.Event()
        self._began = _log_size()
        self._guard = _guard()
        try:
            self._engine = load(values)
            self._count_tokens()
        except BaseException as error:  # noqa: BLE001 -- the head decides what is to be done
            self._dead = (f"{type(error).__name__}: {error}", _log_since(self._began))

    async def start(self) -> tuple[tuple[int, list[int], int] | None, tuple[str, str] | None]:
        """Once the engine is there its context in tokens, those that end a sequence by the model's generation config,
        and how many requests it works on at a time. Or error and log of one that could not start.
        """
        if self._dead is not None:
            return None, self._dead
        config = self._engine.model_config
        ends = config.try_get_generation_config().get("eos_token_id")
        slots = self._engine.vllm_config.scheduler_config.max_num_seqs
        return (int(config.max_model_len), [ends] if isinstance(ends, int) else list(ends or ()), int(slots)), None

    async def ask(self, asked: bytes) -> None:
        """Begin with these requests, pickled."""
        for request in map(Asked._make, pickle.loads(asked)):
            self._running[request.number] = asyncio.create_task(self._answer(request))

    async def drop(self, numbers: Iterable[int]) -> None:
        """Nobody waits for these any more."""
        for number in numbers:
            if (task := self._running.pop(number, None)) is not None:
                task.cancel()

    async def news(self) -> bytes:
        """The fields of `News`, pickled; waits up to `BEAT_S` for an answer."""
        with suppress(TimeoutError):
            async with asyncio.timeout(BEAT_S):
                await self._changed.wait()
                await asyncio.sleep(GATHER_S)
        self._changed.clear()
        if self._dead is None and self._engine.errored:
            await asyncio.sleep(LAST_WORDS_S)
            self._dead = (str(self._engine.dead_error), _log_since(self._began))
        answers, self._answers = self._answers, []
        # Plain tuples: on the other side these classes are others.
        return pickle.dumps((self._tokens, [tuple(answer) for answer in answers], self._dead))

    async def _answer(self, asked: Asked) -> None:
        try:
            answer = await self._complete(asked)
        except Exception as error:  # noqa: BLE001 -- costs this request alone, unless the engine is gone
            if self._engine.errored:
                self._changed.set()
                return
            cause = " ".join(str(error.__cause__ or error).split()) or type(error).__name__
            answer = Answer(asked.number, error=cause, parameter=getattr(error, "parameter", None))
        self._running.pop(asked.number, None)
        self._answers.append(answer)
        self._changed.set()

    async def _complete(self, asked: Asked) -> Answer:
        self._asked += 1
        async with aclosing(begin(self._engine, asked, str(self._asked))) as outputs:
            async for output in outputs:
                if output.finished:
                    done = output.outputs[0]
                    return Answer(asked.number, array("i", done.token_ids), done.finish_reason)
        raise RuntimeError("no output")

    def _count_tokens(self) -> None:
        """vLLM tells of a request when it has ended; that it is at work shows in what comes from its core."""
        core = self._engine.engine_core
        receive = core.get_output_async

        async def counted() -> Any:
            outputs = await receive()
            self._tokens += sum(len(output.new_token_ids) for output in outputs.outputs)
            return outputs

        core.get_output_async = counted


MARK = "SKYTHOUGHT_REPLICA"

GUARD = """
import os, signal, sys
sys.stdin.read()  # ends when the one at the other end of the pipe does, in whatever way
mark = sys.argv[1].encode()
for pid in filter(str.isdigit, os.listdir("/proc")):
    try:
        ours = mark in open(f"/proc/{pid}/environ", "rb").read()
        # It removes what the others leave in /dev/shm, and then ends by itself.
        if ours and b"resource_tracker" not in open(f"/proc/{pid}/cmdline", "rb").read():
            os.kill(int(pid), signal.SIGKILL)
    except OSError:
        pass
"""


def _guard() -> Any:
    """A process that ends what this one starts from now on when this one is gone.

    vLLM's processes would outlive a replica that is killed, and keep its GPU. They are known by a variable, so those
    count that are started while the engine loads, and their own.
    """
    environment = {name: value for name, value in os.environ.items() if name != MARK}
    os.environ[MARK] = f"replica-{os.getpid()}-{os.urandom(8).hex()}"
    return subprocess.Popen(
        [sys.executable, "-S", "-c", GUARD, os.environ[MARK]],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
        env=environment,
    )


def _log() -> Path:
    """The file that this process prints its errors to: under Ray, and on Linux, there is one."""
    return Path("/proc/self/fd/2")


def _log_size() -> int:
    with suppress(OSError):
        return _log().stat().st_size
    return 0


def _log_since(began: int) -> str:
    """What this process and those that it started have logged since its log was so long."""
    with suppress(OSError), _log().readlink().open("rb") as file:
        file.seek(max(began, _log_size() - LOG_BYTES))
        return file.read().decode("utf-8", "replace")
    return ""
