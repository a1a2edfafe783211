"""From generated conversations to batches of token ids, shuffled and padded to little waste."""

import random
from collections.abc import Iterator
from dataclasses import dataclass

import torch
from tokenizers import Tokenizer

from .prompts import Example, make_example

IGNORED = -100
POOL = 2048  # examples sorted by length before they are cut into batches


@dataclass(frozen=True, slots=True)
class Mixture:
    """What share of examples has which form, and from when: wording comes after arithmetic."""

    wrapped_from: float = 0.4  # share of the run after which wrappers become frequent
    bare_before: float = 0.8
    bare_after: float = 0.5
    quick_share: float = 0.2

    def bare_share(self, progress: float) -> float:
        """The share of examples in the benchmark's own wording at this point of the run."""
        return self.bare_before if progress < self.wrapped_from else self.bare_after


@dataclass(frozen=True, slots=True)
class Batch:
    """Inputs and the next-token targets, `IGNORED` where nothing is to be learnt."""

    inputs: torch.Tensor
    targets: torch.Tensor


def encode(tokenizer: Tokenizer, example: Example) -> tuple[list[int], int]:
    """A conversation's ids up to the end of the reply, and how many of them are given."""
    turns = "".join(f"<|im_start|>{role}\n{text}<|im_end|>\n" for role, text in example.messages)
    head = f"{turns}<|im_start|>assistant\n{example.given}"
    given = tokenizer.encode(head).ids
    learnt = tokenizer.encode(f"{example.reply[len(example.given) :]}<|im_end|>").ids
    return given + learnt, len(given)


def batches(tokenizer: Tokenizer, seed: int, tokens_a_batch: int, steps: int, mixture: Mixture) -> Iterator[Batch]:
    """Exactly `steps` batches of about `tokens_a_batch` tokens, the same for the same seed."""
    rng = random.Random(seed)
    done = 0
    while done < steps:
        bare = mixture.bare_share(done / steps)
        pool = [encode(tokenizer, make_example(rng, bare, mixture.quick_share)) for _ in range(POOL)]
        pool.sort(key=lambda item: len(item[0]))
        groups: list[list[tuple[list[int], int]]] = [[]]
        for item in pool:
            if (len(groups[-1]) + 1) * len(item[0]) > tokens_a_batch:
                groups.append([])
            groups[-1].append(item)
        rng.shuffle(groups)
        for group in groups[: steps - done]:
            yield _pad(group)
            done += 1


def _pad(group: list[tuple[list[int], int]]) -> Batch:
    """Pad on the right, where a causal model never looks."""
    width = max(len(ids) for ids, _ in group) - 1
    inputs = torch.zeros(len(group), width, dtype=torch.long)
    targets = torch.full((len(group), width), IGNORED)
    for row, (ids, given) in enumerate(group):
        inputs[row, : len(ids) - 1] = torch.tensor(ids[:-1])
        targets[row, given - 1 : len(ids) - 1] = torch.tensor(ids[given:])
    return Batch(inputs, targets)
