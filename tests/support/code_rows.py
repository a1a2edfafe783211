"""Two rows a code task, ours, in the exact columns of its dataset."""

from __future__ import annotations

import base64
import json
import pickle
import zlib
from typing import Any

__all__ = ["APPS", "APPS_FUNCTION", "CODE_ROWS", "HUMANEVAL", "LCB", "LCB_FUNCTION", "MBPP"]

LCB: dict[str, Any] = {
    "question_title": "Sum",
    "question_content": "Print the sum of two integers.",
    "platform": "atcoder",
    "question_id": "abc999_a",
    "contest_id": "abc999",
    "contest_date": "2023-09-16T00:00:00",
    "starter_code": "",
    "difficulty": "easy",
    "public_test_cases": '[{"input": "1 2\\n", "output": "3\\n", "testtype": "stdin"}]',
    "private_test_cases": base64.b64encode(zlib.compress(pickle.dumps("[]"))).decode(),
    "metadata": "{}",
}
LCB_FUNCTION: dict[str, Any] = {
    **LCB,
    "question_content": "Give twice x.",
    "starter_code": "class Solution:\n    def double(self, x: int) -> int:\n        ",
    "difficulty": "hard",
    "contest_date": "2024-02-03T00:00:00",
    "public_test_cases": '[{"input": "2", "output": "4", "testtype": "functional"}]',
    "metadata": '{"func_name": "double"}',
}
APPS: dict[str, Any] = {
    "problem_id": 7,
    "question": "Print the sum of two integers.",
    "solutions": '["print(sum(map(int, input().split())))"]',
    "input_output": '{"inputs": ["1 2\\n"], "outputs": ["3\\n"]}',
    "difficulty": "introductory",
    "url": "",
    "starter_code": "",
}
APPS_FUNCTION: dict[str, Any] = {
    **APPS,
    "question": "Give twice x.",
    "solutions": "",
    "input_output": '{"fn_name": "double", "inputs": [[2]], "outputs": [[4]]}',
    "difficulty": "interview",
    "starter_code": "def double(x):\n",
}
MBPP: dict[str, Any] = {
    "task_id": 999,
    "text": "Write a function to double a number.",
    "code": "def double(x):\r\n    return 2 * x",
    "test_list": ["assert set(double(x) for x in [2]) == {4}", "assert double(0) == 0"],
    "test_setup_code": "",
    "challenge_test_list": [],
}
HUMANEVAL: dict[str, Any] = {
    "task_id": "HumanEval/999",
    "prompt": 'def double(x):\n    """ Twice x. """\n',
    "entry_point": "double",
    "canonical_solution": "    return 2 * x\n",
    "test": "def check(candidate):\n    assert candidate(2) == 4\n",
}
TRIPLE = {
    "prompt": 'def triple(x):\n    """ Three times x. """\n',
    "entry_point": "triple",
    "canonical_solution": "    return 3 * x\n",
    "test": "def check(candidate):\n    assert candidate(2) == 6\n",
}
PLUS = """import numpy as np

def assertion(out, exp, atol):
    assert np.allclose(out, exp) if isinstance(exp, float) else out == exp

inputs = [[number] for number in range(20)]
results = [{factor} * number for number in range(20)]
for i, (inp, exp) in enumerate(zip(inputs, results)):
    assertion({name}(*inp), exp, 0)
"""
MBPP_PLUS = [
    {
        "task_id": number,
        "code": f"def {name}(x):\n    return {factor} * x",
        "prompt": f"Write a function to {name} a number.",
        "source_file": "",
        "test_imports": [],
        "test_list": [f"assert {name}(1) == {factor}"],
        "test": PLUS.format(name=name, factor=factor),
    }
    for number, (name, factor) in enumerate([("double", 2), ("triple", 3)])
]
SOLVED = [
    {**LCB, "_reference_solution": "print(sum(map(int, input().split())))"},
    {
        **LCB_FUNCTION,
        "_reference_solution": "class Solution:\n    def double(self, x: int) -> int:\n        return 2 * x",
    },
]
TWICE = "def double(x):\n    return 2 * x"
APPS_SOLVED = [APPS, {**APPS_FUNCTION, "solutions": json.dumps([TWICE])}]
TRIPLE_MBPP = {
    **MBPP,
    "text": "Write a function to triple a number.",
    "code": "def triple(x):\n    return 3 * x",
    "test_list": ["assert triple(2) == 6"],
}

CODE_ROWS: dict[str, list[dict[str, Any]]] = {
    "apps": APPS_SOLVED,
    "taco": [*({**row, "difficulty": "MEDIUM"} for row in APPS_SOLVED), {**APPS, "difficulty": "EASY"}],
    "livecodebench": SOLVED,
    "livecodebench_v6": SOLVED,
    **{
        f"livecodebench_{level}": [*({**row, "difficulty": level} for row in SOLVED), {**LCB, "difficulty": "other"}]
        for level in ("easy", "medium", "hard")
    },
    "humaneval": [HUMANEVAL, {**HUMANEVAL, **TRIPLE}],
    "humaneval_plus": [HUMANEVAL, {**HUMANEVAL, **TRIPLE}],
    "mbpp": [MBPP, TRIPLE_MBPP],
    "mbpp_plus": MBPP_PLUS,
}
