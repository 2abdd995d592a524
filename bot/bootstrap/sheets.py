"""Builds what keeps lists in shared tables, and puts edits of them to their owners."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from typing import NoReturn

import structlog

from bot.access.audit import BOT_ACTOR, AuditEntry, AuditKind, AuditLog, RequiredAudit
from bot.access.people import Person
from bot.access.policy import Denied
from bot.bootstrap.exports import exportable
from bot.bootstrap.infrastructure import Infrastructure
from bot.cards.language import choose_language
from bot.chat.answers.page_answers import PageAnswers
from bot.chat.program_asks import AskRefused, TooManyAsks
from bot.chat.registry import Commands, installed_commands
from bot.dingtalk.directory import DingTalkDirectory, DingTalkUnknownPerson
from bot.dingtalk.notable import NotableTable
from bot.dingtalk.openapi import OpenApi
from bot.mechanisms.background import Runs
from bot.mechanisms.health import WELL, PartHealth, degraded
from bot.outbox.spending import Purpose, spending
from bot.proposals.proposal import SHEET_ASKER, Proposal, ProposalState
from bot.proposals.proposals import ProposalAsker, Proposals, ProposalWish
from bot.settings import Settings, SheetSettings
from bot.sheets.edits import check_rules
from bot.sheets.lists import OwnersLists
from bot.sheets.records import SheetRefused, TableClient
from bot.sheets.sharing import SharingParts, SheetSharing
from bot.sheets.sheet import KEY_HEADING, EditRefused, EditWish, SharedSheet, SheetRound
from bot.store.sheets import StoredSheetStates
from bot.words.errors import ConfigurationError, DingerpError
from bot.words.phrase import Phrase, phrase

log = structlog.get_logger(__name__)

LATE_ROUNDS = 3
"""A table that is older than so many of its rounds is reported."""
_STORE_AWAY = 30.0
"""Seconds until the next try when the bot's own database is away."""
_ENDS = {
    ProposalState.WAITING: phrase("put to the owner, who decides"),
    ProposalState.ACCEPTED: phrase("the owner had it run"),
    ProposalState.DECLINED: phrase("the owner left it"),
    ProposalState.EXPIRED: phrase("the owner did not answer in time"),
    ProposalState.WITHDRAWN: phrase("taken back"),
}


def sheets_of(settings: Settings) -> tuple[SharedSheet, ...]:
    """Return the configured sheets. Raises `ConfigurationError`."""
    commands = installed_commands()
    asking = exportable(commands)
    return tuple(_sheet(name, each, commands, asking) for name, each in settings.sheets.items())


def _sheet(name: str, wanted: SheetSettings, commands: Commands, asking: Commands) -> SharedSheet:
    where = f"sheets.{name}"
    if not wanted.shared:
        raise ConfigurationError(
            f"{where}.shared: set it to true, when it is meant that whoever may open the table sees what"
            " its owner may see"
        )
    parsed = commands.parse(wanted.line)
    if not wanted.line.startswith("/") or parsed.command not in asking or not commands.only_asks(wanted.line):
        raise ConfigurationError(f"{where}.line: {wanted.line!r} is no line of a list, such as /order late")
    for column, rules in wanted.edits.items():
        check_rules(commands, f"{where}.edits.{column}", rules)
    return SharedSheet(
        name=name,
        owner=wanted.owner,
        line=wanted.line,
        every=timedelta(minutes=wanted.every),
        edits=wanted.edits,
        answer_within=timedelta(hours=wanted.answer_hours),
    )


@dataclass(frozen=True, slots=True)
class ProposedEdits:
    """Puts edits to the owners of sheets as proposals; implements `bot.sheets.sheet.EditDesk`."""

    base: Infrastructure
    proposals: Proposals

    async def propose(self, wish: EditWish) -> str:
        sheet = wish.sheet
        owner: Person = await self.base.people.identify(sheet.owner, name="")
        if owner.user_id is None:
            raise EditRefused(phrase("nobody can say whether the owner is still a member"), later=True)
        asker = ProposalAsker(f"{SHEET_ASKER}{sheet.name}", sheet.owner, self.base.now() + sheet.answer_within)
        asked = ProposalWish(
            asker=asker,
            owner=replace(owner, key=None),
            asked_as=wish.asked_as,
            line=wish.line,
            reason=wish.reason,
            expires_in=sheet.answer_within,
        )
        try:
            return (await self.proposals.propose(asked)).id
        except TooManyAsks as many:
            raise EditRefused(many.reason, later=True) from None
        except AskRefused as refused:
            raise EditRefused(refused.reason) from None
        except Denied:
            raise EditRefused(phrase("the owner may not do that")) from None

    async def outcome(self, proposal: str) -> Phrase:
        found: Proposal | None = await self.proposals.find(proposal)
        return _ENDS[ProposalState.WITHDRAWN if found is None else found.state]


