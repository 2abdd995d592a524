"""What a button means: small typed values that pack themselves into the token a card carries.

The token is short and self-contained and comes back from a client, so it is a request, never a proof: whoever
handles an action asks `bot.access` again.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import ClassVar, TypeAlias, get_args

from bot.errors import DingerpError
from bot.phrase import Phrase, phrase

MAX_TOKEN_BYTES = 180
"""Keeps seven buttons within the documented kilobyte of a card value (docs: platform/dingtalk/limits.md#card-sizes)."""

_SEPARATOR = "|"
_TYPED = re.compile(r"(.*\S)\s+\+(\d{1,6})", re.DOTALL)
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:-]{0,63}")
_USER_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_@.:-]{0,63}")
"""Organisations may choose the user ids of their members, out of letters, digits and these signs."""
_SEEN = re.compile(r"[0-9a-f]{4,32}")
"""The beginning of a fingerprint, as long as a button can afford."""


class BadToken(DingerpError):
    """A button token that none of our actions wrote, or one of an older release."""

    def tell(self) -> Phrase:
        return phrase("This button is out of date. Please ask again.")


@dataclass(frozen=True, slots=True)
class Ask:
    """Answer ``line`` as if the clicker had typed it, from the ``offset``-th row on."""

    kind: ClassVar[str] = "ask"

    line: str
    offset: int = 0

    def pack(self) -> str:
        """Return the token; raises `ValueError` when it is longer than a button may carry."""
        return _pack(self.kind, str(self.offset), self.line)

    @classmethod
    def parse(cls, rest: str) -> Ask:
        """Return the action of a token without its kind; raises `ValueError`."""
        offset, _, line = rest.partition(_SEPARATOR)
        if not line.strip():
            raise ValueError("no line")
        return cls(line, _count(offset))

    @property
    def typed(self) -> str:
        """What a person can type instead of tapping: ``/order late +8`` goes on after the eighth row."""
        return f"{self.line} +{self.offset}" if self.offset else self.line

    @classmethod
    def from_typed(cls, line: str) -> Ask:
        """Return what a normalised line asks for: the counterpart of `typed`."""
        match = _TYPED.fullmatch(line) if "+" in line else None
        return cls(match[1], int(match[2])) if match else cls(line)


@dataclass(frozen=True, slots=True)
class AckAlert:
    """The clicker has seen an alert and takes care of it."""

    kind: ClassVar[str] = "alert.ack"

    alert: str

    def pack(self) -> str:
        """Return the token; raises `ValueError` when it is longer than a button may carry."""
        return _pack(self.kind, self.alert)

    @classmethod
    def parse(cls, rest: str) -> AckAlert:
        """Return the action of a token without its kind; raises `ValueError`."""
        return cls(_matching(_ID, rest))

    @property
    def typed(self) -> str:
        """What a person can type instead of tapping."""
        return f"/alerts {self.alert} ack"


class SnoozeDuration(StrEnum):
    """For how long an alert may be put off."""

    HOUR = "1h"
    HOURS = "4h"
    TOMORROW = "tomorrow"


@dataclass(frozen=True, slots=True)
class SnoozeAlert:
    """Put an alert off; without ``pause`` the clicker is asked for how long."""

    kind: ClassVar[str] = "alert.snooze"

    alert: str
    pause: SnoozeDuration | None = None

    def pack(self) -> str:
        """Return the token; raises `ValueError` when it is longer than a button may carry."""
        return _pack(self.kind, self.alert, self.pause or "")

    @classmethod
    def parse(cls, rest: str) -> SnoozeAlert:
        """Return the action of a token without its kind; raises `ValueError`."""
        alert, _, pause = rest.partition(_SEPARATOR)
        return cls(_matching(_ID, alert), SnoozeDuration(pause) if pause else None)

    @property
    def typed(self) -> str:
        """What a person can type instead of tapping."""
        return f"/alerts {self.alert} {self.pause or 'snooze'}"


