"""Runs for exports: responses that a test writes itself, in a run folder of ours, graded by the real scorer."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import Field

import skythought as st
from skythought.backends.base import BackendArgs, ConcurrentBackend
from skythought.types import Request, Response


class SaidArgs(BackendArgs):
    file: str = Field(...)
    """JSON: for each problem (its prompt's first number) a list of responses, or of fields of a response."""


class Said(ConcurrentBackend[SaidArgs]):
    """Answers what stands in a file."""

    async def answer(self, request: Request) -> Response:
        said = json.loads(Path(self.args.file).read_text(encoding="utf-8"))
        prompt = next(turn["content"] for turn in reversed(request.messages) if turn["role"] == "user")
        given = said[re.findall(r"\d+", prompt)[0]][request.key.sample]
        fields = {"text": given} if isinstance(given, str) else dict(given)
        return request.response(fields.pop("text"), **{"finish_reason": "stop", "completion_tokens": 7, **fields})


SAID = f"{Path(__file__)}:Said"


def said_run(
    folder: Path,
    responses: Sequence[Sequence[str | Mapping[str, Any]]],
    *,
    task: Mapping[str, Any] | None = None,
    rows: Sequence[Mapping[str, Any]] | None = None,
    **options: Any,
) -> st.Run:
    """A run over the problems "What is 0 + 1?", "What is 1 + 1?", ..., with these responses to each.

    Args:
        task: What stands otherwise in the task.
        rows: The dataset's rows, if they have more columns; `answer` is the gold answer.
    """
    folder.mkdir(parents=True, exist_ok=True)
    made = [{"question": f"What is {number} + 1?", "answer": str(number + 1)} for number in range(len(responses))]
    for row, more in zip(made, rows or [{}] * len(made), strict=True):
        row.update(more)
    (folder / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in made), encoding="utf-8")
    config = {"dataset_path": "rows.jsonl", "prompt": "{{ question }}", "target": "answer", "scorer": "math"}
    config |= task or {}
    name = str(config.pop("name", "sums"))
    text = json.dumps({key: value for key, value in config.items() if value is not None})  # JSON is YAML
    (folder / f"{name}.yaml").write_text(text, encoding="utf-8")
    said = folder / "said.json"
    said.write_text(json.dumps({str(number): list(one) for number, one in enumerate(responses)}), encoding="utf-8")
    options = {"model": "teacher", "n": len(responses[0]), "sampling_params": {"temperature": 1.0}, **options}
    run: st.Run = st.evaluate(
        str(folder / f"{name}.yaml"), backend=SAID, backend_args={"file": str(said)}, result_dir=folder, **options
    )
    return run


def rows_of(exported: st.Exported) -> list[dict[str, Any]]:
    """All rows of an export in JSON lines."""
    texts = [(exported.path / name).read_text(encoding="utf-8") for name in exported.files]
    return [json.loads(line) for text in texts for line in text.splitlines()]
