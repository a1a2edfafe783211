"""Every kind of gold answer x every style of writing it x every rewriting, and changes of it: what is judged rightly.

    python benchmarks/answer_styles.py [FOLDER] [--group math,number,choice,text] [--step N | --every] [--json FILE]

Prints, by line of each table and by kind of gold answer, the share that is judged rightly, the worst first, and every
wrong answer that is accepted (beyond `--list` of a line and kind: how many more); exit code 1 under the aims. FOLDER
holds real rows (math500.jsonl, gsm8k.jsonl, mmlu.jsonl, ...), whose golds are measured too. `--every` tries each
rewriting and each change in all styles, not in some; `--step 10` tries one case of ten. `--json` writes all that was
judged wrongly. The tables are in tests/support: answer_templates, answer_writings, answer_golds.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections import defaultdict
from collections.abc import Iterable
from itertools import chain
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "support"))

from answer_golds import GOLDS, Gold, changed_digit

from answer_styles import Case, right_cases, verdict, wrong_cases

FOUND, FOUND_IN_A_STYLE, ACCEPTED = 0.995, 0.98, 0.001
"""The aims: of right answers at least, of those in any one style at least, of wrong answers at most."""
EXPLAINED: dict[tuple[str, str], str] = {}
"""Why a wrong answer is accepted all the same, by the line of its table and the gold answer; others must not be."""
ROWS_OF_A_FILE = 60
FILES = {
    "math500": ("math", "answer"),
    "numina_with_source": ("math", "answer"),
    "olympiadbench_math_en": ("math", "final_answer"),
    "minervamath": ("math", "answer"),
    "omni_math_num_500": ("math", "answer"),
    "aime24": ("number", "answer"),
    "amc23": ("number", "answer"),
    "gsm8k": ("number", "answer"),
    "mmlu": ("choice", "answer"),
    "mmlu_pro_2k": ("choice", "answer"),
    "arc_challenge_test": ("choice", "answerKey"),
}


class Tally:
    """How many cases of each line of the tables there are, and those judged wrongly."""

    def __init__(self) -> None:
        self.cases: dict[tuple[str, str, str], int] = defaultdict(int)
        self.failed: dict[tuple[str, str, str], list[tuple[Case, str]]] = defaultdict(list)

    def add(self, case: Case) -> None:
        """Judge a case and count it."""
        score = verdict(case)
        key = (f"{'right' if case.right else 'wrong'}, {case.part}", case.gold.kind, case.name)
        self.cases[key] += 1
        if score.correct is not case.right:
            self.failed[key].append((case, score.reason))

    def share(self, part: str, name: str | None = None, kind: str | None = None) -> tuple[int, int]:
        """Cases and those judged wrongly, of the tables whose name begins with `part`."""
        keys = [
            key for key in self.cases if key[0].startswith(part) and name in (None, key[2]) and kind in (None, key[1])
        ]
        return sum(self.cases[key] for key in keys), sum(len(self.failed[key]) for key in keys)


def real_golds(folder: Path) -> Iterable[Gold]:
    """Golds of real rows, evenly taken, as many of each file."""
    for name, (group, column) in FILES.items():
        path = folder / f"{name}.jsonl"
        if not path.exists():
            continue
        rows = [json.loads(line) for line in path.open(encoding="utf-8")]
        for row in rows[:: max(1, len(rows) // ROWS_OF_A_FILE)]:
            gold = real_gold(group, "aime" if name.startswith("aime") else name, row, column)
            if gold is not None:
                yield gold


def real_gold(group: str, kind: str, row: dict[str, Any], column: str) -> Gold | None:
    """The gold of one row; None if it cannot be made wrong."""
    answer, options = row.get(column), row.get("choices") or row.get("options") or []
    if group == "choice":
        if isinstance(options, dict):
            letters, options = options["label"], options["text"]
            answer = letters.index(answer) if answer in letters else answer
        place = answer if isinstance(answer, int) else "ABCDEFGHIJ".index(str(answer))
        other = "ABCDEFGHIJ"[(place + 1) % len(options)]
        return Gold(group, kind, "ABCDEFGHIJ"[place], (), (other,), tuple(map(str, options)))
    text = str(answer[0] if isinstance(answer, list) else answer).rpartition("####")[2].strip().strip("$")
    text = text.removesuffix(".0").replace(",", "") if group == "number" else text
    others = changed_digit(text)
    return Gold(group, kind, text, (), others) if others and len(text) < 100 and "$" not in text else None


def table(tally: Tally, part: str) -> None:
    """The lines of a table over all kinds, then by kind where something was judged wrongly; the worst first."""
    names = {key[2] for key in tally.cases if key[0] == part}
    lines = sorted((-tally.share(part, name)[1] / tally.share(part, name)[0], name) for name in names)
    print(f"\n{part}: cases, share judged rightly, kinds with faults")
    for _, name in lines:
        cases, failed = tally.share(part, name)
        of_kind = [
            f"{kind} {len(found)}/{tally.cases[part, kind, name]}"
            for (table, kind, line), found in sorted(tally.failed.items(), key=lambda entry: -len(entry[1]))
            if table == part and line == name and found
        ]
        if failed:
            print(f"  {name[:44]:44}{cases:6} {(cases - failed) / cases:8.2%}  {', '.join(of_kind)[:110]}")
    whole = [name for share, name in lines if not share]
    print(f"  all judged rightly: {len(whole)} of {len(names)} lines")


def kinds(tally: Tally) -> None:
    """Right answers found and wrong ones accepted by kind of gold answer, the worst first."""
    rows = []
    for kind in {key[1] for key in tally.cases}:
        right, missed = tally.share("right", kind=kind)
        wrong, accepted = tally.share("wrong", kind=kind)
        share = missed / max(right, 1)  # of few cases (`--step`) a kind may have none
        rows.append((share, f"  {kind:30}{right:8,} {1 - share:8.2%}{wrong:9,} {accepted / max(wrong, 1):8.2%}"))
    print("\nkind: right answers, found; wrong answers, accepted")
    print("\n".join(row for _, row in sorted(rows, reverse=True)))


def examples(tally: Tally, verdicts: str, most: int) -> None:
    """Cases judged wrongly, at most so many of each line and kind."""
    for (part, kind, name), found in sorted(tally.failed.items()):
        if not part.startswith(verdicts):
            continue
        for case, reason in found[:most]:
            why = EXPLAINED.get((name, case.gold.target), "")
            print(f"  {kind} / {name} / {case.style}: gold {case.gold.target!r}, {case.response!r}: {reason} {why}")
        if len(found) > most:
            print(f"  {kind} / {name}: and {len(found) - most} more")


def rows_of(tally: Tally) -> list[dict[str, Any]]:
    """A record a line and kind, with all of its cases that were judged wrongly."""
    return [
        {
            **{"table": part, "kind": kind, "line": name, "cases": count},
            "failed": [
                {"gold": case.gold.target, "style": case.style, "response": case.response, "reason": reason}
                for case, reason in tally.failed.get((part, kind, name), [])
            ],
        }
        for (part, kind, name), count in tally.cases.items()
    ]


def is_met(tally: Tally) -> bool:
    """Print the totals; whether the aims are met."""
    cases, failed = tally.share("right")
    wrong, accepted = tally.share("wrong")
    names = {key[2] for key in tally.cases if key[0] == "right, style"}
    shares = {name: tally.share("right, style", name) for name in names}
    low = [name for name, (of, bad) in shares.items() if bad > (1 - FOUND_IN_A_STYLE) * of]
    print(f"\nright answers: {cases:,}, found {(cases - failed) / cases:.2%} (aim {FOUND:.1%})")
    print(f"styles under {FOUND_IN_A_STYLE:.0%}: {len(low)} of {len(names)}")
    print(f"wrong answers: {wrong:,}, accepted {accepted:,} = {accepted / wrong:.3%} (aim {ACCEPTED:.1%})")
    for part in ("right, style", "right, rewriting", "wrong, style", "wrong, change", "wrong, trap"):
        of, bad = tally.share(part)
        print(f"  {part:18}{of:8,} {bad:6,} judged wrongly")
    unexplained = sum(
        (name, case.gold.target) not in EXPLAINED
        for (part, _, name), found in tally.failed.items()
        for case, _ in (found if part.startswith("wrong") else [])
    )
    print(f"  of those accepted not explained: {unexplained:,}")
    return failed <= (1 - FOUND) * cases and not low and accepted <= ACCEPTED * wrong and not unexplained


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, nargs="?")
    parser.add_argument("--every", action="store_true")
    parser.add_argument("--group", default="math,number,choice,text")
    parser.add_argument("--step", type=int, default=1)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--list", type=int, default=2, help="cases to show, of each line and kind")
    options = parser.parse_args()
    golds = [gold for gold in GOLDS if gold.group in options.group.split(",")]
    if options.folder:
        golds += [gold for gold in real_golds(options.folder) if gold.group in options.group.split(",")]
    tally, begin = Tally(), time.perf_counter()
    how = {"every": options.every, "step": options.step}
    for case in chain(right_cases(golds, **how), wrong_cases(golds, **how)):
        tally.add(case)
    for part in ("right, style", "right, rewriting", "wrong, style", "wrong, change", "wrong, trap"):
        table(tally, part)
    print("\nright answers not found:")
    examples(tally, "right", options.list)
    print("\nwrong answers accepted:")
    examples(tally, "wrong", options.list)
    kinds(tally)
    met = is_met(tally)
    print(f"{len(golds)} golds, {sum(tally.cases.values()):,} cases, {time.perf_counter() - begin:.0f} s")
    if options.json:
        options.json.write_text(json.dumps(rows_of(tally), ensure_ascii=False, indent=1), encoding="utf-8")
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main())