async def start_sheets(
    base: Infrastructure,
    answers: PageAnswers,
    proposals: Proposals,
    audit: AuditLog,
    required: RequiredAudit | None,
) -> None:
    """Start keeping the shared tables current, each by itself."""
    sheets = sheets_of(base.settings)
    if not sheets:
        return
    language = choose_language(base.languages, base.settings.language)
    zone = base.now().tzinfo
    assert zone is not None, "the clock gives aware times"
    parts = SharingParts(
        lists=OwnersLists(
            answers=answers,
            identify=partial(base.people.identify, name=""),
            language=language,
            zone=zone,
            key_heading=language.say(KEY_HEADING),
            most=base.settings.limits.export_rows,
        ),
        desk=ProposedEdits(base, proposals),
        states=StoredSheetStates(base.database),
        commands=installed_commands(),
        language=language,
        audit=audit,
        required=required,
        sparing=base.month.sparing,
        metrics=base.metrics,
        now=base.now,
    )
    directory = DingTalkDirectory(base.api)
    for sheet in sheets:
        wanted = base.settings.sheets[sheet.name]
        sharing = SheetSharing(sheet, parts, partial(open_table, base.api, base.settings, directory, sheet.name))
        audit.record(_start_entry(base, sheet, wanted))
        await base.run_in_background(partial(_keep, sharing), f"sheet {sheet.name}", Runs.WITH_LEAD)


async def open_table(api: OpenApi, settings: Settings, directory: DingTalkDirectory, name: str) -> TableClient:
    """Open a sheet's table in the name of its operator. Raises `SheetRefused`, and a `DingerpError` without an
    answer.
    """
    wanted = settings.sheets[name]
    operator = wanted.operator or wanted.owner
    try:
        with spending(Purpose.DIRECTORY):
            union_id = (await directory.person(operator)).union_id
    except DingTalkUnknownPerson:
        union_id = ""
    if not union_id:
        raise SheetRefused(phrase("its operator %(name)s is no member of the organisation (any more)", name=operator))
    address = settings.dingtalk.openapi_endpoint
    return NotableTable(api, address, base=wanted.base, sheet=wanted.sheet, operator=union_id)


async def _keep(sharing: SheetSharing) -> NoReturn:
    while True:
        try:
            await asyncio.sleep((await sharing.due_in()).total_seconds())
            await sharing.refresh()
        except DingerpError as error:
            log.warning("sheet.not_kept", sheet=sharing.sheet.name, error=type(error).__name__, detail=error.detail)
            await asyncio.sleep(_STORE_AWAY)


def _start_entry(base: Infrastructure, sheet: SharedSheet, wanted: SheetSettings) -> AuditEntry:
    """Return the entry on what is shared from now on, and by whose rights."""
    asked = f", edits of {', '.join(sorted(sheet.edits))}" if sheet.edits else ""
    return AuditEntry(
        kind=AuditKind.RULES,
        at=base.now(),
        actor=BOT_ACTOR,
        action="sheet",
        outcome="loaded",
        detail=f"{sheet.name} of {sheet.owner}: {sheet.line}, in {wanted.base}/{wanted.sheet}{asked}",
    )


async def sheets_health(base: Infrastructure) -> PartHealth:
    """Return whether the shared tables are as their lists."""
    states = StoredSheetStates(base.database)
    late: dict[str, Phrase] = {}
    for sheet in sheets_of(base.settings):
        found = await states.round_of(sheet.name)
        if found.refreshed_at is not None:
            age = base.now() - found.refreshed_at
            base.metrics.sheet_age.labels(sheet.name).set(age.total_seconds())
        if (said := _late(base, sheet, found)) is not None:
            late[sheet.name] = said
    if not late:
        return WELL
    words = phrase("shared tables are not current: %(sheets)s", sheets=tuple(late.values()))
    return degraded(words, frozenset(late))


def _late(base: Infrastructure, sheet: SharedSheet, found: SheetRound) -> Phrase | None:
    since = found.refreshed_at
    is_late = since is not None and base.now() - since > LATE_ROUNDS * sheet.every
    if found.failure is None and not is_late:
        return None
    why = found.failure or phrase("its rounds do not come")
    if since is None:
        return phrase("%(sheet)s was never refreshed (%(why)s)", sheet=sheet.name, why=why)
    time = f"{since.astimezone(base.now().tzinfo):%Y-%m-%d %H:%M}"
    return phrase("%(sheet)s is as of %(time)s (%(why)s)", sheet=sheet.name, time=time, why=why)
