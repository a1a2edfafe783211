"""Plain statements of an answer in many languages, also behind a sentence that denies another one."""

from __future__ import annotations

import pytest

from skythought.scorers import score_text
from skythought.scorers.choice.scorer import ChoiceScorer
from skythought.scorers.math.scorer import MathScorer

METALS = ("copper", "silver", "iron", "zinc")

# For each language, what denies an answer, and what states one.
LANGUAGES = {
    "Arabic": (["ليس {}. "], ["الجواب هو {}.", "الإجابة الصحيحة هي {}.", "الجواب: {}"]),
    "Chinese": (["不是{}。", "{}是错的。"], ["答案是{}。", "正确答案是{}。", "答案：{}", "因此，正确答案为{}。"]),
    "Dutch": (["Het is niet {}. "], ["Het antwoord is {}.", "Het juiste antwoord is {}.", "Antwoord: {}"]),
    "English": (
        ["It is not {}. ", "{} is wrong. ", "It cannot be {}, since that is too small. ", "We rule out {}.\n"],
        ["The answer is {}.", "Final answer: {}", "### Answer\n{}", "The answer has to be {}.", "I would go with {}."],
    ),
    "French": (
        ["Ce n'est pas {}. ", "{} est faux. "],
        ["La réponse est {}.", "La bonne réponse est {}.", "Réponse : {}"],
    ),
    "German": (
        ["Das ist nicht {}. ", "{} ist falsch. ", "{} scheidet aus.\n\n"],
        ["Die Antwort ist {}.", "Die richtige Antwort lautet {}.", "Antwort: {}", "Also ist die Antwort {}."],
    ),
    "Hindi": (["{} नहीं। "], ["उत्तर {} है।", "सही उत्तर {} है।", "उत्तर: {}"]),
    "Indonesian": (["Bukan {}. "], ["Jawabannya adalah {}.", "Jawaban yang benar adalah {}.", "Jawaban: {}"]),
    "Italian": (["Non è {}. "], ["La risposta è {}.", "La risposta corretta è {}.", "Risposta: {}"]),
    "Japanese": (["{}ではない。"], ["答えは{}です。", "正解は{}。", "答え：{}"]),
    "Korean": (["{}는 아닙니다. "], ["정답은 {}입니다.", "따라서 답은 {}이다.", "정답: {}"]),
    "Polish": (["To nie jest {}. "], ["Odpowiedź to {}.", "Prawidłowa odpowiedź to {}.", "Odpowiedź: {}"]),
    "Portuguese": (["Não é {}. "], ["A resposta é {}.", "A resposta correta é {}.", "Resposta: {}"]),
    "Russian": (["Это не {}. "], ["Ответ: {}.", "Правильный ответ — {}.", "Ответ — это {}.", "Верный ответ {}."]),
    "Spanish": (
        ["No es {}. ", "Descartamos {}. "],
        ["La respuesta es {}.", "La respuesta correcta es {}.", "Respuesta: {}"],
    ),
    "Swedish": (["Det är inte {}. "], ["Svaret är {}.", "Rätt svar är {}.", "Svar: {}"]),
    "Turkish": (["{} değil. "], ["Cevap: {}", "Doğru cevap {}."]),
    "Vietnamese": (["Không phải {}. "], ["Đáp án là {}.", "Câu trả lời là {}.", "Đáp án: {}"]),
}


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_is_stated_counts_and_what_is_denied_does_not(language: str) -> None:
    denials, statements = LANGUAGES[language]
    wrong = []
    for denial in ("", *denials):
        for statement in statements:
            for mark in ("{}", "**{}**", "({})"):
                letter = denial.format("B") + statement.format(mark.format("C"))
                number = denial.format("7") + statement.format(mark.format("29"))
                for gold, right in (("C", True), ("B", False)):
                    if bool(score_text(ChoiceScorer(), letter, gold, METALS).correct) is not right:
                        wrong.append((letter, gold))
                for gold, right in (("29", True), ("7", False)):
                    if bool(score_text(MathScorer("number"), number, gold).correct) is not right:
                        wrong.append((number, gold))
    assert wrong == []


@pytest.mark.parametrize(
    "response",
    [
        "Plata (B) no puede ser. La respuesta correcta es la C.",
        "Silber (B) scheidet aus. Die richtige Antwort ist die C.",
        "A prata (B) sai. A resposta é a letra C.",
        "L'argent (B) est exclu. La bonne réponse est la C.",
        "L'argento (B) no. La risposta corretta è la lettera C.",
    ],
)
def test_articles_before_a_letter(response: str) -> None:
    assert score_text(ChoiceScorer(), response, "C", METALS).correct is True
