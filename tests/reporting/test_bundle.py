"""The script that is shipped is the one that the sources build."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest
from made_pages import BUNDLE
from places import ROOT

SOURCES = ROOT / "page"
FILES = ("page.js", "page.css", "LICENSES.txt")
MOST_BYTES = 1_000_000


def test_the_bundle_is_small_and_can_stand_in_a_page() -> None:
    assert sum((BUNDLE / name).stat().st_size for name in FILES) < MOST_BYTES
    script = (BUNDLE / "page.js").read_text(encoding="utf-8").lower()
    assert "</script" not in script
    assert "<!--" not in script
    assert "</style" not in (BUNDLE / "page.css").read_text(encoding="utf-8").lower()


def test_the_licence_of_each_package_is_shipped() -> None:
    text = (BUNDLE / "LICENSES.txt").read_text(encoding="utf-8")
    for package in ("preact", "htm", "katex", "highlight.js", "@observablehq/plot", "@tanstack/virtual-core"):
        assert f"\n{package} " in text
    assert "Permission is hereby granted" in text
    assert "Apache License" in text


def test_only_one_file_makes_html_of_text() -> None:
    makes = re.compile(
        r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|DOMParser|createContextualFragment|srcdoc"
    )
    found = {path.name: makes.findall(path.read_text(encoding="utf-8")) for path in SOURCES.glob("src/**/*.js")}
    assert {name: uses for name, uses in found.items() if uses} == {"typeset.js": ["innerHTML"] * 3}


def test_the_lock_file_names_no_registry() -> None:
    assert "http" not in "".join(
        line for line in (SOURCES / "package-lock.json").read_text().splitlines() if '"resolved"' in line
    )


def test_the_bundle_is_what_the_sources_build(tmp_path: Path) -> None:
    if shutil.which("node") is None or shutil.which("npm") is None:
        pytest.skip("node is not installed: whether the shipped page is the built one is not checked")
    sources = tmp_path / "page"
    shutil.copytree(SOURCES, sources, ignore=shutil.ignore_patterns("node_modules"))
    installed = subprocess.run(
        ["npm", "ci", "--no-audit", "--no-fund"], cwd=sources, capture_output=True, text=True, timeout=240
    )
    if installed.returncode != 0:
        pytest.skip(f"npm cannot install the page's packages here: {installed.stderr[-300:]}")
    subprocess.run(["node", "build.js", "built"], cwd=sources, check=True, timeout=120)
    for name in FILES:
        built, shipped = (sources / "built" / name).read_bytes(), (BUNDLE / name).read_bytes()
        assert built == shipped, f"{name} is not what page/ builds: run `make page`"
