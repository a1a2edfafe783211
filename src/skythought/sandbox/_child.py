"""What runs in a confined child, around the untrusted program: each test in a fresh module with fresh descriptors.

Everything here shares the process with the program and can be patched by it. Nothing is decided here: what the child
reports (that the program came to its end, or how it did not) is no more than what the program could have done anyway.
"""

from __future__ import annotations

import atexit
import builtins
import contextlib
import errno
import gc
import io
import os
import random
import socket
import sys
import threading
import traceback
from collections.abc import Callable
from types import CodeType, ModuleType, TracebackType
from typing import Any

from skythought.sandbox import wire

__all__ = ["GONE", "PROGRAM", "Report", "describe", "execute", "new_module", "serve", "take_snapshot"]

PROGRAM = "solution.py"
"""The file name of the program in its tracebacks."""
ERROR_LENGTH = 400
REPORT_LENGTH = 4096
"""Upper bound of a report on the control socket, in bytes."""
GONE = "the process of the candidate ended"

Report = tuple[str, str, int | None]
"""Cause, error, exit code."""

_snapshot: list[tuple[dict[str, Any], dict[str, Any]]] = []
_VOLATILE = {"__main__", "sys", "threading", "warnings", "linecache", "random", "signal"}


def take_snapshot() -> None:
    """Remember what the modules that all children share look like: called in the template, before it forks."""
    names = [name for name in sys.modules if name not in _VOLATILE and not name.startswith(("skythought", "numpy"))]
    spaces = [vars(sys.modules[name]) for name in names if sys.modules[name] is not None]
    _snapshot[:] = [(space, dict(space)) for space in spaces]


def serve(control: socket.socket, run: Callable[[], Report]) -> None:
    """Run a test for each message from the template (a byte, and descriptors of input and output), until it ends."""
    nothing = os.open(os.devnull, os.O_RDWR)
    while True:
        data, descriptors, _, _ = socket.recv_fds(control, 1, 2)
        if not data:
            return
        for place, descriptor in enumerate(descriptors):
            os.dup2(descriptor, place)
            os.close(descriptor)
        cause, error, code = _guarded(run)
        clean = cause == "ok" and _tidy()
        report = wire.encode((cause, error, code, clean), REPORT_LENGTH)
        for place in (0, 1):  # also where the program has closed them: new descriptors must not take these numbers
            os.dup2(nothing, place)
        control.sendall(len(report).to_bytes(2, "little") + report)
        if not clean:
            control.recv(1)  # until the template kills this process, so that nobody mistakes its end for a crash


def _guarded(run: Callable[[], Report]) -> Report:
    _reset()
    try:
        return run()
    except MemoryError:
        return "memory limit", "MemoryError", None


def _reset() -> None:
    """The state of the interpreter that every program may expect."""
    sys.setrecursionlimit(1000)
    sys.set_int_max_str_digits(0)  # integers of any length, as contests mean them
    random.seed(0)  # a randomised program gives the same verdict each time
    if "numpy" in sys.modules and "numpy.random" in sys.modules:
        sys.modules["numpy"].random.seed(0)
    sys.argv = [PROGRAM]
    sys.stdin = sys.__stdin__ = _text(io.BufferedReader(io.FileIO(0, "r", closefd=False)), "surrogateescape")  # type: ignore[misc]
    sys.stdout = sys.__stdout__ = _text(io.BufferedWriter(io.FileIO(1, "w", closefd=False)), "surrogateescape")  # type: ignore[misc]
    sys.stderr = sys.__stderr__ = _text(io.BufferedWriter(io.FileIO(2, "w", closefd=False)), "backslashreplace")  # type: ignore[misc]


def _text(buffer: io.BufferedReader | io.BufferedWriter, errors: str) -> io.TextIOWrapper:
    return io.TextIOWrapper(buffer, encoding="utf-8", errors=errors)


def _tidy() -> bool:
    """Whether the program left nothing behind that the next test could notice, as far as one can see from here."""
    if threading.active_count() > 1:
        return False
    gc.collect()
    return all(space == before for space, before in _snapshot)


