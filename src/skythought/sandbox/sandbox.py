"""The owner's side: one template process, and the samples run in children forked from it."""

from __future__ import annotations

import contextlib
import functools
import itertools
import os
import struct
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from types import TracebackType
from typing import Any, Literal, NamedTuple, Self

from skythought.errors import UserError
from skythought.sandbox import codec as wire
from skythought.sandbox.channel import ChannelClosedError
from skythought.sandbox.outcome import Limits, Outcome
from skythought.sandbox.process import Running, contents, with_data

__all__ = ["Sandbox", "Tests"]


_TOGETHER, _TOGETHER_BYTES, _TOGETHER_S = 24, 1 << 20, 0.2
"""How many tests, how much input, and how many seconds of tests as long as the last ones may be under way at once."""
_PATIENCE_S = 60.0
"""How much longer than a test may take at most the template may take to answer before it counts as broken."""


class _Sample(NamedTuple):
    kind: Literal["program", "function", "check"]
    source: str
    options: dict[str, Any]
    limits: Limits
    alone: bool


class Tests(Iterator[Outcome]):
    """The outcomes of one sample's tests, in order. Each test runs when it is asked for: stop where you like.

    Tests share a process as long as all goes well, each with a fresh module and fresh descriptors; one that does not
    end with cause "ok" there is run again alone before its outcome is given. Output that turns out wrong is for the
    caller to notice: `again()` then runs the test alone, so that what an earlier test left behind costs nobody a pass.
    """

    def __init__(self, sandbox: Sandbox, sample: _Sample, inputs: Iterable[bytes]) -> None:
        self._sandbox, self._sample, self._inputs = sandbox, sample, iter(inputs)
        self._waiting: deque[bytes] = deque()
        self._more = True
        """Whether there may be inputs that have not been read yet."""
        self._done: deque[tuple[bytes, Outcome]] = deque()
        self._together = 1
        """How many tests go to the template at once: one at first, more while all goes well."""
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
        if outcome.cause != "ok" and not outcome.alone:
            last = not self._more and not self._waiting
            (outcome,) = self._sandbox._run(self, self._sample, [data], alone=True, last=last)
        self._last = (data, outcome)
        return outcome

    def _fill(self) -> None:
        """Have the next inputs at hand, and one more to see whether they are the last; about a megabyte of them."""
        size = sum(map(len, self._waiting))
        while self._more and len(self._waiting) <= self._together and (size < _TOGETHER_BYTES or not self._waiting):
            data = next(self._inputs, None)
            if data is None:
                self._more = False
                return
            self._waiting.append(data)
            size += len(data)

    def _advance(self) -> None:
        batch = list(itertools.islice(self._waiting, self._together))
        while len(batch) > 1 and sum(map(len, batch)) > _TOGETHER_BYTES:
            batch.pop()
        last = not self._more and len(batch) == len(self._waiting)
        outcomes = self._sandbox._run(self, self._sample, batch, alone=self._sample.alone, last=last)
        self._done.extend(zip(batch, outcomes, strict=False))
        for _ in outcomes:
            self._waiting.popleft()
        well = len(outcomes) == len(batch) and all(outcome.cause == "ok" for outcome in outcomes)
        if self._sample.alone or not well or outcomes[-1].exit_code is not None and self._together == 1:
            self._together = 1
        else:
            each_s = sum(outcome.wall_s for outcome in outcomes) / len(outcomes)
            self._together = max(1, int(min(_TOGETHER, _TOGETHER_S / max(each_s, 1e-6))))

    def again(self) -> Outcome:
        """The outcome of the last test in a fresh process: the same outcome if it had one already."""
        if self._last is None:
            raise ValueError("no test has run yet")
        data, outcome = self._last
        if not outcome.alone:
            last = not self._more and not self._waiting and not self._done
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

    A template process is started at first use and kept. It dies with its owner, whatever kills that one.
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
        self._running: Running | None = None
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
            SandboxError: the sandbox cannot start. What breaks later is an outcome "sandbox error".
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
        return Tests(self, sample, (wire.encode(list(arguments)) for arguments in calls))

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
        reach. Functions, generators and other objects cross as handles: they can be called, iterated and asked
        for attributes, and are equal to nothing. Exceptions cross as the builtin exception nearest to them.

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
        """What is in force, for a run's summary: plain JSON. Starts the template if it is not there yet."""
        running = self._started()
        return {
            "level": self.level,
            "isolated": isolates(running.found),
            "layers": running.found,
            "missing": running.missing,
            "limits": asdict(self.limits),
        }

    def close(self) -> None:
        """End the template and all that belongs to it. The sandbox can be used again afterwards; it then restarts."""
        if self._running is not None:
            self._running.close()
        self._running = None

    def _started(self) -> Running:
        """The template; a new one after a fork of this process, whose template it was."""
        if self._running is not None and self._running.owner != os.getpid():
            self.close()
        if self._running is None:
            running = Running(self.limits, self._without)
            lacking = [what for what, there in isolates(running.found).items() if not there]
            if self.level == "strict" and lacking:
                running.close()
                raise UserError(
                    f"sandbox level 'strict' needs isolation of {' and '.join(lacking)}, which this machine does not "
                    "offer; `skythought sandbox` shows what is missing; level 'auto' runs with what there is."
                )
            self._running = running
        return self._running

    def _run(self, tests: Tests, sample: _Sample, batch: list[bytes], *, alone: bool, last: bool) -> list[Outcome]:
        """Some tests, up to the first that does not end well; tried again in a new template if the sandbox breaks.

        `last`: afterwards the sample's processes are not needed any more, and are ended.
        """
        outcomes = [Outcome("sandbox error")]
        sizes = struct.pack(f"={len(batch)}Q", *map(len, batch))
        for _ in range(2):
            descriptors: list[int] = []
            try:
                descriptors.append(with_data(b"".join(batch), sealed=len(batch) == 1))
                descriptors.append(with_data(b""))
                running = self._started()
                introduced = None if running.sample is tests else self._introduce(running, sample, batch[0])
                running.sample, running.busy = tests, not last
                answers = running.ask(("test", introduced, sizes, alone, last), tuple(descriptors))
                outcomes = _outcomes(_unpacked(answers), descriptors[1], sample)
            except ChannelClosedError as error:
                outcomes = [Outcome("sandbox error", f"the template ended: {error}")]
            finally:
                for descriptor in descriptors:
                    os.close(descriptor)
            if outcomes[-1].cause != "sandbox error":
                return outcomes
            self.close()
        return outcomes

    def _introduce(self, running: Running, sample: _Sample, data: bytes) -> tuple[Any, ...]:
        """What the template has to know of a sample, once."""
        limits = sample.limits
        running.patience(10 * _TOGETHER * (limits.cpu_s * limits.wall_factor + 1) + _PATIENCE_S)
        text = sample.source + sample.options.get("preamble", "")
        modules = ["numpy"] if "numpy" in text or (sample.kind == "check" and b"numpy" in data) else []
        return (sample.kind, sample.source, sample.options, _as_dict(limits), modules)

    def _end(self, tests: Tests) -> None:
        running = self._running
        if running is not None and running.sample is tests and running.owner == os.getpid():
            running.sample = None
            if not running.busy:
                return
            with contextlib.suppress(ChannelClosedError):
                running.ask(("end",))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()


