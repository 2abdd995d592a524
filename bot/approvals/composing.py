"""Composes the cards of approvals when they are sent: implements `bot.outbox.composing.Composer`."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

from bot.approvals.asking import Folder
from bot.approvals.drawing import draw_told
from bot.approvals.showing import Showing
from bot.approvals.views import Face
from bot.outbox.composing import Composed
from bot.outbox.place import Place, PlaceKind


class _Composer:
    """Cards are named by case and place: ``case|group:cid…``."""

    def __init__(self, find: Callable[[str], Awaitable[Folder | None]], showing: Showing) -> None:
        """``find`` is that of `bot.approvals.asking.Approvals`."""
        self._find = find
        self._showing = showing

    async def fold(self, refs: Sequence[str], place: str) -> None:
        """Never asked: decisions are of the urgency that is not folded (`bot.outbox.delivery.Urgency.NOW`)."""
        raise AssertionError("cards of approvals are sent one by one")


class ApprovalComposer(_Composer):
    """Composes the cards of those who decide: with prices in their own chats, bare in groups."""

    async def compose(self, ref: str) -> Composed:
        """Return the newest state of a card; there is nothing to show of a case that nobody remembers."""
        case_id, _, where = ref.partition("|")
        folder = await self._find(case_id)
        if folder is None:
            return Composed(None, 0)
        place = Place.parse(where)
        person = place.id if place.kind is PlaceKind.PERSON else ""
        view = await self._showing.draw(folder, face=Face.PRICED if person else Face.BARE, user_id=person)
        return Composed(view, folder.case.revision)


class ToldComposer(_Composer):
    """Composes what requesters are told, each in their own chat."""

    async def compose(self, ref: str) -> Composed:
        """Return what became of a case."""
        folder = await self._find(ref.partition("|")[0])
        return Composed(None, 0) if folder is None else Composed(draw_told(folder.case), folder.case.revision)
