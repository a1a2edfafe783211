"""What runs on the cluster: Ray Data's stage for vLLM, fed from the head, its answers sent there one by one.

    head            mailbox (an actor beside it)        Ray Data                          replicas (its LLM stage)
    put ─────────▶  batches ─── take ─────────────────▶ source ─▶ a batch to a replica ─▶ claim, generate
    events ◀──────  answers ◀─────────────────────────────────────────────────────────── post, as each one ends

Ray Data places the replicas, hands out the batches and retries what fails. But it hands results on a batch at a time,
when the longest of it has ended; so answers do not take its way back. The mailbox holds every batch until all of it is
answered: what is tried again asks it what is still wanted (`claim`), and an answer that comes twice counts once.

Nodes need Ray and vLLM, not this package: what is here is sent to them. So it imports nothing of ours.
"""

from __future__ import annotations

import asyncio
import pickle
import subprocess
import sys
import threading
import uuid
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

__all__ = ["Mailbox", "make_source", "make_stage", "nothing", "ship"]

POLL_S = 5.0
"""How long `events` waits before it returns none."""

LOG_BYTES = 200_000
"""How much of the end of a log is sent to the head, for a replica that could not start."""

BATCH_COLUMN = "sampling_params"
"""Holds a batch, pickled. Ray's stage insists on a column of this name, and nothing else is sent."""


def ship() -> None:
    """Let Ray send the code of this module along, instead of its name."""
    import ray

    ray.cloudpickle.register_pickle_by_value(sys.modules[__name__])


class Mailbox:
    """Between the head and the cluster. An actor with asyncio; lives on the head's node, holds what is in flight."""

    def __init__(self) -> None:
        self._batches: dict[int, tuple[bytes, set[int]]] = {}
        """Payloads by number, each with the requests in it that are unanswered."""
        self._batch_of: dict[int, set[int]] = {}
        """For each unanswered request the batches that hold it: one, or more after a node was lost."""
        self._next = 0
        self._claimed: dict[int, tuple[str, str]] = {}
        """By which replica, in which of its lives."""
        self._nodes: dict[str, str] = {}
        """Where each replica is."""
        self._events: list[tuple[Any, ...]] = []
        self._changed = asyncio.Condition()
        self._closed = False

    async def put(self, ids: Sequence[int], payload: bytes) -> None:
        """A batch of requests, from the head."""
        self._add(set(ids), payload)
        await self._notify()

    async def take(self, number: int) -> bytes | None:
        """The payload of batch `number` when it is there; empty if nothing of it is wanted any more; None at the end.

        By number, because Ray may run the source again from its beginning.
        """
        async with self._changed:
            await self._changed.wait_for(lambda: self._closed or number < self._next)
        if self._closed:
            return None
        return self._batches.get(number, (b"", set()))[0]

    async def claim(self, replica: str, life: str, ids: Sequence[int]) -> list[int]:
        """Which of these requests a replica shall work on: unanswered ones that no living one works on already.

        A replica is an actor, whatever process it has; `life` tells those apart. Another life of an actor is over.
        """
        mine = []
        for i in ids:
            owner = self._claimed.get(i)
            if i in self._batch_of and (owner is None or (owner[0] == replica and owner[1] != life)):
                self._claimed[i] = (replica, life)
                mine.append(i)
        return mine

    async def post(self, answer: int, result: dict[str, Any]) -> None:
        """A request's answer. Only the first one counts."""
        if answer in self._batch_of:
            self._forget(answer)
            await self._tell("answer", answer, result)

    async def arrived(self, replica: str, node: str, facts: dict[str, Any]) -> None:
        """A replica's engine runs."""
        self._nodes[replica] = node
        await self._tell("arrived", replica, facts)

    async def failed(self, replica: str, error: str, log: str) -> None:
        """A replica's engine could not start."""
        await self._tell("failed", replica, error, log)

    async def lost(self, nodes: Sequence[str]) -> int:
        """Nodes are gone: what their replicas had, or may have been given, is offered to the others.

        Returns:
            How many requests that are.
        """
        dead = {replica for replica, node in self._nodes.items() if node in nodes}
        for replica in dead:
            del self._nodes[replica]
        self._claimed = {i: owner for i, owner in self._claimed.items() if owner[0] not in dead}
        waiting = {i for i in self._batch_of if i not in self._claimed}
        offered = len(waiting)
        for payload, ids in list(self._batches.values()):
            again = ids & waiting
            if again:
                waiting -= again
                self._add(again, payload)
        await self._notify()
        return offered

    async def drop(self, ids: Sequence[int]) -> None:
        """The head wants these no more."""
        for i in ids:
            if i in self._batch_of:
                self._forget(i)

    async def events(self) -> list[tuple[Any, ...]]:
        """What happened since the last call; waits up to `POLL_S` for something."""
        with suppress(TimeoutError):
            async with asyncio.timeout(POLL_S), self._changed:
                await self._changed.wait_for(lambda: bool(self._events))
        events, self._events = self._events, []
        return events

    async def close(self) -> None:
        """No more requests: the source ends, and the replicas end their engines."""
        self._closed = True
        await self._notify()

    async def closed(self) -> None:
        """Returns when it is."""
        async with self._changed:
            await self._changed.wait_for(lambda: self._closed)

    def _add(self, ids: set[int], payload: bytes) -> None:
        self._batches[self._next] = (payload, ids)
        for i in ids:
            self._batch_of.setdefault(i, set()).add(self._next)
        self._next += 1

    def _forget(self, answer: int) -> None:
        for number in self._batch_of.pop(answer):
            ids = self._batches[number][1]
            ids.discard(answer)
            if not ids:
                del self._batches[number]
        self._claimed.pop(answer, None)

    async def _tell(self, *event: Any) -> None:
        self._events.append(event)
        await self._notify()

    async def _notify(self) -> None:
        async with self._changed:
            self._changed.notify_all()


