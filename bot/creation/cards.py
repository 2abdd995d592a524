"""The card of a document that is begun: it stays one card from the preview to the ERP's own number."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from bot.access.areas import NEW
from bot.cards.actions import Ask
from bot.cards.escape import escape
from bot.cards.view import Button, Color, Following, View
from bot.chat.parsing import command_line
from bot.creation.creation import Creation, CreationLine, CreationState
from bot.creation.kinds import CREATED, CreatedKind
from bot.erp.model import DocumentRef, PartnerName
from bot.words.phrase import Phrase, phrase

CREATION_SOURCE = "creation"
"""What stands for the source of a creation where cards follow documents."""
_SEEN_BYTES = 800
"""Of a card's kilobyte for text: nobody confirms what they cannot see."""
_LINE_BYTES = 12
"""What a line costs besides its words."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CreationCard(View):
    """A document as its person begins it, and what has become of it."""

    card: ClassVar[str] = "creation"
    leads_on: ClassVar[bool] = False
    tells_of_asker: ClassVar[bool] = True

    id: str
    kind: str
    title: Phrase
    partner_label: Phrase
    partner_code: str
    partner_name: PartnerName
    source: str
    account: str
    lines: tuple[CreationLine, ...]
    state: CreationState
    reason: Phrase | None
    number: str
    mark: str
    ends_at: datetime | None
    document_books: tuple[str, ...] = ()

    @property
    def origin(self) -> str:
        return self.source

    def following(self) -> Following:
        return Following((DocumentRef(CREATION_SOURCE, self.id),), Ask(command_line(NEW, self.id)))

    def buttons(self) -> Sequence[Button]:
        if self.state is CreationState.PREVIEW:
            create, drop = (Ask(command_line(NEW, self.id, word)) for word in ("create", "drop"))
            return (Button(phrase("Create it"), create, Color.BLUE), Button(phrase("Drop it"), drop))
        if self.state is CreationState.WRITTEN:
            return (Button(self.number, Ask(command_line(self.kind, self.number, books=self.document_books))),)
        return ()


def creation_view(creation: Creation) -> CreationCard:
    """Return the card of a creation."""
    its: CreatedKind = CREATED[creation.kind]
    return CreationCard(
        id=creation.id,
        kind=creation.kind,
        title=its.title,
        partner_label=its.partner_label,
        partner_code=creation.partner,
        partner_name=creation.partner_name,
        source=creation.source,
        account=creation.account,
        lines=creation.lines,
        state=creation.state,
        reason=creation.reason,
        number=creation.number,
        mark=creation.mark,
        ends_at=creation.due_at if creation.state is CreationState.PREVIEW else None,
        document_books=creation.books,
    )


def fits_card(creation: Creation) -> bool:
    """Return whether all of a preview can be seen on one card."""
    parts = [creation.partner, creation.partner_name, creation.source, creation.account]
    parts += [text for line in creation.lines for text in (line.sku, line.name, str(line.quantity), line.unit)]
    size = sum(len(escape(part).encode()) for part in parts) + _LINE_BYTES * (len(creation.lines) + 4)
    return size <= _SEEN_BYTES
