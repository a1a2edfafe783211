"""Memory and CPU of scoring programs at scale: `skythought score` on a run of LiveCodeBench's shape.

    python benchmarks/code_scale.py [problems] [samples a problem] [tests a problem] [characters a test]

Makes a run folder (2,500 problems of 4 responses, 20 private tests of 20,000 characters each by default, packed as the
dataset packs them; 10,000 samples), scores a tenth of it and all of it with the command line, and shows the peak memory
of both: it must not grow with the number of samples. Every fourth response is wrong.
"""

from __future__ import annotations

import base64
import json
import pickle
import random
import resource
import shutil
import subprocess
import sys
import tempfile
import zlib
from pathlib import Path
from typing import Any

import skythought
from skythought.backends.base import BackendArgs, ConcurrentBackend
from skythought.types import Request, Response

RIGHT = "```python\nn = int(input())\nprint(sum(map(int, input().split())))\n```"
WRONG = "```python\nn = int(input())\nprint(sum(map(int, input().split())) + 1)\n```"


def make_row(number: int, tests: int, characters: int) -> dict[str, Any]:
    """A row in LiveCodeBench's schema: add up integers."""
    rng = random.Random(number)
    cases = []
    for _ in range(tests):
        integers = [rng.randrange(10**6) for _ in range(characters // 7)]
        text = f"{len(integers)}\n{' '.join(map(str, integers))}\n"
        cases.append({"input": text, "output": f"{sum(integers)}\n", "testtype": "stdin"})
    packed = base64.b64encode(zlib.compress(pickle.dumps(json.dumps(cases)))).decode()
    return {
        "question_title": "Sum", "question_content": f"Problem {number}: add up n integers.", "platform": "none",
        "question_id": str(number), "contest_id": "0", "contest_date": "2024-01-01T00:00:00", "starter_code": "",
        "difficulty": "easy", "metadata": "{}", "private_test_cases": packed,
        "public_test_cases": '[{"input": "1\\n7\\n", "output": "7\\n", "testtype": "stdin"}]',
    }  # fmt: skip


class Answers(ConcurrentBackend[BackendArgs]):
    """Every fourth response is wrong."""

    async def answer(self, request: Request) -> Response:
        number, sample = int(request.key.problem_id), request.key.sample
        return request.response(WRONG if (number + sample) % 4 == 3 else RIGHT, finish_reason="stop")


def score(path: Path) -> tuple[float, float, dict[str, Any]]:
    """Peak memory in MB of the largest process (the scorer or a worker), their CPU seconds, and the summary.

    What the programs themselves use is not in it.
    """
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    command = [sys.executable, "-m", "skythought", "score", "--task", "livecodebench", "--run-dir", str(path)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    assert process.wait() == 0, "score failed"
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    summary = json.loads((path / "summary.json").read_text())
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return after.ru_maxrss / (1e6 if sys.platform == "darwin" else 1e3), cpu, summary


def main() -> None:
    """Measure and print."""
    numbers = [int(argument) for argument in sys.argv[1:]]
    count, samples, tests, characters = numbers + [2500, 4, 20, 20000][len(numbers) :]
    with tempfile.TemporaryDirectory() as temporary:
        rows = Path(temporary) / "rows.jsonl"
        with rows.open("w") as file:
            for number in range(count):
                file.write(json.dumps(make_row(number, tests, characters)) + "\n")
        for end in (count // 10, count):
            run = skythought.generate(
                "livecodebench",
                model="none",
                backend=f"{__file__}:Answers",
                task_args={"dataset_path": str(rows)},
                sampling_params={"temperature": 1.0},
                n=samples,
                end=end,
                result_dir=temporary,
            )
            path = run.path
            peak, cpu, summary = score(path)
            megabytes = {name: (path / name).stat().st_size / 1e6 for name in ("samples.jsonl", "results.json")}
            print(
                f"{end * samples:,} samples: largest process {peak:,.0f} MB, CPU of scorer and workers "
                f"{1e3 * cpu / (end * samples):.1f} ms a sample, accuracy {summary['accuracy']}; "
                + ", ".join(f"{name} {size:,.0f} MB" for name, size in megabytes.items())
            )
            shutil.rmtree(path)


if __name__ == "__main__":
    main()
