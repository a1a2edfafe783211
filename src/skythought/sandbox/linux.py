"""The kernel's calls that Python does not offer, by ctypes: prctl, seccomp, landlock, namespaces, mounts.

ctypes is enough for all of them, so that there is no compiled extension and no dependency. Every function raises
OSError when the kernel refuses. Numbers: linux/prctl.h, linux/sched.h, linux/mount.h, linux/landlock.h.
"""

from __future__ import annotations

import ctypes
import os
import platform
import stat
import struct
from collections.abc import Iterable

__all__ = [
    "CLONE_NEWIPC",
    "CLONE_NEWNET",
    "CLONE_NEWNS",
    "CLONE_NEWPID",
    "CLONE_NEWUSER",
    "CLONE_NEWUTS",
    "bind",
    "die_with_parent",
    "drop_capabilities",
    "dumpable",
    "install_filter",
    "keep_capabilities",
    "landlock_abi",
    "landlock_restrict",
    "landlock_rules",
    "mount",
    "no_new_privileges",
    "pivot_root",
    "private_mounts",
    "proc",
    "read_only_root",
    "subreaper",
    "tmpfs",
    "unmount",
    "unshare",
]

CLONE_NEWNS, CLONE_NEWUTS, CLONE_NEWIPC = 0x00020000, 0x04000000, 0x08000000
CLONE_NEWUSER, CLONE_NEWPID, CLONE_NEWNET = 0x10000000, 0x20000000, 0x40000000

_MS_RDONLY, _MS_NOSUID, _MS_NODEV, _MS_NOEXEC, _MS_REMOUNT = 1, 2, 4, 8, 32
_MS_BIND, _MS_REC, _MS_PRIVATE = 4096, 16384, 1 << 18
_MNT_DETACH = 2
_MOUNT_SETATTR, _ATTR_RDONLY, _ATTR_NOSUID, _ATTR_NODEV = 442, 1, 2, 4

_DAC_READ_SEARCH = 1 << 2
_LANDLOCK_CREATE, _LANDLOCK_ADD, _LANDLOCK_RESTRICT = 444, 445, 446
_READ_FILE, _READ_DIR = 1 << 2, 1 << 3
_WRITE_FILE, _TRUNCATE = 1 << 1, 1 << 14
# remove dir and file, make dir and regular file: no devices, sockets, pipes or symbolic links, no execution
_SCRATCH = _READ_FILE | _READ_DIR | _WRITE_FILE | _TRUNCATE | 1 << 4 | 1 << 5 | 1 << 7 | 1 << 8
_FILE_RIGHTS = {1: 13, 2: 14, 3: 15, 4: 15, 5: 16}
"""ABI version -> how many of the file system's rights it knows"""

_PIVOT_ROOT = {"x86_64": 155, "aarch64": 41, "arm64": 41}
_CAPSET = {"x86_64": 126, "aarch64": 91, "arm64": 91}

_libc = ctypes.CDLL(None, use_errno=True)


def _checked(result: int, what: str) -> int:
    if result < 0:
        code = ctypes.get_errno()
        raise OSError(code, f"{what}: {os.strerror(code)}")
    return result


def _syscall(number: int, *arguments: object) -> int:
    return int(_libc.syscall(ctypes.c_long(number), *arguments))


def _prctl(option: int, *arguments: int, what: str) -> None:
    values = [ctypes.c_ulong(value) for value in (*arguments, 0, 0, 0, 0)[:4]]
    _checked(_libc.prctl(option, *values), what)


def no_new_privileges() -> None:
    """Neither this process nor its descendants ever gain rights by executing something."""
    _prctl(38, 1, what="no_new_privs")


def die_with_parent(signal_number: int) -> None:
    """Get the signal when the thread that forked this process ends."""
    _prctl(1, signal_number, what="parent-death signal")


def subreaper() -> None:
    """Become the parent of descendants whose own parent has ended."""
    _prctl(36, 1, what="subreaper")


def dumpable(yes: bool) -> None:
    """Whether others with the same user id can trace this process or read its memory; inherited by forks."""
    _prctl(4, int(yes), what="dumpable")


def keep_capabilities() -> None:
    """Becoming another user leaves root's special rights to be had, until `drop_capabilities`."""
    _prctl(8, 1, what="keepcaps")


def drop_capabilities(*, but_reading: bool = False) -> None:
    """Give up root's special rights, for good; all, or all but that to read every file (CAP_DAC_READ_SEARCH)."""
    for capability in range(64):
        _libc.prctl(24, ctypes.c_ulong(capability), 0, 0, 0)  # from the bounding set; fails without the right to
    header = struct.pack("<Ii", 0x20080522, 0)
    number = _CAPSET.get(platform.machine())
    if number is None:
        raise OSError(f"no capset on {platform.machine()}")
    kept = _DAC_READ_SEARCH if but_reading else 0
    _checked(_syscall(number, header, struct.pack("<6I", kept, kept, 0, 0, 0, 0)), "capset")


