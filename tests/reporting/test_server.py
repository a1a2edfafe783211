"""`skythought view`: the same page from this machine, for whoever has its address, also while a run goes on."""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientSession
from made_runs import made_run

import skythought as st
from skythought.reporting.server import Viewer
from skythought.runs import folder
from skythought.runs.lock import Lock
from skythought.runs.records import PassBegin
from skythought.types import Response, SampleKey, Score


class Client:
    """A page that is open."""

    def __init__(self, viewer: Viewer, session: ClientSession) -> None:
        self.base, _, query = viewer.address.partition("?")
        self.token = query.partition("=")[2]
        self.session = session

    async def json(self, path: str, **query: Any) -> Any:
        async with self.session.get(self.base + path, params={"token": self.token, **query}) as reply:
            assert reply.status == 200, await reply.text()
            return json.loads(await reply.text())

    async def status(self, path: str, token: str | None = None, method: str = "GET", **options: Any) -> int:
        address, query = self.base + path, {"token": self.token if token is None else token}
        async with self.session.request(method, address, params=query, **options) as reply:
            return reply.status

    async def told(self, until: Callable[[dict[str, Any]], bool]) -> None:
        """Listens to the events until one is as wanted."""
        async with self.session.get(f"{self.base}events", params={"token": self.token}) as events:
            async for line in events.content:
                if line.startswith(b"data: ") and until(json.loads(line[6:])):
                    return

    async def samples(self, most: int) -> dict[str, Any]:
        """The columns, once there are so many samples."""
        while True:
            index = await self.json("index")
            if len(index["samples"]["id"]) >= most:
                return index
            await asyncio.sleep(0.05)


@asynccontextmanager
async def viewing(*paths: Path) -> AsyncIterator[Client]:
    viewer = Viewer(paths)
    await viewer.open()
    try:
        async with ClientSession() as session:
            yield Client(viewer, session)
    finally:
        await viewer.close()


@pytest.fixture
def view(wait: Any) -> Callable[..., None]:
    """Does something with the page of some runs."""

    def run(work: Callable[[Client], Awaitable[None]], *paths: Path) -> None:
        async def whole() -> None:
            async with asyncio.timeout(120), viewing(*paths) as client:
                await work(client)

        wait(whole())

    return run


def test_the_page_has_what_a_report_has(view, finished_run, tmp_path):
    from pages import Page

    report = Page(st.report(finished_run, output=tmp_path / "r.html").path)

    async def work(client: Client) -> None:
        index = await client.samples(16)
        assert index["runs"] == report.index["runs"]
        assert index["samples"] == report.index["samples"]
        assert await client.json("block/0") == report.texts
        later = await client.json("index", since=14)
        assert (later["samples"]["place"], later["samples"]["block"]) == ([14, 15], [0, 0])
        assert await client.status("block/1") == 400
        assert await client.status("nothing") == 404

    view(work, finished_run)


def test_folders_of_other_programs_are_shown(view, tmp_path):
    path = made_run(tmp_path / "theirs", [[True, False]] * 10)

    async def work(client: Client) -> None:
        index = await client.samples(20)
        assert index["samples"]["verdict"] == ["correct", "wrong"] * 10
        while index["runs"][0]["problems"] < 10:  # while it was still being read
            await client.told(lambda event, seen=index["edition"]: event["edition"] > seen)
            index = await client.json("index")
        assert index["runs"][0]["problems"] == 10
        texts = [*await client.json("block/0"), *await client.json("block/1")]
        assert [text["answer"] for text in texts] == [sample.content for sample in st.Run(path)]

    view(work, path)


def test_only_the_page_itself_is_let_in(view, finished_run):
    async def work(client: Client) -> None:
        own = client.base.rstrip("/")
        port = own.rpartition(":")[2]
        for path in ("", "index", "block/0", "events"):
            assert await client.status(path, token="") == 403
            assert await client.status(path, token=client.token[:-1]) == 403
        assert await client.status("index", headers={"Origin": own}) == 200
        assert await client.status("index", headers={"Host": f"localhost:{port}"}) == 200
        for headers in (
            {"Host": "evil.example"},
            {"Host": f"evil.example:{port}"},
            {"Host": "127.0.0.1:1"},
            {"Origin": "https://evil.example"},
            {"Origin": "null"},
        ):
            assert await client.status("index", headers=headers) == 403
            assert await client.status("mark", method="POST", headers=headers, json={}) == 403
        async with client.session.get(client.base, params={"token": client.token}) as reply:
            rules = reply.headers["Content-Security-Policy"]
            assert reply.headers["Referrer-Policy"] == "no-referrer"
        assert "connect-src 'self'" in rules
        assert "frame-ancestors 'none'" in rules

    view(work, finished_run)


