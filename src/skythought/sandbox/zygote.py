"""The zygote: a small warm process that forks a confined child for each sample and watches it.

The client starts it as a fresh interpreter (`python -s -S -P -B`), with an environment of ours and one socket. It
holds no secret and no expected output, and never runs a program itself. It tells how a test ended by its own clocks and
by how the child's process ended; what the child reports is not believed where it matters.
"""

from __future__ import annotations

import atexit
import contextlib
import gc
import importlib
import math
import mmap
import os
import signal
import socket
import struct
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from skythought.sandbox import check_rpc, linux, runner
from skythought.sandbox.channel import Channel
from skythought.sandbox.confinement import Confinement, enter_namespaces, prepare, self_check
from skythought.sandbox.outcome import Limits
from skythought.sandbox.scratch import empty_size, entries, folder_size, remove, unlinked_size, wipe
from skythought.sandbox.supervisor import (
    Child,
    ConfinementError,
    Ending,
    Supervisor,
    descendants,
    kill_descendants,
    threads_of_children,
)

__all__ = ["main"]

PRELOADED = (
    "abc argparse array ast bisect calendar cmath collections contextlib copy csv dataclasses datetime decimal enum "
    "fractions functools hashlib heapq inspect io itertools json math numbers operator os pprint queue random re "
    "select signal statistics string struct sys textwrap threading time traceback types typing unicodedata uuid zlib"
)
"""What solutions commonly import: there already when a child starts."""


@dataclass
class Sample:
    """What is run, and the processes that run it at present; in a check the tests' before the candidate's."""

    kind: str
    source: str
    options: dict[str, Any]
    limits: Limits
    children: list[Child] = field(default_factory=list)
    supervisor: Supervisor | None = None
    spent_s: float = 0.0


