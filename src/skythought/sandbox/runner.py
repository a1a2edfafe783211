"""What runs in a confined child, around the untrusted program: each test in a fresh module with fresh descriptors.

All of this shares the process with the program and can be patched by it, so nothing is decided here: by what the child
reports (the program came to its end, or how it did not) a program gains no more than by catching its exceptions.
"""

from __future__ import annotations

import array
import atexit
import builtins
import contextlib
import errno
import gc
import io
import os
import random
import socket
import struct
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from inspect import CO_GENERATOR
from types import CodeType, ModuleType, TracebackType
from typing import Any

from skythought.sandbox import codec

__all__ = [
    "CANDIDATE_ENDED",
    "OK_REPORT",
    "PROGRAM",
    "REPORT_INTERVAL_S",
    "REPORT_LENGTH",
    "Function",
    "Program",
    "Report",
    "describe",
    "find_function",
    "new_module",
    "serve",
    "take_descriptors",
    "take_snapshot",
]

PROGRAM = "solution.py"
"""The file name of the program in its tracebacks."""
ERROR_LENGTH = 400
"""Characters of an error that are shown."""
REPORT_LENGTH = 4096
"""Upper bound of a report on the control socket, in bytes."""
_MAX_BATCH = 64
"""More tests than the client ever sends at once."""
REPORT_INTERVAL_S = 0.05
"""For how long reports are held back, to be sent at once."""
CANDIDATE_ENDED = "the process of the candidate ended"

Report = tuple[str, str, int | None]
"""Cause, error, exit code."""

_snapshot: dict[str, list[tuple[dict[str, Any], dict[str, Any]]]] = {}
"""A part of a module's name -> what such modules hold, each with a copy of what it held before any program ran."""
_ACCESS = {"__import__", "importlib", "import_module", "exec", "eval", "modules", "ctypes", "gc", "inspect", "__dict__"}
"""Names that give a program access to modules that it does not name: after them all modules are compared."""
_LASTING_CHANGES = {
    *("modules", "settrace", "setprofile", "alarm", "setitimer", "addaudithook", "chdir", "fchdir"),
    *("finalize", "futures"),  # which know that the interpreter has ended once
    "<descriptor>",
}
"""Names of what changes the interpreter where nobody looks: after them the next test gets a fresh process."""
_NOT_COMPARED = {"__main__", "sys", "threading", "warnings", "linecache", "random", "signal"}
"""Modules that change by themselves, or are set anew for each test (see `_reset`)."""
_STREAM_CHANGES = {"reconfigure", "detach", "_CHUNK_SIZE", "__init__", "__setstate__"}
"""Names of what changes a standard stream for good: after them the streams are made anew."""
_DESCRIPTORS = ("/dev/std", "/dev/fd/", "/proc/")
"""How the paths of descriptors begin: opened by these for writing, the file that tests share for output is cut."""
_FINALIZERS = {"__del__", "weakref", "finalize", "<finally>"}
"""Names of what runs when objects are collected, which must happen before the next test."""

_sys_size = 0
"""How many names the module sys has: it changes too often to be compared, but has no new ones."""
_empty_size = -1
"""The size of the temporary folder when nothing is in it; -1: that tells nothing."""


def take_snapshot(empty_size: int) -> None:
    """Remember what is in the modules that all children share: called in the zygote, before it forks.

    `empty_size`: that of the temporary folder, if it tells that nothing is in it; else -1.
    """
    global _empty_size, _sys_size
    _empty_size, _sys_size = empty_size, len(vars(sys))
    _snapshot.clear()
    _snapshot["environ"] = [(vars(os.environ)["_data"], dict(vars(os.environ)["_data"]))]
    for name, module in list(sys.modules.items()):
        if module is None or name in _NOT_COMPARED or name.startswith(("skythought", "numpy")):
            continue
        for part in (*name.split("."), *(("__builtins__",) if name == "builtins" else ())):
            _snapshot.setdefault(part, []).append((vars(module), dict(vars(module))))


