"""/bill: what the company owes its vendors, and what is overdue."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from bot.cards.actions import Ask
from bot.cards.view import Button, View
from bot.chat.amounts import Amounts
from bot.chat.arguments import Keyword, PartnerTerm
from bot.chat.context import QuestionContext
from bot.chat.days import Days
from bot.chat.document_views import DocumentListView, ListedRows, RecordView
from bot.chat.parsing import command_line
from bot.chat.records.documents import Documents
from bot.chat.records.links import more_buttons, offered
from bot.chat.records.lookup import DocumentList
from bot.chat.registry import command
from bot.chat.view_parts import ask_buttons, erp_link_buttons
from bot.erp.kinds import BILLS
from bot.erp.model import Bill
from bot.words.phrase import phrase


class BillOrVendor(PartnerTerm):
    """The number of a bill, ours or the vendor's, or of its order, or part of a number or of a vendor's name."""

    placeholder = phrase("number or vendor")


class BillList(Keyword, changes=False):
    """The lists of bills that have a name."""

    OVERDUE = phrase("overdue"), "late", "逾期", "超期", "到期未付", "yq"
    OPEN = phrase("open"), "未结", "未付", "to pay", "待付", "待付款", "应付未付"


@dataclass(frozen=True, slots=True, kw_only=True)
class BillListView(DocumentListView):
    """Invoices by vendors: the newest, those of a vendor, the open or the overdue ones."""

    kind: ClassVar = BILLS

    which: BillList | None
    rows: ListedRows[Bill]


@dataclass(frozen=True, slots=True, kw_only=True)
class BillView(RecordView):
    """One invoice by a vendor."""

    kind: ClassVar = BILLS

    document: Bill
    links: tuple[str, ...] = ()
    """The commands that tell more of the vendor."""
    receipts: tuple[str, ...] = ()
    """The command that tells what came in of the order."""

    def buttons(self) -> Sequence[Button]:
        vendor = self.document.vendor
        order = ask_buttons("po", (self.document.order_number,))
        others = Button(phrase("This vendor's bills"), Ask(command_line("bill", vendor)))
        came_in = more_buttons(self.receipts, self.document.order_number)
        about = more_buttons(self.links, vendor)
        return (*order, others, *about, *came_in, *erp_link_buttons(self.document.url))


@command(
    "bill",
    aliases=("应付", "yf", "供应商发票", "进项发票", "bills", "payables"),
    examples=("/bill BILL-1", "/应付 逾期", "/bill open"),
    shows=("po",),
    changes=False,
    summary=phrase("Vendors' invoices: one, a vendor's, the open or the overdue ones"),
    place=36,
)
async def bill(
    text: BillOrVendor | None = None,
    *,
    days: Days | None = None,
    amounts: Amounts | None = None,
    which: BillList | None = None,
    documents: Documents,
    context: QuestionContext,
) -> View:
    """Show one bill, or a list."""
    hit = await documents.find(BILLS, text, which=which, days=days, amounts=amounts)
    if isinstance(hit, DocumentList):
        return BillListView.of(hit, context)
    links = offered(documents.erp, "vendor", "payment", of=hit.found)
    # What came in of an order is found by the order itself.
    receipts = offered(documents.erp, "receipt", of=hit.found) if offered(documents.erp, "po", of=hit.found) else ()
    return BillView.of(hit, context, links=links, receipts=receipts)
