"""Programs, functions and checks, as a user of the sandbox sees them; and the life of its processes."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from arena import descendants
from places import ROOT

from skythought.errors import UserError
from skythought.sandbox import Limits, Opaque, Outcome, Sandbox, SandboxError
from skythought.sandbox import sandbox as sandbox_module

QUICK = Limits(cpu_s=0.5, wall_factor=0)


def one(sandbox: Sandbox, source: str, limits: Limits | None = None) -> Outcome:
    (outcome,) = sandbox.run_program(source, [b""], limits=limits)
    return outcome


@pytest.mark.parametrize(
    ("source", "cause", "error"),
    [
        ("print(1", "exception", "SyntaxError: '(' was never closed (line 1)"),
        ("x = 1\nraise ValueError('no')", "exception", "ValueError: no (line 2)"),
        (
            "import nothing_of_the_kind",
            "exception",
            "ModuleNotFoundError: No module named 'nothing_of_the_kind' (line 1)",
        ),
        ("exit(3)", "exception", "SystemExit: 3"),
        ("import os; os._exit(3)", "exception", "exited with status 3"),
        ("def f(): f()\nf()", "exception", "RecursionError: maximum recursion depth exceeded (line 1)"),
        ("while True: pass", "time limit", "0.5 s of CPU time"),
        ("import time; time.sleep(60)", "time limit", "1 s of wall-clock time"),
        ("x = bytearray(2 << 30)", "memory limit", "MemoryError"),
        ("import os; os.abort()", "killed", "SIGABRT"),
        ("import skythought", "exception", "ModuleNotFoundError: No module named 'skythought' (line 1)"),
    ],
)
def test_how_programs_end(sandbox: Sandbox, source: str, cause: str, error: str) -> None:
    outcome = one(sandbox, source, QUICK)
    assert (outcome.cause, outcome.error) == (cause, error)


@pytest.mark.parametrize(
    "source",
    [
        "print(sum(map(int, open('/dev/stdin').read().split())))",
        "import sys; sys.stdout.write(str(sum(map(int, sys.stdin))) + '\\n'); sys.exit()",
        "import fileinput; print(sum(int(line) for line in fileinput.input()))",
        "import io, os; print(sum(map(int, io.BytesIO(os.read(0, os.fstat(0).st_size)))))",
        "import resource, sys\nresource.setrlimit(resource.RLIMIT_STACK, (-1, -1))\nprint(sum(map(int, sys.stdin)))",
        "import sys\nfrom functools import lru_cache\nsys.setrecursionlimit(10**6)\n"
        "@lru_cache(None)\ndef f(n): return 0 if n == 0 else 1 + f(n - 1)\nassert f(50000) == 50000\n"
        "print(sum(map(int, sys.stdin)))",
        "import sys, threading\nthreading.stack_size(512 << 20)\n"
        "t = threading.Thread(target=lambda: print(sum(map(int, sys.stdin)))); t.start()",
        "import asyncio, sys\nasync def main(): print(sum(map(int, sys.stdin)))\nasyncio.run(main())",
        "import sys\nwith open('out', 'w') as f: f.write('x')\nprint(sum(map(int, sys.stdin)))",
        "import tempfile, sys\nwith tempfile.TemporaryFile() as f: print(sum(map(int, sys.stdin)))",
        "from concurrent.futures import ThreadPoolExecutor\nimport sys\n"
        "with ThreadPoolExecutor(4) as pool: print(sum(pool.map(int, sys.stdin)))",
        "import signal, sys\nsignal.signal(signal.SIGALRM, lambda *a: None); signal.alarm(1)\n"
        "print(sum(map(int, sys.stdin)))",
        "import sys, os\nprint(sum(map(int, sys.stdin)), flush=True)\nos.kill(os.getpid(), 0); os._exit(0)",
        "import sys\nsys.stdout = open(1, 'w', closefd=False); print(sum(map(int, sys.stdin)))",
        "import sys\nwith open('/dev/stdout', 'w') as out: print(sum(map(int, sys.stdin)), file=out)",
        "import ctypes, sys\nctypes.CDLL(None).printf(b'%d\\n', sum(map(int, sys.stdin)))",
        "import os, sys\nclass Out:\n    text = ''\n    def write(self, text): self.text += text\n"
        "    def flush(self):\n        os.write(1, self.text.encode())\n        self.text = ''\n"
        "sys.stdout = Out()\nprint(sum(map(int, sys.stdin)))\nsys.stdout.flush()",
        "import os, sys\nfrom io import IOBase\nclass Out(IOBase):\n    text = ''\n"
        "    def write(self, text): self.text += text\n    def flush(self):\n        os.write(1, self.text.encode())\n"
        "        self.text = ''\nsys.stdout = Out()\nprint(sum(map(int, sys.stdin)))",
        "class Solution: pass\nimport sys, pickle, copy\npickle.loads(pickle.dumps(Solution()))\n"
        "print(sum(map(int, sys.stdin)))",
    ],
)
def test_odd_but_right_programs(sandbox: Sandbox, source: str) -> None:
    outcomes = list(sandbox.run_program(source, [b"1\n2\n", b"3\n4\n", b"5\n6\n"]))
    assert [(outcome.cause, outcome.stdout.strip()) for outcome in outcomes] == [
        ("ok", b"3"),
        ("ok", b"7"),
        ("ok", b"11"),
    ]


def test_tests_run_when_asked_for(sandbox: Sandbox) -> None:
    given = []

    def stdins() -> Iterator[bytes]:
        for number in range(1000):
            given.append(number)
            yield b"%d\n" % number

    tests = sandbox.run_program("print(int(input()) % 3)", stdins())
    assert [next(tests).stdout for _ in range(3)] == [b"0\n", b"1\n", b"2\n"]
    tests.close()
    assert len(given) < 30
    with pytest.raises(StopIteration):
        next(tests)


def test_shared_process_and_again(sandbox: Sandbox) -> None:
    source = "import collections\nprint(len(collections.deque.__doc__), input())"
    tests = sandbox.run_program(source, [b"a", b"b", b"c"])
    outcomes = [next(tests), next(tests)]
    assert [outcome.alone for outcome in outcomes] == [True, False]
    again = tests.again()
    assert again.alone
    assert again.stdout == outcomes[1].stdout
    assert next(tests).stdout.endswith(b"c\n")


def test_a_test_that_fails_beside_others_is_run_again_alone(sandbox: Sandbox) -> None:
    source = "import sys\nassert not hasattr(sys, 'seen')\nsys.seen = True\nprint(input())"
    outcomes = list(sandbox.run_program(source, [b"%d" % x for x in range(4)]))
    assert [outcome.stdout for outcome in outcomes] == [b"0\n", b"1\n", b"2\n", b"3\n"]
    assert all(outcome.alone for outcome in outcomes)


def test_alone_gives_every_test_a_process(sandbox: Sandbox) -> None:
    outcomes = list(sandbox.run_program("import os; print(os.getpid())", [b""] * 4, alone=True))
    assert len({outcome.stdout for outcome in outcomes}) == 4
    assert all(outcome.alone for outcome in outcomes)


def test_budget_of_a_sample(sandbox: Sandbox) -> None:
    busy = "import time\nend = time.process_time() + 0.1\nwhile time.process_time() < end: pass"
    outcomes = list(sandbox.run_program(busy, [b""] * 6, limits=Limits(cpu_s=2, sample_cpu_s=0.25)))
    assert [outcome.cause for outcome in outcomes][:2] == ["ok", "ok"]
    assert outcomes[-1].cause == "time limit"
    assert sum(outcome.cpu_s for outcome in outcomes) < 0.6


@pytest.mark.parametrize(
    ("source", "name"),
    [
        ("def helper(x): return x + 1\ndef f(x): return helper(x)", "f"),
        ("class Solution:\n    def f(self, x): return helper(x)\ndef helper(x): return x + 1", "f"),
        ("class Solution:\n    def f(self, x): return x + 1", "Solution.f"),
        ("f = lambda x: x + 1\nif __name__ == '__main__': raise SystemExit", "f"),
    ],
)
def test_functions_by_name(sandbox: Sandbox, source: str, name: str) -> None:
    outcomes = list(sandbox.call_function(source, name, [[1], [10**5000], [0.5]]))
    assert [outcome.value for outcome in outcomes] == [2, 10**5000 + 1, 1.5]


def test_values_of_functions(sandbox: Sandbox) -> None:
    source = (
        "def f(x):\n    print('noise')\n    return [x, (1, 2.5), {3}, {'a': None}, b'b', object(), float('inf'), 1j]"
    )
    (outcome,) = sandbox.call_function(source, "f", [[{"k": [1, "ü"]}]])
    assert outcome.value[:5] == [{"k": [1, "ü"]}, (1, 2.5), {3}, {"a": None}, b"b"]
    assert isinstance(outcome.value[5], Opaque)
    assert outcome.value[6:] == [float("inf"), 1j]
    (missing,) = sandbox.call_function("def g(): pass", "f", [[]])
    assert (missing.cause, missing.error) == ("exception", "NameError: name 'f' is not defined by the program")


@pytest.mark.parametrize(
    "source",
    [
        "class A:\n    def __del__(self): print('x')\na = A()\na.a = a",
        "class A:\n    def __del__(self): print('x')\ndef main():\n    a = A()\n    a.a = a\nmain()",
        "def g():\n    try: yield\n    finally: print('x')\nclass B: pass\nb = B()\nb.g = g()\nnext(b.g)\nb.b = b",
        "import weakref\nclass B: pass\nb = B()\nb.b = b\nweakref.finalize(b, print, 'x')",
        "import atexit\natexit.register(print, 'x')",
        "from concurrent.futures import ThreadPoolExecutor\nThreadPoolExecutor(2).submit(print, 'x')",
    ],
)
def test_what_is_put_out_at_the_end_counts_in_every_test(sandbox: Sandbox, source: str) -> None:
    outcomes = sandbox.run_program(source, [b""] * 3)
    assert [(outcome.cause, outcome.stdout) for outcome in outcomes] == [("ok", b"x\n")] * 3


def check(
    sandbox: Sandbox, source: str, *tests: str, names: tuple[str, ...] = ("f",), preamble: str = ""
) -> list[Outcome]:
    return list(sandbox.check(source, tests, names=names, preamble=preamble))


@pytest.mark.parametrize(
    ("source", "test"),
    [
        ("def f(x): return x + 0.1", "import math\nassert math.isclose(f(0.2), 0.3)"),
        ("def f(n):\n    for i in range(n): yield i", "assert list(f(3)) == [0, 1, 2]\nassert next(f(1)) == 0"),
        ("def f(n): return lambda x: x + n", "assert f(2)(3) == 5"),
        ("def f(g, xs): return [g(x) for x in xs]", "assert f(lambda x: x * 2, [1, 2]) == [2, 4]"),
        (
            "def f(x): raise ValueError('bad')",
            "try:\n    f(1)\n    assert False\nexcept ValueError as e:\n    assert str(e) == 'bad'",
        ),
        (
            "class Bad(KeyError): pass\ndef f(x): raise Bad(x)",
            "try:\n    f('k')\nexcept KeyError as e:\n    assert e.args == ('k',)",
        ),
        ("def f(xs): return len([x for x in xs if isinstance(x, int)])", "assert f([1, {}, 'a', None]) == 1"),
        ("from fractions import Fraction\ndef f(x): return Fraction(x, 2)", "assert abs(f(1) - 0.5) < 1e-9"),
        ("import datetime\ndef f(y): return datetime.date(y, 1, 1)", "assert f(2020).year == 2020"),
        ("def f(x): return x", "def check(candidate):\n    assert candidate((1, [2])) == (1, [2])\ncheck(f)"),
    ],
)
def test_checks_that_pass(sandbox: Sandbox, source: str, test: str) -> None:
    assert [outcome.cause for outcome in check(sandbox, source, test)] == ["ok"]


def test_classes_of_the_candidate(sandbox: Sandbox) -> None:
    source = "class Pair:\n    def __init__(self, a, b): self.a, self.b = a, b\ndef f(ps): return sum(p.a for p in ps)"
    outcomes = check(
        sandbox, source, "assert f([Pair(1, 2), Pair(3, 4)]) == 4\nassert Pair(5, 6).b == 6", names=("f", "Pair")
    )
    assert [outcome.cause for outcome in outcomes] == ["ok"]


def test_checks_that_fail_name_the_line(sandbox: Sandbox) -> None:
    outcomes = check(sandbox, "def f(x): return x", "assert f(1) == 1", "y = 2\nassert f(1) == y", "assert f(3) == 3")
    assert [outcome.cause for outcome in outcomes] == ["ok", "exception", "ok"]
    assert outcomes[1].error == "AssertionError (line 2: assert f(1) == y)"
    (raised,) = check(sandbox, "def f(x):\n    return 1 / x", "assert f(0) == 1")
    assert raised.error == "ZeroDivisionError: division by zero (line 2)"
    (missing,) = check(sandbox, "def g(x): return x", "assert f(1) == 1", preamble="def f(x): return 1")
    assert missing.cause == "exception"


def test_a_candidate_cannot_end_the_loop_that_tests_it(sandbox: Sandbox) -> None:
    tests = "for given, wanted in zip(map(f, [1, 2]), [3, 4]):\n    assert given == wanted"
    for error in ("StopIteration", "StopAsyncIteration", "type('Mine', (StopIteration,), {})"):
        (outcome,) = check(sandbox, f"def f(x): raise {error}", tests)
        assert outcome.cause == "exception"


def test_the_preamble_is_not_the_candidates_to_change(sandbox: Sandbox) -> None:
    preamble = "def poly(x): return x - 3\ndef f(): ..."
    source = "def poly(x): return 0\ndef f(): return 7"
    (outcome,) = check(sandbox, source, "assert poly(f()) == 0", preamble=preamble)
    assert outcome.cause == "exception"
    (right,) = check(sandbox, "def f(): return 3", "assert poly(f()) == 0", preamble=preamble)
    assert right.ok


@pytest.mark.parametrize("end", ["raise SystemExit(0)", "import os; os._exit(0)", "raise KeyboardInterrupt", "exit()"])
def test_a_candidate_that_ends_is_no_pass(sandbox: Sandbox, end: str) -> None:
    for test in ("assert f(1) == 2", "try: f(1)\nexcept Exception: pass\nassert f(1) == 2"):
        (outcome,) = check(sandbox, f"def f(x): {end}", test)
        assert outcome.cause == "exception"


@pytest.mark.parametrize(
    ("end", "cause", "error"),
    [
        ("import ctypes; ctypes.string_at(0)", "killed", "SIGSEGV (segmentation fault, or stack overflow)"),
        ("import os; os._exit(0)", "exception", "the program exited before the tests had ended"),
        ("import os; os._exit(3)", "exception", "exited with status 3"),
    ],
)
def test_how_a_candidate_ends(sandbox: Sandbox, end: str, cause: str, error: str) -> None:
    (outcome,) = check(sandbox, f"def f(x): {end}", "assert f(1) == 2")
    assert (outcome.cause, outcome.error) == (cause, error)


def test_numpy_in_tests(sandbox: Sandbox) -> None:
    pytest.importorskip("numpy")
    test = "import numpy as np\nassert np.allclose(f([1, 2]), [2, 4])\nassert (f([1]) == np.array([2])).all()"
    outcomes = check(sandbox, "import numpy as np\ndef f(xs): return np.array(xs) * 2", test)
    assert [outcome.cause for outcome in outcomes] == ["ok"]


def test_verdicts_repeat(sandbox: Sandbox) -> None:
    source = "import random\nprint({'a', 'b', 'c', 'd', 'e'}, random.random(), hash('x'))"
    assert one(sandbox, source).stdout == one(sandbox, source).stdout


def test_one_zygote_for_all_samples() -> None:
    before = descendants()
    with Sandbox() as sandbox:
        one(sandbox, "print(1)")
        started = descendants()
        for _ in range(3):
            one(sandbox, "print(1)")
        assert len(descendants()) <= len(started)
    assert descendants() <= before
    with pytest.raises(ValueError, match="no test has run"):
        sandbox.run_program("", []).again()


def test_a_killed_zygote_is_replaced() -> None:
    before = descendants()
    with Sandbox() as sandbox:
        tests = sandbox.run_program("print(input())", [b"a", b"b"])
        assert next(tests).stdout == b"a\n"
        for pid in descendants() - before:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        assert next(tests).stdout == b"b\n"


BUSY = """
import time
def f(x):
    start = time.process_time()
    while time.process_time() - start < 0.3: pass
    return x
