"""The program in a response: of its fenced blocks the one that can be it, or the bare code if there is no fence.

Nothing is executed here; code is at most parsed.
"""

from __future__ import annotations

import re
import textwrap
from dataclasses import dataclass

from skythought.scorers.code.fences import Block, fenced_blocks
from skythought.scorers.code.syntax import defines, looks_like_code, parses, unknown_names

__all__ = ["Code", "continuation", "extract_code"]

READS = re.compile(r"\b(?:input|raw_input|stdin|__stdin__|open|fileinput|read)\b")
WRITES = re.compile(r"\b(?:print|stdout|__stdout__|write|writelines|open)\b")
SESSION = re.compile(r"\s*+(?:>>>|In \[\d)")
"""How an interpreter's session begins."""
STOPS = ("\nclass ", "\ndef ", "\n#", "\nif ", "\nprint(", "\n```")
"""Where a completion of a function runs on into something else (Chen et al. 2021, arXiv:2107.03374, section 2.2)."""


@dataclass(frozen=True)
class Code:
    """A program and where it was found."""

    text: str
    rule: str
    """In words, for people."""


def extract_code(answer: str, function: str | None = None) -> Code | None:
    """The program in a response, or None if there is none.

    - Blocks marked as Python (`python`, `python3`, `py`, in any case) or not marked count, the last of the best kind:
      one that does what is asked for (see `function`), before one that does something and uses no unknown names,
      before any other; within each kind a marked one before those that are not. So a session, an output, a comment, a
      call or a formula after the program does not replace it.
    - A fence that is never closed (the response was cut off) reaches to the end.
    - Code before the first fence, if that fence only closes: a prefill had opened it.
    - Without any fence the response itself, if all of it is code.

    Args:
        answer: The response without its thinking.
        function: What is asked for: code that defines this function, in `class Solution` or bare; None: a program that
            reads and writes.
    """
    text = answer.replace("\r\n", "\n").replace("\r", "\n").replace("\ufeff", "")  # no byte order marks either
    blocks = fenced_blocks(text.split("\n"))
    usable = [block for block in blocks if block.can_be_python and block.text.strip()]
    best = max(enumerate(usable), key=lambda item: (*_rank(item[1], function), item[0]), default=None)
    if best is not None and (best[1].is_python or not any(block.is_python for block in usable) or _is_code(best[1])):
        return _found(best[1])
    if blocks or not text.strip() or not looks_like_code(text) or not parses(text):
        return None
    return Code(text, "the whole response, which is code without a fence")


def _rank(block: Block, function: str | None) -> tuple[int, bool]:
    """2 for a block that does what is asked for, 1 for one that could run, else 0; and whether it is marked."""
    if not _is_code(block):
        return 0, block.is_python
    if _does_what_is_asked(block.text, function):
        return 2, block.is_python
    return (0 if unknown_names(block.text) else 1), block.is_python


def _is_code(block: Block) -> bool:
    return not SESSION.match(block.text) and looks_like_code(block.text)


def _does_what_is_asked(text: str, function: str | None) -> bool:
    if function is None:
        return READS.search(text) is not None and WRITES.search(text) is not None
    return defines(text, function) or defines(text, function, "Solution")


def _found(block: Block) -> Code:
    kind = "Python block" if block.is_python else "unmarked block"
    return Code(block.text, f"the {kind}" if block.closed else f"the last {kind}, cut off before its end")


def continuation(beginning: str, text: str) -> str | None:
    """`beginning` (a function's head and docstring) with `text` as the rest of its body; None if that is no code.

    The first line may have lost its indentation, or all of them; what comes after the function is left out if it is
    no code.
    """
    text = text.strip("\n")
    for candidate in (text, text.split(STOPS[-1])[0], _cut(text)):
        indented = textwrap.indent(textwrap.dedent(candidate), "    ")
        bodies = [candidate] if candidate[:1].isspace() else ["    " + candidate, indented]
        for body in bodies:
            whole = beginning.rstrip() + "\n" + body + "\n"
            if body.strip() and parses(whole, complete=True):
                return whole
    return None


def _cut(text: str) -> str:
    ends = [place for stop in STOPS if (place := text.find(stop)) > 0]
    return text[: min(ends)] if ends else text
