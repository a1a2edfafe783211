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
        given = [*node.args, *(keyword.value for keyword in node.keywords)]
        names.arguments.update(name for part in given for name in _used(part) if name not in names.functions)
    for targets, value in _bindings(node):
        given_names = {name for target in targets for name in _used(target)}
        if isinstance(value, ast.Name) and value.id in names.functions:
            names.functions.update(given_names)
        elif _from(value, names.results, names):
            names.results.update(given_names)
        elif _from(value, names.arguments, None):
            names.arguments.update(given_names)


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


def _calls(node: ast.Call, names: _Names) -> bool:
    """Whether a call is one of the program's, or of what it returned."""
    return bool(_used(node.func) & (names.functions | names.results))


def _used(node: ast.AST) -> set[str]:
    return {part.id for part in ast.walk(node) if isinstance(part, ast.Name)}


def _from(node: ast.AST, known: set[str], names: _Names | None) -> bool:
    """Whether an expression has one of the names in it, or (with `names`) a call of the program's."""
    if _used(node) & known:
        return True
    return names is not None and any(isinstance(part, ast.Call) and _calls(part, names) for part in ast.walk(node))


def _mixes(node: ast.AST, names: _Names) -> bool:
    """Whether a node compares what came back with what was given, itself or by a function of the two."""
    if isinstance(node, ast.Compare) and not all(isinstance(sign, (ast.Is, ast.IsNot)) for sign in node.ops):
        parts: list[ast.expr] = [node.left, *node.comparators]
    elif isinstance(node, ast.Call) and not _calls(node, names):
        parts = [*node.args, *(keyword.value for keyword in node.keywords)]
    else:
        return False
    returned = [place for place, part in enumerate(parts) if _from(part, names.results, names)]
    given = [place for place, part in enumerate(parts) if _given(part, names)]
    return any(one != other for one in returned for other in given)


def _given(node: ast.AST, names: _Names) -> bool:
    """Whether an expression has an argument in it, other than in a call of the program's."""
    if isinstance(node, ast.Call) and _calls(node, names):
        return False
    if isinstance(node, ast.Name):
        return node.id in names.arguments
    return any(_given(part, names) for part in ast.iter_child_nodes(node))
