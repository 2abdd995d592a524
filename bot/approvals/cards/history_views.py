"""Views of what became of approvals: the list of cases, and one document's cases as evidence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import chain
from operator import attrgetter
from types import MappingProxyType
from typing import Annotated, ClassVar

from bot.approvals.cards.view_builders import people_in_case
from bot.approvals.cards.views import HEADLINES, ruling_commands
from bot.approvals.case import ApprovalCardKind, AuditRow, Case, CaseCard, CaseState, external_headline
from bot.approvals.plan import label_rule
from bot.cards.actions import Ask
from bot.cards.tables import Table
from bot.cards.view import Button, Label, ListView
from bot.chat.parsing import command_line
from bot.chat.view_parts import export_buttons, table_of_lines
from bot.erp.model import Money, PartnerName, Verdict
from bot.outbox.place import PlaceKind
from bot.words.columns import Column
from bot.words.disclosure import MONEY_FIELDS, ClassedBy, FieldClass, Stating
from bot.words.phrase import Phrase, phrase

_SEEN_DIGITS = 8
_LISTED = (
    Column(phrase("Number"), "number"),
    Column(phrase("Partner"), "partner"),
    Column(phrase("Amount"), "amount"),
    Column(phrase("State"), "state"),
    Column(phrase("Decided by"), "decided_by"),
    Column(phrase("Rule"), "rule"),
    Column(phrase("Began"), "opened_at"),
    Column(phrase("Decided at"), lambda row: row.decided_at or ""),
    Column(phrase("Company"), "source"),
)
_TOLD = (
    Column(phrase("Time"), "at"),
    Column(phrase("Who"), "who"),
    Column(phrase("Action"), "deed"),
    Column(phrase("Card"), "seen"),
    Column(phrase("Details"), "detail"),
)
_DEEDS: Mapping[str, Phrase] = MappingProxyType(
    {
        "opened": phrase("began by rule"),
        "decided": phrase("decided last"),
        "writing": phrase("is telling the ERP"),
        "outcome": phrase("the ERP answered"),
        "refused": phrase("was refused"),
        "forwarded": phrase("passed on to"),
        "asked_back": phrase("asked the requester"),
        "answered": phrase("answered"),
        "question_withdrawn": phrase("took the question back"),
        "question_lapsed": phrase("nobody answered in time"),
        "insisted": phrase("decided although a question was open"),
        "nudged": phrase("reminded"),
        "taken_back": phrase("took back the decision on"),
        "changed": phrase("had seen an older revision"),
        "called": phrase("was called"),
        "reminded": phrase("reminded"),
        "escalated": phrase("asked further people"),
        "expired": phrase("the time was over"),
        "reassigned": phrase("gave the turn of people who left to"),
        "approver_left": phrase("somebody left who was to decide"),
        "erp_refused": phrase("the ERP refused"),
        "erp_waits": phrase("the ERP waits for"),
        "unknown": phrase("the ERP did not confirm"),
        "not_found": phrase("the ERP did not have it"),
        "not_written": phrase("the ERP could not be told"),
        "found": phrase("found it in the ERP"),
        **{state.value: words for state, words in HEADLINES.items() if state is not CaseState.OPEN and state.is_final},
    }
)
"""What each line of a case's record says. A word that is not among them is shown as it was recorded."""
_NAMING = frozenset({"forwarded", "escalated", "approver_left", "reassigned"})
"""Lines whose details name people by their userIds."""
_VOTES: Mapping[bool, Phrase] = MappingProxyType({True: phrase("agreed to"), False: phrase("rejected")})
_CARDS: Mapping[ApprovalCardKind, Phrase] = MappingProxyType(
    {
        ApprovalCardKind.APPROVAL: phrase("got the card to decide"),
        ApprovalCardKind.TOLD: phrase("got the card with the outcome"),
        ApprovalCardKind.ASKED: phrase("got the card with the question"),
        ApprovalCardKind.TO_DO: phrase("got a to-do"),
        ApprovalCardKind.CALL: phrase("was called"),
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ApprovalHistoryRow:
    """A case in the list. ``decided_by`` are the names of those who voted, in their order."""

    case: str
    kind: str
    """The command of the document's kind."""
    number: str
    source: str
    partner: PartnerName
    amount: Annotated[Money | None, ClassedBy("classes")] = None
    classes: frozenset[FieldClass] = MONEY_FIELDS
    """What the amount tells of the business."""
    state: Phrase
    decided_by: tuple[str, ...] = ()
    rule: Label = ""
    opened_at: datetime
    decided_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ApprovalHistory(ListView):
    """Cases that the reader may see, the newest first. ``more``: older ones were not looked at."""

    card: ClassVar[str] = "approval_history"
    page_size: ClassVar[int] = 6
    tabled: ClassVar[bool] = True

    rows: tuple[ApprovalHistoryRow, ...]
    more: bool = False

    @property
    def shows_also(self) -> tuple[str, ...]:
        return ruling_commands(*(row.kind for row in self.rows))

    def row_buttons(self) -> Sequence[Button]:
        return [Button(row.number, Ask(command_line("decisions", row.number))) for row in self.rows]

    def buttons(self) -> Sequence[Button]:
        return (*ListView.buttons(self), *export_buttons(self.line))

    def table(self) -> Table:
        return Table.of_rows(_LISTED, self.rows, total=self.total, more=self.more, key_of=attrgetter("case"))


@dataclass(frozen=True, slots=True, kw_only=True)
class ApprovalRecordLine:
    """What happened at one moment. ``seen`` begins the fingerprint of the revision that the person's card showed."""

    at: datetime
    who: Label
    deed: Label
    seen: str = ""
    detail: Annotated[Label, Stating(FieldClass.COST)] = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ApprovalRecord(ListView):
    """All that is recorded about the cases of one document, the oldest first."""

    card: ClassVar[str] = "approval_record"
    page_size: ClassVar[int] = 8
    opens_rows: ClassVar[bool] = False
    tabled: ClassVar[bool] = True

    number: str
    source: str
    state: Phrase
    rule: Label
    policy: str
    decided_by: tuple[str, ...] = ()
    cards: tuple[tuple[Label, Phrase], ...] = ()
    """Who or what got which card."""
    rows: tuple[ApprovalRecordLine, ...]

    def buttons(self) -> Sequence[Button]:
        why = Button(phrase("Why"), Ask(command_line("why", self.number)))
        return (*ListView.buttons(self), why, *export_buttons(self.line))

    def table(self) -> Table:
        return table_of_lines(_TOLD, self)


def people_in_record(record: Sequence[tuple[Case, Sequence[AuditRow]]], cards: Sequence[CaseCard]) -> tuple[str, ...]:
    """Return the userIds of everybody whom the record of a document names."""
    told = chain.from_iterable((*people_in_case(case), *(row.user_id for row in rows)) for case, rows in record)
    return tuple(dict.fromkeys((*told, *(card.place.id for card in cards if _is_own(card)))))


def build_history_row(case: Case) -> ApprovalHistoryRow:
    """Return the row of a case, with all that somebody who may see everything may see."""
    there = case.elsewhere
    names = tuple(dict.fromkeys(vote.name for vote in case.votes)) or ((there.by,) if there and there.by else ())
    decided = case.decision.at if case.decision is not None else there.at if there is not None else None
    return ApprovalHistoryRow(
        case=case.id,
        kind=case.kind.command,
        number=case.number,
        source=case.source,
        partner=case.summary.partner,
        amount=case.summary.total,
        classes=case.kind.amounts.classes,
        state=state_of(case),
        decided_by=names,
        rule=label_rule(case.plan.rule),
        opened_at=case.opened_at,
        decided_at=decided,
    )


def build_record_lines(case: Case, rows: Sequence[AuditRow], names: Mapping[str, str]) -> list[ApprovalRecordLine]:
    """Return the lines of one case, the oldest first."""
    return [_line(case, row, names) for row in rows]


def cards_in_record(cards: Sequence[CaseCard], names: Mapping[str, str]) -> tuple[tuple[Label, Phrase], ...]:
    """Return who or what got which card of a case, each once."""
    once = {(card.place, card.kind): card for card in cards}
    return tuple((_receiver(card, names), _CARDS[card.kind]) for card in once.values())


def state_of(case: Case) -> Phrase:
    """Return what has become of a case."""
    if case.state is CaseState.OPEN:
        return phrase("Waiting")
    return external_headline(case.elsewhere) if case.state is CaseState.DECIDED_ELSEWHERE else HEADLINES[case.state]


def _is_own(card: CaseCard) -> bool:
    return card.place.kind is PlaceKind.PERSON


def _receiver(card: CaseCard, names: Mapping[str, str]) -> Label:
    if not _is_own(card):
        return phrase("A group")
    return names.get(card.place.id, card.place.id)


def _line(case: Case, row: AuditRow, names: Mapping[str, str]) -> ApprovalRecordLine:
    who: Label = names.get(row.user_id, row.user_id) if row.user_id else phrase("The bot")
    deed: Label = _DEEDS.get(row.what, row.what)
    detail: Label = row.detail
    if row.what == "vote":
        deed = _VOTES[not row.detail.startswith(Verdict.REJECT.value)]
        detail = row.detail.partition(": ")[2]
    elif row.what == "opened":
        detail = label_rule(row.detail)
    elif row.what in _NAMING:
        detail = ", ".join(names.get(each, each) for each in row.detail.split(", "))
    seen = row.seen or (case.fingerprint if row.what == "opened" else "")
    return ApprovalRecordLine(at=row.at, who=who, deed=deed, seen=seen[:_SEEN_DIGITS], detail=detail)
