"""The dataset card: what the data is, where it comes from, how it was chosen, what became of the rest."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Any

import yaml

from skythought.catalog import is_file_name
from skythought.exporting.exporter import Written
from skythought.exporting.options import ExportOptions
from skythought.exporting.reading import Source
from skythought.exporting.steps import StepCount

__all__ = ["card_of", "given_options"]

NO_MATTER = ("overwrite", "push_to_hub", "private")
"""Options that change no byte of the data."""

WHAT = {
    "sft": "conversations for supervised fine-tuning",
    "completion": "prompts with completions for supervised fine-tuning",
    "dpo": "pairs of a preferred and a rejected response (DPO)",
    "kto": "responses with a label, right or wrong (KTO)",
    "rl": "problems with gold answers for reinforcement learning with verifiable rewards",
}
SIZES = ((10**3, "n<1K"), (10**4, "1K<n<10K"), (10**5, "10K<n<100K"), (10**6, "100K<n<1M"), (10**7, "1M<n<10M"))


def card_of(
    written: Written,
    sources: Sequence[Source],
    options: ExportOptions,
    counts: Sequence[StepCount],
    sections: Sequence[str],
) -> str:
    """README.md as the hub wants it: a head in YAML, and the text. Nothing in it tells when or where it was made.

    Args:
        sections: What the steps and the format have to say, in Markdown.
    """
    parts = [
        f"---\n{_head(written, options)}---",
        f"# {written.name}",
        f"{written.rows:,} {WHAT[written.kind]}, made by `skythought export` "
        f"(skythought {version('skythought')}) from {_plural(len(sources), 'run')}.",
        "## Where it comes from",
        *(_source(source) for source in sources),
        "## How it was chosen",
        _told(options),
        _table(counts),
        *(section.strip() for section in sections),
        "## Rights",
        _rights(sources, options),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _head(written: Written, options: ExportOptions) -> str:
    kind = written.files[0].rpartition(".")[2]
    head: dict[str, Any] = {"license": options.license} if options.license else {}
    head |= {
        "task_categories": ["text-generation"],
        "tags": ["skythought", "synthetic", "reasoning", written.kind],
        "size_categories": [next((name for most, name in SIZES if written.rows < most), "n>10M")],
        "configs": [{"config_name": "default", "data_files": [{"split": "train", "path": f"data/train-*.{kind}"}]}],
    }
    return yaml.safe_dump(head, sort_keys=False, allow_unicode=True)


def _source(source: Source) -> str:
    lines = [f"- {name}: {value}" for name, value in source.facts().items() if value not in (None, "", {}, [])]
    return f"### {source.name}\n\n" + "\n".join(lines)


def _table(counts: Sequence[StepCount]) -> str:
    rows = ["| step | kept | dropped |", "|---|---:|---|"]
    for count in counts:
        dropped = ", ".join(f"{number:,} {why}" for why, number in count.dropped.items())
        rows.append(f"| {_cell(count.name)} | {count.kept:,} | {_cell(dropped)} |")
    return "\n".join(rows)


def _cell(text: str) -> str:
    return " ".join(text.replace("|", "\\|").split())


def _rights(sources: Sequence[Source], options: ExportOptions) -> str:
    models = ", ".join(dict.fromkeys(f"`{source.model}`" for source in sources if source.model))
    datasets = ", ".join(dict.fromkeys(f"`{source.dataset}`" for source in sources if source.dataset))
    lines = [f"- license of this data: {options.license or 'not stated (`--license`)'}"]
    if datasets:
        lines.append(f"- problems are from {datasets}, under the terms given there")
    if models:
        lines.append(f"- responses are by {models}, under the terms of its license for what it writes")
    return "\n".join(lines)


def given_options(options: ExportOptions) -> dict[str, Any]:
    """What decides the rows, where it is not the default; of a file only its name, which is the same elsewhere."""
    fields = ExportOptions.__dataclass_fields__
    given = {
        name: value
        for name, value in asdict(options).items()
        if name not in NO_MATTER and value != fields[name].default
    }
    files = {name: Path(value).name for name, value in given.items() if isinstance(value, str) and is_file_name(value)}
    return given | files


def _told(options: ExportOptions) -> str:
    given = [f"`{name} = {json.dumps(value)}`" for name, value in given_options(options).items()]
    return f"Options: {', '.join(given)}." if given else "Options: none; everything is as it is by default."


def _plural(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
