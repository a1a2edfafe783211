"""Verdicts on programs, through the sandbox: what passes, what does not, and why."""

from __future__ import annotations

import json
import re
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from skythought.grading import RowScorer
from skythought.sandbox.channel import ChannelClosedError
from skythought.sandbox.process import ZygoteProcess
from skythought.scorers import score_text
from skythought.scorers.code.scorer import CodeScorer
from skythought.types import Score

SUM = {"inputs": ["2\n1 2\n", "3\n4 5 6\n", "1\n-7\n"], "outputs": ["3\n", "15\n", "-7\n"]}
STDIN = {"kind": "stdin", "tests": [SUM]}
DOUBLE = {"kind": "call", "function": "double", "tests": [{"inputs": [[2], [0]], "outputs": [4, 0]}]}
HEAD = 'from typing import List\n\n\ndef total(xs: List[int]) -> int:\n    """ The sum of xs. """\n'
CHECK = {
    "kind": "check",
    "function": "total",
    "beginning": HEAD,
    "tests": [
        "def check(candidate):\n    assert candidate([1, 2]) == 3\n    assert candidate([]) == 0\n\ncheck(total)\n"
    ],
}
QUICK = CodeScorer(test_s=1.0, sample_s=10.0, memory_mb=256)
QUICKER = CodeScorer(test_s=0.25, memory_mb=256)
"""For programs that run until they are stopped."""
RIGHT = "input()\nprint(sum(map(int, input().split())))"


def scored(program: str, target: Any = STDIN, scorer: CodeScorer = QUICK) -> Score:
    return score_text(scorer, scorer.as_response(program), target)


@pytest.mark.parametrize(
    "program",
    [
        RIGHT,
        "import sys\nsys.stdin.buffer.readline()\nprint(sum(map(int, sys.stdin.buffer.read().split())))",
        "data = open(0).read().split()\nprint(sum(map(int, data[1:])))",
        "import os\ndata = os.read(0, 1 << 16).split()\nos.write(1, b'%d' % sum(map(int, data[1:])))",
        "input()\nprint(sum(map(int, input().split())))\nexit()",
        "import sys\ninput()\nprint(sum(map(int, input().split())))\nsys.exit(0)",
        f"def main():\n    {RIGHT.replace(chr(10), chr(10) + '    ')}\nif __name__ == '__main__':\n    main()",
        f'def main():\n    {RIGHT.replace(chr(10), chr(10) + "    ")}\nif __name__ == "__main__":\n    main()\nx = 1',
        f"from __future__ import annotations\n\n{RIGHT}",
        "class A:\n    def __del__(self): print(sum(self.xs) * one)\n"
        "input()\none = 1\na = A()\na.xs = list(map(int, input().split()))",
        "def g():\n    try: yield\n    finally: print(sum(xs))\n"
        "input()\nxs = list(map(int, input().split()))\na = g()\nnext(a)",
        "input()\nprint(reduce(add, map(int, input().split())), end=' \\n\\n')",  # graders import these
        "input()\nxs = list(map(int, input().split()))\nif len(xs) == 1:\n    print(xs[0])\n    return\nprint(sum(xs))",
        "import threading\nthreading.stack_size(1 << 26)\n"
        "t = threading.Thread(target=lambda: print(sum(map(int, open(0).read().split()[1:]))))\nt.start()\nt.join()",
    ],
)
def test_right_programs(program: str) -> None:
    score = scored(program)
    assert score.correct, score.reason
    assert score.reason == "passed all 3 tests"
    assert score.fraction == 1.0
    assert score.answer == program