"""


@pytest.mark.parametrize("without", [(), ("namespaces",)])
@pytest.mark.parametrize("which", [0, -1])
def test_what_is_killed_from_outside_is_tried_again(without: tuple[str, ...], which: int) -> None:
    """The zygote (the first of our processes) and what runs the program (the last)."""
    kinds: dict[str, Callable[[Sandbox], Iterator[Outcome]]] = {
        "program": lambda sandbox: sandbox.run_program(BUSY + "print(f(int(input())))", [b"1", b"2"]),
        "function": lambda sandbox: sandbox.call_function(BUSY, "f", [[1], [2]]),
        "right": lambda sandbox: sandbox.check(BUSY, ["assert f(1) == 1", "assert f(2) == 2"], names=["f"]),
        "wrong": lambda sandbox: sandbox.check(BUSY, ["assert f(1) == 2"], names=["f"]),
    }
    before = descendants()
    with Sandbox(without=without) as sandbox:
        if "seccomp" not in sandbox.layers()["layers"]:
            pytest.skip("a program could have killed it")
        for name, kind in kinds.items():
            tests = kind(sandbox)
            killer = threading.Timer(0.15, lambda: os.kill(sorted(descendants() - before)[which], signal.SIGKILL))
            killer.start()
            outcomes = [(outcome.cause, outcome.stdout, outcome.value) for outcome in tests]
            killer.join()
            expected: dict[str, list[tuple[str, bytes, object]]] = {
                "program": [("ok", b"1\n", None), ("ok", b"2\n", None)],
                "function": [("ok", b"", 1), ("ok", b"", 2)],
                "right": [("ok", b"", None)] * 2,
                "wrong": [("exception", b"", None)],
            }
            assert outcomes == expected[name], name
    assert descendants() <= before


def test_a_machine_without_room_is_no_verdict(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    real, failures = sandbox_module.anonymous_file, [OSError(errno.EMFILE, "Too many open files")]

    def full(data: bytes, *, sealed: bool = False) -> int:
        if failures:
            raise failures.pop()
        return real(data, sealed=sealed)

    monkeypatch.setattr(sandbox_module, "anonymous_file", full)
    assert one(sandbox, "print(1)").stdout == b"1\n"
    monkeypatch.setattr(sandbox_module, "_PAUSES_S", (0.0, 0.0))
    failures += [OSError(errno.ENOMEM, "Cannot allocate memory")] * 2
    outcome = one(sandbox, "print(1)")
    assert (outcome.cause, outcome.stdout) == ("sandbox error", b"")
    assert "Cannot allocate memory" in outcome.error


SHORT = """
import resource, sys
resource.setrlimit(resource.RLIMIT_AS, (700 << 20, 700 << 20))
from skythought.sandbox import Limits, Sandbox, sandbox
sandbox._PAUSES_S = (0, 0)
with Sandbox(limits=Limits(memory_bytes=900 << 20)) as sandbox:
    for size in (1, 800):
        (outcome,) = sandbox.run_program(f"x = bytearray({size} << 20)", [b""])
        print(outcome.cause)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="address space is limited on Linux")
