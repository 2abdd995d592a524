"""What the cards of customers and vendors have in common."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, ClassVar, NamedTuple, Self

from bot.access.policy import AccessPolicy
from bot.cards.actions import Ask
from bot.cards.view import Button, View
from bot.chat.arguments import Keyword
from bot.chat.context import QuestionContext
from bot.chat.document_views import OneOfKind, view_of_list
from bot.chat.links import links_of
from bot.chat.parsing import command_line, marked
from bot.chat.records.kept_documents import read_kept
from bot.chat.records.list_totals import sum_by_currency
from bot.chat.records.lookup import OneDocument
from bot.chat.records.partner_lookup import PartnerLookup, read_newest, read_open, with_notes
from bot.chat.records.rankings import RankedBy, RankingRequest, rank_partners
from bot.chat.records.reader_hub import command_of, visible_fields
from bot.chat.registry import Commands
from bot.chat.view_parts import Freshness, ask_buttons, freshness_of_all
from bot.erp.hub import Answer, ErpHub
from bot.erp.kinds import Kind
from bot.erp.model import Bill, Invoice, Money, Slice
from bot.read_model.queries import ReadModel
from bot.words.disclosure import cut
from bot.words.phrase import Phrase, phrase

NEWEST = 3
"""Orders that are shown; a button leads to all."""


class PartnerRead(NamedTuple):
    """What was read of a partner; ``is_part``: only what the reader may see of it is counted in ``owed``."""

    document: Any
    owed: tuple[Money, ...] | None
    is_part: bool
    newest: tuple[Any, ...] | None
    today: date


@dataclass(frozen=True, slots=True, kw_only=True)
class PartnerView(OneOfKind, View):
    """One customer or vendor, what is open with them, and their newest orders.

    What is None cannot be told: the ERP does not say it, or there are too many documents to add up. ``part``: only
    documents that the reader may see are counted, and there may be others.
    """

    orders_of: ClassVar[Kind[Any]]
    owed_of: ClassVar[Kind[Any]]
    """The kinds of their orders, and of what is to be paid."""
    debt: ClassVar[str]
    """The field that says what is owed: of the ERP's record, and of the view."""
    newest_read: ClassVar[int] = NEWEST
    """How many of the newest orders are looked at."""

    document: Any
    open_sums: tuple[Money, ...] | None = None
    """What the open invoices or bills come to, where the ERP's ledger states another debt."""
    overdue: tuple[Money, ...] | None
    overdue_count: int | None
    days_overdue: int
    open_orders: int | None
    late_orders: int | None
    orders: tuple[Any, ...]
    part: bool
    today: date
    freshness: Freshness
    links: tuple[str, ...] = ()

    def question(self) -> Ask:
        return Ask(command_line(self.command, self.document.code, books=self.document.books))

    def buttons(self) -> Sequence[Button]:
        orders = ask_buttons(self.orders_of.command, (order.number for order in self.orders))
        return (*self._first_buttons(), *orders, *self._last_buttons())

    @classmethod
    async def read(cls, erp: ErpHub, kept: ReadModel, found: Answer[Any], context: QuestionContext) -> Self:
        """Return the view of the partner found, with the newest orders, those that are open, and what is unpaid."""
        kinds = (cls.kind, cls.orders_of, cls.owed_of)
        # What the partner has at a source that does not tell such things is not known.
        silences = [each for kind in kinds for each in erp.silences(kind.capability, kind.areas)]
        links = links_of(cls.kind, erp, of=found)
        erp = erp.beside(found.value)
        kept, name, today = kept.narrowed(erp), found.value.name, context.today
        kept_orders, kept_owed = await asyncio.gather(
            read_kept(kept, erp, cls.orders_of, name, newest=cls.newest_read, now=context.now),
            read_kept(kept, erp, cls.owed_of, name, newest=0, now=context.now),
        )
        newest, ordered, unpaid = await asyncio.gather(
            read_newest(erp, cls.orders_of, name, cls.newest_read, kept_orders),
            read_open(erp, cls.orders_of, name, kept_orders),
            read_open(erp, cls.owed_of, name, kept_owed),
        )
        document = replace(found.value, **{cls.debt: None}) if unpaid.part else found.value
        stated = getattr(document, cls.debt)
        orders, owed = ordered.whole, sum_owed(stated, unpaid.whole)
        overdue = None if unpaid.whole is None else [each for each in unpaid.whole if each.days_overdue(today)]
        answers = (found, newest, ordered.answer, unpaid.answer)
        seen = with_notes(freshness_of_all([each for each in answers if each is not None]), ordered, unpaid)
        read = PartnerRead(document, owed, unpaid.part, newest and newest.value.items, today)
        told: dict[str, Any] = {cls.debt: owed, **cls.told(read)}
        return cls(
            document=document,
            open_sums=sum_beside(stated, unpaid.whole),
            overdue=None if overdue is None else sum_by_currency(each.open_amount for each in overdue),
            overdue_count=None if overdue is None else len(overdue),
            days_overdue=max((each.days_overdue(today) for each in overdue or ()), default=0),
            open_orders=ordered.count,
            late_orders=None if orders is None else sum(order.days_late(today) > 0 for order in orders),
            orders=() if newest is None else newest.value.items[:NEWEST],
            part=ordered.part or unpaid.part,
            today=today,
            books=marked(found.value.books),
            freshness=replace(
                seen,
                failures=_each_once(*seen.failures, *_together(newest, ordered.answer, unpaid.answer), *silences),
            ),
            links=links,
            **told,
        )

    @classmethod
    def told(cls, read: PartnerRead) -> Mapping[str, object]:
        """Return the fields that partners on one side of the business alone have."""
        raise NotImplementedError


