"""The layers of protection: which this machine has, set up once in the zygote, and put on in each child.

A layer that the zygote could set up and a child cannot put on is an error, never a reason to go on without it.
"""

from __future__ import annotations

import contextlib
import errno
import itertools
import os
import platform
import resource
import signal
import socket
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from skythought.sandbox import linux, seccomp
from skythought.sandbox.outcome import Limits
from skythought.sandbox.scratch import MOST_ENTRIES
from skythought.sandbox.supervisor import ConfinementError

__all__ = ["DEVICES", "LAYERS", "Confinement", "drop_user", "enter_namespaces", "prepare", "self_check"]

LAYERS = ("session", "limits", "no new privileges", "user", "namespaces", "private root", "landlock", "seccomp")
DEVICES = ("/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom")
_SYSTEM = ("/lib", "/lib64", "/usr/lib", "/usr/lib64", "/etc/ld.so.cache", "/etc/localtime")
_ZONES = ("/usr/share/zoneinfo",)
_FINE = "fine"
_STACK = 256 << 20
"""Of the main thread, as on the contest sites; other threads have 8 MiB unless they ask for more."""
_SHORTAGES = (errno.EAGAIN, errno.ENOMEM, errno.EMFILE, errno.ENFILE)
_FOREIGN_UID = 1_900_000_000
"""As root, each zygote takes a user id from here up, which owns nothing. By chance: process numbers are the same in all
namespaces, and the kernel counts the threads of a user id over the whole machine."""


@dataclass
class Confinement:
    """What is in force: `found` says for each layer what it is here, `missing` for each other one why it is not."""

    scratch: str
    readable: list[str]
    hidden: list[str]
    """Folders inside of readable ones that are not to be read: where packages are installed."""
    searched: list[str]
    """Folders that an import looks into: they may be listed, and no more."""
    without: frozenset[str]
    found: dict[str, str] = field(default_factory=dict)
    missing: dict[str, str] = field(default_factory=dict)
    rules: int = -1
    """A descriptor of landlock's rules; -1: none."""
    program: bytes = b""
    """The seccomp filter; empty: none."""
    own_users: bool = False
    """Whether RLIMIT_NPROC counts the processes of this sandbox alone."""
    bounded_scratch: bool = False
    """Whether the temporary folder is a file system of its own with a size."""

    def open_to_sight(self, *, single: bool) -> bool:
        """Whether the zygote may see which files a child has open: needed where no file system bounds their size.

        Others of that user can then look into it as well, so another program must not: landlock keeps it from /proc and
        from tracing. `single`: the sample has one process, and no other one to look into.
        """
        return not self.bounded_scratch and (self.rules >= 0 or (single and bool(self.program)))

    def attempt(self, layer: str, action: Callable[[], str]) -> bool:
        """Set up a layer, or note why it is missing. `action` says what it is here.

        Raises:
            ConfinementError: The machine is short of something, or a process of ours was killed: that says nothing
                about the layer, and must not cost it.
        """
        if layer in self.without:
            self.missing[layer] = "left out on request"
            return False
        try:
            self.found[layer] = action()
        except (OSError, ValueError, AttributeError) as error:
            if isinstance(error, OSError) and error.errno in _SHORTAGES:
                raise ConfinementError(f"{layer}: {error}") from None
            self.missing[layer] = f"{error.strerror or error}" if isinstance(error, OSError) else str(error)
            return False
        return True

    def apply(self, limits: Limits, base_bytes: int, keep: tuple[int, ...], *, single: bool) -> None:
        """In a fresh child: put everything on. Raises OSError or ValueError if a layer that was found fails.

        Args:
            limits: Of the sample.
            base_bytes: Address space that a child takes before its program takes any.
            keep: Descriptors left open.
            single: Whether the sample has no other process.
        """
        os.setsid()
        if "limits" in self.found:
            set_limits(limits, base_bytes, self.own_users)
        if sys.platform == "linux":
            linux.die_with_parent(signal.SIGKILL)
        _close_others(keep)
        if self.open_to_sight(single=single):
            linux.dumpable(True)
        # In this order: the filter would refuse what comes before it.
        if self.rules >= 0:
            linux.landlock_restrict(self.rules)
            os.close(self.rules)
        if self.program:
            linux.install_filter(seccomp.for_process(self.program, os.getpid()))


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
    }
    if own_users:
        values[resource.RLIMIT_NPROC] = limits.threads
    if sys.platform == "linux":
        values[resource.RLIMIT_AS] = memory
    for which, value in values.items():
        hard = resource.getrlimit(which)[1]
        value = value if hard == resource.RLIM_INFINITY else min(value, hard)
        resource.setrlimit(which, (value, value))
    # Of all tests that share the process; the zygote's clock is the one that counts. At the hard limit comes SIGKILL,
    # which must not come from here.
    hard, cpu_s = resource.getrlimit(resource.RLIMIT_CPU)[1], int(2 * (limits.sample_cpu_s or 1000 * limits.cpu_s)) + 10
    if hard == resource.RLIM_INFINITY or cpu_s < hard:
        resource.setrlimit(resource.RLIMIT_CPU, (cpu_s, hard))
    hard = resource.getrlimit(resource.RLIMIT_STACK)[1]
    stack = _STACK if hard == resource.RLIM_INFINITY else min(_STACK, hard)
    resource.setrlimit(resource.RLIMIT_STACK, (stack, stack))


