"""What one uses: `Sandbox`, with one zygote process, and `Tests`, the outcomes of one sample's tests."""

from __future__ import annotations

import contextlib
import functools
import itertools
import os
import struct
import time
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, replace
from types import TracebackType
from typing import Any, Literal, NamedTuple, Self

from skythought.errors import UserError
from skythought.sandbox import codec
from skythought.sandbox.calibration import time_scale
from skythought.sandbox.channel import ChannelClosedError
from skythought.sandbox.outcome import Limits, Outcome, SandboxError, printable
from skythought.sandbox.process import ZygoteProcess, anonymous_file, read_range

__all__ = ["Sandbox", "Tests"]


_BATCH_TESTS, _BATCH_BYTES, _BATCH_S = 24, 1 << 20, 0.2
"""The most tests that are sent at once, their input, and the seconds that they may take if they take as long as the
last ones."""
_RESULT_MEMORY = 128 << 20
"""Bytes that a result may take in this process; one of `output_bytes` could take fifty times as much as it has."""
_ANSWER_S = 60.0
"""How much longer than its tests the zygote may take to answer before it counts as broken."""
_PAUSES_S = (0.0, 0.0, 0.2, 0.5, 1.0, 2.0)
"""Before each try to start a zygote, or to run tests whose process something has ended: memory may be short for a
moment, or somebody ends processes."""


class _Sample(NamedTuple):
    """A program, and how it is tested."""

    kind: Literal["program", "function", "check"]
    source: str
    options: dict[str, Any]
    limits: Limits
    alone: bool


class Tests(Iterator[Outcome]):
    """The outcomes of one sample's tests, in order. Each test runs when it is asked for: stop where you like.

    Tests share a process as long as all goes well, each with a fresh module and fresh descriptors; one that does not
    end with cause "ok" there is run again alone before its outcome is given, except in checks. So of each test one
    output is compared, once. `again()` is for looking into a program; a verdict that rests on it gives two tries.
    """

    def __init__(self, sandbox: Sandbox, sample: _Sample, inputs: Iterable[bytes]) -> None:
        self._sandbox, self._sample, self._inputs = sandbox, sample, iter(inputs)
        self._waiting: deque[bytes] = deque()
        self._more = True
        """Whether there may be inputs that have not been read yet."""
        self._done: deque[tuple[bytes, Outcome]] = deque()
        self._batch_size = 1
        """How many tests go to the zygote at once: one at first, more while all goes well."""
        self._last: tuple[bytes, Outcome] | None = None

    def __next__(self) -> Outcome:
        """Run the next test."""
        if not self._done:
            self._fill()
            if not self._waiting:
                self.close()
                raise StopIteration
            self._advance()
        data, outcome = self._done.popleft()
        self._last = (data, outcome)
        # A check that fails has compared: run again, its program would have two tries at each assert.
        return outcome if outcome.cause == "ok" or self._sample.kind == "check" else self.again()

    def _fill(self) -> None:
        """Read the inputs of the next batch, and one more to see whether it is the last; about a megabyte of them."""
        size = sum(map(len, self._waiting))
        while self._more and len(self._waiting) <= self._batch_size and (size < _BATCH_BYTES or not self._waiting):
            data = next(self._inputs, None)
            if data is None:
                self._more = False
                return
            self._waiting.append(data)
            size += len(data)

    def _advance(self) -> None:
        """Run the next batch, and settle how many tests the one after it has."""
        batch = list(itertools.islice(self._waiting, self._batch_size))
        while len(batch) > 1 and sum(map(len, batch)) > _BATCH_BYTES:
            batch.pop()
        last = not self._more and len(batch) == len(self._waiting)
        outcomes = self._sandbox._run(self, self._sample, batch, alone=self._sample.alone, last=last)
        self._done.extend(zip(batch, outcomes, strict=False))
        for _ in outcomes:
            self._waiting.popleft()
        well = len(outcomes) == len(batch) and all(outcome.cause == "ok" for outcome in outcomes)
        if self._sample.alone or not well or (outcomes[-1].exit_code is not None and self._batch_size == 1):
            self._batch_size = 1
        else:
            each_s = sum(outcome.wall_s for outcome in outcomes) / len(outcomes)
            self._batch_size = max(1, int(min(_BATCH_TESTS, _BATCH_S / max(each_s, 1e-6))))

    def again(self) -> Outcome:
        """The outcome of the last test in a fresh process: the same outcome if it had one already."""
        if self._last is None:
            raise ValueError("no test has run yet")
        data, outcome = self._last
        if not outcome.alone:
            last = not (self._more or self._waiting or self._done)
            (outcome,) = self._sandbox._run(self, self._sample, [data], alone=True, last=last)
            self._last = (data, outcome)
        return outcome

    def close(self) -> None:
        """End the sample's processes: call it if you stop early. Also done at the end, and when the next sample starts.

        Afterwards none of them is left.
        """
        self._inputs, self._more = iter(()), False
        self._waiting.clear()
        self._done.clear()
        self._sandbox._end(self)


