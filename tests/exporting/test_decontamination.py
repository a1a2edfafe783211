"""Problems of benchmarks in training data: found in every guise, others left alone, gaps told."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from exports import rows_of, said_run

import skythought as st
from skythought.errors import UserError
from skythought.exporting.benchmarks import LEFT_OUT, read_benchmarks
from skythought.exporting.decontamination import Decontaminated

TRAIN = (
    r"A ferry carries $1{,}250$ passengers across a river that is $\frac{3}{4}$ km wide, and $12$ of them leave at "
    r"each of the five stops on the way. If $x \leq 9$ new ones come aboard at every stop, how many are there in the "
    r"end?"
)
SHORT = r"Compute $17 \cdot 23 + 5$."
CHOICE = {"question": "Which is true?", "options": ["Ice floats on water", "Iron floats on water"]}


@pytest.fixture
def problems(tmp_path: Path) -> str:
    path = tmp_path / "problems.jsonl"
    path.write_text("".join(json.dumps({"problem": text}) + "\n" for text in (TRAIN, SHORT)), encoding="utf-8")
    return str(path)


GUISES = {
    "verbatim": TRAIN,
    "capitals": TRAIN.upper().replace(r"\FRAC", r"\frac").replace(r"\LEQ", r"\leq"),
    "line breaks": TRAIN.replace(" ", "\n"),
    "plain text": TRAIN.replace(r"$1{,}250$", "1250").replace(r"$\frac{3}{4}$", "3/4").replace(r"$x \leq 9$", "x ≤ 9"),
    "in a longer text": f"Solve this for my class.\n\n{TRAIN}\n\nPut your answer in \\boxed{{}}.",
    "in markup": f"<p><b>{TRAIN.replace('$', '')}</b></p>",
    "without its end": TRAIN[: len(TRAIN) * 3 // 4],
    "without its beginning": TRAIN[len(TRAIN) // 4 :],
    "numbers in words": TRAIN.replace("$12$", "twelve").replace("five", "5"),
    "short": SHORT,
    "short, in a longer text": f"Hello! Compute 17*23+5.\nThink step by step. {'And so on. ' * 30}",
}


@pytest.mark.parametrize("guise", GUISES)
def test_a_leak_is_found_in_every_guise(problems: str, guise: str) -> None:
    found = st.decontaminate([GUISES[guise]], problems)
    assert found.kept == []
    [hit] = found.hits
    assert (hit.removed, hit.example) == (True, "0")
    assert hit.benchmark_text in (TRAIN, SHORT)
    assert hit.text == GUISES[guise]


INNOCENTS = {
    "other numbers": TRAIN.replace("250", "400").replace("$12$", "$15$"),
    "one other number": TRAIN.replace("$12$", "$13$"),
    "a phrase of it": "Trains stop too. How many are there in the end? One of them leaves at each of the five stops.",
    "another sign": SHORT.replace("+", "-"),
    "in the middle of a sentence": "He likes to compute 17*23+5 and more of that kind.",
    "something else": "How many primes are there below one hundred?",
}


@pytest.mark.parametrize("innocent", INNOCENTS)
def test_an_innocent_stays(problems: str, innocent: str) -> None:
    assert st.decontaminate([INNOCENTS[innocent]], problems).removed == []


def test_what_is_kept_is_listed_with_the_reason(problems: str) -> None:
    rows = [INNOCENTS["one other number"], TRAIN[: len(TRAIN) * 9 // 20]]
    hits = st.decontaminate(rows, problems).hits
    assert [(hit.why, hit.removed) for hit in hits] == [("other numbers", False), ("below the threshold", False)]
    assert 0.3 <= hits[1].coverage < 0.5
    assert st.decontaminate(rows, problems, threshold=0.35).kept == rows[:1]


def test_only_n_words_in_a_row_count(problems: str) -> None:
    broken = " ".join(word + (" really" if place % 10 == 9 else "") for place, word in enumerate(TRAIN.split()))
    assert st.decontaminate([broken], problems, ngram=8).removed == [broken]
    assert st.decontaminate([broken], problems, ngram=13).removed == []


def test_a_short_question_counts_only_with_its_options_in_any_order(tmp_path: Path) -> None:
    task = {"dataset_path": "rows.jsonl", "question_key": "question", "prompt": "{{ question }}", "choices": "options"}
    (tmp_path / "rows.jsonl").write_text(json.dumps(CHOICE) + "\n", encoding="utf-8")
    (tmp_path / "quiz.yaml").write_text(json.dumps({**task, "target": "0", "scorer": "choice"}), encoding="utf-8")
    leak = "Which is true?\nA. Iron floats on water.\nB. Ice floats on water."
    rows = [leak, "Which is true?\nA. Cork floats on water.\nB. Ice floats on water."]
    assert st.decontaminate(rows, str(tmp_path / "quiz.yaml")).removed == [leak]


def test_rows_of_every_shape_and_only_before_the_response(problems: str) -> None:
    asked, said = {"role": "user", "content": TRAIN}, {"role": "assistant", "content": TRAIN}
    other = {"role": "user", "content": "What else?"}
    leaks = [
        {"messages": [asked, said]},
        {"messages": [asked, said, other, said]},
        {"prompt": [asked], "completion": [said]},
        {"conversations": [{"from": "human", "value": TRAIN}]},
        {"problem": TRAIN, "solution": "1"},
        {"instruction": "Answer.", "input": TRAIN, "output": "1"},
    ]
    assert st.decontaminate(leaks, problems).kept == []
    answered = [{"messages": [other, said]}, {"prompt": "What else?", "completion": TRAIN}]
    assert st.decontaminate(answered, problems).removed == []
    assert st.decontaminate(answered, problems, answers=True).kept == []
    with pytest.raises(UserError, match="row 0 has no chat and no column"):
        st.decontaminate([{"strange": TRAIN}], problems)
    assert st.decontaminate([{"strange": TRAIN}], problems, column="strange").kept == []


def test_a_task_is_read_from_a_copy_and_what_is_missing_is_told(tmp_path: Path) -> None:
    copy = tmp_path / "copy.jsonl"
    rows = [{"problem": TRAIN, "answer": "1", "url": "2024"}, {"problem": "", "answer": "1", "url": "2024"}]
    copy.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    for found in (
        st.decontaminate([TRAIN], f"aime24={copy}"),
        st.decontaminate([TRAIN], "aime24", task_args={"aime24": {"dataset_path": str(copy)}}),
    ):
        assert len(found.removed) == 1
        assert found.hits[0].benchmark == "aime24"
        [notice] = found.notices
        assert "aime24: 1 of 30 problems were at hand" not in notice or "could not be looked for" in notice


def test_a_benchmark_that_cannot_be_had_is_told_and_the_others_are_used(
    problems: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    found: Decontaminated[str] = st.decontaminate([TRAIN], ["gsm8k", problems])
    assert len(found.removed) == 1
    assert [line.partition(":")[0] for line in found.notices] == ["gsm8k"]
    assert "not checked" in found.notices[0]
    with pytest.raises(UserError, match="nothing to check against"):
        st.decontaminate([TRAIN], "gsm8k")


def test_all_are_the_tasks_of_the_catalogue_and_what_is_left_out_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    read = {one.name: one.why_not for one in read_benchmarks(["all"])}
    assert {"aime24", "math500", "gpqa_diamond"} < set(read)
    assert all(read[name] == why for name, why in LEFT_OUT.items())


@pytest.mark.parametrize(
    ("against", "options", "said"),
    [
        ("mathh500", {}, "Did you mean 'math500'"),
        ("absent.jsonl", {}, "no file 'absent.jsonl'"),
        ("math500=absent.jsonl", {}, "no file 'absent.jsonl' for task 'math500'"),
        ("problems.jsonl:question", {}, "no row of .* has a column 'question'"),
        ("problems.jsonl", {"threshold": 0.0}, "threshold"),
        ("problems.jsonl", {"ngram": 99}, "ngram"),
    ],
)
def test_mistakes_are_told_before_anything_is_read(
    problems: str, monkeypatch: pytest.MonkeyPatch, against: str, options: dict[str, float], said: str
) -> None:
    monkeypatch.chdir(Path(problems).parent)
    with pytest.raises(UserError, match=said):
        st.decontaminate(["a"], against, **options)  # type: ignore[arg-type]


def test_an_export_drops_them_lists_them_and_says_so_in_the_card(tmp_path: Path) -> None:
    run = said_run(tmp_path / "run", [[f"\\boxed{{{number + 1}}}"] for number in range(4)])
    (tmp_path / "known.txt").write_text("What is 2 + 1?\nWhat is 9 + 1?\n", encoding="utf-8")
    exported = st.export(run, tmp_path / "data", decontaminate=[str(tmp_path / "known.txt")])
    assert [row["messages"][0]["content"] for row in rows_of(exported)] == [f"What is {n} + 1?" for n in (0, 1, 3)]
    [hit] = [json.loads(line) for line in (exported.path / "decontamination.jsonl").read_text().splitlines()]
    assert (hit["benchmark_text"].strip(), hit["removed"]) == ("What is 2 + 1?", True)
    card = (exported.path / "README.md").read_text(encoding="utf-8")
    assert "## Decontamination" in card
    assert "What is 2 + 1?" in card