@pytest.mark.parametrize(
    ("program", "cause", "words"),
    [
        ("print(0)", "wrong answer", '"0\\n" instead of "3\\n" with input "2\\n1 2\\n"'),
        (f"{RIGHT}\nprint('done')", "wrong answer", "test 1 of 3"),
        ("pass", "wrong answer", '"" instead of'),
        ("import os\nos._exit(0)", "wrong answer", '"" instead of'),
        ("def f(:\n    pass", "runtime error", "SyntaxError"),
        ("raise ValueError('no')", "runtime error", "ValueError: no (line 1)"),
        (f"{RIGHT}\n\nraise KeyError(5)", "runtime error", "KeyError: 5 (line 4)"),
        ("input()\ninput()\ninput()", "runtime error", "EOFError"),
        ("import ctypes\nctypes.string_at(0)", "runtime error", "test 1 of 3"),
        ("while True: pass", "time limit", "test 1 of 3"),
        ("import time\ntime.sleep(1000)", "time limit", "test 1 of 3"),
        ("try:\n    while True: pass\nexcept BaseException:\n    while True: pass", "time limit", "test 1 of 3"),
        ("x = bytearray(400 << 20)", "memory limit", "test 1 of 3"),
        ("while True: print('x' * 10**6)", "output limit", "test 1 of 3"),
    ],
)
def test_why_a_program_fails(program: str, cause: str, words: str) -> None:
    score = scored(program, scorer=QUICKER)
    assert score.correct is False
    assert score.details["cause"] == cause, score.reason
    assert score.details["first_failure"] == 1
    assert words in score.reason
    assert score.fraction == 0.0


@pytest.mark.parametrize(
    ("argument", "program", "wanted", "right_by_default"),
    [
        ({"tolerance": 1e-3}, "print(0.3334)", "0.3333", False),
        ({"decimal_integers": True}, "print('6.0')", "6", False),
        ({"lines": True}, "print('1 2')", "1\n2", True),
    ],
)
def test_arguments_of_the_comparison(
    argument: dict[str, Any], program: str, wanted: str, right_by_default: bool
) -> None:
    target = {"kind": "stdin", "tests": [{"inputs": [""], "outputs": [wanted]}]}
    assert scored(program, target).correct is right_by_default
    assert scored(program, target, CodeScorer(**argument)).correct is not right_by_default


def test_wrapped_results_are_an_argument() -> None:
    target = {"kind": "call", "function": "f", "tests": [{"inputs": [[]], "outputs": [[5]]}]}
    assert scored("def f(): return 5", target).correct
    assert scored("def f(): return 5", target, CodeScorer(wrapped_results=False)).correct is False


def test_the_first_failing_test_is_named_and_ends_the_sample() -> None:
    program = "n = int(input())\nxs = list(map(int, input().split()))\nprint(sum(xs) if n == 2 else 99)"
    score = scored(program)
    assert score.reason.startswith('test 2 of 3: wrong answer: "99\\n" instead of "15\\n"')
    assert (score.details["run"], score.details["passed"], score.details["tests"]) == (2, 1, 3)


def test_all_tests_for_the_share_that_passes() -> None:
    program = "n = int(input())\nxs = list(map(int, input().split()))\nprint(sum(xs) if n != 3 else 99)"
    score = scored(program, scorer=CodeScorer(all_tests=True))
    assert score.correct is False
    assert score.fraction == pytest.approx(2 / 3)
    assert "test 2 of 3" in score.reason
    assert "(2 of 3 passed)" in score.reason


def test_what_one_test_leaves_behind_costs_no_other() -> None:
    program = f"import builtins\n{RIGHT}\nbuiltins.sum = lambda xs: 0"
    assert scored(program).correct
    broken = "import json, math\nmath.floor = None\nint = None"
    assert scored(f"{RIGHT}\n{broken}").correct


def test_a_mark_on_the_interpreter_costs_the_next_test_nothing() -> None:
    start = "import sys\nfirst = not hasattr(sys, 'seen')\nsys.seen = True\n"
    program = f"{start}{RIGHT.replace('print(', 'print(0 if not first else ')}"
    score = scored(program)
    assert (score.correct, score.reason) == (True, "passed all 3 tests")
    function = f"{start}def double(x):\n    return 2 * x if first else None"
    assert scored(function, DOUBLE).correct
    assert scored(function.replace("None", "2 * x").replace("2 * x if", "x if"), DOUBLE).correct is False


