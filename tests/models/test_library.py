import pytest

from skythought.errors import UserError
from skythought.models.conversation import conversation
from skythought.models.library import load_model, model_names, system_prompt_names


def test_a_model_without_preset_gets_nothing_but_the_prompt():
    messages = conversation(load_model("some-org/some-model"), "What is 1+1?")
    assert messages == ({"role": "user", "content": "What is 1+1?"},)


def test_every_preset_loads():
    for name in model_names():
        assert load_model(name).model_id == name


def test_the_references_prompts_are_there_whole():
    prompts = {name: load_model("m", system_prompt_name=name).system_prompt for name in system_prompt_names()}
    assert prompts["qwen_cot"].endswith("You should think step-by-step.")
    assert prompts["skythought"].endswith("Now, try to solve the following question through the above guidelines:")
    assert "separated with '\n\n'}" in prompts["skythought"]
    assert "Now, begin with the [ASSESS] action" in prompts["prime_rl"]


def test_an_empty_system_prompt_switches_the_preset_off_and_leaves_the_next_call_alone():
    preset = load_model("Qwen/Qwen2.5-7B-Instruct")
    assert load_model("Qwen/Qwen2.5-7B-Instruct", system_prompt="").system_prompt is None
    assert load_model("Qwen/Qwen2.5-7B-Instruct", system_prompt="Mine").system_prompt == "Mine"
    assert load_model("Qwen/Qwen2.5-7B-Instruct") == preset


def test_system_template_and_prefill_in_their_places():
    model = load_model("m", system_prompt="S", user_template="Q: {} \\boxed{}", assistant_prefill="<think>\n")
    assert conversation(model, "P{x}") == (
        {"role": "system", "content": "S"},
        {"role": "user", "content": "Q: P{x} \\boxed{}"},
        {"role": "assistant", "content": "<think>\n"},
    )


def test_mistakes_are_named(tmp_path):
    with pytest.raises(UserError, match="exclude each other"):
        load_model("m", system_prompt="a", system_prompt_name="qwen_cot")
    with pytest.raises(UserError, match=r"'qwen_cott'. Did you mean 'qwen_cot'"):
        load_model("m", system_prompt_name="qwen_cott")
    with pytest.raises(UserError, match="has no {}"):
        load_model("m", user_template="no hole")
    (tmp_path / "checkpoint-100").mkdir()
    with pytest.raises(UserError, match=r"no such file or folder. Did you mean 'checkpoint-100'"):
        load_model(str(tmp_path / "checkpoint-10"))