class Program:
    """What a child runs: a source, compiled at its first test, and how a test of it goes."""

    def __init__(self, source: str) -> None:
        self._source = source
        self._code: CodeType | None = None
        self.names: set[str] = set()

    def code(self) -> CodeType:
        """Raises whatever compiling it raises."""
        if self._code is None:
            self._code = compile(self._source, PROGRAM, "exec", dont_inherit=True)
            self.names = names_in(self._code)
        return self._code

    def run(self) -> Report:
        """A test of a stdin program: descriptors 0 and 1 are its own already."""
        return execute(self.code(), new_module("__main__").__dict__, self.names)


def serve(control: socket.socket, program: Program) -> None:
    """Run the tests that the zygote sends, until it ends: the sizes of their inputs, a file of these, one for output.

    Each test reads a file that holds its own input alone, and writes behind the output of those before it. A report
    goes back for each. Those of quick tests are sent several at a time, so that the zygote is not woken for each.
    """
    nothing = os.open(os.devnull, os.O_RDWR)
    while True:
        data, descriptors, _, _ = socket.recv_fds(control, 8 * _MAX_BATCH, 2)
        if not data:
            return
        source, sink = descriptors
        reports, sent_at, clean = b"", time.monotonic(), True
        for _ in _inputs(source, array.array("Q", data)):
            os.dup2(source, 0)  # also where the program has closed them
            os.dup2(sink, 1)
            report, clean = _run_test(program, sink)
            reports += report
            if not clean:
                break
            if time.monotonic() - sent_at > REPORT_INTERVAL_S:
                control.sendall(reports)
                reports, sent_at = b"", time.monotonic()
        for place in (0, 1):  # new descriptors must not take these numbers
            os.dup2(nothing, place)
            os.close(descriptors[place])
        control.sendall(reports)
        if not clean:
            control.recv(1)  # until the zygote kills this process: if it ended by itself, that would look like a crash


def _inputs(source: int, sizes: array.array[int]) -> Iterator[None]:
    """Make the file hold each input in turn; a single one is there already, and nobody can write to it."""
    if len(sizes) == 1:
        yield None
        return
    everything, at = os.pread(source, sum(sizes), 0), 0
    for size in sizes:
        os.ftruncate(source, size)
        os.pwrite(source, everything[at : at + size], 0)
        os.lseek(source, 0, os.SEEK_SET)
        at += size
        yield None


OK_REPORT = struct.Struct("<cddQ")
"""The report of a test that came to its end, as nearly all do: `+`, CPU and wall seconds, where its output ends."""


def _run_test(program: Program, sink: int) -> tuple[bytes, bool]:
    """The report of one test, its length before it, and whether the process can take another test."""
    cpu, wall = time.process_time(), time.monotonic()
    try:
        _reset(program.names)
        cause, error, code = program.run()
    except BaseException as raised:  # noqa: BLE001 -- it does not compile, or something of ours ran out of memory
        cause, error, code = describe(raised)
    clean = cause == "ok" and _left_nothing(program.names)
    used = (time.process_time() - cpu, time.monotonic() - wall, os.lseek(sink, 0, os.SEEK_END))
    if clean and code is None:
        report = OK_REPORT.pack(b"+", *used)
    else:
        report = codec.encode((cause, error, code, clean, *used), REPORT_LENGTH)
    return len(report).to_bytes(2, "little") + report, clean


def _reset(names: set[str]) -> None:
    """Give the interpreter the state that every program may expect."""
    sys.setrecursionlimit(1000)
    sys.set_int_max_str_digits(0)  # integers of any length, as contests mean them
    if not names or "random" in names or not names.isdisjoint(_ACCESS):  # no names: before it is compiled
        random.seed(0)  # a randomised program gives the same verdict each time
        if "numpy.random" in sys.modules:
            sys.modules["numpy.random"].seed(0)
    sys.argv = [PROGRAM]
    if not _streams or not names.isdisjoint(_STREAM_CHANGES) or not _rewound(*_streams):
        _streams[:] = (
            _text("stdin", 0, "surrogateescape"),
            _text("stdout", 1, "surrogateescape"),
            _text("stderr", 2, "backslashreplace"),
        )
    sys.stdin, sys.stdout, sys.stderr = _streams
    sys.__stdin__, sys.__stdout__, sys.__stderr__ = _streams  # type: ignore[misc]


_streams: list[io.TextIOWrapper] = []
"""The standard streams of the last test, in order."""


