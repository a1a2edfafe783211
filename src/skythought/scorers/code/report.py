"""What is said of a program's tests: the first failure in words, the share that passed, the score."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

from skythought.sandbox import Opaque, Outcome, printable
from skythought.scorers.code.extraction import Code
from skythought.scorers.code.program import Plan
from skythought.scorers.code.test_cases import Case
from skythought.types import Score

__all__ = ["Failure", "Tally", "wrong_answer"]

SHOWN = 100
"""Characters of an input or output that a reason shows."""
CAUSES = {
    "exception": "runtime error",
    "killed": "runtime error",
    "time limit": "time limit",
    "memory limit": "memory limit",
    "output limit": "output limit",
}


@dataclass(frozen=True)
class Failure:
    """Why one test was not passed: the kind of failure, and what is known of it."""

    cause: str
    text: str

    @classmethod
    def of(cls, outcome: Outcome, case: Case, plan: Plan) -> Failure:
        """The failure of a test that did not come to its end."""
        cause, error = CAUSES.get(outcome.cause, outcome.cause), plan.in_answers_lines(outcome.error)
        if plan.kind == "check":
            wrong = outcome.cause == "exception" and error.startswith("AssertionError")
            return cls("wrong answer" if wrong else cause, error)
        return cls(cause, f"{error} with input {shown(case.input)}")


def wrong_answer(given: Any, case: Case) -> Failure:
    """The failure of a test whose output is not the expected one."""
    return Failure("wrong answer", f"{shown(given)} instead of {shown(case.output)} with input {shown(case.input)}")


class Tally:
    """The tests of one sample as they come in."""

    def __init__(self, tests: int) -> None:
        self.tests = tests
        self.run = self.passed = 0
        self.first: tuple[int, Failure] | None = None

    def add(self, failure: Failure | None) -> None:
        """Count one test more."""
        self.run += 1
        self.passed += failure is None
        if failure is not None and self.first is None:
            self.first = (self.run, failure)

    def score(self, code: Code) -> Score:
        """Correct only if every test was run and passed."""
        details: dict[str, Any] = {"tests": self.tests, "run": self.run, "passed": self.passed, "code": code.rule}
        fraction, program = self.passed / self.tests, code.text.encode("utf-8", "backslashreplace").decode()
        if self.first is None and self.passed == self.tests:
            return Score(True, f"passed {_all(self.tests)}", program, fraction=fraction, details=details)
        assert self.first is not None
        number, failure = self.first
        details.update(first_failure=number, cause=failure.cause)
        reason = f"test {number} of {self.tests}: {failure.cause}: {failure.text}"
        if self.run == self.tests > 1:
            reason += f" ({self.passed} of {self.tests} passed)"
        return Score(False, printable(reason), program, fraction=fraction, details=details)


def _all(tests: int) -> str:
    return f"all {tests} tests" if tests > 1 else "the one test"


def shown(value: Any) -> str:
    """A value in one short line; of a large one no more is looked at than is shown."""
    try:
        text = "".join(islice(_pieces(value), SHOWN))
    except ValueError:  # a fraction with more digits than Python likes to write
        return f"a value of type {type(value).__name__} too large to show"
    end = '..."' if isinstance(value, str) else "..."
    return text if len(text) <= SHOWN else text[: SHOWN - len(end)] + end


BRACKETS: dict[type, tuple[str, str]] = {list: ("[", "]"), tuple: ("(", ")"), dict: ("{", "}"), set: ("{", "}")}


def _pieces(value: Any) -> Iterator[str]:
    """What a value looks like, bit by bit, none of them empty and none much longer than what is shown."""
    if isinstance(value, Opaque):
        yield f"an object of type {value.type_name}"
    elif isinstance(value, str):
        yield json.dumps(value[: 2 * SHOWN], ensure_ascii=False)
    elif isinstance(value, bytes):
        yield repr(value[: 2 * SHOWN])
    elif type(value) in BRACKETS and (value or type(value) is not set):
        opening, closing = BRACKETS[type(value)]
        yield opening
        for number, item in enumerate(value):
            if number:
                yield ", "
            yield from _pieces(item)
            if isinstance(value, dict):
                yield ": "
                yield from _pieces(value[item])
        yield ",)" if isinstance(value, tuple) and len(value) == 1 else closing
    elif isinstance(value, int) and value.bit_length() > 8 * SHOWN:
        yield f"an integer of {value.bit_length()} bits, too large to show"
    else:
        yield repr(value)
