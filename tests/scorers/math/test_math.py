"""Mathematical answers: what is the same, what is not, and what is never computed."""

from __future__ import annotations

import pickle
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from skythought.errors import UserError
from skythought.scorers import score_text
from skythought.scorers.math.scorer import MathScorer
from skythought.types import Problem

MATH = MathScorer()


def correct(gold: Any, given: str, kind: Any = "expression") -> bool:
    return score_text(MathScorer(kind=kind), f"So the answer is $\\boxed{{{given}}}$.", gold).correct is True


SAME = [
    ("\\frac{1}{2}", "1/2"),
    ("\\frac12", "\\dfrac{1}{2}"),
    ("\\frac{1}{2}", "0.5"),
    ("-\\frac{1}{2}", "\\frac{-1}{2}"),
    ("1.5", "1\\frac{1}{2}"),
    ("18.5", "18.50"),
    ("1000000", "1,000,000"),
    ("11111111100", "11,\\!111,\\!111,\\!100"),
    ("10000", "10{,}000"),
    ("15000", "\\$15,\\!000"),
    ("27.0", "27"),
    (27, "27"),
    (27.0, "27"),
    ("5", "x = 5"),
    ("5", "5\\text{ cm}^2"),
    ("5", "5 \\text{ apples}"),
    ("106^\\circ", "106"),
    ("28\\%", "28"),
    ("28\\%", "0.28"),
    ("\\sqrt2", "\\sqrt{2}"),
    ("\\{1,2\\}", "\\{2,1\\}"),
    ("\\sqrt2,1", "1, \\sqrt{2}"),
    ("1, 2 and 3", "3, 1, 2"),
    (["2", "3"], "3,2"),
    (["$69$,$84$"], "84 \\text{ and } 69"),
    ("x \\in [-2,7]", "[-2,7]"),
    ("\\left(1, 2\\right)", "(1,2)"),
    ("(1,1), (3,2)", "(3,2),(1,1)"),
    ("3\\times10^{8}", "300000000"),
    ("2.5e-3", "0.0025"),
    ("\\begin{pmatrix}1&2\\\\3&\\frac12\\end{pmatrix}", "\\begin{bmatrix} 1 & 2 \\\\ 3 & 0.5 \\end{bmatrix}"),
    ("\\begin{pmatrix}1\\\\2\\end{pmatrix}", "(1,2)"),
    ("(x+1)^2", "x^2+2x+1"),
    ("2\\sqrt{3}", "\\sqrt{12}"),
    ("\\text{odd}", "odd"),
    ("\\text{(C)}", "C"),
    ("\\frac{1}{3}", "0.333333333"),
    ("The area is \\boxed{12} square metres.", "12"),
    ("1, 2, 3, 4, 5, 6, 7, 8", "8, 7, 6, 5, 4, 3, 2, 1"),
]
DIFFERENT = [
    ("8", "800"),
    ("2", "200"),
    ("800", "8"),
    ("0.5", "50"),
    ("20160", "20161"),
    ("100000000000", "99999999999"),
    ("1,2", "12"),
    ("12", "1,2"),
    ("32349", "32, 349"),
    ("(1,2)", "[1,2]"),
    ("(1,2)", "(2,1)"),
    ("[0,1)", "[0,1]"),
    ("\\{1,2\\}", "\\{1,2,3\\}"),
    (["2", "3"], "2"),
    (["2", "3"], "2,2"),
    ("1,1,2", "1,2,2"),
    ("28\\%", "2800"),
    ("6", "6abc"),
    ("\\frac{1}{3}", "0.33"),
    ("5", "-5"),
    ("x+1", "x+2"),
    ("\\text{even}", "odd"),
    ("a", "A b"),
    ("\\begin{pmatrix}1\\\\2\\end{pmatrix}", "(2,1)"),
    ("\\begin{pmatrix}1&2\\end{pmatrix}", "\\begin{pmatrix}1\\\\2\\end{pmatrix}"),
    ("2", "[]"),
    ("2", "\\,"),
]


@pytest.mark.parametrize(("gold", "given"), SAME)
def test_same(gold: Any, given: str) -> None:
    assert correct(gold, given)


@pytest.mark.parametrize(("gold", "given"), DIFFERENT)
def test_different(gold: Any, given: str) -> None:
    assert not correct(gold, given)


@pytest.mark.parametrize(
    ("gold", "given", "expected"),
    [
        ("025", "25", True),
        ("25", "025", True),
        ("336^\\circ", "336", True),
        ("336^\\circ", "336^\\circ", True),
        ("70", "70\\text{ ways}", True),
        ("70", "m+n = 70", True),
        ("70", "70.0", True),
        ("70", "70.5", False),
        ("70", "7", False),
        ("8", "800", False),
    ],
)
def test_integers(gold: str, given: str, expected: bool) -> None:
    assert correct(gold, given, "integer") is expected


@pytest.mark.parametrize(
    ("gold", "response", "expected"),
    [
        ("18", "The final answer is 18 apples in 2 days.", True),
        ("2", "The final answer is 18 apples in 2 days.", False),
        ("18.5", "The final answer is $18.50.", True),
        ("1250", "The final answer is 1,250 dollars", True),
        ("18", "The final answer is 20 - 2 = 18.", True),
        ("18", "The final answer is **18**.", True),
        ("18", "#### 18", True),
        ("-3", "The final answer is -3", True),
        ("18", "18 cats were there, now 4 + 5 = 9", False),
    ],
)
def test_numbers_in_sentences(gold: str, response: str, expected: bool) -> None:
    assert score_text(MathScorer(kind="number"), response, gold).correct is expected


