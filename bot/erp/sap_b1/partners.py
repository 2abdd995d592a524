"""Business partners, and what is paid by and to them (docs: platform/erp/sap-b1.md#partners)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from bot.erp.concurrency import gather_or_cancel
from bot.erp.conditions import all_of
from bot.erp.errors import NotPermitted
from bot.erp.keys import pick_by_key
from bot.erp.kinds import CUSTOMERS, VENDORS, D, Kind
from bot.erp.model import (
    Customer,
    Money,
    PartnerKind,
    Payment,
    PaymentDirection,
    PaymentStatus,
    Slice,
    Supplier,
)
from bot.erp.port import ListQuery
from bot.erp.record_parts import PartnerParts
from bot.erp.sap_b1 import query as queries
from bot.erp.sap_b1.client import SapB1Client
from bot.erp.sap_b1.documents import is_cancelled
from bot.erp.sap_b1.mapping import IN_USE, Row, ValueReader, day_of, is_in_use, rows_of
from bot.erp.sap_b1.query import BILLS, CREDIT_NOTES, INVOICES, RECEIPTS, VENDOR_CREDITS, DocumentEntity
from bot.erp.values import code, number, text

PARTNERS = "BusinessPartners"
_TYPES: Mapping[Kind[Any], str] = {CUSTOMERS: "cCustomer", VENDORS: "cSupplier"}
"""Leads are neither."""
_SEARCHED = ("CardCode", "CardName")
_FIELDS = (
    *_SEARCHED, "ContactPerson", "Phone1", "Cellular", "EmailAddress", "Address", "ZipCode", "City", "SalesPersonCode",
    "PayTermsGrpCode", "CreditLimit", "CurrentAccountBalance", *IN_USE, "UpdateDate",
    "UpdateTime",
)  # fmt: skip
_KINDS = {"rCustomer": PartnerKind.CUSTOMER, "rSupplier": PartnerKind.VENDOR}
SETTLED: Mapping[str, DocumentEntity] = {
    "it_Invoice": INVOICES,
    "it_CredItnote": CREDIT_NOTES,
    "it_PurchaseInvoice": BILLS,
    "it_PurchaseCreditNote": VENDOR_CREDITS,
}
"""The documents that payments settle, by their type in the payment."""


@dataclass(frozen=True, slots=True)
class PartnerNames:
    """What partners refer to by key, and the ISO code of the company's own currency."""

    people: Mapping[str, str]
    terms: Mapping[str, str]
    currency: str


class PartnerReader:
    """Reads customers and vendors; lists of them are cut by the server, as there may be tens of thousands."""

    def __init__(self, client: SapB1Client) -> None:
        self._client = client
        self._mapper = PartnerMapper(client.source, client.values)

    async def read(self, kind: Kind[D], key: str) -> D:
        """Return one customer or vendor; raises `NotFound`."""
        where = all_of(queries.equals("CardType", _TYPES[kind]), queries.spelled("CardCode", key))
        rows = await self._client.rows(PARTNERS, select=_FIELDS, where=where)
        row = pick_by_key(rows, key, lambda row: code(row.get("CardCode")), source=self._client.source)
        partner: D = (await self._partners(kind, [row]))[0]
        return partner

    async def list_partners(self, kind: Kind[D], query: ListQuery) -> Slice[D]:
        """Return part of a list, by code."""
        if query.during or query.due:
            return Slice(items=(), total=0)
        where = all_of(
            queries.equals("CardType", _TYPES[kind]),
            self._active(),
            queries.contains(_SEARCHED, query.text) if query.text else "",
            queries.of_partner("CardName", query.partner),
        )
        if query.partner or not _is_plain(query.text):
            # The condition may match more than is asked for.
            rows = await self._client.rows(PARTNERS, select=_FIELDS, where=where, order="CardCode")
            return kind.pick(await self._partners(kind, rows), query, self._today())
        rows, total = await self._client.rows_from(
            PARTNERS, select=_FIELDS, where=where, order="CardCode", offset=query.offset, limit=query.limit
        )
        return Slice(items=tuple(await self._partners(kind, rows)), total=total)

    def _active(self) -> str:
        day = queries.day_text(self._today(), self._client.version)
        return queries.either(queries.equals("Frozen", "tNO"), f"FrozenFrom gt {day}", f"FrozenTo lt {day}")

    def _today(self) -> date:
        return self._client.values.local(self._client.now()).date()

    async def _partners(self, kind: Kind[Any], rows: Sequence[Row]) -> list[Any]:
        people, terms = await gather_or_cancel(self._client.names.salespersons(), self._client.names.payment_terms())
        currency = await self._client.names.company_currency()
        names = PartnerNames(people, terms, self._client.values.iso(currency))
        build = self._mapper.customer if kind == CUSTOMERS else self._mapper.vendor
        return [build(row, names, self._today()) for row in rows]

    # Payments

    async def payments(self, found: Sequence[tuple[DocumentEntity, Row]], *, with_settled: bool) -> list[Payment]:
        """Return payments with amounts in the company's currency, if asked for with what they settle."""
        currency = self._client.values.iso(await self._client.names.company_currency())
        settled = await self._settled([row for _, row in found]) if with_settled else {}
        return [self._mapper.payment(entity, row, settled, currency) for entity, row in found]

    async def _settled(self, rows: Sequence[Row]) -> Mapping[tuple[str, str], str]:
        """Return the numbers of settled documents by type and key, as far as they may be read."""
        keys: dict[str, list[int]] = {}
        for part in (part for row in rows for part in rows_of(row, "PaymentInvoices")):
            kind, key = _settled_key(part)
            if kind in SETTLED and key.isdecimal():
                keys.setdefault(kind, []).append(int(key))
        found: dict[tuple[str, str], str] = {}
        for kind, wanted in keys.items():
            entity = SETTLED[kind]
            try:
                documents = await self._client.rows_each(
                    entity.name, entity.key, wanted, select=(entity.key, entity.number_field)
                )
            except NotPermitted:
                continue
            found |= {(kind, code(document[entity.key])): entity.number(document) for document in documents}
        return found