def enter_namespaces(user: int, group: int) -> str:
    """Leave the network, the processes and the mounts of the machine behind; the next fork is process 1. Says which.

    As root no user namespace is needed: the zygote changes to a user of its own instead.

    Raises:
        OSError: They cannot be had here; nothing has changed. So they are tried in another process first: Ubuntu from
            23.10 on and some containers allow namespaces and refuse the id maps, and a process left with half of them
            can fork only once.
    """
    _try(lambda: _wait_for(_unshare(user, group)))
    return _unshare(user, group)


def _try(action: Callable[[], object]) -> None:
    """Do something in a process of its own, to see whether this machine allows it.

    Raises:
        OSError: With what it met.
        ConfinementError: That process was killed.
    """
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        said = "it ended"
        try:
            action()
            said = _FINE
        except (OSError, ValueError) as error:
            said = (error.strerror if isinstance(error, OSError) else None) or str(error)
        finally:
            os.write(write, said.encode())
            os._exit(0)
    os.close(write)
    with open(read, encoding="utf-8") as pipe:
        said = pipe.read()
    status = os.waitpid(child, 0)[1]
    if os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL:
        raise ConfinementError("a process that tries a layer was killed")
    if said != _FINE:
        raise OSError(said)


def _wait_for(_: str) -> None:
    """Start a process in the namespaces that have been entered."""
    child = os.fork()
    if child == 0:
        os._exit(0)
    os.waitpid(child, 0)


def _unshare(user: int, group: int) -> str:
    others = linux.CLONE_NEWPID | linux.CLONE_NEWNET | linux.CLONE_NEWIPC | linux.CLONE_NEWUTS | linux.CLONE_NEWNS
    names = "pid, network, ipc, uts, mount"
    if user == 0:
        with contextlib.suppress(OSError):
            linux.unshare(others)
            return names
    linux.unshare(others | linux.CLONE_NEWUSER)
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


def prepare(confinement: Confinement, limits: Limits, namespaces: str) -> None:
    """In the zygote: set up all that is done once. Afterwards the machine's files may be out of sight."""
    confinement.attempt(
        "session", lambda: "new session for each sample, killed with all of it; no descriptors, no environment"
    )
    confinement.attempt("limits", lambda: "cpu, wall clock, address space, file size, open files, threads, stack")
    if sys.platform != "linux":
        for layer in LAYERS[2:]:
            confinement.missing[layer] = f"not on {sys.platform}"
        return
    linux.subreaper()
    if namespaces:
        confinement.attempt("private root", lambda: _private_root(confinement, limits))
    else:
        confinement.missing["private root"] = "needs namespaces"
    dropped = confinement.attempt("user", lambda: drop_user(confinement, namespaces))
    if not dropped and "user" not in confinement.without:
        raise OSError(f"cannot give up rights: {confinement.missing['user']}")
    confinement.attempt("no new privileges", _no_new_privileges)
    linux.dumpable(False)
    confinement.attempt("landlock", lambda: _landlock(confinement))
    confinement.attempt("seccomp", lambda: _filter(confinement))


def _no_new_privileges() -> str:
    linux.no_new_privileges()
    return "set: nothing gains rights by executing a file"


def _landlock(confinement: Confinement) -> str:
    abi = linux.landlock_abi()
    if not abi:
        raise OSError("not in this kernel, or switched off")
    rules = linux.landlock_rules(*_split(confinement), DEVICES, confinement.scratch)
    _try(lambda: linux.landlock_restrict(rules))
    confinement.rules = rules
    also = ", no TCP" if abi >= 4 else ""
    return f"ABI {abi}: files{also}{', no abstract sockets, no signals out' if abi >= 6 else ''}"


def _filter(confinement: Confinement) -> str:
    program = seccomp.build()
    if program is None:
        raise OSError(f"no table of system calls for {platform.machine()}")
    _try(lambda: linux.install_filter(seccomp.for_process(program, os.getpid())))
    confinement.program = program
    return "allow list: no sockets, processes, execution, tracing, signals to others, namespaces, io_uring, keyrings"


def _split(confinement: Confinement) -> tuple[list[str], list[str]]:
    """Paths that may be read with all below them, and folders that may only be listed, as something in them is hidden.

    Landlock can only add rights: a folder inside of a readable one cannot be taken out again.
    """
    whole, listed = [], _existing(confinement.searched, system=False)
    for path in _existing(confinement.readable):
        if any(os.path.dirname(folder) == path for folder in confinement.hidden):
            listed.append(path)
            entries = (f"{path}/{name}" for name in os.listdir(path))
            whole += [entry for entry in entries if entry not in confinement.hidden]
        else:
            whole.append(path)
    return whole, listed


