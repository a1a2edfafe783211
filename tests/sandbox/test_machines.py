"""What machines offer: each layer taken away, one by one and together. Verdicts stay the same, the layers are told."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import venv
from pathlib import Path
from typing import Any

import pytest
import sortedcontainers
from places import ROOT

from skythought.sandbox.confinement import LAYERS

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the layers are Linux's")

PROGRAMS = {
    "right": "print(int(input()) * 2)",
    "raises": "raise ValueError('no')",
    "loops": "while True: pass",
    "sleeps": "import time; time.sleep(60)",
    "memory": "x = bytearray(1 << 30)",
    "crashes": "import ctypes; ctypes.string_at(8)",
    "threads": "import threading\nfor _ in range(20):\n    t = threading.Thread(target=print); t.start()\nt.join()",
    "writes": "open('x', 'w').write('a'); print(open('x').read())",
    "library": "import sortedcontainers; print(sortedcontainers.SortedList([2, 1])[0])",
}
CAUSES = {name: "ok" for name in PROGRAMS} | {
    "raises": "exception",
    "loops": "time limit",
    "sleeps": "time limit",
    "memory": "memory limit",
    "crashes": "killed",
}
SCRIPT = """
import json, sys, threading
from skythought.errors import UserError
from skythought.sandbox import Limits, Sandbox
for _ in range(70):  # more than a program may have: they are nobody's but ours
    threading.Thread(target=threading.Event().wait, daemon=True).start()
limits = Limits(cpu_s=0.3, wall_factor=0, memory_bytes=256 << 20)
with Sandbox(limits=limits) as sandbox:
    told = sandbox.layers()
    causes = {}
    for name, program in json.loads(sys.argv[1]).items():
        outcomes = list(sandbox.run_program(program, [b"1", b"2"][: 1 + (name == "right")]))
        causes[name] = sorted({outcome.cause for outcome in outcomes})
        if name == "right" and causes[name] == ["ok"]:
            assert [outcome.stdout for outcome in outcomes] == [b"2\\n", b"4\\n"]
    called = [outcome.value for outcome in sandbox.call_function("def f(x): return [x]", "f", [[1]])]
    checked = [outcome.ok for outcome in sandbox.check("def f(x): return x", ["assert f(1) == 1"], names=["f"])]
try:
    with Sandbox("strict") as strict:
        strict.layers()
    refused = ""
except UserError as error:
    refused = str(error)
print(json.dumps([told["layers"], told["missing"], told["isolated"], causes, called, checked, refused]))
"""


def run_on(lacking: str, python: str = sys.executable, **environment: str) -> list[Any]:
    """What the script says on a machine without some of what this one offers."""
    command = [python, str(ROOT / "tests" / "support" / "machine.py"), lacking, "-c", SCRIPT, json.dumps(PROGRAMS)]
    done = subprocess.run(
        command,
        capture_output=True,
        text=True,
        timeout=300,
        env={**os.environ, "PYTHONPATH": str(ROOT / "src"), **environment},
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    result: list[Any] = json.loads(done.stdout)
    return result


MACHINES = {
    "": set(),
    "unshare": {"namespaces", "private root"},
    "uid_map,user": {"namespaces", "private root"},
    "mount": {"private root"},
    "landlock": {"landlock"},
    "seccomp": {"seccomp"},
    "setuid": set(),
    "user": set(),
    "user,unshare": {"namespaces", "private root"},
    "user,mount": {"private root"},
    "user,landlock": {"landlock"},
    "user,seccomp": {"seccomp"},
    "unshare,landlock": {"namespaces", "private root", "landlock"},
    "unshare,seccomp": {"namespaces", "private root", "seccomp"},
    "mount,landlock": {"private root", "landlock"},
    "unshare,landlock,seccomp,setuid": {"namespaces", "private root", "landlock", "seccomp"},
}
"""What is taken away -> the layers that are missing then, where nothing else is."""


@pytest.mark.parametrize("lacking", MACHINES)
def test_verdicts_are_the_same_on_every_machine(lacking: str) -> None:
    if "user" in lacking.split(",") and os.geteuid() != 0:
        pytest.skip("only root can become another user")
    found, missing, isolated, causes, called, checked, refused = run_on(lacking)
    assert causes == {name: [cause] for name, cause in CAUSES.items()}
    assert (called, checked) == ([[1]], [True])
    assert found.keys() & MACHINES[lacking] == set()
    assert found.keys() | missing.keys() >= set(LAYERS)
    assert all(missing[layer] for layer in MACHINES[lacking])
    assert isolated["files"] == ("landlock" in found or "private root" in found)
    assert isolated["network"] == ("seccomp" in found or "namespaces" in found)
    assert bool(refused) == (not all(isolated.values()))


@pytest.mark.parametrize("lacking", ["", "user"])
def test_an_environment_in_the_temporary_folder(lacking: str, tmp_path: Path) -> None:
    """Its libraries lie where programs have their own temporary folder."""
    place = Path("/tmp") / f"environment-{os.getpid()}-{lacking}"
    venv.create(place, symlinks=True)
    packages = next((place / "lib").glob("python*/site-packages"))
    (packages / "sortedcontainers").symlink_to(Path(sortedcontainers.__file__).parent)
    try:
        found, _, _, causes, *_ = run_on(lacking, str(place / "bin" / "python"))
    finally:
        shutil.rmtree(place)
    assert causes == {name: [cause] for name, cause in CAUSES.items()}
    assert "namespaces" not in found or "private root" in found