async def show_partner(
    view: type[PartnerView],
    name: str,
    which: Keyword | None,
    by: RankedBy | None,
    *,
    erp: ErpHub,
    kept: ReadModel,
    context: QuestionContext,
    policy: AccessPolicy,
    commands: Commands,
) -> View:
    """Return one partner with what is open, a list of them, or the ranking that the keyword ``which`` asks for."""
    if which and by and (asked := RankingRequest.read(view.command, which, by, name, context.today)):
        return await rank_partners(asked, erp=erp, kept=kept, policy=policy, context=context)
    areas = dict.fromkeys((view.orders_of.area, view.owed_of.area))
    fields = visible_fields(policy, context, *map(command_of, areas))
    lookup = PartnerLookup(view.kind, erp, view.command)
    hit, text = await lookup.look_up_asked(name, which, commands, context)
    if isinstance(hit, OneDocument):
        return cut(await view.read(erp, kept, hit.found, context), fields)
    return view_of_list(view.kind).of(replace(hit, text=text, fields=fields), context)


def _each_once(*said: Phrase) -> tuple[Phrase, ...]:
    return tuple({str(each): each for each in said}.values())


def _together(*answers: Answer[Slice[Any]] | None) -> tuple[Phrase, ...]:
    """Return what to say where documents of several companies are counted together."""
    books = dict.fromkeys(each.books for answer in answers if answer is not None for each in answer.value.items)
    if len(books) < 2:
        return ()
    return (phrase("%(names)s together", names=tuple(" · ".join(names) for names in books)),)


def sum_beside(stated: Money | None, unpaid: Iterable[Invoice | Bill] | None) -> tuple[Money, ...] | None:
    """Return the sum of what is open where the ERP's ledger states another debt; None where they agree."""
    if stated is None or unpaid is None:
        return None
    sums = sum_by_currency(each.open_amount for each in unpaid)
    return None if sums in ((stated,), ()) and (sums or not stated.amount) else sums


def sum_owed(stated: Money | None, unpaid: Iterable[Invoice | Bill] | None) -> tuple[Money, ...] | None:
    """Return what the ERP states, else the sum of what is open."""
    if stated is not None:
        return (stated,)
    return None if unpaid is None else sum_by_currency(each.open_amount for each in unpaid)
