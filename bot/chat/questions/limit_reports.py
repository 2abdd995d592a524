"""Tells administrators who reached a limit: once a day per person, in their own chats or otherwise in a group."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, tzinfo

import orjson

from bot.access.limits import LimitReached
from bot.cards.notices import LimitReport
from bot.chat.context import QuestionContext
from bot.outbox.delivery import Delivery, Urgency
from bot.outbox.place import Place
from bot.outbox.ports import ComposedCard, SingleCardComposer

LIMIT_REPORT = "limit_report"
"""Kind of the deliveries."""

_ONLY_REVISION = 1


def owed_reports(context: QuestionContext, reached: LimitReached, places: Sequence[Place]) -> tuple[Delivery, ...]:
    """Return the cards to queue; the same person and day yield the same cards."""
    person = context.person
    said = [person.name, person.user_id, reached.rule, reached.allowed, context.now.isoformat(timespec="seconds")]
    return tuple(
        Delivery(
            card=f"{LIMIT_REPORT}:{person.user_id}:{context.now:%F}:{place}",
            place=place,
            kind=LIMIT_REPORT,
            ref=orjson.dumps(said).decode(),
            revision=_ONLY_REVISION,
            urgency=Urgency.NOW,
            due_at=context.now,
        )
        for place in places
    )


class LimitReportComposer(SingleCardComposer):
    """A `bot.outbox.ports.Composer` whose ``ref`` holds the whole report, which never changes."""

    def __init__(self, zone: tzinfo) -> None:
        self._zone = zone

    async def compose(self, ref: str) -> ComposedCard:
        """Return the report."""
        name, user_id, rule, allowed, at = orjson.loads(ref)
        moment = datetime.fromisoformat(at).astimezone(self._zone)
        return ComposedCard(
            LimitReport(name=name, user_id=user_id, rule=rule, allowed=allowed, at=moment), _ONLY_REVISION
        )


class DailyReports:
    """Remembers today's reports to administrators, so that the store is asked once."""

    def __init__(self, send: Callable[[QuestionContext, LimitReached], None]) -> None:
        self._send = send
        self._day = ""
        self._told: set[str] = set()

    def __call__(self, context: QuestionContext, reached: LimitReached) -> None:
        """Report a person who reached a limit, unless that was reported today."""
        user_id = context.person.user_id
        day = f"{context.now:%F}"
        if self._day != day:
            self._day, self._told = day, set()
        if user_id is None or user_id in self._told:
            return
        self._told.add(user_id)
        self._send(context, reached)
