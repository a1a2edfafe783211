"""CPU per sample of 20 short stdin tests: the sandbox, a bare fork, and a harness in the manner of the published ones.

    python benchmarks/sandbox_cost.py [samples] [rounds]

All run the same programs on the same inputs and compare the same outputs, in turn, each in a process of its own:

- sandbox: all layers that this machine has; then with one layer left out at a time: the difference is what it costs.
- bare fork: a process forked for each sample from a small warm one; tests in it one after the other, not protected.
- manager: a process and a `multiprocessing.Manager` for each sample, tests in it under an alarm, from a process that
  has numpy and datasets loaded, as LiveCodeBench's harness has. "manager, small" is the same from a small process.
- exec: a fresh interpreter for each test, fed by pipes (fewer samples).

CPU seconds are those of a contender and all its children without its start, which a loaded machine changes less than
wall-clock times. Exits with 1 if the sandbox costs more than twice the bare fork, or the manager less than five times
the sandbox.
"""

from __future__ import annotations

import collections
import contextlib
import functools
import heapq
import importlib
import io
import itertools
import json
import math
import multiprocessing
import os
import pickle
import resource
import signal
import statistics
import subprocess
import sys
import time
from collections.abc import Callable

from skythought.sandbox import Limits, Sandbox

LOADED = (collections, functools, heapq, itertools, math)
"""What a warm process has imported already."""

TESTS = 20
PROGRAM = """
import sys
from collections import Counter

def solve(values):
    best = Counter(values).most_common(1)[0][1]
    return sum(values) + {number} * best

def main():
    n = int(input())
    for _ in range(n):
        values = list(map(int, sys.stdin.readline().split()))
        print(solve(values))

if __name__ == "__main__":
    main()
"""


def sample(number: int) -> tuple[str, list[bytes], list[str]]:
    """A program, its inputs, the outputs to compare with."""
    inputs, outputs = [], []
    for test in range(TESTS):
        rows = [[(test * 7 + row * 3 + column) % 11 for column in range(20)] for row in range(5)]
        inputs.append(f"5\n{chr(10).join(' '.join(map(str, row)) for row in rows)}\n".encode())
        best = [max(row.count(value) for value in row) for row in rows]
        outputs.append("".join(f"{sum(row) + number * most}\n" for row, most in zip(rows, best, strict=True)))
    return PROGRAM.format(number=number), inputs, outputs


Sample = tuple[str, list[bytes], list[str]]


def by_sandbox(samples: list[Sample], without: tuple[str, ...] = ()) -> None:
    with Sandbox(limits=Limits(cpu_s=6), without=without) as sandbox:
        for source, inputs, outputs in samples:
            for outcome, expected in zip(sandbox.run_program(source, inputs), outputs, strict=True):
                assert outcome.stdout.decode() == expected, outcome


def in_process(source: str, inputs: list[bytes]) -> list[str]:
    """All tests in this process, standard input and output exchanged, as the published harnesses do."""
    code = compile(source, "solution", "exec")
    outputs = []
    for data in inputs:
        sys.stdin, captured = io.StringIO(data.decode()), io.StringIO()
        with contextlib.redirect_stdout(captured):
            exec(code, {"__name__": "__main__"})  # the programs are above
        outputs.append(captured.getvalue())
    return outputs


def by_bare_fork(samples: list[Sample]) -> None:
    for source, inputs, outputs in samples:
        readable, writable = os.pipe()
        pid = os.fork()
        if pid == 0:
            os.write(writable, pickle.dumps(in_process(source, inputs)))
            os._exit(0)
        os.close(writable)
        with open(readable, "rb") as pipe:
            assert pickle.load(pipe) == outputs
        os.waitpid(pid, 0)


def _managed(source: str, inputs: list[bytes], outputs: list[str], result: list[bool]) -> None:
    signal.signal(signal.SIGALRM, signal.default_int_handler)
    for data, expected in zip(inputs, outputs, strict=True):
        signal.alarm(6)
        result.append(in_process(source, [data]) == [expected])
        signal.alarm(0)


