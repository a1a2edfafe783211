"""How an answer is stated, denied and left open in the languages that there are. A new language is a line here."""

from __future__ import annotations

import re
from typing import NamedTuple

__all__ = ["ABROAD", "IN_ASCII", "LANGUAGES", "NO", "NOUNS", "OPTIONS", "PATTERNS", "VERBS"]


class Patterns(NamedTuple):
    """Patterns of one language; None where it has no words for them."""

    denied: re.Pattern[str] | None
    """Behind "answer", before the text that it is not."""
    denied_behind: re.Pattern[str] | None
    """Behind that text."""
    denied_before: re.Pattern[str] | None
    """Before "answer", behind that text: "5 is not the"."""
    but: re.Pattern[str] | None
    alternative: re.Pattern[str] | None
    """Between two values."""


class Language(NamedTuple):
    """The words of one language, as alternatives of a pattern; "" where it has none that is needed."""

    nouns: str
    """The word "answer", in small letters."""
    verbs: str = ""
    """The word "is"."""
    no: str = ""
    """What between "answer" and a text makes the text none ("is not")."""
    no_behind: str = ""
    """The same behind the text, where verbs come last."""
    but: str = ""
    """Behind a denied text, before the one that is the answer."""
    alternative: str = ""
    """Between two texts of which both are given: "or", "and"."""


UNSPACED = "\u0600"
"""The first letter of the scripts in which words may be joined to one another: Arabic, those of India, Chinese, ..."""
LANGUAGES = {
    "Chinese": Language(
        "答案|最终结果|最終答案|正确选项|正確選項", "是|为|為",
        "不[可会會能应應]?[能该該]?[是为為选選]|[并並绝]非", "", "而是", "或者?|和|与|與|及|还是|還是",
    ),
    "Japanese": Language(
        "答え|正解|解答", "は|が", "", "ではあり|ではな|じゃな", "ではなく|じゃなく", "または|もしくは|あるいは|と|か",
    ),
    "Korean": Language("정답|답", "은|는", "", "아닙|아니", "아니라", "또는|혹은|이나|와|과"),
    "Arabic": Language("الإجابة|الجواب", "هي|هو", "ليست?|لا يمكن", "", "بل", "أو"),
    "Hindi": Language("उत्तर", "है", "", "नहीं", "बल्कि", "या|और"),
    "Bengali": Language("উত্তর", "হল|হলো", "", "নয়", "বরং", "বা|অথবা"),
    "Telugu": Language("సమాధానం|జవాబు", "", "", "కాదు", "", "లేదా"),
    "Thai": Language("คำตอบ|คําตอบ", "คือ", "ไม่ใช่", "", "แต่", "หรือ"),
    "Hebrew": Language("תשובה", "היא", "אינה|לא", "", "אלא", "או"),
    "Persian": Language("پاسخ|جواب", "است", "", "نیست", "بلکه", "یا"),
    "Tamil": Language("பதில்|விடை"),
    "Gujarati": Language("જવાબ"),
    "Punjabi": Language("ਜਵਾਬ"),
    "Kannada": Language("ಉತ್ತರ"),
    "Malayalam": Language("ഉത്തരം"),
    "Sinhala": Language("පිළිතුර"),
    "Georgian": Language("პასუხი"),
    "Greek": Language("απάντηση", "είναι", "δεν", "", "αλλά", "ή"),
    "Russian": Language("ответ", "это", "не", "", "а", "или|и|либо"),
    "Ukrainian": Language("відповідь", "це", "не", "", "а", "або|чи"),
    "Bulgarian, Serbian, Croatian": Language("отговор|одговор|odgovor", "е", "не|nije", "", "а", "или|ili"),
    "Kazakh": Language("жауап"),
    "Spanish, Portuguese": Language(
        "resultado", "es|é|vale|será", "no es|não é|no puede|não pode", "", "sino|mas", "o|ou|u|y|e",
    ),
    "Spanish": Language("respuesta", "es|vale|será", "no es|no puede|no son|no era", "", "sino", "o|u|y"),
    "French": Language(
        "réponse|reponse|résultat|resultat", "est|sera|vaut",
        "n['’]est pas|ne peut pas|ne sont pas", "", "mais", "ou|et",
    ),
    "German": Language("antwort|lösung|losung|ergebnis", "ist|lautet|beträgt", "nicht|kein", "", "sondern", "oder|und"),
    "Portuguese": Language("resposta|gabarito", "é|será", "não é|não pode|não são", "", "mas|e sim", "ou|e"),
    "Italian": Language("risposta", "è", "non è|non può|non sono", "", "ma|bensì", "o|e"),
    "Dutch": Language("antwoord", "is", "niet", "", "maar", "of|en"),
    "Polish": Language("odpowiedź|odpowiedz|wynik", "jest|to", "nie", "", "lecz|ale|tylko", "lub|albo|i"),
    "Indonesian, Malay": Language(
        "jawabannya|jawaban|jawapan", "adalah|ialah", "bukan", "", "melainkan", "atau|dan",
    ),
    "Turkish": Language("cevap|yanıt|sonuç", "olan", "", "değil(?:dir)?", "", "veya|ya da|ve"),
    "Vietnamese": Language(r"đáp án|đáp số|câu trả lời", "là", "không", "", "mà là", "hoặc|và"),
    "Swedish, Danish, Norwegian": Language("svaret|svar", "är|er", "inte|ikke", "", "utan|men", "eller|och|og"),
    "Finnish, Estonian": Language("vastaus|vastus", "on", "ei", "", "vaan", "tai|ja"),
    "Czech, Slovak": Language("odpověď|odpoveď", "je", "není|nie je", "", "ale", "nebo|alebo"),
    "Romanian": Language("răspunsul|răspuns", "este", "nu", "", "ci", "sau|și"),
    "Hungarian": Language("válasz", "az", "nem", "", "hanem", "vagy|és"),
    "Lithuanian": Language("atsakymas", "yra", "nėra", "", "o", "arba"),
    "Swahili": Language("jibu", "ni", "si", "", "bali", "au|na"),
    "Filipino": Language("sagot", "ay", "hindi", "", "kundi", "o"),
    "Uzbek, Azerbaijani": Language("javob|cavab"),
    "Yoruba, Hausa": Language("idahun|amsa"),
}  # fmt: skip


