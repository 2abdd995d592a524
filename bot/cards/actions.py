"""What a button means: small typed values that pack themselves into the token a card carries.

The token is short and self-contained and comes back from a client, so it is a request, never a proof: the handler of
an action asks `bot.access` again.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from types import MappingProxyType
from typing import Any, ClassVar, Self, TypeAlias, get_args

from bot.words.errors import DingerpError
from bot.words.phrase import Phrase, phrase

MAX_TOKEN_BYTES = 180
"""Keeps seven buttons within the documented kilobyte of a card value (docs: platform/dingtalk/limits.md#card-sizes)."""

_SEPARATOR = "|"
BLANK = "…"
"""Stands in a line for what is to be filled in."""
_STEP = "⟸"
"""Between the lines of a way back; nobody types it."""
_TYPED = re.compile(r"(.*\S)\s+\+(\d{1,6})", re.DOTALL)
_ID_PATTERN = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9_.:-]{0,63}")
_USER_ID_PATTERN = re.compile(r"[A-Za-z0-9][A-Za-z0-9_@.:-]{0,63}")
"""Organisations may choose the user ids of their members, out of letters, digits and these characters."""
_SEEN_PATTERN = re.compile(r"[0-9a-f]{4,32}")
"""The beginning of a fingerprint, as long as a button can afford."""


class BadToken(DingerpError):
    """A button token that none of our actions wrote, or one of an older release."""

    def tell(self) -> Phrase:
        return phrase("This button is out of date. Please ask again.")


@dataclass(frozen=True, slots=True)
class TokenField:
    """How one field of an action is in its token; ``read`` raises `ValueError` or `KeyError`.

    ``optional``: left out at the token's end while it has no value, and empty before others.
    """

    read: Callable[[str], Any] = str
    write: Callable[[Any], str] = str
    optional: bool = False


@dataclass(frozen=True, slots=True)
class Action(ABC):
    """Base of all actions. A subclass declares its ``prefix`` and, in the token's order, its ``token_fields``.

    Tokens live as long as the cards that carry them: an action whose fields change gets a new ``version``, so that an
    old token is out of date instead of misread.
    """

    prefix: ClassVar[str]
    version: ClassVar[int] = 1
    token_fields: ClassVar[Mapping[str, TokenField]]

    @classmethod
    def kind(cls) -> str:
        """Return what a token begins with: the prefix, from the second version on with its number."""
        return cls.prefix if cls.version == 1 else f"{cls.prefix}@{cls.version}"

    def pack(self) -> str:
        """Return the token; raises `ValueError` when it is longer than a button may carry."""
        texts, told = [self.kind()], 1
        for name, field in self.token_fields.items():
            value = getattr(self, name)
            is_told = bool(value) or not field.optional
            texts.append(field.write(value) if is_told else "")
            told = len(texts) if is_told else told
        return _checked(_SEPARATOR.join(texts[:told]))

    @classmethod
    def parse(cls, rest: str) -> Self:
        """Return the action of a token without its kind; raises `ValueError` or `KeyError`."""
        texts = rest.split(_SEPARATOR, len(cls.token_fields) - 1)
        values: dict[str, Any] = {}
        for i, (name, field) in enumerate(cls.token_fields.items()):
            if i < len(texts) - 1 and field.optional and not texts[i]:
                continue
            if i < len(texts):
                values[name] = field.read(texts[i])
            elif not field.optional:
                values[name] = field.read("")
        return cls(**values)

    @property
    @abstractmethod
    def typed(self) -> str:
        """What a person can type instead of tapping."""

    @property
    def question(self) -> tuple[str, int]:
        """The line that a tap stands for, and the row from which on a list is wanted."""
        return self.typed, 0


def _checked(token: str) -> str:
    if len(token.encode()) > MAX_TOKEN_BYTES:
        raise ValueError(f"button token of {len(token.encode())} bytes")
    return token


