"""What is wrong in a task's YAML file, all of it, line by line, before any row is read."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from skythought.config import Declared, FewShot, TaskConfig, TaskFile
from skythought.errors import UserError, did_you_mean
from skythought.tasks.data.rows import rows
from skythought.tasks.formats.base import Format, find_format
from skythought.tasks.load import load_task, task_file
from skythought.tasks.templates import FAULTS, expression, template_faults, variables
from skythought.tasks.upstream.handlers import OLDER_KEYS, preprocess_filters
from skythought.types import MalformedRow
from skythought.yamlfile import parse_yaml

__all__ = ["Finding", "Source", "lint_file", "why_empty"]

READ_TO_EXPLAIN = 10_000
"""Rows that are read again to find out which filter lets none pass."""

Key = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong (or, as a warning, odd) with a task."""

    text: str
    file: str = ""
    line: int | None = None
    """The line in the task's file, from 1, where it is one line's fault."""
    warning: bool = False

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}" if self.line else self.file
        return f"{place}: {'warning' if self.warning else 'error'}: {self.text}"


@dataclass(frozen=True)
class Source:
    """A task's file, and where in it each key stands."""

    path: Path
    text: str
    nodes: Mapping[Key, yaml.Node]
    """The value of each key, by its place: `("few_shot", "answer")`, `("filters", 0)`."""
    twice: tuple[tuple[str, int], ...]
    """Keys that stand twice in one mapping, with the line of the second."""

    def line(self, *key: str | int) -> int | None:
        """The line of a key's value, or of the nearest key around it; if the file does not hold it, of its `like`."""
        for place in (*(key[:length] for length in range(len(key), 0, -1)), ("like",)):
            if place in self.nodes:
                return int(self.nodes[place].start_mark.line) + 1
        return None

    def line_within(self, key: Key, number: int) -> int | None:
        """The line in the file of line `number` (from 1) of the text that is the key's value."""
        line = self.line(*key)
        literal = key in self.nodes and getattr(self.nodes[key], "style", None) == "|"
        return line + number if line is not None and literal else line

    def mentioning(self, word: str) -> int | None:
        """The first line that holds a word, comments left out: where a column is used; without one, that of `like`."""
        pattern = re.compile(rf"(?<!\w){re.escape(word)}(?!\w)")
        for number, text in enumerate(self.text.splitlines(), 1):
            if pattern.search(text) and not text.lstrip().startswith("#"):
                return number
        return self.line()

    def finding(self, text: str, *key: str | int, warning: bool = False) -> Finding:
        """A finding at the key's line."""
        return Finding(text, self.path.name, self.line(*key), warning)


def _read_source(path: Path) -> Source:
    """A task's file with the places of its keys; without any if it is not YAML (`load_task` says what is wrong)."""
    try:
        text = path.read_text(encoding="utf-8")
        parse_yaml(text, str(path), repeated=True)  # refuses what holds itself or multiplies, before any walk
        root = yaml.compose(text, Loader=yaml.SafeLoader)
    except (UserError, yaml.YAMLError, UnicodeDecodeError, OSError):
        return Source(path, "", {}, ())
    found = list(_walk(root, ()))
    twice = tuple((str(place[-1]), key.start_mark.line + 1) for place, key, _, again in found if again)
    return Source(path, text, {place: value for place, _, value, _ in found}, twice)


def _walk(node: yaml.Node | None, place: Key) -> Iterator[tuple[Key, yaml.Node, yaml.Node, bool]]:
    """Each key below a node: its place, the key, its value, and whether its mapping had it already."""
    if isinstance(node, yaml.MappingNode):
        seen = set()
        for key, value in node.value:
            name = str(key.value)
            yield (*place, name), key, value, name in seen
            seen.add(name)
            yield from _walk(value, (*place, name))
    elif isinstance(node, yaml.SequenceNode):
        for number, value in enumerate(node.value):
            yield (*place, number), value, value, False
            yield from _walk(value, (*place, number))


def lint_file(
    name_or_path: str, overrides: Mapping[str, Any] | None = None
) -> tuple[Source, TaskConfig | None, list[Finding]]:
    """Read a task as `load_task` does, but tell all that is wrong in its file.

    Returns:
        The file, the task if it can be used, and what was found.

    Raises:
        UserError: There is no such task.
    """
    path = task_file(name_or_path)
    source = _read_source(path)
    found = [Finding(f"the key {key!r} is given twice.", path.name, line) for key, line in source.twice]
    unknown = list(_unknown_keys(source))
    found += unknown
    task = None
    try:
        task = load_task(name_or_path, overrides)
    except UserError as error:
        wrong = _wrong_values(source)
        found += wrong
        if not (unknown or wrong or source.twice):
            found.append(_placed(source, str(error)))
        lacking = [] if unknown else _lacking(source)
        found += [finding for finding in lacking if not any(finding.text in other.text for other in found)]
    return source, task, found


