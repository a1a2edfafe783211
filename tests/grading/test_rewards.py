"""Reward functions: TRL's call, verl's call, and what they give."""

from __future__ import annotations

import importlib.util
import inspect
import json
import pickle
import sys

import pytest

from skythought.errors import UserError
from skythought.grading import compute_score, compute_scores, reward, rewards
from skythought.grading.rewards import scorer_of


def test_called_as_trl_does() -> None:
    judge = reward("gsm8k")
    completions = ["<think>\n6*7</think>\nThe final answer is 42", "\\boxed{41}", "\\boxed{42}"]
    given = judge(
        prompts=["6 * 7?"] * 3,
        completions=completions,
        completion_ids=[[1], [2], [3]],
        answer=["#### 42", "#### 42", "#### 1,042"],
        trainer_state=object(),
    )
    assert given == [1.0, 0.0, 0.0]
    assert all(type(value) is float for value in given)
    assert judge.__name__ == "gsm8k_reward"
    assert not inspect.iscoroutinefunction(judge)


def test_completions_as_messages() -> None:
    judge = reward("choice", target="gold", choices="options")
    messages = [
        [{"role": "assistant", "content": "The answer is (B)."}],
        [
            {"role": "user", "content": "And?"},
            {"role": "assistant", "content": [{"type": "text", "text": "It is red."}]},
        ],
        [],
    ]
    prompts = [[{"role": "user", "content": "Which?"}]] * 3
    options = [["red", "blue"]] * 3
    assert judge(prompts=prompts, completions=messages, gold=["B", "A", "A"], options=options) == [1.0, 1.0, 0.0]


def test_a_prompt_that_opens_the_thinking() -> None:
    judge = reward("math", target="gold")
    prompts = ["What?<think>\n", "What?<think>\n"]
    completions = ["maybe \\boxed{1}, and then", "maybe\n</think>\n\\boxed{1}"]
    assert judge(prompts=prompts, completions=completions, gold=["1", "1"]) == [0.0, 1.0]


def test_shares_of_what_was_asked_for() -> None:
    columns = {
        "instruction_id_list": [["punctuation:no_comma", "startend:quotation"]] * 2,
        "kwargs": [[{"num_words": None}, {"num_words": None}]] * 2,
    }
    completions = ['"Said"', "Said"]
    assert reward("ifeval")(completions=completions, **columns) == [1.0, 0.0]
    assert reward("ifeval", fraction=True)(completions=completions, **columns) == [1.0, 0.5]


def test_what_cannot_be_judged() -> None:
    columns = {"answer": ["no gold number here"], "question": ["6 * 7?"]}
    assert reward("gsm8k")(completions=["42"], **columns) == [0.0]
    assert reward("gsm8k", when_failed=-1.0)(completions=["42"], **columns) == [-1.0]
    with pytest.raises(UserError, match="unknown column 'gold'"):
        reward("math", target="gold")(completions=["42"], answer=["42"])
    with pytest.raises(UserError, match="unknown scorer or task 'maths'"):
        reward("maths")


def test_a_reward_travels() -> None:
    judge = pickle.loads(pickle.dumps(reward("math", target="gold", kind="integer")))
    assert judge(completions=["\\boxed{007}"], gold=["7"]) == [1.0]
    assert judge.__name__ == "math_reward"


def test_called_as_verl_does() -> None:
    assert compute_score("openai/gsm8k", "So #### 42", "42", {"split": "train", "index": 0}) == 1.0
    assert compute_score(data_source="math_dapo", solution_str="Answer: 34", ground_truth="35", extra_info=None) == 0.0
    assert compute_score("cais/mmlu", "It is blue.", "B", {"choices": ["red", "blue"]}) == 1.0
    assert compute_score("mine", "\\boxed{7}", "7", scorer="math") == 1.0
    wanted = json.dumps({"instruction_id_list": ["punctuation:no_comma"], "kwargs": [{}]})
    assert compute_score("ifeval", "No.", wanted) == 1.0
    with pytest.raises(UserError, match="data source 'mine': it cannot be told what scores it"):
        compute_score("mine", "7", "7")


def test_loaded_by_its_file_as_verl_does(monkeypatch: pytest.MonkeyPatch) -> None:
    spec = importlib.util.spec_from_file_location("custom_module", rewards.__file__)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "custom_module", module)
    spec.loader.exec_module(module)
    assert (
        module.compute_score(data_source="x", solution_str="7", ground_truth="7", extra_info={}, scorer="math") == 1.0
    )


def test_a_batch_of_several_sources() -> None:
    given = compute_scores(
        data_sources=["openai/gsm8k", "HuggingFaceH4/aime_2024", "openai/gsm8k"],
        solution_strs=["#### 1", "\\boxed{12}", "#### 2"],
        ground_truths=["1", "12", "1"],
        extra_infos=[None, {}, None],
    )
    assert given == [1.0, 1.0, 0.0]


@pytest.mark.parametrize(
    ("source", "name"),
    [
        ("openai/gsm8k", "gsm8k"),
        ("lighteval/MATH", "math"),
        ("numina_olympiads", "math"),
        ("TIGER-Lab/MMLU-Pro", "choice"),
        ("allenai/ai2_arc", "choice"),
        ("codecontests", "code"),
        ("google/IFEval", "ifeval"),
    ],
)
def test_what_scores_a_data_source(source: str, name: str) -> None:
    assert scorer_of(source) == name
