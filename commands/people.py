"""/people: the members that the bot knows, who one of them is to it, and whether a rule lets them use a command."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

from bot.access.people import ListedPerson, PeopleReader, Person
from bot.access.policy import NO_RULE, AccessPolicy, ConsideredRule
from bot.access.wording import describe_scope
from bot.cards.actions import Ask
from bot.cards.tables import Table
from bot.cards.view import Button, ListView, View
from bot.chat.accounts.binding import ErpAccounts
from bot.chat.arguments import Word, shortened
from bot.chat.colleagues import Colleagues
from bot.chat.context import QuestionContext
from bot.chat.errors import BadArgument, NothingFound
from bot.chat.parsing import command_line
from bot.chat.person_rights import Whoami, describe_person
from bot.chat.registry import Commands, command
from bot.chat.view_parts import table_of_lines
from bot.words.columns import Column
from bot.words.disclosure import FieldClass
from bot.words.phrase import Phrase, phrase

MOST = 500
"""Members that are listed at most; a part of the name leads to the others."""


class PersonRef(Word):
    """A userId, or a part of a name."""

    placeholder = phrase("name or user id")


class CommandRef(Word):
    """The command about which is asked, with or without a slash."""

    placeholder = phrase("command")


_COLUMNS = (
    Column(phrase("Name"), "name"),
    Column(phrase("User id"), "user_id"),
    Column(phrase("Roles"), "roles"),
    Column(phrase("Departments"), "departments"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class PeopleList(ListView):
    """Members by userId. ``more``: there are others that were not listed."""

    card: ClassVar[str] = "people"
    page_size: ClassVar[int] = 10
    tabled: ClassVar[bool] = True

    rows: tuple[ListedPerson, ...]
    more: bool = False

    def row_lines(self) -> Sequence[str]:
        return [command_line("people", row.user_id) for row in self.rows]

    def row_buttons(self) -> Sequence[Button]:
        return [Button(row.name, Ask(command_line("people", row.user_id))) for row in self.rows]

    def table(self) -> Table:
        return table_of_lines(_COLUMNS, self, more=self.more)


@dataclass(frozen=True, slots=True, kw_only=True)
class BoundAccount:
    """An account in an ERP; ``state`` says how far its binding is."""

    source: str
    account: str
    state: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonProfile(View):
    """What somebody is to the bot: as `Whoami` tells them, with their departments and accounts."""

    card: ClassVar[str] = "person"

    who: Whoami
    departments: tuple[str, ...]
    accounts: tuple[BoundAccount, ...]

    def buttons(self) -> Sequence[Button]:
        return (
            Button(phrase("What they did"), Ask(command_line("audit", self.who.user_id))),
            Button(phrase("All members"), Ask("/people")),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsideredRuleRow:
    """A rule about the command, and what it does for this person."""

    rule: str
    effect: Phrase


@dataclass(frozen=True, slots=True, kw_only=True)
class ExplainedAccess(ListView):
    """Whether somebody may use a command in their own chat, why, and what they see of its answer."""

    card: ClassVar[str] = "explained_access"
    tabled: ClassVar[bool] = True
    opens_rows: ClassVar[bool] = False

    rows: tuple[ConsideredRuleRow, ...]
    name: str
    user_id: str
    command: str
    allowed: bool
    reason: Phrase
    ask: tuple[str, ...]
    rule: str
    fields: tuple[FieldClass, ...] = ()
    scopes: tuple[tuple[Phrase, ...], ...] = ()

    def buttons(self) -> Sequence[Button]:
        return (*ListView.buttons(self), Button(self.name, Ask(command_line("people", self.user_id))))

    def table(self) -> Table:
        return table_of_lines((Column(phrase("Rule"), "rule"), Column(phrase("What it does"), "effect")), self)


@command(
    "people",
    aliases=("人员", "ry"),
    examples=("/people", "/people keeper01", "/people keeper01 order"),
    shows=(),
    changes=False,
    summary=phrase("Members, their roles, accounts and rights, and why they may use a command"),
    place=90,
    personal=True,
    reserved=True,
)
async def people(
    word: PersonRef | None = None,
    about: CommandRef | None = None,
    *,
    reader: PeopleReader,
    colleagues: Colleagues,
    accounts: ErpAccounts,
    commands: Commands,
    policy: AccessPolicy,
    context: QuestionContext,
) -> View:
    """Show the members, one of them, or their right to one command."""
    found = await reader.listed(word or "", MOST)
    listed = [each for each in found if each.user_id == word] or (found if len(found) == 1 and word else [])
    if not listed and (found or not word):
        if about:
            raise BadArgument(phrase("Several are called so: say the user id."))
        return _list(found, word or "", context)
    # Who has not been read from the directory yet is asked for by the id.
    known = await colleagues.lookup([listed[0].user_id if listed else word or ""])
    if not known:
        raise NothingFound(word or "")
    if about:
        return _explained(known[0], about, commands, policy, context)
    own = await accounts.of(known[0].user_id or "")
    return PersonProfile(
        who=describe_person(replace(context, person=known[0]), commands, policy),
        departments=tuple(sorted(known[0].department_names)),
        accounts=tuple(
            BoundAccount(source=each.source, account=each.account or each.wanted, state=each.state.value)
            for each in own
        ),
    )


def _list(found: Sequence[ListedPerson], text: str, context: QuestionContext) -> PeopleList:
    return PeopleList(
        rows=tuple(found[context.offset : context.offset + (context.rows or PeopleList.page_size)]),
        total=len(found),
        offset=context.offset,
        line=command_line("people", text),
        more=len(found) == MOST,
    )


def _explained(
    person: Person, about: str, commands: Commands, policy: AccessPolicy, context: QuestionContext
) -> ExplainedAccess:
    known = commands.named(about)
    if known is None:
        raise BadArgument(phrase("There is no command “%(word)s”.", word=shortened(about)))
    request = known.request()
    verdict = policy.decide(person, request)
    rules = tuple(
        ConsideredRuleRow(rule=each.rule.name, effect=effect)
        for each in policy.consider(person, request)
        for effect in _effects(each)
    )
    scopes = tuple(describe_scope(scope) for scope in verdict.grant.scopes)
    return ExplainedAccess(
        rows=rules[context.offset : context.offset + (context.rows or ExplainedAccess.page_size)],
        total=len(rules),
        offset=context.offset,
        line=command_line("people", person.user_id or "", known.name),
        name=person.name,
        user_id=person.user_id or "",
        command=known.name,
        allowed=verdict.allowed,
        reason=verdict.reason,
        ask=verdict.ask,
        rule=verdict.rule if verdict.rule != NO_RULE else "",
        fields=tuple(field for field in FieldClass if field in verdict.grant.fields) if verdict.allowed else (),
        scopes=scopes if verdict.allowed and all(scopes) else (),
    )


def _effects(considered: ConsideredRule) -> Iterator[Phrase]:
    """Yield what a rule does; nothing for one that is about others, or about other conversations."""
    rule = considered.rule
    if rule.shared or not (considered.holds_here and considered.names_person):
        return
    if rule.allows:
        yield phrase("allows it")
    elif rule.takes_command:
        yield phrase("takes the command")
    else:
        yield phrase("hides some fields or documents")
