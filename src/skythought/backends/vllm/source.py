"""The arguments of vLLM's engine and its sampling parameters, read from the source of the installed vLLM.

Importing vLLM loads torch and takes ten seconds and more; a mistyped argument should show at once. So the dataclass
`EngineArgs` is parsed, never imported: names are exact for the version at hand, and so are the types that can be told
from the source (numbers, strings, lists of allowed words). The rest is left to vLLM itself.
"""

from __future__ import annotations

import ast
import functools
import importlib.util
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, NamedTuple, Optional, Union

__all__ = ["Argument", "engine_arguments", "engine_sampling_names"]

SCALARS: dict[str, Any] = {"int": int, "float": float, "bool": bool, "str": str, "None": None}
CONTAINERS: dict[str, Any] = {"list": list, "dict": dict, "set": set}


class Argument(NamedTuple):
    """One argument of the engine, as its source declares it."""

    annotation: ast.expr
    module: Module

    def type(self) -> Any:
        """What values it takes, `Any` if that cannot be told without importing vLLM."""
        return self.module.resolve(self.annotation)


@functools.cache
def engine_arguments() -> Mapping[str, Argument] | None:
    """The arguments of the installed vLLM's asynchronous engine by name; None without vLLM, or with an unknown one."""
    return _fields("engine.arg_utils", ("EngineArgs", "AsyncEngineArgs"))


@functools.cache
def engine_sampling_names() -> frozenset[str] | None:
    """The fields of the installed vLLM's `SamplingParams`; None without vLLM, or with an unknown one."""
    found = _fields("sampling_params", ("SamplingParams",))
    return None if found is None else frozenset(found)


def _fields(name: str, classes: Sequence[str]) -> Mapping[str, Argument] | None:
    """The fields of classes in one module of the installed vLLM."""
    spec = importlib.util.find_spec("vllm")
    if spec is None or not spec.submodule_search_locations:
        return None
    module = Module.at(Path(next(iter(spec.submodule_search_locations))), name)
    if module is None:
        return None
    return {
        line.target.id: Argument(line.annotation, module)
        for node in module.tree.body
        if isinstance(node, ast.ClassDef) and node.name in classes
        for line in node.body
        if isinstance(line, ast.AnnAssign) and isinstance(line.target, ast.Name) and not line.target.id.startswith("_")
    } or None


class Module:
    """The source of one module of vLLM, as far as it explains annotations."""

    def __init__(self, folder: Path, tree: ast.Module) -> None:
        self.folder = folder
        self.tree = tree

    @classmethod
    @functools.cache
    def at(cls, folder: Path, name: str) -> Module | None:
        """The module `vllm.<name>` of the package in `folder`."""
        path = folder.joinpath(*name.split("."))
        for file in (path.with_suffix(".py"), path / "__init__.py"):
            if file.is_file():
                return cls(folder, ast.parse(file.read_text(encoding="utf-8")))
        return None

    def resolve(self, node: ast.expr) -> Any:
        """The type that an annotation means: scalars, containers, literals, unions of these; else `Any`."""
        match node:
            case ast.Constant(value=None):
                return None
            case ast.Constant(value=str(text)):
                return self.resolve(ast.parse(text, mode="eval").body)
            case ast.Name(id=name) if name in SCALARS | CONTAINERS:
                return (SCALARS | CONTAINERS)[name]
            case ast.Name(id=name):
                return self._alias(name)
            case ast.BinOp(left=left, op=ast.BitOr(), right=right):
                return Union[self.resolve(left), self.resolve(right)]  # noqa: UP007 -- made at run time
            case ast.Subscript(value=ast.Name(id="Optional"), slice=inner):
                return Optional[self.resolve(inner)]  # noqa: UP045
            case ast.Subscript(value=ast.Name(id="Literal"), slice=words):
                return self._words(words.elts if isinstance(words, ast.Tuple) else [words])
            case ast.Subscript(value=ast.Name(id=name)) if name in CONTAINERS:
                return CONTAINERS[name]
        return Any

    def _words(self, nodes: Sequence[ast.expr]) -> Any:
        """The type of a list of allowed words, each a constant or the name of another such list."""
        words = [node.value if isinstance(node, ast.Constant) else self.resolve(node) for node in nodes]
        return Any if Any in words else Literal[tuple(words)]

    def _alias(self, name: str) -> Any:
        """What a name of the module stands for, if it is an alias (`Name = Literal[...]`) of it or one it imports."""
        for line in self.tree.body:
            if isinstance(line, ast.Assign) and any(isinstance(t, ast.Name) and t.id == name for t in line.targets):
                return self.resolve(line.value)
        for line in self.tree.body:
            if isinstance(line, ast.ImportFrom) and line.module and any(name == a.name for a in line.names):
                package, _, inner = line.module.partition(".")
                module = Module.at(self.folder, inner) if package == "vllm" and inner else None
                return module._alias(name) if module else Any
        return Any
