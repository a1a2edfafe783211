"""What is a loop, and what only looks like one."""

from __future__ import annotations

import time

import pytest

from skythought.runs.looping import is_looping

PARAGRAPH = "Wait, let me check this again. The sum of the digits is 14, which is not a multiple of 3, so no. "
LONG = "".join(f"Step {number}: we look at {number * 37 % 101}. " for number in range(120))

LOOPS = {
    "a sentence": "Let me think. " + "Wait, I should check the sign of the second term once more. " * 30,
    "a paragraph": "First,\n" + ("Hmm, suppose that x is 3.\nThen the sum is 12, which is wrong.\n\n" * 20),
    "a word": "The answer is " + "the " * 400,
    "a phrase that is cut off": ("Alternatively, we can use the formula for the area of a triangle. " * 20)[:-17],
    "with a counter": "".join(
        f"Wait, this is attempt number {number}, so let me try it again. " for number in range(200)
    ),
    "with other first words": "".join(
        f"{('Wait', 'Hmm', 'But', 'So', 'Now')[number * number % 5]}, {PARAGRAPH}" for number in range(70)
    ),
    "two in turns": "".join((PARAGRAPH, "No, that is not what was asked for. ")[n * n % 7 % 2] for n in range(90)),
    "ten times": "So the answer. " + PARAGRAPH * 10,
    "ten times, cut off in the middle": "So the answer. " + PARAGRAPH * 10 + PARAGRAPH[:37],
    "zeros": "0" * 1000,
    "fractions": "\\frac{1}{" * 200,
    "lines": "yes\n" * 100,
    "a long period": "Start. " + LONG[:3000] * 5,
    "blank lines at its end": "ha" * 150 + "\n" * 50,
    "nothing but blank lines": "So the answer is 4." + "\n" * 500,
    "with a rule in it": ("-" * 90 + "\n" + PARAGRAPH) * 8,
    "Chinese": "我再想一想。" * 60,
}
OTHERS = {
    "nothing": "",
    "a word": "short",
    "a few words": "no no no no",
    "short": "ha " * 50,
    "twice": PARAGRAPH * 2,
    "prose": " ".join(
        f"Step {number}: multiply {number * 37} by {number**2 + 7} and add {number**3}." for number in range(90)
    ),
    "steps": LONG,
    "numbers": "".join(f"{number}, " for number in range(2000)),
    "a table of zeros": "0 0 0 0\n" * 12,
    "a rule": "Result\n" + "-" * 300 + "\nx = 4",
    "a loop that it left": "Wait, let me see. " * 40
    + "".join(f"So {n}^2 = {n * n} and {n}^3 = {n**3}. " for n in range(7, 90)),
    "a loop and an answer": PARAGRAPH * 10 + "At last: it is 7, since nothing else is left to be looked at.",
    "code": "x = 1\n" * 3 + "Done: the loop above is what was asked for, and it ends here with x = 1, as one sees.",
    "long lines of cases": "".join(f"Case n = {n}: {n * n} mod 7 is {n * n % 7}, so {n} fails.\n" for n in range(150)),
    "a simulation": "".join(f"After step {n} the token moves from {n % 6} to {(n + 1) % 6}.\n" for n in range(150)),
    "assertions": "".join(f"assert f({n}) == {n * n}\n" for n in range(200)),
}


@pytest.mark.parametrize("name", LOOPS)
def test_it_is_a_loop(name: str) -> None:
    assert is_looping(LOOPS[name])


@pytest.mark.parametrize("name", OTHERS)
def test_it_is_none(name: str) -> None:
    assert not is_looping(OTHERS[name])


@pytest.mark.parametrize("text", ["ab" * 10**6 + "c" * 99, "a" * 10**7, ("x" * 99 + "y") * 10**5 + "z" * 100])
def test_looking_for_loops_does_not_take_long(text: str) -> None:
    began = time.process_time()
    is_looping(text)
    assert time.process_time() - began < 2
