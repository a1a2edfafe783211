"""One end of the connection between the tests of a check and the program: questions, answers, and what crosses in them.

Both ends speak the same small protocol over a socket pair, so that functions can be passed either way. Plain data
crosses by value, and what a call changes in its arguments comes back (`crossing`). Other objects cross as handles: `r`
an object of the sender's, `y` one of the receiver's own, `b` a builtin type; they are asked for what they can do
(`remote`). The tests' end trusts nothing: it serves only what it handed out, and no object of the program's decides
whether it is equal to plain data.
"""

from __future__ import annotations

import builtins
import io
import pickle
import socket
import sys
import weakref
from collections.abc import Callable
from enum import Enum
from types import CoroutineType, FunctionType, GeneratorType
from typing import Any, NoReturn

from skythought.sandbox import codec
from skythought.sandbox.crossing import CHANGEABLE, Entry, Incoming, Outgoing, array_type, defined_in, form_of
from skythought.sandbox.lent import Lent, is_lent, lent
from skythought.sandbox.objects import to_plain
from skythought.sandbox.remote import (
    ASKED,
    CandidateExit,
    Remote,
    error_class,
    is_remote,
    kin,
    made_error,
    ran,
    remote,
    step,
    stepped,
)
from skythought.sandbox.runner import CANDIDATE_ENDED, describe
from skythought.sandbox.signatures import names_of

__all__ = ["Peer"]

_TYPES = {name: value for name, value in vars(builtins).items() if isinstance(value, type)}
_TYPES["NoneType"] = type(None)
_TYPE_NAMES = {value: name for name, value in _TYPES.items()}
_LIBRARIES = sys.stdlib_module_names - {"unittest", "doctest", "builtins"} | {"numpy"}
"""Packages whose exceptions the tests may catch as such. Not those by which tests are skipped."""
_LIKE = {GeneratorType: "generator", CoroutineType: "coroutine", FunctionType: "function"}
_ABOUT_FUNCTIONS = {"__name__", "__qualname__", "__module__", "__doc__"}
"""What `functools.wraps` copies: the program may read it of the tests' functions that it is given."""
_AHEAD_BYTES = 1 << 13
_NONSENSE = (
    codec.CodecError,
    TypeError,
    ValueError,
    LookupError,
    AttributeError,
    OverflowError,
    RecursionError,
    MemoryError,
)
"""What a message that is none raises when it is read."""


