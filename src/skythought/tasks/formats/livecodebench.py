"""Rows of LiveCodeBench's code generation: public tests as JSON text, private ones packed.

Packed means base64 of zlib of a pickled JSON text, some 4 MB a row; they stay so until a sample is judged
(`scorers/_code_tests.py`). The layout that the reference writes into results.json is known, too.
"""

from __future__ import annotations

import datetime
import json
import re
from typing import Any

from skythought.errors import UserError

__all__ = ["FUNCTIONS", "plain"]

FILES = ("test.jsonl", "test2.jsonl", "test3.jsonl", "test4.jsonl", "test5.jsonl", "test6.jsonl")
"""What each release added, in order: 400, 111, 101, 101, 167 and 175 problems."""
RELEASE = re.compile(r"(release_)?v?(\d)(?:_v?(\d))?")
METHOD = re.compile(r"def\s+(\w+)\s*\(\s*self\b")
DEFINITION = re.compile(r"def\s+(\w+)\s*\(")


def plain(row: dict[str, Any]) -> dict[str, Any]:
    """Adds `is_stdin`, `function` (empty for a program) and `tests` (the target, public tests first)."""
    if "public_test_cases" not in row or "test" in row:
        return _reference(row)
    starter = row.get("starter_code") or ""
    metadata = _json(row.get("metadata")) or {}
    function = metadata.get("func_name") or ""
    if not function and starter.strip():
        found = METHOD.search(starter) or DEFINITION.search(starter)
        function = found.group(1) if found else ""
    tests = [text for text in (row["public_test_cases"], row.get("private_test_cases")) if text and text != "[]"]
    if not tests:
        raise ValueError("the row has neither public nor private tests")
    return {**row, **_columns(function, tests), "starter_code": starter}


def _reference(row: dict[str, Any]) -> dict[str, Any]:
    """The columns that the reference makes of a row: private tests as a list, starter code as `entry_point`."""
    starter = row.get("entry_point") or ""
    found = METHOD.search(starter) or DEFINITION.search(starter)
    tests = [row.get("public_test_cases"), row.get("test")]
    function = "" if row.get("is_stdin", not starter) or not found else found.group(1)
    question = {"question_content": row.get("prompt", ""), "starter_code": starter}
    return {**question, **row, **_columns(function, [test for test in tests if test])}


def _columns(function: str, tests: list[Any]) -> dict[str, Any]:
    kind = "call" if function else "stdin"
    target = {"kind": kind, "function": function or None, "tests": tests}
    return {"is_stdin": not function, "function": function, "tests": target}


def _json(text: Any) -> Any:
    return json.loads(text) if isinstance(text, str) and text.strip() else text


def release_files(release: Any, folder: str) -> list[str]:
    """Data files of a release, each with `folder` in front.

    `release_v3` (or a plain `v3`... of the reference) is all up to the third; `only_v3` the third alone.
    """
    raise NotImplementedError(folder, release)


def within(date: Any, start: Any, end: Any) -> bool:
    """Whether a contest's date lies in the window; both ends belong to it, None leaves an end open."""
    day = str(date)[:10]
    return (not start or _day(start, "start_date") <= day) and (not end or day <= _day(end, "end_date"))


def _day(value: Any, name: str) -> str:
    try:
        return datetime.date.fromisoformat(str(value)[:10]).isoformat()
    except ValueError:
        raise UserError(f"{name} must be a day like 2024-08-01, not {str(value)!r}.") from None


FUNCTIONS = {"release_files": release_files, "within": within}
