"""From a typed line to a preview: who and what is meant, in which ERP, and whether it can be created at all."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from bot.access.areas import NEW
from bot.access.policy import AccessPolicy, AccessVerdict, Denied
from bot.cards.notices import Suggestion
from bot.chat.arguments import shortened
from bot.chat.context import QuestionContext
from bot.chat.errors import BadArgument, NothingFound, SeveralMeant
from bot.chat.parsing import MAX_LINE_BYTES, command_line, split
from bot.chat.records.lookup import OneDocument
from bot.chat.records.partner_lookup import PartnerLookup
from bot.chat.records.products import ProductChoice, ProductLookup
from bot.chat.records.reader_hub import visible_fields
from bot.creation.cards import fits_card
from bot.creation.creation import GOOD_FOR, Creation, CreationLine, CreationState
from bot.creation.creations import Creations
from bot.creation.kinds import CREATED, CreatedKind
from bot.erp.books import Books
from bot.erp.errors import NotFound
from bot.erp.hub import ErpHub
from bot.erp.kinds import ruled_by
from bot.erp.model import Product
from bot.erp.units import is_of_pieces
from bot.words.disclosure import FieldClass
from bot.words.errors import DingerpError
from bot.words.phrase import phrase

_ITEM = re.compile(r"(?P<word>.+?)[x×*✕](?P<quantity>-?\d{1,9}(?:\.\d{1,6})?)(?P<unit>[^\W\d]*)", re.IGNORECASE)
"""A product, how much of it, and perhaps its unit: SKU123×20, M4x10×200个."""
_LARGE_ITEM = re.compile(r".+[x×*✕]-?[\d.,]+\S*", re.IGNORECASE)
_EXAMPLE = "SKU123×20"
_ID_BYTES = 6
_NEEDED = frozenset({FieldClass.QUANTITY, FieldClass.PARTNER})
_MOST_PICKS = 6
_PARTNER_NOT_FOUND = phrase(
    "The customer or vendor is no longer found among those you may see, so nothing was created."
)


@dataclass(frozen=True, slots=True)
class Item:
    """What was typed of one product; ``place`` is its word's place in the line."""

    place: int
    word: str
    quantity: Decimal
    unit: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CreationRequest:
    """A typed line: ``words`` after the ``kind``, of which the first ones name the partner."""

    its: CreatedKind
    words: Sequence[str]
    erp: ErpHub
    context: QuestionContext
    policy: AccessPolicy

    async def resolve(self, creations: Creations) -> Creation:
        """Return the preview. Raises `BadArgument`, `NothingFound`, `SeveralMeant` and `Denied`."""
        _check_sight(self.its, self.policy, self.context)
        items, name = self._items()
        kind, conversation = self.its.kind.command, self.context.conversation.id
        creations.check(self.context.person, conversation, kind, [item.quantity for item in items])
        partner, source = await self._partner(name)
        account = creations.account_at(self.context.person, source)
        erp = self.erp.beside(partner)
        lines = tuple([await self._line(item, erp) for item in items])
        creation = Creation(
            id=secrets.token_hex(_ID_BYTES),
            user_id=self.context.person.user_id or "",
            conversation=conversation,
            source=source,
            account=account,
            kind=kind,
            partner=partner.code,
            partner_name=partner.name,
            lines=lines,
            made_at=self.context.now,
            due_at=self.context.now + GOOD_FOR,
        )
        if not fits_card(creation):
            raise BadArgument(
                phrase("You confirm what you see, and this is too much for one card: create two of them.")
            )
        return creation

    def _items(self) -> tuple[list[Item], str]:
        """Return the products, and the words before them."""
        items: list[Item] = []
        name: list[str] = []
        for place, word in enumerate(self.words):
            match = _ITEM.fullmatch(word)
            if match is None and _LARGE_ITEM.fullmatch(word):
                raise _not_a_quantity(word)
            if match is None and items:
                raise BadArgument(
                    phrase("How much of “%(word)s”? An example is %(example)s.", word=shortened(word), example=_EXAMPLE)
                )
            if match is None:
                name.append(word)
                continue
            quantity = Decimal(match["quantity"])
            if quantity <= 0:
                raise _not_a_quantity(word)
            items.append(Item(place, match["word"], quantity, match["unit"]))
        if not name:
            raise BadArgument(phrase("For whom? The name or code comes first."))
        if not items:
            raise BadArgument(
                phrase("Which products, and how many of each? An example is %(example)s.", example=_EXAMPLE)
            )
        return items, " ".join(name)

    async def _partner(self, name: str) -> tuple[Any, str]:
        """Return the one partner that is meant, and the ERP that has it."""
        able = self.erp.creating(self.its.kind)
        if not able:
            raise BadArgument(phrase("No ERP here lets such documents be created from the chat."))
        try:
            hit = await PartnerLookup(self.its.partners, self.erp, NEW).look_up(name, offset=0)
        except NothingFound as error:
            raise NothingFound(name, self._closest(error, 0, len(name.split()), ""), error.notes) from None
        if not isinstance(hit, OneDocument):
            options = [(each.code or each.name, f"{each.code} {each.name}".strip()) for each in hit.found.value.items]
            raise self._several(name, self._picks(0, len(name.split()), options))
        partner = hit.found.value
        source = partner.source or hit.found.source
        if source not in able:
            reason = phrase("“%(source)s” does not let such documents be created from the chat.", source=source)
            raise BadArgument(reason)
        _check_active(partner)
        return partner, source

    async def _line(self, item: Item, erp: ErpHub) -> CreationLine:
        product = await self._product(item, erp)
        told = {"sku": product.sku, "unit": product.unit, "example": f"{product.sku}×20"}
        if item.unit and item.unit.casefold() != product.unit.casefold():
            raise BadArgument(phrase("%(sku)s is counted in %(unit)s: %(example)s.", **told))
        if item.quantity % 1 and is_of_pieces(product.unit):
            raise BadArgument(phrase("%(sku)s is counted in whole %(unit)s: %(example)s.", **told))
        return CreationLine(sku=product.sku, name=product.name, unit=product.unit, quantity=item.quantity)

    async def _product(self, item: Item, erp: ErpHub) -> Product:
        after = f"×{item.quantity}{item.unit}"
        try:
            found = await ProductLookup(command=NEW, erp=erp, context=self.context).find(item.word)
        except NothingFound as error:
            closest = self._closest(error, item.place, item.place + 1, after)
            raise NothingFound(item.word, closest, error.notes) from None
        if isinstance(found, ProductChoice):
            options = [(f"{each.sku}{after}", f"{each.sku} {each.name}".strip()) for each in found.rows]
            raise self._several(item.word, self._picks(item.place, item.place + 1, options))
        return found.value

    def _closest(self, error: NothingFound, first: int, last: int, after: str) -> Sequence[Suggestion]:
        """Return what may have been meant by some words, as whole lines."""
        return self._picks(first, last, [(split(each.line)[1] + after, str(each.label)) for each in error.closest])

    def _picks(self, first: int, last: int, options: Iterable[tuple[str, str]]) -> Sequence[Suggestion]:
        """Return a line for each option in place of some words, as far as buttons have room for it."""
        before, after = self.words[:first], self.words[last:]
        lines = ((command_line(NEW, self.its.kind.command, *before, word, *after), name) for word, name in options)
        return [Suggestion(line, name) for line, name in lines if len(line.encode()) <= MAX_LINE_BYTES][:_MOST_PICKS]

    def _several(self, word: str, picks: Sequence[Suggestion]) -> DingerpError:
        if picks:
            return SeveralMeant(picks)
        return BadArgument(phrase("“%(word)s” may mean several: write the whole code.", word=shortened(word)))


