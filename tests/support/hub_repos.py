"""Every dataset of the catalogue as its repository on the hub is laid out, with rows of our own making."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow
import yaml
from hub_server import Repo, commit
from pyarrow import parquet

Row = dict[str, Any]


def as_parquet(rows: Sequence[Row], **options: Any) -> bytes:
    """Rows as a parquet file."""
    file = io.BytesIO()
    parquet.write_table(pyarrow.Table.from_pylist(list(rows)), file, **options)
    return file.getvalue()


def as_jsonl(rows: Sequence[Row]) -> bytes:
    """Rows as JSON lines."""
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows).encode()


def as_csv(rows: Sequence[Row]) -> bytes:
    """Rows as CSV."""
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, list(rows[0]))
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode()


def card(configs: Mapping[str, Mapping[str, str]]) -> bytes:
    """A README that says which files each configuration's splits are in."""
    listed = [
        {"config_name": name, "data_files": [{"split": split, "path": path} for split, path in splits.items()]}
        for name, splits in configs.items()
    ]
    return f"---\n{yaml.safe_dump({'configs': listed})}---\n# A dataset\n".encode()


def repo(files: Mapping[str, bytes], configs: Mapping[str, Mapping[str, str]] | None = None, **fields: Any) -> Repo:
    """A repository at any commit."""
    readme = {"README.md": card(configs)} if configs else {}
    revisions = {name: commit(name) for name in ("main", "refs/convert/parquet", "refs/pr/2")}
    return Repo({**readme, **files}, revisions, any_commit=True, **fields)


def shared(rows: Sequence[Row], split: str, config: str | None = None) -> Repo:
    """The layout of `push_to_hub`: parquet, one file a split."""
    folder = config or "data"
    path = f"{folder}/{split}-00000-of-00001.parquet"
    return repo({path: as_parquet(rows)}, {config or "default": {split: f"{folder}/{split}-*"}})


AOPS = "https://artofproblemsolving.com/wiki/index.php/{}_Problems/Problem_{}"
AIME = [
    {"id": n, "problem": f"Find {n} + 20.", "solution": "...", "answer": f"0{n + 20}", "url": AOPS.format(which, n)}
    for n, which in enumerate(["2022_AIME_I", "2024_AIME_I", "2023_AIME_II", "2024_AIME_II"])
]
AMC = [
    {"id": n, "problem": f"Find {n} + 2.", "answer": float(n + 2), "url": AOPS.format(which, n)}
    for n, which in enumerate(["2022_AMC_12A", "2023_AMC_12A", "2023_AMC_12B"])
]
AIME25 = {part: [{"question": f"{part}: find $7^{n}$.", "answer": str(7**n)} for n in range(2)] for part in ("I", "II")}
GPQA = [
    {
        "Record ID": f"rec{n}",
        "Question": f"What is {n} + 2,\nin one number?",
        "Correct Answer": f"{n + 2}\n",
        "Incorrect Answer 1": f"{n + 3}",
        "Incorrect Answer 2": f" {n + 4}",
        "Incorrect Answer 3": "none, of these",
        "Explanation": "",
        "High-level domain": "Mathematics",
        "Subdomain": "Sums",
    }
    for n in range(3)
]
GSM8K = [{"question": f"{n} and 1,000?", "answer": f"{n}+1000=<<{n}+1000=1000>>\n#### 1,00{n}"} for n in range(3)]
MATH500 = [
    {
        "problem": "Simplify $\\frac{6}{8}$.",
        "solution": "It is $\\boxed{\\frac{3}{4}}$.",
        "answer": "\\frac{3}{4}",
        "subject": "Prealgebra",
        "level": 1,
        "unique_id": "test/prealgebra/1.json",
    }
]
MATH_SUBJECTS = {
    "algebra": "Algebra",
    "counting_and_probability": "Counting & Probability",
    "geometry": "Geometry",
    "intermediate_algebra": "Intermediate Algebra",
    "number_theory": "Number Theory",
    "prealgebra": "Prealgebra",
    "precalculus": "Precalculus",
}


def mathematics(subject: str) -> list[Row]:
    """Rows of one subject of MATH."""
    rows = range(2)
    return [{"problem": f"{subject} {n}?", "level": "Level 5", "type": subject, "solution": "\\boxed{9}"} for n in rows]