class Sandbox:
    """Runs samples one after the other. Not for several threads at once; several sandboxes do not touch one another.

    A zygote process, which forks those that run programs, is started at first use and kept. It dies with this process,
    whatever kills that.
    """

    def __init__(self, level: str = "auto", *, limits: Limits | None = None, without: Iterable[str] = ()) -> None:
        """`level`: "auto" takes every layer there is; "strict" refuses to run without isolation of network and files.

        Args:
            limits: For all samples, unless a call gives its own. `file_bytes` is fixed here.
            without: Layers to leave out, for measuring what each costs and for trying what others have to do without.

        Raises:
            UserError: at first use, strict, and this machine cannot isolate network and files.
        """
        if level not in ("auto", "strict"):
            raise UserError(f"sandbox level {level!r} is not known. Known: auto, strict.")
        self.level = level
        self.limits = limits or Limits()
        self._without = sorted(without)
        self._zygote: ZygoteProcess | None = None
        self._tests: Tests | None = None

    def run_program(
        self, source: str, stdins: Iterable[bytes], *, limits: Limits | None = None, alone: bool = False
    ) -> Tests:
        """Run a program once for each standard input, as `__main__`.

        Args:
            source: Python text. What does not compile is an outcome of cause "exception".
            stdins: Read lazily, one for each outcome that is asked for.
            limits: Instead of the sandbox's own.
            alone: Give every test a process of its own.

        Raises:
            SandboxError: the sandbox cannot start, tried several times. What breaks later is a "sandbox error".
        """
        sample = _Sample("program", source, {}, limits or self.limits, alone)
        return Tests(self, sample, stdins)

    def call_function(
        self,
        source: str,
        name: str,
        calls: Iterable[Sequence[Any]],
        *,
        limits: Limits | None = None,
        alone: bool = False,
    ) -> Tests:
        """Call a function of a program, or a method of its `class Solution`, once for each list of arguments.

        The program is run afresh for each call, not as `__main__`. What it returns is `Outcome.value`.

        Args:
            source: Python text that defines the function, at any place in it.
            name: `f`, or `Solution.f`; a bare name is looked up in the module first, then in its `class Solution`.
            calls: Positional arguments, plain data (as `Outcome.value`, which see); read lazily.
        """
        sample = _Sample("function", source, {"name": name}, limits or self.limits, alone)
        return Tests(self, sample, (codec.encode(list(arguments)) for arguments in calls))

    def check(
        self,
        source: str,
        tests: Iterable[str],
        *,
        names: Sequence[str],
        preamble: str = "",
        limits: Limits | None = None,
        alone: bool = False,
    ) -> Tests:
        """Run test programs (asserts) that call the candidate's functions; an outcome "ok" is a passed test.

        The candidate runs in one confined process, the tests in another, where each of `names` is a stub that calls the
        candidate. Plain data crosses by value, so that all comparing happens beside the tests, out of the candidate's
        reach, and what a call changes in its arguments comes back. Functions, generators and other objects cross as
        handles: they can be used, and are equal to no plain data. docs/sandbox.md says what else crosses.

        Args:
            source: The candidate's program, run once (for each test, if `alone`), not as `__main__`.
            tests: Each is run in turn in one module: `check(candidate)` calls have to be part of the text.
            names: What the tests may use of the candidate: functions, classes. The first is the entry point: a
                candidate that does not define it fails every test. The stubs shadow what `preamble` defines.
            preamble: Trusted text run in the tests' module before: imports, helpers, HumanEval's prompt.

        The outcome's error names the test's line that failed.
        """
        options = {"names": list(names), "preamble": preamble}
        sample = _Sample("check", source, options, limits or self.limits, alone)
        return Tests(self, sample, (test.encode("utf-8", "replace") for test in tests))

    def layers(self) -> dict[str, Any]:
        """What is in force, for a run's summary: plain JSON. Starts the zygote if it is not there yet."""
        zygote = self._started()
        return {
            "level": self.level,
            "isolated": isolates(zygote.found),
            "layers": zygote.found,
            "missing": zygote.missing,
            "limits": asdict(self.limits),
            "time_scale": time_scale(),
        }

    def close(self) -> None:
        """End the zygote and all that belongs to it. The sandbox can be used again afterwards; it then restarts."""
        if self._zygote is not None:
            self._zygote.close()
        self._zygote = None

    def _started(self) -> ZygoteProcess:
        """The zygote; a new one in a fork of this process, as the other one belongs to the parent."""
        if self._zygote is not None and self._zygote.client_pid != os.getpid():
            self.close()
        if self._zygote is None:
            zygote = _new_zygote(self.limits, self._without)
            lacking = [what for what, there in isolates(zygote.found).items() if not there]
            if self.level == "strict" and lacking:
                zygote.close()
                raise UserError(
                    f"sandbox level 'strict' needs isolation of {' and '.join(lacking)}, which this machine does not "
                    "offer; `skythought sandbox` shows what is missing; level 'auto' runs with what there is."
                )
            self._zygote = zygote
        return self._zygote

    def _run(self, tests: Tests, sample: _Sample, batch: list[bytes], *, alone: bool, last: bool) -> list[Outcome]:
        """Some tests, up to the first that does not end well; tried again in a new zygote if the sandbox breaks.

        `last`: afterwards the sample's processes are not needed any more, and are ended.
        """
        outcomes = [Outcome("sandbox error")]
        for pause_s in _PAUSES_S:
            time.sleep(pause_s)
            zygote = self._started()
            try:
                outcomes = self._asked(zygote, tests, sample, batch, alone=alone, last=last)
            except OSError as error:
                outcomes = [Outcome("sandbox error", printable(f"the sandbox's process ended: {error}"))]
            if outcomes[-1].cause != "sandbox error":
                return outcomes
            self.close()
            if sample.kind == "check" and not zygote.out_of_reach:
                break  # the program may have ended it, having seen that an assert failed: it gets no other try
        return outcomes

    def _asked(
        self, zygote: ZygoteProcess, tests: Tests, sample: _Sample, batch: list[bytes], *, alone: bool, last: bool
    ) -> list[Outcome]:
        """What the zygote says of some tests. Raises OSError: it has ended, or this process can open no more files."""
        descriptors: list[int] = []
        try:
            descriptors.append(anonymous_file(b"".join(batch), sealed=len(batch) == 1))
            descriptors.append(anonymous_file(b""))
            news = None if zygote.sample is tests else self._described(zygote, sample, batch[0])
            zygote.sample, zygote.has_children = tests, not last
            sizes = struct.pack(f"={len(batch)}Q", *map(len, batch))
            answers = zygote.request(("test", news, sizes, alone, last), tuple(descriptors))
            return _outcomes(_unpacked(answers), descriptors[1], sample)
        finally:
            for descriptor in descriptors:
                os.close(descriptor)

    def _described(self, zygote: ZygoteProcess, sample: _Sample, data: bytes) -> tuple[Any, ...]:
        """What the zygote is told of a sample, once; from here on it may take as long as that allows."""
        limits = _scaled(sample.limits)
        # Ten times: as far as the zygote extends the limit of a program that waits for a busy core.
        zygote.set_timeout(10 * _BATCH_TESTS * (limits.cpu_s * limits.wall_factor + 1) + _ANSWER_S)
        text = sample.source + sample.options.get("preamble", "")
        modules = ["numpy"] if "numpy" in text or (sample.kind == "check" and b"numpy" in data) else []
        return (sample.kind, sample.source, sample.options, _as_dict(limits), modules)

    def _end(self, tests: Tests) -> None:
        zygote = self._zygote
        if zygote is not None and zygote.sample is tests and zygote.client_pid == os.getpid():
            zygote.sample = None
            if not zygote.has_children:
                return
            with contextlib.suppress(ChannelClosedError):
                zygote.request(("end",))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()


