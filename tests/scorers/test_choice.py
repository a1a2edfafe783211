"""Multiple choice: which option a response settles on."""

from __future__ import annotations

import time

import pytest

from skythought.scorers import score_text
from skythought.scorers.choice import ChoiceScorer, find_choice

CHOICE = ChoiceScorer()
TEXTS = ("helium", "oxygen gas", "hydrogen", "carbon")


def letter(response: str, count: int = 4, texts: tuple[str, ...] = TEXTS) -> str | None:
    found = find_choice(response, count, texts)
    return None if found is None or not found.letters else found.letters


@pytest.mark.parametrize(
    ("response", "expected"),
    [
        ("\\boxed{C}", "C"),
        ("\\boxed{B}. This is a known result.", "B"),
        ("\\boxed{B}. I am sure.", "B"),
        ("\\boxed{\\text{C}}", "C"),
        ("$\\boxed{\\textbf{(C)}}$", "C"),
        ("\\boxed{c}", "C"),
        ("\\boxed{C) hydrogen}", "C"),
        ("\\boxed{hydrogen}", "C"),
        ("\\boxed{\\text{Hydrogen}}", "C"),
        ("\\boxed{A}, no, wait: \\boxed{D}", "D"),
        ("The answer is (C).", "C"),
        ("The answer is: C", "C"),
        ("The final answer is **C**.", "C"),
        ("The best answer is B", "B"),
        ("The best answer is: B", "B"),
        ("The best answer is [B].", "B"),
        ("The correct answer is option D because B is not a gas.", "D"),
        ("the answer is c.", "C"),
        ("The answer is hydrogen.", "C"),
        ("Answer: C", "C"),
        ("ANSWER: A\nWait, that is wrong.\nANSWER: B", "B"),
        ("The answer is A. Later: the answer is B.", "B"),
        ("The answer is A.", "A"),
        ("The answer is a matter of taste, but I would say so.", None),
        ("The answer is \\boxed{A}", "A"),
        ("**C**", "C"),
        ("**C) hydrogen**", "C"),
        ("C", "C"),
        ("c", "C"),
        (" C. ", "C"),
        ("(C)", "C"),
        ("C)", "C"),
        ("B) oxygen gas", "B"),
        ("D. it can't be A or B", "D"),
        ("I think it's B", "B"),
        ("I would choose option B.", "B"),
        ("Therefore, C is correct.", "C"),
        ("Option A is wrong. Option D is the right one", "D"),
        ("hydrogen", "C"),
        ("答案是 B", "B"),
        ("정답: D", "D"),
        ("I have no idea. A guess would be unfair.", None),
        ("A bird in the hand", None),
        ("", None),
    ],
)
def test_which_option(response: str, expected: str | None) -> None:
    assert letter(response) == expected


def test_letters_beyond_the_options_do_not_count() -> None:
    assert letter("The answer is I.") is None
    assert letter("The answer is (I).", 9, ()) == "I"
    assert letter("\\boxed{E}") is None
    assert letter("\\boxed{E}", 5, (*TEXTS, "neon")) == "E"


def test_pronoun_is_no_option() -> None:
    ten = tuple(f"text {number}" for number in range(10))
    assert letter("The answer is (B). I checked it twice, as I always do.", 10, ten) == "B"
    assert letter("So the answer is I", 10, ten) == "I"


def test_digits() -> None:
    assert letter("\\boxed{3}", 4, ("red", "blue", "green", "grey")) == "C"
    assert letter("The answer is 2.", 4, ("2", "4", "6", "8")) == "A"
    assert letter("\\boxed{6}", 4, ("2", "4", "6", "8")) == "C"
    assert letter("\\boxed{3}", 4, ("2", "4", "6", "8")) is None


def test_text_of_an_option_inside_another() -> None:
    texts = ("energy", "kinetic energy", "heat")
    assert letter("\\boxed{kinetic energy}", 3, texts) == "B"
    assert letter("\\boxed{energy}", 3, texts) == "A"
    assert letter("It is heat or energy.", 3, texts) is None


def test_score_says_why() -> None:
    score = score_text(CHOICE, "\\boxed{B}", "C", TEXTS)
    assert (score.correct, score.answer, score.reason) == (False, "B", "B (boxed) ≠ C")
    assert score.details == {"rule": "boxed", "compared_with": "C"}
    assert score_text(CHOICE, "\\boxed{B}", "B").correct
    nothing = score_text(CHOICE, "Hard to say.", "B", TEXTS)
    assert (nothing.correct, nothing.answer) == (False, None)


def test_long_responses_take_no_time() -> None:
    start = time.perf_counter()
    for text in ("the answer is " * 20_000, "(A) " * 50_000, "**" * 50_000, "so " * 50_000, "a" * 200_000):
        find_choice(text, 4, TEXTS)
    assert time.perf_counter() - start < 3
