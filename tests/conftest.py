"""What several tests share: the command line in a process of its own, and one finished run."""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any, TypeVar

import pytest
from hypothesis import settings

sys.path.insert(0, str(Path(__file__).parent / "support"))
# The tiny model's matrices are too small to share: several threads only wait for one another. Before torch is imported.
os.environ.setdefault("OMP_NUM_THREADS", "1")

# The same examples each time: what a change breaks is told by the change that breaks it. `--hypothesis-profile=default`
# looks for new ones.
settings.register_profile("repeatable", derandomize=True, deadline=None)
settings.load_profile("repeatable")

T = TypeVar("T")
Cli = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def cli(tmp_path: Path) -> Cli:
    """Runs `skythought ARGS` in an empty folder, without a terminal; its exit code and output."""

    def run(*args: object, **env: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "skythought", *map(str, args)],
            cwd=tmp_path,
            env={**os.environ, "HF_HUB_OFFLINE": "1", "COLUMNS": "100", **env},
            capture_output=True,
            text=True,
            timeout=240,
        )

    return run


@pytest.fixture(scope="session")
def finished_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run folder: eight problems of `arithmetic`, two samples each, no model. Copy it before changing it."""
    from echo import ECHO

    import skythought

    folder = tmp_path_factory.mktemp("finished")
    sampling = {"temperature": 1.0, "max_tokens": 256}
    run = skythought.evaluate(
        "arithmetic", model="echo", backend=ECHO, sampling_params=sampling, n=2, end=8, result_dir=folder
    )
    return run.path


@pytest.fixture
def run_copy(finished_run: Path, tmp_path: Path) -> Path:
    """A copy of the finished run, to be changed."""
    return Path(shutil.copytree(finished_run, tmp_path / finished_run.name))


@pytest.fixture
def wait() -> Callable[[Coroutine[Any, Any, T]], T]:
    """Runs a coroutine to its end."""
    return asyncio.run