@pytest.mark.parametrize(
    ("response", "answer", "rule"),
    [
        ("... so \\boxed{5}. I have boxed it.", "5", "boxed"),
        ("\\boxed{1}, \\boxed{2} and \\boxed{3}", "1, 2, 3", "several boxes"),
        ("\\boxed{10} and then \\boxed{42}", "42", "boxed"),
        ("First the answer is 4. No: the final answer is 5.", "5", "stated"),
        ("**Answer:** $\\frac{1}{2}$", "\\frac{1}{2}", "stated"),
        ("The answer is 3.14, as said.", "3.14, as said", "stated"),
        ("x = 3", "x = 3", "last line"),
        ("We add them all, one by one, to see that there are 17 of those", "17", "last number"),
    ],
)
def test_what_is_taken_and_why(response: str, answer: str, rule: str) -> None:
    score = score_text(MATH, response, "1")
    assert (score.answer, score.details["rule"]) == (answer, rule)
    assert score.details.get("fallback", False) is (rule in ("last line", "last number"))


@pytest.mark.parametrize("response", ["", "I do not know.", "\\boxed{}", "…"])
def test_nothing_found_is_unparsed(response: str) -> None:
    score = score_text(MATH, response, "1")
    assert score.correct is False
    assert score.answer is None


def test_reason_and_details_tell_the_steps() -> None:
    score = score_text(MATH, "\\boxed{800}", "8")
    assert score.reason == "800 (boxed) ≠ 8: numbers compared exactly"
    assert score.details == {"rule": "boxed", "compared_with": "8", "step": "numbers compared exactly"}


HOSTILE = [
    "9^{9^{9}}",
    "9^{9^{9^9}}",
    "10**10**10",
    "2^{1000000000}",
    "100000!",
    "((9!)!)!",
    "(x+1)^{5000}-y",
    "(a+b+c+d)^{99}",
    "\\binom{10000000}{5000000}",
    "1" * 900,
    "x" * 2000,
    "(" * 500,
    "\\int_0^1 e^{x^2} \\sin(x^3) dx",
    "1e999999999",
    "__import__('os').system('touch pwned')",
]


@pytest.mark.parametrize("given", HOSTILE, ids=lambda text: text[:20])
@pytest.mark.parametrize("kind", ["expression", "integer", "number"])
def test_absurd_answers_are_wrong_at_once(
    given: str, kind: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    start = time.process_time()
    score = score_text(MathScorer(kind=kind), f"\\boxed{{{given}}} 1", "42")
    assert score.correct is False
    assert score.reason
    assert time.process_time() - start < 3
    assert not (tmp_path / "pwned").exists()


def test_a_call_is_no_sentence_with_a_number() -> None:
    assert not score_text(MathScorer(), r"\boxed{__import__('time').sleep(3)}", "3").correct
    assert score_text(MathScorer(), r"\boxed{\text{There are 3 (three) of them}}", "3").correct


def test_long_responses_take_no_time() -> None:
    start = time.process_time()
    for text in ("the answer is " * 20_000, "\\boxed{" * 20_000, "\\[ " * 20_000, "1 " * 100_000, "$" * 50_000):
        score_text(MATH, text, "4")
    assert time.process_time() - start < 3


def test_plain_answers_load_nothing_and_no_answer_loads_an_algebra_system() -> None:
    code = (
        "import sys\n"
        "from skythought.scorers import score_text\n"
        "from skythought.scorers.math import MathScorer\n"
        "assert score_text(MathScorer(), r'\\boxed{\\frac{2}{4}}', '0.5').correct\n"
        "assert not score_text(MathScorer(), r'\\boxed{3, 4}', '4, 5').correct\n"
        "assert 'mpmath' not in sys.modules\n"
        "MathScorer().prepare()\n"
        "assert 'mpmath' in sys.modules\n"
        "assert score_text(MathScorer(), r'\\boxed{x+x}', '2x').correct\n"
        "assert not score_text(MathScorer(), r'\\boxed{\\int_0^1 x dx}', '0.5').correct\n"
        "assert not {'sympy', 'math_verify'} & set(sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


@pytest.mark.parametrize("gold", [r"\int_0^1 e^{x^2} dx", r"\lim_{n \to \infty} a_n", r"\nabla f"])
def test_what_the_grammar_does_not_know_is_compared_as_written(gold: str) -> None:
    assert correct(gold, gold.replace("0", " 0 ").replace("^", " ^ "))
    score = score_text(MATH, r"\boxed{2}", gold)
    assert score.correct is False
    assert "not the same text" in score.reason


def test_small_frozen_and_picklable() -> None:
    assert pickle.loads(pickle.dumps(MathScorer(kind="integer"))) == MathScorer(kind="integer")
    with pytest.raises(UserError, match="kind 'numbers'"):
        MathScorer(kind="numbers")  # type: ignore[arg-type]
    assert MATH.score(Problem("0", "", "4"), "\\boxed{4}").verdict is None
