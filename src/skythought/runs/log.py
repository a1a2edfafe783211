"""`run.log`: what was told about a run while it was worked on, with the time of each line."""

from __future__ import annotations

import time
from contextlib import suppress
from pathlib import Path

from skythought.printable import printable
from skythought.redaction import redacted

__all__ = ["ENGINE_LOG", "LOG", "log"]

LOG = "run.log"
ENGINE_LOG = "engine.log"
"""What the engine itself printed, if its backend keeps that."""


def log(folder: Path, text: str, at: float | None = None) -> None:
    """Append a line, as `2026-01-31T09:30:00Z text`, without secrets of addresses and keys.

    Nothing depends on the log: where it cannot be written, or the folder is gone, that is no error.

    Args:
        at: When it was told, in seconds since 1970; now by default.
    """
    stamp = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(at))
    line = f"{stamp} {printable(redacted(' '.join(text.split())))}\n"
    with suppress(OSError), (folder / LOG).open("a", encoding="utf-8", errors="backslashreplace") as file:
        file.write(line)
