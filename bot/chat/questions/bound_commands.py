"""Commands bound to their collaborators, with the ERPs and documents as the asker may see them."""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping
from dataclasses import MISSING, dataclass, fields, is_dataclass, replace
from functools import cache, cached_property
from operator import attrgetter
from types import MappingProxyType, NoneType, UnionType
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

from bot.access.policy import AccessPolicy
from bot.cards.actions import Ask
from bot.cards.notices import Suggestion
from bot.cards.view import View
from bot.chat.conditions import ListCondition, WiderList
from bot.chat.context import QuestionContext
from bot.chat.errors import BadArgument, NothingFound
from bot.chat.questions.named_books import reads_books, take_books, within_books
from bot.chat.questions.prompts import OpenPrompts
from bot.chat.records.documents import Documents
from bot.chat.records.own_documents import OwnDocuments
from bot.chat.registry import AnyCommand, Commands
from bot.chat.view_parts import EmptiedList
from bot.erp.books import ALL_BOOKS
from bot.erp.errors import ErpError
from bot.erp.hub import ErpHub
from bot.read_model.queries import ReadModel
from bot.words.errors import ConfigurationError

E = TypeVar("E", bound=EmptiedList)


@dataclass(frozen=True)
class _Question:
    """A command's arguments, whether they may mention people, and the asker with their ERPs."""

    rest: str
    mentions: bool
    context: QuestionContext
    policy: AccessPolicy
    hub: Callable[[], ErpHub]

    @cached_property
    def visible(self) -> ErpHub:
        """The ERPs as the asker may see them, as far as the question names them."""
        return self.hub().within(self.context.books)

    def of_all_books(self) -> _Question:
        """Return the same question for the books of all companies, from the first row on."""
        return replace(self, context=replace(self.context, books=ALL_BOOKS, offset=0, only_asks=True))


_Make = Callable[[_Question], Any]
"""Returns a collaborator for a question."""


@dataclass(frozen=True, slots=True)
class BoundCommand:
    """A command with what makes its collaborators, by the names of its parameters."""

    command: AnyCommand
    makes: Mapping[str, _Make]
    restricted: tuple[str, ...]
    """The collaborators that take what was typed of their ``restrictions``."""
    reads_books: bool

    async def call(
        self, rest: str, context: QuestionContext, policy: AccessPolicy, hub: Callable[[], ErpHub]
    ) -> View | Ask:
        # Words about a decision are the person's own.
        mentions = context.mentions_others or not self.command.only_asks
        if "@" in rest and self.reads_books:
            remarks = self.command.governed
            rest, books = take_books(
                rest, hub(), self.command.signature, remarks=remarks, mentions=mentions and not remarks
            )
            context = replace(context, books=books)
        asked = _Question(rest, mentions, context, policy, hub)
        # An action is carried out once.
        may_ask_again = context.books and self.command.only_asks and not self.command.signature.changes_by(rest)
        try:
            answer = await self._answer(asked)
        except NothingFound as error:
            if may_ask_again and await self._finds(asked.of_all_books()):
                elsewhere = Suggestion(f"/{self.command.name} {rest}".strip())
                raise NothingFound(error.what, (elsewhere, *error.closest), error.notes) from None
            raise
        if may_ask_again and isinstance(answer, EmptiedList) and not answer.listed:
            answer = await self._emptied_by_books(answer, asked.of_all_books())
        return within_books(answer, context.books)

    async def _answer(self, asked: _Question) -> View | Ask:
        positional, named = self.command.signature.parse(asked.rest, mentions=asked.mentions)
        typed = {name: named.pop(name) for name in Documents.restrictions if name in named}
        made = {name: make(asked) for name, make in self.makes.items()}
        for name in self.restricted:
            made[name] = replace(made[name], typed=typed)
        return await self.command.function(*positional, **named, **made)

    async def _finds(self, asked: _Question) -> View | Ask | None:
        try:
            return await self._answer(asked)
        except (ErpError, BadArgument):
            return None

    async def _emptied_by_books(self, empty: E, asked: _Question) -> E:
        """Return an empty list of some books with the total in others, if necessary without all other restrictions."""
        others = frozenset(kind for kind, word in empty.typed().items() if word)
        for by in dict.fromkeys((frozenset[ListCondition](), others)):
            rest = empty.line_without(by).partition(" ")[2] if by else asked.rest
            found = await self._finds(replace(asked, rest=rest))
            if isinstance(found, EmptiedList) and found.listed:
                return empty.emptied_also(WiderList(by=by | {ListCondition.BOOKS}, total=found.listed))
        return empty


