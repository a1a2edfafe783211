"""The processes that vLLM starts, as we want them: quiet, out of reach of the terminal's Ctrl-C, and gone when we are.

vLLM's engine runs in a process of its own, which starts more. Left alone they print hundreds of lines into the display,
run the user's script again (multiprocessing's `spawn` imports `__main__`, so that a script without a guard starts
itself), die of the Ctrl-C that we want to handle in good order, and outlive us if we are killed, keeping the GPU.
So whatever the starting thread starts through `multiprocessing` goes through `_Target`, which puts all four right at
the very beginning of the new process. What the processes print goes to a file, where `root_cause` finds why one died.
"""

from __future__ import annotations

import logging
import os
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

from skythought.backends.vllm.root_cause import KILLED, root_cause
from skythought.redaction import redacted

__all__ = ["EngineProcesses", "environment"]

LOUD = ("VLLM_LOGGING_LEVEL", "VLLM_LOGGING_CONFIG_PATH", "VLLM_CONFIGURE_LOGGING", "VLLM_LOGGING_STREAM")
"""Who sets one of these wants to see what vLLM says: then nothing is kept off the terminal."""

WATCH_S = 1.0
"""How often an engine looks whether the process that started it is still there."""

KILL_S = 5.0
"""How long a killed process may take to be gone."""


class EngineProcesses:
    """What one engine started, and the file that takes its output."""

    def __init__(self, *, loud: bool = False) -> None:
        """`loud`: leave vLLM's own logging as it is (also if the environment configures it)."""
        self.log: Path | None = None
        if not loud and not any(name in os.environ for name in LOUD):
            handle, path = tempfile.mkstemp(prefix="skythought-vllm-", suffix=".log")
            os.close(handle)
            self.log = Path(path)
        self._started: list[BaseProcess] = []
        self._abandoned = False
        self._handler: logging.Handler | None = None
        self._replaced: list[logging.Handler] = []

    @contextmanager
    def starting(self) -> Iterator[None]:
        """While vLLM is imported and started, in the thread that does so. Other threads' processes are left alone."""
        owner = threading.get_ident()
        original = BaseProcess.start

        def start(process: BaseProcess) -> None:
            if threading.get_ident() != owner:
                original(process)
                return
            if self._abandoned:
                raise InterruptedError("the start was cancelled")
            known: Any = process
            known._target = _Target(known._target, self.log, os.getpid())
            with _without_main():
                original(process)
            self._started.append(process)

        if _levels:
            logging.getLogger("vllm").setLevel(_levels[0])
            _levels.clear()
        # `vllm serve` spawns, too: forking a process that has threads may hang.
        wanted = {"VLLM_WORKER_MULTIPROC_METHOD": "spawn"}
        if self.log is not None:
            wanted |= {"VLLM_CONFIGURE_LOGGING": "0", "PYTHONWARNINGS": "ignore"}
        self._redirect_logging()
        BaseProcess.start = start  # type: ignore[method-assign,assignment]
        try:
            with environment(wanted):
                yield
        finally:
            BaseProcess.start = original  # type: ignore[method-assign]

    def kill(self) -> None:
        """End everything at once, and let nothing start any more."""
        self._abandoned = True
        for process in list(self._started):
            if process.pid is not None and process.is_alive():
                # Each one leads a group of its own, with all that it started.
                with suppress(ProcessLookupError, PermissionError):
                    os.killpg(process.pid, signal.SIGKILL)
                process.kill()
                process.join(KILL_S)

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

    def close(self, *, keep_log: bool) -> None:
        """Give vLLM its logging back; without `keep_log` its output is deleted."""
        logger = logging.getLogger("vllm")
        if self._handler is not None:
            # Without any handler, logging prints warnings by itself: the last words of an engine that is being ended.
            logger.handlers[:] = self._replaced or [logging.NullHandler()]
            self._handler.close()
            self._handler = None
        if self.log is not None and not keep_log:
            self.log.unlink(missing_ok=True)
            self.log = None

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

    def __init__(self, function: Callable[..., object], log: Path | None, parent: int) -> None:
        self.function = function
        self.log = log
        self.parent = parent

    def __reduce__(self) -> tuple[Any, ...]:
        # Unpickling calls `_arrive` first and makes `function` after it, which imports vLLM: what that prints goes to
        # the log already.
        return _arrive, (self.log, self.parent), {"function": self.function}

    def __call__(self, *args: object, **kwargs: object) -> None:
        if _home != [self.parent]:
            _arrive(self.log, self.parent)  # a forked process has unpickled nothing
        self.function(*args, **kwargs)


_levels: list[int] = []
"""Of vLLM's logger, before `expect_end`."""

_home: list[int] = []
"""In a process of the engine: the one that started it."""


def _arrive(log: Path | None, parent: int) -> _Target:
    """The first thing that a process of the engine does."""
    _home[:] = [parent]
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
    threading.Thread(target=_watch, args=(parent, log), daemon=True, name="skythought-watch").start()
    return _Target(_nothing, log, parent)


def _nothing() -> None:
    """Stands for the real function until that is unpickled."""


def _watch(parent: int, log: Path | None) -> None:
    """End this process and all that it started once the one that started it is gone, which can clean up no more."""
    while os.getppid() == parent:
        time.sleep(WATCH_S)
    if log is not None:
        log.unlink(missing_ok=True)
    os.killpg(0, signal.SIGKILL)


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
