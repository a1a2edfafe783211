"""What an invocation would do (`--dry-run`): no engine is loaded and nothing is written; datasets are read."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from skythought.backends.chat import Chat, Prompt
from skythought.config import RunConfig
from skythought.models.conversation import conversation
from skythought.pipeline.options import Options
from skythought.pipeline.plan import Plan
from skythought.pipeline.resume import difference, place_of
from skythought.runs import folder
from skythought.runs.records import Manifest
from skythought.tasks.problems import problems
from skythought.types import MalformedRow, Message, Problem, Request, SampleKey

__all__ = ["FirstPrompt", "Preview", "Tokens", "preview"]

MOST_COUNTED = 1_000
"""Prompts whose tokens are counted."""
CHARACTERS_A_TOKEN = 4
"""Of English text, roughly, where no tokenizer is at hand."""


@dataclass(frozen=True)
class Tokens:
    """Of a run's prompts."""

    least: int
    mean: float
    most: int
    counted: int
    """Prompts that were looked at."""
    context: int | None
    """Tokens that a prompt and its response may have together; None: it is not known."""
    is_estimate: bool
    """By the number of characters, as no tokenizer is at hand."""


@dataclass(frozen=True)
class FirstPrompt:
    """The first problem as it would be asked."""

    problem_id: str
    messages: Sequence[Message]
    text: str | None
    """As the model reads it, by its chat template; None where no tokenizer is at hand."""


@dataclass(frozen=True, kw_only=True)
class Preview:
    """What would become of one run."""

    config: RunConfig
    path: Path
    problems: int
    left_out: int
    """Rows that cannot become problems."""
    answered: int
    """Samples that the folder has answers to already."""
    state: str
    """What becomes of the folder."""
    first: FirstPrompt | None
    tokens: Tokens | None
    cost: float | None
    """At most, with every response as long as it may be; None where the price is not known."""

    @property
    def samples(self) -> int:
        """Of the whole run."""
        return self.problems * self.config.n

    @property
    def to_ask(self) -> int:
        """Samples without an answer."""
        return self.samples - self.answered


def preview(plan: Plan) -> Iterator[Preview]:
    """What each run of a plan would be.

    Raises:
        UserError: A dataset cannot be read, or the model's chat template refuses the conversation.
    """
    tokenizer, context = _at_hand(plan)
    chat = Chat(tokenizer, plan.engine.model, ()) if tokenizer is not None else None
    for config in plan.configs:
        run, state = _folder(config, plan.options)
        asked: list[Problem] = []
        count = left_out = answered = 0
        for problem in problems(config.task, config.start, config.end, shard=config.shard):
            if isinstance(problem, MalformedRow):
                left_out += 1
                continue
            count += 1
            if run is not None and problem.id in run:
                answered += sum(run.is_answered(key) for key in run.keys_of(problem.id) if key.sample < config.n)
            if count <= MOST_COUNTED:
                asked.append(replace(problem, row={}))
        if run is not None:
            run.close_files()
        prompts = [_request(config, problem) for problem in asked]
        sizes, text = _sizes(prompts, chat, tokenizer)
        tokens = None
        if sizes:
            mean = sum(sizes) / len(sizes)
            tokens = Tokens(min(sizes), mean, max(sizes), len(sizes), context, is_estimate=chat is None)
        price, to_ask = plan.engine.model.price, count * config.n - answered
        limit = config.sampling.max_tokens
        yield Preview(
            config=config,
            path=place_of(config, plan.options),
            problems=count,
            left_out=left_out,
            answered=answered,
            state=state,
            first=FirstPrompt(asked[0].id, prompts[0].messages, text) if asked else None,
            tokens=tokens,
            cost=price.of(round(tokens.mean * to_ask), limit * to_ask) if price and tokens else None,
        )


def _request(config: RunConfig, problem: Problem) -> Request:
    messages = conversation(config.model, problem.prompt, problem.shots)
    return Request(SampleKey(problem.id, 0), messages, config.sampling, 0)


def _sizes(prompts: Sequence[Request], chat: Chat | None, tokenizer: Any) -> tuple[list[int], str | None]:
    """Tokens of each prompt, and the first as the model reads it."""
    if chat is None:
        lengths = (sum(len(turn["content"]) for turn in prompt.messages) for prompt in prompts)
        return [-(-length // CHARACTERS_A_TOKEN) for length in lengths], None
    made = [one for prompt in prompts if isinstance(one := chat.prompt(prompt, None, lambda line: None), Prompt)]
    text = tokenizer.decode(made[0].tokens, clean_up_tokenization_spaces=False) if made else None
    return [len(one.tokens) for one in made], text


def _folder(config: RunConfig, options: Options) -> tuple[folder.RunFolder | None, str]:
    """The run that is there already and is gone on with, to be read and closed; and what becomes of the folder."""
    path = place_of(config, options)
    if not path.is_dir() or not any(path.iterdir()):
        return None, "a new folder"
    manifest = Manifest.read(path)
    if manifest is None:
        return None, "a folder that holds no run"
    if options.overwrite:
        return None, "there already: what it holds is deleted"
    if manifest.config.fingerprint != config.fingerprint:
        return None, f"there already, of another run ({difference(manifest.config, config)}): this would be refused"
    run = folder.load(path, None)
    if options.resume or options.resume_from is not None:
        return run, "there already: it is continued"
    if next(run.answered(), None) is None:
        return run, "there already, without answers: it is made anew"
    return run, "there already: without --resume (or --overwrite) this would be refused"


def _at_hand(plan: Plan) -> tuple[Any, int | None]:
    """The tokenizer of a model that an engine here loads, and its context, if both lie on this machine."""
    engine = plan.engine
    if not engine.backend.weights_files or importlib.util.find_spec("transformers") is None:
        return None, None
    from transformers import AutoConfig, AutoTokenizer
    from transformers.utils import logging

    logging.set_verbosity_error()
    source = str(Path(engine.model.weights).expanduser())
    try:
        tokenizer = AutoTokenizer.from_pretrained(source, local_files_only=True)
        config = AutoConfig.from_pretrained(source, local_files_only=True)
    except Exception:  # noqa: BLE001 -- whatever it is: without a tokenizer there is less to show
        return None, None
    given = getattr(engine.args, "max_model_len", None)
    known = getattr(config.get_text_config(decoder=True), "max_position_embeddings", None)
    return tokenizer, given if isinstance(given, int) else known if isinstance(known, int) else None
