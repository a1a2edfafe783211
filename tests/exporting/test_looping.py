"""What is a loop, and what only looks like one."""

from __future__ import annotations

import pytest

from skythought.exporting.looping import is_looping

LOOPS = {
    "a sentence": "Let me think. " + "Wait, I should check the sign of the second term once more. " * 30,
    "a paragraph": "First,\n" + ("Hmm, suppose that x is 3.\nThen the sum is 12, which is wrong.\n\n" * 20),
    "a word": "The answer is " + "the " * 400,
    "a phrase that is cut off": ("Alternatively, we can use the formula for the area of a triangle. " * 20)[:-17],
    "with a counter": "".join(
        f"Wait, this is attempt number {number}, so let me try it again. " for number in range(200)
    ),
}
OTHERS = {
    "nothing": "",
    "short": "ha " * 50,
    "prose": " ".join(
        f"Step {number}: multiply {number * 37} by {number**2 + 7} and add {number**3}." for number in range(90)
    ),
    "a table of zeros": "0 0 0 0\n" * 12,
    "a rule": "Result\n" + "-" * 300 + "\nx = 4",
    "a loop that it left": "Wait, let me see. " * 40
    + "".join(f"So {n}^2 = {n * n} and {n}^3 = {n**3}. " for n in range(7, 90)),
    "long lines of cases": "".join(f"Case n = {n}: {n * n} mod 7 is {n * n % 7}, so {n} fails.\n" for n in range(150)),
}


@pytest.mark.parametrize("name", LOOPS)
def test_it_is_a_loop(name: str) -> None:
    assert is_looping(LOOPS[name])


@pytest.mark.parametrize("name", OTHERS)
def test_it_is_none(name: str) -> None:
    assert not is_looping(OTHERS[name])