def test_memory_that_the_machine_does_not_have_is_no_verdict() -> None:
    done = subprocess.run([sys.executable, "-c", SHORT], capture_output=True, text=True, check=False)
    assert done.stdout == "ok\nsandbox error\n", done.stderr


CLIENT = """
import sys
from skythought.sandbox import Sandbox, Limits
sandbox = Sandbox(limits=Limits(cpu_s=100), without=sys.argv[1:])
tests = sandbox.run_program("print(1)\\nimport time\\nif input() == 'b': time.sleep(100)", [b"a", b"b"])
next(tests)
print("ready", flush=True)
next(tests)
"""


@pytest.mark.parametrize("without", [(), ("namespaces",), ("namespaces", "seccomp")])
def test_nothing_outlives_a_killed_client(without: tuple[str, ...], tmp_path: Path) -> None:
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    tmp_path.chmod(0o777)
    client = subprocess.Popen(
        [sys.executable, "-c", CLIENT, *without], stdout=subprocess.PIPE, text=True, env=environment
    )
    assert client.stdout is not None
    assert client.stdout.readline() == "ready\n"
    family = descendants(client.pid)
    assert family
    client.kill()
    client.wait()
    deadline = time.monotonic() + 60
    while any(Path(f"/proc/{pid}/cmdline").exists() and not gone(pid) for pid in family) or list(tmp_path.iterdir()):
        assert time.monotonic() < deadline, "processes or folders are left"
        time.sleep(0.02)
    client.stdout.close()


