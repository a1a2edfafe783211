"""A batch that stays full: rows leave it as they end, and new ones join the rows that go on.

The sequences of a batch are aligned at their last token, with padding on the left. A row that joins is read in
apart (prefill), the narrower cache is padded to the width of the other, and from then on it is one more row.
Whenever rows are dropped, the cache is cut to the longest that is left, so padding never piles up. Why not the
library's own continuous batching: it samples from one global generator, and knows neither min-p nor repetition
penalty nor stop strings for each request.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import TYPE_CHECKING, Any

from skythought.backends.transformers.cache import align, is_joinable, is_recurrent, join, preallocate
from skythought.backends.transformers.sampling import Sampler
from skythought.errors import BackendError
from skythought.types import Request

if TYPE_CHECKING:
    import torch

__all__ = ["Decoder", "Row", "cache_argument"]

CACHE_ARGUMENTS = ("cache", "past_key_values", "cache_params")
"""What models call their cache: the first since transformers 5.24, before it the last in recurrent models."""

PREFILL_TOKENS = 16384
"""Tokens read in at once, padding included: more would only cost memory."""

DEAD_SHARE = 8
"""Ended rows stay until they are this part (1/8) of the batch: to drop them is to copy the cache."""


@dataclass(slots=True, eq=False)
class Row:
    """One sequence of the batch: its request, its tokens so far, and how it ended."""

    request: Request
    prompt: list[int]
    limit: int
    """Tokens it may write, at least 1."""
    started: float
    """Of `time.perf_counter`."""
    thinking_open: bool
    random: Random
    ends: frozenset[int]
    """Tokens that end it: the model's, and `stop_token_ids`."""
    tokens: list[int] = field(default_factory=list)
    """Written so far, the end-of-sequence token included."""
    text: str = ""
    """Set when the sequence has ended, as is `finish_reason`."""
    finish_reason: str | None = None

    @property
    def may_end(self) -> bool:
        """Whether it has the `min_tokens` that were asked for, so that its next token may be an end."""
        return len(self.tokens) >= int(self.request.sampling.engine.get("min_tokens", 0))

    @property
    def cached(self) -> int:
        """Tokens in the cache: all but the last one written."""
        return len(self.prompt) + len(self.tokens) - 1


class Decoder:
    """The decoding loop over one model. Not thread-safe; call it in `torch.inference_mode`."""

    def __init__(self, model: Any, ended: Callable[[Row], bool]) -> None:
        """`ended` is asked about a row after each token; it sets `finish_reason` if that was the last one."""
        self._model = model
        self._ended = ended
        self._batch: _Batch | None = None
        self._accepts = frozenset(inspect.signature(model.forward).parameters)
        self._cache_argument = cache_argument(model)

    def __len__(self) -> int:
        """Rows alive."""
        return self._batch.alive if self._batch else 0

    @property
    def joinable(self) -> bool:
        """Whether rows may be added now: always if there are none, else if the model's cache allows it."""
        return self._batch is None or is_joinable(self._batch.cache)

    def add(self, rows: Sequence[Row]) -> Iterator[Row]:
        """Read in new rows, each distinct prompt once. Yields those that end with their first token."""
        if self._batch is not None:
            self._batch.drop_ended()
        for group in _prefill_groups(rows):
            batch = self._prefill(group)
            yield from filter(self._ended, batch.rows)
            batch.drop_ended()
            if not batch.rows:
                continue
            if self._batch is None:
                self._batch = batch
            else:
                self._batch.absorb(batch)

    def step(self) -> list[Row]:
        """One more token for every row. Returns the rows that ended."""
        import torch

        batch = self._batch
        if batch is None:
            return []
        last = torch.tensor([[row.tokens[-1], row.cached] for row in batch.rows], device=self._model.device)
        tokens, positions = last[:, :1], last[:, 1:]
        batch.columns += 1
        mask = _mask(positions + 1, batch.columns)
        logits, batch.cache = self._forward(tokens, mask, positions, batch.cache)
        ended = [row for row in batch.append(logits) if self._ended(row)]
        if not batch.alive:
            self._batch = None
        elif (len(batch.rows) - batch.alive) * DEAD_SHARE >= len(batch.rows):
            batch.drop_ended()
        return ended

    def _prefill(self, prompts: dict[tuple[int, ...], list[Row]]) -> _Batch:
        import torch

        device = self._model.device
        lengths = torch.tensor([[len(prompt)] for prompt in prompts], device=device)
        columns = max(map(len, prompts))
        padded = torch.tensor([[0] * (columns - len(prompt)) + list(prompt) for prompt in prompts], device=device)
        mask = _mask(lengths, columns)
        positions = (mask.cumsum(-1) - 1).clamp(min=0)
        logits, cache = self._forward(padded, mask, positions, None)
        seen = torch.zeros_like(logits, dtype=torch.bool)
        for number, prompt in enumerate(prompts):
            seen[number, list(prompt)] = True
        copies = [number for number, rows in enumerate(prompts.values()) for _ in rows]
        if len(copies) > len(prompts):
            index = torch.tensor(copies, device=device)
            cache.reorder_cache(index)
            logits, seen = logits[index], seen[index]
        preallocate(cache)
        batch = _Batch([row for rows in prompts.values() for row in rows], cache, columns, seen)
        batch.append(logits)
        return batch

    def _forward(
        self, tokens: torch.Tensor, mask: torch.Tensor, positions: torch.Tensor, cache: Any
    ) -> tuple[torch.Tensor, Any]:
        """Logits of the last column in float32, and the cache."""
        arguments = {"position_ids": positions, "logits_to_keep": 1, self._cache_argument: cache}
        accepted = {name: value for name, value in arguments.items() if name in self._accepts}
        # Purely recurrent models take a mask with the prompt alone: their state knows no padding.
        recurrent = cache is not None and is_recurrent(cache)
        output = self._model(
            input_ids=tokens,
            attention_mask=None if recurrent else mask,
            use_cache=True,
            return_dict=True,
            **accepted,
        )
        if (kept := output.get(self._cache_argument)) is None:
            raise BackendError("the model returns no cache to decode with; a newer transformers may make it do so.")
        return output.logits[:, -1].float(), kept


