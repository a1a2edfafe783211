"""How a response says that something is its answer, in the languages that there are, and what only speaks about it.

Every quantifier is bounded, so that no text makes a match take long.
"""

from __future__ import annotations

import re

__all__ = [
    "ABROAD",
    "FINAL",
    "LESS_USUAL",
    "NOUNS",
    "STATEMENT",
    "VERBS",
    "is_about",
    "is_abroad",
    "is_hypothetical",
    "opened",
]

STATEMENT = re.compile(  # of text in lower case
    r"\b(?:answers?|solution|result|reply)\**\s*(?:is\b|are\b|:|：|=|\||should be\b|must be\b|would be\b|to be\b"
    r"|comes? to\b|equals\b)"
    r"(?:\s*(?:thus|therefore|exactly|equal to|simply|just|then|:|：))*\s*|####\s*|^\s*a:\s*"
    r"|^[ \t#*>_]{0,9}(?:the |my |so,? )?(?:final )?(?:answer|result|solution)[ \t*:_]*(?:\n(?:[\s=~*_#]|--+)*|(?=\$"
    r"|\\\[|\\\())",
    re.MULTILINE,
)
LESS_USUAL = re.compile(
    r"\bans\s*[.:=]\s*|\b(?:solutions|roots)\**\s+are\**\s*:?\s*(?=[-\d$({√]|\\[(\[]|[a-z]\s*=)"
    r"|\bconclusion\**\s*:\s*(?=[-\d$({√]|\\[(\[])"
)
FINAL = re.compile(r"\bfinal\s+(?:answer|result)\**\s*(?:is\b|:|：|=|\**\s*\n)", re.IGNORECASE)
NOUNS = (
    "答案", "答え", "正解", "解答", "最终结果", "最終答案", "정답", "답", "الإجابة", "الجواب", "उत्तर", "คำตอบ", "คําตอบ",
    "r[ée]ponse", "respuesta", "antwort", "l[öo]sung", "ergebnis", "resposta", "risposta", "resultado", "r[ée]sultat",
    "antwoord", "odpowied[zź]", "wynik", "jawaban(?:nya)?", "cevap", "yanıt", "sonuç", "đáp\\s(?:án|số)", "câu trả lời",
    "ответ", "відповідь", "svar(?:et)?", "vastaus", "απάντηση", "odpověď", "răspuns(?:ul)?", "válasz", "תשובה", "پاسخ",
    "উত্তর", "సమాధానం", "jawapan", "jibu", "பதில்", "விடை", "જવાબ", "ਜਵਾਬ", "ಉತ್ತರ", "ഉത്തരം", "جواب", "отговор", "одговор",
    "odgovor", "odpoveď", "sagot", "atsakymas", "vastus", "პასუხი", "жауап", "javob", "cavab", "පිළිතුර", "idahun", "amsa",
)  # fmt: skip
"""The word "answer"."""
VERBS = (
    "是", "为", "為", "は", "が", "은", "는", "هي", "هو", "है", "คือ", "[:：]", "=",
    r"[—–-](?=\s)", "হল", "হলো", r"\bni\b",
    r"\b(?:es|est|ist|é|è|lautet|is|jest|to"
    r"|adalah|là|это|este|är|er|on|olan|beträgt|vale|equivale a|será|sera|είναι|است|היא)\b(?:\s(?:igual a|égale? à))?",
)  # fmt: skip
"""The word "is", or a colon."""
ABROAD = re.compile(
    rf"(?:{'|'.join(NOUNS)})(?:\s+(?:finale?|final|definitiva|ostateczna|akhir|cuối cùng|correcta"
    rf"|correcte))?\**[】\])]?\s{{0,3}}"
    rf"(?:应该|應該|就)?(?:(?:{'|'.join(VERBS)})\**\s{{0,3}}[:：]?|(?<=】)|(?=\s[$\d\\(−-]))\s{{0,3}}",
    re.IGNORECASE,
)
IN_ASCII = ("respuesta", "reponse", "antwort", "resposta", "risposta", "resultado", "ergebnis", "antwoord", "odpowied",
            "wynik", "jawaban", "cevap", "svar", "vastaus",
            "jawapan", "jibu", "odgovor", "sagot", "atsakymas", "vastus", "javob", "cavab", "idahun",
            "amsa")  # fmt: skip
