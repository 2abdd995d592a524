"""/find: documents, products and partners with this number or name. It also answers lines that name no command."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from typing import Annotated, Any, ClassVar

from bot.access.policy import AccessPolicy
from bot.cards.actions import Ask
from bot.cards.status_labels import status_label
from bot.cards.tables import Table
from bot.cards.view import Button, Label, ListView, View
from bot.chat.arguments import PartnerTerm
from bot.chat.context import QuestionContext
from bot.chat.errors import NothingFound
from bot.chat.parsing import command_line
from bot.chat.registry import Commands, command
from bot.chat.view_parts import Freshness, button_label, freshness_of_all, table_of_lines
from bot.erp.errors import Unsupported
from bot.erp.hub import Answer, ErpHub
from bot.erp.kinds import AREA_KINDS, PARTNERS, Kind
from bot.erp.model import Area, ErpRecord, PartnerKind, PartnerRecord, Product
from bot.erp.port import ListQuery
from bot.words.columns import Column
from bot.words.disclosure import ALL_FIELDS, ClassedBy, FieldClass, cut
from bot.words.phrase import Phrase, phrase
from bot.words.spelling import other_spellings

_OF_PARTNERS: frozenset[Area | PartnerKind] = frozenset({Area.SALES, Area.FINANCE, Area.PURCHASING, *PartnerKind})
"""What is found by the names of customers and vendors."""
_BOUND_BY = {"customer": "order", "vendor": "po"}
"""The command whose rules bind what is told of partners."""


FEW = 3
"""Hits that are shown one by one; more of one area become one row that leads to their list."""
COUNTED = 40
"""Products that are counted: ERPs do not say how many fit, and a question must not read them all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit:
    """A product, document or partner, or with ``count`` > 1 a list of them; ``line`` opens it."""

    area: Area | PartnerKind
    line: Annotated[str, ClassedBy("line_class")]
    key: str
    name: Annotated[str, ClassedBy("name_class")]
    count: int = 1
    more: bool = False
    """There are more than ``count``: the ERP did not say how many."""
    exact: bool = False
    by_number: bool = False
    """Whether what was asked for is in the number, so that it tells nothing of a name."""
    books: tuple[str, ...] = ()

    @property
    def name_class(self) -> FieldClass | None:
        """Whose name it is: a product's or a partner's."""
        return FieldClass.PARTNER if self.area in _OF_PARTNERS else None

    @property
    def line_class(self) -> FieldClass | None:
        """What ``line`` tells: that of a list repeats what was asked for."""
        return self.name_class if not self.key and not self.by_number else None