def why_empty(task: TaskConfig) -> str:
    """Why a task has no problems: no rows, or the filter that lets none pass."""
    format = find_format(task.format)
    filters = [*preprocess_filters(task.preprocess_config), *task.filters]
    passed: Counter[str] = Counter()
    read = 0
    for _, row in islice(rows(task, some=True), READ_TO_EXPLAIN):
        read += 1
        for text in filters:
            try:
                passed[text] += not isinstance(row, MalformedRow) and _passes(task, format, text, row)
            except FAULTS:
                continue
    if not read:
        return f"there are no rows in {task.dataset_path!r}."
    none = next((text for text in filters if not passed[text]), None)
    if none is None:
        return f"no row passes all filters, out of {read:,} that were read."
    return f"filter {none!r} is true for none of the {read:,} rows that were read."


def _passes(task: TaskConfig, format: Format, condition: str, row: Mapping[str, Any]) -> bool:
    return bool(expression(condition)(variables(task, format, format.plain(dict(row)))))


def _values(source: Source) -> dict[str, Any]:
    values = parse_yaml(source.text, str(source.path), repeated=True)
    return values if isinstance(values, dict) else {}


def _unknown_keys(source: Source) -> Iterator[Finding]:
    values = _values(source)
    blocks: list[tuple[Key, Any, type[Declared]]] = [((), values, TaskFile)]
    blocks.append((("few_shot",), values.get("few_shot"), FewShot))
    older = OLDER_KEYS if values.get("handler") else ()
    for place, block, model in blocks:
        for key in block if isinstance(block, dict) else ():
            if key not in model.model_fields and (place or key not in older):
                near = did_you_mean(str(key), model.model_fields)
                yield source.finding(f"unknown key {'.'.join([*map(str, place), str(key)])!r}.{near}", *place, str(key))


def _lacking(source: Source) -> list[Finding]:
    """What every task must have and this file does not, as far as it does not come from another file."""
    values = _values(source)
    if not values or values.keys() & {"like", "handler"}:
        return []
    needed = {
        "dataset_path": "no dataset_path. Name a dataset on the hub, or a file.",
        "prompt": "no prompt. Give `prompt`, or a `handler` of the reference's format.",
        "scorer": "no scorer. Give `scorer`, e.g. `scorer: math`.",
    }
    return [Finding(text, source.path.name, 1) for key, text in needed.items() if key not in values]


def _wrong_values(source: Source) -> list[Finding]:
    """All values of the wrong type, and all Jinja that does not parse, as far as the file's own keys go."""
    values = {key: value for key, value in _values(source).items() if key in TaskFile.model_fields}
    if not values:
        return []
    if "like" in values:
        values.setdefault("dataset_path", "")  # from there
    if isinstance(shots := values.get("few_shot"), dict):
        values["few_shot"] = {key: value for key, value in shots.items() if key in FewShot.model_fields}
    wrong: dict[Key, Finding] = {}
    try:
        task = TaskFile.model_validate(values)
    except ValidationError as error:
        for problem in error.errors(include_url=False):
            if problem["type"] != "missing":
                key = _place(problem["loc"])
                wrong[key] = _wrong_value(source, key, problem)
        faulty = {place[0] for place in wrong}
        rest = {"dataset_path": "", **{key: value for key, value in values.items() if key not in faulty}}
        try:
            task = TaskFile.model_validate(rest)
        except ValidationError:
            return list(wrong.values())
    return [
        *wrong.values(),
        *(
            Finding(str(fault), source.path.name, source.line_within(fault.key, fault.line))
            for fault in template_faults(task)
        ),
    ]


def _place(loc: tuple[int | str, ...]) -> Key:
    """Where a wrong value stands; a key that may be several things is named with the kind that was tried as well."""
    return tuple(part for part in loc if isinstance(part, int) or part in _NAMES or part == loc[0])


def _wrong_value(source: Source, key: Key, problem: Any) -> Finding:
    given = "" if problem["type"] == "missing" else f" (given: {problem['input']!r:.80})"
    return source.finding(f"{'.'.join(map(str, key))}: {problem['msg']}{given}.", *key)


_NAMES = {*TaskFile.model_fields, *FewShot.model_fields}


def _placed(source: Source, message: str) -> Finding:
    """What `load_task` says, at the line of the key that it names."""
    for prefix in (f"{source.path}: ", f"{source.path}, ", f"task {source.path.stem}: "):
        message = message.removeprefix(prefix)
    line = None
    if message.startswith("line ") and message[5:].partition(":")[0].isdecimal():
        number, _, message = message[5:].partition(": ")
        line = int(number)
    key = message.partition(":")[0].partition(",")[0].partition(" ")[0].partition("[")[0]
    return Finding(message, source.path.name, line or source.line(key) or source.line("handler") or 1)
