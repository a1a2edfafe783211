"""Words: what typesetting does not change, and what it must not hide."""

from __future__ import annotations

import pytest

from skythought.exporting.words import numbers, tokens, words

SAME = [
    (r"What is $\frac{1}{2} + \dfrac12$?", "What is 1/2 + ½?"),
    (r"Sold for $\$1{,}250$", "sold for $1250"),
    (r"about 24,\!000 or 24\,000", "about 24000 or 24,000"),
    ("10 000 people", "10,000 people"),
    (r"$a \leq b$", "a ≤ b"),
    (r"$x^{2} + x_1$", "x² + x₁"),
    (r"\(\sin 45^\circ\)", "sin 45°"),
    (r"$\theta$ and $\varphi$", "θ and φ"),
    (r"$3 \times 4$", "3 × 4"),
    (r"$3 \cdot 4$", "3 * 4"),
    (r"$\left( a, b \right)$", "(a, b)"),
    (r"\begin{align*} a &= b \end{align*}", "a = b"),
    (r"\text{area } \textbf{of} $\triangle ABC$", "area of △ABC"),
    ("**Find** x", "Find x"),
    ("<p>Find&nbsp;x &lt; 5</p>", "find x < 5"),
    ("0.50 and .5", ".5 and 0.5"),
    ("25%", r"25\%"),
    ("twenty-five of three hundred", "25 of 300"),
    ("2.5 million", "2,500,000"),
    ("café", "CAFE\u0301"),
    ("Find x.", "  find\tx.  "),
    ("See ![a figure](x.png) here", "See here"),
    (r"Look: [asy] draw((0,0)--(1,1)); [/asy]", "Look:"),
]


@pytest.mark.parametrize(("one", "other"), SAME, ids=[one for one, _ in SAME])
def test_the_same_however_it_is_set(one: str, other: str) -> None:
    assert words(one) == words(other)
    assert words(one)


@pytest.mark.parametrize(
    ("one", "other"),
    [("5² is", "52 is"), ("x + 3", "x - 3"), ("12 / 4", "12 * 4"), ("1.5 km", "15 km"), ("a, 100, 200", "a 100200")],
)
def test_what_differs_stays_different(one: str, other: str) -> None:
    assert tokens(one) != tokens(other)


def test_scripts_without_spaces_are_read_by_character() -> None:
    assert words("求方程的解。") == list("求方程的解")


def test_sentences_and_lines_end() -> None:
    assert tokens("What is 3.5 + 1? Tell me.\n(A) five") == [
        *("what", "is", "3.5", "+", "1", "\n", "tell", "me", "\n", "\n", "5"),
    ]


def test_numbers_are_told_from_words() -> None:
    assert numbers(words("In 1992, twelve of 007 x2")) == ["1992", "12", "7", "2"]
