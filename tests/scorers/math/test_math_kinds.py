"""Kinds of answers: what is the same in each, and what only looks like it."""

from __future__ import annotations

from fractions import Fraction

import pytest

from skythought.scorers import score_text
from skythought.scorers.math.equivalence import compare
from skythought.scorers.math.policy import Policy
from skythought.scorers.math.scorer import MathScorer

SAME = [
    (r"{n \choose 2}", r"\frac{n(n-1)}{2}"),
    (r"\binom{5}{2}", "10"),
    (r"0.\overline{3}", r"\frac13"),
    (r"\frac13", "0.333..."),
    (r"0.\overline{27}", r"\frac{3}{11}"),
    (r"\begin{cases} x=1 \\ y=2 \end{cases}", "(1,2)"),
    (r"\begin{cases} x=1 \\ y=2 \end{cases}", "x=1, y=2"),
    (r"\left\{\begin{array}{l}x=1\\y=2\end{array}\right.", "(x,y)=(1,2)"),
    ("all real numbers", r"(-\infty,\infty)"),
    (r"\mathbb{R}", r"\text{all real numbers}"),
    (r"\mathbb{R}\setminus\{0\}", r"x \neq 0"),
    (r"x\neq 0", r"(-\infty,0)\cup(0,\infty)"),
    (r"a>0 \text{ and } a\neq 1", r"(0,1)\cup(1,\infty)"),
    (r"(0,1)\cup(1,\infty)", r"a>0, a\neq 1"),
    (r"x \neq 1, 2", r"(-\infty,1)\cup(1,2)\cup(2,\infty)"),
    ("|x|>1", r"x<-1 \text{ or } x>1"),
    ("5个", "5"),
    ("12元", "12"),
    (r"\approx 3.14", "3.14"),
    ("3.14", "≈3.14"),
    ("5", r"\text{The answer is } 5"),
    ("x+1", r"\text{The answer is } x+1"),
    (r"\frac{\pi}{4}+k\pi, k\in\mathbb{Z}", r"\frac{\pi}{4}+n\pi"),
    (r"2k\pi+\frac{\pi}{3} (k \in Z)", r"\frac{\pi}{3}+2k\pi"),
    (r"\arctan \frac{1}{2}", r"\tan^{-1}(1/2)"),
    (r"\sin 60^\circ", r"\frac{\sqrt3}{2}"),
    (r"\frac{-1\pm i\sqrt3}{2}", r"\frac{-1+i\sqrt{3}}{2}, \frac{-1-\sqrt{3}i}{2}"),
    (r"1\pm\sqrt2", r"\{1-\sqrt{2},1+\sqrt2\}"),
    ("2+3i", "3i+2"),
    (r"e^{i\pi}", "-1"),
    (r"10\,\text{m/s}", "10"),
    (r"10 \mathrm{~m} / \mathrm{s}", "10"),
    (r"3 \mathrm{~cm}^{2}", "3"),
    (r"3 \mathrm{~cm}^{2}", r"3\text{ square centimeters}"),
    (r"5\text{ cm}", r"50\text{ mm}"),
    ("2 hours", "120 minutes"),
    (r"\$1,234.56", "1234.56"),
    ("12:30 PM", r"12:30 \text{ p.m.}"),
    ("1/2", r"50\%"),
    ("1:2", r"\frac12"),
    ("3:4", "6:8"),
    (r"\sqrt{2}/2", r"\frac{1}{\sqrt2}"),
    ("sqrt(2)/2", r"\frac{\sqrt2}{2}"),
    ("3^(1/2)", r"\sqrt3"),
    ("2**3", "8"),
    ("y=2x+3", "2x-y+3=0"),
    ("y-3=2x", "y = 2x+3"),
    ("x^2+y^2=1", "y^2=1-x^2"),
    (r"\langle 1,2\rangle", "(1,2)"),
    (r"\begin{pmatrix}1\\2\end{pmatrix}", r"\begin{bmatrix}1\\2\end{bmatrix}"),
    (r"\begin{bmatrix}1 & 2\end{bmatrix}", "(1,2)"),
    (r"x=1 \text{ or } x=2", r"\{1,2\}"),
    ("1, 2", "x=1 or x=2"),
    ("Yes", r"\text{yes}"),
    ("no solution", r"\emptyset"),
    (r"\varnothing", r"\text{No solutions}"),
    ("5!", "120"),
    (r"\log_2 8", "3"),
    (r"\log_{10} 100", "2"),
    (r"\ln e^2", "2"),
    (r"\lg 100", "2"),
    (r"\lfloor 3.7 \rfloor", "3"),
    ("|-5|", "5"),
    (r"\max(2,3)", "3"),
    ("2^{10}", "1024"),
    ("10^{-3}", "0.001"),
    (r"6.02\times10^{23}", "6.02e23"),
    (r"6.02 \cdot 10^{23}", "602000000000000000000000"),
    (r"1\frac{2}{3}", "5/3"),
    (r"-1\frac{1}{2}", "-1.5"),
    (r"\text{July 4}", "4 July"),
    ("A,B,D", "ABD"),
    (r"(2,\frac{\pi}{6})", r"(2, 30^\circ)"),
    (r"90^\circ", r"\frac{\pi}{2}"),
    (r"45^\circ", "45 degrees"),
    ("1+2+3", "6"),
    (r"\frac{x^2-1}{x-1}", "x+1"),
    (r"\sin^2 x", r"1-\cos^2 x"),
    (r"\sin 2x", r"2\sin x\cos x"),
    (r"\frac{1}{1+\sqrt2}", r"\sqrt2-1"),
    ("(x-1)(x+1)", "x^2-1"),
    ("f(x)=x^2", "x^2"),
    (r"f^{-1}(x)=\frac{x-1}{2}", r"\frac{x-1}{2}"),
    ("a_n=2n-1", "2n-1"),
    (r"S=\pi r^2", r"\pi r^2"),
    (r"\angle ABC=60^\circ", r"60^\circ"),
    ("x=3,y=4", "y=4,x=3"),
    ("(x,y)=(3,4)", "x=3,y=4"),
    (r"k=\frac{1}{2}", "0.5"),
    ("[1,2]", r"1\le x\le 2"),
    (r"(-\infty,3]", r"x\leq3"),
    (r"\{x\mid x>3\}", r"(3,\infty)"),
    (r"\{x: x>3\}", "x>3"),
    ("3<x", "x>3"),
    (r"(1,2)\cup(2,3)", r"(2,3)\cup(1,2)"),
    (r"\{1\}\cup\{2\}", r"\{1,2\}"),
    ("1,234,567", "1234567"),
    ("1{,}234", "1234"),
    ("0,5", "0.5"),
    ("3/4 of the cake", r"\frac34"),
    (r"\frac{3}{4}\text{ of the cake}", "3/4"),
    ("five", "5"),
    ("5 apples", "5"),
    ("$5", "5"),
    ("5 dollars", r"\$5"),
    (r"\frac{1}{n+1}", "(n+1)^{-1}"),
    ("(-1)^n", r"\cos(n\pi)"),
    ("n!", r"n \cdot (n-1)!"),
    ("2^{n+1}", r"2\cdot 2^n"),
    (r"\sum_{k=1}^{n} k", r"\frac{n(n+1)}{2}"),
    (r"\sqrt[3]{8}", "2"),
    (r"\sqrt{x^2}", "|x|"),
    (r"4\sqrt{3}\pi", r"4\pi\sqrt3"),
    (r"\tfrac{3\pi}{4}", r"3\pi/4"),
    ("x^2", "x²"),
    ("π/2", r"\frac{\pi}{2}"),
    (r"\textbf{(B)}\ 12", "12"),
    (r"\mathrm{B}", "B"),
    ("(B)", "B"),
    (r"12 \text{ or } 13", "13, 12"),
    ("1/3 and 1/4", "1/4,1/3"),
    (r"\overline{AB}", "AB"),
    (r"7\%", "7 percent"),
    ("1.50", "1.5"),
    ("+3", "3"),
    ("--3", "3"),
    (r"\frac{3}{-4}", "-3/4"),
    (r"\frac{\frac12}{3}", "1/6"),
    ("1e3", "1000"),
    ("-0", "0"),
    ("0.0", "0"),
    ("x=y=2", "2"),
    (r"\boxed{9}", "9"),
    ("9", r"\boxed{9"),
    (r"m \ddot{x}+k x=0", r"m\ddot x + kx = 0"),
    (r"y^{\prime\prime}+y^\prime=0", "y''+y'=0"),
    ("2n-2", r"\{2n-2\}"),
    (r"\pi", r"\pi\text{ cm}"),
]
DIFFERENT = [
    ("x=5", "y=5"),
    ("x>3", "x>=3"),
    ("(1,2)", "(2,1)"),
    (r"\{1,2\}", "(1,2)"),
    ("[1,2)", "(1,2)"),
    ("5 m", "5 kg"),
    (r"5\text{ cm}", r"5\text{ m}"),
    ("2x", "2y"),
    ("x+1", "x-1"),
    (r"\sqrt2", "1.4"),
    ("1/3", "0.3"),
    ("10", "10.5"),
    ("100", "1e3"),
    ("3:4", "4:3"),
    ("12:30 PM", "12:30 AM"),
    ("x=1,y=2", "x=2,y=1"),
    ("A", "B"),
    ("AB", "BA"),
    ("1,2", "1,2,3"),
    ("1", "1,2"),
    ("2x=4", "x=3"),
    (r"\sin x", r"\cos x"),
    (r"\pi", "3.14"),
    (r"\pi", "22/7"),
    ("odd", "even"),
    ("not odd", "odd"),
    ("Alice is taller than Bob", "Bob"),
    ("2^{100}", "2^{101}"),
    ("10^{20}+1", "10^{20}"),
    (r"\sqrt{10^{40}+1}", "10^{20}"),
    ("x<-1 or x>1", "x>1"),
    ("x>1", "x>2"),
    ("2m", "2"),
    ("xy", "x+y"),
    ("204_5", "204_6"),
    ("x^2=4", "2"),
    ("x+y=5", "5"),
    ("50%", "5"),
    ("0.5", "50"),
    ("8", "-8"),
    ("1 2", "12"),
    ("f(x)=x", "f(x)=2x"),
    ("x", "1"),
    ("e", "2.72"),
    ("1000", "1"),
    ("2.0001", "2"),
    (r"\frac12", "2"),
    (r"\begin{pmatrix}1&2\\3&4\end{pmatrix}", r"\begin{pmatrix}1&3\\2&4\end{pmatrix}"),
    ("3", "3i"),
    ("5", "5x"),
    ("5", "x5"),
    ("11", "1,1"),
    ("7", "7, 7"),
    (r"\dot{x}", r"\ddot{x}"),
    (r"\dot{x}", "x"),
    ("y'", "y''"),
    ("2n-2", r"\{2n-2,3\}"),
]


