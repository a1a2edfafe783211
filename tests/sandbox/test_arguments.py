"""A program cannot pass by changing its arguments where a test computes what it expects from them."""

from __future__ import annotations

import pytest

from skythought.sandbox import Sandbox

# All pass where the arguments are changed for the test: the program empties them, and gives back something as empty.
TESTS = {
    "alias of arg": (
        "[]",
        """
xs = [3, 1]
exp = xs
assert f(xs) == exp
""",
    ),
    "alias 2": (
        "[]",
        """
a = [3, 1]
b = a
r = f(b)
assert r == sorted(a)
""",
    ),
    "alias in object": (
        "[]",
        """
class T:
    pass
t = T()
t.xs = [3, 1]
r = f(t.xs)
assert r == sorted(t.xs)
""",
    ),
    "sum len": (
        "0",
        """
xs = [3, 1]
assert f(xs) == sum(xs)
""",
    ),
    "walrus": (
        "[]",
        """
xs = [3, 1]
assert (r := f(xs)) == sorted(xs) and r
""",
    ),
    "helper function": (
        "[]",
        """
def same(a, b):
    return a == b
xs = [3, 1]
r = f(xs)
assert same(r, sorted(xs))
""",
    ),
    "helper takes f": (
        "[]",
        """
def go(fn, xs):
    r = fn(xs)
    return (r, sorted(xs))
r, w = go(f, [3, 1])
assert r == w
""",
    ),
    "run in lambda": (
        "[]",
        """
t = lambda xs: f(xs) == sorted(xs)
assert t([3, 1])
""",
    ),
    "list comp": (
        "[]",
        """
cases = [[3, 1], [2]]
assert [f(c) for c in cases] == [sorted(c) for c in cases]
""",
    ),
    "map": (
        "[]",
        """
cases = [[3, 1], [2]]
assert list(map(f, cases)) == list(map(sorted, cases))
""",
    ),
    "map2": (
        "[]",
        """
cases = [[3, 1], [2]]
out = list(map(f, cases))
want = list(map(sorted, cases))
assert out == want
""",
    ),
    "attribute store": (
        "[]",
        """
class S:
    pass
s = S()
s.a = [3, 1]
s.r = f(s.a)
assert s.r == sorted(s.a)
""",
    ),
    "dict store": (
        "[]",
        """
d = {'a': [3, 1]}
d['r'] = f(d['a'])
assert d['r'] == sorted(d['a'])
""",
    ),
    "setUp": (
        "[]",
        """
import unittest

class T(unittest.TestCase):

    def setUp(self):
        self.xs = [3, 1]

    def test_a(self):
        r = f(self.xs)
        self.assertEqual(r, sorted(self.xs))
r = unittest.TestResult()
unittest.defaultTestLoader.loadTestsFromTestCase(T).run(r)
assert r.wasSuccessful()
""",
    ),
    "if not raise": (
        "[]",
        """
xs = [3, 1]
r = f(xs)
if not r == sorted(xs):
    raise AssertionError
""",
    ),
    "diff": (
        "0",
        """
xs = [3, 1]
r = f(xs)
d = r - sum(xs)
assert d == 0
""",
    ),
    "sub": (
        "0",
        """
xs = [3, 1]
r = f(xs)
assert abs(r - sum(xs)) < 1e-09
""",
    ),
    "sub1": (
        "0",
        """
xs = [3, 1]
assert abs(f(xs) - sum(xs)) < 1e-09
""",
    ),
    "zip all": (
        "[]",
        """
xs = [3, 1]
r = f(xs)
assert len(r) == len(xs) and all((a == b for a, b in zip(r, sorted(xs))))
""",
    ),
    "for zip": (
        "[]",
        """
xs = [3, 1]
r = f(xs)
for a, b in zip(r, sorted(xs)):
    assert a == b
assert len(r) == 2
""",
    ),
    "set ops": (
        "set()",
        """
xs = [3, 1]
r = f(xs)
assert not r ^ set(xs)
""",
    ),
    "getattr call": (
        "[]",
        """
xs = [3, 1]
r = f(xs)
assert r.__eq__(sorted(xs)) is True
""",
    ),
    "partial": (
        "[]",
        """
import functools
g = functools.partial(f)
xs = [3, 1]
r = g(xs)
assert r == sorted(xs)
""",
    ),
    "fn list": (
        "[]",
        """
for fn in [f]:
    xs = [3, 1]
    r = fn(xs)
    assert r == sorted(xs)
""",
    ),
    "fn attr": (
        "[]",
        """
class T:
    fn = staticmethod(f)
xs = [3, 1]
r = T.fn(xs)
assert r == sorted(xs)
""",
    ),
    "return tuple": (
        "[]",
        """
def run(xs):
    return (f(xs), xs)
r, x = run([3, 1])
assert r == sorted(x)
""",
    ),
}


@pytest.mark.parametrize("name", TESTS)
def test_what_a_test_expects_is_not_changed_by_the_program(sandbox: Sandbox, name: str) -> None:
    empty, test = TESTS[name]
    program = f"def f(xs):\n    xs.clear()\n    return {empty}"
    (outcome,) = sandbox.check(program, [test], names=["f"])
    assert outcome.cause == "exception", outcome


@pytest.mark.parametrize("test", ["assert f(case) == case['want']", "r = f(case)\nassert r == case['want']"])
def test_nor_what_stands_beside_an_argument(sandbox: Sandbox, test: str) -> None:
    program = "def f(case):\n    case['want'] = 0\n    return 0"
    (outcome,) = sandbox.check(program, ["case = {'x': 3, 'want': 9}\n" + test], names=["f"])
    assert outcome.cause == "exception", outcome


@pytest.mark.parametrize(
    "test",
    [
        "xs = [3, 1]\nf(xs)\nassert xs == sorted([3, 1])",
        "xs = [3, 1]\nk = f(xs)\nassert xs[:k] == [1, 3]",
        "xs = [3, 1]\nk = f(xs)\nassert k == 2 and xs == [1, 3]",
        "for xs, want in [([3, 1], [1, 3]), ([2], [2])]:\n    f(xs)\n    assert xs == want",
        "for xs, want in [([3, 1], [1, 3]), ([2], [2])]:\n    k = f(xs)\n    assert xs[:k] == want",
        "class S: pass\ns = S()\ns.xs = [3, 1]\nf(s.xs)\nassert s.xs == [1, 3]",
        "def check(c):\n    xs = [3, 1]\n    assert c(xs) == 2\n    assert xs == [1, 3]\ncheck(f)",
    ],
)
def test_changes_are_seen_where_nothing_is_computed_from_them(sandbox: Sandbox, test: str) -> None:
    program = "def f(xs):\n    xs.sort()\n    return len(xs)"
    (outcome,) = sandbox.check(program, [test], names=["f"])
    assert outcome.ok, outcome
    (idle,) = sandbox.check("def f(xs): return len(xs)", [test], names=["f"])
    assert idle.cause == "exception", idle
