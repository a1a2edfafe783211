"""A page for each bundled task, made from its YAML file and its scorer: nothing on it is written twice."""

from __future__ import annotations

import inspect
import json
import re
import sys
import tempfile
from pathlib import Path

from skythought.config import TaskConfig
from skythought.scorers.base import Scorer
from skythought.scorers.registry import scorer_of
from skythought.tasks.load import LIBRARY, load_task, task_file, task_names
from skythought.tasks.problems import problems
from skythought.tasks.report_by import reported
from skythought.types import Problem
from skythought.yamlfile import read_yaml

sys.path.append(str(Path(__file__).parents[2] / "tests" / "support"))
from check_rows import ROWS

__all__ = ["FIELDS", "field_of", "index_page", "task_page"]

FIELDS = {
    "math": ("Mathematics", "../mathematics.md"),
    "choice": ("Multiple choice", "../scoring.md#multiple-choice"),
    "code": ("Programs", "../code.md"),
    "instructions": ("Instructions", "../scoring.md#instruction-following"),
    "mixed": ("Answers of several kinds", "../scoring.md"),
}
"""What a scorer's tasks are about, and the page that tells how it scores."""
LICENCES = r"Apache-2\.0|CC BY(?:-[A-Z]+)* [\d.]+|MIT|ODC-By|no licence \w+"


def field_of(name: str) -> str:
    """The field that a task belongs to, a heading of the index."""
    return FIELDS[load_task(name).scorer_name][0]


def index_page() -> str:
    """All tasks by field, with rows, problems and licence."""
    parts = [
        "# Tasks",
        "`--task` takes one of these names, several of them, or [a file of your own](../tasks.md#your-own).",
    ]
    for field in dict.fromkeys(field for field, _ in FIELDS.values()):
        parts += [f"## {field}", "| task | what it is | rows of | problems | licence |\n|---|---|---|---|---|"]
        for name in [name for name in task_names() if field_of(name) == field]:
            task = load_task(name)
            size = f"{task.size:,}" if task.size else ""
            row = (f"[{name}]({name}.md)", task.description, dataset(task), size, licence(name))
            parts[-1] += "\n| " + " | ".join(row) + " |"
    return "\n\n".join(parts) + "\n"


def task_page(name: str) -> str:
    """What a task asks, of which rows, how it is sent and scored, and the command that runs it."""
    task = load_task(name)
    facts = {
        "rows": dataset(task),
        "source": task.source,
        "revision": revision(task),
        "filters": "; ".join([*task.filters, *(f"{key}: {value}" for key, value in task.preprocess_config.items())]),
        "problems": f"{task.size:,}" if task.size else "",
        "licence": licence(name),
        "parameters": ", ".join(f"{key}={json.dumps(value)}" for key, value in task.parameters.items()),
        "scorer": " ".join([task.scorer_name, *(f"{key}={value}" for key, value in task.scorer_args.items())]),
        "results by": ", ".join(reported(task)),
        "also called": ", ".join(task.aliases),
        "version": str(task.version),
    }
    return "\n\n".join(
        [
            f"# {name}",
            f"{task.description}.",
            fenced(f"skythought evaluate --task {name} --model MODEL", "sh"),
            "| | |\n|---|---|\n"
            + "\n".join(f"| {key} | {_cell(key, value)} |" for key, value in facts.items() if value),
            *_prompt(name, task),
            "## How answers are read",
            *_scoring(task),
            "## The task's file",
            *_file(name),
        ]
    )


def dataset(task: TaskConfig) -> str:
    """Where the rows are, as `load_dataset` is told."""
    subset = task.dataset_subset
    told = f"{len(subset)} configurations" if isinstance(subset, list) else subset
    path = Path(task.dataset_path).name if Path(task.dataset_path).is_absolute() else task.dataset_path
    if path in ("json", "parquet"):  # the kind of the files, whose addresses stand elsewhere
        path = task.source.removeprefix("https://").removeprefix("huggingface.co/datasets/")
    return ", ".join(part for part in (path, told, task.dataset_split) if part)