_OF_QUESTION: Mapping[type, _Make] = MappingProxyType(
    {QuestionContext: attrgetter("context"), AccessPolicy: attrgetter("policy")}
)
_ALWAYS_KNOWN = frozenset({*_OF_QUESTION, Commands, OpenPrompts, OwnDocuments})


def can_answer(command: AnyCommand, collaborators: Container[type]) -> bool:
    """Return whether a dispatcher with these ``collaborators`` has all that ``command`` needs."""
    kinds = set(command.signature.collaborators.values())
    return all(_is_known(kind, collaborators) for kind in kinds)


def _is_known(kind: type, collaborators: Container[type]) -> bool:
    if kind in _ALWAYS_KNOWN or kind in collaborators:
        return True
    parts = _parts(kind).values()
    return bool(parts) and all(optional or _is_known(part, collaborators) for part, optional in parts)


def bind_command(command: AnyCommand, known: Mapping[type, object]) -> BoundCommand:
    """Return a command with its collaborators: those ``known``, the asker's, and what is put together of them.

    Raises `ConfigurationError` if there is none of a type.
    """
    makes = dict[str, _Make]()
    kinds = command.signature.collaborators
    for name, kind in kinds.items():
        if (make := _maker(kind, known)) is None:
            raise ConfigurationError(f"command {command.name!r} needs a {kind.__name__} and there is none")
        makes[name] = make
    restricted = tuple(name for name, kind in kinds.items() if hasattr(kind, "restrictions"))
    reads = isinstance(known.get(ErpHub), ErpHub) and reads_books(command.signature)
    return BoundCommand(command, makes, restricted, reads)


def _maker(kind: type, known: Mapping[type, object]) -> _Make | None:
    """Return what makes a collaborator of a type; None if there is none."""
    if (make := _OF_QUESTION.get(kind)) is not None:
        return make
    return _visible(kind, known[kind]) if kind in known else _composed(kind, known)


def _visible(kind: type, collaborator: Any) -> _Make:
    if kind is ErpHub:
        return attrgetter("visible")
    if isinstance(collaborator, ReadModel):
        return lambda asked: collaborator.narrowed(asked.visible)
    return lambda asked: collaborator


def _composed(kind: type, known: Mapping[type, object]) -> _Make | None:
    """Return what puts a collaborator together of others for each question."""
    makes = dict[str, _Make]()
    for name, (part, optional) in _parts(kind).items():
        if (make := _maker(part, known)) is not None:
            makes[name] = make
        elif optional:
            makes[name] = lambda _asked: None
        else:
            return None
    return (lambda asked: kind(**{name: make(asked) for name, make in makes.items()})) if makes else None


@cache
def _parts(kind: type) -> Mapping[str, tuple[type, bool]]:
    """Return the fields of a collaborator that is put together for each question: their types, and whether they may be
    None. That is a dataclass with the question's context among its fields; those with a default are left out.
    """
    if not is_dataclass(kind):
        return {}
    hints = get_type_hints(kind)
    if QuestionContext not in hints.values():
        return {}
    needed = [field for field in fields(kind) if field.default is MISSING and field.default_factory is MISSING]
    return {field.name: _bare(hints[field.name]) for field in needed}


def _bare(hint: Any) -> tuple[type, bool]:
    if get_origin(hint) not in (Union, UnionType):
        return hint, False
    return next(each for each in get_args(hint) if each is not NoneType), NoneType in get_args(hint)
