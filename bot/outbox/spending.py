"""What DingTalk bills in a month, and why: two quotas, and the purposes and conversations that spend them.

Code that starts billable work declares it with `spending`; the calls below are counted for that purpose. Docs:
platform/dingtalk/limits.md#monthly-quotas
"""

from __future__ import annotations

from collections.abc import Mapping
from contextvars import ContextVar
from dataclasses import dataclass, replace
from enum import StrEnum
from types import MappingProxyType
from typing import NamedTuple


class Quota(StrEnum):
    """The counted quotas. DingTalk does not say whether a click counts as a use, so clicks are counted separately."""

    CALLS = "calls"
    """API calls."""
    USES = "uses"
    """Webhook & Stream: messages to the bot, pushed events, and answers by webhook."""
    CLICKS = "clicks"


class Purpose(StrEnum):
    """The purpose of spending."""

    QUESTION = "question"
    PAGE = "page"
    """Clicks that show something: page turns and drill-downs."""
    ALERT = "alert"
    APPROVAL = "approval"
    FALLBACK = "fallback"
    """Texts where no card could be shown or calls were saved."""
    DIRECTORY = "directory"
    SUBSCRIPTION = "subscription"
    """Scheduled lists and reports."""
    EXPORT = "export"
    """Requested files, and reports of failed ones."""
    CHART = "chart"
    """Pictures in answers."""
    SHEET = "sheet"
    """Lists in shared tables."""
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Spending:
    """The purpose of a call; ``conversation`` is the group's id, empty for one-to-one chats."""

    purpose: Purpose = Purpose.OTHER
    conversation: str = ""


class SpentKey(NamedTuple):
    """The subject of one count."""

    quota: Quota
    purpose: Purpose
    conversation: str = ""


_UNSAID = Spending()
_CURRENT: ContextVar[Spending] = ContextVar("spending", default=_UNSAID)


class SpendingScope:
    """A block whose calls are counted for a purpose; a generator would take twice as long, for every answer."""

    __slots__ = ("_spending", "_token")

    def __init__(self, spending: Spending) -> None:
        self._spending = spending

    def __enter__(self) -> None:
        self._token = _CURRENT.set(self._spending)

    def __exit__(self, *_: object) -> None:
        _CURRENT.reset(self._token)


def spending(purpose: Purpose, conversation: str = "") -> SpendingScope:
    """Count calls within the block for this purpose and group."""
    return SpendingScope(Spending(purpose, conversation))


def falling_back() -> SpendingScope:
    """Count calls within the block as fallbacks in the same conversation."""
    return SpendingScope(replace(_CURRENT.get(), purpose=Purpose.FALLBACK))


def current_spending() -> Spending:
    """Return the purpose of the current work."""
    return _CURRENT.get()


_KINDS: Mapping[str, Purpose] = MappingProxyType(
    # Answers are redrawn because of decisions.
    {
        "subscription": Purpose.SUBSCRIPTION,
        "alert": Purpose.ALERT,
        "approval": Purpose.APPROVAL,
        "answer": Purpose.APPROVAL,
    }
)


def purpose_of_kind(kind: str) -> Purpose:
    """Return the purpose of deliveries by their kind, such as ``approval_told``."""
    return _KINDS.get(kind.partition("_")[0], Purpose.OTHER)


def by_purpose(spent: Mapping[SpentKey, int], *quotas: Quota) -> dict[Purpose, int]:
    """Return the spending of these quotas together by purpose, the largest first."""
    sums: dict[Purpose, int] = {}
    for key, count in spent.items():
        if key.quota in quotas:
            sums[key.purpose] = sums.get(key.purpose, 0) + count
    return dict(sorted(sums.items(), key=lambda item: -item[1]))


def by_conversation(spent: Mapping[SpentKey, int], *quotas: Quota) -> dict[str, int]:
    """Return the spending of these quotas together by group, the largest first; one-to-one chats are left out."""
    sums: dict[str, int] = {}
    for key, count in spent.items():
        if key.quota in quotas and key.conversation:
            sums[key.conversation] = sums.get(key.conversation, 0) + count
    return dict(sorted(sums.items(), key=lambda item: -item[1]))