@dataclass(slots=True)
class _Batch:
    """Rows that are decoded together, with their cache."""

    rows: list[Row]
    cache: Any
    columns: int
    """Width of the cache, padding included."""
    seen: torch.Tensor
    """Shape [rows, vocabulary]: the tokens of each row so far."""
    _sampler: Sampler | None = None

    @property
    def alive(self) -> int:
        return sum(row.finish_reason is None for row in self.rows)

    def append(self, logits: torch.Tensor) -> list[Row]:
        """Choose and append the next token of every row that is alive; returns these rows."""
        if self._sampler is None:
            self._sampler = Sampler([row.request.sampling for row in self.rows], logits.shape[-1], logits.device)
        for number, row in enumerate(self.rows):
            if not row.may_end:
                logits[number, [end for end in row.ends if end < logits.shape[-1]]] = -float("inf")
        tokens = self._sampler.choose(logits, self.seen, [row.random.getrandbits(32) for row in self.rows])
        self.seen.scatter_(1, tokens.unsqueeze(1), True)
        grown = []
        for row, token in zip(self.rows, tokens.tolist(), strict=True):
            if row.finish_reason is None:
                row.tokens.append(token)
                grown.append(row)
        return grown

    def drop_ended(self) -> None:
        """Go on with the rows that are alive, and no wider than the longest of them."""
        import torch

        alive = [number for number, row in enumerate(self.rows) if row.finish_reason is None]
        if len(alive) == len(self.rows):
            return
        self.rows, self._sampler = [self.rows[number] for number in alive], None
        if not alive:
            return
        index = torch.tensor(alive, device=self.seen.device)
        self.cache.reorder_cache(index)
        self.seen = self.seen[index]
        self._align(max(row.cached for row in self.rows))

    def absorb(self, other: _Batch) -> None:
        """Take in the rows of another batch of the same model."""
        import torch

        columns = max(self.columns, other.columns)
        self._align(columns)
        other._align(columns)
        join(self.cache, other.cache)
        self.seen = torch.cat([self.seen, other.seen])
        self.rows, self._sampler = self.rows + other.rows, None

    def _align(self, columns: int) -> None:
        if columns != self.columns and is_joinable(self.cache):
            align(self.cache, columns)
            self.columns = columns


def cache_argument(model: Any) -> str:
    """The name under which the model takes and returns its cache; an empty string if it has none we know."""
    parameters = inspect.signature(model.forward).parameters
    return next((name for name in CACHE_ARGUMENTS if name in parameters), "")


def _prefill_groups(rows: Sequence[Row]) -> Iterator[dict[tuple[int, ...], list[Row]]]:
    """Rows by prompt, like lengths together, in groups of at most PREFILL_TOKENS (or one prompt)."""
    prompts: dict[tuple[int, ...], list[Row]] = {}
    for row in rows:
        prompts.setdefault(tuple(row.prompt), []).append(row)
    group: dict[tuple[int, ...], list[Row]] = {}
    for prompt in sorted(prompts, key=len):
        if group and (len(group) + 1) * len(prompt) > PREFILL_TOKENS:
            yield group
            group = {}
        group[prompt] = prompts[prompt]
    if group:
        yield group


def _mask(lengths: torch.Tensor, columns: int) -> torch.Tensor:
    """1 for tokens, 0 for the padding left of them; `lengths` has shape [rows, 1]."""
    import torch

    return (torch.arange(columns, device=lengths.device) >= columns - lengths).long()
