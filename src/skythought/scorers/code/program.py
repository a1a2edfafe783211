"""What is to be run for an answer: its program made whole, and the problem's tests."""

from __future__ import annotations

import ast
import contextlib
import re
import textwrap
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

from skythought.scorers.code.extraction import Code, continuation, extract_code
from skythought.scorers.code.syntax import (
    UNPARSABLE,
    defines,
    definitions,
    given_names,
    looks_like_code,
    parses,
    unknown_names,
)
from skythought.scorers.code.target import Target, read_target
from skythought.scorers.code.test_cases import Case, TestsError, read_cases

__all__ = ["IMPORTS", "Plan", "make_plan", "must_be_programs", "with_early_ends"]

IMPORTS = (
    "from string import *; from re import *; from datetime import *; from collections import *; from heapq import *; "
    "from bisect import *; from copy import *; from math import *; from random import *; from statistics import *; "
    "from itertools import *; from functools import *; from operator import *; from io import *; from sys import *; "
    "from json import *; from builtins import *; from typing import *; import string, re, datetime, collections, "
    "heapq, bisect, copy, math, random, statistics, itertools, functools, operator, io, sys, json"
)
"""What LiveCodeBench's grader (and much the same APPS' and TACO's) imports before every answer; in one line."""
DEFINING = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Import, ast.ImportFrom, ast.Assign, ast.Pass)
DEEP = "import sys; sys.setrecursionlimit(50000)"
"""And how deep it lets an answer recurse."""
SHORT = 20_000
"""Characters of a test that is looked at for asserting nothing: parsing longer ones would take time in every sample."""


@dataclass(frozen=True)
class Plan:
    """An answer's program and its tests."""

    kind: str
    code: Code | None
    program: str = ""
    cases: tuple[Case, ...] = ()
    names: tuple[str, ...] = ()
    preamble: str = ""
    """Run before the tests of a check, beside them."""
    inserted: int = 0
    """The line of the program (from 1) that was put before the answer; 0: none."""

    def in_answers_lines(self, error: str) -> str:
        """An error whose line number counts the answer's lines, not the program's."""

        def corrected(match: re.Match[str]) -> str:
            line = int(match.group(1))
            return f"(line {line - (0 < self.inserted < line)})"

        return re.sub(r"\(line (\d+)\)", corrected, error)


def make_plan(target: Any, answer: str) -> Plan:
    """What to run for an answer. `code` is None if the answer has none.

    Raises:
        TestsError: The target is not one of tests.
    """
    given = read_target(target)
    code = extract_code(answer, None if given.kind == "stdin" else given.function)
    if given.kind == "check":
        return _check(given, code, answer)
    cases = read_cases(given.tests, call=given.kind == "call")  # before all else: a broken problem is no wrong answer
    if code is None:
        return Plan(given.kind, None)
    before = f"{IMPORTS}; {DEEP}" if unknown_names(code.text) else DEEP
    if given.kind == "stdin":
        program, line = with_inserted(code.text, before)
        return Plan(given.kind, code, program, tuple(cases), inserted=line)
    # A function of the modules' is not the one that is asked for, though it has its name (`count`).
    program, line = with_inserted(code.text, f"{before}; globals().pop({given.function!r}, None)")
    name = f"Solution.{given.function}" if defines(code.text, given.function, "Solution") else given.function
    return Plan(given.kind, code, program, tuple(cases), (name,), inserted=line)


def _check(target: Target, code: Code | None, answer: str) -> Plan:
    function, beginning = target.function, target.beginning
    tests = target.test_programs()
    if tests and all(map(tests_nothing, tests)):  # some may prepare what others assert
        raise TestsError("no test of the check asserts or calls anything")
    if code is None and beginning:
        code = _rest_of_function(beginning, answer)
    if code is None:
        return Plan("check", None)
    names, preamble = [function, *target.names], _completed(beginning)
    helpers = [name for name in own_helpers(preamble, tests, code.text) if name != function]
    if helpers:
        # The answer has its own version of a helper that the tests call. It must pass with that one, as tests and
        # answer share a module in the original, and with the prompt's, or the answer could decide what is tested.
        tests += [f"answer = {function}\n{preamble}\n{function} = answer\n{test}" for test in tests]
        names += helpers
    cases = tuple(Case(f"{target.setup}\n{test}" if target.setup else test, None) for test in tests)
    program = _whole(beginning, code, function)
    if target.appended:
        program += f"\n{target.appended}"
    return Plan("check", code, program, cases, tuple(dict.fromkeys(names)), preamble=preamble)


