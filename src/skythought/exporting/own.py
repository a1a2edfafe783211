"""A filter of one's own: a function in a file, which is told each example."""

from __future__ import annotations

from typing import Any

from skythought.catalog import from_file, is_file_name
from skythought.errors import UserError
from skythought.exporting.example import Example
from skythought.exporting.steps import Step

__all__ = ["Own"]


class Own(Step):
    """What a function keeps: it returns true; false, or a text that says why not, drops."""

    def __init__(self, name: str) -> None:
        """
        Args:
            name: `path/to/file.py:function`.

        Raises:
            UserError: There is no such function.
        """
        super().__init__()
        if not is_file_name(name):
            raise UserError(f"--filter: a function in a file is wanted, such as mine.py:keep, not {name!r}.")
        self._function: Any = from_file("filter", name, "function")
        if not callable(self._function):
            raise UserError(f"--filter {name!r} is no function.")
        self._given = name
        self.name = f"filter {name.rpartition(':')[2]}"

    def why_not(self, example: Example) -> str | None:
        """What the function says.

        Raises:
            UserError: It fails, or returns something else.
        """
        try:
            said = self._function(example)
        except Exception as error:
            why = f"{type(error).__name__}: {error}"
            raise UserError(f"--filter {self._given!r} failed at {example.id}: {why}.") from error
        if isinstance(said, str):
            return said or "not wanted"
        if not isinstance(said, bool):
            raise UserError(f"--filter {self._given!r}: true, false or a text is wanted, not {type(said).__name__}.")
        return None if said else "not wanted"
