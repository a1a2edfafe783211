"""What is drawn, against the distribution that transformers' own processors leave."""

import math
from random import Random

import pytest

pytest.importorskip("torch")
pytest.importorskip("transformers")

import torch
import transformers

from skythought.backends.transformers.sampling import Sampler
from skythought.types import SamplingParams


def distribution(logits, params):
    scores = transformers.TemperatureLogitsWarper(params.temperature)(None, logits[None].clone())
    if params.top_k:
        scores = transformers.TopKLogitsWarper(params.top_k)(None, scores)
    if params.top_p < 1:
        scores = transformers.TopPLogitsWarper(params.top_p)(None, scores)
    if params.min_p:
        scores = transformers.MinPLogitsWarper(params.min_p)(None, scores)
    return scores.softmax(-1)[0]


@pytest.mark.parametrize(
    ("size", "given"),
    [
        (40, {"temperature": 1.0}),
        (40, {"temperature": 0.6, "top_k": 7, "top_p": 0.8}),
        (40, {"temperature": 1.5, "top_p": 0.9, "min_p": 0.05}),
        (900, {"temperature": 1.0}),  # more than the candidates
        (900, {"temperature": 1.0, "top_k": 300}),
        (900, {"temperature": 1.0, "top_p": 0.9}),
    ],
)
def test_frequencies(size, given):
    logits = torch.randn(size, generator=torch.Generator().manual_seed(3))
    params = SamplingParams(**given)
    rows, rounds = 500, 8 if size > 500 else 60
    sampler = Sampler([params] * rows, size, torch.device("cpu"))
    dice, seen, counts = Random(4), torch.zeros(rows, size, dtype=torch.bool), torch.zeros(size)
    for _ in range(rounds):
        keys = [dice.getrandbits(32) for _ in range(rows)]
        drawn = sampler.choose(logits.expand(rows, -1).contiguous(), seen, keys)
        counts += torch.bincount(drawn, minlength=size)
    expected = distribution(logits, params) * counts.sum()
    assert counts[expected == 0].sum() == 0
    usual = expected > 5
    chi2 = ((counts - expected)[usual] ** 2 / expected[usual]).sum().item()
    freedom = int(usual.sum()) - 1
    assert abs(chi2 - freedom) < 5 * math.sqrt(2 * freedom)


def test_the_repetition_penalty_is_that_of_the_library():
    logits = torch.randn(4, 50, generator=torch.Generator().manual_seed(3))
    tokens = torch.tensor([[n, n + 1, n + 9] for n in range(4)])
    penalised = transformers.RepetitionPenaltyLogitsProcessor(1.8)(tokens, logits.clone())
    seen = torch.zeros(4, 50, dtype=torch.bool).scatter(1, tokens, True)
    sampler = Sampler([SamplingParams(repetition_penalty=1.8)] * 4, 50, torch.device("cpu"))
    assert sampler.choose(logits, seen, [0] * 4).tolist() == penalised.argmax(-1).tolist()
