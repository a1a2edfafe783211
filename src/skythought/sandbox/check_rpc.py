"""Check functions: the tests in one confined process, the candidate in another, calls between them by value.

Both ends speak the same small protocol over a socket pair, so that functions can be passed either way. What cannot be
sent by value is sent as a handle: `r` an object of the sender's, `y` one of the receiver's own, `b` a builtin type.
The tests' end trusts nothing: it serves only what it handed out, only to be called and iterated; all that it gets is
plain data or a `Remote`, which equals nothing.
"""

from __future__ import annotations

import builtins
import os
import socket
from collections.abc import Callable, Iterator
from types import FunctionType
from typing import Any, NoReturn

from skythought.sandbox import codec
from skythought.sandbox.channel import read_exactly
from skythought.sandbox.runner import (
    CANDIDATE_ENDED,
    Program,
    Report,
    describe,
    find_function,
    new_module,
    take_descriptors,
)

__all__ = ["CheckProgram", "serve_candidate"]

TESTS = "tests.py"
_TYPES = {name: value for name, value in vars(builtins).items() if isinstance(value, type)}
_TYPE_NAMES = {value: name for name, value in _TYPES.items()}
_LINE_LENGTH = 160


class CandidateExit(BaseException):
    """The candidate ended the program, or its process has ended: no `except Exception` of the tests may hide it."""


class Remote:
    """Stands for an object in the other process. Equal to nothing but itself; always true."""

    def __init__(self, peer: Peer, number: bytes, type_name: str) -> None:
        self._peer, self._number = peer, number
        self.__name__ = type_name

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self._peer.ask("call", self, list(args), kwargs)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return self._peer.ask("get", self, name)

    def __iter__(self) -> Iterator[Any]:
        steps = self._peer.ask("iter", self)
        while True:
            item = self._peer.ask("next", steps)
            if not item:
                return
            yield item[0]

    def __next__(self) -> Any:
        item = self._peer.ask("next", self)
        if not item:
            raise StopIteration
        return item[0]

    def __getitem__(self, key: Any) -> Any:
        return self._peer.ask("item", self, key)

    def __len__(self) -> int:
        return int(self._peer.ask("len", self))

    def __bool__(self) -> bool:
        return True

    def __repr__(self) -> str:
        return f"<{self.__name__} of the candidate>"


