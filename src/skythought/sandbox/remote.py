"""Objects of the other process, as the tests of a check (or its program) have them: what is asked of them goes there.

No verdict is asked for. An object of the program's is equal to no plain data, whatever its class says, nor less or
greater, and what it contains is found by iterating over it. What an operator makes of it and of plain data is an
object again, and gives no number: `abs(f(x) - 5) < 1e-6` is not the program's to decide. Only of two objects of the
program's it says itself whether they are equal.
"""

from __future__ import annotations

import copy
import operator
from collections.abc import Callable, Coroutine, Generator, Iterator
from functools import cache
from types import FunctionType
from typing import Any, Protocol

from skythought.sandbox.codec import CodecError
from skythought.sandbox.lent import read_again
from skythought.sandbox.signatures import from_rows, rows_of

__all__ = [
    "ASKED",
    "Asker",
    "CandidateExit",
    "Remote",
    "error_class",
    "is_remote",
    "kin",
    "made_error",
    "ran",
    "remote",
    "step",
    "stepped",
]


class CandidateExit(BaseException):
    """The candidate ended the program, or its process has ended: no `except Exception` of the tests may hide it."""


class Asker(Protocol):
    """Who carries questions to the other process."""

    def ask(self, what: str, subject: Any, *rest: Any) -> Any:
        """The answer. Raises what was raised there, or CandidateExit."""


def _enter(value: Any) -> Any:
    return type(value).__enter__(value)


def _exit(value: Any) -> None:
    type(value).__exit__(value, None, None, None)


def _base(value: Any) -> Any:
    """What is in an instance of a class derived from a list, set or dictionary."""
    if isinstance(value, dict):
        return dict(dict.items(value))
    if isinstance(value, list):
        return list(list.__iter__(value))
    if isinstance(value, set):
        return set(set.__iter__(value))
    raise TypeError("no plain data")


def _run(value: Coroutine[Any, Any, Any]) -> Any:
    import asyncio

    async def done() -> Any:
        return await value

    return asyncio.run(done())


ASKED: dict[str, Callable[..., Any]] = {
    "get": getattr,
    "set": setattr,
    "delete": delattr,
    "copy": copy.copy,
    "deepcopy": copy.deepcopy,
    "isinstance": lambda kind, value: isinstance(value, kind),
    "issubclass": lambda kind, other: issubclass(other, kind),
    "enter": _enter,
    "exit": _exit,
    "base": _base,
    "signature": rows_of,
    "run": _run,
    "reversed": lambda value: list(reversed(value)),
    "pow": pow,
    "divmod": divmod,
    "round": round,
    "format": format,
    **{kind.__name__: kind for kind in (str, bool, int, float, complex, bytes)},
    **{kind.__name__: kind for kind in (len, repr, hash, dir)},
    **{name: getattr(operator, name) for name in ("getitem", "setitem", "delitem", "index")},
    **{name: getattr(operator, name) for name in ("eq", "ne", "lt", "le", "gt", "ge")},
    **{name: getattr(operator, name) for name in ("abs", "neg", "pos", "invert")},
    **{name: getattr(operator, name) for name in ("add", "sub", "mul", "truediv", "floordiv", "mod", "matmul")},
    **{name: getattr(operator, name) for name in ("and_", "or_", "xor", "lshift", "rshift")},
    **{name: getattr(operator, name) for name in ("iadd", "isub", "imul", "ior", "iand", "ixor")},
}
"""What the tests may ask of an object of the program's, beside calling it and iterating over it."""
_READABLE = {"__doc__", "__name__", "__qualname__", "__annotations__", "__module__", "__wrapped__"}
_READABLE |= {"__defaults__", "__kwdefaults__", "__code__"}
_PREDICATES = {"startswith", "endswith", *(name for name in dir(str) + dir(set) + dir(float) if name.startswith("is"))}
"""Of plain data a test asks these to find out whether it is right, so no object stands in for plain data here."""
_CONTAINERS = {"list": list, "dict": dict, "set": set}
_CLASSES = {**_CONTAINERS, "function": FunctionType}


