"""A small model hub on loopback: as much of the hub's protocol as its real clients need to load a dataset.

What a client may ask: a repository's commit and files, the listing of a folder, whether paths exist, a file's head, a
file or a part of it (large ones from "another host", by redirect), with ETags, revisions, and locked doors; and to make
a repository and commit files to it. Formats are those of `huggingface_hub`; its source is the reference.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
import threading
from collections import Counter
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, unquote, urlsplit

LARGE = 4096
"""Bytes from which a file is kept by the other host, as the hub keeps large files."""


def commit(text: str) -> str:
    """Some commit hash."""
    return hashlib.sha1(text.encode()).hexdigest()


@dataclass
class Repo:
    """A dataset's repository: files by path, at one commit for each revision."""

    files: dict[str, bytes]
    revisions: dict[str, str] = field(default_factory=lambda: {"main": commit("main")})
    """Branch, tag or reference -> commit; commits name themselves."""
    gated: bool = False
    members: set[str] = field(default_factory=set)
    """Tokens that may read a gated repository."""
    private: bool = False
    any_commit: bool = False
    """Whether every commit hash that is asked for is one of the repository's."""

    def commit_of(self, revision: str) -> str | None:
        known = revision in self.revisions.values() or (self.any_commit and re.fullmatch("[0-9a-f]{40}", revision))
        return revision if known else self.revisions.get(revision)


