"""Parts by name: of an installed package, found by entry point, or of a file."""

import importlib
import json
import os

import pytest

from skythought.backends.base import Backend
from skythought.catalog import find_part
from skythought.errors import UserError
from skythought.executors.base import Executor
from skythought.scorers.base import Scorer

PACKAGE = '''
"""A package that brings one of each."""
from dataclasses import dataclass

from skythought.backends.base import BackendArgs, ConcurrentBackend
from skythought.executors.local import LocalExecutor
from skythought.scorers.base import Scorer
from skythought.types import Problem, Request, Response, Score


@dataclass(frozen=True)
class LengthScorer(Scorer):
    longest: int = 10

    def score(self, problem: Problem, answer: str) -> Score:
        return Score(len(answer) <= self.longest, f"{len(answer)} characters, at most {self.longest}", answer)

    def gold(self, problem: Problem) -> str:
        return "x" * self.longest


class EchoBackend(ConcurrentBackend[BackendArgs]):
    """Says what it was told."""

    async def answer(self, request: Request) -> Response:
        return request.response(request.messages[-1]["content"], finish_reason="stop")


class Careful(LocalExecutor):
    """One worker, where others need the cores."""

    @classmethod
    def at(cls, address):
        return cls(1)
'''
ENTRY_POINTS = """
[skythought.tasks]
brought = brought
[skythought.scorers]
length = brought:LengthScorer
broken = brought:NoSuchThing
[skythought.backends]
echo = brought:EchoBackend
[skythought.executors]
careful = brought:Careful
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

    scored = cli(
        "score", "--task", "words", "--run-dir", folder, "--executor", "careful", PYTHONPATH=path_with(package)
    )
    assert scored.returncode == 0, scored.stderr
    assert json.loads((folder / "results.json").read_text(encoding="utf-8")) == records


@pytest.fixture
def installed(package, monkeypatch):
    """The package, installed in this process."""
    monkeypatch.syspath_prepend(package)
    importlib.invalidate_caches()


@pytest.mark.parametrize(
    ("kind", "name", "says"),
    [
        ("backend", "ech", "unknown backend 'ech'. Did you mean 'echo'?"),
        ("scorer", "lenght", "unknown scorer 'lenght'. Did you mean 'length'?"),
        ("executor", "carefull", "unknown executor 'carefull'. Did you mean 'careful'?"),
        ("executor", "base", "unknown executor 'base'."),
        ("scorer", "broken", "scorer 'broken': 'brought:NoSuchThing' cannot be loaded:"),
        ("executor", "nowhere.py:Mine", "executor 'nowhere.py:Mine': there is no file 'nowhere.py'."),
        ("executor", "mine.py:Mime", "unknown class in mine.py 'Mime'. Did you mean 'Mine'?"),
        ("executor", "mine.py:Mine", "must be a class that derives from skythought.executors.base.Executor."),
        ("executor", "broken.py:Mine", "executor 'broken.py:Mine': ZeroDivisionError: division by zero."),
    ],
)
def test_a_wrong_name_is_one_line(installed, tmp_path, monkeypatch, kind, name, says):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.py").write_text("class Mine:\n    pass\n", encoding="utf-8")
    (tmp_path / "broken.py").write_text("1 / 0\n", encoding="utf-8")
    with pytest.raises(UserError) as caught:
        find_part(kind, name, {"backend": Backend, "scorer": Scorer, "executor": Executor}[kind])
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_file_that_was_changed_is_read_again(tmp_path):
    file = tmp_path / "mine.py"
    source = "from skythought.executors.local import LocalExecutor\nclass Mine(LocalExecutor):\n    number = {}\n"
    for number in (1, 2):
        file.write_text(source.format(number), encoding="utf-8")
        assert find_part("executor", f"{file}:Mine", Executor).number == number


def test_what_it_brings_can_be_checked(cli, package):
    done = cli("tasks", "check", "words", PYTHONPATH=path_with(package))
    assert done.returncode == 0, done.stdout
    assert "words: 2 problems, 2 of 2 right answers found right: ok" in done.stdout
