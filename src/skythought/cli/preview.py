"""`--dry-run`: what would be done, in words, and the first prompts exactly as they would be sent."""

from __future__ import annotations

from collections.abc import Sequence

from skythought.display.console import PlainConsole
from skythought.pipeline.evaluate import by_engine
from skythought.pipeline.plan import Plan
from skythought.pipeline.preview import FirstPrompt, Preview, Tokens, preview
from skythought.printable import printable

__all__ = ["show_preview"]


def show_preview(plans: Sequence[Plan]) -> None:
    """Print what plans would do."""
    out, told = PlainConsole(soft_wrap=True), PlainConsole(stderr=True, soft_wrap=True)
    for text in dict.fromkeys(text for plan in plans for text in plan.notices):
        told.print(text)
    found: list[Preview] = []
    for plan in plans:
        with told.status("reading datasets"):
            runs = list(preview(plan))
        for run in runs:
            for line in _lines(run, plan):
                out.print(line)
            for line in _prompt(run.first) if run.first else ():
                out.print(f"  | {line}")
        found += runs
    to_ask, costs = sum(run.to_ask for run in found), [run.cost for run in found if run.cost is not None]
    cost = f", a cost of at most {sum(costs):,.2f}" if costs else ""
    starts = len(by_engine(plans))
    loading = "1 engine start" if starts == 1 else f"{starts} engine starts"
    runs_told = "1 run" if len(found) == 1 else f"{len(found):,} runs with {loading}"
    out.print(f"dry run: {runs_told}, {to_ask:,} samples to ask{cost}; nothing was loaded or written")


def _lines(run: Preview, plan: Plan) -> list[str]:
    config = run.config
    sampling = ", ".join(f"{name}={value}" for name, value in config.sampling.as_dict().items())
    left_out = f" ({run.left_out:,} rows left out)" if run.left_out else ""
    lines = [
        f"{config.task.name} by {config.model.name}",
        f"  backend: {config.backend.name}, {config.batch_size:,} requests in flight",
        f"  sampling: {sampling}, seed={config.seed}",
        f"  {run.problems:,} problems{left_out} x {config.n:,} = {run.samples:,} samples; answered before: "
        f"{run.answered:,}; to ask: {run.to_ask:,}",
        f"  folder: {run.path} ({run.state})",
    ]
    if run.tokens is not None:
        lines.append(f"  prompts: {_tokens(run.tokens, config.sampling.max_tokens)}")
    if run.cost is not None:
        lines.append(f"  cost: at most {run.cost:,.2f}, if every response takes all of max_tokens")
    if plan.judge is not None:
        lines.append(f"  judge: {plan.judge.model.model_id} by {plan.judge.backend.name}")
    if not plan.grade:
        lines.append("  grading: none (`skythought score` grades later)")
    return lines


def _tokens(tokens: Tokens, limit: int) -> str:
    counted = f" (of the first {tokens.counted:,})" if tokens.counted >= 1000 else ""
    if tokens.is_estimate:
        return f"some {tokens.mean:,.0f} tokens each, by their characters{counted}; no tokenizer is at hand here"
    told = f"{tokens.least:,} to {tokens.most:,} tokens, {tokens.mean:,.0f} on the average{counted}"
    if tokens.context is None:
        return f"{told}; with max_tokens {limit:,} at most {tokens.most + limit:,} together"
    together = f"the longest and max_tokens {limit:,} are {tokens.most + limit:,}"
    if tokens.most + limit <= tokens.context:
        return f"{told}; {together}, within the context of {tokens.context:,}"
    room = max(tokens.context - tokens.most, 0)
    return f"{told}; {together}, beyond the context of {tokens.context:,}: {room:,} are left for its response"


def _prompt(first: FirstPrompt) -> list[str]:
    """The first prompt by its turns, and as one text where that is known."""
    lines = [f"problem {first.problem_id}, as it is sent:"]
    for turn in first.messages:
        lines += [f"[{turn['role']}]", *printable(turn["content"]).split("\n")]
    if first.text is not None:
        lines += ["as the model reads it, by its chat template:", *printable(first.text).split("\n")]
    return lines
