"""The temporary folder: how much is in it, and emptying it, whatever a program has made of it."""

from __future__ import annotations

import contextlib
import os
import stat

__all__ = ["empty_size", "folder_size", "wipe"]


def empty_size(folder: str) -> int:
    """The size of an empty folder itself, where that grows with each entry, as in file systems in memory; else -1."""
    name = f"{folder}/{os.urandom(8).hex()}"
    before = os.stat(folder).st_size
    os.close(os.open(name, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    within = os.stat(folder).st_size
    os.unlink(name)
    return before if within > before == os.stat(folder).st_size else -1


def folder_size(folder: str, limit: int) -> int:
    """Bytes below `folder`, counting stops above `limit`; what cannot be looked at counts as too much."""
    total, folders = 0, [folder]
    while folders and total <= limit:
        try:
            with os.scandir(folders.pop()) as entries:
                for entry in entries:
                    if entry.is_dir(follow_symlinks=False):
                        folders.append(entry.path)
                    else:
                        total += entry.stat(follow_symlinks=False).st_blocks * 512
                    total += 256
        except FileNotFoundError:
            continue
        except OSError:
            return limit + 1
    return total


def wipe(folder: str) -> None:
    """Remove all that is in `folder`, without following links, and without recursion: folders come up to be removed.

    Whatever cannot be removed stays; the caller looks.
    """
    if not os.listdir(folder):
        return
    mark, number, before = os.urandom(8).hex(), 0, None
    while (names := os.listdir(folder)) and names != before:
        before = names
        for name in names:
            with contextlib.suppress(OSError):
                number = _remove(folder, name, mark, number)


def _remove(folder: str, name: str, mark: str, number: int) -> int:
    """Remove one entry; the folders in it move up under names that nobody can have taken."""
    path = f"{folder}/{name}"
    if not stat.S_ISDIR(os.lstat(path).st_mode):
        os.unlink(path)
        return number
    os.chmod(path, 0o700)
    for below in os.listdir(path):
        inner = f"{path}/{below}"
        if stat.S_ISDIR(os.lstat(inner).st_mode):
            os.chmod(inner, 0o700)
            number += 1
            os.rename(inner, f"{folder}/.{mark}-{number}")
        else:
            os.unlink(inner)
    os.rmdir(path)
    return number
