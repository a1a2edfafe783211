"""Jinja that comes from outside, bounded: no template runs for ever or takes all memory.

Jinja's own sandbox keeps a template from the interpreter. This one also counts: each turn of a loop or call of a macro
is a step; what makes long texts out of short ones (`*`, `~`, `%`, filters, methods) is refused before it does; and a
rendering has a deadline.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable, Sequence
from functools import wraps
from typing import Any

from jinja2 import StrictUndefined, Template, nodes
from jinja2.compiler import CodeGenerator, Frame
from jinja2.runtime import Context
from jinja2.sandbox import SandboxedEnvironment

from skythought.errors import UserError

__all__ = ["SYNTAX_FAULTS", "BoundedEnvironment", "TooMuchError", "endless"]

SYNTAX_FAULTS = (RecursionError, MemoryError, SyntaxError, ValueError, OverflowError)
"""What compiling a template may raise beside Jinja's own errors: nested too deep for Jinja or for Python."""

MOST_STEPS = 300_000
MOST_ELEMENTS = 1_000_000
"""Of lists in lists, in something that is turned into text."""
MOST_CHARACTERS = 50_000_000
"""Of a text, and elements of a list, that a template may make."""
MOST_MADE = 500_000_000
"""Characters that filters and methods may make in one rendering, all together."""
MOST_DIGITS = 6
"""Of a number in a format (`"%9d"`, `"{:9}"`): how wide a text it can ask for."""
DEADLINE_S = 10.0
"""How long one rendering may take; ordinary ones take microseconds."""

GROWING = {"batch", "center", "format", "indent", "join", "replace", "slice", "tojson", "wordwrap", "xmlattr"}
"""Filters whose result may be much larger than what they are given."""
GROWING_METHODS = {"center", "expandtabs", "format", "format_map", "join", "ljust", "replace", "rjust", "zfill"}
GROWING_METHODS |= {"to_bytes", "extend", "translate"}
MOST_PRECISION = 1000
"""Of the filter `round`, which takes ten to that power."""

_WIDE = re.compile(rf"\d{{{MOST_DIGITS + 1},}}|%[^%a-zA-Z]*\*")


class TooMuchError(UserError):
    """A template takes more than any sensible one does. It is the task's mistake, not that of a row."""


