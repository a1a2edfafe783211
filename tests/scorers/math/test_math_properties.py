"""What holds for every answer: nothing raises, equal things stay equal however they are written, and in both orders."""

# ruff: noqa: SIM905 -- pieces of LaTeX are readable in a row, not in quotes
from __future__ import annotations

import string
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skythought.scorers import score_text
from skythought.scorers.math.equivalence import compare
from skythought.scorers.math.scorer import MathScorer

many = settings(max_examples=1500, derandomize=True, deadline=None)
some = settings(max_examples=300, derandomize=True, deadline=None)

PIECES = r"""
\frac \sqrt \boxed{ { } ( ) [ ] \{ \} | ^ _ + - = < \leq \pm \cup \in \infty \pi \text{ \text{_and_} \begin{pmatrix}
\end{pmatrix} & \\ $ \[ \] 1 2 10 0.5 1,000 ,_ , ; : ! % ^\circ x y n e i f(x) x_1 \sin \log_ \binom \sum_{k=1}^{
\lfloor \rfloor or_ for_all_ where_ cm the_answer_is_ #### ** _ 中 ½ ° \ ' ... \ldots \overline
""".split()
PIECES = [piece.replace("_", " ") if piece.endswith("_") else piece for piece in PIECES] + [
    "\n",
    "\x0c",
    "\t",
    "x_1",
    "_",
]
soup = st.lists(st.sampled_from(PIECES), max_size=14).map("".join)
numbers = st.fractions(min_value=-999, max_value=999, max_denominator=40)
GOLDS = [
    "5",
    "\\frac{1}{2}",
    "x^2+1",
    "(1,2)",
    "[0,1)",
    "x=5",
    "\\text{odd}",
    "1,2,3",
    "x>3",
    "\\begin{pmatrix}1\\\\2\\end{pmatrix}",
]


@many
@given(soup, st.sampled_from(GOLDS), st.sampled_from(["expression", "integer", "number"]))
def test_no_soup_of_formulas_raises(text: str, gold: str, kind: Any) -> None:
    for response in (text, f"\\boxed{{{text}}}"):
        score = score_text(MathScorer(kind), response, gold)
        assert score.correct in (True, False)
        assert score.reason


@many
@given(st.text(max_size=60), st.text(max_size=60))
def test_no_text_raises(response: str, gold: str) -> None:
    assert score_text(MathScorer(), response, gold).correct in (True, False)


@many
@given(soup)
def test_an_answer_is_the_same_as_itself(text: str) -> None:
    if text.strip():
        assert compare(text, text).same


def spellings(value: Fraction) -> list[str]:
    """The same number in many ways."""
    sign, above, below = "-" if value < 0 else "", abs(value.numerator), value.denominator
    ways = [f"{sign}\\frac{{{above}}}{{{below}}}", f"\\dfrac{{{sign}{above}}}{{{below}}}", f"{sign}{above}/{below}"]
    ways += [
        f"{sign}\\frac{{{2 * above}}}{{{2 * below}}}",
        f"${sign}\\tfrac{{{above}}}{{{below}}}$",
        f"x = {sign}{above}/{below}",
    ]
    if above < 10 and below < 10:
        ways.append(f"{sign}\\frac{above}{below}" if above > 9 else f"{sign}\\frac{above}{{{below}}}")
    if below == 1:
        ways += [
            f"{sign}{above}",
            f"{sign}{above}.0",
            f"{sign}{above}\\text{{ cm}}",
            f"{sign}{above}.",
            f"{{{sign}{above}}}",
        ]
    elif above > below:
        whole, rest = divmod(above, below)
        ways += [f"{sign}{whole}\\frac{{{rest}}}{{{below}}}", f"{sign}{whole} {rest}/{below}"]
    if 1000 % below == 0:
        ways += [f"{float(value):.3f}"]
    return ways


@some
@given(numbers, st.data())
def test_a_number_is_the_same_in_every_spelling(value: Fraction, data: st.DataObject) -> None:
    one, other = data.draw(st.sampled_from(spellings(value))), data.draw(st.sampled_from(spellings(value)))
    assert compare(one, other).same, (one, other)


@some
@given(numbers, numbers, st.data())
def test_different_numbers_are_never_the_same(one: Fraction, other: Fraction, data: st.DataObject) -> None:
    if one != other and not (one.denominator > 1 or other.denominator > 1):
        assert not compare(
            data.draw(st.sampled_from(spellings(one))), data.draw(st.sampled_from(spellings(other)))
        ).same