MMLU = [{"question": "Nearest planet?", "subject": "astronomy", "choices": ["Venus", "Mercury", "Mars", "Earth"]}]
MMLU_PRO = {
    "question_id": 7,
    "question": "What do plants take in?",
    "options": ["Oxygen", "Helium", "Carbon dioxide"],
    "answer": "C",
    "answer_index": 2,
    "cot_content": "",
    "category": "biology",
    "src": "ours",
}
OLYMPIAD = {
    "id": 1,
    "question": "Find all $n$ with $n^2 = 4$.",
    "solution": ["..."],
    "final_answer": ["$-2$,$2$"],
    "context": None,
    **{f"image_{n}": None for n in range(1, 6)},
    "modality": "Text-only",
    "difficulty": "Competition",
    "is_multiple_answer": True,
    "unit": None,
    "answer_type": "Numerical",
    "error": None,
    "question_type": "Open-ended",
    "subfield": "Algebra",
    "subject": "Math",
    "language": "English",
}
OMNI = {
    "domain": ["Mathematics -> Algebra -> Sums"],
    "difficulty": 5.0,
    "problem": "Compute $1 + 3 + 5$.",
    "solution": "...",
    "answer": "9",
    "source": "HMMT_11",
}
AOPS_2024 = {"question": "Solve $2^x = 64$.", "answer": "6", "post_time": "2024-03-05T10:00:00"}
NUMINA = [
    {
        "source": source,
        "problem": f"Find $x$ in $3x = {3 * n}$.",
        "solution": f"$x = \\boxed{{{n}}}$",
        "messages": [{"role": "user", "content": "..."}, {"role": "assistant", "content": "..."}],
    }
    for n, source in enumerate(["cn_k12", "amc_aime", "math", "olympiads"])
]
NUMINA_LABELLED = [{**row, "gpt_difficulty": "It is a 9.", "gpt_difficulty_parsed": 9.0} for row in NUMINA]
SUPERGPQA = {
    "uuid": "u1",
    "question": "What do plants take in?",
    "options": ["Oxygen", "Helium", "Carbon dioxide"],
    "answer": "Carbon dioxide",
    "answer_letter": "C",
    "discipline": "Science",
    "field": "Biology",
    "subfield": "Botany",
    "difficulty": "easy",
    "is_calculation": False,
}
BBH = {
    "boolean_expressions": ("not ( True ) and True is", "False"),
    "dyck_languages": ("Complete: [ <", "> ]"),
    "formal_fallacies": ("Some A are B. Is it valid?\nOptions:\n- valid \n- invalid", "invalid"),
    "object_counting": ("I have a cow and two pigs. How many animals?", "3"),
    "word_sorting": ("Sort: pear apple", "apple pear"),
}
BBH_TASKS = [*BBH, "causal_judgement", "date_understanding", "disambiguation_qa", "geometric_shapes", "hyperbaton"]
BBH_TASKS += [f"logical_deduction_{n}_objects" for n in ("three", "five", "seven")]
BBH_TASKS += ["movie_recommendation", "multistep_arithmetic_two", "navigate", "penguins_in_a_table"]
BBH_TASKS += ["reasoning_about_colored_objects", "ruin_names", "salient_translation_error_detection", "snarks"]
BBH_TASKS += ["sports_understanding", "temporal_sequences", "web_of_lies"]
BBH_TASKS += [f"tracking_shuffled_objects_{n}_objects" for n in ("three", "five", "seven")]
LANGUAGES = ["ar", "bn", "de", "en", "es", "fr", "id", "it", "ja", "ko", "ms", "pt", "ru", "sw", "te", "th", "vi", "zh"]
LEVELS = ("low", "medium", "high", "top")
HLE = [
    {
        "id": str(n),
        "question": f"What is $2 + {n}$?",
        "image": "data:image/png;base64,AAAA" if n == 0 else "",
        "image_preview": {"bytes": b"\x89PNG", "path": None} if n == 0 else None,
        "answer": str(n + 2) if kind == "exactMatch" else "B",
        "answer_type": kind,
        "author_name": "ours",
        "rationale": "",
        "rationale_image": None,
        "raw_subject": "Arithmetic",
        "category": "Math",
        "canary": "",
    }
    for n, kind in enumerate(["exactMatch", "exactMatch", "multipleChoice"])
]
IFEVAL = {
    "key": 1000,
    "prompt": "Write two sentences about rain, without any comma.",
    "instruction_id_list": ["punctuation:no_comma"],
    "kwargs": [{"num_words": None, "relation": None}],
}
STDIN_TESTS = json.dumps({"inputs": ["1 2\n"], "outputs": ["3\n"]})
APPS = {
    "problem_id": 1,
    "question": "Print the sum of two integers.",
    "solutions": json.dumps(["print(sum(map(int, input().split())))"]),
    "input_output": STDIN_TESTS,
    "difficulty": "introductory",
    "url": "",
    "starter_code": "",
}
TACO_NAMES = ["raw_tags", "name", "source", "tags", "skill_types", "url", "Expected Auxiliary Space", "time_limit"]
TACO_NAMES += ["date", "picture_num", "memory_limit", "Expected Time Complexity"]
TACO = [
    {
        **{name: APPS[name] for name in ("question", "solutions", "starter_code", "input_output")},
        "difficulty": difficulty,
        **dict.fromkeys(TACO_NAMES, "[]"),
    }
    for difficulty in ("EASY", "MEDIUM", "HARD")
]


