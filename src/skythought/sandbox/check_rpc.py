"""Check functions: the tests in one confined process, the program in another, calls between them (`peer`)."""

from __future__ import annotations

import io
import itertools
import os
import socket
import sys
from collections.abc import Callable
from typing import Any

from skythought.sandbox.arguments import Place, changing_calls
from skythought.sandbox.peer import Peer
from skythought.sandbox.remote import CandidateExit, Remote, is_remote
from skythought.sandbox.runner import (
    Program,
    Report,
    describe,
    find_function,
    new_module,
    take_descriptors,
)

__all__ = ["CheckProgram", "serve_candidate"]

TESTS = "tests.py"
_LINE_LENGTH = 160
_PRINTED = 1 << 20
"""Bytes that a call may print for the tests to see; what is more is lost."""


class _Printed(io.RawIOBase):
    """What the program prints during a call."""

    def __init__(self) -> None:
        super().__init__()
        self.data = bytearray()

    def writable(self) -> bool:
        return True

    def fileno(self) -> int:
        return 1

    def write(self, data: Any) -> int:
        self.data += bytes(data[: max(0, _PRINTED - len(self.data))])
        return len(data)

    def taken(self) -> str:
        text = self.data.decode("utf-8", "replace")
        self.data.clear()
        return text


def serve_candidate(sock: socket.socket, source: str, limit: int) -> None:
    """The program's process: run it once, then answer calls."""
    namespace = new_module("solution").__dict__
    peer = Peer(sock, limit, namespace, trusting=True)
    printed = _Printed()
    sys.stdout = io.TextIOWrapper(printed, encoding="utf-8", errors="surrogateescape", write_through=True)
    peer.printed = printed.taken
    try:
        code = compile(source, "solution.py", "exec", dont_inherit=True)
        exec(code, namespace)  # the untrusted program
        report: Report = ("ok", "", None)
    except SystemExit:
        report = ("ok", "", None)  # `exit()` at the end of a script that defines what is asked for
    except BaseException as error:  # noqa: BLE001 -- the boundary
        report = describe(error)

    def has(name: str) -> bool:
        return name in namespace or hasattr(namespace.get("Solution"), name)

    def method(name: str) -> Callable[..., Any]:
        return lambda *args, **kwargs: find_function(namespace, name)(*args, **kwargs)

    def start(names: list[str]) -> tuple[Any, ...]:
        found = {name: namespace[name] for name in names if name in namespace}
        peer.variables = {name: None for name, value in found.items() if not callable(value)}
        return (*report, {name: namespace[name] if name in namespace else method(name) for name in names if has(name)})

    peer.hand_out(b"start", start)
    peer.serve()


class CheckProgram(Program):
    """The tests' process: each test is a text that comes in by descriptor 0 and is run in one module."""

    def __init__(self, sock: socket.socket, preamble: str, names: list[str], limit: int) -> None:
        super().__init__("")
        self._namespace = new_module("tests").__dict__
        self._peer = Peer(sock, limit, self._namespace, trusting=False)
        self._preamble, self._wanted = preamble, names
        self._loaded: Report | None = None

    def run(self) -> Report:
        """Run one test; before the first, the candidate's process runs its program."""
        data, sink = take_descriptors()
        os.close(sink)
        if self._loaded is None:
            self._loaded = _load(self._peer, self._preamble, self._wanted, self._namespace)
        return self._loaded if self._loaded[0] != "ok" else _run_test(self._peer, data.decode(), self._namespace)


def _load(peer: Peer, preamble: str, names: list[str], namespace: dict[str, Any]) -> Report:
    """Run the preamble, have the candidate run its program, and put the stubs of its functions in the tests' module."""
    try:
        exec(compile(preamble, "preamble.py", "exec", dont_inherit=True), namespace)  # trusted text
    except Exception as error:  # noqa: BLE001
        return describe(error, "preamble.py")
    try:
        cause, said, code, found = peer.ask("call", Remote(peer, b"start", ""), (names,), ())
        if cause != "ok":
            return str(cause), str(said)[:600], code if type(code) is int else None
        if names[0] not in found:
            return "exception", f"NameError: name {names[0]!r} is not defined by the program", None
        given = set(namespace)
        namespace.update({name: found[name] for name in names if name in found})
        peer.variables = {name: None for name in names if name not in given and not callable(found.get(name, len))}
        peer.twins = frozenset(
            given
        )  # from here on: what the tests take from the program is the program's, classes as well
    except CandidateExit as stop:
        return "exception", f"the program ended: {stop}", None
    except Exception:  # noqa: BLE001 -- an answer of another shape
        return "exception", "the program answered nonsense", None
    return "ok", "", None


def _run_test(peer: Peer, text: str, namespace: dict[str, Any]) -> Report:
    """Run one test: it is passed if it comes to its end and the candidate still answers."""
    try:
        code = compile(text, TESTS, "exec", dont_inherit=True)
    except Exception as error:  # noqa: BLE001
        return describe(error, TESTS)
    raised: BaseException | None = None
    peer.may_change = _Seen(text, peer).allows
    try:
        exec(code, namespace)  # the benchmark's text, confined like the candidate's
    except BaseException as error:  # noqa: BLE001
        raised = error
    if peer.failure:  # whatever the tests made of it
        return "exception", f"the candidate: {peer.failure}", None
    return _described_failure(raised, text) if raised is not None else ("ok", "", None)


class _Seen:
    """Whether a test sees what its calls change in their arguments; its text is looked at when one first does."""

    def __init__(self, text: str, peer: Peer) -> None:
        self._text, self._peer = text, peer
        self._calls: frozenset[Place] | None = frozenset()
        self._read = False

    def allows(self) -> bool:
        """Whether it sees those of the call that is going on."""
        if not self._read:
            names = [name for name, value in self._peer.namespace.items() if is_remote(value)]
            self._calls, self._read = changing_calls(self._text, names), True
        if self._calls is None:
            return True
        frame = sys._getframe()
        while frame.f_back is not None and frame.f_code.co_filename != TESTS:
            frame = frame.f_back
        place = next(itertools.islice(frame.f_code.co_positions(), frame.f_lasti // 2, None))
        return place in self._calls


def _described_failure(error: BaseException, text: str) -> Report:
    """The candidate's line that raised; else the test's line that failed, with its text."""
    if isinstance(error, CandidateExit):
        return "exception", str(error), None
    cause, said, code = describe(error, TESTS)
    candidate_line = getattr(error, "candidate_line", "")
    if candidate_line:
        return "memory limit" if isinstance(error, MemoryError) else "exception", candidate_line, None
    line = said.rpartition("(line ")[2].rstrip(")")
    lines = text.splitlines()
    if said.endswith(")") and line.isdigit() and int(line) <= len(lines):
        shown = lines[int(line) - 1].strip()
        said = f"{said[:-1]}: {shown[: _LINE_LENGTH - 3] + '...' if len(shown) > _LINE_LENGTH else shown})"
    return cause, said, code
