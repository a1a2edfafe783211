"""TRL: messages for SFT, prompt and completion, DPO, KTO and GRPO (its docs, `dataset_formats.md`)."""

from __future__ import annotations

from skythought.exporting.example import Example, Pair
from skythought.exporting.exporter import Exporter, Row, Thinking, Written

__all__ = ["Trl"]


class Trl(Exporter):
    """Conversations as lists of messages. The prompt is explicit wherever there are two parts, as TRL recommends."""

    def __init__(self, thinking: Thinking = "inline", field: str = "reasoning_content") -> None:
        super().__init__(thinking, field)
        self._scorers: dict[str, bool] = {}
        """Scorers of the problems -> whether some are multiple choice."""

    def sft(self, example: Example) -> Row:
        """`messages`."""
        return {"messages": self.conversation(example)}

    def completion(self, example: Example) -> Row:
        """`prompt` and `completion`: only the latter is learnt."""
        return {"prompt": self.prompt(example), "completion": [self.reply(example)]}

    def dpo(self, pair: Pair) -> Row:
        """`prompt`, `chosen`, `rejected`."""
        return {
            "prompt": self.prompt(pair.chosen),
            "chosen": [self.reply(pair.chosen)],
            "rejected": [self.reply(pair.rejected)],
        }

    def kto(self, example: Example) -> Row:
        """`prompt`, `completion`, `label`."""
        return {**self.completion(example), "label": bool(example.right)}

    def rl(self, example: Example) -> Row:
        """`prompt`, and the columns that `skythought.reward` scores by."""
        self._scorers[example.scorer] = self._scorers.get(example.scorer, False) or bool(example.problem.choices)
        return {"prompt": self.prompt(example), **self.gold(example)}

    def usage(self, written: Written) -> str:
        """Of reinforcement learning: the reward that goes with it."""
        if written.kind != "rl":
            return ""
        options = {scorer: ', choices="choices"' if choices else "" for scorer, choices in self._scorers.items()}
        rewards = [f'skythought.reward("{name}", target="ground_truth"{option})' for name, option in options.items()]
        each = "" if len(rewards) == 1 else "One of these for the problems of each scorer (see `data_source`):\n\n"
        calls = "\n".join(f"trainer = GRPOTrainer(reward_funcs=[{reward}], ...)" for reward in rewards)
        return f"## TRL\n\n{each}```python\nimport skythought\n\n{calls}\n```"
