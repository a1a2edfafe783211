r"""Whose verdicts agree with labelled responses: skythought, math-verify alone, a strict comparison of strings.

    python benchmarks/math_verdicts.py [folder of labelled sets] [--list]

The folder holds `math_equivalence.jsonl`, `gsm8k_outputs.jsonl` and `math_outputs.jsonl`; a row has `gold`,
`response`, `label` (true: the response is right) and, in the first, `reliability` (only "ok" counts) and `source`.
Without a folder, a small set written for this purpose is measured.
Prints agreement, false accepts and false rejects by set, and for the
first set by kind of gold answer and by source. `--list` shows every disagreement of ours with the rule that decided.

math-verify is used as its documentation shows: `verify(parse(gold), parse(response))`, the gold in dollars where it is
bare. Strict strings: the last box, else the last number, blanks removed.
"""

from __future__ import annotations

import argparse
import json
import logging
import re
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

from skythought.models.thinking import split_thinking
from skythought.scorers import score_text
from skythought.scorers.math.answer import Answer
from skythought.scorers.math.normalisation import normalised
from skythought.scorers.math.scorer import MathScorer
from skythought.types import Score

SETS = {"math_equivalence": "expression", "gsm8k_outputs": "number", "math_outputs": "expression"}
OWN = [
    ("\\frac{1}{2}", "\\boxed{0.5}", True),
    ("8", "\\boxed{800}", False),
    ("20160", "\\boxed{20161}", False),
    ("(1,2)", "\\boxed{[1,2]}", False),
    ("12", "\\boxed{1,2}", False),
    ("[-2,7]", "So $-2 \\leq x \\leq 7$, \\boxed{-2 \\leq x \\leq 7}", True),
    ("x=5", "The final answer is 5.", True),
    ("15\\text{ cm}^2", "\\boxed{15}", True),
    ("\\sqrt{3}-1", "\\boxed{-1+sqrt(3)}", True),
    ("\\pm 3", "\\boxed{-3, 3}", True),
    ("62.5\\%", "\\boxed{\\frac{5}{8}}", True),
    ("y=2x+1", "\\boxed{2x-y+1=0}", True),
]


def rows_of(folder: Path | None) -> dict[str, list[dict[str, Any]]]:
    """The sets, the gold of GSM8K reduced to its number, unreliable labels left out."""
    if folder is None:
        return {"own": [{"gold": gold, "response": text, "label": label} for gold, text, label in OWN]}
    sets = {}
    for name in SETS:
        rows = [json.loads(line) for line in (folder / f"{name}.jsonl").open(encoding="utf-8")]
        for row in rows:
            if "####" in row["gold"]:
                row["gold"] = row["gold"].split("####")[1].replace(",", "").strip()
        sets[name] = [row for row in rows if row.get("reliability", "ok") == "ok"]
    return sets


def ours(row: dict[str, Any], kind: Any) -> Score:
    """Our verdict, thinking taken out first, as in a run."""
    answer = split_thinking(row["response"]).answer
    return score_text(MathScorer(kind), answer or "", row["gold"])


def of_math_verify(row: dict[str, Any], kind: Any) -> bool:
    """The verdict of math-verify used plainly."""
    from math_verify import parse, verify

    gold = row["gold"] if "$" in row["gold"] or "\\boxed" in row["gold"] else f"${row['gold']}$"
    try:
        return bool(verify(parse(gold, parsing_timeout=None), parse(row["response"], parsing_timeout=None)))
    except Exception:  # noqa: BLE001 -- its own parser may raise anything
        return False


def strict(row: dict[str, Any], kind: Any) -> bool:
    """The last box, else the last number, as a string."""
    boxed = re.findall(r"\\boxed\{((?:[^{}]|\{(?:[^{}]|\{[^{}]*\})*\})*)\}", row["response"])
    found = boxed or re.findall(r"-?\d+(?:\.\d+)?", row["response"].replace(",", ""))
    return bool(found) and re.sub(r"[\s$]", "", found[-1]) == re.sub(r"[\s$]", "", row["gold"])


def kind_of(gold: str) -> str:
    """What kind of answer a gold one is, for the table."""
    answer = Answer(normalised(gold))
    if answer.number:
        return (
            "percent"
            if answer.number.percent
            else "integer"
            if answer.number.value.denominator == 1
            else "fraction, decimal"
        )
    if "pmatrix" in answer.text:
        return "matrix"
    if answer.set and answer.group.opening != "(":
        return "interval, inequality, union"
    if len(answer.parts) > 1:
        return {"(": "tuple", "\\{": "set"}.get(answer.group.opening, "several answers")
    if answer.chain.relations:
        return "equation"
    if answer.bare[1]:
        return "with unit"
    return "words" if answer.is_prose else "expression"


class Counts:
    """Agreement of one scorer."""

    def __init__(self) -> None:
        self.rows = self.agreed = self.accepted = self.rejected = 0

    def add(self, verdict: bool, label: bool) -> None:
        """Count one row."""
        self.rows += 1
        self.agreed += verdict == label
        self.accepted += verdict and not label
        self.rejected += label and not verdict

    def __str__(self) -> str:
        return f"{self.agreed / self.rows:7.2%} {self.accepted:4d} {self.rejected:4d}"


SCORERS: dict[str, Callable[[dict[str, Any], Any], Any]] = {
    "skythought": lambda row, kind: ours(row, kind).correct is True,
    "math-verify": of_math_verify,
    "strict string": strict,
}


def measure(name: str, rows: list[dict[str, Any]], listing: bool) -> None:
    """Score a set by all scorers and print."""
    kind = SETS.get(name, "expression")
    tables: dict[str, dict[str, Counts]] = defaultdict(lambda: {name: Counts() for name in SCORERS})
    for row in rows:
        groups = ["all"]
        if name == "math_equivalence":
            groups += [f"kind: {kind_of(row['gold'])}", f"from: {row['source']}"]
        for scorer, function in SCORERS.items():
            verdict = function(row, kind)
            for group in groups:
                tables[group][scorer].add(verdict, row["label"])
    print(f"\n{name}: {len(rows):,} rows (agreement, false accepts, false rejects)")
    print(" " * 40 + "".join(f"{scorer:>19}" for scorer in SCORERS))
    for group, counts in sorted(tables.items()):
        print(f"{group:34}{counts['skythought'].rows:6d}" + "".join(f"{count!s:>19}" for count in counts.values()))
    if listing:
        for row in rows:
            score = ours(row, kind)
            if score.correct is not row["label"]:
                what = "false accept" if score.correct else "false reject"
                print(f"  {what} {row.get('id', '')}: gold {row['gold'][:90]!r}; {score.reason}")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, nargs="?")
    parser.add_argument("--list", action="store_true")
    options = parser.parse_args()
    logging.getLogger("math_verify").setLevel(logging.CRITICAL)
    for name, rows in rows_of(options.folder).items():
        measure(name, rows, options.list)


if __name__ == "__main__":
    main()
