"""What the shell completes: tasks, models, parts, run folders. It asks at every press of a key, so nothing is imported
for it but a parser of YAML, no plugin is run, and whatever cannot be read is no name.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

__all__ = ["completer", "model_names", "run_folders", "task_names"]

Completer = Callable[[str], list[str]]
RUN_FILES = ("run.json", "results.json")
MOST_FOLDERS = 1000
"""Of one folder; more is nothing that one chooses from by hand."""


def completer(option: str) -> Completer | None:
    """What completes an option's value, by the option's name with underscores; None: files, as the shell does it."""
    return COMPLETERS.get(option)


def task_names(incomplete: str) -> list[str]:
    """Tasks of the library; of several by commas the last one."""
    from skythought.catalog import PACKAGE

    return _last_of_several(incomplete, (path.stem for path in (PACKAGE / "tasks" / "library").glob("*.yaml")))


def model_names(incomplete: str) -> list[str]:
    """Models with a preset of the library's or the user's own; of several by commas the last one."""
    from skythought.models.files import LIBRARY, user_file

    return _last_of_several(incomplete, [*_keys(LIBRARY, "models"), *_keys(user_file(), "models")])


def run_folders(incomplete: str) -> list[str]:
    """Run folders beside what is typed; and other folders, which may hold runs, with a slash behind."""
    typed = Path(incomplete).expanduser()
    folder = typed if incomplete.endswith("/") or not incomplete else typed.parent
    head = incomplete[: incomplete.rfind("/") + 1]
    try:
        found = [path for path in folder.iterdir() if path.is_dir() and not path.name.startswith(".")]
    except OSError:
        return []
    names = (head + path.name + ("" if _is_run(path) else "/") for path in sorted(found)[:MOST_FOLDERS])
    return [name for name in names if name.startswith(incomplete)]


def _is_run(path: Path) -> bool:
    return any((path / name).is_file() for name in RUN_FILES)


def _system_prompts(incomplete: str) -> list[str]:
    from skythought.models.files import LIBRARY, user_file

    return _beginning([*_keys(LIBRARY, "system_prompts"), *_keys(user_file(), "system_prompts")], incomplete)


def _backends(incomplete: str) -> list[str]:
    return _parts("backend", incomplete)


def _executors(incomplete: str) -> list[str]:
    return _parts("executor", incomplete)


def _exporters(incomplete: str) -> list[str]:
    return _parts("exporter", incomplete)


def _scorers(incomplete: str) -> list[str]:
    """`--task-args scorer=` and a scorer's name."""
    return [f"scorer={name}" for name in _parts("scorer", incomplete.removeprefix("scorer="))]


def _parts(kind: str, incomplete: str) -> list[str]:
    from skythought.catalog import FOLDERS, entries, part_names

    known: dict[str, str] = {one: FOLDERS[one].rpartition("/")[2] for one in FOLDERS}
    own = next(part_names(one) for one in FOLDERS if one == kind)
    return _beginning([*own, *entries(known[kind])], incomplete)


def _last_of_several(incomplete: str, names: Iterable[str]) -> list[str]:
    head = incomplete[: incomplete.rfind(",") + 1]
    return [head + name for name in _beginning(names, incomplete.removeprefix(head))]


def _beginning(names: Iterable[str], incomplete: str) -> list[str]:
    return sorted({name for name in names if name.startswith(incomplete)})


def _keys(file: Path, section: str) -> Iterator[str]:
    """The names in one section of a file of presets."""
    import yaml

    try:
        content = yaml.load(file.read_bytes(), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    except (OSError, ValueError, yaml.YAMLError):
        return
    names = content.get(section) if isinstance(content, dict) else None
    yield from map(str, names if isinstance(names, dict) else ())


COMPLETERS: dict[str, Completer] = {
    **dict.fromkeys(("task", "decontaminate"), task_names),
    **dict.fromkeys(("model", "judge_model"), model_names),
    **dict.fromkeys(("backend", "judge_backend"), _backends),
    **dict.fromkeys(("run_dir", "resume_from", "versus", "difficulty", "result_dir"), run_folders),
    "executor": _executors,
    "format": _exporters,
    "system_prompt_name": _system_prompts,
    "task_args": _scorers,
}
