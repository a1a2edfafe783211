"""Time and memory of `skythought export`, by the size of the run.

    python benchmarks/export_memory.py 2000 20000

For each number of problems a run with four responses of some 2 KB each is made, by an engine that answers at once, and
exported in a process of its own: right responses as JSON lines and as Parquet, and pairs.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

import skythought as st

ENGINE = """
import re

from skythought.backends.base import BackendArgs, ConcurrentBackend


class Args(BackendArgs):
    pass


class Fast(ConcurrentBackend[Args]):
    async def answer(self, request):
        number = int(re.search(r"\\d+", request.messages[-1]["content"])[0]) + 1 + request.key.sample % 2
        text = f"{request.key.sample}: " + " ".join(f"step {i} gives {i * number}" for i in range(100))
        return request.response(f"<think>\\n{text}\\n</think>\\n\\n\\\\boxed{{{number}}}", finish_reason="stop")
"""
EXPORT = """
import json, resource, sys, time
import skythought as st

started = time.monotonic()
exported = st.export(sys.argv[1], sys.argv[2], **json.loads(sys.argv[3]))
seconds = time.monotonic() - started
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (2**20 if sys.platform == "darwin" else 2**10)
print(f"{exported.rows:,} rows in {seconds:.1f} s, {exported.steps[0].kept / seconds:,.0f} samples/s, {peak:.0f} MB")
"""


def made_run(folder: Path, problems: int) -> Path:
    """A scored run of so many problems."""
    rows = [{"question": f"What is {number} + 1?", "answer": str(number + 1)} for number in range(problems)]
    (folder / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    task = {"dataset_path": "rows.jsonl", "prompt": "{{ question }}", "target": "answer", "scorer": "math"}
    (folder / "sums.yaml").write_text(json.dumps(task), encoding="utf-8")
    (folder / "fast.py").write_text(ENGINE, encoding="utf-8")
    sampling = {"temperature": 1.0}
    run = st.evaluate(
        str(folder / "sums.yaml"),
        model="fast",
        backend=f"{folder / 'fast.py'}:Fast",
        n=4,
        sampling_params=sampling,
        result_dir=folder,
    )
    return run.path


def main() -> None:
    """Measure, and print a line each."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("problems", type=int, nargs="*", default=[1000])
    for problems in parser.parse_args().problems:
        with tempfile.TemporaryDirectory() as name:
            run = made_run(Path(name), problems)
            for number, options in enumerate(
                ({"select": "all"}, {"select": "all", "files": "parquet"}, {"kind": "dpo"})
            ):
                command = [sys.executable, "-c", EXPORT, run, f"{name}/out{number}", json.dumps(options)]
                done = subprocess.run(command, capture_output=True, text=True, check=True)
                print(f"{problems * 4:,} samples, {options}: {done.stdout.strip()}", flush=True)


if __name__ == "__main__":
    main()
