"""Reading an answer out of a response, the same for every scorer."""

from __future__ import annotations

import time

import pytest

from skythought.scorers import score_text
from skythought.scorers.answers.claims import claimed
from skythought.scorers.math.scorer import MathScorer

METALS = ["zinc", "silver", "copper", "nickel"]
WRAPPED = [
    "<answer>{}</answer>",
    '{{"reasoning": "short", "answer": "{}"}}',
    "<|begin_of_box|>{}<|end_of_box|>",
    "\\boxed{{{}}}<|im_end|>\n<|im_start|>user\nAnd now?",
    "The answer is {}.\n\nHuman: Another one?\n\nAssistant: The answer is 99.",
    "The answer is {}. I hope this answer is helpful!",
    "答案是 {}。",
    "정답은 {} 입니다.",
]


@pytest.mark.parametrize("form", WRAPPED)
def test_every_scorer_reads_every_dialect(form: str) -> None:
    assert score_text("math", form.format("31"), "31").correct
    assert score_text(MathScorer("integer"), form.format("31"), "31").correct
    assert score_text("choice", form.format("A"), "A", METALS).correct
    assert score_text("text", form.format("Oslo"), "Oslo").correct


@pytest.mark.parametrize(
    "answer",
    [
        "31, 32",
        "(31, 5)",
        "31^2",
        "31!",
        "31i",
        "31_8",
        ">31",
        "not 31",
        "31 or 32",
        "more than 31",
        "31 dozen",
        "31:30",
    ],
)
def test_a_number_kind_takes_no_part_of_something_else(answer: str) -> None:
    assert not score_text(MathScorer("integer"), f"\\boxed{{{answer}}}", "31").correct


@pytest.mark.parametrize("answer", ["30+1", "2031 \\equiv 31 \\pmod{1000}", "031", "31 sheep", "thirty-one", "x = 31"])
def test_a_number_kind_takes_what_is_the_number(answer: str) -> None:
    assert score_text(MathScorer("integer"), f"\\boxed{{{answer}}}", "31").correct


@pytest.mark.parametrize("answer", ["31 pairs", "31\\text{k}", "a quarter of 31"])
def test_a_number_kind_takes_no_part_of_a_multiple(answer: str) -> None:
    assert not score_text(MathScorer("number"), f"The answer is {answer}.", "31").correct


@pytest.mark.parametrize(
    ("response", "left"),
    [
        ("The answer is not 5 but 6.", "answer: 6"),
        ("The answer is not 5; it is 6.", "it is 6"),
        ("答案不是 5，而是 6。", "答案: 6"),
        ("La respuesta no es 5 sino 6.", "respuesta: 6"),
        ("Die Antwort ist nicht 5, sondern 6.", "Antwort: 6"),
        ("答えは 5 ではなく 6 です。", "答え: 6"),
        ("Cevap 5 değil, 6.", "Cevap: 6"),
        ("Suppose the answer is 5. Then 6.", "Then 6"),
        ("The answer is 6. Why is the answer not 5?", "The answer is 6"),
        ("The answer is 6. If x were negative, the answer would be 5.", "The answer is 6"),
    ],
)
def test_what_is_not_claimed_is_left_out(response: str, left: str) -> None:
    text = " ".join(claimed(response).split())
    assert left in text
    assert "5" not in text


@pytest.mark.parametrize(
    "before",
    [
        "If Tom had 5 apples and ate 2, ",
        "It is not hard to see that ",
        "There is no doubt that ",
        "It is not 41, because 41 is prime. So ",
        "Assuming a constant speed, ",
        "Whether or not we count the last, ",
    ],
)
def test_what_only_seems_denied_is_claimed(before: str) -> None:
    assert score_text("math", f"{before}the answer is 31.", "31").correct
    assert score_text("choice", f"{before}the answer is A.", "A", METALS).correct
    assert score_text("text", f"{before}the answer is Oslo.", "Oslo").correct


FLOODS = [
    *(
        "The answer is ",
        "\\boxed{",
        "\\boxed{1} ",
        "<answer>",
        "Answer:",
        "(",
        "[",
        "{",
        "$",
        "**",
        "x",
        "1",
        "1,",
        "\n",
        " ",
    ),
    *(
        '"answer": ',
        '{"answer": {',
        "Question:\n",
        "#### ",
        "答案是 ",
        "答案不是 ",
        "the answer is not ",
        "It is not 5 ",
    ),
    *(
        "Suppose the answer is ",
        "A or ",
        "Option A ",
        "A is correct ",
        "<|im_end|>",
        "<b>",
        "respuesta no es ",
        "√",
        "?",
    ),
]


@pytest.mark.parametrize("flood", FLOODS)
@pytest.mark.parametrize("name", ["math", "choice", "text"])
def test_time_grows_with_the_length_alone(flood: str, name: str) -> None:
    def seconds(characters: int) -> float:
        text = (flood * (characters // len(flood) + 1))[:characters]
        start = time.process_time()
        score_text(name, text, "A", METALS if name == "choice" else ())
        return time.process_time() - start

    # Eight times the text in far less than 64 times the time, which a quadratic reader takes. A busy machine may cost
    # one try some more: caches, pages.
    limit = 0.2 + 25 * min(seconds(20_000), seconds(20_000))
    assert any(seconds(160_000) < limit for _ in range(3))