def _rewound(stdin: io.TextIOWrapper, stdout: io.TextIOWrapper, stderr: io.TextIOWrapper) -> bool:
    """Whether they are as they were made, so that another test can use them: a third of the cost of new ones."""
    if stdout.closed or stderr.closed or vars(stdin) != {"mode": "r"}:
        return False
    if not vars(stdout) == vars(stderr) == {"mode": "w"}:
        return False
    try:
        stdin.seek(0)  # nothing that was read ahead, or half decoded, stays
    except (OSError, ValueError):  # it is closed, or a pipe where there are no files in memory
        return False
    return True


def _text(name: str, descriptor: int, errors: str) -> io.TextIOWrapper:
    """A standard stream as the interpreter makes it."""
    raw = io.FileIO(descriptor, "w" if descriptor else "r", closefd=False)
    raw.name = f"<{name}>"
    buffer = io.BufferedWriter(raw) if descriptor else io.BufferedReader(raw)
    text = io.TextIOWrapper(buffer, encoding="utf-8", errors=errors)
    text.mode = "w" if descriptor else "r"  # type: ignore[misc]  # the interpreter's own have it, programs read it
    return text


def _left_nothing(used: set[str]) -> bool:
    """Whether the program left nothing behind that the next test could notice, as far as one can see from here.

    `used`: names in the program. Of the modules that all programs share, only those that it names are looked at.
    """
    if threading.active_count() > 1 or not used.isdisjoint(_LASTING_CHANGES) or len(vars(sys)) != _sys_size:
        return False
    if gc.get_count()[1] or not used.isdisjoint(_ACCESS) or not used.isdisjoint(_FINALIZERS):
        gc.enable()
        gc.collect(1)
    # The temporary folder must be empty; its own size tells that where it can, at a tenth of the cost of listing it.
    if os.stat(".").st_size != _empty_size if _empty_size >= 0 else os.listdir():
        return False
    # Looking at a page for the first time after a fork costs a copy of it, so only what may have changed is looked at.
    looked_at = _snapshot.keys() if not used.isdisjoint(_ACCESS) else used
    return all(namespace == before for name in looked_at for namespace, before in _snapshot.get(name, ()))


def names_in(code: CodeType) -> set[str]:
    """All names that a program uses, of modules among others."""
    found: set[str] = set()
    todo = [code]
    while todo:
        step = todo.pop()
        found.update(part for name in step.co_names for part in name.split("."))
        if step.co_flags & CO_GENERATOR and step.co_exceptiontable:
            found.add("<finally>")  # it may have a `finally` to run when it is collected
        if any(isinstance(constant, str) and constant.startswith(_DESCRIPTORS) for constant in step.co_consts):
            found.add("<descriptor>")
        todo += [constant for constant in step.co_consts if isinstance(constant, CodeType)]
    return found


def new_module(name: str) -> ModuleType:
    """An empty module that stands for the program."""
    module = ModuleType(name)
    module.__dict__.update(__file__=PROGRAM, __builtins__=builtins)
    sys.modules[name] = module
    return module


def execute(
    code: CodeType, namespace: dict[str, Any], names: set[str], after: Callable[[], None] | None = None
) -> Report:
    """Run a program, then `after`, to the very end: its threads, its atexit functions, its objects, its buffers.

    `names`: those in the program, see `names_in`.
    """
    output = sys.stdout
    try:
        try:
            try:
                exec(code, namespace)  # the untrusted program
            except SystemExit as stop:  # `exit()` at the end of a script that defines all that is needed
                if after is None or stop.code not in (None, 0):
                    raise
            if after is not None:
                after()
        finally:
            _finish(output, namespace, names)
    except SystemExit as stop:
        return _exited(stop)
    except BaseException as error:  # noqa: BLE001 -- the boundary: whatever the program raises is its outcome
        return describe(error)
    return "ok", "", None


