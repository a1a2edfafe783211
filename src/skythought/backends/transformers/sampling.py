"""Choosing the next token for every row of a batch, each row by its own parameters and its own noise.

A token is drawn by adding noise to the log-probabilities and taking the highest (the Gumbel trick). The noise is
a hash of a number that the row draws for each token and of the token's id. So what a row gets depends neither on
its neighbours in the batch nor on the device, and hardly on rounding: only where two sums are equal to the last
digits. (Walking down the cumulative distribution with one random number would be simpler, but every tie between
unlikely tokens, and every rounding of the sums, moves it.) Being a hash, it can be had for the likeliest tokens
alone, at a tenth of the cost of noise for a whole vocabulary of 150,000.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from skythought.types import SamplingParams

if TYPE_CHECKING:
    import torch

__all__ = ["Sampler"]

CANDIDATES = 256
"""How many of the likeliest tokens are put in order. Rows whose choice lies beyond them (few) sort all."""


class _Filters(NamedTuple):
    """What limits the choice of each row: columns, shape [rows, 1]."""

    top_k: torch.Tensor
    """The size of the vocabulary where off."""
    top_p: torch.Tensor
    min_p: torch.Tensor


class Sampler:
    """The parameters of the rows of one batch as tensors; made anew when rows come or go."""

    def __init__(self, rows: Sequence[SamplingParams], vocabulary: int, device: torch.device) -> None:
        import torch

        def column(values: Sequence[float]) -> torch.Tensor:
            return torch.tensor(values, device=device).unsqueeze(1)

        top_k = [row.top_k if row.top_k is not None and 0 < row.top_k < vocabulary else vocabulary for row in rows]
        self._filters = _Filters(
            column(top_k), column([row.top_p or 1.0 for row in rows]), column([row.min_p or 0.0 for row in rows])
        )
        # A row of temperature 0 goes through the draw beside the others and is overruled after it.
        self._temperature = column([row.temperature or 1.0 for row in rows])
        self._greedy = torch.tensor([row.temperature == 0 for row in rows], device=device)
        self._all_greedy = all(row.temperature == 0 for row in rows)
        self._penalty = column([row.repetition_penalty or 1.0 for row in rows])
        self._penalises = any(row.repetition_penalty not in (None, 1.0) for row in rows)
        self._width = max(CANDIDATES, *(k + 1 for k in top_k if k < vocabulary), 0)

    def choose(self, logits: torch.Tensor, seen: torch.Tensor, keys: Sequence[int]) -> torch.Tensor:
        """The next token of each row, shape [rows].

        Args:
            logits: Float32, shape [rows, vocabulary].
            seen: Bool of the same shape: the tokens of the row's prompt and text, for the repetition penalty.
            keys: A random number of 32 bits for each row.
        """
        import torch

        if self._penalises:
            penalised = torch.where(logits > 0, logits / self._penalty, logits * self._penalty)
            logits = torch.where(seen, penalised, logits)
        likeliest = logits.argmax(-1)
        if self._all_greedy:
            return likeliest
        logits = logits / self._temperature
        key = torch.tensor(keys, device=logits.device).unsqueeze(1)
        drawn, outcome = _draw(logits, key, self._filters, self._width)
        for row in ((outcome != _DRAWN) & ~self._greedy).nonzero().flatten().tolist():
            one = slice(row, row + 1)
            filters = _Filters(*(values[one] for values in self._filters))
            skip = self._width if outcome[row] == _BEYOND else 0
            drawn[one], _ = _draw(logits[one], key[one], filters, logits.shape[-1], skip)
        return torch.where(self._greedy, likeliest, drawn)


_DRAWN, _BEYOND, _UNKNOWN = 0, 1, 2
"""The token is drawn; it is none of the candidates; the filters let through more than the candidates."""


def _draw(
    logits: torch.Tensor, key: torch.Tensor, filters: _Filters, width: int, skip: int = 0
) -> tuple[torch.Tensor, torch.Tensor]:
    """Draw from the `width` likeliest tokens of each row, less the first `skip`: the tokens, and the outcome.

    In order of probability every filter keeps a beginning of the list, so together they keep the shortest one.
    They apply as in transformers and vLLM: top-k, then top-p of what that left, then min-p.
    """
    import torch

    vocabulary = logits.shape[-1]
    width = min(width, vocabulary)
    top_k, top_p, min_p = filters
    values, tokens = logits.topk(width)
    logs = values - logits.logsumexp(-1, keepdim=True)
    probabilities = logs.exp()
    sums = probabilities.cumsum(-1)
    limited = top_k < vocabulary
    total = torch.where(limited, sums.gather(1, top_k.clamp(max=width) - 1), 1.0)
    rank = torch.arange(width, device=logits.device)
    fits = (rank < top_k) & (sums - probabilities < top_p * total) & (probabilities >= min_p * probabilities[:, :1])
    kept = fits.sum(-1, keepdim=True)
    scores = torch.where(fits & (rank >= skip), logs + _gumbel(key, tokens), -torch.inf)
    best, place = scores.max(-1, keepdim=True)
    # All tokens beyond the candidates take part as one, with their joint probability and noise of their own.
    beyond = (1 - sums[:, -1:]).log() + _gumbel(key, torch.full_like(key, vocabulary))
    complete = (kept < width) | (width == vocabulary)
    unfiltered = ~limited & (top_p >= 1) & (min_p <= 0)
    incomplete = torch.where(unfiltered, torch.where(beyond > best, _BEYOND, _DRAWN), _UNKNOWN)
    outcome = torch.where(complete, _DRAWN, incomplete)
    return tokens.gather(1, place).squeeze(1), outcome.squeeze(1)


def _gumbel(key: torch.Tensor, tokens: torch.Tensor) -> torch.Tensor:
    """Standard Gumbel noise: a function of the row's key, shape [rows, 1], and of the token, [rows, n]."""
    bits = _mix(_mix(tokens) ^ key)
    uniform = ((bits >> 9) + 0.5) / 2**23  # 23 bits: never 0 or 1 in float32
    return -(-uniform.log()).log()


def _mix(bits: torch.Tensor) -> torch.Tensor:
    """A hash from 32 bits to 32 bits. The factors are below 2**31, so that products fit 64 bits."""
    for factor in (0x7FEB352D, 0x119DE1F3, 0x045D9F3B):
        bits = ((bits ^ (bits >> 16)) * factor) & 0xFFFFFFFF
    return bits ^ (bits >> 16)
