"""`score --executor ray` against `--executor local` on the same cores: what the way over Ray costs.

    python benchmarks/score_executors.py [answers] [characters an answer] [rounds]

A cluster of one node with a logical CPU for each core of this machine stands all the
while, and the sides take turns. A folder with so many answers (20,000 of 400 characters by default) and one with three
times as many are scored; the difference of their times is without the start. Reported, as medians: answers a second,
the same by CPU time of this process alone, and how long the start takes.
"""

from __future__ import annotations

import os
import statistics
import sys
import tempfile
import time
from pathlib import Path

os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
os.environ.setdefault("RAY_worker_niceness", "0")

import skythought as st
from score_memory import make_folder

SAMPLES = 4


def score(folder: Path, address: str | None) -> tuple[float, float]:
    """Seconds by the clock and of this process's CPU."""
    began, cpu = time.monotonic(), time.process_time()
    st.score(
        "gsm8k", folder, executor="ray" if address else "local", ray_address=address, results="json", progress=False
    )
    return time.monotonic() - began, time.process_time() - cpu


def main() -> None:
    """Measure and print."""
    from ray.cluster_utils import Cluster

    numbers = [int(argument) for argument in sys.argv[1:]]
    answers, characters, rounds = numbers + [20_000, 400, 3][len(numbers) :]
    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": os.cpu_count(), "include_dashboard": False})
    found: dict[str, list[tuple[float, float, float]]] = {"local": [], "ray": []}
    with tempfile.TemporaryDirectory() as name:
        small, large = Path(name, "small"), Path(name, "large")
        for folder, times in ((small, 1), (large, 3)):
            folder.mkdir()
            make_folder(folder, times * answers // SAMPLES, SAMPLES, characters)
        for number in range(rounds):
            for side in sorted(found, reverse=number % 2 == 1):
                address = cluster.address if side == "ray" else None
                (few, few_cpu), (many, many_cpu) = score(small, address), score(large, address)
                found[side].append(((many - few) / 2, (many_cpu - few_cpu) / 2, few - (many - few) / 2))
    cluster.shutdown()
    for side, rows in found.items():
        wall, cpu, start = (statistics.median(column) for column in zip(*rows, strict=True))
        print(
            f"{side:5} {answers / wall:8,.0f} answers a second, {answers / cpu:8,.0f} a second of this process's CPU, "
            f"start {start:.1f} s"
        )


if __name__ == "__main__":
    main()