def _completed(beginning: str) -> str:
    """The prompt's text as a program: a function that it only has the head of is given a body."""
    lines = beginning.rstrip().split("\n")
    if not lines[-1].endswith(":") or parses(beginning):
        return beginning
    indent = len(lines[-1]) - len(lines[-1].lstrip())
    whole = "\n".join([*lines, " " * (indent + 4) + "pass"])
    return whole if parses(whole) else beginning


def tests_nothing(test: str) -> bool:
    """Whether a test program cannot fail: it is empty, or only defines something that nobody calls."""
    if len(test) > SHORT:
        return False
    try:
        body = ast.parse(test).body
    except UNPARSABLE:
        return False  # told when it is run
    return all(isinstance(node, DEFINING) or (isinstance(node, ast.Expr) and not calls(node)) for node in body)


def must_be_programs(*texts: str) -> None:
    """Asked when a check has failed: if its own text is broken, that is nobody's wrong answer. Raises TestsError."""
    for text in texts:
        fault = syntax_fault(text)
        if fault:
            raise TestsError(f"a test of a check is no Python: {fault}")


@lru_cache(maxsize=32)  # the same tests come with every sample of a problem, and may be long
def syntax_fault(text: str) -> str:
    """What is wrong with a program's syntax; empty if nothing is."""
    try:
        ast.parse(text)
    except UNPARSABLE as error:
        return str(error) or type(error).__name__
    return ""


def calls(node: ast.AST) -> bool:
    """Whether something is called anywhere in a piece of code."""
    return any(isinstance(part, ast.Call) for part in ast.walk(node))


def own_helpers(beginning: str, tests: list[str], answer: str) -> list[str]:
    """Names that the prompt defines and the tests use, and that the answer defines in another way."""
    used = [name for name in helpers_used(beginning, tests) if defines(answer, name)]
    if not used:
        return []
    ours, theirs = definitions(beginning), definitions(answer)
    return [name for name in used if ours.get(name) != theirs.get(name)]


def helpers_used(beginning: str, tests: list[str]) -> list[str]:
    """Names that the prompt defines and the tests use."""
    if not beginning:
        return []
    try:
        given = given_names(ast.parse(beginning).body)
        used = {node.id for test in tests for node in ast.walk(ast.parse(test)) if isinstance(node, ast.Name)}
    except SyntaxError:
        return []
    return sorted(given & used)


class _Ends(ast.NodeTransformer):
    """Replaces `return` outside of functions by the end of the program."""

    def visit_Return(self, node: ast.Return) -> ast.stmt:
        return ast.parse("raise SystemExit").body[0]

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.stmt:
        return node

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> ast.stmt:
        return node

    def visit_Lambda(self, node: ast.Lambda) -> ast.expr:
        return node


def with_early_ends(plan: Plan) -> Plan | None:
    """The plan with a program in which `return` outside of a function ends it; None if there is no such one.

    The graders of APPS, TACO and LiveCodeBench run a program as the body of a function, where that is allowed.
    """
    try:
        tree = ast.parse(plan.program)
        before = ast.dump(tree)
        program = ast.unparse(ast.fix_missing_locations(_Ends().visit(tree)))
    except UNPARSABLE:
        return None
    return None if ast.dump(tree) == before else replace(plan, program=program, inserted=0)


def _rest_of_function(beginning: str, answer: str) -> Code | None:
    """A response without a fence that goes on where the prompt ended."""
    if not looks_like_code(textwrap.dedent(answer.strip("\n"))):
        return None
    whole = continuation(beginning, answer)
    return Code(answer, "the whole response, as the rest of the function") if whole else None


def _whole(beginning: str, code: Code, function: str) -> str:
    """The answer with the prompt's imports and helpers before it, or as the rest of the prompt's function."""
    if not beginning:
        return code.text
    if defines(code.text, function):
        return with_inserted(code.text, _completed(beginning))[0]
    if defines(code.text, function, "Solution"):
        return f"{with_inserted(code.text, _completed(beginning))[0]}\n{function} = Solution().{function}"
    return continuation(beginning, code.text) or f"{beginning}\n{code.text}"


def with_inserted(program: str, text: str) -> tuple[str, int]:
    """The program with `text` before it, but after its `from __future__ import ...`; and the line where it stands."""
    lines, end = program.split("\n"), 0
    if "__future__" in program:
        with contextlib.suppress(*UNPARSABLE):
            imports = [node for node in ast.parse(program).body if isinstance(node, ast.ImportFrom)]
            end = max((node.end_lineno or 0 for node in imports if node.module == "__future__"), default=0)
    return "\n".join([*lines[:end], text, *lines[end:]]), end + 1