@functools.cache
def _as_dict(limits: Limits) -> dict[str, Any]:
    return asdict(limits)


def isolates(found: dict[str, str]) -> dict[str, bool]:
    """What "strict" asks for, by layers in force: that neither files nor network of the machine can be reached."""
    return {
        "files": "landlock" in found or "private root" in found,
        "network": "seccomp" in found or "namespaces" in found,
    }


def _unpacked(answers: Any) -> list[tuple[Any, ...]]:
    """The template's answer in full, where it is in short."""
    if type(answers) is list:
        return answers
    fresh, numbers = answers
    each = struct.iter_unpack("=ddQ", numbers)
    return [("ok", "", None, *values, fresh and place == 0) for place, values in enumerate(each)]


def _outcomes(answers: list[tuple[Any, ...]], sink: int, sample: _Sample) -> list[Outcome]:
    """The tests' outcomes; when much has come out, only of as many as is good for our memory: the rest runs again.

    Where one's output ends and the next one's begins is what the process says. It wrote both, so it can only harm
    itself: a test of several whose output is wrong runs again alone, and then all that there is is its output.
    """
    outcomes: list[Outcome] = []
    start, size = 0, os.fstat(sink).st_size
    for place, answer in enumerate(answers):
        end = size if place == len(answers) - 1 else max(start, min(answer[5], size))
        if outcomes and end > _TOGETHER_BYTES:
            break
        outcomes.append(_outcome(answer, sink, start, end, sample))
        start = end
    return outcomes


def _outcome(answer: tuple[Any, ...], sink: int, start: int, end: int, sample: _Sample) -> Outcome:
    """The template's answer together with what came out, as far as the limit goes."""
    cause, error, code, cpu_s, wall_s, _, alone = answer
    if sample.kind == "check" or cause == "sandbox error":
        return Outcome(cause, error, exit_code=code, cpu_s=cpu_s, wall_s=wall_s, alone=alone)
    more = end - start > sample.limits.output_bytes
    data = contents(sink, start, min(end, start + sample.limits.output_bytes))
    if more and cause != "time limit":
        cause, error = "output limit", f"more than {sample.limits.output_bytes} bytes"
    if sample.kind == "program":
        return Outcome(cause, error, data, exit_code=code, cpu_s=cpu_s, wall_s=wall_s, alone=alone)
    value = None
    if cause == "ok":
        try:
            value = wire.decode(data)
        except wire.WireError:
            cause, error = "exception", "ended without a result" if not data else "its result is not in order"
    return Outcome(cause, error, value=value, exit_code=code, cpu_s=cpu_s, wall_s=wall_s, alone=alone)