def test_marks_are_saved_beside_the_run(view, run_copy):
    async def work(client: Client) -> None:
        await client.samples(16)

        async def mark(**given: Any) -> int:
            return await client.status("mark", method="POST", json=given)

        assert await mark(run=0, id="3", sample=1, doubt=True, note="read the wrong box") == 204
        assert await mark(run=0, id="4", sample=0, doubt=True, note="") == 204
        assert await mark(run=0, id="4", sample=0, doubt=False, note="") == 204
        for wrong in ({"id": "99"}, {"sample": 7}, {"run": 1}, {"run": -1}, {"doubt": "yes"}, {"note": 3}):
            assert await mark(**{"run": 0, "id": "3", "sample": 1, "doubt": True, **wrong}) == 400
        assert await client.status("mark", method="POST", data="run=0") == 400
        (listed,) = (await client.json("index"))["marks"]
        assert (listed["id"], listed["note"]) == ("3", "read the wrong box")

    view(work, run_copy)
    (mark,) = st.Run(run_copy).marks.values()
    verdict = next(sample.verdict for sample in st.Run(run_copy) if sample.key == ("3", 1))
    assert (mark.key, mark.doubt, mark.note, mark.verdict) == (("3", 1), True, "read the wrong box", verdict)


def test_a_run_that_goes_on_is_followed(view, run_copy):
    journals = {name: (run_copy / name).read_bytes().splitlines(True) for name in ("responses.jsonl", "scores.jsonl")}
    for name, lines in journals.items():
        (run_copy / name).write_bytes(b"".join(lines[:4]))
    for name in ("results.json", "summary.json", ".derived"):
        (run_copy / name).unlink()

    def append(name: str, data: bytes) -> None:
        with (run_copy / name).open("ab") as file:
            file.write(data)

    async def work(client: Client) -> None:
        index = await client.samples(3)
        seen = len(index["samples"]["id"])
        assert index["runs"][0]["pending"] == 12
        # the rest, the last line of each in two pieces
        for name, lines in journals.items():
            append(name, b"".join(lines[4:])[:-20])
        await client.told(lambda event: event["samples"] >= 15)
        for name, lines in journals.items():
            append(name, lines[-1][-20:])
        await client.told(lambda event: event["samples"] == 16)
        later = await client.json("index", since=seen)
        assert len(later["samples"]["id"]) == 16 - seen
        keys = {*zip(later["samples"]["id"], later["samples"]["sample"], strict=True)}
        verdicts = {sample.key: sample.verdict for sample in st.Run(run_copy)}
        assert keys < {*verdicts}
        whole = (await client.json("index"))["samples"]
        rows = zip(whole["id"], whole["sample"], whole["verdict"], strict=True)
        assert {SampleKey(*key): verdict for *key, verdict in rows} == verdicts
        assert len(await client.json("block/0")) == 16

    view(work, run_copy)


def test_verdicts_that_change_are_told(view, run_copy):
    async def work(client: Client) -> None:
        before = await client.samples(16)
        key = SampleKey("3", 1)
        with folder.load(run_copy, Lock(run_copy)) as run:
            scores = [score for one in run.answered() if (score := run.score(one)) is not None]
            run.begin_scoring(PassBegin({"scorer": "math"}))
            for score in scores:
                run.add_score(score if score.key != key else Score(True, "by hand", "1", "correct", key=key))
        await client.told(lambda event: event["edition"] > before["edition"])
        after = await client.json("index")
        row = [*zip(after["samples"]["id"], after["samples"]["sample"], strict=True)].index(key)
        assert after["samples"]["verdict"][row] == "correct"
        assert len(after["samples"]["id"]) == 16
        assert (await client.json("block/0"))[row]["reason"] == "by hand"

    view(work, run_copy)


def test_a_run_that_is_made_anew_or_gone(view, run_copy):
    async def work(client: Client) -> None:
        await client.samples(16)
        (run_copy / "results.json").unlink()
        with folder.load(run_copy, Lock(run_copy)) as run:
            manifest = run.manifest
        (run_copy / "responses.jsonl").unlink()
        (run_copy / "scores.jsonl").unlink()
        manifest.write(run_copy)
        with folder.load(run_copy, Lock(run_copy)) as run:
            run.add_response(Response(key=SampleKey("0", 0), content="hello", finish_reason="stop"))
        await client.told(lambda event: event["samples"] == 1)
        for name in ("run.json", ".run.json"):
            (run_copy / name).unlink()
        await client.told(lambda event: "trouble" in event)

    view(work, run_copy)


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_the_command_serves_until_it_is_told_to_end(finished_run, how):
    command = [sys.executable, "-m", "skythought", "view", str(finished_run)]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env={**os.environ})
    try:
        address = server.stdout.readline().strip()
        assert re.fullmatch(r"http://127\.0\.0\.1:\d+/\?token=[\w-]{30,}", address)
        server.send_signal(how)
        _, err = server.communicate(timeout=60)
        assert (server.returncode, err) == (0, "")
    finally:
        server.kill()


def test_a_port_in_use_is_one_line(finished_run, wait):
    async def work() -> str:
        async with viewing(finished_run) as client:
            port = int(client.base.rstrip("/").rpartition(":")[2])
            second = Viewer([finished_run])
            with pytest.raises(st.UserError) as refused:
                await second.open(port)
            return str(refused.value)

    assert "--port" in wait(work())
