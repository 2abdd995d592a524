"""From a click to the card that its answer shows the clicker, within DingTalk's two seconds."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime

import structlog

from bot.access.people import People
from bot.cards.actions import BadToken, unpack
from bot.cards.card import Card
from bot.cards.click import Click
from bot.cards.notices import Busy, OutOfDate
from bot.cards.track import TrackIds
from bot.cards.view import View
from bot.chat.asking import Asking
from bot.chat.message import Conversation, ConversationKind
from bot.chat.pipeline import Desk, Renderer
from bot.metrics import Metrics

log = structlog.get_logger(__name__)


class ClickPipeline:
    """Answers page turns and drill-downs inside the callback itself: no call to DingTalk."""

    def __init__(
        self,
        *,
        desk: Desk,
        people: People,
        renderer: Renderer,
        tracks: TrackIds,
        metrics: Metrics,
        now: Callable[[], datetime],
        seconds: float,
        corp_id: str,
    ) -> None:
        self._desk = desk
        self._people = people
        self._renderer = renderer
        self._tracks = tracks
        self._metrics = metrics
        self._now = now
        self._seconds = seconds
        self._corp_id = corp_id

    async def answer(self, click: Click) -> Card | None:
        """Return the clicker's new card; None leaves the card as it is (foreign cards, foreign organisations)."""
        if not self._tracks.is_ours(click.track_id) or not click.user_id:
            self._ignore("foreign_card")
            return None
        if self._corp_id and click.corp_id != self._corp_id:
            self._ignore("foreign_organisation")
            return None
        now = self._now()
        view, outcome = await self._view(click, now)
        self._metrics.clicks.labels(outcome).inc()
        zone = now.tzinfo
        assert zone is not None, "the clock gives aware times"
        return self._renderer.render(view, self._people.language(click.user_id), zone=zone)

    async def _view(self, click: Click, now: datetime) -> tuple[View, str]:
        try:
            action = unpack(click.token)
        except BadToken as error:
            log.info("click.out_of_date", detail=error.detail)
            return OutOfDate(), "out_of_date"
        where, line, offset = _where(click), action.line, action.offset
        try:
            # The directory may be as slow as the ERP.
            async with asyncio.timeout(self._seconds):
                person = await self._people.identify(click.user_id, name="")
                asking = Asking(person=person, conversation=where, line=line, offset=offset, now=now)
                answer = await self._desk.view_for(asking)
        except TimeoutError:
            return Busy(line=line, offset=offset), "busy"
        return answer.view, answer.outcome

    def _ignore(self, why: str) -> None:
        self._metrics.clicks.labels(why).inc()
        log.warning("click.ignored", why=why)


def _where(click: Click) -> Conversation:
    kind = ConversationKind.GROUP if click.space_id.startswith("cid") else ConversationKind.DIRECT
    return Conversation(click.space_id, kind)
