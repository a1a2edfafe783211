"""Rows of LiveCodeBench's code generation: public tests as JSON text, private ones packed.

Packed means base64 of zlib of a pickled JSON text, some 4 MB a row; they stay so until a response is scored
(`scorers/code/test_cases.py`). The layout that the reference writes into results.json is known, too.
"""

from __future__ import annotations

import datetime
import json
import re
from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from skythought.errors import UserError, unknown
from skythought.tasks.formats.base import Format, Row

__all__ = ["LiveCodeBenchFormat"]

FILES = ("test.jsonl", "test2.jsonl", "test3.jsonl", "test4.jsonl", "test5.jsonl", "test6.jsonl")
"""What each release added, in order: 400, 111, 101, 101, 167 and 175 problems."""
RELEASE = re.compile(r"(?P<whole>release_)v(?P<to>\d)|v(?P<first>\d)(?:_v(?P<last>\d))?")
FUNCTIONAL = re.compile(r'(?<!\\)"testtype"\s*:\s*"functional"')
METHOD = re.compile(r"def\s+(\w+)\s*\(\s*self\b")
DEFINITION = re.compile(r"def\s+(\w+)\s*\(")


def _function(metadata: Any, starter: str) -> str:
    """The name of the function that is asked for."""
    known = json.loads(metadata) if isinstance(metadata, str) and metadata.strip() else metadata or {}
    found = METHOD.search(starter) or DEFINITION.search(starter)
    return known.get("func_name") or (found.group(1) if found else "")


def _reference(row: Row) -> Row:
    """The columns that the reference makes of a row: private tests as a list, starter code as `entry_point`."""
    if not row.keys() & {"public_test_cases", "test"}:
        raise KeyError("public_test_cases")
    starter = row.get("entry_point") or ""
    tests = [row.get("public_test_cases"), row.get("test")]
    function = "" if row.get("is_stdin", not starter) else _function(None, starter)
    question = {"question_content": row.get("prompt", ""), "starter_code": starter}
    return {**question, **row, **_columns(function, [test for test in tests if test])}


def _columns(function: str, tests: list[Any]) -> dict[str, Any]:
    kind = "call" if function else "stdin"
    target = {"kind": kind, "function": function or None, "tests": tests}
    return {"is_stdin": not function, "function": function, "tests": target}


def release_files(release: Any, folder: str) -> list[str]:
    """The data files of a release, each with `folder` in front; by the names that the dataset's own loader knew.

    `release_v3`: the first three files, `release_latest`: all. `v3`: the third alone, `v2_v4`: the second to the
    fourth.
    """
    name = str(release).casefold()
    match = RELEASE.fullmatch(f"release_v{len(FILES)}" if name == "release_latest" else name)
    first = int(match["first"] or 1) if match else 0
    last = int(match["to"] or match["last"] or first) if match else 0
    if not 1 <= first <= last <= len(FILES):
        raise UserError(
            f"LiveCodeBench has no release {release!r}. Known: release_v1 to release_v{len(FILES)} (all up to it), "
            f"v1 to v{len(FILES)} (what it added), v2_v4 (a range), release_latest."
        )
    return [folder + file for file in FILES[first - 1 : last]]


def within(date: Any, start: Any, end: Any) -> bool:
    """Whether a contest's date lies in the window; both ends belong to it, None leaves an end open."""
    day = str(date)[:10]
    return (not start or _day(start, "start_date") <= day) and (not end or day <= _day(end, "end_date"))


def _day(value: Any, name: str) -> str:
    try:
        return datetime.date.fromisoformat(str(value)[:10]).isoformat()
    except ValueError:
        raise UserError(f"{name} must be a day like 2024-08-01, not {str(value)!r}.") from None


def one_of(name: str, value: Any, *known: str) -> str:
    """`value`, if it is one of `known`."""
    if value not in known:
        raise unknown(name, str(value), known)
    return str(value)


class LiveCodeBenchFormat(Format):
    """Rows of LiveCodeBench, of its own and of the reference's results."""

    functions: ClassVar[Mapping[str, Callable[..., Any]]] = {
        "one_of": one_of,
        "release_files": release_files,
        "within": within,
    }

    def plain(self, row: Row) -> Row:
        """Adds `is_stdin`, `function` (empty for a program) and `tests` (the target, public tests first)."""
        if "public_test_cases" not in row or "test" in row:
            return _reference(row)
        starter = row.get("starter_code") or ""
        function = ""
        if FUNCTIONAL.search(row["public_test_cases"] or "") or not row["public_test_cases"]:
            function = _function(row.get("metadata"), starter)
        tests = [text for text in (row["public_test_cases"], row.get("private_test_cases")) if text and text != "[]"]
        if not tests:
            raise ValueError("the row has neither public nor private tests")
        return {**row, **_columns(function, tests), "starter_code": starter, "task_id": row.get("question_id")}
