"""What `--reproducible` sets, records, refuses and warns of. Nothing is started here."""

from __future__ import annotations

import json
from importlib.util import find_spec

import pytest

from skythought.errors import UserError
from skythought.pipeline.plan import Options, Plan, make_plan

BACKENDS = {"vllm": "vllm", "transformers": "transformers", "openai": "openai"}
"""Each with a module that it needs."""


def plan(backend: str, args: dict[str, object] | None = None, *, reproducible: bool = True) -> Plan:
    if find_spec(BACKENDS[backend]) is None:
        pytest.skip(f"{backend} is not installed")
    asked = Options(
        task=("arithmetic",),
        model="tiny",
        backend=backend,
        backend_args=args or {},
        result_dir=".",
        reproducible=reproducible,
    )
    return make_plan(asked, grade=True)


@pytest.mark.parametrize(
    ("backend", "switches"),
    [
        ("vllm", {"dtype": "float32", "batch_invariant": True, "enforce_eager": True, "enable_prefix_caching": False}),
        ("transformers", {"dtype": "float32", "deterministic": True}),
        ("openai", {"send_seed": True}),
    ],
)
def test_switches_are_set_recorded_and_part_of_the_identity(backend, switches):
    (config,) = plan(backend).configs
    assert config.backend.args.items() >= switches.items()
    assert config.backend.identity.items() >= switches.items()
    assert config.reproducible
    assert config.fingerprint != plan(backend, reproducible=False).configs[0].fingerprint
    assert json.loads(json.dumps(config.record()))["reproducible"] is True


@pytest.mark.parametrize(
    ("backend", "args", "says"),
    [
        ("vllm", {"dtype": "bfloat16"}, "sets dtype=float32, but --backend-args says dtype=bfloat16"),
        ("vllm", {"enforce_eager": False}, "sets enforce_eager=true, but --backend-args says enforce_eager=false"),
        ("vllm", {"kv_cache_dtype": "fp8"}, "sets kv_cache_dtype=auto, but --backend-args says kv_cache_dtype=fp8"),
        ("transformers", {"dtype": "float16"}, "sets dtype=float32, but --backend-args says dtype=float16"),
        (
            "transformers",
            {"model_kwargs": {"torch_dtype": "float16"}},
            "'torch_dtype' exclude each other",
        ),
        ("openai", {"send_seed": False}, "sets send_seed=true, but --backend-args says send_seed=false"),
    ],
)
def test_arguments_that_contradict(backend, args, says):
    with pytest.raises(UserError, match=says) as caught:
        plan(backend, args)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("backend", BACKENDS)
def test_what_the_user_gives_beside_stays(backend):
    own = {"vllm": {"max_model_len": 512, "dtype": "float32"}, "transformers": {"threads": 1}, "openai": {"timeout": 5}}
    assert plan(backend, own[backend]).configs[0].backend.args.items() >= own[backend].items()


def test_what_remains_is_said():
    assert any("kind of GPU" in line and "tensor_parallel_size" in line for line in plan("vllm").notices)
    speculative = plan("vllm", {"speculative_config": {"method": "ngram"}})
    assert any(line.startswith("--reproducible: speculative_config") for line in speculative.notices)
    assert any("VLLM_BATCH_INVARIANT=1" in line and "--dtype float32" in line for line in plan("openai").notices)
    assert not any("reproducible" in line for line in plan("vllm", reproducible=False).notices)


def test_vllm_gets_its_own_arguments_only():
    """Batch invariance is a variable of vLLM's, not an argument, also where it is asked for alone."""
    args = plan("vllm", {"batch_invariant": True, "dtype": "bfloat16"}, reproducible=False).engine.args
    assert args.engine_values() == {"dtype": "bfloat16"}
    assert args.batch_invariant
    with pytest.raises(UserError, match="batch_invariant: Input should be a valid boolean"):
        plan("vllm", {"batch_invariant": "perhaps"}, reproducible=False)


def test_a_backend_without_switches_says_so():
    from skythought.backends.base import Backend

    values, remains = Backend.reproducible({"a": 1})
    assert values == {"a": 1}
    assert "no switches" in remains[0]


def test_command_line(cli):
    done = cli(
        "evaluate", "--task", "arithmetic", "--model", "tiny", "--backend", "openai", "--reproducible",
        "--backend-args", "send_seed=false",
    )  # fmt: skip
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert "--reproducible sets send_seed=true" in done.stderr


@pytest.mark.engine
def test_a_run_records_it_and_goes_on_only_with_it(tmp_path):
    torch = pytest.importorskip("torch")
    import skythought

    options = {"model": "tiny", "backend": "transformers", "sampling_params": {"max_tokens": 32}}
    run = skythought.evaluate("arithmetic", **options, reproducible=True, end=2, result_dir=tmp_path)
    configuration = run.summary["configuration"]
    assert configuration["skythought"]["reproducible"] is True
    assert configuration["backend"]["backend_args"]["dtype"] == "float32"
    assert not torch.are_deterministic_algorithms_enabled(), "torch is left as it was"
    with pytest.raises(UserError, match="made with other settings: backend args"):
        skythought.evaluate("arithmetic", **options, end=3, resume_from=run.path)
    more = skythought.evaluate("arithmetic", **options, reproducible=True, end=3, resume_from=run.path)
    assert len(list(more)) == 3
