"""`skythought view`: the page from this machine alone, behind a token that only its address has.

A page of another site that a browser has open may send requests here, also under a name that it makes point to this
machine (DNS rebinding). So the token, the host's name and the origin are all checked, and no answer may be framed.
"""

from __future__ import annotations

import asyncio
import hmac
import json
import secrets
import signal
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from aiohttp import web

from skythought.errors import SkythoughtError, UserError
from skythought.printable import printable
from skythought.reporting.blocks import packed
from skythought.reporting.following import Following
from skythought.reporting.page import END, before_data, policy, script
from skythought.types import SampleKey

__all__ = ["Viewer", "serve"]

HOST = "127.0.0.1"
LOOK_S = 1.0
"""How often the journals are looked at."""
BEAT_S = 15.0
"""How often a line is sent to a page that has nothing to be told, to notice that it is gone."""
LARGEST_MARK = 20_000
READING = "<p>Reading the runs.</p><noscript><p>This page needs its script; `skythought report` writes one that does "
READING += "not.</p></noscript>"

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Viewer:
    """Serves the page about some runs until `close`."""

    def __init__(self, paths: Sequence[Path]) -> None:
        """Raises RunFolderError if a folder holds no run, or a damaged one."""
        self._following = Following(paths)
        self._token = secrets.token_urlsafe(24)
        self._title = ", ".join(path.resolve().name for path in paths)
        self._changed = asyncio.Condition()
        self._ending = False
        self._port = 0
        self._trouble = ""
        """Why the runs could not be read on; the page shows what there was."""

    @property
    def address(self) -> str:
        """Of the page, with its token."""
        return f"http://{HOST}:{self._port}/?token={self._token}"

    async def open(self, port: int = 0) -> None:
        """Begin to serve and to read.

        Args:
            port: 0: any that is free.

        Raises:
            UserError: The port is in use.
        """
        app = web.Application(middlewares=[self._guarded], client_max_size=LARGEST_MARK)
        app.router.add_get("/", self._page)
        app.router.add_get("/index", self._index)
        app.router.add_get(r"/block/{number:\d{1,9}}", self._block)
        app.router.add_get("/events", self._events)
        app.router.add_post("/mark", self._mark)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
        await self._runner.setup()
        site = web.TCPSite(self._runner, HOST, port)
        try:
            await site.start()
        except OSError as error:
            await self._runner.cleanup()
            raise UserError(f"--port {port}: {error.strerror or error}; --port 0 takes any that is free.") from None
        self._port = self._runner.addresses[0][1]
        self._reading = asyncio.create_task(self._read())

    async def close(self) -> None:
        """Serve no more."""
        self._ending = True
        self._reading.cancel()
        async with self._changed:
            self._changed.notify_all()
        with suppress(asyncio.CancelledError):
            await self._reading
        await self._runner.cleanup()

    # -- reading ----------------------------------------------------------------------------------------------

    async def _read(self) -> None:
        """List what there is, then what comes, telling the pages that are open."""
        reading = asyncio.create_task(asyncio.to_thread(self._following.read))
        while not reading.done():
            await asyncio.wait([reading], timeout=LOOK_S)
            await self._tell()
        try:
            await reading
            while True:
                await self._tell()
                await asyncio.sleep(LOOK_S)
                await asyncio.to_thread(self._following.look)
        except (SkythoughtError, OSError) as error:  # the run is gone, or damaged
            self._trouble = str(error)
            await self._tell()

    async def _tell(self) -> None:
        async with self._changed:
            self._changed.notify_all()

    def _state(self) -> dict[str, Any]:
        """What a page is told of: it asks for the rest."""
        state = {"samples": len(self._following), "edition": self._following.edition}
        return state | ({"trouble": self._trouble} if self._trouble else {})

    # -- requests ---------------------------------------------------------------------------------------------

    @web.middleware
    async def _guarded(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Let in only what comes from the page itself; everything else learns nothing."""
        hosts = {f"{name}:{self._port}" for name in (HOST, "localhost")}
        origin = request.headers.get("Origin")
        known = hmac.compare_digest(request.query.get("token", "").encode(), self._token.encode())
        if request.host not in hosts or (origin is not None and origin != f"http://{request.host}") or not known:
            return self._with_headers(web.Response(status=403, text="not from here"))
        try:
            return self._with_headers(await handler(request))
        except UserError as error:
            return self._with_headers(web.Response(status=400, text=str(error)))

    def _with_headers(self, response: web.StreamResponse) -> web.StreamResponse:
        if not response.prepared:
            response.headers.update(HEADERS)
            response.headers["Content-Security-Policy"] = f"{policy(served=True)}; frame-ancestors 'none'"
        return response

    async def _page(self, _: web.Request) -> web.Response:
        body = before_data(self._title, READING, served=True) + script() + END
        return web.Response(body=body, content_type="text/html", charset="utf-8")

    async def _index(self, request: web.Request) -> web.Response:
        since = request.query.get("since", "0")
        if not since.isdecimal() or len(since) > 12:
            raise UserError("since: a number of samples.")
        return _gzipped(await asyncio.to_thread(lambda: packed(self._following.index(int(since)))))

    async def _block(self, request: web.Request) -> web.Response:
        return _gzipped(await asyncio.to_thread(self._following.block, int(request.match_info["number"])))

    async def _mark(self, request: web.Request) -> web.Response:
        run, key, doubt, note = _mark_in(await request.text(), request.content_type)
        await asyncio.to_thread(self._following.mark, run, key, doubt, note)
        return web.Response(status=204)

    async def _events(self, request: web.Request) -> web.StreamResponse:
        response = self._with_headers(web.StreamResponse(headers={"Content-Type": "text/event-stream"}))
        await response.prepare(request)
        told: dict[str, Any] | None = None
        with suppress(ConnectionResetError):
            while not self._ending:
                state = self._state()
                line = f"data: {json.dumps(state)}\n\n" if state != told else ": still here\n\n"
                told = state
                await response.write(line.encode())
                with suppress(TimeoutError):
                    async with asyncio.timeout(BEAT_S), self._changed:
                        while not self._ending and self._state() == told:
                            await self._changed.wait()
        return response


HEADERS = {
    "Cache-Control": "no-store",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


def _gzipped(data: bytes) -> web.Response:
    return web.Response(body=data, content_type="application/json", headers={"Content-Encoding": "gzip"})


def _mark_in(text: str, content_type: str) -> tuple[int, SampleKey, bool, str]:
    """Run, sample, doubt and note that a page sends.

    Raises:
        UserError: It sends something else.
    """
    try:
        given: Any = json.loads(text) if content_type == "application/json" else None
        run, key = given["run"], SampleKey(given["id"], given["sample"])
        doubt, note = given.get("doubt", True), given.get("note") or ""
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        raise UserError("a mark is JSON with run, id, sample, doubt and note.") from None
    kinds = ((run, int), (key.problem_id, str), (key.sample, int), (doubt, bool), (note, str))
    if any(type(value) is not kind for value, kind in kinds):
        raise UserError("a mark is JSON with run, id, sample, doubt and note.")
    return run, key, doubt, note


async def serve(paths: Sequence[Path], port: int, ready: Callable[[str], None]) -> None:
    """Serve until Ctrl-C or SIGTERM; `ready` is told the address."""
    viewer = Viewer(paths)
    stop, loop = asyncio.Event(), asyncio.get_running_loop()
    for one in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(one, stop.set)
    await viewer.open(port)
    try:
        ready(printable(viewer.address))
        await stop.wait()
    finally:
        await viewer.close()
