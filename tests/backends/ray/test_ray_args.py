"""What is made of the arguments of the `ray` backend, before Ray is imported, and what a cluster can hold."""

from __future__ import annotations

import re
import subprocess
import sys
from importlib.util import find_spec

import pytest

if find_spec("vllm") is None or find_spec("ray") is None:
    pytest.skip("Ray or vLLM is not installed", allow_module_level=True)

from skythought.backends.ray.backend import RayBackend
from skythought.cluster import Need, shortage
from skythought.errors import UserError
from skythought.pipeline.options import Options
from skythought.pipeline.plan import make_plan


class TestArguments:
    @pytest.mark.parametrize(
        ("given", "says"),
        [
            ({"num_replica": 2}, "neither.* argument 'num_replica'. Did you mean 'num_replicas'"),
            ({"tensor_paralel_size": 2}, "'tensor_paralel_size'. Did you mean 'tensor_parallel_size'"),
            ({"num_replicas": 0}, "num_replicas: .*greater than or equal to 1"),
            ({"dtype": "flaot32"}, "dtype: Input should be 'auto'"),
            ({"model": "other"}, "'model' cannot be given"),
            ({"config": "/nowhere.yaml"}, "config: /nowhere.yaml: cannot be read: No such file"),
        ],
    )
    def test_mistakes(self, given, says):
        with pytest.raises(UserError, match=says) as caught:
            RayBackend.check_args(given)
        assert "\n" not in str(caught.value)

    def test_defaults_are_those_of_the_packaged_file(self):
        args = RayBackend.check_args({})
        assert (args.num_replicas, args.batch_size, args.accelerator_type) == (2, 128, None)
        assert args.engine_values() == {"tensor_parallel_size": 4, "gpu_memory_utilization": 0.9, "dtype": "auto"}

    def test_a_file_is_read_under_the_arguments_and_recorded(self, tmp_path):
        path = tmp_path / "mine.yaml"
        path.write_text(
            "llm_engine: vllm\naccelerator_type: H100\n"
            "engine_kwargs: {tensor_parallel_size: 8, max_model_len: 512, dtype: float32}\n"
            "runtime_env: {env_vars: {A: b, HF_TOKEN: hush}}\nenv_config: {num_replicas: 3}\n"
        )
        given = {"config": str(path), "dtype": "bfloat16", "batch_size": 7}
        options = Options(task=("arithmetic",), model="tiny", backend="ray", backend_args=given, result_dir=tmp_path)
        plan = make_plan(options, grade=False)
        assert plan.engine.args.engine_values() == {
            "tensor_parallel_size": 8, "max_model_len": 512, "dtype": "bfloat16", "gpu_memory_utilization": 0.9,
        }  # fmt: skip
        recorded = plan.configs[0].backend
        assert recorded.args["accelerator_type"] == "H100"
        assert recorded.args["runtime_env"] == {"env_vars": {"A": "b"}}
        assert recorded.identity == {"max_model_len": 512, "dtype": "bfloat16"}

    @pytest.mark.parametrize(
        ("content", "says"),
        [
            ("engine_kwarg: {}", "unknown key 'engine_kwarg'. Did you mean 'engine_kwargs'"),
            ("env_config: {replicas: 2}", "argument 'replicas'. Did you mean 'num_replicas'"),
            ("engine_kwargs: {max_len: 2}", "argument 'max_len'. Did you mean"),
            ("llm_engine: sglang", "llm_engine: Input should be 'vllm' .given: 'sglang'"),
            ("runtime_env: 3", "runtime_env: Input should be a valid dictionary"),
            ("[1, 2]", "must hold keys and values"),
            ("{", "not valid YAML"),
        ],
    )
    def test_mistakes_in_a_file(self, content, says, tmp_path):
        path = tmp_path / "mine.yaml"
        path.write_text(content)
        with pytest.raises(UserError, match=says) as caught:
            RayBackend.check_args({"config": str(path)})
        assert "\n" not in str(caught.value)


BIG = {"GPU": 8, "CPU": 64, "accelerator_type:H100": 1}
ONE = {"GPU": 1, "CPU": 1}


class TestShortage:
    @pytest.mark.parametrize(
        ("need", "nodes", "says"),
        [
            (Need(2, 4, ONE), [{"GPU": 4, "CPU": 64}], "2 replicas of 4 GPUs need 8, the cluster has 4"),
            (Need(1, 1, ONE), [{"CPU": 64}], "1 replica of 1 GPU needs 1, the cluster has 0"),
            (Need(2, 4, ONE), [BIG], None),
            (Need(2, 8, ONE), [BIG, BIG], None),
            (Need(1, 8, ONE, "H100"), [BIG], None),
            (Need(1, 8, ONE, "A100"), [BIG], "accelerator_type 'A100': no node has it; .*: H100"),
            (Need(2, 8, ONE, "H100"), [BIG, {"GPU": 8, "CPU": 8}], "need 16, the cluster has 8 of type H100"),
            (Need(2, 1, {"CPU": 1}), [{"CPU": 1}], "2 replicas of 1 logical CPU need 2, the cluster has 1"),
            (Need(2, 4, ONE), [{"GPU": 8, "CPU": 5}], "1 GPU and 1 CPU for each worker of 8.*room for 5"),
            (Need(1, 1, {"GPU": 4, "CPU": 1}), [{"GPU": 2, "CPU": 9}] * 2, "4 GPU and 1 CPU for each.*room for 0"),
        ],
    )
    def test_shortage(self, need, nodes, says):
        found = shortage(need, nodes)
        assert found is None if says is None else re.search(says, found)


def test_nothing_heavy_is_imported():
    code = (
        "import sys; from skythought.backends.ray.backend import RayBackend as B; B.check_args({'dtype': 'auto'});"
        "print({'torch', 'vllm', 'ray', 'transformers'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