"""Words of `NOUNS` by which a response in another language is told where it has no letter beyond ASCII."""
POLITE = re.compile(r"\s*(?:です|である|だ|となります|입니다|이다|이에요|예요|हैं|है|になります)[。।.!]*\s*$")
"""What a sentence abroad ends in, behind its answer."""
OPENING = re.compile(
    r"(?:(?:so|thus|hence|therefore|then|finally|consequently|also|indeed|clearly|simply|just|exactly|equal to"
    r"|equals|given by"
    r"|found to be|calculated (?:to be|as)|computed (?:to be|as)|obtained as|expressed as|written as"
    r"|simplified (?:to|as)"
    r"|(?:is|are|be)(?=\s))\b,?\s*|:\s*)+(?=[-+$\\(\[{√]|\d|[a-z]\s*[=^(])",
    re.IGNORECASE,
)
"""Words before the answer itself: "the answer is therefore $5$"."""
ABOUT = re.compile(
    r"(?:(?:indeed|therefore|thus|also|clearly|now|hence|then|already|quite|very|so|fully|both|most|easily"
    r"|usually|often"
    r"|probably|only|hereby|again|still|not yet|of course|supposed to be|meant to be|expected to be)\s+){0,3}"
    r"(?:(?:correct|right|wrong|incorrect|helpful|useful|clear|reasonable|consistent|plausible|sensible|complete|unique"
    r"|close|easy|straightforward|trivial|obvious|sufficient|enough|good|great|ready|done|welcome|independent|accurate"
    r"|satisfactory|satisfying|fine|ok|okay|available|known|interesting|surprising|important|similar|identical)"
    r"(?![-\w])|[a-z]+(?:ed|own|ound|iven|en|ought)\s+(?:in|by|from|above|below|here|as|with|on|after|using"
    r"|through|to\b|when|if)\b"
    r"|(?:verified|confirmed|checked|obtained|found|given|shown|derived|computed|calculated|determined"
    r"|presented|explained"
    r"|stated|simplified|rounded|boxed|proved|proven|established|justified|included|provided|needed|required)\b"
    r"(?!\s*(?:to be|:|=|\$|\\|\d))"
    r"|(?!any|no|every)[a-z]{3,}ing\s|(?:as|in|on|at|by|of|from|with|for|to|up|within|because|when|since|if|how"
    r"|what|why|below"
    r"|above|here"
    r"|now|we|i|you|they|it|this|that|which|let)\b(?!\s*[=$\\^+*/]|\s+(?:least|most)\b)"
    r"|(?:an?|the|one|some)\s+(?:(?:positive|negative|whole|prime|real|single|unique|valid|correct|exact"
    r"|rational|even|odd|good"
    r"|reasonable|non-?negative|possible|same|sum|product|simple|final|required|desired|smallest|largest|three"
    r"|two|digit"
    r"|three-digit|two-digit|proper|common|simplified|reduced|specific)\s+){0,4}"
    r"(?:integer|number|value|fraction|multiple|expression|function|formula|result|answer|solution|option|choice|one|of"
    r"|sum|product|difference|ratio|amount|total|form|units?|match|consequence|following)\b(?!\s*[:=$\\(]))",
    re.IGNORECASE,
)
HYPOTHETICAL = re.compile(r"\bif\b[^.\n]{1,100}\b(?:were|had|was|weren't|hadn't|wasn't)\b[^.\n]{0,60}$", re.IGNORECASE)
NOT_THE_ANSWER = re.compile(
    r"\b(?:wrong|incorrect|initial|previous|tempting|trap|naive|your|another|whose|possible|no|guess(?:ed)?"
    r"|first|earlier)"
    r"\s+(?:final\s+)?$"
)
BEFORE = 160


def is_abroad(lowered: str) -> bool:
    """Whether a response, in small letters, may state its answer in another language than English."""
    return not lowered.isascii() or any(noun in lowered for noun in IN_ASCII)


def is_about(text: str) -> bool:
    """Whether what follows "the answer is" says something about the answer ("helpful!", "obtained by adding 2")."""
    return ABOUT.match(text) is not None


def is_hypothetical(text: str, place: int) -> bool:
    """Whether the statement at a place is one that the response does not make: "if it were hot, the answer is B"."""
    before = text[max(0, place - BEFORE) : place]
    return ("if" in before.lower() and HYPOTHETICAL.search(before) is not None) or NOT_THE_ANSWER.search(
        before[-40:].lower()
    ) is not None


def opened(sentence: str) -> str:
    """A sentence without the words before its answer and the politeness behind it."""
    text = OPENING.sub("", sentence, count=1) if OPENING.match(sentence) else sentence
    return text if text.isascii() else POLITE.sub("", text)
