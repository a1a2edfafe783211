"""YAML that people write down, read as JSON values: nothing that multiplies, runs or cannot be recorded."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from skythought.errors import UserError
from skythought.printable import shortened
from skythought.redaction import is_secretive

__all__ = ["Document", "parse_yaml", "read_document", "read_yaml"]

MOST_BYTES = 16 << 20
MOST_NODES = 200_000
"""Of a document, aliases counted as what they stand for: a few lines of them can stand for gigabytes."""


class _PlainLoader(yaml.SafeLoader):
    """PyYAML's safe loader for JSON values: keys are text, dates stay as they are written."""

    repeated = False
    """Whether a key may be given twice."""


class Document(NamedTuple):
    """The value of a file, and where its parts stand."""

    value: Any
    lines: Mapping[tuple[str | int, ...], int]
    """Keys and numbers of items that lead to a part -> the line of its key (of an item: of its beginning), from 1."""


Fill = Callable[[re.Match[str], tuple[str | int, ...], int], str]
"""What a variable stands for, given how it is written, the keys that lead to the value it is in, and the line."""


def read_yaml(path: Path) -> Any:
    """The content of a file.

    Raises:
        UserError: It cannot be read, or is no YAML of JSON values; file, line and column are named.
    """
    return parse_yaml(_text_of(path), str(path))


def read_document(path: Path, variable: re.Pattern[str], fill: Fill) -> Document:
    """The content of a file with the lines of its parts, and with variables in its values.

    What comes of a variable is read as if it stood there: a number may come of it, but in quotes or as a secret a text.

    Args:
        path: The file.
        variable: How variables are written. They may hold characters that mean something in YAML, as `${NAME}` does.
        fill: What they stand for.

    Raises:
        UserError: As for `read_yaml`, and what `fill` raises.
    """
    filling = _Filling(variable, fill)
    value = parse_yaml(filling.masked(_text_of(path)), str(path), prepared=filling.on)
    return Document(value, filling.lines)


class _Filling:
    """Fills the scalars of parsed nodes in place, and notes the lines of all parts."""

    def __init__(self, variable: re.Pattern[str], fill: Fill) -> None:
        self.lines: dict[tuple[str | int, ...], int] = {}
        self._variable = variable
        self._fill = fill
        self._found: list[re.Match[str]] = []
        self._filled: set[int] = set()

    def masked(self, text: str) -> str:
        """The text with each variable as characters that mean nothing in YAML."""

        def mask(found: re.Match[str]) -> str:
            self._found.append(found)
            return _MASK.format(len(self._found) - 1)

        return self._variable.sub(mask, text)

    def on(self, loader: _PlainLoader, node: yaml.Node, at: tuple[str | int, ...] = ()) -> None:
        """Fill a node, which stands at `at`; one that aliases refer to only once."""
        self.lines.setdefault(at, node.start_mark.line + 1)
        if isinstance(node, yaml.ScalarNode):
            if id(node) not in self._filled:
                self._filled.add(id(node))
                self._scalar(loader, node, at)
        elif isinstance(node, yaml.SequenceNode):
            for number, part in enumerate(node.value):
                self.on(loader, part, (*at, number))
        else:
            for key, part in node.value:
                if isinstance(key, yaml.ScalarNode):  # a key is what it says
                    key.value = _MASKED.sub(lambda found: self._found[int(found[1])][0], key.value)
                place = (*at, str(key.value))
                self.lines.setdefault(place, key.start_mark.line + 1)
                self.on(loader, part, place)

    def _scalar(self, loader: _PlainLoader, node: yaml.ScalarNode, at: tuple[str | int, ...]) -> None:
        line = node.start_mark.line + 1
        text = _MASKED.sub(lambda found: self._fill(self._found[int(found[1])], at, line), node.value)
        if text == node.value:
            return
        node.value = text
        if node.style is None and not any(is_secretive(str(part)) for part in at):
            node.tag = loader.resolve(yaml.ScalarNode, text, (True, False))  # type: ignore[no-untyped-call]


_MASK = "\ue000{}\ue001"
"""Characters that no writing uses, around a variable's number."""
_MASKED = re.compile("\ue000([0-9]+)\ue001")


def _text_of(path: Path) -> str:
    try:
        with path.open("rb") as file:
            data = file.read(MOST_BYTES + 1)
        if len(data) > MOST_BYTES:
            raise UserError(f"{path}: cannot be read: over {MOST_BYTES >> 20} MiB is no file that people write.")
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise UserError(f"{path}, line {line}: cannot be read: not UTF-8 ({error.reason}).") from None
    except OSError as error:
        raise UserError(f"{path}: cannot be read: {error.strerror or error}.") from None


