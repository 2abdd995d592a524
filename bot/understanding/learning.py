"""Learns from the ERPs the format of a company's document numbers, and the names of its warehouses, partners and
products.

A few calls an hour: number formats and names in use are needed, not all records.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import structlog

from bot.chat.records.lookup import Numbered
from bot.erp.errors import ErpError, Unsupported
from bot.erp.hub import ErpHub
from bot.erp.index.pinyin import chinese, look_up, spell
from bot.erp.index.port import Readings
from bot.erp.kinds import (
    CUSTOMERS,
    DELIVERIES,
    INVOICES,
    KINDS,
    PARTNERS,
    PURCHASE_ORDERS,
    SALES_ORDERS,
    VENDORS,
    D,
    Kind,
)
from bot.erp.model import Product
from bot.erp.port import ListQuery
from bot.understanding.scanning.sizes import sizes_of
from bot.understanding.vocabulary import NumberShape, Vocabulary, shapes_of, spelled
from bot.words.errors import DingerpError

log = structlog.get_logger(__name__)

_DOCUMENTS = ListQuery(limit=100)
"""Documents of each area that are looked at: one call each."""
_PRODUCTS = 500
COMMON = "".join(
    bytes((row, cell)).decode("gb2312", errors="ignore") for row in range(0xB0, 0xD8) for cell in range(0xA1, 0xFF)
)
"""The 3755 characters of GB 2312's first level: those that input methods offer first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NamesOnDocuments:
    """The names of all customers and vendors on documents, in any store."""

    customers: tuple[str, ...] = ()
    vendors: tuple[str, ...] = ()


async def learn_vocabulary(
    hub: ErpHub, all_partners: Callable[[], Awaitable[NamesOnDocuments]] | None = None
) -> Vocabulary:
    """Return the company's vocabulary, from fifteen calls to each ERP. Unanswered parts are left out and logged.

    The ERPs are asked for a hundred customers and vendors each; ``all_partners`` has the others without a call.
    """
    kept = await _kept(all_partners) if all_partners else NamesOnDocuments()
    listed, products = await asyncio.gather(asyncio.gather(*(_listed(hub, kind) for kind in KINDS)), _products(hub))
    documents = dict(zip(KINDS, listed, strict=True))
    buying = _each([*_partners_of(documents, CUSTOMERS, SALES_ORDERS, INVOICES), *kept.customers])
    selling = _each([*_partners_of(documents, VENDORS, PURCHASE_ORDERS), *kept.vendors])
    partners = _each([*buying, *selling])
    sellers = _each(each.salesperson for each in (*documents[SALES_ORDERS], *documents[CUSTOMERS]))
    buyers = _each(each.buyer for each in (*documents[PURCHASE_ORDERS], *documents[VENDORS]))
    warehouses = await _warehouses(hub, products)
    spoken = (*partners, *warehouses, *sellers, *buyers)
    readings = await _readings(spoken)
    spellings = await asyncio.to_thread(_spellings, spoken, readings)
    goods = shapes_of(product.sku for product in products)
    return Vocabulary(
        deliveries=shapes_of(each.number for each in documents[DELIVERIES]),
        documents={
            kind.command: _codes(found, goods) if kind in PARTNERS else shapes_of(each.number for each in found)
            for kind, found in documents.items()
            if kind != DELIVERIES
        },
        products=goods,
        warehouses=warehouses,
        partners=partners,
        # A partner that buys as well is a customer in most sentences: what is said of vendors says so.
        vendors=_each(name for name in selling if name not in set(buying)),
        sellers=sellers,
        buyers=buyers,
        goods=_each(text for product in products for text in (product.name, product.spec)),
        sizes=sizes_of((product.name, product.spec) for product in products),
        pinyin={name: syllables for name, (_, syllables) in spellings.items()},
        initials={name: letters for name, (letters, _) in spellings.items()},
        codes={each.number: each.name for each in (*documents[VENDORS], *documents[CUSTOMERS])},
        readings=_readings_of((*COMMON, *chinese("".join(warehouses))), readings),
    )


def _readings_of(signs: Iterable[str], readings: Readings) -> Readings:
    """Return the readings of characters; equal readings share one object."""
    shared: dict[tuple[str, ...], tuple[str, ...]] = {}
    return {sign: shared.setdefault(readings[sign], readings[sign]) for sign in signs if sign in readings}


def _spellings(names: Iterable[str], readings: Readings) -> Mapping[str, tuple[str, str]]:
    """Return the spellings of names: twenty thousand take a second."""
    return {name: spell(name, readings) for name in names}


async def _kept(all_partners: Callable[[], Awaitable[NamesOnDocuments]]) -> NamesOnDocuments:
    try:
        return await all_partners()
    except DingerpError as error:
        log.warning("understanding.not_learnt", area="partners", error=type(error).__name__, detail=error.detail)
        return NamesOnDocuments()


def _partners_of(documents: Mapping[Kind[Any], Sequence[Any]], *kinds: Kind[Any]) -> list[str]:
    """Return the partners' names on documents of these kinds."""
    return [kind.partner_of(each) for kind in kinds for each in documents[kind]]


def _codes(partners: Sequence[Numbered], goods: Sequence[NumberShape]) -> tuple[NumberShape, ...]:
    """Return the formats of partners' codes, excluding those that products share: a code is a product's first."""
    taken = {spelled(shape.prefix) for shape in goods}
    return tuple(
        shape for shape in shapes_of(partner.number for partner in partners) if spelled(shape.prefix) not in taken
    )


async def _listed(hub: ErpHub, kind: Kind[D]) -> tuple[D, ...]:
    try:
        return (await hub.documents(kind, _DOCUMENTS)).value.items
    except ErpError as error:
        _note(kind.list_call, error)
        return ()


async def _products(hub: ErpHub) -> tuple[Product, ...]:
    try:
        return (await hub.find_products("", limit=_PRODUCTS)).value
    except ErpError as error:
        _note("products", error)
        return ()


async def _warehouses(hub: ErpHub, products: Sequence[Product]) -> tuple[str, ...]:
    """Return the names of warehouses where some of the products lie."""
    names: list[str] = []
    for product in products[:: max(1, len(products) // 3)][:4]:
        try:
            level = (await hub.stock(product.sku)).value
        except ErpError as error:
            _note("stock", error)
            continue
        names.extend(warehouse.name for warehouse in level.per_warehouse)
    return _each(names)


def _note(area: str, error: ErpError) -> None:
    if not isinstance(error, Unsupported):  # an ERP without the area has nothing to learn from
        log.info("understanding.not_learnt", area=area, error=type(error).__name__)


async def _readings(names: Sequence[str]) -> Readings:
    try:
        return await look_up({*COMMON, *(sign for name in names for sign in chinese(name))})
    except ErpError as error:
        log.info("understanding.no_pinyin", error=type(error).__name__)
        return MappingProxyType({})


def _each(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name.strip() for name in names if name.strip()))
