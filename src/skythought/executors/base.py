"""The interface of every executor: where a plain function runs so that it can be killed."""

from __future__ import annotations

import abc
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Any, Generic, Literal, NamedTuple, Self, TypeVar

from skythought.errors import UserError

__all__ = ["Executor", "Fate", "Outcome", "Prepare"]

T = TypeVar("T")
Fate = Literal["done", "overran", "died", "exhausted", "raised"]
Prepare = tuple[Callable[..., object], tuple[Any, ...]]


class Outcome(NamedTuple, Generic[T]):
    """How a call ended. `value` is there for "done"; `why` is a line for people otherwise.

    overran: killed at its deadline. died: its process ended. exhausted: out of memory or stack. raised: an exception.
    """

    fate: Fate
    value: T | None = None
    why: str = ""


class Executor(abc.ABC):
    """A pool of killable workers. Use as an asynchronous context manager."""

    workers: int
    """How many calls run at once."""

    @classmethod
    def at(cls, address: str | None) -> Self:
        """The executor, not yet entered.

        Args:
            address: Where it is (`--ray-address`), for one that is elsewhere.

        Raises:
            UserError: An address is given to one that has none, or a package is missing.
        """
        if address is not None:
            raise UserError("--ray-address belongs to --executor ray.")
        return cls()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(  # noqa: B027 -- not every one has something to end
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """End the workers."""

    @abc.abstractmethod
    async def call_each(
        self,
        function: Callable[..., T],
        items: Sequence[tuple[Any, ...]],
        *,
        timeout_s: float,
        prepare: Prepare | None = None,
    ) -> list[Outcome[T]]:
        """`function(*item)` for several items by one worker; the outcomes in order. See `call`.

        Each item has its own `timeout_s`, and costs no other: after one that is killed the rest goes on elsewhere.
        """

    async def call(
        self, function: Callable[..., T], *args: Any, timeout_s: float, prepare: Prepare | None = None
    ) -> Outcome[T]:
        """Run `function(*args)` in a worker; never raises for what happens inside of it.

        Args:
            function: Importable by name; arguments and result are pickled.
            timeout_s: Wall-clock seconds until the worker is killed, counted from when it has started, imported what
                it needs and run `prepare`.
            prepare: A function and its arguments, run in the worker before the clock starts.
        """
        return (await self.call_each(function, [args], timeout_s=timeout_s, prepare=prepare))[0]
