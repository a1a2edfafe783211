"""A task's Jinja: sandboxed, strict about what is undefined, and compiled once for all rows."""

from __future__ import annotations

import re
import string
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

from jinja2 import Template, TemplateError, TemplateSyntaxError, Undefined, UndefinedError

from skythought.config import TaskConfig
from skythought.errors import UserError
from skythought.jinja import SYNTAX_FAULTS, BoundedEnvironment, endless
from skythought.latex import last_box
from skythought.printable import shortened
from skythought.tasks.formats.base import Format

__all__ = [
    "FAULTS",
    "LETTERS",
    "TemplateFault",
    "expression",
    "missing_name",
    "rename",
    "rendered",
    "require_templates",
    "template",
    "template_faults",
    "variables",
]

LETTERS = string.ascii_uppercase
FAULTS = (TemplateError, TypeError, ValueError, KeyError, AttributeError, ArithmeticError, LookupError)
"""What a template or an expression may raise for a row that does not suit it."""
MISSING = re.compile(r"'([^']+)' is undefined|'dict object' has no attribute '(.+)'$")


def lettered(choices: Sequence[str], pattern: str) -> list[str]:
    """Each option with its letter in front: `["x", "y"] | lettered("(%s) %s")` is `["(A) x", "(B) y"]`."""
    return [pattern % (LETTERS[number], text) for number, text in enumerate(choices)]


@lru_cache(maxsize=1)
def environment() -> BoundedEnvironment:
    """The one environment of all tasks: Jinja's own filters, `boxed` and `lettered`."""
    env = BoundedEnvironment()
    env.filters.update(boxed=last_box, lettered=lettered)
    env.bound()
    return env


@lru_cache(maxsize=256)
def template(source: str) -> Template:
    """A compiled prompt template."""
    return environment().from_string(source)


@lru_cache(maxsize=256)
def expression(source: str) -> Callable[[Mapping[str, Any]], Any]:
    """A compiled expression: takes the variables, returns the value.

    The returned function raises `UndefinedError` when the value is undefined or holds what is, and whatever the
    expression raises.
    """
    compiled = environment().compile_expression(source, undefined_to_none=False)

    def evaluate(variables: Mapping[str, Any]) -> Any:
        environment().begin()
        try:
            value = compiled(variables)
            _require_defined(value)
        except (RecursionError, MemoryError) as error:
            raise endless(error) from None
        return value

    return evaluate


def _require_defined(value: Any) -> None:
    """Jinja puts what is undefined into a list or dictionary without a word; only its use would raise, elsewhere."""
    if isinstance(value, Undefined):
        bool(value)  # a strict undefined raises here, naming what is missing
    elif isinstance(value, (dict, list)):
        for item in value.values() if isinstance(value, dict) else value:
            _require_defined(item)


def rendered(value: Any, variables: Mapping[str, Any]) -> Any:
    """`value` with every text in it that holds `{{` rendered, at any depth.

    A text that is nothing but one `{{ expression }}` becomes what the expression gives, a list for instance.
    """
    if isinstance(value, Mapping):
        return {name: rendered(item, variables) for name, item in value.items()}
    if isinstance(value, list):
        return [rendered(item, variables) for item in value]
    if not isinstance(value, str) or "{{" not in value:
        return value
    stripped = value.strip()
    inner = stripped.removeprefix("{{").removesuffix("}}")
    if len(stripped) - len(inner) == 4 and "{{" not in inner and "}}" not in inner:
        return expression(inner)(variables)
    return template(value).render(variables)


def variables(task: TaskConfig, format: Format, row: Mapping[str, Any]) -> dict[str, Any]:
    """What templates see: a row's columns by name and as `row`, the task's parameters, the format's functions."""
    return {**format.functions, **row, **task.parameters, "row": row}


class TemplateFault(NamedTuple):
    """Jinja that does not parse."""

    key: tuple[str | int, ...]
    """Where it stands in the task: `("filters", 0)`."""
    line: int
    """The line in the text, from 1."""
    message: str
    source: str

    def __str__(self) -> str:
        place = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in self.key).removeprefix(".")
        return f"{place}, line {self.line}: {self.message} (in {self.source!r})."


def require_templates(task: TaskConfig, where: str) -> None:
    """Refuse Jinja that does not parse, naming the key and the line."""
    for fault in template_faults(task):
        raise UserError(f"{where}: {fault}")


def template_faults(task: TaskConfig) -> Iterator[TemplateFault]:
    """All Jinja of a task that does not parse."""
    expressions: dict[tuple[str | int, ...], str | None] = {
        ("target",): task.target,
        ("choices",): task.choices,
        ("solution",): task.solution,
        **{("filters", number): text for number, text in enumerate(task.filters)},
    }
    templates: dict[tuple[str | int, ...], str | None] = {("prompt",): task.prompt}
    if shots := task.few_shot:
        expressions["few_shot", "match"] = shots.match
        expressions |= {("few_shot", "filters", number): text for number, text in enumerate(shots.filters)}
        templates["few_shot", "answer"] = shots.answer
    for compiler, sources in ((expression, expressions), (template, templates)):
        for key, source in sources.items():
            try:
                compiler(source) if source is not None else None
            except TemplateSyntaxError as error:
                yield TemplateFault(key, error.lineno, error.message or "", source or "")
            except SYNTAX_FAULTS as error:  # nested too deep for Jinja, or for the Python that it is made into
                yield TemplateFault(key, 1, f"cannot be read: {error}", shortened(source or "", 200))


def missing_name(error: UndefinedError) -> str | None:
    """The column (or key) that was looked for and not found; None if what is missing is no such thing."""
    match = MISSING.search(str(error))
    return (match.group(1) or match.group(2)) if match else None


def rename(source: str, old: str, new: str, *, is_template: bool) -> str:
    """`source` with every variable `old` (or `row['old']`) replaced by `row['new']`."""
    wrapped = source if is_template else "{{" + source + "}}"
    result, before = [], ""
    for _, kind, value in environment().lex(wrapped):
        if kind == "name" and value == old and before not in (".", "|"):
            value = f"row[{new!r}]"
        elif kind == "string" and value[1:-1] == old and before == "[":
            value = repr(new)
        result.append(value)
        before = value if kind != "whitespace" else before
    text = "".join(result)
    return text if is_template else text.removeprefix("{{").removesuffix("}}")
