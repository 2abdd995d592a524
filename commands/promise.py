"""/promise: whether a customer can be promised a quantity of a product, by a day, in part, or from when."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from enum import Enum
from typing import Annotated, ClassVar

from bot.access.policy import AccessPolicy
from bot.cards.actions import Ask
from bot.cards.view import Button, Label, View
from bot.chat.arguments import Term
from bot.chat.context import QuestionContext
from bot.chat.days import Days
from bot.chat.errors import BadArgument
from bot.chat.links import more_buttons, offered
from bot.chat.parsing import command_line, split
from bot.chat.records.demand import Demand
from bot.chat.records.products import ProductChoice, ProductLookup
from bot.chat.records.reader_hub import visible_fields
from bot.chat.records.supply import COMMANDS, Coming, Cover, closed_parts, read_not_begun, read_supply
from bot.chat.registry import command
from bot.chat.view_parts import Freshness, document_buttons, freshness_of_all
from bot.erp.hub import ErpHub
from bot.erp.model import Product, ProductionOrder, Quantity
from bot.words.disclosure import FieldClass, cut
from bot.words.phrase import phrase


class PromisedGoods(Term):
    """A product's code, or part of its code or name, and how much of it: ``SKU123 500``."""

    placeholder = phrase("SKU and quantity")


class PromiseAnswer(Enum):
    """Whether a quantity can be promised."""

    NOW = "now"
    IN_TIME = "in time"
    LATER = "later"
    """All of it only after the day that was asked for; without one, after today."""
    NEVER = "never"
    """Not with what is known to come."""
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class PromiseView(View):
    """Whether ``cover.needed`` of a product can be promised ``by`` a day, None: now; ``part`` is there by then."""

    card: ClassVar[str] = "promise"

    product: Product
    by: date | None
    line: str
    cover: Cover
    part: Quantity | None
    most: Quantity | None
    """How much of it is there once all has come that is sure to."""
    answer: Annotated[PromiseAnswer, FieldClass.QUANTITY]
    planned: tuple[ProductionOrder, ...] = ()
    """Production of it that has not begun: it is not on its way, and may be."""
    more: tuple[str, ...] = ()
    closed_parts: tuple[Label, ...] = ()
    today: date
    freshness: Freshness

    @property
    def counted(self) -> tuple[Coming, ...]:
        """What comes and is counted on, as far as it is needed."""
        last = self.cover.whole_on or date.max
        return tuple(each for each in self.cover.sure if (each.arrival.due_on or date.max) <= last)

    def question(self) -> Ask:
        return Ask(self.line)

    def buttons(self) -> Sequence[Button]:
        coming = (*self.counted, *self.cover.unsure)
        documents = [
            button
            for each in coming
            for button in document_buttons(COMMANDS[each.arrival.kind], [(each.arrival.document, each.arrival.books)])
        ]
        documents += document_buttons("mo", ((each.number, each.books) for each in self.planned))
        unique = {str(button.label): button for button in documents}
        return (*more_buttons(self.more, self.product.sku), *unique.values())


@command(
    "promise",
    aliases=("承诺", "能否答应", "cn"),
    examples=("/promise SKU123 500", "/承诺 SKU123 500个 周五"),
    shows=("stock", "po", "mo"),
    changes=False,
    slashed=True,
    summary=phrase("Whether a customer can be promised a quantity, and from when"),
    place=27,
)
async def promise(
    goods: PromisedGoods,
    *,
    needed: Demand | None = None,
    days: Days | None = None,
    erp: ErpHub,
    policy: AccessPolicy,
    context: QuestionContext,
) -> View:
    """Show what is there of a product, what comes until a day, and what others were promised."""
    name, amount = (str(goods), needed) if needed else _taken_apart(goods)
    by = _last_day(days, context.today)
    rest = (f"×{amount}", by.isoformat() if by else "")
    found = await ProductLookup(command="promise", erp=erp, context=context, rest=rest).find(name)
    if isinstance(found, ProductChoice):
        return found
    product, today = found.value, context.today
    supply = await read_supply(product.sku, erp, today)
    counted = amount.counted_in(supply.level.product.unit)
    if counted is None:
        raise BadArgument(
            phrase("%(sku)s is counted in %(unit)s; write the quantity so.", sku=product.sku, unit=product.unit)
        )
    cover = supply.cover(counted, today)
    answer = _answer(cover, by or today, is_whole=supply.is_whole)
    seen = freshness_of_all(supply.answers)
    view = PromiseView(
        product=product,
        by=by,
        line=command_line("promise", product.sku, *filter(None, rest)),
        cover=cover,
        part=cover.by(by or today),
        most=cover.by(date.max),
        answer=answer,
        planned=() if answer is PromiseAnswer.NOW else await read_not_begun(product.sku, erp),
        more=offered(erp, "stock", "arrivals", "product", of=supply.answers[0]),
        closed_parts=closed_parts(policy, context),
        today=today,
        freshness=replace(seen, failures=(*seen.failures, *supply.notes)),
    )
    return cut(view, visible_fields(policy, context, "stock"))


def _answer(cover: Cover, by: date, *, is_whole: bool) -> PromiseAnswer:
    if cover.missing is None:
        return PromiseAnswer.UNKNOWN
    if not cover.missing:
        return PromiseAnswer.NOW
    if cover.whole_on is not None:
        return PromiseAnswer.IN_TIME if cover.whole_on <= by else PromiseAnswer.LATER
    return PromiseAnswer.NEVER if is_whole else PromiseAnswer.UNKNOWN


def _taken_apart(goods: str) -> tuple[str, Demand]:
    """Return the product and the quantity of ``SKU123 500个`` or ``500 SKU123``; raises `BadArgument` without one."""
    words = list(split(goods))
    for place in (-1, 0) if len(words) > 1 else ():
        if amount := Demand.take_marked([f"×{words[place].lstrip('xX×*')}"]):
            del words[place]
            return " ".join(words), amount
    raise BadArgument(phrase("Say how much of which product, such as: %(line)s", line="/promise SKU123 500"))


def _last_day(days: Days | None, today: date) -> date | None:
    """Return the last of the days, the next one of its name; raises `BadArgument` for one that is over."""
    if days is None:
        return None
    asked = days.within(today)
    last = (asked if asked.due else Days(f"due {days}").within(today)).period.last
    if last < today:
        raise BadArgument(phrase("%(day)s is over; say a day to come.", day=days))
    return last