def livecodebench(number: int, difficulty: str) -> Row:
    """A row of LiveCodeBench's file `number`."""
    tests = json.dumps([{"input": "1 2\n", "output": "3\n", "testtype": "stdin"}])
    return {
        "question_title": f"Sum {number}",
        "question_content": "Print the sum of two integers.",
        "platform": "atcoder",
        "question_id": f"abc{number}_a",
        "contest_id": f"abc{number}",
        "contest_date": f"2024-0{number}-05T00:00:00",
        "starter_code": "",
        "difficulty": difficulty,
        "public_test_cases": tests,
        "private_test_cases": tests,
        "metadata": "{}",
    }


HUMANEVAL = {
    "task_id": "HumanEval/0",
    "prompt": 'def add(a, b):\n    """The sum."""\n',
    "canonical_solution": "    return a + b\n",
    "test": "def check(candidate):\n    assert candidate(1, 2) == 3\n",
    "entry_point": "add",
}
MBPP = {
    "task_id": 11,
    "text": "Write a function that adds two numbers.",
    "code": "def add(a, b):\n    return a + b",
    "test_list": ["assert add(1, 2) == 3"],
    "test_setup_code": "",
    "challenge_test_list": [],
}
MBPP_PLUS = {
    "task_id": 11,
    "code": MBPP["code"],
    "prompt": MBPP["text"],
    "source_file": "ours",
    "test_imports": [],
    "test_list": MBPP["test_list"],
    "test": "assert add(1, 2) == 3\n",
}


def mathematics_tasks() -> dict[str, Repo]:
    """Datasets with a final answer."""
    parts = {f"AIME2025-{part}": {"test": f"aime2025-{part}.jsonl"} for part in AIME25}
    subjects = {name: as_parquet(mathematics(subject)) for name, subject in MATH_SUBJECTS.items()}
    olympiad = "OlympiadBench/OE_TO_maths_en_COMP/OE_TO_maths_en_COMP.parquet"
    polymath = {
        f"{language}/{level}.parquet": as_parquet([{"id": f"{level}-{language}-0", "question": "1?", "answer": "$1$"}])
        for language in LANGUAGES
        for level in LEVELS
    }
    arena = {"problem_idx": 1, "problem": "Find $2^5$."}
    return {
        "AI-MO/aimo-validation-aime": shared(AIME, "train"),
        "AI-MO/aimo-validation-amc": shared(AMC, "train"),
        "opencompass/AIME2025": repo({f"aime2025-{part}.jsonl": as_jsonl(AIME25[part]) for part in AIME25}, parts),
        "MathArena/aime_2026": shared([{**arena, "answer": 32}], "train"),
        "MathArena/hmmt_feb_2025": shared([{**arena, "answer": "2^{5}", "problem_type": ["Algebra"]}], "train"),
        "openai/gsm8k": repo(
            {
                f"{config}/{split}-00000-of-00001.parquet": as_parquet(GSM8K)
                for config in ("main", "socratic")
                for split in ("train", "test")
            },
            {c: {s: f"{c}/{s}-*" for s in ("train", "test")} for c in ("main", "socratic")},
        ),
        "HuggingFaceH4/MATH-500": repo({"test.jsonl": as_jsonl(MATH500)}),
        "EleutherAI/hendrycks_math": repo(
            {f"{name}/test-00000-of-00001.parquet": data for name, data in subjects.items()}
            | {f"{name}/train-00000-of-00001.parquet": data for name, data in subjects.items()},
            {name: {split: f"{name}/{split}-*" for split in ("train", "test")} for name in MATH_SUBJECTS},
        ),
        "math-ai/minervamath": shared([{"question": "Moles in 36 g of water?", "answer": "2.0"}], "test"),
        "Hothan/OlympiadBench": repo(
            {olympiad: as_parquet([OLYMPIAD])}, {"OE_TO_maths_en_COMP": {"train": olympiad}, "TP": {"train": "TP/*"}}
        ),
        "AI-MO/NuminaMath-CoT": shared(NUMINA, "train"),
        "NovaSky-AI/labeled_numina_difficulty_859K": shared(NUMINA_LABELLED, "train"),
        "Qwen/PolyMath": repo(polymath, {la: {level: f"{la}/{level}.parquet" for level in LEVELS} for la in LANGUAGES}),
    }


