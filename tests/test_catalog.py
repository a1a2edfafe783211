"""Tasks, scorers and backends that come with an installed package, found by entry point."""

import json
import os

import pytest

PACKAGE = '''
"""A package that brings one of each."""
from collections.abc import AsyncGenerator, Iterable
from dataclasses import dataclass

from skythought.backends.base import Backend
from skythought.scorers.base import Scorer
from skythought.types import Problem, Request, Response, Score


@dataclass(frozen=True)
class LengthScorer(Scorer):
    longest: int = 10

    def score(self, problem: Problem, answer: str) -> Score:
        return Score(len(answer) <= self.longest, f"{len(answer)} characters, at most {self.longest}", answer)

    def gold(self, problem: Problem) -> str:
        return "x" * self.longest


class EchoBackend(Backend):
    """Says what it was told; there is no model here, only a test of how backends are found."""

    async def __aenter__(self):
        return self

    async def __aexit__(self, *_):
        pass

    async def generate(self, requests: Iterable[Request]) -> AsyncGenerator[Response, None]:
        for request in requests:
            yield Response(request.key, text=request.messages[-1]["content"], finish_reason="stop")
'''
ENTRY_POINTS = """
[skythought.tasks]
brought = brought
[skythought.scorers]
length = brought:LengthScorer
[skythought.backends]
echo = brought:EchoBackend
"""


@pytest.fixture
def package(tmp_path):
    """A folder with an installed package, for PYTHONPATH."""
    site = tmp_path / "site"
    (site / "brought").mkdir(parents=True)
    (site / "brought" / "__init__.py").write_text(PACKAGE, encoding="utf-8")
    (site / "brought" / "words.yaml").write_text(
        "dataset_path: words.jsonl\nprompt: '{{ word }}'\nscorer: {length: {longest: 4}}\n", encoding="utf-8"
    )
    rows = [{"word": "four"}, {"word": "seven77"}]
    (site / "brought" / "words.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    info = site / "brought-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: brought\nVersion: 1.0\n", encoding="utf-8")
    (info / "entry_points.txt").write_text(ENTRY_POINTS, encoding="utf-8")
    return site


def path_with(package):
    return os.pathsep.join([str(package), *filter(None, [os.environ.get("PYTHONPATH")])])


def test_a_package_brings_a_task_a_scorer_and_a_backend(cli, package, tmp_path):
    assert "words" in cli("tasks", PYTHONPATH=path_with(package)).stdout
    done = cli("evaluate", "--task", "words", "--model", "any", "--backend", "echo", PYTHONPATH=path_with(package))
    assert done.returncode == 0, done.stderr
    [folder] = tmp_path.glob("any_words_*")
    records = json.loads((folder / "results.json").read_text(encoding="utf-8"))
    assert [record["responses"][0]["correctness"] for record in records.values()] == [True, False]
    assert records["1"]["responses"][0]["reason"] == "7 characters, at most 4"


def test_what_it_brings_is_checked_like_our_own(cli, package):
    done = cli("evaluate", "--task", "words", "--model", "any", "--backend", "ech", PYTHONPATH=path_with(package))
    assert done.returncode == 2
    assert "Did you mean 'echo'?" in done.stderr


def test_what_it_brings_can_be_checked(cli, package):
    done = cli("tasks", "check", "words", PYTHONPATH=path_with(package))
    assert done.returncode == 0, done.stdout
    assert "words: 2 problems, 2 of 2 right answers found right: ok" in done.stdout
