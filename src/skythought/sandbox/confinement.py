"""The layers: which there are on this machine, set up once in the template, and put on in each child.

A layer that the template could set up and a child cannot put on is an error, never a reason to go on without it.
"""

from __future__ import annotations

import contextlib
import errno
import os
import platform
import resource
import signal
import socket
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from skythought.sandbox import linux as _linux
from skythought.sandbox import seccomp as _seccomp
from skythought.sandbox.outcome import Limits

__all__ = ["DEVICES", "LAYERS", "Confinement", "drop_user", "enter_namespaces", "prepare", "self_check"]

LAYERS = ("session", "limits", "no new privileges", "user", "namespaces", "private root", "landlock", "seccomp")
DEVICES = ("/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom")
_SYSTEM = ("/lib", "/lib64", "/usr/lib", "/usr/lib64", "/etc/ld.so.cache", "/etc/localtime")
_ZONES = ("/usr/share/zoneinfo",)
_STACK = 256 << 20
"""Of the main thread, as on the contest sites; other threads have 8 MiB unless they ask for more."""
_FOREIGN_UID = 1_900_000_000
"""As root, each template takes a user id of its own from here up, which owns nothing."""


@dataclass
class Confinement:
    """What is in force: `found` says for each layer what it is here, or that it is missing and why."""

    scratch: str
    readable: list[str]
    hidden: list[str]
    """Folders inside of readable ones that are not to be read: where packages are installed."""
    without: frozenset[str]
    found: dict[str, str] = field(default_factory=dict)
    missing: dict[str, str] = field(default_factory=dict)
    rules: int = -1
    program: bytes = b""
    own_users: bool = False
    """Whether RLIMIT_NPROC counts the processes of this sandbox alone."""
    bounded_scratch: bool = False
    """Whether the temporary folder is a file system of its own with a size."""

    def attempt(self, layer: str, action: Callable[[], str]) -> bool:
        """Set up a layer, or note why it is missing. `action` says what it is here."""
        if layer in self.without:
            self.missing[layer] = "left out on request"
            return False
        try:
            self.found[layer] = action()
        except (OSError, ValueError, AttributeError) as error:
            self.missing[layer] = f"{error.strerror or error}" if isinstance(error, OSError) else str(error)
            return False
        return True

    def put_on(self, limits: Limits, base_bytes: int, keep: tuple[int, ...]) -> None:
        """In a fresh child: everything. Raises OSError or ValueError if a layer that was found fails."""
        os.setsid()
        if "limits" in self.found:
            set_limits(limits, base_bytes, self.own_users)
        if sys.platform == "linux":
            _linux.die_with_parent(signal.SIGKILL)
        _close_others(keep)
        if self.rules >= 0:
            _linux.landlock_restrict(self.rules)
            os.close(self.rules)
        if self.program:
            _linux.install_filter(_seccomp.for_process(self.program, os.getpid()))


def _close_others(keep: tuple[int, ...]) -> None:
    at = 3
    for descriptor in sorted(keep):
        os.closerange(at, descriptor)
        at = descriptor + 1
    os.closerange(at, 1 << 20 if sys.platform == "linux" else 4096)  # one call on Linux, a loop elsewhere


def set_limits(limits: Limits, base_bytes: int, own_users: bool) -> None:
    """The limits of a child, hard ones: the kernel lets nobody raise them again."""
    memory = base_bytes + limits.memory_bytes
    values = {
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_FSIZE: limits.output_bytes + 1,  # one more, so that too much can be told
        resource.RLIMIT_NOFILE: limits.open_files,
        resource.RLIMIT_CPU: int(20 * limits.cpu_s) + 2,  # the template's clock is the finer one
    }
    if own_users:
        values[resource.RLIMIT_NPROC] = limits.threads
    if sys.platform == "linux":
        values[resource.RLIMIT_AS] = memory
    for which, value in values.items():
        hard = resource.getrlimit(which)[1]
        value = value if hard == resource.RLIM_INFINITY else min(value, hard)
        resource.setrlimit(which, (value, value))
    hard = resource.getrlimit(resource.RLIMIT_STACK)[1]
    stack = _STACK if hard == resource.RLIM_INFINITY else min(_STACK, hard)
    resource.setrlimit(resource.RLIMIT_STACK, (stack, stack))


