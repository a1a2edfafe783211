"""What right programs return, raise, change and print, as the tests of a check see it; and what no program passes."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from skythought.sandbox import Sandbox

RIGHT = Path(__file__).with_name("right_programs.txt").read_text(encoding="utf-8").split("\n## ")[1:]

PRETENDERS = """
class E:

    def __init__(self, *a):
        self.a = a

    def __eq__(self, o):
        return True

    def __ne__(self, o):
        return False

    def __bool__(self):
        return True

    def __hash__(self):
        return 1

    def __len__(self):
        return 3

    def __contains__(self, x):
        return True

    def __iter__(self):
        return iter([E()])

    def __getitem__(self, i):
        return E()

    def __getattr__(self, n):
        return E()

    def __call__(self, *a, **k):
        return E()

    def __lt__(self, o):
        return True
    __le__ = __gt__ = __ge__ = __lt__

    def __sub__(self, o):
        return 0.0
    __rsub__ = __add__ = __radd__ = __mul__ = __truediv__ = __sub__

    def __abs__(self):
        return 0.0

    def __float__(self):
        return 0.0

    def __int__(self):
        return 0

    def __round__(self, n=None):
        return E()

    def __enter__(self):
        return E()

    def __exit__(self, *e):
        return True

    def __str__(self):
        return S('x')

class S(str):

    def __eq__(self, o):
        return True
    __hash__ = str.__hash__

class I(int):

    def __eq__(self, o):
        return True

    def __lt__(self, o):
        return True
    __le__ = __gt__ = __ge__ = __lt__

    def __sub__(self, o):
        return 0
    __rsub__ = __sub__
    __hash__ = int.__hash__

class L(list):

    def __eq__(self, o):
        return True

    def __len__(self):
        return 2

    def __iter__(self):
        return iter([E(), E()])

    def __contains__(self, x):
        return True

    def __getitem__(self, i):
        return E()

class D(dict):

    def __eq__(self, o):
        return True

    def __getitem__(self, i):
        return E()

    def get(self, *a):
        return E()

class T(tuple):

    def __eq__(self, o):
        return True
"""
"""Objects that agree with everything they are asked."""
WRONG = {
    "an object of operations": """
class O(E):
    def __sub__(self, o): return O()
    __rsub__ = __add__ = __radd__ = __mul__ = __truediv__ = __and__ = __mod__ = __sub__
    def __neg__(self): return O()
def f(*a): return O()
""",
    "an instance of the test's class": """
class Approx:
    def __init__(self): self.value, self.error = 5, 1e9
    def __eq__(self, o): return True
def f(*a): return Approx()
""",
    "an object": """
def f(*a):
    return E()
""",
    "a string": """
def f(*a):
    return S('q')
""",
    "a number": """
def f(*a):
    return I(0)
""",
    "a list": """
def f(*a):
    return L()
""",
    "a dictionary": """
def f(*a):
    return D()
""",
    "a tuple": """
def f(*a):
    return T()
""",
    "a list of objects": """
def f(*a):
    return [E(), E(), E()]
""",
    "a generator of objects": """
def f(*a):
    yield E()
    yield E()
""",
    "a class as the function": "f = E",
    "empties its argument": """
def f(a):
    try:
        a.clear()
    except Exception:
        pass
    return []
""",
    "returns its emptied argument": """
def f(a):
    try:
        a.clear()
    except Exception:
        pass
    return a
""",
    "fills its argument": """
def f(a):
    try:
        a[:] = [None]
    except Exception:
        pass
    return a
""",
    "ends a loop": """
def f(a):
    raise StopIteration
""",
    "fails an assert itself": """
def f(a):
    raise AssertionError
""",
    "skips the test": """
import unittest

def f(a):
    raise unittest.SkipTest('x')
""",
    "ends a generator": """
def f(a):
    raise GeneratorExit
""",
    "not a number": """
def f(a):
    return float('nan')
""",
    "an array of objects": """
import numpy as np

def f(a):
    r = np.empty(2, object)
    r[0] = r[1] = E()
    return r
""",
    "an array of its own kind": """
import numpy as np

class A(np.ndarray):

    def __eq__(s, o):
        return np.array([True, True])

def f(a):
    return np.zeros(2).view(A)
""",
    "a member of an enum": """
import enum

class C(enum.Enum):
    A = 1

    def __eq__(s, o):
        return True
    __hash__ = enum.Enum.__hash__

def f(a):
    return C.A
""",
    "an exception": """
class X(ValueError):

    def __eq__(s, o):
        return True

def f(a):
    return X()
""",
    "not implemented": """
def f(a):
    return NotImplemented
""",
    "an object of a new class": """
def f(a):
    return type('Q', (), {'__eq__': lambda s, o: True})()
""",
    "a class": """
def f(a):
    return E
