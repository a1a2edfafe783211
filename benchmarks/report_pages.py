"""Size of a report, the time and memory that making it takes, and how soon `skythought view` shows the same run.

    python benchmarks/report_pages.py [problems] [samples] [characters a response] [text file...]

Makes a run (1,250 problems of 8 responses of 20,000 characters by default), then the report in a process of its own.
Responses are passages of the given files (this repository's documentation by default) of 2,000 characters each; of real
solutions in mathematics a report takes 0.41 to 0.45 of their text.
"""

from __future__ import annotations

import json
import random
import subprocess
import sys
import tempfile
import time
from functools import cache
from pathlib import Path

import skythought
from skythought.backends.base import BackendArgs, ConcurrentBackend
from skythought.types import Request, Response

ROOT = Path(__file__).parents[1]
TASK = 'dataset_path: rows.jsonl\nprompt: "{{ question }}"\ntarget: answer\nscorer: math\nreport_by: [level]\n'
PASSAGE = 2000


class TextArgs(BackendArgs):
    characters: int = 20_000
    files: str = ""


@cache
def source(files: str) -> str:
    """What the files say, which are named by commas."""
    paths = [Path(name) for name in files.split(",")] if files else sorted((ROOT / "docs").glob("*.md"))
    return "\n".join(path.read_text(encoding="utf-8") for path in paths)


class Talker(ConcurrentBackend[TextArgs]):
    """Answers at once, with so many characters."""

    async def answer(self, request: Request) -> Response:
        rng, text = random.Random(request.seed), source(self.args.files)
        starts = (rng.randrange(len(text) - PASSAGE) for _ in range(self.args.characters // PASSAGE))
        thinking = "\n".join(text[start : start + PASSAGE] for start in starts)
        return request.response(
            f"<think>\n{thinking}\n</think>\n\nThe answer is \\boxed{{{rng.randrange(3)}}}.",
            finish_reason="stop",
            prompt_tokens=20,
            completion_tokens=len(thinking) // 4,
            seconds=len(thinking) / 1e4,
        )


MEASURED = """
import resource, sys, time
import skythought
began = time.perf_counter()
written = skythought.report(sys.argv[1])
seconds, cpu = time.perf_counter() - began, sum(resource.getrusage(resource.RUSAGE_SELF)[:2])
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
print(f"report: {written.size / 1e6:.1f} MB in {seconds:.1f} s ({cpu:.1f} s of CPU), peak {peak:.0f} MB")
"""

VIEWED = """
import asyncio, sys, time
from pathlib import Path
from aiohttp import ClientSession
from skythought.reporting.server import Viewer

async def main():
    began = time.perf_counter()
    viewer = Viewer([Path(sys.argv[1])])
    await viewer.open()
    base, _, token = viewer.address.partition("/?")
    async with ClientSession() as session:
        for what in ("index", "index", "block/0"):
            began_this = time.perf_counter()
            async with session.get(f"{base}/{what}?{token}") as reply:
                size = len(await reply.read())
            now = time.perf_counter()
            print(f"view: {what} of {size:,} bytes in {now - began_this:.2f} s, {now - began:.2f} s after the start")
            if what == "index":
                while (samples := len(viewer._following)) < int(sys.argv[2]):
                    await asyncio.sleep(0.05)
                print(f"view: {samples:,} samples listed after {time.perf_counter() - began:.1f} s")
    await viewer.close()

asyncio.run(main())
"""


def main() -> None:
    given = [int(text) for text in sys.argv[1:4]]
    problems, samples, characters = [*given, *(1250, 8, 20_000)[len(given) :]]
    files = ",".join(str(Path(name).resolve()) for name in sys.argv[4:])
    with tempfile.TemporaryDirectory() as folder:
        rows = ({"question": f"How much is {i} + 1?", "answer": "1", "level": i % 5} for i in range(problems))
        (Path(folder) / "rows.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in rows), encoding="utf-8")
        (Path(folder) / "sums.yaml").write_text(TASK, encoding="utf-8")
        began = time.perf_counter()
        run = skythought.evaluate(
            f"{folder}/sums.yaml",
            model="talker",
            backend=f"{__file__}:Talker",
            backend_args={"characters": characters, "files": files},
            sampling_params={"temperature": 1.0},
            n=samples,
            result_dir=folder,
        )
        text = (run.path / "responses.jsonl").stat().st_size
        print(f"run: {problems:,} x {samples}, {text / 1e6:.0f} MB, made in {time.perf_counter() - began:.0f} s")
        for program in (MEASURED, VIEWED):
            subprocess.run([sys.executable, "-c", program, str(run.path), str(problems * samples)], check=True)


if __name__ == "__main__":
    main()
