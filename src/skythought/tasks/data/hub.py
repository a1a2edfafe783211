"""The model hub through its own client: which commit is meant, what it holds, and reading one of its files.

A file is read from the client's cache if it lies there. Else a small one is put there, and so is a large one, unless
only some rows are wanted: then it is streamed, and no more crosses the net than is read.
"""

from __future__ import annotations

import contextlib
import io
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO, cast
from urllib.parse import unquote

from skythought.errors import UserError
from skythought.tasks.data.readers import Source

__all__ = ["Hub", "NotCachedError", "Repo"]

SMALL = 64 * 2**20
"""Bytes up to which a file is worth a place in the cache even if only some rows are wanted."""
CHUNK = 2**20
CONNECT_S, SILENCE_S = 10.0, 60.0
"""How long to wait for a connection, and for the next byte."""
ADDRESS = re.compile(r"hf://datasets/([^/@]+/[^/@]+)(?:@(refs/(?:convert|pr)/[^/]+|[^/]+))?/(.+)")
CARDS = {"README.md", ".huggingface.yaml", "dataset_infos.json"}
"""Files that say which configurations a dataset has."""
SEEKING = (".parquet", ".arrow")


class NotCachedError(UserError):
    """Offline, and the hub client's cache holds nothing of the dataset."""


@dataclass(frozen=True, slots=True)
class Repo:
    """A dataset's repository at one commit; offline, what the cache holds of it."""

    name: str
    commit: str
    sizes: Mapping[str, int | None]
    """Every file's path in the repository -> its size in bytes, if the hub tells."""
    folder: Path | None = None
    """Where the cache keeps the files of this commit; only set offline."""

    def matching(self, pattern: str) -> list[str]:
        """Addresses of the files whose path matches `pattern` (`*` within a folder, `**` across), sorted.

        Raises:
            UserError: There is none.
        """
        glob = re.escape(pattern).replace(r"\*\*", ".*").replace(r"\*", "[^/]*").replace(r"\?", "[^/]")
        found = sorted(path for path in self.sizes if re.fullmatch(glob, path))
        if not found:
            where = "in the cache (HF_HUB_OFFLINE is set)" if self.folder else f"at commit {self.commit[:7]}"
            raise UserError(f"dataset {self.name!r}: there is no file {pattern!r} {where}.")
        return [self.address(path) for path in found]

    def skeleton(self, place: Path) -> Path:
        """A folder in `place` with this commit's files, all empty but those that describe the dataset.

        `datasets` finds in it what it would find on the hub, in one place, online and offline, without asking.
        """
        folder = place / self.name.rpartition("/")[2]
        for path in self.sizes:
            if ".." in path.split("/") or path.startswith("/"):
                continue
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).touch()
            if path in CARDS and (card := self._cached(path)):
                (folder / path).write_bytes(card.read_bytes())
        return folder

    def _cached(self, path: str) -> Path | None:
        from huggingface_hub import try_to_load_from_cache

        found = try_to_load_from_cache(self.name, path, revision=self.commit, repo_type="dataset")
        return Path(found) if isinstance(found, str) else None

    def address(self, path: str) -> str:
        """Where a file of this commit is read from.

        Raises:
            UserError: Offline, it is not in the cache.
        """
        if self.folder is None:
            return f"hf://datasets/{self.name}@{self.commit}/{path}"
        if not (self.folder / path).is_file():
            raise UserError(
                f"dataset {self.name!r}: the cache lacks {path!r}, and HF_HUB_OFFLINE is set. With a network: "
                f"`hf download --repo-type dataset {self.name}`."
            )
        return str(self.folder / path)


