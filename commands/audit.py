"""/audit: who saw a document, who decided it and who was refused; or what one person saw and did."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import ClassVar

from bot.access.audit import (
    BOT_ACTOR,
    PROGRAM_PLACE,
    AuditEntry,
    AuditKind,
    AuditLog,
    AuditReader,
    AuditSearch,
    RecordedEntry,
    read_detail,
)
from bot.cards.tables import Table
from bot.cards.view import Button, ListView, View
from bot.chat.answers.watched_questions import SEEN_AS
from bot.chat.arguments import Keyword, Word
from bot.chat.colleagues import Colleagues
from bot.chat.context import QuestionContext
from bot.chat.errors import BadArgument, NothingFound
from bot.chat.parsing import command_line
from bot.chat.registry import command
from bot.chat.view_parts import export_buttons, table_of_lines
from bot.words.columns import Column
from bot.words.disclosure import FieldClass
from bot.words.phrase import Phrase, phrase

NEWEST = 200
"""Entries that are shown at most; `dingerp audit search` finds all."""
NAMED = 20
"""How many breaks are named."""


class AuditRef(Word):
    """The number of a document, or the user id of a person."""

    placeholder = phrase("number or user id")


class AuditOption(Keyword, changes=False):
    """What is asked in place of entries."""

    VERIFY = phrase("verify"), "校验", "验证"


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditVerified(View):
    """What a look through the whole log found; ``problems`` are shown up to `NAMED`."""

    card: ClassVar[str] = "audit_verified"

    entries: int
    problems: tuple[Phrase | str, ...]
    more: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditLine:
    """What one person did at one moment; ``what`` are documents or, without any, the command."""

    at: datetime
    who: Phrase | str
    deed: Phrase
    what: tuple[str, ...]
    shown: tuple[Phrase, ...]
    refused: bool
    detail: Phrase | str


_COLUMNS = (
    Column(phrase("Time"), "at"),
    Column(phrase("Who"), "who"),
    Column(phrase("Action"), "deed"),
    Column(phrase("About"), "what"),
    Column(phrase("Seen of it"), "shown"),
    Column(phrase("Details"), "detail"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditTrail(ListView):
    """What the audit log has about ``subject``, a document or a person, the newest first."""

    card: ClassVar[str] = "audit"
    page_size: ClassVar[int] = 6
    tabled: ClassVar[bool] = True

    rows: tuple[AuditLine, ...]
    subject: str
    more: bool = False

    def buttons(self) -> Sequence[Button]:
        return (*ListView.buttons(self), *export_buttons(self.line))

    def table(self) -> Table:
        return table_of_lines(_COLUMNS, self, more=self.more)


_DEEDS: Mapping[AuditKind, Phrase] = MappingProxyType(
    {
        AuditKind.QUESTION: phrase("saw"),
        AuditKind.DECISION: phrase("decided"),
        AuditKind.REFUSAL: phrase("was refused"),
        AuditKind.MUTE: phrase("muted alerts"),
        AuditKind.RULES: phrase("changed rules"),
        AuditKind.BINDING: phrase("bound an account"),
        AuditKind.AWAY: phrase("arranged an absence"),
        AuditKind.EXPORT: phrase("exported"),
        AuditKind.OPERATOR: phrase("worked on the machine"),
        AuditKind.LOGIN: phrase("logged in or out of the pages"),
        AuditKind.UNREADABLE: phrase("cannot be read"),
    }
)

_DECISIONS: Mapping[tuple[str, str], Phrase] = MappingProxyType(
    {
        ("vote", "approve"): phrase("agreed to"),
        ("vote", "reject"): phrase("rejected"),
        ("take back", "taken_back"): phrase("took back the decision on"),
        ("forward", "forwarded"): phrase("passed on"),
    }
)
"""What people do about a purchase order, by action and outcome."""
_OWN_DEEDS: Mapping[str, Phrase] = MappingProxyType(
    {"tell the ERP": phrase("wrote to the ERP about"), "close": phrase("closed the approval of")}
)
"""What the bot does in their name, by the action."""

_FIELDS: Mapping[FieldClass, Phrase] = MappingProxyType(
    {
        FieldClass.QUANTITY: phrase("quantities"),
        FieldClass.AMOUNT: phrase("amounts"),
        FieldClass.COST: phrase("costs"),
        FieldClass.PARTNER: phrase("partners"),
        FieldClass.CONTACT: phrase("contacts"),
        FieldClass.MATERIALS: phrase("bills of materials"),
    }
)


@command(
    "audit",
    aliases=("审计", "sj", "谁看过"),
    examples=("/audit PO-1001", "/审计 PO-1001", "/audit verify"),
    changes=False,
    summary=phrase("Who saw, decided or was refused a document"),
    place=85,
    personal=True,
    reserved=True,
)
async def audit(
    word: AuditRef | None = None,
    *,
    option: AuditOption | None = None,
    reader: AuditReader,
    log: AuditLog,
    colleagues: Colleagues,
    context: QuestionContext,
) -> View:
    """Show what the audit log has about a document, or else about a person, or whether it is intact."""
    if option is AuditOption.VERIFY and not word:
        return await _verified(reader, log, context)
    if not word:
        raise BadArgument(phrase("Something is missing after the command."))
    found = await reader.search(AuditSearch(document=word, limit=NEWEST))
    found = found or await reader.search(AuditSearch(actor=word, limit=NEWEST))
    if not found:
        raise NothingFound(word)
    page = found[context.offset : context.offset + (context.rows or AuditTrail.page_size)]
    names = await _names(page, colleagues)
    return AuditTrail(
        rows=tuple(_line(kept, names) for kept in page),
        total=len(found),
        offset=context.offset,
        line=command_line("audit", word),
        subject=word,
        more=len(found) == NEWEST,
    )


async def _verified(reader: AuditReader, log: AuditLog, context: QuestionContext) -> View:
    """Look through the log, and record that and what was found afterwards: an entry would move the end."""
    found = await reader.check()
    entry = AuditEntry(
        kind=AuditKind.OPERATOR,
        at=context.now,
        actor=context.person.user_id or "",
        action="audit verify",
        conversation=context.conversation.id,
        detail="; ".join(found.problems) or f"{found.entries} entries in good order",
    )
    log.record(entry)
    shown = tuple(map(read_detail, found.problems[:NAMED]))
    return AuditVerified(entries=found.entries, problems=shown, more=len(found.problems) - len(shown))


async def _names(page: Sequence[RecordedEntry], colleagues: Colleagues) -> Mapping[str, str]:
    people = await colleagues.lookup(tuple(dict.fromkeys(kept.entry.actor for kept in page)))
    return {person.user_id: person.name for person in people if person.user_id is not None}


def _line(kept: RecordedEntry, names: Mapping[str, str]) -> AuditLine:
    entry = kept.entry
    refused = entry.kind is AuditKind.REFUSAL
    return AuditLine(
        at=entry.at,
        who=phrase("The bot") if entry.actor == BOT_ACTOR else names.get(entry.actor, entry.actor),
        deed=_deed(entry),
        what=entry.documents or (f"/{entry.action}",),
        shown=tuple(_FIELDS[part] for part in entry.shown),
        refused=refused,
        detail=read_detail(entry.detail) if _has_details(entry) else "",
    )


def _has_details(entry: AuditEntry) -> bool:
    by_program = entry.conversation.startswith(PROGRAM_PLACE)
    return entry.kind is not AuditKind.QUESTION or entry.action == SEEN_AS or by_program


def _deed(entry: AuditEntry) -> Phrase:
    if entry.action == SEEN_AS:
        return phrase("looked as somebody else at")
    if entry.kind is not AuditKind.DECISION:
        return _DEEDS[entry.kind]
    known = _DECISIONS.get((entry.action, entry.outcome)) or _OWN_DEEDS.get(entry.action)
    return known or _DEEDS[AuditKind.DECISION]
