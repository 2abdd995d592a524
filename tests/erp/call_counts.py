"""Counts the calls to an ERP for each question, on the fakes, with few and many warehouses.

``python -m tests.erp.call_counts`` writes the table of `PAGE`; `tests.erp.test_call_counts` fails if it is out of date.
"""

from __future__ import annotations

import asyncio
import re
import tempfile
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal
from importlib import import_module
from pathlib import Path
from typing import Any

from bot.checks.document_checks import DocumentChecks
from bot.erp.hub import ErpHub
from bot.erp.kinds import BILLS, PURCHASE_ORDERS, Kind
from bot.erp.model import Customer, Lot, Money, OrderStatus, ReviewState, StockLevel, WarehouseStock
from bot.erp.port import Capability, Erp, Filter, ListQuery
from bot.erp.vendors import AdapterContext
from bot.kit.testing.company import TODAY, Clock, ReferenceCompany
from bot.kit.testing.contract_base import ContractBase
from bot.kit.testing.fake_erp import RequestKind
from bot.kit.testing.reference_records import quantities, stock_level
from bot.mechanisms.metrics import Metrics

PAGE = Path(__file__).resolve().parents[2] / "docs" / "reference" / "benchmark-erp.md"
_BLOCK = re.compile(r"(<!-- calls -->\n).*?(<!-- end -->)", re.DOTALL)

VENDORS = {
    "Odoo 19": "odoo.test_contract:TestOdooJson2Contract",
    "Odoo 18": "odoo.test_contract:TestOdooJsonRpcContract",
    "ERPNext": "erpnext.test_contract:TestErpNextContract",
    "Tryton": "tryton.test_contract:TestTrytonContract",
    "Kingdee": "kingdee.test_contract:TestKingdeeSignedContract",
    "SAP Business One": "sap_b1.test_contract:TestSapB1Contract",
    "YonBIP": "yonbip.test_contract:TestYonBipContract",
    "Dolibarr, by `rest`": "rest.test_dolibarr_contract:TestDolibarrContract",
}
WAREHOUSES = (1, 5, 30)
PLAIN, IN_LOTS = "SKU124", "SKU123"
FOUR = ("SKU123", "SKU124", "SKU125", "SKU128")
_PAGE_SIZES = {"Tryton": 500}
"""The contract reads Tryton by pages of ten."""

Ask = Callable[[Erp, ReferenceCompany], Awaitable[object]]


@dataclass(frozen=True, slots=True)
class Question:
    """A question, and whether its cost may depend on the number of warehouses."""

    name: str
    ask: Ask
    of_stock: bool = False
    needs: Capability = Capability.STOCK


def _first(records: dict[str, Any], *statuses: object) -> str:
    return next(number for number, record in records.items() if record.status in statuses)


async def _stock_of_four(erp: Erp, _: ReferenceCompany) -> None:
    await asyncio.gather(*map(erp.stock, FOUR))


def _customer(company: ReferenceCompany) -> Customer:
    return [*company.customers.values()][1]


async def _customer_unfollowed(erp: Erp, company: ReferenceCompany) -> None:
    name = (await erp.customer(_customer(company).code)).name
    still_open = ListQuery(filter=Filter.OPEN, partner=name, limit=100)
    newest = ListQuery(partner=name, limit=3)
    await asyncio.gather(erp.orders(newest), erp.orders(still_open), erp.invoices(still_open))


async def _checked(kind: Kind[Any], number: str, erp: Erp) -> None:
    """Read a document and what its checks compare it with, nothing of which is kept."""
    hub = ErpHub([erp], metrics=Metrics(), now=Clock().now)
    document = await hub.source_client(erp.name).document(kind, number)
    await DocumentChecks(hub, now=Clock().now, seconds=60).of(document, (Money(Decimal(10**6), "CNY"),))


def _billed(company: ReferenceCompany) -> str:
    return next(bill.number for bill in company.bills.values() if bill.order_number and not bill.is_credit_note)


