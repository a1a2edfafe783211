"""The processes that vLLM starts, as we want them: quiet, out of reach of the terminal's Ctrl-C, and gone when we are.

vLLM's engine runs in a process of its own, which starts more. Left alone they print hundreds of lines into the display,
run the user's script again (multiprocessing's `spawn` imports `__main__`, so that a script without a guard starts
itself), die of the Ctrl-C that we want to handle in good order, and outlive us if we are killed, keeping the GPU.
So whatever the starting thread starts through `multiprocessing` goes through `_Target`, which puts that right at the
very beginning of the new process, and a `Guard` sees to its end. What the processes print goes to a file, where
`root_cause` finds why one died.
"""

from __future__ import annotations

import logging
import os
import signal
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

from skythought.backends.vllm.root_cause import KILLED, root_cause
from skythought.guard import Guard
from skythought.redaction import redacted

__all__ = ["EngineProcesses", "environment"]

LOUD = ("VLLM_LOGGING_LEVEL", "VLLM_LOGGING_CONFIG_PATH", "VLLM_CONFIGURE_LOGGING", "VLLM_LOGGING_STREAM")
"""Who sets one of these wants to see what vLLM says: then nothing is kept off the terminal."""

QUIET = "0"
"""No such wish; another engine that is just being started may have set this."""

SOCKETS = "VLLM_RPC_BASE_PATH"
"""vLLM's variable for the folder of its sockets, which it leaves there."""


class EngineProcesses:
    """What one engine started, and the file that takes its output."""

    def __init__(self, *, loud: bool = False) -> None:
        """`loud`: leave vLLM's own logging as it is (also if the environment configures it)."""
        self.log: Path | None = None
        self._guard = Guard()
        self._folder = self._guard.add_folder()
        """For what the processes leave behind."""
        if not loud and not any(os.environ.get(name, QUIET) != QUIET for name in LOUD):
            handle, path = tempfile.mkstemp(prefix="skythought-vllm-", suffix=".log")
            os.close(handle)
            self.log = Path(path)
            self._guard.add(self.log)
        self._started: list[BaseProcess] = []
        self.are_over = False
        self._handler: logging.Handler | None = None
        self._replaced: list[logging.Handler] = []

    @contextmanager
    def starting(self) -> Iterator[None]:
        """While vLLM is imported and started, in the thread that does so. Other threads' processes are left alone."""
        # `vllm serve` spawns, too: forking a process that has threads may hang.
        wanted = {"VLLM_WORKER_MULTIPROC_METHOD": "spawn", SOCKETS: self._folder}
        if self.log is not None:
            wanted |= {"VLLM_CONFIGURE_LOGGING": QUIET, "PYTHONWARNINGS": "ignore"}
        with _starting:
            if _levels:
                logging.getLogger("vllm").setLevel(_levels[0])
                _levels.clear()
            self._redirect_logging()
            original = BaseProcess.start
            BaseProcess.start = self._starter(original)  # type: ignore[method-assign,assignment]
            try:
                with environment(wanted):
                    yield
            finally:
                BaseProcess.start = original  # type: ignore[method-assign]

    def _starter(self, original: Callable[[BaseProcess], None]) -> Callable[[BaseProcess], None]:
        """`BaseProcess.start` as it is for the thread that calls this."""
        owner = threading.get_ident()

        def start(process: BaseProcess) -> None:
            if threading.get_ident() != owner:
                return original(process)
            known: Any = process
            known._target = _Target(known._target, self.log, self._folder)
            if not self.are_over:
                with _without_main():
                    original(process)
                self._started.append(process)
                self._guard.add(known.pid)  # it leads a group of its own, with all that it starts
            if self.are_over:
                if process.pid is not None:
                    process.kill()
                raise InterruptedError("the start was cancelled")
            return None

        return start

    def end(self, *, keep_log: bool = False) -> None:
        """End everything at once, and let nothing start any more. What they left is deleted, without `keep_log` also
        their output; vLLM has its logging back.
        """
        self.are_over = True
        if self.log is not None and keep_log:
            self._guard.keep(self.log)
        self._guard.end()
        for process in self._started:
            process.join(0)
        logger = logging.getLogger("vllm")
        if self._handler is not None:
            # Without any handler, logging prints warnings by itself: the last words of an engine that is being ended.
            logger.handlers[:] = self._replaced or [logging.NullHandler()]
            self._handler.close()
            self._handler = None

    def expect_end(self) -> None:
        """From now on vLLM's log of this process is silent: it would report an engine that we end as one that died."""
        logger = logging.getLogger("vllm")
        _levels.append(logger.level)
        logger.setLevel(logging.CRITICAL + 1)

    def why_dead(self) -> str | None:
        """Why the engine is gone, in a few words: the error that it logged, or how its process ended."""
        cause = root_cause(self._log_text())
        if cause:
            return cause
        codes = [process.exitcode for process in self._started if process.exitcode]
        if -signal.SIGKILL in codes:
            return KILLED
        if codes:
            return f"its process ended with code {codes[0]}"
        return None

    def append_log(self, place: Path | None) -> None:
        """Add what was printed to a file, without secrets; where it cannot be written, that is no error."""
        if self.log is None or place is None:
            return
        with suppress(OSError), place.open("a", encoding="utf-8") as file:
            file.write(redacted(self.log.read_text(encoding="utf-8", errors="backslashreplace")))

    @property
    def where(self) -> str:
        """For the end of an error message: where to read more."""
        return f". Its log: {self.log}." if self.log else ". Its log is above."

    def _redirect_logging(self) -> None:
        """vLLM's log of this process into the file."""
        if self.log is None or self._handler is not None:
            return
        self._handler = _log_handler(logging.FileHandler(self.log, encoding="utf-8"))
        logger = logging.getLogger("vllm")
        self._replaced = list(logger.handlers)
        logger.handlers[:] = [self._handler]
        logger.setLevel(logging.INFO)
        logger.propagate = False

    def _log_text(self) -> str:
        if self.log is None:
            return ""
        with suppress(OSError):
            return self.log.read_text(encoding="utf-8", errors="replace")
        return ""