def enter_namespaces(user: int, group: int) -> str:
    """Leave the network, the processes and the mounts of the machine behind; the next fork is process 1. Says which.

    As root no user namespace is needed at first: the template changes to a user of its own instead.
    """
    others = _linux.CLONE_NEWPID | _linux.CLONE_NEWNET | _linux.CLONE_NEWIPC | _linux.CLONE_NEWUTS | _linux.CLONE_NEWNS
    names = "pid, network, ipc, uts, mount"
    if user == 0:
        with contextlib.suppress(OSError):
            _linux.unshare(others)
            return names
    _linux.unshare(others | _linux.CLONE_NEWUSER)
    _write("/proc/self/setgroups", "deny")
    _write("/proc/self/uid_map", f"{user} {user} 1")
    _write("/proc/self/gid_map", f"{group} {group} 1")
    return f"user, {names}"


def _write(path: str, text: str) -> None:
    handle = os.open(path, os.O_WRONLY)
    try:
        os.write(handle, text.encode())
    finally:
        os.close(handle)


def prepare(state: Confinement, limits: Limits, namespaces: str) -> None:
    """In the template: set up all that is done once. Afterwards the machine's files may be out of sight."""
    state.attempt(
        "session", lambda: "new session for each sample, killed with all of it; no descriptors, no environment"
    )
    state.attempt("limits", lambda: "cpu, wall clock, address space, file size, open files, threads, stack")
    if sys.platform != "linux":
        for layer in LAYERS[2:]:
            state.missing[layer] = f"not on {sys.platform}"
        return
    _linux.subreaper()
    if namespaces:
        state.attempt("private root", lambda: _private_root(state, limits))
    if not state.attempt("user", lambda: drop_user(state, namespaces)) and "user" not in state.without:
        raise OSError(f"cannot give up rights: {state.missing['user']}")
    state.attempt("no new privileges", _no_new_privileges)
    _linux.undumpable()
    state.attempt("landlock", lambda: _landlock(state))
    state.attempt("seccomp", lambda: _filter(state))


def _no_new_privileges() -> str:
    _linux.no_new_privileges()
    return "set: nothing gains rights by executing a file"


def _landlock(state: Confinement) -> str:
    abi = _linux.landlock_abi()
    if not abi:
        raise OSError("not in this kernel, or switched off")
    state.rules = _linux.landlock_rules(*_split(state), DEVICES, state.scratch)
    also = ", no TCP" if abi >= 4 else ""
    return f"ABI {abi}: files{also}{', no abstract sockets, no signals out' if abi >= 6 else ''}"


def _filter(state: Confinement) -> str:
    program = _seccomp.build()
    if program is None:
        raise OSError(f"no table of system calls for {platform.machine()}")
    state.program = program
    return "allow list: no sockets, processes, execution, tracing, signals to others, namespaces, io_uring, keyrings"


def _split(state: Confinement) -> tuple[list[str], list[str]]:
    """What may be read as a whole, and the folders that may only be listed, as something in them is hidden."""
    whole, listed = [], []
    for path in _existing(state.readable):
        if any(os.path.dirname(folder) == path for folder in state.hidden):
            listed.append(path)
            entries = (f"{path}/{name}" for name in os.listdir(path))
            whole += [entry for entry in entries if entry not in state.hidden]
        else:
            whole.append(path)
    return whole, listed


def _existing(paths: list[str]) -> list[str]:
    return [path for path in (*_SYSTEM, *_ZONES, *paths) if os.path.exists(path)]


def _private_root(state: Confinement, limits: Limits) -> str:
    """A root of our own in memory: what may be read, read-only; a temporary folder with a size; own processes."""
    _linux.private_mounts()
    root = state.scratch
    _linux.tmpfs(root, "mode=755,size=1m")
    try:
        _fill_root(state, root, limits)
        _linux.pivot_root(root)
    except BaseException:
        _linux.unmount(root)
        raise
    _linux.mount("none", "/", None, 1 | 2 | 4 | 8 | 32 | 4096)  # the root itself read-only
    state.scratch = "/tmp"
    state.bounded_scratch = True
    return f"only libraries, read-only; temporary folder of {limits.file_bytes >> 20} MiB in memory"


