"""Multiple choice: which option a response gives as its answer."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skythought.scorers import score_text
from skythought.scorers.choice.reading import find_choice
from skythought.scorers.choice.scorer import ChoiceScorer
from skythought.types import Problem

CHOICE = ChoiceScorer()
TEXTS = ("helium", "oxygen gas", "hydrogen", "carbon")


def letter(response: str, count: int = 4, texts: tuple[str, ...] = TEXTS) -> str | None:
    found = find_choice(response, count, texts)
    return None if found is None or not found.letters else found.letters


KINDS = [
    ('{"answer": "C"}', "C"),
    ('```json\n{"reasoning": "I think A is wrong", "answer": "C"}\n```', "C"),
    ("{'final_answer': 'B'}", "B"),
    ('{"choice": "(D)"}', "D"),
    ('{"answer": "hydrogen"}', "C"),
    ("<answer>C</answer>", "C"),
    ("<answer>C</answer>\nI hope that helps.", "C"),
    ("<answer>\n(B)\n</answer>", "B"),
    ("<answer>hydrogen</answer>", "C"),
    ("## Answer\n\nC", "C"),
    ("**Answer**\n\n**C**", "C"),
    ("### Final Answer\n(B) oxygen gas", "B"),
    ("**Final Answer:** C", "C"),
    ("**Final Answer: C**", "C"),
    ("**Answer: (C) hydrogen**", "C"),
    ("The answer is not B but C.", "C"),
    ("It is not B. The answer is C", "C"),
    ("B is wrong, so C", "C"),
    ("B is wrong, so the answer is C", "C"),
    ("Not A, not B. Answer: D", "D"),
    ("The answer is either B or C.", "BC"),
    ("Answer: A and C", "AC"),
    ("\\boxed{A, C}", "AC"),
    ("\\boxed{B} and \\boxed{C}", "BC"),
    ("The answer is (B). Wait, that is wrong. It must be (C).", "C"),
    ("The answer is B. Hmm, actually B is incorrect. So it's C.", "C"),
    ("The answer is B. Wait, no. The answer is C.", "C"),
    ("Option C is correct.", "C"),
    ("Option C, hydrogen, is the correct answer.", "C"),
    ("C is the right choice", "C"),
    ("(C) is correct because ...", "C"),
    ("Option A is incorrect. Option B is incorrect. Option D is incorrect.", None),
    ("答案是 C", "C"),
    ("答案：C", "C"),
    ("正确答案是C。", "C"),
    ("故选C", "C"),
    ("因此，选C。", "C"),
    ("所以答案为（B）", "B"),
    ("選択肢の中で答えはCです", "C"),
    ("정답은 C입니다", "C"),
    ("La respuesta correcta es la C.", "C"),
    ("La réponse est C.", "C"),
    ("Die richtige Antwort ist C.", "C"),
    ("Die Antwort lautet: (C)", "C"),
    ("A resposta correta é a letra C.", "C"),
    ("Правильный ответ: C", "C"),
    ("الإجابة الصحيحة هي C", "C"),
    ("Jawaban yang benar adalah C", "C"),
    ("Đáp án là C", "C"),
    ("The answer to this question is C.", "C"),
    ("The answer is most likely C.", "C"),
    ("The answer would be C", "C"),
    ("So the correct answer should be option C: hydrogen", "C"),
    ("The answer, then, is C.", "C"),
    ("my final choice is D", "D"),
    ("I'd go with C", "C"),
    ("I'm going with option C.", "C"),
    ("This corresponds to option B.", "B"),
    ("Hence the correct option is (d)", "D"),
    ("ans: C", "C"),
    ("Ans. (C)", "C"),
    ("Answer - C", "C"),
    ("Answer (C)", "C"),
    ("answer = C", "C"),
    ("Correct Option: B", "B"),
    ("Answer: Option B", "B"),
    ("Answer:\n\nB", "B"),
    ("Answer:B", "B"),
    ("I think so", None),
    ("The answer is I don't know.", None),
    ("Answer: I am not sure.", None),
    ("The answer is A good question", None),
    ("The answer is a.", "A"),
    ("the answer is a", "A"),
    ("answer: a", "A"),
    ("\\boxed{a}", "A"),
    ("(a)", "A"),
    ("The answer is \\text{C}", "C"),
    ("$\\text{C}$", "C"),
    ("$$\\boxed{\\text{C}}$$", "C"),
    ("\\boxed{\\text{(C)}}", "C"),
    ("\\boxed{\\mathbf{C}}", "C"),
    ("\\boxed{\\text{C. hydrogen}}", "C"),
    ("\\boxed{Option C}", "C"),
    ("\\boxed{\\text{Option C}}", "C"),
    ("\\boxed{C: hydrogen}", "C"),
    ("\\boxed{(C)\\ hydrogen}", "C"),
    ("\\[\\boxed{C}\\]", "C"),
    ("\\fbox{C}", "C"),
    ("\\boxed{\\textbf{(C)}\\ 12}", "C"),
    ("\\boxed{C}\n\nAnswer: C", "C"),
    ("\\boxed{\\text{Hydrogen (H2)}}", "C"),
    ("C: hydrogen", "C"),
    ("C - hydrogen", "C"),
    ("C hydrogen", "C"),
    ("c) hydrogen", "C"),
    ("[C]", "C"),
    ("Option C", "C"),
    ("option c", "C"),
    ("**Option C**", "C"),
    ("**C.** hydrogen", "C"),
    ("- C", "C"),
    ("> C", "C"),
    ("Hydrogen.", "C"),
    ("It is hydrogen.", "C"),
    ("The gas with atomic number one is hydrogen.", "C"),
    ("It can be helium or hydrogen.", None),
    ("The answer is vitamin C", None),
    ("We have C = 5 and B = 3, so A = 8.", None),
    ("The answer is C = 5", None),
    (
        "A) helium: no\nB) oxygen gas: no\nC) hydrogen: yes\nD) carbon: no\n\nTherefore, the answer is C.",
        "C",
    ),
    ("A) helium: wrong\nB) oxygen gas: wrong\nC) hydrogen: correct\nD) carbon: wrong", "C"),
    ("The answer is (C). \n\nQuestion: What is 2?\nOptions: (A) 1 (B) 2\nThe answer is (B).", "C"),
    ("I choose C", "C"),
    ("My answer: C", "C"),
    ("The answer is: **C. hydrogen**", "C"),
    ("The correct answer is **(C)**", "C"),
    ("**The answer is C**", "C"),
    ("the answer is `C`", "C"),
    ('The answer is "C".', "C"),
    ("The answer is ‘C’.", "C"),
    ("The answer is “C”.", "C"),
    ("The answer is 「C」", "C"),
    ("The answer is $C$.", "C"),
    ("The answer is $\\boxed{C}$", "C"),
    ("The answer is **hydrogen**.", "C"),
    ("final answer: C) hydrogen", "C"),
    ("Final Answer: The final answer is C. I hope it is correct.", "C"),
    ("Final Answer: The final answer is $C$. I hope it is correct.", "C"),
    ("The best answer is C. This is because the best answer explains A and B.", "C"),
    ("The answer is A because B is wrong", "A"),
    ("The answer is A, because", "A"),
    ("The answer is A: helium", "A"),
    ("The answer is A helium", "A"),
    ("The answer is A) helium", "A"),
    ("Answer: A. helium", "A"),
    ("The answer is none of the above.", None),
    ("The answer is C or D", "CD"),
    ("#### C", "C"),
    ("Therefore: (C)", "C"),
    ("Thus (C).", "C"),
    ("Thus, the statement in C holds.", "C"),
    ("The correct choice is the third one, C.", "C"),
    ("Answer choice C", "C"),
    ("It's C", "C"),
    ("it's c", "C"),
    ("C. Because it is light.", "C"),
    ("Among these, C is the lightest.", "C"),
]


@pytest.mark.parametrize(("response", "expected"), KINDS)
def test_ways_to_state_an_answer(response: str, expected: str | None) -> None:
    assert letter(response) == expected


MORE_KINDS = [
    ("The answer is (C). This is because A and B are noble, so D is not possible.", "C", TEXTS),
    ("The answer is (C). Note that B is wrong because helium is inert. So A is excluded.", "C", TEXTS),
    ("The answer is (C). Actually, hydrogen is also known as H2.", "C", TEXTS),
    (
        "The answer is (C). (A) is incorrect as it is inert; (B) is incorrect; (D) is solid. Thus (C) is the only gas.",
        "C",
        TEXTS,
    ),
    ("The answer is (C).\n\nExplanation: Option A is wrong. Option B is correct only at high pressure.", "C", TEXTS),
    ("**C. hydrogen**\n\nExplanation:\n- A is wrong since...\n- B is a gas but heavier.", "C", TEXTS),
    ("C\n\nExplanation: A is too heavy. B is wrong.", "C", TEXTS),
    ("Correct answer: C. Hydrogen is the lightest. A is heavier and B is a molecule.", "C", TEXTS),
    ("The answer is C, since A is heavier.", "C", TEXTS),
    ("The answer is C, B is heavier.", "C", TEXTS),
    ("The answer is C and not B.", "C", TEXTS),
    ("The answer is C, not B.", "C", TEXTS),
    ("The answer is C rather than D.", "C", TEXTS),
    ("Answer: C, D is too heavy", "C", TEXTS),
    ("The answer is C / hydrogen", "C", TEXTS),
    ("The answer is 30.", "C", ("10", "20", "30", "40")),
    ("\\boxed{30}", "C", ("10", "20", "30", "40")),
    ("\\boxed{30 \\text{ m}}", "C", ("10 m", "20 m", "30 m", "40 m")),
    ("So x = 30, the answer is 30", "C", ("10", "20", "30", "40")),
    ("\\boxed{\\frac{1}{2}}", "B", ("1/3", "1/2", "1/4", "1/5")),
    ("\\boxed{\\dfrac12}", "B", ("1/3", "1/2", "1/4", "1/5")),
    ("\\boxed{1/2}", "B", ("$\\frac{1}{3}$", "$\\frac{1}{2}$", "$\\frac{1}{4}$", "1/5")),
    ("\\boxed{0.50}", "B", ("0.25", "0.50", "0.75", "1")),
    ("\\boxed{-5}", "B", ("5", "-5", "0", "1")),
    ("\\boxed{5}", "A", ("5", "-5", "0", "1")),
    ("The answer is -5", "B", ("5", "-5", "0", "1")),
    ("The final answer is $5.00", "C", ("$3.00", "$4.00", "$5.00", "$6.00")),
    ("\\boxed{2:1}", "B", ("1:2", "2:1", "1:1", "3:1")),
    ("\\boxed{(B)\\ 20}", "B", ("10", "20", "30", "40")),
    ("\\boxed{B) 20}", "B", ("10", "20", "30", "40")),
    ("\\boxed{20 (B)}", "B", ("10", "20", "30", "40")),
    ("The correct statement is C.", "C", TEXTS),
    ("Hence, option (C) is correct.", "C", TEXTS),
    ("So, (C) it is.", "C", TEXTS),
    ("Final answer C", "C", TEXTS),
    ("FINAL ANSWER: C", "C", TEXTS),
    ("Final Answer\n\nC", "C", TEXTS),
    ("Final answer is: option C - hydrogen", "C", TEXTS),
    ("Selected: C", "C", TEXTS),
    ("Choice: C", "C", TEXTS),
    ("My choice would be C.", "C", TEXTS),
    ("I select (C).", "C", TEXTS),
    ("I believe the answer is C.", "C", TEXTS),
    ("I think the answer should be C", "C", TEXTS),
    ("I'm confident it's C.", "C", TEXTS),
    ("The best option is C.", "C", TEXTS),
    ("the best choice here is C", "C", TEXTS),
    ("The right answer: C", "C", TEXTS),
    ("The most appropriate answer is C.", "C", TEXTS),
    ("the answer must therefore be C", "C", TEXTS),
    ("Thus the answer is option (C) hydrogen.", "C", TEXTS),
    ("The answer cannot be A, so the answer is C", "C", TEXTS),
    ("The answer isn't B; it's C.", "C", TEXTS),
    ("the answer is not A", None, TEXTS),
    ("A or B? I'd say B.", "B", TEXTS),
    ("A? No. B? No. C? Yes. So C.", "C", TEXTS),
    ("```\nC\n```", "C", TEXTS),
    ("`C`", "C", TEXTS),
    ("<b>C</b>", "C", TEXTS),
    ("| Answer |\n|---|\n| C |", "C", TEXTS),
    ("Answer: [C]", "C", TEXTS),
    ("Answer:(C)", "C", TEXTS),
    ("Answer: \\(C\\)", "C", TEXTS),
    ("Answer: $\\mathbf{C}$", "C", TEXTS),
    ("Answer: ***C***", "C", TEXTS),
    ("Answer: __C__", "C", TEXTS),
    ("**Answer:** **C**", "C", TEXTS),
    ("**Answer**: C", "C", TEXTS),
    ("*Answer: C*", "C", TEXTS),
    ("The answer is\n\n$$\\boxed{C}$$", "C", TEXTS),
    ("\\boxed{\\text{Answer: C}}", "C", TEXTS),
    ("\\boxed{\\mathrm{C}}", "C", TEXTS),
    ("\\boxed{\\textit{C}}", "C", TEXTS),
    ("\\boxed{\\mathit{C}}", "C", TEXTS),
    ("\\boxed{\\operatorname{C}}", "C", TEXTS),
    ("\\boxed{{C}}", "C", TEXTS),
    ("\\boxed{ C }", "C", TEXTS),
    ("\\boxed {C}", "C", TEXTS),
    ("\\boxed{C}.", "C", TEXTS),
    ("\\boxed{\\text{C}.}", "C", TEXTS),
    ("boxed{C}", "C", TEXTS),
    ("\\boxed{\\text{The answer is C}}", "C", TEXTS),
    ("\\boxed{\\textsf{C}}", "C", TEXTS),
    ("\\boxed{\\text{C } \\text{hydrogen}}", "C", TEXTS),
    ("\\boxed{\\text{option C}}", "C", TEXTS),
    ("\\boxed{c)}", "C", TEXTS),
    ("\\boxed{\\bf C}", "C", TEXTS),
    ("\\boxed{\\Large C}", "C", TEXTS),
    ("$\\boxed{\\textbf{C}}$ hydrogen", "C", TEXTS),
    ('{"answer_letter": "C", "confidence": 0.9}', "C", TEXTS),
    ('{"answer":"C) hydrogen"}', "C", TEXTS),
    ('{"answer": 3}', "C", TEXTS),
    ('{"selected_option": "C"}', "C", TEXTS),
    ('answer: "C"\nreason: "A is heavier"', "C", TEXTS),
    ('{"answer": ["C"]}', "C", TEXTS),
    ('{"final_answer": {"letter": "C"}}', "C", TEXTS),
    ("回答：C", "C", TEXTS),
    ("答案选C", "C", TEXTS),
    ("正确选项是 C", "C", TEXTS),
    ("正确的选项为C", "C", TEXTS),
    ("答案是：C。", "C", TEXTS),
    ("所以正确答案是选项C", "C", TEXTS),
    ("综上所述，答案为 C", "C", TEXTS),
    ("本题选C", "C", TEXTS),
    ("应该选择C选项", "C", TEXTS),
    ("选项C正确", "C", TEXTS),
    ("答案：（C）", "C", TEXTS),
    ("答案：【C】", "C", TEXTS),
    ("정답은 (C)이다.", "C", TEXTS),
    ("답: C", "C", TEXTS),
    ("따라서 정답은 C", "C", TEXTS),
    ("答えはC。", "C", TEXTS),
    ("正解：C", "C", TEXTS),
    ("Respuesta: C", "C", TEXTS),
    ("La respuesta correcta es: C)", "C", TEXTS),
    ("Réponse : C", "C", TEXTS),
    ("La bonne réponse est la C", "C", TEXTS),
    ("La bonne réponse est donc C.", "C", TEXTS),
    ("Antwort: C", "C", TEXTS),
    ("Die korrekte Antwort ist (C).", "C", TEXTS),
    ("Resposta: C", "C", TEXTS),
    ("Risposta: C", "C", TEXTS),
    ("La risposta corretta è la C", "C", TEXTS),
    ("Ответ: C", "C", TEXTS),
    ("Cevap: C", "C", TEXTS),
    ("Doğru cevap C", "C", TEXTS),
    ("Prawidłowa odpowiedź to C", "C", TEXTS),
    ("उत्तर: C", "C", TEXTS),
    ("सही उत्तर C है", "C", TEXTS),
    ("الإجابة: C", "C", TEXTS),
    ("คำตอบคือ C", "C", TEXTS),
    ("คำตอบ: C", "C", TEXTS),
]


@pytest.mark.parametrize(("response", "expected", "texts"), MORE_KINDS)
def test_more_ways_to_state_an_answer(response: str, expected: str | None, texts: tuple[str, ...]) -> None:
    assert letter(response, len(texts), texts) == expected


@pytest.mark.parametrize(
    ("response", "expected"),
    [
        ("\\boxed{C}", "C"),
        ("\\boxed{B}. This is a known result.", "B"),
        ("\\boxed{B}. I am sure.", "B"),
        ("\\boxed{\\text{C}}", "C"),
        ("$\\boxed{\\textbf{(C)}}$", "C"),
        ("\\boxed{c}", "C"),
        ("\\boxed{C) hydrogen}", "C"),
        ("\\boxed{hydrogen}", "C"),
        ("\\boxed{\\text{Hydrogen}}", "C"),
        ("\\boxed{A}, no, wait: \\boxed{D}", "D"),
        ("The answer is (C).", "C"),
        ("The answer is: C", "C"),
        ("The final answer is **C**.", "C"),
        ("The best answer is B", "B"),
        ("The best answer is: B", "B"),
        ("The best answer is [B].", "B"),
        ("The correct answer is option D because B is not a gas.", "D"),
        ("the answer is c.", "C"),
        ("The answer is hydrogen.", "C"),
        ("Answer: C", "C"),
        ("ANSWER: A\nWait, that is wrong.\nANSWER: B", "B"),
        ("The answer is A. Later: the answer is B.", "B"),
        ("The answer is A.", "A"),
        ("The answer is a matter of taste, but I would say so.", None),
        ("The answer is \\boxed{A}", "A"),
        ("**C**", "C"),
        ("**C) hydrogen**", "C"),
        ("C", "C"),
        ("c", "C"),
        (" C. ", "C"),
        ("(C)", "C"),
        ("C)", "C"),
        ("B) oxygen gas", "B"),
        ("D. it can't be A or B", "D"),
        ("I think it's B", "B"),
        ("I would choose option B.", "B"),
        ("Therefore, C is correct.", "C"),
        ("Option A is wrong. Option D is the right one", "D"),
        ("hydrogen", "C"),
        ("答案是 B", "B"),
        ("정답: D", "D"),
        ("I have no idea. A guess would be unfair.", None),
        ("A bird in the hand", None),
        ("", None),
    ],
)
def test_which_option(response: str, expected: str | None) -> None:
    assert letter(response) == expected


def test_letters_beyond_the_options_do_not_count() -> None:
    assert letter("The answer is I.") is None
    assert letter("The answer is (I).", 9, ()) == "I"
    assert letter("\\boxed{E}") is None
    assert letter("\\boxed{E}", 5, (*TEXTS, "neon")) == "E"


def test_pronoun_is_no_option() -> None:
    ten = tuple(f"text {number}" for number in range(10))
    assert letter("The answer is (B). I checked it twice, as I always do.", 10, ten) == "B"
    assert letter("So the answer is I", 10, ten) == "I"


def test_digits() -> None:
    assert letter("\\boxed{3}", 4, ("red", "blue", "green", "grey")) == "C"
    assert letter("The answer is 2.", 4, ("2", "4", "6", "8")) == "A"
    assert letter("\\boxed{6}", 4, ("2", "4", "6", "8")) == "C"
    assert letter("\\boxed{3}", 4, ("2", "4", "6", "8")) is None


def test_text_of_an_option_inside_another() -> None:
    texts = ("energy", "kinetic energy", "heat")
    assert letter("\\boxed{kinetic energy}", 3, texts) == "B"
    assert letter("\\boxed{energy}", 3, texts) == "A"
    assert letter("It is heat or energy.", 3, texts) is None


def test_score_says_why() -> None:
    score = score_text(CHOICE, "\\boxed{B}", "C", TEXTS)
    assert (score.correct, score.answer, score.reason) == (False, "B", "B (boxed) ≠ C")
    assert score.details == {"rule": "boxed", "compared_with": "C"}
    assert score_text(CHOICE, "\\boxed{B}", "B").correct
    nothing = score_text(CHOICE, "Hard to say.", "B", TEXTS)
    assert (nothing.correct, nothing.answer) == (False, None)


def test_targets_as_datasets_give_them() -> None:
    for target in ("C", "c", "(C)", "C. hydrogen", "hydrogen", 2, "3"):
        score = score_text(CHOICE, "The answer is (C).", target, TEXTS)
        assert score.correct, target
        assert score_text(CHOICE, CHOICE.gold(Problem("0", "", target, TEXTS)) or "", target, TEXTS).correct
    assert score_text(CHOICE, "\\boxed{3}", "3").correct
    assert not score_text(CHOICE, "\\boxed{3}", "C").correct


@pytest.mark.parametrize("target", ["E", 4, "5", -1, "", "argon"])
def test_a_target_that_is_no_option_is_nobodys_wrong_answer(target: object) -> None:
    score = score_text(CHOICE, "The answer is (C).", target, TEXTS)
    assert score.correct is None
    assert "is none of its 4 options" in score.reason


def test_several_options_are_wrong_and_named() -> None:
    score = score_text(CHOICE, "The answer is (B) or (C).", "C", TEXTS)
    assert (score.correct, score.answer, score.reason) == (False, "B, C", "B, C (several options stated) ≠ C")
    assert letter("The answer is B and C.", 4, ("x", "y", "z", "B and C")) == "D"


def test_no_option_fits() -> None:
    score = score_text(CHOICE, "It is 12, so the answer is (not an option).", "C", ("10", "11", "12", "13"))
    assert (score.correct, score.answer) == (False, None)
    assert score.reason == "no answer found: the response says that no option fits"


def test_what_a_model_writes_after_its_answer() -> None:
    listed = "The answer is (D).\n\nNow a summary of all the answers:\nA. They float.\nB. 38\nC. By heating"
    assert letter(listed) == "D"
    assert letter("The answer is (D). A is wrong, since it is a noble gas, thus B cannot be meant.") == "D"
    assert letter("Options: (A) helium (B) oxygen gas (C) hydrogen (D) carbon") is None


def test_a_list_of_options_names_none() -> None:
    texts = ("red wine", "blue cheese", "green tea")
    assert find_choice("A. red wine\nB. blue cheese", 3, texts) is None
    assert find_choice("A. red wine\nB. blue cheese\nC. green tea", 3, texts) is None
    last = find_choice("Both drinks have caffeine or alcohol.\n\nB. neither of these", 3, texts)
    assert last is not None
    assert last.letters == "B"


def test_options_that_begin_with_a_letter() -> None:
    texts = ("E. coli", "B cells", "T cells", "A virus", "S. aureus")
    assert letter("The answer is E. coli.", 5, texts) == "A"
    assert letter("The answer is A virus.", 5, texts) == "D"
    assert letter("The answer is B cells.", 5, texts) == "B"
    assert letter("The answer is E.", 5, texts) == "E"


def test_many_options() -> None:
    texts = tuple(f"item {number}" for number in range(20))
    assert letter("The answer is (Q).", 20, texts) == "Q"
    assert letter("\\boxed{\\text{(T)}}", 20, texts) == "T"
    assert letter("The answer is (U).", 20, texts) is None


PIECES = ["the answer is ", "answer:", "(A) ", "**", "\\boxed{", "}", "A, ", "A and ", "not ", "option C "]
PIECES += [" is correct", "wait ", "答案是", "정답 ", "<answer>", "Question: ", "I ", "a ", "\n", "'", "$", "\\text{"]
PIECES += ["\u0130", "\ufb01", "\ud800", "1", "."]


@settings(max_examples=2000, deadline=None)
@given(st.lists(st.sampled_from(PIECES) | st.text(max_size=5), max_size=40).map("".join), st.integers(2, 10))
def test_no_text_makes_it_raise(response: str, count: int) -> None:
    texts = tuple(f"item {number}" for number in range(count))
    score = score_text(CHOICE, response, "B", texts)
    assert score.correct is (score.answer == "B")
    assert score.reason


@pytest.mark.parametrize("piece", [*PIECES, "answer to ", "so ", "(", "A. ", "A) x\n", "_", " ", "x" * 60 + " "])
def test_a_hundred_thousand_characters_take_no_time(piece: str) -> None:
    start = time.process_time()
    for before in ("", "The answer is (B). No, wait, "):
        score_text(CHOICE, before + piece * (100_000 // len(piece)), "C", TEXTS)
    assert time.process_time() - start < 2
