"""Loading from a hub through its real clients: what crosses the net, what is kept, and what is said when it fails."""

from __future__ import annotations

import json
import random
import socket
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from echo import ECHO
from hub_client import HubClient, Loaded, shortened
from hub_repos import GPQA, GSM8K, as_csv, as_jsonl, as_parquet, card, catalogue, repo, shared
from hub_server import HubServer, Repo, commit

Cli = Callable[..., subprocess.CompletedProcess[str]]
MIB = 2**20
PLAIN = {"prompt": "{{ question }}", "target": "answer", "filters": [], "preprocess_config": {}}
ROWS = [{"question": f"q{n}", "answer": f"a{n}"} for n in range(6)]


@pytest.fixture(scope="module")
def server() -> Iterator[HubServer]:
    with HubServer() as made:
        yield made


@pytest.fixture(scope="module")
def client(server: HubServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[HubClient]:
    """Nobody is logged in."""
    with HubClient(HF_ENDPOINT=server.url, HF_HOME=str(tmp_path_factory.mktemp("home"))) as made:
        yield made


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where `member` keeps what was loaded, and `offline` finds it."""
    return tmp_path_factory.mktemp("member")


@pytest.fixture(scope="module")
def member(server: HubServer, home: Path) -> Iterator[HubClient]:
    """Somebody with access to gated datasets is logged in."""
    with HubClient(HF_ENDPOINT=server.url, HF_HOME=str(home), HF_TOKEN="hf_member") as made:
        yield made


@pytest.fixture(scope="module")
def offline(server: HubServer, home: Path) -> Iterator[HubClient]:
    with HubClient(HF_ENDPOINT=server.url, HF_HOME=str(home), HF_HUB_OFFLINE="1") as made:
        yield made


@pytest.fixture(autouse=True)
def fresh(server: HubServer) -> None:
    server.repos, server.files = catalogue(), {}
    server.answer_all_with = None
    server.asked.clear()
    server.bytes_sent.clear()


def own(client: HubClient, path: str, end: int = -1, small: int | None = None, **args: Any) -> Loaded:
    """A dataset that is no task of ours, read by a task of two columns."""
    return client.load("math500", end=end, small=small, **{"dataset_path": path, "dataset_kwargs": {}, **PLAIN, **args})


def large_rows(count: int, size: int) -> list[dict[str, Any]]:
    """Rows whose text cannot be made much smaller by compression."""
    noise = random.Random(7)
    return [{"question": f"q{n}", "answer": "1", "huge": noise.randbytes(size // 2).hex()} for n in range(count)]


# -- what crosses the net ------------------------------------------------------------------------------------------


def test_lines_of_a_large_file_are_streamed_when_some_are_wanted(server: HubServer, client: HubClient) -> None:
    data = as_jsonl(large_rows(24, 2 * MIB))
    server.repos["ours/lines"] = repo({"test.jsonl": data})
    part = own(client, "ours/lines", end=2, small=MIB, dataset_split="test")
    assert part.error is None
    assert part.ids == ["0", "1"]
    file = "/other-host/ours/lines/test.jsonl"
    assert 4 * MIB < server.bytes_sent[file] < len(data) / 2  # two rows, and what was under way

    whole = own(client, "ours/lines", small=MIB, dataset_split="test")
    assert whole.ids == [str(n) for n in range(24)]
    assert whole.problems[:2] == part.problems
    sent = server.bytes_sent[file]
    again = own(client, "ours/lines", end=3, small=MIB, dataset_split="test")
    assert again.problems == whole.problems[:3]
    assert server.bytes_sent[file] == sent  # it lies in the cache since all of it was read


def test_of_a_large_parquet_file_only_columns_and_pages_that_are_needed_are_fetched(
    server: HubServer, client: HubClient
) -> None:
    rows = large_rows(64, MIB)
    data = as_parquet(rows, write_batch_size=4)
    server.repos["ours/large"] = repo({"data/test-00000-of-00001.parquet": data})
    arguments = {"columns": ["question", "answer"]}
    few = own(client, "ours/large", end=3, small=MIB, dataset_split="test", dataset_kwargs=arguments)
    assert few.ids == ["0", "1", "2"]
    assert "huge" not in few.problems[0]["row"]
    assert server.bytes_sent.total() < MIB
    server.bytes_sent.clear()
    wide = own(client, "ours/large", end=3, small=MIB, dataset_split="test")
    assert wide.problems[0]["row"]["huge"] == shortened(rows[0]["huge"])
    assert server.bytes_sent.total() < len(data) / 2  # pages of four rows: a page is the least that can be fetched


def test_streaming_can_be_told(server: HubServer, client: HubClient) -> None:
    server.repos["ours/told"] = repo({"test.jsonl": as_jsonl(large_rows(4, MIB))})
    for streaming, cached in ((True, False), (False, True)):
        arguments = {"streaming": streaming}
        found = own(client, "ours/told", small=MIB, dataset_split="test", dataset_kwargs=arguments)
        assert len(found.ids) == 4
        server.asked.clear()
        own(client, "ours/told", end=1, small=MIB, dataset_split="test")
        assert ("GET /other-host/ours/told/test.jsonl" not in server.asked) is cached


def test_a_second_load_asks_only_which_commit_is_meant(server: HubServer, client: HubClient) -> None:
    server.repos["ours/some"] = shared(ROWS, "test")
    first = own(client, "ours/some", dataset_split="test")
    server.asked.clear()
    second = own(client, "ours/some", dataset_split="test")
    assert second.problems == first.problems
    assert not [asked for asked in server.asked if ".parquet" in asked]
    assert len(server.asked) == 2


def test_a_commit_that_is_pinned_is_read_though_the_branch_moved_on(server: HubServer, client: HubClient) -> None:
    old, new = commit("old"), commit("new")
    server.repos["ours/moving"] = Repo({"test.jsonl": as_jsonl(ROWS[:2])}, {"main": old})
    before = own(client, "ours/moving", dataset_split="test")
    assert before.revisions == {"datasets/ours/moving": old}
    server.repos["ours/moving"] = Repo({"test.jsonl": as_jsonl(ROWS)}, {"main": new, "v1": old})
    after = own(client, "ours/moving", dataset_split="test")
    assert (after.revisions, len(after.ids)) == ({"datasets/ours/moving": new}, 6)
    for revision in (old, "v1"):
        pinned = own(client, "ours/moving", dataset_split="test", dataset_kwargs={"revision": revision})
        assert (pinned.revisions, pinned.problems) == (before.revisions, before.problems)


def test_files_of_the_hub_by_address_pattern_and_reference(server: HubServer, client: HubClient) -> None:
    server.repos["ours/script"] = repo({"script.py": b"raise", "all/a.jsonl": as_jsonl(ROWS[:2])})
    server.repos["ours/script"].files |= {"all/b.jsonl": as_jsonl(ROWS[2:]), "all/deep/c.jsonl": as_jsonl(ROWS)}
    files = {"test": "hf://datasets/ours/script@refs/convert/parquet/all/*.jsonl", "train": []}
    found = own(client, "json", dataset_split="test", dataset_kwargs={"data_files": files})
    assert [problem["prompt"] for problem in found.problems] == [row["question"] for row in ROWS]
    assert found.revisions == {"datasets/ours/script": commit("refs/convert/parquet")}
    one = own(client, "hf://datasets/ours/script/all/b.jsonl")
    assert one.ids == ["0", "1", "2", "3"]
    none = own(client, "hf://datasets/ours/script/all/z*.jsonl")
    assert none.error == f"dataset 'ours/script': there is no file 'all/z*.jsonl' at commit {commit('main')[:7]}."


def test_addresses_of_any_web_server(server: HubServer, client: HubClient) -> None:
    rows = [{"question": "q", "answer": "2024-03-05T10:00:00", "big": 10**30}]
    server.files = {"/a.jsonl": as_jsonl(rows), "/b.csv": as_csv(rows), "/c.parquet": as_parquet(ROWS)}
    plain = own(client, f"{server.url}/a.jsonl?download=true")
    assert plain.problems[0]["row"] == rows[0]  # neither dates nor large integers are re-typed
    assert next(iter(plain.revisions.values())).strip('"')
    assert own(client, f"{server.url}/b.csv").problems[0]["target"] == "2024-03-05T10:00:00"
    assert len(own(client, f"{server.url}/c.parquet").ids) == 6
    missing = own(client, f"{server.url}/d.jsonl")
    assert missing.error == f"dataset '{server.url}/d.jsonl': there is no such file at that address."


def test_what_only_datasets_can_read_it_reads(server: HubServer, client: HubClient) -> None:
    server.repos["ours/some"] = shared(ROWS, "test")
    sliced = own(client, "ours/some", dataset_split="test[1:3]")
    assert [problem["prompt"] for problem in sliced.problems] == ["q1", "q2"]
    config = b"---\nconfigs:\n- config_name: default\n  sep: ';'\n  data_files: a.csv\n---\n"
    server.repos["ours/separated"] = repo({"README.md": config, "a.csv": b"question;answer\nq;a\n"})
    assert own(client, "ours/separated", dataset_split="train").problems[0]["row"] == {"question": "q", "answer": "a"}


# -- what is kept --------------------------------------------------------------------------------------------------


def test_offline_gives_the_same_problems(server: HubServer, member: HubClient, offline: HubClient) -> None:
    names = ["gsm8k", "aime25", "gpqa_diamond", "mmlu_pro"]
    online = [member.load(name) for name in names]
    server.asked.clear()
    cached = [offline.load(name) for name in names]
    missing = offline.load("math500")
    other_split = offline.load("gsm8k", dataset_split="train")
    assert [found.error for found in cached] == [None] * len(names)
    assert [found.problems for found in cached] == [found.problems for found in online]
    assert [found.revisions for found in cached] == [found.revisions for found in online]
    assert server.asked == []
    assert missing.error is not None
    assert missing.error.startswith("dataset 'HuggingFaceH4/MATH-500' is not in the cache, and HF_HUB_OFFLINE is set.")
    assert other_split.error is not None
    assert "the cache lacks 'main/train-00000-of-00001.parquet'" in other_split.error


def test_offline_a_file_in_parts_that_lacks_one_is_refused(home: Path, offline: HubClient) -> None:
    root = home / "hub" / "datasets--ours--parts"
    folder = root / "snapshots" / commit("main") / "data"
    folder.mkdir(parents=True)
    (root / "refs").mkdir()
    (root / "refs" / "main").write_text(commit("main"))
    (folder / "test-00000-of-00002.parquet").write_bytes(as_parquet(ROWS))
    found = own(offline, "ours/parts", dataset_split="test")
    assert found.error is not None
    assert "the cache lacks 'data/test-00001-of-00002.parquet'" in found.error
    (folder / "test-00001-of-00002.parquet").write_bytes(as_parquet(ROWS))
    assert len(own(offline, "ours/parts", dataset_split="test").ids) == 12


def test_a_copy_of_a_repository_is_read_as_on_the_hub(client: HubClient, tmp_path: Path) -> None:
    parts = {f"AIME2025-{part}": {"test": f"aime2025-{part}.jsonl"} for part in ("I", "II")}
    (tmp_path / "README.md").write_bytes(card(parts))
    for number, part in enumerate(("I", "II")):
        (tmp_path / f"aime2025-{part}.jsonl").write_bytes(as_jsonl([{"question": part, "answer": str(number)}]))
    assert [p["prompt"][:2].strip() for p in client.load("aime25", dataset_path=str(tmp_path)).problems] == ["I", "II"]
    assert [p["target"] for p in client.load("aime25_2", dataset_path=str(tmp_path)).problems] == ["1"]


# -- what is said --------------------------------------------------------------------------------------------------


def test_gated_without_and_with_access(server: HubServer, client: HubClient, member: HubClient, tmp_path: Path) -> None:
    refused = client.load("gpqa_diamond")
    assert refused.error is not None
    assert "is gated: ask for access at https://huggingface.co/datasets/Idavidrein/gpqa, then log in" in refused.error
    assert "hf auth login" in refused.error
    with HubClient(HF_ENDPOINT=server.url, HF_HOME=str(tmp_path), HF_TOKEN="hf_stranger") as stranger:
        refused = stranger.load("gpqa_diamond")
    assert "that account has no access yet" in str(refused.error)
    assert refused.ids == []
    allowed = member.load("gpqa_diamond")
    assert allowed.error is None
    assert len(allowed.ids) == len(GPQA)


def test_no_network_is_said_at_once(tmp_path: Path) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        nowhere = f"http://127.0.0.1:{unused.getsockname()[1]}"
    with HubClient(HF_ENDPOINT=nowhere, HF_HOME=str(tmp_path)) as client:
        found = client.load("gsm8k")
        address = own(client, f"{nowhere}/a.jsonl")
    assert found.error is not None
    assert f"'openai/gsm8k' cannot be loaded: no connection to {nowhere}." in found.error
    for way_out in ("dataset_path=FILE", "HF_ENDPOINT", "HF_HUB_OFFLINE=1"):
        assert way_out in found.error
    assert found.seconds < 15  # the clients' own retries take longer than that
    assert "cannot be loaded: no connection." in str(address.error)


@pytest.mark.parametrize(
    ("args", "message"),
    [
        ({"dataset_path": "openai/gsm9k"}, "'openai/gsm9k': there is no such dataset on the hub, or it is private"),
        ({"dataset_path": "gsm8k"}, "'gsm8k': there is no such dataset on the hub"),
        (
            {"dataset_subset": "mian"},
            "'openai/gsm8k' has no subset 'mian'. Did you mean 'main'? It has: main, socratic.",
        ),
        ({"dataset_subset": None}, "'openai/gsm8k': set dataset_subset to one of main, socratic."),
        ({"dataset_split": "tset"}, "unknown split of dataset 'openai/gsm8k' 'tset'. Did you mean 'test'?"),
        ({"dataset_split": None}, "'openai/gsm8k': set dataset_split to one of train, test."),
        ({"dataset_kwargs": {"revision": "v9"}}, "'openai/gsm8k' has no such revision"),
        ({"dataset_kwargs": {"columns": ["qestion"]}}, "has no column 'qestion', which the task reads"),
        ({"prompt": "{{ qestion }}"}, "has a column 'qestion'. Did you mean 'question'? Columns: answer, question."),
        ({"dataset_path": "codeparrot/apps", "dataset_subset": "all"}, "needs a loading script, which `datasets` does"),
    ],
)
def test_mistakes_and_changes_are_one_line(client: HubClient, args: dict[str, Any], message: str) -> None:
    found = client.load("gsm8k", **args)
    assert found.error is not None
    assert message in found.error
    assert "\n" not in found.error


@pytest.mark.parametrize(
    ("status", "message"), [(429, "refuses more requests for now (429)"), (503, "the hub is in trouble (503)")]
)
def test_a_hub_that_does_not_answer(server: HubServer, client: HubClient, status: int, message: str) -> None:
    server.answer_all_with = status
    found = client.load("gsm8k")
    assert found.error is not None
    assert message in found.error
    assert "HF_ENDPOINT" in found.error


def test_an_older_copy_in_the_cache_of_datasets_is_not_taken_unasked(
    server: HubServer, member: HubClient, offline: HubClient
) -> None:
    server.repos["ours/changed"] = shared(ROWS, "test")
    program = "import datasets; datasets.load_dataset('ours/changed', split='test')"
    member.run(program)
    assert len(own(offline, "ours/changed", dataset_split="test").ids) == len(ROWS)  # asked for, it is
    server.repos["ours/changed"] = repo({"changed.py": b"raise"})
    found = own(member, "ours/changed", dataset_split="test")
    assert found.error is not None
    assert "needs a loading script" in found.error


def test_columns_that_changed_are_named(server: HubServer, client: HubClient) -> None:
    changed = [{"questions": row["question"], "answer": row["answer"]} for row in GSM8K]
    server.repos["openai/gsm8k"].files["main/test-00000-of-00001.parquet"] = as_parquet(changed)
    found = client.load("gsm8k", dataset_kwargs={"revision": commit("changed")})
    assert found.error is not None
    assert "no row of 'openai/gsm8k' has a column 'question'. Did you mean 'questions'?" in found.error


def test_the_command_line_says_it_in_one_line(server: HubServer, cli: Cli, tmp_path: Path) -> None:
    where = {"HF_ENDPOINT": server.url, "HF_HOME": str(tmp_path / "home"), "HF_HUB_OFFLINE": "0"}
    done = cli(
        *("evaluate", "--task", "gpqa_diamond", "--model", "m", "--backend", "openai", "--result-dir", tmp_path),
        *("--backend-args", "base_url=http://127.0.0.1:9/v1"),
        **where,
    )
    assert done.returncode == 2
    assert "is gated: ask for access at" in " ".join(done.stderr.split())
    assert "Traceback" not in done.stderr


def test_a_run_records_the_commit_and_is_extended_at_it(server: HubServer, client: HubClient, tmp_path: Path) -> None:
    task = tmp_path / "own.yaml"
    task.write_text(
        "dataset_path: ours/extended\ndataset_split: test\nprompt: '{{ question }}'\nscorer: math\ntarget: answer"
    )
    options = {"model": "m", "backend": ECHO, "result_dir": str(tmp_path)}
    old, new = commit("old"), commit("new")
    server.repos["ours/extended"] = Repo({"test.jsonl": as_jsonl(ROWS)}, {"main": old})
    assert client.generate(str(task), end=2, **options) is None
    (manifest,) = tmp_path.glob("*/run.json")
    assert json.loads(manifest.read_text())["dataset_revisions"] == {"datasets/ours/extended": old}
    server.repos["ours/extended"].revisions = {"main": new, "v1": old}
    assert client.generate(str(task), end=3, resume=True, **options) is None
    recorded = json.loads(manifest.read_text())
    assert (recorded["problems"], recorded["dataset_revisions"]) == (3, {"datasets/ours/extended": old})
