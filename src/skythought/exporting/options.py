"""What `skythought export` and `st.export` take: declared here once, for both and the documentation.

Light on purpose: `skythought --help` reads it, and must be instant.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated

from skythought.calls import Option

__all__ = ["CleaningOptions", "ExportOptions", "FormatOptions", "HubOptions", "SelectionOptions"]


@dataclass(frozen=True, kw_only=True)
class CleaningOptions:
    """Duplicates and what benchmarks have in common with the data."""

    duplicates: Annotated[
        str,
        Option(
            "Problems and responses that repeat others: exact (drop them), keep, or a share: 0.8 drops near ones too."
        ),
    ] = "exact"
    decontaminate: Annotated[
        tuple[str, ...],
        Option("Drop what holds problems of these: tasks, TASK=FILE (a local copy), files, FILE:COLUMN, or all tasks."),
    ] = ()
    ngram: Annotated[int, Option("So many words in a row are a sign; shorter problems are found as a whole.")] = 8
    threshold: Annotated[float, Option("Share of a benchmark's problem from which an example is dropped.")] = 0.5
    decontaminate_answers: Annotated[bool, Option("Look in the responses too, not only in the prompts.")] = False


@dataclass(frozen=True, kw_only=True)
class SelectionOptions:
    """Which responses are kept."""

    select: Annotated[str, Option("Which right ones of a problem: first, shortest, nearest (to the median), all.")] = (
        "first"
    )
    per_problem: Annotated[int | None, Option("So many of a problem at most. [default: 1; of `all`: no limit]")] = None
    pairs: Annotated[
        str, Option("For dpo: near (right against wrong of near length) or shorter (shortest against longest right).")
    ] = "near"
    pass_rate: Annotated[
        str | None, Option("Only problems with such a share of right answers, lowest:highest, e.g. 0.1:0.9.")
    ] = None
    drop: Annotated[
        tuple[str, ...], Option("Responses not to train on: unparsed, truncated, looping, open-thinking; or none.")
    ] = ("unparsed", "truncated", "looping", "open-thinking")
    majority: Annotated[
        float | None,
        Option("Where there is no gold answer, right is what at least this share of a problem's samples answer."),
    ] = None
    filter: Annotated[str | None, Option("A function of yours that keeps or drops: file.py:function.")] = None
    quota: Annotated[
        Mapping[str, int] | None, Option("Rows of each subset at most: algebra=500,geometry=200; * stands for others.")
    ] = None
    quota_by: Annotated[
        str | None, Option("What subsets are: a column of the dataset. [default: what the task reports by first]")
    ] = None


@dataclass(frozen=True, kw_only=True)
class FormatOptions:
    """How rows and files look."""

    format: Annotated[
        str,
        Option("trl (or sft, dpo, kto, grpo, ...), messages, sharegpt, llamafactory, axolotl, verl, file.py:Class."),
    ] = "trl"
    kind: Annotated[
        str | None, Option("What is trained: sft, completion, dpo, kto or rl. [default: the format's first]")
    ] = None
    thinking: Annotated[
        str, Option("Thinking inside the content (inline), in a field beside it (field), or left out (drop).")
    ] = "inline"
    thinking_field: Annotated[str, Option("Name of that field; gpt-oss' template reads `thinking`.")] = (
        "reasoning_content"
    )
    columns: Annotated[
        tuple[str, ...], Option("Further columns of a row: task, target, pass_rate, tokens, ..., or the dataset's own.")
    ] = ()
    files: Annotated[str | None, Option("jsonl or parquet. [default: what the format's trainer reads; jsonl]")] = None
    shard_size: Annotated[str, Option("Size of a file at most, about: 500MB, 2GB.")] = "500MB"
    overwrite: Annotated[bool, Option("Replace an earlier export in that folder.")] = False


@dataclass(frozen=True, kw_only=True)
class HubOptions:
    """Publishing, and what the card says of rights."""

    license: Annotated[str | None, Option("License of the data, for the card: apache-2.0, ...")] = None
    push_to_hub: Annotated[str | None, Option("Upload it as this dataset: me/my-data.")] = None
    private: Annotated[bool, Option("Whether a dataset that is made on the hub is private.")] = True


@dataclass(frozen=True, kw_only=True)
class ExportOptions(HubOptions, CleaningOptions, SelectionOptions, FormatOptions):
    """Everything that an export can be told; docs/export.md tells each."""
