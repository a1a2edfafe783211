"""Names -> classes and files, lazily. The folder listing is the registry; entry points and file paths extend it.

Listing names imports nothing; only the one asked for is imported.
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from types import ModuleType
from typing import Any

from skythought.errors import UserError, unknown

__all__ = ["find_class", "module_names", "plugins"]

PACKAGE = Path(__file__).parent
NOT_ENTRIES = {"base"}


def module_names(room: str) -> list[str]:
    """Names of the public modules in one of our folders ("backends", "scorers"), `base` left out."""
    files = (PACKAGE / room).glob("*.py")
    return sorted(f.stem for f in files if not f.stem.startswith("_") and f.stem not in NOT_ENTRIES)


def plugins(room: str) -> dict[str, EntryPoint]:
    """Entry points in the group `skythought.<room>` by name; none is imported."""
    return {point.name: point for point in entry_points(group=f"skythought.{room}")}


def find_class(room: str, name: str, base: str) -> type[Any]:
    """The class behind a name.

    Args:
        room: Folder of ours, and end of the entry point group: "backends" or "scorers".
        name: A module of that folder, an entry point, or `path/to/file.py:ClassName`.
        base: What is looked for, in the user's words ("backend", "scorer").

    Raises:
        UserError: No such name, file or class.
    """
    if ".py:" in name:
        return _from_file(name, base)
    points = plugins(room)
    if name in points:
        found: type[Any] = points[name].load()
        return found
    names = module_names(room)
    if name not in names:
        raise unknown(base, name, [*names, *points])
    module = importlib.import_module(f"skythought.{room}.{name}")
    return _exported_class(module)


def _exported_class(module: ModuleType) -> type[Any]:
    """The one class in the module's `__all__`."""
    classes = [getattr(module, name) for name in module.__all__]
    found = [c for c in classes if isinstance(c, type) and not c.__name__.endswith("Args")]
    if len(found) != 1:
        raise TypeError(f"{module.__name__}.__all__ must name exactly one class, not {len(found)}")
    return found[0]


def _from_file(name: str, base: str) -> type[Any]:
    path_text, _, class_name = name.rpartition(":")
    path = Path(path_text).expanduser().resolve()
    if not path.is_file():
        raise UserError(f"{base} {name!r}: there is no file {path_text!r}.")
    module_name = f"skythought_user_{path.stem}"
    spec = importlib.util.spec_from_file_location(module_name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[module_name] = module
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        raise UserError(f"{base} {name!r}: {type(error).__name__}: {error}.") from error
    if not hasattr(module, class_name):
        names = [n for n, v in vars(module).items() if isinstance(v, type) and v.__module__ == module_name]
        raise unknown(f"class in {path_text}", class_name, names)
    found: type[Any] = getattr(module, class_name)
    return found
