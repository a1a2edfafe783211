"""Are the responses the same, byte for byte, however the requests are run? Prints the table of docs/reproducibility.md.

    python benchmarks/same_numbers.py [--problems 32] [--only vllm,transformers,served,ray] [--ray-args address=...]

The bundled model with `--reproducible` on the task `arithmetic`: greedy, one sample a problem, and sampled at
temperature 0.7 with four. Compared with the first row are text, finish reason and number of tokens of each response.
Transformers draws its samples from another stream of random numbers, so it is compared greedy alone.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import importlib.util
import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("VLLM_CPU_KVCACHE_SPACE", "1")

from skythought.backends.base import Backend
from skythought.models.library import load_model
from skythought.pipeline.arguments import key_values
from skythought.pipeline.generate import generate
from skythought.pipeline.options import Options
from skythought.pipeline.plan import make_plan
from skythought.pipeline.resume import open_run
from skythought.runs.folder import RunFolder
from skythought.types import SampleKey

SAMPLINGS: dict[str, dict[str, Any]] = {
    "greedy": {"sampling_params": {"temperature": 0.0, "max_tokens": 256}, "n": 1},
    "sampled": {"sampling_params": {"temperature": 0.7, "max_tokens": 256}, "n": 4},
}
VLLM = {"max_model_len": 1024}
RAY = {"max_model_len": 1024, "tensor_parallel_size": 1}
START_S = 180
SERVE = """
import importlib.metadata as metadata, os, threading, time
def watch(parent):
    while os.getppid() == parent:
        time.sleep(1)
    os.killpg(0, 9)
threading.Thread(target=watch, args=(os.getppid(),), daemon=True).start()
try:
    metadata.version("vllm")
except metadata.PackageNotFoundError:
    version = metadata.version
    metadata.version = lambda name: version("vllm-cpu") + "+cpu" if name == "vllm" else version(name)
