"""The arithmetic problems: ten families at three levels, with their reasoning and answers.

Training and benchmark draw from the same generator and never share a problem: a hash of a problem's operands
decides on which side it lies, whatever its family or wording, so `47 + 85` is held out as a sum, as a story
and as a question with four options alike. `python -m training.tiny.problems FILE` writes the benchmark.
"""

import argparse
import hashlib
import json
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from math import gcd
from pathlib import Path

from . import chains

HELD_OUT_ONE_IN = 8
BENCHMARK_SEED = 20_000
PER_FAMILY = 40


@dataclass(frozen=True, slots=True)
class Problem:
    """One question with two ways to its answer: in full steps, and in the head."""

    family: str
    level: int
    question: str
    careful: str
    quick: str
    answer: str
    operands: tuple[int, ...]

    @property
    def held_out(self) -> bool:
        """Whether it belongs to the benchmark; the order of the operands makes no difference."""
        key = ",".join(str(n) for n in sorted(self.operands))
        return hashlib.sha256(key.encode()).digest()[0] % HELD_OUT_ONE_IN == 0


def number(rng: random.Random, digits: int) -> int:
    """A whole number of exactly that many digits, and never 0 or 1."""
    return rng.randrange(max(2, 10 ** (digits - 1)), 10**digits)


def make_add(rng: random.Random, level: int) -> Problem:
    """`47 + 85`: two, three or four digits."""
    a, b = number(rng, level + 1), number(rng, level + 1)
    question = rng.choice(
        (
            f"What is {a} + {b}?",
            f"Compute ${a} + {b}$.",
            f"Calculate {a} + {b}.",
            f"Find the sum of {a} and {b}.",
            f"Add {a} and {b}.",
        )
    )
    return Problem("add", level, question, f"{chains.add(a, b)}.", f"{a}+{b}={a + b}.", str(a + b), (a, b))


def make_subtract(rng: random.Random, level: int) -> Problem:
    """`523 - 187`: two or three digits, and at the last level now and then below zero."""
    a, b = number(rng, (2, 3, 4)[level - 1]), number(rng, (2, 3, 3)[level - 1])
    below_zero = level == 3 and rng.random() < 0.3
    if (a < b) != below_zero:
        a, b = b, a
    question = rng.choice(
        (
            f"What is {a} - {b}?",
            f"Compute ${a} - {b}$.",
            f"Calculate {a} - {b}.",
            f"Subtract {b} from {a}.",
            f"What is {a} minus {b}?",
        )
    )
    careful = f"{chains.subtract(a, b)}."
    return Problem("subtract", level, question, careful, f"{a}-{b}={a - b}.", str(a - b), (a, b))


def make_three_terms(rng: random.Random, level: int) -> Problem:
    """`a + b - c` and `a - b + c`, one operation after the other."""
    a, b, c = (number(rng, d) for d in ((2, 1, 1), (2, 2, 2), (3, 3, 2))[level - 1])
    if rng.random() < 0.4:
        a, b = max(a, b), min(a, b)
        text, middle, result = f"{a} - {b} + {c}", a - b, a - b + c
        lines = (chains.subtract(a, b), chains.add(middle, c))
    elif level == 1 or rng.random() < 0.5:
        text, middle, result = f"{a} + {b} + {c}", a + b, a + b + c
        lines = (chains.add(a, b), chains.add(middle, c))
    else:
        text, middle, result = f"{a} + {b} - {c}", a + b, a + b - c
        lines = (chains.add(a, b), chains.subtract(middle, c))
    question = rng.choice((f"What is {text}?", f"Compute ${text}$.", f"Calculate {text}.", f"Evaluate ${text}$."))
    careful = f"{lines[0]}.\n{lines[1]}."
    quick = f"{text.replace(' ', '')}={result}."
    return Problem("three_terms", level, question, careful, quick, str(result), (a, b, c))


