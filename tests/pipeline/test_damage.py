"""A run's files are the user's work: what is damaged or lost costs as little as can be, and nothing else is touched."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from echo import ECHO

import skythought as st

SETTINGS: dict[str, Any] = {
    "model": "echo",
    "backend": ECHO,
    "sampling_params": {"temperature": 1.0, "max_tokens": 256},
    "n": 2,
    "end": 8,
}


def resumed(path: Path, **settings: Any) -> st.Run:
    return st.evaluate("arithmetic", **{**SETTINGS, **settings}, result_dir=path.parent, resume=True)


def asked(path: Path, log: Path, **settings: Any) -> tuple[st.Run, list[str]]:
    """The resumed run, and the samples that were asked."""
    run = resumed(path, backend_args={"log": str(log)}, **settings)
    lines = log.read_text(encoding="utf-8").splitlines() if log.exists() else []
    return run, [" ".join(line.split()[:2]) for line in lines]


@pytest.mark.parametrize("lost", [["run.json"], [".run.json"], ["run.json", ".run.json"]], ids=" and ".join)
def test_a_lost_manifest_costs_no_answer(run_copy: Path, tmp_path: Path, lost: list[str]) -> None:
    whole = (run_copy / "results.json").read_bytes()
    for name in lost:
        (run_copy / name).unlink()
    run, again = asked(run_copy, tmp_path / "log")
    assert again == []
    assert (run.path / "results.json").read_bytes() == whole
    assert {"run.json", ".run.json"} <= {file.name for file in run_copy.iterdir()}


def test_a_letter_of_the_settings_that_was_changed_is_put_back(
    run_copy: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    whole, settings = (run_copy / "results.json").read_bytes(), (run_copy / "run.json").read_bytes()
    (run_copy / "run.json").write_bytes(settings.replace(b"step by step", b"stfp by step"))
    run, again = asked(run_copy, tmp_path / "log")
    assert again == []
    assert (run.path / "results.json").read_bytes() == whole
    assert (run_copy / "run.json").read_bytes() == settings
    assert "run.json is damaged (its settings are not those of its fingerprint)" in caplog.text


@pytest.mark.parametrize("has_copy", [True, False])
@pytest.mark.parametrize("damage", [b"", b"{", b"[]", b"\xff\xfe", b'{"config": 3}', b"[" * 100_000])
def test_a_damaged_manifest_costs_no_answer(
    run_copy: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture, damage: bytes, has_copy: bool
) -> None:
    whole = (run_copy / "results.json").read_bytes()
    (run_copy / "run.json").write_bytes(damage)
    if not has_copy:
        (run_copy / ".run.json").write_bytes(damage)
    run, again = asked(run_copy, tmp_path / "log")
    assert again == []
    assert (run.path / "results.json").read_bytes() == whole
    assert (run_copy / "run.json.damaged").read_bytes() == damage, "moved aside, not deleted"
    assert "run.json is damaged" in caplog.text if has_copy else "run.json was missing" in caplog.text


def test_a_folder_without_manifest_is_not_touched_unasked(run_copy: Path) -> None:
    (run_copy / "run.json").unlink()
    (run_copy / ".run.json").unlink()
    before = {file.name: file.read_bytes() for file in run_copy.iterdir() if file.name != ".lock"}
    with pytest.raises(st.RunFolderError, match=r"holds answers of a run whose run.json is missing; resume=True"):
        st.evaluate("arithmetic", **SETTINGS, result_dir=run_copy.parent)
    assert {file.name: file.read_bytes() for file in run_copy.iterdir() if file.name != ".lock"} == before
    with pytest.raises(st.RunFolderError, match=r"its name is not that of a run with these settings"):
        st.evaluate("arithmetic", **{**SETTINGS, "seed": 5}, resume_from=run_copy)


@pytest.mark.parametrize(
    "damage",
    [
        lambda lines: [line.replace(b"boxed", b"bo\xffed") if n == 3 else line for n, line in enumerate(lines)],
        lambda lines: [line.replace(b"boxed", b"\0\0\0\0\0") if n == 3 else line for n, line in enumerate(lines)],
        lambda lines: [line[:50] if n == 3 else line for n, line in enumerate(lines)],
        lambda lines: [b"\n" if n == 3 else line for n, line in enumerate(lines)],
    ],
    ids=["a byte", "zeros", "half joined to the next", "emptied"],
)
def test_a_damaged_answer_costs_that_sample(
    run_copy: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture, damage: Callable[[list[bytes]], list[bytes]]
) -> None:
    whole = (run_copy / "results.json").read_bytes()
    journal = run_copy / "responses.jsonl"
    lines = journal.read_bytes().splitlines(keepends=True)
    keys = [json.loads(line) for line in lines]
    journal.write_bytes(b"".join(damage(lines)))
    assert len(list(st.Run(run_copy))) in (14, 15), "it can be read"
    st.score("arithmetic", run_copy)
    run, again = asked(run_copy, tmp_path / "log")
    lost = {f"{keys[n]['id']} {keys[n]['sample']}" for n in (3, 4)}
    assert again
    assert set(again) <= lost
    assert "line 4 of responses.jsonl" in caplog.text
    assert (run.path / "results.json").read_bytes() == whole


def test_a_damaged_verdict_is_given_again(run_copy: Path, tmp_path: Path) -> None:
    whole = (run_copy / "results.json").read_bytes()
    journal = run_copy / "scores.jsonl"
    journal.write_bytes(journal.read_bytes().replace(b'"correct": true', b'"correct": false', 1))
    run, again = asked(run_copy, tmp_path / "log")
    assert again == []
    assert (run.path / "results.json").read_bytes() == whole


def test_a_verdict_is_for_the_answer_that_it_was_given_for(run_copy: Path) -> None:
    """The answers are emptied and asked again, of a backend that answers otherwise."""
    (run_copy / "responses.jsonl").write_bytes(b"")
    run = resumed(run_copy, backend_args={"wrong": True})
    assert run.accuracy == 0.0
    assert all(sample.verdict == "wrong" and "777" in (sample.answer or "") for sample in run)


@pytest.mark.parametrize(
    "damage", [lambda data: data[: len(data) // 2], lambda data: data.replace(b"target", b"tarhet"), None]
)
def test_problems_that_were_cut_or_changed_are_put_back(
    run_copy: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture, damage: Callable[[bytes], bytes] | None
) -> None:
    whole, problems = (run_copy / "results.json").read_bytes(), run_copy / "samples.jsonl"
    data = problems.read_bytes()
    if damage is None:
        problems.unlink()
    else:
        problems.write_bytes(damage(data))
    with pytest.raises(st.RunFolderError, match=r"samples.jsonl.*resume=True, which reads the problems"):
        st.score("arithmetic", run_copy)
    with pytest.raises(st.RunFolderError, match=r"samples.jsonl"):
        list(st.Run(run_copy))
    run, again = asked(run_copy, tmp_path / "log")
    assert again == []
    assert "samples.jsonl was cut, changed or lost" in caplog.text
    assert problems.read_bytes() == data
    assert (run.path / "results.json").read_bytes() == whole


def test_problems_that_the_dataset_does_not_give_any_more_are_not_replaced(tmp_path: Path) -> None:
    rows = tmp_path / "rows.jsonl"
    rows.write_text('{"question": "1+1?", "answer": "2"}\n', encoding="utf-8")
    settings = {**SETTINGS, "task_args": {"dataset_path": str(rows)}}
    run = st.evaluate("arithmetic", **settings, result_dir=tmp_path / "runs")
    rows.write_text('{"question": "2+2?", "answer": "4"}\n', encoding="utf-8")
    (run.path / "samples.jsonl").write_text("", encoding="utf-8")
    with pytest.raises(st.RunFolderError, match="the dataset does not give the same problems any more"):
        st.evaluate("arithmetic", **settings, result_dir=tmp_path / "runs", resume=True)
    assert (run.path / "samples.jsonl").read_bytes() == b""
    assert not list(run.path.glob("*.tmp"))


def test_a_run_whose_folder_goes_stops_asking(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import shutil

    monkeypatch.setattr("skythought.runs.journal.SYNC_S", 0.0)
    (tmp_path / "going.py").write_text(
        "import asyncio\n"
        "from pathlib import Path\n"
        "from skythought.backends.base import ConcurrentBackend\n"
        "class Going(ConcurrentBackend):\n"
        "    async def answer(self, request):\n"
        f"        with Path({str(tmp_path / 'log')!r}).open('a') as file:\n"
        "            file.write('x')\n"
        "        await asyncio.sleep(0.01)\n"
        "        return request.response('5', finish_reason='stop')\n",
        encoding="utf-8",
    )
    settings = {**SETTINGS, "backend": f"{tmp_path / 'going.py'}:Going", "end": 400, "batch_size": 4}

    async def watched() -> None:
        from skythought.api import execute
        from skythought.pipeline.options import Options
        from skythought.pipeline.plan import make_plan
        from skythought.types import Response

        options = Options(task=("arithmetic",), result_dir=tmp_path / "runs", **settings)
        answers = 0
        async for step in execute(make_plan(options, grade=True)):
            answers += isinstance(step, Response)
            if answers == 10 and isinstance(step, Response):
                shutil.rmtree(tmp_path / "runs")

    import asyncio

    with pytest.raises(st.SkythoughtError, match="is gone: it was deleted or moved"):
        asyncio.run(watched())
    assert len((tmp_path / "log").read_text(encoding="utf-8")) < 60, "of 800"


def test_a_link_under_our_temporary_name_is_not_followed(run_copy: Path, tmp_path: Path) -> None:
    precious = tmp_path / "precious"
    precious.write_text("mine", encoding="utf-8")
    for name in ("results.json", "summary.json", "run.json", ".run.json", "samples.jsonl"):
        (run_copy / f"{name}.tmp").symlink_to(precious)
    resumed(run_copy, n=3, end=9)
    st.score("arithmetic", run_copy)
    assert precious.read_text(encoding="utf-8") == "mine"
    assert not list(run_copy.glob("*.tmp"))


def test_a_file_system_that_cannot_lock_is_said_and_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    import errno
    import fcntl

    def no_locks(*_: object) -> None:
        raise OSError(errno.ENOSYS, "Function not implemented")

    monkeypatch.setattr(fcntl, "flock", no_locks)
    run = st.evaluate("arithmetic", **SETTINGS, result_dir=tmp_path)
    assert len(list(run)) == 16
    assert "cannot lock files (Function not implemented)" in caplog.text
