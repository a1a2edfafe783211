"""The interface of every backend: requests in, responses out, in any order.

To add one: a module in this folder (or a package with an entry point in the group `skythought.backends`) that exports
one subclass of `Backend` in `__all__`. Its name on the command line is the module's.
"""

from __future__ import annotations

import abc
from collections.abc import AsyncGenerator, Iterable, Mapping
from types import TracebackType
from typing import Any, ClassVar, Self

from pydantic import BaseModel, ConfigDict

from skythought.config import ModelConfig, check
from skythought.errors import UserError
from skythought.types import Request, Response

__all__ = ["Backend", "BackendArgs", "with_switches"]


class BackendArgs(BaseModel):
    """Arguments of one backend (`--backend-args`). Unknown ones are refused. Secrets are `SecretStr`.

    A field declared with `json_schema_extra={"affects_answers": False}` (number of requests in flight, retries, keys)
    is left out of the run's identity, so that changing it still finds the same run folder.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, protected_namespaces=())

    def recorded(self, given: Mapping[str, Any]) -> Mapping[str, Any]:
        """What is recorded for the arguments as they were given. A file that one of them names is no record."""
        return given


def with_switches(values: Mapping[str, Any], switches: Mapping[str, Any]) -> dict[str, Any]:
    """`--backend-args` with the switches of `--reproducible`, for `Backend.reproducible`.

    Raises:
        UserError: A value that was given is another than the switch's.
    """
    for name, value in switches.items():
        if name in values and values[name] != value:
            given = f"--backend-args says {name}={_written(values[name])}"
            raise UserError(f"--reproducible sets {name}={_written(value)}, but {given}: leave one of the two out.")
    return {**values, **switches}


def _written(value: Any) -> str:
    """A value as one writes it on the command line."""
    return str(value).lower() if isinstance(value, bool) else str(value)


class Backend(abc.ABC):
    """An engine or endpoint with one model loaded. Use as `async with backend:`; knows nothing of tasks."""

    Args: ClassVar[type[BackendArgs]] = BackendArgs
    """Checked before anything heavy is imported."""
    sampling: ClassVar[frozenset[str]] = frozenset({"temperature", "top_p", "max_tokens"})
    """Names of the sampling parameters that it honours; any other one that is set is refused beforehand."""
    requires: ClassVar[tuple[str, ...]] = ()
    """Modules that must be importable, checked without importing them; the extra has the backend's name."""

    default_batch_size: ClassVar[int] = 64
    """Requests in flight where the user names no number."""

    context_length: int | None = None
    """Tokens that prompt and response may have together; known once entered, None if the engine does not tell."""

    def __init__(self, model: ModelConfig, args: BackendArgs, *, batch_size: int = 64) -> None:
        self.model = model
        self.args = args
        self.batch_size = batch_size
        self.notices: list[str] = []
        """Lines that the user should read once (a clamped limit, a missing feature). The pipeline shows them."""

    def _say(self, line: str) -> None:
        """Add a notice, once."""
        if line not in self.notices:
            self.notices.append(line)

    @classmethod
    def check_args(cls, values: Mapping[str, Any]) -> BackendArgs:
        """`--backend-args`, validated before anything heavy is imported.

        Raises:
            UserError: An unknown name (with the nearest right one) or a wrong value.
        """
        return check(cls.Args, values, "--backend-args")

    @classmethod
    def reproducible(cls, values: Mapping[str, Any]) -> tuple[dict[str, Any], list[str]]:
        """What `--reproducible` makes of `--backend-args`: float32, and every switch that the engine has against
        numbers that depend on the batch.

        The switches are arguments like any other, so that they are checked, recorded and part of the run's identity. A
        backend that can switch anything overrides this, mostly with `with_switches`.

        Returns:
            The arguments with the switches in them, and a line for each thing that may change numbers all the same.

        Raises:
            UserError: An argument that was given contradicts a switch.
        """
        return dict(values), ["--reproducible: this backend has no switches for it; only the seeds are fixed."]

    @abc.abstractmethod
    async def __aenter__(self) -> Self:
        """Load the engine. Raises `UserError` (wrong model, argument) or `BackendError` (cannot start), one line."""

    @abc.abstractmethod
    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Free the engine; called also after errors and cancellation."""

    @abc.abstractmethod
    def generate(self, requests: Iterable[Request]) -> AsyncGenerator[Response, None]:
        """Answer each request once, in order of completion.

        `requests` is pulled lazily, never more than `batch_size` ahead of what was answered. A request that fails for
        good is a `Response` with `error`. Raises `BackendError` if the engine as a whole died, `UserError` if it cannot
        serve such requests at all (a chat template that knows no system turn).
        """
