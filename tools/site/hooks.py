"""What mkdocs is told beside docs/: pages made from the code, and links that lead out of docs/.

The made pages are written when the site is built, and not kept in the repository: so they cannot be out of date, and
forty pages that repeat the tasks' files are in nobody's way.
"""

from __future__ import annotations

import posixpath
import re
from pathlib import Path
from typing import Any

from mkdocs.structure.files import File, Files
from reference_pages import arguments_page, commands_page, python_page
from task_pages import FIELDS, field_of, index_page, task_page

from skythought.tasks.load import task_names

ROOT = Path(__file__).parents[2]
BESIDE = ("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "training/tiny/README.md")
"""Pages outside of docs/ that those in it may lead to."""
REFERENCE = {
    "Commands and options": ("reference/commands.md", commands_page),
    "Arguments": ("reference/arguments.md", arguments_page),
    "Python": ("reference/python.md", python_page),
}

NAMED_PAGE = re.compile(r"(?<![\w`/\[.])(?<!\]\()(?:docs/)?(\w+\.md)(?![\w`#\]])")


def on_config(config: Any) -> Any:
    """The menu's entries for the made pages, and at the end of the reference those of pages that mkdocs.yml forgot."""
    by_field = {
        field: [{name: f"tasks/{name}.md"} for name in task_names() if field_of(name) == field]
        for field in dict.fromkeys(field for field, _ in FIELDS.values())
    }
    named = re.findall(r"[\w-]+\.md", str(config.nav))
    reference: list[Any] = [path.name for path in sorted((ROOT / "docs").glob("*.md")) if path.name not in named]
    reference += [{title: page} for title, (page, _) in REFERENCE.items()]
    for entry in config.nav:
        if "Tasks" in entry:
            entry["Tasks"] = [{"All tasks": "tasks/index.md"}, *({field: names} for field, names in by_field.items())]
        if "Reference" in entry:
            entry["Reference"] += reference
    return config


def on_files(files: Files, config: Any) -> Files:
    """The made pages."""
    made = {f"tasks/{name}.md": task_page(name) for name in task_names()}
    made |= {"tasks/index.md": index_page()}
    made |= {page: write() for page, write in REFERENCE.values()}
    made |= {f"beside/{page}": (ROOT / page).read_text(encoding="utf-8") for page in BESIDE}
    for page, text in made.items():
        files.append(File.generated(config, page, content=text))
    return files


def on_page_markdown(markdown: str, page: Any, config: Any, files: Files) -> str:
    """The page as it stands in the site: links that lead out of docs/ lead to copies, and names of pages are links."""
    path = page.file.src_uri
    linked = re.sub(r"\]\((?!\w+:|#)([^)\s#]+)", lambda link: f"]({_target(path, link[1])}", markdown)
    return _named_pages(linked, path, files)


def _named_pages(markdown: str, path: str, files: Files) -> str:
    """A page's name in the text ("see ray.md") as a link to it; not in code, nor where it is one already."""

    def link(named: re.Match[str]) -> str:
        page = named[1]
        if page == path or files.get_file_from_path(page) is None:
            return named[0]
        return f"[{page.removesuffix('.md')}]({posixpath.relpath(page, posixpath.dirname(path) or '.')})"

    lines, is_fenced = [], False
    for line in markdown.splitlines():
        is_fenced ^= line.lstrip().startswith("```")
        is_code = is_fenced or line.startswith("    ")
        lines.append(line if is_code else NAMED_PAGE.sub(link, line))
    return "\n".join(lines)


def _target(page: str, link: str) -> str:
    """A link from a page of docs/, or from a copy of one beside it, as it stands in the site."""
    is_copy = page.startswith("beside/")
    place = page.removeprefix("beside/") if is_copy else f"docs/{page}"
    if not is_copy and not link.startswith(".."):
        return link
    found = posixpath.normpath(posixpath.join(posixpath.dirname(place), link))
    if found.startswith("docs/"):
        target = found.removeprefix("docs/")
    elif found in BESIDE:
        target = f"beside/{found}"
    else:
        return link
    return posixpath.relpath(target, posixpath.dirname(page) or ".")
