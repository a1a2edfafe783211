r"""How many planted leaks `--decontaminate` finds, and how many innocents it removes.

    python benchmarks/decontamination.py [folder of benchmark rows] [--list] [--scale N]

The folder holds rows of real benchmarks in the columns that they have on the hub (math500.jsonl, gsm8k.jsonl, ...), and
numina_cot_1k.jsonl as data for training. Without it, only problems that are made up here are measured.

Each problem is planted in seven guises, and an example counts as found where it would be removed. Innocents are
problems of one source looked up in all others: those that are removed are listed with `--list`, to be judged by eye.
`--scale N` looks up N examples and tells time and memory.
"""

from __future__ import annotations

import argparse
import json
import random
import re
import resource
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from skythought.exporting.benchmarks import Benchmark
from skythought.exporting.decontamination import Decontaminator, Hit
from skythought.exporting.ngrams import Known
from skythought.exporting.texts import question_of
from skythought.exporting.words import words

FILES = [
    "aime24",
    "aime25_1",
    "aime25_2",
    "amc23",
    "math500",
    "gsm8k",
    "minervamath",
    "olympiadbench_math_en",
    "omni_math_num_500",
    "liveaops_num",
    "mmlu",
    "mmlu_pro_2k",
    "arc_challenge_test",
    "humaneval",
    "mbpp",
    "ifeval",
    "livecodebench_reduced",
    "taco",
    "apps_stdin",
]
CUT, LONG = "cut by a quarter", 20
"""Of a short problem, less is left than it could be known by: those with so many words are told apart."""
TRAINING = "numina_cot_1k"
BEFORE = "Here is a question from a textbook that a student of ours could not solve last week.\n\n"
AFTER = "\n\nPlease reason step by step, and put your final answer within \\boxed{}."


def whitespace(text: str, draw: random.Random) -> str:
    """Other line breaks and runs of blanks."""
    return re.sub(r"\s+", lambda _: draw.choice([" ", "  ", "\n", " \t"]), text.strip())


def case(text: str, draw: random.Random) -> str:
    """Capitals or none; commands of LaTeX stay."""
    change = draw.choice([str.upper, str.lower])
    return re.sub(r"\\[A-Za-z]+|[^\\]+", lambda match: match[0] if match[0][0] == "\\" else change(match[0]), text)


def latex(text: str, draw: random.Random) -> str:
    """The same formulas as another author, or a tool that strips LaTeX, would set them."""
    if draw.random() < 0.5:
        pairs = [
            (r"\$\$(.+?)\$\$", r"\\[\1\\]"), (r"(?<!\\)\$(.+?)(?<!\\)\$", r"\\(\1\\)"), (r"\\frac", r"\\dfrac"),
            (r"\\le\b", r"\\leq"),
            (r"\^(\w)(?!\w)", r"^{\1}"), (r"_(\w)(?!\w)", r"_{\1}"),
            (r"\\cdot", r"\\cdot "), (r"(?<!\\)\(", r"\\left("),
            (r"(?<!\\)\)", r"\\right)"),
        ]  # fmt: skip
    else:
        pairs = [
            (r"\\[dt]?frac\{([^{}]*)\}\{([^{}]*)\}", r"(\1)/(\2)"), (r"\\leq?\b", "≤"), (r"\\geq?\b", "≥"),
            (r"\\times\b|\\cdot\b", "×"), (r"\\pi\b", "π"), (r"\\theta\b", "θ"), (r"\\angle", "∠"), (r"\^\\circ", "°"),
            (r"\^\{\\circ\}", "°"), (r"\^2\b", "²"), (r"\^3\b", "³"), (r"_1\b", "₁"), (r"_2\b", "₂"),
            (r"\\ldots|\\dots|\\cdots", "…"), (r"\\text(?:bf)?\{([^{}]*)\}", r"\1"), (r"\\left|\\right", ""),
            (r"(?<!\\)\$", ""),
        ]  # fmt: skip
    for pattern, new in pairs:
        text = re.sub(pattern, new, text)
    return text


def embedded(text: str, draw: random.Random) -> str:
    """In the middle of other text."""
    return f"{BEFORE}{text.strip()}{AFTER}"


def cut(text: str, draw: random.Random) -> str:
    """A quarter of it is lost, at the beginning or at the end."""
    parts = re.findall(r"\S+\s*", text)
    keep = round(len(parts) * 0.75)
    return "".join(parts[:keep] if draw.random() < 0.5 else parts[-keep:])


