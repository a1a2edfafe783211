"""A small binary encoding of plain data, for values that come from where nobody is trusted.

Decoding makes None, bool, int, float, complex, str, bytes, list, tuple, set, frozenset and dict of exactly these types,
the few kinds of `objects`, and `Opaque` for what the other side could not send. Nothing is imported, called or
evaluated at the sender's choice; depth, sizes and the work of hashing are bounded, so that a hostile sender gets a
`CodecError` at most. Integers travel as bytes: a million digits cost a millisecond, and no limit on digits applies.

A value is a tag of one byte and its payload; counts and lengths are 4 bytes, little endian.
"""

from __future__ import annotations

import math
import struct
import sys
from collections import Counter
from collections.abc import Callable
from typing import Any

from skythought.sandbox.objects import from_plain, to_plain
from skythought.sandbox.outcome import Opaque

__all__ = ["MAX_DEPTH", "CodecError", "decode", "encode", "plain"]

MAX_DEPTH = 200
"""Levels of nesting; also keeps the receiver's own recursion (comparing, printing) far from its limit."""
MAX_COLLISIONS = 64
"""Keys with one hash value in a set or dict: more are an attack on the receiver's time."""
NAME_LENGTH = 200

_COUNT = struct.Struct("<I")
_FLOAT = struct.Struct("<d")
_COMPLEX = struct.Struct("<dd")
_TAGS: dict[type, bytes] = {list: b"l", tuple: b"t", set: b"e", frozenset: b"z"}
Handle = Callable[[Any], bytes | None]
"""Encodes an object that is not plain data as a name for it (up to 200 bytes); None: as `Opaque`."""
Resolve = Callable[[bytes], Any]
"""Gives the object for such a name."""


class CodecError(ValueError):
    """The value is too large or too deep to send, or the bytes received are no value."""


def encode(value: Any, limit: int = 1 << 30, handle: Handle | None = None) -> bytes:
    """`value` as bytes. Subclasses go as the plain type, numpy arrays as lists, other objects as `Opaque` or handles.

    Raises:
        CodecError: more than `limit` bytes, or deeper than 200 levels.
    """
    encoder = _Encoder(limit, handle)
    encoder.put(value, 0)
    return b"".join(encoder.parts)


class _Encoder:
    def __init__(self, limit: int, handle: Handle | None) -> None:
        self.parts: list[bytes] = []
        self._left = limit
        self._handle = handle

    def _add(self, part: bytes) -> None:
        self._left -= len(part)
        if self._left < 0:
            raise CodecError("the value is too large")
        self.parts.append(part)

    def put(self, value: Any, depth: int) -> None:
        if depth > MAX_DEPTH:
            raise CodecError(f"the value is nested deeper than {MAX_DEPTH} levels")
        kind = type(value)
        if kind not in _PLAIN:
            value = plain(value)
            kind = type(value)
        if kind in _TAGS:
            self._add(_TAGS[kind] + _COUNT.pack(len(value)))
            for item in value:
                self.put(item, depth + 1)
        elif kind is dict:
            self._add(b"d" + _COUNT.pack(len(value)))
            for key, item in value.items():
                self.put(key, depth + 1)
                self.put(item, depth + 1)
        elif kind in _ATOMS:
            self._add(_ATOMS[kind](value))
        elif (known := to_plain(value)) is not None:
            self._add(b"v" + _sized(known[0].encode()))
            self.put(known[1], depth + 1)
        else:
            name = self._handle(value) if self._handle is not None else None
            if name is not None:
                self._add(b"h" + _sized(name))
            else:
                self._add(b"o" + _sized(_type_name(value).encode("utf-8", "replace")))


def _sized(payload: bytes) -> bytes:
    return _COUNT.pack(len(payload)) + payload


def _type_name(value: Any) -> str:
    return value.type_name if type(value) is Opaque else str(type(value).__name__)[:NAME_LENGTH]


