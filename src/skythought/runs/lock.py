"""One process at a time on one run folder."""

from __future__ import annotations

import fcntl
import os
import socket
from pathlib import Path

from skythought.errors import RunFolderError

__all__ = ["Lock"]


class Lock:
    """An advisory lock on a folder, held until `release` or until the process ends, however it ends."""

    def __init__(self, folder: Path) -> None:
        path = folder / ".lock"
        self._file = path.open("a+", encoding="utf-8")
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            self._file.seek(0)
            holder = self._file.read().strip() or "another process"
            self._file.close()
            raise RunFolderError(
                f"run folder {str(folder)!r} is in use by {holder}; wait for it, or choose another --result-dir."
            ) from None
        self._file.truncate(0)
        self._file.write(f"process {os.getpid()} on {socket.gethostname()}\n")
        self._file.flush()

    def release(self) -> None:
        """Let others in; safe to call twice."""
        self._file.close()
