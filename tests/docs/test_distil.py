"""docs/distil.md and docs/checkpoints.md: their commands are run from end to end, with a small model, few problems."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from doc_commands import blocks, files, run_script

SMALL = {
    r"(?<=--model )\S+": "tiny",
    r"--backend vllm --backend-args tensor_parallel_size=8": "",
    r"(?<=--task )\S+": "arithmetic --backend transformers --backend-args threads=1 --end 20",
    r"max_tokens=16384": "max_tokens=512",
    r"math500,aime24,aime25": "benchmark.jsonl",
    r"no_loss_over: \d+": "no_loss_over: 30",
}
"""What stands for a large model, its engine, a benchmark on the hub, and a night."""


def small(script: str) -> str:
    """The page's commands for the bundled model and task."""
    for pattern, instead in SMALL.items():
        script = re.sub(pattern, instead, script)
    return script


@pytest.mark.engine
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("page", ["docs/distil.md", "docs/checkpoints.md"])
def test_the_commands_work_in_their_order(page: str, tmp_path: Path) -> None:
    pytest.importorskip("transformers")
    (tmp_path / "benchmark.jsonl").write_text('{"question": "How many moons has Mars, and what are they called?"}\n')
    for name, text in files(page).items():
        (tmp_path / name).write_text(small(text), encoding="utf-8")
    printed = [run_script(small(text), tmp_path) for language, text in blocks(page) if language == "sh"]
    assert "cannot be told apart" in printed[-1] or "gate" in printed[-1]
