"""Documents of a person: of the asker (我的订单), or of a colleague who is named (陈立的采购单)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from bot.access.grants import Scope
from bot.access.people import Person
from bot.chat.context import QuestionContext
from bot.chat.records.reader_hub import AccountOf
from bot.erp.hub import ErpHub
from bot.erp.model import Area
from bot.erp.narrowing import Narrowing

OWN_WORDS = frozenset({"我的", "mine", "my"})
"""What somebody types instead of their own name."""


@dataclass(frozen=True, slots=True)
class OwnedDocuments:
    """The hub as it shows the documents of one person alone."""

    erp: ErpHub
    area: Area
    context: QuestionContext
    account_of: AccountOf

    def of_asker(self) -> ErpHub:
        """Return the hub with the asker's own documents."""
        return self._of(_names_of(self.context.person, self.account_of))

    def of_named(self, name: str) -> ErpHub:
        """Return the hub with the documents of the people with this name."""
        names = frozenset({name})
        return self._of(lambda _source: names)

    def _of(self, names_at: Callable[[str], frozenset[str]]) -> ErpHub:
        return self.erp.narrowed(Narrowing({self.area: (Scope(own=True),)}, names_at))


def _names_of(person: Person, account_of: AccountOf) -> Callable[[str], frozenset[str]]:
    user_id = person.user_id or ""
    # By name too: ERPs tell salespeople by name, and this only leaves out what the asker did not ask for.
    known = frozenset({user_id, person.name})
    return lambda source: (known | {account_of(user_id, source)}) - {""}


class OwnDocuments:
    """Narrows the ERPs to the documents that have a person as salesperson, buyer or requester.

    That is a preference, not a right: what the asker may not see stays out all the same.
    """

    def __init__(self, account_of: AccountOf) -> None:
        self._account_of = account_of

    def within(self, erp: ErpHub, area: Area, context: QuestionContext) -> OwnedDocuments:
        """Return the documents of an area by the people whose they are, for the asker of a question."""
        return OwnedDocuments(erp, area, context, self._account_of)

    def names_of(self, context: QuestionContext) -> Callable[[str], frozenset[str]]:
        """Return what the asker of a question is called at a source, in small letters."""
        names_at = _names_of(context.person, self._account_of)
        return lambda source: frozenset(map(str.casefold, names_at(source)))
