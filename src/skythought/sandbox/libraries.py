"""Which files of this machine a confined program may read: the standard library and a few packages, nothing else."""

from __future__ import annotations

import importlib.util
import os
import sys
import sysconfig
from pathlib import Path
from typing import NamedTuple

__all__ = ["PACKAGES", "Libraries", "libraries"]

PACKAGES = (
    "numpy",
    "scipy",
    "sympy",
    "mpmath",
    "pandas",
    "dateutil",
    "pytz",
    "six",
    "tzdata",
    "networkx",
    "sortedcontainers",
    "more_itertools",
    "bitarray",
    "gmpy2",
    "regex",
)
"""Packages beyond the standard library that solutions import: there for them where they are installed."""


class Libraries(NamedTuple):
    """Files and folders to read; folders within them not to read; folders to search for packages."""

    readable: list[str]
    hidden: list[str]
    search: list[str]


def libraries() -> Libraries:
    """What the interpreter that runs this needs, and the packages that it has."""
    # Those of the interpreter itself: in a virtual environment the platform's own path would be that of all packages.
    base = {"platbase": sys.base_exec_prefix, "installed_platbase": sys.base_exec_prefix}
    standard, platform = sysconfig.get_path("stdlib"), sysconfig.get_path("platstdlib", vars=base)
    paths = [standard, platform, *(path for path in sys.path if path.endswith(".zip"))]
    dynamic = sysconfig.get_config_var("DESTSHARED")
    paths += [dynamic] if dynamic else []
    library = Path(sys.base_prefix, "lib")
    if str(library) not in ("/lib", "/usr/lib"):
        paths += [str(path) for path in library.glob("*.so*")]
    search: list[str] = []
    for name in PACKAGES:
        spec = importlib.util.find_spec(name)
        if spec is None or spec.origin is None:
            continue
        place = Path(spec.origin).parent if spec.submodule_search_locations else Path(spec.origin)
        paths += [str(place), *(str(path) for path in place.parent.glob(f"{name}*.libs"))]
        if str(place.parent) not in search:
            search.append(str(place.parent))
    places = (f"{folder}/{name}" for folder in {standard, platform} for name in ("site-packages", "dist-packages"))
    hidden = sorted(place for place in places if os.path.isdir(place))
    return Libraries(list(dict.fromkeys(path for path in paths if Path(path).exists())), hidden, search)
