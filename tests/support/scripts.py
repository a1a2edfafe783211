"""Scripts of `benchmarks/` as modules: what a claim is measured with is what the test of it runs."""

from __future__ import annotations

import importlib.util
import os
import sys
from types import ModuleType

from places import ROOT


def benchmark(name: str) -> ModuleType:
    """The script of that name, imported; what it sets in the environment is taken back."""
    path = ROOT / "benchmarks" / f"{name}.py"
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    before = dict(os.environ)
    spec.loader.exec_module(module)
    os.environ.clear()
    os.environ.update(before)
    return module
