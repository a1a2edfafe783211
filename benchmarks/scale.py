"""What a large run takes: start, memory, resuming, derived files, shards and their merging.

    python benchmarks/scale.py [--samples 10000,100000,1000000] [--keep FOLDER]

Each size is a whole `evaluate` of answers of 2 KB, four samples a problem, through an engine that answers at once, from
the dataset to the last file; then what comes after it, each step in a process of its own: continuing it, its samples as
JSON and as Parquet, and the same job in two shards that are merged. With --keep, runs that are in the folder already
are not made again. Times are seconds of the clock and, behind, of the CPU in the process that drives the run, for a
machine that does other things stretches the first. Peaks are the process' own (VmHWM).
"""

from __future__ import annotations

import argparse
import asyncio
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import skythought as st
from driver_memory import TASK, StandIn, peak
from skythought.api import execute
from skythought.backends.base import BackendArgs
from skythought.pipeline.options import Options
from skythought.pipeline.plan import make_plan
from skythought.pipeline.resume import open_run
from skythought.runs.folder import load
from skythought.runs.lock import Lock
from skythought.runs.results import derive
from skythought.types import Response

SAMPLES = 4
SHARDS = 2

Numbers = dict[str, float]


def options(folder: Path, **changes: Any) -> Options:
    """What every run here is made with; its rows and task are in `folder`."""
    return Options(
        task=(str(folder / "sums.yaml"),),
        model="tiny",
        backend="transformers",
        sampling_params={"temperature": 1.0, "max_tokens": 800},
        n=SAMPLES,
        batch_size=512,
        result_dir=folder,
        **changes,
    )


def run_of(folder: Path) -> Path:
    """The whole run that was made in a folder."""
    return next(path.parent for path in folder.glob("*/run.json") if "of" not in path.parent.name)


def evaluate(folder: Path, **changes: Any) -> Numbers:
    """A whole run; `start` is the time until the first answer is journalled."""
    plan = make_plan(options(folder, **changes), grade=True)
    plan = replace(plan, engine=replace(plan.engine, backend=StandIn, args=BackendArgs()))
    began = time.perf_counter()
    found: Numbers = {}

    async def work() -> None:
        async for step in execute(plan):
            if isinstance(step, Response) and not found:
                found["start"] = time.perf_counter() - began

    asyncio.run(work())
    return found


def make(folder: Path, samples: int) -> Numbers:
    """The rows, and the run over them."""
    with (folder / "rows.jsonl").open("w") as file:
        for number in range(samples // SAMPLES):
            question = f"Number {number}: what is 2 + 2? " + "Think about it. " * 30
            file.write(json.dumps({"question": question, "answer": "4"}) + "\n")
    (folder / "sums.yaml").write_text(TASK.format(rows=folder / "rows.jsonl"))
    return evaluate(folder)


def resume(folder: Path, samples: int) -> Numbers:
    """Open the finished run to go on with it, up to where the engine would start."""
    asked = options(folder, resume=True)
    run, _ = open_run(make_plan(asked, grade=True).configs[0], asked)
    with run:
        assert run.samples == samples
        assert not any(True for _ in run.pending())
        assert not any(True for _ in run.unscored())
    return {}


def as_json(folder: Path, samples: int) -> Numbers:
    """Derive `results.json`."""
    path = run_of(folder)
    with Lock(path) as lock, load(path, lock) as run:
        derive(run, form="json")
    return {"bytes": (path / "results.json").stat().st_size}


def as_parquet(folder: Path, samples: int) -> Numbers:
    """Derive `results.parquet/`."""
    path = run_of(folder)
    with Lock(path) as lock, load(path, lock) as run:
        derive(run, form="parquet")
    return {"bytes": sum(shard.stat().st_size for shard in (path / "results.parquet").iterdir())}


def shards(folder: Path, samples: int) -> Numbers:
    """The same job in shards, one after another here."""
    for number in range(1, SHARDS + 1):
        evaluate(folder, shard=f"{number}/{SHARDS}", results="none")
    return {}


def merge(folder: Path, samples: int) -> Numbers:
    """Put the shards together."""
    place = folder / "merged"
    merged = st.merge(*sorted(folder.glob("*-?of?")), result_dir=place, results="parquet")
    same = (run_of(folder) / "samples.jsonl", merged.path / "samples.jsonl")
    assert same[0].read_bytes() == same[1].read_bytes()
    return {}


STEPS: dict[str, Callable[[Path, int], Numbers]] = {
    "evaluate": make,
    "resume": resume,
    "results.json": as_json,
    "results.parquet": as_parquet,
    "two shards": shards,
    "merge": merge,
}


def measured(name: str, folder: Path, samples: int) -> Numbers:
    """One step in this process."""
    began, cpu = time.perf_counter(), time.process_time()
    found = STEPS[name](folder, samples)
    took = {"seconds": time.perf_counter() - began, "cpu": time.process_time() - cpu, "peak": peak()}
    return {**took, **found}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--samples", default="10000,100000")
    parser.add_argument("--keep", type=Path)
    parser.add_argument("--steps", default=",".join(STEPS))
    parser.add_argument("--step", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.step:
        print(json.dumps(measured(given.step, given.keep, int(given.samples))))
        return
    with tempfile.TemporaryDirectory() as temporary:
        for samples in given.samples.split(","):
            folder = (given.keep or Path(temporary)) / samples
            is_there = (folder / "sums.yaml").exists()
            folder.mkdir(parents=True, exist_ok=True)
            for name in given.steps.split(","):
                if name == "evaluate" and is_there:
                    continue
                command = [sys.executable, __file__, "--step", name, "--keep", str(folder), "--samples", samples]
                done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
                found = json.loads(done.stdout.splitlines()[-1])
                more = "".join(f"  {name} {found[name]:,.1f}" for name in ("start", "bytes") if name in found)
                times = f"{found['seconds']:8.1f} s {found['cpu']:8.1f} s CPU"
                print(f"{int(samples):>10,}  {name:16} {times}  peak {found['peak']:7.0f} MiB{more}", flush=True)


if __name__ == "__main__":
    main()