def new_module(name: str) -> ModuleType:
    """An empty module that stands for the program."""
    module = ModuleType(name)
    module.__dict__.update(__file__=PROGRAM, __builtins__=builtins)
    sys.modules[name] = module
    return module


def execute(code: CodeType, space: dict[str, Any], after: Callable[[], None] | None = None) -> Report:
    """Run a program to its very end: its threads, its atexit functions, its buffers."""
    output = sys.stdout
    try:
        try:
            exec(code, space)  # what all this is for
            if after is not None:
                after()
        finally:
            _finish(output)
    except SystemExit as stop:
        return _exited(stop)
    except BaseException as error:  # noqa: BLE001 -- the boundary: whatever the program raises is its outcome
        return describe(error)
    return "ok", "", None


def _finish(output: Any) -> None:
    for thread in threading.enumerate():
        if thread is not threading.main_thread() and not thread.daemon:
            thread.join()
    atexit._run_exitfuncs()
    for stream in {id(stream): stream for stream in (sys.stdout, output)}.values():
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
    if isinstance(error, wire.WireError) and "too large" in text:
        return "output limit", "the result is too large", None
    if isinstance(error, OSError) and error.errno in (errno.EFBIG, errno.ENOSPC, errno.EDQUOT):
        return "output limit", _short(text), None
    return "exception", _short(text, f" (line {line})" if line else ""), None


def _line(step: TracebackType | None, filename: str) -> int | None:
    found = None
    while step is not None:
        if step.tb_frame.f_code.co_filename == filename:
            found = step.tb_lineno
        step = step.tb_next
    return found


def _short(text: str, suffix: str = "") -> str:
    text = " ".join(text.split()).encode("utf-8", "replace").decode()
    return (text if len(text) <= ERROR_LENGTH else text[: ERROR_LENGTH - 3] + "...") + suffix


def program_runner(source: str) -> Callable[[], Report]:
    """Runs the program as `__main__`: input and output are its standard ones already."""
    compiled: list[CodeType] = []

    def run() -> Report:
        if not compiled:
            try:
                compiled.append(compile(source, PROGRAM, "exec", dont_inherit=True))
            except BaseException as error:  # noqa: BLE001 -- SyntaxError, ValueError, RecursionError, MemoryError
                return describe(error)
        return execute(compiled[0], new_module("__main__").__dict__)

    return run


def function_runner(source: str, name: str, limit: int) -> Callable[[], Report]:
    """Calls a function of the program: arguments come in by descriptor 0, the result goes out by 1, both encoded."""
    compiled: list[CodeType] = []

    def run() -> Report:
        with open(os.dup(0), "rb") as pipe:
            arguments = wire.decode(pipe.read())
        sink = os.dup(1)
        nothing = os.open(os.devnull, os.O_RDWR)
        os.dup2(nothing, 0)
        os.dup2(nothing, 1)
        os.close(nothing)
        if not compiled:
            try:
                compiled.append(compile(source, PROGRAM, "exec", dont_inherit=True))
            except BaseException as error:  # noqa: BLE001
                os.close(sink)
                return describe(error)
        space = new_module("solution").__dict__

        def call() -> None:
            result = wire.encode(find(space, name)(*arguments), limit)
            with open(sink, "wb", closefd=False) as pipe:
                pipe.write(result)

        try:
            return execute(compiled[0], space, call)
        finally:
            os.close(sink)

    return run


def find(space: dict[str, Any], name: str) -> Callable[..., Any]:
    """The function by its name: in the module, or a method of a fresh instance."""
    owner, _, method = name.rpartition(".")
    if not owner and name not in space and isinstance(space.get("Solution"), type):
        owner = "Solution"
    if not owner:
        if name not in space:
            raise NameError(f"name {name!r} is not defined by the program")
        return space[name]  # type: ignore[no-any-return]
    if owner not in space:
        raise NameError(f"class {owner!r} is not defined by the program")
    return getattr(space[owner](), method)  # type: ignore[no-any-return]