class _Target:
    """The function that a new process runs, preceded by `_arrive`."""

    def __init__(self, function: Callable[..., object], log: Path | None, folder: str) -> None:
        self.function = function
        self.log = log
        self.folder = folder

    def __reduce__(self) -> tuple[Any, ...]:
        # Unpickling calls `_arrive` first and makes `function` after it, which imports vLLM: what that prints goes to
        # the log already.
        return _arrive, (self.log, self.folder), {"function": self.function}

    def __call__(self, *args: object, **kwargs: object) -> None:
        if tempfile.tempdir != self.folder:
            _arrive(self.log, self.folder)  # a forked process has unpickled nothing
        self.function(*args, **kwargs)


_starting = threading.Lock()
"""Held while an engine starts, which may go on for a while after it was given up."""

_levels: list[int] = []
"""Of vLLM's logger, before `expect_end`."""


def _arrive(log: Path | None, folder: str) -> _Target:
    """The first thing that a process of the engine does."""
    tempfile.tempdir = folder
    if log is not None:
        handle = os.open(log, os.O_WRONLY | os.O_APPEND)
        os.dup2(handle, 1)
        os.dup2(handle, 2)
        os.close(handle)
        logger = logging.getLogger("vllm")
        logger.handlers[:] = [_log_handler(logging.StreamHandler(sys.stderr))]
        logger.setLevel(logging.INFO)
        logger.propagate = False
    with suppress(PermissionError):
        os.setpgid(0, 0)
    return _Target(_nothing, log, folder)


def _nothing() -> None:
    """Stands for the real function until that is unpickled."""


def _log_handler(handler: logging.Handler) -> logging.Handler:
    handler.setFormatter(logging.Formatter("%(asctime)s %(processName)s %(levelname)s %(name)s: %(message)s"))
    return handler


@contextmanager
def _without_main() -> Iterator[None]:
    """Let a process start without importing the user's script, which is where `spawn` would find `__main__`."""
    main = sys.modules["__main__"]
    names = [name for name in ("__file__", "__spec__") if hasattr(main, name)]
    saved = {name: getattr(main, name) for name in names}
    try:
        for name in names:
            setattr(main, name, None)
        yield
    finally:
        for name, value in saved.items():
            setattr(main, name, value)


@contextmanager
def environment(values: Mapping[str, str]) -> Iterator[None]:
    """Variables that are set where the user has not set them, for as long as the context lasts."""
    added = [name for name in values if name not in os.environ]
    os.environ.update({name: values[name] for name in added})
    try:
        yield
    finally:
        for name in added:
            os.environ.pop(name, None)
