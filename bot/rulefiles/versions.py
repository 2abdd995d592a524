"""Versions of a rule file: each text with who wrote it, when and why, and how it differs from another."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from difflib import SequenceMatcher
from enum import StrEnum
from hashlib import sha256

from bot.rulefiles.endings import END

CONTEXT_LINES = 2
"""Unchanged lines shown around a change."""


class RuleSubject(StrEnum):
    """What a rule file is about."""

    ACCESS = "access"
    ALERTS = "alerts"
    APPROVALS = "approvals"


class VersionState(StrEnum):
    """How far a version has come."""

    PROPOSED = "proposed"
    PUBLISHING = "publishing"
    """The file is being written: whoever finds that later asks the file."""
    PUBLISHED = "published"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleVersion:
    """One text of a rule file.

    ``base`` is the digest of the file from which it was written, empty if there was none. ``author`` and ``publisher``
    are userIds; both are empty for a file that was changed outside the pages.
    """

    number: int = 0
    """Given by the store, in the order of writing."""
    subject: RuleSubject
    state: VersionState
    text: str
    sha256: str
    base: str = ""
    author: str = ""
    reason: str = ""
    made_at: datetime
    publisher: str = ""
    published_at: datetime | None = None
    """When it came into force, or its publication began."""


@dataclass(frozen=True, slots=True)
class DiffLine:
    """A line of a comparison. ``mark`` is ``+``, ``-``, a blank, or ``…`` for lines left out; numbers count from 1."""

    mark: str
    text: str = ""
    old: int = 0
    new: int = 0


def digest_of_content(content: bytes) -> str:
    """Return the digest by which versions of a file are told apart."""
    return sha256(content).hexdigest()


def as_whole(text: str) -> str:
    """Return what is written of a text that is known to be whole: it says so in its last line."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n").rstrip().split("\n")
    if lines[-1].strip() != END:
        lines.append(END)
    return "\n".join(lines) + "\n"


def compare_texts(before: str, after: str) -> tuple[DiffLine, ...]:
    """Return the changed lines with those around them; empty for equal texts."""
    return tuple(_compare(before.splitlines(), after.splitlines()))


def _compare(old: list[str], new: list[str]) -> Iterator[DiffLine]:
    # Without a limit on what is compared two long files of few equal lines would take minutes.
    matcher = SequenceMatcher(None, old, new, autojunk=True)
    for number, group in enumerate(matcher.get_grouped_opcodes(CONTEXT_LINES)):
        if number:
            yield DiffLine("…")
        for tag, first, last, start, end in group:
            if tag == "equal":
                for i in range(last - first):
                    yield DiffLine(" ", old[first + i], first + i + 1, start + i + 1)
                continue
            for i in range(first, last):
                yield DiffLine("-", old[i], old=i + 1)
            for i in range(start, end):
                yield DiffLine("+", new[i], new=i + 1)
