"""The program in a response: of its fenced blocks the one that can be it, or the bare code if there is no fence.

Nothing is executed here; code is at most parsed.
"""

from __future__ import annotations

import re
import textwrap
from dataclasses import dataclass

from skythought.scorers.code.fences import Block, fenced_blocks
from skythought.scorers.code.syntax import defines, looks_like_code, names_given, names_used, parses, unknown_names

__all__ = ["Code", "continuation", "extract_code"]

READS = {"input", "raw_input", "stdin", "__stdin__", "open", "fileinput", "read", "loadtxt", "genfromtxt"}
WRITES = {"print", "stdout", "__stdout__", "write", "writelines", "open", "savetxt"}
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

    - Blocks marked as Python (`python`, `python3`, `py`, in any case), not marked, or marked as text count, the last of
      the best kind: one that does what is asked for (see `function`), before one that does something and uses no
      unknown names, before any other. Code that is no Python, or uses names that another block defines, does not do
      what is asked for. Within each kind a marked one comes before those that are not, and these before texts. So a
      session, an output, a comment, a call, a formula, pseudocode, or a second program that was cut off does not
      replace the program.
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
    if usable:
        given = {name for block in usable for name in names_given(block.text)}
        ranks = [(*_rank(block, function, given), place) for place, block in enumerate(usable)]
        best = usable[max(ranks)[-1]]
        if best.is_python or _is_code(best) or not (best.language or any(block.is_python for block in usable)):
            return _found(best)
    if blocks or not text.strip() or not looks_like_code(text) or not parses(text):
        return None
    return Code(text, "the whole response, which is code without a fence")


def _rank(block: Block, function: str | None, given: set[str]) -> tuple[int, int]:
    """3 for a block that does what is asked for, 2 if it does but is no Python, 1 for one that could run, else 0; and
    how much its mark speaks for Python. `given`: names that the blocks define.
    """
    mark = 2 if block.is_python else 0 if block.language else 1
    if not _is_code(block):
        return 0, mark
    unknown = unknown_names(block.text)
    if unknown.isdisjoint(given) and _does_what_is_asked(block.text, function):
        return 3 if parses(block.text) else 2, mark
    return (0 if unknown else 1), mark


def _is_code(block: Block) -> bool:
    return not SESSION.match(block.text) and looks_like_code(block.text)


def _does_what_is_asked(text: str, function: str | None) -> bool:
    if function is not None:
        return defines(text, function) or defines(text, function, "Solution")
    used = names_used(text)
    return not used.isdisjoint(READS) and not used.isdisjoint(WRITES)


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
