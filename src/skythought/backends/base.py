"""The interface of every backend: requests in, responses out, in any order.

To add one: derive from `ConcurrentBackend` and write one method, `answer(request) -> Response`; docs/backends.md has a
whole example. An engine that wants to see many requests at once derives from `Backend` itself. It is found by
`--backend path/to/file.py:ClassName`, by an entry point in the group `skythought.backends`, or as a package of this
folder that exports the class in `__all__`.
"""

from __future__ import annotations

import abc
from collections.abc import AsyncGenerator, Iterable, Mapping
from contextlib import aclosing
from pathlib import Path
from types import TracebackType
from typing import Any, ClassVar, Generic, Self, TypeVar, get_args

from pydantic import BaseModel, ConfigDict
from pydantic.config import JsonDict

from skythought.config import ModelConfig, check
from skythought.errors import SkythoughtError, UserError
from skythought.streams import Notices, concurrently
from skythought.types import Request, Response, SamplingParams

__all__ = ["UNHASHED", "Backend", "BackendArgs", "ConcurrentBackend", "with_switches"]

UNHASHED: JsonDict = {"affects_answers": False}
"""For `Field(json_schema_extra=UNHASHED)`: an argument that changes no answer (requests in flight, retries, keys). It
is left out of the run's identity, so that a run goes on with another value of it."""


class BackendArgs(BaseModel):
    """Arguments of one backend (`--backend-args`). Unknown ones are refused. Secrets are `SecretStr`.

    All are part of the run's identity but those that are declared as `UNHASHED`.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, protected_namespaces=())

    def recorded(self, given: Mapping[str, Any]) -> Mapping[str, Any]:
        """What `run.json` records for the arguments as they were given; the content of a file instead of its name."""
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


A = TypeVar("A", bound=BackendArgs)


class Backend(abc.ABC, Generic[A]):
    """An engine or endpoint with one model loaded. Use as `async with backend:`; knows nothing of tasks.

    Derive from `Backend[YourArgs]`: `args` then has that type, and `--backend-args` are checked against it.
    """

    Args: ClassVar[type[BackendArgs]] = BackendArgs
    """The class in the brackets. Arguments are checked against it before anything heavy is imported."""
    sampling: ClassVar[frozenset[str]] = frozenset({"temperature", "top_p", "max_tokens"})
    """Names of the sampling parameters that it honours; any other one that is set is refused beforehand. Those of the
    engine's own (`min_tokens`, ...) arrive in `request.sampling.engine`."""
    requires: ClassVar[tuple[str, ...]] = ()
    """Modules that must be importable, checked without importing them; the extra has the backend's name."""

    weights_files: ClassVar[tuple[str, ...]] = ()
    """Of an engine that loads weights: a folder that it can load holds a file of one of these names."""

    default_batch_size: ClassVar[int] = 64
    """Requests in flight where the user names no number."""

    context_length: int | None = None
    """Tokens that prompt and response may have together; known once entered, None if the engine does not tell."""

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        for base in cls.__dict__.get("__orig_bases__", ()):
            for arg in get_args(base):
                if isinstance(arg, type) and issubclass(arg, BackendArgs):
                    cls.Args = arg

    def __init__(self, model: ModelConfig, args: A, *, batch_size: int = 64) -> None:
        self.model = model
        self.args = args
        self.batch_size = batch_size
        self.notices = Notices()
        """What the user should read once (a clamped limit, a missing feature); shown the moment it is said."""
        self.engine_log: Path | None = None
        """Where an engine that has a log of its own appends it when it is freed; set by whoever starts it."""

    def say(self, line: str) -> None:
        """Tell the user something, once; from any thread."""
        self.notices.say(line)

    @classmethod
    def sampling_names(cls) -> frozenset[str]:
        """`sampling`, or what the engine at hand takes of its own beside it; known without importing it."""
        return cls.sampling

    @classmethod
    def check_args(cls, values: Mapping[str, Any]) -> A:
        """`--backend-args`, validated before anything heavy is imported.

        Raises:
            UserError: An unknown name (with the nearest right one) or a wrong value.
        """
        args: A = check(cls.Args, values, "--backend-args")  # type: ignore[assignment]
        return args

    @classmethod
    def check_model(cls, model: ModelConfig, args: A) -> None:
        """What can be known to be wrong with the model before anything is loaded.

        Raises:
            UserError: There is no such model, or it cannot be run with these arguments.
        """

    @classmethod
    def check_sampling(cls, sampling: SamplingParams, args: A) -> None:
        """What can be known to be wrong with sampling parameters of these names before anything is loaded.

        Raises:
            UserError: The engine cannot do it with these arguments.
        """

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

    async def __aenter__(self) -> Self:
        """Load the engine. Raises `UserError` (wrong model, argument) or `BackendError` (cannot start), one line."""
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Free the engine; called also after errors and cancellation."""

    @abc.abstractmethod
    def generate(self, requests: Iterable[Request]) -> AsyncGenerator[Response, None]:
        """Answer each request once, in order of completion.

        `requests` is pulled lazily, never more than `batch_size` ahead of what was answered. Where verdicts decide what
        is asked next it is a `Feed`: iterated plainly it ends when nothing is at hand, and `generate` is called again
        for the rest; a backend that would not run dry meanwhile iterates over it with `async for`.

        Responses are made by `Request.response` and `Request.failed`. Raises `BackendError` if the engine as a whole
        died, `UserError` if it cannot serve such requests at all (a chat template that knows no system turn).
        """


class ConcurrentBackend(Backend[A]):
    """A backend that is written by one method, `answer`, which runs for up to `in_flight` requests at a time.

    Override `__aenter__` and `__aexit__` for an engine that must be loaded and freed.
    """

    @property
    def in_flight(self) -> int:
        """How many requests are answered at the same time."""
        return self.batch_size

    @abc.abstractmethod
    async def answer(self, request: Request) -> Response:
        """The response to one request: `request.response(text, ...)`, or `request.failed(why)`.

        An exception costs this sample alone, which is asked again on resume, unless it is a `BackendError` or a
        `UserError`: these end the run.
        """

    async def generate(self, requests: Iterable[Request]) -> AsyncGenerator[Response, None]:
        async with aclosing(concurrently(self._answered, requests, self.in_flight)) as responses:
            async for response in responses:
                yield response

    async def _answered(self, request: Request) -> Response:
        try:
            return await self.answer(request)
        except SkythoughtError:
            raise
        except Exception as error:  # noqa: BLE001 -- the boundary: one request's failure costs one sample
            return request.failed(f"{type(error).__name__}: {error}")