def numerals(text: str, draw: random.Random) -> str:
    """1,000 as 1000, 1{,}000 or 1 000, and the other way round; .5 as 0.50; small numbers in words."""
    text = re.sub(r"(?<=\d)(?:,|\{,\}|\\,)(?=\d{3}(?!\d))", draw.choice(["", "{,}", "\\,", "\u00a0"]), text)
    text = re.sub(r"(?<![\d.,])(\d{1,3})(\d{3})(?![\d.,}])", r"\1,\2", text)
    text = re.sub(r"(?<![\d.])(\d+\.\d+)(?![\d.])", r"\g<1>0", text)
    names = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]
    return re.sub(r"(?<=[a-z] )(\d)(?= [a-z])", lambda match: names[int(match[1])], text)


GUISES: dict[str, Callable[[str, random.Random], str]] = {
    "verbatim": lambda text, draw: text,
    "whitespace": whitespace,
    "case": case,
    "LaTeX": latex,
    "embedded": embedded,
    CUT: cut,
    "numbers": numerals,
}
PEOPLE = ["Amina", "Bela", "Chandra", "Dmitri", "Esi", "Farid", "Gudrun", "Hiroshi", "Ines", "Jun"]
THINGS = ["lanterns", "marbles", "kites", "teapots", "stamps", "ferries", "melons", "ladders", "violins", "buckets"]


def made_up(count: int, seed: int) -> list[str]:
    """Problems of a dozen kinds, no two alike: names, things, numbers and formulas are drawn."""
    draw = random.Random(seed)

    def number(low: int, high: int) -> str:
        value = draw.randint(low, high)
        return f"{value:,}" if draw.random() < 0.5 else str(value)

    def who() -> str:
        return draw.choice(PEOPLE)

    def what() -> str:
        return draw.choice(THINGS)

    a, b, c = (lambda: str(draw.randint(2, 97)) for _ in range(3))
    kinds: list[Callable[[], str]] = [
        lambda: (
            f"{who()} has {number(1000, 9999)} {what()} and sells {a()} of them each day to {who()}, who gives back "
            f"{b()}% at the end of the week. How many {what()} are left after {c()} days?"
        ),
        lambda: (
            f"Let $f(x) = {a()}x^2 - {b()}x + \\frac{{{c()}}}{{{a()}}}$. Find the sum of all real $x$ for which "
            f"$f(x) \\leq {number(1000, 5000)}$ and $x$ is a multiple of {b()}."
        ),
        lambda: (
            f"In triangle $ABC$, $AB = {a()}$, $BC = {b()}$ and $\\angle ABC = {c()}^\\circ$. The circle through $A$ "
            f"and $B$ tangent to $AC$ meets $BC$ again at $D$. Determine $\\frac{{BD}}{{DC}}$."
        ),
        lambda: (
            f"A train carries {number(1000, 90000)} {what()} at {a()}.5 km/h from a port to a mill, and {b()} {what()} "
            f"fall off every {c()} minutes. After how many hours is it empty?"
        ),
        lambda: (
            f"How many integers $n$ with ${a()} \\leq n \\leq {number(1000, 9999)}$ are such that $n^2 + {b()}n$ is "
            f"divisible by ${c()}$ but $n + {a()}$ is not a square?"
        ),
        lambda: f"Compute $\\sum_{{k=1}}^{{{a()}}} \\frac{{k^2 + {b()}}}{{k \\cdot {c()}^k}}$.",
        lambda: f"What is ${a()} \\times {b()} + {number(1000, 9999)}$?",
        lambda: (
            f"{who()}, {who()} and {who()} stand in a row with {a()} {what()}, {b()} {what()} and {c()} {what()}. Each "
            f"passes a third to the left and the rest to a box that holds {number(1000, 3000)}. When is the box full?"
        ),
        lambda: (
            f"Write a function that takes a list of {what()} with weights and returns the {a()} heaviest of those "
            f"below {b()} kg, ties by name; for an empty list it returns {c()}."
        ),
    ]
    return [kinds[index % len(kinds)]() for index in range(count)]


def rows_of(folder: Path, name: str) -> list[dict[str, Any]]:
    """The rows of a file; none if it is not there."""
    file = folder / f"{name}.jsonl"
    return [json.loads(line) for line in file.open(encoding="utf-8")] if file.is_file() else []


def benchmark_of(name: str, rows: Sequence[dict[str, Any]]) -> Benchmark:
    """Rows as a benchmark."""
    texts = []
    for number, row in enumerate(rows):
        text = row.get("prompt") or row.get("question_content") or question_of(row)
        options = row.get("choices") or row.get("options") or ()
        options = options["text"] if isinstance(options, dict) else options
        if text:
            texts.append(Known(name, str(number), text, tuple(map(str, options))))
    return Benchmark(name, texts)


