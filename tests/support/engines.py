"""Engines that several tests share, because their start is what takes the time."""

from __future__ import annotations

import asyncio
import os
import subprocess
import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from asking import ask

from skythought.backends.base import Backend
from skythought.backends.vllm.backend import VLLMBackend
from skythought.models.library import load_model
from skythought.types import Request, Response, SampleKey, sample_seed

CONTEXT = 1024
VLLM_ARGS = {"dtype": "float32", "enforce_eager": True, "max_model_len": CONTEXT}
"""Of vLLM engines, wherever they run; with them the answers are the same everywhere."""


@contextmanager
def small_engines(logs: Path) -> Iterator[None]:
    """vLLM's engines that are started meanwhile get little memory for their cache, and keep their logs in a folder."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("VLLM_CPU_KVCACHE_SPACE", "1")
        patch.setattr(tempfile, "tempdir", str(logs))
        yield


class OneEngine:
    """vLLM in this process: started when a test first asks for it, and anew after a test has ended it."""

    def __init__(self, loop: asyncio.Runner, logs: Path) -> None:
        self._loop = loop
        self._logs = logs
        self._backend: VLLMBackend | None = None

    def get(self) -> VLLMBackend:
        """The backend, running."""
        if self._backend is None:
            values, _ = VLLMBackend.reproducible({"max_model_len": CONTEXT})
            backend = VLLMBackend(load_model("tiny"), VLLMBackend.check_args(values))
            with small_engines(self._logs):
                self._loop.run(backend.__aenter__())
            self._backend = backend
        self._backend.batch_size = 64
        return self._backend

    def end(self) -> None:
        """End it, whatever state it is in."""
        if self._backend is not None:
            self._loop.run(self._backend.__aexit__(None, None, None))
            self._backend = None


def sums(problems: int, samples: int = 1, *, name: str = "", **sampling: Any) -> list[Request]:
    """Requests for sums; those of one `name` have other keys and seeds than those of any other."""
    found = []
    for number in range(problems):
        for sample in range(samples):
            question = f"What is {17 * number % 89 + 10} + {31 * number % 83 + 10}?"
            request = ask(question, sample=sample, **{"max_tokens": 200, **sampling})
            key = SampleKey(f"{name}{question}", sample)
            found.append(replace(request, key=key, seed=sample_seed(41, key)))
    return found


async def collect(backend: Backend[Any], requests: Iterable[Request]) -> dict[SampleKey, Response]:
    """All answers of a running backend by key, each key once, without the seconds, which are never the same."""
    found = [response async for response in backend.generate(requests)]
    assert len({response.key for response in found}) == len(found)
    return {response.key: replace(response, seconds=0) for response in found}


def texts(responses: dict[SampleKey, Response]) -> dict[SampleKey, str]:
    """What was said, by key; none may have failed."""
    assert not [response.error for response in responses.values() if response.error]
    return {key: response.content for key, response in responses.items()}


def engine_processes(pid: int) -> list[int]:
    """vLLM's engine core, then workers, below a process, without those that have ended and wait to be reaped."""
    listing = subprocess.run(["ps", "-eo", "pid=,ppid=,stat=,args="], capture_output=True, text=True, check=True)
    rows = {int(own): rest for own, *rest in (line.split(None, 3) for line in listing.stdout.splitlines())}
    found: list[int] = []
    generation = [pid]
    while generation:  # not by number: numbers start anew when they are used up
        generation = [own for own, (parent, *_) in rows.items() if int(parent) in generation]
        found += [own for own in generation if "VLLM" in rows[own][2] and "Z" not in rows[own][1]]
    return found


def shared_memory(pids: Iterable[int]) -> list[Path]:
    """What these processes have in /dev/shm. By number: a process's maps have the name that a semaphore was made under,
    not the one that it has.
    """
    numbers = set()
    for pid in pids:
        with suppress(OSError):
            maps = Path(f"/proc/{pid}/maps").read_text(encoding="utf-8").splitlines()
            numbers |= {line.split()[4] for line in maps if "/dev/shm/" in line}
    return [path for path in Path("/dev/shm").iterdir() if str(path.stat().st_ino) in numbers]


def no_engines_but(before: list[int]) -> bool:
    """Whether this process comes to have no other engines than these: even a killed one takes its time to be gone."""
    deadline = time.monotonic() + 60
    while not (gone := set(engine_processes(os.getpid())) <= set(before)) and time.monotonic() < deadline:
        time.sleep(0.1)
    return gone
