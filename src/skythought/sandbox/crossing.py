"""How values cross between the tests of a check and the program: by value, with what can change told apart.

A message is plain data of `codec`. What can be changed (lists, dictionaries, arrays, instances of classes that both
sides define) stands beside it in a table, once each, and is named by its place there. So what is one object arrives as
one, also in rings, and after a call the callee can tell the caller what has changed in the arguments.
"""

from __future__ import annotations

import io
import pickle
import sys
from collections import Counter, OrderedDict, defaultdict, deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import Enum
from types import BuiltinMethodType, MethodType, ModuleType
from typing import Any, NamedTuple, Protocol

from skythought.sandbox import codec
from skythought.sandbox.lent import Lent, content
from skythought.sandbox.objects import to_plain

__all__ = ["CHANGEABLE", "Entry", "Handle", "Incoming", "Outgoing", "Side", "array_type", "defined_in", "form_of"]

Entry = tuple[str, bytes, bytes]
"""One row of the table: its form, what is needed to make the object, what is in it; the last two encoded."""
_ATOMS = frozenset({type(None), bool, int, float, complex, str, bytes})
_KIN = (int, float, complex, str, bytes, tuple, frozenset)
"""Builtin types without changes: values of classes derived from them cross as these, with the rest by reference."""


@dataclass(frozen=True, slots=True)
class Handle:
    """Stands in plain data for what is none: a place in the table (`#3`), or an object of either side."""

    text: bytes


class Side(Protocol):
    """What crossing needs to know of the side that it happens on."""

    trusting: bool
    """Whether what arrives may be unpickled: only in the program's process, from the tests."""

    def handle(self, value: Any) -> bytes | None:
        """The handle of an object that crosses by reference; None: it crosses by value."""

    def own_handle(self, value: Any) -> bytes:
        """A new handle of an object of this side."""

    def resolve(self, handle: bytes) -> Any:
        """What a handle from the other side stands for. Raises CodecError."""

    def twin(self, name: str) -> type | None:
        """The class of this name that this side's module defines."""

    def shared(self, kind: type) -> bool:
        """Whether this side's module defines this class, and the other one defines one of its name."""

    def made(self, form: str, content: Any) -> Any:
        """The value of a form that is neither changeable nor known here (see `remote`). Raises CodecError."""


class _Form(NamedTuple):
    """A form of what can be changed: what is needed to make it, what is in it, making one, filling one."""

    head: Callable[[Any], Any]
    content: Callable[[Any], Any]
    make: Callable[[Side, Any], Any]
    fill: Callable[[Any, Any], None]


def _nothing(value: Any) -> None:
    return None


def _fill_list(value: Any, content: Any) -> None:
    value[:] = content


def _fill_items(value: Any, content: Any) -> None:
    value.clear()
    for key, item in content:
        value[key] = item


def _fill_set(value: set[Any], content: Any) -> None:
    value.clear()
    value.update(content)


def _fill_deque(value: deque[Any], content: Any) -> None:
    value.clear()
    value.extend(content)


def _items(value: dict[Any, Any]) -> tuple[Any, ...]:
    return tuple(dict.items(value))


def _array(side: Side, head: Any) -> Any:
    import numpy

    kind, shape = head
    return numpy.zeros(shape, numpy.dtype(array_type(kind)))


def _fill_array(value: Any, content: Any) -> None:
    import numpy

    value[...] = numpy.frombuffer(content, value.dtype).reshape(value.shape)


def array_type(text: Any) -> str:
    """Refuses those that hold objects, which would be addresses."""
    if type(text) is not str or text[1:2] not in "biufcSUMm" or not text[2:3].isdigit():
        raise codec.CodecError("no such array")
    return text


def _instance(side: Side, name: Any) -> Any:
    kind = side.twin(name)
    if kind is None or issubclass(kind, (BaseException, Enum, type, *_KIN)):
        raise codec.CodecError("no such class")
    return object.__new__(kind)


def _state(value: Any) -> tuple[Any, ...]:
    """An instance's attributes, those in slots included."""
    slots = [name for kind in type(value).__mro__ for name in _names(kind.__dict__.get("__slots__", ()))]
    state = {name: getattr(value, name) for name in slots if name not in _NO_STATE and hasattr(value, name)}
    return tuple({**state, **getattr(value, "__dict__", {})}.items())


_NO_STATE = ("__dict__", "__weakref__")


def _names(slots: Any) -> Iterable[str]:
    return (slots,) if isinstance(slots, str) else slots


