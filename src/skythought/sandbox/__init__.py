"""Running programs that nobody has read: in confined processes, with limits, without believing what they say.

    with Sandbox() as sandbox:
        for outcome in sandbox.run_program("print(int(input()) * 2)", [b"1", b"2"]):
            print(outcome.cause, outcome.stdout)

Nothing here knows of tasks or scoring: a program is run, and what it put out is returned. What that is compared with
stays outside. `docs/sandbox.md` says what protects from what.
"""

from __future__ import annotations

from skythought.sandbox.calibration import time_scale
from skythought.sandbox.outcome import Cause, Limits, Opaque, Outcome, SandboxError, printable
from skythought.sandbox.sandbox import Sandbox, Tests

__all__ = ["Cause", "Limits", "Opaque", "Outcome", "Sandbox", "SandboxError", "Tests", "printable", "time_scale"]
