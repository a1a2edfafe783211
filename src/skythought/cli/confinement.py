"""`skythought sandbox`: what protects this machine from the programs that models write, and a trial of it."""

from __future__ import annotations

import sys
from typing import Any

from rich.table import Table

from skythought.display.console import PlainConsole
from skythought.sandbox.sandbox import Sandbox
from skythought.sandbox.selftest import run_trials

__all__ = ["show_sandbox"]

PROTECTS = {
    "session": "other samples and this process from what a program leaves running; secrets in the environment",
    "limits": "processor, memory and disk from programs that take without end",
    "no new privileges": "from programs that gain rights by executing something",
    "user": "everything that root may do",
    "namespaces": "processes and network of this machine from being seen and reached",
    "private root": "files of this machine from being seen; its disk from being filled",
    "landlock": "files of this machine from being read, written, made, removed and executed",
    "seccomp": "network, processes and kernel from system calls that no solution needs",
}


def show_sandbox(level: str) -> int:
    """Print the layers and the trial; 0: all that is there holds."""
    console = PlainConsole()
    with Sandbox(level) as sandbox:
        state = sandbox.layers()
        console.print(_layers(state))
        for what, isolated in state["isolated"].items():
            console.print(f"{what}: {'isolated' if isolated else 'NOT isolated'}")
        strict = "would run" if all(state["isolated"].values()) else "would refuse to run"
        console.print(f"--sandbox strict {strict} here.\n")
        failed = 0
        for trial in run_trials(sandbox):
            failed += not trial.held
            ended = f"{trial.outcome.cause}{': ' if trial.outcome.error else ''}{trial.outcome.error}"
            console.print(f"{'held  ' if trial.held else 'FAILED'}  {trial.name:<26} {ended}", soft_wrap=True)
    console.print(f"\n{failed} of the trials failed." if failed else "\nAll trials held.")
    sys.stdout.flush()
    return 1 if failed else 0


def _layers(state: dict[str, Any]) -> Table:
    table = Table(box=None, pad_edge=False)
    for heading in ("layer", "here", "protects"):
        table.add_column(heading)
    for name, protects in PROTECTS.items():
        here = state["layers"].get(name) or f"MISSING: {state['missing'].get(name, 'not tried')}"
        table.add_row(name, here, protects)
    return table
