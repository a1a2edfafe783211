"""Output tokens a second: the vllm backend, journalling and scoring included, against vLLM's own bulk `LLM.generate`.

    python benchmarks/vllm_throughput.py [--requests 384] [--rounds 4] [--sides skythought,bulk,batches]
    python benchmarks/vllm_throughput.py --simulate

The bundled model in float32. Each request is made to write a length drawn from a lognormal distribution (the end of the
sequence is ignored), so all sides write the same number of tokens; what comes after the answer is scored as if it were
the thinking before it. Two engines with the same arguments stand side by side in one run, and the sides take turns,
every other round in reversed order:

    skythought   a whole `evaluate` after the engine's start: prompts, chat template, journal, scoring, derived files
    bulk         `LLM.generate` on all requests at once: what the engine can do at most
    batches      `LLM.generate` on 64 requests at a time, one batch after another

Reported are medians over the rounds, of wall time and of CPU time (this process, its engines and scoring workers); the
first round, in which engines get warm, does not count. Scoring workers start anew in each, which does count. Where
scoring shares the cores with the engine, as here and not beside a GPU, it takes them from it: so what scoring took is
printed too.

`--simulate` computes, without any engine, how long both patterns take with 256 slots, if a step costs the same however
full the batch is (decoding on a GPU is limited by reading the weights), and if it costs half of that and the rest in
proportion to how full it is.
"""

from __future__ import annotations

import argparse
import asyncio
import heapq
import json
import os
import random
import re
import statistics
import tempfile
import time
from collections.abc import AsyncGenerator, Callable, Collection, Iterable, Sequence
from contextlib import AsyncExitStack, aclosing, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("VLLM_CPU_KVCACHE_SPACE", "1")
os.environ.setdefault("VLLM_LOGGING_LEVEL", "ERROR")

from skythought.backends.vllm.backend import VLLMBackend
from skythought.executors.local import LocalExecutor
from skythought.grading.grade import Grader
from skythought.models.library import load_model
from skythought.pipeline.generate import generate
from skythought.pipeline.options import Options
from skythought.pipeline.plan import make_plan
from skythought.pipeline.resume import open_run
from skythought.pipeline.score import begin_scoring_if_needed, header_of, queue_of, score_answers
from skythought.runs.results import derive
from skythought.streams import interleave
from skythought.tasks.load import load_task
from skythought.types import Request, Response

ENGINE = {
    "dtype": "float32",
    "enforce_eager": True,
    "max_model_len": 1024,
    "max_num_seqs": 256,
    "max_num_batched_tokens": 4096,
    "enable_chunked_prefill": False,
}
BATCH = 64
MEDIAN, SIGMA, MOST = 60, 1.0, 900


def lengths(count: int, *, median: float = MEDIAN, sigma: float = SIGMA, most: int = MOST) -> list[int]:
    """Output tokens of each request, lognormal."""
    rng = random.Random(0)
    return [min(most, max(1, round(median * rng.lognormvariate(0, sigma)))) for _ in range(count)]


def problem(number: int) -> tuple[str, str]:
    """One problem of the benchmark and its answer."""
    left, right = 17 * number % 89 + 10, 31 * number % 83 + 10
    return f"What is {left} + {right}?", str(left + right)


def rendered(tokenizer: Any, number: int) -> str:
    """The prompt that the arithmetic task and the model's chat template make of it."""
    prompt = (load_task("arithmetic", {}).prompt or "").replace("{{ question }}", problem(number)[0])
    messages = [{"role": "user", "content": prompt}]
    text: str = tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=True)
    return text


def as_thinking(text: str) -> str:
    """The same text as a reasoning model would have written it: at length, then one answer.

    The model answers at once and is then made to go on, beyond its end, in a jumble that is put into the thinking.
    """
    answer = re.search(r"\\boxed\{.*?\}\.?", text)
    if answer is None:
        return text
    jumble = re.sub("</?think>", "", text[answer.end() :])
    return "<think>" + jumble + text[: answer.end()].removeprefix("<think>")


