"""verl: Parquet with the five columns that its RL trainers read (its `docs/preparation/prepare_data.rst`)."""

from __future__ import annotations

from skythought.exporting.example import Example
from skythought.exporting.exporter import Exporter, Row, Thinking, Written
from skythought.exporting.gold import is_known

__all__ = ["Verl"]

ABILITIES = {"math": "math", "choice": "knowledge", "code": "code", "instructions": "instruction_following"}


class Verl(Exporter):
    """Problems with what `skythought.grading.rewards.compute_score` scores responses by."""

    files = "parquet"

    def __init__(self, thinking: Thinking = "inline", field: str = "reasoning_content") -> None:
        super().__init__(thinking, field)
        self._rows = 0
        self._unknown: set[str] = set()
        """Scorers that no data source tells of."""

    def rl(self, example: Example) -> Row:
        """`data_source`, `prompt`, `ability`, `reward_model`, `extra_info`."""
        gold = self.gold(example)
        self._rows += 1
        if not is_known(gold["data_source"]):
            self._unknown.add(example.scorer)
        info = {"split": "train", "index": self._rows - 1, "task": example.task, "problem_id": example.problem.id}
        return {
            "data_source": gold["data_source"],
            "prompt": self.prompt(example),
            "ability": ABILITIES.get(example.scorer, "reasoning"),
            "reward_model": {"style": "rule", "ground_truth": gold["ground_truth"]},
            "extra_info": info | ({"choices": gold["choices"]} if "choices" in gold else {}),
        }

    def usage(self, written: Written) -> str:
        """How verl is told of the data and of the reward."""
        scorers = "".join(f" \\\n  custom_reward_function.reward_kwargs.scorer={one}" for one in sorted(self._unknown))
        return (
            "## verl\n\n```sh\npython -m verl.trainer.main_ppo data.train_files=$PWD/data/train-*.parquet \\\n"
            "  custom_reward_function.path=$(python -c 'import skythought.grading.rewards as r; print(r.__file__)')"
            f" \\\n  custom_reward_function.name=compute_score{scorers}\n```"
        )