class Peer:
    """One end of the connection between tests and program."""

    def __init__(self, sock: socket.socket, limit: int, namespace: dict[str, Any], *, trusting: bool) -> None:
        """`trusting`: the program's end, which does whatever the tests' end asks for."""
        self.failure = ""
        """Why nothing can be asked any more; empty while all is well."""
        self.trusting, self.namespace = trusting, namespace
        self.may_change: Callable[[], bool] = lambda: True
        """Whether what the call that is going on has changed in its arguments may be seen by its caller."""
        self.twins: frozenset[str] | None = None if trusting else frozenset()
        """Names of this side's classes whose instances the other side may send: on the tests' end those that the
        preamble defines. What a test defines for itself, to compare with, is not the program's to make. None: all."""
        self.variables: dict[str, Any] = {}
        """Variables of the program's that the tests use, with what was told of them. None that the preamble defines."""
        self.printed: Callable[[], str] = str
        """What was printed since it was last asked for."""
        self._socket, self._limit = sock, limit
        self._ahead = bytearray()
        """What has been received and not yet read: length and body of a message mostly come at once."""
        self._objects: dict[bytes, Any] = {}
        """What was handed out."""
        self._numbers: dict[int, bytes] = {}
        self._met: dict[bytes, Any] = {}
        """What stands for the other side's objects here: the same for the same."""
        self._origins: weakref.WeakKeyDictionary[Any, Remote] = weakref.WeakKeyDictionary()
        self._classes: frozenset[str] = frozenset()
        self._others: frozenset[str] = frozenset()
        """Names of the classes that this and the other side's module define, as last told."""

    def ask(self, what: str, subject: Any, *rest: Any) -> Any:
        """Send a request, serve what the other side asks meanwhile, and give its answer, or raise what it raised."""
        out = Outgoing(self, self._limit)
        data = out.encoded((subject, *rest))
        entries = out.entries()
        self._send((what, data, entries, self._news()))
        while True:
            message = self._receive()
            if message[0] in ("return", "raise"):
                return self._taken(message, out, entries)
            self._answer(message)

    def serve(self) -> None:
        """Answer requests until the other side ends."""
        while not self.failure:
            try:
                self._answer(self._receive())
            except CandidateExit:
                return

    def hand_out(self, number: bytes, value: Any) -> None:
        """Let the other side ask for an object that it knows by its number."""
        self._objects[number] = value

    def _news(self) -> list[str] | None:
        """The names of this side's classes, if there are others than before."""
        module = self.namespace["__name__"]
        classes = frozenset(name for name, value in self.namespace.items() if defined_in(value, module))
        classes = classes if self.twins is None else classes & self.twins
        if classes == self._classes:
            return None
        self._classes = classes
        return sorted(classes)

    def _taken(self, message: tuple[Any, ...], out: Outgoing, entries: list[Entry]) -> Any:
        """What the other side answered; its changes are made in the objects that were sent."""
        try:
            word, data, changes, printed, news = message
            rows = {number: (form, head, content) for number, form, head, content in changes}
            self._take_news(news)
            if any(number < len(entries) for number in rows) and not self.may_change():
                incoming = Incoming(self, {**dict(enumerate(entries)), **rows})
            else:
                incoming = Incoming(self, rows, out.objects)
                for number in [number for number in rows if number < len(entries)]:
                    incoming.change(number)
            value, variables = incoming.decoded(data)
            self.namespace.update({name: item for name, item in variables.items() if name in self.variables})
            if word == "raise":
                error, where, exits = value
        except _NONSENSE as fault:
            self._fail(f"it sent nonsense: {fault}")
        if printed:
            sys.stdout.write(str(printed))
        if word == "raise":
            raise self._raised(error, where, exits)
        return value

    def _take_news(self, news: Any) -> None:
        if news is not None:
            self._others = frozenset(str(name) for name in news)

    def _raised(self, error: Any, where: Any, exits: Any) -> BaseException:
        """The exception that this side sees."""
        if exits is not False or not isinstance(error, Exception):
            base = (CandidateExit, SystemExit) if isinstance(error, SystemExit) else (CandidateExit,)
            raised: BaseException = type("CandidateExit", base, {})(
                *error.args if len(base) > 1 else (str(where)[:600],)
            )
        else:
            raised = error
        raised.__dict__["candidate_line"] = str(where)[:600]
        return raised

    def _answer(self, request: tuple[Any, ...]) -> None:
        try:
            what, data, entries, news = request
            self._take_news(news)
            incoming = Incoming(self, dict(enumerate(entries)))
            subject, *rest = incoming.decoded(data)
            received = incoming.objects(len(entries))
        except _NONSENSE as fault:
            self._fail(f"it sent nonsense: {fault}")
        word = "return"
        try:
            value = self._do(what, subject, *rest)
        except CandidateExit:
            raise
        except BaseException as error:  # noqa: BLE001 -- whatever it is, it crosses as data
            word, value = "raise", (error, describe(error)[1], not isinstance(error, Exception))
        try:
            reply = self._reply(word, value, entries, received)
        except Exception as error:  # noqa: BLE001 -- too large, too deep, or with methods that raise
            reply = self._reply("raise", (error, describe(error)[1], False), [], [])
        self._send(reply)

    def _reply(self, word: str, value: Any, entries: list[Entry], received: list[Any]) -> tuple[Any, ...]:
        """An answer, with those of the received objects that have changed, and the new ones."""
        out = Outgoing(self, self._limit, received)
        data = out.encoded((value, self._new_values()))
        changes: list[tuple[Any, ...]] = []
        for number, before in enumerate(entries):
            if before[0] in CHANGEABLE and (after := out.entry(number)) != before:
                changes.append((number, *after))
        changes += [(number, *row) for number, row in enumerate(out.entries(len(received)), len(received))]
        return (word, data, changes, self.printed(), self._news())

    def _new_values(self) -> dict[str, Any]:
        """The variables that the tests use and that have changed since they were last told."""
        if not self.trusting:
            return {}
        changed = {}
        for name, before in self.variables.items():
            out = Outgoing(self, self._limit)
            now = (out.encoded(self.namespace.get(name)), out.entries())
            if now != before:
                self.variables[name] = now
                changed[name] = self.namespace.get(name)
        return changed

    def _do(self, what: str, subject: Any, *rest: Any) -> Any:
        if not self.trusting:
            self._must_be_allowed(what, subject, rest)
        if what == "call":
            return subject(*rest[0], **dict(rest[1]))
        if what == "iter":
            return iter(subject)
        if what == "next":
            return step(subject)
        if what == "send":
            return step(subject, rest[0])
        if what == "signature" and not self.trusting:
            return names_of(subject)
        found = ASKED[what](subject, *rest)
        return Lent(found) if what in ("get", "getitem") and is_lent(found) else found

    def _must_be_allowed(self, what: str, subject: Any, rest: tuple[Any, ...]) -> None:
        """What the program may do with what the tests handed out: call it, iterate; use objects of their classes."""
        if not any(subject is item for item in self._objects.values()):
            # In particular no builtin type: `type` would make an object beside the tests that equals everything.
            raise TypeError("was not handed out")
        if what in ("call", "iter", "next"):
            return
        name = rest[0] if rest else ""
        attribute = what == "get" or (what == "set" and not callable(getattr(type(subject), str(name), None)))
        if type(subject) is FunctionType and (what == "signature" or (what == "get" and name in _ABOUT_FUNCTIONS)):
            return
        named = attribute and type(name) is str and name[:1] != "_"
        usable = defined_in(type(subject), self.namespace["__name__"]) or type(subject) in (io.StringIO, io.BytesIO)
        if usable and (named or what in ("len", "getitem", "str", "repr")):
            return
        raise (AttributeError if attribute else TypeError)("cannot be asked for that")

    def _send(self, message: tuple[Any, ...]) -> None:
        body = codec.encode(message, 2 * self._limit)
        try:
            self._socket.sendall(len(body).to_bytes(4, "little") + body)
        except OSError:
            self._fail(CANDIDATE_ENDED)

    def _receive(self) -> tuple[Any, ...]:
        size = int.from_bytes(self._exactly(4), "little")
        if size > 2 * self._limit:
            self._fail("it sent more than the output limit")
        try:
            message: Any = codec.decode(self._exactly(size))
        except codec.CodecError as error:
            self._fail(f"it sent nonsense: {error}")
        if type(message) is not tuple or not message or type(message[0]) is not str:
            self._fail("it sent nonsense")
        return tuple(message)

    def _exactly(self, size: int) -> bytes:
        data = self._ahead
        try:
            while len(data) < size:
                part = self._socket.recv(max(size - len(data), _AHEAD_BYTES))
                if not part:
                    raise ConnectionResetError
                data += part
        except OSError:
            self._fail(CANDIDATE_ENDED)
        found = bytes(data[:size])
        del data[:size]
        return found

    def _fail(self, why: str) -> NoReturn:
        self.failure = why
        raise CandidateExit(why)

    # What `crossing` asks.

    def shared(self, kind: type) -> bool:
        """Whether both modules define a class of this name, this one here."""
        name = kind.__name__
        return name in self._others and self.twin(name) is kind

    def twin(self, name: str) -> type | None:
        """The class of this name that this side's module defines, if the other side may know it."""
        kind = self.namespace.get(name) if self.twins is None or name in self.twins else None
        return kind if defined_in(kind, self.namespace["__name__"]) else None

    def handle(self, value: Any) -> bytes | None:
        """The handle of what crosses by reference."""
        origin = self._origin(value)
        if origin is not None:
            return b"y" + bytes(origin._number_)
        if isinstance(value, type) and value in _TYPE_NAMES:
            return b"b" + _TYPE_NAMES[value].encode()
        if form_of(self, value) or to_plain(value) is not None:
            return None
        return self.own_handle(value)

    def _origin(self, value: Any) -> Remote | None:
        """What a value of this side stands for in the other one."""
        kind = type(value)
        if is_remote(value):
            return value  # type: ignore[no-any-return]
        if kind in (GeneratorType, CoroutineType):
            return self._origins.get(value)
        origin = None
        if hasattr(kind, "_kin_"):
            origin = value._kin_
        elif isinstance(value, type) and "_origin_" in vars(value):
            origin = vars(value)["_origin_"]
        return origin if is_remote(origin) else None

    def own_handle(self, value: Any) -> bytes:
        """The handle of an object of this side: its number, what it is like, its name."""
        number = self._numbers.get(id(value))
        if number is None:
            number = self._numbers[id(value)] = str(len(self._objects)).encode()
            self._objects[number] = value  # and so kept: no other object gets its id
        like = next((base.__name__ for base in (list, dict, set) if isinstance(value, base)), "")
        like = "class" if isinstance(value, type) else _LIKE.get(type(value), like)
        name = value.__name__ if like in ("class", "function") else type(value).__name__
        return b":".join((b"r" + number, like.encode(), name[:60].encode("utf-8", "replace")))

    def resolve(self, handle: bytes) -> Any:
        """What a handle that was received stands for."""
        kind, rest = handle[:1], handle[1:]
        if kind in (b"b", b"y"):
            try:
                return _TYPES[rest.decode()] if kind == b"b" else self._objects[rest]
            except KeyError:
                raise codec.CodecError("no such object") from None
        number, like, name = rest.split(b":", 2)
        if number not in self._met:
            origin = remote(self, number, name.decode("utf-8", "replace"), like.decode())
            made: Any = origin
            if like in (b"generator", b"coroutine"):
                made = stepped(self, origin) if like == b"generator" else ran(self, origin)
                self._origins[made] = origin
            self._met[number] = made
        return self._met[number]

    def made(self, form: str, content: Any) -> Any:
        """The value of a form that cannot be changed."""
        if form == "kin":
            return self._kin(*content)
        if form == "lent":
            return lent(*content)
        if form == "error":
            return made_error(self._catchable(content[0]), *content[1:])
        if form == "error class":
            return self._error_class(*content)
        if form == "number":
            import numpy

            return numpy.frombuffer(content[1], array_type(content[0]))[0]
        if form in ("member", "class"):
            twin = self.twin(content if form == "class" else content[0])
            if twin is not None:
                return twin if form == "class" else twin[content[1]]  # type: ignore[index]
        if form == "pickle" and self.trusting:
            return pickle.loads(content)
        raise codec.CodecError("no such value")

    def _kin(self, name: Any, base_name: Any, plain: Any, origin: Any) -> Any:
        base, twin = _TYPES[base_name], self.twin(name)
        if twin is not None and issubclass(twin, base) and type(plain) is base and name in self._others:
            make: Any = base.__new__
            return twin(plain) if issubclass(twin, Enum) else make(twin, plain)
        return kin(base, plain, origin)

    def _error_class(self, name: Any, module: Any, bases: Any, origin: Any) -> type:
        twin = self.twin(name)
        if twin is not None and issubclass(twin, BaseException):
            return twin
        known = getattr(sys.modules.get(module), name, None) if module.partition(".")[0] in _LIBRARIES else None
        if isinstance(known, type) and issubclass(known, BaseException):
            return self._catchable(known)
        if not is_remote(origin):
            return origin if isinstance(origin, type) else Exception
        key = b"class " + origin._number_
        if key not in self._met:
            self._met[key] = error_class(name, tuple(dict.fromkeys(map(self._catchable, bases))), origin)
        return self._met[key]  # type: ignore[no-any-return]

    def _catchable(self, kind: Any) -> type:
        """The class itself, unless an exception of it would end a loop of the tests, in which nothing was asserted."""
        if not isinstance(kind, type) or not issubclass(kind, BaseException):
            raise codec.CodecError("no such exception")
        if self.trusting or not issubclass(kind, (StopIteration, StopAsyncIteration)):
            return kind
        return type(kind.__name__, (Exception,), {})
