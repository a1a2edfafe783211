"""How a response says that something is its answer, in the languages that there are, and what only speaks about it.

Every quantifier is bounded, so that no text makes a match take long.
"""

from __future__ import annotations

import re

from skythought.scorers.answers.languages import NOUNS, OPTIONS, VERBS

__all__ = ["ABROAD", "CALLED", "EXPLAINED", "FINAL", "LESS_USUAL", "STATEMENT", "is_about", "opened"]

STATEMENT = re.compile(  # of text in lower case
    r"(?<![a-z0-9])(?:answers?(?:\(s\))?|solution|result|reply|choice|option|pick|selection|response)"
    r"(?:[ _](?:choice|option|letter|here|label|key))?"
    r"(?:(?<=answer)\s+(?:to|for|of|in|from|among|that|which)\s[^.:\n]{1,80}?)?"
    r"(?:\s\([^()\n]{1,30}\))?[*_)\]\"']{0,4}\s*(?:(?:is|are)\b|['’]s\s+(?=[-\d$\\(])|:|：|[—–]\s|\.\**\s+(?=[$\d\\])|=>?|\||→|⇒|➜|->"
    r"|(?:should|must|would|might|may|could|to|has to|have to|can only|seems? to|appears? to|turns? out to)\s+be\b"
    r"|comes? to\b|equals\b)(?:\s*(?:thus|therefore|exactly|equal to|simply|just|then|:|：))*[\s*_]*"
    r"|####\s*(?!(?:explanation|reasoning|note|check)\b)"
    r"|^\s*a:\s*|^[ \t#*>_]{0,9}answer[*_]{0,3}\s+[-–—]+\s+"
    r"|^[ \t#*>_|]{0,9}(?:the |my |so,? )?(?:final )?(?:answer|result|solution)[ \t*:_|]*"
    r"(?:\n(?:[\s=~*_#|]|--+|:-+)*|(?=\$|\\\[|\\\())",
    re.MULTILINE,
)
LESS_USUAL = re.compile(
    r"\b(?:requested|required|desired|sought)\s+(?:[a-z]+\s+){1,3}(?:is|equals)\s+(?=[-\d$\\])|\bans\s*(?:[.:=]|-(?=\s))\s*|\b(?:solutions|roots)\**\s+are\**\s*:?\s*(?=-?[\d$({√]|\\[(\[]|[a-z]\s*=)"
    r"|\bconclusion\**\s*:\s*"
)
FINAL = re.compile(
    r"\bfinal\s+(?:answer|result)\**\s*(?:is\b|:|：|=|\**\s*\n)|^[ \t#>]*\*\*(?:answer|result)\s*:",
    re.IGNORECASE | re.MULTILINE,
)
CALLED = re.compile(
    r"\s(?:is|are|must\s+be)\s+(?:\w+ly\s+)?(?:the|my|our)\s+(?:(?:final|correct|right|best)\s+){0,2}$", re.IGNORECASE
)
"""Between an answer and the word "answer": "5 is the correct"."""
EXPLAINED = re.compile(
    r"[*_#\s]*(?:explanation|reason(?:ing)?|justification|why|(?:because|since)\b(?![^.\n]{0,80},\s)|proof|rationale|note|solution)\b",
    re.IGNORECASE,
)
"""Behind a first line that is the answer."""
ABROAD = re.compile(
    r"(?<!不)[选選](?:择|项)?\s{0,3}(?=[*(\[（]{0,4}[a-z](?![a-z]))"
    rf"|(?:{NOUNS}|{OPTIONS})(?:\s+[^\W\d_]{{3,14}}){{0,2}}?\**[】\])]?\s{{0,3}}(?:应该|應該|应|應|就)?"
    rf"(?:(?:{VERBS}|[:：=]|[—–-](?=\s)(?:\sэто\b)?)\**\s{{0,3}}[:：]?|(?<=】)|(?=\s[$\d\\(−+-])|(?=\s\**\(?[b-df-hj-np-tv-xz](?![^\W\d_]))|(?=\s[^\n]{{1,80}}?\s(?:है|हैं)\s?[।.]))\s{{0,3}}"
    rf"(?:(?:donc|alors|also|somit|daher|por\s+tanto|quindi|portanto|igual\s+a|égale?\s+à|equivale\s+a)\s+)?",
    re.IGNORECASE,
)
POLITE = re.compile(r"\s*(?:です|である|だ|となります|입니다|이다|이에요|예요|हैं|है|になります|است)[。।.!]*\s*$")
"""What a sentence abroad ends in, behind its answer."""
OPENING = re.compile(
    r"(?:(?:so|thus|hence|therefore|then|finally|consequently|also|indeed|clearly|simply|just|exactly|equal to"
    r"|equals|given by|none other than|nothing (?:but|other than)"
    r"|found to be|calculated (?:to be|as)|computed (?:to be|as)|obtained as|expressed as|written as"
    r"|simplified (?:to|as)"
    r"|(?:it\s)?(?:is|are|be)(?=\s))\b,?\s*|:\s*)+(?=[-+$\\(\[{√]|\d|[a-z]\s*[=^(])",
    re.IGNORECASE,
)
"""Words before the answer itself: "the answer is therefore $5$"."""
ABOUT = re.compile(
    r"(?:(?:indeed|therefore|thus|also|clearly|now|hence|then|already|quite|very|so|fully|both|most|easily"
    r"|usually|often"
    r"|probably|only|hereby|again|still|not yet|of course|supposed to be|meant to be|expected to be)\s+){0,3}"
    r"(?:(?:correct|right|wrong|incorrect|helpful|useful|clear|reasonable|consistent|plausible|sensible|complete|unique"
    r"|close|easy|straightforward|trivial|obvious|sufficient|enough|good|great|ready|done|welcome|independent|accurate"
    r"|satisfactory|satisfying|exact|finite|surprising|justified|fine|ok|okay|available|known|interesting|surprising|important|similar|identical)"
    r"(?![-\w])|[a-z]+(?:ed|own|ound|iven|en|ought)\s+(?:in|by|from|above|below|here|as|with|on|after|using"
    r"|through|to\b|when|if)\b"
    r"|(?:positive|negative)\s*(?:[,.;!]|$)"
    r"|(?:larger|smaller|greater|less|bigger|more|fewer|higher|lower|better)\s+than\b"
    r"|(?:verified|confirmed|checked|obtained|found|given|shown|derived|computed|calculated|determined"
    r"|presented|explained"
    r"|stated|simplified|rounded|boxed|proved|proven|established|justified|included|provided|needed|required)\b"
    r"(?!\s*(?:to be|:|=|\$|\\|\d))"
    r"|(?!any|no|every)[a-z]{3,}ing\s|(?:as|in|on|at|by|of|from|with|for|to|up|within|because|when|since|if|how"
    r"|what|why|below"
    r"|above|here"
    r"|now|we|i|you|they|it|this|that|which|let)\b(?!\s*[=$\\^+*/]|\s+is\s+[-\d$\\(]|\s+(?:least|most)\b)"
    r"|(?:an?|the|one|some)\s+(?:(?:positive|negative|whole|prime|real|single|unique|valid|correct|exact"
    r"|rational|even|odd|good"
    r"|reasonable|non-?negative|possible|same|sum|product|simple|final|required|desired|smallest|largest|three"
    r"|two|digit"
    r"|three-digit|two-digit|proper|common|simplified|reduced|specific)\s+){0,4}"
    r"(?:integer|number|value|fraction|multiple|expression|function|formula|result|answer|solution|option|choice|one|of"
    r"|as|sum|product|difference|ratio|amount|total|form|units?|match|consequence|following)\b(?!\s*[:=$\\(]))",
    re.IGNORECASE,
)


def is_about(text: str) -> bool:
    """Whether what follows "the answer is" says something about the answer ("helpful!", "obtained by adding 2")."""
    return ABOUT.match(text) is not None


def opened(sentence: str) -> str:
    """A sentence without the words before its answer and the politeness behind it."""
    text = OPENING.sub("", sentence, count=1) if OPENING.match(sentence) else sentence
    return text if text.isascii() else POLITE.sub("", text)
