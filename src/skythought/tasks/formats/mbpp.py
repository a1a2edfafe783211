"""Rows of MBPP, whole, sanitised or plus: asserts that call a function by name, which no column tells."""

from __future__ import annotations

import ast
import builtins
import sys
from typing import Any

from skythought.tasks.formats.base import Format, Row

__all__ = ["MbppFormat"]


class MbppFormat(Format):
    """Rows of MBPP in any of its layouts."""

    def plain(self, row: Row) -> Row:
        """Adds `function` (the one asked for) and `tests` (the target: each assert is one test).

        Raises:
            ValueError: The row has no tests, or they call no function.
        """
        whole = row.get("test")
        asserts = [text for text in (row.get("test_list") if whole else row["test_list"]) or [] if text.strip()]
        if not asserts and not whole:
            raise ValueError("test_list holds no tests")
        setup = "\n".join([*(row.get("test_imports") or []), row.get("test_setup_code") or ""]).strip()
        asked, used = _names("\n".join(asserts), setup), _names(setup, setup)
        names = [name for name in dict.fromkeys([*asked, *used]) if name not in sys.stdlib_module_names]
        modules = [name for name in dict.fromkeys([*asked, *used]) if name not in names]
        builds = bool(set(used) - set(modules))
        if not names:
            raise ValueError("the tests call no function")
        target: dict[str, Any] = {
            "kind": "check",
            "function": names[0],
            "names": names,
            "tests": [whole] if whole else asserts,
        }
        # The original runs tests and solution in one module: two tests use a module that the solution imports, and two
        # setups build trees of the solution's nodes.
        target["setup"] = "\n".join([*(f"import {name}" for name in modules), "" if builds else setup]).strip()
        if builds:
            target["appended"] = setup
            names += sorted(_assigned(setup) - set(names))
        return {**row, "function": names[0], "tests": target}


def _names(tests: str, setup: str) -> list[str]:
    """Names that tests use without giving them a value: the candidate's. Those that are called come first."""
    used, tree = _tree(tests), _tree(f"{setup}\n{tests}")
    imports = [node for node in ast.walk(tree) if isinstance(node, (ast.Import, ast.ImportFrom))]
    known = {alias.asname or alias.name.partition(".")[0] for node in imports for alias in node.names}
    names = [node for node in ast.walk(tree) if isinstance(node, ast.Name)]
    known |= {node.id for node in names if not isinstance(node.ctx, ast.Load)}
    called = [node.func.id for node in ast.walk(used) if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)]
    wanted = [*called, *(node.id for node in ast.walk(used) if isinstance(node, ast.Name))]
    own = [name for name in wanted if name not in known and not hasattr(builtins, name)]
    if not set(own) - sys.stdlib_module_names and tests != setup:
        own += [name for name in called[:1] if name not in known]  # one asks for a function called `sum`
    return own


def _assigned(text: str) -> set[str]:
    names = (node for node in ast.walk(_tree(text)) if isinstance(node, ast.Name))
    return {node.id for node in names if isinstance(node.ctx, ast.Store)}


def _tree(text: str) -> ast.Module:
    try:
        return ast.parse(text.replace("\r\n", "\n"))
    except SyntaxError as error:
        raise ValueError(f"the tests are not Python: {error}") from None
