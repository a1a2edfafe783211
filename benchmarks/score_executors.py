"""`score --executor ray` against `--executor local` on the same cores: what the way over Ray costs.

    python benchmarks/score_executors.py [answers] [characters an answer] [rounds]

A cluster of one node with a logical CPU for each core of this machine stands all the while, and the sides take turns. A
folder with so many answers (20,000 of 400 characters by default) and one with three times as many are scored; the
difference is without the start. Reported, as medians: answers a second by the clock, and, as other work on the machine
cannot change it much, answers for a second of CPU time of this process, and of all processes together.
"""

from __future__ import annotations

import os
import statistics
import sys
import tempfile
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
os.environ.setdefault("RAY_worker_niceness", "0")

import skythought as st
from score_memory import make_folder

SAMPLES = 4


class Cpu(threading.Thread):
    """CPU seconds of all processes that this one has started and of itself: what they had used when last seen."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self._used: dict[int, float] = {}
        self.start()

    def run(self) -> None:
        import psutil

        me = psutil.Process()
        while True:
            for process in [me, *me.children(recursive=True)]:
                with suppress(psutil.Error):
                    self._used[process.pid] = sum(process.cpu_times()[:2])
            time.sleep(0.2)

    def used(self) -> float:
        """So far."""
        return sum(self._used.values())


class Measure(NamedTuple):
    """Seconds."""

    clock: float
    here: float
    all: float


def score(folder: Path, address: str | None, cpu: Cpu) -> Measure:
    """Of scoring one folder."""
    began, here, used = time.monotonic(), time.process_time(), cpu.used()
    executor = "ray" if address else "local"
    st.score("gsm8k", folder, executor=executor, ray_address=address, results="json", progress=False)
    return Measure(time.monotonic() - began, time.process_time() - here, cpu.used() - used)


def main() -> None:
    """Measure and print."""
    from ray.cluster_utils import Cluster

    numbers = [int(argument) for argument in sys.argv[1:]]
    answers, characters, rounds = numbers + [20_000, 400, 3][len(numbers) :]
    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": os.cpu_count(), "include_dashboard": False})
    cpu = Cpu()
    found: dict[str, list[tuple[float, ...]]] = {"local": [], "ray": []}
    with tempfile.TemporaryDirectory() as name:
        small, large = Path(name, "small"), Path(name, "large")
        for folder, times in ((small, 1), (large, 3)):
            folder.mkdir()
            make_folder(folder, times * answers // SAMPLES, SAMPLES, characters)
        for number in range(rounds):
            for side in sorted(found, reverse=number % 2 == 1):
                address = cluster.address if side == "ray" else None
                few, many = score(small, address, cpu), score(large, address, cpu)
                found[side].append(tuple(2 * answers / (b - a) for a, b in zip(few, many, strict=True)))
    cluster.shutdown()
    for side, rows in found.items():
        clock, here, everywhere = (statistics.median(column) for column in zip(*rows, strict=True))
        print(
            f"{side:5} {clock:8,.0f} answers a second; for a second of CPU time of this process {here:8,.0f}, "
            f"of all {everywhere:8,.0f}"
        )


if __name__ == "__main__":
    main()
