"""Answers made to hang, flood or take over a computer, through the real workers: each costs its deadline at most."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest

from grading import graded
from skythought.config import TaskConfig
from skythought.executors.local import LocalExecutor
from skythought.scorers.math.equivalence import compare
from skythought.types import Problem, Score

Wait = Callable[[Coroutine[Any, Any, Any]], Any]

HOSTILE = [
    "9^{9^{9}}",
    "9^{9^{9^{9}}}",
    "10^{10^{10}}!",
    "((((9!)!)!)!)!",
    "2^{2^{2^{2^{2^{2^{2}}}}}}",
    "(x+y+z)^{60}",
    "(x+y+z)^{61}-(x+y+z)^{60}",
    "\\binom{10^{12}}{10^{11}}",
    "\\sum_{k=1}^{10^{9}} k!",
    "\\prod_{k=1}^{200} \\sum_{j=1}^{200} \\sum_{i=1}^{200} i j k",
    "x" * 100_000,
    "1" * 100_000,
    "(" * 50_000 + ")" * 50_000,
    "\\sqrt{" * 300 + "2" + "}" * 300,
    "\\frac{1}{1+" * 200 + "1" + "}" * 200,
    "\\begin{pmatrix}" + "\\\\".join("&".join("1" * 90) for _ in range(90)) + "\\end{pmatrix}",
    "\\{" + ",".join(f"\\sqrt{{{n}}}" for n in range(300)) + "\\}",
    ",".join("\\frac{1}{3}" for _ in range(150)),
    "\\tan(10^{300})",
    "\\int_0^1 e^{x^2} \\sin(x^3) dx",
    "\\lim_{n \\to \\infty} (1+\\frac{1}{n})^{n^{n^{n}}}",
    "\\text{" * 400,
    "7\\text{ mile" + "(10^6)!!" * 100,
    "7\\text{ cm}^{99999999}",
    "7\\text{ cm^99999999}",
    "\\boxed{" * 400,
    "__import__('os').system('touch pwned')",
    "\\text{exec}(open('pwned','w'))",
    "lambda x: x**x**x",
]


@pytest.fixture(scope="module")
def task() -> TaskConfig:
    return TaskConfig.model_validate(
        {
            "name": "t",
            "dataset_path": "x",
            "dataset_split": "test",
            "prompt": "{{ q }}",
            "target": "a",
            "scorer": "math",
        }
    )


def scores_of(wait: Wait, task: TaskConfig, pairs: list[tuple[str, str]], workers: int = 2) -> list[Score]:
    async def main() -> list[Score]:
        problems = [(Problem("0", "", gold), answer) for gold, answer in pairs]
        async with LocalExecutor(workers) as executor:
            return await graded(task, problems, executor)

    scores: list[Score] = wait(main())
    return scores


def test_no_hostile_answer_is_right_or_costs_another_its_verdict(
    wait: Wait, task: TaskConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    pairs = [("\\frac{1}{2}", "\\boxed{0.5}")]
    for text in HOSTILE:
        pairs += [("(x+y+z)^{59}", f"\\boxed{{{text}}}"), ("x^2+2x+1", "\\boxed{(x+1)^2}")]
    scores = scores_of(wait, task, pairs)
    assert all(score.correct is False for score in scores[1::2])
    assert all(score.correct is True for score in scores[::2])
    assert all(score.reason for score in scores)
    assert not (tmp_path / "pwned").exists()


def test_hostile_gold_answers_hang_nothing_either(wait: Wait, task: TaskConfig) -> None:
    scores = scores_of(wait, task, [(text, "\\boxed{42}") for text in HOSTILE])
    assert all(score.correct is False for score in scores)


def test_an_answer_that_overruns_costs_its_own_verdict_alone(wait: Wait, tmp_path: Path) -> None:
    """With a scorer that hangs on purpose, for none of ours does."""
    module = tmp_path / "slow.py"
    module.write_text(
        "from dataclasses import dataclass\n"
        "from typing import ClassVar\n"
        "from skythought.scorers.base import Scorer\n"
        "from skythought.types import Score\n"
        "@dataclass(frozen=True)\n"
        "class Slow(Scorer):\n"
        "    timeout_s: ClassVar[float] = 1.0\n"
        "    def score(self, problem, answer):\n"
        "        if answer == 'hang':\n"
        "            return 7 ** (9 ** 9)\n"
        "        return Score(True, 'fine', answer)\n",
        encoding="utf-8",
    )
    config = TaskConfig.model_validate(
        {"name": "t", "dataset_path": "x", "dataset_split": "test", "prompt": "p", "target": "a"}
        | {"scorer": f"{module}:Slow"}
    )

    async def main() -> tuple[list[Score], float]:
        problem = Problem("0", "", "")
        async with LocalExecutor(1) as executor:
            await graded(config, [(problem, "warm")], executor)
            started = asyncio.get_running_loop().time()
            answers = ["a"] * 8 + ["hang"] + ["b"] * 4 + ["hang"] + ["c"] * 2
            scores = await graded(config, [(problem, answer) for answer in answers], executor)
            return scores, asyncio.get_running_loop().time() - started

    scores, seconds = wait(main())
    assert [score.verdict for score in scores] == [
        *["correct"] * 8,
        "wrong",
        *["correct"] * 4,
        "wrong",
        *["correct"] * 2,
    ]
    assert "ran over its limit of 1 s" in scores[8].reason
    assert seconds < 2 * 1.0 + 10  # two deadlines, not sixteen


LONG = [
    *("\\frac{1}{1+", "\\sqrt{", "x^", "x_{", "(", "|x", "\\{", "\\pm ", "-", "!", "%", "5 km/h", "1,000", "x=1,"),
    *("\\dot{", "x'(t)", "dx/dt", "\\frac{d}{dx}", "1 and ", "for all x ", "\\text{", "\\boxed{", "(A) ", "$x$ ", "√"),
    *(
        "1:",
        "x \\equiv ",
        "n\\equiv 1 \\pmod{97} or ",
        "\\sin ",
        "\\lfloor ",
        "\\binom{5000}{2500}+",
        "a_",
        "\\ldots",
        "x<",
    ),
    *("\\begin{pmatrix}1&x\\\\x&1\\end{pmatrix}", "(1,2),", "\\sin(x+1),", "c_1 e^{x}+", "4000!+", "100000!*", "3!"),
    *("\\sum_{k=1}^{200}", "\\tan(10^{300})+", "(x+y+z)^{60}*", "\\frac{1}{3^{999}+7}+", "one hundred ", "[1,2]-", "①"),
]
"""Repeated to the longest answer that is compared."""
GOLDS = ["(x+y+z)^{59}", "(1,2)", "y=2x+1"]


@pytest.mark.parametrize("side", ["answer", "gold"])
def test_no_comparison_takes_half_a_second(side: str) -> None:
    compare("x^2", "x x")  # imports

    def seconds(gold: str, given: str) -> float:
        started = time.process_time()
        compare(gold, given)
        return time.process_time() - started

    slow = []
    for text in (piece * (1990 // len(piece)) for piece in LONG):
        texts = [text[:1000], text[:1000] + "+x"] if side == "answer" else [text[:1990]]
        pairs = [(gold, text) if side == "answer" else (text, gold) for gold in GOLDS for text in texts]
        for gold, given in [*pairs, (text[:1900] + "+x", text[:1900] + "+y")]:
            # A busy machine may cost one try some more.
            if seconds(gold, given) > 0.5 and seconds(gold, given) > 0.5:
                slow.append((gold[:40], given[:40]))
    assert slow == []