def make_multiply(rng: random.Random, level: int) -> Problem:
    """Two or three digits times one, then two digits times two."""
    a, b = (number(rng, d) for d in ((2, 1), (3, 1), (2, 2))[level - 1])
    question = rng.choice(
        (
            f"What is {a} * {b}?",
            f"Compute ${a} \\times {b}$.",
            f"Calculate {a} times {b}.",
            f"Find the product of {a} and {b}.",
            f"Multiply {a} by {b}.",
        )
    )
    quick = f"{a}*{b}={a * b}."
    return Problem("multiply", level, question, f"{chains.multiply(a, b)}.", quick, str(a * b), (a, b))


def make_multiply_add(rng: random.Random, level: int) -> Problem:
    """`a * b + c`, or with brackets `(a + b) * c`."""
    a, b, c = (number(rng, d) for d in ((1, 1, 2), (2, 1, 2), (3, 1, 2))[level - 1])
    if rng.random() < 0.3:
        text, middle, result = f"({c} + {a}) \\times {b}", c + a, (c + a) * b
        lines = (chains.add(c, a), chains.multiply(middle, b))
    elif rng.random() < 0.5:
        text, middle, result = f"{c} + {a} \\times {b}", a * b, a * b + c
        lines = (chains.multiply(a, b), chains.add(middle, c))
    else:
        text, middle, result = f"{a} \\times {b} + {c}", a * b, a * b + c
        lines = (chains.multiply(a, b), chains.add(middle, c))
    plain = text.replace("\\times", "*")
    question = rng.choice((f"What is {plain}?", f"Compute ${text}$.", f"Calculate {plain}.", f"Evaluate ${text}$."))
    quick = f"{plain.replace(' ', '')}={result}."
    careful = f"{lines[0]}.\n{lines[1]}."
    return Problem("multiply_add", level, question, careful, quick, str(result), (a, b, c))


def make_remainder(rng: random.Random, level: int) -> Problem:
    """What is left over when two to four digits are divided by a small number."""
    a = number(rng, level + 1)
    b = rng.randrange(3, 10) if level < 3 else rng.randrange(3, 13)
    question = rng.choice(
        (
            f"What is the remainder when {a} is divided by {b}?",
            f"Find the remainder of ${a} \\div {b}$.",
            f"Compute ${a} \\bmod {b}$.",
            f"{a} marbles are shared equally among {b} children. How many marbles are left over?",
        )
    )
    careful = f"{chains.divide(a, b)}. The remainder is {a % b}."
    quick = f"{a}={b}*{a // b}+{a % b}."
    return Problem("remainder", level, question, careful, quick, str(a % b), (a, b))


def make_sequence(rng: random.Random, level: int) -> Problem:
    """The next number of an arithmetic sequence, and at the last level a far term."""
    if level == 3:
        start, step, position = rng.randrange(2, 60), rng.randrange(3, 13), rng.randrange(6, 21)
        answer = start + step * (position - 1)
        question = rng.choice(
            (
                f"A sequence starts at {start} and grows by {step} each time. What is term {position}?",
                f"The first term of an arithmetic sequence is {start} and the common difference is {step}. "
                f"Find term number {position}.",
            )
        )
        big, small = max(position - 1, step), min(position - 1, step)
        steps = chains.multiply(big, small)
        careful = f"{position}-1={position - 1}.\n{steps}.\n{chains.add(start, step * (position - 1))}."
        quick = f"{start}+{position - 1}*{step}={answer}."
        return Problem("sequence", level, question, careful, quick, str(answer), (start, step, position))
    step = rng.randrange(2, 10) if level == 1 else rng.randrange(11, 50)
    start = rng.randrange(1, 60) if level == 1 else rng.randrange(3, 120)
    terms = [start + step * i for i in range(5)]
    if level == 2 and rng.random() < 0.4:
        terms.reverse()
    shown, answer = ", ".join(str(t) for t in terms[:4]), terms[4]
    question = rng.choice(
        (
            f"What is the next number in the sequence {shown}?",
            f"Find the next term: {shown}, ...",
            f"Which number continues {shown}?",
        )
    )
    low, high = sorted(terms[:2])
    last = chains.add(terms[3], step) if terms[1] > terms[0] else chains.subtract(terms[3], step)
    word = "up" if terms[1] > terms[0] else "down"
    careful = f"It goes {word}. {chains.subtract(high, low)}.\n{last}."
    return Problem("sequence", level, question, careful, f"next is {answer}.", str(answer), (start, step))


