"""A run on a Ray cluster of two nodes, under fire: what is killed and stopped costs time, and no sample.

    python benchmarks/ray_fire.py [--samples 400] [--seed 0]

The nodes are processes of this machine with a logical CPU each, the model is the bundled one, and a replica of it runs
on either node. First a run without any trouble. Then the same one with everything that can go wrong (`events`) at its
start, in its middle and near its end, in random order: an engine, a replica, a node or the command itself is killed, or
stopped (an engine and a replica for good, a node and the command for some seconds). A node that is lost comes back; the
command goes on with `--resume`, after its actors have left the cluster by themselves.

Checked: at the end there is each sample once, and `results.json` has the bytes of the run without trouble. Printed:
how long both took, and their throughput outside of the gaps, which is over the windows in which the same two engines
and the same command were at work, and had been for a while: samples a second, and, as other work on the machine cannot
change it, samples for a second of CPU time of all that belongs to the run.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("VLLM_CPU_KVCACHE_SPACE", "1")
os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
os.environ.setdefault("RAY_worker_niceness", "0")  # or engines get no core on a busy machine
os.environ["RAY_FIRE"] = str(os.getpid())
"""By this the processes of the run are told from others."""

ENGINE, REPLICA = "VLLM::EngineCore", "ray::Replica"
WINDOW_S = 2.0
SETTLED = 3
"""Windows in a row without any change from which on throughput counts."""
SILENCE_S = 15
LOADING_S = 300
STOPS_S = (5, 30)
"""How long a node is stopped: shortly, or so long that it is given up."""
MOST_S = 900.0
"""How long anything may take that an event waits for."""
MOST_STARTS = 50
SAMPLES_A_PROBLEM = 4


class Nodes:
    """A head, and another node that is killed and stopped."""

    def __init__(self) -> None:
        from ray.cluster_utils import Cluster

        soon = {"health_check_period_ms": 1000, "health_check_timeout_ms": 5000, "health_check_failure_threshold": 3}
        head = {"num_cpus": 1, "include_dashboard": False, "_system_config": soon}
        self._cluster = Cluster(initialize_head=True, head_node_args=head)
        self.address: str = self._cluster.address
        self._other: Any = self._cluster.add_node(num_cpus=1)

    def kill(self) -> None:
        """The other node goes, and one like it comes."""
        self._cluster.remove_node(self._other, allow_graceful=False)
        self._other = self._cluster.add_node(num_cpus=1)

    def stop(self, seconds: float) -> None:
        """The other node stands still, with all that runs there."""
        import psutil

        raylet = psutil.Process(self._other.all_processes["raylet"][0].process.pid)
        everything = [raylet, *raylet.children(recursive=True)]
        for number in (signal.SIGSTOP, signal.SIGCONT):
            for process in everything:
                with suppress(psutil.Error):
                    process.send_signal(number)
            time.sleep(seconds)  # after it goes on as long again: a node that was given up ends itself
        if not raylet.is_running() or raylet.status() == psutil.STATUS_ZOMBIE:
            self.kill()

    def end(self) -> None:
        """End both."""
        self._cluster.shutdown()


class Command:
    """A run by the command line, with what it has journalled."""

    def __init__(self, folder: Path, samples: int, address: str) -> None:
        given = "dtype=float32,enforce_eager=true,max_model_len=512,tensor_parallel_size=1,num_replicas=2"
        given += f",silence={SILENCE_S},loading={LOADING_S},address={address}"
        rows = folder.parent / "rows.jsonl"
        self._words = [sys.executable, "-m", "skythought", "evaluate", "--task", "arithmetic", "--model", "tiny"]
        self._words += ["--task-args", f"dataset_path={rows}", "--backend", "ray", "--batch-size", "512", "--resume"]
        self._words += ["--backend-args", given, "--n", str(SAMPLES_A_PROBLEM)]
        self._words += ["--sampling-params", "temperature=1,max_tokens=32", "--result-dir", str(folder)]
        self.folder = folder
        self.samples = samples
        self.starts = 0
        self.process: subprocess.Popen[bytes]
        self.said = folder.parent / f"{folder.name}.log"
        self._answers, self._read = 0, 0
        self._counting = threading.Lock()
        self.start()

    def start(self) -> None:
        """Start it, or go on with it."""
        self.starts += 1
        with self.said.open("ab") as said:
            self.process = subprocess.Popen(self._words, stdout=said, stderr=said, start_new_session=True)

    def is_over(self) -> bool:
        """Whether it has ended well. If it has ended otherwise, it is started again."""
        code = self.process.poll()
        if code:
            print(f"  the command ended with code {code} after {self.answers():,} samples", flush=True)
            assert self.starts < MOST_STARTS, "it comes to no end"
            self.start()
        return code == 0

    def answers(self) -> int:
        """How many are in the journal."""
        with self._counting:
            for path in self.folder.glob("*/responses.jsonl"):
                with path.open("rb") as journal:
                    journal.seek(self._read)
                    new = journal.read()
                self._answers += new.count(b"\n")
                self._read += len(new)
            return self._answers

    def results(self) -> bytes:
        """What it came to."""
        (path,) = self.folder.glob("*/results.json")
        return path.read_bytes()


class Look(NamedTuple):
    """A run at one moment."""

    seconds: float
    answers: int
    at_work: frozenset[int]
    """The processes that it needs: the command, and two engines; empty if one is away."""
    cpu: float
    """CPU seconds of the command, the replicas and the engines so far."""


class Throughput(threading.Thread):
    """Looks at a run every `WINDOW_S`."""

    def __init__(self, command: Command) -> None:
        super().__init__(daemon=True)
        self._command = command
        self._ended = threading.Event()
        self._looks: list[Look] = []
        self.start()

    def run(self) -> None:
        while not self._ended.wait(WINDOW_S):
            self._looks.append(self._look())

    def _look(self) -> Look:
        import psutil

        engines = processes(ENGINE)
        pid = self._command.process.pid
        cpu = 0.0
        with suppress(psutil.Error):
            command = psutil.Process(pid)
            if command.status() != psutil.STATUS_STOPPED and len(engines) == 2:
                for process in [command, *command.children(recursive=True), *engines, *processes(REPLICA)]:
                    cpu += sum(process.cpu_times()[:2])
                at_work = frozenset({pid, *(one.pid for one in engines)})
                return Look(time.monotonic(), self._command.answers(), at_work, cpu)
        return Look(time.monotonic(), self._command.answers(), frozenset(), 0.0)

    def end(self) -> tuple[float, float]:
        """Samples a second, and samples a second of CPU time, outside of the gaps."""
        self._ended.set()
        answers, seconds, cpu = 0, 0.0, 0.0
        for at in range(SETTLED, len(self._looks)):
            *_, before, now = looks = self._looks[at - SETTLED : at + 1]
            answered = all(one.answers < other.answers for one, other in zip(looks, looks[1:], strict=False))
            if now.at_work and answered and all(look.at_work == now.at_work for look in looks):
                answers += now.answers - before.answers
                seconds += now.seconds - before.seconds
                cpu += now.cpu - before.cpu
        return answers / seconds if seconds else 0.0, answers / cpu if cpu else 0.0


def processes(name: str) -> list[Any]:
    """Those of this run and this name, without those that are stopped or dead."""
    import psutil

    found = []
    for process in psutil.process_iter(["cmdline", "status"]):
        if process.info["status"] in (psutil.STATUS_ZOMBIE, psutil.STATUS_STOPPED):
            continue
        if any(name in word for word in process.info["cmdline"] or ()):
            with suppress(psutil.Error):
                if process.environ().get("RAY_FIRE") == os.environ["RAY_FIRE"]:
                    found.append(process)
    return found


def wait(condition: Callable[[], Any], what: str) -> Any:
    """The first value of it that counts."""
    ends = time.monotonic() + MOST_S
    while not (found := condition()):
        assert time.monotonic() < ends, what
        time.sleep(0.1)
    return found


def events(nodes: Nodes, command: Command, rng: random.Random) -> dict[str, Callable[[], None]]:
    """What can go wrong."""

    def send(name: str, number: signal.Signals) -> Callable[[], None]:
        def event() -> None:
            one = rng.choice(wait(lambda: processes(name) or command.is_over() and [None], name))
            if one is not None:
                os.kill(one.pid, number)

        return event

    def kill_command() -> None:
        command.process.kill()
        command.process.wait()
        began = time.monotonic()
        wait(lambda: not processes(REPLICA) and not processes(ENGINE), "its actors are still there")
        print(f"    its actors were gone after {time.monotonic() - began:.1f} s", flush=True)
        command.start()

    def stop_command() -> None:
        command.process.send_signal(signal.SIGSTOP)
        time.sleep(SILENCE_S + 5)
        command.process.send_signal(signal.SIGCONT)

    return {
        "engine killed": send(ENGINE, signal.SIGKILL),
        "engine stopped": send(ENGINE, signal.SIGSTOP),
        "replica killed": send(REPLICA, signal.SIGKILL),
        "replica stopped": send(REPLICA, signal.SIGSTOP),
        "node killed": nodes.kill,
        "node stopped": lambda: nodes.stop(rng.choice(STOPS_S)),
        "command killed": kill_command,
        "command stopped": stop_command,
    }


def under_fire(nodes: Nodes, command: Command, rng: random.Random) -> None:
    """Let it all happen, three times."""
    known = events(nodes, command, rng)
    for first, last in ((0.0, 0.1), (0.2, 0.8), (0.9, 0.99)):
        points = sorted(int(command.samples * rng.uniform(first, last)) for _ in known)
        for name, point in zip(rng.sample(sorted(known), len(known)), points, strict=True):
            while command.answers() < point and not command.is_over():
                time.sleep(0.05)
            if command.is_over():
                print(f"  {name:16} not any more: the run has ended", flush=True)
                continue
            print(f"  {name:16} after {command.answers():,} samples", flush=True)
            known[name]()


def check(command: Command, expected: bytes) -> None:
    """Each sample once, and the same results."""
    (path,) = command.folder.glob("*/responses.jsonl")
    with path.open(encoding="utf-8") as journal:
        lines = [json.loads(line) for line in journal]
    answered = {(line["id"], line["sample"]) for line in lines if not line["error"]}
    failed = sum(bool(line["error"]) for line in lines)
    print(f"  {len(lines):,} lines in the journal, {len(answered):,} samples, {failed} failed once", flush=True)
    assert len(answered) == len(lines) - failed == command.samples
    assert command.results() == expected, "the results differ"


def main() -> None:
    """Read the command line, and run."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--samples", type=int, default=400)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--folder", help="where the runs are, and what they said; they stay there")
    given = parser.parse_args()
    problems = -(-given.samples // SAMPLES_A_PROBLEM)
    nodes = Nodes()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(given.folder or name)
        folder.mkdir(parents=True, exist_ok=True)
        sums = [(number % 997 + 10, number % 89 + 10) for number in range(problems)]
        rows = "".join(f'{{"question": "What is {a} + {b}?", "answer": "{a + b}"}}\n' for a, b in sums)
        (folder / "rows.jsonl").write_text(rows, encoding="utf-8")
        rates: list[tuple[float, float]] = []
        expected = b""
        for side in ("calm", "fire"):
            began = time.monotonic()
            command = Command(folder / side, problems * SAMPLES_A_PROBLEM, nodes.address)
            watching = Throughput(command)
            if side == "fire":
                under_fire(nodes, command, random.Random(given.seed))
            while not command.is_over():
                time.sleep(0.5)
            rates.append(watching.end())
            expected = expected or command.results()
            print(
                f"{side}: {command.samples:,} samples in {time.monotonic() - began:,.0f} s, {command.starts} starts; "
                f"outside of the gaps {rates[-1][0]:.0f} a second, {rates[-1][1]:.0f} a second of CPU time",
                flush=True,
            )
            check(command, expected)
    nodes.end()
    wall, cpu = (fire / calm if calm else 0.0 for calm, fire in zip(*rates, strict=True))
    print(f"each sample once, the same results; throughput {wall:.2f} of the calm one, by CPU time {cpu:.2f}")


if __name__ == "__main__":
    main()
