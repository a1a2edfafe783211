r"""How whole responses give their answer, each with near misses: one digit, sign, bound or bracket away."""

from __future__ import annotations

import pytest

from skythought.scorers import score_text
from skythought.scorers.math.scorer import MathScorer

MATH = MathScorer()

STATED_42 = [
    r"\boxed{\textcolor{red}{42}}",
    r"\boxed{\color{blue} 42}",
    r"\boxed{\text{The answer is } 42}",
    r"\boxed{N = 6 \cdot 7 = 42}",
    r"\boxed{\{42\}}",
    r"\boxed{x \in \{42\}}",
    r"\boxed 42",
    "Answer:\n```\n42\n```",
    "**Final Answer**\n\n42",
    "Final Answer: $$\n42\n$$",
    "Ans: 42",
    "42 is the answer.",
    "Hence, $x = 42$.",
    '{"answer": 42}',
    "The answer is “42”.",
    "最终答案是 \\(42\\)。",
    "La respuesta final es $42$.",
    "Ответ: 42",
    "정답은 42입니다.",
    "<answer>\\boxed{42}</answer>",
]
SAME = [
    ("1250", "The answer is 1,250 miles."),
    ("1000.99", "so the area is 1,000.99m²"),
    ("1000000", r"\boxed{1\text{,}000\text{,}000}"),
    ("1000000", "1 million"),
    (r"2.5 \text{ million}", r"\boxed{2500000}"),
    (r"5 \text{ billion}", "5,000 million"),
    (r"\frac34", r"\boxed{\nicefrac{3}{4}}"),
    (r"\frac34", "3⁄4"),
    (r"\frac34", r"\boxed{\frac34 \text{ or } 0.75}"),
    ("4/9", "The answer is 0 4/9."),
    ("9004/9", "1 000 4/9"),
    ("1,2,3", r"\boxed{x \in \{1,2,3\}}"),
    ("1,2,3", r"\boxed{S=\{3,2,1\}}"),
    ("1,2,3", r"\boxed{x=1 \lor x=2 \lor x=3}"),
    ("1,2,3", r"\boxed{1\text{, }2\text{, and }3}"),
    ("1,2,3", "The answers are 1, 2, and 3."),
    ("1,2,3", "The solutions are $x=1$, $x=2$ and $x=3$."),
    ("1,2", "x=1或x=2"),
    ("(1,2)", r"\boxed{P(1,2)}"),
    ("(1,2)", r"\boxed{\text{the point }(1,2)}"),
    ("(1,2)", r"\boxed{y=2, x=1}"),
    ("[0,1)", r"\boxed{[0,1[}"),
    ("(0,1]", r"\boxed{\left]0,1\right]}"),
    (r"(-\infty,1)\cup(3,\infty)", r"\boxed{]-\infty,1[\cup]3,+\infty[}"),
    (r"(-\infty,1)\cup(3,\infty)", "x<1或x>3"),
    (r"x \geq 5", r"\boxed{\geq 5}"),
    ("6:5", r"\boxed{6 \text{ to } 5}"),
    (r"\begin{pmatrix}1&2\\3&4\end{pmatrix}", r"\boxed{A=\left[\begin{array}{cc}1&2\\[4pt]3&4\end{array}\right]}"),
    (r"\begin{pmatrix}1&2\\3&4\end{pmatrix}", "[[1,2],[3,4]]"),
    (r"\begin{pmatrix}2&0\\0&5\end{pmatrix}", r"\boxed{D=\operatorname{diag}(2,5)}"),
    (r"\begin{pmatrix}1\\-2\end{pmatrix}", r"\boxed{[1,-2]}"),
    (r"\begin{pmatrix}1\\-2\end{pmatrix}", r"\boxed{\begin{pmatrix}1&-2\end{pmatrix}^T}"),
    (r"\begin{pmatrix}1/2\\3\end{pmatrix}", "\\boxed{\\begin{pmatrix}0.5\\\\\\frac{6}{2}\\end{pmatrix}}"),
    (r"\text{even}", r"\boxed{\text{The function is even}}"),
]
DIFFERENT = [
    ("1250", "The answer is 1,251 miles."),
    ("1250", "The answer is 12,50 miles."),
    ("1000000", "2 million"),
    ("1000000", "1 billion"),
    (r"2.5 \text{ million}", r"\boxed{2.5 \text{ billion}}"),
    (r"\frac34", r"\boxed{\frac34 \text{ or } 0.76}"),
    ("42", r"\boxed{42 \text{ or } 24}"),
    ("42", r"\boxed{\{42, 43\}}"),
    ("42", r"\boxed{\textcolor{red}{43}}"),
    ("42", r"\boxed{\geq 42}"),
    ("42", r"\boxed{\text{at least } 42}"),
    ("42", "43 is the answer."),
    ("11", "11 6/6"),
    ("103/9", "11.0 4/9"),
    ("71/6", "11\n5/6"),
    ("1", "1或x"),
    ("1,2,3", r"\boxed{x \in \{1,2\}}"),
    ("1,2,3", r"\boxed{x \notin \{1,2,3\}}"),
    ("1,2,3", "The solutions are $x=1$ and $x=3$."),
    ("(1,2)", r"\boxed{y=1, x=2}"),
    ("(1,2)", r"\boxed{P(2,1)}"),
    ("[0,1)", r"\boxed{[0,1]}"),
    ("[0,1)", r"\boxed{]0,1[}"),
    (r"(-\infty,1)\cup(3,\infty)", r"\boxed{]-\infty,1]\cup]3,+\infty[}"),
    (r"x \geq 5", r"\boxed{> 5}"),
    (r"x \geq 5", r"\boxed{\leq 5}"),
    ("6:5", r"\boxed{5 \text{ to } 6}"),
    (r"\begin{pmatrix}1&2\\3&4\end{pmatrix}", "[[1,2],[3,5]]"),
    (r"\begin{pmatrix}1&2\\3&4\end{pmatrix}", r"\boxed{\begin{pmatrix}1&2\\3&4\end{pmatrix}^T}"),
    (r"\begin{pmatrix}2&0\\0&5\end{pmatrix}", r"\boxed{\operatorname{diag}(5,2)}"),
    (r"\text{even}", r"\boxed{\text{The function is not even}}"),
    (r"\text{even}", r"\boxed{\text{It is false that it is even}}"),
]
APART = [
    (r"\frac{1}{2004!}", r"\frac{1}{2003!}"),
    (r"\frac{1}{2004!}", "0"),
    (r"\frac{1}{2004!}", r"-\frac{1}{2004!}"),
    (r"1-\frac{1}{2004!}", "1"),
    ("2^{-50000}", "2^{-50001}"),
    ("e^{-200}", "e^{-201}"),
    ("e^{-200}", "0"),
    ("1-e^{-200}", "1"),
    (r"\pi \cdot 10^{-70}", r"e \cdot 10^{-70}"),
    (r"\frac{x}{2004!}", r"\frac{x}{2003!}"),
    ("2025!", "2025!+1"),
    ("2024^{4046}", "2024^{4046}+1"),
]
TOGETHER = [
    (r"\frac{1}{2004!}", r"\frac{1}{2004 \cdot 2003!}"),
    ("2^{-50000}", "4^{-25000}"),
    ("e^{-200}", r"\frac{1}{e^{200}}"),
    ("2025!", r"2025 \cdot 2024!"),
    ("2024^{4046}", "(2024^2)^{2023}"),
    (r"\sin\pi", "0"),
    (r"\cos\frac{\pi}{2}", r"\sin 2\pi"),
    (r"(\sqrt3-\sqrt2)(\sqrt3+\sqrt2)-1", "0"),
]