def planted(judge: Decontaminator, texts: Sequence[Known], shown: int) -> dict[str, tuple[int, int]]:
    """By guise, how many leaks would be removed, and of how many."""
    found: dict[str, tuple[int, int]] = {}
    for guise, change in GUISES.items():
        draw = random.Random(guise)
        missed = []
        for known in texts:
            options = "\n".join(
                f"({letter}) {option}" for letter, option in zip("ABCDEFGHIJ", known.options, strict=False)
            )
            text = change(known.text, draw) + (f"\n{options}" if options else "")
            if not any(hit.removed for hit in judge.hits(text)):
                missed.append((known, text))
        found[guise] = (len(texts) - len(missed), len(texts))
        if guise == CUT:
            long = sum(len(words(known.text)) >= LONG for known in texts)
            found[f"{CUT}, of {LONG} words"] = (
                long - sum(len(words(known.text)) >= LONG for known, _ in missed),
                long,
            )
        for known, text in missed[:shown]:
            print(f"--- missed: {guise}: {known.group} {known.id}\n  {known.text[:300]!r}\n  {text[:300]!r}")
    return found


def innocents(judge: Decontaminator, name: str, texts: Sequence[str], shown: bool) -> int:
    """How many of these would be removed for a problem of another source."""
    removed = 0
    for text in texts:
        hits: list[Hit] = [hit for hit in judge.hits(text) if hit.removed and hit.benchmark != name]
        removed += bool(hits)
        if hits and shown:
            hit = hits[0]
            print(f"--- removed: {name} for {hit.benchmark} {hit.problem}, {hit.coverage:.2f} {hit.why}")
            print(f"  {hit.benchmark_text[:400]!r}\n  {hit.text[:400]!r}")
    return removed


def scaled(judge: Decontaminator, texts: Sequence[str], count: int) -> None:
    """Time and memory for so many examples."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    began, hits = time.process_time(), 0
    for number in range(count):
        hits += len(judge.hits(texts[number % len(texts)]))
    spent = time.process_time() - began
    after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    size = sum(map(len, texts)) / len(texts)
    print(
        f"{count:,} examples of {size:,.0f} characters: {spent:.0f} s of one core, {after:.0f} MB "
        f"(the index alone: {before:.0f}), {hits:,} hits"
    )


def sources(folder: Path | None) -> Iterator[Benchmark]:
    """What is looked for: problems made up here, and real ones."""
    yield Benchmark("made up", [Known("made up", str(n), text) for n, text in enumerate(made_up(2000, 1))])
    for name in FILES if folder else ():
        yield benchmark_of(name, rows_of(folder, name))


def _line(name: str, count: int, found: dict[str, tuple[int, int]]) -> str:
    return f"{name:24}{count:6}  " + "  ".join(f"{100 * good / max(1, all_):6.2f}" for good, all_ in found.values())


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, nargs="?")
    parser.add_argument(
        "--list", type=int, default=0, help="so many leaks missed of each kind, and all innocents removed"
    )
    parser.add_argument("--ngram", type=int, default=8)
    parser.add_argument("--threshold", type=float, default=0.5)
    parser.add_argument("--scale", type=int, default=0)
    args = parser.parse_args()
    read = [one for one in sources(args.folder) if one.texts]
    began = time.process_time()
    judge = Decontaminator(read, args.ngram, args.threshold)
    print(f"index of {sum(len(one.texts) for one in read):,} problems: {time.process_time() - began:.1f} s")
    if args.scale:
        training = [row["problem"] for row in rows_of(args.folder, TRAINING)] if args.folder else []
        scaled(judge, training or made_up(1000, 2), args.scale)
        return
    print(f"planted leaks found, %: {', '.join(GUISES)} ({CUT}: all, then those of {LONG} words and more)")
    total: dict[str, tuple[int, int]] = {}
    for one in read:
        found = planted(judge, one.texts, args.list)
        total = {
            guise: (count + total.get(guise, (0, 0))[0], all_ + total.get(guise, (0, 0))[1])
            for guise, (count, all_) in found.items()
        }
        print(_line(one.name, len(one.texts), found))
    print(_line("all", sum(len(one.texts) for one in read), total))
    data = {one.name: [known.text for known in one.texts] for one in read}
    data["made up"] = made_up(20000, 2)
    if args.folder:
        data[TRAINING] = [row["problem"] for row in rows_of(args.folder, TRAINING)]
    print("innocents removed")
    for name, texts in data.items():
        removed = innocents(judge, name if name != "made up" else "", texts, bool(args.list))
        print(f"{name:24}{len(texts):6}  {removed:4}  {100 * removed / len(texts):.3f} %")


if __name__ == "__main__":
    main()
