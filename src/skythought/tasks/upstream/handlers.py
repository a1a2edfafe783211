"""The reference's own task files, and its filters: `handler`, `templating_parameters`, `preprocess_config`.

A file of that format names a handler (a class there) and a `str.format` template. What each handler does to a row is
written down here as templates and expressions of ours, so that such a file becomes an ordinary task and renders the
same prompts.
"""

from __future__ import annotations

import string
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from skythought.errors import UserError, unknown
from skythought.tasks.upstream import code
from skythought.tasks.upstream.code import CODE_HANDLERS, located
from skythought.tasks.upstream.older import OLDER_KEYS, chosen_template, renewed

__all__ = ["OLDER_KEYS", "completed", "located", "preprocess_filters", "renewed"]

NUMINA = "AI-MO/NuminaMath-CoT"
NUMINA_WITH_DIFFICULTY = "NovaSky-AI/labeled_numina_difficulty_859K"
"""The same rows with the difficulty that a model judged, in the column `gpt_difficulty_parsed`."""
DIFFICULTY = "gpt_difficulty_parsed"
OPTIONS = 'Answer Choices: {{ choices | lettered("(%s) %s") | join(" ") }}'


@dataclass(frozen=True)
class Handler:
    """What a handler of the reference does: QUESTION and ANSWER stand for the columns that the file names."""

    target: str = "ANSWER"
    scorer: str | dict[str, dict[str, Any]] = "math"
    names: Mapping[str, str] = field(default_factory=dict)
    """Placeholders of the template that are not columns -> Jinja source."""
    columns: bool = True
    """True if the template may use any column by name."""
    choices: str | None = None
    shuffle_choices: bool = False
    filters: tuple[str, ...] = ()
    question_key: str = "problem"
    answer_key: str = "answer"
    """The columns where the file names none."""


BOXED = r"ANSWER | boxed"
HANDLERS: dict[str, Handler] = {
    "math": Handler(),
    "aime": Handler(names={"prompt": "{{ QUESTION }}"}, columns=False, scorer={"math": {"kind": "integer"}}),
    "amc23": Handler(filters=("'2023' in url",)),
    "gsm8k": Handler(
        target="(ANSWER.split('####')[1] | replace(',', '')).strip()",
        scorer={"math": {"kind": "number"}},
        question_key="question",
    ),
    "minervamath": Handler(target=BOXED),
    "numina": Handler(
        target=BOXED,
        names={"prompt": "{{ problem }}"},
        columns=False,
        filters=("solution | default('', true) | boxed",),
        answer_key="solution",
    ),
    "olympiadbench_math": Handler(),
    "omni_math": Handler(),
    "liveaops": Handler(),
    "gpqa_diamond": Handler(
        target="0",
        scorer="choice",
        names={"prompt": '{{ Question }}\n{{ choices | lettered("%s) %s") | join(", ") }}'},
        columns=False,
        choices="[row['Correct Answer'], row['Incorrect Answer 1'], row['Incorrect Answer 2'], "
        "row['Incorrect Answer 3']]",
        shuffle_choices=True,
    ),
    "mmlu": Handler(
        scorer="choice",
        names={"prompt": "{{ question }}\n" + OPTIONS},
        columns=False,
        choices="choices",
        question_key="question",
    ),
    "mmlu_pro": Handler(
        target="answer_index",
        scorer="choice",
        names={"prompt": "{{ question }}\n" + OPTIONS},
        columns=False,
        choices="options",
        question_key="question",
    ),
    "arc_c": Handler(
        target="choices.label.index(ANSWER)",
        scorer="choice",
        names={"choices_text": '{{ choices | lettered("%s.%s") | join("\\n") }}'},
        choices="choices.text",
        question_key="question",
        answer_key="answerKey",
    ),
}


def completed(
    values: Mapping[str, Any], where: str, library: Callable[[str], dict[str, Any]] | None = None
) -> dict[str, Any]:
    """A task's values with what its handler implies filled in; values that are given stay.

    Args:
        library: Gives the values of a task of ours by name; handlers that ask for programs need it.

    Raises:
        UserError: The handler is not known, or a template is missing or cannot be translated.
    """
    filled = dict(values)
    handler_name = filled.get("handler")
    incomplete = not (filled.get("prompt") and filled.get("scorer"))
    if handler_name in CODE_HANDLERS and incomplete and library is not None:
        implied = _code(filled, str(handler_name), where, library(str(handler_name)))
        filled = {**implied, **{name: value for name, value in filled.items() if value is not None}}
    elif handler_name and incomplete:
        handler = _handler(str(handler_name), where)
        filled["question_key"] = filled.get("question_key") or handler.question_key
        filled["answer_key"] = filled.get("answer_key") or handler.answer_key
        template = chosen_template(filled, where)
        if not filled.get("prompt") and not isinstance(template, str):
            raise UserError(f"{where}: templating_parameters: no `template`, which handler {handler_name!r} needs.")
        defaults: dict[str, Any] = {
            "scorer": handler.scorer,
            "target": _named(_target(handler, str(handler_name), filled), filled),
            "shuffle_choices": handler.shuffle_choices,
            "filters": list(handler.filters),
        }
        if handler.choices:
            defaults["choices"] = handler.choices
        if not filled.get("prompt"):
            defaults["prompt"] = _named(_jinja(template, handler, where), filled)
        filled = {**defaults, **{name: value for name, value in filled.items() if value is not None}}
    return _with_difficulty(filled)