@pytest.mark.parametrize(("gold", "given"), SAME)
def test_same(gold: str, given: str) -> None:
    verdict = compare(gold, given)
    assert verdict.same, verdict.rule


@pytest.mark.parametrize(("gold", "given"), DIFFERENT)
def test_different(gold: str, given: str) -> None:
    verdict = compare(gold, given)
    assert not verdict.same, verdict.rule


@pytest.mark.parametrize(("gold", "given"), DIFFERENT)
def test_different_the_other_way_round(gold: str, given: str) -> None:
    # Gold may be rounded, is a plain number without a unit, and may be the quantity that an equation is about.
    if (gold, given) not in {(r"\pi", "3.14"), ("e", "2.72"), ("2m", "2"), ("x+y=5", "5")}:
        assert not compare(given, gold).same


@pytest.mark.parametrize(
    ("gold", "given", "expected"),
    [
        ("30.52", r"\frac{1587}{52}", True),
        ("41.494", r"17+10\sqrt{6}", True),
        (r"\frac{600}{7}", "85.71", True),
        (r"\frac{600}{7}", "85.7", False),
        (r"\sqrt{2}", "1.4142135623730951", True),
        ("165.47", "165.5", True),
        ("165.47", "165", False),
        ("1.23e5", "123400", True),
        ("1.23e5", "124000", False),
        ("6", "6.001", False),
        ("6.001", "6", False),
    ],
)
def test_rounding(gold: str, given: str, expected: bool) -> None:
    assert compare(gold, given).same is expected


@pytest.mark.parametrize(
    ("given", "expected"), [("4.2", True), ("4.25", True), ("4.3", True), ("4.31", False), (r"\frac{17}{4}", True)]
)
def test_a_tolerance_of_the_dataset_s_own(given: str, expected: bool) -> None:
    target = {"answer": ["4.2"], "tolerance": "1e-1"}
    assert score_text(MathScorer(), f"\\boxed{{{given}}}", target).correct is expected
    assert compare("4.2", given, Policy(tolerance=Fraction(1, 10))).same is expected


def test_options_written_out() -> None:
    gold = r"\textbf{(C)}\ 36"
    assert [compare(gold, given).same for given in ("C", "36", r"\text{(C) 36}", "B", "35", r"\text{(B) 36}")] == [
        *(True, True, True),
        *(False, False, False),
    ]