async def check_preview(creation: Creation, erp: ErpHub, policy: AccessPolicy, context: QuestionContext) -> None:
    """Raise as `CreationRequest.resolve` where a preview could not be shown any more: rights and ERP may have changed.

    ``erp`` is the hub of who confirms it. What was answered before is not looked at.
    """
    if creation.at(context.now).state is not CreationState.PREVIEW:
        return
    its = CREATED[creation.kind]
    _check_sight(its, policy, context)
    try:
        partner = await erp.within(Books(creation.source)).document(its.partners, creation.partner)
    except NotFound:
        raise Denied(AccessVerdict(False, _PARTNER_NOT_FOUND)) from None
    _check_active(partner.value)


def _check_sight(its: CreatedKind, policy: AccessPolicy, context: QuestionContext) -> None:
    if not visible_fields(policy, context, ruled_by(its.kind)) >= _NEEDED:
        reason = phrase("You may not see names and quantities of these documents, so you can't create any.")
        raise Denied(AccessVerdict(False, reason))


def _check_active(partner: Any) -> None:
    if not partner.is_active:
        raise BadArgument(phrase("“%(name)s” is disabled in the ERP.", name=partner.name))


def _not_a_quantity(word: str) -> BadArgument:
    return BadArgument(
        phrase(
            "“%(word)s” has no quantity above zero with at most six decimals; an example is %(example)s.",
            word=shortened(word),
            example=_EXAMPLE,
        )
    )
