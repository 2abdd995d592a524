"""Customers and vendors, what they paid or were paid, and what is open of their bills.

Docs: platform/erp/yonbip.md#partners, #balances
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import partial
from typing import Any

from bot.erp.concurrency import gather_rows
from bot.erp.errors import NotPermitted
from bot.erp.expiring import ExpiringValue
from bot.erp.keys import pick_by_key, spellings
from bot.erp.kinds import CUSTOMERS, PAYMENTS, VENDORS, D, Kind
from bot.erp.model import (
    Customer,
    PartnerKind,
    Payment,
    PaymentDirection,
    PaymentStatus,
    Slice,
    Supplier,
)
from bot.erp.port import ListQuery
from bot.erp.values import amount_of, code, is_true, text
from bot.erp.yonbip.client import YonBipClient
from bot.erp.yonbip.documents import Balances
from bot.erp.yonbip.mapping import Row
from bot.erp.yonbip.query import ACCOUNTING, PAYABLES

_CUSTOMERS = "yonbip/digitalModel/merchant/newlist"
_VENDORS = "yonbip/digitalModel/vendor/list"
_LANGUAGES = ("simplifiedName", "zh_CN", "englishName", "en_US")
"""Names in several languages have one of two spellings of these keys."""


class PartnerReader:
    """Reads customers and vendors. Lists only find whole codes, so all are read and cached for some minutes."""

    def __init__(self, client: YonBipClient) -> None:
        self._client = client
        holds = timedelta(minutes=client.options.catalogue_minutes)
        self._known: Mapping[Kind[Any], ExpiringValue[tuple[Any, ...]]] = {
            kind: ExpiringValue(partial(self._all, kind), now=client.now, holds=holds) for kind in (CUSTOMERS, VENDORS)
        }

    async def close(self) -> None:
        """Cancel reads in progress."""
        for partners in self._known.values():
            await partners.cancel()

    async def read(self, kind: Kind[D], key: str) -> D:
        """Return one customer or vendor; raises `NotFound`. A code in mixed case is only found among all."""
        read, build = self._calls(kind)
        rows = await gather_rows(*(read({"code": spelling}) for spelling in spellings(key)))
        found = _distinct(build(row) for row in rows) or await self._known[kind].value()
        partner: D = pick_by_key(found, key, lambda partner: partner.code, source=self._client.source)
        return partner

    async def list_partners(self, kind: Kind[D], query: ListQuery) -> Slice[D]:
        """Return part of a list, by code."""
        return kind.pick(await self._known[kind].value(), query, self._client.values.local(self._client.now()).date())

    def _calls(self, kind: Kind[Any]) -> tuple[Callable[[Row], Awaitable[list[Row]]], Callable[[Row], Any]]:
        if kind == CUSTOMERS:
            return self._customer_rows, self._customer
        return self._vendor_rows, self._vendor

    async def _all(self, kind: Kind[Any]) -> tuple[Any, ...]:
        read, build = self._calls(kind)
        return _distinct(build(row) for row in await read({}))

    async def _customer_rows(self, body: Row) -> list[Row]:
        return await self._client.uncounted_rows(_CUSTOMERS, body, most=self._client.options.most_materials)

    async def _vendor_rows(self, body: Row) -> list[Row]:
        return await self._client.rows(_VENDORS, body, most=self._client.options.most_materials)

    def _customer(self, row: Row) -> Customer:
        """Return a customer; the list shows neither contacts nor who is disabled."""
        return Customer(code=code(row["code"]), name=_name(row.get("name")), **self._client.values.origin(row))

    def _vendor(self, row: Row) -> Supplier:
        more: Row = row.get("vendorextends") or {}
        return Supplier(
            code=code(row["code"]),
            name=_name(row.get("name")),
            phone=text(row.get("vendorphone")) or text(row.get("contactphone")),
            email=text(row.get("vendoremail")),
            address=text(row.get("vendoraddress")) or text(row.get("address")),
            is_active=not is_true(row.get("stop")),
            **self._client.values.origin({**row, "creator": more.get("creator")}),
        )


@dataclass(frozen=True, slots=True)
class _CashList:
    """One of the four lists that receipts and payments are in; ``object_type`` leaves out employees and banks."""

    path: str
    partner_kind: PartnerKind
    direction: PaymentDirection
    partner: str
    object_type: str | list[str]


_CASH = (
    _CashList(
        "yonbip/EFI/collection/list",
        PartnerKind.CUSTOMER,
        PaymentDirection.RECEIVED,
        "bodyItemCustomerName",
        object_type=["1"],
    ),
    _CashList(
        "yonbip/EFI/arRefund/list",
        PartnerKind.CUSTOMER,
        PaymentDirection.SPENT,
        "bodyItemCustomerName",
        object_type=["1"],
    ),
    _CashList(
        "yonbip/EFI/payment/list",
        PartnerKind.VENDOR,
        PaymentDirection.SPENT,
        "bodyItemSupplierName",
        object_type="0",
    ),
    _CashList(
        "yonbip/EFI/apRefund/list",
        PartnerKind.VENDOR,
        PaymentDirection.RECEIVED,
        "bodyItemSupplierName",
        object_type="0",
    ),
)
_PAYMENT_STATES = {"2": PaymentStatus.BOOKED, "3": PaymentStatus.CANCELLED, "4": PaymentStatus.CANCELLED}


class PaymentReader:
    """Reads receipts, payments and refunds out of their lists, whose rows tell all that is told of a payment."""

    def __init__(self, client: YonBipClient) -> None:
        self._client = client
        self._days = timedelta(days=client.options.list_days)

    async def read(self, number: str) -> Payment:
        """Return one payment; raises `NotFound`."""
        found = await gather_rows(*(self._all({"code": spelling}) for spelling in spellings(number)))
        return pick_by_key(found, number, lambda payment: payment.number, source=self._client.source)

    async def list_payments(self, query: ListQuery, today: date) -> Slice[Payment]:
        start = today - self._days
        if query.during is not None:
            start = min(start, query.during.first)
        return PAYMENTS.pick(await self._all({"open_billDate_begin": f"{start} 00:00:00"}), query, today)

    async def _all(self, body: Row) -> list[Payment]:
        return await gather_rows(*(self._of_list(cash, body) for cash in _CASH))

    async def _of_list(self, cash: _CashList, body: Row) -> list[Payment]:
        asked = {**body, "objectType": cash.object_type, "isSum": False}
        rows = await self._client.rows(cash.path, asked)
        lines: dict[str, list[Row]] = {}
        # A line may move to a later page while pages are read.
        for row in {code(row["bodyItemId"]): row for row in rows}.values():
            lines.setdefault(code(row["id"]), []).append(row)
        return [self._payment(cash, of_payment) for of_payment in lines.values()]

    def _payment(self, cash: _CashList, lines: Sequence[Row]) -> Payment:
        head = lines[0]
        status = _PAYMENT_STATES.get(code(head.get("verifyState")), PaymentStatus.DRAFT)
        taken_back = code(head.get("writeOffState")) == "1"
        currency = self._client.values.currency(head.get("bodyItemOriCurrencyName"))
        amount = amount_of(line.get("bodyItemOriTaxIncludedAmount") for line in lines)
        return Payment(
            number=code(head["code"]),
            partner=text(head.get(cash.partner)),
            partner_kind=cash.partner_kind,
            direction=cash.direction,
            status=PaymentStatus.CANCELLED if taken_back else status,
            paid_on=self._client.values.day(head.get("billDate")),
            amount=self._client.values.money(amount, currency),
            method=text(head.get("bodyItemSettleModeName")),
            # Lists of money tell no name.
            **self._client.values.origin({**head, "pubts": head.get("pubts") or head.get("modifyTime")}, ""),
        )


class BalanceReader:
    """Reads what is open of bills with one question, however many there are."""

    def __init__(self, client: YonBipClient) -> None:
        self._client = client

    async def read(self, path: str, bills: Sequence[Row]) -> Balances | None:
        """Return what is open of bills of one list; None if the app may not read their accounting."""
        if not bills:
            return {}
        try:
            rows = await self._client.rows(f"{ACCOUNTING[path]}/list", _accounting_of(path, bills))
        except NotPermitted:
            return None
        wanted = {code(bill["id"]) for bill in bills}
        parts: dict[str, list[Row]] = {}
        # An instalment may move to a later page while pages are read.
        for row in {code(row["bodyItem_grandsonItem_id"]): row for row in rows}.values():
            if (bill := code(row.get("srcBillId"))) in wanted:
                parts.setdefault(bill, []).append(row)
        return {
            bill: amount_of(part.get("bodyItem_grandsonItem_oriBalance") for part in open_parts)
            for bill, open_parts in parts.items()
        }


def _distinct(partners: Iterable[Any]) -> tuple[Any, ...]:
    """Return each partner once: every organisation that uses it may have a row of it."""
    return tuple({partner.id: partner for partner in partners}.values())


def _name(value: Any) -> str:
    """Return a name, of several languages the first that is known."""
    if not isinstance(value, dict):
        return text(value)
    return next(filter(None, (text(value.get(language)) for language in _LANGUAGES)), "")


def _accounting_of(path: str, bills: Sequence[Row]) -> Row:
    """Return the question for the accounting of a bill, or of all bills of the days of several."""
    if len(bills) == 1:
        return {"bizBillCode": code(bills[0]["code"])}
    days = sorted(code(bill["billDate"])[:10] for bill in bills)
    first, last = ("", "") if path == PAYABLES else (" 00:00:00", " 23:59:59")
    return {"open_srcBillDate_begin": f"{days[0]}{first}", "open_srcBillDate_end": f"{days[-1]}{last}"}
