"""Options that there are not: what was meant, in our words, also for names that other evaluation tools have."""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection
from typing import Any

__all__ = ["no_such_option", "on_usage"]

SAMPLING = (
    "temperature temperatures top_p top_k min_p max_tokens max_new_tokens max_gen_toks max_output_tokens "
    "repetition_penalty frequency_penalty presence_penalty stop until_stop reasoning_effort max_completion_tokens"
)
ENGINE = (
    "max_model_len gpu_memory_utilization dtype device base_url api_key quantization trust_remote_code revision "
    "concurrency max_num_seqs enforce_eager max_num_batched_tokens kv_cache_dtype pipeline_parallel_size swap_space"
)
OTHERS = {
    "end": "limit max_samples max_examples num_examples max_problems num_problems n_problems first",
    "n": "num_samples n_samples samples num_generations num_repeats repeats epochs n_repeats num_return_sequences",
    "result-dir": "output_dir output_path out_dir output save_dir log_dir results_dir result_path save_path",
    "task": "dataset benchmark tasks benchmarks eval evals eval_name data",
    "model": "model_name model_path model_id model_name_or_path pretrained models",
    "backend-args": "model_args engine_args backend_params model_config_args",
    "sampling-params": "gen_kwargs generation_parameters generation_config sampling_parameters gen_args",
    "system-prompt": "system_instruction system_message system_template",
    "system-prompt-name": "system_prompt_template prompt_name",
    "user-template": "prompt_template template user_prompt",
    "chat-template-kwargs": "chat_template_args enable_thinking thinking",
    "batch-size": "parallel max_connections num_concurrent workers num_workers batchsize bs max_batch_size num_threads",
    "seed": "random_seed seeds sampling_seed",
    "resume": "continue use_cache",
    "overwrite": "force rerun overwrite_output_dir clean",
    "backend": "engine provider inference_engine framework",
    "judge-model": "judge grader judge_name",
    "run-dir": "run results_path results folder",
    "as-test": "debug_run smoke_test test quick",
    "ids": "id problem_ids indices",
    "most": "limit max_samples max_examples num_samples first",
    "model-config": "config model_configs",
    "output": "output_dir output_path out_dir out save_dir result_dir",
    "verbose": "debug log_level loglevel verbosity",
    "quiet": "silent no_progress",
    "until-correct": "rejection_sampling",
}
"""Our option, and what it is called elsewhere (lm-eval, lighteval, evalscope, vLLM, this tool's own past)."""

SENTENCES = {
    "split": "{task-args} dataset_split=NAME",
    "subset": "{task-args} dataset_subset=NAME",
    "dataset_path": "{task-args} dataset_path=FILE",
    "num_fewshot": "{task-args} few_shot={{...}} (docs/tasks.md)",
    "n_shot": "{task-args} few_shot={{...}} (docs/tasks.md)",
    "shots": "{task-args} few_shot={{...}} (docs/tasks.md)",
    **dict.fromkeys(
        ("tp", "tensor_parallel", "tensor_parallel_size", "gpus", "num_gpus", "n_gpus", "ngpus"),
        "{backend-args} tensor_parallel_size=N (of vllm and ray)",
    ),
    **dict.fromkeys(SAMPLING.split(), "{sampling-params} {name}=VALUE"),
    **dict.fromkeys(ENGINE.split(), "{backend-args} {name}=VALUE"),
    **dict.fromkeys(
        ("max_new_tokens", "max_gen_toks", "max_output_tokens", "max_completion_tokens"),
        "{sampling-params} max_tokens=N",
    ),
    "temperatures": "{sampling-params} temperature=VALUE",
    "until_stop": "{sampling-params} stop=[...]",
    "greedy": "{sampling-params} temperature=0",
    "do_sample": "{sampling-params} temperature=VALUE",
}
"""What is given by an option that takes several values."""

NEEDLESS = {
    "log_samples": "every sample is kept in the run folder",
    "write_out": "every sample is kept in the run folder",
    "save_generations": "every sample is kept in the run folder",
    "apply_chat_template": "the model's chat template is used by itself",
    "use_chat_template": "the model's chat template is used by itself",
    "inference": "`generate` asks, `score` grades, `evaluate` does both",
    "check": "`generate` asks, `score` grades, `evaluate` does both",
}


def on_usage(error: Any) -> str:
    """What to say of a command that was typed wrong; `error` is what typer's parser raised."""
    if type(error).__name__ == "NoSuchOption" and error.ctx is not None:
        known = [name for one in error.ctx.command.params for name in (*one.opts, *one.secondary_opts)]
        return no_such_option(error.option_name, [name for name in known if name.startswith("--")])
    said: str = re.sub("Input should be a valid integer.*", "a whole number is wanted.", error.format_message())
    return re.sub("Input should be a valid number.*", "a number is wanted.", said)


def no_such_option(given: str, known: Collection[str]) -> str:
    """The error for an option that a command does not have.

    Args:
        given: As it was typed: `--temperature`.
        known: The command's options: `--n`, `--sampling-params`, ...

    >>> no_such_option("--limit", ["--end", "--model"])
    'No such option: --limit; here it is --end N.'
    """
    name = given.lstrip("-").replace("-", "_").lower()
    meant = next((one for one in known if one.lstrip("-").replace("-", "_") == name), None)
    if meant is None and (said := _elsewhere(name, known)) is not None:
        return f"No such option: {given}; {said}."
    if meant is None:
        meant = next(iter(difflib.get_close_matches(given, sorted(known), n=1, cutoff=0.75)), None)
    return f"No such option: {given}. " + (f"Did you mean {meant}?" if meant else "--help lists those that there are.")


def _elsewhere(name: str, known: Collection[str]) -> str | None:
    """What to say of a name that another tool has; None if nothing, or if this command has no such thing."""
    if name in NEEDLESS:
        return f"it needs none: {NEEDLESS[name]}"
    if sentence := SENTENCES.get(name):
        option = sentence[1 : sentence.index("}")]
        if f"--{option}" not in known:
            return None
        return "here it is " + sentence.format_map({option: f"--{option}", "name": name})
    for option, names in OTHERS.items():
        if name in names.split() and f"--{option}" in known:
            return f"here it is --{option}{' N' if option in ('end', 'n') else ''}"
    return None
