"""A run on a Ray cluster of two nodes, under fire: what is killed and stopped costs time, and no sample.

    python benchmarks/ray_fire.py [--samples 400] [--rounds 1] [--seed 0]

The nodes are processes of this machine with a logical CPU each, the model is the bundled one, and a replica of it runs
on either node. First a run without any trouble. Then the same run with, in each round, one of everything that can go
wrong, in random order and at random points between its first sample and its last: an engine, a replica, a node or the
command itself is killed, or stopped for good (the command: for some seconds). A node that was killed comes back; the
command is started again with --resume.

Checked: at the end there is each sample once, `results.json` has the bytes of the run without trouble, and after the
command is killed its actors leave the cluster. Printed: how long both runs took, and the throughput in both, as the
median over windows of two seconds that saw both replicas at work.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("VLLM_CPU_KVCACHE_SPACE", "1")
os.environ["RAY_USAGE_STATS_ENABLED"] = "0"

WINDOW_S = 2.0
SILENCE_S = 15
MOST_S = 120.0
"""How long an event may take to find what it is for, and the cluster to lose the actors of a killed command."""


class Nodes:
    """A head, and another node that can be killed and brought back."""

    def __init__(self) -> None:
        from ray.cluster_utils import Cluster

        soon = {"health_check_period_ms": 1000, "health_check_timeout_ms": 5000, "health_check_failure_threshold": 5}
        head = {"num_cpus": 1, "include_dashboard": False, "_system_config": soon}
        self._cluster = Cluster(initialize_head=True, head_node_args=head)
        self.address: str = self._cluster.address
        self._other: Any = self._cluster.add_node(num_cpus=1)

    def kill_other(self) -> None:
        """And bring it back."""
        self._cluster.remove_node(self._other, allow_graceful=False)
        self._other = self._cluster.add_node(num_cpus=1)

    def end(self) -> None:
        """End both."""
        self._cluster.shutdown()


class Command:
    """A run by the command line, with what it has journalled."""

    def __init__(self, folder: Path, samples: int, address: str) -> None:
        self.folder = folder
        given = "dtype=float32,enforce_eager=true,max_model_len=512,tensor_parallel_size=1,num_replicas=2"
        rows = folder.parent / "rows.jsonl"
        self._words = [sys.executable, "-m", "skythought", "evaluate", "--task", "arithmetic", "--model", "tiny"]
        self._words += ["--task-args", f"dataset_path={rows}", "--backend", "ray", "--batch-size", "512", "--resume"]
        self._words += ["--backend-args", f"{given},silence={SILENCE_S},address={address}"]
        self._words += ["--sampling-params", "temperature=1,max_tokens=24", "--n", "4", "--result-dir", str(folder)]
        self.samples = samples
        self.starts = 0
        self.process: subprocess.Popen[bytes]
        self.said = (folder.parent / f"{folder.name}.log").open("ab")
        self.start()

    def start(self) -> None:
        """Start it, or go on with it."""
        self.starts += 1
        self.process = subprocess.Popen(self._words, stdout=self.said, stderr=self.said, start_new_session=True)

    def lines(self) -> int:
        """How many answers are in the journal."""
        return sum(path.read_bytes().count(b"\n") for path in self.folder.glob("*/responses.jsonl"))

    def results(self) -> bytes:
        """What it came to."""
        (path,) = self.folder.glob("*/results.json")
        return path.read_bytes()


class Throughput(threading.Thread):
    """Looks at a journal every `WINDOW_S`."""

    def __init__(self, command: Command) -> None:
        super().__init__(daemon=True)
        self._command = command
        self._ended = threading.Event()
        self.windows: list[float] = []
        self.start()

    def run(self) -> None:
        before, then = self._command.lines(), time.monotonic()
        while not self._ended.wait(WINDOW_S):
            count, now = self._command.lines(), time.monotonic()
            if len(processes("VLLM::EngineCore")) == 2 and count > before:
                self.windows.append((count - before) / (now - then))
            before, then = count, now

    def end(self) -> float:
        """Samples a second."""
        self._ended.set()
        return statistics.median(self.windows) if self.windows else 0.0


def processes(name: str) -> list[int]:
    """Those of this name, without those that are stopped or dead, below this process or not."""
    import psutil

    found = []
    for process in psutil.process_iter(["name", "cmdline", "status", "environ"]):
        info = process.info
        ours = (info["environ"] or {}).get("RAY_FIRE") == os.environ["RAY_FIRE"]
        if ours and info["status"] not in ("zombie", "stopped") and any(name in word for word in info["cmdline"] or ()):
            found.append(process.pid)
    return found


def wait(condition: Callable[[], Any], what: str) -> Any:
    """The first value of it that counts."""
    ends = time.monotonic() + MOST_S
    while not (found := condition()):
        assert time.monotonic() < ends, what
        time.sleep(0.1)
    return found


def send(name: str, number: signal.Signals, rng: random.Random) -> None:
    """A signal to one of the processes of this name."""
    pid = rng.choice(wait(lambda: processes(name), f"no {name} came"))
    with suppress(ProcessLookupError):
        os.kill(pid, number)


def events(nodes: Nodes, command: Command, rng: random.Random) -> dict[str, Callable[[], None]]:
    """What can go wrong."""

    def kill_command() -> None:
        command.process.kill()
        command.process.wait()
        wait(lambda: not processes("ray::Replica") and not processes("VLLM::"), "its actors are still there")
        command.start()

    def stop_command() -> None:
        command.process.send_signal(signal.SIGSTOP)
        time.sleep(SILENCE_S + 5)
        command.process.send_signal(signal.SIGCONT)

    return {
        "engine killed": lambda: send("VLLM::EngineCore", signal.SIGKILL, rng),
        "engine stopped": lambda: send("VLLM::EngineCore", signal.SIGSTOP, rng),
        "replica killed": lambda: send("ray::Replica", signal.SIGKILL, rng),
        "replica stopped": lambda: send("ray::Replica", signal.SIGSTOP, rng),
        "node killed": nodes.kill_other,
        "command killed": kill_command,
        "command stopped": stop_command,
    }


def under_fire(nodes: Nodes, command: Command, rounds: int, rng: random.Random) -> None:
    """Let it all happen, and wait for the end."""
    known = events(nodes, command, rng)
    names = [name for _ in range(rounds) for name in rng.sample(sorted(known), len(known))]
    points = sorted(
        [1, int(command.samples * 0.97), *(rng.randrange(command.samples) for _ in names[2:])][: len(names)]
    )
    for name, point in zip(names, sorted(points[: len(names)]), strict=True):
        while command.lines() < point and command.process.poll() is None:
            time.sleep(0.05)
        if command.process.poll() is None:
            print(f"  {name:16} after {command.lines():,} samples", flush=True)
            known[name]()
    while command.process.wait() != 0:
        assert command.starts < 10 * len(names), "it comes to no end"
        print(f"  the command ended with code {command.process.returncode} after {command.lines():,} samples")
        command.start()


def check(command: Command, expected: bytes) -> None:
    """Each sample once, and the same results."""
    (path,) = command.folder.glob("*/responses.jsonl")
    with path.open(encoding="utf-8") as journal:
        lines = [json.loads(line) for line in journal]
    answered = [(line["id"], line["sample"]) for line in lines if not line["error"]]
    assert len(answered) == len(set(answered)) == command.samples, (len(answered), len(set(answered)))
    assert command.results() == expected, "the results differ"


def main() -> None:
    """Read the command line, and run."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--samples", type=int, default=400)
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    os.environ["RAY_FIRE"] = str(os.getpid())
    samples = given.samples // 4 * 4
    nodes = Nodes()
    with tempfile.TemporaryDirectory() as name:
        rows = Path(name, "rows.jsonl")
        sums = [(number % 997 + 10, number % 89 + 10) for number in range(samples // 4)]
        rows.write_text("".join(f'{{"question": "What is {a} + {b}?", "answer": "{a + b}"}}\n' for a, b in sums))
        took, rates, expected = [], [], b""
        for side in ("calm", "fire"):
            began = time.monotonic()
            command = Command(Path(name, side), samples, nodes.address)
            watching = Throughput(command)
            under_fire(nodes, command, given.rounds if side == "fire" else 0, random.Random(given.seed))
            took.append(time.monotonic() - began)
            rates.append(watching.end())
            expected = expected or command.results()
            check(command, expected)
            print(
                f"{side}: {samples:,} samples in {took[-1]:,.0f} s, {command.starts} starts, {rates[-1]:.0f} a second"
            )
    nodes.end()
    print(
        f"each sample once, the same results; throughput outside of the gaps {rates[1] / rates[0]:.2f} of the calm one"
    )


if __name__ == "__main__":
    main()