def gone(pid: int) -> bool:
    """Whether a process has ended, though nobody has collected it."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


@pytest.mark.parametrize("without", [("seccomp",), ("seccomp", "namespaces")])
def test_processes_that_a_program_starts_end_with_the_sample(without: tuple[str, ...]) -> None:
    source = (
        "import os, time\nfor _ in range(3):\n    if os.fork() == 0:\n        os.setsid(); time.sleep(100)\nprint(1)"
    )
    with Sandbox(without=without) as sandbox:
        sandbox.layers()
        before = descendants()
        outcomes = list(sandbox.run_program(source, [b"", b""]))
        assert [outcome.stdout for outcome in outcomes] == [b"1\n", b"1\n"]
        assert descendants() == before


def test_the_temporary_folder_has_a_limit_on_every_machine() -> None:
    source = "import time\nwith open('big', 'wb') as file: file.write(bytes(4 << 20))\ntime.sleep(20)"
    limits = Limits(cpu_s=5, file_bytes=1 << 20)
    for without in ((), ("namespaces", "private root")):
        with Sandbox(limits=limits, without=without) as sandbox:
            outcome = one(sandbox, source)
        assert outcome.cause == "output limit"
        assert outcome.wall_s < 5


@pytest.mark.parametrize("without", [(), ("namespaces", "private root")])
@pytest.mark.parametrize("way", ["beside one another", "in one another"])
def test_the_number_of_files_and_folders_has_a_limit_on_every_machine(without: tuple[str, ...], way: str) -> None:
    source = (
        "import os, time\nfor n in range(5000):\n    os.mkdir(f'd{n}')\n"
        f"    if {way == 'in one another'}: os.chdir(f'd{{n}}')\ntime.sleep(600)"
    )
    with Sandbox(limits=Limits(cpu_s=200), without=without) as sandbox:
        assert one(sandbox, source).cause == "output limit"
        empty = one(sandbox, "import os; print(os.listdir())")
    assert empty.stdout == b"[]\n", "and they are gone afterwards"


@pytest.mark.parametrize("mode", [0, 0o500])
def test_folders_that_nobody_may_look_into_or_write_are_removed(mode: int) -> None:
    source = (
        "import os\nos.makedirs('a/b/c')\nopen('a/b/c/d', 'w').close()\n"
        f"for path in ('a/b/c', 'a/b', 'a', '.'): os.chmod(path, {mode})"
    )
    with Sandbox(without=("namespaces", "seccomp")) as sandbox:
        assert one(sandbox, source).cause in ("ok", "output limit")
        assert one(sandbox, "import os; print(os.listdir())").stdout == b"[]\n"


UNLINKED = {
    "open": "fd = os.open(f'f{n}', os.O_CREAT | os.O_RDWR); os.unlink(f'f{n}'); held.append(fd)",
    "without a name": "fd = os.open('.', os.O_TMPFILE | os.O_RDWR); held.append(fd)",
    "mapped": "fd = os.open(f'f{n}', os.O_CREAT | os.O_RDWR); os.unlink(f'f{n}')",
}


@pytest.mark.skipif(sys.platform != "linux", reason="needs /proc")
@pytest.mark.parametrize("way", UNLINKED)
def test_files_that_were_removed_count_while_they_are_open(way: str) -> None:
    program = (
        "import mmap, os, time\nheld = []\nfor n in range(int(input())):\n"
        f"    {UNLINKED[way]}\n    os.write(fd, bytes(1 << 20))\n"
        f"    if {way == 'mapped'}: held.append(mmap.mmap(fd, 4096)); os.close(fd)\n"
        "time.sleep(float(input()))"
    )
    limits = Limits(cpu_s=20, file_bytes=8 << 20, output_bytes=2 << 20)
    with Sandbox(limits=limits, without=("private root",)) as sandbox:
        if "landlock" not in sandbox.layers()["layers"]:
            pytest.skip("without landlock nobody may look into the process")
        few, many = sandbox.run_program(program, [b"3\n0.3", b"20\n60"], alone=True)
    assert few.cause == "ok"
    assert (many.cause, "temporary folder" in many.error) == ("output limit", True)


def test_time_of_processes_that_a_program_starts_is_its_own() -> None:
    source = "import os, time\nfor _ in range(2):\n    if os.fork() == 0:\n        while True: pass\ntime.sleep(60)"
    with Sandbox(limits=Limits(cpu_s=0.3, wall_factor=200), without=("seccomp",)) as sandbox:
        outcome = one(sandbox, source)
    assert (outcome.cause, outcome.error) == ("time limit", "0.3 s of CPU time")


@pytest.mark.parametrize("without", [(), ("user", "namespaces")])
def test_threads_have_a_limit_on_every_machine(without: tuple[str, ...]) -> None:
    source = (
        "import threading, time\n"
        "for _ in range(30): threading.Thread(target=time.sleep, args=(3,), daemon=True).start()\n"
        "time.sleep(3)\nprint('all')"
    )
    with Sandbox(limits=Limits(threads=8), without=without) as sandbox:
        outcome = one(sandbox, source)
    assert outcome.cause in ("exception", "killed")
    assert "thread" in outcome.error


@pytest.mark.skipif(sys.platform != "linux" or os.geteuid() != 0, reason="about programs that root runs")
def test_each_sandbox_is_a_user_of_its_own() -> None:
    """The kernel counts the threads of a user: those of one sandbox must not use up another's."""
    with Sandbox() as first, Sandbox() as second:
        users = {one(sandbox, "import os; print(os.getuid())").stdout for sandbox in (first, second)}
    assert len(users) == 2
    assert b"0\n" not in users


