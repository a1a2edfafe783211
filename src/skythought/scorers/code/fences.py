"""The fenced blocks of a response, in time linear in its length.

Fences are Markdown's, as models use them: indented, quoted, at the end of a line of text, nested, never closed.
"""

from __future__ import annotations

import re
import textwrap
from dataclasses import dataclass

from skythought.scorers.code.syntax import looks_like_code, parses

__all__ = ["Block", "fenced_blocks"]

FENCE = re.compile(r"[ \t>]*+(`{3,}+|~{3,}+)([^`\n]*+)")
"""A line that opens or closes a block. Possessive, like all patterns here: a long line must not cost its square."""
LATE_LANGUAGE = re.compile(r"(?:python|py)[\w.]*+", re.IGNORECASE)
"""What follows a fence that opens at the end of a line of text."""
PYTHON = {"python", "python3", "python2", "py", "py3", "py2", "python3.x", "pypy", "pypy3", "sage", "ipython"}
TEXT = {"text", "txt", "plaintext", "plain", "code", "none"}
"""Languages that say nothing of what the block holds."""
MARKDOWN = {"", "markdown", "md"} | TEXT
"""Languages of blocks that may hold blocks."""
NESTED = 3
"""How deep blocks are looked for in blocks."""
TRIES = 16
"""How often in a response it is tried whether a fence stands in a string of the program, at the cost of parsing it."""
OUTSIDE = re.compile(r"#.*+|('''|\"\"\")|'(?:[^'\\]|\\.)*+'?|\"(?:[^\"\\]|\\.)*+\"?")
"""Comments, quotes of three, and short strings in a line of Python."""
INSIDE = {quote: re.compile(rf"\\.|({quote})") for quote in ("'''", '"""')}
"""Escapes and the end of a string of three quotes."""


@dataclass(frozen=True)
class Block:
    """A fenced block."""

    language: str
    text: str
    closed: bool

    @property
    def is_python(self) -> bool:
        """Whether it is marked as Python."""
        return self.language.startswith("python") or self.language in PYTHON

    @property
    def can_be_python(self) -> bool:
        """Whether it is marked as Python, as text, or not marked at all."""
        return not self.language or self.is_python or self.language in TEXT


@dataclass(frozen=True)
class Fence:
    """A line that opens a block, or may close one."""

    mark: str
    info: str
    indent: str

    def ends(self, opening: Fence) -> bool:
        """Whether it is of the kind of the fence that opened a block, so that the block cannot go on behind it."""
        return self.mark[0] == opening.mark[0] and len(self.mark) >= len(opening.mark)


def fenced_blocks(lines: list[str], depth: int = 0) -> list[Block]:
    """The blocks in order; those inside of a block of Markdown instead of it.

    Code before the first fence is a block, too, if that fence only closes: a prefill had opened it.
    """
    scan = _Scan(lines)
    found = []
    for block in scan.prefilled() or scan.blocks():
        inner = _inner(block, depth)
        found += inner or [block]
    return found


def _inner(block: Block, depth: int) -> list[Block]:
    """The blocks inside of a block that shows a piece of Markdown."""
    if depth >= NESTED or block.language not in MARKDOWN or ("```" not in block.text and "~~~" not in block.text):
        return []
    inner = fenced_blocks(block.text.split("\n"), depth + 1)
    return inner if any(piece.is_python for piece in inner) and not parses(block.text) else []


def _fence(line: str) -> Fence | None:
    match = FENCE.fullmatch(line)
    if match is None:
        return None
    before = line[: match.start(1)]
    return Fence(match.group(1), match.group(2).strip(), before)


def _late_fence(line: str) -> Fence | None:
    """A marked fence that opens at the end of a line of text."""
    before, mark, info = line.partition("```")
    if not mark or "`" in before or not before.strip() or not LATE_LANGUAGE.fullmatch(info.strip(" \t")):
        return None
    return Fence(mark, info.strip(), "")


class _Scan:
    """One pass over the lines of a text."""

    def __init__(self, lines: list[str]) -> None:
        self.lines = lines
        self.tries = TRIES

    def prefilled(self) -> list[Block]:
        """The blocks if the text continues one that a prefill had opened; else none."""
        fences = ((number, fence) for number, line in enumerate(self.lines) if (fence := _fence(line)))
        number, fence = next(fences, (0, None))
        if fence is None or fence.info:
            return []
        before = "\n".join(self.lines[:number])
        if not looks_like_code(before) or not parses(before):
            return []
        first, after = self.block(Fence("```", "python", ""), 0)
        return [first, *self.blocks(after)]

    def blocks(self, start: int = 0) -> list[Block]:
        """The blocks from a line on."""
        found, number = [], start
        while number < len(self.lines):
            opening = _fence(self.lines[number]) or _late_fence(self.lines[number])
            number += 1
            if opening is not None:
                block, number = self.block(opening, number)
                found.append(block)
        return found

    def block(self, opening: Fence, start: int) -> tuple[Block, int]:
        """The block that a fence opened, from the line after it, and the line to go on at."""
        quote, number = "", start
        while number < len(self.lines):
            line = self.lines[number]
            fence = _fence(line)
            if fence.ends(opening) if fence else opening.mark == "```" and _ends_with_fence(line):
                end = self.end_behind_string(opening, start, number, quote) if quote else None
                if end is None:
                    last = [] if fence else [line.rstrip()[:-3]]
                    # A marked fence inside of a block: the one before was never closed, and the next one begins.
                    after = number if fence and fence.info else number + 1
                    return self.made(opening, [*self.lines[start:number], *last], True), after
                number, quote = end, ""
                continue
            quote = open_string(line, quote)
            number += 1
        return self.made(opening, self.lines[start:], False), number

    def end_behind_string(self, opening: Fence, start: int, number: int, quote: str) -> int | None:
        """Where the block ends if the fence at a line stands in a string: it must be a program up to there."""
        if not self.tries:
            return None
        self.tries -= 1
        while number < len(self.lines):
            fence = None if quote else _fence(self.lines[number])
            if fence is not None and fence.ends(opening):
                break
            quote = open_string(self.lines[number], quote)
            number += 1
        whole = not quote and parses(self.made(opening, self.lines[start:number], True).text)
        return number if whole else None

    def made(self, opening: Fence, body: list[str], closed: bool) -> Block:
        """A block without the indentation (in a list, in a quotation) that its fence or all of its lines have."""
        if opening.indent:
            body = [
                line.removeprefix(opening.indent) if line.startswith(opening.indent) else line.lstrip(" \t>")
                for line in body
            ]
        text = "\n".join(body)
        if text.lstrip("\n")[:1].isspace():
            text = textwrap.dedent(text)
        word = opening.info.split()[0] if opening.info else ""
        return Block(word.strip("{}.:,").casefold(), text, closed)


def _ends_with_fence(line: str) -> bool:
    """Whether a line of code has the closing fence behind it."""
    line = line.rstrip()
    return line.endswith("```") and "```" not in line[:-3] and line[:-3].strip() != "#"


def open_string(line: str, quote: str) -> str:
    """The triple quote that is open at the end of a line of Python; `quote`: the one open at its start; empty: none."""
    at = 0
    while match := (INSIDE[quote] if quote else OUTSIDE).search(line, at):
        at = match.end()
        if match.group(1):
            quote = "" if quote else match.group(1)
    return quote
