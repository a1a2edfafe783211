"""A long run against a local endpoint: memory, file handles and CPU a request must stay flat.

    python benchmarks/soak.py [samples]

One `skythought.evaluate` of so many samples (100,000), 256 in flight, with journal, scoring and derived files. At every
tenth of the way it prints the process's resident memory, its open files, and the CPU time of a request since the last
tenth (this process alone).
"""

from __future__ import annotations

import asyncio
import multiprocessing
import sys
import tempfile
import time
from pathlib import Path

from endpoint_cpu import serve
from skythought.api import execute
from skythought.pipeline.options import Options
from skythought.pipeline.plan import make_plan
from skythought.types import Response


def resident_mb() -> float:
    """Resident memory of this process in MB, now."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * 4096 / 1e6


async def watch(plan_options: Options, samples: int) -> None:
    """Run, and print a line at every tenth of the way."""
    step = max(samples // 10, 1)
    answered, cpu, started = 0, time.process_time(), time.monotonic()
    async for event in execute(make_plan(plan_options, grade=True)):
        if isinstance(event, Response):
            answered += 1
            if answered % step == 0:
                used = time.process_time() - cpu
                cpu = time.process_time()
                files = len(list(Path("/proc/self/fd").iterdir()))
                passed = time.monotonic() - started
                print(
                    f"{answered:>8,} answers {passed:7.1f} s  {resident_mb():6.1f} MB  {files:4} files  "
                    f"{1000 * used / step:.2f} ms of CPU a request",
                    flush=True,
                )
    print(f"derived after {time.monotonic() - started:.1f} s, {resident_mb():.1f} MB")


def main() -> None:
    """Start the server, write the rows, run."""
    samples = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    here, there = multiprocessing.Pipe()
    server = multiprocessing.Process(target=serve, args=(there, 0.05), daemon=True)
    server.start()
    port = here.recv()
    with tempfile.TemporaryDirectory() as folder:
        rows = Path(folder) / "rows.jsonl"
        problems = samples // 4
        rows.write_text(
            "".join(f'{{"question": "What is {n} + 1?", "answer": "{n + 1}"}}\n' for n in range(problems)),
            encoding="utf-8",
        )
        options = Options(
            task=("arithmetic",),
            model="any",
            backend="openai",
            backend_args={"base_url": f"http://127.0.0.1:{port}/v1", "concurrency": 256},
            sampling_params={"temperature": 1.0, "max_tokens": 64},
            task_args={"dataset_path": str(rows)},
            n=4,
            result_dir=folder,
        )
        asyncio.run(watch(options, samples))
    server.terminate()


if __name__ == "__main__":
    main()