def _patterns(row: Language) -> Patterns:
    no, behind, but, other = (_words(texts, row.nouns) for texts in row[2:])
    blank = r"\s?" if row.nouns >= UNSPACED else r"\s"
    return Patterns(
        _compiled(no, r"(?:\s?[:：])?[^\d$\\.,;:!?\n。，：()\[\]]{0,24}?(?:%s)(?=\s*[^\s.。,!;*\"'|)}])"),
        _compiled(behind, "%s"),
        _compiled(no, r"(?:%s)\s?(?:\S{1,14}\s){0,3}$"),
        _compiled(but, "%s"),
        _compiled(other, r"(?<=[0-9A-Za-z)$}\]])" + blank + "(?:%s)" + blank + r"(?=[0-9A-Z$(\\-])"),
    )


def _compiled(words: str, form: str) -> re.Pattern[str] | None:
    return re.compile(form % words, re.IGNORECASE) if words else None


def _words(texts: str, nouns: str) -> str:
    """Alternatives as a pattern: words of their own where the language has blanks between words."""
    return texts if nouns >= UNSPACED or not texts else rf"\b(?:{texts})(?!\w)"


NOUNS = "|".join(row.nouns for row in LANGUAGES.values())
VERBS = "|".join(_words(row.verbs, row.nouns) for row in LANGUAGES.values() if row.verbs)
NO = "|".join(_words(texts, row.nouns) for row in LANGUAGES.values() for texts in (row.no, row.no_behind) if texts)
"""The words for "not"."""
OPTIONS = (
    "正确的(?=是)|选择|选项|選項|选(?![择项])|選|選択肢|선택지|opci[óo]n|opção|alternativa|opzione|вариант|"
    "विकल्प|الخيار|richtig"
)
"""The word "option", and what a language says instead."""
ABROAD = (
    *NOUNS.split("|"),
    *("正确的", "选", "選", "선택지", "opci", "opção", "alternativa", "opzione", "вариант", "विकल्प"),
    *("الخيار", "richtig"),
)
IN_ASCII = tuple(noun for noun in NOUNS.split("|") if noun.isascii() and noun.isalpha())
"""Nouns by which a response in another language is told where it has no letter beyond ASCII."""
PATTERNS = {noun: _patterns(row) for row in LANGUAGES.values() for noun in row.nouns.split("|")}
"""What to look for behind each noun; the nouns are plain text, in small letters."""
