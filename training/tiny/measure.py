"""Measure the tiny model on its benchmark: greedy, and pass@k of eight samples, by family.

`python -m training.tiny.measure MODEL BENCHMARK.jsonl` prints the tables of the README.
"""

import argparse
import json
import sys
from collections import defaultdict
from dataclasses import dataclass
from math import comb
from pathlib import Path

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer, PreTrainedModel, PreTrainedTokenizerBase

from .prompts import BENCHMARK_TEMPLATE

BATCH = 200
KS = (1, 2, 4, 8)
Row = dict[str, str]


def final_answer(text: str) -> str | None:
    r"""What stands in the last `\boxed{}`, braces balanced; without one, what follows "answer is"."""
    start = text.rfind("\\boxed{")
    if start < 0:
        return text.rpartition("answer is ")[2].strip().rstrip(".") or None
    start += len("\\boxed{")
    depth = 1
    for end in range(start, len(text)):
        depth += {"{": 1, "}": -1}.get(text[end], 0)
        if depth == 0:
            return text[start:end]
    return None


def pass_at_k(n: int, correct: int, k: int) -> float:
    """The unbiased estimate of the chance that one of k samples is right."""
    return 1.0 - comb(n - correct, k) / comb(n, k)


@dataclass(frozen=True, slots=True)
class Wrapper:
    """What stands around the question; the default is the benchmark's own wording."""

    template: str = BENCHMARK_TEMPLATE
    system: str = ""
    prefill: str = ""


class Runner:
    """The model with its tokenizer, answering chats in batches."""

    def __init__(self, folder: Path, wrapper: Wrapper, threads: int) -> None:
        torch.set_num_threads(threads)
        self._wrapper = wrapper
        self._tokenizer: PreTrainedTokenizerBase = AutoTokenizer.from_pretrained(folder)
        self._model: PreTrainedModel = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
        self.tokens = 0
        self.unfinished = 0

    def prompt(self, question: str) -> str:
        """The text the model continues."""
        chat = [{"role": "user", "content": self._wrapper.template.replace("{question}", question)}]
        if self._wrapper.system:
            chat.insert(0, {"role": "system", "content": self._wrapper.system})
        text = self._tokenizer.apply_chat_template(chat, tokenize=False, add_generation_prompt=True)
        return f"{text}{self._wrapper.prefill}"

    @torch.inference_mode()
    def answers(self, prompts: list[str], temperature: float, limit: int = 320) -> list[str]:
        """One reply a prompt, in order; temperature 0 is greedy."""
        replies: list[str] = []
        end = self._tokenizer.eos_token_id
        for start in range(0, len(prompts), BATCH):
            batch = self._tokenizer(prompts[start : start + BATCH], return_tensors="pt", padding=True)
            how = {"do_sample": True, "temperature": temperature, "top_k": 0, "top_p": 1.0}
            ids = self._model.generate(
                input_ids=batch["input_ids"],
                attention_mask=batch["attention_mask"],
                max_new_tokens=limit,
                **(how if temperature else {"do_sample": False}),
            )[:, batch["input_ids"].shape[1] :]
            self.tokens += int((ids != self._tokenizer.pad_token_id).sum())
            self.unfinished += int((~(ids == end).any(dim=1)).sum())
            replies += self._tokenizer.batch_decode(ids, skip_special_tokens=True)
        return replies


def counts(runner: Runner, rows: list[Row], temperature: float, n: int, seed: int) -> list[int]:
    """How many of n samples are right, for each row; sorted by length inside to pad little."""
    torch.manual_seed(seed)
    order = sorted(range(len(rows)), key=lambda i: len(rows[i]["question"]))
    prompts = [runner.prompt(rows[i]["question"]) for i in order for _ in range(n)]
    replies = runner.answers(prompts, temperature)
    correct = [0] * len(rows)
    for place, reply in enumerate(replies):
        row = order[place // n]
        correct[row] += final_answer(reply) == rows[row]["answer"]
    return correct


def table(rows: list[Row], correct: list[int], n: int) -> str:
    """Markdown: pass@k for each family, and over all."""
    ks = [k for k in KS if k <= n]
    by_family: dict[str, list[int]] = defaultdict(list)
    for row, count in zip(rows, correct, strict=True):
        by_family[row["family"]].append(count)
        by_family["all"].append(count)
    lines = [f"| family | {' | '.join(f'pass@{k}' for k in ks)} |", f"|---|{'--:|' * len(ks)}"]
    names = [*(name for name in by_family if name != "all"), "all"]
    for name in names:
        group = by_family[name]
        cells = [f"{sum(pass_at_k(n, c, k) for c in group) / len(group):.2f}" for k in ks]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(lines)


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description="Measure the tiny model.")
    parser.add_argument("model", type=Path)
    parser.add_argument("benchmark", type=Path)
    parser.add_argument("--limit", type=int, help="the first so many problems only")
    parser.add_argument("--temperatures", type=float, nargs="+", default=[0.0, 0.6, 1.0])
    parser.add_argument("--template", default=BENCHMARK_TEMPLATE, help="with {question} in it")
    parser.add_argument("--system", default="", help="a system prompt")
    parser.add_argument("--prefill", default="", help="how the reply begins")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=2)
    arguments = parser.parse_args()
    lines = arguments.benchmark.read_text(encoding="utf-8").splitlines()
    rows: list[Row] = [json.loads(line) for line in lines][: arguments.limit]
    wrapper = Wrapper(arguments.template, arguments.system, arguments.prefill)
    for temperature in arguments.temperatures:
        runner = Runner(arguments.model, wrapper, arguments.threads)
        n = 8 if temperature else 1
        correct = counts(runner, rows, temperature, n, arguments.seed)
        mean = runner.tokens / (len(rows) * n)
        sys.stdout.write(
            f"\nTemperature {temperature}, {n} samples, {mean:.0f} tokens a reply, "
            f"{runner.unfinished} of {len(rows) * n} cut off\n\n{table(rows, correct, n)}\n"
        )


if __name__ == "__main__":
    main()
