"""Memory and CPU of `skythought score` on a large results.json, against reading and writing it as JSON lines.

    python benchmarks/score_memory.py [problems] [samples] [characters a response]

Makes a folder of the reference's shape (5,000 problems of 4 responses of 20,000 characters by default, 440 MB on disk),
scores it with the command line, and measures the peak memory of that process and the CPU seconds of it and its workers.
Beside it, in the same run: a loop that only parses and writes the same records as JSON lines.
"""

from __future__ import annotations

import json
import os
import random
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROUNDS = 3
WORDS = ["so", "then", "x=3", "we get", "\\frac{1}{2}", "therefore", "check", "sum", "12", "47"]


def make_record(number: int, samples: int, characters: int) -> dict[str, object]:
    """One problem with its responses; every second one is right."""
    rng = random.Random(number)
    responses = []
    for sample in range(samples):
        thinking = " ".join(rng.choices(WORDS, k=characters // 4))[:characters]
        answer = 3 * number if sample % 2 else 3 * number + 1
        content = f"<think>\n{thinking}\n</think>\n\nThe final answer is \\boxed{{{answer}}}."
        responses.append({"content": content, "correctness": None, "reason": None})
    return {
        "question": f"question {number}",
        "answer": f"#### {3 * number}",
        "_index": str(number),
        "prompt": "question",
        "input_conversation": [{"role": "user", "content": "question"}],
        "responses": responses,
        "token_usages": [{"completion_tokens": 10, "prompt_tokens": 3}] * samples,
    }


def make_folder(folder: Path, problems: int, samples: int, characters: int) -> None:
    """A run as the reference leaves it, and the same as JSON lines.

    Written record by record: a forked child's peak memory counts what its parent held.
    """
    (folder / "summary.json").write_text('{"configuration": {}}', encoding="utf-8")
    with (folder / "lines.jsonl").open("w", encoding="utf-8") as lines, (folder / "results.json").open("w") as whole:
        for number in range(problems):
            record = make_record(number, samples, characters)
            lines.write(json.dumps(record) + "\n")
            whole.write(("," if number else "{") + f'"{number}": ' + json.dumps(record, indent=4))
        whole.write("}")


def copy_lines(folder: Path) -> float:
    """CPU seconds of parsing and writing the same records as JSON lines."""
    started = time.process_time()
    with (folder / "lines.jsonl").open(encoding="utf-8") as source, (folder / "copy").open("w", encoding="utf-8") as to:
        for line in source:
            to.write(json.dumps(json.loads(line)) + "\n")
    return time.process_time() - started


def score(command: list[str]) -> tuple[float, int]:
    """CPU seconds of one `score` with its workers, and its own peak memory as the system counts it."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert status == 0, "score failed"
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, usage.ru_maxrss


def main() -> None:
    """Measure and print."""
    numbers = [int(argument) for argument in sys.argv[1:]]
    problems, samples, characters = numbers + [5000, 4, 20000][len(numbers) :]
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        make_folder(folder, problems, samples, characters)
        size = (folder / "results.json").stat().st_size / 1e6
        base = min(copy_lines(folder) for _ in range(ROUNDS))
        command = [sys.executable, "-m", "skythought", "score", "--task", "gsm8k", "--run-dir", str(folder)]
        rounds = [score(command) for _ in range(ROUNDS)]
    cpu, peak_size = min(seconds for seconds, _ in rounds), max(size for _, size in rounds)
    peak = peak_size / (1e6 if sys.platform == "darwin" else 1e3)
    print(f"{problems * samples:,} responses, {size:,.0f} MB")
    print(f"score: peak memory {peak:,.0f} MB, CPU {cpu:.1f} s with its workers")
    print(f"reading and writing as JSON lines: CPU {base:.1f} s; ratio {cpu / base:.1f}")


if __name__ == "__main__":
    main()
