"""The program in a response: the last fenced block that is Python or unmarked, or the bare code if there is no fence.

Nothing is executed here; code is at most parsed.
"""

from __future__ import annotations

import ast
import re
import textwrap
import warnings
from collections.abc import Iterator
from dataclasses import dataclass

__all__ = [
    "UNPARSABLE",
    "Code",
    "continuation",
    "defines",
    "extract_code",
    "given_names",
    "looks_like_code",
    "parses",
]

FENCE = re.compile(r"[ \t>]*(`{3,}|~{3,})[ \t]*([^`\n]*)")
LATE_FENCE = re.compile(r"[^`]*\S[^`]*(`{3})[ \t]*((?i:python|py)[\w.]*)[ \t]*")
"""A marked fence that opens at the end of a line of text."""
PYTHON = {"python", "python3", "python2", "py", "py3", "py2", "python3.x", "pypy", "pypy3", "sage", "ipython"}
STATEMENT = re.compile(
    r"^[ \t]*(?:def \w+\(|class \w+|import \w|from [\w.]+ import |for .+:|while .+:|if .+:|try:|with .+:|return\b|"
    r"print\(|@\w)",
    re.MULTILINE,
)
STOPS = ("\nclass ", "\ndef ", "\n#", "\nif ", "\nprint(", "\n```")
"""Where a completion of a function runs on into something else (Chen et al. 2021, arXiv:2107.03374, section 2.2)."""
LONGEST = 1 << 20
"""Characters of a text that is parsed to find out whether it is a program; nobody writes longer ones."""
UNPARSABLE = (SyntaxError, ValueError, RecursionError, MemoryError)
"""What `ast.parse` and `compile` raise for a text that is no program."""


@dataclass(frozen=True)
class Code:
    """A program and where it was found."""

    text: str
    rule: str
    """In words, for people."""


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
        """Whether it is marked as Python or not marked at all."""
        return not self.language or self.is_python


def extract_code(answer: str) -> Code | None:
    """The program in a response, or None if there is none.

    - Of several blocks the last one that is Python (`python`, `python3`, `py`, in any case) or unmarked counts. An
      unmarked one after a Python one must look like code: it may as well show the program's output.
    - A fence that is never closed (the response was cut off) reaches to the end.
    - Code before the first fence, if that fence only closes: a prefill had opened it.
    - Without any fence the response itself, if all of it is code.
    """
    text = answer.replace("\r\n", "\n").replace("\r", "\n").replace("\ufeff", "")  # no byte order marks either
    lines = text.split("\n")
    blocks = _prefilled(lines) or list(_blocks(lines))
    usable = [block for block in blocks if block.can_be_python and block.text.strip()]
    marked = any(block.is_python for block in usable)
    for block in reversed(usable):
        if block.is_python or not marked or looks_like_code(block.text):
            return _found(block)
    if blocks or not text.strip() or not looks_like_code(text) or not parses(text):
        return None
    return Code(text, "the whole response, which is code without a fence")


def _found(block: Block) -> Code:
    kind = "Python block" if block.is_python else "unmarked block"
    if not block.closed:
        return Code(block.text, f"the last {kind}, cut off before its end")
    return Code(block.text, f"the last {kind}")


def _blocks(lines: list[str], opened: bool = False) -> Iterator[Block]:
    """The fenced blocks in order. `opened`: the text begins inside of one."""
    fence, language, indent = ("```", "python", "") if opened else ("", "", "")
    body: list[str] = []
    for number, line in enumerate(lines):
        match = FENCE.fullmatch(line) or (None if fence else LATE_FENCE.fullmatch(line))
        if fence and match is None:
            stripped = line.rstrip()
            if stripped.endswith("```") and fence == "```" and "```" not in stripped[:-3]:
                yield _block(language, [*body, stripped[:-3]], indent, True)  # the closing fence ends a line
                fence = ""
            else:
                body.append(line)
        elif match is not None:
            mark, info = match.group(1), match.group(2).strip()
            if fence and not (mark[0] == fence[0] and len(mark) >= len(fence)):
                body.append(line)  # another kind of fence inside of the block
                continue
            if fence and not info and _in_docstring(body, lines, number):
                body.append(line)
                continue
            if fence:
                yield _block(language, body, indent, True)
            opens = not fence or bool(info)  # a marked fence inside of a block: the one before was never closed
            fence = mark if opens else ""
            indent = before if not (before := line[: match.start(1)]).strip(" \t>") else ""
            language, body = _language(info), []
    if fence:
        yield _block(language, body, indent, False)


