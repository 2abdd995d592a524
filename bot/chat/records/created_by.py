"""Documents that somebody created in the ERP: ``by:李娜``, ``by:me``, and ``by:who`` for a choice of all who did."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, partial
from typing import ClassVar, NoReturn, Self

from bot.cards.notices import Suggestion
from bot.chat.conditions import AskedBound, ListCondition
from bot.chat.context import QuestionContext
from bot.chat.errors import BadArgument, NothingFound, SeveralMeant
from bot.chat.parsing import quote, split
from bot.chat.records.bounded_lists import ListBound, Restriction
from bot.chat.records.own_documents import OWN_WORDS, OwnDocuments
from bot.erp.kinds import D, Kind
from bot.erp.model import ErpRecord
from bot.read_model.queries import ReadModel
from bot.words.disclosure import FieldClass, classed_fields
from bot.words.phrase import Phrase, phrase
from bot.words.spelling import most_alike

ME, WHO = "me", "who"
_ASKER = OWN_WORDS | {"i", "me", "myself", "我", "本人", "自己"}
_ANYBODY = frozenset({"who", "whom", "谁"})
_MARKED = re.compile(r"(?:by|created-?by|creator|制单人?|开单人?|创建人?|录入人?):(?P<name>.*)", re.IGNORECASE)
_ALIKE, _MOST = 0.6, 8
"""From where on a name is told as like another, and how many people are offered."""


@dataclass(frozen=True, slots=True)
class _Creators:
    """How many documents each creator made, by what the ERP calls them, and how many have none that it tells."""

    made: Mapping[tuple[str, ...], int]
    untold: int

    @classmethod
    def of(cls, kind: Kind[D], documents: Iterator[ErpRecord]) -> Self:
        made = Counter(each.created_by for each in documents if kind.listed(each))  # type: ignore[arg-type]  # of the kind
        untold = made.pop((), 0)
        return cls(made, untold)

    def meant(self, name: str) -> Sequence[tuple[str, ...]]:
        """Return those with exactly this name or account, else those whose names have it as a part."""
        folded = name.casefold()
        exact = [each for each in self.made if folded in map(str.casefold, each)]
        return exact or [each for each in self.made if folded in each[0].casefold()]


class CreatedBy(Restriction):
    """Who created documents, typed anywhere in a line: by:李娜, by:me, 制单人:李娜."""

    placeholder = phrase("name")
    prefix = "by:"
    by: ClassVar = ListCondition.CREATED_BY
    label: ClassVar = phrase("Created by")

    @classmethod
    def take_marked(cls, words: list[str]) -> Self | None:
        for i, word in enumerate(words):
            if not (match := _MARKED.fullmatch(word)):
                continue
            name = match["name"]
            del words[i]
            while i < len(words) and (not name or (name[0] == '"' and name[-1:] != '"')):
                name = f"{name} {words.pop(i)}".strip()
            return cls(name.strip('" ')) or None
        return None

    async def bound(self, kind: Kind[D], kept: ReadModel, own: OwnDocuments, context: QuestionContext) -> ListBound[D]:
        """Return which documents they made; raises `SeveralMeant` for several people, `NothingFound` for nobody."""
        known = (await kept.fold(kind.followed, partial(_Creators.of, kind))).value
        if known.untold and not known.made:
            raise BadArgument(phrase("The ERP doesn't say who created these documents, so they can't be listed by it."))
        name = self.casefold()
        if name in _ASKER:
            called, names_at = phrase("created by you"), own.names_of(context)
            return self._bound(ME, called, lambda document: not names_at(document.source).isdisjoint(_folded(document)))
        meant = tuple(known.made) if name in _ANYBODY else known.meant(self)
        if known.made and (len(meant) != 1 or name in _ANYBODY):
            self._ask(meant, known, context)
        names = {each.casefold() for each in meant[0]} if meant else {name}
        shown = meant[0][0] if meant else str(self)
        return self._bound(
            shown, phrase("created by %(name)s", name=shown), lambda document: not names.isdisjoint(_folded(document))
        )

    def _bound(self, name: str, called: Phrase, holds: Callable[[D], bool]) -> ListBound[D]:
        asked = AskedBound(by=self.by, typed=f"{self.prefix}{name}", called=called, compared=_classes())
        return ListBound(asked, holds, _untold)

    def _ask(self, meant: Sequence[tuple[str, ...]], known: _Creators, context: QuestionContext) -> NoReturn:
        command, *words = split(context.line)
        self.take_marked(words)
        line = " ".join((command, *map(quote, words)))

        def suggest(name: str, label: str) -> Suggestion:
            return Suggestion(f"{line} {quote(f'{self.prefix}{name}')}", label)

        if not meant:
            names = {each[0]: each[0] for each in known.made}
            alike = most_alike(self, names, limit=_MOST, similarity=_ALIKE, fold=str.casefold)
            raise NothingFound(self, [suggest(each, each) for each in alike])
        most = sorted(meant, key=lambda each: (-known.made[each], each))[:_MOST]
        raise SeveralMeant([suggest(each[-1], f"{each[0]} ({known.made[each]})") for each in most])


@cache
def _classes() -> frozenset[FieldClass]:
    """Return what a reader must be allowed to see who asks for it."""
    marks = next(marks for name, marks, _ in classed_fields(ErpRecord) if name == "created_by")
    return frozenset(mark for mark in marks if isinstance(mark, FieldClass))


def _folded(document: ErpRecord) -> frozenset[str]:
    return frozenset(map(str.casefold, document.created_by))


def _untold(documents: Sequence[ErpRecord]) -> Iterator[Phrase]:
    if untold := sum(not each.created_by for each in documents):
        yield phrase("not listed: %(num)s of which the ERP doesn't say who created them", num=untold)
