"""/arrivals: what is on its way, of a product, from a vendor or of all, and when it comes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Annotated, ClassVar

from bot.access.policy import AccessPolicy
from bot.cards.notices import Suggestion
from bot.cards.tables import Table
from bot.cards.view import Button, View
from bot.chat.arguments import PartnerTerm
from bot.chat.conditions import Conditions, ListCondition, WiderList, find_emptied
from bot.chat.context import QuestionContext
from bot.chat.days import DayRange, Days
from bot.chat.errors import NothingFound
from bot.chat.links import more_buttons
from bot.chat.parsing import command_line
from bot.chat.records.lookup import MAX_CLOSEST, closest_partners
from bot.chat.records.products import ProductChoice, ProductLookup
from bot.chat.registry import command
from bot.chat.view_parts import EmptiedList, ExportedListView, Freshness, document_buttons, freshness, table_of_lines
from bot.erp.goods.port import ArrivalQuery
from bot.erp.hub import Answer, ErpHub
from bot.erp.model import Area, Product, Slice
from bot.erp.model.goods import Arrival, ArrivalKind
from bot.erp.port import Capability, ListQuery
from bot.read_model.queries import ReadModel
from bot.words.columns import Column
from bot.words.disclosure import HIDDEN, ClassedBy, FieldClass, cut, cut_part
from bot.words.phrase import phrase

_COMMANDS = {ArrivalKind.PURCHASE: "po", ArrivalKind.PRODUCTION: "mo"}
_COLUMNS = (
    Column(phrase("Product"), "sku"),
    Column(phrase("Name"), "name"),
    Column(phrase("Quantity"), "quantity"),
    Column(phrase("Unit"), "unit"),
    Column(phrase("Arrives on"), "due_on"),
    Column(phrase("Days late"), "days_late"),
    Column(phrase("Document"), "document"),
    Column(phrase("Vendor"), "partner"),
    Column(phrase("Warehouse"), "warehouse"),
)


class ProductOrVendor(PartnerTerm):
    """A product's code, or part of its code or name, or part of a vendor's name."""

    placeholder = phrase("SKU or vendor")


@dataclass(frozen=True, slots=True, kw_only=True)
class ArrivalsView(EmptiedList, ExportedListView):
    """Goods on their way, due first; of one ``product``, from a ``vendor``, or all, and of some ``days`` or any."""

    card: ClassVar[str] = "arrivals"
    command: ClassVar[str] = "arrivals"

    product: Product | None
    vendor: Annotated[str, FieldClass.PARTNER] = ""
    days: DayRange | None = None
    rows: tuple[Arrival, ...]
    line: Annotated[str, ClassedBy("line_class")]
    today: date
    freshness: Freshness
    emptied: tuple[WiderList, ...] = ()

    @property
    def line_class(self) -> FieldClass | None:
        """What ``line`` tells: it repeats the vendor's name."""
        return FieldClass.PARTNER if self.vendor != "" else None

    @property
    def has_late(self) -> bool:
        """Whether what is late belongs to the days, so that they have no beginning."""
        return self.days is not None and self.days.period.first <= self.today

    def table(self) -> Table:
        return table_of_lines(_COLUMNS, self, as_of=self.freshness.as_of, today=self.today)

    def row_buttons(self) -> Sequence[Button]:
        documents = [
            button for row in self.rows for button in document_buttons(_COMMANDS[row.kind], [(row.document, row.books)])
        ]
        unique = {str(button.label): button for button in documents}
        stock = more_buttons(("stock",), self.product.sku) if self.product else ()
        return [*unique.values(), *self.widening_buttons(), *stock]

    def typed(self) -> Mapping[ListCondition, str]:
        return {
            ListCondition.TEXT: self.product.sku if self.product else self.vendor,
            ListCondition.DAYS: self.days.typed if self.days else "",
        }