def _read_line(text: str) -> str:
    if not text.strip():
        raise ValueError("no line")
    return text


def _read_count(text: str) -> int:
    if not (text.isascii() and text.isdigit()):
        raise ValueError("not a number of rows")
    return int(text)


def _read_matching(pattern: re.Pattern[str], text: str) -> str:
    if not pattern.fullmatch(text):
        raise ValueError("not an id")
    return text


def _read_person(text: str) -> str:
    return _read_matching(_USER_ID_PATTERN, text) if text else ""


def _read_unfinished(text: str) -> str:
    if BLANK not in text:
        raise ValueError("nothing to fill in")
    return text


_LINE = TokenField(_read_line)
_UNFINISHED = TokenField(_read_unfinished)
_OFFSET = TokenField(_read_count)
_ID = TokenField(partial(_read_matching, _ID_PATTERN))
_SEEN = TokenField(partial(_read_matching, _SEEN_PATTERN))
_PERSON = TokenField(_read_person)


@dataclass(frozen=True, slots=True)
class Ask(Action):
    """Answer ``line`` as if the clicker had typed it, from the ``offset``-th row on.

    ``back`` are the lines, as people type them, that lead to what the card showed before, the last first.
    """

    prefix: ClassVar[str] = "ask"
    token_fields: ClassVar[Mapping[str, TokenField]] = {"offset": _OFFSET, "line": _LINE}

    line: str
    offset: int = 0
    back: tuple[str, ...] = ()

    def pack(self) -> str:
        """Return the token; raises `ValueError` when it is longer than a button may carry."""
        lines = _STEP.join((self.line, *self.back))
        if lines.count(_STEP) != len(self.back):
            raise ValueError("a line with the separator of lines")
        return _checked(f"{self.kind()}{_SEPARATOR}{self.offset}{_SEPARATOR}{lines}")

    @property
    def token(self) -> str | None:
        """The token, None where a button cannot carry it."""
        try:
            return self.pack()
        except ValueError:
            return None

    @property
    def fits(self) -> bool:
        """Whether a button can carry it."""
        return self.token is not None

    @classmethod
    def parse(cls, rest: str) -> Ask:
        """Return the action of a token without its kind; raises `ValueError`."""
        offset, _, lines = rest.partition(_SEPARATOR)
        line, *back = lines.split(_STEP)
        return cls(_read_line(line), _read_count(offset), tuple(map(_read_line, back)))

    @property
    def typed(self) -> str:
        """What a person can type instead of tapping: ``/order late +8`` goes on after the eighth row."""
        return f"{self.line} +{self.offset}" if self.offset else self.line

    @property
    def question(self) -> tuple[str, int]:
        return self.line, self.offset

    @classmethod
    def from_typed(cls, line: str) -> Ask:
        """Return what a normalised line asks for: the counterpart of `typed`."""
        match = _TYPED.fullmatch(line) if "+" in line else None
        return cls(match[1], int(match[2])) if match else cls(line)


@dataclass(frozen=True, slots=True)
class FillIn(Action):
    """Answer ``line`` with what was filled in where it has a `BLANK`."""

    prefix: ClassVar[str] = "fill"
    token_fields: ClassVar[Mapping[str, TokenField]] = {"line": _UNFINISHED}

    line: str

    @property
    def typed(self) -> str:
        return self.line

    def completed(self, value: str) -> str:
        """Return the line with a value, as somebody would have typed it."""
        return self.line.replace(BLANK, value, 1)


@dataclass(frozen=True, slots=True)
class AckAlert(Action):
    """The clicker has seen an alert and takes care of it."""

    prefix: ClassVar[str] = "alert.ack"
    token_fields: ClassVar[Mapping[str, TokenField]] = {"alert": _ID}

    alert: str

    @property
    def typed(self) -> str:
        return f"/alerts {self.alert} ack"


class SnoozeDuration(StrEnum):
    """For how long an alert may be put off."""

    HOUR = "1h"
    HOURS = "4h"
    TOMORROW = "tomorrow"


