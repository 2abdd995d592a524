"""/whoami: who the bot takes somebody for, and what that lets them do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from bot.access.policy import AccessPolicy
from bot.cards.actions import Ask
from bot.cards.view import Button, View
from bot.chat.context import QuestionContext
from bot.chat.parsing import command_line
from bot.chat.ports import LANGUAGES
from bot.chat.registry import Commands, command
from bot.phrase import Phrase, phrase


@dataclass(frozen=True, slots=True, kw_only=True)
class Whoami(View):
    """A person and what they may do here, with the ids that administrators need for the configuration."""

    card: ClassVar[str] = "whoami"

    name: str
    user_id: str
    conversation_id: str
    roles: tuple[str, ...]
    language: Phrase
    commands: tuple[str, ...]
    writes: tuple[str, ...]
    """Those of ``commands`` that may change the ERP; what rules of its own govern, ``/why`` tells for each document."""

    def buttons(self) -> Sequence[Button]:
        return (
            Button(phrase("Help"), Ask(command_line("help"))),
            Button(phrase("Language"), Ask(command_line("lang"))),
        )


@command(
    "whoami",
    aliases=("我是谁", "wssh", "me"),
    examples=("/whoami",),
    summary=phrase("Who you are to the bot, and what you may do"),
    place=80,
)
async def whoami(*, context: QuestionContext, commands: Commands, policy: AccessPolicy) -> View:
    """Show the person who asks."""
    person = context.person
    usable = commands.usable(policy, context)
    return Whoami(
        name=person.name,
        user_id=person.user_id or "",
        conversation_id=context.conversation.id,
        roles=tuple(sorted(policy.roles_of(person))),
        language=LANGUAGES.get(person.language, Phrase(person.language)),
        commands=tuple(command.name for command in usable),
        writes=tuple(command.name for command in usable if command.writes and not command.governed),
    )