def install_filter(program: bytes) -> None:
    """Put a seccomp filter in force for this process and its descendants. Needs no_new_privileges."""
    buffer = ctypes.create_string_buffer(program, len(program))
    address = ctypes.addressof(buffer)
    fprog = ctypes.create_string_buffer(struct.pack("@HP", len(program) // 8, address))
    _prctl(22, 2, ctypes.addressof(fprog), what="seccomp")


def unshare(flags: int) -> None:
    """Move into new namespaces."""
    _checked(_libc.unshare(flags), "unshare")


def mount(source: str, target: str, kind: str | None, flags: int, options: str = "") -> None:
    """mount(2)."""
    arguments = [value.encode() if value is not None else None for value in (source, target, kind)]
    _checked(_libc.mount(*arguments, ctypes.c_ulong(flags), options.encode()), f"mount {target}")


def private_mounts() -> None:
    """What is mounted from here on stays in this mount namespace."""
    mount("none", "/", None, _MS_REC | _MS_PRIVATE)


def read_only_root() -> None:
    """Make the root's own mount read-only; others, such as the temporary folder's, stay as they are."""
    flags = _MS_RDONLY | _MS_NOSUID | _MS_NODEV | _MS_NOEXEC | _MS_REMOUNT | _MS_BIND
    mount("none", "/", None, flags)


def tmpfs(target: str, options: str) -> None:
    """A file system in memory, without devices, setuid or execution."""
    mount("tmpfs", target, "tmpfs", _MS_NOSUID | _MS_NODEV | _MS_NOEXEC, options)


def proc(target: str) -> None:
    """The processes of this process namespace."""
    mount("proc", target, "proc", _MS_NOSUID | _MS_NODEV | _MS_NOEXEC)


def unmount(target: str) -> None:
    """Take away a mount, at once."""
    _checked(_libc.umount2(target.encode(), _MNT_DETACH), f"unmount {target}")


def bind(source: str, target: str, *, device: bool = False) -> None:
    """Show `source` and what is mounted below it at `target`; read-only unless it is a device."""
    mount(source, target, None, _MS_BIND | _MS_REC)
    if device:
        return
    attributes = struct.pack("<QQQQ", _ATTR_RDONLY | _ATTR_NOSUID | _ATTR_NODEV, 0, 0, 0)
    path = target.encode()
    done = _syscall(_MOUNT_SETATTR, ctypes.c_int(-100), path, ctypes.c_uint(0x8000), attributes, ctypes.c_size_t(32))
    if done < 0:  # before Linux 5.12: only the uppermost mount; flags of it that are locked have to be repeated
        locked = os.statvfs(target).f_flag & (_MS_NODEV | _MS_NOEXEC)
        mount("none", target, None, _MS_BIND | _MS_REMOUNT | _MS_RDONLY | _MS_NOSUID | locked)


def pivot_root(new: str) -> None:
    """Make `new`, a mount, the root; the old one is gone from this mount namespace."""
    number = _PIVOT_ROOT.get(platform.machine())
    if number is None:
        raise OSError(f"no pivot_root on {platform.machine()}")
    os.chdir(new)
    _checked(_syscall(number, b".", b"."), "pivot_root")
    _checked(_libc.umount2(b".", _MNT_DETACH), "umount of the old root")
    os.chdir("/")


def landlock_abi() -> int:
    """The version of landlock in this kernel; 0: none."""
    return max(0, _syscall(_LANDLOCK_CREATE, None, ctypes.c_size_t(0), ctypes.c_uint(1)))


def landlock_rules(readable: Iterable[str], listable: Iterable[str], devices: Iterable[str], scratch: str) -> int:
    """A descriptor of rules: read below `readable`, list below `listable`, read and write `devices` and `scratch`.

    Nothing else: no other file is read, written, made, removed or executed; no TCP (ABI 4), no abstract sockets of or
    signals to processes outside (ABI 6). Paths that do not exist are left out.
    """
    abi = landlock_abi()
    rights = (1 << _FILE_RIGHTS.get(abi, 16)) - 1
    network = 3 if abi >= 4 else 0  # bind and connect
    scoped = 3 if abi >= 6 else 0
    attributes = struct.pack("<QQQ", rights, network, scoped)[: 8 if abi < 4 else 16 if abi < 6 else 24]
    rules = _checked(
        _syscall(_LANDLOCK_CREATE, attributes, ctypes.c_size_t(len(attributes)), ctypes.c_uint(0)), "landlock"
    )
    for path in readable:
        _allow(rules, path, (_READ_FILE | _READ_DIR) & rights)
    for path in listable:
        _allow(rules, path, _READ_DIR)
    for path in devices:
        _allow(rules, path, _READ_FILE | _WRITE_FILE)
    _allow(rules, scratch, _SCRATCH & rights)
    return rules


def _allow(rules: int, path: str, access: int) -> None:
    try:
        place = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except (FileNotFoundError, NotADirectoryError, PermissionError):
        return  # not on this machine, or not for this user: then not for the program either
    try:
        if not stat.S_ISDIR(os.fstat(place).st_mode):
            access &= _READ_FILE | _WRITE_FILE | _TRUNCATE
        if access:
            attributes = struct.pack("<Qi", access, place)
            _checked(_syscall(_LANDLOCK_ADD, ctypes.c_int(rules), ctypes.c_int(1), attributes, 0), f"landlock {path}")
    finally:
        os.close(place)


def landlock_restrict(rules: int) -> None:
    """Put the rules in force for this process and its descendants. Needs no_new_privileges."""
    _checked(_syscall(_LANDLOCK_RESTRICT, ctypes.c_int(rules), ctypes.c_uint(0)), "landlock")
