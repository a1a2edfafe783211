"""The temporary folder: how much is in it, and emptying and removing it, whatever a program has made of it."""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Iterable

__all__ = ["empty_size", "entries", "folder_size", "remove", "unlinked_size", "wipe"]


def remove(folder: str) -> None:
    """Remove a temporary folder with all that is in it; what cannot be removed, or is gone already, is left."""
    with contextlib.suppress(OSError):
        wipe(folder)
        os.rmdir(folder)


def unlinked_size(processes: Iterable[str], folder: str, file_bytes: int) -> int:
    """Bytes of files that were removed from `folder` while some process has them open or mapped.

    Args:
        processes: Their folders in /proc; those that we may not look into are left out.
        folder: As a path without links.
        file_bytes: What a file counts as that is only mapped: its size cannot be seen, this is the most it can be.
    """
    sizes: dict[int, int] = {}
    for process in processes:
        with contextlib.suppress(OSError), open(f"{process}/maps", encoding="utf-8", errors="replace") as maps:
            for line in maps:
                if line.endswith(" (deleted)\n") and f" {folder}/" in line:
                    sizes.setdefault(int(line.split(maxsplit=5)[4]), file_bytes)
        with contextlib.suppress(OSError):
            for name in os.listdir(f"{process}/fd"):
                path = f"{process}/fd/{name}"
                with contextlib.suppress(OSError):
                    target = os.readlink(path)
                    if target.startswith(f"{folder}/") and target.endswith(" (deleted)"):
                        status = os.stat(path)
                        sizes[status.st_ino] = status.st_blocks * 512
    return sum(sizes.values())


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


def entries(folder: str) -> list[str]:
    """What is in the temporary folder; a program without a filter of system calls may have taken its modes."""
    try:
        return os.listdir(folder)
    except PermissionError:
        os.chmod(folder, 0o700)
        return os.listdir(folder)


def wipe(folder: str) -> None:
    """Remove all that is in `folder`, without following links, and without recursion: folders come up to be removed.

    Whatever cannot be removed stays; the caller looks.
    """
    if not entries(folder):
        return
    mark, number, before = os.urandom(8).hex(), 0, None
    while (names := entries(folder)) and names != before:
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
