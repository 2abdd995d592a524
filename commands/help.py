"""/help: what one may ask, and how."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from bot.access.policy import AccessPolicy
from bot.cards.actions import Ask
from bot.cards.notices import Suggestion
from bot.cards.view import Button, ListView, View
from bot.chat.arguments import Keyword, Word
from bot.chat.context import QuestionContext
from bot.chat.errors import BadArgument
from bot.chat.parsing import command_line
from bot.chat.questions.first_questions import first_questions
from bot.chat.registry import AnyCommand, Commands, command
from bot.words.phrase import Phrase, phrase


class CommandName(Word):
    """The name of a command, or one of its aliases."""

    placeholder = phrase("command")


class HelpPart(Keyword, changes=False):
    """What is asked for instead of the commands."""

    EXAMPLES = phrase("examples"), "示例", "例子", "举例"


@dataclass(frozen=True, slots=True, kw_only=True)
class FirstQuestions(View):
    """A word of welcome, and questions that fit what the person does."""

    card: ClassVar[str] = "first_questions"

    examples: tuple[Suggestion, ...]

    def buttons(self) -> Sequence[Button]:
        asks = (Button(each.label, Ask(each.line)) for each in self.examples)
        return (*asks, Button(phrase("Everything you can ask"), Ask(command_line("help"))))


@dataclass(frozen=True, slots=True, kw_only=True)
class HelpRow:
    """One command: its name, one alias in the people's own language, and what it is good for."""

    name: str
    alias: str
    summary: Phrase


@dataclass(frozen=True, slots=True, kw_only=True)
class Help(ListView):
    """The commands that the person may use here."""

    card: ClassVar[str] = "help"
    page_size: ClassVar[int] = 12

    rows: tuple[HelpRow, ...]

    def row_buttons(self) -> Sequence[Button]:
        return [Button(f"/{row.name}", Ask(command_line("help", row.name))) for row in self.rows if row.name != "help"]


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandHelp(View):
    """How one command is used."""

    card: ClassVar[str] = "command_help"

    name: str
    summary: Phrase
    usage: Phrase
    aliases: tuple[str, ...]
    examples: tuple[str, ...]

    def buttons(self) -> Sequence[Button]:
        return [Button(example, Ask(example)) for example in self.examples]


@command(
    "help",
    aliases=("帮助", "bz", "?", "菜单", "menu", "start"),
    examples=("/help", "/help stock"),
    shows=(),
    changes=False,
    summary=phrase("What you can ask"),
    place=70,
)
async def help_(
    name: CommandName | None = None,
    *,
    part: HelpPart | None = None,
    context: QuestionContext,
    commands: Commands,
    policy: AccessPolicy,
) -> View:
    """Show the commands, one of them in full, or a few questions to begin with."""
    usable = commands.usable(policy, context)
    if part and not name:
        person, names = context.person, {command.name for command in usable}
        return FirstQuestions(examples=first_questions(policy.roles_of(person), person.department_names, names))
    if name:
        return _one(name, commands, usable, context.person.language)
    rows = tuple(
        HelpRow(name=command.name, alias=next(iter(command.aliases), ""), summary=command.summary) for command in usable
    )
    return Help(rows=rows[context.offset :], total=len(rows), offset=context.offset, line=command_line("help"))


def _one(name: str, commands: Commands, usable: tuple[AnyCommand, ...], language: str) -> CommandHelp:
    wanted = commands.named("/" + name.lstrip("/"))
    if wanted is None or wanted not in usable:
        names = tuple(f"/{command.name}" for command in usable)
        raise BadArgument(
            phrase("There is no command “%(name)s” for you. There are: %(names)s", name=name, names=names)
        )
    return CommandHelp(
        name=wanted.name,
        summary=wanted.summary,
        usage=wanted.usage,
        aliases=wanted.aliases_in(language),
        examples=wanted.examples_in(language),
    )
