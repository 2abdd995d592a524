"""/payment: what customers paid, and what vendors were paid."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Annotated, ClassVar, TypeVar

from bot.cards.view import View
from bot.chat.amounts import Amounts
from bot.chat.arguments import Keyword, PartnerTerm
from bot.chat.context import QuestionContext
from bot.chat.days import Days
from bot.chat.document_views import DocumentListView, ListedRows
from bot.chat.records.bounded_lists import BoundedLists
from bot.chat.records.documents import Documents
from bot.chat.records.linked_documents import Settlements
from bot.chat.records.list_totals import ListTotals, sum_by_currency
from bot.chat.records.lookup import OneDocument
from bot.chat.records.reader_hub import visible_fields
from bot.chat.registry import command
from bot.chat.view_parts import NotAddedUp
from bot.erp.kinds import BILLS, INVOICES, PAYMENTS
from bot.erp.model import Money, PartnerKind, Payment, PaymentDirection
from bot.words.disclosure import ClassedBy, FieldClass, cut_part
from bot.words.phrase import Phrase, phrase

_DOCUMENTS = {PartnerKind.CUSTOMER: "invoice", PartnerKind.VENDOR: "bill"}
"""The command that shows what is paid."""
_BOUND_BY = {PartnerKind.CUSTOMER: "invoice", PartnerKind.VENDOR: "po"}
"""The command whose rules bind payments of a kind of partners."""
_MONEY = {PartnerKind.CUSTOMER: FieldClass.AMOUNT, PartnerKind.VENDOR: FieldClass.COST}
"""The class of what is paid."""


class PaymentOrPartner(PartnerTerm):
    """The number of a payment or of what it settles, or part of it, or part of a partner's name."""

    placeholder = phrase("number or partner")


class PaymentList(Keyword, changes=False):
    """The lists of payments that have a name."""

    RECEIVED = phrase("received"), "incoming", "receipts", "收款", "已收", "回款", "到账", "进账", "sk"
    SPENT = phrase("paid"), "spent", "outgoing", "付款", "付出", "已付", "支出", "fk"


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentSum:
    """What payments of one kind of partners in one direction come to in one currency."""

    partner_kind: PartnerKind
    direction: PaymentDirection
    amount: Annotated[Money, ClassedBy("amount_class")]

    @property
    def amount_class(self) -> FieldClass:
        """The class of the payments' own amounts."""
        return _MONEY[self.partner_kind]

    @property
    def of(self) -> tuple[PartnerKind, PaymentDirection]:
        """Whose payments they are, and which way they went."""
        return self.partner_kind, self.direction


_HEADINGS = {
    (PartnerKind.CUSTOMER, PaymentDirection.RECEIVED): phrase("Received from customers"),
    (PartnerKind.VENDOR, PaymentDirection.SPENT): phrase("Paid to vendors"),
    (PartnerKind.CUSTOMER, PaymentDirection.SPENT): phrase("Paid back to customers"),
    (PartnerKind.VENDOR, PaymentDirection.RECEIVED): phrase("Paid back by vendors"),
}
"""What customers paid and what vendors paid back are never added to one another, nor what came in to what went out."""


class _Payments:
    """Adds up payments, those of each kind of partners in each direction by themselves."""

    kind = PAYMENTS

    def sum_up(self, documents: Sequence[Payment]) -> ListTotals[PaymentSum]:
        sums: list[PaymentSum] = []
        for partner_kind, direction in _HEADINGS:
            theirs = [each for each in documents if (each.partner_kind, each.direction) == (partner_kind, direction)]
            amounts = sum_by_currency(each.amount for each in theirs if each.amount) or ()
            sums += [PaymentSum(partner_kind=partner_kind, direction=direction, amount=one) for one in amounts]
        return ListTotals(
            sums=tuple(sums), not_added_up=NotAddedUp(without_amount=sum(each.amount is None for each in documents))
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentListView(DocumentListView):
    """Receipts and payments: the newest, those of a partner, or those in one direction."""

    kind: ClassVar = PAYMENTS

    which: PaymentList | None
    rows: ListedRows[Payment]
    total_amounts: tuple[PaymentSum, ...] = ()  # type: ignore[assignment]  # each with whose it is
    """What the payments of the list come to; empty where not all of them are known."""

    def sums(self) -> Sequence[tuple[Phrase, Sequence[Money]]]:
        theirs = [
            (name, [each.amount for each in self.total_amounts if each.of == of]) for of, name in _HEADINGS.items()
        ]
        return [(name, amounts) for name, amounts in theirs if amounts]


@command(
    "payment",
    aliases=("收付款", "sfk", "收付", "收款单", "付款单", "payments", "receipts"),
    examples=("/payment PAY-1", "/payment INV-7", "/收付款 宏达", "/收付款 收款", "/payment paid"),
    shows=("invoice", "po"),
    changes=False,
    summary=phrase("Receipts and payments: one, a partner's, what was received or paid, or the newest"),
    place=38,
)
async def payment(
    text: PaymentOrPartner | None = None,
    *,
    days: Days | None = None,
    amounts: Amounts | None = None,
    which: PaymentList | None = None,
    documents: Documents,
    context: QuestionContext,
) -> View:
    """Show one receipt or payment, or a list."""
    erp, kept = documents.erp, documents.kept
    fields = {kind: visible_fields(documents.policy, context, bound) for kind, bound in _BOUND_BY.items()}
    bounds = _bounds(amounts, fields, documents)
    of_settled = Settlements(kept, erp, (INVOICES, BILLS), context.now, bounds.kind)
    hit = await documents.find(
        PAYMENTS, text, which=which, days=days, amounts=amounts, bounds=bounds, linked=of_settled.of, sums=_Payments()
    )
    if isinstance(hit, OneDocument):
        return documents.show(PAYMENTS, replace(hit, fields=fields[hit.found.value.partner_kind]))
    hit = replace(hit, fields=fields[PartnerKind.CUSTOMER] | fields[PartnerKind.VENDOR])
    view = PaymentListView.of(hit, context)
    rows, of_rows = _cut_by_partner(view.rows, fields)
    sums, of_sums = _cut_by_partner(view.total_amounts, fields)
    return replace(view, rows=rows, total_amounts=sums, withheld=view.withheld | of_rows | of_sums)


P = TypeVar("P", Payment, PaymentSum)


def _cut_by_partner(
    parts: tuple[P, ...], fields: Mapping[PartnerKind, frozenset[FieldClass]]
) -> tuple[tuple[P, ...], frozenset[FieldClass]]:
    """Return each part as the rules on its kind of partner leave it, and the classes of what was taken out."""
    seen = [cut_part(part, fields[part.partner_kind]) for part in parts]
    return tuple([part for part, _ in seen]), frozenset().union(*(classes for _, classes in seen))


def _bounds(
    amounts: Amounts | None, fields: Mapping[PartnerKind, frozenset[FieldClass]], documents: Documents
) -> BoundedLists[Payment]:
    """Return the lists by amounts: only of the partners whose amounts the reader may see."""
    own = visible_fields(documents.policy, documents.context, "payment")
    kinds = {kind for kind, seen in fields.items() if _MONEY[kind] in seen & own}
    classes = frozenset(map(_MONEY.__getitem__, kinds))
    listed = replace(
        PAYMENTS,
        listed=lambda payment: payment.partner_kind in kinds,
        amounts=replace(PAYMENTS.amounts, classes=classes),
    )
    notes = () if kinds == set(_MONEY) else (phrase("only payments whose amounts you may see"),)
    return BoundedLists.of(amounts, listed, own, documents.kept, documents.context.now, notes=notes)
