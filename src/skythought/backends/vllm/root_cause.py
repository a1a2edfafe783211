"""Why an engine died, found in the log of its processes, or in an error.

This module is sent to the nodes of Ray clusters: it imports nothing of ours.
"""

from __future__ import annotations

import re
import signal

__all__ = ["KILLED", "root_cause", "told", "why_dead"]

MOST_CHARACTERS = 400
"""Of a root cause; some libraries put pages into an error's first line."""

KILLED = "a process of it was killed (signal 9), mostly the system's answer to a lack of memory"

_ERROR_LINE = re.compile(r"^(?:\w+\.)*(?P<kind>\w*(?:Error|Exception|Interrupt|Exit))(?:: (?P<said>.*))?$")
_POINTERS = re.compile(
    r"see (?:the )?(?:root cause|stack ?trace|error)|check the stack trace|initialization failed due to|^cancelled$|"
    r"engine ?core (?:initialization failed|encountered)|died unexpectedly",
    re.IGNORECASE,
)
"""Errors that only say that there was another one."""

_MEMORY = re.compile(r"out of memory|can(?:no|')t allocate memory|no available memory|available memory", re.IGNORECASE)
_WORKER = re.compile(r"Worker proc \S+ died unexpectedly(?: \(exit code: (?P<code>-?\d+)\))?")


def why_dead(said: str, log: str) -> str:
    """Why an engine is gone, one line, by its error and its log. An error that only points to the log, where nothing
    is, is that of one that was killed.
    """
    return root_cause(log) or (KILLED if _POINTERS.search(said) else " ".join(said.split())[:MOST_CHARACTERS])


def told(error: BaseException) -> str:
    """What an error of vLLM's says, on one line; of one that refuses arguments the first thing that is wrong."""
    said = str(error)
    if hasattr(error, "errors"):  # pydantic's
        first = error.errors(include_url=False)[0]
        place = ".".join(str(part) for part in first["loc"])
        said = f"{place}: {first['msg']}" if place else first["msg"].removeprefix("Value error, ")
    return " ".join(said.split())[:MOST_CHARACTERS] or type(error).__name__


def root_cause(log: str) -> str | None:
    """The error that brought the engine down, one line, out of its log; None if there is none.

    Tracebacks of several processes follow one another, each wrapping the one before. The last one that says something
    of its own is taken, but one about memory before any other. A worker that was killed has no traceback.
    """
    causes = []
    inside = False
    for line in log.splitlines():
        if line.startswith("Traceback (most recent call last):"):
            inside = True
        elif inside and line and not line[0].isspace():
            inside = False
            cause = _said(line)
            if cause:
                causes.append(cause)
    causes = [cause for cause in causes if _MEMORY.search(cause)] or causes
    if causes:
        return causes[-1][:MOST_CHARACTERS]
    worker = _WORKER.search(log)
    if worker:
        # Without a code vLLM did not wait to see it; a crash of its own would have left a traceback.
        return worker[0] if worker["code"] not in (None, str(-signal.SIGKILL)) else KILLED
    return None


def _said(line: str) -> str | None:
    """What the last line of a traceback tells; None if it only points elsewhere."""
    match = _ERROR_LINE.match(line)
    if match is None or match["kind"] in ("KeyboardInterrupt", "SystemExit"):
        return None
    said = (match["said"] or "").strip()
    if _POINTERS.search(said):
        return None
    return said if said and match["kind"] in ("RuntimeError", "ValueError", "Exception") else line.strip()
