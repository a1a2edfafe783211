"""Which calls of a test may change their arguments for the test to see, as told by the test's own text.

What a call has changed in its arguments is the program's doing, and so is what it returned. A test that compares one
with the other (`out = f(xs)`, then `assert out == sorted(xs)`) would be passed by a function that empties its argument
and returns an empty list. In such a test the arguments stay as they were, except where nobody uses what is returned.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from typing import NamedTuple

__all__ = ["Place", "changing_calls"]

LONGEST = 100_000
"""Characters of a test that is read."""
COMPARING = {
    *("count", "index", "startswith", "endswith", "equal", "equals", "issubset", "issuperset", "isdisjoint"),
    *("difference", "symmetric_difference", "intersection", "union"),
}
"""Methods that compare with what they are given."""
Place = tuple[int | None, int | None, int | None, int | None]
"""Where a call stands: first line, last line, first column, last column, as `co_positions` says."""


class _Names(NamedTuple):
    """Names in a test."""

    functions: set[str]
    """Of the program."""
    results: set[str]
    """That hold what it returned, or was made from that."""
    arguments: set[str]
    """That hold what it was given, or was made from that."""


def changing_calls(text: str, functions: Iterable[str]) -> frozenset[Place] | None:
    """The calls whose changes the test may see; None: all of them, as no result is compared with an argument.

    `functions`: names of the program's in the test. In a very long test, which would take seconds to read, none.
    """
    if len(text) > LONGEST:
        return frozenset()
    tree = ast.parse(text)
    names = _Names({*functions, "candidate"}, set(), set())
    size = -1
    while size < (size := sum(map(len, names))):
        for node in ast.walk(tree):
            _spread(node, names)
    if not any(_mixes(node, names) for node in ast.walk(tree)):
        return None
    unused = [node.value for node in ast.walk(tree) if isinstance(node, ast.Expr)]
    return frozenset((node.lineno, node.end_lineno, node.col_offset, node.end_col_offset) for node in unused)


def _spread(node: ast.AST, names: _Names) -> None:
    """Take the names that a node gives a value from the program's."""
    if isinstance(node, ast.Call) and _calls(node, names):
        names.arguments.update(name for part in _given_to(node) for name in _used(part) if name not in names.functions)
    if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
        _spread_function(node, names)
    for targets, value in _bindings(node):
        bound = {name for target in targets for name in _used(target)}
        if isinstance(value, ast.Name) and value.id in names.functions:
            names.functions.update(bound)
        elif _returned(value, names):
            names.results.update(bound)
        elif _used(value) & names.arguments:
            names.arguments.update(bound)
        if bound & names.arguments and isinstance(value, (ast.Name, ast.Attribute, ast.Subscript)):
            names.arguments.update(_used(value) - names.functions)  # another name of the same object


def _spread_function(node: ast.FunctionDef | ast.AsyncFunctionDef, names: _Names) -> None:
    """A function that calls the program's, or whatever it is handed, gives what that gives."""
    called = [part.func.id for part in ast.walk(node) if isinstance(part, ast.Call) and isinstance(part.func, ast.Name)]
    parameters = {part.arg for part in ast.walk(node.args) if isinstance(part, ast.arg)}
    names.functions.update(parameters & set(called))
    if names.functions & set(called) and any(isinstance(part, ast.Return) and part.value for part in ast.walk(node)):
        names.functions.add(node.name)


def _bindings(node: ast.AST) -> Iterator[tuple[list[ast.expr], ast.expr]]:
    """What a node assigns to what."""
    if isinstance(node, ast.Assign):
        yield node.targets, node.value
    elif isinstance(node, (ast.AnnAssign, ast.AugAssign, ast.NamedExpr)) and node.value is not None:
        yield [node.target], node.value
    elif isinstance(node, (ast.For, ast.AsyncFor, ast.comprehension)):
        yield [node.target], node.iter
    elif isinstance(node, ast.withitem) and node.optional_vars is not None:
        yield [node.optional_vars], node.context_expr


def _given_to(node: ast.Call) -> list[ast.expr]:
    return [*node.args, *(keyword.value for keyword in node.keywords)]


def _calls(node: ast.Call, names: _Names) -> bool:
    """Whether a call is one of the program's, of what it returned, or of what is handed one of its functions."""
    if _used(node.func) & (names.functions | names.results):
        return True
    return any(isinstance(part, ast.Name) and part.id in names.functions for part in _given_to(node))


def _used(node: ast.AST) -> set[str]:
    """Names in an expression, those of attributes included."""
    names = {part.id for part in ast.walk(node) if isinstance(part, ast.Name)}
    return names | {part.attr for part in ast.walk(node) if isinstance(part, ast.Attribute)}


def _returned(node: ast.AST, names: _Names) -> bool:
    """Whether an expression has in it what the program returned."""
    calls = any(isinstance(part, ast.Call) and _calls(part, names) for part in ast.walk(node))
    return calls or bool(_used(node) & names.results)


def _given(node: ast.AST, names: _Names) -> bool:
    """Whether an expression has an argument in it, other than in a call of the program's."""
    if isinstance(node, ast.Call) and _calls(node, names):
        return False
    if isinstance(node, ast.Name):
        return node.id in names.arguments
    if isinstance(node, ast.Attribute) and node.attr in names.arguments:
        return True
    return any(_given(part, names) for part in ast.iter_child_nodes(node))


def _compares(node: ast.AST) -> bool:
    """Whether a method compares with what it is given."""
    return isinstance(node, ast.Attribute) and (node.attr.startswith("__") or node.attr in COMPARING)


def _mixes(node: ast.AST, names: _Names) -> bool:
    """Whether a node puts what came back together with what was given: compares, computes or hands on the two."""
    if isinstance(node, ast.Compare) and not all(isinstance(sign, (ast.Is, ast.IsNot)) for sign in node.ops):
        parts: list[ast.AST] = [node.left, *node.comparators]
    elif isinstance(node, ast.Call) and (_compares(node.func) or not _calls(node, names)):
        parts = [node.func, *_given_to(node)]
    elif isinstance(node, ast.BinOp):
        parts = [node.left, node.right]
    elif isinstance(node, (ast.Return, ast.Yield)) and isinstance(node.value, (ast.Tuple, ast.List, ast.Dict)):
        parts = list(ast.iter_child_nodes(node.value))
    else:
        return False
    returned = [place for place, part in enumerate(parts) if _returned(part, names)]
    given = [place for place, part in enumerate(parts) if _given(part, names)]
    return any(one != other for one in returned for other in given)
