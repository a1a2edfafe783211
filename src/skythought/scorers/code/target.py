"""What the scorer `code` compares with: the target of a problem, its fields looked at one by one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from skythought.errors import did_you_mean
from skythought.scorers.code.test_cases import TestsError

__all__ = ["Target", "read_target"]

KINDS = ("stdin", "call", "check")
FIELDS = ("kind", "tests", "function", "beginning", "setup", "appended", "names")
OF_CHECKS = FIELDS[3:]


@dataclass(frozen=True)
class Target:
    """A target whose fields are of the right types; what `tests` holds is read apart."""

    kind: str
    tests: Any
    function: str = ""
    beginning: str = ""
    setup: str = ""
    appended: str = ""
    names: tuple[str, ...] = ()

    def test_programs(self) -> list[str]:
        """The tests of a check. Raises TestsError."""
        return _listed("tests", self.tests)


def read_target(target: Any) -> Target:
    """A problem's target.

    Raises:
        TestsError: It is none; names the field that is wrong, what it is, and what would be right.
    """
    if not isinstance(target, Mapping):
        raise TestsError(f"the target must be a dictionary with `kind` and `tests`, not {type(target).__name__}")
    kind = target.get("kind")
    if kind not in KINDS:
        said = f"not {kind!r:.50}" if "kind" in target else "and there is none"
        raise TestsError(f"`kind` is one of {', '.join(KINDS)}, {said}")
    given = {name: value for name, value in target.items() if value is not None}
    for name in given:
        if name not in FIELDS:
            raise TestsError(f"unknown field {name!r:.50}.{did_you_mean(str(name), FIELDS)} Known: {', '.join(FIELDS)}")
        if kind != "check" and name in OF_CHECKS:
            raise TestsError(f"`{name}` is for kind check, not for {kind}")
    if "tests" not in given:
        raise TestsError("`tests` is missing: the problem has no tests, so nothing can pass")
    function = given.get("function", "")
    if not isinstance(function, str):
        raise TestsError(f"`function` must be the name of a function, not {type(function).__name__}")
    if kind != "stdin" and not function:
        raise TestsError(f"`function` is missing: kind {kind} names the function that the tests call")
    texts = {name: _text(name, given.get(name, "")) for name in ("beginning", "setup", "appended")}
    return Target(kind, given["tests"], function, **texts, names=tuple(_listed("names", given.get("names", []))))


def _text(name: str, value: Any) -> str:
    if not isinstance(value, str):
        raise TestsError(f"`{name}` of a check must be a program, not {type(value).__name__}")
    return value


def _listed(name: str, value: Any) -> list[str]:
    """A list of texts; a text alone is a list of one."""
    texts = [value] if isinstance(value, str) else value
    if not isinstance(texts, (list, tuple)) or not all(isinstance(text, str) for text in texts):
        raise TestsError(f"`{name}` of a check must be a list of texts")
    return list(texts)
