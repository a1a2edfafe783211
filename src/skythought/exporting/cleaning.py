"""The steps of an export that clean: problems and responses that repeat others, and problems of benchmarks."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from skythought.errors import UserError
from skythought.exporting.benchmarks import read_benchmarks
from skythought.exporting.decontamination import Decontaminator, Hit
from skythought.exporting.duplicates import Duplicates
from skythought.exporting.example import Example
from skythought.exporting.steps import Step
from skythought.printable import shortened

__all__ = ["HITS", "Clean", "Unrepeated", "nearness_of"]

HITS = "decontamination.jsonl"
MOST_IN_CARD = 50
"""Hits that the card shows; all are in the file."""


def nearness_of(duplicates: str) -> float | None:
    """What `--duplicates` says: from which similarity on two texts are the same; None where only exact ones are.

    Raises:
        UserError: It is neither "exact" nor a share.
    """
    if duplicates == "exact":
        return None
    try:
        return float(duplicates)
    except ValueError:
        raise UserError(f"--duplicates: exact, keep, or a share such as 0.8, not {duplicates!r}.") from None


class Unrepeated(Step):
    """Not problems that another problem repeats, nor responses that another response to the problem repeats.

    The first of a kind stays. The same problem in several runs of its task is one problem.
    """

    def __init__(self, near: float | None, *, answers: bool = True) -> None:
        """Raises UserError if `near` is no share, or rensa is not installed.

        Args:
            answers: Whether responses count; else only the problem is used.
        """
        super().__init__()
        self.name = "no duplicates" if near is None else f"no duplicates (near: {near:g})"
        self._near, self._answers = near, answers
        self._problems = Duplicates(near, same_numbers=True)
        self._problem = ""
        self._repeats: tuple[str, bool] | None = None
        self._said = Duplicates(near)

    def why_not(self, example: Example) -> str | None:
        """Whether it is the problem, or the response, that repeats another."""
        problem = f"{example.task}/{example.problem.id}"
        if problem != self._problem:
            self._problem = problem
            self._repeats = self._problems.earlier(example.question, problem)
            self._said = Duplicates(self._near)
        if self._repeats is not None:
            return "nearly repeat another problem" if self._repeats[1] else "repeat another problem"
        if not self._answers:
            return None
        said = self._said.earlier(f"{example.thinking}\n{example.answer}", example.id)
        if said is None:
            return None
        return "nearly repeat another response" if said[1] else "repeat another response"


class Clean(Step):
    """No problems of benchmarks. Every hit is written down, those that are kept as well."""

    name = "no benchmark's problems"

    def __init__(self, against: Sequence[str], ngram: int, threshold: float, *, answers: bool) -> None:
        """Read the benchmarks: see `read_benchmarks` and `Decontaminator`, also for what is raised.

        Args:
            answers: Whether to look in the responses too.
        """
        super().__init__()
        self._judge = Decontaminator(read_benchmarks(against), ngram, threshold)
        self._answers = answers
        self._text, self._found = "", list[Hit]()
        self._file = tempfile.TemporaryFile("w+", encoding="utf-8", errors="surrogatepass")  # noqa: SIM115
        self._first: list[Hit] = []
        self._counts: Counter[tuple[str, str, bool]] = Counter()

    def why_not(self, example: Example) -> str | None:
        """The benchmarks whose problems stand in it."""
        turns = [turn["content"] for turn in example.messages] or [example.question]
        text = "\n\n".join([*turns, *([example.thinking, example.answer] if self._answers else [])])
        if text != self._text:  # samples of one problem follow one another
            self._text, self._found = text, self._judge.hits(text, example.id)
            for hit in self._found:
                self._note(hit)
        names = sorted({hit.benchmark for hit in self._found if hit.removed})
        return f"hold a problem of {', '.join(names)}" if names else None

    def _note(self, hit: Hit) -> None:
        self._file.write(json.dumps(asdict(hit), ensure_ascii=False) + "\n")
        self._counts[hit.benchmark, hit.why, hit.removed] += 1
        if len(self._first) < MOST_IN_CARD:
            self._first.append(hit)

    def remarks(self) -> list[str]:
        """What was not, or not wholly, looked for."""
        return [f"decontamination: {line}" for line in self._judge.notices]

    def write(self, folder: Path) -> None:
        """All hits, with both texts, as JSON lines."""
        self._file.seek(0)
        with (folder / HITS).open("w", encoding="utf-8", errors="surrogatepass") as file:
            shutil.copyfileobj(self._file, file)
        self._file.close()

    def card(self) -> str:
        """What was looked for, what was found, and the first hits."""
        judge = self._judge
        checked = [one for one in judge.checked if not one.why_not]
        lines = [
            "## Decontamination",
            f"Problems of {len(checked)} benchmarks were looked for in "
            f"{'prompts and responses' if self._answers else 'the prompts'}: word {judge.ngram}-grams, and an "
            f"example goes if it repeats {judge.threshold:.0%} of a problem. All hits are in `{HITS}` with both texts. "
            "A problem that is the same but for its numbers is another problem, and is kept.",
            _table(
                ("benchmark", "problems"),
                [(one.benchmark, f"{one.problems:,}") for one in checked],
            ),
        ]
        if judge.notices:
            lines += ["Not, or not wholly, looked for:", "\n".join(f"- {_cell(line)}" for line in judge.notices)]
        if not self._first:
            return "\n\n".join([*lines, "Nothing was found."])
        found = [
            (name, why, f"{count:,} {'removed' if removed else 'kept'}")
            for (name, why, removed), count in sorted(self._counts.items())
        ]
        hits = [
            (
                hit.example,
                f"{hit.benchmark} {hit.problem}",
                f"{hit.coverage:.0%}, {'removed' if hit.removed else f'kept: {hit.why}'}",
                shortened(hit.benchmark_text, 200),
                shortened(hit.text, 200),
            )
            for hit in self._first
        ]
        lines += [_table(("found in", "how", "prompts"), found)]
        lines += [_table(("first example", "problem", "repeated", "the benchmark's text", "the example's"), hits)]
        return "\n\n".join(lines)


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *([_cell(cell) for cell in row] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _cell(text: str) -> str:
    return " ".join(text.replace("|", "\\|").replace("<", "&lt;").split())
