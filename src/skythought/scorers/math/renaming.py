"""Names that do not matter: the letter of a whole-number parameter, an argument, a constant written large or small."""

from __future__ import annotations

from collections.abc import Mapping

from skythought.scorers.math.parsing import Tree, variables

__all__ = ["aligned", "renamed"]

PARAMETERS = set("knmljtKN")


def renamed(tree: Tree, names: Mapping[str, str]) -> Tree:
    """The tree with other names of variables."""
    if tree[0] == "var":
        return ("var", names.get(tree[1], tree[1]))
    return tuple(renamed(part, names) if isinstance(part, tuple) else part for part in tree)


def aligned(gold: Tree, given: Tree) -> Tree | None:
    r"""`given` with the names of `gold`, where the two differ in names that mean nothing, else None.

    That is a letter written large in one and small in the other (`C` and `c`), and the parameter of a family of
    angles (`\frac{\pi}{6} + \pi k` and `... + \pi n`).
    """
    wanted, got = variables(gold), variables(given)
    missing, extra = wanted - got, got - wanted
    if not missing or len(missing) != len(extra):
        return None
    by_case = {name.lower(): name for name in missing}
    if len(by_case) == len(missing) and {name.lower() for name in extra} == set(by_case):
        return renamed(given, {name: by_case[name.lower()] for name in extra})
    if len(missing) == 1 and missing | extra <= PARAMETERS and _has_pi(gold) and _has_pi(given):
        return renamed(given, {extra.pop(): missing.pop()})
    return None


def _has_pi(tree: Tree) -> bool:
    return tree == ("const", "pi") or any(_has_pi(part) for part in tree[1:] if isinstance(part, tuple))