class Remote:
    """Stands for an object in the other process. The same object there is the same object here."""

    __slots__ = ("__weakref__", "_base_", "_name_", "_number_", "_peer_", "_weighed_")

    def __init__(self, peer: Asker, number: bytes, name: str, base: str = "") -> None:
        """`base`: what it is like: a builtin type whose content it has (list, dict, set), a function, a class."""
        set_ = object.__setattr__
        set_(self, "_peer_", peer)
        set_(self, "_number_", number)
        set_(self, "_name_", name)
        set_(self, "_base_", base)
        set_(self, "_weighed_", False)  # whether it comes of an operation with plain data

    def __getattribute__(self, name: str) -> Any:
        if name in _SLOTS:
            return object.__getattribute__(self, name)
        if name == "__class__":
            return _CLASSES.get(self._base_, type(self))
        if name == "__dict__":
            return self._peer_.ask("get", self, name)
        if name in _PREDICATES:
            raise AttributeError(f"an object of the program's is not asked whether it {name}")
        if name.startswith("__") and name.endswith("__"):
            if name in _READABLE:
                return self._name_ if name == "__name__" else self._peer_.ask("get", self, name)
            if name == "__signature__" and self._base_ in ("function", "class"):
                return from_rows(self._peer_.ask("signature", self))
            return object.__getattribute__(self, name)
        return self._peer_.ask("get", self, name)

    def __setattr__(self, name: str, value: Any) -> None:
        self._peer_.ask("set", self, name, value)

    def __delattr__(self, name: str) -> None:
        self._peer_.ask("delete", self, name)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        try:
            return self._peer_.ask("call", self, args, tuple(kwargs.items()))
        finally:
            read_again(args)

    def __iter__(self) -> Iterator[Any]:
        return stepped(self._peer_, self._peer_.ask("iter", self))

    def __next__(self) -> Any:
        return _item(self._peer_.ask("next", self))

    def __contains__(self, item: Any) -> bool:
        return any(item is other or item == other for other in self)

    def __instancecheck__(self, value: Any) -> bool:
        origin = value._kin_ if hasattr(type(value), "_kin_") else value
        return is_remote(origin) and self._peer_.ask("isinstance", self, origin) is True

    def __subclasscheck__(self, kind: Any) -> bool:
        return is_remote(kind) and self._peer_.ask("issubclass", self, kind) is True

    def __eq__(self, other: Any) -> Any:
        if self is other:
            return True
        if is_remote(other):
            same = self._number_ == other._number_ and self._peer_ is other._peer_
            return same or self._peer_.ask("eq", self, other) is True
        return self._peer_.ask("base", self) == other if self._base_ in _CONTAINERS else False

    def __ne__(self, other: Any) -> Any:
        return not self == other

    def __hash__(self) -> int:
        return int(self._peer_.ask("hash", self))

    def __exit__(self, *raised: Any) -> None:
        # What the program answers does not count: it could make a failed assert of the body no failure.
        self._peer_.ask("exit", self)

    def __enter__(self) -> Any:
        return self._peer_.ask("enter", self)

    def __copy__(self) -> Any:
        return self._peer_.ask("copy", self)

    def __deepcopy__(self, memo: Any) -> Any:
        return self._peer_.ask("deepcopy", self)

    def __format__(self, spec: str) -> str:
        return str(self._peer_.ask("format", self, spec))


def is_remote(value: Any) -> bool:
    """Whether a value stands for an object in the other process; asks that nothing."""
    return issubclass(type(value), Remote)


@cache
def _class_named(name: str) -> type[Remote]:
    """So that `type(value).__name__` tells."""
    return type(name, (Remote,), {"__slots__": ()})


def remote(peer: Asker, number: bytes, name: str, like: str) -> Remote:
    """What stands for an object of the other process; `like`: see `Remote`, or "generator" or "coroutine"."""
    kind = Remote if like in ("function", "class", "generator", "coroutine") else _class_named(name)
    return kind(peer, number, name, like)


_SLOTS = {"_base_", "_name_", "_number_", "_peer_", "_weighed_"}


_NUMBERS = {"abs", "neg", "pos", "invert", "round", "int", "float", "complex", "index", "bool", "len"}


def _weighed(found: Any, what: str) -> Remote:
    """The object that an operation with plain data gave."""
    if not is_remote(found):
        raise TypeError(f"an object of the program's and plain data give no plain data ({what})")
    other: Remote = type(found)(found._peer_, found._number_, found._name_, found._base_)
    object.__setattr__(other, "_weighed_", True)
    return other


def _ordered(name: str) -> Callable[[Remote, Any], Any]:
    """A comparison: between objects of the program's alone."""

    def compare(self: Remote, other: Any) -> Any:
        if not is_remote(other):
            return NotImplemented
        return bool(self._peer_.ask(name, self, other))

    return compare


def _operation(name: str, *, swapped: bool = False) -> Callable[[Remote, Any], Any]:
    """An operator. With plain data it gives an object of the program's or nothing: `f(x) - 5` may not answer 0."""

    def operate(self: Remote, other: Any) -> Any:
        found = self._peer_.ask(name, *((other, self) if swapped else (self, other)))
        weighed = self._weighed_ or not is_remote(other) or other._weighed_
        return _weighed(found, name) if weighed else found

    return operate


def _question(name: str, kind: Callable[[Any], Any] | None) -> Callable[..., Any]:
    """What needs no other value; `kind`: what Python wants as the answer."""

    def answer(self: Remote, *rest: Any) -> Any:
        found = self._peer_.ask(name, self, *rest)
        if self._weighed_ and name in _NUMBERS:
            return _weighed(found, name)
        return found if kind is None else kind(found)

    return answer