from vllm.entrypoints.cli.main import main
main()
"""
"""The command `vllm`, ended with the process that started it. As vllm-cpu 0.32 installs it, it looks for the version of
a package of another name, and fails."""

Said = tuple[str, str | None, int]
"""Text, finish reason and tokens of one response."""
Numbers = dict[SampleKey, Said]


def options(folder: Path, kind: str, backend: str, args: Mapping[str, Any], problems: int, *, resume: bool) -> Options:
    """A run of one kind (`SAMPLINGS`) on one backend."""
    return Options(
        task=("arithmetic",),
        model="tiny",
        backend=backend,
        backend_args=args,
        end=problems,
        result_dir=folder,
        resume=resume,
        reproducible=True,
        **SAMPLINGS[kind],
    )


def numbers(run: RunFolder) -> Numbers:
    """Everything that was said in a run."""
    responses = filter(None, map(run.response, run.keys()))
    return {r.key: (r.content, r.finish_reason, r.completion_tokens) for r in responses if r.error is None}


class Side:
    """One backend, started once, that answers the same requests again and again. Use as `async with Side(...)`."""

    def __init__(
        self, name: str, args: Mapping[str, Any], problems: int, *, started: Backend[Any] | None = None
    ) -> None:
        """`started`: a backend that runs already, with the arguments that `--reproducible` makes of these."""
        self.name, self.args, self.problems = name, args, problems
        with tempfile.TemporaryDirectory() as folder:
            plan = make_plan(options(Path(folder), "greedy", name, args, problems, resume=False), grade=False)
        self.backend = started or plan.engine.make()

    async def __aenter__(self) -> Side:
        await self.backend.__aenter__()
        return self

    async def __aexit__(self, *error: Any) -> None:
        await self.backend.__aexit__(*error)

    async def numbers(self, kind: str, in_flight: int, *, broken_after: int | None = None) -> Numbers:
        """What a run says. With `broken_after` it is broken off after so many responses, and then resumed."""
        with tempfile.TemporaryDirectory() as folder:
            if broken_after is not None:
                await self._run(Path(folder), kind, max(2, in_flight // 2), stop_after=broken_after)
            return await self._run(Path(folder), kind, in_flight, resume=broken_after is not None)

    async def _run(
        self, folder: Path, kind: str, in_flight: int, *, resume: bool = False, stop_after: int | None = None
    ) -> Numbers:
        asked = options(folder, kind, self.name, self.args, self.problems, resume=resume)
        config = make_plan(asked, grade=False).configs[0]
        self.backend.batch_size = in_flight
        with open_run(config, asked).run as run:
            before = len(numbers(run))
            assert (before > 0) is resume
            async with contextlib.aclosing(generate(run, self.backend)) as answered:
                done = 0
                async for _ in answered:
                    done += 1
                    if done == stop_after:
                        break
            return numbers(run)


@contextlib.contextmanager
def vllm_serve(*flags: str, model: str | None = None, log: Path | None = None) -> Iterator[str]:
    """`vllm serve` with the bundled model, called `tiny`, on a free port of this machine: its address.

    Its limit on the tokens of one step is high: on the CPU the engine dies of a prompt with a seed that is read in two.
    """
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    given = f"--host 127.0.0.1 --port {port} --served-model-name tiny --max-model-len 1024 --dtype float32"
    given += " --enforce-eager --no-enable-prefix-caching --no-enable-chunked-prefill"
    given += " --generation-config vllm --max-num-batched-tokens 65536 --disable-uvicorn-access-log"
    command = [sys.executable, "-c", SERVE, "serve", model or load_model("tiny").weights]
    with contextlib.ExitStack() as stack:
        log = log or Path(stack.enter_context(tempfile.TemporaryDirectory()), "log")
        output = stack.enter_context(log.open("w"))
        # A group of its own, so that the engine's processes end with it.
        server = subprocess.Popen(
            [*command, *given.split(), *flags], stdout=output, stderr=output, start_new_session=True
        )
        try:
            deadline = time.monotonic() + START_S
            while not _healthy(port):
                if server.poll() is not None or time.monotonic() > deadline:
                    raise RuntimeError(f"vllm serve did not start: {log.read_text()[-3000:]}")
                time.sleep(0.2)
            yield f"http://127.0.0.1:{port}/v1"
        finally:
            server.terminate()
            try:
                server.wait(20)
            except subprocess.TimeoutExpired:
                os.killpg(server.pid, 9)
                server.wait()


def _healthy(port: int) -> bool:
    with (
        contextlib.suppress(OSError),
        urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=5) as answered,
    ):
        return bool(answered.status == 200)
    return False


class Row(NamedTuple):
    """One row of the table: how requests were run, and what came of it by kind of sampling."""

    name: str
    found: dict[str, Numbers]


async def rows(parts: set[str], problems: int, ray: Mapping[str, Any]) -> list[Row]:
    """Every way of running the requests, the reference first."""
    table: list[Row] = []

    async def add(name: str, side: Side, in_flight: int, kinds: tuple[str, ...], **how: Any) -> None:
        started = time.perf_counter()
        table.append(Row(name, {kind: await side.numbers(kind, in_flight, **how) for kind in kinds}))
        print(f"{name}: {time.perf_counter() - started:.0f} s", file=sys.stderr, flush=True)

    both = tuple(SAMPLINGS)
    async with Side("vllm", VLLM, problems) as side:
        await add("vllm, 64 in flight", side, 64, both)
        if "vllm" in parts:
            await add("vllm, 8 in flight", side, 8, both)
            await add("vllm, 1 in flight", side, 1, both)
            await add("vllm, broken after 10 responses and resumed", side, 64, both, broken_after=10)
    if "transformers" in parts:
        async with Side("transformers", {"max_model_len": 1024}, problems) as side:
            await add("transformers, 64 in flight", side, 64, ("greedy",))
            await add("transformers, 1 in flight", side, 1, ("greedy",))
    if "served" in parts:
        with vllm_serve() as url:
            async with Side("openai", {"base_url": url, "concurrency": 64}, problems) as side:
                await add("`vllm serve` through openai, 64 in flight", side, 64, both)
    if "ray" in parts and importlib.util.find_spec("ray") is not None:
        for replicas in (1, 2):
            async with Side("ray", {**RAY, **ray, "num_replicas": replicas}, problems) as side:
                await add(f"ray, {replicas} replica{'s' * (replicas > 1)}", side, 64, both)
    return table


def agreement(row: Row, reference: Row, kind: str) -> str:
    """How many responses of a row are those of the reference, for people."""
    if kind not in row.found:
        return ""
    ours, theirs = row.found[kind], reference.found[kind]
    return f"{sum(ours.get(key) == said for key, said in theirs.items())} of {len(theirs)}"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--problems", type=int, default=32)
    parser.add_argument("--only", default="vllm,transformers,served,ray")
    parser.add_argument("--ray-args", default="", help="further arguments of the ray backend")
    given = parser.parse_args()
    if importlib.util.find_spec("vllm") is None:
        sys.exit("vLLM is not installed.")
    ray = key_values(given.ray_args, "--ray-args")
    table = asyncio.run(rows(set(given.only.split(",")), given.problems, ray))
    print("| how the requests were run | greedy | temperature 0.7, n = 4 |\n|---|---|---|")
    for row in table:
        print(f"| {row.name} | {' | '.join(agreement(row, table[0], kind) for kind in SAMPLINGS)} |")


if __name__ == "__main__":
    main()