@command(
    "arrivals",
    aliases=("到货", "dh", "在途", "来货", "arrival", "incoming"),
    examples=("/arrivals SKU123", "/到货 宝钢 本周", "/在途"),
    shows=("stock", "po", "mo"),
    changes=False,
    summary=phrase("What is on its way, and when it comes"),
    place=26,
)
async def arrivals(
    product: ProductOrVendor | None = None,
    *,
    days: Days | None = None,
    erp: ErpHub,
    kept: ReadModel,
    policy: AccessPolicy,
    context: QuestionContext,
) -> View:
    """Show what is on its way, of a product or from a vendor, or on some days.

    What is late may still come on any day up to today, so it belongs to days that have begun.
    """
    today = context.today
    asked = days.within(today) if days else None
    query = _within(asked, ArrivalQuery(offset=context.offset, limit=context.rows or ArrivalsView.page_size), today)
    meant, vendor, answer = None, "", None
    if product:
        lookup = ProductLookup(command="arrivals", erp=erp, context=context, rest=(days or "",))
        try:
            found = await lookup.find(product)
        except NothingFound as nothing:
            answer = await _from_vendor(product, query, erp, policy, context)
            if answer is None:
                vendors = await _closest_vendors(product, asked, kept) if _may_name_vendors(policy, context) else ()
                # The name may be that of a vendor whose goods one source does not tell.
                silences = erp.silences(Capability.ARRIVALS, (Area.PURCHASING,))
                closest = (*nothing.closest, *vendors)[:MAX_CLOSEST]
                raise NothingFound(product, closest, (*nothing.notes, *silences)) from None
            vendor = str(product)
        else:
            if isinstance(found, ProductChoice):
                return found
            meant = found.value
            query = replace(query, sku=meant.sku)
    answer = answer or await erp.arrivals(query)

    async def count(part: Conditions) -> int:
        wider = ArrivalQuery(sku=part.product, vendor=part.text, limit=1)
        return (await erp.arrivals(_within(part.days, wider, today))).value.total

    conditions = Conditions(text=vendor, product=query.sku, days=asked)
    emptied = () if answer.value.total else await find_emptied(conditions, count)
    seen = [_seen(row, policy, context) for row in answer.value.items]
    return ArrivalsView(
        product=meant,
        vendor=vendor,
        days=asked,
        rows=tuple([row for row, _ in seen]),
        withheld=frozenset().union(*(classes for _, classes in seen)),
        total=answer.value.total,
        offset=context.offset,
        line=command_line("arrivals", meant.sku if meant else vendor, *(asked.typed.split() if asked else ())),
        today=today,
        freshness=freshness(answer),
        emptied=emptied,
    )


async def _from_vendor(
    name: str, query: ArrivalQuery, erp: ErpHub, policy: AccessPolicy, context: QuestionContext
) -> Answer[Slice[Arrival]] | None:
    """Return what is on its way from the vendors whose names hold ``name``; None where there are none for the asker."""
    if not erp.offers(Capability.ARRIVALS) or not _may_name_vendors(policy, context):
        return None
    found = await erp.arrivals(replace(query, vendor=name))
    if found.value.total or (
        erp.offers(Capability.VENDORS) and (await erp.vendors(ListQuery(text=name, limit=1))).value.total
    ):
        return found
    return None


def _may_name_vendors(policy: AccessPolicy, context: QuestionContext) -> bool:
    seen = policy.decide_area(context.person, "po", context.conversation.id)
    return seen.allowed and FieldClass.PARTNER in seen.grant.fields


async def _closest_vendors(name: str, days: DayRange | None, kept: ReadModel) -> tuple[Suggestion, ...]:
    """Return the lines for the vendors whose names are most like a name."""
    words = days.typed.split() if days else ()
    return tuple(
        Suggestion(command_line("arrivals", vendor, *words), vendor, tells=FieldClass.PARTNER)
        for vendor, area in await closest_partners(name, kept)
        if area is Area.PURCHASING
    )


def _within(days: DayRange | None, query: ArrivalQuery, today: date) -> ArrivalQuery:
    """Return the query for what arrives on some days; what is late belongs to days that have begun."""
    if days is None:
        return query
    first, last = days.period.first, days.period.last
    return replace(query, since=first if first > today else None, until=last)


def _seen(row: Arrival, policy: AccessPolicy, context: QuestionContext) -> tuple[Arrival, frozenset[FieldClass]]:
    """Return what the asker may see, the quantity as news of stock, the vendor by the rules on the document.

    With it come the classes of what is hidden.
    """

    def fields(name: str) -> frozenset[FieldClass]:
        return policy.decide_area(context.person, name, context.conversation.id).grant.fields

    shown, of_stock = cut_part(row, fields("stock") | {FieldClass.PARTNER})
    partner = cut(row, fields(_COMMANDS[row.kind])).partner
    of_document = {FieldClass.PARTNER} if partner is HIDDEN else set()
    return replace(shown, partner=partner), of_stock | of_document