def _new_zygote(limits: Limits, without: list[str]) -> ZygoteProcess:
    """Raises SandboxError: it does not start, though it was tried several times."""
    for pause_s in _PAUSES_S[:-1]:
        time.sleep(pause_s)
        with contextlib.suppress(SandboxError):
            return ZygoteProcess(limits, without)
    time.sleep(_PAUSES_S[-1])
    return ZygoteProcess(limits, without)


@functools.cache
def _scaled(limits: Limits) -> Limits:
    """The limits that hold on this machine: more CPU time where it is slow."""
    scale, sample_s = time_scale(), limits.sample_cpu_s
    return replace(limits, cpu_s=scale * limits.cpu_s, sample_cpu_s=None if sample_s is None else scale * sample_s)


@functools.cache  # asdict costs more than a quick test
def _as_dict(limits: Limits) -> dict[str, Any]:
    return asdict(limits)


def isolates(found: dict[str, str]) -> dict[str, bool]:
    """Whether the layers in force keep the machine's files, and its network, out of reach: what "strict" asks for."""
    return {
        "files": "landlock" in found or "private root" in found,
        "network": "seccomp" in found or "namespaces" in found,
    }


def _unpacked(answers: Any) -> list[tuple[Any, ...]]:
    """The zygote's answer, one tuple a test; where all was well it comes packed (see `Zygote.answer`)."""
    if type(answers) is list:
        return answers
    fresh, numbers = answers
    each = struct.iter_unpack("=ddQ", numbers)
    return [("ok", "", None, *values, fresh and place == 0) for place, values in enumerate(each)]


