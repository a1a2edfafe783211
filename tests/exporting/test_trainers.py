"""Exports in the trainers that they are for: each trains or loads them, with the options that the card tells."""

from __future__ import annotations

import json
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from exports import said_run

import skythought as st
from skythought.models.library import load_model

PROBLEMS = 4
RIGHT = "<think>\nOne more than {0} is {1}.\n</think>\n\nIt is \\boxed{{{1}}}."
WRONG = "<think>\nI guess.\n</think>\n\nIt is \\boxed{{77}}."


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> st.Run:
    """Four problems, of each two right responses and two wrong ones."""
    said = [[text.format(n, n + 1) for text in (RIGHT, WRONG, RIGHT + " Yes.", WRONG)] for n in range(PROBLEMS)]
    return said_run(tmp_path_factory.mktemp("run"), said, system_prompt="Add.")


def loaded(exported: st.Exported, cache: Path) -> Any:
    """The rows, read from the folder as users do, by the configurations that its card names."""
    import datasets

    return datasets.load_dataset(str(exported.path), split="train", cache_dir=str(cache))


# -- datasets -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("files", ["jsonl", "parquet"])
@pytest.mark.parametrize(
    ("form", "kind", "columns"),
    [
        ("trl", "sft", {"messages"}),
        ("trl", "completion", {"prompt", "completion"}),
        ("trl", "dpo", {"prompt", "chosen", "rejected"}),
        ("trl", "kto", {"prompt", "completion", "label"}),
        ("trl", "rl", {"prompt", "data_source", "ground_truth"}),
        ("messages", "sft", {"messages"}),
        ("sharegpt", "sft", {"conversations"}),
        ("llamafactory", "sft", {"conversations", "system"}),
        ("llamafactory", "dpo", {"conversations", "system", "chosen", "rejected"}),
        ("llamafactory", "kto", {"conversations", "system", "kto_tag"}),
        ("axolotl", "sft", {"messages"}),
        ("axolotl", "dpo", {"messages", "chosen", "rejected"}),
        ("axolotl", "kto", {"system", "prompt", "completion", "label"}),
        ("verl", "rl", {"data_source", "prompt", "ability", "reward_model", "extra_info"}),
    ],
)
def test_datasets_loads_every_format(
    run: st.Run, tmp_path: Path, form: str, kind: str, columns: set[str], files: str
) -> None:
    exported = st.export(run, tmp_path / "out", format=form, kind=kind, files=files)
    rows = loaded(exported, tmp_path / "cache")
    assert len(rows) == exported.rows > 0
    assert columns <= set(rows.column_names)


# -- TRL ------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def tiny() -> Any:
    """The bundled model with its tokenizer."""
    if find_spec("trl") is None:
        pytest.skip("TRL is not installed")
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    torch.manual_seed(0)
    path = load_model("tiny").weights
    return AutoModelForCausalLM.from_pretrained(path), AutoTokenizer.from_pretrained(path)


def settings(folder: Path) -> dict[str, Any]:
    """Two steps on the CPU."""
    return {
        "output_dir": str(folder / "trained"),
        "max_steps": 2,
        "per_device_train_batch_size": 2,
        "use_cpu": True,
        "bf16": False,
        "report_to": [],
        "save_strategy": "no",
        "logging_steps": 1,
        "disable_tqdm": True,
    }


def losses(trainer: Any) -> list[float]:
    """The loss of each step."""
    return [entry["loss"] for entry in trainer.state.log_history if "loss" in entry]


@pytest.mark.engine
@pytest.mark.parametrize("kind", ["sft", "completion"])
def test_trl_sft(run: st.Run, tiny: Any, tmp_path: Path, kind: str) -> None:
    from trl import SFTConfig, SFTTrainer

    rows = loaded(st.export(run, tmp_path / "out", kind=kind), tmp_path / "cache")
    model, tokenizer = tiny
    trainer = SFTTrainer(
        model=model, args=SFTConfig(**settings(tmp_path)), train_dataset=rows, processing_class=tokenizer
    )
    learnt = tokenizer.decode(trainer.train_dataset[0]["input_ids"])
    assert "Add." in learnt
    assert "One more than 0 is 1." in learnt  # the template keeps the thinking of the last turn
    trainer.train()
    assert len(losses(trainer)) == 2


@pytest.mark.engine
def test_trl_dpo(run: st.Run, tiny: Any, tmp_path: Path) -> None:
    from trl import DPOConfig, DPOTrainer

    rows = loaded(st.export(run, tmp_path / "out", kind="dpo"), tmp_path / "cache")
    model, tokenizer = tiny
    trainer = DPOTrainer(
        model=model, args=DPOConfig(**settings(tmp_path)), train_dataset=rows, processing_class=tokenizer
    )
    trainer.train()
    assert len(losses(trainer)) == 2