class Zygote:
    """Serves one client."""

    def __init__(
        self, channel: Channel, client_fd: int, confinement: Confinement, statm: int, *, namespaced: bool
    ) -> None:
        """
        Args:
            client_fd: A descriptor of the client's process, or -1.
            confinement: The layers, set up.
            statm: /proc/self/statm, opened while it could be; -1 where there is none.
            namespaced: Whether this is process 1 of a namespace of its own.
        """
        self.channel, self.confinement, self.namespaced = channel, confinement, namespaced
        self.client = (channel.socket.fileno(), *([client_fd] if client_fd >= 0 else []))
        self.statm = statm
        self.base_bytes = 0
        """Address space of a child before its program takes any."""
        self.empty_size = empty_size(confinement.scratch)
        self.sample: Sample | None = None

    def serve(self) -> None:
        """Answer the client until it ends, which raises ConnectionError."""
        while True:
            message, descriptors = self.channel.receive()
            what = message[0]
            if what == "test":
                sample, sizes, alone, last = message[1:]
                if sample is not None:
                    self.end()
                    kind, source, options, limits, modules = sample
                    self.preload(modules)
                    self.sample = Sample(kind, source, options, Limits(**limits))
                answer = self.answer(sizes, descriptors, alone=alone)
                if last and self.sample is not None:
                    self.end_children(self.sample)
                self.channel.send(answer)
            elif what == "end":
                self.end()
                self.channel.send(("ended",))

    def preload(self, names: list[str]) -> None:
        """Import what the coming samples need, once; what is not installed is the program's to find out."""
        fresh = [name for name in names if name not in sys.modules]
        for name in fresh:
            with contextlib.suppress(Exception):
                importlib.import_module(name)
        if fresh or not self.base_bytes:
            atexit._clear()
            gc.collect()
            gc.freeze()  # or a collection in a child would touch, and so copy, every page that it shares with us
            runner.take_snapshot(self.empty_size)
            self.base_bytes = int(os.pread(self.statm, 100, 0).split()[0]) * 4096 if self.statm >= 0 else 1

    def answer(self, sizes: bytes, descriptors: list[int], *, alone: bool) -> Any:
        """Run tests of the sample, until one does not end well: sizes of the inputs, files of inputs and for output.

        For each: cause, error, exit code, CPU seconds, wall seconds, where its output ends, had it a fresh process. If
        all of them are "ok", as most are, only the last of these for the first test, and the numbers of all.
        """
        assert self.sample is not None
        try:
            if alone:
                self.end_children(self.sample)
            fresh = not self.sample.children
            if fresh:
                self.start(self.sample)
            done = self.run(self.sample, sizes, descriptors)
            if all(ending.cause == "ok" and ending.code is None for ending in done):
                return (fresh, b"".join(struct.pack("=ddQ", *ending[4:]) for ending in done))
            return [(*ending[:3], *ending[4:], fresh and place == 0) for place, ending in enumerate(done)]
        except ConnectionError:
            raise
        except (ConfinementError, OSError) as error:
            self.end_children(self.sample)
            return [("sandbox error", str(error), None, 0.0, 0.0, 0, True)]
        finally:
            for descriptor in descriptors:
                os.close(descriptor)

    def start(self, sample: Sample) -> None:
        """Fork the processes of a sample."""
        if sample.kind != "check":
            self.fork(sample, None)
        else:
            here, there = socket.socketpair()
            with here, there:
                self.fork(sample, here)
                self.fork(sample, there, candidate=True)
        layers, forks = self.confinement, not self.confinement.program
        kernel_keeps_all = layers.bounded_scratch and layers.own_users and not forks
        exceeded = None if kernel_keeps_all else self.exceeded
        sample.supervisor = Supervisor(sample.children, self.client, exceeded, forks=forks)

    def fork(self, sample: Sample, link: socket.socket | None, *, candidate: bool = False) -> None:
        """A confined child that waits for tests on its control socket; `link`: to the other process of a check."""
        ours, theirs = socket.socketpair()
        try:
            pid = os.fork()
        except OSError:
            ours.close()
            theirs.close()
            raise
        if pid == 0:
            ready = False
            try:
                self.confine(sample.limits, theirs, *([link] if link else []))
                ready = True
                theirs.sendall(b"r")
                self.run_child(sample, theirs, link, candidate)
            except BaseException as error:  # noqa: BLE001 -- nothing of the zygote may run on in the child
                with contextlib.suppress(BaseException):
                    theirs.sendall(b"" if ready else f"b{type(error).__name__}: {error}".encode()[:500])
            finally:
                os._exit(0)
        theirs.close()
        ours.setblocking(False)
        sample.children.append(Child(pid, ours, cannot_kill=bool(self.confinement.program)))

    def confine(self, limits: Limits, *kept: socket.socket) -> None:
        """In a fresh child: put all layers on, and keep no descriptors but these sockets."""
        rules = [self.confinement.rules] if self.confinement.rules >= 0 else []
        os.chdir(self.confinement.scratch)
        self.confinement.apply(
            limits, self.base_bytes, (*(sock.fileno() for sock in kept), *rules), single=len(kept) == 1
        )

    def run_child(self, sample: Sample, control: socket.socket, link: socket.socket | None, candidate: bool) -> None:
        """In a confined child: what it is there for, until its socket is closed."""
        limit, options = sample.limits.output_bytes, sample.options
        if link is not None and candidate:
            check_rpc.serve_candidate(link, sample.source, limit)
        elif link is not None:
            runner.serve(control, check_rpc.CheckProgram(link, options["preamble"], options["names"], limit))
        elif sample.kind == "function":
            runner.serve(control, runner.Function(sample.source, options["name"], limit))
        else:
            runner.serve(control, runner.Program(sample.source))

    def run(self, sample: Sample, sizes: bytes, descriptors: list[int]) -> list[Ending]:
        """Give the tests to the sample's processes and watch them until they have ended."""
        assert sample.supervisor is not None
        children, limits, started = sample.children, sample.limits, time.monotonic()
        before = sum(child.cpu_s for child in children)
        budget = math.inf if limits.sample_cpu_s is None else limits.sample_cpu_s - sample.spent_s
        if budget <= 0:
            return [Ending("time limit", f"{limits.sample_cpu_s:g} s of CPU time for all tests")]
        with contextlib.suppress(OSError):  # it has ended, or does not take what it is sent: the supervisor will tell
            socket.send_fds(children[0].control, [sizes], descriptors)
        done = sample.supervisor.wait(limits, budget, len(sizes) // 8)
        if done[-1].cause in ("memory limit", "output limit"):
            self.check_machine(sample, done[-1])
        if done[-1].clean and not entries(self.confinement.scratch):
            for child in children:
                child.cpu_time()
        else:
            self.end_children(sample)
        used, passed = sum(child.cpu_s for child in children) - before, time.monotonic() - started
        sample.spent_s += used
        # The last test's times are what is left of ours: exact for a single one, near for several.
        cpu_s = max(0.0, used - sum(ending.cpu_s for ending in done[:-1]))
        wall_s = max(0.0, passed - sum(ending.wall_s for ending in done[:-1]))
        return [*done[:-1], done[-1]._replace(cpu_s=cpu_s, wall_s=wall_s)]

    def check_machine(self, sample: Sample, ending: Ending) -> None:
        """Raises ConfinementError if the program met a limit of the machine before its own: one that is full."""
        for child in sample.children:
            child.kill()
        if ending.cause == "memory limit":
            # A machine that has less than the limit at all is no passing state: then what there is is the limit.
            needed = min(sample.limits.memory_bytes, os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 2)
            try:
                mmap.mmap(-1, needed).close()
            except OSError:
                raise ConfinementError("the machine is out of memory") from None
        elif not self.confinement.bounded_scratch:
            system = os.statvfs(self.confinement.scratch)
            size = folder_size(self.confinement.scratch, sample.limits.file_bytes)
            if system.f_bavail * system.f_frsize + size < sample.limits.file_bytes:
                raise ConfinementError("the machine's temporary folder is full")

    def exceeded(self) -> Ending | None:
        """Which of the limits is exceeded that the kernel does not keep on this machine."""
        assert self.sample is not None
        limits, single = self.sample.limits, self.sample.kind != "check"
        if not self.confinement.bounded_scratch and self.written(limits, single=single) > limits.file_bytes:
            return Ending("output limit", f"more than {limits.file_bytes >> 20} MiB in the temporary folder")
        if not self.confinement.own_users and threads_of_children() > limits.threads:
            return Ending("killed", f"more than {limits.threads} threads")
        return None

    def written(self, limits: Limits, *, single: bool) -> int:
        """Bytes that the temporary folder takes: what is in it, and what was removed and is still open."""
        scratch, held = self.confinement.scratch, 0
        if self.confinement.open_to_sight(single=single):
            held = unlinked_size(descendants(), scratch, limits.output_bytes)
        return held + folder_size(scratch, limits.file_bytes)

    def end_children(self, sample: Sample) -> None:
        """End the processes of a sample and all that they have left."""
        for child in sample.children:
            child.kill()
        sample.children = []
        if not self.confinement.program:
            kill_descendants(self.namespaced)
        wipe(self.confinement.scratch)

    def end(self) -> None:
        """End the sample."""
        if self.sample is not None and self.sample.children:
            self.end_children(self.sample)
        self.sample = None


def main(socket_fd: int, client_fd: int, scratch: str, lock: int) -> None:
    """Run as a zygote over a socket.

    Args:
        socket_fd: Of the socket to the client.
        client_fd: A descriptor of the client's process, or -1.
        scratch: The temporary folder, which is removed at the end.
        lock: A descriptor that holds it; see `process.ZygoteProcess`.
    """
    channel = Channel(socket.socket(fileno=socket_fd))
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the client
    try:
        config, _ = channel.receive()
        confinement = Confinement(
            scratch, config["readable"], config["hidden"], config["packages"], frozenset(config["without"])
        )
        namespaces = ""
        if sys.platform == "linux":
            user, group = os.geteuid(), os.getegid()
            with _told(channel):
                if confinement.attempt("namespaces", lambda: enter_namespaces(user, group)):
                    namespaces = confinement.found["namespaces"]
                    _be_process_one(channel, lock)
        zygote = _set_up(channel, client_fd, confinement, config, namespaces)
        try:
            zygote.serve()
        finally:
            zygote.end()
    except ConnectionError:
        pass
    finally:
        remove(scratch)
        os._exit(0)


@contextlib.contextmanager
def _told(channel: Channel) -> Iterator[None]:
    """Tell the client what goes wrong while all is set up, and end. Raises ConnectionError."""
    try:
        yield
    except (OSError, ConfinementError, ValueError) as error:
        if not isinstance(error, ConnectionError):
            channel.send(("failed", f"{type(error).__name__}: {error}", {}))
        raise ConnectionError("there is no sandbox") from None


def _be_process_one(channel: Channel, lock: int) -> None:
    """Fork into the new process namespace; what was started waits for it, and cleans up after it. Raises OSError."""
    pid = os.fork()
    if pid:
        channel.close()
        os.waitpid(pid, 0)
        raise ConnectionError("all is done in the other process")
    os.close(lock)
    linux.die_with_parent(signal.SIGKILL)
    linux.unshare(linux.CLONE_NEWNS)  # apart from the one that cleans up, which still needs the machine's files


def _set_up(
    channel: Channel, client_fd: int, confinement: Confinement, config: dict[str, Any], namespaces: str
) -> Zygote:
    """Set up all layers, try them in a child, and tell the client what is in force."""
    with _told(channel):
        statm = os.open("/proc/self/statm", os.O_RDONLY) if sys.platform == "linux" else -1
        limits = Limits(**config["limits"])
        sys.path += config["packages"]
        prepare(confinement, limits, namespaces)
        if namespaces:
            linux.die_with_parent(signal.SIGKILL)  # again: a change of user id clears it
        _add_exit_and_quit()
        zygote = Zygote(channel, client_fd, confinement, statm, namespaced=bool(namespaces))
        zygote.preload(PRELOADED.split())
        for name in [name for name in sys.modules if name.partition(".")[0] == "skythought"]:
            del sys.modules[name]  # a program that imports it does not find it
        _probe(zygote, limits)
        nothing = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nothing, 2)  # nobody reads what programs write to standard error
        os.close(nothing)
        channel.send(("ready", confinement.found, confinement.missing))
    return zygote


def _add_exit_and_quit() -> None:
    """`exit` and `quit`, which the module site would have made."""
    import _sitebuiltins
    import builtins

    for name in ("exit", "quit"):
        setattr(builtins, name, _sitebuiltins.Quitter(name, "Ctrl-D (i.e. EOF)"))


def _probe(zygote: Zygote, limits: Limits) -> None:
    """Put everything on in a child and see that it works. Raises ConfinementError."""
    ours, theirs = socket.socketpair()
    pid = os.fork()
    if pid == 0:
        try:
            zygote.confine(limits, theirs)
            self_check(zygote.confinement)
            theirs.sendall(b"fine")
        except BaseException as error:  # noqa: BLE001 -- told to the zygote
            theirs.sendall(f"{type(error).__name__}: {error}".encode()[:500])
        finally:
            os._exit(0)
    theirs.close()
    with ours:
        said = ours.recv(1000).decode("utf-8", "replace")
    os.waitpid(pid, 0)
    if said != "fine":
        raise ConfinementError(said or "a confined process ended at once")
