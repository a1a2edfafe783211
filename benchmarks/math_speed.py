r"""Responses a CPU second on one core, ours beside math-verify's in one run, and what hostile answers cost.

    python benchmarks/math_speed.py [folder of labelled sets]

The folder holds `gsm8k_outputs.jsonl` and `math_outputs.jsonl` (rows with `gold` and `response`); without it, responses
are made up. From the whole response to the verdict, imports not counted, the best of three rounds (math-verify: one, on
every fifth response). Hostile answers go through the real workers; the wall time of each is what it cost its worker,
and 200 good answers beside each must all be found right.
"""

from __future__ import annotations

import asyncio
import json
import logging
import random
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from skythought.config import TaskConfig
from skythought.executors.local import LocalExecutor
from skythought.grading.grade import Grader
from skythought.scorers.math.scorer import MathScorer
from skythought.types import Problem, Response, SampleKey

HOSTILE = {
    "9^{9^{9}}": "9^{9^{9}}",
    "10^{10^{10}}!": "10^{10^{10}}!",
    "(x+y+z)^{60} for (x+y+z)^{61}": "(x+y+z)^{60}",
    "100,000 characters": "x+" * 50_000 + "x",
    "100,000 brackets": "(" * 50_000 + ")" * 50_000,
    "300 roots in one another": "\\sqrt{" * 300 + "2" + "}" * 300,
    "matrix of 300 x 300": "\\begin{pmatrix}" + "\\\\".join("&".join("1" * 300) for _ in range(300)) + "\\end{pmatrix}",
    "sum of 10^9 factorials": "\\sum_{k=1}^{10^{9}} k!",
    "Python code": "__import__('time').sleep(30)",
}


def made_up(style: str, count: int) -> list[dict[str, str]]:
    """Responses of some length that end in an answer."""
    rng = random.Random(1)
    rows = []
    for number in range(count):
        steps = " ".join(
            f"Then {rng.randint(1, 99)} + {rng.randint(1, 99)} = \\({rng.randint(1, 99)}x^{{2}}\\)." for _ in range(25)
        )
        answer = f"\\frac{{{number % 50 + 1}}}{{7}}" if style == "math" else str(number % 50)
        end = f"So it is \\(\\boxed{{{answer}}}\\)." if style == "math" else f"#### {answer}"
        rows.append({"gold": answer, "response": f"{steps}\n{end}"})
    return rows


def rows_of(folder: Path | None, name: str) -> list[dict[str, str]]:
    """Rows of a set, the gold of GSM8K reduced to its number."""
    if folder is None:
        return made_up("math" if name.startswith("math") else "gsm8k", 1000)
    rows = [json.loads(line) for line in (folder / f"{name}.jsonl").open(encoding="utf-8")]
    return [{**row, "gold": row["gold"].split("####")[-1].replace("\n", "").strip()} for row in rows]


def per_second(score: Callable[[dict[str, str]], Any], rows: list[dict[str, str]], rounds: int) -> float:
    """Responses a CPU second, the best of some rounds."""
    best = float("inf")
    for _ in range(rounds):
        started = time.process_time()
        for row in rows:
            score(row)
        best = min(best, time.process_time() - started)
    return len(rows) / best


def of_math_verify(row: dict[str, str]) -> bool:
    """math-verify used plainly."""
    from math_verify import parse, verify

    return bool(verify(parse(f"${row['gold']}$", parsing_timeout=None), parse(row["response"], parsing_timeout=None)))


def compare_speed(folder: Path | None) -> None:
    """Print both speeds on both kinds of responses."""
    for name, kind in (("gsm8k_outputs", "number"), ("math_outputs", "expression")):
        rows = rows_of(folder, name)
        scorer = MathScorer(kind)  # type: ignore[arg-type]

        def ours(row: dict[str, str], scorer: MathScorer = scorer) -> Any:
            return scorer.score(Problem("0", "", row["gold"]), row["response"])

        of_math_verify(rows[0])  # imports
        mine, theirs = per_second(ours, rows, 3), per_second(of_math_verify, rows[::5], 1)
        print(f"{name}: {mine:,.0f} responses a CPU second; math-verify {theirs:,.0f}; ratio {mine / theirs:.0f}")


async def hostile() -> None:
    """Print what each hostile answer costs."""
    config = {"name": "t", "dataset_path": "x", "dataset_split": "test", "prompt": "p", "target": "a", "scorer": "math"}
    grader = Grader.of(TaskConfig.model_validate(config))
    good = [_sample("\\frac{1}{2}", f"\\boxed{{\\frac{{{n}}}{{{2 * n}}}}}") for n in range(1, 201)]
    async with LocalExecutor(1) as executor:
        await grader.grade(good, executor)
        started = time.perf_counter()
        await grader.grade(good, executor)
        alone = time.perf_counter() - started
        for name, text in HOSTILE.items():
            sample = _sample("(x+y+z)^{61}", f"\\boxed{{{text}}}")
            started = time.perf_counter()
            scores = await grader.grade([*good[:100], sample, *good[100:]], executor)
            seconds = time.perf_counter() - started - alone
            assert sum(score.correct is True for score in scores) == len(good)
            assert scores[100].correct is False
            print(f"{name:32} {max(seconds, 0):6.3f} s  {scores[100].reason[-70:]}")


def _sample(gold: str, text: str) -> tuple[Problem, Response]:
    return Problem("0", "", gold), Response(key=SampleKey("0", 0), content=text)


def main() -> None:
    """Measure and print."""
    logging.getLogger("math_verify").setLevel(logging.CRITICAL)
    compare_speed(Path(sys.argv[1]) if len(sys.argv) > 1 else None)
    asyncio.run(hostile())


if __name__ == "__main__":
    main()