QUESTIONS = (
    Question("stock", lambda erp, _: erp.stock(PLAIN), of_stock=True),
    Question("stock in lots", lambda erp, _: erp.stock(IN_LOTS), of_stock=True, needs=Capability.LOTS),
    Question("stock of four products", _stock_of_four, of_stock=True),
    Question("order", lambda erp, company: erp.order(_first(company.orders, OrderStatus.OPEN))),
    Question("ten orders", lambda erp, _: erp.orders(ListQuery(limit=10))),
    Question("late orders", lambda erp, _: erp.orders(ListQuery(filter=Filter.LATE, limit=10))),
    Question("overdue invoices", lambda erp, _: erp.invoices(ListQuery(filter=Filter.OVERDUE, limit=10))),
    Question(
        "waiting purchase order",
        lambda erp, company: erp.purchase_order(_first(company.purchases, ReviewState.WAITING)),
    ),
    Question(
        "waiting purchase order with its checks",
        lambda erp, company: _checked(PURCHASE_ORDERS, _first(company.purchases, ReviewState.WAITING), erp),
        needs=Capability.PRICES,
    ),
    Question(
        "bill with its checks", lambda erp, company: _checked(BILLS, _billed(company), erp), needs=Capability.BILLS
    ),
    Question("customer", lambda erp, company: erp.customer(_customer(company).code)),
    Question("customer, nothing kept", _customer_unfollowed),
)

Counts = dict[str, tuple[int | None, ...]]
"""Calls of each question with each number of warehouses; None where the vendor does not answer it."""


async def count_calls(vendor: str) -> Counts:
    """Return what each question costs a vendor once names and settings are known."""
    by_size = [await _counted(vendor, size) for size in WAREHOUSES]
    return {question.name: tuple(counts[question.name] for counts in by_size) for question in QUESTIONS}


async def _counted(vendor: str, warehouses: int) -> dict[str, int | None]:
    module, _, name = VENDORS[vendor].partition(":")
    contract: Any = getattr(import_module(f"tests.erp.{module}"), name)()
    assert isinstance(contract, ContractBase)
    clock = Clock()
    company = _company(contract.found_company(TODAY, clock), warehouses)
    with tempfile.TemporaryDirectory() as folder:
        installation: Any = contract.install(company, clock, Path(folder))
        options = {}
        if size := _PAGE_SIZES.get(vendor):
            installation.records_limit = options["page"] = size
        await installation.start()
        settings = contract.vendor.options.model_validate(contract.options(installation, 30.0) | options)
        context = AdapterContext(name="main", data_dir=Path(folder), now=clock.now)
        erp = await contract.vendor.open(context, settings)
        try:
            return {
                question.name: await _cost(erp, installation, question, company)
                if question.needs in contract.offers
                else None
                for question in QUESTIONS
            }
        finally:
            await erp.close()
            await installation.stop()


async def _cost(erp: Erp, installation: Any, question: Question, company: ReferenceCompany) -> int:
    await question.ask(erp, company)
    installation.requests.clear()
    await question.ask(erp, company)
    return int(installation.requests.count(RequestKind.READ))


def _company(company: ReferenceCompany, warehouses: int) -> ReferenceCompany:
    """Return the company with so many warehouses, in each of which lies some of every product, of one also in lots."""
    company.warehouses = {"MAIN": "总仓", **{f"W{n:02}": f"仓库 {n}" for n in range(2, warehouses + 1)}}
    for sku, level in list(company.stock.items()):
        company.stock[sku] = _everywhere(level, company)
    return company


def _everywhere(level: StockLevel, company: ReferenceCompany) -> StockLevel:
    places = tuple(
        WarehouseStock(code=code, name=name, quantities=quantities("100", "10", "7", "10"))
        for code, name in company.warehouses.items()
    )
    lots = tuple(
        Lot(number=f"L-{n}", quantity=Decimal(50), expires_on=company.today + timedelta(days=n), warehouse=place.code)
        for place in places
        for n in (30, 60)
        if level.product.sku == IN_LOTS
    )
    return replace(stock_level(level.product, places, level.reorder_point, level.as_of), lots=lots)


def row_of(vendor: str, counts: Counts) -> str:
    """Return the row of a vendor; one number where it is the same with any number of warehouses."""
    return f"| {vendor} | {' | '.join(_cell(counts[question.name]) for question in QUESTIONS)} |"


def _cell(calls: Sequence[int | None]) -> str:
    different = list(dict.fromkeys(calls))
    if different == [None]:
        return "–"
    return str(calls[0]) if len(different) == 1 else ", ".join(map(str, calls))


def render(page: str, rows: Sequence[str]) -> str:
    """Return the page with the table written again."""
    head = f"| vendor | {' | '.join(question.name for question in QUESTIONS)} |"
    line = "| --- " * (len(QUESTIONS) + 1) + "|"
    table = "\n".join((head, line, *rows))
    return _BLOCK.sub(lambda block: f"{block[1]}\n{table}\n\n{block[2]}", page)


async def _rows() -> list[str]:
    return [row_of(vendor, await count_calls(vendor)) for vendor in VENDORS]


if __name__ == "__main__":
    PAGE.write_text(render(PAGE.read_text(encoding="utf-8"), asyncio.run(_rows())), encoding="utf-8")