class Forced(VLLMBackend):
    """The backend with a length for each request."""

    limits: Sequence[int] = ()
    prompt_tokens = 0

    async def generate(self, requests: Iterable[Request]) -> AsyncGenerator[Response, None]:
        forced = (
            replace(request, sampling=replace(request.sampling, max_tokens=self.limits[int(request.key.problem_id)]))
            for request in requests
        )
        async with aclosing(super().generate(forced)) as responses:
            async for response in responses:
                yield replace(response, content=as_thinking(response.content))


class Clock:
    """Wall and CPU seconds since it was made; CPU of this process and of every process below it."""

    def __init__(self) -> None:
        self._wall, self._cpu, self._scoring = time.perf_counter(), cpu(), cpu("skythought.executors")

    def read(self) -> Taken:
        """What has passed so far."""
        return Taken(time.perf_counter() - self._wall, cpu() - self._cpu, cpu("skythought.executors") - self._scoring)


class Taken(NamedTuple):
    """Seconds that one side took in one round."""

    wall: float
    cpu: float
    scoring: float
    """Of the CPU seconds, those of the scoring workers."""


def cpu(part: str = "") -> float:
    """CPU seconds of this process and those below it, or only of those with `part` in their command line."""
    import psutil

    own = psutil.Process()
    total = 0.0
    for process in [own, *own.children(recursive=True)]:
        with suppress(psutil.NoSuchProcess):
            if any(part in word for word in process.cmdline()):
                times = process.cpu_times()
                total += times.user + times.system
    return total


async def evaluate(backend: Forced, folder: Path, rows: Path) -> Taken:
    """A run from its first request to its derived files, with scoring workers that start with it."""
    options = Options(
        task=("arithmetic",),
        model="tiny",
        backend="vllm",
        backend_args=ENGINE,
        task_args={"dataset_path": str(rows)},
        sampling_params={"max_tokens": MOST, "temperature": 1.0, "ignore_eos": True},
        result_dir=folder,
        overwrite=True,
    )
    config = make_plan(options, grade=True).configs[0]
    async with AsyncExitStack() as stack:
        run = stack.enter_context(open_run(config, options).run)
        clock = Clock()
        executor = await stack.enter_async_context(LocalExecutor())
        answered = queue_of(run.unscored(), ended=False)
        begin_scoring_if_needed(run, header_of(config.task, None))
        scores = score_answers(run, answered, executor, Grader.of(config.task, config.model.tags))
        async for _ in interleave(generate(run, backend, answered), scores):
            pass
        derive(run)
        taken = clock.read()
    lines = [json.loads(line) for line in (run.path / "responses.jsonl").open()]
    assert sum(line["completion_tokens"] for line in lines) == sum(backend.limits)
    backend.prompt_tokens = sum(line["prompt_tokens"] for line in lines)
    return taken


def bulk(llm: Any, prompts: Sequence[str], params: Sequence[Any], at_once: int) -> Taken:
    """Seconds of `LLM.generate` on so many requests at a time."""
    clock = Clock()
    written = 0
    for first in range(0, len(prompts), at_once):
        some = slice(first, first + at_once)
        outputs = llm.generate(list(prompts[some]), list(params[some]), use_tqdm=False)
        written += sum(len(output.outputs[0].token_ids) for output in outputs)
    assert written == sum(param.max_tokens for param in params)
    return clock.read()


