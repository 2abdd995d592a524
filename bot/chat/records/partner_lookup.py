"""Looks customers and vendors up: by code, by the whole name, or by part of either."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Generic, TypeVar

from bot.cards.notices import Suggestion
from bot.chat.arguments import Keyword
from bot.chat.context import QuestionContext
from bot.chat.errors import NothingFound
from bot.chat.parsing import command_line, quote
from bot.chat.records.kept_documents import KeptDocuments
from bot.chat.records.lookup import FETCH_LIMIT, SEARCH_LIMIT, DocumentList, OneDocument, find_closest
from bot.chat.registry import Commands
from bot.chat.view_parts import Freshness
from bot.erp.errors import Ambiguous, NotFound, NotPermitted, Unsupported
from bot.erp.hub import Answer, ErpHub
from bot.erp.kinds import D, Kind
from bot.erp.model import Customer, Slice, Supplier
from bot.erp.port import Filter, ListQuery
from bot.words.phrase import Phrase, phrase

P = TypeVar("P", Customer, Supplier)
T = TypeVar("T")

SUMMED = 100
"""Documents of a partner that one question adds up; of more it says that they are not added up."""


@dataclass(frozen=True, slots=True)
class PartnerLookup(Generic[P]):
    """How to find the partners of a ``kind``.

    Others are suggested for ``command``, after ``words``.
    """

    kind: Kind[P]
    erp: ErpHub
    command: str
    words: tuple[str, ...] = ()

    async def look_up_asked(
        self, name: str, which: Keyword | None, commands: Commands, context: QuestionContext
    ) -> tuple[OneDocument[P] | DocumentList[P], str]:
        """Return whom the question names, and by which words: a name may begin with ``which``, a keyword.

        Else whoever asks beside a keyword what somebody owes is shown that on their card. Raises `NothingFound` for
        nobody.
        """
        whole = commands.parse(context.line).rest if which else name
        try:
            return await self.look_up(whole, offset=context.offset, rows=context.rows), whole
        except NothingFound:
            if not name or name == whole:
                raise
        return await self.look_up(name, offset=context.offset, rows=context.rows), name

    async def look_up(self, text: str, *, offset: int, rows: int | None = None) -> OneDocument[P] | DocumentList[P]:
        """Return the partner that ``text`` names whole, else the only one it fits, else all that it fits.

        Raises `NothingFound` when it fits none. What a list tells of a partner is all there is: none is read twice.
        With ``rows`` the answer is a list of so many, also where one partner fits.
        """
        if rows is None and any(char.isdigit() for char in text):
            try:
                return OneDocument(await self.erp.document(self.kind, text))
            except (NotFound, Ambiguous):
                pass  # the list shows what there is
        found = await self.erp.documents(self.kind, ListQuery(text=text, offset=offset, limit=rows or FETCH_LIMIT))
        if not text:
            return DocumentList(found)
        if not found.value.total:
            raise NothingFound(text, await self._closest(text), found.notes)
        chosen = _named_whole(found.value, text) if rows is None else None
        if chosen is None:
            return DocumentList(found)
        return OneDocument(_part(found, chosen))

    async def _closest(self, text: str) -> tuple[Suggestion, ...]:
        named: dict[str, dict[tuple[str, ...], str]] = {}

        async def search(part: str) -> list[str]:
            hits = (await self.erp.documents(self.kind, ListQuery(text=part, limit=SEARCH_LIMIT))).value.items
            for partner in hits:
                named.setdefault(partner.name, {})[partner.books] = partner.code
            return [partner.name for partner in hits if partner.name]

        closest = await find_closest(text, search)
        return tuple(self._suggest(name, code, books) for name in closest for books, code in named[name].items())

    def _suggest(self, name: str, code: str, books: tuple[str, ...]) -> Suggestion:
        """Ask by the code where nobody would type the name as it has to be written."""
        partner = code if code and quote(name) != name else name
        line = command_line(self.command, *self.words, partner, books=books)
        return Suggestion(line, " · ".join((name, *books)))


def _named_whole(found: Slice[P], text: str) -> P | None:
    """Return the one partner with exactly this code or name, else the only one; None for several."""
    folded = text.casefold()
    exact = [partner for partner in found.items if folded in (partner.code.casefold(), partner.name.casefold())]
    if len(exact) == 1:
        return exact[0]
    return found.items[0] if found.total == 1 and found.items else None


def _part(found: Answer[Slice[P]], chosen: P) -> Answer[P]:
    return Answer(
        value=chosen,
        source=chosen.source or found.source,
        as_of=found.as_of,
        stale=found.stale,
        failures=found.failures,
        notes=found.notes,
    )


@dataclass(frozen=True, slots=True)
class PartnerDocuments(Generic[T]):
    """Documents of a partner, as far as they could be read; ``part``: the reader may see some of them only."""

    answer: Answer[Slice[T]] | None
    part: bool = False
    refusal: Phrase | None = None

    @property
    def whole(self) -> tuple[T, ...] | None:
        """All documents; None where not all were read. Where a reader sees none of them, none is said to be there."""
        found = self.answer
        if found is None or len(found.value.items) < found.value.total or (self.part and not found.value.total):
            return None
        return found.value.items

    @property
    def count(self) -> int | None:
        """How many there are, also those that were not read."""
        if self.answer is None or (self.part and not self.answer.value.total):
            return None
        return self.answer.value.total

    @property
    def note(self) -> Phrase | None:
        """Why something is not told."""
        cut = self.answer is not None and len(self.answer.value.items) < self.answer.value.total
        return _TOO_MANY if cut else self.refusal


_TOO_MANY = phrase("Too many documents to add them up.")


async def read_newest(
    erp: ErpHub, kind: Kind[D], partner: str, count: int, kept: KeptDocuments[D] | None
) -> Answer[Slice[D]] | None:
    """Return the newest documents of a partner: as they are kept, unless there may be more of an earlier time.

    None where the ERP has no such documents, or its account may not read them, which `read_open` says.
    """
    if kept is not None and len(kept.newest.value.items) == count:
        return kept.newest
    try:
        return await erp.documents(kind, ListQuery(partner=partner, limit=count))
    except (Unsupported, NotPermitted):
        return None


async def read_open(erp: ErpHub, kind: Kind[D], partner: str, kept: KeptDocuments[D] | None) -> PartnerDocuments[D]:
    """Return what is open with a partner: as it is kept, else as far as one question to the ERP brings it.

    An ERP without such documents has nothing to tell of them.
    """
    part = erp.narrows(kind.area)
    if kept is not None:
        return PartnerDocuments(kept.still_open, part)
    try:
        still_open = ListQuery(filter=Filter.OPEN, partner=partner, limit=SUMMED)
        return PartnerDocuments(await erp.documents(kind, still_open), part)
    except NotPermitted as error:
        return PartnerDocuments(None, part, error.tell())
    except Unsupported:
        return PartnerDocuments(None, part, _TOO_MANY if erp.offers(kind.capability) else None)


def with_notes(seen: Freshness, *read: PartnerDocuments[Any]) -> Freshness:
    """Return a freshness that also says what of the documents is not told, and why; each reason once."""
    notes = {str(note): note for each in read if (note := each.note) is not None}
    return replace(seen, failures=(*seen.failures, *notes.values()))
