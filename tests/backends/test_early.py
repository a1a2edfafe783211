"""What is wrong with a model shows before anything is loaded, and no run folder is left behind."""

from __future__ import annotations

import json
import shutil
import time
from pathlib import Path

import pytest

import skythought as st
from skythought.models.library import load_model


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"model": "tny", "backend": "transformers"}, "a hub id has an owner. Did you mean 'tiny'"),
        ({"model": "tny", "backend": "vllm"}, "a hub id has an owner. Did you mean 'tiny'"),
        ({"model": "EMPTY", "backend": "transformers"}, "holds no config.json, so no model"),
        ({"model": "EMPTY", "backend": "vllm"}, "holds no config.json, so no model"),
        ({"model": "tiny", "backend": "vllm", "backend_args": {"max_model_len": 9999}}, "has only 4,096 positions"),
        ({"model": "tiny", "backend": "ray", "backend_args": {"max_model_len": 9999}}, "has only 4,096 positions"),
    ],
)
def test_mistakes(settings, says, tmp_path: Path) -> None:
    if settings["backend"] in ("vllm", "ray"):
        pytest.importorskip("vllm")
    (tmp_path / "empty").mkdir()
    model = str(tmp_path / "empty") if settings["model"] == "EMPTY" else settings["model"]
    started = time.process_time()
    with pytest.raises(st.UserError, match=says):
        st.evaluate("arithmetic", **{**settings, "model": model}, result_dir=tmp_path / "runs")
    assert time.process_time() - started < 10
    assert not (tmp_path / "runs").exists()


def test_a_stretched_context_is_the_engines_business(tmp_path: Path) -> None:
    """Scaled rotary embeddings: only the engine knows how far they reach."""
    from skythought.backends.weights import require_context

    source = Path(load_model("tiny").weights)
    for name in ("config.json",):
        shutil.copy(source / name, tmp_path / name)
    model = load_model(str(tmp_path))
    with pytest.raises(st.UserError, match="positions"):
        require_context(model, 9999)
    config = json.loads((tmp_path / "config.json").read_text()) | {"rope_scaling": {"rope_type": "yarn", "factor": 4.0}}
    (tmp_path / "config.json").write_text(json.dumps(config))
    require_context(model, 9999)
