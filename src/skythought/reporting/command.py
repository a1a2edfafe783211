"""The command that makes a run, and the one that asks a single sample again."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator, Mapping
from typing import Any

from skythought.config import ModelConfig, RunConfig
from skythought.errors import UserError
from skythought.models.library import load_model
from skythought.tasks.load import LIBRARY

__all__ = ["Commands"]

AGAIN = "again"
"""The folder into which a sample is asked again: the run itself has an answer, which is never touched."""


class Commands:
    """`skythought evaluate ...` with everything that a run was made with but secrets, which are not recorded."""

    def __init__(self, config: RunConfig) -> None:
        self._what = ("skythought", "evaluate", *_what(config))
        self._config = config

    def whole(self) -> str:
        """The command that makes the run."""
        return shlex.join([*self._what, "--n", str(self._config.n), *_part(self._config)])

    def again(self, position: int, sample: int) -> str:
        """The command that asks a problem again, up to this sample: each has the seed that it had.

        Args:
            position: Of the problem among those of the run.
        """
        start = self._config.start + position
        slice_ = ["--n", str(sample + 1), "--start", str(start), "--end", str(start + 1)]
        return shlex.join([*self._what, *slice_, "--result-dir", AGAIN])


def _part(config: RunConfig) -> Iterator[str]:
    if config.start:
        yield from ("--start", str(config.start))
    if config.end >= 0:
        yield from ("--end", str(config.end))


def _what(config: RunConfig) -> Iterator[str]:
    name = config.task.name
    yield from ("--task", name if (LIBRARY / f"{name}.yaml").is_file() else f"{name}.yaml")
    yield from ("--model", config.model.model_id, "--backend", config.backend.name)
    if config.backend.args:
        yield from ("--backend-args", json.dumps(config.backend.args, ensure_ascii=False))
    sampling = config.sampling.as_dict()
    sampling |= {name: None for name in ("temperature", "top_p") if getattr(config.sampling, name) is None}
    yield from ("--sampling-params", _arguments(sampling))
    yield from ("--seed", str(config.seed))
    yield from _addressed(config.model)
    if config.as_test:
        yield "--as-test"


def _addressed(model: ModelConfig) -> Iterator[str]:
    """How the model is addressed, where its preset does not say so by itself."""
    try:
        usual = load_model(model.model_id)
    except UserError:  # a path of another machine, a preset of somebody's own file
        usual = ModelConfig(model_id=model.model_id)
    for name in ("system_prompt", "user_template", "assistant_prefill"):
        if (text := getattr(model, name)) != getattr(usual, name):
            yield from ("--" + name.replace("_", "-"), (text or "").replace("\n", "\\n").replace("\t", "\\t"))
    if model.chat_template_kwargs != usual.chat_template_kwargs:
        yield from ("--chat-template-kwargs", json.dumps(model.chat_template_kwargs, ensure_ascii=False))


def _arguments(values: Mapping[str, Any]) -> str:
    """`a=1,b=x` where that reads the same, else JSON."""
    if all(isinstance(value, int | float | None) for value in values.values()):
        return ",".join(f"{name}={json.dumps(value)}" for name, value in values.items())
    return json.dumps(values, ensure_ascii=False)
