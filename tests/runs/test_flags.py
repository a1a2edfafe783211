"""Signs on responses: loops, gold answers that were not read, thinking without an end."""

from __future__ import annotations

import pytest

import skythought as st
from skythought.runs.flags import Flags, flags_of, holds_gold
from skythought.runs.sample import Sample
from skythought.types import Problem, Response, SampleKey, Score

PARAGRAPH = "Wait, let me check this again. The sum of the digits is 14, which is not a multiple of 3, so no. "
LONG = "".join(f"Step {number}: we look at {number * 37 % 101}. " for number in range(120))


@pytest.mark.parametrize(
    ("text", "gold"),
    [
        ("Thus the total is 1,234 apples.", "1234"),
        ("so x = $\\dfrac{3}{4}$", "\\frac{3}{4}"),
        ("The value is \\boxed{ 42 }, I think.", "42"),
        ("so 2 \\times 7 gives \\boxed{14}", "14"),
        ("\\text{Paris} \\to", "Paris"),
        ("ANSWER: Paris.", "paris"),
        ("Hence **B**", "B"),
        ("we get (2, 3) at last", "(2,3)"),
        ("It is 7.", "7"),
        ("some\n\nx^2 + 2x\nend", "x^2+2x"),
    ],
)
def test_a_gold_answer_that_stands_there(text, gold):
    assert holds_gold(text, gold)


@pytest.mark.parametrize(
    ("text", "gold"),
    [
        ("It is 17.", "7"),
        ("It is 7.5", "7"),
        ("It is -7", "7"),
        ("It is - 7", "7"),
        ("It is 3/7", "7"),
        ("It is x_7", "7"),
        ("7 comes first.\nThen nothing.", "7"),  # a single figure counts in the last line alone
        ("1234\n" + "and so on\n" * 9, "1234"),
        ("Because of that, no.", "B"),
        ("anything", ""),
        ("\\frac{7}{8}", "7"),
    ],
)
def test_a_gold_answer_that_does_not(text, gold):
    assert not holds_gold(text, gold)


def made(content: str, verdict: str, target: object = "1234", reason: str = "stop", **response: object) -> Sample:
    answer = Response(key=SampleKey("0", 0), content=content, finish_reason=reason, **response)
    score = Score(verdict == "correct", "", verdict=verdict)
    return Sample(Problem("0", "?", target), (), answer, score, 1)


@pytest.mark.parametrize(
    ("sample", "flags"),
    [
        (made("It is 1234, so \\boxed{7}", "wrong"), Flags.GOLD_UNREAD),
        (made("It is 1234", "correct"), Flags.NONE),
        (made("It is 1234", "unparsed", target=1234), Flags.GOLD_UNREAD),
        (made("It is 1234", "wrong", target={"tests": ["1234"]}), Flags.NONE),
        (made("It is Rome", "wrong", target=["Paris", "Rome"]), Flags.GOLD_UNREAD),
        (made("<think>\nhm, 1234", "truncated", reason="length"), Flags.THINKING_OPEN),
        (made("<think>\n" + "hm, " * 99, "truncated", reason="length"), Flags.THINKING_OPEN | Flags.LOOPING),
        (made("hm, " * 99, "wrong"), Flags.NONE),  # it ended by itself
        (made("hm, " * 99, "correct", reason="length"), Flags.LOOPING),
        (made("", "failed", error="gone"), Flags.NONE),
    ],
)
def test_the_signs_on_a_sample(sample, flags):
    assert flags_of(sample, sample.parts) == flags


def test_loops_are_counted_in_the_summary(tmp_path):
    backend = tmp_path / "loops.py"
    backend.write_text(
        "from skythought.backends.base import BackendArgs, ConcurrentBackend\n"
        "class Loops(ConcurrentBackend[BackendArgs]):\n"
        "    async def answer(self, request):\n"
        "        text = 'and so on, ' * 99 if request.key.sample else 'It is 1.'\n"
        "        return request.response(text, finish_reason='length' if request.key.sample else 'stop')\n",
        encoding="utf-8",
    )
    run = st.evaluate(
        "arithmetic", model="m", backend=f"{backend}:Loops", n=3, end=2, result_dir=tmp_path,
        sampling_params={"temperature": 1.0},
    )  # fmt: skip
    assert run.statistics["looping"] == 4