@pytest.mark.skipif(sys.platform != "linux" or os.geteuid() != 0, reason="about programs that root runs")
@pytest.mark.parametrize("without", [("landlock", "private root"), ("landlock", "namespaces")])
def test_roots_files_are_safe_without_isolation_of_files(tmp_path: Path, without: tuple[str, ...]) -> None:
    """Python may stand where root alone can read it; programs become another user nevertheless."""
    file = tmp_path / "file"
    file.write_text("as it was")
    tries = "open({0!r}, 'a')", "os.chmod({0!r}, 0o777)", "os.unlink({0!r})", "os.listdir('/'); open('x', 'w')"
    with Sandbox(without=without) as sandbox:
        for number, attempt in enumerate(tries):
            outcome = one(sandbox, f"import os; {attempt.format(str(file))}")
            assert outcome.cause == ("ok" if number == 3 else "exception"), attempt
    assert file.read_text() == "as it was"


def test_a_confined_process_cannot_be_looked_into() -> None:
    with Sandbox(without=("user",)) as sandbox:  # a change of user would hide what is looked at here
        dumpable = one(sandbox, "import ctypes; print(ctypes.CDLL(None).prctl(3, 0, 0, 0, 0))")
    assert dumpable.stdout == b"0\n"


def test_open_files_and_the_size_of_a_file_are_limited(sandbox: Sandbox) -> None:
    limits = Limits(open_files=20, output_bytes=1000)
    many = one(sandbox, "files = [open('/dev/null') for _ in range(30)]", limits)
    assert "Too many open files" in many.error
    large = one(
        sandbox, "open('x', 'wb', buffering=0).write(bytes(5000)); open('x', 'ab', buffering=0).write(b'x')", limits
    )
    assert large.cause == "output limit"