NAMES = ("Ana", "Ben", "Chen", "Dana", "Eli", "Fatima", "Goran", "Hana", "Ivan", "Julia", "Kofi", "Lena")
THINGS = ("apples", "books", "cards", "coins", "eggs", "flowers", "pencils", "shells", "stamps", "stickers")


def make_word(rng: random.Random, level: int) -> Problem:
    """A small story of one, two or three operations."""
    who, other = rng.sample(NAMES, 2)
    thing = rng.choice(THINGS)
    if level == 3:
        boxes, each, loose, given = (
            rng.randrange(3, 10),
            number(rng, 2),
            rng.randrange(11, 60),
            rng.randrange(3, 30),
        )
        total = boxes * each
        answer = total + loose - given
        question = (
            f"{who} has {boxes} boxes with {each} {thing} each and {loose} more {thing}. "
            f"{who} gives {given} {thing} to {other}. How many {thing} does {who} have left?"
        )
        lines = (
            chains.multiply(each, boxes),
            chains.add(total, loose),
            chains.subtract(total + loose, given),
        )
        quick = f"{boxes}*{each}+{loose}-{given}={answer}."
        careful = ".\n".join(lines) + "."
        return Problem("word", level, question, careful, quick, str(answer), (boxes, each, loose, given))
    a, b, c = (number(rng, 2) for _ in range(3))
    if level == 1:
        if rng.random() < 0.5:
            question = f"{who} has {a} {thing} and buys {b} more. How many {thing} does {who} have now?"
            return Problem("word", 1, question, f"{chains.add(a, b)}.", f"{a}+{b}={a + b}.", str(a + b), (a, b))
        a, b = max(a, b), min(a, b)
        question = f"{who} had {a} {thing} and gave {b} of them to {other}. How many {thing} are left?"
        return Problem("word", 1, question, f"{chains.subtract(a, b)}.", f"{a}-{b}={a - b}.", str(a - b), (a, b))
    c = min(c, a + b - 1)
    answer = a + b - c
    question = (
        f"{who} has {a} {thing}. {other} brings {b} more {thing}, and then {c} {thing} are sold. "
        f"How many {thing} remain?"
    )
    careful = f"{chains.add(a, b)}.\n{chains.subtract(a + b, c)}."
    return Problem("word", 2, question, careful, f"{a}+{b}-{c}={answer}.", str(answer), (a, b, c))


def latex_fraction(top: int, bottom: int) -> str:
    """A fraction in lowest terms as it is to be answered."""
    common = gcd(top, bottom)
    return f"\\frac{{{top // common}}}{{{bottom // common}}}"


def make_fraction(rng: random.Random, level: int) -> Problem:
    """Reduce a fraction; add two over one denominator; add two over different ones."""
    while True:
        if level == 1:
            bottom, factor = rng.randrange(3, 16), rng.randrange(2, 8)
            top = rng.randrange(1, bottom)
            if gcd(top, bottom) > 1 or bottom * factor > 99:
                continue
            operands: tuple[int, ...] = (top * factor, bottom * factor)
            question = rng.choice(
                (
                    f"Write $\\frac{{{operands[0]}}}{{{operands[1]}}}$ in lowest terms.",
                    f"Simplify the fraction $\\frac{{{operands[0]}}}{{{operands[1]}}}$.",
                )
            )
            careful = f"{operands[0]}/{operands[1]}, {chains.reduce_fraction(*operands)}."
            total, over = operands
        else:
            b = rng.randrange(3, 13)
            d = b if level == 2 else rng.randrange(3, 13)
            a, c = rng.randrange(1, b), rng.randrange(1, d)
            over = chains.common_denominator(b, d)
            left, right = a * over // b, c * over // d
            total = left + right
            if total % over == 0 or (level == 3 and (b == d or over > 40)):
                continue
            operands = (a, b, c, d)
            question = (
                f"{rng.choice(('Compute', 'Calculate'))} $\\frac{{{a}}}{{{b}}} + \\frac{{{c}}}{{{d}}}$ "
                "and give the result as a fraction in lowest terms."
            )
            careful = (
                f"{a}/{b} and {c}/{d}, over {over}. {over}/{b}={over // b}, {a}*{over // b}={left}. "
                f"{over}/{d}={over // d}, {c}*{over // d}={right}.\n"
                f"{left}+{right}={total}. {total}/{over}, {chains.reduce_fraction(total, over)}."
            )
        answer = latex_fraction(total, over)
        common = gcd(total, over)
        quick = f"in lowest terms {total // common}/{over // common}."
        return Problem("fraction", level, question, careful, quick, answer, operands)