def make_source(mailbox: Any) -> Any:
    """A Ray datasource whose rows are the batches that the head puts into the mailbox, until it is closed."""
    import pyarrow as pa
    import ray
    from ray.data import Datasource, ReadTask
    from ray.data.block import BlockMetadata

    def read() -> Iterator[Any]:
        number = 0
        while (payload := ray.get(mailbox.take.remote(number))) is not None:
            yield pa.table({BATCH_COLUMN: pa.array([payload], pa.large_binary())})
            number += 1

    class Source(Datasource):  # type: ignore[misc]
        def get_read_tasks(self, parallelism: int, *args: Any, **kwargs: Any) -> list[Any]:
            metadata = BlockMetadata(num_rows=None, size_bytes=None, input_files=None, exec_stats=None)
            return [ReadTask(read, metadata)]

        def estimate_inmemory_data_size(self) -> None:
            return None

    return Source()


def make_stage(stage: Any, mailbox: Any) -> Any:
    """Ray's stage for vLLM, with a worker that posts each answer as it ends."""
    base = stage.fn

    class Replica(base):  # type: ignore[misc,valid-type]
        """One engine. Its actor is called with one row at a time, which holds a batch."""

        def __init__(self, *args: Any, **kwargs: Any) -> None:
            import ray

            context = ray.get_runtime_context()
            self.replica, self.life, self.mailbox = context.get_actor_id() or "", uuid.uuid4().hex, mailbox
            began = _log_size()
            try:
                super().__init__(*args, **kwargs)
                facts = {"actor": context.current_actor, **_facts(self.llm.engine)}
            except BaseException as error:
                ray.get(mailbox.failed.remote(self.replica, f"{type(error).__name__}: {error}", _log_since(began)))
                raise
            self.guard = _guard()
            ray.get(mailbox.arrived.remote(self.replica, context.get_node_id(), facts))
            threading.Thread(target=self._end_with_mailbox, daemon=True).start()

        async def udf(self, batch: list[dict[str, Any]]) -> AsyncIterator[dict[str, Any]]:
            for row in batch:
                await self._work(row[BATCH_COLUMN])
                yield {self.IDX_IN_BATCH_COLUMN: row[self.IDX_IN_BATCH_COLUMN], BATCH_COLUMN: b""}

        async def _work(self, payload: bytes) -> None:
            requests = pickle.loads(payload) if payload else []
            asked = [request[0] for request in requests]
            wanted = set(await self.mailbox.claim.remote(self.replica, self.life, asked))
            mine = [request for request in requests if request[0] in wanted]
            rows = [
                {self.IDX_IN_BATCH_COLUMN: number, "tokenized_prompt": list(tokens), "sampling_params": _final(params)}
                for number, (_, tokens, params) in enumerate(mine)
            ]
            if not rows:
                return
            async for output in super().udf(rows):
                answer = mine[output[self.IDX_IN_BATCH_COLUMN]][0]
                result = {
                    "error": output.get("__inference_error__") or None,
                    "tokens": _packed(output.get("generated_tokens") or ()),
                    "seconds": output.get("time_taken_llm", 0.0),
                }
                await self.mailbox.post.remote(answer, result)

        def _end_with_mailbox(self) -> None:
            """vLLM's processes do not end with the actor by themselves."""
            import ray

            with suppress(Exception):
                ray.get(self.mailbox.closed.remote())
            with suppress(Exception):
                self.llm.shutdown()

    Replica.__name__ = base.__name__
    return stage.model_copy(update={"fn": Replica})


GUARD = """
import os, signal, sys
sys.stdin.read()  # ends when the one at the other end of the pipe does, in whatever way
for pid in map(int, sys.argv[1:]):
    try:
        os.kill(pid, signal.SIGKILL)
    except OSError:
        pass
"""


def _guard() -> Any:
    """A process that ends what this one has started when this one is gone, or lets go of what is returned.

    vLLM's processes would outlive a replica that is killed, and keep its GPU.
    """
    import psutil  # type: ignore[import-untyped,unused-ignore]  # a dependency of vLLM and Ray

    started = [str(child.pid) for child in psutil.Process().children(recursive=True)]
    return subprocess.Popen(
        [sys.executable, "-S", "-c", GUARD, *started],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


def nothing(row: dict[str, Any]) -> dict[str, Any]:
    """The row that Ray Data hands on for a batch: the answers have taken the mailbox."""
    return {"done": True}


def _facts(engine: Any) -> dict[str, Any]:
    """What the head must know of the engine: its context, and the tokens that end a sequence."""
    config = engine.model_config
    ends = config.try_get_generation_config().get("eos_token_id")
    return {
        "max_model_len": int(config.max_model_len),
        "ends": [] if ends is None else [ends] if isinstance(ends, int) else list(ends),
    }


def _final(params: dict[str, Any]) -> dict[str, Any]:
    from vllm.sampling_params import RequestOutputKind

    return {**params, "output_kind": RequestOutputKind.FINAL_ONLY}


def _packed(tokens: Iterable[int]) -> Any:
    from array import array

    return array("i", tokens)


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
