"""/compare: two partners, products, people, warehouses or periods beside each other, with the difference."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import reduce
from typing import Annotated, Any, ClassVar

from bot.access.policy import AccessPolicy
from bot.cards.actions import Ask
from bot.cards.view import Button, Label, View
from bot.chat.arguments import PartnerTerm, Warehouse
from bot.chat.context import QuestionContext
from bot.chat.days import DayRange, DaysOrMonth
from bot.chat.errors import BadArgument
from bot.chat.parsing import command_line
from bot.chat.records.compared_sides import ComparedSide, SideKind, SideLookup, joined_names, typed_days
from bot.chat.records.comparison import (
    ComparedFigure,
    figures_of_kind,
    figures_of_lines,
    figures_of_stock,
    figures_of_stores,
)
from bot.chat.records.rankings import YEAR
from bot.chat.records.reader_hub import command_of, visible_fields
from bot.chat.registry import command
from bot.chat.view_parts import freshness_of_all, said_days
from bot.erp.hub import ErpHub
from bot.erp.kinds import Kind
from bot.erp.port import Period
from bot.read_model.queries import Coverage, ReadModel
from bot.words.disclosure import ALL_FIELDS, HIDDEN, ClassedBy, FieldClass, cut, cut_part
from bot.words.phrase import Phrase, phrase


class ComparedNames(PartnerTerm):
    """Two names or codes, such as ``宏达 vs 华东机械``; one, or none, where two periods are compared."""

    placeholder = phrase("one vs other")


_COMMANDS = {SideKind.CUSTOMER: "customer", SideKind.VENDOR: "vendor", SideKind.PRODUCT: "stock"}
_STOCK = {SideKind.PRODUCT: figures_of_stock, SideKind.WAREHOUSE: figures_of_stores}
_PAIR = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class CompareView(View):
    """Two sides with their figures. ``closed_parts`` are the documents of which the asker may see nothing.

    ``unread`` documents have lines that are not known; else as of `bot.chat.records.rankings.RankingView`.
    """

    card: ClassVar[str] = "compare"

    sides: tuple[ComparedSide, ComparedSide]
    figures: tuple[ComparedFigure, ...]
    line: Annotated[str, ClassedBy("line_class")]
    closed_parts: tuple[Label, ...] = ()
    coverage: Coverage
    stale: bool
    narrowed: bool
    unread: int = 0
    silences: tuple[Phrase, ...] = ()

    @property
    def line_class(self) -> FieldClass | None:
        """What ``line`` tells: it repeats the names."""
        return self.sides[0].name_class

    @property
    def is_of_two(self) -> bool:
        """Whether the sides are called differently: one partner or product may be compared in two periods."""
        return self.sides[0].name != self.sides[1].name or self.line is HIDDEN

    @property
    def same_days(self) -> bool:
        """Whether both sides are of the same days."""
        return self.sides[0].days == self.sides[1].days

    @property
    def is_partial(self) -> bool:
        """Whether documents of the days may be missing."""
        return not self.coverage.is_complete_from(min(side.days.first for side in self.sides))

    def question(self) -> Ask | None:
        return None if self.line is HIDDEN else Ask(self.line)

    def buttons(self) -> Sequence[Button]:
        return tuple(filter(None, map(_lead, self.sides if self.is_of_two else self.sides[:1])))


def _lead(side: ComparedSide) -> Button | None:
    """Return the button that shows a side alone."""
    if side.name is HIDDEN:
        return None
    match side.kind:
        case SideKind.WAREHOUSE:
            return Button(side.name, Ask(command_line("stock", f"@{side.name}")))
        case SideKind.COMPANY:
            return Button(said_days(DayRange(side.days)), Ask(f"/report {side.name}"))
        case SideKind.PERSON:
            return Button(side.name, Ask(command_line("order", side.name)))
    return Button(side.name, Ask(command_line(_COMMANDS[side.kind], side.name)))


@command(
    "compare",
    aliases=("对比", "比较", "db"),
    examples=(
        "/compare 宏达 vs 华东机械",
        "/对比 SKU123 vs SKU124 本月",
        "/compare last month this month",
    ),
    shows=("order", "invoice", "po", "mo", "stock"),
    changes=False,
    slashed=True,
    summary=phrase("Two partners, products, people, warehouses or periods side by side"),
    place=21,
)
async def compare(
    names: ComparedNames | None = None,
    *,
    store: Warehouse | None = None,
    other_store: Warehouse | None = None,
    days: DaysOrMonth | None = None,
    other_days: DaysOrMonth | None = None,
    erp: ErpHub,
    kept: ReadModel,
    policy: AccessPolicy,
    context: QuestionContext,
) -> View:
    """Show two sides of the same days, or one in two periods; of a year where no days are named."""
    today = context.today
    periods = [_seen(each.within(today).period, today) for each in (days, other_days) if each]
    stores = [str(each) for each in (store, other_store) if each]
    kind, found = await SideLookup(erp, kept, context).find(
        names or "", stores, count=1 if len(periods) == _PAIR else _PAIR
    )
    both = periods if len(periods) == _PAIR else (periods or [Period(today - YEAR, today)]) * _PAIR
    called = found * (_PAIR // len(found)) if found else tuple(map(typed_days, both))
    one, other = (ComparedSide(name=name, days=each, kind=kind) for name, each in zip(called, both, strict=True))
    if one == other:
        raise BadArgument(phrase("Both sides are the same. Say two names, or two periods."))
    words = (f"@{each}" for each in found) if kind is SideKind.WAREHOUSE else joined_names(found)
    return await _Figures((one, other), erp, kept, policy, context).view(
        command_line("compare", *words, *dict.fromkeys(map(typed_days, periods)))
    )


def _seen(days: Period, today: date) -> Period:
    """Return days up to today; days to come stay as they are."""
    return Period(days.first, min(days.last, today)) if days.first <= today else days


@dataclass(frozen=True, slots=True)
class _Figures:
    """Reads the figures of two sides, each with what the rules on its documents leave to the asker."""

    sides: tuple[ComparedSide, ComparedSide]
    erp: ErpHub
    kept: ReadModel
    policy: AccessPolicy
    context: QuestionContext

    async def view(self, line: str) -> CompareView:
        kind = self.sides[0].kind
        shown = [each for each in kind.kinds if self._may_see(each.command) and self.erp.visible_sources(each.followed)]
        closed = [each.words.many for each in kind.kinds if not self._may_see(each.command)]
        read = [(each, *await self._of_kind(each)) for each in shown]
        figures: list[ComparedFigure] = []
        withheld: set[FieldClass] = set()
        for each, part, _, _ in read:
            cut_figures, classes = cut_part(
                tuple(part), visible_fields(self.policy, self.context, each.command, command_of(each.area))
            )
            figures += [each for n, each in enumerate(cut_figures) if each not in cut_figures[:n]]
            withheld |= classes
        coverages = [coverage for _, _, coverage, _ in read]
        coverage = reduce(Coverage.joined, coverages) if coverages else Coverage(as_of=None, complete_since=None)
        stock, classes, notes = await self._of_stock(kind)
        if stock is None:
            closed.append(phrase("stock"))
        view = CompareView(
            sides=self.sides,
            figures=(*(stock or ()), *figures),
            line=line,
            closed_parts=tuple(closed),
            coverage=coverage,
            stale=coverage.is_stale(self.context.now),
            narrowed=any(self.erp.hides_documents(each.followed) for each in shown),
            unread=max((unread for *_, unread in read), default=0),
            silences=(*self.erp.silences_about(*(each.followed for each in kind.kinds)), *notes),
            withheld=frozenset(withheld | classes),
        )
        return cut(view, ALL_FIELDS - ({FieldClass.PARTNER} - self._names()))

    def _names(self) -> frozenset[FieldClass]:
        """Return whether the asker may see the names of the partners that are compared."""
        commands = (each.command for each in self.sides[0].kind.kinds)
        return visible_fields(self.policy, self.context, *commands)

    async def _of_kind(self, kind: Kind[Any]) -> tuple[list[ComparedFigure], Coverage, int]:
        if self.sides[0].kind is SideKind.PRODUCT:
            return await figures_of_lines(kind, self.sides, self.kept)
        return (*await figures_of_kind(kind, self.sides, self.kept, self.context.today), 0)

    async def _of_stock(
        self, kind: SideKind
    ) -> tuple[tuple[ComparedFigure, ...] | None, frozenset[FieldClass], tuple[Phrase, ...]]:
        """Return what is there now, None where stock is closed to the asker."""
        if kind not in _STOCK or self.sides[0].name == self.sides[1].name:
            return (), frozenset(), ()
        if not self._may_see("stock"):
            return None, frozenset(), ()
        figures, answers = await _STOCK[kind]([side.name for side in self.sides], self.erp)
        shown, classes = cut_part(tuple(figures), visible_fields(self.policy, self.context, "stock"))
        return shown, classes, freshness_of_all(answers).failures

    def _may_see(self, command: str) -> bool:
        return self.policy.decide_area(self.context.person, command, self.context.conversation.id).allowed