@pytest.mark.engine
def test_trl_grpo_with_our_reward(run: st.Run, tiny: Any, tmp_path: Path) -> None:
    from trl import GRPOConfig, GRPOTrainer

    rows = loaded(st.export(run, tmp_path / "out", kind="rl"), tmp_path / "cache")
    model, tokenizer = tiny
    config = GRPOConfig(**settings(tmp_path), num_generations=2, max_completion_length=48, temperature=1.0)
    reward = st.reward("math", target="ground_truth")
    trainer = GRPOTrainer(
        model=model, args=config, train_dataset=rows, processing_class=tokenizer, reward_funcs=[reward]
    )
    trainer.train()
    rewards = [entry["rewards/math_reward/mean"] for entry in trainer.state.log_history if "loss" in entry]
    assert len(rewards) == 2
    assert all(0 <= value <= 1 for value in rewards)


# -- rewards --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("form", "kind"), [("trl", "rl"), ("verl", "rl")])
def test_rewards_of_exported_rows_are_the_runs_verdicts(run: st.Run, tmp_path: Path, form: str, kind: str) -> None:
    """What a trainer hands to the reward functions is what is in the export; each response gets its verdict again."""
    from skythought.grading.rewards import compute_score

    rows = loaded(st.export(run, tmp_path / "out", format=form, kind=kind), tmp_path / "cache")
    said = {sample.prompt: [] for sample in run}
    for sample in run:
        said[sample.prompt].append((sample.content, float(bool(sample.correct))))
    for row in rows:
        responses, verdicts = zip(*said[row["prompt"][-1]["content"]], strict=True)
        if form == "verl":
            truth = row["reward_model"]["ground_truth"]
            given = [compute_score(row["data_source"], text, truth, row["extra_info"]) for text in responses]
        else:
            columns = {name: [row[name]] * len(responses) for name in row if name != "prompt"}
            prompts = [row["prompt"]] * len(responses)
            completions = [[{"role": "assistant", "content": text}] for text in responses]
            given = st.reward("math", target="ground_truth")(prompts=prompts, completions=completions, **columns)
        assert tuple(given) == verdicts
    assert len(rows) == PROBLEMS


# -- loaders that do not go beside the versions that we test with: where they are installed ---------------------


@pytest.mark.parametrize(("kind", "stage"), [("sft", "sft"), ("dpo", "rm"), ("kto", "kto")], ids=["sft", "dpo", "kto"])
def test_llamafactory_loads_its_own_entry(
    run: st.Run, tmp_path: Path, kind: str, stage: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if find_spec("llamafactory") is None:
        pytest.skip("LLaMA-Factory is not installed: it pins other versions of torch, transformers and datasets")
    monkeypatch.setenv("DISABLE_VERSION_CHECK", "1")
    from llamafactory.data.loader import _get_merged_dataset
    from llamafactory.hparams import DataArguments, ModelArguments
    from transformers import TrainingArguments

    exported = st.export(run, tmp_path / "out", format="llamafactory", kind=kind)
    (name,) = json.loads((exported.path / "dataset_info.json").read_text(encoding="utf-8"))
    model = ModelArguments(model_name_or_path=load_model("tiny").weights, cache_dir=str(tmp_path / "cache"))
    data = DataArguments(template="default", dataset=name, dataset_dir=str(exported.path))
    training = TrainingArguments(output_dir=str(tmp_path / "trained"), use_cpu=True)
    rows = _get_merged_dataset([name], model, data, training, stage)
    assert len(rows) == exported.rows
    row = rows[0]
    assert row["_system"] == "Add."
    assert row["_prompt"] == [{"role": "user", "content": "What is 0 + 1?"}]
    answers = [turn["content"] for turn in row["_response"]]
    if kind == "sft":
        assert answers == [RIGHT.format(0, 1)]
    elif kind == "dpo":
        assert answers == [RIGHT.format(0, 1), WRONG.format()]
    else:
        assert "" in answers
        assert len(answers) == 2


def test_verl_loads_its_rows(run: st.Run, tmp_path: Path) -> None:
    if find_spec("verl") is None:
        pytest.skip("verl is not installed: it pins other versions of transformers")
    from omegaconf import OmegaConf
    from transformers import AutoTokenizer
    from verl.utils.dataset.rl_dataset import RLHFDataset

    exported = st.export(run, tmp_path / "out", format="verl")
    tokenizer = AutoTokenizer.from_pretrained(load_model("tiny").weights)
    config = OmegaConf.create({"cache_dir": str(tmp_path / "cache"), "filter_overlong_prompts_workers": 1})
    rows = RLHFDataset([str(exported.path / name) for name in exported.files], tokenizer, config)
    assert len(rows) == PROBLEMS
    row = rows[0]
    assert row["raw_prompt"][-1]["content"] == "What is 0 + 1?"
    assert row["reward_model"]["ground_truth"] == "1"
    assert row["data_source"] == "math_sums"
