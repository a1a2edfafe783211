"""Lists, dictionaries and sets that an object of the other process holds, as a test gets them.

It reads a copy of its own, and what it changes is changed in the other process as well.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from skythought.sandbox.codec import CodecError

__all__ = ["Lent", "content", "is_lent", "lent", "read_again"]


@dataclass(frozen=True, slots=True, eq=False)
class Lent:
    """Marks what is lent, on the side that has it."""

    value: Any


def content(value: Any) -> Any:
    """What is in it; what it holds is lent in turn."""
    if type(value) is dict:
        return tuple((key, _inner(item)) for key, item in value.items())
    return tuple(_inner(item) for item in value) if type(value) is list else tuple(value)


def _inner(value: Any) -> Any:
    return Lent(value) if is_lent(value) else value


def is_lent(value: Any) -> bool:
    """Whether it is of a kind that is lent."""
    return type(value) in _CHANGES


_CHANGES: dict[type, Iterable[str]] = {
    list: (
        "append",
        "extend",
        "insert",
        "pop",
        "remove",
        "clear",
        "sort",
        "reverse",
        "setitem",
        "delitem",
        "iadd",
        "imul",
    ),
    dict: ("update", "pop", "popitem", "setdefault", "clear", "setitem", "delitem", "ior"),
    set: ("add", "remove", "discard", "clear", "update", "ior", "iand", "isub", "ixor"),
}
"""What changes them, the operators without their underscores."""
_OPERATORS = {"setitem", "delitem", "iadd", "imul", "ior", "iand", "isub", "ixor"}


def _both(base: type, name: str) -> Callable[..., Any]:
    """A method that changes the copy, and if that can be done also the other process's."""
    full = f"__{name}__" if name in _OPERATORS else name
    change = getattr(base, full)

    def method(self: Any, *args: Any, **kwargs: Any) -> Any:
        found = change(self, *args, **kwargs)
        origin = self._kin_
        if name in _OPERATORS:
            origin._peer_.ask(name, origin, *args)
        else:
            origin._peer_.ask("get", origin, name)(*args, **kwargs)
        return found

    return method


def _class(base: type, names: Iterable[str]) -> type:
    body = {f"__{name}__" if name in _OPERATORS else name: _both(base, name) for name in names}
    return type(base.__name__, (base,), {**body, "_kin_": None})


_CLASSES = {base.__name__: _class(base, names) for base, names in _CHANGES.items()}


def lent(base: str, items: Any, origin: Any) -> Any:
    """The copy of what an object of the other process holds. Raises CodecError."""
    if base not in _CLASSES:
        raise CodecError("nothing that is lent")
    value = _CLASSES[base](items)
    vars(value)["_kin_"] = origin
    return value


def read_again(values: Iterable[Any]) -> None:
    """Have those among the values that are lent hold what they now hold in the other process."""
    for value in values:
        kind = type(value)
        if _CLASSES.get(kind.__name__) is kind:
            now: Any = value._kin_._peer_.ask("base", value._kin_)
            base: Any = kind.__mro__[1]
            if type(now) is not base:
                raise TypeError("not what was lent")
            base.clear(value)
            (base.extend if base is list else base.update)(value, now)
