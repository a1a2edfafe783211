"""A program that can tell which of its runs it is in gains nothing: each test has one output that is compared, once.

All of them guess YES or NO, by something that differs from run to run. Forty tests have forty answers that no rule
gives, so luck passes twenty of them, and 36 once in ten million samples.
"""

from __future__ import annotations

import random

import pytest

from skythought.sandbox import Outcome, Sandbox

ANSWERS = random.Random(18).choices([True, False], k=40)
LUCK = 35

GUESSES = {
    "an even coin": "guess = os.urandom(1)[0] & 1",
    "a coin, and it raises where that falls badly": "if os.urandom(1)[0] & 1: raise ValueError\nguess = 1",
    "a coin, and no answer where it falls badly": "if os.urandom(1)[0] & 1: os.closerange(2, 50); os._exit(0)\nguess=1",
    "a coin, and it is out of memory where that falls badly": "if os.urandom(1)[0] & 1: bytearray(1 << 40)\nguess = 1",
    "a coin, and it ends with a status where that falls badly": "if os.urandom(1)[0] & 1: os._exit(3)\nguess = 1",
    "a mark on sys": "guess = hasattr(sys, 'been'); sys.been = 1",
    "the state of a module": "import json\nguess = hasattr(json, 'been'); json.been = 1",
    "the state of a module that nobody names": (
        "m = sys.modules['heapq'].__dict__\nguess = 'been' in m; m['been'] = 1"
    ),
    "builtins": "import builtins\nguess = hasattr(builtins, 'been'); builtins.been = 1",
    "a cache of the library": "import re\nguess = len(re._cache) % 2; re.compile('x' * (len(re._cache) + 1))",
    "the environment": "guess = 'BEEN' in os.environ; os.environ['BEEN'] = '1'",
    "the environment of C": (
        "libc = ctypes.CDLL(None)\nguess = bool(libc.getenv(b'BEEN')); libc.setenv(b'BEEN', b'1', 1)"
    ),
    "a file": "guess = os.path.exists('been'); open('been', 'w').close()",
    "a counter in a file": (
        "n = int(open('n').read()) if os.path.exists('n') else 0\nopen('n', 'w').write(str(n + 1)); guess = n % 2"
    ),
    "where the output is": "try: guess = os.lseek(1, 0, 1) == 0\nexcept OSError: guess = 0",
    "how many descriptors are open": "guess = os.dup(0) % 2",
    "a descriptor left open": "guess = os.dup(0) > 8",
    "the process": "guess = os.getpid() % 2",
    "the clock": "guess = time.perf_counter_ns() // 1000 % 2",
    "time used so far": "guess = time.process_time_ns() // 1000 % 2",
    "a thread left running": (
        "guess = threading.active_count() > 1\nthreading.Thread(target=time.sleep, args=(5,), daemon=True).start()"
    ),
    "objects left over": (
        "guess = any(type(o).__name__ == 'Been' for o in gc.get_objects())\nclass Been: pass\nb = Been(); b.b = b"
    ),
    "objects counted": "guess = len(gc.get_objects()) % 2",
    "addresses": "guess = id(object()) >> 4 & 1",
    "memory of C": ("m = ctypes.c_int.in_dll(ctypes.pythonapi, 'Py_FrozenFlag')\nguess = m.value == 7; m.value = 7"),
    "a signal's handler": (
        "guess = signal.getsignal(signal.SIGUSR1) is not signal.SIG_DFL\nsignal.signal(signal.SIGUSR1, signal.SIG_IGN)"
    ),
    "the limit of recursion": "guess = sys.getrecursionlimit() > 1000; sys.setrecursionlimit(2000)",
    "the limit of files": (
        "import resource\nguess = resource.getrlimit(7)[0] < 50; resource.setrlimit(7, (40, resource.getrlimit(7)[1]))"
    ),
    "the working folder": "guess = os.getcwd().endswith('w'); os.makedirs('w', exist_ok=True); os.chdir('w')",
    "the umask": "guess = os.umask(0o17) == 0o17",
    "a codec registered": (
        "import codecs\ntry: codecs.lookup('been'); guess = 1\n"
        "except LookupError: guess = 0; codecs.register(lambda n: codecs.lookup('utf-8') if n == 'been' else None)"
    ),
    "the process's name": (
        "libc = ctypes.CDLL(None); b = ctypes.create_string_buffer(16); libc.prctl(16, b)\n"
        "guess = b.value == b'been'; libc.prctl(15, b'been')"
    ),
    "the flags of the output file": (
        "import fcntl\nflags = fcntl.fcntl(1, 3); guess = bool(flags & 0o2000); fcntl.fcntl(1, 4, flags | 0o2000)"
    ),
    "a lock on the output file": "import fcntl\ntry: fcntl.flock(1, 6); guess = 0\nexcept OSError: guess = 1",
    "a small integer": "m = ctypes.c_uint32.from_address(id(251) + 24)\nguess = m.value == 250; m.value = 250",
    "the signals that are blocked": "guess = 10 in signal.pthread_sigmask(0, []); signal.pthread_sigmask(0, {10})",
    "a class registered": (
        "from collections.abc import Sized\nguess = issubclass(threading.Timer, Sized); Sized.register(threading.Timer)"
    ),
    "the coming inputs": "try: guess = len(os.pread(0, 1 << 20, 0)) % 2\nexcept OSError: guess = 0",
}
HEAD = "import ctypes, gc, os, signal, sys, threading, time\n"


def right(answers: list[bool], given: list[object]) -> int:
    return sum(answer == value for answer, value in zip(answers, given, strict=True))


def printed(outcome: Outcome) -> object:
    """What a test is compared with; None: it did not come to its end."""
    return {b"YES": True, b"NO": False}.get(outcome.stdout.strip()) if outcome.ok else None


@pytest.mark.parametrize("name", GUESSES)
def test_no_guess_is_better_than_luck(sandbox: Sandbox, name: str) -> None:
    program = f"{HEAD}n = input()\n{GUESSES[name]}\nprint('YES' if guess else 'NO')"
    outcomes = list(sandbox.run_program(program, [f"{number}\n".encode() for number in range(40)]))
    assert right(ANSWERS, [printed(outcome) for outcome in outcomes]) <= LUCK
    assert "sandbox error" not in {outcome.cause for outcome in outcomes}


@pytest.mark.parametrize("name", GUESSES)
def test_no_guess_of_a_function_is_better_than_luck(sandbox: Sandbox, name: str) -> None:
    body = GUESSES[name].replace("\n", "\n    ")
    program = f"{HEAD}def f(n):\n    {body}\n    return bool(guess)"
    called = [outcome.value for outcome in sandbox.call_function(program, "f", [[number] for number in range(40)])]
    assert right(ANSWERS, called) <= LUCK
    tests = [f"assert f({number}) is {answer}" for number, answer in enumerate(ANSWERS)]
    checked = [outcome.ok for outcome in sandbox.check(program, tests, names=["f"])]
    assert sum(checked) <= LUCK


def test_a_test_that_fails_is_not_asked_again(sandbox: Sandbox) -> None:
    # The first run of an input prints one thing, any other run of it the other: by what it left in its own process,
    # or by not finding it there.
    program = "import sys\nseen = sys.__dict__.setdefault('seen', set())\nn = input()\nprint(n in seen)\nseen.add(n)"
    tests = sandbox.run_program(program, [b"1\n", b"1\n", b"2\n", b"1\n"])
    assert [outcome.stdout for outcome in tests] == [b"False\n"] * 4, "each has a process as if it were the only one"