def test_strict_refuses_without_isolation() -> None:
    with pytest.raises(UserError, match="'strict' needs isolation of files and network"):
        Sandbox("strict", without=("namespaces", "landlock", "seccomp")).layers()
    with pytest.raises(UserError, match="'sloppy' is not known"):
        Sandbox("sloppy")


def test_what_is_in_force_is_told() -> None:
    with Sandbox(without=("landlock",)) as sandbox:
        state = sandbox.layers()
    assert state["missing"]["landlock"] == "left out on request"
    assert "landlock" not in state["layers"]
    assert {"session", "limits"} <= state["layers"].keys()
    assert state["limits"]["cpu_s"] == 10


@pytest.mark.skipif(sys.platform != "linux" or os.geteuid() != 0, reason="needs root to become somebody else")
def test_as_an_ordinary_user(tmp_path: Path) -> None:
    """All of it without any privilege: the same self-test as the command's."""
    python = next((path for path in ("/usr/bin/python3",) if Path(path).exists()), None)
    source = ROOT / "src"
    version = python and subprocess.run([python, "-V"], capture_output=True, text=True).stdout.split()[-1].split(".")
    readable = all(folder.stat().st_mode & 0o005 == 0o005 for folder in (source, *source.parents))
    if not version or (int(version[0]), int(version[1])) < (3, 11) or not readable:
        pytest.skip("needs an interpreter that everybody can read")
    code = (
        "import os, sys\nos.setgroups([]); os.setgid(65534); os.setuid(65534)\n"
        f"sys.path.insert(0, {str(source)!r})\n"
        "from skythought.sandbox import Sandbox\nfrom skythought.sandbox.selftest import run_trials\n"
        "for without in ((), ('namespaces',)):\n"
        "    with Sandbox(without=without) as sandbox:\n"
        "        print([check.name for check in run_trials(sandbox) if not check.held], sandbox.layers()['missing'])\n"
    )
    tmp_path.chmod(0o777)
    environment = {"TMPDIR": "/tmp", "PATH": os.environ["PATH"]}
    done = subprocess.run([str(python), "-c", code], capture_output=True, text=True, env=environment, cwd="/")
    assert done.stderr == ""
    lines = done.stdout.splitlines()
    assert [line.partition("]")[0] for line in lines] == ["[", "["]


