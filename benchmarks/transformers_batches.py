"""Tokens a CPU second: the transformers backend against `model.generate` in fixed batches, with uneven lengths.

    python benchmarks/transformers_batches.py [requests]

The bundled model in float32 on one thread. Each request is cut off at its own limit, log-uniform from 16 to 512 tokens;
the end of the sequence is ignored, so that both sides write as much. `generate` runs each batch to the longest limit in
it, as it must. Both sides are measured in turn, in one process; only tokens that were asked for count.
"""

from __future__ import annotations

import asyncio
import os
import random
import sys
import time

os.environ.setdefault("OMP_NUM_THREADS", "1")

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from skythought.backends.transformers.backend import TransformersBackend
from skythought.models.library import load_model
from skythought.types import Request, SampleKey, SamplingParams

BATCHES = (1, 16, 64)


def limits(count: int) -> list[int]:
    """A limit for each request."""
    rng = random.Random(0)
    return [int(2 ** rng.uniform(4, 9)) for _ in range(count)]


async def ours(lengths: list[int], batch: int, temperature: float) -> float:
    """CPU seconds of the backend."""
    backend = TransformersBackend(load_model("tiny"), TransformersBackend.check_args({}), batch_size=batch)
    async with backend:
        backend._ends = frozenset()
        requests = (
            Request(
                SampleKey(str(number), 0),
                ({"role": "user", "content": f"What is {number} + {number % 7}?"},),
                SamplingParams(temperature=temperature, max_tokens=length),
                number,
            )
            for number, length in enumerate(lengths)
        )
        started = time.process_time()
        written = sum([response.completion_tokens async for response in backend.generate(requests)])
    assert written == sum(lengths)
    return time.process_time() - started


def theirs(lengths: list[int], batch: int, temperature: float) -> float:
    """CPU seconds of `generate`, batch after batch."""
    source = load_model("tiny").weights
    tokenizer = AutoTokenizer.from_pretrained(source, padding_side="left")
    model = AutoModelForCausalLM.from_pretrained(source, dtype=torch.float32).eval()
    tokenizer.pad_token = tokenizer.pad_token or tokenizer.eos_token
    sampling = {"do_sample": True, "temperature": temperature} if temperature else {"do_sample": False}
    prompts = [
        tokenizer.apply_chat_template(
            [{"role": "user", "content": f"What is {number} + {number % 7}?"}],
            tokenize=False,
            add_generation_prompt=True,
        )
        for number in range(len(lengths))
    ]
    started = time.process_time()
    for start in range(0, len(lengths), batch):
        longest = max(lengths[start : start + batch])
        inputs = tokenizer(prompts[start : start + batch], return_tensors="pt", padding=True, add_special_tokens=False)
        with torch.inference_mode():
            model.generate(**inputs, min_new_tokens=longest, max_new_tokens=longest, **sampling)
    return time.process_time() - started


def main() -> None:
    """Measure and print."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 128
    lengths = limits(count)
    total = sum(lengths)
    print(f"{count} requests, {total:,} tokens; tokens a CPU second")
    for temperature in (0.0, 0.7):
        for batch in BATCHES:
            ahead = total / asyncio.run(ours(lengths, batch, temperature))
            behind = total / theirs(lengths, batch, temperature)
            print(
                f"temperature {temperature}, batch {batch:>2}: backend {ahead:6,.0f}, generate {behind:6,.0f}, "
                f"ratio {ahead / behind:.2f}"
            )


if __name__ == "__main__":
    main()