def by_manager(samples: list[Sample]) -> None:
    context = multiprocessing.get_context("fork")
    for source, inputs, outputs in samples:
        with context.Manager() as manager:
            result = manager.list()
            process = context.Process(target=_managed, args=(source, inputs, outputs, result))
            process.start()
            process.join(60)
            assert all(result)
            assert len(result) == TESTS


def by_exec(samples: list[Sample]) -> None:
    for source, inputs, outputs in samples:
        for data, expected in zip(inputs, outputs, strict=True):
            done = subprocess.run([sys.executable, "-c", source], input=data, capture_output=True, check=True)
            assert done.stdout.decode() == expected


def cpu_s() -> float:
    """CPU seconds of this process and of its ended children."""
    uses = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(use.ru_utime + use.ru_stime for use in uses)


def measured(run: Callable[[list[Sample]], None], samples: list[Sample]) -> tuple[float, float]:
    """CPU and wall milliseconds a sample, without what starting costs."""
    cpu, wall = cpu_s(), time.perf_counter()
    run(samples[:1])
    start_cpu, start_wall = cpu_s() - cpu, time.perf_counter() - wall
    cpu, wall = cpu_s(), time.perf_counter()
    run(samples)
    count = (len(samples) - 1) / 1000
    return (cpu_s() - cpu - start_cpu) / count, (time.perf_counter() - wall - start_wall) / count


EVERYTHING = ("namespaces", "private root", "landlock", "seccomp", "limits")


def contenders() -> dict[str, Callable[[list[Sample]], None]]:
    """Name -> how it runs samples."""
    found: dict[str, Callable[[list[Sample]], None]] = {
        "sandbox": by_sandbox,
        "bare fork": by_bare_fork,
        "manager": by_manager,
        "manager, small": by_manager,
        "exec a test": by_exec,
    }
    for layer in EVERYTHING:
        left_out = (layer, "private root") if layer == "namespaces" else (layer,)
        found[f"sandbox without {layer}"] = functools.partial(by_sandbox, without=left_out)
    found["sandbox without all of these"] = functools.partial(by_sandbox, without=EVERYTHING)
    return found


def contend(name: str, count: int) -> None:
    """In a process of its own: measure one contender and print CPU and wall milliseconds a sample."""
    if name == "manager":
        for heavy in ("numpy", "datasets"):
            with contextlib.suppress(ImportError):
                importlib.import_module(heavy)
    if name == "exec a test":
        count = max(2, count // 20)
    print(json.dumps(measured(contenders()[name], [sample(number) for number in range(count)])))


def main() -> int:
    """Measure in turn, print the medians, judge the two ratios."""
    if sys.argv[1:2] == ["--contend"]:
        contend(sys.argv[2], int(sys.argv[3]))
        return 0
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 100
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 5
    times: dict[str, list[tuple[float, float]]] = {name: [] for name in contenders()}
    for _ in range(rounds):
        for name in times:
            command = [sys.executable, __file__, "--contend", name, str(count)]
            done = subprocess.run(command, check=True, stdout=subprocess.PIPE)
            times[name].append(tuple(json.loads(done.stdout)))
    medians = {name: statistics.median(cpu for cpu, _ in values) for name, values in times.items()}
    fork = medians["bare fork"]
    print(f"{count} samples of {TESTS} tests, {rounds} rounds; milliseconds a sample, medians")
    for name, values in times.items():
        wall = statistics.median(wall for _, wall in values)
        print(f"{name:<32} CPU {medians[name]:7.2f}  {medians[name] / fork:6.2f} x fork   wall {wall:7.2f}")
    over_fork = medians["sandbox"] / fork
    gained = medians["manager"] / medians["sandbox"]
    print(f"sandbox / bare fork: {over_fork:.2f} (at most 2); manager / sandbox: {gained:.1f} (at least 5)")
    return 0 if over_fork <= 2 and gained >= 5 else 1


if __name__ == "__main__":
    sys.exit(main())