def _is_plain(search: str) -> bool:
    """Return whether a server surely takes a text literally: characters may be wildcards of its database."""
    return len(search) <= queries.LONGEST_PART and all(char.isalnum() or char in " -." for char in search)


@dataclass(frozen=True, slots=True)
class PartnerMapper:
    """Builds partners and payments of one source."""

    source: str
    values: ValueReader

    def customer(self, row: Row, names: PartnerNames, today: date) -> Customer:
        """Return a customer; a credit limit of 0 is none."""
        return Customer(
            contact=text(row.get("ContactPerson")),
            salesperson=names.people.get(code(row.get("SalesPersonCode")), ""),
            credit_limit=self.values.money(number(row.get("CreditLimit")) or None, names.currency),
            receivable=self.values.money(row.get("CurrentAccountBalance"), names.currency),
            **self._partner(row, names, today),
        )

    def vendor(self, row: Row, names: PartnerNames, today: date) -> Supplier:
        """Return a vendor; what is owed to it is a negative balance."""
        balance = number(row.get("CurrentAccountBalance"))
        return Supplier(
            contact=text(row.get("ContactPerson")),
            buyer=names.people.get(code(row.get("SalesPersonCode")), ""),
            payable=self.values.money(None if balance is None else -balance, names.currency),
            **self._partner(row, names, today),
        )

    def _partner(self, row: Row, names: PartnerNames, today: date) -> PartnerParts:
        key = code(row["CardCode"])
        return {
            "id": key,
            "code": key,
            "name": text(row.get("CardName")),
            "phone": text(row.get("Phone1")) or text(row.get("Cellular")),
            "email": text(row.get("EmailAddress")),
            "address": ", ".join(filter(None, (text(row.get(name)) for name in ("Address", "ZipCode", "City")))),
            "payment_terms": names.terms.get(code(row.get("PayTermsGrpCode")), ""),
            "is_active": is_in_use(row, today),
            "changed_at": self.values.changed(row),
            "source": self.source,
        }

    def payment(
        self, entity: DocumentEntity, row: Row, settled: Mapping[tuple[str, str], str], currency: str
    ) -> Payment:
        """Return a receipt or payment; ``settled`` are the numbers of documents by type and key."""
        parts = (
            (code(part.get("InvoiceType")), code(part.get("DocEntry"))) for part in rows_of(row, "PaymentInvoices")
        )
        return Payment(
            id=code(row["DocEntry"]),
            number=entity.number(row),
            partner=text(row.get("CardName")),
            partner_kind=_KINDS[code(row["DocType"])],
            direction=PaymentDirection.RECEIVED if entity is RECEIPTS else PaymentDirection.SPENT,
            status=PaymentStatus.CANCELLED if is_cancelled(row) else PaymentStatus.BOOKED,
            paid_on=day_of(row.get("DocDate")),
            amount=self._paid(row, currency),
            settles=tuple(dict.fromkeys(settled[part] for part in parts if part in settled)),
            source=self.source,
        )

    def _paid(self, row: Row, currency: str) -> Money | None:
        """Return the amount in the company's currency, None if cheques or cards are in another."""
        by_paper = [part.get("CheckSum") for part in rows_of(row, "PaymentChecks")]
        by_paper += [part.get("CreditSum") for part in rows_of(row, "PaymentCreditCards")]
        own = self.values.iso(code(row.get("DocCurrency")))
        if by_paper and own not in ("", currency):
            return None
        sums = [row.get(name) for name in ("CashSum", "TransferSum", "BillOfExchangeAmount")]
        paid = sum((number(part) or Decimal(0) for part in (*sums, *by_paper)), Decimal(0))
        return self.values.money(paid, currency)


def _settled_key(part: Row) -> tuple[str, str]:
    """Return the type and key of a document that a payment settles."""
    return code(part.get("InvoiceType")), code(part.get("DocEntry"))