def _fill_instance(value: Any, content: Any) -> None:
    kind = type(value)
    wanted = dict(content)
    for name in [name for name, _ in _state(value) if name not in wanted]:
        object.__delattr__(value, name)
    for name, item in wanted.items():
        # Never in the place of a method: what the class does is what its side says that it does.
        if type(name) is not str or name.startswith("__") or callable(getattr(kind, name, None)):
            continue
        object.__setattr__(value, name, item)


CHANGEABLE: dict[str, _Form] = {
    "list": _Form(_nothing, tuple, lambda side, head: [], _fill_list),
    "dict": _Form(_nothing, _items, lambda side, head: {}, _fill_items),
    "set": _Form(_nothing, tuple, lambda side, head: set(), _fill_set),
    "bytearray": _Form(_nothing, bytes, lambda side, head: bytearray(), _fill_list),
    "deque": _Form(lambda value: value.maxlen, tuple, lambda side, head: deque(maxlen=head), _fill_deque),
    "Counter": _Form(_nothing, _items, lambda side, head: Counter(), _fill_items),
    "OrderedDict": _Form(_nothing, _items, lambda side, head: OrderedDict(), _fill_items),
    "defaultdict": _Form(
        lambda value: value.default_factory, _items, lambda side, head: defaultdict(head), _fill_items
    ),
    "array": _Form(lambda value: (value.dtype.str, value.shape), lambda value: value.tobytes(), _array, _fill_array),
    "instance": _Form(lambda value: type(value).__name__, _state, _instance, _fill_instance),
}
_EXACT = {list, dict, set, bytearray, deque, Counter, OrderedDict, defaultdict}


def defined_in(kind: Any, module: str) -> bool:
    """Whether something is a class that a module defines."""
    return isinstance(kind, type) and kind.__module__ == module


def form_of(side: Side, value: Any) -> str:
    """The form in which an object crosses by value; empty: it does not."""
    kind = type(value)
    if kind in _EXACT:
        return kind.__name__
    if kind is Lent:
        return "lent"
    if isinstance(value, BaseException):
        return "error"
    if isinstance(value, type):
        if issubclass(value, BaseException):
            return "error class"
        return "class" if side.shared(value) else ""
    numpy = sys.modules.get("numpy")
    if numpy is not None and isinstance(value, (numpy.ndarray, numpy.generic)) and value.dtype.kind in "biufcSUMm":
        return "number" if isinstance(value, numpy.generic) else "array"
    if side.shared(kind) and not issubclass(kind, _KIN):
        return "member" if isinstance(value, Enum) else "" if issubclass(kind, (list, dict, set)) else "instance"
    if issubclass(kind, _KIN):
        return "kin"
    return "" if side.trusting or not _pickled(value) else "pickle"


class _Pickler(pickle.Pickler):
    """Refuses what belongs to the tests, and what there is one of: a copy in the other process would be another."""

    def persistent_id(self, value: Any) -> None:
        owner = getattr(value, "__self__", None) if isinstance(value, (MethodType, BuiltinMethodType)) else None
        bound = owner is not None and not isinstance(owner, (ModuleType, type))
        if bound or isinstance(value, io.IOBase) or hasattr(value, "__next__"):
            raise pickle.PicklingError("there is one of it")
        if getattr(value, "__module__", None) == "tests":
            raise pickle.PicklingError("belongs to the tests")


def _pickled(value: Any) -> bytes:
    """What the tests use of libraries, as the program's process may have it; empty where it cannot go."""
    data = io.BytesIO()
    try:
        _Pickler(data).dump(value)
    except Exception:  # noqa: BLE001 -- whatever it is that cannot be pickled
        return b""
    return data.getvalue()


def _content(side: Side, form: str, value: Any) -> Any:
    """What is sent of a value of a form that is not changeable."""
    if form == "number":
        return (value.dtype.str, value.tobytes())
    if form == "member":
        return (type(value).__name__, value.name)
    if form == "class":
        return value.__name__
    if form == "pickle":
        return _pickled(value)
    if form == "kin":
        base = next(base for base in _KIN if isinstance(value, base))
        plain = tuple(tuple.__iter__(value)) if base is tuple else codec.plain(value)
        return (type(value).__name__, base.__name__, plain, Handle(side.own_handle(value)))
    if form == "lent":
        return (type(value.value).__name__, content(value.value), Handle(side.own_handle(value.value)))
    if form == "error class":
        return _class_content(side, value)
    try:
        said = str(value)
    except Exception:  # noqa: BLE001 -- a hostile or broken __str__
        said = type(value).__name__
    state = tuple((key, item) for key, item in vars(value).items() if type(key) is str)
    return (type(value), value.args, state, said, value.__cause__)


