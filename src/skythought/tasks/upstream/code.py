"""The reference's task files that ask for programs: handlers `apps`, `taco` and `livecodebench`.

Each has several templates, chosen by what kind of program a row asks for. (The names of APPS' first two are swapped
there: `with_fn_name_template` is the one for rows without a function's name. The files are written accordingly.)
Its datasets came with loading scripts, which no longer run: the rows come from the same hub repositories' data files.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from skythought.errors import UserError

__all__ = ["CODE_HANDLERS", "completed", "located"]

Translate = Callable[[str, Mapping[str, str]], str]
"""From a `str.format` template and what its placeholders stand for to Jinja."""
SCRIPTED = {
    "codeparrot/apps": "apps",
    "BAAI/TACO": "taco",
    "livecodebench/code_generation_lite": "livecodebench",
}
"""Dataset with a loading script -> the task of ours that reads its files."""
STARTER = {"starter_code": "{{ starter_code }}"}


@dataclass(frozen=True)
class CodeHandler:
    """What a handler does: its templates' names, and how they make a prompt."""

    templates: tuple[str, ...]
    prompt: Callable[[Mapping[str, str], Translate, str], str]
    question: str


def _apps(templates: Mapping[str, str], translate: Translate, question: str) -> str:
    names = {"prompt": question}
    program, function = (translate(templates[f"{kind}_fn_name_template"], names) for kind in ("with", "without"))
    chosen = f"{{% if not fn_name %}}{program}{{% else %}}{function}{{% endif %}}"
    return translate(templates["with_starter_code_template"], {"input": chosen, **STARTER})


def _taco(templates: Mapping[str, str], translate: Translate, question: str) -> str:
    initial = translate(templates["initial_template"], {"prompt": question})
    with_starter = translate(templates["starter_code_template"], {"input": initial, **STARTER})
    start = f"{{% if starter_code %}}{with_starter}{{% else %}}{initial}{{% endif %}}"
    program, function = (translate(templates[f"{kind}_template"], {"input": start}) for kind in ("stdin", "call"))
    return f"{{% if not fn_name and not starter_code %}}{program}{{% else %}}{function}{{% endif %}}"


def _livecodebench(templates: Mapping[str, str], translate: Translate, question: str) -> str:
    names = {"prompt": question, **STARTER, "task_id": "{{ task_id }}", "difficulty": "{{ difficulty }}"}
    program, function = (translate(templates[f"{kind}_template"], names) for kind in ("stdin", "non_stdin"))
    return f"{{% if is_stdin %}}{program}{{% else %}}{function}{{% endif %}}"


CODE_HANDLERS = {
    "apps": CodeHandler(
        ("with_fn_name_template", "without_fn_name_template", "with_starter_code_template"), _apps, "{{ question }}"
    ),
    "taco": CodeHandler(
        ("initial_template", "starter_code_template", "stdin_template", "call_template"), _taco, "{{ question }}"
    ),
    "livecodebench": CodeHandler(
        ("stdin_template", "non_stdin_template"), _livecodebench, "{{ question_content | default(prompt) }}"
    ),
}


def located(values: Mapping[str, Any], library: Callable[[str], dict[str, Any]]) -> dict[str, Any]:
    """A file of the reference whose dataset needs a script, made to read the dataset's files.

    `library` gives the values of a task of ours, which knows where these are. Its other values are not touched.
    """
    task = SCRIPTED.get(str(values.get("dataset_path")))
    if task is None:
        return dict(values)
    ours = library(task)
    arguments = dict(values.get("dataset_kwargs") or {})
    arguments.pop("trust_remote_code", None)
    release = arguments.pop("version_tag", None)
    parameters = {**(ours.get("parameters") or {}), **(values.get("parameters") or {})}
    if release is not None:
        parameters["release"] = release
    moved = {
        **values,
        "dataset_path": ours["dataset_path"],
        "dataset_kwargs": {**ours["dataset_kwargs"], **arguments},
        "parameters": parameters,
        "dataset_subset": None,
    }
    subset = values.get("dataset_subset")
    if isinstance(subset, str) and subset.casefold() not in ("all", "default"):
        # What the scripts called a subset is a difficulty.
        moved["preprocess_config"] = {"difficulty": subset, **(values.get("preprocess_config") or {})}
    return moved


def completed(values: Mapping[str, Any], name: str, translate: Translate, ours: Mapping[str, Any]) -> dict[str, Any]:
    """What the handler implies beside the values: prompt, format, target, scorer.

    Args:
        ours: The values of our own task for the same dataset.

    Raises:
        UserError: A template is missing.
    """
    handler = CODE_HANDLERS[name]
    implied = {key: ours[key] for key in ("format", "target", "scorer", "unrecorded", "solution") if key in ours}
    implied["filters"] = ours.get("filters", []) if values.get("parameters") else []
    if not values.get("prompt"):
        templates = values.get("templating_parameters") or {}
        for template in handler.templates:
            if not isinstance(templates.get(template), str):
                raise UserError(f"templating_parameters: no `{template}`, which handler {name!r} needs.")
        implied["prompt"] = handler.prompt(templates, translate, handler.question)
    return implied
