"""What `skythought --help` and `import skythought` cost, against bare Python and bare typer, side by side.

    python benchmarks/startup.py [rounds]

Each command is run once a round, in turn, as a process of its own; the medians and their ratios are printed. Exits
with 1 if `skythought --help` costs more than twice a program that only imports typer, or `import skythought` more than
1.5 times bare Python.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import time

COMMANDS = {
    "bare python": [sys.executable, "-c", "pass"],
    "import skythought": [sys.executable, "-c", "import skythought"],
    "import typer": [sys.executable, "-c", "import typer"],
    "a typer program --help": [
        sys.executable,
        "-c",
        "import typer; app = typer.Typer(rich_markup_mode=None); app.command()(lambda: None); app(['--help'])",
    ],
    "skythought --help": [sys.executable, "-m", "skythought", "--help"],
    "skythought evaluate --help": [sys.executable, "-m", "skythought", "evaluate", "--help"],
}
LIMITS = {("import skythought", "bare python"): 1.5, ("skythought --help", "import typer"): 2.0}


def seconds(command: list[str]) -> float:
    """Wall time of one run of a command."""
    started = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - started


def main() -> int:
    """Measure, print, and judge the ratios."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 15
    times: dict[str, list[float]] = {name: [] for name in COMMANDS}
    for _ in range(rounds):
        for name, command in COMMANDS.items():
            times[name].append(seconds(command))
    medians = {name: statistics.median(values) for name, values in times.items()}
    for name, median in medians.items():
        print(f"{name:<28} {1000 * median:7.0f} ms   {median / medians['bare python']:5.1f} x bare python")
    worse = 0
    for (name, base), limit in LIMITS.items():
        ratio = medians[name] / medians[base]
        worse += ratio > limit
        print(f"{name} / {base}: {ratio:.2f} (at most {limit})")
    return 1 if worse else 0


if __name__ == "__main__":
    sys.exit(main())
