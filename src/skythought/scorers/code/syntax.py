"""What can be told of a piece of code by parsing it: is it a program, what does it define, what does it lack.

Nothing is executed.
"""

from __future__ import annotations

import ast
import builtins
import re
import symtable
import warnings

__all__ = [
    "UNPARSABLE",
    "defines",
    "given_names",
    "looks_like_code",
    "names_given",
    "names_used",
    "parses",
    "unknown_names",
]

STATEMENT = re.compile(
    r"^[ \t]*+(?:def \w+\(|class \w+|import \w|from [\w.]+ import |for .+:|while .+:|if .+:|try:|with .+:|return\b|"
    r"print\(|@\w)",
    re.MULTILINE,
)
WORD = re.compile(r"[^\W\d]\w*+")
LONGEST = 1 << 20
"""Characters of a text that is parsed to find out whether it is a program; nobody writes longer ones."""
UNPARSABLE = (SyntaxError, ValueError, RecursionError, MemoryError)
"""What `ast.parse` and `compile` raise for a text that is no program."""
MODULE_NAMES = {"__name__", "__file__", "__doc__", "__builtins__", "__annotations__", "__spec__", "__package__"}


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


def names_given(text: str) -> set[str]:
    """Names that code gives a value to at its top level; none if it does not parse."""
    tree = _tree(text)
    return set() if tree is None else given_names(tree.body)


def names_used(text: str) -> set[str]:
    """Names, attributes and parts of modules' names in code; all of its words if it does not parse."""
    tree = _tree(text)
    if tree is None:
        return set(WORD.findall(text))
    used: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Name):
            used.add(node.id)
        elif isinstance(node, ast.Attribute):
            used.add(node.attr)
        elif isinstance(node, ast.alias):
            used.update(node.name.split("."))
    return used


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


def unknown_names(program: str) -> set[str]:
    """Names that a program uses and gives no value to; none if it does not parse."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            top = symtable.symtable(program, "answer", "exec")
    except UNPARSABLE:
        return set()
    used: set[str] = set()
    given: set[str] = set(dir(builtins))
    tables = [top]
    while tables:
        table = tables.pop()
        tables.extend(table.get_children())
        for symbol in table.get_symbols():
            if table is top or symbol.is_global():
                is_given = symbol.is_assigned() or symbol.is_imported()
                (given if is_given else used).add(symbol.get_name())
    return used - given - MODULE_NAMES