def preprocess_filters(config: Mapping[str, Any]) -> list[str]:
    """The reference's row filters as expressions.

    `url` must be contained; `filter_difficulty` with its two bounds is about Numina's judged difficulty (the bounds
    alone do nothing, as there); every other key is a column that must be equal.
    """
    filters = []
    bounds = {"math_difficulty_lower_bound": ">=", "math_difficulty_upper_bound": "<="}
    for key, value in config.items():
        if key == "url":
            filters.append(f"{str(value)!r} in (url or '')")
        elif key not in ("filter_difficulty", *bounds):
            filters.append(f"row[{key!r}] == {value!r}")
    if config.get("filter_difficulty"):
        filters.append(f"{DIFFICULTY} is number")
        filters += [f"{DIFFICULTY} {sign} {config[name]!r}" for name, sign in bounds.items() if name in config]
    return filters


def _code(values: Mapping[str, Any], name: str, where: str, ours: Mapping[str, Any]) -> dict[str, Any]:
    def translate(text: str, names: Mapping[str, str]) -> str:
        return _jinja(text, Handler(names=names, columns=False), where)

    try:
        return code.completed(values, name, translate, ours)
    except UserError as error:
        raise UserError(f"{where}: {str(error).removeprefix(f'{where}: ')}") from None


def _handler(name: str, where: str) -> Handler:
    if name not in HANDLERS:
        raise unknown(f"handler in {where}", name, [*HANDLERS, *CODE_HANDLERS])
    return HANDLERS[name]


def _target(handler: Handler, name: str, values: Mapping[str, Any]) -> str:
    # A `math` file may name the worked solution as its answer (Minerva's does): what counts is the box in it.
    return BOXED if name == "math" and values.get("answer_key") == "solution" else handler.target


def _named(source: str, values: Mapping[str, Any]) -> str:
    """`source` with the columns that the file names."""
    for word, key in (("QUESTION", "question_key"), ("ANSWER", "answer_key")):
        source = source.replace(word, _variable(str(values.get(key) or "")))
    return source


def _variable(column: str) -> str:
    return column if column.isidentifier() else f"row[{column!r}]"


def _jinja(text: str, handler: Handler, where: str) -> str:
    """A `str.format` template as Jinja that renders the same text."""
    try:
        parsed = list(string.Formatter().parse(text))
    except ValueError as error:
        raise UserError(f"{where}: templating_parameters.template: {error}.") from None
    pieces, literal = [], ""
    for before, name, spec, conversion in parsed:
        literal += before
        if name is None:
            continue
        if spec or conversion or not name or set(name) & set(".["):
            raise UserError(
                f"{where}: templating_parameters.template: only plain {{column}} can be used, not {name!r}."
            )
        if name not in handler.names and not handler.columns:
            raise unknown(f"placeholder in {where}: templating_parameters.template", name, handler.names)
        pieces += [_literal(literal), handler.names.get(name, f"{{{{ {_variable(name)} }}}}")]
        literal = ""
    return "".join([*pieces, _literal(literal)])


def _literal(text: str) -> str:
    """`text` so that Jinja renders it as it is: no braces of its own, no line end that it would drop."""
    risky = any(mark in text for mark in ("{{", "{%", "{#", "\r")) or text.endswith(("{", "\n"))
    return f"{{{{ {text!a} }}}}" if risky and text else text


def _with_difficulty(values: dict[str, Any]) -> dict[str, Any]:
    """Numina filtered by difficulty reads the one dataset that holds rows and difficulties."""
    wanted = (values.get("preprocess_config") or {}).get("filter_difficulty")
    if not wanted or values.get("dataset_path") != NUMINA:
        return values
    arguments = dict(values.get("dataset_kwargs") or {})
    arguments.pop("revision", None)  # it is the other dataset's
    if "columns" in arguments:
        arguments["columns"] = [*arguments["columns"], DIFFICULTY]
    return {**values, "dataset_path": NUMINA_WITH_DIFFICULTY, "dataset_subset": None, "dataset_kwargs": arguments}