def test_a_sandbox_that_cannot_start_says_why_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(sandbox_module, "_PAUSES_S", (0.0, 0.0))
    for program in ("/bin/false", "/no/such/python"):
        monkeypatch.setattr(sys, "executable", program)
        with pytest.raises(SandboxError, match="does not start"):
            Sandbox().layers()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "absent"))
    with pytest.raises(SandboxError, match="does not start: .*No such file"):
        Sandbox().layers()
    assert list(tmp_path.iterdir()) == []


def test_folders_of_sandboxes_killed_whole_are_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    tmp_path.chmod(0o777)
    left, new = tmp_path / "skythought-sandbox-left", tmp_path / "skythought-sandbox-new"
    for folder in (left, new):
        (folder / "within").mkdir(parents=True)
    with Sandbox() as held:
        held.layers()
        for folder in set(tmp_path.iterdir()) - {new}:
            os.utime(folder, (0, 0))
        count = len(list(tmp_path.iterdir()))
        with Sandbox() as another:
            another.layers()
            assert not left.exists()
            assert len(list(tmp_path.iterdir())) == count  # one less, one more: the one that is held is still there
    assert list(tmp_path.iterdir()) == [new]


def test_large_outputs_come_one_by_one(sandbox: Sandbox) -> None:
    tracemalloc.start()
    sizes = [len(outcome.stdout) for outcome in sandbox.run_program("print(input() * 1_000_000)", [b"x"] * 12)]
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert sizes == [1_000_001] * 12
    assert peak < 6e6, "not all of them are held at once"
    values = [
        outcome.value
        for outcome in sandbox.call_function("def f(x): return [x] * 300_000", "f", [[n] for n in range(4)])
    ]
    assert [value[0] for value in values] == list(range(4))