""",
}
TESTS = [
    "assert not (f(2) - 5)",
    "assert -1e-6 < f(2) - 5 < 1e-6",
    "assert abs(-(f(2) - 5)) < 1e-6",
    "assert f(4) & 1",
    "assert f(4) % 7 == 3",
    "assert f('ab').startswith('yes')",
    "assert f([1]).issubset({1})",
    "assert 5 == f(1) or f(1) == 5",
    """
class Approx:
    def __init__(self, value, error=1e-6): self.value, self.error = value, error
    def __eq__(self, other): return abs(self.value - other) < self.error
assert f(2) == Approx(5.5)
assert Approx(5.5) == f(2)
assert f(2) == 5
""",
    "assert f([3, 1, 2]) == [1, 2, 3]",
    "assert [1, 2, 3] == f([3, 1, 2])",
    "assert not f([3, 1, 2]) != [1, 2, 3]",
    "assert f([3, 1, 2]) in ([1, 2, 3], [1])",
    "assert 77 in f([3, 1, 2])",
    "assert abs(f(2) - 5.5) < 1e-06",
    "assert f(2) < -1",
    "assert 1000000000.0 < f(2)",
    """
import math
assert math.isclose(f(2), 5.5)
""",
    "assert round(f(2), 2) == 5.5",
    """
import unittest
unittest.TestCase().assertEqual(f(2), 5.5)
""",
    "assert all((a == b for a, b in zip(f([1, 2]), [5, 6], strict=True)))",
    "assert set(f([1, 2])) == {5, 6}",
    """
import numpy as np
assert np.allclose(f([1, 2]), [5, 6])
""",
    """
import numpy as np
assert (np.array([5, 6]) == f([1, 2])).all()
""",
    "assert sorted(f([1, 2])) == [5, 6]",
    "assert str(f(1)) == 'yes'",
    """
xs = [3, 1, 2]
out = f(xs)
assert out == sorted(xs)
""",
    """
xs = [3, 1, 2]
assert f(xs) == sorted(xs)
""",
    """
for xs in ([3, 1], [2, 1]):
    out = f(xs)
    want = sorted(xs)
    assert out == want
""",
    """
import unittest
t = unittest.TestCase()
xs = [3, 1, 2]
out = f(xs)
t.assertEqual(out, sorted(xs))
""",
    """
exp = [5, 6]
assert f(exp) == exp + [1]
""",
    """
def check(candidate):
    xs = [3, 1]
    r = candidate(xs)
    assert r == sorted(xs)
check(f)
""",
    """
with f(1) as r:
    assert r == 5
    assert 0
""",
    "assert f(1)['a'] == 5",
    "assert f(1).x == 5",
    """
try:
    f(1)
except ValueError:
    pass
else:
    assert 0
""",
    "assert max(f(1), 5, key=lambda x: x == 5) == 5 and f(1) + 1 == 6",
    """
ref = lambda xs: sorted(xs)
for xs in [[3, 1, 2]]:
    r = f(xs)
    assert len(r) == 3 and r == ref(xs)
