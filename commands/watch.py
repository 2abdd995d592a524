"""/watch: be told in your own chat when a figure crosses a limit, or a document changes its state."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from bot.access.policy import AccessPolicy
from bot.alerts.alert import Comparator, Watch
from bot.alerts.rights import AlertRights
from bot.alerts.service import AlertService
from bot.alerts.views import AlertReply
from bot.alerts.watch_readings import read_watched
from bot.cards.actions import BLANK, FillIn
from bot.cards.form import VALUE_FIELD, FormField, FormFieldKind, InputForm
from bot.cards.notices import Suggestion
from bot.cards.status_labels import status_label
from bot.cards.view import View
from bot.chat.arguments import Word
from bot.chat.context import QuestionContext
from bot.chat.errors import BadArgument, NothingFound
from bot.chat.parsing import command_line
from bot.chat.records.lookup import SEARCH_LIMIT, find_closest
from bot.chat.registry import Commands, command
from bot.chat.view_parts import button_label
from bot.erp.books import books_of
from bot.erp.errors import NotFound, Unsupported
from bot.erp.hub import ErpHub
from bot.erp.kinds import AREA_KINDS, FEED_KINDS, D, Kind, kind_of
from bot.erp.model import Area, ErpRecord, StockLevel
from bot.words.disclosure import cut
from bot.words.phrase import Phrase, phrase

MAX_WATCHES = 50
"""Watches of one person; for more there are rules."""

_SIGNS = {
    Comparator.AT_MOST: ("<=", "=<", "≤", "⩽", "≦", "不超过", "不高于", "不多于", "至多", "最多"),
    Comparator.AT_LEAST: (">=", "=>", "≥", "⩾", "≧", "不低于", "不少于", "至少", "达到"),
    Comparator.BELOW: ("<", "低于", "少于", "小于", "不足", "below", "under"),
    Comparator.ABOVE: (">", "高于", "多于", "大于", "超过", "above", "over"),
}
_COMPARISONS = {sign: comparison for comparison, signs in _SIGNS.items() for sign in signs}
_WORDS = "|".join(sign for sign in _COMPARISONS if sign.isalpha() and sign.isascii())
_MARKS = "|".join(re.escape(sign) for sign in _COMPARISONS if not (sign.isalpha() and sign.isascii()))
_CONDITION = re.compile(rf"(.*?\S)(?:\s*({_MARKS})|\s+({_WORDS})(?=[\s\d]))\s*(.*)", re.IGNORECASE)
_LIMIT = re.compile(r"(-?\d{1,3}(?:,\d{3})+(?:\.\d{1,6})?|-?\d{1,12}(?:\.\d{1,6})?)\s*([^\W\d_]{0,12}[²³]?)")


class WatchTarget(Word):
    """A SKU, or the number of a document."""

    placeholder = phrase("SKU or number")


class WatchCondition(Word):
    """The limit with which available stock is compared."""

    placeholder = phrase("< 50")
    takes_rest = True


@dataclass(frozen=True, slots=True)
class _Limit:
    comparison: Comparator
    limit: Decimal
    unit: str


@command(
    "watch",
    aliases=("关注", "gz", "盯"),
    examples=("/watch SKU123 < 50", "/关注 SKU123 低于 50", "/watch SO-1001"),
    summary=phrase("Be told when stock crosses a limit, or a document changes"),
    place=56,
)
async def watch(
    what: WatchTarget,
    when: WatchCondition | None = None,
    *,
    erp: ErpHub,
    service: AlertService,
    context: QuestionContext,
    commands: Commands,
    policy: AccessPolicy,
) -> View:
    """Check that the subject exists, store the watch, and show the present figure or state."""
    subject, limit = _read(f"{what} {when}" if when else what)
    lookup = _ErpLookup(erp, {usable.name for usable in commands.usable(policy, context)})
    if limit:
        new, lines = await _watch_stock(subject, limit, lookup, context)
    else:
        new, lines = await _watch_document(subject, lookup, context)
    known = await service.watches(new.user_id)
    if len(known) >= MAX_WATCHES and new.id not in {watch.id for watch in known}:
        raise BadArgument(phrase("You watch %(num)s things already. Stop one first: /watches", num=MAX_WATCHES))
    await service.put_watch(new)
    reply = AlertReply(
        title=phrase("You are watching %(what)s", what=button_label(new.subject, new.books.names)),
        watches=(new,),
        lines=(*lines, phrase("You are told in your own chat with the bot.")),
        next=(
            Suggestion(command_line("watches"), phrase("My watches")),
            Suggestion(
                command_line("unwatch", new.subject, books=new.books.names),
                phrase("Stop watching %(what)s", what=new.subject),
            ),
        ),
    )
    return cut(reply, AlertRights(policy, context.person, context.conversation.id).watch_fields(new))


@dataclass(frozen=True, slots=True)
class _ErpLookup:
    """The ERP as far as the person may ask it: a figure that they may not see must not be reported to them either."""

    erp: ErpHub
    usable: set[str]

    async def level(self, sku: str) -> StockLevel:
        """Return a product's stock, also by a part of its code or name that only it has."""
        if "stock" not in self.usable:
            raise NothingFound(sku)
        try:
            return (await self.erp.stock(sku)).value
        except NotFound:
            hits = (await self.erp.find_products(sku, limit=2)).value
        if len(hits) == 1:
            return (await self.erp.stock(hits[0].sku)).value
        raise NothingFound(sku)

    async def closest(self, text: str) -> tuple[str, ...]:
        """Return SKUs like a text."""

        async def search(part: str) -> list[str]:
            return [product.sku for product in (await self.erp.find_products(part, limit=SEARCH_LIMIT)).value]

        return await find_closest(text, search) if "stock" in self.usable else ()

    async def document(self, number: str) -> ErpRecord | None:
        """Return the document with a number; those of the kinds that stand for their areas are looked for first.

        In all known ERPs a number belongs to one kind; should two kinds share one, the first is meant.
        """
        for kinds in (AREA_KINDS, FEED_KINDS):
            # What has no state, as goods that came in, changes no more.
            watchable = [kind for kind in kinds if kind.cards.states and kind.command in self.usable]
            found = await asyncio.gather(*(self._if_there(kind, number) for kind in watchable))
            document: ErpRecord | None = next(filter(None, found), None)
            if document is not None:
                return document
        return None

    async def _if_there(self, kind: Kind[D], number: str) -> D | None:
        try:
            return (await self.erp.document(kind, number)).value
        except (NotFound, Unsupported):
            return None


