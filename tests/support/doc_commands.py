"""The commands that the documentation shows, wherever they stand in it."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from places import ROOT

__all__ = ["PAGES", "ShownCommand", "blocks", "files", "listed_commands", "run_script", "shown_commands"]

PAGES = [*sorted((ROOT / "docs").glob("*.md")), *sorted(ROOT.glob("*.md")), ROOT / "training" / "tiny" / "README.md"]
COMMAND = re.compile(r"(?:\$ |srun (?:-\S+ )*|[A-Z_]+=\S+ )*skythought (?P<rest>\S.*)")
LISTED = re.compile(r"skythought (?P<words>[a-z]+(?: [a-z]+)*)[^#]*\s{2,}(?!#)\S")
"""A line that explains a command: its words, blanks, and what it does."""
FENCED = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
NAMED = re.compile(r"(?P<indent> *)# (?:[~/.\w-]*/)?(?P<name>[\w.-]+\.(?:yaml|py|jsonl|sh))(?:\s|$)")
"""The first line of a file that a page shows."""


@dataclass(frozen=True)
class ShownCommand:
    """A command of `skythought` as a page shows it: one of a block's lines, continued lines joined."""

    page: str
    line: int
    text: str

    def __str__(self) -> str:
        return f"{self.page}:{self.line}"

    @property
    def words(self) -> list[str]:
        """What follows `skythought`, without comments, what it is sent to, and `...` for what is left out."""
        lexer = shlex.shlex(self.text, posix=True, punctuation_chars="|>&;")
        lexer.whitespace_split = True
        words: list[str] = []
        for word in lexer:
            if re.fullmatch(r"[|>&;]+", word):
                break
            words.append(word)
        return [word for word in words if word != "..."]

    @property
    def is_shortened(self) -> bool:
        """Whether `...` stands for options that the reader adds."""
        return " ..." in self.text


def shown_commands() -> list[ShownCommand]:
    """Every command in a block of code, on any page."""
    return [command for page in PAGES for command in _of(str(page.relative_to(ROOT)), page.read_text(encoding="utf-8"))]


def _of(page: str, text: str) -> Iterator[ShownCommand]:
    lines = text.splitlines()
    fenced = False
    for number, line in enumerate(lines):
        fenced ^= line.lstrip().startswith("```")
        found = COMMAND.fullmatch(line.strip())
        if found and (fenced or line.startswith("    ")) and not LISTED.match(line.strip()):
            yield ShownCommand(page, number + 1, _continued(found["rest"], lines[number + 1 :]))


def _continued(first: str, rest: list[str]) -> str:
    for line in rest:
        if not first.endswith("\\"):
            break
        first = f"{first[:-1].rstrip()} {line.strip()}"
    return first


def listed_commands() -> list[str]:
    """The commands that docs/cli.md begins with, by their words."""
    lines = (ROOT / "docs" / "cli.md").read_text(encoding="utf-8").splitlines()
    return [found["words"] for line in lines if (found := LISTED.match(line.strip()))]


def files(page: str) -> dict[str, str]:
    """The files that a page shows: blocks that begin with a comment of their name, up to a command or another one."""
    shown: dict[str, str] = {}
    name, indent = None, ""
    for line in (ROOT / page).read_text(encoding="utf-8").splitlines():
        plain = line.removeprefix(indent)
        if named := NAMED.match(line):
            name, indent = named["name"], named["indent"]
            shown[name] = ""
        elif plain.startswith(("```", "skythought ")) or (indent and line and plain == line):
            name, indent = None, ""
        elif name is not None:
            shown[name] += f"{plain}\n"
    return shown


def blocks(page: str) -> list[tuple[str, str]]:
    """The fenced blocks of a page, in order: language and text."""
    return FENCED.findall((ROOT / page).read_text(encoding="utf-8"))


def run_script(script: str, folder: Path) -> str:
    """What a script prints that is run by a shell in a folder, where `skythought` and `python` are those under test.

    Raises AssertionError with what it printed if a command fails.
    """
    place = folder / "bin"
    place.mkdir(exist_ok=True)
    for name, command in {"skythought": "-m skythought", "python": ""}.items():
        (place / name).write_text(f'#!/bin/sh\nexec "{sys.executable}" {command} "$@"\n', encoding="utf-8")
        (place / name).chmod(0o755)
    path = f"{place}{os.pathsep}{os.environ['PATH']}"
    environment = {**os.environ, "PATH": path, "HF_HUB_OFFLINE": "1", "COLUMNS": "200"}
    done = subprocess.run(["sh", "-e", "-c", script], cwd=folder, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr + done.stdout
    return done.stdout
