"""Which files a task's rows are in: subsets and splits as an ordered list of data files.

Names on the hub are resolved by `datasets` (it knows a dataset's configurations and naming patterns), which only lists;
the files are read by `readers`, the same for a local file, an address and the hub.
"""

from __future__ import annotations

import glob
import os
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from itertools import islice
from pathlib import Path
from typing import Any

from skythought.config import TaskConfig
from skythought.errors import UserError, did_you_mean, unknown
from skythought.tasks.data.hub import Hub, NotCachedError
from skythought.tasks.data.readers import KINDS, kind_of

__all__ = ["DataFile", "data_files", "local_path", "named"]

LIBRARY = Path(__file__).parent.parent / "library"
MOST_FILES = 100_000
"""In a local dataset's folder."""
LOADERS = ("json", "csv", "parquet", "arrow")
"""Names that `datasets` has for kinds of files: a `dataset_path` with the files in `data_files`."""
OURS = {"revision", "data_files", "data_dir", "columns", "streaming", "token", "trust_remote_code"}
"""Arguments of `load_dataset` that are understood here; with others, `datasets` reads the rows itself."""


@dataclass(frozen=True, slots=True)
class DataFile:
    """One file of rows."""

    address: str
    """A local path, `hf://datasets/NAME@COMMIT/PATH`, or http(s)."""
    marks: Mapping[str, str] = field(default_factory=dict)
    """Where several subsets or splits are joined: columns that tell which one, for rows that have no such column."""


def data_files(task: TaskConfig, hub: Hub) -> list[DataFile] | None:
    """The files of a task's dataset in reading order; None if only `datasets` itself can read it.

    Raises:
        UserError: What the task names is not there.
    """
    path = local_path(task.dataset_path)
    if path is None and ("[" in (task.dataset_split or "") or set(task.dataset_kwargs) - OURS):
        return None
    subsets = task.dataset_subset if isinstance(task.dataset_subset, list) else [task.dataset_subset]
    splits = [part.strip() for part in task.dataset_split.split("+")] if task.dataset_split else [None]
    found: list[DataFile] = []
    with tempfile.TemporaryDirectory() as place:
        finder = _finder(task, path, hub, Path(place).resolve())
        for subset in subsets:
            for split in splits:
                addresses = finder(subset, split)
                if addresses is None:
                    return None
                if path is None and not all(kind_of(named(address)) for address in addresses):
                    return None
                marks = {"subset": subset if len(subsets) > 1 else None, "split": split if len(splits) > 1 else None}
                kept = {name: value for name, value in marks.items() if value is not None}
                known = {file.address for file in found}  # a folder whose files are not named by subset is read once
                found += [DataFile(address, kept) for address in addresses if address not in known]
    return found


def local_path(dataset_path: str) -> Path | None:
    """The file or folder meant by a dataset's path, or None if it is a name on the hub, an address or a loader.

    Raises:
        UserError: It can only be a local path, and nothing is there.
    """
    if "://" in dataset_path or dataset_path in LOADERS:
        return None
    path = Path(dataset_path).expanduser()
    if (LIBRARY / path).is_file():
        return LIBRARY / path
    if path.exists():
        return path
    if dataset_path.startswith((".", "/", "~")) or kind_of(path.name) or dataset_path.count("/") > 1:
        siblings = [entry.name for entry in path.parent.iterdir()] if path.parent.is_dir() else []
        near = did_you_mean(path.name, siblings)
        raise UserError(f"dataset {dataset_path!r}: there is no such file or folder.{near}")
    return None


Finder = Callable[[str | None, str | None], list[str] | None]
"""From a subset and a split to the addresses of their files; None if only `datasets` can read them."""


def _finder(task: TaskConfig, path: Path | None, hub: Hub, place: Path) -> Finder:
    """How the files of this task's dataset are found. `place` is an empty folder that stays while it is used."""
    if path is not None:
        return _in_local(task, path, place)
    if "://" in task.dataset_path:
        return lambda subset, split: _expanded([task.dataset_path], hub)
    if task.dataset_path in LOADERS:
        return lambda subset, split: _expanded(_of_split(task, task.dataset_kwargs.get("data_files"), split), hub)
    try:
        repo = hub.repo(task.dataset_path, task.dataset_kwargs.get("revision"))
    except NotCachedError:
        return lambda subset, split: None  # `datasets` may have a cache of its own
    folder = repo.skeleton(place / "repository")
    in_skeleton = _by_datasets(task, folder, place / "cache")

    def find(subset: str | None, split: str | None) -> list[str] | None:
        files = in_skeleton(subset, split)
        if files is None:
            return None
        inside = [Path(file).relative_to(folder).as_posix() if file.startswith(str(folder)) else file for file in files]
        return [found for file in inside for found in (hub.expanded(file) if "://" in file else [repo.address(file)])]

    return find


def named(address: str) -> str:
    """The part of an address whose end tells the kind of file."""
    return address.partition("?")[0] if address.startswith("http") else address


def _expanded(patterns: Sequence[str], hub: Hub) -> list[str]:
    found: list[str] = []
    for pattern in patterns:
        if pattern.startswith("hf://"):
            found += hub.expanded(pattern)
        elif "://" in pattern:
            found.append(pattern)
        else:
            matches = glob.iglob(str(Path(pattern).expanduser()), recursive=True)  # noqa: PTH207  absolute ones too
            names = sorted(islice(matches, MOST_FILES + 1))
            if len(names) > MOST_FILES:
                raise UserError(f"dataset_kwargs data_files: {pattern!r} matches over {MOST_FILES:,} files.")
            if not names:
                raise UserError(f"dataset_kwargs data_files: there is no file {pattern!r}.")
            found += names
    return found