_PAUSE = TokenField(lambda text: SnoozeDuration(text) if text else None, lambda pause: pause or "")


@dataclass(frozen=True, slots=True)
class SnoozeAlert(Action):
    """Put an alert off; without ``pause`` the clicker is asked for how long."""

    prefix: ClassVar[str] = "alert.snooze"
    token_fields: ClassVar[Mapping[str, TokenField]] = {"alert": _ID, "pause": _PAUSE}

    alert: str
    pause: SnoozeDuration | None = None

    @property
    def typed(self) -> str:
        return f"/alerts {self.alert} {self.pause or 'snooze'}"


@dataclass(frozen=True, slots=True)
class AssignAlert(Action):
    """Give an alert to somebody; without ``to`` the clicker chooses from a list, from its ``offset``-th row on."""

    prefix: ClassVar[str] = "alert.assign"
    token_fields: ClassVar[Mapping[str, TokenField]] = {"alert": _ID, "offset": _OFFSET, "to": _PERSON}

    alert: str
    to: str = ""
    offset: int = 0

    @property
    def typed(self) -> str:
        return Ask(_words("/alerts", self.alert, self.to, "assign"), self.offset).typed


AlertAction: TypeAlias = AckAlert | SnoozeAlert | AssignAlert
"""What is done to an alert: it says in a token what ``/alerts`` says in words."""


def _read_yes(text: str) -> bool:
    if text != "1":
        raise ValueError("neither left out nor yes")
    return True


_YES = TokenField(_read_yes, lambda _: "1", optional=True)
_INQUIRY = TokenField(_read_count, optional=True)


@dataclass(frozen=True, slots=True)
class _CaseAction(Action):
    """Base of what is done to one document."""

    case: str

    @property
    def look(self) -> Ask:
        """What shows the order as it is now, instead of doing anything."""
        return Ask(f"/pending {self.case}")


@dataclass(frozen=True, slots=True)
class ApproveCase(_CaseAction):
    """Approve a document. ``seen`` begins the fingerprint of the revision that the button stood under.

    ``number`` is for people who type: the token does without it. ``confirmed`` answers the question of large amounts.
    ``despite`` is the number of the question to the requester that is open, where the clicker insists.
    """

    prefix: ClassVar[str] = "po.yes"
    token_fields: ClassVar[Mapping[str, TokenField]] = {
        "case": _ID,
        "seen": _SEEN,
        "confirmed": _YES,
        "despite": _INQUIRY,
    }

    seen: str
    confirmed: bool = False
    despite: int = 0
    number: str = ""

    @property
    def typed(self) -> str:
        sure = "confirm" if self.confirmed else ""
        return _words(f"/approve {_about(self.number, self.case)} #{self.seen}", _asked(self.despite), sure)


class RejectReason(StrEnum):
    """Why documents are rejected most often. Tokens carry the first letter: five share a kilobyte of buttons."""

    PRICE = "price"
    BUDGET = "budget"
    QUANTITY = "quantity"
    NEEDLESS = "needless"
    OTHER = "other"
    """The clicker's own words: the next message."""


_REASONS = {reason.value[0]: reason for reason in RejectReason}
_REASON = TokenField(_REASONS.__getitem__, lambda reason: str(reason.value[0]), optional=True)


@dataclass(frozen=True, slots=True)
class RejectCase(_CaseAction):
    """Reject a document; without ``reason`` the clicker is asked for it. See `ApproveCase`."""

    prefix: ClassVar[str] = "po.no"
    token_fields: ClassVar[Mapping[str, TokenField]] = {
        "case": _ID,
        "seen": _SEEN,
        "reason": _REASON,
        "despite": _INQUIRY,
    }

    seen: str
    reason: RejectReason | None = None
    despite: int = 0
    number: str = ""

    @property
    def typed(self) -> str:
        words = (_asked(self.despite), self.reason or "")
        return _words(f"/reject {_about(self.number, self.case)} #{self.seen}", *words)


