"""What a confined program may use, and what came of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from skythought.errors import SkythoughtError

__all__ = ["Cause", "Limits", "Opaque", "Outcome", "SandboxError", "printable"]

Cause = Literal["ok", "exception", "time limit", "memory limit", "output limit", "killed", "sandbox error"]
"""How a test ended.

ok              the program came to its end (or `exit()`, `os._exit(0)`); what it put out is another matter
exception       it raised, did not compile, does not define what was asked for, or exited with another status than 0
time limit      CPU seconds, the wall-clock guard, or the budget of the sample
memory limit    `MemoryError`: more than `memory_bytes` above what the bare interpreter takes
output limit    wrote more than `output_bytes` to standard output, returned more, or filled its folder
killed          ended by a signal, e.g. a segmentation fault or a forbidden system call
sandbox error   not the program's fault: a layer or a process of ours failed. Never a verdict; try again.
"""


def printable(text: str, length: int = 1000) -> str:
    """A text that programs had a hand in, fit for tables and terminals: one line of valid, visible Unicode, shortened.

    Control characters (and with them a terminal's escape sequences), surrogates and the like are shown as escapes.
    """
    cut = text if len(text) <= length else text[: length - 3] + "..."
    if cut.isprintable():
        return cut
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in cut)


class SandboxError(SkythoughtError):
    """The sandbox cannot start or broke down. Not the program's fault, and never a verdict on it."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Limits of one test; `sample_*` of all tests of one sample together. Seconds and bytes."""

    cpu_s: float = 10.0
    """CPU seconds of a test, all its threads and both processes of a check together. What decides the time limit."""
    wall_factor: float = 3.0
    """The wall-clock guard, as a multiple of `cpu_s` plus one second, for programs that sleep. Time spent waiting for
    a busy core does not count where the kernel tells it."""
    memory_bytes: int = 1 << 30
    """Address space above what the bare interpreter takes."""
    output_bytes: int = 16 << 20
    """Standard output of a test, and the size of an encoded result. Longer output is cut there."""
    file_bytes: int = 64 << 20
    """All that is in the temporary folder together."""
    threads: int = 64
    """Threads at once. Other processes cannot be started at all where seccomp is in force."""
    open_files: int = 128
    sample_cpu_s: float | None = None
    """CPU seconds of all tests of a sample together, reruns included; None: no limit."""


@dataclass(frozen=True, slots=True)
class Opaque:
    """Stands for an object that is not plain data. Equal to nothing, not even to itself."""

    type_name: str

    def __eq__(self, other: object) -> bool:
        return False

    def __hash__(self) -> int:
        return id(self)


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one test ended. All of it is what an untrusted program says or did: data to compare, never a verdict."""

    cause: Cause
    error: str = ""
    """The last line of the traceback, with the line of the program (`ValueError: no (line 3)`), or what the limit was.
    One line, shortened."""
    stdout: bytes = b""
    """What a program wrote to standard output, up to `output_bytes`; empty for functions and checks."""
    value: Any = None
    """What a function returned: None, bool, int, float, complex, str, bytes, list, tuple, set, frozenset, dict of
    such, and the kinds of `sandbox.objects` (fractions, dates, ...); numpy arrays as lists; anything else `Opaque`.
    Subclasses come as the plain type. At most 200 levels deep."""
    exit_code: int | None = None
    """The status a program exited with, where it did so itself."""
    cpu_s: float = 0.0
    wall_s: float = 0.0
    alone: bool = True
    """Whether the test had a process of its own: nothing that an earlier test left behind can have touched it."""

    @property
    def ok(self) -> bool:
        """Whether the program came to its end; the test is passed only if what it put out is right as well."""
        return self.cause == "ok"
