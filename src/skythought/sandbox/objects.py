"""Small values of the standard library that cross by value as well: numbers, days and ranges that results are made of.

Each is a name and plain data. Sizes are bounded, so that comparing and hashing them costs the receiver nothing.
"""

from __future__ import annotations

import datetime
import sys
from collections.abc import Callable
from typing import Any, NamedTuple

__all__ = ["from_plain", "to_plain"]

_DIGITS = 10_000


class _Kind(NamedTuple):
    module: str
    plain: Callable[[Any], Any]
    make: Callable[[type, Any], Any]


def _small(*numbers: int) -> tuple[int, ...]:
    if any(type(number) is not int or number.bit_length() > 3 * _DIGITS for number in numbers):
        raise ValueError("too large a number")
    return numbers


def _ends(*places: int | None) -> tuple[int | None, ...]:
    _small(*(place for place in places if place is not None))
    return places


def _decimal(kind: Any, text: Any) -> Any:
    number = kind(text[: _DIGITS + 1])
    if len(text) > _DIGITS or not number.is_finite() or abs(number.adjusted()) > _DIGITS:
        raise ValueError("not a number of usual size")
    return number


def _fields(value: Any) -> tuple[int, ...]:
    """A point in time; its zone, if it has one of the plain kind, as days and seconds from UTC."""
    zone = value.tzinfo
    if value.fold or not (zone is None or type(zone) is datetime.timezone):
        raise ValueError("zones with rules are no plain data")
    offset = zone.utcoffset(None) if zone is not None else None
    day = (value.year, value.month, value.day) if isinstance(value, datetime.datetime) else ()
    zoned = () if offset is None else (offset.days, offset.seconds)
    return (*day, value.hour, value.minute, value.second, value.microsecond, *zoned)


def _point(size: int) -> Callable[[type, Any], Any]:
    """Makes a point in time of `size` fields, and perhaps an offset."""

    def make(kind: type, fields: Any) -> Any:
        zone = datetime.timezone(datetime.timedelta(*fields[size:])) if len(fields) > size else None
        return kind(*fields[:size], tzinfo=zone)

    return make


_KINDS = {
    "Fraction": _Kind("fractions", lambda x: _small(x.numerator, x.denominator), lambda kind, x: kind(*_small(*x))),
    "Decimal": _Kind("decimal", lambda x: str(_decimal(type(x), str(x))), _decimal),
    "range": _Kind("builtins", lambda x: _small(x.start, x.stop, x.step), lambda kind, x: kind(*_small(*x))),
    "slice": _Kind("builtins", lambda x: _ends(x.start, x.stop, x.step), lambda kind, x: kind(*_ends(*x))),
    "bytearray": _Kind("builtins", bytes, lambda kind, x: kind(bytes.__add__(x, b""))),
    "date": _Kind("datetime", lambda x: (x.year, x.month, x.day), lambda kind, x: kind(*x)),
    "datetime": _Kind("datetime", _fields, _point(7)),
    "time": _Kind("datetime", _fields, _point(4)),
    "timedelta": _Kind("datetime", lambda x: (x.days, x.seconds, x.microseconds), lambda kind, x: kind(*x)),
}


def to_plain(value: Any) -> tuple[str, Any] | None:
    """The name of the kind and plain data; None for other objects, subclasses among them, and for too large ones."""
    name = type(value).__name__
    kind = _KINDS.get(name)
    if kind is None or type(value) is not getattr(sys.modules.get(kind.module), name, None):
        return None
    try:
        return name, kind.plain(value)
    except Exception:  # noqa: BLE001 -- of a size or form that does not cross, or patched by a program
        return None


def from_plain(name: str, plain: Any) -> Any:
    """The value again. Raises ValueError if this is none."""
    kind = _KINDS.get(name)
    if kind is None:
        raise ValueError("no such kind")
    try:
        return kind.make(getattr(__import__(kind.module), name), plain)
    except Exception as error:  # noqa: BLE001 -- made by someone whom nobody trusts
        raise ValueError(f"no {name}: {type(error).__name__}") from None