@dataclass(frozen=True, slots=True)
class AssignAlert:
    """Give an alert to somebody; without ``to`` the clicker chooses from a list, from its ``offset``-th row on."""

    kind: ClassVar[str] = "alert.assign"

    alert: str
    to: str = ""
    offset: int = 0

    def pack(self) -> str:
        """Return the token; raises `ValueError` when it is longer than a button may carry."""
        return _pack(self.kind, self.alert, str(self.offset), self.to)

    @classmethod
    def parse(cls, rest: str) -> AssignAlert:
        """Return the action of a token without its kind; raises `ValueError`."""
        alert, _, where = rest.partition(_SEPARATOR)
        offset, _, to = where.partition(_SEPARATOR)
        return cls(_matching(_ID, alert), _matching(_USER_ID, to) if to else "", _count(offset))

    @property
    def typed(self) -> str:
        """What a person can type instead of tapping."""
        words = " ".join(word for word in ("/alerts", self.alert, self.to, "assign") if word)
        return f"{words} +{self.offset}" if self.offset else words


AlertAction: TypeAlias = AckAlert | SnoozeAlert | AssignAlert
"""What is done to an alert: it says in a token what ``/alerts`` says in words."""


@dataclass(frozen=True, slots=True)
class ApprovePo:
    """Approve a purchase order. ``seen`` begins the fingerprint of the revision that the button stood under.

    ``number`` is for people who type: the token does without it. ``confirmed`` answers the question of large amounts.
    """

    kind: ClassVar[str] = "po.yes"

    case: str
    seen: str
    confirmed: bool = False
    number: str = ""

    def pack(self) -> str:
        """Return the token; raises `ValueError` when it is longer than a button may carry."""
        return _pack(self.kind, self.case, self.seen, *(["1"] if self.confirmed else []))

    @classmethod
    def parse(cls, rest: str) -> ApprovePo:
        """Return the action of a token without its kind; raises `ValueError`."""
        case, seen, *sure = rest.split(_SEPARATOR)
        if sure not in ([], ["1"]):
            raise ValueError("no confirmation")
        return cls(_matching(_ID, case), _matching(_SEEN, seen), bool(sure))

    @property
    def typed(self) -> str:
        """What a person can type instead of tapping."""
        return f"/approve {_about(self.number, self.case)} #{self.seen}{' confirm' if self.confirmed else ''}"


class RejectReason(StrEnum):
    """Why purchase orders are rejected most often. Tokens carry the first letter: five share a kilobyte of buttons."""

    PRICE = "price"
    BUDGET = "budget"
    QUANTITY = "quantity"
    NEEDLESS = "needless"
    OTHER = "other"
    """One's own words: the next message."""


_REASONS = {reason.value[0]: reason for reason in RejectReason}


@dataclass(frozen=True, slots=True)
class RejectPo:
    """Reject a purchase order; without ``reason`` the clicker is asked for it. See `ApprovePo`."""

    kind: ClassVar[str] = "po.no"

    case: str
    seen: str
    reason: RejectReason | None = None
    number: str = ""

    def pack(self) -> str:
        """Return the token; raises `ValueError` when it is longer than a button may carry."""
        return _pack(self.kind, self.case, self.seen, *([self.reason.value[0]] if self.reason else []))

    @classmethod
    def parse(cls, rest: str) -> RejectPo:
        """Return the action of a token without its kind; raises `ValueError`."""
        case, seen, *why = rest.split(_SEPARATOR)
        if len(why) > 1 or (why and why[0] not in _REASONS):
            raise ValueError("no reason of ours")
        return cls(_matching(_ID, case), _matching(_SEEN, seen), _REASONS[why[0]] if why else None)

    @property
    def typed(self) -> str:
        """What a person can type instead of tapping."""
        line = f"/reject {_about(self.number, self.case)} #{self.seen}"
        return f"{line} {self.reason}" if self.reason else line


