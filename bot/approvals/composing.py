"""Composes the cards of approvals when they are sent: implements `bot.outbox.composing.Composer`."""

from __future__ import annotations

from collections.abc import Sequence

from bot.approvals.asking import Folder, look_up
from bot.approvals.drawing import draw_told
from bot.approvals.office import Office
from bot.approvals.showing import Showing
from bot.approvals.views import Face
from bot.outbox.composing import Composed
from bot.outbox.place import Place, PlaceKind


class _Composer:
    """Cards are named by case and place: ``case|group:cid…``."""

    def __init__(self, office: Office, showing: Showing) -> None:
        self._office = office
        self._showing = showing

    async def fold(self, refs: Sequence[str], place: str) -> None:
        """Never asked: decisions are of the urgency that is not folded (`bot.outbox.delivery.Urgency.NOW`)."""
        raise AssertionError("cards of approvals are sent one by one")

    async def _folder(self, case_id: str) -> Folder | None:
        return await self._office.look(lambda unit: look_up(unit, case_id))


class ApprovalComposer(_Composer):
    """Composes the cards of those who decide: with prices in their own chats, bare in groups."""

    async def compose(self, ref: str) -> Composed:
        """Return the newest state of a card; there is nothing to show of a case that nobody remembers."""
        case_id, _, where = ref.partition("|")
        folder = await self._folder(case_id)
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
        folder = await self._folder(ref.partition("|")[0])
        return Composed(None, 0) if folder is None else Composed(draw_told(folder.case), folder.case.revision)
