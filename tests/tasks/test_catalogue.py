"""Every task of the catalogue loads from a hub through its real clients, and shows its first problem."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from hub_client import HubClient, Loaded
from hub_repos import addresses, catalogue
from hub_server import HubServer
from places import SHARED

from skythought.config import TaskConfig
from skythought.scorers.registry import make_scorer
from skythought.tasks.load import load_task, task_names
from skythought.tasks.problems import problems
from skythought.types import Problem

BUNDLED = {"arithmetic"}
FROM_THE_NET = [name for name in task_names() if name not in BUNDLED]


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Loaded]]:
    """All tasks, loaded once with an empty cache, by one process."""
    home = tmp_path_factory.mktemp("home")
    with HubServer() as server:
        server.repos, server.files = catalogue(), addresses()
        with HubClient(HF_ENDPOINT=server.url, HF_HOME=str(home), HF_TOKEN="hf_member") as client:
            yield {name: client.load(name, **moved(load_task(name), server)) for name in FROM_THE_NET}


def moved(task: TaskConfig, server: HubServer) -> dict[str, Any]:
    """The arguments by which a task that reads addresses outside of the hub reads them from the server instead."""
    text = json.dumps(task.dataset_kwargs)
    if "https://" not in text:
        return {}
    return {"dataset_kwargs": json.loads(re.sub(r"https://[^\"]*(/[^/\"]+)", rf"{server.url}\1", text))}


@pytest.mark.parametrize("name", FROM_THE_NET)
def test_task_loads_and_renders(loaded: dict[str, Loaded], name: str) -> None:
    found = loaded[name]
    assert found.error is None
    assert not found.row_errors
    assert found.problems
    first = found.problems[0]
    assert first["prompt"].strip()
    assert "{{" not in first["prompt"]
    assert len(set(found.ids)) == len(found.ids)
    assert found.revisions  # what was read is on record


@pytest.mark.parametrize("name", FROM_THE_NET)
def test_gold_answer_is_right(loaded: dict[str, Loaded], name: str) -> None:
    task = load_task(name)
    scorer = make_scorer(task.scorer_name, task.scorer_args)
    for record in loaded[name].problems:
        problem = Problem(**{**record, "choices": tuple(record["choices"]), "shots": ()})
        gold = scorer.gold(problem)
        if gold is not None:
            judged = scorer.score(problem, gold)
            assert judged.correct, judged.reason


@pytest.mark.parametrize("name", FROM_THE_NET)
def test_what_is_pinned_is_what_is_read(loaded: dict[str, Loaded], name: str) -> None:
    revision = load_task(name).dataset_kwargs.get("revision")
    if revision:
        assert list(loaded[name].revisions.values()) == [revision]


@pytest.mark.parametrize(
    ("name", "ids"),
    [
        ("aime24", ["1", "3"]),
        ("amc23", ["1", "2"]),
        ("aime25", ["0", "1", "2", "3"]),
        ("numina_math", ["2"]),
        ("hle", ["1", "2"]),
    ],
)
def test_ids_are_row_numbers_of_the_whole_dataset(loaded: dict[str, Loaded], name: str, ids: list[str]) -> None:
    assert loaded[name].ids == ids


def test_joined_subsets_and_splits_are_told_apart(loaded: dict[str, Loaded]) -> None:
    parts = [problem["row"]["subset"] for problem in loaded["aime25"].problems]
    assert parts == ["AIME2025-I"] * 2 + ["AIME2025-II"] * 2
    assert len({problem["row"]["subset"] for problem in loaded["bbh"].problems}) == 27
    marks = {(problem["row"]["subset"], problem["row"]["split"]) for problem in loaded["polymath"].problems}
    assert len(marks) == 18 * 4


def test_columns_that_are_not_needed_are_not_read(loaded: dict[str, Loaded]) -> None:
    assert "messages" not in loaded["numina"].problems[0]["row"]
    assert "image_preview" not in loaded["hle"].problems[0]["row"]


def test_prompts_of_the_newer_tasks(loaded: dict[str, Loaded]) -> None:
    def first(name: str, number: int = 0) -> tuple[str, Any]:
        problem = loaded[name].problems[number]
        return problem["prompt"], problem["target"]

    assert first("aime26") == ("Find $2^5$.\nReturn your final response within \\boxed{}", 32)
    assert first("math") == ("Return your final response within \\boxed{}. Algebra 0?", "9")
    assert first("bbh")[1] == {"kind": "text", "answer": "False"}
    assert first("bbh", 1)[1] == {"kind": "choice", "answer": "B"}
    assert first("hle")[0].endswith("within \\boxed{}, as short as it can be.")
    assert first("hle", 1)[0].endswith("within \\boxed{}: only the letter of your choice.")
    german = next(item for item in loaded["polymath"].problems if item["row"]["subset"] == "de")
    assert german["prompt"] == "1?\n\nHinweis: Bitte setzen Sie die endgültige Antwort in $\\boxed{}$."
    assert first("supergpqa")[0].endswith("?\nA) Oxygen\nB) Helium\nC) Carbon dioxide")


REAL = SHARED / "data"


@pytest.mark.skipif(not REAL.is_dir(), reason="needs the real rows beside the repository")
@pytest.mark.parametrize(
    ("name", "file", "count"),
    [
        ("gsm8k", "gsm8k", 1319),
        ("math500", "math500", 500),
        ("aime24", "aimo_validation_aime", 30),
        ("aime25_1", "aime25_1", 15),
        ("aime25_2", "aime25_2", 15),
        ("amc23", "amc23", 40),
        ("minervamath", "minervamath", 272),
        ("olympiadbench_math_en", "olympiadbench_math_en", 675),
        ("mmlu", "mmlu", 14042),
        ("mmlu_pro", "mmlu_pro_2k", 2000),
        ("arc_c", "arc_challenge_test", 1172),
        ("omni_math", "omni_math_num_500", 500),
        ("liveaops", "liveaops_num", 519),
    ],
)
def test_real_rows(name: str, file: str, count: int) -> None:
    made = list(problems(load_task(name, {"dataset_path": str(REAL / f"{file}.jsonl")})))
    bad = [str(item) for item in made if not isinstance(item, Problem)]
    assert (len(made), bad) == (count, [])
