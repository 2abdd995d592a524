"""The audit trail: who did what, where and when, what they were shown, and by which rule.

Entries are stored in English and translated for each reader.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import ClassVar, Protocol

from bot.mechanisms.tracing import TracedLine
from bot.words.disclosure import FieldClass
from bot.words.errors import DingerpError
from bot.words.phrase import Phrase, phrase


class AuditKind(StrEnum):
    """The kind of an audit entry."""

    QUESTION = "question"
    DECISION = "decision"
    REFUSAL = "refusal"
    MUTE = "mute"
    RULES = "rules"
    BINDING = "binding"
    AWAY = "away"
    EXPORT = "export"
    OPERATOR = "operator"
    LOGIN = "login"
    UNREADABLE = "unreadable"
    """For a row that holds no valid entry: nobody writes it, and searches report it."""


PROGRAM_PLACE = "api:"
"""How the place of a program's question begins; the id of its key follows."""

BOT_ACTOR = "dingerp"
"""The actor of consequences of people's actions."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditEntry:
    """One entry of the audit log. ``actor`` is a userId, or a name of the operating system's for operators.

    ``action`` is a command or the name of an action, ``documents`` the numbers that were shown or changed, ``shown``
    the classes of sensitive fields among them, ``rule`` the name of the rule that decided, ``detail`` a reason in plain
    words, or the line of a question that names nothing. No entry holds amounts, partner names or message text.
    """

    kind: AuditKind
    at: datetime
    actor: str
    action: str
    conversation: str = ""
    documents: tuple[str, ...] = ()
    shown: tuple[FieldClass, ...] = ()
    rule: str = ""
    outcome: str = ""
    detail: str = ""


CONTENT_FIELDS = (
    "kind",
    "actor",
    "action",
    "conversation",
    "documents",
    "shown",
    "rule",
    "outcome",
    "detail",
)
"""An entry's fields without its time, in the order of hashes and files: old hashes are valid only in this order."""


class AuditLog(Protocol):
    """Stores entries in order and permanently; implemented by `bot.store.audit.log`."""

    def record(self, entry: AuditEntry) -> None:
        """Store the entry with the next commit; an orderly shutdown does not lose it."""
        ...


class RequiredAudit(Protocol):
    """A log that must be writable before anything is shown or changed; implemented by `bot.store.audit.log`."""

    async def written(self) -> bool:
        """Wait until everything recorded so far is stored, and return whether it is."""
        ...

    async def can_write(self) -> bool:
        """Return whether an entry could be stored now."""
        ...


