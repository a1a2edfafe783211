"""The folder of an export: there as a whole, or not at all."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from skythought.errors import DiskError, UserError

__all__ = ["RECORD", "require_free", "whole_folder"]

RECORD = "export.json"
"""What an export was made of, for programs; a folder with it is one of ours, which may be replaced."""


def require_free(path: Path, *, overwrite: bool) -> None:
    """Refuse a folder that holds something, unless that is an export that may be replaced.

    Raises:
        UserError: It is none, or not to be replaced.
    """
    if not path.exists() or (path.is_dir() and not any(path.iterdir())):
        return
    if not path.is_dir() or not (path / RECORD).is_file():
        raise UserError(f"--output {str(path)!r} is there already and is no export; name a new folder.")
    if not overwrite:
        raise UserError(f"--output {str(path)!r} holds an export; --overwrite replaces it.")


@contextmanager
def whole_folder(path: Path, *, overwrite: bool) -> Iterator[Path]:
    """A folder to write to, which stands at `path` once the block ends well, and is gone if it does not.

    Raises:
        UserError: See `require_free`.
        DiskError: It cannot be written.
    """
    require_free(path, overwrite=overwrite)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        making = Path(tempfile.mkdtemp(prefix=f".{path.name}.", dir=path.parent))
    except OSError as error:
        raise DiskError(f"cannot write in {path.parent}: {error.strerror or error}.") from None
    try:
        yield making
        making.chmod(0o755)
        _put(making, path)
    except OSError as error:
        if error.filename is not None and not str(error.filename).startswith(str(making)):
            raise  # about another file: one of a run
        raise DiskError(f"cannot write {path}: {error.strerror or error}.") from None
    finally:
        shutil.rmtree(making, ignore_errors=True)


def _put(made: Path, path: Path) -> None:
    """Rename it into its place. What was there is moved aside first: a folder that holds something is not replaced."""
    if not path.exists():
        made.rename(path)
        return
    aside = Path(tempfile.mkdtemp(prefix=f".{path.name}.", dir=path.parent))
    path.rename(aside / "old")
    made.rename(path)
    shutil.rmtree(aside, ignore_errors=True)
