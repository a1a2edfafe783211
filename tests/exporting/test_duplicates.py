"""Problems and responses that repeat others."""

from __future__ import annotations

from pathlib import Path

import pytest
from exports import rows_of, said_run

import skythought as st
from skythought.errors import UserError
from skythought.exporting.duplicates import Duplicates

LONG = (
    "Ann buys 12 pears and 30 plums at the market on the hill and gives half of the plums to the boy of the next door"
)


@pytest.mark.parametrize("other", ["  what IS\n$3 + 4$? ", "What is \\left 3+4?", "Ｗhat is 3 + 4?"])
def test_blanks_case_and_forms_of_characters_are_no_difference(other: str) -> None:
    seen = Duplicates()
    assert seen.earlier("What is $3+4$?", "a") is None
    assert seen.earlier(other, "b") == ("a", False)


def test_signs_and_brackets_are(tmp_path: Path) -> None:
    seen = Duplicates()
    texts = ["Solve 2(x+3)=10", "Solve 2x+3=10", "Solve 2(x-3)=10"]
    assert [seen.earlier(text, text) for text in texts] == [None] * 3


def test_near_ones_are_alike_and_the_first_stays() -> None:
    pytest.importorskip("rensa")
    seen = Duplicates(0.7)
    assert seen.earlier(LONG, "a") is None
    assert seen.earlier(LONG.replace("door", "street"), "b") == ("a", True)
    assert seen.earlier(LONG.replace("door", "street"), "c") == ("a", False)
    assert seen.earlier("Something that has nothing in common with all that was said before it", "d") is None


def test_other_numbers_make_another_problem() -> None:
    pytest.importorskip("rensa")
    text = f"{LONG}. {LONG.replace('Ann', 'Bob')}"
    assert Duplicates(0.5).earlier(text, "a") is None
    seen = Duplicates(0.5, same_numbers=True)
    assert [seen.earlier(one, one[:4]) for one in (text, text.replace("30", "31"))] == [None, None]
    assert seen.earlier(text.replace("hill", "square"), "b") == (text[:4], True)


@pytest.mark.parametrize("near", [0.0, 1.0, 7.0])
def test_a_similarity_is_a_share(near: float) -> None:
    with pytest.raises(UserError, match="between 0 and 1"):
        Duplicates(near)


def test_an_export_drops_repeated_problems_and_responses(tmp_path: Path) -> None:
    says = ["It is \\boxed{1}.", "it is  \\boxed{1}.", "Surely \\boxed{1}."]
    rows = [{"question": "What is 0 + 1?"}, {"question": "What is  0+1?", "answer": "1"}]
    run = said_run(tmp_path / "run", [says, says], rows=rows, n=3)
    exported = st.export(run, tmp_path / "data", select="all")
    assert [row["messages"][-1]["content"] for row in rows_of(exported)] == [says[0], says[2]]
    dropped = {why: count for step in exported.steps for why, count in step.dropped.items()}
    assert dropped == {"repeat another problem": 3, "repeat another response": 1}
    assert st.export(run, tmp_path / "all", select="all", duplicates="keep").rows == 6
    with pytest.raises(UserError, match="exact, keep, or a share"):
        st.export(run, tmp_path / "none", duplicates="none")
