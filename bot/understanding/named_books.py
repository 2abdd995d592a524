"""The company named in a sentence, if there are several: the whole question is restricted to its books."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from bot.chat.parsing import in_books, marked
from bot.chat.questions.dialogues import LastQuestion
from bot.chat.questions.reading import ReadBy, Reading, Understood

_LONG = 4
"""Signs from which a Chinese name is no place as well, such as 深圳公司: a shorter one is taken with 的 after it."""
_WHOSE = r"(?:那边|这边|那家|这家)?的"
_AND = r"\s*(?:和|与|跟|及|、|,|and)\s*"
_TAKEN = "\0"
_LISTED = re.compile(rf"{_TAKEN}(?:{_AND}{_TAKEN})*")
_GAP = r"[\s,。？?！!]*"
_NOTHING_ELSE = re.compile(rf"{_GAP}(?:那么?|and|what about|how about)?\s*的?\s*[呢吧]?{_GAP}", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class NamedBooks:
    """The companies named in a sentence, and the sentence without them."""

    names: tuple[str, ...]
    rest: str

    @property
    def is_all(self) -> bool:
        """Whether the sentence contains nothing else: it repeats the last question for another company."""
        return _NOTHING_ELSE.fullmatch(self.rest) is not None


def find_books(text: str, names: Iterable[str]) -> NamedBooks:
    """Return the companies named in a normalised sentence."""
    found = []
    for name in names:
        text, count = _spoken(name).subn(_TAKEN, text)
        found += [name] if count else []
    return NamedBooks(tuple(found), _LISTED.sub(" ", text).strip())


def _spoken(name: str) -> re.Pattern[str]:
    """Return the spoken form of a company's books: a Latin name could be any word, and must be marked as theirs."""
    literal = re.escape(name)
    if name.isascii():
        of, alone = r"(?<![a-z0-9])(?:of|in|at|for|from)\s+", r"(?![a-z0-9]|\s*(?:warehouse|store))"
        own = rf"(?<![a-z0-9]){literal}(?:'s(?![a-z0-9])|的)"
        return re.compile(rf"@{literal}(?![a-z0-9])的?|{of}{literal}{alone}|{own}", re.IGNORECASE)
    whose = rf"(?![仓库])(?:{_WHOSE})?" if len(name) >= _LONG else rf"(?:{_WHOSE}|(?={_AND}))"
    return re.compile(rf"@{literal}的?|{literal}{whose}")


def read_of_books(
    text: str,
    last: LastQuestion | None,
    names: tuple[str, ...],
    read: Callable[[str, LastQuestion | None], Reading | None],
) -> Reading | None:
    """Return the reading of a sentence without its company, restricted to that company.

    A sentence that continues the ``last`` question keeps its company. Each of several companies, but not all, gets its
    own line.
    """
    said, before = find_books(text, names), _asked_of(last, names)
    plain = replace(last, line=_without(last.line, before)) if last and before else last
    if not said.names:
        reading = read(text, plain)
        return _asking(reading, (before,)) if reading and before and reading.by is ReadBy.CONTEXT else reading
    asked = () if len(said.names) == len(names) else said.names
    if said.is_all and plain is not None:
        return _asking(Reading(line=plain.line, by=ReadBy.CONTEXT), asked)
    reading = read(said.rest, plain)
    if reading is None:
        return read(text, plain)
    # A command without its stroke is typed, but the company's name is not: it is a sentence.
    by = ReadBy.GRAMMAR if reading.by is ReadBy.COMMAND else reading.by
    return _asking(replace(reading, by=by), asked)


def _asked_of(last: LastQuestion | None, names: Iterable[str]) -> str:
    """Return the company of the last question."""
    line = f"{last.line} ".casefold() if last else ""
    return next((name for name in names if any(f" {word} ".casefold() in line for word in marked((name,)))), "")


def _without(line: str, name: str) -> str:
    (word,) = marked((name,))
    return re.sub(rf" {re.escape(word)}(?= |$)", "", line, flags=re.IGNORECASE)


def _asking(reading: Reading, names: tuple[str, ...]) -> Reading:
    """Return a reading with all lines restricted to one company; one per company for several, unrestricted for none."""
    if not names:
        return reading
    line, *others = (in_books(line, (name,)) for line in (reading.line, *reading.alternatives) for name in names)
    return replace(
        reading,
        line=line,
        alternatives=tuple(others),
        unsure=reading.unsure or len(names) > 1,
        change=in_books(reading.change, names[:1]) if reading.change else "",
        understood=(*reading.understood, *(Understood("books", name, name) for name in names)),
    )
