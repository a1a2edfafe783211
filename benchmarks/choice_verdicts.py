"""Verdicts on multiple choice and on instructions against labels, and how many a CPU second, beside a plain baseline.

    python benchmarks/choice_verdicts.py FOLDER [--list TIER,TIER] [--rows ifeval.jsonl]

FOLDER holds labelled sets as JSON lines:

- `multiple_choice.jsonl`: `response`, `gold`, `label` (whether the response is right), and, where there are, `options`,
  `source` and `tier`. Agreement is printed by tier and by source, for skythought and for the usual one-liner: the last
  letter that stands alone.
- `ifeval_responses.jsonl`: `key`, `response`, and the verdicts of the authors' program, `inst_level_strict` and
  `inst_level_loose`. The prompts' instructions are taken from `--rows` (default: ../data/ifeval.jsonl beside FOLDER).

Every row that differs in the tiers of `--list` (default: clean and none) is shown with what was found and why.
"""

from __future__ import annotations

import argparse
import json
import re
import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

from skythought.scorers import score_text
from skythought.scorers.choice.scorer import ChoiceScorer
from skythought.scorers.instructions.scorer import InstructionsScorer
from skythought.types import Score

Row = dict[str, Any]
ALONE = re.compile(r"\b([A-J])\b")
MEASURE_S = 1.0


def read(path: Path) -> list[Row]:
    return [json.loads(line) for line in path.open(encoding="utf-8")]


def options(row: Row) -> list[str]:
    return row["options"] if isinstance(row.get("options"), list) else []


def ours(row: Row) -> Score:
    return score_text(ChoiceScorer(), row["response"], row["gold"], options(row))


def last_letter(row: Row) -> Score:
    """The baseline: the last capital letter that stands alone, against the gold one."""
    letters = ALONE.findall(row["response"])
    answer = letters[-1] if letters else None
    return Score(answer == row["gold"].strip(), f"last letter {answer}", answer)


def table(rows: list[Row], column: str, scorers: dict[str, Callable[[Row], Score]]) -> None:
    groups: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        groups[str(row.get(column) or "none")].append(row)
    print(f"\n{column:<42}{'rows':>6}" + "".join(f"{name:>14}{'accepts':>9}{'rejects':>9}" for name in scorers))
    for group, members in sorted(groups.items(), key=lambda entry: -len(entry[1])):
        line = f"{group[:40]:<42}{len(members):>6}"
        for score in scorers.values():
            verdicts = [(bool(score(row).correct), row["label"]) for row in members]
            agreed = sum(given == label for given, label in verdicts)
            accepts = sum(given and not label for given, label in verdicts)
            line += f"{agreed / len(members):>14.1%}{accepts:>9}{len(members) - agreed - accepts:>9}"
        print(line)


def speed(rows: list[Row], score: Callable[[Row], Score]) -> float:
    """Responses a CPU second on one core."""
    for row in rows:
        score(row)
    started, count = time.process_time(), 0
    while time.process_time() - started < MEASURE_S:
        for row in rows:
            score(row)
        count += len(rows)
    return count / (time.process_time() - started)


def differing(rows: list[Row], tiers: list[str]) -> None:
    for row in rows:
        score = ours(row)
        if bool(score.correct) is not row["label"] and str(row.get("tier") or "none") in tiers:
            end = " ".join(row["response"][-160:].split())
            print(f"  {row['id']} ({row.get('tier')}, {row['source']}): {score.reason}; label {row['label']}; ...{end}")


def multiple_choice(path: Path, tiers: list[str]) -> None:
    rows = read(path)
    scorers = {"skythought": ours, "last letter": last_letter}
    print(f"MULTIPLE CHOICE: {len(rows)} rows; share with the label's verdict, false accepts, false rejects")
    table(rows, "tier", scorers)
    table([row for row in rows if row.get("tier") in ("clean", None)], "source", scorers)
    print(f"\nrows of {', '.join(tiers)} that differ:")
    differing(rows, tiers)
    mean = sum(len(row["response"]) for row in rows) / len(rows)
    print(f"\nresponses a CPU second (mean length {mean:.0f} characters):")
    for name, score in scorers.items():
        print(f"  {name:<14}{speed(rows, score):>10,.0f}")


def ifeval(path: Path, prompts: Path) -> None:
    wanted = {row["key"]: {name: row[name] for name in ("instruction_id_list", "kwargs")} for row in read(prompts)}
    rows = read(path)
    agreed = dict.fromkeys(("inst_level_strict", "inst_level_loose", "prompt_level_strict", "prompt_level_loose"), 0)
    instructions, listed = 0, []

    def score(row: Row) -> Score:
        return score_text(InstructionsScorer(), row["response"], wanted[row["key"]])

    for row in rows:
        results = score(row).details["instructions"]
        instructions += len(results)
        for mode in ("strict", "loose"):
            given = [result[mode] for result in results]
            agreed[f"prompt_level_{mode}"] += all(given) is row[f"prompt_level_{mode}"]
            for result, label in zip(results, row[f"inst_level_{mode}"], strict=True):
                agreed[f"inst_level_{mode}"] += result[mode] is label
                if result[mode] is not label:
                    listed.append(f"  {row['id']} {result['id']} ({mode}): {result['found']}; label {label}")
    print(f"\nINSTRUCTIONS: {len(rows)} responses, {instructions} instructions; share as by the authors' program")
    for name, count in agreed.items():
        of = instructions if name.startswith("inst") else len(rows)
        print(f"  {name:<22}{count / of:>8.2%}  ({count} of {of})")
    print("\n".join(["those that differ:", *listed]))
    print(f"responses a CPU second, strict and loose: {speed(rows, score):,.0f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--list", default="clean,none", help="tiers whose differing rows are shown")
    parser.add_argument("--rows", type=Path, help="rows of google/IFEval")
    given = parser.parse_args()
    multiple_choice(given.folder / "multiple_choice.jsonl", given.list.split(","))
    ifeval(given.folder / "ifeval_responses.jsonl", given.rows or given.folder.parent / "data" / "ifeval.jsonl")


if __name__ == "__main__":
    main()
