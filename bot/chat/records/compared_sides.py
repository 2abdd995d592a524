"""Finds what is compared: which two partners, products, people or warehouses are meant, or which two periods."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from typing import Annotated, Any

from bot.cards.notices import Suggestion
from bot.chat.context import QuestionContext
from bot.chat.days import DayRange
from bot.chat.errors import BadArgument, NothingFound, SeveralMeant
from bot.chat.parsing import command_line
from bot.chat.records.lookup import MAX_CLOSEST, closest_partners
from bot.chat.records.warehouses import closest_warehouses
from bot.erp.errors import NotFound
from bot.erp.goods.port import WarehouseQuery
from bot.erp.hub import ErpHub
from bot.erp.kinds import (
    BILLS,
    DELIVERIES,
    INVOICES,
    PRODUCTION_ORDERS,
    PURCHASE_ORDERS,
    QUOTATIONS,
    SALES_ORDERS,
    Kind,
)
from bot.erp.model import Area, ErpRecord
from bot.erp.port import Period
from bot.read_model.queries import ReadModel
from bot.words.disclosure import ClassedBy, FieldClass
from bot.words.phrase import phrase

_VERSUS = "vs"
_BETWEEN = (
    re.compile(r"\s+(?:vs\.?|versus|对比)\s+", re.IGNORECASE),
    re.compile(r"\s+(?:and|&|和|与|跟|同|对|比)\s+|\s*[、;；]\s*", re.IGNORECASE),
)
"""What stands between two names. The second may be a part of one, so it counts where the first is not there."""
_JOINED = re.compile("和|与|跟")
_PAIR = 2
_MOST = 8
"""People that are offered to choose from, or partners."""


class SideKind(StrEnum):
    """What is compared."""

    CUSTOMER = "customer"
    VENDOR = "vendor"
    PRODUCT = "product"
    PERSON = "person"
    WAREHOUSE = "warehouse"
    COMPANY = "company"
    """The company as a whole, in two periods."""

    @property
    def kinds(self) -> tuple[Kind[Any], ...]:
        """The kinds of documents whose figures are told."""
        return _KINDS[self]


_KINDS: Mapping[SideKind, tuple[Kind[Any], ...]] = {
    SideKind.CUSTOMER: (SALES_ORDERS, INVOICES),
    SideKind.VENDOR: (PURCHASE_ORDERS, BILLS),
    SideKind.PRODUCT: (SALES_ORDERS, PURCHASE_ORDERS),
    SideKind.PERSON: (QUOTATIONS, SALES_ORDERS, PURCHASE_ORDERS),
    SideKind.WAREHOUSE: (DELIVERIES,),
    SideKind.COMPANY: (SALES_ORDERS, INVOICES, PURCHASE_ORDERS, BILLS, PRODUCTION_ORDERS),
}
_OF_PARTNERS = frozenset({SideKind.CUSTOMER, SideKind.VENDOR})
_SALES = frozenset({Area.SALES, Area.FINANCE})


@dataclass(frozen=True, slots=True, kw_only=True)
class ComparedSide:
    """One side: what it is called, and the days that are looked at."""

    name: Annotated[str, ClassedBy("name_class")]
    days: Period
    kind: SideKind

    @property
    def name_class(self) -> FieldClass | None:
        """What the name tells."""
        return FieldClass.PARTNER if self.kind in _OF_PARTNERS else None

    @property
    def partner(self) -> str:
        """The partner whose documents it has; empty for a side that is none."""
        return self.name if self.kind in _OF_PARTNERS else ""

    def has(self, document: ErpRecord, kind: Kind[Any]) -> bool:
        """Return whether a document of its days, and of its partner, is its own."""
        match self.kind:
            case SideKind.PERSON:
                return self.name.casefold() in map(str.casefold, _people_of(kind, document))
            case SideKind.WAREHOUSE:
                return kind.warehouse(document) == self.name
        return True


def typed_days(days: Period) -> str:
    """Return days as they are typed."""
    return DayRange(days).typed


def joined_names(names: Sequence[str]) -> Sequence[str]:
    """Return the words by which a line names what is compared."""
    return (names[0], _VERSUS, names[1]) if len(names) == _PAIR else names


def _people_of(kind: Kind[Any], document: ErpRecord) -> tuple[str, ...]:
    """Return whose a document is, and who created it."""
    return (*kind.owners(document), *document.created_by)


def _names_in(kind: Kind[Any], documents: Iterable[ErpRecord]) -> frozenset[str]:
    return frozenset(name for each in documents for name in _people_of(kind, each) if name)


@dataclass(frozen=True, slots=True)
class SideLookup:
    """Finds what the names of one question mean to its asker."""

    erp: ErpHub
    kept: ReadModel
    context: QuestionContext

    async def find(self, text: str, stores: Sequence[str], *, count: int) -> tuple[SideKind, tuple[str, ...]]:
        """Return what ``count`` names mean, the same kind of thing each; no names mean the company as a whole.

        Raises `NothingFound`, `SeveralMeant` and `BadArgument`.
        """
        if stores and not text and len(stores) == count:
            return SideKind.WAREHOUSE, tuple([await self._store(each) for each in stores])
        if not (text or stores) and count == 1:
            return SideKind.COMPANY, ()
        pairs = [*_pairs(text)] if count == _PAIR else [(text,)]
        if stores or not pairs:
            raise BadArgument(phrase("Say two of a kind, such as: %(line)s", line="/compare SKU123 vs SKU124"))
        read = [{name: await self._meanings(name) for name in names} for names in pairs]
        meant = next((each for each in read if all(each.values())), read[0])
        if nothing := next((name for name, meanings in meant.items() if not meanings), ""):
            closest = [
                Suggestion(command_line("find", each), each, tells=FieldClass.PARTNER)
                for each, _ in await closest_partners(nothing, self.kept)
            ]
            raise NothingFound(nothing, closest[:MAX_CLOSEST])
        return self._common(meant)

    def _common(self, meant: Mapping[str, Mapping[SideKind, Sequence[str]]]) -> tuple[SideKind, tuple[str, ...]]:
        """Return the first kind in which each name means one, else raise for those that mean several."""
        common = [kind for kind in SideKind if all(kind in each for each in meant.values())]
        for kind in common:
            if all(len(each[kind]) == 1 for each in meant.values()):
                return kind, tuple(each[kind][0] for each in meant.values())
        if not common:
            raise BadArgument(phrase("These are not of one kind. Say two customers, vendors, products or people."))
        asked = next(name for name, each in meant.items() if len(each[common[0]]) > 1)
        raise SeveralMeant(self._pick(asked, each, meant, common[0]) for each in meant[asked][common[0]][:_MOST])

    def _pick(
        self, asked: str, chosen: str, meant: Mapping[str, Mapping[SideKind, Sequence[str]]], kind: SideKind
    ) -> Suggestion:
        names = [
            chosen if name == asked else next(iter(each[kind]), name) if len(each[kind]) == 1 else name
            for name, each in meant.items()
        ]
        tells = FieldClass.PARTNER if kind in _OF_PARTNERS else None
        return Suggestion(command_line("compare", *joined_names(names)), chosen, tells=tells)

    async def _meanings(self, name: str) -> Mapping[SideKind, Sequence[str]]:
        """Return what a name may mean: exactly one of a kind, or all that have it as a part of theirs."""
        partners = await self.kept.partners()
        found = {
            SideKind.CUSTOMER: _fitting(name, (each.name for each in partners if each.area in _SALES)),
            SideKind.VENDOR: _fitting(name, (each.name for each in partners if each.area not in _SALES)),
        }
        if not any(found.values()):
            hits = (await self.erp.find_products(name, limit=_MOST)).value
            exact = [each.sku for each in hits if each.sku.casefold() == name.casefold()]
            found[SideKind.PRODUCT] = exact or [each.sku for each in hits]
        if not any(found.values()):
            read = [
                (await self.kept.fold(kind.followed, partial(_names_in, kind))).value for kind in SideKind.PERSON.kinds
            ]
            found[SideKind.PERSON] = _fitting(name, frozenset[str]().union(*read))
        return {kind: names for kind, names in found.items() if names}

    async def _store(self, name: str) -> str:
        """Return what a warehouse is called; raises `NothingFound`."""
        try:
            found = (await self.erp.warehouse_stock(WarehouseQuery(warehouse=name, limit=1))).value
        except NotFound as error:
            raise NothingFound(name, await closest_warehouses(name, self.erp, "stock"), error.notes) from None
        return found.name or found.code


def _pairs(text: str) -> Iterator[tuple[str, str]]:
    """Yield the two names that a text may be."""
    parts = next((found for each in _BETWEEN if len(found := each.split(text)) == _PAIR and all(found)), None)
    words = text.split()
    if parts is not None:
        yield parts[0].strip(), parts[1].strip()
    elif len(words) == _PAIR:
        yield words[0], words[1]
    elif len(words) == 1:
        for match in _JOINED.finditer(text):
            if text[: match.start()] and text[match.end() :]:
                yield text[: match.start()], text[match.end() :]


def _fitting(name: str, known: Iterable[str]) -> Sequence[str]:
    """Return the one that is called so, else all that have the name as a part of theirs."""
    folded, names = name.casefold(), sorted(set(known))
    exact = [each for each in names if each.casefold() == folded]
    return exact or [each for each in names if folded in each.casefold()]