def _of_split(task: TaskConfig, files: Any, split: str | None) -> list[str]:
    """The file patterns that `data_files` gives for a split: text, a list, or a mapping from splits to these."""
    if not files:
        raise UserError(f"dataset_path {task.dataset_path!r} needs dataset_kwargs: {{data_files: ...}}.")
    if isinstance(files, Mapping):
        files = files[_chosen(f"dataset {task.dataset_path!r}", "split", split, [str(key) for key in files])]
    return [files] if isinstance(files, str) else [str(file) for file in files]


def _chosen(where: str, what: str, wanted: str | None, known: Sequence[str]) -> str:
    if wanted is None and len(known) == 1:
        return known[0]
    if wanted is None:
        raise UserError(f"{where}: set dataset_{what} to one of {', '.join(known)}.")
    if wanted not in known:
        raise unknown(f"{what} of {where}", wanted, known)
    return wanted


def _by_datasets(task: TaskConfig, folder: Path, cache_dir: Path) -> Finder:
    """Finds files in a folder as `datasets` does: by the configurations in its README, or by names.

    The cache is one of its own, so that nothing is left in the user's.
    """
    import datasets

    arguments = {name: task.dataset_kwargs[name] for name in ("data_files", "data_dir") if name in task.dataset_kwargs}

    @cache
    def splits_of(subset: str | None) -> dict[str, list[str]] | None:
        builder = datasets.load_dataset_builder(str(folder), subset, cache_dir=str(cache_dir), **arguments)
        files = builder.config.data_files
        if not files or not _is_plain(builder.config):
            return None
        return {str(name): list(map(str, paths)) for name, paths in files.items()}

    def find(subset: str | None, split: str | None) -> list[str] | None:
        known = splits_of(subset)
        return None if known is None else known[_chosen(f"dataset {task.dataset_path!r}", "split", split, list(known))]

    return find


def _is_plain(config: Any) -> bool:
    """Whether a dataset's own configuration asks for nothing but reading its files (no other separator, no field)."""
    usual = {"sep": (",", "\t"), "delimiter": (None,), "header": ("infer",), "names": (None,), "field": (None,)}
    return all(getattr(config, name, values[0]) in values for name, values in usual.items())


def _in_local(task: TaskConfig, path: Path, place: Path) -> Finder:
    arguments = [name for name in task.dataset_kwargs if name not in ("trust_remote_code", "columns", "streaming")]
    if arguments:
        raise UserError(f"dataset_kwargs {arguments[0]!r} does not apply to the local dataset {str(path)!r}.")
    if path.is_file():
        return lambda subset, split: [str(path)]

    def by_names(subset: str | None, split: str | None) -> list[str]:
        return [str(file) for file in _of_folder(path, subset, split)]

    if not _has_configurations(path):
        return by_names
    as_on_the_hub = _by_datasets(task, path, place / "cache")  # a copy of a repository of the hub

    def find(subset: str | None, split: str | None) -> list[str]:
        found = as_on_the_hub(subset, split)
        return by_names(subset, split) if found is None else [_within(file, path) for file in found]

    return find


def _within(file: str, folder: Path) -> str:
    """The file, if it lies below the folder (links count where they stand: the hub's cache has them), or on the net.

    A README is part of the dataset, which may be anybody's: it must not name other files of this machine.
    """
    if "://" in file and not file.startswith("file:"):
        return file
    path = os.path.abspath(file.removeprefix("file://"))  # noqa: PTH100  resolve() would follow links
    for place in (os.path.abspath(folder), folder.resolve()):  # noqa: PTH100
        if Path(path).is_relative_to(place):
            return path
    raise UserError(f"dataset {str(folder)!r}: its README.md names {file!r}, which lies outside of it.")


def _has_configurations(folder: Path) -> bool:
    readme = folder / "README.md"
    return readme.is_file() and "\nconfigs:" in readme.read_text(encoding="utf-8", errors="replace")[:100_000]


def _of_folder(folder: Path, subset: str | None, split: str | None) -> list[Path]:
    """Data files in a folder in reading order; subset and split choose among them by name where they can."""
    files = sorted(file for file in _files_below(folder) if kind_of(file.name) and file.is_file() and _is_data(file))
    if subset:
        named = [file for file in files if subset in _words(file, folder)]
        files = named or files
    if split:
        named = [file for file in files if any(word.startswith(split) for word in _words(file, folder))]
        files = named or files
    if not files:
        raise UserError(f"dataset {str(folder)!r}: no data files in this folder ({', '.join(KINDS)}).")
    return files


def _files_below(folder: Path) -> Iterator[Path]:
    """All files in a folder and those in it. A folder that is no dataset's, such as `/`, is not searched to its end."""
    seen = 0
    for place, folders, names in os.walk(folder):
        seen += len(folders) + len(names)
        if seen > MOST_FILES:
            raise UserError(f"dataset {str(folder)!r}: over {MOST_FILES:,} files: give its own folder.")
        yield from (Path(place, name) for name in names)


def _is_data(file: Path) -> bool:
    return file.name not in ("dataset_info.json", "state.json", "dataset_dict.json") and not (
        file.name.startswith((".", "cache-")) or any(part.startswith(".") for part in file.parts[-3:])
    )


def _words(file: Path, folder: Path) -> Iterator[str]:
    yield from file.relative_to(folder).parts[:-1]
    yield file.name.partition(".")[0]
