"""Maps customers, vendors, receipts and payments to the bot's (docs: platform/erp/kingdee.md#partners)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal

from bot.erp.kingdee.decisions import AUDITED
from bot.erp.kingdee.documents import Lines, unknown_currency
from bot.erp.kingdee.mapping import Row, ValueReader, code, text
from bot.erp.kingdee.query import OF_CUSTOMER, OF_VENDOR, OUTGOING, RECEIPTS, Form
from bot.erp.model import Customer, PartnerKind, Payment, PaymentDirection, PaymentStatus, Supplier
from bot.erp.record_parts import PartnerParts
from bot.erp.values import amount_of, number

ACTIVE = "FForbidStatus='A'"
"""The condition that a partner is not disabled."""
_FORBIDDEN = _VOIDED = "B"
_AMOUNTS: Mapping[Form, tuple[str, str]] = {
    RECEIPTS: ("FREALRECAMOUNTFOR_D", "FRECTOTALAMOUNTFOR"),
    OUTGOING: ("FREALPAYAMOUNTFOR_D", "FPAYTOTALAMOUNTFOR"),
}
"""What a line really paid, and what was to be paid."""
_KINDS = {OF_CUSTOMER: PartnerKind.CUSTOMER, OF_VENDOR: PartnerKind.VENDOR}


@dataclass(frozen=True, slots=True)
class PartnerMapper:
    """Builds the partners and payments of one source."""

    values: ValueReader

    def customer(self, lines: Lines) -> Customer:
        """Return a customer; contacts may be separate lines, and the first known one counts."""
        return Customer(
            salesperson=text(lines[0].get("FSELLER.FName")),
            **self._partner(lines, address="FADDRESS", terms="FRECCONDITIONID.FName"),
        )

    def vendor(self, lines: Lines) -> Supplier:
        return Supplier(**self._partner(lines, address="FAddress", terms="FPayCondition.FName"))

    def _partner(self, lines: Lines, *, address: str, terms: str) -> PartnerParts:
        head = lines[0]
        return {
            **self.values.origin(head, "FNumber"),
            "code": code(head["FNumber"]),
            "name": text(head["FName"]),
            "phone": _first(lines, "FTEL", "FMobile"),
            "email": _first(lines, "FEmail"),
            "address": _first(lines, address),
            "payment_terms": text(head.get(terms)),
            "is_active": _is_active(lines),
        }

    def payment(self, form: Form, lines: Lines) -> Payment:
        """Return a receipt or payment, the sum of its lines."""
        head, received = lines[0], form is RECEIPTS
        currency = self.values.currency(head, "FCURRENCYID")
        return Payment(
            number=code(head["FBillNo"]),
            partner=text(head["FCONTACTUNIT.FName"]),
            partner_kind=_KINDS[code(head["FCONTACTUNITTYPE"])],
            direction=PaymentDirection.RECEIVED if received else PaymentDirection.SPENT,
            status=_status(head),
            paid_on=self.values.day(head["FDATE"]),
            amount=self.values.money(amount_of(_paid(row, *_AMOUNTS[form]) for row in lines), currency),
            method=", ".join(dict.fromkeys(filter(None, (text(row.get("FSETTLETYPEID.FName")) for row in lines)))),
            extra=unknown_currency(head, "FCURRENCYID", currency),
            **self.values.origin(head),
        )


def _is_active(lines: Lines) -> bool:
    """Return whether a partner is not disabled in every organisation."""
    return any(code(row["FForbidStatus"]) != _FORBIDDEN for row in lines)


def _first(lines: Iterable[Row], *keys: str) -> str:
    return next(filter(None, (text(row.get(key)) for key in keys for row in lines)), "")


def _status(head: Row) -> PaymentStatus:
    if code(head.get("FCancelStatus")) == _VOIDED:
        return PaymentStatus.CANCELLED
    return PaymentStatus.BOOKED if code(head["FDOCUMENTSTATUS"]) == AUDITED else PaymentStatus.DRAFT


def _paid(row: Row, real: str, total: str) -> Decimal | None:
    """Return what a line really paid, or what was to be paid if the installation lacks that."""
    paid = number(row.get(real))
    return number(row[total]) if paid is None else paid
