"""Who sees a card, and how much of it: everybody in a conversation, or one person."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol, TypeAlias

from bot.access.grants import EVERYTHING, Grant, Scope
from bot.access.people import People, Person
from bot.access.policy import AccessPolicy, plain_grant
from bot.cards.notices import DeniedNotice, WithheldNotice
from bot.cards.view import View, mark_shared
from bot.chat.message import Conversation, ConversationKind
from bot.chat.question_handler import PreparedAnswer
from bot.chat.registry import Commands
from bot.outbox.place import Place, PlaceKind
from bot.words.disclosure import ALL_FIELDS, FieldClass, cut


@dataclass(frozen=True, slots=True)
class PlaceReader:
    """What the readers of cards at a place may see; ``person`` is the reader of their own chat, None for a group."""

    grant: Grant
    person: Person | None = None


ReaderAt: TypeAlias = Callable[[Place, str], Awaitable[PlaceReader]]
"""Returns what readers at a place may see of the documents of a command: `Audiences.reader_at`."""


_Grants: TypeAlias = tuple[Mapping[str, Grant], frozenset[FieldClass]]
"""What readers may see of an answer, by the commands whose documents it shows; also for one without documents."""


class KnownOutsiders(Protocol):
    """Remembers conversations with outsiders; implemented by `bot.store.people`."""

    def are_in(self, conversation_id: str) -> bool:
        """Return whether an outsider is known to be there."""
        ...

    def note(self, conversation_id: str) -> None:
        """Record that an outsider is there: at once, and for later starts as soon as the store allows."""
        ...


@dataclass(frozen=True, slots=True)
class SharedView:
    """An answer as everybody in a conversation may see it; ``is_all``: the asker sees no more."""

    view: View
    is_all: bool


class Audiences:
    """What each audience may see, by the rules in force and the people known to be there."""

    def __init__(
        self, *, policy: Callable[[], AccessPolicy], people: People, outsiders: KnownOutsiders, commands: Commands
    ) -> None:
        """``policy`` returns the rules in force; ``commands`` are the possible targets of buttons."""
        self._policy = policy
        self._commands = commands
        self._people = people
        self._outsiders = outsiders

    def share(self, own: View, answer: PreparedAnswer, conversation_id: str) -> SharedView:
        """Return the part of an answer for everybody in a conversation; ``own`` is the asker's version."""
        return self._share(own, answer, [self._grants_in(conversation_id, answer)])

    async def share_at(self, own: View, answer: PreparedAnswer, places: Iterable[Place]) -> SharedView:
        """Return the part of an answer for the readers at all these places, as `share` does for a conversation."""
        return self._share(own, answer, [await self._grants_at(place, answer) for place in places])

    def _share(self, own: View, answer: PreparedAnswer, readers: Iterable[_Grants]) -> SharedView:
        command = self._commands.get(answer.command)
        # A refusal tells nothing: the group may see whom the bot does not answer.
        if command is not None and command.personal and not isinstance(own, DeniedNotice):
            return SharedView(WithheldNotice(), is_all=False)
        return _share(own, answer, readers)

    def _grants_in(self, conversation_id: str, answer: PreparedAnswer) -> _Grants:
        outsiders = self._outsiders.are_in(conversation_id)
        common = self._policy().shared_grants(conversation_id, answer.command, answer.reach, outsiders=outsiders)
        return common, plain_grant(outsiders=outsiders).fields

    async def _grants_at(self, place: Place, answer: PreparedAnswer) -> _Grants:
        if place.kind is PlaceKind.GROUP:
            return self._grants_in(place.id, answer)
        person, policy = await self._people.identify(place.id, name=""), self._policy()
        return {each: policy.decide_area(person, each).grant for each in answer.reach}, ALL_FIELDS

    async def reader_at(self, place: Place, command: str) -> PlaceReader:
        """Return what an unsolicited card may show at a place of the documents of ``command``."""
        if place.kind is PlaceKind.GROUP:
            return PlaceReader(self.grant_in(place.id, command))
        person = await self._people.identify(place.id, name="")
        return PlaceReader(self._policy().decide_area(person, command).grant, person)

    async def closed_at(self, places: Iterable[Place]) -> frozenset[str]:
        """Return the commands that would refuse a reader of a card at these places.

        A group's members are unknown: a command open to some member of the organisation is open to a reader.
        """
        closed: set[str] = set()
        for place in places:
            closed.update(await self._closed_at(place))
        return frozenset(closed)

    async def _closed_at(self, place: Place) -> Iterable[str]:
        policy, commands = self._policy(), self._commands.values()
        if place.kind is PlaceKind.GROUP:
            requests = [each.request(Conversation(place.id, ConversationKind.GROUP)) for each in commands]
            return [request.command for request in requests if policy.is_closed_to_all(request)]
        person = await self._people.identify(place.id, name="")
        return [each.name for each in commands if not policy.decide(person, each.request()).allowed]

    def grant_in(self, conversation_id: str, command: str) -> Grant:
        """Return what everybody in a conversation may see of the documents of ``command``."""
        outsiders = self._outsiders.are_in(conversation_id)
        return self._policy().shared_grant(conversation_id, command, outsiders=outsiders)


def _share(own: View, answer: PreparedAnswer, readers: Iterable[_Grants]) -> SharedView:
    """Return what all ``readers`` may see of a view already cut for its asker."""
    fields = ALL_FIELDS
    for grants, plain in readers:
        if not all(covers_all(answer.reach.get(each, ()), grant.scopes) for each, grant in grants.items()):
            # For documents that some readers may not see, not even the number is told.
            return SharedView(WithheldNotice(), is_all=False)
        fields &= ALL_FIELDS.intersection(*(grant.fields for grant in grants.values())) if grants else plain
    # Nothing more is cut if everybody may see what the asker may.
    shown = own if answer.grant.fields <= fields else cut(own, fields)
    # Fields that no card shows, such as an ERP's internal ones, may be cut as well: that hides nothing from anybody.
    return SharedView(mark_shared(shown), is_all=shown.withheld == own.withheld)


def covers_all(wanted: Iterable[Scope], scopes: Collection[Scope]) -> bool:
    """Return whether, for every reader, each document in the ``wanted`` scopes is in one of the ``scopes``.

    One reader's own documents are not another's.
    """
    if EVERYTHING in scopes:
        return True
    common = [scope for scope in scopes if not scope.own]
    return all(any(scope.includes(each) for scope in common) for each in wanted)
