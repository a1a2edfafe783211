"""What is said of a program's tests: the first failure in words, the share that passed, the score."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from skythought.sandbox import Opaque, Outcome
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
        fraction = self.passed / self.tests
        if self.first is None and self.passed == self.tests:
            return Score(True, f"passed {_all(self.tests)}", code.text, fraction=fraction, details=details)
        assert self.first is not None
        number, failure = self.first
        details.update(first_failure=number, cause=failure.cause)
        reason = f"test {number} of {self.tests}: {failure.cause}: {failure.text}"
        if self.run == self.tests > 1:
            reason += f" ({self.passed} of {self.tests} passed)"
        return Score(False, reason, code.text, fraction=fraction, details=details)


def _all(tests: int) -> str:
    return f"all {tests} tests" if tests > 1 else "the one test"


def shown(value: Any) -> str:
    """A value in one short line."""
    if isinstance(value, Opaque):
        return f"an object of type {value.type_name}"
    if isinstance(value, str):
        text = json.dumps(value[: 2 * SHOWN], ensure_ascii=False)
        return text if len(text) <= SHOWN and len(value) <= 2 * SHOWN else f'{text[: SHOWN - 4]}..."'
    try:
        text = repr(value)
    except (ValueError, RecursionError):  # more digits than Python likes to write, or deeper than it likes to go
        return f"a value of type {type(value).__name__} too large to show"
    return text if len(text) <= SHOWN else f"{text[: SHOWN - 3]}..."
