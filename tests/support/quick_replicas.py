"""Replicas on a real Ray cluster that hold, instead of vLLM, an engine that answers at once: for tests of everything
around the engine. The actors are sent this module.
"""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from types import SimpleNamespace as Some
from typing import Any

import pytest

from skythought.backends.vllm.asking import Asking

__all__ = ["quick_replicas"]

FOLDER = "VLLM_QUICK_FOLDER"
"""Variables of this beginning reach the replicas."""


class QuickEngine:
    """In the place of vLLM's. It notes its process, its node, and how many GPUs it has itself, in its folder; a file
    there that is named `broken` keeps it from starting.
    """

    def __init__(self) -> None:
        import ray

        self.folder = Path(os.environ[FOLDER])
        if (broken := self.folder / "broken").exists():
            raise RuntimeError(broken.read_text() or "this engine cannot start")
        self.errored = False
        self.engine_core = Some(get_output_async=None)
        self.model_config = Some(max_model_len=4096, try_get_generation_config=dict)
        self.vllm_config = Some(scheduler_config=Some(max_num_seqs=8))
        context = ray.get_runtime_context()
        gpus = len(context.get_accelerator_ids().get("GPU", ()))
        (self.folder / f"replica-{os.getpid()}").write_text(f"{context.get_node_id()} {gpus}")


class QuickAsking(Asking):
    """Answers a prompt with its tokens turned round, as many as are asked for. A file named `hang` in the engine's
    folder is removed by the one that sees it first, which then says no more.
    """

    hangs = False

    async def _complete(self, tokens: Any, sampling: Mapping[str, Any]) -> tuple[list[int], str]:
        await asyncio.sleep(0.005)
        with suppress(OSError):
            (self._engine.folder / "hang").unlink()
            self.hangs = True
        if self.hangs:
            await asyncio.Event().wait()
        self._written += sampling["max_tokens"]
        return list(tokens)[::-1][: sampling["max_tokens"]], "length"


def load(values: Mapping[str, Any]) -> Any:
    """In the place of the function of the same name in `skythought.backends.ray.replica`."""
    del values
    return QuickEngine()


@contextmanager
def quick_replicas(folder: Path) -> Iterator[None]:
    """Replicas that start meanwhile hold a `QuickEngine`, with this folder."""
    import ray

    from skythought.backends.ray import replica

    ray.cloudpickle.register_pickle_by_value(sys.modules[__name__])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(replica, "load", load)
        patch.setattr(replica, "Asking", QuickAsking)
        patch.setenv(FOLDER, str(folder))
        yield
