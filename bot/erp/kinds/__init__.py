"""The kinds of documents, and of partners, each in a file of its own: what the bot asks of them reads it here."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from bot.erp.kinds.bills import BILLS as BILLS
from bot.erp.kinds.cards import Deciding as Deciding
from bot.erp.kinds.customers import CUSTOMERS as CUSTOMERS
from bot.erp.kinds.deliveries import DELIVERIES as DELIVERIES
from bot.erp.kinds.invoices import INVOICES as INVOICES
from bot.erp.kinds.kind import D as D
from bot.erp.kinds.kind import DocumentAmounts as DocumentAmounts
from bot.erp.kinds.kind import Kind as Kind
from bot.erp.kinds.kind import KindWords as KindWords
from bot.erp.kinds.kind import NamedList as NamedList
from bot.erp.kinds.kind import ScopeKeys as ScopeKeys
from bot.erp.kinds.kind import lines_of_product as lines_of_product
from bot.erp.kinds.payments import PAYMENTS as PAYMENTS
from bot.erp.kinds.production_orders import PRODUCTION_ORDERS as PRODUCTION_ORDERS
from bot.erp.kinds.purchase_orders import PURCHASE_ORDERS as PURCHASE_ORDERS
from bot.erp.kinds.quotations import QUOTATIONS as QUOTATIONS
from bot.erp.kinds.receipts import RECEIPTS as RECEIPTS
from bot.erp.kinds.sales_orders import SALES_ORDERS as SALES_ORDERS
from bot.erp.kinds.vendors import VENDORS as VENDORS
from bot.erp.model import Area, ErpRecord, Feed, Followed, Review

AREA_KINDS: tuple[Kind[Any], ...] = (SALES_ORDERS, INVOICES, PURCHASE_ORDERS, PRODUCTION_ORDERS)
"""The kinds that stand for their areas."""
FEED_KINDS: tuple[Kind[Any], ...] = (BILLS, PAYMENTS, DELIVERIES, QUOTATIONS, RECEIPTS)
FOLLOWED: tuple[Kind[Any], ...] = (*AREA_KINDS, *FEED_KINDS)
"""All kinds of documents: their changes may be told, and the bot keeps copies of them."""
WITH_LINES: tuple[Kind[Any], ...] = tuple(kind for kind in FOLLOWED if kind.by_product)
"""Those whose copies have lines: they are listed by product."""
PARTNERS: tuple[Kind[Any], ...] = (CUSTOMERS, VENDORS)
KINDS: tuple[Kind[Any], ...] = (*FOLLOWED, *PARTNERS)
RULED_BY: Mapping[Area, str] = MappingProxyType(
    {Area.STOCK: "stock", **{kind.area: kind.command for kind in AREA_KINDS}}
)
"""Area → the command whose rules bind its documents (`bot.access.areas`)."""

DECIDED: tuple[Kind[Any], ...] = (PURCHASE_ORDERS, SALES_ORDERS, BILLS, QUOTATIONS)
"""Those that wait for decisions in the ERPs, the most usual first."""

CREATED: tuple[Kind[Any], ...] = (SALES_ORDERS,)
"""Those whose documents are begun from outside the ERPs."""

_BY_RECORD: Mapping[type[ErpRecord], Kind[Any]] = MappingProxyType({kind.record: kind for kind in KINDS})
_DECIDED: Mapping[str, Kind[Any]] = MappingProxyType({kind.command: kind for kind in DECIDED})
_CREATED: Mapping[str, Kind[Any]] = MappingProxyType({kind.command: kind for kind in CREATED})
_BY_FEED: Mapping[Followed, Kind[Any]] = MappingProxyType({kind.followed: kind for kind in FOLLOWED})


def kind_of(document: D) -> Kind[D]:
    """Return the kind of a document."""
    return _BY_RECORD[type(document)]


def review_of(document: ErpRecord) -> Review:
    """Return how far a document is on its way through the ERP's approval; raises `Unsupported` if it has none."""
    return kind_of(document).reviewed(document)


def ruled_by(kind: Kind[Any]) -> str:
    """Return the command whose rules bind the documents of a kind."""
    return RULED_BY[kind.area]


def deciding_of(kind: Kind[Any]) -> Deciding:
    """Return how documents of a kind wait for decisions; only for one of `DECIDED`."""
    assert kind.deciding is not None, f"nobody decides {kind.command}"
    return kind.deciding


def decided_kind(command: str) -> Kind[Any]:
    """Return the kind that is decided and that a command shows; raises `KeyError` for another."""
    return _DECIDED[command]


def created_kind(command: str) -> Kind[Any]:
    """Return the kind that is created and that a command shows; raises `KeyError` for another."""
    return _CREATED[command]


def kind_followed(followed: Followed) -> Kind[Any]:
    """Return the kind that stands for an area, or whose changes a feed tells."""
    return _BY_FEED[followed]


def area_followed(followed: Followed) -> Area:
    """Return the area whose rules bind what is followed."""
    return kind_followed(followed).area if isinstance(followed, Feed) else followed
