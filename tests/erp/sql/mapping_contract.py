"""The contract of a ready mapping: its very queries, translated from SQL Server, on tables of the vendor's shape."""

from __future__ import annotations

import tomllib
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any, ClassVar

import pytest

from bot.erp.goods.port import GoodsReader
from bot.erp.model import (
    Bill,
    Customer,
    InvoiceStatus,
    Money,
    OrderStatus,
    Payment,
    PaymentStatus,
    SalesOrder,
    Supplier,
)
from bot.erp.model.goods import Arrival, ArrivalKind
from bot.erp.port import COMMON, GOODS, PARTNER_READS, Capability
from bot.erp.sql.manifest import vendor
from bot.kit.testing.company import Clock, ReferenceCompany
from bot.kit.testing.erp_contract import ErpContract
from tests.erp.fakes.relayed_database import RelayedDatabase, product_queries
from tests.erp.fakes.tsql import translated_options
from tests.erp.fakes.vendor_tables import VendorTables
from tests.erp.sql.postgres_server import Postgres

MAPPINGS = Path(__file__).parents[3] / "bot" / "erp" / "sql" / "mappings"

DECIDING = {Capability.APPROVE, Capability.REJECT, Capability.VERSION_CHECK}
READS = COMMON - GOODS - PARTNER_READS - DECIDING
NO_TIME_OF_PRODUCTS = "products tell the day of their change at best, not its time"
NO_TIME_OF_STOCK = "stock does not tell when it changed"


def shipped_options(name: str) -> dict[str, Any]:
    """Return the options of the source in a mapping's file."""
    ((_, source),) = tomllib.loads((MAPPINGS / name / "mapping.toml").read_text(encoding="utf-8"))["erp"].items()
    return {key: value for key, value in source.items() if key != "vendor"}


@cache
def translated_mapping(name: str) -> dict[str, Any]:
    """Return the options of a mapping with its queries translated: parsing them takes longer than most cases."""
    return translated_options(shipped_options(name))


def without_production(record: Any) -> Any:
    """Return no arrival from production, where the mapping does not read it."""
    return None if isinstance(record, Arrival) and record.kind is ArrivalKind.PRODUCTION else record


def without_void(record: Any) -> Any:
    """Return no bill or payment that was given up: there such a one is deleted."""
    void = isinstance(record, Bill) and record.status is InvoiceStatus.VOID
    return None if void or (isinstance(record, Payment) and record.status is PaymentStatus.CANCELLED) else record


def in_own_currency(record: Any) -> Any:
    """Return a partner whose limit and debt are told in the company's own currency."""
    if isinstance(record, Customer):
        return replace(record, credit_limit=yuan(record.credit_limit), receivable=yuan(record.receivable))
    return replace(record, payable=yuan(record.payable)) if isinstance(record, Supplier) else record


def yuan(money: Money | None) -> Money | None:
    """Return an amount as one of the company's own currency."""
    return money and Money(money.amount, "CNY")


def unfollowed(area: str, reason: str) -> dict[str, str]:
    """Return the gaps of an area whose changes cannot be followed."""
    return {f"changes.{case}[{area}]": reason for case in ("once", "equal_times", "again", "while_reading", "burst")}


class ReadyMappingContract(ErpContract):
    """What the contracts of all ready mappings share."""

    vendor, database = vendor, True
    installed: ClassVar[type[VendorTables]]

    @pytest.fixture(autouse=True)
    def _server(self, postgres: Postgres) -> None:
        self._postgres = postgres

    async def test_people_of_its_orders_own_a_receipt(self, reader: GoodsReader, company: ReferenceCompany) -> None:
        if Capability.RECEIPTS not in self.offers:
            return
        for receipt in company.receipts.values():
            orders = [company.purchases[number] for number in receipt.order_numbers]
            wanted = {person for order in orders for person in (order.buyer, order.review.requester)}
            assert set((await reader.receipt(receipt.number)).owners) == wanted

    def install(self, company: ReferenceCompany, clock: Clock, folder: Path) -> RelayedDatabase:
        tables = self.installed(company, clock, self._postgres.admin_url)
        return RelayedDatabase(tables, self._postgres, product_queries(translated_mapping(self.name)))

    def options(self, installation: RelayedDatabase, timeout: float) -> dict[str, Any]:
        return translated_mapping(self.name) | {"url": installation.reader_url, "timeout": timeout}


def given_up_is_closed(record: Any) -> Any:
    """Return a sales order as ERPs tell it that close what is given up."""
    given_up = isinstance(record, SalesOrder) and record.status is OrderStatus.CANCELLED
    return replace(record, status=OrderStatus.CLOSED) if given_up else record
