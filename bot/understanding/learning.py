"""Learns from the ERPs how a company numbers its documents, and the names of its warehouses, partners and products.

A few calls an hour: what is needed are the shapes of numbers and the names in use, not all records.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import TypeVar

import structlog

from bot.chat.records.lookup import Numbered
from bot.erp.errors import ErpError, Unsupported
from bot.erp.hub import Answer, ErpHub
from bot.erp.index.pinyin import chinese, look_up, spell
from bot.erp.index.port import Readings
from bot.erp.model import Bill, Customer, Payment, Product, Slice, Supplier
from bot.erp.port import ListQuery
from bot.errors import DingerpError
from bot.understanding.scanning.sizes import sizes_of
from bot.understanding.vocabulary import NumberShape, Vocabulary, shapes_of, spelled

T = TypeVar("T")

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
    """The names of all customers and vendors that are on documents, in whatever store."""

    customers: tuple[str, ...] = ()
    vendors: tuple[str, ...] = ()


async def learn_vocabulary(
    hub: ErpHub, all_partners: Callable[[], Awaitable[NamesOnDocuments]] | None = None
) -> Vocabulary:
    """Return the words of the company, from fifteen calls to each ERP. What is not answered is left out and logged.

    The ERPs are asked for a hundred customers and vendors each; ``all_partners`` knows the others without a call.
    """
    kept = await _kept(all_partners) if all_partners else NamesOnDocuments()
    (orders, invoices, purchases), (productions, deliveries, receipts), products, masters = await asyncio.gather(
        asyncio.gather(
            _listed("orders", hub.orders(_DOCUMENTS)),
            _listed("invoices", hub.invoices(_DOCUMENTS)),
            _listed("purchase_orders", hub.purchase_orders(_DOCUMENTS)),
        ),
        asyncio.gather(
            _listed("production_orders", hub.production_orders(_DOCUMENTS)),
            _listed("deliveries", hub.deliveries(_DOCUMENTS)),
            _listed("receipts", hub.receipts(_DOCUMENTS)),
        ),
        _products(hub),
        _masters(hub),
    )
    documents: Mapping[str, Sequence[Numbered]] = {
        "order": orders,
        "invoice": invoices,
        "po": purchases,
        "mo": productions,
        "receipt": receipts,
        "bill": masters.bills,
        "payment": masters.payments,
    }
    codes: Mapping[str, Sequence[Numbered]] = {"customer": masters.customers, "vendor": masters.vendors}
    customers = [*(order.customer for order in orders), *(invoice.customer for invoice in invoices)]
    buying = _each([*(each.name for each in masters.customers), *customers, *kept.customers])
    vendors = (purchase.vendor for purchase in purchases)
    selling = _each([*(each.name for each in masters.vendors), *vendors, *kept.vendors])
    partners = _each([*buying, *selling])
    sellers = _each([*(order.salesperson for order in orders), *(each.salesperson for each in masters.customers)])
    buyers = _each([*(purchase.buyer for purchase in purchases), *(each.buyer for each in masters.vendors)])
    warehouses = await _warehouses(hub, products)
    spoken = (*partners, *warehouses, *sellers, *buyers)
    readings = await _readings(spoken)
    spellings = await asyncio.to_thread(_spellings, spoken, readings)
    goods = shapes_of(product.sku for product in products)
    return Vocabulary(
        deliveries=shapes_of(delivery.number for delivery in deliveries),
        documents={
            **{command: shapes_of(document.number for document in found) for command, found in documents.items()},
            **{command: _codes(found, goods) for command, found in codes.items()},
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
        codes={each.number: each.name for each in (*masters.vendors, *masters.customers)},
        readings=_readings_of((*COMMON, *chinese("".join(warehouses))), readings),
    )


def _readings_of(signs: Iterable[str], readings: Readings) -> Readings:
    """Return how characters are read; many are read alike, and share what is kept of it."""
    shared: dict[tuple[str, ...], tuple[str, ...]] = {}
    return {sign: shared.setdefault(readings[sign], readings[sign]) for sign in signs if sign in readings}


def _spellings(names: Iterable[str], readings: Readings) -> Mapping[str, tuple[str, str]]:
    """Spell names: twenty thousand take a second."""
    return {name: spell(name, readings) for name in names}


async def _kept(all_partners: Callable[[], Awaitable[NamesOnDocuments]]) -> NamesOnDocuments:
    try:
        return await all_partners()
    except DingerpError as error:
        log.warning("understanding.not_learnt", area="partners", error=type(error).__name__, detail=error.detail)
        return NamesOnDocuments()


@dataclass(frozen=True, slots=True)
class _Masters:
    customers: tuple[Customer, ...]
    vendors: tuple[Supplier, ...]
    bills: tuple[Bill, ...]
    payments: tuple[Payment, ...]


async def _masters(hub: ErpHub) -> _Masters:
    """Return the partners, and the newest of what is paid to and by them."""
    customers, vendors, bills, payments = await asyncio.gather(
        _listed("customers", hub.customers(_DOCUMENTS)),
        _listed("vendors", hub.vendors(_DOCUMENTS)),
        _listed("bills", hub.bills(_DOCUMENTS)),
        _listed("payments", hub.payments(_DOCUMENTS)),
    )
    return _Masters(customers, vendors, bills, payments)


def _codes(partners: Sequence[Numbered], goods: Sequence[NumberShape]) -> tuple[NumberShape, ...]:
    """Return the shapes of partners' codes, but none that products have as well: a code is a product's first of all."""
    taken = {spelled(shape.prefix) for shape in goods}
    return tuple(
        shape for shape in shapes_of(partner.number for partner in partners) if spelled(shape.prefix) not in taken
    )


async def _listed(area: str, asked: Awaitable[Answer[Slice[T]]]) -> tuple[T, ...]:
    try:
        return (await asked).value.items
    except ErpError as error:
        _note(area, error)
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
