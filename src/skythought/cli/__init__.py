"""The command line: options in, progress and tables out. The only room that prints."""

from skythought.cli.app import main

__all__ = ["main"]