class Peer:
    """One end of the connection between tests and candidate."""

    def __init__(self, sock: socket.socket, limit: int, *, trusting: bool) -> None:
        self.failure = ""
        """Why nothing can be asked any more; empty while all is well."""
        self._socket, self._limit, self._trusting = sock, limit, trusting
        self._objects: dict[bytes, Any] = {}

    def ask(self, *question: Any) -> Any:
        """Send a request, serve what the other side asks meanwhile, and give its answer, or raise what it raised."""
        self._send(question)
        while True:
            message = self._receive()
            if message[0] == "return":
                return message[1]
            if message[0] == "raise":
                raise _exception(*message[1:])
            self._answer(message)

    def serve(self) -> None:
        """Answer requests until the other side ends."""
        while not self.failure:
            try:
                self._answer(self._receive())
            except CandidateExit:
                return

    def _answer(self, request: tuple[Any, ...]) -> None:
        try:
            reply: tuple[Any, ...] = ("return", self._do(*request))
            self._send(reply)
        except CandidateExit:
            raise
        except BaseException as error:  # noqa: BLE001 -- whatever it is, it crosses as data
            self._send(("raise", *_described(error)))

    def _do(self, what: str, subject: Any, *rest: Any) -> Any:
        if not self._trusting and not any(subject is item for item in self._objects.values()):
            # In particular no builtin type: `type` would make an object beside the tests that equals everything.
            raise TypeError("was not handed out")
        if what == "call":
            return subject(*rest[0], **rest[1])
        if what == "iter":
            return iter(subject)
        if what == "next":
            try:
                return (next(subject),)
            except StopIteration:
                return ()
        if self._trusting and what == "get" and not rest[0].startswith("__"):
            return getattr(subject, rest[0])
        if self._trusting and what == "item":
            return subject[rest[0]]
        if self._trusting and what == "len":
            return len(subject)
        raise TypeError("cannot be asked for that")

    def _send(self, message: tuple[Any, ...]) -> None:
        body = codec.encode(message, self._limit, self._handle)
        try:
            self._socket.sendall(len(body).to_bytes(4, "little") + body)
        except OSError:
            self._fail(CANDIDATE_ENDED)

    def _receive(self) -> tuple[Any, ...]:
        size = int.from_bytes(self._exactly(4), "little")
        if size > self._limit:
            self._fail("it sent more than the output limit")
        try:
            message: Any = codec.decode(self._exactly(size), self._object)
        except codec.CodecError as error:
            self._fail(f"it sent nonsense: {error}")
        if type(message) is not tuple or not message or type(message[0]) is not str:
            self._fail("it sent nonsense")
        return tuple(message)

    def _exactly(self, size: int) -> bytes:
        try:
            return read_exactly(self._socket, size)
        except OSError:
            self._fail(CANDIDATE_ENDED)

    def _fail(self, why: str) -> NoReturn:
        self.failure = why
        raise CandidateExit(why)

    def _handle(self, value: Any) -> bytes | None:
        """The handle to send for an object that is no plain data."""
        if type(value) is Remote:
            return b"y" + value._number
        if isinstance(value, type) and value in _TYPE_NAMES:
            return b"b" + _TYPE_NAMES[value].encode()
        number = str(len(self._objects)).encode()
        self._objects[number] = value
        named = isinstance(value, (type, FunctionType))
        name = value.__name__ if named else type(value).__name__
        return b"r" + number + b":" + name[:60].encode("utf-8", "replace")

    def _object(self, handle: bytes) -> Any:
        """What a handle that was received stands for."""
        kind, rest = handle[:1], handle[1:]
        if kind in (b"b", b"y"):
            try:
                return _TYPES[rest.decode()] if kind == b"b" else self._objects[rest]
            except KeyError:
                raise codec.CodecError("no such object") from None
        number, _, type_name = rest.partition(b":")
        return Remote(self, number, type_name.decode("utf-8", "replace"))


def _described(error: BaseException) -> tuple[str, list[str], Any, str, bool]:
    """An exception as data: its class, its builtin ancestors, its arguments if they are plain, where, is it an exit."""
    ancestors = [kind.__name__ for kind in type(error).__mro__ if _TYPES.get(kind.__name__) is kind]
    try:
        arguments = codec.decode(codec.encode(error.args, 10_000))
    except (codec.CodecError, RecursionError):
        arguments = ()
    exits = not isinstance(error, Exception)
    return type(error).__name__[:100], ancestors, arguments, describe(error)[1], exits


def _exception(name: Any, ancestors: Any, arguments: Any, where: Any, exits: Any) -> BaseException:
    """The exception that the tests see: a builtin one, or one of the candidate's name derived from it."""
    if exits is not False:
        return CandidateExit(str(where)[:600])
    kinds = [_TYPES[item] for item in ancestors if type(item) is str and item in _TYPES]
    # A StopIteration would end a `map(candidate, ...)` of the tests early, and nothing would be asserted.
    kinds = [kind for kind in kinds if kind not in (StopIteration, StopAsyncIteration)]
    base = next((kind for kind in kinds if issubclass(kind, Exception)), Exception)
    kind = base if base.__name__ == name else type(str(name)[:100] or "Exception", (base,), {})
    values = arguments if type(arguments) is tuple else ()
    try:
        error: Exception = kind(*values)
    except Exception:  # noqa: BLE001 -- one that wants other arguments
        error = RuntimeError(str(where)[:600])
    error.__dict__["candidate_line"] = str(where)[:600]
    return error


