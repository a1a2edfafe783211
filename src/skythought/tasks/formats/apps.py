"""Rows of APPS and TACO: tests and solutions are JSON inside of text columns.

`input_output` is `{"inputs": [...], "outputs": [...]}`, with `fn_name` if a function is asked for, else for programs
that read standard input. It is kept as text (some rows hold megabytes, and integers of thousands of digits) and read
when a response is scored. `solutions` is a list of programs, or empty.
"""

from __future__ import annotations

import json
import re
from typing import Any

from skythought.tasks.formats.base import Format, Row

__all__ = ["AppsFormat"]

FUNCTION = re.compile(r'(?<!\\)"fn_name"\s*:\s*"([^"\\]+)"')
"""In JSON text: inside of another value its quotation marks would have backslashes."""


class AppsFormat(Format):
    """Rows of APPS and TACO."""

    def plain(self, row: Row) -> Row:
        """Adds `fn_name` (empty for a program), `tests` (the target); `solutions` becomes a list.

        Raises:
            ValueError: The row has no tests.
        """
        tests = row["input_output"]
        if isinstance(tests, dict):
            name = tests.get("fn_name") or ""
            empty = not tests.get("inputs")
        else:
            tests = (tests or "").strip()
            match = FUNCTION.search(tests)
            name = match.group(1) if match else ""
            empty = not tests or re.search(r'"inputs"\s*:\s*\[\s*\]', tests) is not None
        if empty:
            raise ValueError("input_output holds no tests")
        kind = "call" if name else "stdin"
        target = {"kind": kind, "function": name or None, "tests": [tests]}
        return {
            **row,
            "fn_name": name,
            "tests": target,
            "starter_code": row.get("starter_code") or "",
            "solutions": _solutions(row.get("solutions")),
        }


def _solutions(value: Any) -> list[str]:
    if isinstance(value, str):
        try:
            value = json.loads(value) if value.strip() else []
        except ValueError:
            value = []
    return [text for text in value if isinstance(text, str)] if isinstance(value, list) else []
