"""The meaning of typed words and buttons as a vote: whether it is one, on which revision, and for what reason."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from types import MappingProxyType

from bot.approvals.case import CaseState, short_id
from bot.approvals.case_context import CaseContext
from bot.cards.actions import RejectReason
from bot.chat.arguments import Word
from bot.chat.parsing import normalise, split
from bot.words.phrase import Phrase, phrase

LOOK_AGAIN = phrase("It has changed since it was first shown: look at it once more, and tap.")
NOT_A_COMMAND = phrase("Tap a button to decide, or begin the line with the command.")


class CaseRef(Word):
    """The number of a document, or the case id from a card's button."""

    placeholder = phrase("number")


class Remarks(Word):
    """A voter's remarks."""

    placeholder = phrase("reason")
    takes_rest = True


class SeenRevision(Word):
    """The revision that was seen, as encoded in buttons."""

    placeholder = phrase("revision")
    prefix = "#"


class InquiryNumber(Word):
    """The number of a question to the requester, counted from 1, as encoded in buttons."""

    placeholder = phrase("question number")
    prefix = "~"


def read_inquiry(word: str | None) -> int:
    """Return the number of a question; 0 for a word that is none."""
    return int(word) if word and word.isascii() and word.isdigit() else 0


class DecidedCases(Word):
    """The cases that a person decided together, encoded so that their card can ask for the outcomes."""

    placeholder = phrase("cases")
    prefix = "="


_BETWEEN_CASES = "."


def mark_cases(case_ids: Iterable[str]) -> str:
    """Return the word that encodes these cases in order."""
    return DecidedCases.prefix + _BETWEEN_CASES.join(map(short_id, case_ids))


def read_case_marks(word: str) -> tuple[str, ...]:
    """Return the short ids of the cases."""
    return tuple(dict.fromkeys(word.removeprefix(DecidedCases.prefix).split(_BETWEEN_CASES)))


MAX_REASON = 200
"""Characters of a reason."""

_MENTIONS = re.compile(r"(?:@\S+\s+)+")
_SLASHES = "/\\、"

QUICK_REASONS: Mapping[RejectReason, tuple[str, ...]] = MappingProxyType(
    {
        RejectReason.PRICE: ("价格过高", "price too high"),
        RejectReason.BUDGET: ("超出预算", "over budget"),
        RejectReason.QUANTITY: ("数量有误", "wrong quantity"),
        RejectReason.NEEDLESS: ("不需要", "not needed"),
    }
)
"""The quick reasons as written into the record and the ERP: in Chinese, or for other readers in English."""


def is_explicit_command(line: str, names: Iterable[str]) -> bool:
    """Return whether a line is unmistakably a command: “PO-1001 不同意” also contains the word for approving.

    Such a line begins with a slash, or with one of the ``names`` as a separate word.
    """
    text = _MENTIONS.sub("", normalise(line), count=1)
    if text[:1] and text[0] in _SLASHES:
        return True
    first = next(iter(split(text)), "").casefold()
    return first in {name.casefold() for name in names}


def parse_reason(text: str, language: str) -> tuple[RejectReason | None, str]:
    """Return the quick reason whose code this text is, if any, and the reason in words."""
    try:
        quick = RejectReason(text.strip())
    except ValueError:
        return None, " ".join(text.split())[:MAX_REASON]
    words = QUICK_REASONS.get(quick, ("", ""))
    return quick, words[0 if language.startswith("zh") else 1]


def read_seen(
    found: CaseContext, mark: str | None, line: str, names: Iterable[str], *, slash: bool = False
) -> str | Phrase:
    """Return the fingerprint that a person votes on, or the text for a person whose vote does not count.

    ``mark`` is the revision encoded in a button; ``names`` are those of the command; with ``slash`` the line must begin
    with one.
    """
    # A question such as “同意 PO-1001 吗” must not decide.
    if not is_explicit_command(line, names) or (slash and not line.lstrip().startswith("/")):
        return NOT_A_COMMAND
    return LOOK_AGAIN if (seen := seen_fingerprint(found, mark)) is None else seen


def seen_fingerprint(found: CaseContext, mark: str | None) -> str | None:
    """Return the fingerprint that a person has seen; None if it cannot be determined.

    A button names its revision. A typed number means the only revision so far; after a change it is unknown which one
    they have in mind.
    """
    case = found.case
    if mark is not None:
        return case.fingerprint if mark and case.fingerprint.startswith(mark) else mark
    changed = found.before is not None and found.before.state is CaseState.SUPERSEDED
    return None if changed and case.state is CaseState.OPEN else case.fingerprint
