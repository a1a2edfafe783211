"""Uploading, against a hub on loopback."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import pytest
from exports import said_run
from hub_server import HubServer, Repo

Cli = Callable[..., CompletedProcess[str]]


@pytest.fixture
def run(tmp_path: Path) -> Path:
    return said_run(tmp_path / "run", [["\\boxed{1}"], ["\\boxed{2}"]]).path


def pushed(cli: Cli, run: Path, server: HubServer, *options: str, token: str = "secret") -> CompletedProcess[str]:
    environment = {
        "HF_ENDPOINT": server.url,
        "HF_HUB_OFFLINE": "0",
        "HF_TOKEN": token,
        "HF_HOME": str(run.parent / "hf"),
    }
    return cli("export", run, "-o", "data", "--push-to-hub", "me/sums", *options, **environment)


def test_a_dataset_is_made_and_holds_the_same_files(cli: Cli, run: Path, tmp_path: Path) -> None:
    with HubServer() as server:
        done = pushed(cli, run, server)
        assert done.returncode == 0, done.stderr
        repo = server.repos["me/sums"]
        folder = tmp_path / "data"
        made = {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
        assert (repo.files, repo.private) == (made, True)
        assert f"uploaded: {server.url}/datasets/me/sums" in done.stdout


def test_shards_of_an_earlier_export_do_not_stay(cli: Cli, run: Path) -> None:
    with HubServer() as server:
        server.repos["me/sums"] = Repo({"data/train-00000-of-00007.jsonl": b"old", "notes.txt": b"mine"})
        done = pushed(cli, run, server, "--no-private")
        assert done.returncode == 0, done.stderr
        names = set(server.repos["me/sums"].files)
        assert "data/train-00000-of-00007.jsonl" not in names
        assert {"notes.txt", "data/train-00000-of-00001.jsonl", "README.md"} <= names


def test_without_a_token_nothing_is_made(cli: Cli, run: Path, tmp_path: Path) -> None:
    with HubServer() as server:
        done = pushed(cli, run, server, token="")
    assert done.returncode == 2
    assert "nobody is logged in" in done.stderr
    assert not (tmp_path / "data").exists()


def test_where_the_hub_refuses_the_export_stays(cli: Cli, run: Path, tmp_path: Path) -> None:
    with HubServer() as server:
        server.answer_all_with = 403
        done = pushed(cli, run, server)
    assert done.returncode == 1
    assert "was not uploaded to me/sums" in done.stderr
    assert (tmp_path / "data" / "README.md").is_file()
