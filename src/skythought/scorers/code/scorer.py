"""Programs: taken out of the response, run in the sandbox, scored by what they put out.

The sandbox only ever sees the program and the tests' inputs. Rules outputs stay here, and so does the comparison.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from skythought.sandbox import Limits, Outcome, Sandbox, SandboxError, Tests, printable, time_scale
from skythought.scorers.base import Scorer
from skythought.scorers.code.comparison import Rules, same_output, same_result
from skythought.scorers.code.extraction import Code
from skythought.scorers.code.program import Plan, make_plan, must_be_programs, with_early_ends
from skythought.scorers.code.report import Failure, Tally, wrong_answer
from skythought.scorers.code.test_cases import Case, TestsError
from skythought.types import Problem, Score

__all__ = ["CodeScorer"]

_local = threading.local()
"""Each thread's sandboxes by level, kept from sample to sample: starting one costs as much as many samples."""


@dataclass(frozen=True)
class CodeScorer(Scorer):
    """Scores a program by test cases. Only one that passes all of them is correct.

    The target is a dictionary; `target.read_target` says of what, and docs/code.md has an example of each kind:

    - `kind`: "stdin" (a program that reads standard input), "call" (a function called by name) or "check" (test
      programs that call the answer's functions).
    - `tests`: test cases in one of the forms that `test_cases.read_cases` knows, or for "check" a list of programs.
    - `function`: the function's name, for "call" and "check"; a method of `class Solution` will do.
    - for "check": `beginning`, the text that the answer may continue (HumanEval's prompt); `setup`, run before each
      test; `appended`, run at the end of the answer; `names`, all names that the tests take from the answer.

    Args:
        test_s: CPU seconds of one test. A sleeping program is stopped after some three times as much.
        sample_s: CPU seconds of all tests of a sample together.
        memory_mb: Memory of a program in MiB, beside what the interpreter takes.
        tolerance: Relative error allowed in numbers with a decimal point. Integers are exact.
        decimal_integers: Whether `6.0` is a way to write an expected 6; see `comparison.Rules`.
        lines: Whether line ends must be where they are expected; otherwise only tokens count.
        wrapped_results: Whether `5` is right, too, where every expected result is a list of one (APPS has such rows).
        all_tests: Run all tests, for the share that passes; otherwise the first that fails ends the sample.
        sandbox: "auto": with every layer of protection there is; "strict": refuse to run without isolation of network
            and files. Set by `--sandbox`.
    """

    test_s: float = 10.0
    sample_s: float = 300.0
    memory_mb: int = 1024
    tolerance: float = 0.0
    decimal_integers: bool = False
    lines: bool = False
    wrapped_results: bool = True
    all_tests: bool = False
    sandbox: Literal["auto", "strict"] = "auto"

    batch: ClassVar[int] = 1  # a sample may take minutes, and those behind it in its batch would wait

    @property
    def timeout_s(self) -> float:  # type: ignore[override]
        """A guard around the sandbox, which keeps the sample's limits itself."""
        return 4 * self.sample_s + 60

    def prepare(self) -> None:
        """Measure once how slow the machine is: all workers then have the same limits."""
        time_scale()

    @property
    def limits(self) -> Limits:
        """The sandbox's limits for one test of this scorer."""
        return Limits(cpu_s=self.test_s, sample_cpu_s=self.sample_s, memory_bytes=self.memory_mb << 20)

    def score(self, problem: Problem, answer: str) -> Score:
        """Correct if the program passes every test. A problem without tests, or a broken sandbox, is no verdict."""
        try:
            return self._scored(make_plan(problem.target, answer))
        except TestsError as error:
            return Score(None, printable(f"the tests of the problem cannot be used: {error}"))
        except SandboxError as error:
            return Score(None, printable(f"the sandbox failed: {error}"))

    def as_response(self, text: str) -> str:
        """A program in the block in which a model would give it."""
        fence = "`" * max(3, 1 + longest_fence(text))
        return f"{fence}python\n{text}\n{fence}"

    def conditions(self) -> dict[str, Any]:
        """The layers of protection in force here, for the run's record.

        Raises:
            UserError: `strict`, and this machine cannot isolate network and files.
        """
        with Sandbox(self.sandbox, limits=self.limits) as sandbox:
            return {"sandbox": sandbox.layers()}

    def _scored(self, plan: Plan) -> Score:
        if plan.code is None:
            return Score(False, "no code: no Python block in the response, and it is not code itself")
        if not plan.cases:
            return Score(None, "the problem has no tests, so nothing can pass")
        score = self._run_tests(plan, plan.code)
        if plan.kind == "stdin" and "'return' outside function" in score.reason:
            ended = with_early_ends(plan)
            return self._run_tests(ended, plan.code) if ended else score
        return score

    def _run_tests(self, plan: Plan, code: Code) -> Score:
        tally = Tally(len(plan.cases))
        outputs = [case.output for case in plan.cases]
        rules = Rules(outputs, self.tolerance, self.decimal_integers, self.lines, self.wrapped_results)
        tests = self._tests(plan)
        try:
            for case in plan.cases:
                outcome = next(tests)
                failure = _failure(plan, case, outcome, rules)
                if outcome.cause == "sandbox error":
                    raise SandboxError(outcome.error)
                if failure is not None and plan.kind == "check":
                    must_be_programs(plan.preamble, case.input)
                tally.add(failure)
                if failure is not None and not self.all_tests:
                    break
        finally:
            tests.close()
        return tally.score(code)

    def _tests(self, plan: Plan) -> Tests:
        sandbox = _sandbox(self.sandbox)
        if plan.kind == "stdin":
            stdins = (case.input.encode("utf-8", "replace") for case in plan.cases)
            return sandbox.run_program(plan.program, stdins, limits=self.limits)
        inputs: Iterable[Any] = (case.input for case in plan.cases)
        if plan.kind == "call":
            return sandbox.call_function(plan.program, plan.names[0], inputs, limits=self.limits)
        return sandbox.check(plan.program, inputs, names=plan.names, preamble=plan.preamble, limits=self.limits)


def longest_fence(text: str) -> int:
    """The length of the longest run of backticks in a text; 0 if none is as long as a fence."""
    return max((len(run) for run in re.findall("`{3,}", text)), default=0)


def _sandbox(level: Literal["auto", "strict"]) -> Sandbox:
    """This thread's sandbox of a level."""
    sandboxes: dict[str, Sandbox] = _local.__dict__.setdefault("sandboxes", {})
    if level not in sandboxes:
        sandboxes[level] = Sandbox(level)
    return sandboxes[level]


def _failure(plan: Plan, case: Case, outcome: Outcome, rules: Rules) -> Failure | None:
    """Why a test is not passed; None if it is."""
    if not outcome.ok:
        return Failure.of(outcome, case, plan)
    if plan.kind == "check":
        return None
    if plan.kind == "stdin":
        given: Any = outcome.stdout.decode("utf-8", "backslashreplace")
        right = same_output(given, case.output, rules)
    else:
        given = outcome.value
        right = same_result(given, case.output, rules)
    return None if right else wrong_answer(given, case)
