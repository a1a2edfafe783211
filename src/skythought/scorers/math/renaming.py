"""Names that do not matter: the letter of a whole-number parameter, an argument, a constant written large or small."""

from __future__ import annotations

from collections.abc import Mapping

from skythought.scorers.math.parsing import Tree, variables

__all__ = ["aligned", "renamed", "without_degrees"]

PARAMETERS = set("knmljtKN")
CONSTANTS = set("ABCKack")


def renamed(tree: Tree, names: Mapping[str, str]) -> Tree:
    """The tree with other names of variables."""
    if tree[0] == "var":
        return ("var", names.get(tree[1], tree[1]))
    return tuple(renamed(part, names) if isinstance(part, tuple) else part for part in tree)


def without_degrees(tree: Tree) -> Tree:
    """The tree without its degree signs."""
    tree = tree[1] if tree[0] == "deg" else tree
    return tuple(without_degrees(part) if isinstance(part, tuple) else part for part in tree)


def aligned(gold: Tree, given: Tree, *, alone: bool = True) -> Tree | None:
    r"""`given` with the names of `gold`, where the two differ in names that mean nothing, else None.

    That is a letter written large in one and small in the other (`C` and `c`), a whole-number parameter (`2n+1` and
    `2k+1`), and a constant that is free to choose (`C e^{2x}` and `A e^{2x}`).

    Args:
        alone: The formulas are whole answers, not parts of some: then a letter that is all of an answer means itself.
    """
    wanted, got = variables(gold), variables(given)
    missing, extra = wanted - got, got - wanted
    if not missing or len(missing) != len(extra):
        return None
    by_case = {name.lower(): name for name in missing}
    if len(by_case) == len(missing) and {name.lower() for name in extra} == set(by_case):
        return renamed(given, {name: by_case[name.lower()] for name in extra})
    parameter = missing | extra <= PARAMETERS or (missing | extra <= CONSTANTS and len(wanted) > 1)
    if len(missing) == 1 and parameter and not (alone and gold[0] == "var"):
        return renamed(given, {extra.pop(): missing.pop()})
    return None
