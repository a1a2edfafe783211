"""The process behind `LocalExecutor`: reads a call, runs it, writes the result, until its input ends."""

from __future__ import annotations

import faulthandler
import os
import pickle
import sys
import traceback
from pathlib import Path
from typing import Any, BinaryIO

GRACE_S = 60.0
"""How long after its deadline a call may still run if the parent, which should have killed it, is gone."""


def main() -> None:
    """Serve calls. What they print goes to standard error, never into the answers."""
    calls = sys.stdin.buffer
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    with open(os.devnull, encoding="utf-8") as nothing:
        _limit_memory(pickle.loads(_frame(calls)))
        sys.stdin = nothing
        while frame := _frame(calls):
            answer = pickle.dumps(_run(frame, answers))
            faulthandler.cancel_dump_traceback_later()
            answers.write(len(answer).to_bytes(8, "big") + answer)
            answers.flush()


def _run(frame: bytes, answers: BinaryIO) -> tuple[str, Any, str]:
    try:
        prepare, function, args, timeout_s = pickle.loads(frame)
        if prepare is not None:
            prepare[0](*prepare[1])
        answers.write(bytes(8))  # an empty frame: ready, the parent's clock starts
        answers.flush()
        # A watchdog thread in C: it works even while a single huge operation holds the interpreter's lock.
        faulthandler.dump_traceback_later(timeout_s + GRACE_S, exit=True, file=2)
        return "done", function(*args), ""
    except (MemoryError, RecursionError) as error:
        return "exhausted", None, f"ran out of {'stack' if isinstance(error, RecursionError) else 'memory'}"
    except Exception as error:  # noqa: BLE001 -- the boundary: whatever a call raises is its outcome
        place = traceback.extract_tb(error.__traceback__)[-1]
        return "raised", None, f"{type(error).__name__}: {error} ({Path(place.filename).name}:{place.lineno})"


def _frame(pipe: BinaryIO) -> bytes:
    """The next frame; empty at the end of the input."""
    size = int.from_bytes(pipe.read(8), "big")
    return pipe.read(size)


def _limit_memory(limit: int) -> None:
    try:
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    except (ImportError, ValueError, OSError):
        pass  # macOS refuses address-space limits; the deadline still holds


if __name__ == "__main__":
    main()
