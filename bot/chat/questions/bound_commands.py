"""Commands with what they work with: collaborators, and the ERPs and documents as the asker may see them."""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping
from dataclasses import dataclass, replace
from typing import NamedTuple

from bot.access.policy import AccessPolicy
from bot.cards.actions import Ask
from bot.cards.view import View
from bot.chat.context import QuestionContext
from bot.chat.questions.named_books import reads_books, take_books, within_books
from bot.chat.questions.prompts import OpenPrompts
from bot.chat.records.documents import Documents
from bot.chat.records.own_documents import OwnDocuments
from bot.chat.registry import AnyCommand, Commands
from bot.erp.hub import ErpHub
from bot.errors import ConfigurationError
from bot.read_model.queries import ReadModel


class _MadeOf(NamedTuple):
    """What the documents of each question are made of."""

    kept: ReadModel
    own: OwnDocuments


@dataclass(frozen=True, slots=True)
class BoundCommand:
    """A command with the collaborators that are the same for every call, and the parameters that take the question, the
    policy as it is then, or the ERPs and the documents kept as the asker may see them.
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
        positional, named = self.command.signature.parse(rest, mentions=mentions)
        named.update(self.collaborators)
        for name in self.context:
            named[name] = context
        for name in self.policy:
            named[name] = policy
        if self.hub or self.kept or self.documents:
            visible = hub().within(context.books)
            for name in self.hub:
                named[name] = visible
            for name, kept in self.kept.items():
                named[name] = kept.narrowed(visible)
            for name, made in self.documents.items():
                named[name] = Documents(visible, made.kept.narrowed(visible), made.own, context, policy)
        return within_books(await self.command.function(*positional, **named), context.books)


_ALWAYS_KNOWN = frozenset({QuestionContext, Commands, AccessPolicy, OpenPrompts, OwnDocuments})


def can_answer(command: AnyCommand, collaborators: Container[type]) -> bool:
    """Whether a dispatcher with these ``collaborators`` has all that ``command`` needs."""
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
    for name, kind in command.signature.collaborators.items():
        if kind is QuestionContext:
            context.append(name)
        elif kind is AccessPolicy:
            policy.append(name)
        elif kind is ErpHub and kind in known:
            hub.append(name)
        elif kind is Documents and isinstance(model, ReadModel) and isinstance(own, OwnDocuments) and ErpHub in known:
            documents[name] = _MadeOf(model, own)
        elif isinstance(collaborator := known.get(kind), ReadModel):
            kept[name] = collaborator
        elif kind in known:
            fixed[name] = known[kind]
        else:
            raise ConfigurationError(f"command {command.name!r} needs a {kind.__name__} and there is none")
    reads = isinstance(known.get(ErpHub), ErpHub) and reads_books(command.signature)
    return BoundCommand(command, fixed, tuple(context), tuple(policy), tuple(hub), kept, documents, reads)
