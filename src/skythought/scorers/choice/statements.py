"""Patterns for how responses state their option, from "the answer is" to a letter that stands alone.

Every quantifier is bounded, so that no text makes a match take long.
"""

from __future__ import annotations

import re

from skythought.scorers.answers.languages import NO
from skythought.scorers.choice.letters import ENDED

RIGHTS = ("correct", "right", "best", "answer", "valid", "accurate", "appropriate")
NAMING = re.compile(
    r"(?:\s{0,3}(?:\*\*|[:：]|\b(?:indeed|therefore|thus|clearly|likely|probably|most|definitely|simply|option|choice"
    r"|letter|answer|number|the|that|is|to|be|either|both|la|el|le|die|der|das|opción|opção|opzione|letra|lettre|lettera"
    r"|buchstabe|вариант|буква|(?<=é\s)[ao](?=\s(?:[A-Z]\b|letra|opção|alternativa))|alternativa)\b)){0,8}",
    re.IGNORECASE,
)
NOTHING_FITS = re.compile(
    r"\b(?:none\s+of|not\s+(?:an?\s+option|listed|given|provided|among|one\s+of|in\s+the)|no\s+(?:correct|valid"
    r"|option|answer)"
    r"|n/?a\b)",
    re.IGNORECASE,
)
ALL = re.compile(r"\ball (?:of )?(?:the|these|them|above)\b", re.IGNORECASE)
BEFORE_RIGHT = re.compile(
    r"(?<![\w'’])(?P<noun>(?:option|choice|answer|letter)\s+)?[(\[*_\"$]{0,4}(?P<letter>[A-Za-z])"
    + ENDED
    + r"[)\]*_.\":$]{0,4}"
    r"(?:\s{0,2}[,(:](?:(?!\bbut\b|\b(?-i:[B-HJ-Z])\b|\b(?-i:[AI])\sis\b)[^.\n]){0,60}?[,)]?)?\s(?:is|as|must\s+be|would\s+be|being)"
    r"\s+(?:indeed\s+|clearly\s+|therefore\s+|thus\s+|also\s+|definitely\s+)?(?:the\s+)?(?:only\s+|most\s+"
    r"|single\s+)?$",
    re.IGNORECASE,
)
RIGHT = re.compile(
    r"(?:correct|right|best|answer|valid|accurate|appropriate)\b(?P<noun>\s+(?:answer|option|choice|one|response))?+"
    r"(?!\s+(?:only|if|when|in|for|under)\b)(?P<end>\s{0,3}(?:[.,;:!)*\n。]|$|(?:because|since|as)\b))?",
    re.IGNORECASE,
)
PICKED = re.compile(
    r"\b(?:choose|chose|select|pick|take|matching|decides?\s+for|go(?:ing)?\s+with|think(?:\s+it(?:'s|\s+is))?|it(?:'s|\s+is)|(?:must|should|has\s+to)\s+be"
    r"|corresponds\s+to|matches"
    r"|leav(?:es|ing)(?:\s+(?:us|me|only|just|with)){0,3}|left\s+with|(?:closest|nearest|best)(?:\s+\w{1,12})?\s+(?:is"
    r"|would\s+be)"
    r"|therefore,?|thus,?|so,?|hence,?|in\s+conclusion,?|on\s+reflection,?|have\s+to\s+be|letter\s+is|(?:holds|true|remains"
    r"|remaining(?:\s+one)?|first\s+one)(?:\s+is|:)"
    r"|we\s+(?:get|have|obtain)|(?:i['’]d|i\s+would)\s+say|settle\s+(?:on|for)|definitely|(?:ans|result|correct|verdict|output|final|conclusion|selected|to\s+sum\s+up)"
    r"[ \t]{0,2}[:=.-](?=[ \t])"
    r"|only(?=\s+[a-z]\s+(?:remains|is|fits"
    r"|works|holds))"
    r")\s+(?:option\s+|choice\s+|answer\s+|the\s+|letter\s+){0,4}",
)
CHANGED_MIND = re.compile(
    r"\b(?:wait|(?<!as\s)well,|actually|correction|scratch\s+that|on\s+second\s+thought|i\s+made\s+a\s+mistake|my\s+mistake"
    r"|i\s+was\s+wrong"
    r"|let\s+me\s+(?:correct|fix|reconsider)|no,|(?:(?:that|this|it)|(?P<letter>[A-Z])[)\]*\"]{0,3})\s+(?:is|was)\s+"
    r"(?:wrong|incorrect|not\s+(?:right|correct)))",
    re.IGNORECASE,
)
SUPPOSED = re.compile(r"\W{0,4}\s+would\b[^.\n]{0,40}\bif\b")
"""Behind a letter that is right on a condition only."""
DENIED = re.compile(
    r"\s?(?:选项|選項)?(?:都|也)?是?(?:错|不正确|不对|錯)|[)\].:*\"]{0,4}\s{1,3}(?:also\s)?(?:can(?:not|['’]t)|(?:is|does|was)n['’]t|does\s+not"
    r"|would\s+not|fails|[✗❌✘]|(?:is|was|are|can)\s(?:also\s)?"
    r"(?:not|wrong|incorrect|false|invalid|eliminated|excluded|ruled|tempting|out)\b)"
    r"|[)\]*\"]{0,4}(?:[:–—-]|\s)\s{0,2}(?:not(?!\s+[(*]{0,2}(?-i:[A-Z])\b)|no|wrong|incorrect|false|invalid|eliminated|excluded|ruled\sout)\b",
    re.IGNORECASE,
)
"""Behind the letter of an option that is none."""
REJECTED = re.compile(
    r"(?:\b(?:not|neither|nor|rul\w+\s+out|eliminat\w+|exclud\w+|reject\w*|except|than|or)|n['’]t)\s+(?:[A-Z],?\s(?:and\s|or\s)?){0,8}"
    r"(?:(?:choose|pick|select|be|it['’]s|option|answer)\s+){0,2}[(*\"]{0,3}$",
    re.IGNORECASE,
)
"""Before the letter of one."""
DENIAL = re.compile(r"\b(?:anything|except|cannot|not|no|wrong|incorrect|false|neither|none)\b|n['’]t\b", re.IGNORECASE)
DOUBTS = (
    DENIAL,
    re.compile(NO, re.IGNORECASE),
    re.compile(r"\b[A-Z],? (?:(?:and|or) )?[A-Z]\b|\b[A-Z], [A-Z],"),
)
"""In a line that does not give the option in it as its answer."""
SEVERAL = re.compile(r"\b(?:or|either|but)\b", re.IGNORECASE)
OPEN = re.compile(
    r"\b(?:or|and|but|either|all|eliminate[sd]?|excludes?|excluded|rule[sd]?\sout|is\sout|tempting|fails|least|opposite|than|too|could|might|may|vs)\b|/|\?",
    re.IGNORECASE,
)
"""In a line that names several options, or all but one."""
MARKED = [
    (re.compile(r"\*\*\s{0,3}\(?([A-Z])[).:]?\s{0,3}(?:\*\*|(?=[).: ][^*\n]{0,200}\*\*))"), 4000),
    (re.compile(r"(?:ption|hoice|nswer)\s{1,3}[(*]{0,3}([A-Z])\b(?!/)"), 4000),
    (re.compile(r"\(([A-Z])\)(?!\w)"), 4000),
    (re.compile(r"^[ \t]{0,8}([A-Z])[).:]?[ \t]{0,8}$", re.MULTILINE), 4000),
    (re.compile(r"(?<![\w.'’])([A-Z])[.)]\s+[A-Z][^\n]{0,200}[.\s]{0,3}$"), 220),
]
"""Letters that are merely set off, each with how many characters at the end of the response it is looked for in."""
WHOLE_END = re.compile(r"[\s)\]}$*_.\"'`”:。]{0,12}$")
NO_TURN = r"(?!A:\s(?:Let|First|Step|To|We|I)\b)"
"""Not "A: Let's think", which is the other half of "Q: ..."."""
FIRST = re.compile(
    rf"\s{{0,8}}[(\[*]{{0,4}}{NO_TURN}([A-Z])(?:(?=,?\s(?:because|since|not)\b)"
    r"|[).\]:*。](?!\.)|\s*$|\s*\n|(?=[^\x00-\x7f]))"
)
ALONE = re.compile(r"(?<![\w'’^_\\.+=/-])([A-Z])(?![\w'’^_(=+/-]|\s=)")
NAMED_SO = re.compile(
    r"(?:panel|figure|fig\.|table|see|vitamin|hepatitis|type|group|grade|class|points?|lines?|angle|side|set|vertex|gas|solvent|compound"
    r"|factor|phase|\d)\s$",
    re.IGNORECASE,
)
"""What stands before a letter that belongs to a thing of that name, or to a number as its unit."""
RIGHT_ABROAD = re.compile(
    r"(?<![A-Za-z])([A-Z])\s?(?:选项)?(?:是|才是|最|が)?(?:正确|正確|对的|符合题意|答案|正解|正しい|答え)"
)
OPTION_WORD = re.compile(
    r"(?-i:A:\s(?=\W{0,4}[A-Z]\W{0,4}$))?[\s*_#>$\"'.-]{0,6}(?:(?:option|choice|answer|letter)\s+)?", re.IGNORECASE
)
BETWEEN_BOXES = re.compile(r"[\s$.\\)\]]{0,8}(?:,|and|or|&|\\text\s?\{\s?(?:and|or)\s?\})[\s$,\\(\[]{0,8}|[$ ]{0,3}")
ITEMS = re.compile(r"^[ \t]{0,8}[*(\-]{0,3}([A-Z])[).:]", re.MULTILINE)
JUDGED = re.compile(
    r"(?:^|(?<=[\s.;,)]))[-*(]{0,4}(?:option\s)?(?-i:([A-Z]))(?:[).:*?]{1,4}\s{0,3}(?:(?-i:[^\nA-Z]{1,60}?)[\s(](?:[-–—:]\s)?)?"
    r"|\s{0,3}[:=—–-]\s{0,3}|\s(?:is\s)?)\**"
    r"(?:(correct|right|true|yes|valid|✓|✔|✅)|(?:incorrect|wrong|false|no|not|invalid|✗|✘|❌))(?![a-z])",
    re.IGNORECASE,
)
"""An option with what it is judged to be, in a list of all of them: "C. Correct."."""
BEST = re.compile(
    r"(?<![\w'’])\(?([A-Z])\)?\s(?:comes\s(?:the\s)?closest|fits\s(?:it\s)?be(?:st|tter)|remains|is\sleft|is\swhat\s(?:remains|is\sleft)|is\s(?:the\s)?(?:closest|better(?!\sthan)))\b"
)
NUMBER = re.compile(r"[\s(\[{$*_\"'`#]{0,8}(?:\\text\s{0,2}\{)?(\d{1,2})(?![\w.,]\d|\w)[\s)\]}$*_.\"'`]{0,8}")
LIST_ITEM = re.compile(rf"\s*[*\-(]{{0,3}}{NO_TURN}([A-Z])[).:]\s")
