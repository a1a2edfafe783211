"""`skythought sandbox` on the command line."""

from __future__ import annotations

import sys
from collections.abc import Callable
from subprocess import CompletedProcess

import pytest

Cli = Callable[..., CompletedProcess[str]]


@pytest.mark.skipif(sys.platform != "linux", reason="the layers are Linux's")
def test_it_shows_the_layers_and_tries_them(cli: Cli) -> None:
    done = cli("sandbox", COLUMNS="200")
    assert done.returncode == 0, done.stdout + done.stderr
    for layer in ("session", "limits", "landlock", "seccomp", "namespaces"):
        assert any(line.startswith(layer) for line in done.stdout.splitlines()), layer
    assert "All trials held." in done.stdout
    assert "FAILED" not in done.stdout


def test_an_unknown_level_is_one_line(cli: Cli) -> None:
    done = cli("sandbox", "--sandbox", "sloppy")
    assert done.returncode == 2
    assert done.stderr == "skythought: sandbox level 'sloppy' is not known. Known: auto, strict.\n"