def _existing(paths: list[str], *, system: bool = True) -> list[str]:
    return [path for path in (*((*_SYSTEM, *_ZONES) if system else ()), *paths) if os.path.exists(path)]


def _private_root(confinement: Confinement, limits: Limits) -> str:
    """A root of our own in memory: what may be read, read-only; a temporary folder with a size; own processes."""
    linux.private_mounts()
    root, scratch = confinement.scratch, _scratch_name(confinement)
    linux.tmpfs(root, "mode=755,size=1m")
    try:
        _fill_root(confinement, root, scratch, limits)
        linux.pivot_root(root)
    except BaseException:
        linux.unmount(root)
        raise
    linux.read_only_root()
    confinement.scratch = scratch
    confinement.bounded_scratch = True
    return f"only libraries, read-only; temporary folder of {limits.file_bytes >> 20} MiB in memory"


def _scratch_name(confinement: Confinement) -> str:
    """The temporary folder in the private root: /tmp, unless libraries lie below that."""
    names = (f"/tmp{number or ''}" for number in itertools.count())
    paths = _existing(confinement.readable)
    shown = {f"/{path.split('/')[1]}" for path in (*paths, *map(os.path.realpath, paths))}
    return next(name for name in names if name not in shown)


def _fill_root(confinement: Confinement, root: str, scratch: str, limits: Limits) -> None:
    shown = _existing(confinement.readable)
    within = [path for path in shown if any(path.startswith(folder + "/") for folder in confinement.hidden)]
    for path in (*DEVICES, *(path for path in shown if path not in within)):
        _show(path, root, device=path in DEVICES)
    for folder in confinement.hidden:
        os.makedirs(root + folder, exist_ok=True)
        linux.tmpfs(root + folder, "mode=755,size=1m")
    for path in within:
        _show(path, root, device=False)
    os.makedirs(f"{root}/proc", exist_ok=True)
    try:
        linux.proc(f"{root}/proc")
    except OSError:  # a container that hides parts of it allows no fresh one: then there is none
        confinement.missing["/proc"] = "hidden parts of the outer one forbid it"
    for name, number in (("stdin", 0), ("stdout", 1), ("stderr", 2), ("fd", "")):
        os.symlink(f"/proc/self/fd/{number}", f"{root}/dev/{name}")
    os.makedirs(root + scratch)
    linux.tmpfs(root + scratch, f"mode=777,size={limits.file_bytes},nr_inodes={MOST_ENTRIES}")


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
    linux.bind(path, target, device=device)


def drop_user(confinement: Confinement, namespaces: str) -> str:
    """Give up root's rights and its name; where others cannot read the libraries, the right to read is kept."""
    said, in_user_namespace = "an ordinary one, no capabilities", namespaces.startswith("user")
    confinement.own_users = in_user_namespace and os.geteuid() != 0  # the kernel limits no processes of root's
    if os.geteuid() == 0 and not in_user_namespace:
        own = _FOREIGN_UID + int.from_bytes(os.urandom(4)) % 200_000_000
        for user, reading in ((own, False), (65534, False), (own, True), (65534, True)):
            with contextlib.suppress(OSError):  # a container may have taken the right to
                become = partial(_become, user, confinement, but_reading=reading)
                _try(become)
                become()
                confinement.own_users = user == own
                return f"user id {user}, no capabilities{' but to read, as Python is for root alone' * reading}"
        said = "root, as it may become nobody else; no capabilities"
        with contextlib.suppress(OSError):  # if it never changed hands
            os.chown(confinement.scratch, 0, 0)
    linux.drop_capabilities()
    return said


def _become(user: int, confinement: Confinement, *, but_reading: bool) -> None:
    """Change to another user, who gets the temporary folder. Raises OSError if that one cannot read the libraries."""
    needed = _existing(confinement.readable, system=False)
    os.chown(confinement.scratch, user, user)
    if but_reading:
        linux.keep_capabilities()
    os.setgroups([])
    os.setresgid(user, user, user)
    os.setresuid(user, user, user)
    linux.drop_capabilities(but_reading=but_reading)
    for path in needed:
        if not os.access(path, os.R_OK, effective_ids=True):
            raise OSError(f"{path} cannot be read")


def self_check(confinement: Confinement) -> None:
    """In a child with everything on: each layer does what it says. Raises OSError naming the one that does not."""
    if confinement.program:
        _must_fail("seccomp lets sockets through", lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM).close())
        _must_fail("seccomp lets processes be started", lambda: os._exit(0) if os.fork() == 0 else None)
    if confinement.rules >= 0:
        _must_fail("landlock lets files be read", lambda: os.listdir("/"))


def _must_fail(what: str, action: Callable[[], Any]) -> None:
    try:
        action()
    except OSError as error:
        if error.errno in (errno.EPERM, errno.EACCES):
            return
    raise OSError(what)
