"""Commands bound to their collaborators, with the ERPs and documents as the asker may see them."""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping
from dataclasses import dataclass, replace
from typing import Any, NamedTuple, TypeVar, cast

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
from bot.chat.revision_cases import RevisionCases
from bot.chat.view_parts import EmptiedList
from bot.erp.books import ALL_BOOKS
from bot.erp.errors import ErpError
from bot.erp.hub import ErpHub
from bot.read_model.queries import ReadModel
from bot.words.errors import ConfigurationError

E = TypeVar("E", bound=EmptiedList)


@dataclass(frozen=True, slots=True)
class _Question:
    """A command's arguments, whether they may mention people, and the asker with their ERPs."""

    rest: str
    mentions: bool
    context: QuestionContext
    policy: AccessPolicy
    hub: Callable[[], ErpHub]

    def of_all_books(self) -> _Question:
        """Return the same question for the books of all companies, from the first row on."""
        return replace(self, context=replace(self.context, books=ALL_BOOKS, offset=0, only_asks=True))


class _MadeOf(NamedTuple):
    """The cached parts of each question's documents."""

    kept: ReadModel
    own: OwnDocuments
    cases: RevisionCases | None


@dataclass(frozen=True, slots=True)
class BoundCommand:
    """A command with the collaborators shared by all calls, and the parameters that take the question, the current
    policy, or the ERPs and kept documents as the asker may see them.
    """

    command: AnyCommand
    collaborators: Mapping[str, object]
    context: tuple[str, ...]
    policy: tuple[str, ...]
    hub: tuple[str, ...]
    kept: Mapping[str, ReadModel]
    documents: Mapping[str, _MadeOf]
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
        restricted: dict[str, Any] = {name: named.pop(name) for name in Documents.restrictions if name in named}
        named.update(self.collaborators)
        for name in self.context:
            named[name] = asked.context
        for name in self.policy:
            named[name] = asked.policy
        if self.hub or self.kept or self.documents:
            visible = asked.hub().within(asked.context.books)
            for name in self.hub:
                named[name] = visible
            for name, kept in self.kept.items():
                named[name] = kept.narrowed(visible)
            for name, made in self.documents.items():
                kept = made.kept.narrowed(visible)
                named[name] = Documents(visible, kept, made.own, asked.context, asked.policy, made.cases, restricted)
        return await self.command.function(*positional, **named)

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


_ALWAYS_KNOWN = frozenset({QuestionContext, Commands, AccessPolicy, OpenPrompts, OwnDocuments})


def can_answer(command: AnyCommand, collaborators: Container[type]) -> bool:
    """Return whether a dispatcher with these ``collaborators`` has all that ``command`` needs."""
    kinds = set(command.signature.collaborators.values())
    needed = kinds - {Documents} | ({ErpHub, ReadModel} if Documents in kinds else set())
    return all(kind in _ALWAYS_KNOWN or kind in collaborators for kind in needed)


def bind_command(command: AnyCommand, known: Mapping[type, object]) -> BoundCommand:
    fixed: dict[str, object] = {}
    context: list[str] = []
    policy: list[str] = []
    hub: list[str] = []
    kept: dict[str, ReadModel] = {}
    documents: dict[str, _MadeOf] = {}
    model, own = known.get(ReadModel), known.get(OwnDocuments)
    cases = cast(RevisionCases | None, known.get(RevisionCases))
    for name, kind in command.signature.collaborators.items():
        if kind is QuestionContext:
            context.append(name)
        elif kind is AccessPolicy:
            policy.append(name)
        elif kind is ErpHub and kind in known:
            hub.append(name)
        elif kind is Documents and isinstance(model, ReadModel) and isinstance(own, OwnDocuments) and ErpHub in known:
            documents[name] = _MadeOf(model, own, cases)
        elif isinstance(collaborator := known.get(kind), ReadModel):
            kept[name] = collaborator
        elif kind in known:
            fixed[name] = known[kind]
        else:
            raise ConfigurationError(f"command {command.name!r} needs a {kind.__name__} and there is none")
    reads = isinstance(known.get(ErpHub), ErpHub) and reads_books(command.signature)
    return BoundCommand(command, fixed, tuple(context), tuple(policy), tuple(hub), kept, documents, reads)