class NotRecorded(DingerpError):
    """The request must be recorded, and the audit log cannot be written now."""

    retry: ClassVar[bool] = True

    def tell(self) -> Phrase:
        return phrase(
            "This has to be recorded, and the audit log cannot be written at the moment, so it is neither shown nor "
            "done. Nothing was changed; the administrators are told. Please try again later."
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedEntry:
    """A stored entry, with its number and the hash that proves its content."""

    seq: int
    entry: AuditEntry
    hash: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditSearch:
    """A search for entries, the newest first or, with ``after``, the oldest first; empty fields match all.

    ``document`` is a case-insensitive number, ``since`` an inclusive and ``until`` an exclusive bound; ``before`` and
    ``after`` are the number of the last entry of the previous page.
    """

    actor: str = ""
    action: str = ""
    document: str = ""
    kind: AuditKind | None = None
    since: datetime | None = None
    until: datetime | None = None
    before: int | None = None
    after: int | None = None
    limit: int = 100


def search_for(asked: TracedLine) -> AuditSearch:
    """Return the search for what a line showed: the entry has the line's time, to the millisecond."""
    until = asked.at + timedelta(milliseconds=1)
    return AuditSearch(kind=AuditKind.QUESTION, action=asked.command, since=asked.at, until=until, limit=20)


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditCheck:
    """What a look through the whole log found: its entries, and its problems in their recorded wording."""

    entries: int
    problems: tuple[str, ...] = ()


class AuditReader(Protocol):
    """Searches entries, and looks through them; implemented by `bot.store.audit.log`."""

    async def search(self, wanted: AuditSearch) -> tuple[RecordedEntry, ...]:
        """Return entries in the requested order. Raises a `DingerpError` when the store is unavailable."""
        ...

    async def check(self) -> AuditCheck:
        """Look through the whole log, as ``dingerp audit verify`` does. Raises the same."""
        ...


REFUSALS_KEPT = 5
"""Refusals of one person recorded individually within `FOLDING`; the others are counted."""

FOLDING = timedelta(minutes=10)


@dataclass(slots=True)
class _Refusals:
    until: datetime
    kept: int = 0
    folded: int = 0
    last: AuditEntry | None = None


class FoldedAuditLog:
    """Records entries; of many refusals to one person only the first few, followed by a count.

    So repeated refusals cannot fill the disk. `fold` records the counts that are due; it must be called at intervals,
    and at the end with ``everything``.
    """

    def __init__(self, log: AuditLog, now: Callable[[], datetime]) -> None:
        self._log = log
        self._now = now
        self._refusals: dict[str, _Refusals] = {}

    def record(self, entry: AuditEntry) -> None:
        """Record the entry, or count it."""
        if entry.kind is not AuditKind.REFUSAL:
            self._log.record(entry)
            return
        refusals = self._refusals.get(entry.actor)
        if refusals is None or refusals.until <= entry.at:
            if refusals is not None:
                self._record_folded(refusals)
            refusals = self._refusals[entry.actor] = _Refusals(entry.at + FOLDING)
        if refusals.kept < REFUSALS_KEPT:
            refusals.kept += 1
            self._log.record(entry)
        else:
            refusals.folded += 1
            refusals.last = entry

    def fold(self, *, everything: bool = False) -> None:
        """Record the refusal counts whose `FOLDING` has elapsed, or all of them."""
        now = self._now()
        for actor in [actor for actor, known in self._refusals.items() if everything or known.until <= now]:
            self._record_folded(self._refusals.pop(actor))

    def _record_folded(self, refusals: _Refusals) -> None:
        if refusals.last is not None:
            number = "one more refusal" if refusals.folded == 1 else f"{refusals.folded} more refusals"
            self._log.record(replace(refusals.last, detail=f"{number}, the last: {refusals.last.detail}"))


STRANGE_ENTRY = phrase("this entry was not written by dingerp")
HIDDEN_DOCUMENT = phrase("there is none that the rules open to them")
NO_MEMBER = phrase("not known as a member")


def say_limit(allowed: int) -> Phrase:
    """Return the text for an exceeded limit."""
    return phrase("more than %(allowed)s", allowed=allowed)


def say_rows(rows: int, total: int) -> Phrase:
    """Return the text for how much of a list went into a file."""
    return phrase("%(rows)s of %(total)s rows", rows=rows, total=total)


def say_key(key_id: str) -> Phrase:
    """Return the text for an answer to a program."""
    return phrase("by the API key %(key)s", key=key_id)


_WITH_VALUES = (
    "by the API key %(key)s",
    "more than %(allowed)s",
    "%(rows)s of %(total)s rows",
    "/%(command)s is only for: %(roles)s.",
    "/%(command)s is not open in this conversation.",
    "Rule “%(rule)s” does not let you see this document.",
)
_FINDINGS = (
    phrase("entry %(seq)s is missing", seq=""),
    phrase("entry %(first)s to %(last)s are missing", first="", last=""),
    phrase("entry %(seq)s is missing at the end", seq=""),
    phrase("entry %(first)s to %(last)s are missing at the end", first="", last=""),
    phrase("entry %(seq)s is missing at the end: a link to entry %(known)s is known", seq="", known=""),
    phrase(
        "entry %(first)s to %(last)s are missing at the end: a link to entry %(known)s is known",
        first="",
        last="",
        known="",
    ),
    phrase("entry %(seq)s was changed: its content does not have its hash", seq=""),
    phrase("entry %(seq)s does not follow entry %(before)s: one of them was replaced", seq="", before=""),
    phrase("entry %(seq)s is inserted: entry %(next)s follows entry %(before)s", seq="", next="", before=""),
    phrase(
        "entry %(first)s to %(last)s are inserted: entry %(next)s follows entry %(before)s",
        first="",
        last="",
        next="",
        before="",
    ),
    phrase("entry %(seq)s is inserted at the end", seq=""),
    phrase("entry %(first)s to %(last)s are inserted at the end", first="", last=""),
    phrase("entry %(seq)s is not the one that was written last", seq=""),
    phrase("entry %(seq)s was inserted before the beginning", seq=""),
    phrase("entry %(seq)s was inserted behind the end", seq=""),
    phrase("entry %(seq)s is not found by its documents", seq=""),
    phrase("entry %(seq)s is found by documents that it does not name", seq=""),
    phrase("entry %(seq)s is another one than the link that is known says", seq=""),
    phrase("the entries up to %(seq)s are gone, and the log does not say that they were purged", seq=""),
    phrase("the row with the end of the chain is gone"),
    phrase("the row with the end of the chain is gone; it was put back behind entry %(seq)s", seq=""),
    phrase("the guard %(name)s was taken away", name=""),
    phrase("the trigger %(name)s on the audit log is not dingerp's", name=""),
    phrase("the log cannot be looked through (%(error)s): a row of it was not written by dingerp", error=""),
)
"""Possible findings of the log's checks, in their recorded wording."""
_VALUE = re.compile(r"%\((\w+)\)s")


def _pattern(msgid: str) -> re.Pattern[str]:
    pieces = _VALUE.split(msgid)
    names = [f"(?P<{piece}>.+?)" if place % 2 else re.escape(piece) for place, piece in enumerate(pieces)]
    return re.compile("".join(names), re.DOTALL)


_PATTERNS = {msgid: _pattern(msgid) for msgid in (*_WITH_VALUES, *(found.msgid for found in _FINDINGS))}


def read_detail(kept: str) -> Phrase | str:
    """Return an entry's detail for a reader of any language: text without a translation is shown as stored."""
    for msgid, pattern in _PATTERNS.items():
        if match := pattern.fullmatch(kept):
            return Phrase(msgid, match.groupdict())
    return Phrase(kept) if kept else ""
