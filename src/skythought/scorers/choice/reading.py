"""Which option a response gives as its answer. The last statement wins; letters that are words do not count."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, replace

from skythought.latex import last_box
from skythought.scorers.answers.candidates import SENTENCES, standing_boxes
from skythought.scorers.answers.candidates import statements as answers_stated
from skythought.scorers.answers.claims import UNCLAIMED
from skythought.scorers.answers.dialects import spelled, turns, undressed
from skythought.scorers.answers.sentences import concluded, main_clause
from skythought.scorers.choice import statements
from skythought.scorers.choice.letters import (
    LETTERS,
    Label,
    label_at,
    option_named_by_text,
    plain,
    plain_options,
    raised,
    text_begins_with,
)

__all__ = ["Choice", "find_choice"]

LONGEST_WHOLE = 200
LONGEST_LETTERED = 12
"""Characters of a last line in which the text of an option may be a letter."""
LAST_PART = 20_000
"""Characters at the end of a response that are looked at."""
LAST_JUDGED = 4000
"""Characters at the end in which options are judged one by one."""
LOOKALIKE = re.compile(r"(?<![\u0400-\u04ff])[АВСЕНКМОРТХ](?![\u0400-\u04ff])")
LOOKALIKES = str.maketrans("АВСЕНКМОРТХ", "ABCEHKMOPTX")
"""Cyrillic capitals that look like Latin ones."""
MOST_STATEMENTS = 200
"""Statements that are tried, from the last one backwards."""


@dataclass(frozen=True, slots=True)
class Choice:
    """What a response gives as its answer."""

    letters: str
    """Of one option, or of several; "" where the response says that no option fits."""
    end: int
    """Where the naming ends in the text."""
    rule: str


def find_choice(response: str, count: int, texts: Sequence[str] = (), *, digits: bool = False) -> Choice | None:
    """The option, of `count`, that `response` gives as its answer; None if it names none.

    Rules from the strongest to the weakest; within one rule the last match counts. Takes time in proportion to the
    length of the response, whatever it holds.

    Args:
        digits: Options are labelled by numbers from 1, so a number names one even where no texts are known.
    """
    given, response = response, spelled(response[-LAST_PART:])
    if not response.isascii():
        response = LOOKALIKE.sub(
            lambda match: match[0].translate(LOOKALIKES), unicodedata.normalize("NFKC", raised(response))
        )
    readings = [_Reading(response[:end], count, tuple(texts), digits) for end in turns(response)]
    found = next(filter(None, (reading.explicit() or reading.whole() for reading in readings)), None)
    return found or readings[-1].implied() or _denying(given, texts)


def _denying(response: str, texts: Sequence[str]) -> Choice | None:
    """The option that itself denies something, "Neither I nor II", where the last line has its text."""
    line = response.rstrip()[-LONGEST_WHOLE:].rpartition("\n")[2]
    number = option_named_by_text(line, tuple(texts)) if texts else None
    denies = number is not None and statements.DENIAL.search(texts[number])
    return Choice(LETTERS[number], len(response), "option's text") if number is not None and denies else None


class _Reading:
    """One response, read by each rule in turn."""

    def __init__(self, text: str, count: int, texts: tuple[str, ...], digits: bool) -> None:
        self.text = text
        # Places found in the lowered text are used in the text: a few letters have small forms of two characters.
        lowered = text.lower()
        self.lowered = lowered if len(lowered) == len(text) else text
        self.count = count
        self.texts = texts
        self.digits = digits

    def implied(self) -> Choice | None:
        """What a response without a statement of its answer gives, by the strongest rule that finds one."""
        return (
            self.picked(0, weak=True)
            or self.judged()
            or self.first()
            or self.last_whole()
            or self.last_item()
            or self.by_last_line()
            or self.alone()
            or self.marked()
        )

    def explicit(self) -> Choice | None:
        """A box, "the answer is", or "C is the correct answer", whichever comes last; or what is picked behind it."""
        found = max(filter(None, (self.boxed(), self.stated())), key=lambda choice: choice.end, default=None)
        found = self.called_right(found.end if found else 0) or found
        return found and (self.changed_mind(found) or found)

    def boxed(self) -> Choice | None:
        """The last box that names an option, with those that are joined to it by nothing but commas, "and" or "or"."""
        if "box" not in self.text:
            return None
        last: Choice | None = None
        start = 0
        for box in reversed(standing_boxes(self.text)):
            if last and not statements.BETWEEN_BOXES.fullmatch(self.text, box.end, start):
                break
            found = self.in_box(box.text, box.end)
            if found is not None and (last is None or found.letters != last.letters):
                several = Choice(found.letters + last.letters, last.end, "several options boxed") if last else found
                last = several if len(several.letters) == 1 else replace(several, rule="several options boxed")
                start = box.start
        return last

    def in_box(self, text: str, end: int) -> Choice | None:
        """The option that a box ending at `end` names by its letter, its number or its text."""
        text = undressed(last_box(text) or text).replace("$", " ")
        if letters := self.label_of_box(text):
            return Choice(letters, end, "boxed")
        if letters := self.number_of(text):
            return Choice(letters, end, "boxed number")
        letters = self.text_of(text)
        return Choice(letters, end, "boxed text") if letters else None

    def label_of_box(self, text: str) -> str:
        """The letter that opens a box: alone, or before punctuation or that option's text."""
        label = label_at(text, statements.NAMING.match(text).end(), self.count)  # type: ignore[union-attr]
        if label is None or text_begins_with(text, self.texts) is not None:
            return ""
        after = text[label.end : label.end + 1]
        rest = text[label.end :].strip().lstrip("})].:,*$ ").rstrip("})].* $")
        number = LETTERS.find(label.letters)
        named = 0 <= number < len(self.texts) and plain_options(self.texts)[number] == plain(rest)
        return label.letters if not rest or (after and after in ").:}],") or named else ""

    def number_of(self, text: str) -> str:
        """The option whose text is this number; where no option is a number, the option of that number from 1."""
        options = plain_options(self.texts)
        match = statements.NUMBER.fullmatch(text.strip())
        if not match:
            given = plain(text) if re.match(r"\W*\d", text) and len(text) < LONGEST_WHOLE else ""
            same = [number for number, option in enumerate(options) if given and option.startswith(given + " ")]
            return LETTERS[same[0]] if len(same) == 1 else ""
        same = [number for number, option in enumerate(options) if option == match.group(1)]
        same = same or [number for number, option in enumerate(options) if option.split(" ")[0] == match.group(1)]
        if same:
            return LETTERS[same[0]] if len(same) == 1 else ""
        if not self.digits and (not self.texts or any(re.search(r"\d", option) for option in self.texts)):
            return ""
        return self.numbered(match.group(1))

    def numbered(self, digits: str) -> str:
        """The letter of the option with this number, counted from 1; "" if there is none."""
        number = int(digits) - 1
        return LETTERS[number] if 0 <= number < self.count else ""

    def text_of(self, text: str) -> str:
        """The letter of the one option whose text occurs in `text`, or ""."""
        number = option_named_by_text(text, self.texts) if self.texts else None
        if number is None or any(
            words.search(text) and not words.search(self.texts[number])
            for words in (statements.DENIAL, statements.SEVERAL)
        ):
            return ""  # "neither A nor B" is none of both
        return LETTERS[number]

    def stated(self) -> Choice | None:
        """The last "the answer is ...", with a letter, a number or an option's text after it."""
        for place, rest in answers_stated(self.text):
            if self.text.startswith(rest[:10], place) and (found := self.after_statement(place)):
                return found
        return None

    def after_statement(self, start: int) -> Choice | None:
        """The option that is named behind "the answer is": by its letter, its number or its text, in that order."""
        start = statements.NAMING.match(self.text, start).end()  # type: ignore[union-attr]
        text = self.text[start : start + 600]
        line = text.lstrip().partition("\n")[0]
        if (number := text_begins_with(line, self.texts)) is not None:
            return Choice(LETTERS[number], start + len(line), "stated text")
        label = label_at(text, 0, self.count)
        if label is not None:
            denied = self.opens_a_list(start, start + label.end, label) or self.is_denied(start, start + label.end)
            return None if denied else self.labelled(label, line, start)
        sentence = main_clause(re.split(r"\.\s|</", line, maxsplit=1)[0])
        if found := self.number_of(sentence):
            return Choice(found, start + len(sentence), "stated number")
        if found := self.text_of(sentence):
            return Choice(found, start + len(sentence), "stated text")
        return Choice("", start + len(sentence), "no option fits") if statements.NOTHING_FITS.search(sentence) else None

    def labelled(self, label: Label, line: str, start: int) -> Choice:
        """The choice that a label behind "the answer is" makes."""
        if len(label.letters) == 1:
            return Choice(label.letters, start + label.end, "stated")
        by_text = [
            LETTERS[n]
            for n, option in enumerate(plain_options(self.texts))
            if option.removeprefix("both ") == plain(line)
        ]
        if len(by_text) == 1:  # an option that reads "A and C"
            return Choice(by_text[0], start + label.end, "stated text")
        last = LETTERS[self.count - 1]
        if set(label.letters) == set(LETTERS[: self.count - 1]) and statements.ALL.search(
            self.texts[-1] if self.texts else ""
        ):
            return Choice(last, start + label.end, "all of the options")
        return Choice(label.letters, start + label.end, "several options stated")

    def opens_a_list(self, start: int, end: int, label: Label) -> bool:
        """True for "Answers:\\nA. this\\nB. that": options, or answers to several questions, are listed."""
        lines = [line for line in self.text[end - 1 : start + 600].splitlines() if line.strip()]
        following = statements.LIST_ITEM.match(lines[1]) if len(lines) > 1 else None
        return (
            "\n" in self.text[max(0, start - 2) : end] and following is not None and following.group(1) != label.letters
        )

    def called_right(self, start: int, *, weak: bool = False) -> Choice | None:
        """ "Option C is correct", "C is the correct answer"; `weak` also "C is valid"."""
        places = {word: self.lowered.rfind(word, start) for word in statements.RIGHTS}
        for _ in range(MOST_STATEMENTS):
            word = max(places, key=places.__getitem__)
            if places[word] < 0:
                return None
            if found := self.right_at(places[word], weak):
                return found
            places[word] = self.lowered.rfind(word, start, places[word])
        return None

    def right_at(self, place: int, weak: bool) -> Choice | None:
        """The option that is called right by the word at `place`, as `called_right` has it."""
        # Plain searches first: the pattern that looks backwards is the dearest of all here.
        near = self.lowered[max(0, place - 40) : place]
        if not (" is " in near or " as " in near or " be " in near or "being" in near):
            return None
        match = statements.RIGHT.match(self.text, place)
        before = statements.BEFORE_RIGHT.search(self.text, max(0, place - 120), place) if match else None
        if (
            match is None
            or before is None
            or statements.NAMED_SO.search(self.text, max(0, place - 160), before.start("letter"))
            or self.is_denied(before.start(), before.end("letter"))
            or statements.SUPPOSED.match(self.lowered, before.end("letter"))
            or not (weak or match.group("noun") or (before.group("noun") and match.group("end") is not None))
        ):
            return None
        label = label_at(self.text, before.start("letter"), self.count)
        single = label is not None and len(label.letters) == 1
        return Choice(label.letters, match.end(), "called right") if label and single else None

    def changed_mind(self, found: Choice) -> Choice | None:
        """What is picked after "wait" or "that is wrong", behind the last statement of an answer."""
        for match in statements.CHANGED_MIND.finditer(self.text, found.end):
            if (match["letter"] or found.letters).upper() == found.letters:
                later = self.picked(match.end(), weak=False)
                return replace(later, rule="picked after a change of mind") if later else None
        return None

    def whole(self) -> Choice | None:
        """A response that is only a letter ("C", "(c).", "**B**"), a letter with its text, or an option's text."""
        text = undressed(self.text[:LONGEST_WHOLE]) if len(self.text) < LONGEST_WHOLE else self.text.strip()
        label = label_at(text, statements.OPTION_WORD.match(text).end(), self.count)  # type: ignore[union-attr]
        if label is not None and statements.WHOLE_END.match(text, label.end):
            return replace(self.labelled(label, text, 0), end=len(text), rule="whole response")
        found = self.number_of(text)
        if not found and len(text) <= 1000:
            wanted = (plain(text), plain(main_clause(text)))
            same = [LETTERS[n] for n, option in enumerate(plain_options(self.texts)) if option and option in wanted]
            found = same[0] if len(same) == 1 else ""
        return Choice(found, len(text), "whole response") if found else None

    def picked(self, start: int, *, weak: bool) -> Choice | None:
        """ "I choose B", "so it's (B)", "Therefore, B", "B is right"."""
        found = [
            Choice(label.letters, label.end, "picked")
            for match in statements.PICKED.finditer(self.lowered, start)
            if (label := label_at(self.text, match.end(), self.count))
            and len(label.letters) == 1
            and not self.is_denied(match.end(), label.end)
            and not statements.SUPPOSED.match(self.lowered, label.end)
        ]
        if not self.text.isascii():
            found += [
                Choice(match.group(1), match.end(), "called right")
                for match in statements.RIGHT_ABROAD.finditer(self.text, start)
                if LETTERS.find(match.group(1)) < self.count
            ]
        if right := self.called_right(start, weak=weak):
            found.append(right)
        return max(found, key=lambda choice: choice.end, default=None)

    def judged(self) -> Choice | None:
        """The one option that is called right where three or more are judged one by one, or one is called the best."""
        start = max(0, len(self.text) - LAST_JUDGED)
        judged = {match[1]: match for match in statements.JUDGED.finditer(self.text, start)}
        right = [match for match in judged.values() if match[2]]
        if len(judged) < 2 or len(right) != 1:
            right = list(statements.BEST.finditer(self.text))[-1:]
        known = right and LETTERS.find(right[0][1]) < self.count
        return Choice(right[0][1], right[0].end(), "judged right") if known else None

    def first(self) -> Choice | None:
        """A response that opens with its letter, or its option on a line of its own: "B) because ..."."""
        line, _, rest = self.text.lstrip().partition("\n")
        if rest[:1] == "\n" and len(line) < LONGEST_WHOLE:
            reading = _Reading(line, self.count, self.texts, self.digits)
            if whole := reading.whole():
                return replace(whole, rule="first line")
        match = statements.FIRST.match(self.text)
        label = label_at(self.text, match.start(1), self.count) if match else None
        if match is None or label is None or label.letters != match[1] or self.is_denied(match.start(1), match.end(1)):
            return None
        listed = set(statements.ITEMS.findall(self.text)) - {match.group(1)}
        return None if listed else Choice(match.group(1), match.end(), "first letter")

    def marked(self) -> Choice | None:
        """The last letter that is set off: `**C**`, `(C)`, "Option C", "C)" on a line of its own."""
        if self.text.endswith(UNCLAIMED):
            return None
        found: list[Choice] = []
        for pattern, reach in statements.MARKED:
            matches = list(pattern.finditer(self.text, max(0, len(self.text) - reach)))
            letters = "".join(match.group(1) for match in matches)
            # All options one after another are the question repeated, not an answer.
            if matches and letters[-1] in LETTERS[: self.count] and not letters.endswith(LETTERS[: self.count]):
                kept = [match for match in matches if not self.is_denied(match.start(1), match.end(1))]
                found += [Choice(match[1], match.end(), "marked letter") for match in kept[-1:]]
        return max(found, key=lambda choice: choice.end, default=None)

    def is_denied(self, start: int, end: int) -> bool:
        """Whether the letter here is said to be no answer, "not C" or "C is wrong"; its own text denies nothing."""
        number = LETTERS.find(self.text[end - 1 : end])
        if 0 <= number < len(self.texts):
            own = plain_options(self.texts)[number]
            if own and plain(self.text[end : end + 2 * len(self.texts[number]) + 10].lstrip(" ):.-–—*")).startswith(
                own
            ):
                return False
        rejected = statements.REJECTED.search(self.text, max(0, start - 40), start)
        return bool(rejected or statements.DENIED.match(self.text, end))

    def last_line(self) -> str:
        """The last line that is not blank, at most 600 characters of it."""
        return self.text.rstrip()[-600:].rpartition("\n")[2]

    def last_whole(self) -> Choice | None:
        """A last line that is only a letter, a letter with its text, or an option's text, unless it ends a list."""
        line = self.last_line()
        if self.ends_a_list(line) or line == self.text:
            return None
        reading = _Reading(concluded(line), self.count, self.texts, self.digits)
        found = reading.whole()
        return replace(found, end=len(self.text), rule="last line") if found else None

    def last_item(self) -> Choice | None:
        """A last line that is one option written out, "B. because ...", where no others are listed."""
        match = statements.LIST_ITEM.match(self.last_line())
        if match is None or statements.DENIED.match(self.last_line(), match.end(1)):
            return None
        single = set(statements.ITEMS.findall(self.text)) == {match[1]} and LETTERS.find(match[1]) < self.count
        return Choice(match[1], len(self.text), "last line") if single else None

    def by_last_line(self) -> Choice | None:
        """The only option whose text stands in the last line, unless that is the end of a list of options."""
        line = self.last_line()
        if self.ends_a_list(line):
            return None
        if not (found := self.text_of(sentence := main_clause(SENTENCES.split(line)[-1]))):
            found = self.text_of(sentence := main_clause(line))
        if not found or any(words.search(sentence) for words in statements.DOUBTS):
            return None
        if len(self.texts[LETTERS.find(found)]) == 1 and len(line) > LONGEST_LETTERED:  # "I cannot tell"
            return None
        return Choice(found, len(self.text), "option's text")

    def ends_a_list(self, line: str) -> bool:
        """Whether a line is the last of several options, one a line."""
        return statements.LIST_ITEM.match(line) is not None and len(set(statements.ITEMS.findall(self.text))) > 1

    def alone(self) -> Choice | None:
        """The only capital letter that stands alone in the last sentence and is no word."""
        line = self.last_line()
        sentence = SENTENCES.split(line)[-1]
        places = [
            match
            for match in statements.ALONE.finditer(sentence)
            if not statements.NAMED_SO.search(sentence, 0, match.start())
        ]
        letters = {
            match[1] for match in places if match[1] not in "AI" or not re.search(r"\w", sentence[match.end() :])
        }
        letter = letters.pop() if len(letters) == 1 else ""
        known = letter and LETTERS.find(letter) < self.count and not self.ends_a_list(line)
        if not known or any(words.search(sentence) for words in (*statements.DOUBTS, statements.OPEN)):
            return None
        return Choice(letter, len(self.text), "lone letter")
