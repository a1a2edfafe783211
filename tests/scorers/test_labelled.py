"""Agreement with labelled responses, where they lie beside the repository: never worse than this."""

from __future__ import annotations

import json
from typing import Any

import pytest
from places import SHARED

from skythought.scorers import Scorer, score_text
from skythought.scorers.choice.scorer import ChoiceScorer
from skythought.scorers.instructions.scorer import InstructionsScorer
from skythought.scorers.math.scorer import MathScorer

LABELLED = SHARED / "dev"
pytestmark = pytest.mark.skipif(not LABELLED.is_dir(), reason="needs the labelled responses beside the repository")


def agreement(scorer: Scorer, name: str, **only: Any) -> tuple[float, int]:
    """Share of rows with the verdict of their label, and how many wrong responses were accepted."""
    rows = [json.loads(line) for line in (LABELLED / f"{name}.jsonl").open(encoding="utf-8")]
    rows = [row for row in rows if all(row.get(key) == value for key, value in only.items())]
    right = accepted = 0
    for row in rows:
        gold = row["gold"].split("####")[-1].replace(",", "").strip() if name == "gsm8k_outputs" else row["gold"]
        options = row.get("options") if isinstance(row.get("options"), list) else ()
        scored = score_text(scorer, row["response"], gold, options or ()).correct
        right += scored is row["label"]
        accepted += bool(scored) and not row["label"]
    return right / len(rows), accepted


def test_gsm8k() -> None:
    share, accepted = agreement(MathScorer(kind="number"), "gsm8k_outputs")
    assert share >= 0.9999
    assert accepted == 0


def test_math() -> None:
    share, accepted = agreement(MathScorer(), "math_outputs")
    assert share >= 0.9975
    assert accepted <= 1


def test_choice() -> None:
    assert agreement(ChoiceScorer(), "multiple_choice", tier="clean") == (1, 0)
    assert agreement(ChoiceScorer(), "multiple_choice", tier=None) == (1, 0)


def test_instructions() -> None:
    """One row counts a random letter where "#" is asked for: the only verdict that may differ."""
    prompts = {
        row["key"]: row for row in map(json.loads, (LABELLED.parent / "data" / "ifeval.jsonl").open(encoding="utf-8"))
    }
    rows = [json.loads(line) for line in (LABELLED / "ifeval_responses.jsonl").open(encoding="utf-8")]
    differing = []
    for row in rows:
        wanted = {name: prompts[row["key"]][name] for name in ("instruction_id_list", "kwargs")}
        scored = score_text(InstructionsScorer(), row["response"], wanted).details["instructions"]
        for mode in ("strict", "loose"):
            differing += [
                (row["key"], one["id"])
                for one, label in zip(scored, row[f"inst_level_{mode}"], strict=True)
                if one[mode] is not label
            ]
    assert set(differing) <= {(1122, "keywords:letter_frequency")}


def test_equivalence() -> None:
    share, accepted = agreement(MathScorer(), "math_equivalence", reliability="ok")
    assert share >= 0.97
    assert accepted == 0
