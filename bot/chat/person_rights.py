"""Who somebody is to the bot, and what that lets them do."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar

from bot.access.areas import AREA_COMMANDS
from bot.access.people import Person
from bot.access.policy import NO_RULE, AccessPolicy
from bot.access.wording import describe_scope
from bot.cards.actions import Ask
from bot.cards.view import Button, View
from bot.chat.context import QuestionContext
from bot.chat.languages import LANGUAGES
from bot.chat.parsing import command_line
from bot.chat.registry import AnyCommand, Commands
from bot.words.disclosure import FieldClass
from bot.words.phrase import Phrase, phrase


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentRight:
    """What somebody may see of the documents that one command shows, and by which rules."""

    command: str
    fields: tuple[FieldClass, ...]
    scopes: tuple[tuple[Phrase, ...], ...]
    """What restricts the documents, each alternative by itself; nothing: all documents."""
    rule: str
    """Empty where no rule says otherwise."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Whoami(View):
    """A person and what they may do here, with the ids that administrators need for the configuration."""

    card: ClassVar[str] = "whoami"

    name: str
    user_id: str
    conversation_id: str
    roles: tuple[str, ...]
    origins: tuple[Phrase, ...] = ()
    """Where each of ``roles`` comes from."""
    language: str
    rights: tuple[DocumentRight, ...] = ()
    """Empty where no rule restricts what members see."""
    commands: tuple[str, ...]
    writes: tuple[str, ...]
    """Those of ``commands`` that may change the ERP; what rules of its own govern, ``/why`` tells for each document."""

    def buttons(self) -> Sequence[Button]:
        return (
            Button(phrase("Help"), Ask(command_line("help"))),
            Button(phrase("Language"), Ask(command_line("lang"))),
        )


def describe_person(context: QuestionContext, commands: Commands, policy: AccessPolicy) -> Whoami:
    """Return what the person of a context is to the bot."""
    person = context.person
    usable, roles = commands.usable(policy, context), tuple(sorted(policy.roles_of(person)))
    return Whoami(
        name=person.name,
        user_id=person.user_id or "",
        conversation_id=context.conversation.id,
        roles=roles,
        origins=tuple(_origin(role, person, policy) for role in roles),
        language=LANGUAGES.get(person.language, person.language),
        rights=tuple(_document_rights(usable, policy, context)) if policy.rules else (),
        commands=tuple(command.name for command in usable),
        writes=tuple(command.name for command in usable if command.writes and not command.governed),
    )


def _origin(role: str, person: Person, policy: AccessPolicy) -> Phrase:
    if role in policy.configured_roles(person):
        return phrase("configuration")
    return phrase("directory") if role in person.roles else phrase("administrator")


def _document_rights(
    usable: Sequence[AnyCommand], policy: AccessPolicy, context: QuestionContext
) -> Iterator[DocumentRight]:
    for known in usable:
        if known.name not in AREA_COMMANDS.values():
            continue
        verdict = policy.decide(context.person, known.request(context.conversation))
        scopes = tuple(describe_scope(scope) for scope in verdict.grant.scopes)
        yield DocumentRight(
            command=known.name,
            fields=tuple(field for field in FieldClass if field in verdict.grant.fields),
            scopes=scopes if all(scopes) else (),
            rule=verdict.rule if verdict.rule != NO_RULE else "",
        )