@dataclass(frozen=True, slots=True)
class ForwardCase(_CaseAction):
    """Let somebody else decide; without ``to`` the clicker chooses from a list, from its ``offset``-th row on."""

    prefix: ClassVar[str] = "po.pass"
    token_fields: ClassVar[Mapping[str, TokenField]] = {"case": _ID, "offset": _OFFSET, "to": _PERSON}

    to: str = ""
    offset: int = 0
    number: str = ""

    @property
    def typed(self) -> str:
        return Ask(_words("/pending", _about(self.number, self.case), self.to, "forward"), self.offset).typed


@dataclass(frozen=True, slots=True)
class ClarifyCase(_CaseAction):
    """Ask the requester of a document; with the number of a question, counted from 1, answer or withdraw it."""

    prefix: ClassVar[str] = "po.ask"
    token_fields: ClassVar[Mapping[str, TokenField]] = {"case": _ID, "inquiry": _INQUIRY, "withdraw": _YES}

    inquiry: int = 0
    withdraw: bool = False
    number: str = ""

    @property
    def typed(self) -> str:
        withdraw = "withdraw" if self.withdraw else ""
        return _words("/clarify", _about(self.number, self.case), _asked(self.inquiry), withdraw)


@dataclass(frozen=True, slots=True)
class UndoDecision(_CaseAction):
    """Take back the clicker's own decision, as long as the ERP was not told."""

    prefix: ClassVar[str] = "po.undo"
    token_fields: ClassVar[Mapping[str, TokenField]] = {"case": _ID}

    number: str = ""

    @property
    def typed(self) -> str:
        return f"/approve {_about(self.number, self.case)} undo"


@dataclass(frozen=True, slots=True)
class ApproveAll(Action):
    """Approve all documents of one page of ``/pending``; ``shown`` tells this page from any other."""

    prefix: ClassVar[str] = "po.all"
    token_fields: ClassVar[Mapping[str, TokenField]] = {"offset": _OFFSET, "shown": _SEEN}

    shown: str
    offset: int = 0

    @property
    def look(self) -> Ask:
        """What shows the list as it is now, instead of doing anything."""
        return Ask("/pending", self.offset)

    @property
    def typed(self) -> str:
        return Ask(f"/approve all #{self.shown}", self.offset).typed


ApprovalAction: TypeAlias = ApproveCase | RejectCase | ForwardCase | ClarifyCase | UndoDecision | ApproveAll
"""What is said of a case: in a token what ``/approve``, ``/reject``, ``/clarify`` and ``/pending`` say in words."""

_ACTIONS: tuple[type[Action], ...] = (Ask, FillIn, *get_args(AlertAction), *get_args(ApprovalAction))
_BY_KIND: Mapping[str, type[Action]] = MappingProxyType({action.kind(): action for action in _ACTIONS})


def unpack(token: str) -> Action:
    """Return the action that `Action.pack` made this token from; raises `BadToken`."""
    kind, _, rest = token.partition(_SEPARATOR)
    try:
        if len(token.encode()) > MAX_TOKEN_BYTES:
            raise ValueError("too long")
        return _BY_KIND[kind].parse(rest)
    except (KeyError, ValueError) as problem:
        raise BadToken(f"unknown button token of {len(token)} characters") from problem


def with_words(line: str, words: Iterable[str]) -> str:
    """Return a line with ``words`` at its end, as far as it does not hold them already."""
    return " ".join([line, *[word for word in words if f" {word} " not in f"{line} "]])


def _words(*words: str) -> str:
    return " ".join(word for word in words if word)


def _about(number: str, case: str) -> str:
    """Return how a typed line names a document: by its number, where that is one word."""
    return number if number and not re.search(r'[\s,;"#@]', number) else case


def _asked(inquiry: int) -> str:
    """Return how a typed line names a question to the requester."""
    return f"~{inquiry}" if inquiry else ""
