"""A few hostile programs, to see with one's own eyes that the sandbox of this machine holds them."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from skythought.sandbox.outcome import Limits, Outcome
from skythought.sandbox.process import environment
from skythought.sandbox.sandbox import Sandbox

__all__ = ["TrialResult", "run_trials"]

_LIMITS = Limits(cpu_s=0.25, wall_factor=0.0, memory_bytes=256 << 20)


class TrialResult(NamedTuple):
    """One program, what had to happen to it, and whether it did."""

    name: str
    held: bool
    outcome: Outcome


class _Trial(NamedTuple):
    name: str
    program: str
    holds: Callable[[Outcome], bool]
    needs: tuple[str, ...] = ()
    """Any of these layers has to be there for it to be held."""


def _fails(outcome: Outcome) -> bool:
    return outcome.cause in ("exception", "killed")


def _trials(file: Path) -> list[_Trial]:
    """`file`: one that programs may not touch."""
    files, network = ("landlock", "private root"), ("seccomp", "namespaces")
    return [
        _Trial("a plain program runs", "print(6 * 7)", lambda outcome: outcome.ok and outcome.stdout == b"42\n"),
        _Trial("a loop without end", "while True: pass", lambda outcome: outcome.cause == "time limit"),
        _Trial("sleeping", "import time; time.sleep(60)", lambda outcome: outcome.cause == "time limit"),
        _Trial("taking memory", "x = bytearray(1 << 30)", lambda outcome: outcome.cause == "memory limit", ("limits",)),
        _Trial(
            "printing without end",
            "while True: print('x' * 1000000)",
            lambda outcome: outcome.cause == "output limit",
            ("limits",),
        ),
        _Trial("a segmentation fault", "import ctypes; ctypes.string_at(8)", lambda outcome: outcome.cause == "killed"),
        _Trial("reading a file", f"print(open({str(file)!r}).read())", _fails, files),
        _Trial("writing a file", f"open({str(file)!r}, 'w').write('x')", _fails, files),
        _Trial("removing a file", f"import os; os.remove({str(file)!r})", _fails, files),
        _Trial(
            "a connection",
            "import socket; socket.create_connection(('127.0.0.1', 9), 2)",
            lambda outcome: _fails(outcome) and "refused" not in outcome.error,
            ("seccomp",),
        ),
        _Trial("a look at the network", "import socket; socket.create_server(('', 0))", _fails, network),
        _Trial("starting processes", "import os; os.fork()", _fails, ("seccomp",)),
        _Trial("executing a program", "import os; os.execv('/bin/sh', ['sh'])", _fails, files),
        _Trial("ending other processes", "import os; os.kill(os.getppid(), 9)", _fails, ("seccomp",)),
        _Trial(
            "this process's environment",
            "import os; print(*os.environ)",
            lambda outcome: outcome.ok and {*outcome.stdout.decode().split()} <= environment().keys(),
        ),
    ]


def run_trials(sandbox: Sandbox) -> Iterator[TrialResult]:
    """Run each program alone; those whose layers are missing on this machine are left out."""
    found = sandbox.layers()["layers"]
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "untouched")
        file.write_text("untouched", encoding="utf-8")
        file.chmod(0o666)
        Path(folder).chmod(0o777)  # so that it is the sandbox, not the file's owner, that keeps programs away
        for trial in _trials(file):
            if trial.needs and not any(layer in found for layer in trial.needs):
                continue
            (outcome,) = sandbox.run_program(trial.program, [b""], limits=_LIMITS, alone=True)
            untouched = file.is_file() and file.read_text(encoding="utf-8") == "untouched"
            yield TrialResult(trial.name, trial.holds(outcome) and untouched, outcome)
