"""CPU per sample of 20 short stdin tests: the sandbox, a bare fork, and a harness in the manner of the published ones.

    python benchmarks/sandbox_cost.py [samples] [rounds]

All run the same programs on the same inputs and compare the same outputs, in turn, each in a process of its own:

- sandbox: all layers that this machine has; then with one layer left out at a time: the difference is what it costs.
- bare fork: a process forked for each sample from a small warm one; tests in it one after the other, not protected.
- LiveCodeBench's way: what its published harness does, written anew (see `_graded`), from a process that has numpy,
  datasets and tqdm loaded as its own has. "from a small process" is the same without these.
- manager: only the processes of that way, a process and a `multiprocessing.Manager` for each sample from the loaded
  process; tests as in the bare fork, under an alarm.
- exec: a fresh interpreter for each test, fed by pipes (fewer samples).

CPU seconds are those of a contender and all its children without its start, which a loaded machine changes less than
wall-clock times. Exits with 1 if the sandbox costs more than twice the bare fork, or LiveCodeBench's way less than five
times the sandbox.
"""

from __future__ import annotations

import ast
import builtins
import collections
import contextlib
import faulthandler
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
import shutil
import signal
import statistics
import subprocess
import sys
import textwrap
import time
import types
from collections.abc import Callable
from unittest import mock

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


_MODULES = (
    "string re datetime collections heapq bisect copy math random statistics itertools functools operator io sys json"
)
WRAPPED_IMPORTS = "".join(
    [
        *(f"from {name} import *\n" for name in [*_MODULES.split(), "builtins", "typing"]),
        *(f"import {name}\n" for name in _MODULES.split()),
        "sys.setrecursionlimit(50000)\n",
    ]
)
"""What LiveCodeBench puts before each program."""


def _as_function(source: str) -> str:
    """The program as the body of a function, without its main guard, its imports before it: parsed and printed."""
    tree = ast.parse(source)
    guard = tree.body[-1]
    if isinstance(guard, ast.If) and ast.unparse(guard.test) == "__name__ == '__main__'":
        tree = ast.parse(f"{ast.unparse(ast.Module(tree.body[:-1], []))}\n{ast.unparse(ast.Module(guard.body, []))}")
    imports = [step for step in tree.body if isinstance(step, ast.Import | ast.ImportFrom)]
    others = [step for step in tree.body if step not in imports]
    body = textwrap.indent(ast.unparse(ast.Module(others, [])), "    ")
    return f"{WRAPPED_IMPORTS}\n{ast.unparse(ast.Module(imports, []))}\ndef wrapped():\n{body}\n"


OUT_OF_REACH = {
    builtins: "quit exit",
    os: "kill system putenv remove removedirs rmdir fchdir setuid fork forkpty killpg rename renames truncate replace "
    "unlink fchmod fchown chmod chown chroot lchown getcwd chdir",
    shutil: "rmtree move chown",
    subprocess: "Popen",
}
NOT_IMPORTED = "ipdb joblib resource psutil tkinter"


def _guard() -> None:
    """Functions and modules put out of reach."""
    faulthandler.disable()
    for module, names in OUT_OF_REACH.items():
        for name in names.split():
            setattr(module, name, None)
    for name in NOT_IMPORTED.split():
        sys.modules[name] = None  # type: ignore[assignment]


def _called(function: Callable[[], object], data: str) -> None:
    """One call, its input by five patches: `open` as a mock, standard input and its three ways to be read."""
    lines = iter(data.split("\n"))

    def line(*_: object) -> str:
        return next(lines)

    def all_lines(*_: object) -> list[str]:
        return data.split("\n")

    def everything(*_: object) -> str:
        return data

    with (
        mock.patch("builtins.open", mock.mock_open(read_data=data)),
        mock.patch("sys.stdin", io.StringIO(data)),
        mock.patch("sys.stdin.readline", line),
        mock.patch("sys.stdin.readlines", all_lines),
        mock.patch("sys.stdin.read", everything),
    ):
        function()