@dataclass
class Hub:
    """What one load asks of the hub. Requests go through `huggingface_hub`, so mirrors, tokens and caches work."""

    pinned: Mapping[str, str] = field(default_factory=dict)
    """Repository -> the commit to read where no revision is asked for."""
    token: Any = None
    _repos: dict[tuple[str, str | None], Repo] = field(default_factory=dict)
    _read: dict[str, str] = field(default_factory=dict)

    @property
    def revisions(self) -> dict[str, str]:
        """Repository or address -> the commit (or ETag) that was read so far, or is pinned."""
        return {**self.pinned, **self._read}

    @property
    def offline(self) -> bool:
        """Whether HF_HUB_OFFLINE is set."""
        from huggingface_hub import constants

        return bool(constants.HF_HUB_OFFLINE)

    def repo(self, name: str, revision: str | None = None) -> Repo:
        """The repository at a branch, tag, reference or commit, which is looked up at once and only once.

        Raises whatever the client raises: no such repository, no such revision, no network, too many requests.
        """
        asked = revision or self.revisions.get(f"datasets/{name}")
        if (name, asked) not in self._repos:
            found = self._cached(name, asked) if self.offline else self._listed(name, asked)
            self._repos[(name, asked)] = self._repos[(name, found.commit)] = found
            self._read[f"datasets/{name}"] = found.commit
        return self._repos[(name, asked)]

    def expanded(self, address: str) -> list[str]:
        """An address of the hub (`hf://datasets/NAME[@REVISION]/PATTERN`) as those of files at one commit."""
        match = ADDRESS.fullmatch(address)
        if match is None:
            raise UserError(f"dataset {address!r}: an address of the hub reads hf://datasets/NAME[@REVISION]/FILE.")
        name, revision, pattern = match.groups()
        return self.repo(name, unquote(revision) if revision else None).matching(pattern)

    def fetch(self, address: str, *, stream: bool) -> Source:
        """A data file, to be read once.

        Args:
            address: A local path, an address with a commit (as `Repo.address` gives it), or http(s).
            stream: Whether a large file should be streamed rather than put into the cache whole.
        """
        if address.startswith("hf://"):
            return self._fetch_from_hub(address, stream)
        if "://" in address:
            return self._fetch_url(address)
        return Path(address)

    def _listed(self, name: str, revision: str | None) -> Repo:
        from huggingface_hub import HfApi

        api = HfApi(token=self.token, library_name="skythought")
        # One request, without the client's retries: no network is noticed here, not after minutes.
        info = api.dataset_info(name, revision=revision, files_metadata=True, timeout=CONNECT_S)
        sizes = {file.rfilename: file.size for file in info.siblings or ()}
        for path in sizes.keys() & CARDS:  # this also leaves in the cache which commit the branch meant
            api.hf_hub_download(name, path, repo_type="dataset", revision=revision)
        _keep_listing(name, str(info.sha), sizes)
        return Repo(name, str(info.sha), sizes)

    def _cached(self, name: str, revision: str | None) -> Repo:
        """What lies in the client's cache, whose layout its documentation describes.

        Raises:
            NotCachedError: Nothing of this dataset is there.
        """
        from huggingface_hub import constants

        root = Path(constants.HF_HUB_CACHE) / f"datasets--{name.replace('/', '--')}"
        reference = root / "refs" / (revision or "main")
        commit = reference.read_text(encoding="utf-8").strip() if reference.is_file() else revision or "main"
        folder = root / "snapshots" / commit
        if not folder.is_dir():
            raise NotCachedError(
                f"dataset {name!r} is not in the cache ({constants.HF_HUB_CACHE}), and HF_HUB_OFFLINE is set. With a "
                f"network: `hf download --repo-type dataset {name}`; or give a local copy: "
                "--task-args dataset_path=FILE."
            )
        sizes = _kept_listing(name, commit)
        if sizes is None:  # brought here by another program
            files = [file for file in folder.rglob("*") if file.is_file()]
            sizes = {file.relative_to(folder).as_posix(): None for file in files}
            _require_all_parts(name, sizes)
        return Repo(name, commit, sizes, folder)

    def _fetch_from_hub(self, address: str, stream: bool) -> Source:
        from huggingface_hub import HfApi, HfFileSystem, try_to_load_from_cache

        match = ADDRESS.fullmatch(address)
        assert match is not None
        name, commit, path = match.groups()
        cached = try_to_load_from_cache(name, path, revision=commit, repo_type="dataset")
        if isinstance(cached, str):
            return Path(cached)
        size = self.repo(name, commit).sizes.get(path)
        if stream and size is not None and size > SMALL and not path.endswith(".json"):
            files = HfFileSystem(token=self.token)
            if path.endswith(SEEKING):
                return cast(BinaryIO, files.open(address, "rb", block_size=CHUNK, cache_type="none"))
            return _buffered(files.open(address, "rb", block_size=0))
        api = HfApi(token=self.token, library_name="skythought")
        return Path(api.hf_hub_download(name, path, repo_type="dataset", revision=commit))

    def _fetch_url(self, address: str) -> BinaryIO:
        if self.offline:
            raise UserError(
                f"dataset {address!r} is an address, and HF_HUB_OFFLINE is set: addresses are not kept in the cache. "
                "Give a local copy: --task-args dataset_path=FILE."
            )
        import aiohttp
        from fsspec import filesystem

        limits = aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_S, sock_read=SILENCE_S)
        files = filesystem("http", client_kwargs={"timeout": limits, "trust_env": True})
        info = files.info(address)
        self._read[address] = info.get("ETag") or info.get("Last-Modified") or ""
        if address.partition("?")[0].endswith(SEEKING):
            return cast(BinaryIO, files.open(address, "rb", block_size=CHUNK, size=info["size"]))
        return _buffered(files.open(address, "rb", block_size=0))


def _listing(name: str, commit: str) -> Path:
    from huggingface_hub import constants

    return Path(constants.HF_HOME) / "skythought" / f"datasets--{name.replace('/', '--')}" / f"{commit}.json"


def _keep_listing(name: str, commit: str, sizes: Mapping[str, int | None]) -> None:
    """Remember what a commit holds, so that offline a dataset is found as online, and what is lacking is known."""
    path = _listing(name, commit)
    with contextlib.suppress(OSError):  # a home that cannot be written: then without
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(json.dumps(sizes), encoding="utf-8")


def _kept_listing(name: str, commit: str) -> dict[str, int | None] | None:
    try:
        found: dict[str, int | None] = json.loads(_listing(name, commit).read_text(encoding="utf-8"))
        return found
    except (OSError, ValueError):
        return None


def _require_all_parts(name: str, paths: Mapping[str, Any]) -> None:
    """Refuse a cache that holds only some parts of a file in parts (`-00001-of-00005`): rows would be missing."""
    for path in paths:
        match = re.fullmatch(r"(.*)-\d{5}-of-(\d{5})(.*)", path)
        if match is None:
            continue
        stem, count, rest = match.groups()
        for number in range(int(count)):
            part = f"{stem}-{number:05d}-of-{count}{rest}"
            if part not in paths:
                raise UserError(
                    f"dataset {name!r}: the cache lacks {part!r}, and HF_HUB_OFFLINE is set; with a network: "
                    f"`hf download --repo-type dataset {name}`."
                )


class _Raw(io.RawIOBase):
    """A stream that can only be read forward, as a raw file, so that lines can be read from it in large pieces."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        piece = self._stream.read(len(buffer))
        buffer[: len(piece)] = piece
        return len(piece)

    def close(self) -> None:
        if not self.closed:
            self._stream.close()
        super().close()


def _buffered(stream: Any) -> BinaryIO:
    return cast(BinaryIO, io.BufferedReader(_Raw(stream), CHUNK))