class HubServer(ThreadingHTTPServer):
    """Serves `repos` by name (and `files` by path, as any web server does) on a free port, and counts."""

    daemon_threads = True
    request_queue_size = 64

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.repos: dict[str, Repo] = {}
        self.files: dict[str, bytes] = {}
        self.bytes_sent: Counter[str] = Counter()
        """Path of a file -> bytes of it that went out."""
        self.asked: list[str] = []
        """Every request: method and path."""
        self.answer_all_with: int | None = None
        """A status for every request, e.g. 429."""
        threading.Thread(target=self.serve_forever, args=(0.02,), daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    @property
    def other_url(self) -> str:
        """The same by another name: a client must not send its token there."""
        return f"http://localhost:{self.server_address[1]}"

    def __exit__(self, *_: object) -> None:
        self.shutdown()
        self.server_close()


class Handler(BaseHTTPRequestHandler):
    """One request."""

    server: HubServer
    protocol_version = "HTTP/1.1"
    wbufsize = 0
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        self._answer()

    def do_HEAD(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        self._answer()

    def log_message(self, *_: object) -> None:
        """Quiet."""

    def _answer(self) -> None:
        self.body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        path = unquote(urlsplit(self.path).path)
        self.server.asked.append(f"{self.command} {path}")
        if self.server.answer_all_with:
            self._refuse(self.server.answer_all_with, "", "no")
        elif self.command == "POST" and path in ("/api/repos/create", "/api/validate-yaml"):
            self._create() if path.endswith("create") else self._json({"errors": [], "warnings": []})
        elif match := re.fullmatch(r"/api/datasets/([^/]+/[^/]+)/(preupload|commit)/main", path):
            self._upload(*match.groups())
        elif match := re.fullmatch(r"/api/datasets/([^/]+/[^/]+)(?:/(revision|tree|paths-info)/(.+))?", path):
            self._api(*match.groups())
        elif re.fullmatch(r"/api/datasets/[^/]+", path):
            self._refuse(401, "RepoNotFound", "Invalid username or password.")
        elif match := re.fullmatch(r"/datasets/([^/]+/[^/]+)/resolve/((?:refs/\w+/)?[^/]+)/(.+)", path):
            self._resolve(*match.groups())
        elif path.startswith("/other-host/") and self.headers.get("Authorization"):
            self._refuse(400, "", "a token was sent to another host")
        elif match := re.fullmatch(r"/other-host/([^/]+/[^/]+)/(.+)", path):
            self._file(path, self.server.repos[match.group(1)].files[match.group(2)], {})
        elif path in self.server.files:
            self._file(path, self.server.files[path], {})
        else:
            self._refuse(404, "", "nothing here")

    def _repo(self, name: str, revision: str, *, files: bool) -> tuple[Repo, str] | None:
        """The repository and the commit meant, or None once the refusal is sent."""
        repo = self.server.repos.get(name)
        token = (self.headers.get("Authorization") or "").removeprefix("Bearer ")
        if repo is None:
            self._refuse(401, "RepoNotFound", "Invalid username or password.")
        elif files and repo.gated and token not in repo.members:
            self._refuse(403 if token else 401, "GatedRepo", f"Access to dataset {name} is restricted.")
        elif (found := repo.commit_of(revision)) is None:
            self._refuse(404, "RevisionNotFound", f"Invalid rev id: {revision}")
        else:
            return repo, found
        return None

    def _create(self) -> None:
        asked = json.loads(self.body)
        name = f"{asked.get('organization') or 'me'}/{asked['name']}"
        url = {"url": f"{self.server.url}/datasets/{name}"}
        if name in self.server.repos:
            self._send(409, json.dumps(url).encode(), {"Content-Type": "application/json"})
            return
        self.server.repos[name] = Repo({}, private=asked.get("visibility") == "private" or bool(asked.get("private")))
        self._json(url)

    def _upload(self, name: str, what: str) -> None:
        """A commit whose files all come in it, none by way of the other host."""
        if not (self.headers.get("Authorization") or "").startswith("Bearer "):
            self._refuse(401, "", "Invalid username or password.")
        elif what == "preupload":
            files = json.loads(self.body)["files"]
            self._json({"files": [{"path": f["path"], "uploadMode": "regular", "shouldIgnore": False} for f in files]})
        else:
            files = self.server.repos[name].files
            for line in map(json.loads, self.body.splitlines()):
                if line["key"] == "file":
                    files[line["value"]["path"]] = base64.b64decode(line["value"]["content"])
                elif line["key"] == "deletedFile":
                    files.pop(line["value"]["path"])
            url = f"{self.server.url}/datasets/{name}/commit/{commit('next')}"
            self._json({"success": True, "commitOid": commit("next"), "commitUrl": url, "hookOutput": ""})

    def _api(self, name: str, what: str | None, rest: str | None) -> None:
        match = re.fullmatch(r"((?:refs/\w+/)?[^/]+)/?(.*)", rest or "main")
        assert match is not None
        revision, folder = match.groups()
        found = self._repo(name, revision, files=False)
        if found is None:
            return
        repo, sha = found
        if what == "tree":
            self._json(self._tree(repo, folder))
        elif what == "paths-info":
            paths = parse_qs(self.body.decode()).get("paths", [])
            self._json([_entry(path, repo.files[path]) for path in paths if path in repo.files])
        else:
            siblings = [{"rfilename": path, "size": len(data)} for path, data in sorted(repo.files.items())]
            self._json({"id": name, "sha": sha, "gated": "auto" if repo.gated else False, "siblings": siblings})

    def _tree(self, repo: Repo, folder: str) -> list[dict[str, object]]:
        recursive = "recursive=true" in urlsplit(self.path).query.lower()
        prefix = f"{folder}/" if folder else ""
        inside = {path: data for path, data in repo.files.items() if path.startswith(prefix)}
        parents = {path[: path.index("/", at)] for path in inside for at in _slashes(path, len(prefix))}
        folders = [{"type": "directory", "path": parent, "oid": "0"} for parent in sorted(parents)]
        entries = folders + [_entry(path, data) for path, data in sorted(inside.items())]
        return [entry for entry in entries if recursive or "/" not in str(entry["path"])[len(prefix) :]]

    def _resolve(self, name: str, revision: str, path: str) -> None:
        found = self._repo(name, revision, files=True)
        if found is None:
            return
        repo, sha = found
        headers = {"X-Repo-Commit": sha}
        if path not in repo.files:
            self._refuse(404, "EntryNotFound", "Entry not found", headers)
            return
        data = repo.files[path]
        etag = f'"{hashlib.sha256(data).hexdigest()}"'
        if len(data) < LARGE:
            self._file(path, data, {**headers, "ETag": etag})
            return
        headers |= {"X-Linked-Etag": etag, "X-Linked-Size": str(len(data))}
        self._send(302, b"", {**headers, "Location": f"{self.server.other_url}/other-host/{name}/{path}"})

    def _file(self, path: str, data: bytes, headers: dict[str, str]) -> None:
        etag = headers.setdefault("ETag", f'"{hashlib.sha256(data).hexdigest()}"')
        if self.headers.get("If-None-Match") == etag:
            self._send(304, b"", headers)
            return
        status = 200
        if match := re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range") or ""):
            start, end = int(match.group(1)), int(match.group(2) or len(data) - 1)
            headers["Content-Range"] = f"bytes {start}-{min(end, len(data) - 1)}/{len(data)}"
            data, status = data[start : end + 1], 206
        self._send(status, data, {**headers, "Accept-Ranges": "bytes"}, count_as=path)

    def _json(self, value: object) -> None:
        self._send(200, json.dumps(value).encode(), {"Content-Type": "application/json"})

    def _refuse(self, status: int, code: str, message: str, headers: dict[str, str] | None = None) -> None:
        self._send(status, b"", {**(headers or {}), "X-Error-Code": code, "X-Error-Message": message})

    def _send(self, status: int, data: bytes, headers: dict[str, str], count_as: str = "") -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        if self.command == "HEAD":
            return
        try:
            for start in range(0, len(data), 65536):
                piece = data[start : start + 65536]
                self.wfile.write(piece)
                self.server.bytes_sent[count_as] += len(piece)
        except (BrokenPipeError, ConnectionResetError):  # the client has read enough
            self.close_connection = True


def _entry(path: str, data: bytes) -> dict[str, object]:
    oid = hashlib.sha1(data).hexdigest()
    large = {"lfs": {"oid": hashlib.sha256(data).hexdigest(), "size": len(data), "pointerSize": 130}}
    return {"type": "file", "path": path, "size": len(data), "oid": oid, **(large if len(data) >= LARGE else {})}


def _slashes(path: str, start: int) -> list[int]:
    return [at for at in range(start, len(path)) if path[at] == "/"]