def revision(task: TaskConfig) -> str:
    """The pinned commit; where none is, that it is looked up and recorded."""
    if Path(task.dataset_path).is_absolute():
        return "the package's own"
    pinned = re.search(r"\b[0-9a-f]{40}\b", json.dumps(task.dataset_kwargs))
    return f"`{pinned[0]}`" if pinned else "not pinned: looked up when a run is made, and recorded"


def licence(name: str) -> str:
    """The dataset's licence, as the comment on the source says that opens the file, or the file that it is like."""
    for _, comment in _files(name):
        source = re.sub(r"\s+", " ", comment.partition("Source:")[2].partition("Traps:")[0])
        for part in re.findall(r"\(([^()]*)", source):
            if found := re.search(LICENCES, part):
                return found[0]
        if source:
            return "not known"
    return "not known"


def fenced(text: str, language: str = "text") -> str:
    """A block of code, whatever fences the text itself has."""
    longest = max((len(run) for run in re.findall("`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}{language}\n{text}\n{fence}"


def _cell(key: str, value: str) -> str:
    return (
        value
        if key in ("rows", "source", "revision", "problems", "licence", "version")
        else f"`{value}`".replace("|", "\\|")
    )


def _prompt(name: str, task: TaskConfig) -> list[str]:
    """The prompt of a made-up problem, and its right answer."""
    problem = _problem(name, task)
    scorer = scorer_of(task)
    right = scorer.gold(problem) if isinstance(scorer, Scorer) and task.scorer_name != "code" else None
    made = "a bundled problem" if name not in ROWS else "a problem of ours, in the dataset's columns"
    parts = ["## The prompt", f"As it is sent, for {made}:", fenced(problem.prompt)]
    if right is not None:
        parts += ["A response that is right:", fenced(right)]
    return parts


def _problem(name: str, task: TaskConfig) -> Problem:
    """The first problem: of the bundled rows, else of the made-up ones."""
    if name not in ROWS:
        return next(one for one in problems(task, 0, 1) if isinstance(one, Problem))
    with tempfile.TemporaryDirectory() as folder:
        rows = Path(folder) / "rows.jsonl"
        rows.write_text("".join(json.dumps(row) + "\n" for row in ROWS[name]), encoding="utf-8")
        given = load_task(name, {"dataset_path": str(rows)})
        return next(one for one in problems(given, 0, 1) if isinstance(one, Problem))


def _scoring(task: TaskConfig) -> list[str]:
    """What the scorer's own documentation says of it, and of the arguments that the task gives it."""
    doc = inspect.getdoc(type(scorer_of(task))) or ""
    text, _, arguments = doc.partition("\nArgs:\n")
    told = dict(re.findall(r"^    (\w+): (.*(?:\n        .*)*)", arguments, re.MULTILINE))
    given = [
        f"- `{key}={value}`: {' '.join(told[key].split())}" for key, value in task.scorer_args.items() if key in told
    ]
    return [
        text.partition("\n\n")[0],
        *(["\n".join(given)] if given else []),
        f"[More on how it scores]({FIELDS[task.scorer_name][1]}); "
        "[what the verdicts mean](../scoring.md#from-a-response-to-a-verdict).",
    ]


def _file(name: str) -> list[str]:
    """The YAML, and that of the task that it is like."""
    parts = []
    for path, _ in _files(name):
        if path.stem != name:
            parts.append(f"What it leaves out is as in [{path.stem}]({path.stem}.md).")
            break
        parts.append(fenced(path.read_text(encoding="utf-8").rstrip(), "yaml"))
    return parts


def _files(name: str) -> list[tuple[Path, str]]:
    """The task's file, then those that it is like, each with the comment that opens it."""
    found = []
    while name:
        path = task_file(name)
        lines = path.read_text(encoding="utf-8").splitlines()
        comment = "\n".join(line.lstrip("# ") for line in lines if line.startswith("#"))
        found.append((path, comment))
        values = read_yaml(path)
        name = values.get("like", "") if isinstance(values, dict) and path.parent == LIBRARY else ""
    return found