def _int(value: int) -> bytes:
    return b"i" + _sized(value.to_bytes(value.bit_length() // 8 + 1, "little", signed=True))


_ATOMS: dict[type, Callable[[Any], bytes]] = {
    type(None): lambda value: b"N",
    bool: lambda value: b"T" if value else b"F",
    int: _int,
    float: lambda value: b"f" + _FLOAT.pack(value),
    complex: lambda value: b"c" + _COMPLEX.pack(value.real, value.imag),
    str: lambda value: b"s" + _sized(value.encode("utf-8", "surrogatepass")),
    bytes: lambda value: b"b" + _sized(value),
}
_PLAIN = {*_ATOMS, *_TAGS, dict, Opaque}
_BASES: dict[type, Callable[[Any], Any]] = {
    int: int.__int__,  # what it is; `int(value)` would ask the subclass, as `str(value)` asks an enum for its name
    float: float.__float__,
    complex: complex.__complex__,
    str: str.__str__,
    bytes: bytes.__bytes__,
    list: lambda value: list(list.__iter__(value)),
    tuple: lambda value: tuple(tuple.__iter__(value)),
    set: lambda value: set(set.__iter__(value)),
    frozenset: lambda value: frozenset(frozenset.__iter__(value)),
    dict: dict,  # an OrderedDict has an order of its own
}


def plain(value: Any) -> Any:
    """A subclass's value as the plain type it derives from, numpy's as Python's; anything else as it is."""
    numpy = sys.modules.get("numpy")
    if numpy is not None and isinstance(value, (numpy.ndarray, numpy.generic)):
        return value.tolist()
    kind = type(value)
    for base, plain in _BASES.items():
        if issubclass(kind, base):
            return plain(value)
    return value


def decode(data: bytes, resolve: Resolve | None = None, memory: float = math.inf) -> Any:
    """The value in `data`.

    Args:
        resolve: Gives objects for handles; None: a handle is no value.
        memory: Bytes that the value may take, roughly. An empty set takes forty times as much as its encoding.

    Raises:
        CodecError: `data` is not exactly one value, is too deep, takes too much memory, or has keys made to collide.
    """
    decoder = _Decoder(data, resolve, memory)
    try:
        value = decoder.take(0)
    except (IndexError, struct.error, UnicodeDecodeError, TypeError, OverflowError, MemoryError) as error:
        raise CodecError(f"not a value: {type(error).__name__}") from None
    if decoder.at != len(data):
        raise CodecError("not a value: something follows it")
    return value


class _Decoder:
    def __init__(self, data: bytes, resolve: Resolve | None, memory: float) -> None:
        self.at = 0
        """Where the next value starts."""
        self._data, self._resolve, self._memory = data, resolve, memory

    def take(self, depth: int) -> Any:
        """The next value."""
        if depth > MAX_DEPTH:
            raise CodecError(f"nested deeper than {MAX_DEPTH} levels")
        tag = self._data[self.at]
        self.at += 1
        self._count(_LARGE if tag in _HASHED else _SMALL)
        if tag in _CONSTANTS:
            return _CONSTANTS[tag]
        if tag in _FIXED:
            layout, make = _FIXED[tag]
            self.at += layout.size
            return make(*layout.unpack_from(self._data, self.at - layout.size))
        (size,) = _COUNT.unpack_from(self._data, self.at)
        self.at += 4
        if size > len(self._data) - self.at:
            raise CodecError("not a value: cut off")
        if tag in _MAKERS:
            return _MAKERS[tag]([self.take(depth + 1) for _ in range(2 * size if tag == _DICT else size)])
        part = self._data[self.at : self.at + size]
        self.at += size
        return self._of_part(tag, part, depth)

    def _count(self, size: int) -> None:
        self._memory -= size
        if self._memory < 0:
            raise CodecError("the value is too large")

    def _of_part(self, tag: int, part: bytes, depth: int) -> Any:
        if tag in _SIZED:
            self._count(len(part))
            return _SIZED[tag](part)
        if tag == _OBJECT:
            resolve, self._resolve = self._resolve, None
            plain = self.take(depth + 1)
            self._resolve = resolve
            return _object(part, plain)
        if tag == _HANDLE and self._resolve is not None:
            return self._resolve(part)
        raise CodecError("not a value: unknown tag")


def _refuse_collisions(keys: list[Any]) -> list[Any]:
    if len(keys) > MAX_COLLISIONS and max(Counter(map(hash, keys)).values()) > MAX_COLLISIONS:
        raise CodecError("keys that collide")
    return keys


def _object(name: bytes, plain: Any) -> Any:
    try:
        return from_plain(name.decode(), plain)
    except ValueError as error:
        raise CodecError(str(error)) from None


def _dict(items: list[Any]) -> dict[Any, Any]:
    return dict(zip(_refuse_collisions(items[::2]), items[1::2], strict=True))


_HANDLE, _DICT, _OBJECT = ord("h"), ord("d"), ord("v")
_HASHED = {ord("e"), ord("z"), ord("d")}
_SMALL, _LARGE = 64, 300
"""Bytes that are counted for a value: its object, and its place in what holds it; more for sets and dictionaries."""
_FIXED: dict[int, tuple[struct.Struct, Callable[..., Any]]] = {ord("f"): (_FLOAT, float), ord("c"): (_COMPLEX, complex)}
_MAKERS: dict[int, Callable[[list[Any]], Any]] = {
    ord("l"): lambda items: items,
    ord("t"): tuple,
    ord("e"): lambda items: set(_refuse_collisions(items)),
    ord("z"): lambda items: frozenset(_refuse_collisions(items)),
    ord("d"): _dict,
}
_CONSTANTS: dict[int, Any] = {ord("N"): None, ord("T"): True, ord("F"): False}
_SIZED: dict[int, Callable[[bytes], Any]] = {
    ord("i"): lambda part: int.from_bytes(part, "little", signed=True),
    ord("s"): lambda part: part.decode("utf-8", "surrogatepass"),
    ord("b"): bytes,
    ord("o"): lambda part: Opaque(part[:NAME_LENGTH].decode("utf-8", "replace")),
}
