"""Listens at the door of events: what is said about a purchase order is looked at before the next round."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from bot.alerts.intake.receipt import Intake, Receipt, Unreadable

_ABOUT = "po."


class Listening:
    """An intake that passes everything on, and says which purchase orders it was about once that is stored.

    A hook or queue has the name of the ERP source that it belongs to; another name is heard by nobody.
    """

    def __init__(self, intake: Intake, hear: Callable[[str, str], None]) -> None:
        """``hear`` gets source and number; it is quick, and an order that is not there costs a look."""
        self._intake = intake
        self._hear = hear

    async def accept(self, source: str, events: Sequence[Mapping[str, object] | Unreadable], *, via: str) -> Receipt:
        """Store events and return after the commit; see `bot.alerts.intake.receipt.Intake`."""
        receipt = await self._intake.accept(source, events, via=via)
        for event in events:
            if not isinstance(event, Unreadable):
                for number in _numbers(event):
                    self._hear(source, number)
        return receipt


def _numbers(event: Mapping[str, object]) -> Iterator[str]:
    """Yield the numbers of the purchase orders that an event is about; it may not have been understood at all."""
    kind, data = event.get("type"), event.get("data")
    if not isinstance(kind, str) or not kind.startswith(_ABOUT):
        return
    said = data if isinstance(data, Mapping) else {}
    items = said.get("items")
    parts = [one for one in items if isinstance(one, Mapping)] if isinstance(items, Sequence) else []
    for part in parts or [said]:
        number = part.get("number") or event.get("subject")
        if isinstance(number, str) and number:
            yield number
