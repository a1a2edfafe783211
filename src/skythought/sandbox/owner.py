"""The owner's side: one template process, and the samples run in children forked from it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from types import TracebackType
from typing import Any, Literal, Self

from skythought.sandbox.outcome import Limits, Outcome

__all__ = ["Sandbox", "Tests"]

Level = Literal["auto", "strict"]


class Tests(Iterator[Outcome]):
    """The outcomes of one sample's tests, in order. Each test runs when it is asked for: stop where you like.

    Tests share a process as long as all goes well, each with a fresh module and fresh descriptors; one that does not
    end with cause "ok" there is run again alone before its outcome is given. Output that turns out wrong is for the
    caller to notice: `again()` then runs the test alone, so that what an earlier test left behind costs nobody a pass.
    """

    def __next__(self) -> Outcome:
        """Run the next test."""
        raise NotImplementedError

    def again(self) -> Outcome:
        """The outcome of the last test in a fresh process: the same outcome if it had one already."""
        raise NotImplementedError

    def close(self) -> None:
        """End the sample's processes. Also done when the tests are used up, and before the next sample starts."""


class Sandbox:
    """Runs samples one after the other. Not for several threads at once; several sandboxes do not touch one another.

    A template process is started at first use and kept. It dies with its owner, whatever kills that one.
    """

    def __init__(self, level: Level = "auto", *, limits: Limits | None = None) -> None:
        """`level`: "auto" takes every layer there is; "strict" refuses to run without isolation of network and files.

        Raises:
            UserError: at first use, strict, and this machine cannot isolate network and files.
        """
        self.level = level
        self.limits = limits or Limits()

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
            SandboxError: the sandbox cannot start, or broke down twice for this test.
        """
        raise NotImplementedError

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
        raise NotImplementedError

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
        raise NotImplementedError

    def layers(self) -> dict[str, Any]:
        """What is in force, for a run's summary: plain JSON. Starts the template if it is not there yet."""
        raise NotImplementedError

    def close(self) -> None:
        """End the template and all that belongs to it. The sandbox can be used again afterwards; it then restarts."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()
