"""`skythought tasks` and `skythought models`: what there is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.table import Table

from skythought.display.console import PlainConsole
from skythought.errors import nearest
from skythought.models.files import LIBRARY
from skythought.models.library import load_model, model_names
from skythought.models.presets import catalogue
from skythought.tasks.load import load_task, task_names
from skythought.tasks.report_by import reported

__all__ = ["show_model", "show_models", "show_task", "show_tasks"]

console = PlainConsole()
SHUFFLED = "  (in an order drawn from a hash of the question)"


def show_tasks() -> None:
    """One line a task."""
    table = Table(box=None, pad_edge=False)
    for heading in ("task", "scorer", "what it is"):
        table.add_column(heading)
    for name in task_names():
        task = load_task(name)
        also = f" (also: {', '.join(task.aliases)})" if task.aliases else ""
        table.add_row(name, task.scorer_name, task.description + also)
    console.print(table)
    console.print("\nA path to a YAML file is a task too. `skythought tasks NAME` shows one.")


def show_task(name: str) -> None:
    """One task: source, data, prompt, scoring."""
    task = load_task(name)
    console.print(f"{task.name}: {task.description}")
    facts = {
        "source": task.source,
        "dataset": " ".join(str(part) for part in (task.dataset_path, task.dataset_subset, task.dataset_split) if part),
        "loaded with": task.dataset_kwargs,
        "parameters": ", ".join(f"{key}={value!r}" for key, value in task.parameters.items()),
        "filters": "; ".join([*task.filters, *(f"{k}={v}" for k, v in task.preprocess_config.items())]),
        "target": task.target,
        "choices": f"{task.choices}{SHUFFLED if task.shuffle_choices else ''}" if task.choices else None,
        "few-shot": f"{task.few_shot.count} examples" if task.few_shot else None,
        "problems": task.size,
        "reported by": ", ".join(reported(task)),
        "scorer": f"{task.scorer_name} {task.scorer_args or ''}".strip(),
        "version": task.version,
    }
    for label, value in facts.items():
        if value:
            console.print(f"  {label + ':':<13}{value}", soft_wrap=True)
    console.print("  prompt (Jinja, over the row's columns):")
    for line in (task.prompt or "").splitlines():
        console.print(f"    {line}", soft_wrap=True)


def show_models(model_config: str | None) -> None:
    """One line a model."""
    table = Table(box=None, pad_edge=False)
    names = model_names(model_config)
    table.add_column("model", no_wrap=True, min_width=max(map(len, names)))
    for heading in ("sampling", "system prompt", "user template, prefill"):
        table.add_column(heading, overflow="ellipsis", no_wrap=True, max_width=48)
    for name in names:
        model = load_model(name, model_config=model_config)
        around = ", ".join(repr(text)[1:-1] for text in (model.user_template, model.assistant_prefill) if text)
        table.add_row(name, _told(model.sampling_params), repr(model.system_prompt or "")[1:-1], around)
    if not console.is_terminal:
        # A pipe has no edge: no column is squeezed there.
        whole = console.measure(table, options=console.options.update(max_width=1_000)).maximum
        console.width = max(console.width, whole)
    console.print(table)
    console.print("\nAny other hub id or path works too, without presets. docs/models.md: presets of your own.")


def show_model(name: str, model_config: str | None) -> None:
    """One model: how it is addressed."""
    model, presets = load_model(name, model_config=model_config), catalogue(model_config)
    file = presets.files.get(name)
    home = "the library" if file == LIBRARY else file
    near = nearest(name, presets.models)
    hint = f"; one with a similar name: {near}" if near else ""
    known = f"  (preset of {home})" if file else f"  (no preset: used as it is{hint})"
    console.print(f"{name}{known}", soft_wrap=True)
    preset = presets.models.get(name)
    facts = {
        "model": model.model_id if model.model_id != name else None,
        "source": preset.source if preset else None,
        "system_prompt": model.system_prompt,
        "user_template": model.user_template,
        "assistant_prefill": model.assistant_prefill,
        "thinking_tags": model.thinking_tags,
        "chat_template_kwargs": model.chat_template_kwargs,
        "sampling_params": _told(model.sampling_params),
        "price": _told(model.price.model_dump()) if model.price else None,
        "without thinking": _told(preset.sampling_params_without_thinking) if preset else None,
        "path": model.path,
    }
    for label, value in facts.items():
        if value:
            console.print(f"  {label}: {value}", soft_wrap=True)


def _told(params: Mapping[str, Any]) -> str:
    return ", ".join(
        f"{key}={value:g}" if isinstance(value, float) else f"{key}={value}" for key, value in params.items()
    )