ANSWERS = [number % 3 != 1 and number != 7 for number in range(40)]
GUESSES = {
    "luck": "import os\nguess = os.urandom(1)[0] < 128",
    "a mark on sys": "import sys\nguess = not hasattr(sys, 'mark')\nsys.mark = 1",
    "a mark in a module": "import math\nguess = not hasattr(math, 'mark')\nmath.mark = 1",
    "a mark by another name": "m = __import__('ma' + 'th')\nguess = not hasattr(m, 'mark')\nm.__dict__['mark'] = 1",
    "where the output is": "import os\nguess = os.lseek(1, 0, 1) > 0",
    "its process": "import os\nguess = os.getpid() % 2 == 0",
    "the clock": "import time\nguess = time.perf_counter_ns() % 2 == 0",
    "how full the process is": "import gc, sys\nguess = len(sys.modules) % 2 == 0",
    "a file": "import os\nguess = os.path.exists('x')\nopen('x', 'w').close()",
    "a crash": "import os, sys\nif os.lseek(1, 0, 1): os.abort()\nguess = os.urandom(1)[0] < 128",
}


@pytest.mark.parametrize("how", GUESSES)
def test_who_guesses_has_one_guess_a_test(how: str) -> None:
    """With two tries a test, one of them is right."""
    guess = GUESSES[how]
    printed = {"inputs": [f"{number}\n" for number in range(40)], "outputs": ["YES" if x else "NO" for x in ANSWERS]}
    called = {"inputs": [[number] for number in range(40)], "outputs": ANSWERS}
    checked = [f"assert f({number}) == {x}" for number, x in enumerate(ANSWERS)]
    program = f"{guess}\nprint('YES' if guess else 'NO')"
    assert scored(program, {"kind": "stdin", "tests": [printed]}).correct is False
    function = f"{guess}\ndef f(x): return guess"
    assert scored(function, {"kind": "call", "function": "f", "tests": [called]}).correct is False
    assert scored(function, {"kind": "check", "function": "f", "tests": checked}).correct is False


@pytest.mark.parametrize("response", ["", "I do not know.", "```cpp\nint main() {}\n```", "```python\n```"])
def test_no_code(response: str) -> None:
    score = score_text(QUICK, response, STDIN)
    assert score.correct is False
    assert score.reason.startswith("no code")
    rows = [{"target": STDIN, "response": response, "end": end} for end in ("stop", "length")]
    grader = RowScorer("code", finish_reason="end")
    assert [found.verdict for found in grader.scores(rows)] == ["unparsed", "truncated"]


@pytest.mark.parametrize(
    ("target", "words"),
    [
        ({"kind": "stdin", "tests": []}, "no tests"),
        ({"kind": "stdin", "tests": ['{"inputs": [], "outputs": []}']}, "no tests"),
        ({"kind": "check", "function": "f", "tests": []}, "no tests"),
        ({"kind": "stdin", "tests": ["{"]}, "not valid JSON"),
        ({"kind": "call", "tests": [SUM]}, "`function` is missing"),
        ({"kind": "call", "function": 5, "tests": [SUM]}, "`function` must be the name"),
        ({"kind": "stdin", "test": [SUM]}, "unknown field 'test'. Did you mean 'tests'?"),
        ({"kind": "stdin"}, "`tests` is missing"),
        ({"kind": "stdin", "tests": [SUM], "setup": "x = 1"}, "`setup` is for kind check"),
        ({"tests": [SUM]}, "`kind` is one of stdin, call, check, and there is none"),
        ({"kind": "stdin", "tests": [{"input": "1", "out": "2"}]}, "a test has no 'output', it has 'input', 'out'"),
        ({"kind": "stdin", "tests": [SUM, {"inputs": []}]}, "`tests`, entry 2: `inputs` and `outputs` must be"),
        (["1", "2"], "the target must be a dictionary"),
        ({"kind": "guess"}, "`kind` is one of"),
        ({"kind": "stdin", "tests": 5}, "must be a list of objects"),
        ({"kind": "stdin", "tests": [[{"input": b"1", "output": "1"}]]}, "neither text nor JSON"),
        ({"kind": "stdin", "tests": [[{"input": "1", "output": {1}}]]}, "neither text nor JSON"),
        ({"kind": "check", "function": "f", "tests": ["def ("]}, "no Python"),
        ({"kind": "check", "function": "f", "tests": ["assert f(1) == 1\0"]}, "no Python"),
        ({"kind": "check", "function": "f", "beginning": "def (", "tests": ["assert f(1) == 1"]}, "no Python"),
        ({"kind": "check", "function": "f", "beginning": 5, "tests": ["assert f(1) == 1"]}, "must be a program"),
        ({"kind": "check", "function": "f", "setup": ["x = 1"], "tests": ["assert f(1) == 1"]}, "must be a program"),
        ({"kind": "check", "function": "f", "names": 5, "tests": ["assert f(1) == 1"]}, "must be a list of texts"),
        ({"kind": "check", "function": "f", "tests": 5}, "must be a list of texts"),
        ({"kind": "check", "function": "f", "tests": [""]}, "asserts or calls anything"),
        ({"kind": "check", "function": "f", "tests": ["# later"]}, "asserts or calls anything"),
        (
            {"kind": "check", "function": "f", "tests": ["def check(f):\n    assert f(1) == 1"]},
            "asserts or calls anything",
        ),
        ("42", "must be a dictionary"),
        (None, "must be a dictionary"),
    ],
)
def test_what_cannot_be_scored_is_neither_right_nor_wrong(target: Any, words: str) -> None:
    score = scored(RIGHT, target)
    assert score.correct is None
    assert words in score.reason


