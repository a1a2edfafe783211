"""The part of `benchmarks/vllm_throughput.py` that needs no engine: what batches one after another cost."""

from __future__ import annotations

import re
import subprocess
import sys

from places import ROOT
from scripts import benchmark


def test_streaming_keeps_every_slot_busy():
    script = benchmark("vllm_throughput")

    def even(_: int) -> float:
        return 1.0

    assert script.streaming([3, 5, 2], 2, even) == 5
    assert script.streaming([4] * 6, 2, even) == 12
    assert script.in_batches([1, 9, 1, 9], 2, 256, even) == 18
    assert script.streaming([1, 9, 1, 9], 256, even) == 9


def test_ten_times_for_thousands_of_requests():
    path = ROOT / "benchmarks" / "vllm_throughput.py"
    done = subprocess.run([sys.executable, path, "--simulate"], capture_output=True, text=True, check=True)
    (line,) = [line for line in done.stdout.splitlines() if line.startswith("step costs the same, sigma 1.0")]
    ratios = [float(number) for number in re.findall(r": ([\d.]+)(?:,|$)", line)]
    assert len(ratios) == 3
    assert ratios == sorted(ratios)
    assert ratios[1] > 10
