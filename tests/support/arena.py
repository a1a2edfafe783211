"""A place to let hostile programs loose in: things they might harm or steal, and whether they did."""

from __future__ import annotations

import os
import socket
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from skythought.sandbox import Limits, Outcome, Sandbox

LIMITS = Limits(cpu_s=0.15, wall_factor=-4, memory_bytes=256 << 20, file_bytes=32 << 20)
"""Small, for most of these programs run until they are stopped: 0.4 seconds by the clock."""
SECRET_NAME = "CANARY_API_KEY"
"""A variable of the environment that must be set before a sandbox starts, if anything is to be seen of it."""
INPUTS = (0, 1, 2)


class Arena:
    """A folder with files to destroy, a port to connect to, a secret in the environment, answers to steal."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.tag = uuid.uuid4().hex[:8]
        self.answers = {x: f"zq7f-{self.tag}-{x}" for x in INPUTS}
        self.files = {name: f"{name} of {self.tag}" for name in ("precious.txt", "precious2.txt")}
        for name, text in self.files.items():
            (folder / name).write_text(text)
        folder.chmod(0o777)
        self.connections = 0
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()

    def _listen(self) -> None:
        while True:
            try:
                self._listener.accept()[0].close()
            except OSError:
                return
            self.connections += 1

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join()

    def fill(self, source: str) -> str:
        """The program with the names of what it may attack."""
        for name, value in {"CANARY": self.folder, "PORT": self.port, "TAG": self.tag}.items():
            source = source.replace(f"@{name}@", str(value))
        return source

    def harm(self) -> list[str]:
        """What was done to it."""
        done = [f"made {path.name}" for path in self.folder.iterdir() if path.name not in self.files]
        for name, text in self.files.items():
            path = self.folder / name
            if not path.is_file() or path.read_text() != text or path.stat().st_mode & 0o777 != 0o644:
                done.append(f"changed {name}")
        return done + ["connected"] * self.connections

    def passes(self, sandbox: Sandbox, kind: str, source: str, *, alone: bool = False) -> tuple[bool, list[Outcome]]:
        """Whether the program would pass as a solution, compared out here, and how its tests ended."""
        if kind == "stdin":
            tests = sandbox.run_program(source, [f"{x}\n".encode() for x in INPUTS], limits=LIMITS, alone=alone)
        elif kind == "call":
            tests = sandbox.call_function(source, "f", [[x] for x in INPUTS], limits=LIMITS, alone=alone)
        else:
            checks = "".join(f"    assert candidate({x}) == {answer!r}\n" for x, answer in self.answers.items())
            text = f"def check(candidate):\n{checks}\ncheck(f)\n"
            tests = sandbox.check(source, [text], names=["f"], limits=LIMITS, alone=alone)
        outcomes, passed = [], True
        for outcome, answer in zip(tests, self.answers.values(), strict=False):
            outcomes.append(outcome)
            right = {"stdin": outcome.stdout.strip() == answer.encode(), "call": outcome.value == answer, "he": True}
            passed = outcome.ok and right[kind]
            if not passed:
                break
        tests.close()
        return passed, outcomes


@contextmanager
def arena(folder: Path) -> Iterator[Arena]:
    """An arena in `folder`, which programs with no sandbox around them could reach."""
    place = Arena(folder)
    try:
        yield place
    finally:
        place.close()


def descendants(pid: int | None = None) -> set[int]:
    """Processes below this one, as /proc tells."""
    parents: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            except OSError:
                continue
            parents.setdefault(parent, []).append(int(entry.name))
    found: set[int] = set()
    todo = [pid or os.getpid()]
    while todo:
        below = parents.get(todo.pop(), [])
        found.update(below)
        todo += below
    return found
