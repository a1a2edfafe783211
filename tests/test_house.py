"""Promises about the code itself."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import skythought

SOURCE = Path(skythought.__file__).parent
FILES = sorted(SOURCE.rglob("*.py"))
HEAVY = {
    "datasets",
    "huggingface_hub",
    "jinja2",
    "math_verify",
    "mpmath",
    "numpy",
    "openai",
    "pandas",
    "pyarrow",
    "ray",
    "scipy",
    "sympy",
    "torch",
    "transformers",
    "vllm",
}


def loaded_by(code):
    program = f"import sys\n{code}\nprint(*{{name.partition('.')[0] for name in sys.modules}})"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


def test_importing_the_package_loads_next_to_nothing():
    assert not loaded_by("import skythought") & {*HEAVY, "pydantic", "typer", "yaml"}


def test_help_loads_nothing_heavy():
    code = """
import contextlib, io
from skythought.cli import app
with contextlib.redirect_stdout(io.StringIO()), contextlib.suppress(SystemExit):
    app.app(["evaluate", "--help"])
"""
    assert not loaded_by(code) & {*HEAVY, "yaml"}


def test_checking_options_loads_no_engine():
    code = """
from skythought.pipeline.plan import Options, make_plan
make_plan(Options(task=("gsm8k",), model="m", backend="openai", result_dir="."), grade=True)
"""
    assert not loaded_by(code) & (HEAVY - {"jinja2"})


def test_public_names_are_there_and_sorted():
    assert list(skythought.__all__) == sorted(skythought.__all__)
    for name in skythought.__all__:
        assert getattr(skythought, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'evalute'"):
        _ = skythought.evalute


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(SOURCE)))
def test_files_and_functions_stay_readable(path):
    text = path.read_text(encoding="utf-8")
    assert text.count("\n") <= 500, "a file tells one story"
    tree = ast.parse(text)
    assert ast.get_docstring(tree), "a module says what it is for"
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            assert node.end_lineno - node.lineno < 60, f"{node.name} is too long"


def test_no_module_is_an_attic():
    assert not {"utils", "util", "helpers", "common", "misc"} & {path.stem for path in FILES}