def test_a_sandbox_that_breaks_is_nobodys_wrong_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise ChannelClosedError("broken")

    monkeypatch.setattr(ZygoteProcess, "request", broken)
    score = scored(RIGHT)
    assert score.correct is None
    assert score.reason == "the sandbox failed: the sandbox's process ended: broken"


@pytest.mark.parametrize(
    "program",
    [
        "def double(x):\n    return 2 * x",
        "class Solution:\n    def double(self, x: int) -> Optional[int]:\n        return 2 * x",
        "def double(x):\n    return helper(x)\n\ndef helper(x):\n    return x + x",
        "print('hello')\ndouble = lambda x: 2 * x",
        "def double(x):\n    return 2 * x\n\nif __name__ == '__main__':\n    print(double(int(input())))",
        "def double(x):\n    return 2.0 * x",
        "import sys\ndef double(x):\n    return 2 * x\nsys.exit()",
        "\ufeffdef double(x):\n    return 2 * x",
    ],
)
def test_right_functions(program: str) -> None:
    score = scored(program, DOUBLE)
    assert score.correct, score.reason


@pytest.mark.parametrize(
    ("program", "words"),
    [
        ("def triple(x):\n    return 3 * x", "NameError"),
        ("def double(x):\n    return str(2 * x)", '"4" instead of 4 with input [2]'),
        ("def double(x):\n    return x", "2 instead of 4"),
        ("def double(x):\n    print(2 * x)", "None instead of 4"),
        ("def double():\n    return 4", "TypeError"),
        ("import sys\ndef double(x):\n    sys.exit(0)", "test 1 of 2"),
        ("import os\ndef double(x):\n    os._exit(0)", "test 1 of 2"),
        ("class E:\n    def __eq__(self, other): return True\ndef double(x):\n    return E()", "an object of type E"),
        ("class E(int):\n    def __eq__(self, other): return True\ndef double(x):\n    return E(0)", "0 instead of 4"),
    ],
)
def test_wrong_functions(program: str, words: str) -> None:
    score = scored(program, DOUBLE)
    assert score.correct is False
    assert words in score.reason


def test_tests_that_are_not_in_a_list() -> None:
    assert scored(RIGHT, {"kind": "stdin", "tests": SUM}).correct
    assert scored(RIGHT, {"kind": "stdin", "tests": json.dumps(SUM)}).correct
    one = {"kind": "check", "function": "double", "tests": "assert double(2) == 4"}
    assert scored("def double(x):\n    return 2 * x", one).correct
    prepared = {"kind": "check", "function": "double", "tests": ["x = 2", "assert double(x) == 4"]}
    assert scored("def double(x):\n    return 2 * x", prepared).correct
    mixed = {"kind": "call", "function": "double", "tests": [{"inputs": ["2"], "outputs": [4]}]}
    assert scored("def double(x):\n    return 2 * x", mixed).correct
    keys = {"kind": "call", "function": "double", "tests": [{"inputs": [[{1: 2}]], "outputs": [4]}]}
    assert scored("def double(x):\n    return 2 * x[1]", keys).correct


