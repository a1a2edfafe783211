"""Loading tasks in a process of its own, whose hub is the one on loopback: its clients read the environment at import.

with HubClient(HF_ENDPOINT=server.url, HF_HOME=folder) as client:
    loaded = client.load("gsm8k", end=2)
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from typing import Any, Self

SEEN = ("HF_", "HUGGING_FACE_", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")
"""Variables of the surroundings that would change what the clients do."""


@dataclass(frozen=True)
class Loaded:
    """What came of loading a task."""

    problems: list[dict[str, Any]]
    row_errors: list[str]
    revisions: dict[str, str]
    error: str | None
    seconds: float

    @property
    def ids(self) -> list[str]:
        return [problem["id"] for problem in self.problems]


class HubClient:
    """A process that loads tasks, one after another."""

    def __init__(self, **environment: str) -> None:
        clean = {name: value for name, value in os.environ.items() if not name.upper().startswith(SEEN)}
        self._environment = {**clean, "HF_HUB_DISABLE_PROGRESS_BARS": "1", **environment}
        self._process = subprocess.Popen(
            [sys.executable, __file__],
            env=self._environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.communicate()

    def load(self, task: str, start: int = 0, end: int = -1, small: int | None = None, **args: Any) -> Loaded:
        """A task's problems.

        Args:
            task: Name or path.
            start: As for the command line.
            end: As for the command line.
            small: What counts as a small file, in bytes.
            args: Fields of the task to replace.
        """
        return Loaded(**self._answer({"task": task, "start": start, "end": end, "small": small, "args": args}))

    def _answer(self, job: dict[str, Any]) -> dict[str, Any]:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(job) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        assert line, "the process that loads has died"
        found: dict[str, Any] = json.loads(line)
        return found

    def generate(self, task: str, **options: Any) -> str | None:
        """A run of `skythought.generate`, by the same process; what went wrong, if anything did."""
        error: str | None = self._answer({"task": task, "generate": options})["error"]
        return error

    def run(self, program: str) -> None:
        """A program of its own in the same environment."""
        subprocess.run([sys.executable, "-c", program], env=self._environment, check=True, capture_output=True)


def shortened(text: str) -> str:
    """A megabyte of text in few words."""
    return f"{len(text)} characters from {text[:20]} to {text[-20:]}" if len(text) > 100_000 else text


def answer(job: dict[str, Any]) -> dict[str, Any]:
    """One load, or one run, in the process."""
    import time
    from dataclasses import asdict

    from skythought.errors import UserError
    from skythought.tasks.data import hub
    from skythought.tasks.load import load_task
    from skythought.tasks.problems import problems
    from skythought.types import Problem

    if "generate" in job:
        import skythought

        try:
            skythought.generate(job["task"], **job["generate"])
        except skythought.SkythoughtError as raised:
            return {"error": str(raised)}
        return {"error": None}
    hub.SMALL = job["small"] or 64 * 2**20
    found: list[Any] = []
    revisions: dict[str, str] = {}
    error = None
    started = time.monotonic()
    try:
        made = problems(load_task(job["task"], job["args"]), job["start"], job["end"])
        found = list(made)
        revisions = dict(made.revisions)
    except UserError as raised:
        error = str(raised)
    return {
        "problems": [
            {**asdict(item), "row": {k: shortened(v) if isinstance(v, str) else v for k, v in item.row.items()}}
            for item in found
            if isinstance(item, Problem)
        ],
        "row_errors": [str(item) for item in found if not isinstance(item, Problem)],
        "revisions": revisions,
        "error": error,
        "seconds": time.monotonic() - started,
    }


if __name__ == "__main__":
    answers = sys.stdout
    sys.stdout = sys.stderr  # nothing that a client prints gets between the answers
    for line in sys.stdin:
        print(json.dumps(answer(json.loads(line))), file=answers, flush=True)