def _class_content(side: Side, kind: type) -> Any:
    module = "" if kind.__module__ in ("tests", "solution", "__main__") else kind.__module__
    bases = tuple(base for base in kind.__bases__ if issubclass(base, BaseException))
    return (kind.__name__, module, bases, Handle(side.own_handle(kind)))


class Outgoing:
    """One message on its way: its values, and the table of what can be changed in them."""

    def __init__(self, side: Side, limit: int, known: Sequence[Any] = ()) -> None:
        """`known`: what the other side has already, at the first places of the table."""
        self.objects = list(known)
        self._numbers = {id(value): number for number, value in enumerate(known)}
        self._side, self._left = side, limit

    def encoded(self, value: Any) -> bytes:
        """A value. Raises CodecError: too large or too deep."""
        data = codec.encode(self._flat(value, 0), self._left, lambda item: item.text)
        self._left -= len(data)
        return data

    def entries(self, start: int = 0) -> list[Entry]:
        """The table from a place on; what comes up while it is written as well."""
        found: list[Entry] = []
        while start + len(found) < len(self.objects):
            found.append(self.entry(start + len(found)))
        return found

    def entry(self, number: int) -> Entry:
        """One row of the table."""
        value = self.objects[number]
        form = form_of(self._side, value)
        if form == "set":  # in one order on both sides
            parts = sorted(codec.encode(self._flat(item, 0), handle=lambda item: item.text) for item in value)
            return form, b"", codec.encode(tuple(parts), self._left)
        if form in CHANGEABLE:
            return form, self.encoded(CHANGEABLE[form].head(value)), self.encoded(CHANGEABLE[form].content(value))
        return form, b"", self.encoded(_content(self._side, form, value))

    def _flat(self, value: Any, depth: int) -> Any:
        """The value as plain data with handles."""
        kind = type(value)
        if kind in _ATOMS or kind is Handle:
            return value
        if kind is tuple or kind is frozenset:
            if depth > codec.MAX_DEPTH:
                raise codec.CodecError(f"the value is nested deeper than {codec.MAX_DEPTH} levels")
            return kind([self._flat(item, depth + 1) for item in value])
        number = self._numbers.get(id(value))
        if number is None:
            text = self._side.handle(value)
            if text is not None:
                return Handle(text)
            if kind is not bytearray and to_plain(value) is not None:
                return value
            number = self._numbers[id(value)] = len(self.objects)
            self.objects.append(value)
        return Handle(b"#%d" % number)


class Incoming:
    """One message that has arrived."""

    def __init__(self, side: Side, entries: dict[int, Entry], known: Sequence[Any] = ()) -> None:
        """`known`: the objects of this side that stand at the first places of the table; `entries`: the others."""
        self._side, self._entries = side, entries
        self._objects: dict[int, Any] = dict(enumerate(known))
        self._empty: list[int] = []
        """Those that are made and have to be filled."""

    def decoded(self, data: bytes) -> Any:
        """A value. Raises CodecError."""
        value = codec.decode(data, self._resolve)
        self._fill()
        return value

    def objects(self, count: int) -> list[Any]:
        """The first objects of the table."""
        found = [self._object(number) for number in range(count)]
        self._fill()
        return found

    def change(self, number: int) -> None:
        """Make a known object what the table says. Raises CodecError: it is of another form."""
        value, form = self._objects[number], self._entries[number][0]
        if form != form_of(self._side, value):
            raise codec.CodecError("no such change")
        if form in CHANGEABLE:
            self._empty.append(number)
            self._fill()

    def _resolve(self, handle: bytes) -> Any:
        return self._object(int(handle[1:])) if handle[:1] == b"#" else self._side.resolve(handle)

    def _object(self, number: int) -> Any:
        if number in self._objects:
            return self._objects[number]
        if number not in self._entries:
            raise codec.CodecError("no such object")
        form, head, content = self._entries[number]
        if form in CHANGEABLE:
            made = CHANGEABLE[form].make(self._side, codec.decode(head, self._resolve) if head else None)
            self._empty.append(number)
        else:
            made = self._side.made(form, codec.decode(content, self._resolve))
        self._objects[number] = made
        return made

    def _fill(self) -> None:
        """Fill what is empty; keys before what they are keys of, for their hashes may depend on what is in them."""
        while self._empty:
            number = self._empty.pop()
            form, _, data = self._entries[number]
            content = codec.decode(data, self._resolve)
            if form == "set":
                content = tuple(codec.decode(part, self._resolve) for part in content)
            if form not in ("list", "deque", "instance"):
                self._fill()
            CHANGEABLE[form].fill(self._objects[number], content)