""",
]


@pytest.mark.parametrize("case", RIGHT, ids=lambda case: case.partition(" (")[0])
def test_a_right_program_passes(sandbox: Sandbox, case: str) -> None:
    if "numpy" in case:
        pytest.importorskip("numpy")
    head, test = case.split("\n# test\n")
    head, _, prompt = head.partition("\n# prompt\n")
    title, _, program = head.partition("\n")
    names = re.findall(r"\w+", title.rpartition("(")[2])
    (outcome,) = sandbox.check(program, [test], names=names, preamble=prompt)
    assert outcome.ok, outcome.error


@pytest.mark.parametrize("name", WRONG)
def test_no_wrong_program_passes_any_of_the_tests(sandbox: Sandbox, name: str) -> None:
    if "numpy" in WRONG[name]:
        pytest.importorskip("numpy")
    outcomes = sandbox.check(PRETENDERS + WRONG[name], TESTS, names=["f"])
    for test, outcome in zip(TESTS, outcomes, strict=True):
        assert outcome.cause in ("exception", "time limit"), (test, outcome)


FORGED = {
    "a change of another form": "answer(None, (0, 'dict', b'', pack(())))",
    "a change of what was not sent": "answer(None, (7, 'list', b'', pack(())))",
    "an answer as the change": "answer(Handle(b'#0'), (0, 'list', b'', pack(('right',))))",
    "a pickle": "answer(Handle(b'#2'), (2, 'pickle', b'', pack(b'cos\\nsystem\\n(S\\'true\\'\\ntR.')))",
    "an instance of the test's class": "answer(Handle(b'#2'), (2, 'instance', pack('Lax'), pack((('x', 1),))))",
    "the test's class": "answer(Handle(b'#2'), (2, 'class', b'', pack('Lax')))",
    "a type of this side's": "answer(Handle(b'bobject'))",
    "a huge array": "answer(Handle(b'#2'), (2, 'array', pack(('<f8', (1 << 40,))), pack(b'')))",
    "an array of addresses": "answer(Handle(b'#2'), (2, 'array', pack(('|O8', (1,))), pack(bytes(8))))",
    "a value within itself": "answer(Handle(b'#2'), (2, 'kin', b'', pack(('T', 'tuple', (Handle(b'#2'),), None))))",
    "a skipped test": (
        "answer(Handle(b'#2'), (2, 'error class', b'', pack(('SkipTest', 'unittest.case', (Handle(b'bException'),), "
        "Handle(b'r9::x')))))"
    ),
    "an answer before it is asked": "answer('right'); answer('right')",
    "nothing": "peer._send(('return',))",
    "noise": "peer._socket.sendall(bytes(range(256)))",
    "a question about the test": "peer.ask('get', found, '__globals__'); answer('right'[:0])",
    "a call of what was not handed out": "return peer.ask('call', Beside(b'btype'), ('T', (), {}), ())",
    "an attribute of a function": "return peer.ask('get', xs[1], 'expected')",
    "a class of a type": "return peer.ask('call', peer.ask('get', xs[1], '__class__'), (1,), ())",
    "a change of a function": "peer.ask('set', xs[1], '__code__', None)",
}
"""Messages that the program sends itself, by the means of the process that it runs in."""
FORGER = """
import sys
def f(xs):
    frame = sys._getframe()
    while type(frame.f_locals.get("self")).__name__ != "Peer":
        frame = frame.f_back
    peer, Outgoing = frame.f_locals["self"], frame.f_globals["Outgoing"]
    crossing = sys._getframe(0).f_builtins and Outgoing.__init__.__globals__
    Handle, codec, found = crossing["Handle"], crossing["codec"], xs
    class Beside:
        def __init__(self, text): self.text = text
    def pack(value):
        return codec.encode(value, 1 << 20, lambda item: item.text)
    def answer(value, *changes):
        peer._send(("return", pack((value, {})), list(changes), "", None))
    ATTACK
"""


@pytest.mark.parametrize("name", FORGED)
def test_no_forged_message_passes_or_breaks_anything(sandbox: Sandbox, name: str) -> None:
    program = FORGER.replace("ATTACK", FORGED[name])
    test = """
class Lax:
    def __eq__(self, other): return True
def expected(x): return 'right'
expected.expected = 'right'
xs = [1, expected]
got = f(xs)
assert got == 'right' + got[:0]
assert f([2, expected]) == 'wrong'
"""
    (outcome,) = sandbox.check(program, [test], names=["f"])
    assert outcome.cause in ("exception", "killed", "time limit"), outcome
    assert sandbox.check("def f(x): return x", ["assert f(1) == 1"], names=["f"]).__next__().ok


POINT = "class Point:\n    def __init__(self, x): self.x = x\n    def __eq__(self, other): return self.x == other.x\n"


@pytest.mark.parametrize(
    "program",
    [
        "class Point:\n    def __init__(self, x): self.x = x\n    def __eq__(self, other): return True\n"
        "def f(): return Point(1)",
        POINT + "class E:\n    def __eq__(self, other): return True\ndef f(): return Point(E())",
        POINT + "def f():\n    p = Point(1)\n    p.__eq__ = lambda other: True\n    return p",
        POINT + "class Q(Point):\n    def __eq__(self, other): return True\ndef f(): return Q(1)",
        "class Point:\n    def __eq__(self, other): return True\ndef f(): return Point()",
    ],
)
def test_the_prompts_class_decides_what_its_instances_equal(sandbox: Sandbox, program: str) -> None:
    test = "p = f()\nassert p == Point(2)"
    (outcome,) = sandbox.check(program, [test], names=["f"], preamble=POINT)
    assert outcome.cause == "exception", outcome
    (right,) = sandbox.check(POINT + "def f(): return Point(2)", [test], names=["f"], preamble=POINT)
    assert right.ok, right


def test_of_a_tests_function_the_program_learns_names_and_no_values(sandbox: Sandbox) -> None:
    source = (
        "import inspect\n"
        "def f(given):\n"
        "    found = [str(inspect.signature(given)), given.__name__]\n"
        "    for name in ('code', 'defaults', 'kwdefaults', 'globals', 'closure', 'dict', 'annotations', 'builtins'):\n"
        "        try: found.append(getattr(given, f'__{name}__'))\n"
        "        except (AttributeError, TypeError): pass\n"
        "    return found"
    )
    test = "def g(x: int, expected=42): return x == 43\nassert f(g) == ['(x, expected=None)', 'g']"
    (outcome,) = sandbox.check(source, [test], names=["f"])
    assert outcome.ok, outcome.error