def test_a_function_with_the_name_of_one_of_the_modules() -> None:
    target = {"kind": "call", "function": "count", "tests": [{"inputs": [["aab", "a"]], "outputs": [2]}]}
    right = "class Solution:\n    def count(self, text: str, part: str) -> int:\n        return text.count(part)"
    assert scored(right, target).correct
    assert scored("x = 1", target).correct is False
    gcd = {"kind": "call", "function": "gcd", "tests": [{"inputs": [[12, 18]], "outputs": [6]}]}
    assert scored("print(sqrt(4))", gcd).correct is False, "math's own is no answer"


def test_integers_beyond_the_interpreters_limit() -> None:
    digits = "7" * 9131
    tests = f'{{"inputs": [[{digits}]], "outputs": [{digits[:-1]}8]}}'
    target = {"kind": "call", "function": "f", "tests": [tests]}
    assert scored("def f(x):\n    return x + 1", target).correct
    score = scored("def f(x):\n    return x", target)
    assert score.correct is False
    assert "too large to show" in score.reason
    printed = {"kind": "stdin", "tests": [{"inputs": [digits], "outputs": [digits]}]}
    assert scored("print(input())", printed).correct
    assert sys.get_int_max_str_digits() == 4300


@pytest.mark.parametrize(
    "response",
    [
        f"```python\n{HEAD}    return sum(xs)\n```",
        "```python\ndef total(xs):\n    return sum(xs)\n```",
        "```python\ndef total(xs: List[int]) -> int:\n    return sum(xs)\n```",  # the import is the prompt's
        "```python\nclass Solution:\n    def total(self, xs):\n        return sum(xs)\n```",
        "```python\n    return sum(xs)\n```",
        "```python\nreturn sum(xs)\n```",
        "    s = 0\n    for x in xs:\n        s += x\n    return s\n",
        "s = 0\n    for x in xs:\n        s += x\n    return s\n\n\nprint(total([1]))",
        f"```python\nfrom __future__ import annotations\n{HEAD}    return sum(xs)\n```",
    ],
)
def test_functions_scored_by_a_check_function(response: str) -> None:
    score = score_text(QUICK, response, CHECK)
    assert score.correct, score.reason


@pytest.mark.parametrize(
    ("response", "words"),
    [
        ("```python\ndef total(xs):\n    return 3\n```", "wrong answer: AssertionError"),
        ("```python\ndef total(xs):\n    return None\n```", "wrong answer"),
        ("```python\ndef total(xs):\n    raise ValueError('no')\n```", "runtime error: ValueError"),
        ("```python\ndef add(xs):\n    return sum(xs)\n```", "test 1 of 1"),
        ("```python\n    return sum(xs\n```", "test 1 of 1"),
        ("```python\ndef total(xs):\n    raise StopIteration\n```", "StopIteration"),
        ("```python\nclass E:\n    def __eq__(self, o): return True\ndef total(xs): return E()\n```", "wrong answer"),
        ("I would add them up.", "no code"),
        ("5", "no code"),
    ],
)
def test_wrong_functions_scored_by_a_check_function(response: str, words: str) -> None:
    score = score_text(QUICK, response, CHECK)
    assert score.correct is False
    assert words in score.reason