def test_inputs_of_tests_that_go_together_stay_apart(sandbox: Sandbox) -> None:
    source = "import sys\nfirst = next(iter(sys.stdin))\nprint(first.strip(), len(sys.stdin.read()))"
    inputs = [f"{x}\n{'y' * x}".encode() for x in (0, 900, 5, 70_000, 1, 0, 40, 3, 9_000)]
    outputs = [outcome.stdout for outcome in sandbox.run_program(source, inputs)]
    assert outputs == [f"{x} {x}\n".encode() for x in (0, 900, 5, 70_000, 1, 0, 40, 3, 9_000)]


def test_standard_streams_are_as_new_for_each_test(sandbox: Sandbox) -> None:
    changes = [
        "sys.stdout.reconfigure(encoding='ascii', errors='replace', newline='\\r\\n')",
        "sys.stdin.close(); sys.stdout.flush(); os.close(1)",
        "sys.stdout = sys.stdin = None",
        "sys.stdout.mode = sys.stdin.name2 = 'x'",
        "sys.stdin.detach(); sys.stdout.detach()",
        "os.dup2(2, 0); os.dup2(2, 1)",
    ]
    for change in changes:
        source = (
            "import os, sys\nx = input()\n"
            "print('\\u00e9', x, sys.stdin.read(), sys.stdin.name, sys.stdout.mode)\n"
            f"if x == '3':\n    sys.stdout.flush()\n    {change}"
        )
        tests = sandbox.run_program(source, [f"{x}\nrest".encode() for x in range(6)])
        for x, outcome in enumerate(tests):
            assert outcome.stdout.decode() == f"\u00e9 {x} rest <stdin> w\n" or tests.again().stdout.decode() == (
                f"\u00e9 {x} rest <stdin> w\n"
            ), (change, x)


def test_output_that_a_program_takes_back_is_its_own_alone(sandbox: Sandbox) -> None:
    source = "import os\nx = int(input())\nprint(2 * x, flush=True)\nif x == 3:\n    os.ftruncate(1, 0)"
    tests = sandbox.run_program(source, [b"%d" % x for x in range(6)])
    for x, outcome in enumerate(tests):
        expected = b"" if x == 3 else b"%d\n" % (2 * x)
        assert outcome.stdout == expected or tests.again().stdout == expected


def test_inputs_are_read_no_more_than_a_few_ahead(sandbox: Sandbox) -> None:
    taken = []

    def inputs() -> Iterator[bytes]:
        for x in range(1000):
            taken.append(x)
            yield b"%d" % x

    tests = sandbox.run_program("print(input())", inputs())
    for x in range(100):
        assert next(tests).stdout == b"%d\n" % x
    tests.close()
    assert len(taken) < 150


def test_slow_tests_do_not_go_together(sandbox: Sandbox) -> None:
    taken = []

    def inputs() -> Iterator[bytes]:
        for x in range(20):
            taken.append(x)
            yield b"%d" % x

    tests = sandbox.run_program("import time\ntime.sleep(0.15)\nprint(input())", inputs())
    for x in range(3):
        assert next(tests).stdout == b"%d\n" % x
    tests.close()
    assert len(taken) <= 4
