"""How an interrupted command ends."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from typing import NoReturn

__all__ = ["INTERRUPTED", "leave"]

INTERRUPTED = 130
"""The exit code, as of a program that Ctrl-C has ended."""


def leave() -> NoReturn:
    """End this process now, with its last line.

    Its threads may be in the middle of an import, and large libraries take seconds to tidy themselves up. Engines and
    workers notice that we are gone.
    """
    with suppress(OSError, ValueError):
        sys.stdout.flush()
        said = "interrupted. What was answered is in the journal; the same command with --resume goes on."
        print(f"skythought: {said}", file=sys.stderr, flush=True)
    os._exit(INTERRUPTED)
