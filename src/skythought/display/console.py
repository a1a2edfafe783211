"""The consoles of the command line: what comes from outside is shown with its control characters made visible."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment
from rich.text import Text

from skythought.printable import printable

__all__ = ["PlainConsole"]


class PlainConsole(Console):
    """A console that obeys no text: neither control characters nor rich's own markup in it have any effect."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**{"highlight": False, "markup": False, "emoji": False, **options})

    def render_str(self, text: str, **options: Any) -> Text:
        """A text as it stands; before rich drops some of the control characters without a word."""
        return super().render_str(printable(text), **options)

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        """The pieces that go out: rich's own controls (of the progress bar) as they are, all text made visible."""
        for text, style, control in super().render(renderable, options):
            yield Segment(text if control else printable(text), style, control)