class BoundedEnvironment(SandboxedEnvironment):
    """The sandbox of Jinja with bounds on steps, sizes and time."""

    def __init__(self, **options: Any) -> None:
        super().__init__(undefined=StrictUndefined, autoescape=False, finalize=_finite, **options)
        self.intercepted_binops = frozenset({"*", "**", "%", "+"})
        self.globals.pop("lipsum")
        self._steps = self._made = 0
        self._ends = 0.0

    def begin(self) -> None:
        """Before each rendering: the count and the clock start anew."""
        self._steps = self._made = 0
        self._ends = time.monotonic() + DEADLINE_S

    def step(self) -> str:
        """One turn of a loop, one block, one filter or one call."""
        self._steps += 1
        if self._steps > MOST_STEPS:
            raise TooMuchError(f"a template does not come to an end: over {MOST_STEPS:,} steps.")
        if self._steps % 64 == 0 and time.monotonic() > self._ends:
            raise TooMuchError(f"a template does not come to an end: over {DEADLINE_S:g} s.")
        return ""

    def concat(self, pieces: Iterable[str]) -> str:
        """The pieces as one text, unless it would be too long."""
        kept, length = [], 0
        for piece in pieces:
            length += len(piece)
            _require(length)
            kept.append(piece)
        return "".join(kept)

    def joined(self, parts: Sequence[Any]) -> str:
        """What `~` makes."""
        return self.concat(_finite(part) if isinstance(part, str) else str(_finite(part)) for part in parts)

    def bound(self) -> None:
        """Put bounds on the filters that are there now."""
        self.filters = {name: self._bounded(name, function) for name, function in self.filters.items()}

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        """An operator whose result may be much larger than what it is made of."""
        if operator == "**":
            bits = left.bit_length() if isinstance(left, int) else 1
            _require(bits * abs(right) if isinstance(right, int) else 1, 100_000)
        elif operator == "*":
            _require_product(left, right)
        elif operator == "%" and isinstance(left, str):
            _require_narrow(left, (right,))
        elif operator == "+" and isinstance(left, Sequence) and isinstance(right, Sequence):
            _require(len(left) + len(right))
        return super().call_binop(context, operator, left, right)

    def call(__self, __context: Context, __obj: Any, *args: Any, **kwargs: Any) -> Any:  # noqa: N805
        """A call of a method, a macro or a function."""
        __self.step()
        method = getattr(__obj, "__wrapped__", __obj)  # str.format comes wrapped by jinja's sandbox
        owner = getattr(method, "__self__", None)
        if isinstance(owner, (str, bytes, int, list)) and method.__name__ in GROWING_METHODS:
            _require_modest((owner, *args, *kwargs.values()))
        return __self._made_of(super().call(__context, __obj, *args, **kwargs))

    def _made_of(self, value: Any) -> Any:
        """The value, its characters counted."""
        if isinstance(value, (str, bytes)):
            self._made += len(value)
            _require(self._made, MOST_MADE)
        return value

    def _bounded(self, name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        """A filter that is refused what would become too large."""

        @wraps(function)
        def bounded(*args: Any, **kwargs: Any) -> Any:
            self.step()
            values = (*args, *kwargs.values())
            if name in GROWING:
                _require_modest(values)
            elif name == "round":
                _require(max((abs(v) for v in values[1:] if isinstance(v, int)), default=0), MOST_PRECISION)
            for value in values:
                _finite(value)
            return self._made_of(function(*args, **kwargs))

        return bounded


class _Counting(CodeGenerator):
    """Generates a step at the beginning of each block, and our own join for `~`."""

    def blockvisit(self, nodes: Iterable[nodes.Node], frame: Frame) -> None:
        self.writeline("environment.step()")
        super().blockvisit(nodes, frame)

    def visit_Concat(self, node: nodes.Concat, frame: Frame) -> None:  # noqa: N802 -- jinja's name
        self.write("environment.joined((")
        for part in node.nodes:
            self.visit(part, frame)
            self.write(", ")
        self.write("))")


class _Template(Template):
    """A template whose renderings are counted each by itself."""

    def render(self, *args: Any, **kwargs: Any) -> str:
        environment = self.environment
        assert isinstance(environment, BoundedEnvironment)
        environment.begin()
        try:
            return super().render(*args, **kwargs)
        except (RecursionError, MemoryError) as error:
            raise endless(error) from None


BoundedEnvironment.code_generator_class = _Counting
BoundedEnvironment.template_class = _Template


def endless(error: Exception) -> TooMuchError:
    """What it means that a template ran out of stack or memory."""
    what = "stack: a macro calls itself" if isinstance(error, RecursionError) else "memory"
    return TooMuchError(f"a template does not come to an end: it ran out of {what}.")


def _require(size: int, most: int = MOST_CHARACTERS) -> None:
    if size > most:
        raise TooMuchError(f"a template makes something too large: {size:,} characters or elements.")


def _require_product(left: Any, right: Any) -> None:
    for one, other in ((left, right), (right, left)):
        if isinstance(one, (str, bytes, list, tuple)) and isinstance(other, int):
            _require(len(one) * other)
    if isinstance(left, int) and isinstance(right, int):
        _require(left.bit_length() + right.bit_length(), 200_000)


def _require_modest(values: Sequence[Any]) -> None:
    """Refuse arguments with which a method or filter of Jinja's could make a text of more than the limit.

    All of them (join, replace, center, indent, ljust, ...) make at most the product of the two largest sizes.
    """
    sizes = sorted(map(_size, values), reverse=True)
    _require(max(sizes[0], 1) * max(sizes[1], 1) if len(sizes) > 1 else 0)
    for value in values:
        if isinstance(value, str):
            _require_narrow(value, values)


def _require_narrow(format: str, values: Sequence[Any]) -> None:
    """Refuse widths in a format that ask for a text without end: `"%999999999d"`, `"%*d"`."""
    if ("%" in format or "{" in format) and len(values) > 0 and len(format) < 10_000 and _WIDE.search(format):
        raise TooMuchError("a template makes something too large: a format with a very great width.")


def _size(value: Any) -> int:
    if isinstance(value, bool):
        return 1
    if isinstance(value, int):
        return abs(value)
    return len(value) if isinstance(value, (str, bytes, list, tuple, dict)) else 1


def _finite(value: Any) -> Any:
    """The value, unless its text would be too long: lists in lists that share their parts grow without bounds."""
    if isinstance(value, (list, tuple, dict)):
        waiting, seen = [value], 0
        while waiting:
            part = waiting.pop()
            parts = part.values() if isinstance(part, dict) else part
            seen += len(parts)
            _require(seen, MOST_ELEMENTS)
            waiting += [each for each in parts if isinstance(each, (list, tuple, dict))]
    return value
