"""How slow this machine is beside the one that time limits are meant for: a short computation, measured once.

Limits of time are given for a server's core of 2020 or so. Where the same computation takes longer, they are longer.
"""

from __future__ import annotations

import functools
import math
import subprocess
import sys
import time

__all__ = ["LARGEST", "scale_of", "time_scale"]

REFERENCE_S = 0.004
"""CPU seconds that the computation takes on the machine that limits are meant for (3.6 ms on an AMD EPYC of 2023)."""
LARGEST = 8.0
"""No limit is made longer than this many times, whatever was measured."""
_TIMES = 9
_STEP = 0.25
_TIMEOUT_S = 60.0


def scale_of(measured_s: float) -> float:
    """What limits of time are multiplied by where the computation takes so long: 1 to 8, in quarters, rounded up."""
    return min(max(math.ceil(measured_s / REFERENCE_S / _STEP) * _STEP, 1.0), LARGEST)


@functools.cache
def time_scale() -> float:
    """What limits of time are multiplied by on this machine; 1 also if it cannot be measured.

    Measured once a process and inherited by its forks, so that all workers of a pool have the same limits. In a fresh
    interpreter: a debugger or a coverage tool in this one would make it look slow.
    """
    command = [sys.executable, "-I", "-S", "-B", __file__]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_TIMEOUT_S, check=True)
        return scale_of(float(done.stdout))
    except (OSError, ValueError, subprocess.SubprocessError):
        return 1.0


def _computation() -> int:
    """What programs of contests do: arithmetic, a dictionary, strings, sorting."""
    counts: dict[int, int] = {}
    value = 1
    for number in range(20_000):
        value = (value * 1103515245 + 12345) % 2147483648
        counts[value % 1000] = counts.get(value % 1000, 0) + number
    return len(sorted(f"{key}:{count}" for key, count in counts.items()))


def _measured_s() -> float:
    """CPU seconds, the best of some times: what others do on the machine meanwhile hardly shows in it."""
    best = math.inf
    for _ in range(_TIMES):
        started = time.process_time()
        _computation()
        best = min(best, time.process_time() - started)
    return best


if __name__ == "__main__":
    sys.stdout.write(str(_measured_s()))