@pytest.mark.parametrize("response", STATED_42)
def test_styles_of_one_number(response: str) -> None:
    score = score_text(MATH, response, "42")
    assert score.correct is True, score.reason
    assert score_text(MATH, response.replace("42", "43").replace("6 \\cdot 7", "43"), "42").correct is False


@pytest.mark.parametrize(("gold", "response"), SAME)
def test_same(gold: str, response: str) -> None:
    score = score_text(MATH, response, gold)
    assert score.correct is True, score.reason


@pytest.mark.parametrize(("gold", "response"), DIFFERENT)
def test_near_misses(gold: str, response: str) -> None:
    score = score_text(MATH, response, gold)
    assert score.correct is False, score.reason


@pytest.mark.parametrize(("gold", "given"), APART)
def test_numbers_that_agree_to_fifty_digits_are_told_apart(gold: str, given: str) -> None:
    for one, other in ((gold, given), (given, gold)):
        score = score_text(MATH, f"\\boxed{{{other}}}", one)
        assert score.correct is False, score.reason


@pytest.mark.parametrize(("gold", "given"), TOGETHER)
def test_tiny_and_huge_numbers_in_two_spellings(gold: str, given: str) -> None:
    score = score_text(MATH, f"\\boxed{{{given}}}", gold)
    assert score.correct is True, score.reason
