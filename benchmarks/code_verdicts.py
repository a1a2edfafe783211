"""How the verdicts of code tasks agree with labelled programs and reference solutions.

    python benchmarks/code_verdicts.py DATA DEV [part ...]

DATA: a folder of rows in the datasets' schemas (humaneval.jsonl, mbpp.jsonl, apps.jsonl, apps_callbased_leetcode.jsonl,
apps_stdin.jsonl, taco.jsonl, livecodebench_functional.jsonl, livecodebench_reduced.jsonl). DEV: labelled programs
(code_verdicts.jsonl, code_extraction.jsonl), and programs in attacks/ and benign/. Parts: solutions, mutants, verdicts,
extraction, attacks, benign (default: all). Every difference is printed; the exit code is 1 if a wrong program passes.
"""

from __future__ import annotations

import ast
import copy
import json
import re
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

from skythought.scorers.code.scorer import CodeScorer
from skythought.tasks.load import load_task
from skythought.tasks.problems import problems, solutions
from skythought.types import Problem, Score

TASKS = {
    "humaneval": ("humaneval", "task_id"),
    "mbpp": ("mbpp", "task_id"),
    "apps": ("apps", "problem_id"),
    "apps_callbased_leetcode": ("apps", "problem_id"),
    "apps_stdin": ("apps", "problem_id"),
    "taco": ("taco", "name"),
    "livecodebench_functional": ("livecodebench", "question_id"),
    "livecodebench_reduced": ("livecodebench", "question_id"),
}
"""File of DATA -> the task that reads it, and the column that names a row."""
WORKERS = 2


class Case(NamedTuple):
    """A response to be scored, and what must come of it."""

    name: str
    scorer: CodeScorer
    problem: Problem
    response: str
    right: bool
    note: str = ""


class Set(NamedTuple):
    """The problems of a file of DATA by the name of their row."""

    scorer: CodeScorer
    task: Any
    problems: dict[str, Problem]


def load(data: Path, name: str) -> Set:
    """All problems of a file, whatever their difficulty."""
    task_name, key = TASKS[name]
    task = load_task(task_name, {"dataset_path": str(data / f"{name}.jsonl"), "preprocess_config": {}})
    found: dict[str, Problem] = {}
    for problem in problems(task, whole_rows=True):
        if isinstance(problem, Problem):
            found.setdefault(str(problem.row[key]), problem)
        else:
            print(f"  {name}: {problem}")
    return Set(CodeScorer(**task.scorer_args), task, found)


def scored(cases: Iterable[Case]) -> Iterator[tuple[Case, Score]]:
    """Every case with its score, in order."""
    with ThreadPoolExecutor(WORKERS) as pool:
        yield from pool.map(lambda case: (case, case.scorer.score(case.problem, case.response)), cases)


def report(title: str, cases: Iterable[Case]) -> int:
    """Print how many get the verdict that they must, and each that is not; how many wrong ones passed."""
    start = time.perf_counter()
    total = agreeing = accepted = failed = 0
    for case, score in scored(cases):
        total += 1
        right = score.correct is case.right
        agreeing += right
        accepted += bool(score.correct) and not case.right
        failed += score.correct is None
        if not right:
            print(f"  {case.name} must be {case.right}, is {score.correct}: {score.reason} [{case.note}]")
    seconds = time.perf_counter() - start
    share = agreeing / total if total else 1.0
    print(f"{title}: {agreeing} of {total} ({share:.4f}), {accepted} wrong ones pass, {failed} failed, {seconds:.0f} s")
    return accepted


def reference_solutions(data: Path) -> int:
    """Every reference solution must pass; the first of several that a row has."""
    accepted = 0
    for name in TASKS:
        scorer, task, found = load(data, name)
        cases = [
            Case(f"{name} {key}", scorer, problem, scorer.as_response(text), True)
            for key, problem in found.items()
            for text in solutions(task, problem)[:3]
        ]
        if cases:
            accepted += report(f"reference solutions, {name}", cases)
    return accepted


SWAPPED: dict[type[ast.AST], type[ast.AST]] = {
    ast.Eq: ast.NotEq, ast.NotEq: ast.Eq, ast.Lt: ast.GtE, ast.LtE: ast.Gt, ast.Gt: ast.LtE, ast.GtE: ast.Lt,
    ast.In: ast.NotIn, ast.NotIn: ast.In, ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Add, ast.And: ast.Or,
    ast.Or: ast.And, ast.Mod: ast.FloorDiv, ast.FloorDiv: ast.Mult, ast.Div: ast.Mult,
}  # fmt: skip