def choice_and_text_tasks() -> dict[str, Repo]:
    """Multiple choice, words, instructions."""
    arc = {"id": "X", "question": "What melts ice?", "choices": {"text": ["Cold", "Heat"], "label": ["1", "2"]}}
    sets = ("diamond", "main", "extended", "experts")
    bbh = {name: BBH.get(name, ("Which?\nOptions:\n(A) one\n(B) two", "(B)")) for name in BBH_TASKS}
    return {
        "allenai/ai2_arc": shared([{**arc, "answerKey": "2"}], "test", "ARC-Challenge"),
        "Idavidrein/gpqa": repo(
            {f"gpqa_{name}.csv": as_csv(GPQA) for name in sets},
            {f"gpqa_{name}": {"train": f"gpqa_{name}.csv"} for name in sets},
            gated=True,
            members={"hf_member"},
        ),
        "cais/mmlu": shared([{**row, "answer": 1} for row in MMLU], "test", "all"),
        "TIGER-Lab/MMLU-Pro": shared([MMLU_PRO], "test"),
        "m-a-p/SuperGPQA": repo({"SuperGPQA-all.jsonl": as_jsonl([SUPERGPQA])}),
        "SaylorTwift/bbh": repo(
            {f"{n}/test-00000-of-00001.parquet": as_parquet([{"input": i, "target": t}]) for n, (i, t) in bbh.items()},
            {name: {"test": f"{name}/test-*"} for name in bbh},
        ),
        "cais/hle": repo(
            {"data/test-00000-of-00001.parquet": as_parquet(HLE)},
            {"default": {"test": "data/test-*"}},
            gated=True,
            members={"hf_member"},
        ),
        "google/IFEval": repo({"ifeval_input_data.jsonl": as_jsonl([IFEVAL])}),
    }


def program_tasks() -> dict[str, Repo]:
    """Datasets that ask for programs. Three hold a loading script, as the real ones do."""
    levels = ("easy", "medium", "hard")
    lcb = {
        f"test{number if number > 1 else ''}.jsonl": as_jsonl([livecodebench(number, level) for level in levels])
        for number in range(1, 7)
    }
    apps = {"all/train/0000.parquet", "all/test/0000.parquet", "all/test/0001.parquet"}
    return {
        "codeparrot/apps": repo({"apps.py": b"raise", **{path: as_parquet([APPS]) for path in apps}}),
        "BAAI/TACO": repo(
            {"TACO.py": b"raise", "ALL/test-00000-of-00001.parquet": as_parquet(TACO)}
            | {f"ALL/train-0000{n}-of-00002.parquet": as_parquet(TACO) for n in range(2)}
        ),
        "livecodebench/code_generation_lite": repo({"code_generation_lite.py": b"raise", **lcb}),
        "openai/openai_humaneval": shared([HUMANEVAL], "test", "openai_humaneval"),
        "evalplus/humanevalplus": shared([HUMANEVAL], "test"),
        "google-research-datasets/mbpp": shared([MBPP], "test", "full"),
        "evalplus/mbppplus": shared([MBPP_PLUS], "test"),
    }


def catalogue() -> dict[str, Repo]:
    """All repositories by name."""
    return {**mathematics_tasks(), **choice_and_text_tasks(), **program_tasks()}


def addresses() -> dict[str, bytes]:
    """What is read from addresses outside of the hub, by the end of the path."""
    return {"/omni_math_rule.jsonl": as_jsonl([OMNI]), "/LiveAoPSBench-2024.jsonl": as_jsonl([AOPS_2024])}
