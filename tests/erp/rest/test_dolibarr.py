"""Dolibarr by the mapping of docs/how-to/connect-dolibarr.md (docs: platform/erp/others.md#dolibarr)."""

from __future__ import annotations

import re
import tomllib
from copy import deepcopy
from datetime import date
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from bot.erp.errors import NotFound, UnknownRest
from bot.erp.model import Decision, DecisionOutcome, InvoiceStatus, Money, OrderStatus, ReviewState, Verdict
from bot.erp.port import Filter, ListQuery
from tests.erp.rest.scripted_server import Open, ScriptedServer, Start
from tests.rows import each_row

PAGE = Path(__file__).resolve().parents[3] / "docs" / "how-to" / "connect-dolibarr.md"


def documented(url: str) -> dict[str, Any]:
    """Return the configuration of the page, with the address of a test's server."""
    return deepcopy(_shown()) | {"url": url}


@cache
def _shown() -> dict[str, Any]:
    (text,) = re.findall(r"```toml\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    options: dict[str, Any] = tomllib.loads(text)["erp"]["dolibarr"]
    del options["vendor"]
    return options


class Dolibarr:
    """A few records as Dolibarr tells them, and two approvals of a supplier order."""

    def __init__(self) -> None:
        self.first = self.second = False
        self.asked: list[tuple[str, str, Any]] = []
        self.draft = "(PROV9)"
        self.payments: dict[str, list[str] | None] = {"8": []}
        """Amounts paid on bills by their ids; None where the key may not read them."""
        self.warehouses = [{"id": "1", "ref": "SH", "lieu": "上海仓"}, {"id": "2", "ref": "SZ", "lieu": "深圳仓"}]

    def supplier_order(self) -> dict[str, Any]:
        return {
            "id": "7", "ref": "CF2611-0001", "socid": "3", "statut": "2" if self.first and self.second else "1",
            "total_ttc": "1200.00000000", "multicurrency_code": "CNY",
            "date_commande": 1_763_942_400, "delivery_date": 1_764_547_200, "date_livraison": None,
            "date_modification": 1_763_942_400 + self.first + self.second, "user_author_id": "4",
            "user_approve_id": "5" if self.first else None,
            "lines": {"12": {"product_ref": "SKU123", "product_label": "螺丝", "qty": "10", "total_ttc": "1200"}},
        }  # fmt: skip

    def reply(self, request: web.Request) -> Any:
        path = request.path
        order = {
            "id": "1", "ref": "SO-1", "socid": "2", "statut": "1", "date": 1_763_942_400, "delivery_date": "",
            "total_ttc": "113.00000000", "multicurrency_code": "CNY", "date_modification": 1_763_942_400,
            "lines": [{"product_ref": "SKU123", "product_label": "螺丝", "qty": "10", "total_ttc": "113"}],
        }  # fmt: skip
        product = {
            "id": "9", "ref": "SKU123", "label": "M8 螺丝", "barcode": "", "seuil_stock_alerte": "50",
            "stock_reel": "12", "stock_theorique": "30",
            "stock_warehouse": {each["id"]: {"real": {"1": "5", "2": "7"}[each["id"]]} for each in self.warehouses},
        }  # fmt: skip
        match (request.method, path):
            case _, _ if "PROV" in path:
                return web.json_response({"error": {"code": 403, "message": "Access refused"}}, status=403)
            case "GET", "/thirdparties":
                parties = [{"id": "2", "name": "上海宏图"}, {"id": "3", "name": "宁波标准件"}]
                return parties if request.query.get("page", "0") == "0" else []
            case "GET", "/warehouses":
                return self.warehouses if request.query.get("page", "0") == "0" else []
            case "GET", "/products/ref/SKU123":
                return product
            case "GET", "/orders/ref/SO-1":
                return order
            case "GET", "/orders/9":
                return order | {"id": "9", "ref": self.draft, "statut": "0" if "PROV" in self.draft else "1"}
            case "GET", "/orders":
                return [order] if request.query.get("page", "0") == "0" else web.Response(status=404)
            case "GET", "/supplierorders":
                return [self.supplier_order()] if request.query.get("page", "0") == "0" else web.Response(status=404)
            case "GET", "/supplierinvoices":
                # Neither totalpaid nor remaintopay is filled.
                bill = {"socid": "3", "statut": "1", "total_ttc": "56.50000000", "totalpaid": None, "remaintopay": None}
                bill |= {"date_echeance": 1_700_000_000}
                bills = [bill | {"id": key, "ref": f"SI-{key}"} for key in self.payments]
                asked = re.findall(r"t.ref:=:'(.*)'", request.query.get("sqlfilters", ""))
                found = [each for each in bills if not asked or each["ref"] == asked[0]]
                return found if request.query.get("page", "0") == "0" else web.Response(status=404)
            case "GET", _ if paid := re.fullmatch(r"/supplierinvoices/(\d+)/payments", path):
                amounts = self.payments[paid[1]]
                if amounts is None:
                    return web.json_response({"error": {"code": 403, "message": "Forbidden"}}, status=403)
                return [{"amount": each, "type": "VIR", "date": "2026-11-02", "ref": "SPAY-1"} for each in amounts]
            case "POST", "/supplierorders/7/approve":
                _, _, sent = self.asked[-1]
                # As Dolibarr 22 does: the first is stamped as often as it is sent, and each time it says so.
                self.first, self.second = True, self.second or (self.first and sent.get("secondlevel", 0) == 1)
                return self.supplier_order()
        return web.json_response({"error": {"code": 404, "message": "Not found"}}, status=404)


@pytest.fixture
def dolibarr() -> Dolibarr:
    return Dolibarr()


async def test_customers_are_named_and_their_list_is_read_once(
    dolibarr: Dolibarr, start: Start, open_erp: Open
) -> None:
    server = ScriptedServer(dolibarr.reply)
    await start(server)
    erp = open_erp(**documented(server.url))
    order = await erp.order("SO-1")
    assert (order.customer, order.lines[0].sku) == ("上海宏图", "SKU123")
    listed = (await erp.orders(ListQuery())).items
    assert [each.customer for each in listed] == ["上海宏图"]
    assert [path for _, path, _ in server.asked if path.startswith("/thirdparties")] == [
        "/thirdparties?limit=100&page=0",
        "/thirdparties?limit=100&page=1",
    ]


async def test_stock_stands_in_an_object_by_warehouse(dolibarr: Dolibarr, start: Start, open_erp: Open) -> None:
    server = await start(ScriptedServer(dolibarr.reply))
    level = await open_erp(**documented(server.url)).stock("SKU123")
    assert (level.total.on_hand, level.reorder_point) == (Decimal(12), Decimal(50))
    assert [(place.code, place.name, place.quantities.on_hand) for place in level.per_warehouse] == [
        ("SH", "上海仓", Decimal(5)),
        ("SZ", "深圳仓", Decimal(7)),
    ]


async def test_a_warehouse_of_today_is_named_at_once(dolibarr: Dolibarr, start: Start, open_erp: Open) -> None:
    server = await start(ScriptedServer(dolibarr.reply))
    erp = open_erp(**documented(server.url))
    new = dolibarr.warehouses.pop()
    assert [place.name for place in (await erp.stock("SKU123")).per_warehouse] == ["上海仓"]
    dolibarr.warehouses.append(new)
    assert [place.name for place in (await erp.stock("SKU123")).per_warehouse] == ["上海仓", "深圳仓"]


async def test_what_its_filter_refuses_is_not_there(dolibarr: Dolibarr, start: Start, open_erp: Open) -> None:
    server = ScriptedServer(dolibarr.reply)
    await start(server)
    erp = open_erp(**documented(server.url))
    for number in ("(PROV-POS1-4)", "(PROV)", "' or '1'='1", "50%"):
        with pytest.raises(NotFound):
            await erp.order(number)
    assert server.asked == []


async def test_a_draft_has_no_number_yet_and_is_found_by_the_id_in_its_name(
    dolibarr: Dolibarr, start: Start, open_erp: Open
) -> None:
    server = await start(ScriptedServer(dolibarr.reply))
    erp = open_erp(**documented(server.url))
    for name in ("(PROV9)", "(prov9)", "（PROV9）", "PROV9"):
        draft = await erp.order(name)
        assert (draft.number, draft.id, draft.status) == ("(PROV9)", "9", OrderStatus.DRAFT)
        assert [line.sku for line in draft.lines] == ["SKU123"]
    with pytest.raises(NotFound):
        await erp.order("(PROV404)")
    # A button of the draft leads to the order that it became.
    dolibarr.draft = "CO2611-0009"
    became = await erp.order("(PROV9)")
    assert (became.number, became.id, became.status) == ("CO2611-0009", "9", OrderStatus.OPEN)


async def test_the_first_of_two_approvals_is_told_as_such(dolibarr: Dolibarr, start: Start, open_erp: Open) -> None:
    server = ScriptedServer(dolibarr.reply)
    dolibarr.asked = server.asked
    await start(server)
    erp = open_erp(**documented(server.url))
    waiting = await erp.purchase_order("CF2611-0001")
    assert waiting.due_on == date(2025, 12, 1)
    assert (waiting.vendor, waiting.status) == ("宁波标准件", ReviewState.WAITING)
    outcomes = []
    for _ in range(2):
        version = (await erp.purchase_order("CF2611-0001")).review.version
        decision = Decision(number="CF2611-0001", version=version, verdict=Verdict.APPROVE, by="bot")
        outcomes.append((await erp.decide(decision)).outcome)
    assert outcomes == [DecisionOutcome.MORE_APPROVALS_NEEDED, DecisionOutcome.APPLIED]


@each_row(
    ("paid", "still_open", "status"),
    [
        ([], "56.5", InvoiceStatus.UNPAID),
        (["20.00000000", "6.5"], "30", InvoiceStatus.PART_PAID),
        # All is paid, and nobody closed it.
        (["56.50000000"], "0", InvoiceStatus.UNPAID),
        # What cannot be read is not nothing.
        (None, None, InvoiceStatus.UNPAID),
        (["what?"], None, InvoiceStatus.UNPAID),
    ],
)
async def test_what_is_open_of_a_bill_is_told_by_its_payments(
    start: Start, open_erp: Open, paid: list[str] | None, still_open: str | None, status: InvoiceStatus
) -> None:
    dolibarr = Dolibarr()
    dolibarr.payments["8"] = paid
    server = await start(ScriptedServer(dolibarr.reply))
    bill = await open_erp(**documented(server.url)).bill("SI-8")
    assert (bill.total, bill.status) == (Money(Decimal("56.5"), "CNY"), status)
    assert bill.open_amount == (None if still_open is None else Money(Decimal(still_open), "CNY"))


async def test_overdue_bills_are_those_of_which_something_is_open_by_their_payments(
    dolibarr: Dolibarr, start: Start, open_erp: Open
) -> None:
    server = await start(ScriptedServer(dolibarr.reply))
    erp = open_erp(**documented(server.url))
    dolibarr.payments = {"8": [], "9": ["56.5"], "10": ["0.5"]}
    found = await erp.bills(ListQuery(filter=Filter.OVERDUE))
    assert {each.number: each.open_amount for each in found.items} == {
        "SI-8": Money(Decimal("56.5"), "CNY"),
        "SI-10": Money(Decimal(56), "CNY"),
    }


@each_row("payments", [{"8": None, "9": []}, {str(key): [] for key in range(51)}])
async def test_what_is_overdue_is_unknown_where_payments_are_not_told_or_too_many(
    start: Start, open_erp: Open, payments: dict[str, list[str] | None]
) -> None:
    dolibarr = Dolibarr()
    dolibarr.payments = payments
    server = await start(ScriptedServer(dolibarr.reply))
    erp = open_erp(**documented(server.url))
    listed = (await erp.bills(ListQuery(filter=Filter.OPEN, limit=100))).items
    assert {each.open_amount for each in listed} == {None}
    with pytest.raises(UnknownRest):
        await erp.bills(ListQuery(filter=Filter.OVERDUE))


async def test_a_list_that_nobody_can_settle_does_not_know_what_is_overdue(
    dolibarr: Dolibarr, start: Start, open_erp: Open
) -> None:
    server = await start(ScriptedServer(dolibarr.reply))
    options = documented(server.url)
    del options["bills"]["paid"]
    with pytest.raises(UnknownRest):
        await open_erp(**options).bills(ListQuery(filter=Filter.OVERDUE))