@pytest.mark.parametrize(
    ("beginning", "rest", "test"),
    [
        (
            'def tidy(names):\n    """Sort in place."""\n',
            "    names.sort()",
            "n = ['b', 'a']\n    c(n)\n    assert n == ['a', 'b']",
        ),
        (
            "class Empty(Exception):\n    pass\n\n\ndef first(xs):\n    'x'\n",
            "    if not xs:\n        raise Empty('none')\n    return xs[0]",
            "try:\n        c([])\n        assert False\n    except Empty as e:\n        assert str(e) == 'none'",
        ),
        (
            "from collections import namedtuple\nSpan = namedtuple('Span', 'low high')\n\ndef span(xs):\n    'x'\n",
            "    return Span(min(xs), max(xs))",
            "assert c([2, 1]) == Span(1, 2)\n    assert c([3, 5]).high == 5",
        ),
        (
            "from dataclasses import dataclass\n@dataclass\nclass Sum:\n    total: int\n\ndef add(xs):\n    'x'\n",
            "    return Sum(sum(xs))",
            "assert c([2, 1]) == Sum(3)\n    assert isinstance(c([]), Sum)",
        ),
    ],
    ids=["in place", "an exception", "a named tuple", "a dataclass"],
)
def test_what_tests_look_at_beside_results(beginning: str, rest: str, test: str) -> None:
    name = re.findall(r"def (\w+)", beginning)[-1]
    tests = [f"def check(c):\n    {test}\n\ncheck({name})\n"]
    target = {"kind": "check", "function": name, "beginning": beginning, "tests": tests}
    for program in (f"{beginning}{rest}", f"def {name}{beginning.rpartition(f'def {name}')[2]}{rest}"):
        score = scored(program, target)
        assert score.correct, score.reason
    assert scored(f"{beginning}    return []", target).correct is False


@pytest.mark.parametrize("head", ["def double(x):\n", "import math\n\n\ndef double(x: int) -> int:"])
def test_a_prompt_may_end_with_the_head_of_the_function(head: str) -> None:
    target = {"kind": "check", "function": "double", "beginning": head, "tests": ["assert double(2) == 4"]}
    assert scored(f"{head}\n    return 2 * x", target).correct
    assert scored(f"{head}\n    return x", target).correct is False


def test_an_answer_cannot_change_what_the_prompt_measures_by() -> None:
    head = 'LARGEST_ERROR = 1e-6\n\n\ndef root(x):\n    """ The square root. """\n'
    test = "def check(candidate):\n    assert abs(candidate(9) - 3) <= LARGEST_ERROR\n\ncheck(root)\n"
    target = {"kind": "check", "function": "root", "beginning": head, "tests": [test]}
    assert scored(f"{head}    return x ** 0.5", target).correct
    for cheat in ("LARGEST_ERROR = 1e9\n", "LARGEST_ERROR = 1e-6\n"):
        program = f"{cheat}def root(x):\n    global LARGEST_ERROR\n    LARGEST_ERROR = 1e9\n    return x"
        assert scored(program, target).correct is False


def test_an_answer_cannot_replace_the_helper_that_tests_it() -> None:
    head = 'def shift(x):\n    return x + 1\n\n\ndef unshift(x):\n    """ Undo shift. """\n'
    test = "def check(candidate):\n    assert candidate(shift(4)) == 4\n\ncheck(unshift)\n"
    target = {"kind": "check", "function": "unshift", "beginning": head, "tests": [test]}
    assert scored(f"{head}    return x - 1", target).correct
    assert scored("def unshift(x):\n    return x - 1", target).correct
    cheat = "def shift(x):\n    return x\n\ndef unshift(x):\n    return x"
    assert scored(cheat, target).correct is False
    other = "def shift(x):\n    return x + 2\n\ndef unshift(x):\n    return x - 1"
    assert scored(other, target).correct is False  # as where tests and answer share one module


def test_a_class_of_the_prompt_that_the_answer_repeats_is_the_prompts() -> None:
    given = "from dataclasses import dataclass\n\n\n@dataclass\nclass Pair:\n    x: int\n    y: int\n\n\n"
    test = (
        "def check(candidate):\n    from dataclasses import asdict, replace\n"
        "    assert type(candidate(1)) is Pair and asdict(candidate(1)) == {'x': 1, 'y': 2}\n"
        "    assert replace(candidate(1), x=5) == Pair(5, 2)\n\ncheck(pair)\n"
    )
    head = f'{given}def pair(x):\n    """ A pair of x and 2. """\n'
    target = {"kind": "check", "function": "pair", "beginning": head, "tests": [test]}
    repeated = "from dataclasses import dataclass\n@dataclass\nclass Pair:  # as given\n    x: int\n    y: int\n"
    assert scored(f"{repeated}def pair(x): return Pair(x, 2)", target).correct
    assert scored(f"{repeated}def pair(x): return Pair(x, 3)", target).correct is False
    assert scored(f"{repeated}Pair.__eq__ = lambda *_: True\ndef pair(x): return Pair(x, 3)", target).correct is False


