"""The temporary folder: how much is in it, and emptying and removing it, whatever a program has made of it."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable, Iterator
from typing import NamedTuple

__all__ = ["MOST_ENTRIES", "empty_size", "entries", "folder_size", "remove", "unlinked_size", "wipe"]

MOST_ENTRIES = 4096
"""How many files and folders a temporary folder may have in it."""


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
    """Bytes below `folder`, counting stops above `limit`; too many entries, or one that cannot be seen, is too much."""
    total = count = 0
    try:
        for entry in _walk(folder):
            total += os.stat(entry.name, dir_fd=entry.place, follow_symlinks=False).st_blocks * 512 + 256
            count += 1
            if total > limit or count > MOST_ENTRIES:
                return limit + 1
    except FileNotFoundError:  # the program has removed or moved what was being looked at
        return total
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
    """Remove all that is in `folder`, without following links; whatever cannot be removed stays: the caller looks."""
    if not entries(folder):
        return
    with contextlib.suppress(OSError):  # not ours: a file system of its own, of which nobody can take the modes
        os.chmod(folder, 0o700)
    for entry in _walk(folder, open_up=True):
        with contextlib.suppress(OSError):
            (os.rmdir if entry.is_folder else os.unlink)(entry.name, dir_fd=entry.place)


class _Entry(NamedTuple):
    """A file or folder."""

    place: int
    """A descriptor of the folder that it is in."""
    name: str
    is_folder: bool


def _walk(folder: str, *, open_up: bool = False) -> Iterator[_Entry]:
    """All that is below `folder`; a folder comes after what is in it.

    Without recursion and with no paths, which a program could make longer than any limit; one descriptor at a time.

    Args:
        open_up: Give folders the modes that are needed here; those that cannot be opened all the same count as empty.

    Raises:
        FileNotFoundError: Something was moved or removed meanwhile.
        OSError: A folder cannot be opened.
    """
    here = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    todo, way = [_listed(here)], list[tuple[str, os.stat_result]]()
    try:
        while todo:
            if todo[-1]:
                name, is_folder = todo[-1].pop()
                below = _opened(here, name, open_up=open_up) if is_folder else -1
                if below < 0:
                    yield _Entry(here, name, is_folder)
                    continue
                way.append((name, os.fstat(here)))
                os.close(here)
                here = below
                todo.append(_listed(here))
                continue
            todo.pop()
            if way:
                name, status = way.pop()
                here = _up(here)
                if not os.path.samestat(os.fstat(here), status):
                    raise FileNotFoundError(f"{name} was moved")
                yield _Entry(here, name, True)
    finally:
        os.close(here)


def _listed(place: int) -> list[tuple[str, bool]]:
    """The names in a folder, and whether each is one."""
    with os.scandir(place) as found:
        return [(entry.name, entry.is_dir(follow_symlinks=False)) for entry in found]


def _opened(place: int, name: str, *, open_up: bool) -> int:
    """A descriptor of a folder; see `_walk`. -1: it counts as empty."""
    try:
        if open_up:
            os.chmod(name, 0o700, dir_fd=place)
        return os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=place)
    except OSError:
        if open_up:
            return -1
        raise


def _up(place: int) -> int:
    """A descriptor of the folder above, instead of this one."""
    above = os.open("..", os.O_RDONLY | os.O_DIRECTORY, dir_fd=place)
    os.close(place)
    return above
