"""Pages of made-up runs, in the form that the report's script reads: what a browser test looks at."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from places import ROOT

from skythought.reporting.blocks import in_base64
from skythought.reporting.page import END, before_data, data, script
from skythought.reporting.records import BLOCK

BUNDLE = ROOT / "src" / "skythought" / "reporting" / "page"
VERDICTS = ("correct", "wrong", "correct", "correct", "truncated", "correct", "unparsed", "correct", "wrong", "failed")
LOOPING, UNREAD, ENDLESS = 1, 2, 4

ANSWER = r"""Let $d$ be the distance. By the law of cosines,
$$d^2 = a^2 + b^2 - 2ab\cos\gamma = \frac{9}{4} + {number}.$$
So \(d = \sqrt{{number}}\), as a program shows:

```python
def distance(a: float, b: float) -> float:
    return (a**2 + b**2) ** 0.5  # right angle
```

The answer is $\boxed{{number}}$."""


def text(number: int, **changes: Any) -> dict[str, Any]:
    """The text of one sample."""
    answer = ANSWER.replace("{number}", str(number)).replace("{{", "{").replace("}}", "}")
    return {
        "messages": [
            {"role": "system", "content": "Answer with one number."},
            {"role": "user", "content": f"Two ships leave a harbour, {number} miles apart. How far is it?"},
        ],
        "thinking": f"Let me see. The needle-{number} is $x_{{{number}}}$.\n" * 5,
        "answer": answer,
        "read": str(number),
        "gold": str(number),
        "reason": "equal as numbers",
        "details": {"rule": "last boxed", "tests": 12, "passed": 12},
        "seed": 1000 + number,
        "finish_reason": "stop",
        "prompt_tokens": 64,
        "completion_tokens": 300 + number % 900,
        "seconds": 1.5,
        "error": None,
        "row": {"level": "3", "source": "made up"},
        "again": f"skythought evaluate --task ships --ids {number}",
        **changes,
    }


def run_facts(name: str, problems: int, n: int, **changes: Any) -> dict[str, Any]:
    """What stands of one run above its samples."""
    half = problems // 2
    share = {"unit": "share", "note": "95%, other problems like these"}
    return {
        "name": name,
        "folder": f"results/{name}",
        "task": "ships",
        "model": name,
        "backend": "vllm",
        "sampling": {"temperature": 0.6, "max_tokens": 4096},
        "n": n,
        "problems": problems,
        "pending": 0,
        "figures": [
            {"name": "accuracy", "value": 0.52, "low": 0.47, "high": 0.58, **share},
            {"name": "truncated", "value": 0.1, "low": 0.07, "high": 0.14, **share},
            {"name": "completion tokens", "value": 812.4, "low": None, "high": None, "unit": "tokens", "note": "mean"},
        ],
        "pass_at_k": [
            {"k": k, "value": 1 - 0.48**k, "low": 0.95 - 0.48**k, "high": min(1, 1.04 - 0.48**k)} for k in (1, 2, 4)
        ],
        "subsets": {
            "subject": [
                {"value": "algebra", "problems": half, "accuracy": 0.61, "low": 0.52, "high": 0.7},
                {
                    "value": "geometry",
                    "problems": problems - problems // 2,
                    "accuracy": 0.43,
                    "low": 0.35,
                    "high": 0.52,
                },
            ]
        },
        "verdicts": {},
        "facts": [["seed", "41"], ["scorer", "math"], ["skythought", "0.2.0"]],
        "command": f"skythought evaluate --task ships --model {name} --n {n}",
        **changes,
    }


def made_index(runs: Sequence[str], problems: int, n: int) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """An index, and the texts in its order: sample after sample of each problem of each run."""
    columns: dict[str, list[Any]] = {}
    texts = []
    facts = [run_facts(name, problems, n) for name in runs]
    for run, _ in enumerate(runs):
        for problem in range(problems):
            for sample in range(n):
                place = len(texts)
                verdict = VERDICTS[(problem * 7 + sample * 3 + run) % len(VERDICTS)]
                entry = text(problem, completion_tokens=200 + (problem * 37 + sample * 101 + place) % 1900)
                _settle(entry, verdict, problem)
                texts.append(entry)
                flags = (LOOPING | ENDLESS if verdict == "truncated" else 0) | (UNREAD if problem % 10 == 8 else 0)
                row = {
                    "run": run,
                    "id": str(problem),
                    "sample": sample,
                    "verdict": verdict,
                    "subset": ("algebra", "geometry")[problem % 2],
                    "in": entry["prompt_tokens"],
                    "out": entry["completion_tokens"],
                    "answer": entry["read"],
                    "gold": entry["gold"],
                    "first": entry["answer"].split("\n")[0][:120],
                    "flags": flags,
                    "block": place // BLOCK,
                    "place": place % BLOCK,
                }
                for name, value in row.items():
                    columns.setdefault(name, []).append(value)
                counts = facts[run]["verdicts"]
                counts[verdict] = counts.get(verdict, 0) + 1
    return {"version": 1, "runs": facts, "comparison": None, "samples": columns, "marks": []}, texts


def _settle(entry: dict[str, Any], verdict: str, problem: int) -> None:
    """Makes a text end as its verdict says."""
    if verdict == "wrong":
        entry |= {"gold": str(problem + 1), "reason": "not equal", "details": {"tests": 12, "passed": 9}}
    if verdict in ("unparsed", "truncated", "failed"):
        entry |= {"read": None, "reason": "no answer found"}
    if verdict == "truncated":
        entry |= {"answer": "", "finish_reason": "length", "reason": "cut off at 4096 tokens"}
    if verdict == "failed":
        entry |= {"answer": "", "thinking": "", "error": "HTTP 503: no replica", "completion_tokens": None}


def made_page(index: Mapping[str, Any], texts: Sequence[Mapping[str, Any]]) -> bytes:
    """The whole page, as a file."""
    blocks = [texts[at : at + BLOCK] for at in range(0, len(texts), BLOCK)]
    return b"".join(
        [
            before_data("report", "<h1>ships</h1><p>accuracy 52.0% (47.0 to 58.0)</p>"),
            data("index", in_base64(index)),
            script(),
            *[data(f"block-{number}", in_base64(block), block=True) for number, block in enumerate(blocks)],
            END,
        ]
    )


def write_page(path: Path, index: Mapping[str, Any], texts: Sequence[Mapping[str, Any]]) -> str:
    """Writes the page; its address."""
    path.write_bytes(made_page(index, texts))
    return path.as_uri()
