"""Presets of one's own: where they come from, what goes first, and what is wrong with them in one line."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from skythought.errors import UserError
from skythought.models.library import load_model, model_names
from skythought.models.presets import catalogue
from skythought.pipeline.plan import Options, Plan, make_plan

MINE = """
system_prompts:
  terse: Be brief.
  long: {path: long.txt}
models:
  my-org/math-8b:
    source: https://example.org
    system_prompt: {path: long.txt}
    user_template: "Q: {}"
    assistant_prefill: "<think>\\n"
    thinking_tags: [["<t>", "</t>"]]
    chat_template_kwargs: {effort: high}
    sampling_params: {temperature: 0.3, top_k: 7}
  fast: {model_id: my-org/math-8b, like: my-org/math-8b, system_prompt_name: terse, sampling_params: {}}
  local: {path: weights}
  Qwen/Qwen3-8B: {sampling_params: {temperature: 0.1}}
"""


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A configuration folder of our own."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    folder = tmp_path / "config" / "skythought"
    folder.mkdir(parents=True)
    return folder


@pytest.fixture
def mine(tmp_path: Path) -> Path:
    (tmp_path / "long.txt").write_text("Think at length.\n", encoding="utf-8")
    file = tmp_path / "mine.yaml"
    file.write_text(MINE, encoding="utf-8")
    return file


def test_everything_that_a_preset_can_say(mine: Path) -> None:
    model = load_model("my-org/math-8b", model_config=mine)
    assert model.model_dump(exclude_defaults=True) == {
        "model_id": "my-org/math-8b",
        "name": "math-8b",
        "system_prompt": "Think at length.\n",
        "user_template": "Q: {}",
        "assistant_prefill": "<think>\n",
        "thinking_tags": [("<t>", "</t>")],
        "chat_template_kwargs": {"effort": "high"},
        "sampling_params": {"temperature": 0.3, "top_k": 7},
    }


def test_a_nickname_is_like_another_and_differs(mine: Path) -> None:
    model = load_model("fast", model_config=mine)
    assert (model.model_id, model.name) == ("my-org/math-8b", "fast")
    assert (model.system_prompt, model.user_template, model.sampling_params) == ("Be brief.", "Q: {}", {})


def test_paths_lie_beside_the_file(mine: Path) -> None:
    assert load_model("local", model_config=mine).weights == str(mine.parent / "weights")


def test_the_given_file_goes_before_the_users_and_that_before_the_librarys(home: Path, mine: Path) -> None:
    packaged = load_model("Qwen/Qwen3-8B")
    assert packaged.sampling_params == {"temperature": 0.6, "top_p": 0.95, "top_k": 20, "min_p": 0.0}
    (home / "models.yaml").write_text(
        "models:\n  Qwen/Qwen3-8B: {system_prompt: Mine., sampling_params: {temperature: 0.2}}\n", encoding="utf-8"
    )
    assert load_model("Qwen/Qwen3-8B").sampling_params == {"temperature": 0.2}
    model = load_model("Qwen/Qwen3-8B", model_config=mine)
    assert (model.sampling_params, model.system_prompt) == ({"temperature": 0.1}, "Mine.")
    assert catalogue(mine).files["Qwen/Qwen3-8B"] == mine
    assert set(model_names()) < set(model_names(mine))
    off = {"enable_thinking": False}
    assert load_model("Qwen/Qwen3-8B", chat_template_kwargs=off).sampling_params["top_p"] == 0.8


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("modles: {}", r"unknown key 'modles'\. Did you mean 'models'\?"),
        ("models: [a]", r"models: Input should be a valid dictionary"),
        ("models: {m: 3}", r"models\.m: a mapping of keys to values, not int"),
        ("models: {m: {systm_prompt: x}}", r"models\.m: unknown key 'systm_prompt'\. Did you mean 'system_prompt'\?"),
        ("models: {m: {sampling_params: {temprature: 1}}}", r"models\.m\.sampling_params: unknown key 'temprature'"),
        (
            "models: {m: {sampling_params: {top_p: 3}}}",
            r"models\.m\.sampling_params: top_p: .* less than or equal to 1",
        ),
        ("models: {m: {system_prompt: {path: no.txt}}}", r"models\.m\.system_prompt\.path: .*no\.txt' cannot be read"),
        ("models: {m: {system_prompt_name: tarse}}", r"system prompt name in .*models\.m 'tarse'"),
        ("models: {m: {user_template: x}}", r"models\.m\.user_template: 'x' has no \{\}"),
        ("models: {m: {system_prompt: a, system_prompt_name: b}}", r"models\.m: .* exclude each other"),
        ("models: {m: {like: n}}", r"models\.m\.like 'n'"),
        ("models: {m: {like: n}, n: {like: m}}", r"models\.m\.like: goes round in a circle"),
        ("models: {\n m: [}", r"line 2: not valid YAML"),
        ("- a", r"a mapping with the keys models and system_prompts, not list"),
    ],
)
def test_mistakes_name_file_and_key(tmp_path: Path, text: str, says: str) -> None:
    file = tmp_path / "bad.yaml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(UserError, match=says) as error:
        load_model("m", model_config=file)
    assert "\n" not in str(error.value)
    assert "bad.yaml" in str(error.value)


def test_no_such_file(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="--model-config 'nowhere.yaml': there is no such file"):
        load_model("m", model_config="nowhere.yaml")


def plan(model: str, sampling: dict[str, Any] | None = None, backend: str = "openai", **options: Any) -> Plan:
    args = {"base_url": "http://127.0.0.1:9/v1"} if backend == "openai" else {}
    given = {"backend": backend, "backend_args": args, "sampling_params": sampling or {}, "result_dir": ".", **options}
    return make_plan(Options(task=("arithmetic",), model=model, **given), grade=True)


def test_the_command_line_goes_before_the_preset_and_that_before_the_defaults() -> None:
    used = plan("Qwen/Qwen3-8B", {"top_p": 0.5})
    sampling = used.configs[0].sampling
    assert (sampling.temperature, sampling.top_p, sampling.top_k, sampling.min_p) == (0.6, 0.5, 20, 0.0)
    assert sampling.max_tokens == 32768
    [notice] = [text for text in used.notices if text.startswith("sampling with")]
    assert "temperature=0.6, top_k=20, min_p=0, as recommended for Qwen/Qwen3-8B" in notice
    assert used.configs[0].record()["model"]["sampling_params"]["top_p"] == 0.95
    assert plan("Qwen/Qwen3-8B", {"top_k": None}).configs[0].sampling.top_k is None
    assert plan("Qwen/Qwen3-8B", n=4).configs[0].n == 4


def test_greedy_on_request_is_greedy_whole_and_models_without_a_preset_stay_so() -> None:
    for model, sampling in (
        ("Qwen/Qwen3-8B", {"temperature": 0}),
        ("some/model", {}),
        ("Qwen/Qwen2.5-7B-Instruct", {}),
    ):
        used = plan(model, sampling)
        assert used.configs[0].sampling.as_dict() == {"temperature": 0, "top_p": 1, "max_tokens": 32768}
        assert not [text for text in used.notices if text.startswith("sampling with")]


def test_a_preset_counts_as_if_it_had_been_typed(home: Path) -> None:
    typed = plan("tiny", {"temperature": 0.5, "top_p": 0.9}).configs[0]
    (home / "models.yaml").write_text(
        "models: {tiny: {sampling_params: {temperature: 0.5, top_p: 0.9}}}\n", encoding="utf-8"
    )
    assert plan("tiny").configs[0].fingerprint == typed.fingerprint
    assert plan("tiny").configs[0].model.weights == typed.model.weights, "the library's path stays"


def test_what_a_backend_cannot_do_is_left_out_and_said(home: Path) -> None:
    (home / "models.yaml").write_text(
        "models: {tiny: {sampling_params: {temperature: 0.5, presence_penalty: 1}}}\n", encoding="utf-8"
    )
    used = plan("tiny", backend="transformers")
    assert used.configs[0].sampling.presence_penalty is None
    assert any(
        text.startswith("not sent, for the backend has no such parameter: presence_penalty") for text in used.notices
    )


def test_a_system_prompt_that_nobody_typed_is_said() -> None:
    notices = plan("nvidia/Llama-3_3-Nemotron-Super-49B-v1").notices
    assert any("system prompt of the preset" in text and "'detailed thinking on'" in text for text in notices)
    assert not any("system prompt" in text for text in plan("some/model").notices)


def test_on_the_command_line(cli: Any, mine: Path) -> None:
    shown = cli("models", "my-org/math-8b", "--model-config", mine).stdout
    assert "temperature=0.3, top_k=7" in shown
    assert "https://example.org" in shown
    assert "mine.yaml" in shown
    assert "math-8b" in cli("models", "--model-config", mine).stdout
    done = cli("evaluate", "--task", "gsm8k", "--model", "m", "--model-config", "none.yaml")
    assert done.returncode == 2
    assert "--model-config 'none.yaml': there is no such file" in done.stderr
