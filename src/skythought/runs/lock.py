"""One process at a time on one run folder."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import socket
from pathlib import Path
from typing import Self

from skythought.errors import RunFolderError

__all__ = ["LOCK", "Lock"]

LOCK = ".lock"
"""The file that is locked."""

BUSY = {errno.EWOULDBLOCK, errno.EAGAIN, errno.EACCES}
"""What flock says where another process holds the lock."""


class Lock:
    """An advisory lock on a folder, held until `release` or until the process ends, however it ends."""

    def __init__(self, folder: Path) -> None:
        self.notice: str | None = None
        """What the user should know: the folder could not be locked."""
        path = folder / LOCK
        try:
            self._file = path.open("a+", encoding="utf-8")
        except OSError as error:
            raise RunFolderError(f"run folder {str(folder)!r} cannot be written: {error.strerror}.") from None
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            if error.errno not in BUSY:  # Lustre and some NFS have no flock
                self.notice = (
                    f"the file system of {str(folder)!r} cannot lock files ({error.strerror}): see to it yourself that "
                    "no second process works on this run."
                )
                return
            self._file.seek(0)
            holder = self._file.read().strip() or "another process"
            self._file.close()
            raise RunFolderError(
                f"run folder {str(folder)!r} is in use by {holder}; wait for it, or choose another --result-dir."
            ) from None
        with contextlib.suppress(OSError):  # a full disk: the lock holds, only its holder's name is missing
            self._file.truncate(0)
            self._file.write(f"process {os.getpid()} on {socket.gethostname()}\n")
            self._file.flush()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.release()

    def release(self) -> None:
        """Let others in; safe to call twice."""
        self._file.close()
