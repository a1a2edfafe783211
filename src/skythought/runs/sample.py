"""One sample of one problem, whole: what was asked, what came back, and the verdict."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from skythought.config import COMMON_TAGS
from skythought.models.thinking import Split, split_thinking
from skythought.types import Message, Problem, Response, SampleKey, Score, Verdict

__all__ = ["Sample"]


@dataclass(frozen=True, slots=True)
class Sample:
    """One response with its problem and its verdict: what iterating over a `Run` gives.

    Which sample it is: `problem_id`, `sample` (its number, from 0), `key` (both), `seed`. What was asked: `messages`
    (all turns), `prompt` (the user's), `row` (the dataset's columns), `problem` (with the gold answer, `target`). What
    came back: `content`, `reasoning`, `parts` (thinking and answer apart), `finish_reason`, `prompt_tokens`,
    `completion_tokens`, `error`; `response` has all of it. How it was graded: `verdict`, `correct`, `answer` (what was
    read of the response), `reason`, `fraction`, `details`; `score` has all of it.
    """

    problem: Problem = field(repr=False)
    """In a folder that another program made, only `id`, `prompt` and `row` are known of it."""
    messages: tuple[Message, ...] = field(repr=False)
    """All turns as they were sent: system, solved examples, user, and the prefill if there is one."""
    response: Response
    score: Score | None
    """None: not scored yet, or the request failed."""
    seed: int | None
    """The sample's own; None where another program made the folder."""
    tags: tuple[tuple[str, str], ...] = field(default=COMMON_TAGS, repr=False)
    """Pairs of opening and closing tags that the model puts around its thinking."""

    @property
    def key(self) -> SampleKey:
        """Problem id and sample number."""
        return self.response.key

    @property
    def problem_id(self) -> str:
        """The problem's id."""
        return self.response.key.problem_id

    @property
    def sample(self) -> int:
        """The sample's number, from 0."""
        return self.response.key.sample

    @property
    def row(self) -> Mapping[str, Any]:
        """The dataset's columns of the problem, as recorded."""
        return self.problem.row

    @property
    def prompt(self) -> str:
        """The user's turn as it was sent."""
        return next((turn["content"] for turn in reversed(self.messages) if turn["role"] == "user"), "")

    @property
    def content(self) -> str:
        """The whole turn of the assistant: prefill, thinking (unless it came apart, as `reasoning`), answer."""
        return self.response.content

    @property
    def reasoning(self) -> str | None:
        """Thinking that the endpoint returned in a field of its own."""
        return self.response.reasoning

    @property
    def parts(self) -> Split:
        """The response in two parts without tags, `thinking` and `answer`; no answer if the thinking never ended."""
        opened, reasoning = self.response.thinking_open, self.reasoning
        thinking, answer = split_thinking(self.content, tags=self.tags, opened=opened, reasoning=reasoning)
        begin = next((tag for tag, _ in self.tags if thinking.lstrip().startswith(tag)), "")
        return Split(thinking.lstrip().removeprefix(begin).strip("\n"), answer)

    @property
    def finish_reason(self) -> str | None:
        """ "stop", "length" (cut off at the token limit), or what the endpoint said."""
        return self.response.finish_reason

    @property
    def prompt_tokens(self) -> int | None:
        """Tokens of the prompt; None if unknown."""
        return self.response.prompt_tokens

    @property
    def completion_tokens(self) -> int | None:
        """Tokens of the response, thinking included; None if unknown."""
        return self.response.completion_tokens

    @property
    def error(self) -> str | None:
        """Why there is no response, if the request failed."""
        return self.response.error

    @property
    def correct(self) -> bool | None:
        """None: not scored, or failed."""
        return self.score.correct if self.score is not None else None

    @property
    def verdict(self) -> Verdict | None:
        """correct, wrong, unparsed, truncated or failed; None: not scored yet."""
        if self.response.error is not None:
            return "failed"
        return self.score.verdict if self.score is not None else None

    @property
    def answer(self) -> str | None:
        """What was taken out of the response."""
        return self.score.answer if self.score is not None else None

    @property
    def reason(self) -> str | None:
        """Why the verdict is what it is."""
        if self.response.error is not None:
            return f"failed: {self.response.error}"
        return self.score.reason if self.score is not None else None

    @property
    def fraction(self) -> float | None:
        """Share of parts passed (tests, instructions) where the scorer has parts."""
        return self.score.fraction if self.score is not None else None

    @property
    def details(self) -> Mapping[str, Any]:
        """What else the scorer recorded."""
        return self.score.details if self.score is not None else {}
