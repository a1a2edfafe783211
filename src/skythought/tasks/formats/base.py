"""What a format is, and how one is found by its name."""

from __future__ import annotations

import abc
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, ClassVar

from skythought.catalog import find_part, is_file_name
from skythought.tasks.data.readers import Row

__all__ = ["Format", "Row", "find_format"]


class Format(abc.ABC):
    """Turns a dataset's rows into plain ones, before templates, filters and expressions see them.

    Derive from it and write `plain`. A format is made without arguments, once for each reading of a dataset.
    """

    functions: ClassVar[Mapping[str, Callable[..., Any]]] = {}
    """Functions that the task's templates, filters and `dataset_kwargs` can call, by name."""

    @abc.abstractmethod
    def plain(self, row: Row) -> Row:
        """The row with columns added or replaced; the one that is given is not changed.

        Raises:
            KeyError: The row lacks a column that cannot be done without; if all rows lack it, the user is told so.
            ValueError: The row cannot be used for another reason. It is left out, and the reason recorded.
        """


class _Unchanged(Format):
    """The format of rows that are plain already."""

    def plain(self, row: Row) -> Row:
        return row


def find_format(name: str | None) -> Format:
    """The format of this name, as `skythought.catalog.find_part` finds it; None: rows stay as they are.

    Raises:
        UserError: No such format, or its class is no `Format`.
    """
    if name is None:
        return _Unchanged()
    # A file may be changed while a format is being written; what is installed stays, and looking it up takes a while.
    return _found(name) if is_file_name(name) else _installed(name)


def _found(name: str) -> Format:
    return find_part("format", name, Format)()  # type: ignore[type-abstract]


_installed = cache(_found)