_COLUMNS = (
    Column(phrase("Area"), "area"),
    Column(phrase("Number"), "key"),
    Column(phrase("Name"), "name"),
    Column(phrase("Hits"), lambda row: phrase("more than %(num)d hits", num=row.count) if row.more else row.count),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Hits(ListView):
    """What was found in several areas."""

    card: ClassVar[str] = "hits"

    asked: Annotated[str, ClassedBy("asked_class")]
    line: Annotated[str, ClassedBy("asked_class")]
    rows: tuple[Hit, ...]
    freshness: Freshness

    @property
    def asked_class(self) -> FieldClass | None:
        """What the words tell that were asked for, if they are in the names that were found."""
        named = any(row.area in _OF_PARTNERS and not row.by_number for row in self.rows)
        return FieldClass.PARTNER if named else None

    def row_buttons(self) -> Sequence[Button]:
        return [Button(_label(row), Ask(row.line)) for row in self.rows]

    def table(self) -> Table:
        return table_of_lines(_COLUMNS, self, as_of=self.freshness.as_of)


def _label(row: Hit) -> Label:
    return button_label(row.key, row.books) if row.key else status_label(row.area)


@dataclass(frozen=True, slots=True)
class _AreaAnswer:
    """What one area answered."""

    found: Answer[Any]
    hits: tuple[Hit, ...]


_Search = Callable[[], Awaitable[_AreaAnswer]]


@command(
    "find",
    aliases=("查找", "cz", "搜索", "search"),
    examples=("/find 螺丝", "SKU123", "SO-1001"),
    changes=False,
    summary=phrase("Everything with this number or name"),
    place=60,
)
async def find(
    text: PartnerTerm, *, erp: ErpHub, context: QuestionContext, commands: Commands, policy: AccessPolicy
) -> View | Ask:
    """Open the one thing that has this number or name, or show what there is to choose from."""
    usable = {command.name for command in commands.usable(policy, context)}
    answers, hits = await _search(_searches(erp, text), usable)
    chosen = [(name, hit) for name, hit in hits if hit.exact] or await _spelled_otherwise(erp, text, usable) or hits
    if len(chosen) != 1:
        # Partners of this name are offered beside their documents.
        partners, named = await _search(_partner_searches(erp, text), usable)
        answers = {**partners, **answers}
        chosen = [*named, *chosen]
    if not chosen:
        raise NothingFound(text, notes=_notes_of(answers.values()))
    if len(chosen) == 1:
        return Ask(chosen[0][1].line)
    hits_view = Hits(
        asked=text,
        rows=tuple(hit for _, hit in chosen[context.offset :]),
        total=len(chosen),
        offset=context.offset,
        line=command_line("find", text),
        freshness=freshness_of_all([answer.found for answer in answers.values()]),
    )
    # The rules on an area's command bind its documents here, too.
    verdicts = (
        policy.decide_area(context.person, _BOUND_BY.get(name, name), context.conversation.id)
        for name in {name for name, _ in chosen}
    )
    return cut(hits_view, ALL_FIELDS.intersection(*(verdict.grant.fields for verdict in verdicts)))


def _notes_of(answers: Iterable[_AreaAnswer]) -> tuple[Phrase, ...]:
    """Return what the searches could not look through, each reason once."""
    notes = {str(note): note for answer in answers for note in answer.found.notes}
    return tuple(notes.values())


async def _search(
    offered: Mapping[str, _Search], usable: Set[str]
) -> tuple[Mapping[str, _AreaAnswer], Sequence[tuple[str, Hit]]]:
    """Return the answers and the hits of searches, by the names of their commands."""
    searches = {name: search for name, search in offered.items() if name in usable}
    found = zip(searches, await asyncio.gather(*map(_if_supported, searches.values())), strict=True)
    answers = {name: answer for name, answer in found if answer}
    return answers, [(name, hit) for name, answer in answers.items() for hit in answer.hits]


async def _spelled_otherwise(erp: ErpHub, text: str, usable: Set[str]) -> Sequence[tuple[str, Hit]]:
    """Return what has exactly the number that ``text`` spells with other signs between its letters and digits."""
    for number in other_spellings(text):
        _, hits = await _search(_searches(erp, number), usable)
        if exact := [(name, hit) for name, hit in hits if hit.exact]:
            return exact
    return ()


def _searches(erp: ErpHub, text: str) -> dict[str, _Search]:
    """Return the search of each area under the name of the command that shows its hits."""

    async def products() -> _AreaAnswer:
        found = await erp.find_products(text, limit=COUNTED + 1)
        line = command_line("stock", text)
        hits = tuple(_product_hit(product, text) for product in found.value)
        count = min(len(hits), COUNTED)
        return _AreaAnswer(found, _few(hits, Area.PRODUCTS, line, count=count, more=len(hits) > count))

    def documents(kind: Kind[Any]) -> _Search:
        async def search() -> _AreaAnswer:
            found = await erp.documents(kind, ListQuery(text=text, limit=FEW))
            hits = tuple(_document_hit(kind, each, text) for each in found.value.items)
            return _AreaAnswer(found, _few(hits, kind.area, command_line(kind.command, text), count=found.value.total))

        return search

    return {"stock": products, **{kind.command: documents(kind) for kind in AREA_KINDS}}


def _partner_searches(erp: ErpHub, text: str) -> dict[str, _Search]:
    """Return the searches for customers and vendors under the names of their commands."""

    def partners(kind: Kind[Any]) -> _Search:
        async def search() -> _AreaAnswer:
            found = await erp.documents(kind, ListQuery(text=text, limit=FEW))
            side = PartnerKind(kind.command)
            hits = tuple(_partner_hit(side, kind.command, each, text) for each in found.value.items)
            return _AreaAnswer(found, _few(hits, side, command_line(kind.command, text), count=found.value.total))

        return search

    return {kind.command: partners(kind) for kind in PARTNERS}


def _partner_hit(kind: PartnerKind, name: str, partner: PartnerRecord, text: str) -> Hit:
    """Return the hit of a partner, whom the name names as the code does; without a code the name opens it."""
    is_named = text.casefold() in (partner.code.casefold(), partner.name.casefold())
    line = command_line(name, partner.code or partner.name, books=partner.books)
    return Hit(area=kind, line=line, key=partner.code, name=partner.name, exact=is_named, books=partner.books)


async def _if_supported(search: _Search) -> _AreaAnswer | None:
    """Search an area; an ERP without that area has nothing there."""
    try:
        return await search()
    except Unsupported:
        return None


def _hit(area: Area, name: str, key: str, title: str, text: str, books: tuple[str, ...] = ()) -> Hit:
    number, asked = key.casefold(), text.casefold()
    return Hit(
        area=area,
        line=command_line(name, key, books=books),
        key=key,
        name=title,
        books=books,
        exact=number == asked,
        by_number=asked in number,
    )


def _document_hit(kind: Kind[Any], document: ErpRecord, text: str) -> Hit:
    return _hit(kind.area, kind.command, document.number, kind.title(document), text, document.books)


def _product_hit(product: Product, text: str) -> Hit:
    """Return the hit of a product, which its barcode names as its code does."""
    hit = _hit(Area.PRODUCTS, "stock", product.sku, product.name, text)
    return replace(hit, exact=True) if product.barcode and product.barcode == text else hit


def _few(
    hits: tuple[Hit, ...], area: Area | PartnerKind, line: str, *, count: int, more: bool = False
) -> tuple[Hit, ...]:
    """Return the hits one by one if they are few or one is exactly what was asked for, else one row for all."""
    exact = tuple(hit for hit in hits if hit.exact)
    if exact or count <= FEW:
        return exact or hits
    by_number = all(hit.by_number for hit in hits)
    return (Hit(area=area, line=line, key="", name="", count=count, more=more, by_number=by_number),)
