"""Documents of a person: of the asker (我的订单), or of a colleague who is named (陈立的采购单)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Generic, TypeAlias, TypeVar

from bot.access.grants import Scope
from bot.chat.context import QuestionContext
from bot.chat.records.reader_hub import AccountOf
from bot.erp.hub import Answer, ErpHub
from bot.erp.model import Area, Slice
from bot.erp.narrowing import Narrowing
from bot.erp.port import ListQuery

OWN_WORDS = frozenset({"我的", "mine", "my"})
"""What somebody types instead of their own name."""

D = TypeVar("D")
ReadList: TypeAlias = Callable[[ErpHub, ListQuery], Awaitable[Answer[Slice[D]]]]


@dataclass(frozen=True, slots=True)
class OwnedLists(Generic[D]):
    """Lists of the documents of one person."""

    erp: ErpHub
    area: Area
    context: QuestionContext
    read: ReadList[D]
    account_of: AccountOf

    async def of_asker(self, query: ListQuery) -> Answer[Slice[D]]:
        """Return the asker's own documents."""
        person = self.context.person
        user_id = person.user_id or ""
        # By name too: ERPs tell salespeople by name, and this only leaves out what the asker did not ask for.
        known = frozenset({user_id, person.name})
        return await self._of(lambda source: (known | {self.account_of(user_id, source)}) - {""}, query)

    async def of_named(self, name: str, query: ListQuery) -> Answer[Slice[D]]:
        """Return the documents of the people with this name."""
        names = frozenset({name})
        return await self._of(lambda _source: names, query)

    async def _of(self, names_at: Callable[[str], frozenset[str]], query: ListQuery) -> Answer[Slice[D]]:
        hub = self.erp.narrowed(Narrowing({self.area: (Scope(own=True),)}, names_at))
        return await self.read(hub, replace(query, text=""))


class OwnDocuments:
    """Narrows the ERPs to the documents that have a person as salesperson, buyer or requester.

    That is a preference, not a right: what the asker may not see stays out all the same.
    """

    def __init__(self, account_of: AccountOf) -> None:
        self._account_of = account_of

    def lists(self, erp: ErpHub, area: Area, context: QuestionContext, read: ReadList[D]) -> OwnedLists[D]:
        """Return the lists of an area for the asker of a question; ``read`` reads one from a hub."""
        return OwnedLists(erp, area, context, read, self._account_of)
