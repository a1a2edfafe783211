"""What an export is made of: one response with the conversation before it, in parts."""

from __future__ import annotations

from dataclasses import dataclass, field

from skythought.runs.sample import Sample
from skythought.types import Message, Problem

__all__ = ["Example", "Pair"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """A sample as it may be trained on. Those of one problem follow one another, also those of several runs."""

    sample: Sample = field(repr=False)
    task: str
    """The task's name; empty where the run does not record it."""
    scorer: str
    """The name of what gave the verdict; empty where the run does not record it."""
    run: str
    """Name of the folder of the run that it is from."""
    source: int
    """Number of that run, in the order given."""
    messages: tuple[Message, ...]
    """The turns before the model's, as they were sent: system, solved examples, user. A prefill is none of them: it is
    how the response begins."""
    thinking: str
    """Without tags; empty where there is none."""
    answer: str
    """The response without the thinking; empty if the thinking never ended."""
    has_gold: bool
    """Whether there is a gold answer to the problem, by which verdicts were given."""
    right: bool | None
    """By the verdict, or by majority where there is no gold answer; None: neither tells."""
    pass_rate: float | None
    """Share of the run's scored samples of this problem that are right, in [0, 1]; None: it cannot be told."""

    @property
    def problem(self) -> Problem:
        """The problem that was asked."""
        return self.sample.problem

    @property
    def question(self) -> str:
        """The problem's text as the dataset has it put; in another program's folder, the user's turn as it was sent."""
        return self.problem.prompt or self.sample.prompt

    @property
    def id(self) -> str:
        """`run/problem/sample`, by which a row of the export is found again in its run."""
        return f"{self.run}/{self.sample.problem_id}/{self.sample.sample}"

    @property
    def problem_key(self) -> tuple[str, str, str]:
        """The same for all examples of one problem, also of several runs of a task."""
        return self.task, self.problem.id, self.problem.prompt

    @property
    def whole(self) -> str:
        """The response with its thinking in tags: as the model wrote it where it wrote both tags itself.

        Where the chat template opened the thinking, the endpoint returned it apart, or it came in channels, the model's
        own tags are put around it (its first pair; `<think>` where the preset has none).
        """
        sample = self.sample
        if not self.thinking:
            return self.answer
        opening, closing = sample.tags[0]
        if sample.reasoning is None and sample.content.lstrip().startswith(tuple(tag for tag, _ in sample.tags)):
            return sample.content
        begun = f"{opening}\n{self.thinking.strip()}"
        return begun if self.is_thinking_open else f"{begun}\n{closing}\n\n{self.answer}"

    @property
    def is_thinking_open(self) -> bool:
        """Whether the model was still thinking when it stopped."""
        return not self.answer and self.sample.parts.answer is None

    @property
    def length(self) -> int:
        """Tokens of the response, thinking included; where they are not known, a quarter of its characters."""
        tokens = self.sample.completion_tokens
        return tokens if tokens is not None else (len(self.thinking) + len(self.answer) + 3) // 4


@dataclass(frozen=True, slots=True)
class Pair:
    """Two responses to one problem, of which one is preferred."""

    chosen: Example
    rejected: Example
