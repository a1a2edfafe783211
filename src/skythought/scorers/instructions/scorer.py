"""Verifiable instructions ("at least 300 words", "no commas"): which of those in a prompt a response follows."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from skythought.errors import UserError
from skythought.scorers.base import Scorer
from skythought.scorers.instructions.checks import CHECKS, Finding, detected_language, sentence_splitter
from skythought.types import Problem, Score

__all__ = ["InstructionsScorer"]

Mode = Literal["strict", "loose"]
MODES = ("strict", "loose")


@dataclass(frozen=True)
class InstructionsScorer(Scorer):
    """Whether a response follows all instructions of its prompt, of the 25 kinds of IFEval.

    The problem's `target` is a mapping (or its JSON) with the dataset's columns `instruction_id_list` and `kwargs`, one
    set of arguments an instruction; arguments that are None are left out. `fraction` is the share of instructions
    followed; `details` has both modes for each, and the four numbers of the paper for the summary.

    Args:
        mode: What counts as correct. "strict": each instruction by the response as it is. "loose": by any of
            eight versions of it: as it is, without its first line, its last line or both, and each of these without
            asterisks.
    """

    mode: Mode = "strict"

    def __post_init__(self) -> None:
        if self.mode not in MODES:
            raise UserError(f"scorer instructions: mode {self.mode!r} is neither strict nor loose.")

    def prepare(self) -> None:
        """Load what tells languages and splits sentences."""
        detected_language("")
        sentence_splitter()

    def score(self, problem: Problem, answer: str) -> Score:
        """Correct if every instruction is followed; `answer` is None (unparsed) if the response is empty."""
        try:
            wanted = instructions(problem.target)
            results = [_result(name, args, answer) for name, args in wanted]
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            return Score(None, f"the problem's instructions cannot be checked: {type(error).__name__}: {error}")
        if not answer.strip():
            return self.unanswered(problem, "no answer found: the response is empty")
        followed = sum(result[self.mode] for result in results)
        failed = [f"{result['id']} ({result['found']})" for result in results if not result[self.mode]]
        reason = f"{followed} of {len(results)} instructions followed ({self.mode})"
        return Score(
            not failed,
            reason + (f"; not: {'; '.join(failed)}" if failed else ""),
            answer[:200],
            fraction=followed / len(results),
            details={"instructions": results, "metrics": _metrics(results)},
        )

    def unanswered(self, problem: Problem, why: str) -> Score:
        """Wrong, with none of the instructions followed, so that the numbers of the summary count it."""
        nothing = [
            {"id": name, "strict": False, "loose": False, "found": ""} for name, _ in instructions(problem.target)
        ]
        return Score(False, why, fraction=0.0, details={"metrics": _metrics(nothing)})

    def gold(self, problem: Problem) -> str | None:
        """None: no response is known to follow them."""
        return None


def instructions(target: Any) -> list[tuple[str, dict[str, Any]]]:
    """Names and arguments of a problem's instructions.

    Raises:
        ValueError: Not the two columns, of one length and not empty; an unknown instruction. KeyError: one is missing.
    """
    if isinstance(target, str):
        target = json.loads(target)
    names, kwargs = target["instruction_id_list"], target["kwargs"]
    kwargs = json.loads(kwargs) if isinstance(kwargs, str) else list(kwargs)
    if not len(names) or len(names) != len(kwargs):
        raise ValueError(f"{len(names)} instructions with {len(kwargs)} sets of arguments")
    for name in names:
        if name not in CHECKS:
            raise ValueError(f"unknown instruction {name!r}")
    pairs = zip(names, kwargs, strict=True)
    return [(name, {key: value for key, value in (args or {}).items() if value is not None}) for name, args in pairs]


def _result(name: str, args: Mapping[str, Any], answer: str) -> dict[str, Any]:
    followed, found = _checked(name, args, answer)
    loose = followed or any(_checked(name, args, version)[0] for version in _versions(answer))
    return {"id": name, "strict": followed, "loose": loose, "found": found}


def _checked(name: str, args: Mapping[str, Any], answer: str) -> Finding:
    return CHECKS[name](answer, args) if answer.strip() else (False, "an empty response")


def _versions(answer: str) -> Iterator[str]:
    """The seven other versions of a response that the mode "loose" looks at, without those that are the same."""
    lines = answer.split("\n")
    cut = ["\n".join(part).strip() for part in (lines[1:], lines[:-1], lines[1:-1])]
    versions = [*cut, *(text.replace("*", "") for text in (answer, *cut))]
    yield from (version for version in dict.fromkeys(versions) if version != answer)


def _metrics(results: list[dict[str, Any]]) -> dict[str, Any]:
    """The paper's four numbers: by prompt, and by instruction as [followed, of]."""
    metrics: dict[str, Any] = {}
    for mode in MODES:
        followed = sum(result[mode] for result in results)
        metrics[f"prompt_level_{mode}"] = int(followed == len(results))
        metrics[f"inst_level_{mode}"] = [followed, len(results)]
    return metrics
