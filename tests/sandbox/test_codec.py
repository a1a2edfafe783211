"""The encoding: plain data comes back as it was, and nothing that is sent can do harm."""

from __future__ import annotations

import datetime
import math
import struct
import time
from collections import Counter, OrderedDict, namedtuple
from contextlib import suppress
from decimal import Decimal
from enum import Enum
from fractions import Fraction
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skythought.sandbox import Opaque
from skythought.sandbox.codec import MAX_DEPTH, CodecError, decode, encode

ATOMS = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), st.text(), st.binary())
KEYS = st.one_of(st.none(), st.booleans(), st.integers(), st.text(), st.tuples(st.integers(), st.text()))
VALUES = st.recursive(
    ATOMS,
    lambda inner: st.one_of(
        st.lists(inner), st.tuples(inner, inner), st.dictionaries(KEYS, inner), st.sets(KEYS), st.frozensets(KEYS)
    ),
    max_leaves=20,
)


@given(VALUES)
def test_plain_data_comes_back(value: Any) -> None:
    back = decode(encode(value))
    assert back == value
    assert len(encode(back)) == len(encode(value)), "True is no 1, though they are equal"


@given(st.binary(max_size=200))
def test_junk_is_a_wire_error_or_a_value(data: bytes) -> None:
    with suppress(CodecError):
        decode(data)


@given(VALUES, st.integers(0, 60), st.integers(0, 255))
def test_a_changed_byte_is_a_wire_error_or_a_value(value: Any, place: int, byte: int) -> None:
    data = bytearray(encode(value))
    data[place % len(data)] = byte
    with suppress(CodecError):
        decode(bytes(data))


def test_integers_of_any_length_are_quick() -> None:
    number = 7**1_000_000
    started = time.process_time()
    assert decode(encode([number, -number])) == [number, -number]
    assert time.process_time() - started < 2


def test_subclasses_come_as_the_plain_type() -> None:
    point = namedtuple("point", "x y")

    class Text(str):
        __slots__ = ()

        def __eq__(self, other: object) -> bool:
            return True

        __hash__ = str.__hash__

    value = decode(encode([point(1, 2), Counter("aab"), OrderedDict(a=1), Text("x")]))
    assert value == [(1, 2), {"a": 2, "b": 1}, {"a": 1}, "x"]
    assert [type(item) for item in value] == [tuple, dict, dict, str]
    assert value[3] != "y"


@pytest.mark.parametrize(
    "value",
    [
        Fraction(1, 3),
        Decimal("0.10"),
        range(1, 10, 2),
        bytearray(b"ab"),
        datetime.date(2024, 2, 29),
        datetime.datetime(2024, 2, 29, 1, 2, 3, 4),  # noqa: DTZ001 -- without a zone
        datetime.datetime(2024, 2, 29, 1, 2, 3, 4, datetime.timezone(datetime.timedelta(hours=-3))),
        datetime.time(1, 2, 3, 4),
        datetime.timedelta(1, 2, 3),
    ],
)
def test_small_objects_of_the_standard_library_come_back(value: Any) -> None:
    back = decode(encode([value]))[0]
    assert type(back) is type(value)
    assert back == value


@pytest.mark.parametrize(
    "value", [Decimal("1e999999"), Decimal("sNaN"), Fraction(1, 10**40000), datetime.datetime.now(ZoneInfo("Etc/UTC"))]
)
def test_others_of_their_kind_are_opaque(value: Any) -> None:
    assert isinstance(decode(encode(value)), Opaque)


@pytest.mark.parametrize(
    "data",
    [
        b"v\x08\0\0\0Fraction" + encode((1, 0)),
        b"v\x08\0\0\0Fraction" + encode((1, 7**100_000)),
        b"v\x07\0\0\0Decimal" + encode("1e999999"),
        b"v\x07\0\0\0Decimal" + encode(5),
        b"v\x06\0\0\0object" + encode(()),
        b"v\x05\0\0\0range",
        b"v\xff\xff\xff\xffrange" + encode((1, 2, 3)),
    ],
)
def test_small_objects_that_are_none(data: bytes) -> None:
    with pytest.raises(CodecError):
        decode(data)


def test_an_enum_that_is_text_is_its_text() -> None:
    class Color(str, Enum):  # noqa: UP042 -- its `str()` is not its value
        RED = "red"

    assert decode(encode([Color.RED])) == ["red"]


def test_numpy_comes_as_lists() -> None:
    numpy = pytest.importorskip("numpy")
    value = decode(encode([numpy.array([[1, 2], [3, 4]]), numpy.float64(0.5), numpy.int32(7)]))
    assert value == [[[1, 2], [3, 4]], 0.5, 7]


def test_other_objects_are_opaque_and_equal_to_nothing() -> None:
    value = decode(encode(object()))
    assert isinstance(value, Opaque)
    assert value.type_name == "object"
    assert value != value
    assert value not in [1, "object", None]


def test_too_deep_and_too_large_are_refused() -> None:
    deep: list[Any] = []
    for _ in range(MAX_DEPTH + 1):
        deep = [deep]
    with pytest.raises(CodecError, match="nested"):
        encode(deep)
    with pytest.raises(CodecError, match="nested"):
        decode(b"l\x01\0\0\0" * 5000 + b"N")
    with pytest.raises(CodecError, match="too large"):
        encode(["x" * 1000], limit=500)
    shared: list[Any] = ["x" * 100]
    for _ in range(100):
        shared = [shared, shared]
    with pytest.raises(CodecError, match="too large"):
        encode(shared, limit=10_000)


@pytest.mark.parametrize(
    "value", [[set()] * 10_000, [[]] * 30_000, ["ab"] * 30_000, list(range(30_000)), "x" * 2_000_000]
)
def test_memory_is_counted_before_it_is_taken(value: Any) -> None:
    data = encode(value)
    assert decode(data, memory=20 << 20) == value
    with pytest.raises(CodecError, match="too large"):
        decode(data, memory=1 << 20)


def test_counts_that_promise_more_than_there_is() -> None:
    for tag in b"ltezdisb":
        with pytest.raises(CodecError):
            decode(bytes([tag]) + struct.pack("<I", 0xFFFFFFFF) + b"N" * 10)


def test_keys_made_to_collide_are_refused_at_once() -> None:
    modulus = 2**61 - 1
    numbers = b"".join(encode(number * modulus) for number in range(200_000))
    started = time.process_time()
    with pytest.raises(CodecError, match="collide"):
        decode(b"e" + struct.pack("<I", 200_000) + numbers)
    assert time.process_time() - started < 10


def test_special_floats() -> None:
    value = decode(encode([math.inf, -math.inf, math.nan, -0.0]))
    assert repr(value) == "[inf, -inf, nan, -0.0]"
