"""/whoami: who the bot takes somebody for, and what that lets them do."""

from __future__ import annotations

from bot.access.policy import AccessPolicy
from bot.cards.view import View
from bot.chat.context import QuestionContext
from bot.chat.person_rights import describe_person
from bot.chat.registry import Commands, command
from bot.words.phrase import phrase


@command(
    "whoami",
    aliases=("我是谁", "wssh", "me"),
    examples=("/whoami",),
    shows=(),
    changes=False,
    summary=phrase("Who you are to the bot, and what you may do"),
    place=80,
)
async def whoami(*, context: QuestionContext, commands: Commands, policy: AccessPolicy) -> View:
    """Show the person who asks."""
    return describe_person(context, commands, policy)
