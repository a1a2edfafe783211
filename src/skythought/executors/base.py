"""The interface of every executor: it runs a plain function in a process that can be killed.

To add one: derive from `Executor` and write one method, `call_each`; docs/extending.md has a whole example. It is found
by `--executor path/to/file.py:ClassName`, by an entry point in the group `skythought.executors`, or as a module of this
folder that exports the class in `__all__`.
"""

from __future__ import annotations

import abc
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Any, Generic, Literal, NamedTuple, Self, TypeVar

from skythought.errors import UserError

__all__ = ["Executor", "Outcome", "Prepare", "Status"]

T = TypeVar("T")
Prepare = tuple[Callable[..., object], tuple[Any, ...]]
"""A function and its arguments."""
Status = Literal["done", "timed_out", "stalled", "exhausted", "died", "raised"]
"""How a call ended.

done: it returned. timed_out: killed at its limit of CPU time. stalled: killed long after that by the clock, though it
had not used that much: it slept, or the machine stood still. exhausted: out of memory or stack. died: its process
ended, by itself or killed from outside, or never started. raised: an exception.
"""


class Outcome(NamedTuple, Generic[T]):
    """What came of a call."""

    status: Status
    value: T | None = None
    """What it returned, if it is done."""
    why: str = ""
    """A line for people, if it is not."""


class Executor(abc.ABC):
    """A pool of processes that run calls and can be killed. Use as an asynchronous context manager."""

    workers: int
    """How many calls run at once."""

    @classmethod
    def at(cls, address: str | None) -> Self:
        """The executor, not yet entered.

        Args:
            address: Of the cluster (`--ray-address`), for an executor that works on one.

        Raises:
            UserError: It takes no address and one is given, or a package is missing.
        """
        if address is not None:
            raise UserError("--ray-address belongs to --executor ray.")
        return cls()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(  # noqa: B027 -- not every executor has something to end
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """End all processes, those that are busy too."""

    @abc.abstractmethod
    async def call_each(
        self,
        function: Callable[..., T],
        items: Sequence[tuple[Any, ...]],
        *,
        timeout_s: float,
        prepare: Prepare | None = None,
    ) -> list[Outcome[T]]:
        """Run `function(*item)` for each item, one after another in one process; the outcomes, in order.

        Whatever happens to an item is its outcome, never an exception, and the items after it still run, in another
        process if theirs had to be killed. An item whose process died is tried again, a few times.

        Args:
            function: Importable by name. Arguments and results are pickled.
            items: The arguments of each call.
            timeout_s: Seconds that each item may take. The first one's begin when the process has started, imported
                what it needs and run `prepare`. CPU seconds of the process, so that a loaded machine does not end
                what is right; by the clock ten times as much and ten seconds. Where the system does not tell a
                process's CPU time, seconds by the clock.
            prepare: What is run in the process first. It may be shared: run once for several processes.
        """

    async def call(
        self, function: Callable[..., T], *args: Any, timeout_s: float, prepare: Prepare | None = None
    ) -> Outcome[T]:
        """Run `function(*args)`; see `call_each`."""
        return (await self.call_each(function, [args], timeout_s=timeout_s, prepare=prepare))[0]