def mutants(program: str) -> Iterator[str]:
    """The program with one operator swapped, one constant raised, or a return emptied; one change each."""
    tree = ast.parse(program)
    count = sum(1 for _ in ast.walk(tree))
    for number in range(count):
        mutant = copy.deepcopy(tree)
        node = list(ast.walk(mutant))[number]
        if isinstance(node, (ast.BinOp, ast.BoolOp)) and type(node.op) in SWAPPED:
            node.op = SWAPPED[type(node.op)]()  # type: ignore[assignment]
        elif isinstance(node, ast.Compare) and type(node.ops[0]) in SWAPPED:
            node.ops[0] = SWAPPED[type(node.ops[0])]()  # type: ignore[call-overload]
        elif isinstance(node, ast.Constant) and type(node.value) is int:
            node.value += 1
        elif isinstance(node, ast.Return) and node.value is not None:
            node.value = ast.List(elts=[node.value], ctx=ast.Load())
        else:
            continue
        yield ast.unparse(ast.fix_missing_locations(mutant))


def killed_mutants(data: Path) -> int:
    """For every HumanEval problem, changed programs until one fails; a change may leave a program right."""
    scorer, task, found = load(data, "humaneval")
    survivors = tried = 0
    for key, problem in found.items():
        for mutant in mutants(solutions(task, problem)[0]):
            tried += 1
            if scorer.score(problem, scorer.as_response(mutant)).correct is False:
                break
        else:
            survivors += 1
            print(f"  {key}: no mutant fails")
    print(f"mutants, humaneval: {len(found) - survivors} of {len(found)} problems have one that fails ({tried} tried)")
    return survivors


def labelled(data: Path, dev: Path, file: str) -> int:
    """Labelled responses to rows of DATA."""
    sets: dict[str, Set] = {}
    cases = []
    for line in (dev / f"{file}.jsonl").open(encoding="utf-8"):
        row = json.loads(line)
        name = row["dataset"]
        if name not in sets:
            sets[name] = load(data, name)
        key = f"task_{row['task_id']}" if name == "taco" else str(row["task_id"])
        scorer, _, found = sets[name]
        cases.append(Case(f"{name} {key} {row['id']}", scorer, found[key], row["response"], row["label"], row["note"]))
    return report(file, cases)


def attacks(dev: Path) -> int:
    """Hostile programs: none may pass, in any kind of task that it is for."""
    call = {"kind": "call", "function": "f", "tests": [{"inputs": [[2], [40]], "outputs": [12345, 67890]}]}
    check = {
        "kind": "check",
        "function": "f",
        "beginning": 'def f(x):\n    """ What nobody can guess. """\n',
        "tests": ["def check(candidate):\n    assert candidate(2) == 12345\n\ncheck(f)\n"],
    }
    stdin = {"kind": "stdin", "tests": [{"inputs": ["2\n"], "outputs": ["12345\n"]}]}
    targets = {"stdin": stdin, "call": call, "he": check}
    scorer = CodeScorer(test_s=2.0, sample_s=10.0)
    cases = []
    for file in sorted((dev / "attacks").glob("*.py")):
        text = file.read_text(encoding="utf-8")
        for mode in re.search(r"modes: ([\w,]+)", text)[1].split(","):  # type: ignore[index]
            problem = Problem("0", "", targets[mode])
            cases.append(Case(f"{file.stem} {mode}", scorer, problem, scorer.as_response(text), False))
    return report("attacks", cases)


def benign(dev: Path) -> int:
    """Odd but right programs: all must pass."""
    inputs = ["3\n1 2 3\n", "1\n-5\n", f"1000\n{' '.join(map(str, range(1000)))}\n"]
    tests = {"inputs": inputs, "outputs": ["6\n", "-5\n", f"{sum(range(1000))}\n"]}
    problem = Problem("0", "", {"kind": "stdin", "tests": [tests]})
    scorer = CodeScorer()
    files = sorted((dev / "benign").glob("*.py"))
    texts = [(file.stem, file.read_text(encoding="utf-8")) for file in files]
    return report("benign", [Case(name, scorer, problem, scorer.as_response(text), True) for name, text in texts])


def main() -> None:
    """Run the parts that are asked for."""
    data, dev = Path(sys.argv[1]), Path(sys.argv[2])
    parts: dict[str, Callable[[], int]] = {
        "solutions": lambda: reference_solutions(data),
        "mutants": lambda: killed_mutants(data),
        "verdicts": lambda: labelled(data, dev, "code_verdicts"),
        "extraction": lambda: labelled(data, dev, "code_extraction"),
        "attacks": lambda: attacks(dev),
        "benign": lambda: benign(dev),
    }
    accepted = [parts[name]() for name in sys.argv[3:] or parts]
    sys.exit(1 if any(accepted) else 0)


if __name__ == "__main__":
    main()
