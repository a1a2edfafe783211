"""Memory and time of choosing problems out of NuminaMath by source and difficulty: 859,494 rows, as the real set has.

    python benchmarks/numina_memory.py [rows]

Writes a parquet file of made-up rows in the schema of the labelled set (with the long `messages` that no task reads),
then, each in a process of its own: our reading of task `numina_olympiads`, whole and up to `--end 1000`; the plain way
(`datasets.load_dataset` and `filter`); and building a table from problem to difficulty, as the reference does. Peak
memory is of the process, above what it held after its imports. Nothing is asked of any network.
"""

from __future__ import annotations

import json
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROWS = 859_494
SOURCES = ["cn_k12", "orca_math", "olympiads", "synthetic_math", "synthetic_amc", "amc_aime", "math", "gsm8k"]
WORDS = ["let", "we", "have", "$x^2 + 3x = 4$", "then", "so that", "\\frac{1}{2}", "therefore", "triangle", "ABC", "12"]
COLUMNS = ["source", "problem", "solution", "gpt_difficulty_parsed"]

OURS = """
from skythought.tasks.load import load_task
from skythought.tasks.problems import problems
import pyarrow.parquet
task = load_task("numina_olympiads", {"dataset_path": FILE, "dataset_kwargs": {"columns": COLUMNS}})
begin()
end(sum(1 for _ in problems(task, 0, LIMIT)))
"""
PLAIN = """
import datasets, tempfile
datasets.disable_progress_bars()
with tempfile.TemporaryDirectory() as cache:
    begin()
    rows = datasets.load_dataset("parquet", data_files=FILE, split="train", cache_dir=cache)
    kept = rows.filter(lambda row: row["source"] == "olympiads" and row["gpt_difficulty_parsed"] == 9)
    end(len(kept))
"""
TABLE = """
import pyarrow.parquet
begin()
table = pyarrow.parquet.read_table(FILE, columns=COLUMNS)
difficulty = dict(zip(table["problem"].to_pylist(), table["gpt_difficulty_parsed"].to_pylist()))
rows = table.to_pylist()
end(sum(1 for row in rows if row["source"] == "olympiads" and difficulty[row["problem"]] == 9))
"""
MEASURE = """
import json, resource, time
def peak(): return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
def begin():
    global base, started
    base, started = peak(), time.process_time()
def end(count): print(json.dumps([count, (peak() - base) / 1024, time.process_time() - started]))
"""


def write_rows(path: Path, count: int) -> None:
    """Rows of about the real lengths (a solution of some 1,200 characters, and both texts again in `messages`)."""
    import pyarrow
    from pyarrow import parquet

    rng = random.Random(0)
    texts = [" ".join(rng.choices(WORDS, k=rng.randrange(20, 320))) for _ in range(2000)]
    writer = None
    for start in range(0, count, 20_000):
        rows = []
        for number in range(start, min(start + 20_000, count)):
            problem, solution = f"{number}: {rng.choice(texts)[:400]}", f"{rng.choice(texts)} so $\\boxed{{{number}}}$."
            turns = [{"content": problem, "role": "user"}, {"content": solution, "role": "assistant"}]
            judged = {"gpt_difficulty": "It is hard. [[9]]", "gpt_difficulty_parsed": float(rng.randrange(1, 10))}
            source = {"source": rng.choice(SOURCES), "problem": problem, "solution": solution, "messages": turns}
            rows.append({**source, **judged})
        table = pyarrow.Table.from_pylist(rows)
        writer = writer or parquet.ParquetWriter(path, table.schema)
        writer.write_table(table)
    if writer:
        writer.close()


def measured(program: str, path: Path, limit: int = -1) -> tuple[int, float, float]:
    """Problems found, megabytes above the imports, CPU seconds."""
    head = f"FILE, LIMIT, COLUMNS = {str(path)!r}, {limit}, {COLUMNS!r}\n"
    done = subprocess.run([sys.executable, "-c", head + MEASURE + program], capture_output=True, text=True, check=True)
    count, megabytes, seconds = json.loads(done.stdout.splitlines()[-1])
    return count, megabytes, seconds


def main() -> None:
    """Measure and print."""
    if sys.argv[1:2] == ["write"]:
        write_rows(Path(sys.argv[2]), int(sys.argv[3]))
        return
    count = int(sys.argv[1]) if len(sys.argv) > 1 else ROWS
    with tempfile.TemporaryDirectory() as temporary:
        path = Path(temporary) / "rows.parquet"
        started = time.monotonic()
        # In another process: a child's peak memory counts what its parent held.
        subprocess.run([sys.executable, __file__, "write", str(path), str(count)], check=True)
        print(f"{count:,} rows, {path.stat().st_size / 1e6:,.0f} MB, written in {time.monotonic() - started:.0f} s")
        print(f"{'':44}{'problems':>9} {'memory':>10} {'CPU':>8}")
        for name, program, limit in [
            ("skythought, all", OURS, -1),
            ("skythought, --end 1000", OURS, 1000),
            ("datasets: load and filter", PLAIN, -1),
            ("a table from problem to difficulty", TABLE, -1),
        ]:
            found, megabytes, seconds = measured(program, path, limit)
            print(f"{name:<44}{found:>9,} {megabytes:>7,.0f} MB {seconds:>6.1f} s", flush=True)


if __name__ == "__main__":
    main()