def parse_yaml(
    text: str,
    where: str,
    *,
    repeated: bool = False,
    prepared: Callable[[_PlainLoader, yaml.Node], None] | None = None,
) -> Any:
    """The value that a text holds; None of an empty one.

    Args:
        text: The YAML.
        where: What an error begins with.
        repeated: Take the last of a key that is given twice, for who tells of that in his own way.
        prepared: Called with the parsed nodes before values are made of them.

    Raises:
        UserError: As for `read_yaml`. `where` is what the message begins with.
    """
    loader = None
    try:
        loader = _PlainLoader(text)
        loader.repeated = repeated
        node = loader.get_single_node()
        if node is None:
            return None
        _weigh(node, {})
        if prepared is not None:
            prepared(loader, node)
        return loader.construct_document(node)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line, column = (f", line {mark.line + 1}", f" at column {mark.column + 1}") if mark else ("", "")
        raise UserError(f"{where}{line}: not valid YAML{column}: {shortened(error.problem or '', 300)}.") from None
    except yaml.reader.ReaderError as error:
        before = text[: error.position] if isinstance(error.position, int) else ""
        raise UserError(
            f"{where}, line {before.count(chr(10)) + 1}: not valid YAML: the character {error.character!r} is not "
            "allowed in it."
        ) from None
    except RecursionError:
        raise UserError(f"{where}: not valid YAML: it is nested too deep.") from None
    except (yaml.YAMLError, ValueError, OverflowError) as error:  # an integer of thousands of digits
        raise UserError(f"{where}: not valid YAML: {shortened(str(error), 300)}.") from None
    finally:
        if loader is not None:
            loader.dispose()


def _weigh(node: yaml.Node, known: dict[int, int | None]) -> int:
    """How many nodes a node stands for. Raises where that is too many, or where it holds itself."""
    if isinstance(node, yaml.ScalarNode):
        return 1
    if id(node) in known:
        weight = known[id(node)]
        if weight is None:
            raise _fault(node, "it holds itself: an alias (*) within its own anchor (&)")
        return weight
    known[id(node)] = None
    parts = node.value if isinstance(node, yaml.SequenceNode) else [part for pair in node.value for part in pair]
    weight = 1 + sum(_weigh(part, known) for part in parts)
    if weight > MOST_NODES:
        raise _fault(node, f"it stands for more than {MOST_NODES:,} values, aliases counted as what they stand for")
    known[id(node)] = weight
    return weight


def _fault(node: yaml.Node, why: str) -> yaml.MarkedYAMLError:
    return yaml.constructor.ConstructorError(None, None, why, node.start_mark)


def _text(loader: _PlainLoader, node: yaml.ScalarNode) -> str:
    text = str(loader.construct_scalar(node))
    if any(char == "\0" or "\ud800" <= char <= "\udfff" for char in text):
        raise _fault(node, "a text holds a NUL or half a character (a surrogate)")
    return text


def _number(loader: _PlainLoader, node: yaml.ScalarNode) -> float:
    value = float(loader.construct_yaml_float(node))
    if not math.isfinite(value):
        raise _fault(node, f"{node.value} is no number that can be recorded")
    return value


def _integer(loader: _PlainLoader, node: yaml.ScalarNode) -> int:
    if len(node.value) > 300:
        raise _fault(node, f"an integer of {len(node.value):,} digits")
    return int(loader.construct_yaml_int(node))


def _mapping(loader: _PlainLoader, node: yaml.MappingNode) -> dict[str, Any]:
    given: dict[str, yaml.Node] = {}
    merged: dict[str, yaml.Node] = {}
    for key, value in node.value:
        if key.tag == "tag:yaml.org,2002:merge":
            for part in value.value if isinstance(value, yaml.SequenceNode) else [value]:
                if not isinstance(part, yaml.MappingNode):
                    raise _fault(part, "`<<` takes a mapping, or a list of them")
                loader.flatten_mapping(part)
                merged = {**{str(name.value): item for name, item in part.value}, **merged}
            continue
        name = _key(loader, key)
        if name in given and not loader.repeated:
            raise _fault(key, f"the key {name!r} is given twice")
        given[name] = value
    return {name: loader.construct_object(value, deep=True) for name, value in {**merged, **given}.items()}


def _key(loader: _PlainLoader, node: yaml.Node) -> Any:
    if not isinstance(node, yaml.ScalarNode) or node.tag == "tag:yaml.org,2002:null":
        raise _fault(node, "a key must be a text")
    if node.tag == "tag:yaml.org,2002:timestamp":
        raise _fault(node, f"a key must be a text, not a date: write {node.value!r} in quotes")
    key = loader.construct_object(node)
    if isinstance(key, float):
        raise _fault(node, f"a key must be a text, not a number: write {node.value!r} in quotes")
    return key  # whole numbers and booleans stay: what takes them names them where it must


def _sequence(loader: _PlainLoader, node: yaml.SequenceNode) -> list[Any]:
    return [loader.construct_object(part, deep=True) for part in node.value]


def _unknown(loader: _PlainLoader, node: yaml.Node) -> Any:
    raise _fault(node, f"the tag {node.tag.replace('tag:yaml.org,2002:', '!!')} is not understood here")


for _kind, _constructor in {
    "map": _mapping,
    "seq": _sequence,
    "str": _text,
    "timestamp": _text,
    "float": _number,
    "int": _integer,
    **dict.fromkeys(("binary", "set", "omap", "pairs"), _unknown),
}.items():
    _PlainLoader.add_constructor(f"tag:yaml.org,2002:{_kind}", _constructor)  # type: ignore[arg-type]
_PlainLoader.add_constructor(None, _unknown)