@dataclass(frozen=True, slots=True)
class ForwardPo:
    """Let somebody else decide; without ``to`` the clicker chooses from a list, from its ``offset``-th row on."""

    kind: ClassVar[str] = "po.pass"

    case: str
    to: str = ""
    offset: int = 0
    number: str = ""

    def pack(self) -> str:
        """Return the token; raises `ValueError` when it is longer than a button may carry."""
        return _pack(self.kind, self.case, str(self.offset), self.to)

    @classmethod
    def parse(cls, rest: str) -> ForwardPo:
        """Return the action of a token without its kind; raises `ValueError`."""
        case, _, where = rest.partition(_SEPARATOR)
        offset, _, to = where.partition(_SEPARATOR)
        return cls(_matching(_ID, case), _matching(_USER_ID, to) if to else "", _count(offset))

    @property
    def typed(self) -> str:
        """What a person can type instead of tapping."""
        words = " ".join(word for word in ("/pending", _about(self.number, self.case), self.to, "forward") if word)
        return f"{words} +{self.offset}" if self.offset else words


@dataclass(frozen=True, slots=True)
class UndoPo:
    """Take one's decision back, as long as the ERP was not told."""

    kind: ClassVar[str] = "po.undo"

    case: str
    number: str = ""

    def pack(self) -> str:
        """Return the token; raises `ValueError` when it is longer than a button may carry."""
        return _pack(self.kind, self.case)

    @classmethod
    def parse(cls, rest: str) -> UndoPo:
        """Return the action of a token without its kind; raises `ValueError`."""
        return cls(_matching(_ID, rest))

    @property
    def typed(self) -> str:
        """What a person can type instead of tapping."""
        return f"/approve {_about(self.number, self.case)} undo"


@dataclass(frozen=True, slots=True)
class ApproveAll:
    """Approve all purchase orders of one page of ``/pending``; ``shown`` tells this page from any other."""

    kind: ClassVar[str] = "po.all"

    shown: str
    offset: int = 0

    def pack(self) -> str:
        """Return the token; raises `ValueError` when it is longer than a button may carry."""
        return _pack(self.kind, str(self.offset), self.shown)

    @classmethod
    def parse(cls, rest: str) -> ApproveAll:
        """Return the action of a token without its kind; raises `ValueError`."""
        offset, _, shown = rest.partition(_SEPARATOR)
        return cls(_matching(_SEEN, shown), _count(offset))

    @property
    def typed(self) -> str:
        """What a person can type instead of tapping."""
        return f"/approve all #{self.shown}" + (f" +{self.offset}" if self.offset else "")


ApprovalAction: TypeAlias = ApprovePo | RejectPo | ForwardPo | UndoPo | ApproveAll
"""What is said of a purchase order: in a token what ``/approve``, ``/reject`` and ``/pending`` say in words."""

Action: TypeAlias = Ask | AlertAction | ApprovalAction
"""Every action there is."""

_KINDS: Mapping[str, type[Action]] = MappingProxyType({one.kind: one for one in get_args(Action)})


def unpack(token: str) -> Action:
    """Return the action that `pack` made this token from; raises `BadToken`."""
    kind, _, rest = token.partition(_SEPARATOR)
    try:
        if len(token.encode()) > MAX_TOKEN_BYTES:
            raise ValueError("too long")
        return _KINDS[kind].parse(rest)
    except (KeyError, ValueError) as problem:
        raise BadToken(f"unknown button token of {len(token)} characters") from problem


def _pack(*parts: str) -> str:
    token = _SEPARATOR.join(parts)
    if len(token.encode()) > MAX_TOKEN_BYTES:
        raise ValueError(f"button token of {len(token.encode())} bytes")
    return token


def _about(number: str, case: str) -> str:
    """Return how a typed line names a purchase order: by its number, where that is one word."""
    return number if number and not re.search(r'[\s,;"#@]', number) else case


def _count(text: str) -> int:
    if not (text.isascii() and text.isdigit()):
        raise ValueError("not a number of rows")
    return int(text)


def _matching(pattern: re.Pattern[str], text: str) -> str:
    if not pattern.fullmatch(text):
        raise ValueError("not an id")
    return text
