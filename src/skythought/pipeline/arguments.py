"""What people type on the command line, turned into values."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from skythought.errors import UserError

__all__ = ["escapes", "ids", "key_values", "names", "text", "whole_numbers"]

_WORDS = {"true": True, "false": False, "null": None, "none": None}
_OPEN, _CLOSE = "([{", ")]}"
_LATEX = re.compile(
    "ne|neq|neg|nabla|nu|not|notin|nmid|nearrow|nwarrow|newline|newcommand|nolimits|nonumber|normalsize|nparallel|"
    "tan|tanh|tau|text|textbf|textit|textrm|textsf|texttt|textstyle|tfrac|theta|tilde|times|to|top|triangle|triangleq|"
    "therefore|tbinom|tag"
)
"""Names of LaTeX commands that begin as the escapes do."""


def key_values(text: str | None, option: str) -> dict[str, Any]:
    """`a=1,b=x` or a dict literal (JSON or Python) as a dict.

    Commas and `=` inside quotes or brackets belong to the value, and so does every `=` after the first. Values are
    numbers, true/false/null, lists, dicts and quoted strings where they parse as such, else the text as it stands.

    Raises:
        UserError: A part without `=`, an empty or repeated key, a broken literal.
    """
    text = (text or "").strip()
    if not text:
        return {}
    if text.startswith("{"):
        literal = _literal(text)
        if not isinstance(literal, dict):
            # The text is not repeated: it may hold a key.
            raise UserError(f'{option}: not a dict in JSON or Python; write {{"a": 1}} or a=1,b=x.')
        return {str(key): value for key, value in literal.items()}
    values: dict[str, Any] = {}
    for part in _split(text):
        key, equals, value = part.partition("=")
        key = key.strip()
        if not equals or not key:
            raise UserError(
                f"{option}: {part.strip()!r} is not of the form key=value (quote values that hold a comma: a='x,y')."
            )
        if key in values:
            raise UserError(f"{option}: {key!r} is given twice.")
        values[key] = _value(value.strip())
    return values


def _split(text: str) -> list[str]:
    """Parts between the commas that stand outside quotes and brackets."""
    parts, depth, quote, start = [], 0, "", 0
    for at, char in enumerate(text):
        if quote:
            quote = "" if char == quote else quote
        elif char in "\"'" and (depth or text[start:at].rstrip().endswith("=")):
            quote = char  # a quote inside a bare value, as in it's, is a letter
        elif char in _OPEN:
            depth += 1
        elif char in _CLOSE:
            depth -= 1
        elif char == "," and depth == 0:
            parts.append(text[start:at])
            start = at + 1
    parts.append(text[start:])
    return [part for part in parts if part.strip()]


def _value(text: str) -> Any:
    if text.lower() in _WORDS:
        return _WORDS[text.lower()]
    literal = _literal(text)
    return text if literal is None else literal


def _literal(text: str) -> Any:
    """JSON, else a Python literal, else None."""
    for parse in (json.loads, ast.literal_eval):
        try:
            return parse(text)
        except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
            continue
    return None


def text(given: str | None, option: str) -> str | None:
    """What was typed, with its escapes; `@FILE` stands for what is in the file, as it is.

    Raises:
        UserError: There is no such file of text.
    """
    if given is None or not given.startswith("@"):
        return escapes(given)
    path = Path(given[1:]).expanduser()
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or "it is no text in UTF-8"
        raise UserError(f"{option} {given}: the file {str(path)!r} cannot be read: {why}.") from None


def escapes(text: str | None) -> str | None:
    r"""`\n` and `\t` as newline and tab; everything else as typed.

    LaTeX commands that begin with these letters (`\times`, `\neq`) stay, as does `\boxed`; `\\n` is a backslash and n.
    """

    def replaced(match: re.Match[str]) -> str:
        if match[0].startswith("\\\\"):
            return match[0][1:]
        if _LATEX.fullmatch(match[1]):
            return match[0]
        return {"n": "\n", "t": "\t"}[match[1][0]] + match[1][1:]

    return None if text is None else re.sub(r"\\?\\([nt][A-Za-z]*)", replaced, text)


def names(values: list[str]) -> tuple[str, ...]:
    """Names given by repeating an option, by commas, or both."""
    return tuple(name.strip() for value in values for name in value.split(",") if name.strip())


def whole_numbers(values: Sequence[str], option: str) -> tuple[int, ...]:
    """Numbers given by repeating an option, by commas, or both."""
    try:
        return tuple(int(part) for value in values for part in value.split(",") if part.strip())
    except ValueError:
        raise UserError(f"{option} {','.join(values)}: whole numbers are wanted, such as {option} 1,5,10.") from None


def ids(text: str | None) -> list[str] | None:
    """`1,2,3` as a list of ids; None if the option was not given."""
    if text is None:
        return None
    found = [part.strip() for part in text.split(",") if part.strip()]
    if not found:
        raise UserError("--ids: no id given; write --ids 1,2,3.")
    return found