def make_choice(rng: random.Random, level: int) -> Problem:
    """A sum, a difference or a product with four numbers to choose from; the answer is the letter."""
    if level < 3:
        inner = (make_add if rng.random() < 0.5 else make_subtract)(rng, level)
    else:
        inner = make_multiply(rng, rng.choice((1, 2)))
    right = int(inner.answer)
    wrong: set[int] = set()
    while len(wrong) < 3:
        candidate = right + rng.choice((-100, -20, -11, -10, -9, -2, -1, 1, 2, 9, 10, 11, 20, 100))
        if candidate > 0 and candidate != right:
            wrong.add(candidate)
    options = [*sorted(wrong), right]
    rng.shuffle(options)
    letter = "ABCD"[options.index(right)]
    listed = "\n".join(f"{name}) {value}" for name, value in zip("ABCD", options, strict=True))
    question = f"{inner.question}\n{listed}\nAnswer with the letter of the correct option."
    seen = [f"{name} {value} no" for name, value in zip("ABCD", options, strict=True)][: options.index(right)]
    careful = f"{inner.careful}\n{', '.join([*seen, f'{letter} {right} yes'])}."
    quick = f"{inner.quick} That is {letter}."
    return Problem("choice", level, question, careful, quick, letter, inner.operands)


FAMILIES: dict[str, Callable[[random.Random, int], Problem]] = {
    "add": make_add,
    "subtract": make_subtract,
    "three_terms": make_three_terms,
    "multiply": make_multiply,
    "multiply_add": make_multiply_add,
    "remainder": make_remainder,
    "sequence": make_sequence,
    "word": make_word,
    "fraction": make_fraction,
    "choice": make_choice,
}


def draw(rng: random.Random, family: str, level: int, *, held_out: bool) -> Problem:
    """The next problem of a family that lies on the wanted side of the split."""
    while True:
        problem = FAMILIES[family](rng, level)
        if problem.held_out == held_out:
            return problem


def benchmark() -> Iterator[dict[str, str | int]]:
    """The rows of `arithmetic`, one family after the other so that any prefix is a fair mix."""
    rng = random.Random(BENCHMARK_SEED)
    asked: set[tuple[str, tuple[int, ...]]] = set()
    for index in range(PER_FAMILY):
        for offset, family in enumerate(FAMILIES):
            level = (index + offset) % 3 + 1
            problem = draw(rng, family, level, held_out=True)
            while (family, problem.operands) in asked:
                problem = draw(rng, family, level, held_out=True)
            asked.add((family, problem.operands))
            yield {
                "id": f"{family.replace('_', '-')}-{index + 1:02d}",
                "family": family,
                "level": level,
                "question": problem.question,
                "answer": problem.answer,
            }


def main() -> None:
    """Write the benchmark as JSON lines."""
    parser = argparse.ArgumentParser(description="Write the arithmetic benchmark.")
    parser.add_argument("output", type=Path)
    output: Path = parser.parse_args().output
    rows = [json.dumps(row, ensure_ascii=False) for row in benchmark()]
    output.write_text("\n".join(rows) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