async def _watch_stock(
    subject: str, limit: _Limit, lookup: _ErpLookup, context: QuestionContext
) -> tuple[Watch, Sequence[Phrase]]:
    try:
        level = await lookup.level(subject)
    except NotFound as error:
        condition = f"{limit.comparison}{limit.limit:f}"
        lines = [command_line("watch", sku, condition) for sku in await lookup.closest(subject)]
        raise NothingFound(subject, tuple(lines)) from error
    product = level.product
    if limit.unit and limit.unit.casefold() != product.unit.casefold():
        raise BadArgument(
            phrase("%(sku)s is counted in %(unit)s: write the limit in it.", sku=product.sku, unit=product.unit)
        )
    figure = level.total.available if level.total.available is not None else level.total.on_hand
    new = Watch(
        user_id=context.person.user_id or "",
        area=Area.STOCK,
        subject=product.sku,
        title=product.name,
        comparison=limit.comparison,
        limit=limit.limit,
        source=context.books.source,
        made_at=context.now,
    )
    return new, _stock_lines(limit, figure, product.unit)


def _stock_lines(limit: _Limit, figure: Decimal | None, unit: str) -> Sequence[Phrase]:
    words = limit.comparison.describe(limit.limit, unit)
    when = phrase("You are told when available stock is %(limit)s.", limit=words)
    if figure is None:
        return when, phrase("How much is available the ERP does not say now.")
    now = phrase("Available now: %(figure)s %(unit)s", figure=figure, unit=unit)
    return (
        (when, now, phrase("This is already the case.")) if limit.comparison.holds(figure, limit.limit) else (when, now)
    )


async def _watch_document(number: str, lookup: _ErpLookup, context: QuestionContext) -> tuple[Watch, Sequence[Phrase]]:
    document = await lookup.document(number)
    if document is None:
        await _hint_at_limit(number, lookup)
        raise NothingFound(number)
    source, kind = books_of(document).source, kind_of(document)
    new = Watch(
        user_id=context.person.user_id or "",
        area=kind.followed,
        subject=document.number,
        title=kind.title(document),
        source=source,
        said=read_watched(document, source).said,
        made_at=context.now,
    )
    told = (phrase("State now: %(state)s", state=status_label(document.status)),) if hasattr(document, "status") else ()
    return new, (phrase("At every change of its state"), *told)


async def _hint_at_limit(text: str, lookup: _ErpLookup) -> None:
    """Raise `BadArgument` for a product, whose watch needs a limit."""
    try:
        level = await lookup.level(text)
    except (NotFound, Unsupported):
        return
    line = command_line("watch", level.product.sku)
    raise BadArgument(phrase("Say from which limit on, such as: %(line)s < 50", line=line), _limit_form(level, line))


def _limit_form(level: StockLevel, line: str) -> InputForm:
    product = level.product
    limit = FormField(
        name=VALUE_FIELD,
        label=phrase("Available less than (%(unit)s)", unit=product.unit),
        kind=FormFieldKind.QUANTITY,
        placeholder=phrase("For example: 50"),
    )
    return InputForm(
        title=phrase("When do you want to be told of %(sku)s?", sku=product.sku),
        text=phrase("You are told in your own chat as soon as less of %(name)s is available.", name=product.name),
        fields=(limit,),
        does=FillIn(f"{line} {Comparator.BELOW} {BLANK}"),
    )


def _read(text: str) -> tuple[str, _Limit | None]:
    """Return the subject and the limit of ``SKU123 < 50``, with or without blanks; raises `BadArgument`."""
    match = _CONDITION.fullmatch(text)
    if match is None:
        return text, None
    sign, limit = match[2] or match[3], match[4]
    number = _LIMIT.fullmatch(limit)
    if number is None:
        raise BadArgument(phrase("After “%(sign)s” a number is expected.", sign=sign))
    return match[1], _Limit(_COMPARISONS[sign.casefold()], Decimal(number[1].replace(",", "")), number[2])
