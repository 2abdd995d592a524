"""Quotations: what the company offered to customers, until when it holds, and which order came of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from operator import attrgetter

from bot.erp.capabilities import Capability
from bot.erp.kinds.cards import GOODS_LINES, Deciding, DocumentCards, Lateness, State
from bot.erp.kinds.kind import DocumentAmounts, Kind, KindWords, NamedList, Orders, numbers_in
from bot.erp.kinds.rules import ORDER_RULES
from bot.erp.kinds.sales_orders import SALES_ORDERS
from bot.erp.list_query import Filter
from bot.erp.model import Area, ErpRecord, Feed, OrderLine, PartnerName, Review, SalesAmount
from bot.erp.validation_rules import days, missing_name
from bot.words.columns import Column
from bot.words.disclosure import FieldClass
from bot.words.phrase import phrase


class QuotationStatus(StrEnum):
    """State of a quotation (docs: platform/erp/records.md#quotations-and-until-when-they-hold).

    Whether it expired, its day tells.
    """

    DRAFT = "draft"
    SENT = "sent"
    ACCEPTED = "accepted"
    LOST = "lost"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True, kw_only=True)
class Quotation(ErpRecord):
    """An offer to a customer; ``valid_until`` is the last day on which it holds."""

    number: str
    customer: PartnerName
    status: QuotationStatus
    quoted_on: date | None
    valid_until: date | None
    total: SalesAmount | None
    lines: tuple[OrderLine, ...] = ()
    """Empty in lists: only a single quotation is read with its lines."""
    salesperson: str = ""
    order_number: str = ""
    """The order that came of it; several with commas between them."""
    review: Review | None = None
    """How far it is on its way through the ERP's approval; None where the ERP tells of none."""

    @property
    def is_open(self) -> bool:
        """Whether the customer has not answered yet, or was not asked."""
        return self.status in {QuotationStatus.DRAFT, QuotationStatus.SENT}

    def days_late(self, today: date) -> int:
        """Return the days since the last on which it held if nobody has answered, else 0."""
        if self.valid_until is None or not self.is_open:
            return 0
        return max(0, (today - self.valid_until).days)


_valid_until = attrgetter("valid_until")

QUOTATIONS: Kind[Quotation] = Kind(
    record=Quotation,
    command="quote",
    words=KindWords(
        many=phrase("Quotations"),
        open=phrase("Open quotations"),
        late=phrase("Expired quotations"),
        prefixes=("qt", "qtn", "sq", "salqtn", "bj", "bjd", "xsbj"),
    ),
    areas=(Area.SALES,),
    capability=Capability.QUOTATIONS,
    by_product=Capability.QUOTATIONS_OF_PRODUCT,
    feed=Feed.QUOTATIONS,
    reads=("quotation", "quotations"),
    orders=Orders(SALES_ORDERS, lambda quotation: numbers_in(quotation.order_number)),
    texts=attrgetter("number", "customer"),
    partner=attrgetter("customer"),
    owners=lambda quotation: (quotation.salesperson,),
    day=attrgetter("quoted_on"),
    due=_valid_until,
    days_late=Quotation.days_late,
    filters={
        Filter.OPEN: NamedList(lambda quotation, today: quotation.is_open, _valid_until),
        Filter.LATE: NamedList(lambda quotation, today: quotation.days_late(today) > 0, _valid_until),
    },
    counts=lambda quotation: quotation.status in {QuotationStatus.SENT, QuotationStatus.ACCEPTED},
    is_unfinished=attrgetter("is_open"),
    amounts=DocumentAmounts(attrgetter("total"), frozenset({FieldClass.AMOUNT})),
    inside="lines",
    rules=(*ORDER_RULES, missing_name("customer"), days("quoted_on", "valid_until")),
    cards=DocumentCards(
        deciding=Deciding(
            title=lambda number: phrase("Quotation %(number)s", number=number),
            waiting=phrase("Quotation to approve"),
            day=phrase("Quoted"),
            due=phrase("Valid until"),
        ),
        title=lambda quotation: phrase("Quotation %(number)s", number=quotation.number),
        newest=phrase("Newest quotations"),
        due=phrase("valid until %(days)s"),
        lateness=Lateness.EXPIRED,
        columns=(
            Column(phrase("Number"), "number"),
            Column(phrase("Customer"), "customer"),
            Column(phrase("Status"), "status"),
            Column(phrase("Quoted"), "quoted_on"),
            Column(phrase("Valid until"), "valid_until"),
            Column(phrase("Days expired"), "days_late"),
            Column(phrase("Amount"), "total"),
            Column(phrase("Salesperson"), "salesperson"),
            Column(phrase("Order"), "order_number"),
        ),
        lines=(*GOODS_LINES, Column(phrase("Price"), "price"), Column(phrase("Amount"), "amount")),
        states=(
            State(QuotationStatus.DRAFT, phrase("Draft")),
            State(QuotationStatus.SENT, phrase("Sent"), "blue"),
            State(QuotationStatus.ACCEPTED, phrase("Accepted"), "green"),
            State(QuotationStatus.LOST, phrase("Lost"), "red"),
            State(QuotationStatus.CANCELLED, phrase("Cancelled")),
        ),
    ),
)