def _fill_root(state: Confinement, root: str, limits: Limits) -> None:
    shown = _existing(state.readable)
    within = [path for path in shown if any(path.startswith(folder + "/") for folder in state.hidden)]
    for path in (*DEVICES, *(path for path in shown if path not in within)):
        _show(path, root, device=path in DEVICES)
    for folder in state.hidden:
        os.makedirs(root + folder, exist_ok=True)
        _linux.tmpfs(root + folder, "mode=755,size=1m")
    for path in within:
        _show(path, root, device=False)
    os.makedirs(f"{root}/proc")
    try:
        _linux.proc(f"{root}/proc")
    except OSError:  # a container that hides parts of it allows no fresh one: then there is none
        state.missing["/proc"] = "hidden parts of the outer one forbid it"
    for name, number in (("stdin", 0), ("stdout", 1), ("stderr", 2), ("fd", "")):
        os.symlink(f"/proc/self/fd/{number}", f"{root}/dev/{name}")
    os.makedirs(f"{root}/tmp")
    inodes = 4096
    _linux.tmpfs(f"{root}/tmp", f"mode=777,size={limits.file_bytes},nr_inodes={inodes}")


def _show(path: str, root: str, *, device: bool) -> None:
    """Show a path of the machine in the new root. A symbolic link is made again, its target is shown as well."""
    target = root + path
    if os.path.lexists(target):
        return
    os.makedirs(os.path.dirname(target), exist_ok=True)
    if os.path.islink(path):
        os.symlink(os.readlink(path), target)
        real = os.path.realpath(path)
        if not any(real == seen or real.startswith(seen + "/") for seen in _SYSTEM):
            _show(real, root, device=device)
        return
    if os.path.isdir(path):
        os.makedirs(target, exist_ok=True)
    else:
        os.close(os.open(target, os.O_CREAT | os.O_WRONLY, 0o644))
    _linux.bind(path, target, device=device)


def drop_user(state: Confinement, namespaces: str) -> str:
    """Give up root's rights, and its name where the libraries can be read without."""
    said, in_user_namespace = "an ordinary one", namespaces.startswith("user")
    state.own_users = in_user_namespace
    if os.geteuid() == 0 and not in_user_namespace:
        said = "root, as nobody else can read the libraries"
        own = _FOREIGN_UID + os.getpid() % 100_000 + os.getppid() % 1000 * 100_000
        for user in (own, 65534):
            if _readable_as(user, [path for path in state.readable if os.path.exists(path)]):
                os.chown(state.scratch, user, user)
                _become(user)
                said = f"user id {user}"
                state.own_users = user == own
                break
    _linux.drop_capabilities()
    return f"{said}, no capabilities"


def _become(user: int) -> None:
    os.setgroups([])
    os.setresgid(user, user, user)
    os.setresuid(user, user, user)


def _readable_as(user: int, paths: list[str]) -> bool:
    """Whether all of the paths can be read by `user`: tried in a process of its own."""
    child = os.fork()
    if child == 0:
        code = 1
        try:
            _become(user)
            code = 0 if all(os.access(path, os.R_OK) for path in paths) else 1
        finally:
            os._exit(code)
    return os.waitpid(child, 0)[1] == 0


def self_check(state: Confinement) -> None:
    """In a child with everything on: each layer does what it says. Raises OSError naming the one that does not."""
    if state.program:
        _must_fail("seccomp lets sockets through", lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM).close())
        _must_fail("seccomp lets processes be started", lambda: os._exit(0) if os.fork() == 0 else None)
    if state.rules >= 0:
        _must_fail("landlock lets files be read", lambda: os.listdir("/"))


def _must_fail(what: str, action: Callable[[], Any]) -> None:
    try:
        action()
    except OSError as error:
        if error.errno in (errno.EPERM, errno.EACCES):
            return
    raise OSError(what)