def _outcomes(answers: list[tuple[Any, ...]], sink: int, sample: _Sample) -> list[Outcome]:
    """The tests' outcomes; when much has come out, only the first of them, to spare memory: the others run again.

    Where one output ends and the next begins is what the process says. It wrote both, so a lie only moves its own.
    """
    outcomes: list[Outcome] = []
    start, size = 0, os.fstat(sink).st_size
    for place, answer in enumerate(answers):
        end = size if place == len(answers) - 1 else max(start, min(answer[5], size))
        if outcomes and end > _BATCH_BYTES:
            break
        outcomes.append(_outcome(answer, sink, start, end, sample))
        start = end
    return outcomes


def _outcome(answer: tuple[Any, ...], sink: int, start: int, end: int, sample: _Sample) -> Outcome:
    """The outcome of one test: the zygote's answer, and what is in the file between two places, up to the limit."""
    cause, error, code, cpu_s, wall_s, _, alone = answer
    error = printable(error)
    if sample.kind == "check" or cause == "sandbox error":
        return Outcome(cause, error, exit_code=code, cpu_s=cpu_s, wall_s=wall_s, alone=alone)
    more = end - start > sample.limits.output_bytes
    data = read_range(sink, start, min(end, start + sample.limits.output_bytes))
    if more and cause != "time limit":
        cause, error = "output limit", f"more than {sample.limits.output_bytes} bytes"
    if sample.kind == "program":
        return Outcome(cause, error, data, exit_code=code, cpu_s=cpu_s, wall_s=wall_s, alone=alone)
    value = None
    if cause == "ok":
        try:
            value = codec.decode(data, memory=_RESULT_MEMORY)
        except codec.CodecError as fault:
            cause, error = "exception", "ended without a result" if not data else "its result is not in order"
            if "too large" in str(fault):
                cause, error = "output limit", "the result is too large"
    return Outcome(cause, error, value=value, exit_code=code, cpu_s=cpu_s, wall_s=wall_s, alone=alone)