def _finish(output: Any, namespace: dict[str, Any], names: set[str]) -> None:
    """What the interpreter does at its end: wait for threads, call atexit functions, flush, end what is left, flush.

    `output`: the interpreter's own standard output; `names`: those in the program.
    """
    if threading.active_count() > 1:
        for ends in reversed(getattr(threading, "_threading_atexits", [])):  # has idle workers of a pool end
            ends()
    for thread in threading.enumerate() if threading.active_count() > 1 else ():
        if thread is not threading.main_thread() and not thread.daemon:
            thread.join()
    atexit._run_exitfuncs()
    _flush(sys.stdout)  # before its names are gone: a stream of the program's own may use them
    sys.stdout = output
    while namespace:  # the last first: objects' `__del__` and generators' `finally` may print, and use what was before
        namespace.popitem()
    if not names.isdisjoint(_FINALIZERS):  # objects that hold one another may put something out when collected
        gc.collect()
    _flush(output)
    if "ctypes" in names and "ctypes" in sys.modules:
        sys.modules["ctypes"].CDLL(None).fflush(None)


def _flush(stream: Any) -> None:
    with contextlib.suppress(ValueError, AttributeError):  # closed, or something of the program's own
        stream.flush()


def _exited(stop: SystemExit) -> Report:
    if stop.code is None or stop.code == 0:
        return "ok", "", 0
    code = stop.code & 0xFF if isinstance(stop.code, int) else 1
    return "exception", _short(f"SystemExit: {stop.code}"), code


def describe(error: BaseException, filename: str = PROGRAM) -> Report:
    """The last line of the traceback, and the last line of the program in it."""
    if isinstance(error, MemoryError):
        return "memory limit", "MemoryError", None
    try:
        text = "".join(traceback.format_exception_only(error)).strip().splitlines()[-1]
    except Exception:  # noqa: BLE001 -- a hostile or broken __str__
        text = type(error).__name__
    line = _line(error.__traceback__, filename)
    if isinstance(error, SyntaxError) and error.filename == filename:
        line = error.lineno
    if isinstance(error, codec.CodecError) and "too large" in text:
        return "output limit", "the result is too large", None
    if isinstance(error, OSError) and error.errno in (errno.EFBIG, errno.ENOSPC, errno.EDQUOT):
        return "output limit", _short(text), None
    return "exception", _short(text, f" (line {line})" if line else ""), None


def _line(step: TracebackType | None, filename: str) -> int | None:
    """The last line of the file `filename` in a traceback."""
    found = None
    while step is not None:
        if step.tb_frame.f_code.co_filename == filename:
            found = step.tb_lineno
        step = step.tb_next
    return found


def _short(text: str, suffix: str = "") -> str:
    """One line of valid Unicode, of limited length."""
    text = " ".join(text.split()).encode("utf-8", "replace").decode()
    return (text if len(text) <= ERROR_LENGTH else text[: ERROR_LENGTH - 3] + "...") + suffix


class Function(Program):
    """Calls a function of the program: arguments come in by descriptor 0, the result goes out by 1, both encoded."""

    def __init__(self, source: str, name: str, limit: int) -> None:
        super().__init__(source)
        self._name, self._limit = name, limit

    def run(self) -> Report:
        """The program runs afresh for each call."""
        data, sink = take_descriptors()
        arguments = codec.decode(data)
        namespace = new_module("solution").__dict__

        def call() -> None:
            result = codec.encode(find_function(namespace, self._name)(*arguments), self._limit)
            with open(sink, "wb", closefd=False) as pipe:
                pipe.write(result)

        try:
            return execute(self.code(), namespace, self.names, call)
        finally:
            os.close(sink)


def take_descriptors() -> tuple[bytes, int]:
    """What descriptor 0 holds, and a copy of 1; what the program reads and prints from here on goes nowhere."""
    with open(os.dup(0), "rb") as pipe:
        data = pipe.read()
    sink = os.dup(1)
    nothing = os.open(os.devnull, os.O_RDWR)
    os.dup2(nothing, 0)
    os.dup2(nothing, 1)
    os.close(nothing)
    return data, sink


def find_function(namespace: dict[str, Any], name: str) -> Callable[..., Any]:
    """The function by its name: in the module, or a method of a fresh instance."""
    cls, _, method = name.rpartition(".")
    if not cls and name not in namespace and isinstance(namespace.get("Solution"), type):
        cls, method = "Solution", name
    if not cls:
        if name not in namespace:
            raise NameError(f"name {name!r} is not defined by the program")
        return namespace[name]  # type: ignore[no-any-return]
    if cls not in namespace:
        raise NameError(f"class {cls!r} is not defined by the program")
    return getattr(namespace[cls](), method)  # type: ignore[no-any-return]