def main_engines(count: int, rounds: int, chosen: Collection[str]) -> None:
    """Measure the three sides in turn."""
    import vllm

    limits = lengths(count)
    params = [
        vllm.SamplingParams(max_tokens=limit, temperature=1.0, seed=number, skip_special_tokens=False, ignore_eos=True)
        for number, limit in enumerate(limits)
    ]
    seconds: dict[str, list[Taken]] = {side: [] for side in chosen}
    with tempfile.TemporaryDirectory() as name, asyncio.Runner() as runner:
        rows = Path(name, "rows.jsonl")
        source = (
            json.dumps(dict(zip(("question", "answer"), problem(number), strict=True))) for number in range(count)
        )
        rows.write_text("".join(line + "\n" for line in source))
        backend = Forced(load_model("tiny"), VLLMBackend.check_args(ENGINE), batch_size=VLLMBackend.default_batch_size)
        backend.limits = limits
        runner.run(backend.__aenter__())
        llm = vllm.LLM(load_model("tiny").weights, seed=0, **ENGINE)
        prompts = [rendered(llm.get_tokenizer(), number) for number in range(count)]

        sides: dict[str, Callable[[], Taken]] = {
            "skythought": lambda: runner.run(evaluate(backend, Path(name), rows)),
            "bulk": lambda: bulk(llm, prompts, params, count),
            "batches": lambda: bulk(llm, prompts, params, BATCH),
        }
        sides = {side: run for side, run in sides.items() if side in chosen}
        for number in range(rounds + 1):
            for side in list(sides) if number % 2 else reversed(sides):
                taken = sides[side]()
                if number:  # the first round warms up
                    seconds[side].append(taken)
                print(f"round {number}  {side:10}  {taken.wall:6.1f} s  {taken.cpu:6.1f} CPU s", flush=True)
        runner.run(backend.__aexit__(None, None, None))
        assert backend.prompt_tokens == sum(len(llm.get_tokenizer().encode(prompt)) for prompt in prompts)
    report(sum(limits), seconds)


def report(tokens: int, seconds: dict[str, list[Taken]]) -> None:
    """Medians and ratios. Ratios are taken round by round, as neighbours saw the same load."""
    ours = seconds["skythought"]
    print(f"\n{tokens:,} tokens, medians of {len(ours)} rounds on {len(os.sched_getaffinity(0))} cores")
    for side, taken in seconds.items():
        wall, used = (statistics.median(column) for column in list(zip(*taken, strict=True))[:2])
        print(f"{side:10}  {tokens / wall:6,.0f} tokens/s  {wall:6.1f} s  {used:6.1f} CPU s")
    print(f"scoring took {statistics.median(taken.scoring for taken in ours):.1f} CPU s of skythought's")
    for other in [side for side in seconds if side != "skythought"]:
        pairs = list(zip(ours, seconds[other], strict=True))
        wall = statistics.median(theirs.wall / mine.wall for mine, theirs in pairs)
        used = statistics.median(theirs.cpu / mine.cpu for mine, theirs in pairs)
        print(f"throughput of skythought / {other}: {wall:.2f} by wall time, {used:.2f} by CPU time")


def streaming(limits: Iterable[int], slots: int, cost: Callable[[int], float]) -> float:
    """Time for requests that take a slot as soon as one is free."""
    waiting = iter(limits)
    ends: list[int] = []
    step, now = 0, 0.0
    for limit in waiting:
        if len(ends) == slots:
            now += (ends[0] - step) * cost(slots)
            step = heapq.heappop(ends)
        heapq.heappush(ends, step + limit)
    while ends:
        now += (ends[0] - step) * cost(len(ends))
        step = heapq.heappop(ends)
    return now


def in_batches(limits: Sequence[int], size: int, slots: int, cost: Callable[[int], float]) -> float:
    """Time for batches one after another."""
    return sum(streaming(limits[first : first + size], slots, cost) for first in range(0, len(limits), size))


def simulate() -> None:
    """Both patterns with 256 slots, for several numbers of requests and widths of the distribution."""
    slots = 256
    costs = {"step costs the same": lambda n: 1.0, "half of it by fullness": lambda n: 0.5 + 0.5 * n / slots}
    print(f"{slots} slots, batches of {BATCH}; lognormal lengths, median 2,000 tokens, at most 32,768")
    for name, cost in costs.items():
        for sigma in (0.5, 1.0, 1.5):
            ratios = []
            for count in (1024, 4096, 16384):
                limits = lengths(count, median=2000, sigma=sigma, most=32768)
                ratio = in_batches(limits, BATCH, slots, cost) / streaming(limits, slots, cost)
                ratios.append(f"{count:,}: {ratio:.1f}")
            print(f"{name}, sigma {sigma}: time of batches / time of streaming for requests {', '.join(ratios)}")


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--requests", type=int, default=384)
    parser.add_argument("--rounds", type=int, default=4)
    parser.add_argument("--sides", default="skythought,bulk,batches")
    parser.add_argument("--simulate", action="store_true")
    given = parser.parse_args()
    simulate() if given.simulate else main_engines(given.requests, given.rounds, given.sides.split(","))


if __name__ == "__main__":
    main()