def _graded(source: str, tests: str, results: list[list[bool]], details: list[dict[str, float]]) -> None:
    """In a process of its own, all tests of a sample, as LiveCodeBench grades programs that read standard input.

    From lcb_runner/evaluation/testing_util.py of github.com/LiveCodeBench/LiveCodeBench at 15808c7: its steps, in its
    order, in our words. The guard, the tests out of JSON, the program as a function after a list of imports, then for
    each test an alarm, the fault handler, standard output in memory, patched input, and lines compared when stripped.
    """
    signal.signal(signal.SIGALRM, signal.default_int_handler)
    _guard()
    cases = json.loads(tests)
    module = types.ModuleType("solution")
    signal.alarm(6)
    exec(_as_function(source), module.__dict__)  # the programs are above
    signal.alarm(0)
    passed, seconds = [], 0.0
    for data, expected in zip(cases["inputs"], cases["outputs"], strict=True):
        signal.alarm(6)
        faulthandler.enable()
        captured, started = io.StringIO(), time.time()
        with contextlib.redirect_stdout(captured):
            _called(module.wrapped, data)
        seconds += time.time() - started
        signal.alarm(0)
        faulthandler.disable()
        got, wanted = ([line.strip() for line in text.strip().split("\n")] for text in (captured.getvalue(), expected))
        passed.append(got == wanted)
    results.append(passed)
    details.append({"execution time": seconds})


def by_livecodebench(samples: list[Sample]) -> None:
    """As lcb_runner/evaluation/compute_code_generation_metrics.py checks each sample, there in one of its workers."""
    for source, inputs, outputs in samples:
        tests = json.dumps({"inputs": [data.decode() for data in inputs], "outputs": outputs})
        manager = multiprocessing.Manager()
        results, details = manager.list(), manager.list()
        process = multiprocessing.Process(target=_graded, args=(source, tests, results, details))
        process.start()
        process.join(timeout=7 * len(json.loads(tests)["inputs"]) + 5)
        assert results[0] == [True] * TESTS, details[0]


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


LIVECODEBENCH = "LiveCodeBench's way"
EVERYTHING = ("namespaces", "private root", "landlock", "seccomp", "limits")


def contenders() -> dict[str, Callable[[list[Sample]], None]]:
    """Name -> how it runs samples."""
    found: dict[str, Callable[[list[Sample]], None]] = {
        "sandbox": by_sandbox,
        "bare fork": by_bare_fork,
        LIVECODEBENCH: by_livecodebench,
        f"{LIVECODEBENCH}, from a small process": by_livecodebench,
        "manager": by_manager,
        "exec a test": by_exec,
    }
    for layer in EVERYTHING:
        left_out = (layer, "private root") if layer == "namespaces" else (layer,)
        found[f"sandbox without {layer}"] = functools.partial(by_sandbox, without=left_out)
    found["sandbox without all of these"] = functools.partial(by_sandbox, without=EVERYTHING)
    return found


def contend(name: str, count: int) -> None:
    """In a process of its own: measure one contender and print CPU and wall milliseconds a sample."""
    if name in (LIVECODEBENCH, "manager"):
        for heavy in ("numpy", "datasets", "tqdm"):
            with contextlib.suppress(ImportError):
                importlib.import_module(heavy)
    if name == "exec a test":
        count = max(2, count // 20)
    print(json.dumps(measured(contenders()[name], [sample(number) for number in range(count)])))


def main() -> int:
    """Measure in turn, print the medians, and say whether the two ratios are as they should be."""
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
        print(f"{name:<42} CPU {medians[name]:7.2f}  {medians[name] / fork:6.2f} x fork   wall {wall:7.2f}")
    over_fork = medians["sandbox"] / fork
    gained = medians[LIVECODEBENCH] / medians["sandbox"]
    print(f"sandbox / bare fork: {over_fork:.2f} (at most 2); {LIVECODEBENCH} / sandbox: {gained:.1f} (at least 5)")
    print(f"{LIVECODEBENCH}: its published harness's steps written anew, not its own code")
    return 0 if over_fork <= 2 and gained >= 5 else 1


if __name__ == "__main__":
    sys.exit(main())
