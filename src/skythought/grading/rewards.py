"""Scorers as reward functions for reinforcement learning: TRL's signature and verl's.

No answer can hang a training step: each is scored in a worker process that is killed at its deadline. Rewards are safe
in threads, in ranks of a distributed training and in Ray workers; workers are started once a process.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from skythought.calls import checked
from skythought.config import COMMON_TAGS
from skythought.errors import UserError
from skythought.grading.rows import RowScorer
from skythought.types import Score

__all__ = ["Reward", "compute_score", "compute_scores", "reward"]

RESPONSE = "completion"
SOURCES = {
    "gsm8k": ("gsm8k",),
    "ifeval": ("ifeval",),
    "choice": ("mmlu", "gpqa", "arc", "supergpqa", "choice", "mcq"),
    "code": ("apps", "taco", "codecontests", "codeforces", "livecodebench", "humaneval", "mbpp", "leetcode", "code"),
    "math": ("math", "aime", "amc", "numina", "olympiad", "deepscaler", "omni", "minerva", "dapo"),
}
"""Beginnings of words in the name of a data source, for verl, and the scorer or task that scores it."""


@checked
def reward(
    name: str,
    *,
    target: str | None = None,
    choices: str | None = None,
    fraction: bool = False,
    when_failed: float = 0.0,
    **args: Any,
) -> Reward:
    """A reward function for TRL's GRPOTrainer and the like: 1.0 for a correct completion, 0.0 otherwise.

    >>> reward("gsm8k")(completions=["6 times 7 is \\\\boxed{42}"], answer=["#### 42"])   # doctest: +SKIP
    [1.0]

    Args:
        name: A scorer ("math", "choice", "code", "instructions") or a task ("gsm8k", "ifeval", ...).
        target: Column of the dataset with the gold answers. None: the dataset has the columns of the task's own.
        choices: Column of the lists of options, for multiple choice.
        fraction: Give the share of parts passed (tests, instructions) where a scorer has parts.
        when_failed: What a completion gets that could not be scored for a reason that is not its own.
        args: The scorer's arguments.

    Raises:
        UserError: No such scorer or task.
    """
    return Reward(RowScorer(name, RESPONSE, target, choices, None, args), fraction, when_failed)


@dataclass(frozen=True)
class Reward:
    """A reward function that can be pickled; made by `reward`."""

    scorer: RowScorer
    fraction: bool = False
    when_failed: float = 0.0
    __name__: str = field(default="", init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "__name__", f"{self.scorer.name}_reward")  # TRL reports a reward by this name

    def __call__(
        self, prompts: Sequence[Any] | None = None, completions: Sequence[Any] = (), **columns: Any
    ) -> list[float]:
        """One reward a completion.

        Args:
            prompts: Strings or lists of messages; a string that ends with an opening thinking tag is heeded.
            completions: Strings, or lists of messages, of which the last is scored.
            columns: The dataset's columns, one value a completion. What else a trainer hands over is ignored.

        Raises:
            UserError: The column of the gold answers is missing.
        """
        texts = [_text(completion) for completion in completions]
        # TRL hands the dataset's column `prompt` over under this name; some tasks need it (HumanEval's targets do).
        if prompts is not None and all(isinstance(prompt, str) for prompt in prompts):
            columns = {"prompt": prompts, **columns}
        fitting = {name: values for name, values in columns.items() if _fits(values, len(texts))}
        rows = [
            {**{name: values[number] for name, values in fitting.items()}, RESPONSE: text}
            for number, text in enumerate(texts)
        ]
        opened = [_ends_in_thinking(prompt) for prompt in prompts] if prompts is not None else []
        return [self.value(score) for score in self.scorer.scores(rows, opened=opened)]

    def value(self, score: Score) -> float:
        """The reward for a score."""
        if score.correct is None:
            return self.when_failed
        if self.fraction and score.fraction is not None:
            return float(score.fraction)
        return float(score.correct)


@checked
def compute_score(
    data_source: str,
    solution_str: str,
    ground_truth: Any,
    extra_info: Mapping[str, Any] | None = None,
    *,
    scorer: str | None = None,
    **args: Any,
) -> float:
    """verl's `custom_reward_function`: the reward of one response.

    Args:
        data_source: Name of the data; decides what scores it, if `scorer` does not.
        solution_str: The response.
        ground_truth: The gold answer as the scorer takes it; for code and instructions a mapping or its JSON.
        extra_info: May hold `choices`, the options of a multiple-choice problem.
        scorer: A scorer or task (verl: `reward_kwargs`).
        args: `fraction`, `when_failed` and the scorer's arguments, as for `reward`.

    Raises:
        UserError: It cannot be told what scores this data source.
    """
    return compute_scores([data_source], [solution_str], [ground_truth], [extra_info], scorer=scorer, **args)[0]


@checked
def compute_scores(
    data_sources: Sequence[str],
    solution_strs: Sequence[str],
    ground_truths: Sequence[Any],
    extra_infos: Sequence[Mapping[str, Any] | None] | None = None,
    *,
    scorer: str | None = None,
    **args: Any,
) -> list[float]:
    """`compute_score` for a batch (verl's batch reward manager), scored by all cores at once."""
    infos = list(extra_infos) if extra_infos is not None else [None] * len(solution_strs)
    rewards: list[float] = [0.0] * len(solution_strs)
    names = [scorer or scorer_of(source) for source in data_sources]
    for name in dict.fromkeys(names):
        places = [place for place, other in enumerate(names) if other == name]
        scored = reward(name, target="ground_truth", choices="choices", **args)
        given = scored(
            completions=[solution_strs[place] for place in places],
            ground_truth=[ground_truths[place] for place in places],
            choices=[list((infos[place] or {}).get("choices", ())) for place in places],
        )
        for place, value in zip(places, given, strict=True):
            rewards[place] = value
    return rewards


def scorer_of(data_source: str) -> str:
    """What scores a data source of this name.

    Raises:
        UserError: It cannot be told.
    """
    words = re.split(r"[\W_]+", data_source.lower())
    for name, beginnings in SOURCES.items():
        if any(word.startswith(beginnings) for word in words):
            return name
    raise UserError(f"data source {data_source!r}: it cannot be told what scores it; give scorer= a scorer or a task.")


def _text(completion: Any) -> str:
    """The text of a completion: itself, or that of its last message, with the reasoning that an engine kept apart."""
    if isinstance(completion, str) or not completion:
        return completion or ""
    message = completion[-1] if isinstance(completion, Sequence) else completion
    content = message.get("content") or ""
    if not isinstance(content, str):
        content = "".join(part.get("text", "") for part in content if isinstance(part, Mapping))
    return str(content)


def _fits(values: Any, count: int) -> bool:
    return hasattr(values, "__getitem__") and not isinstance(values, str | Mapping) and len(values) == count


def _ends_in_thinking(prompt: Any) -> bool:
    return isinstance(prompt, str) and prompt.rstrip().endswith(tuple(opening for opening, _ in COMMON_TAGS))
