"""`skythought tasks` and `skythought models`: what there is."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table

from skythought.models.library import load_model, model_names
from skythought.tasks.load import load_task, task_names

__all__ = ["show_model", "show_models", "show_task", "show_tasks"]

console = Console(highlight=False)
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
    console.print("\nA path to a YAML file is a task too. `skythought tasks NAME` shows one.", markup=False)


def show_task(name: str) -> None:
    """One task: source, data, prompt, scoring."""
    task = load_task(name)
    console.print(f"{task.name}: {task.description}", markup=False)
    facts = {
        "source": task.source,
        "dataset": " ".join(str(part) for part in (task.dataset_path, task.dataset_subset, task.dataset_split) if part),
        "loaded with": task.dataset_kwargs,
        "filters": "; ".join([*task.filters, *(f"{k}={v}" for k, v in task.preprocess_config.items())]),
        "target": task.target,
        "choices": f"{task.choices}{SHUFFLED if task.shuffle_choices else ''}" if task.choices else None,
        "scorer": f"{task.scorer_name} {task.scorer_args or ''}".strip(),
        "version": task.version,
    }
    for label, value in facts.items():
        if value:
            console.print(f"  {label + ':':<13}{value}", markup=False, soft_wrap=True)
    console.print("  prompt (Jinja, over the row's columns):", markup=False)
    for line in (task.prompt or "").splitlines():
        console.print(f"    {line}", markup=False, soft_wrap=True)


def show_models() -> None:
    """One line a model."""
    table = Table(box=None, pad_edge=False)
    for heading in ("model", "system prompt", "user template", "prefill"):
        table.add_column(heading, overflow="ellipsis", no_wrap=True, max_width=48)
    for name in model_names():
        model = load_model(name)
        shown = (model.system_prompt, model.user_template, model.assistant_prefill)
        table.add_row(name, *(repr(text)[1:-1] if text else "" for text in shown))
    console.print(table)
    console.print("\nAny other hub id or path works too, without presets.", markup=False)


def show_model(name: str) -> None:
    """One model: how it is addressed."""
    model = load_model(name)
    known = "" if name in model_names() else "  (no preset: used as it is)"
    console.print(f"{name}{known}", markup=False)
    for label in ("system_prompt", "user_template", "assistant_prefill", "chat_template_kwargs", "path"):
        value = getattr(model, label)
        if value:
            console.print(f"  {label}: {value}", markup=False, soft_wrap=True)
