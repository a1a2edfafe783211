"""The registry of parts: from a name to the class behind it, the same for every kind.

A part is named by a module or package of its kind's folder, by an entry point of an installed package, or by
`path/to/file.py:ClassName`. The folder listing is the registry: nothing registers itself, listing imports nothing, and
only the part that is asked for is imported.
"""

from __future__ import annotations

import hashlib
import importlib
import importlib.util
import sys
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from types import ModuleType
from typing import Any, Literal, TypeVar

from skythought.errors import UserError, unknown

__all__ = ["Kind", "entries", "find_part", "from_file", "is_file_name", "part_names"]

Kind = Literal["scorer", "backend", "format", "executor", "exporter"]

FOLDERS: dict[Kind, str] = {
    "scorer": "scorers",
    "backend": "backends",
    "format": "tasks/formats",
    "executor": "executors",
    "exporter": "exporting/exporters",
}
"""Where our own parts of each kind are. Its last word is the entry points' group: `skythought.formats`."""

SHARED = {"answers", "background", "base", "chat", "forkserver", "registry", "weights", "worker"}
"""Modules of these folders that are no parts: what the parts have in common."""

PACKAGE = Path(__file__).parent
T = TypeVar("T")


def part_names(kind: Kind) -> list[str]:
    """Names of our own parts of a kind, sorted."""
    folder = PACKAGE / FOLDERS[kind]
    names = {path.stem for path in folder.glob("*.py")} | {path.parent.name for path in folder.glob("*/__init__.py")}
    return sorted(name for name in names - SHARED if not name.startswith("_"))


def entries(group: str) -> dict[str, EntryPoint]:
    """The entry points in the group `skythought.<group>` by name; none is imported."""
    return {point.name: point for point in entry_points(group=f"skythought.{group}")}


def is_file_name(name: str) -> bool:
    """Whether a part's name is of the form `path/to/file.py:ClassName`."""
    return ".py:" in name


def find_part(kind: Kind, name: str, base: type[T]) -> type[T]:
    """The class of the part that has this name.

    Args:
        kind: What is looked for.
        name: A module of the kind's folder, an entry point, or `path/to/file.py:ClassName`.
        base: The class that every part of this kind derives from.

    Raises:
        UserError: No such name, file or class, or the class is none of this kind.
    """
    if is_file_name(name):
        found = from_file(kind, name)
    else:
        points = entries(FOLDERS[kind].rpartition("/")[2])
        own = part_names(kind)
        if name in points:
            found = _loaded(kind, points[name])
        elif name in own:
            found = _exported_class(importlib.import_module(f"skythought.{FOLDERS[kind].replace('/', '.')}.{name}"))
        else:
            raise unknown(kind, name, [*own, *points])
    if not (isinstance(found, type) and issubclass(found, base)):
        raise UserError(f"{kind} {name!r} must be a class that derives from {base.__module__}.{base.__qualname__}.")
    return found


def _loaded(kind: Kind, point: EntryPoint) -> Any:
    try:
        return point.load()
    except Exception as error:
        raise UserError(f"{kind} {point.name!r}: {point.value!r} cannot be loaded: {error}.") from error


def _exported_class(module: ModuleType) -> Any:
    """The one class in the module's `__all__`."""
    names = module.__all__
    if len(names) != 1:
        raise TypeError(f"{module.__name__}.__all__ must name exactly one class, not {len(names)}")
    return getattr(module, names[0])


def from_file(what: str, name: str, noun: str = "class") -> Any:
    """What stands under a name in a Python file of the user's: `path/to/file.py:name`.

    Args:
        what: What it is, for messages.
        noun: "class" or "function".

    Raises:
        UserError: There is no such file, it cannot be run, or it has no such name.
    """
    path_text, _, named = name.rpartition(":")
    path = Path(path_text).expanduser().resolve()
    if not path.is_file():
        raise UserError(f"{what} {name!r}: there is no file {path_text!r}.")
    # Named by its content: a file that was changed is read again, and two files of one name stay apart.
    digest = hashlib.sha256(str(path).encode() + path.read_bytes()).hexdigest()[:12]
    module_name = f"skythought_user_{path.stem}_{digest}"
    module = sys.modules.get(module_name) or _executed(what, name, path, module_name)
    if not hasattr(module, named):
        own = {n: v for n, v in vars(module).items() if getattr(v, "__module__", None) == module_name}
        raise unknown(
            f"{noun} in {path_text}", named, [n for n, v in own.items() if isinstance(v, type) == (noun == "class")]
        )
    return getattr(module, named)


def _executed(what: str, name: str, path: Path, module_name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(module_name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[module_name] = module  # dataclasses look their module up
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        del sys.modules[module_name]
        raise UserError(f"{what} {name!r}: {type(error).__name__}: {error}.") from error
    return module
