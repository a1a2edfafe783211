"""The template: a small warm process that forks a confined child for each sample and watches it.

Started by the owner as a fresh interpreter (`python -s -S -P -B`), with an environment of ours and one socket. It
holds no secret and no expected output, and never runs a program itself. It decides how a test ended: by its own clocks
and by how the child's process ended; what the child says is taken for what it is worth.
"""

from __future__ import annotations

import atexit
import contextlib
import gc
import importlib
import math
import os
import signal
import socket
import struct
import sys
import time
from dataclasses import dataclass, field
from typing import Any

from skythought.sandbox import check_rpc as _session
from skythought.sandbox import confinement as _confine
from skythought.sandbox import linux as _linux
from skythought.sandbox import runner as _child
from skythought.sandbox import scratch as _scratch
from skythought.sandbox.channel import Channel
from skythought.sandbox.confinement import Confinement
from skythought.sandbox.outcome import Limits
from skythought.sandbox.supervisor import BrokenError, Ended, Member, Watch, sweep

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
    members: list[Member] = field(default_factory=list)
    watch: Watch | None = None
    spent_s: float = 0.0


class Template:
    """Serves one owner."""

    def __init__(self, channel: Channel, owner: int, state: Confinement, statm: int, *, namespaced: bool) -> None:
        self.channel, self.state, self.namespaced = channel, state, namespaced
        self.owner = (channel.socket.fileno(), *([owner] if owner >= 0 else []))
        self.statm = statm
        self.base_bytes = 0
        self.empty_size = _scratch.empty_size(state.scratch)
        self.sample: Sample | None = None

    def serve(self) -> None:
        """Answer the owner until it ends."""
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
                    self.end_members(self.sample)
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
            gc.freeze()
            _child.take_snapshot(self.empty_size)
            self.base_bytes = int(os.pread(self.statm, 100, 0).split()[0]) * 4096 if self.statm >= 0 else 1

    def answer(self, sizes: bytes, descriptors: list[int], *, alone: bool) -> Any:
        """Run tests of the sample, until one does not end well: sizes of the inputs, files of inputs and for output.

        For each: cause, error, exit code, CPU seconds, wall seconds, where its output ends, had it a fresh process. If
        all of them are "ok", as most are, only the last of these for the first test, and the numbers of all.
        """
        assert self.sample is not None
        try:
            if alone:
                self.end_members(self.sample)
            fresh = not self.sample.members
            if fresh:
                self.start(self.sample)
            done = self.run(self.sample, sizes, descriptors)
            if all(ended.cause == "ok" and ended.code is None for ended in done):
                return (fresh, b"".join(struct.pack("=ddQ", *ended[4:]) for ended in done))
            return [(*ended[:3], *ended[4:], fresh and place == 0) for place, ended in enumerate(done)]
        except ConnectionError:
            raise
        except (BrokenError, OSError) as error:
            self.end_members(self.sample)
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
        held_by_kernel = self.state.bounded_scratch and self.state.own_users
        sample.watch = Watch(sample.members, self.owner, None if held_by_kernel else self.held)

    def fork(self, sample: Sample, link: socket.socket | None, *, candidate: bool = False) -> None:
        """A confined child that waits for tests on its control socket."""
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
                self.put_on(sample, theirs, link)
                ready = True
                theirs.sendall(b"r")
                self.become_child(sample, theirs, link, candidate)
            except BaseException as error:  # noqa: BLE001 -- nothing of the template may run on in the child
                with contextlib.suppress(BaseException):
                    theirs.sendall(b"" if ready else f"b{type(error).__name__}: {error}".encode()[:500])
            finally:
                os._exit(0)
        theirs.close()
        ours.setblocking(False)
        sample.members.append(Member(pid, ours))

    def put_on(self, sample: Sample, control: socket.socket, link: socket.socket | None) -> None:
        rules = [self.state.rules] if self.state.rules >= 0 else []
        keep = (control.fileno(), *([link.fileno()] if link else []), *rules)
        os.chdir(self.state.scratch)
        self.state.put_on(sample.limits, self.base_bytes, keep)

    def become_child(self, sample: Sample, control: socket.socket, link: socket.socket | None, candidate: bool) -> None:
        limit, options = sample.limits.output_bytes, sample.options
        if link is not None and candidate:
            _session.serve_candidate(link, sample.source, limit)
        elif link is not None:
            _child.serve(control, _session.Tests(link, options["preamble"], options["names"], limit))
        elif sample.kind == "function":
            _child.serve(control, _child.Function(sample.source, options["name"], limit))
        else:
            _child.serve(control, _child.Program(sample.source))

    def run(self, sample: Sample, sizes: bytes, descriptors: list[int]) -> list[Ended]:
        """Give the tests to the sample's processes and watch them until they have ended."""
        assert sample.watch is not None
        members, limits, started = sample.members, sample.limits, time.monotonic()
        before = sum(member.cpu_s for member in members)
        budget = math.inf if limits.sample_cpu_s is None else limits.sample_cpu_s - sample.spent_s
        if budget <= 0:
            return [Ended("time limit", f"{limits.sample_cpu_s:g} s of CPU time for all tests")]
        with contextlib.suppress(OSError):  # it has ended, or does not take what it is sent: the watch will tell
            socket.send_fds(members[0].control, [sizes], descriptors)
        done = sample.watch.wait(limits, budget, len(sizes) // 8)
        if done[-1].clean and not os.listdir(self.state.scratch):
            for member in members:
                member.clock()
        else:
            self.end_members(sample)
        used, passed = sum(member.cpu_s for member in members) - before, time.monotonic() - started
        sample.spent_s += used
        # The last test's times are what is left of ours: exact for a single one, near for several.
        cpu_s = max(0.0, used - sum(ended.cpu_s for ended in done[:-1]))
        wall_s = max(0.0, passed - sum(ended.wall_s for ended in done[:-1]))
        return [*done[:-1], done[-1]._replace(cpu_s=cpu_s, wall_s=wall_s)]

    def held(self) -> Ended | None:
        """Which limit is exceeded that the kernel does not hold here."""
        limits = self.sample.limits if self.sample is not None else Limits()
        if not self.state.bounded_scratch:
            used = _scratch.size(self.state.scratch, limits.file_bytes)
            if used > limits.file_bytes:
                return Ended("output limit", f"more than {limits.file_bytes >> 20} MiB in the temporary folder")
        members = self.sample.members if self.sample is not None else []
        if not self.state.own_users and any(member.threads() > limits.threads for member in members):
            return Ended("killed", f"more than {limits.threads} threads")
        return None

    def end_members(self, sample: Sample) -> None:
        """End the processes of a sample and all that they have left."""
        for member in sample.members:
            member.end()
        sample.members = []
        if not self.state.program:
            sweep(self.namespaced)
        _scratch.wipe(self.state.scratch)

    def end(self) -> None:
        """End the sample."""
        if self.sample is not None and self.sample.members:
            self.end_members(self.sample)
        self.sample = None


def main(descriptor: int, owner: int) -> None:
    """Run as a template over the socket `descriptor`; `owner` is a descriptor of the owner's process, or -1."""
    channel = Channel(socket.socket(fileno=descriptor))
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the owner
    try:
        config, _ = channel.receive()
        state = Confinement(config["scratch"], config["readable"], config["hidden"], frozenset(config["without"]))
        namespaces = ""
        if sys.platform == "linux":
            user, group = os.geteuid(), os.getegid()
            if state.attempt("namespaces", lambda: _confine.enter_namespaces(user, group)):
                namespaces = state.found["namespaces"]
                _be_process_one(channel, state.scratch)
        template = _set_up(channel, owner, state, config, namespaces)
        try:
            template.serve()
        finally:
            template.end()
            _remove(state.scratch)
    except ConnectionError:
        pass
    finally:
        os._exit(0)


def _be_process_one(channel: Channel, scratch: str) -> None:
    """Fork into the new process namespace; what was started waits for it, and cleans up after it."""
    pid = os.fork()
    if pid:
        channel.close()
        os.waitpid(pid, 0)
        _remove(scratch)
        os._exit(0)
    _linux.die_with_parent(signal.SIGKILL)
    _linux.unshare(_linux.CLONE_NEWNS)  # apart from the one that cleans up, which still needs the machine's files


def _remove(scratch: str) -> None:
    with contextlib.suppress(OSError):
        _scratch.wipe(scratch)
        os.rmdir(scratch)


def _set_up(channel: Channel, owner: int, state: Confinement, config: dict[str, Any], namespaces: str) -> Template:
    """All layers, tried in a child; then the owner is told what is in force."""
    try:
        statm = os.open("/proc/self/statm", os.O_RDONLY) if sys.platform == "linux" else -1
        limits = Limits(**config["limits"])
        sys.path += config["packages"]
        _confine.prepare(state, limits, namespaces)
        if namespaces:
            _linux.die_with_parent(signal.SIGKILL)  # again: a change of user id clears it
        builtin_exits()
        template = Template(channel, owner, state, statm, namespaced=bool(namespaces))
        template.preload(PRELOADED.split())
        for name in [name for name in sys.modules if name.partition(".")[0] == "skythought"]:
            del sys.modules[name]  # a program that imports it does not find it
        _probe(template, limits)
        nothing = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nothing, 2)  # what programs complain about is nobody's to read
        os.close(nothing)
        channel.send(("ready", state.found, state.missing))
        return template
    except (OSError, BrokenError, ValueError) as error:
        channel.send(("failed", f"{type(error).__name__}: {error}", {}))
        os._exit(1)


def builtin_exits() -> None:
    """`exit` and `quit`, which the module site would have made."""
    import _sitebuiltins
    import builtins

    for name in ("exit", "quit"):
        setattr(builtins, name, _sitebuiltins.Quitter(name, "Ctrl-D (i.e. EOF)"))


def _probe(template: Template, limits: Limits) -> None:
    """Put everything on in a child and see that it holds."""
    ours, theirs = socket.socketpair()
    pid = os.fork()
    if pid == 0:
        try:
            template.state.put_on(
                limits,
                template.base_bytes,
                (theirs.fileno(), *([template.state.rules] if template.state.rules >= 0 else [])),
            )
            _confine.self_check(template.state)
            theirs.sendall(b"fine")
        except BaseException as error:  # noqa: BLE001 -- told to the template
            theirs.sendall(f"{type(error).__name__}: {error}".encode()[:500])
        finally:
            os._exit(0)
    theirs.close()
    with ours:
        said = ours.recv(1000).decode("utf-8", "replace")
    os.waitpid(pid, 0)
    if said != "fine":
        raise BrokenError(said or "a confined process ended at once")