_RESULTS: dict[str, Callable[[Any], Any] | None] = {
    **{kind.__name__: kind for kind in (int, bool, float, complex, str, bytes)},
    **{"len": int, "index": int, "repr": str, "dir": list, "reversed": iter},
    **dict.fromkeys(("abs", "neg", "pos", "invert", "getitem", "setitem", "delitem", "round")),
}
"""Special methods that need no other value, and what Python wants of them."""


def _complete() -> None:
    """Give `Remote` the special methods that are all alike."""
    methods = {name: _ordered(name) for name in ("lt", "le", "gt", "ge")}
    for name in ("add", "sub", "mul", "truediv", "floordiv", "mod", "matmul", "and_", "or_", "xor", "lshift", "rshift"):
        methods[name.rstrip("_")] = _operation(name)
        methods[f"r{name.rstrip('_')}"] = _operation(name, swapped=True)
    for name in ("iadd", "isub", "imul", "ior", "iand", "ixor", "pow", "divmod"):
        methods[name] = _operation(name)
    methods.update({name: _question(name, kind) for name, kind in _RESULTS.items()})
    for name, method in methods.items():
        setattr(Remote, f"__{name}__", method)


_complete()


def step(value: Any, given: Any = None) -> tuple[Any, ...]:
    """The next of an iterator, as a tuple of one; at its end a tuple of two: none, and what a generator returned."""
    try:
        return (next(value) if given is None else value.send(given),)
    except StopIteration as end:
        return None, end.value


def _item(found: Any) -> Any:
    if type(found) is not tuple or len(found) != 1:
        raise StopIteration
    return found[0]


def stepped(peer: Asker, steps: Any) -> Generator[Any, Any, Any]:
    """A generator of this process that goes on in the other one."""
    given = None
    while True:
        found = peer.ask("next", steps) if given is None else peer.ask("send", steps, given)
        if type(found) is not tuple or len(found) != 1:
            return found[1] if type(found) is tuple and len(found) == 2 else None
        given = yield found[0]


async def ran(peer: Asker, task: Any) -> Any:
    """A coroutine of this process that is run in the other one."""
    return peer.ask("run", task)


class _Kin:
    """A value of a class derived from a builtin type without changes: the value is here, the rest is asked for."""

    _kin_: Any

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return getattr(self._kin_, name)

    def __repr__(self) -> str:
        return repr(self._kin_)

    def __str__(self) -> str:
        return str(self._kin_)


def _kin_class(base: type) -> type:
    return type(base.__name__, (_Kin, base), {"_kin_": None})


_KIN = {base: _kin_class(base) for base in (int, float, complex, str, bytes, tuple, frozenset)}


def kin(base: type, plain: Any, origin: Any) -> Any:
    """A value equal to `plain`, with the other attributes of the object that it came from. Raises CodecError."""
    if base not in _KIN or type(plain) is not base:
        raise CodecError("no such value")
    make: Any = base.__new__
    value = make(_KIN[base], plain)
    vars(value)["_kin_"] = origin
    return value


class _ErrorClass(type):
    """The class of exception classes of the other side: one can be caught here, and is made there."""

    def __call__(cls, *args: Any, **kwargs: Any) -> Any:
        return cls._origin_(*args, **kwargs)  # type: ignore[attr-defined]


def error_class(name: str, bases: tuple[type, ...], origin: Any) -> type:
    """A class for the exceptions of a class of the other side."""

    def said(self: Any) -> str:
        return str(self.__dict__.get("_said_", ""))

    body = {"_origin_": origin, "__module__": "candidate", "__str__": said}
    try:
        return _ErrorClass(name[:100], bases or (Exception,), body)
    except TypeError:  # bases that do not go together
        return _ErrorClass(name[:100], bases[:1], body)


def made_error(kind: Any, args: Any, state: Any, said: Any, cause: Any) -> BaseException:
    """An exception of a class, without asking the class to make it where that can be. Raises CodecError."""
    if not (isinstance(kind, type) and issubclass(kind, BaseException)) or type(args) is not tuple:
        raise CodecError("no such exception")
    builtin = kind.__module__ == "builtins"
    try:
        error = kind(*args) if builtin else kind.__new__(kind, *args)
    except Exception:  # noqa: BLE001 -- one that wants other arguments
        error = RuntimeError(str(said)[:600])
    error.args = args if not isinstance(error, OSError) else error.args
    for name, value in state:
        if type(name) is str and not name.startswith("_") and not callable(getattr(kind, name, None)):
            error.__dict__[name] = value
    error.__dict__["_said_"] = str(said)[:10_000]
    error.__cause__ = cause if isinstance(cause, BaseException) else None
    return error
