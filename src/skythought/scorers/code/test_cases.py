"""A problem's test cases, read from the forms in which datasets keep them, when they are needed and not before.

Nothing of a dataset is trusted: packed tests are unpickled by a reader that knows text and nothing else, and cannot
unpack to more than `LARGEST` bytes.
"""

from __future__ import annotations

import base64
import binascii
import io
import json
import pickle
import zlib
from collections.abc import Mapping
from typing import Any, NamedTuple, NoReturn

__all__ = ["Case", "TestsError", "read_cases"]

LARGEST = 1 << 30
"""Bytes that the packed tests of one problem may unpack to; LiveCodeBench's stay below a third of it."""
DIGITS = 4000
"""Python refuses to convert more digits (4,300) at once; APPS holds integers of 9,131."""


class Case(NamedTuple):
    """One test: a program's input and output as text, or a function's arguments and result as values."""

    input: Any
    output: Any


class TestsError(Exception):
    """The tests of a problem cannot be read: the dataset's fault, never the answer's."""

    __test__ = False


def read_cases(sources: Any, *, call: bool) -> list[Case]:
    """All test cases of a problem, in order.

    Args:
        sources: One of these, or a list of them:

            - `{"input": ..., "output": ...}`, one test,
            - `[{"input": ..., "output": ...}, ...]`, as LiveCodeBench has them,
            - `{"inputs": [...], "outputs": [...]}`, as APPS and TACO have them,
            - the JSON text of either,
            - that text pickled, zlib-compressed and in base64 (LiveCodeBench's private tests).
        call: Whether they are for a function. Its input is a list of arguments, or text that has one JSON value a line
            (then the output is the text of a JSON value, too). For a program, lists of lines become text.

    Raises:
        TestsError: They are in no such form.
    """
    make = _call if call else _program
    listed = sources if isinstance(sources, (list, tuple)) else [] if sources is None else [sources]
    cases: list[Case] = []
    for number, source in enumerate(listed, 1):
        try:
            cases += [make(given, wanted) for given, wanted in _pairs(source)]
        except TestsError as error:
            place = f", entry {number}" if len(listed) > 1 else ""
            raise TestsError(f"`tests`{place}: {error}") from None
    return cases


def _pairs(source: Any) -> list[tuple[Any, Any]]:
    if isinstance(source, str):
        source = _load(source if source.lstrip()[:1] in ("[", "{") else _unpacked(source))
    if isinstance(source, Mapping) and not {"input", "output"}.isdisjoint(source):
        source = [source]
    if isinstance(source, Mapping):
        inputs, outputs = source.get("inputs"), source.get("outputs")
        if not isinstance(inputs, list) or not isinstance(outputs, list) or len(inputs) != len(outputs):
            raise TestsError("`inputs` and `outputs` must be two lists of the same length")
        return list(zip(inputs, outputs, strict=True))
    if not isinstance(source, list) or not all(isinstance(item, Mapping) for item in source):
        raise TestsError(f"tests must be a list of objects, not {type(source).__name__}")
    try:
        return [(item["input"], item["output"]) for item in source]
    except KeyError as error:
        raise TestsError(f"a test has no {error.args[0]!r}, it has {', '.join(map(repr, source[0]))[:100]}") from None


def _program(given: Any, wanted: Any) -> Case:
    return Case(_text(given), _text(wanted))


def _text(value: Any) -> str:
    if isinstance(value, list):
        return "\n".join(map(_text, value))
    try:
        return value if isinstance(value, str) else json.dumps(value)
    except (TypeError, ValueError, RecursionError) as error:
        raise TestsError(f"an input or output is neither text nor JSON: {error}") from None


def _call(given: Any, wanted: Any) -> Case:
    if isinstance(given, str):
        # An input that ends with a line end has no argument more than one that does not.
        arguments = [_load(line) for line in given.split("\n") if line.strip()]
        return Case(arguments, _load(wanted) if isinstance(wanted, str) else wanted)
    if not isinstance(given, list):
        raise TestsError(f"a function's input must be a list of arguments, not {type(given).__name__}")
    return Case([_with_integer_keys(argument) for argument in given], wanted)


def _with_integer_keys(argument: Any) -> Any:
    """A dictionary of integers got keys of text when it was written as JSON."""
    if isinstance(argument, dict) and argument and all(_is_integer(key) for key in argument):
        return {int(key): value for key, value in argument.items()}
    return argument


def _is_integer(key: Any) -> bool:
    return isinstance(key, str) and key.lstrip("-").isdecimal() and len(key) < DIGITS


def _load(text: str) -> Any:
    """JSON, integers of any size included."""
    try:
        return json.loads(text)
    except RecursionError:
        raise TestsError("the tests are nested too deeply") from None
    except json.JSONDecodeError as error:
        raise TestsError(f"not valid JSON: {error}") from None
    except ValueError:  # too many digits for Python's limit
        return json.loads(text, parse_int=_integer)


def _integer(digits: str) -> int:
    """`int(digits)` without the limit of the interpreter, which is the whole process's."""
    if len(digits) <= DIGITS:
        return int(digits)
    if digits[0] == "-":
        return -_integer(digits[1:])
    half = len(digits) // 2
    shift: int = 10**half
    return _integer(digits[:-half]) * shift + _integer(digits[-half:])


def _unpacked(packed: str) -> str:
    try:
        stream = zlib.decompressobj()
        data = stream.decompress(base64.b64decode(packed, validate=False), LARGEST)
    except (binascii.Error, zlib.error, ValueError) as error:
        raise TestsError(f"neither JSON nor packed tests: {error}") from None
    if not data:
        raise TestsError("neither JSON nor packed tests: nothing is there")
    if stream.unconsumed_tail:
        raise TestsError(f"packed tests of more than {LARGEST >> 20} MiB")
    if data[:1] in (b"[", b"{"):
        return data.decode("utf-8")
    try:
        value = _TextOnly(io.BytesIO(data)).load()
    except Exception as error:  # noqa: BLE001 -- a hostile or broken pickle may raise anything
        raise TestsError(f"packed tests cannot be read: {type(error).__name__}: {error}") from None
    if not isinstance(value, str):
        raise TestsError(f"packed tests must be text, not {type(value).__name__}")
    return value


class _TextOnly(pickle.Unpickler):
    """Reads plain values; whatever would import or call something is refused."""

    def find_class(self, module: str, name: str) -> NoReturn:
        raise TestsError(f"the pickle asks for {module}.{name}")

    def persistent_load(self, pid: Any) -> NoReturn:
        raise TestsError("the pickle refers to something outside of it")
