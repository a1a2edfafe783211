"""A machine that offers less: `python machine.py WHAT,... PROGRAM ARGUMENT ...` runs a program without some of it.

user      an ordinary user instead of root
unshare   no namespaces
uid_map   namespaces may be made, and their id maps not written (Ubuntu from 23.10 on, some containers)
mount     nothing may be mounted
landlock  a kernel without landlock
seccomp   a kernel without filters of system calls
setuid    no change of user, and no file given to another one
"""

from __future__ import annotations

import errno
import os
import platform
import struct
import sys
from pathlib import Path

from skythought.sandbox import linux

NUMBERS = {"unshare": (272, 97), "mount": (165, 40), "landlock": (444, 444), "prctl": (157, 167)}
SETUID = {"chown": (92, -1), "fchownat": (260, 54), "setgroups": (116, 159), "setresuid": (117, 147)}
WRITE_FILE = 2


def number(name: str) -> int:
    """The number of a system call here."""
    return {**NUMBERS, **SETUID}[name][platform.machine() != "x86_64"]


def refuse(calls: dict[int, tuple[int, int | None]]) -> None:
    """Let system calls fail: number -> error and, if only with this first argument, that one."""
    steps = []
    for call, (error, argument) in calls.items():
        fail = (0x06, 0, 0, 0x00050000 | error)
        if argument is None:
            steps += [(0x20, 0, 0, 0), (0x15, 0, 1, call), fail]
        else:
            steps += [(0x20, 0, 0, 0), (0x15, 0, 3, call), (0x20, 0, 0, 16), (0x15, 0, 1, argument), fail]
    steps.append((0x06, 0, 0, 0x7FFF0000))
    linux.no_new_privileges()
    linux.install_filter(b"".join(struct.pack("=HBBI", *step) for step in steps))


def take_away(what: set[str]) -> None:
    """Of this process and all that it starts."""
    if "user" in what:
        linux.unshare(linux.CLONE_NEWUSER)
        for name, text in (("setgroups", "deny"), ("uid_map", "1000 0 1"), ("gid_map", "1000 0 1")):
            with open(f"/proc/self/{name}", "w", encoding="ascii") as file:
                file.write(text)
    calls: dict[int, tuple[int, int | None]] = {}
    for name in what & {"unshare", "mount"}:
        calls[number(name)] = (errno.EPERM, None)
    if "landlock" in what:
        calls[number("landlock")] = (errno.ENOSYS, None)
    if "seccomp" in what:
        calls[number("prctl")] = (errno.EINVAL, 22)
    if "setuid" in what:
        calls |= {number(name): (errno.EPERM, None) for name in SETUID if number(name) >= 0}
    if "uid_map" in what:
        folders = [str(folder) for folder in Path("/").iterdir() if folder.name != "proc"]
        linux.no_new_privileges()
        linux.landlock_restrict(writable_only(folders))
    if calls:
        refuse(calls)


def writable_only(folders: list[str]) -> int:
    """Rules of landlock that forbid to write files elsewhere, and nothing else."""
    attributes = struct.pack("<Q", WRITE_FILE)
    rules = linux._syscall(linux._LANDLOCK_CREATE, attributes, 8, 0)
    for folder in folders:
        linux._allow(rules, folder, WRITE_FILE)
    return rules


if __name__ == "__main__":
    take_away(set(sys.argv[1].split(",")) - {""})
    os.execv(sys.executable, [sys.executable, *sys.argv[2:]])