@many
@given(st.integers(-(10**12), 10**12), st.integers(-(10**12), 10**12))
def test_integers_are_exact(one: int, other: int) -> None:
    assert compare(str(one), f"{other:,}").same is (one == other)
    assert not compare(str(one), str(one + 1)).same
    assert one == 0 or not compare(str(one), str(one * 100)).same


@some
@given(st.lists(numbers, min_size=2, max_size=5), st.data())
def test_lists_and_sets_come_in_any_order_and_tuples_do_not(values: list[Fraction], data: st.DataObject) -> None:
    shuffled = data.draw(st.permutations(values))
    first, second = ([spellings(value)[0] for value in part] for part in (values, shuffled))
    assert compare(", ".join(first), " \\text{ and } ".join(second)).same
    assert compare("\\{" + ", ".join(first) + "\\}", "\\{" + ", ".join(second) + "\\}").same
    assert compare(f"({', '.join(first)})", f"({', '.join(second)})").same is (values == shuffled)


coefficients = st.integers(-6, 6)


@some
@given(coefficients, coefficients, coefficients)
def test_products_are_the_same_worked_out(a: int, b: int, c: int) -> None:
    factored = f"({a}x+{b})(x-{c})".replace("+-", "-").replace("--", "+")
    expanded = f"{a}x^2+{b - a * c}x-{b * c}".replace("+-", "-").replace("--", "+")
    assert compare(factored, expanded).same
    assert compare(expanded, factored).same
    assert not compare(expanded, factored + "+1").same


@some
@given(st.integers(-50, 50), st.integers(1, 50), st.sampled_from(["()", "[]", "(]", "[)"]))
def test_an_interval_is_its_inequality(low: int, length: int, brackets: str) -> None:
    high = low + length
    left, right = "\\leq" if brackets[0] == "[" else "<", "\\leq" if brackets[1] == "]" else "<"
    interval = f"{brackets[0]}{low}, {high}{brackets[1]}"
    assert compare(interval, f"{low} {left} x {right} {high}").same
    assert compare(f"{low} {left} x {right} {high}", interval).same
    assert compare(interval, f"\\{{x \\mid {low} {left} x {right} {high}\\}}").same
    assert not compare(interval, f"{low} {left} x {right} {high + 1}").same
    other = f"{'(' if brackets[0] == '[' else '['}{low}, {high}{brackets[1]}"
    assert not compare(interval, other).same


SYMMETRIC = st.sampled_from(r"5 5.0 \frac{1}{2} x+1 1+x (1,2) [1,2] \{1,2\} 2,1 x>2 (2,\infty) \sqrt{2} \pi".split())


@some
@given(SYMMETRIC, SYMMETRIC)
def test_exact_answers_compare_alike_in_both_orders(one: str, other: str) -> None:
    assert compare(one, other).same is compare(other, one).same


@some
@given(
    st.text(alphabet=string.digits + string.punctuation + string.whitespace + "xyz", max_size=80), st.integers(0, 999)
)
def test_the_last_box_counts_whatever_stands_before(text: str, value: int) -> None:
    """Whatever is no word: "no way" and the like deny it."""
    before = text.replace("\\", "")
    score = score_text(MathScorer("integer"), f"{before} So \\boxed{{{value}}}.", str(value))
    assert score.correct is True


@pytest.mark.parametrize("gold", GOLDS)
def test_gold_in_its_own_box_is_right(gold: str) -> None:
    from skythought.types import Problem

    problem = Problem("0", "", gold)
    assert MathScorer().score(problem, MathScorer().gold(problem) or "").correct


EXACT = [
    "27",
    "\\frac{13}{27}",
    "3\\sqrt{5}-7",
    "(2,-5,9)",
    "[3,8)",
    "\\{4,6,9\\}",
    "x^3-4x+7",
    "y = 3x-8",
    "x_1 = 5, x_2 = 7",
    "2^{3n+1}",
    "\\begin{pmatrix}1&5\\\\7&3\\end{pmatrix}",
    "3 < x \\leq 8",
    "(-\\infty,2) \\cup (5,8)",
    "\\frac{\\pi}{6}+3\\pi k",
    "4+7i",
    "\\log_3 7",
    "S = 3 \\cdot 2^{308} - 5",
    "\\rho\\sin\\theta = \\sqrt{3}",
    "15 \\text{ cm}",
]


@some
@given(st.sampled_from(EXACT), st.data())
def test_another_digit_is_another_answer(gold: str, data: st.DataObject) -> None:
    place = data.draw(st.sampled_from([at for at, char in enumerate(gold) if char.isdigit()]))
    digit = data.draw(st.sampled_from([digit for digit in "3456789" if digit != gold[place]]))
    changed = gold[:place] + digit + gold[place + 1 :]
    assert not compare(gold, changed).same
    assert not compare(changed, gold).same
