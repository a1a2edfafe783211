"""What is made of the arguments of the `vllm` backend, before vLLM is imported."""

from __future__ import annotations

import subprocess
import sys
from importlib.util import find_spec

import pytest

if find_spec("vllm") is None:
    pytest.skip("vLLM is not installed", allow_module_level=True)

from skythought.backends.vllm.args import VLLMArgs, check_engine_args
from skythought.backends.vllm.backend import VLLMBackend
from skythought.errors import UserError
from skythought.pipeline.options import Options
from skythought.pipeline.plan import make_plan


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"tensor_paralel_size": 2}, "'tensor_paralel_size'. Did you mean 'tensor_parallel_size'?"),
        ({"tensor-parallel-size": 2}, "Did you mean 'tensor_parallel_size'?"),
        ({"batch_invariance": True}, "neither vLLM nor this backend.*Did you mean 'batch_invariant'?"),
        ({"dtype": "flaot32"}, "dtype: Input should be 'auto'.*'float32' .given: 'flaot32'"),
        ({"max_model_len": "long"}, "max_model_len: Input should be a valid integer.*'long'"),
        ({"enforce_eager": "perhaps"}, "enforce_eager: Input should be a valid boolean"),
        ({"model": "other"}, "'model' cannot be given: it is set by --model"),
    ],
)
def test_mistakes(given, says):
    with pytest.raises(UserError, match=says) as caught:
        VLLMBackend.check_args(given)
    assert "\n" not in str(caught.value)


def test_every_engine_argument_passes_as_given():
    given = {
        "tensor_parallel_size": 2,
        "gpu_memory_utilization": 0.5,
        "revision": "main",
        "hf_overrides": {"rope_theta": 1.0},
        "speculative_config": {"method": "ngram"},
        "hf_token": "hf_secret",
    }
    args = VLLMBackend.check_args(given)
    assert args.engine_values() == given
    assert "hf_secret" not in repr(args)


def test_without_vllm_any_name_passes(monkeypatch):
    monkeypatch.setattr("skythought.backends.vllm.args.engine_arguments", lambda: None)
    args = check_engine_args(VLLMArgs, {"of_a_later_version": 1, "batch_invariant": True})
    assert args.engine_values() == {"of_a_later_version": 1}
    with pytest.raises(UserError, match="batch_invariant: Input should be a valid boolean"):
        check_engine_args(VLLMArgs, {"batch_invariant": "perhaps"})


def test_nothing_heavy_is_imported():
    code = (
        "import sys; from skythought.backends.vllm import VLLMBackend as B; B.check_args({'dtype': 'auto'});"
        "print({'torch', 'vllm', 'transformers'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


def test_record(tmp_path):
    """All is recorded but secrets; what only changes speed does not make another run."""
    given = {"max_model_len": 512, "gpu_memory_utilization": 0.5, "hf_token": "hf_secret"}
    options = Options(task=("arithmetic",), model="tiny", backend="vllm", backend_args=given, result_dir=tmp_path)
    recorded = make_plan(options, grade=False).configs[0].backend
    assert recorded.args == {"max_model_len": 512, "gpu_memory_utilization": 0.5}
    assert recorded.identity == {"max_model_len": 512}


def test_the_default_where_it_is_installed(tmp_path):
    plan = make_plan(Options(task=("arithmetic",), model="tiny", result_dir=tmp_path), grade=True)
    assert plan.configs[0].backend.name == "vllm"
    assert plan.configs[0].batch_size == 512
    assert any(line.startswith("backend: vllm (the default") for line in plan.notices)