def test_asserts_and_trees_of_the_answers_own_nodes() -> None:
    target = {
        "kind": "check",
        "function": "depth",
        "names": ["depth", "Node", "root"],
        "appended": "root = Node(1)\nroot.left = Node(2)",
        "setup": "import math",
        "tests": ["assert depth(root) == 2", "assert depth(None) == math.floor(0.5)"],
    }
    program = (
        "class Node:\n    def __init__(self, value):\n        self.left = self.right = None\n"
        "def depth(node):\n    return 1 + max(depth(node.left), depth(node.right)) if node else 0"
    )
    assert scored(program, target).correct
    assert scored(program.replace("1 + ", ""), target).correct is False


def test_a_sample_has_a_limit_of_its_own() -> None:
    tests = {"inputs": ["x"] * 20, "outputs": ["x"] * 20}
    program = "import time\nend = time.process_time() + 0.1\nwhile time.process_time() < end: pass\nprint(input())"
    started = time.process_time()
    score = scored(program, {"kind": "stdin", "tests": [tests]}, CodeScorer(test_s=2.0, sample_s=0.25))
    assert score.correct is False
    assert score.details["cause"] == "time limit"
    assert 1 <= score.details["passed"] < 10
    assert time.process_time() - started < 5


def test_a_program_does_not_see_what_it_is_compared_with(tmp_path: Path) -> None:
    secret = tmp_path / "expected.txt"
    secret.write_text("15")
    for program in (
        f"print(open({str(secret)!r}).read())",
        "import gc\nprint([o for o in gc.get_objects() if '-7' in repr(o)][0])",
        "import sys\nf = sys._getframe()\nwhile f.f_back: f = f.f_back\nprint(f.f_locals)",
        "import os\nprint(os.environ)",
        "import skythought\nprint(skythought.__file__)",
    ):
        assert scored(program).correct is False


def test_the_response_made_of_a_program_holds_it() -> None:
    program = "text = '''\n```\n'''\nprint(text)"
    response = QUICK.as_response(program)
    assert response.startswith("````python\n")
    assert score_text(QUICK, response, {"kind": "stdin", "tests": [{"inputs": [""], "outputs": ["```"]}]}).correct


def test_scores_can_be_written_down() -> None:
    for program in (RIGHT, "print('\\ud800')", "def double(x):\n    return {1, 2}", "print('\\x00' * 300)"):
        for target in (STDIN, DOUBLE):
            json.dumps(scored(program, target).reason, allow_nan=False)


@pytest.mark.parametrize(
    "program",
    [
        "def double(x):\n    return '\\ud800'",
        "def double(x):\n    return ['\\x1b[2J', {'\\udfff': '\\x9b1m'}]",
        "def double(x):\n    return [b'\\x1b' * 300]",
        "def double(x):\n    raise ValueError('\\x1b[2J\\u202e\\ud800')",
        "class \u00e4(Exception): pass\ndef double(x):\n    raise \u00e4('\\u2028')",
        "def double(x):\n    return type('\\x1b[31m', (), {})()",
        "text = '\ud800'",
        "print('\\x1b[2J\\x00' * 10)",
    ],
)
def test_reasons_and_answers_fit_a_table_and_a_terminal(program: str) -> None:
    for target in (STDIN, DOUBLE):
        score = scored(program, target)
        assert score.correct is False
        assert score.reason.isprintable()
        assert len(score.reason) <= 1000
        score.reason.encode()
        (score.answer or "").encode()


def test_what_a_row_says_cannot_spoil_a_reason() -> None:
    broken = {"kind": "call", "function": "f", "tests": ['[{"input": "[1", "output": "\x1b[2J"}]']}
    score = scored("def f(x): pass", broken)
    assert score.correct is None
    assert score.reason.isprintable()


def test_conditions_tell_the_layers() -> None:
    layers = CodeScorer().conditions()["sandbox"]
    assert layers["level"] == "auto"
    json.dumps(layers)