def _language(info: str) -> str:
    word = info.split()[0] if info.split() else ""
    return word.strip("{}.:,").casefold()


def _block(language: str, body: list[str], indent: str, closed: bool) -> Block:
    """A block without the indentation (in a list, in a quotation) that its fence has."""
    if indent:
        body = [line.removeprefix(indent) if line.startswith(indent) else line.lstrip(" \t>") for line in body]
    return Block(language, "\n".join(body), closed)


def _prefilled(lines: list[str]) -> list[Block]:
    """The blocks if the response continues one that a prefill had opened; else none."""
    first = next((number for number, line in enumerate(lines) if FENCE.fullmatch(line)), None)
    if first is None or lines[first].strip().strip("`~"):
        return []
    before = "\n".join(lines[:first])
    return list(_blocks(lines, opened=True)) if looks_like_code(before) and parses(before) else []


def _in_docstring(body: list[str], lines: list[str], number: int) -> bool:
    """Whether the fence at a line stands in a string of the block: the block is code only if it reaches further."""
    text = "\n".join(body)
    if text.count('"""') % 2 == 0 and text.count("'''") % 2 == 0:
        return False
    ends = [end for end in range(number + 1, len(lines)) if lines[end].strip() == "```"][:16]
    return any(parses("\n".join([*body, *lines[number:end]])) for end in ends)


def parses(text: str, *, complete: bool = False) -> bool:
    """Whether a text is Python's syntax; `complete`: also that no `return` stands outside of a function."""
    tree = _tree(text)
    if tree is None or not complete:
        return tree is not None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            compile(tree, "answer", "exec", dont_inherit=True)
    except UNPARSABLE:
        return False
    return True


def _tree(text: str) -> ast.Module | None:
    if len(text) > LONGEST:
        return None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ast.parse(text)
    except UNPARSABLE:
        return None


def looks_like_code(text: str) -> bool:
    """Whether a text is unmistakably code: it parses and does something, or is broken and has lines like code."""
    tree = _tree(text)
    if tree is None:
        return STATEMENT.search(text) is not None
    return any(_does_something(node) for node in tree.body)


def _does_something(node: ast.stmt) -> bool:
    """A bare word, number or pair of them may be a program's output, or prose."""
    if not isinstance(node, ast.Expr):
        return not isinstance(node, (ast.AnnAssign, ast.Pass)) or getattr(node, "value", None) is not None
    return isinstance(node.value, (ast.Call, ast.Await, ast.ListComp, ast.SetComp, ast.GeneratorExp))


def defines(text: str, name: str, inside: str | None = None) -> bool:
    """Whether the code gives a value to `name` at its top level, or in the body of a class there."""
    tree = _tree(text)
    if tree is None:
        return re.search(rf"^(?:async )?(?:def|class) {re.escape(name)}\b", text, re.MULTILINE) is not None
    body: list[ast.stmt] = tree.body
    if inside is not None:
        classes = [node for node in body if isinstance(node, ast.ClassDef) and node.name == inside]
        body = [node for found in classes for node in found.body]
    return name in given_names(body)


def given_names(body: list[ast.stmt]) -> set[str]:
    """Names that statements give a value to, also under an `if` or `try`."""
    names: set[str] = set()
    for node in body:
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            names.add(node.name)
        elif isinstance(node, ast.Assign):
            names |= {target.id for target in node.targets if isinstance(target, ast.Name)}
        elif isinstance(node, (ast.If, ast.Try, ast.With)):
            names |= given_names([part for part in ast.iter_child_nodes(node) if isinstance(part, ast.stmt)])
    return names


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