def serve_candidate(sock: socket.socket, source: str, limit: int) -> None:
    """The candidate's process: run its program once, then answer calls."""
    peer = Peer(sock, limit, trusting=True)
    namespace = new_module("solution").__dict__
    try:
        code = compile(source, "solution.py", "exec", dont_inherit=True)
        exec(code, namespace)  # the untrusted program
        report: Report = ("ok", "", None)
    except SystemExit:
        report = ("ok", "", None)  # `exit()` at the end of a script that defines what is asked for
    except BaseException as error:  # noqa: BLE001 -- the boundary
        report = describe(error)

    def has(name: str) -> bool:
        return name in namespace or hasattr(namespace.get("Solution"), name)

    def method(name: str) -> Callable[..., Any]:
        return lambda *args, **kwargs: find_function(namespace, name)(*args, **kwargs)

    def start(names: list[str]) -> tuple[Any, ...]:
        return (*report, {name: namespace[name] if name in namespace else method(name) for name in names if has(name)})

    peer._objects[b"start"] = start
    peer.serve()


class CheckProgram(Program):
    """The tests' process: each test is a text that comes in by descriptor 0 and is run in one module."""

    def __init__(self, sock: socket.socket, preamble: str, names: list[str], limit: int) -> None:
        super().__init__("")
        self._peer = Peer(sock, limit, trusting=False)
        self._preamble, self._wanted = preamble, names
        self._namespace = new_module("tests").__dict__
        self._loaded: Report | None = None

    def run(self) -> Report:
        """Run one test; before the first, the candidate's process runs its program."""
        data, sink = take_descriptors()
        os.close(sink)
        if self._loaded is None:
            self._loaded = _load(self._peer, self._preamble, self._wanted, self._namespace)
        return self._loaded if self._loaded[0] != "ok" else _run_test(self._peer, data.decode(), self._namespace)


def _load(peer: Peer, preamble: str, names: list[str], namespace: dict[str, Any]) -> Report:
    """Run the preamble, have the candidate run its program, and put the stubs of its functions in the tests' module."""
    try:
        exec(compile(preamble, "preamble.py", "exec", dont_inherit=True), namespace)  # trusted text
    except Exception as error:  # noqa: BLE001
        return describe(error, "preamble.py")
    try:
        cause, said, code, found = peer.ask("call", Remote(peer, b"start", ""), [names], {})
        if cause != "ok":
            return str(cause), str(said)[:600], code if type(code) is int else None
        if names[0] not in found:
            return "exception", f"NameError: name {names[0]!r} is not defined by the program", None
        namespace.update({name: found[name] for name in names if name in found})
    except CandidateExit as stop:
        return "exception", f"the program ended: {stop}", None
    except Exception:  # noqa: BLE001 -- an answer of another shape
        return "exception", "the program answered nonsense", None
    return "ok", "", None


def _run_test(peer: Peer, text: str, namespace: dict[str, Any]) -> Report:
    """Run one test: it is passed if it comes to its end and the candidate still answers."""
    try:
        code = compile(text, TESTS, "exec", dont_inherit=True)
    except Exception as error:  # noqa: BLE001
        return describe(error, TESTS)
    raised: BaseException | None = None
    try:
        exec(code, namespace)  # the benchmark's text, confined like the candidate's
    except BaseException as error:  # noqa: BLE001
        raised = error
    if peer.failure:  # whatever the tests made of it
        return "exception", f"the candidate: {peer.failure}", None
    return _described_failure(raised, text) if raised is not None else ("ok", "", None)


def _described_failure(error: BaseException, text: str) -> Report:
    """The candidate's line that raised; else the test's line that failed, with its text."""
    if isinstance(error, CandidateExit):
        return "exception", str(error), None
    cause, said, code = describe(error, TESTS)
    candidate_line = getattr(error, "candidate_line", "")
    if candidate_line:
        return "memory limit" if isinstance(error, MemoryError) else "exception", candidate_line, None
    line = said.rpartition("(line ")[2].rstrip(")")
    lines = text.splitlines()
    if said.endswith(")") and line.isdigit() and int(line) <= len(lines):
        shown = lines[int(line) - 1].strip()
        said = f"{said[:-1]}: {shown[: _LINE_LENGTH - 3] + '...' if len(shown) > _LINE_LENGTH else shown})"
    return cause, said, code
