"""Run folders made by hand, in the shape in which the reference writes them: exact numbers without a model."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

Verdicts = Sequence[Sequence[bool | None]]
"""For each problem, for each sample: right, wrong, or no verdict."""


def made_run(
    path: Path,
    verdicts: Verdicts,
    *,
    task: str = "sums",
    model: str = "",
    prompts: Sequence[str] | None = None,
    ids: Sequence[str] | None = None,
    changes: Mapping[str, Any] | None = None,
    response: Mapping[str, Any] | None = None,
) -> Path:
    """A folder with these verdicts; the model is called as the folder is.

    Args:
        changes: What stands otherwise in the summary's configuration.
        response: What each response has beside its content and verdict.
    """
    path.mkdir(parents=True)
    results = {}
    for number, samples in enumerate(verdicts):
        problem_id = str(number) if ids is None else ids[number]
        prompt = f"What is {number} + 1?" if prompts is None else prompts[number]
        responses = [
            {"content": f"I say {right} to {problem_id}.", "correctness": right, "reason": "", **(response or {})}
            for right in samples
        ]
        usage = [{"completion_tokens": 10, "prompt_tokens": 5} for _ in samples]
        results[problem_id] = {"question": prompt, "answer": str(number + 1), "prompt": prompt}
        results[problem_id] |= {"responses": responses, "token_usages": usage}
    (path / "results.json").write_text(json.dumps(results, indent=4), encoding="utf-8")
    configuration = {
        "task": {"name": task, "config": {}},
        "model": {"name": model or path.name, "config": {"model_id": model or path.name}},
        "backend": {"name": "vllm", "backend_args": {}},
        "sampling_params": {"temperature": 0.6, "max_tokens": 1024, "n": len(verdicts[0])},
        **(changes or {}),
    }
    totals = {f"{kind}_tokens": 0 for kind in ("total_completion", "avg_completion", "total_prompt", "avg_prompt")}
    counts = [right for samples in verdicts for right in samples if right is not None]
    accuracy = sum(counts) / len(counts) if counts else None
    summary = {"configuration": configuration, **totals, "accuracy": accuracy, "pass_at_k": None}
    (path / "summary.json").write_text(json.dumps(summary, indent=4), encoding="utf-8")
    return path


def one_sample(right: int, wrong: int) -> list[list[bool]]:
    """One sample a problem: the first so many right, the others wrong."""
    return [[True]] * right + [[False]] * wrong
