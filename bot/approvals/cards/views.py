"""The views of approval cards, built by `bot.approvals.cards.view_builders`; templates see nothing else.

A view for a group holds no amount at all (`Audience.BARE`), so none can reach a text, twin, summary or field.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Annotated, Any, ClassVar, TypeAlias

from bot.approvals.cards.insights import NO_INSIGHT, LineInsight
from bot.approvals.case import UNDER_WAY, CaseState, ExternalDecision, InquiryEnd, external_headline, withdrawal_text
from bot.cards.actions import ApproveCase, Ask, ClarifyCase, ForwardCase, RejectCase, RejectReason, UndoDecision
from bot.cards.form import REASON_FIELD, FormField, InputForm
from bot.cards.view import Button, Color, Following, Label, ListView, View
from bot.cards.withholding import SEE_ALL
from bot.chat.parsing import command_line
from bot.chat.revision_cases import decision_buttons
from bot.chat.view_parts import erp_link_buttons
from bot.erp.kinds import decided_kind, deciding_of, ruled_by
from bot.erp.model import DocumentRef, Money, PartnerName, Quantity, ReviewState, Verdict
from bot.words.disclosure import MONEY_FIELDS, ChosenBy, ClassedBy, FieldClass, Stating
from bot.words.phrase import Phrase, phrase

HEADLINES: Mapping[CaseState, Phrase] = MappingProxyType(
    {
        **UNDER_WAY,
        CaseState.OPEN: phrase("Waiting"),
        CaseState.APPROVED: phrase("Approved"),
        CaseState.REJECTED: phrase("Rejected"),
        CaseState.DECIDED_ELSEWHERE: external_headline(None),
        CaseState.SUPERSEDED: phrase("Changed in the ERP"),
        CaseState.EXPIRED: phrase("Expired"),
        CaseState.WITHDRAWN: phrase("No longer waits"),
    }
)
"""The title of a case's cards in each state."""


def _headline(state: CaseState, there: ExternalDecision | None, kind: str) -> Phrase:
    if state is CaseState.OPEN:
        return deciding_of(decided_kind(kind)).waiting
    return external_headline(there) if state is CaseState.DECIDED_ELSEWHERE else HEADLINES[state]


def ruling_commands(*kinds: str) -> tuple[str, ...]:
    """Return the commands whose rules bind documents of these kinds."""
    return tuple(dict.fromkeys(ruled_by(decided_kind(kind)) for kind in kinds))


class Audience(StrEnum):
    """The audience of a card: one person, or everybody in a group."""

    PRICED = "priced"
    BARE = "bare"

    @classmethod
    def of(cls, *, private: bool) -> Audience:
        """Return the audience of a private chat or of a group."""
        return cls.PRICED if private else cls.BARE


@dataclass(frozen=True, slots=True, kw_only=True)
class RevisionLine:
    """One line of a document that waits; readers see its price who may see ``classes``."""

    sku: str
    name: str
    unit: str
    quantity: Quantity | None = None
    price: Annotated[Money | None, ClassedBy("classes")] = None
    classes: frozenset[FieldClass] = MONEY_FIELDS

    @classmethod
    def of(cls, line: Any, classes: frozenset[FieldClass]) -> RevisionLine:
        """Return the line of a record of any kind."""
        return cls(
            sku=line.sku,
            name=line.name,
            unit=line.unit,
            quantity=line.quantity,
            price=getattr(line, "price", None),
            classes=classes,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ApprovalLine:
    """One line of a document with its insights; a bare card has neither its price nor earlier ones."""

    line: RevisionLine
    insight: LineInsight = NO_INSIGHT

    def bare(self) -> ApprovalLine:
        """Return the line without prices."""
        return ApprovalLine(line=replace(self.line, price=None), insight=replace(self.insight, last=None))


@dataclass(frozen=True, slots=True, kw_only=True)
class VoteLine:
    """A person's vote and its time; ``instead_of`` is the name of the approver they substituted for."""

    name: str
    verdict: Verdict
    at: datetime
    reason: Annotated[str, Stating(FieldClass.COST)] = ""
    instead_of: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class InquiryLine:
    """A question to the requester, and what became of it; without ``ended`` it is open, until ``until``."""

    name: str
    text: Annotated[str, Stating(FieldClass.COST)]
    at: datetime
    until: datetime
    ended: InquiryEnd | None = None
    ended_at: datetime | None = None
    answer: Annotated[str, Stating(FieldClass.COST)] = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckedLines:
    """What the checks of a document came to. That nothing is flagged tells of figures as well as that something is.

    ``more`` flags have no room on a card.
    """

    flags: Annotated[tuple[Phrase, ...], ChosenBy("classes")]
    more: Annotated[int, ChosenBy("classes")] = 0
    looked_at: Annotated[tuple[Phrase, ...], ChosenBy("classes")]
    as_of: datetime
    classes: frozenset[FieldClass]


DisplayValue: TypeAlias = Money | date | str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangedField:
    """One changed field; ``before`` and ``now`` are None if only the fact of the change may be shown.

    ``field_class`` is the class of these values.
    """

    label: Phrase
    what: str = ""
    before: Annotated[DisplayValue, ClassedBy("field_class")] = None
    now: Annotated[DisplayValue, ClassedBy("field_class")] = None
    field_class: FieldClass | frozenset[FieldClass] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ApprovalView(ListView):
    """One document awaiting a decision; ``rows`` are its lines.

    ``seen`` is a prefix of the revision's fingerprint. ``level`` of ``levels`` is the current one; ``waited`` names
    the people who can vote, ``asked`` the questions to the requester, ``inquiry`` the number of the open one,
    ``erp_waits`` those the ERP waits for if none of the plan's people is among them. ``erp_level`` of
    ``erp_levels`` counts the ERP's own approvals. ``decision`` is the result of the votes, ``elsewhere`` the
    outcome in the ERP itself, ``words`` the ERP's message. ``changes`` lists the differences from the previous
    revision or, on a superseded card, to the next. ``note`` answers a click, ``ask`` names the people who could
    help. ``sure`` asks for confirmation, ``insist`` whether it is decided although a question is open. ``mute``:
    the viewer has nothing to decide here. ``undo``: the viewer can take the decision back. ``read``: the lines are
    known.
    """

    card: ClassVar[str] = "approval"
    page_size: ClassVar[int] = 4

    case: str
    seen: str
    kind: str
    """The command of the document's kind."""
    number: str
    source: str = ""
    partner: PartnerName
    audience: Audience
    state: CaseState
    requester: str = ""
    amount: Annotated[Money | None, ClassedBy("classes")] = None
    classes: frozenset[FieldClass] = MONEY_FIELDS
    """What the amount tells of the business."""
    due_on: date | None = None
    rows: tuple[ApprovalLine, ...] = ()
    read: bool = True
    level: int = 1
    levels: int = 1
    need_all: bool = False
    waited: tuple[str, ...] = ()
    away: tuple[Phrase, ...] = ()
    """Who is away of those for whom it waits, and who decides instead."""
    erp_waits: tuple[str, ...] = ()
    erp_level: int = 1
    erp_levels: int = 1
    spoken: tuple[VoteLine, ...] = ()
    asked: tuple[InquiryLine, ...] = ()
    inquiry: int = 0
    own_inquiry: bool = False
    """Whether the viewer asked the open question and can take it back."""
    nudged_by: str = ""
    nudged_at: datetime | None = None
    """Who reminded those whose turn it is, and when, the last time."""
    decision: VoteLine | None = None
    elsewhere: ExternalDecision | None = None
    words: Annotated[Phrase | str, Stating(FieldClass.COST)] = ""
    flags: Annotated[tuple[Phrase, ...], Stating(FieldClass.COST)] = ()
    checks: CheckedLines | None = None
    facts: tuple[Phrase, ...] = ()
    """Further insights: the supplier's lateness, other open orders."""
    missing: tuple[Phrase, ...] = ()
    """The insights that did not arrive in time."""
    changes: tuple[ChangedField, ...] = ()
    late: bool = False
    """Whether the deadline has passed."""
    more: bool = False
    """Whether the ERP waits for others as well: only one of its own levels is passed."""
    note: Annotated[Phrase | None, Stating(FieldClass.COST)] = None
    aside: bool = False
    """Whether ``note`` tells one person that a tap had no effect."""
    ask: tuple[str, ...] = ()
    sure: bool = False
    insist: bool = False
    mute: bool = False
    can_reject: bool = True
    turned_away: tuple[str, ...] = ()
    """The names of people whose decision the ERP itself has refused; ``words`` is its reason."""
    undo: bool = False
    retry: str = ""
    """The line that repeats a question the ERP was too slow for."""
    next_case: str = ""
    """The id of the case the reader can continue with."""
    newer: str = ""
    """The id of the case of the succeeding revision, if it waits."""
    url: str = ""
    shows: str = ""
    """The name of the case's state; see `bot.approvals.case.Case.state_name`."""

    @property
    def shows_also(self) -> tuple[str, ...]:
        return ruling_commands(self.kind)

    @property
    def origin(self) -> str:
        return self.source

    @property
    def headline(self) -> Phrase:
        """The title for its current state."""
        return phrase("Agreed") if self.more else _headline(self.state, self.elsewhere, self.kind)

    @property
    def due(self) -> Phrase:
        """What the day is called on which it is due."""
        return deciding_of(decided_kind(self.kind)).due

    @property
    def settled(self) -> bool:
        """Whether the ERP has the decision made here."""
        return is_settled(self.state)

    @property
    def withdrawn(self) -> Phrase:
        """Why it no longer waits although nobody decided."""
        return withdrawal_text(self.elsewhere)

    @property
    def priced(self) -> bool:
        """Whether the viewer may see prices."""
        return self.audience is Audience.PRICED

    def question(self) -> Ask | None:
        # A bare card has this button anyway.
        return show_action(self.case) if self.priced else None

    def is_for_all(self) -> bool:
        return not self.aside

    def following(self) -> Following | None:
        return None if self.state.is_final else follow_case(self.source, self.number, self.case, self.shows)

    def buttons(self) -> Sequence[Button]:
        again = (Button(phrase("Try again"), Ask(self.retry), Color.BLUE),) if self.retry else ()
        return (
            *again,
            *self._decision_buttons(),
            *(self._next() if self.more else ()),
            *self._newer(),
            *(() if self.more else self._next()),
            *self._details(),
            *ListView.buttons(self),
            *erp_link_buttons(self.url),
        )

    def _decision_buttons(self) -> tuple[Button, ...]:
        if self.undo and self.state is CaseState.WRITING:
            return (Button(phrase("Undo"), UndoDecision(self.case, self.number)),)
        if self.state is not CaseState.OPEN:
            return ()
        if self.mute:
            return self._nudging_buttons()
        if self.insist:
            return self._insisting_buttons()
        if self.sure:
            sure = ApproveCase(self.case, self.seen, confirmed=True, number=self.number)
            return (
                Button(phrase("Yes, approve"), sure, Color.BLUE),
                Button(phrase("Back"), show_action(self.case)),
            )
        return (
            *decision_buttons(self.case, self.seen, self.number, can_reject=self.can_reject),
            *self._clarifying_buttons(),
        )

    def _insisting_buttons(self) -> tuple[Button, ...]:
        approve = ApproveCase(self.case, self.seen, confirmed=True, despite=self.inquiry, number=self.number)
        reject = RejectCase(self.case, self.seen, despite=self.inquiry, number=self.number)
        return (
            Button(phrase("Approve all the same"), approve, Color.BLUE),
            *((Button(phrase("Reject all the same"), reject, Color.RED),) if self.can_reject else ()),
            Button(phrase("Back"), show_action(self.case)),
        )

    def _clarifying_buttons(self) -> tuple[Button, ...]:
        if self.retry:
            return ()
        if not self.inquiry:
            return (Button(phrase("Ask back"), ClarifyCase(self.case, number=self.number)),) if self.requester else ()
        withdraw = ClarifyCase(self.case, self.inquiry, withdraw=True, number=self.number)
        return (Button(phrase("Take the question back"), withdraw),) if self.own_inquiry else ()

    def _nudging_buttons(self) -> tuple[Button, ...]:
        line = Ask(command_line("nudge", self.case))
        return (Button(phrase("Remind them"), line),) if self.waited and not self.inquiry else ()

    def _newer(self) -> tuple[Button, ...]:
        return (Button(phrase("As it is now"), show_action(self.newer), Color.BLUE),) if self.newer else ()

    def _next(self) -> tuple[Button, ...]:
        return (Button(phrase("Next one"), show_action(self.next_case), Color.BLUE),) if self.next_case else ()

    def _details(self) -> tuple[Button, ...]:
        # On a bare card it opens the clicker's own view with prices; there it opens the order with all its lines.
        line = Ask(command_line(self.kind, self.number)) if self.priced else show_action(self.case)
        return (Button(phrase("Details"), line),)


@dataclass(frozen=True, slots=True, kw_only=True)
class ApprovalReply(View):
    """The immediate result of a typed vote, until the card shows how it goes on.

    ``spoken`` is the last vote that counts. ``undo``: the reader can take the decision back. ``stays``: it says all
    there is, so that no change of the case draws it again.
    """

    card: ClassVar[str] = "approval_reply"

    case: str
    kind: str
    """As in `ApprovalView`."""
    number: str
    source: str = ""
    partner: PartnerName
    note: Annotated[Phrase, Stating(FieldClass.COST)]
    spoken: VoteLine | None = None
    undo: bool = False
    stays: bool = False
    shows: str = ""
    """As in `ApprovalView`."""

    @property
    def shows_also(self) -> tuple[str, ...]:
        return ruling_commands(self.kind)

    def following(self) -> Following | None:
        return None if self.stays else follow_case(self.source, self.number, self.case, self.shows)

    def buttons(self) -> Sequence[Button]:
        shown = Button(phrase("How it stands"), show_action(self.case), Color.BLUE)
        return (shown, Button(phrase("Undo"), UndoDecision(self.case, self.number))) if self.undo else (shown,)


@dataclass(frozen=True, slots=True, kw_only=True)
class ApprovalTodo(View):
    """A to-do for the people whose turn it is; to-do lists show its title."""

    card: ClassVar[str] = "approval_todo"

    subject: Phrase
    """What the document is called, with its number."""
    partner: PartnerName


@dataclass(frozen=True, slots=True, kw_only=True)
class RequesterNotice(View):
    """The outcome of a document, for its requester."""

    card: ClassVar[str] = "approval_told"

    case: str
    kind: str
    """As in `ApprovalView`."""
    subject: Phrase
    """What the document is called, with its number."""
    number: str
    source: str = ""
    partner: PartnerName
    amount: Annotated[Money | None, ClassedBy("classes")] = None
    classes: frozenset[FieldClass] = MONEY_FIELDS
    """As in `ApprovalView`."""
    state: CaseState
    decision: VoteLine | None = None
    elsewhere: ExternalDecision | None = None
    words: Annotated[Phrase | str, Stating(FieldClass.COST)] = ""

    @property
    def origin(self) -> str:
        return self.source

    @property
    def headline(self) -> Phrase:
        """The title for its outcome."""
        return _headline(self.state, self.elsewhere, self.kind)

    @property
    def settled(self) -> bool:
        """Whether the ERP has the decision made here."""
        return is_settled(self.state)

    def buttons(self) -> Sequence[Button]:
        return (
            Button(phrase("Details"), Ask(command_line(self.kind, self.number))),
            Button(phrase("Why"), Ask(command_line("why", self.case))),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class RequesterInquiry(View):
    """The questions about a document, for its requester; ``inquiry`` is the number of the open one, 0 if none is."""

    card: ClassVar[str] = "approval_asked"

    case: str
    kind: str
    """As in `ApprovalView`."""
    subject: Phrase
    """What the document is called, with its number."""
    number: str
    source: str = ""
    partner: PartnerName
    asked: tuple[InquiryLine, ...]
    inquiry: int = 0

    @property
    def origin(self) -> str:
        return self.source

    def buttons(self) -> Sequence[Button]:
        answer = ClarifyCase(self.case, self.inquiry, number=self.number)
        return (
            *((Button(phrase("Answer the question"), answer, Color.BLUE),) if self.inquiry else ()),
            Button(phrase("Details"), Ask(command_line(self.kind, self.number))),
            Button(phrase("How it stands"), show_action(self.case)),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ApprovalInquiry(View):
    """Asks for the words of a question to the requester, or of the answer to ``asked``, for ``minutes``.

    No change of the case draws it again: by then it is answered or out of time.
    """

    card: ClassVar[str] = "approval_inquiry"

    case: str
    kind: str
    """As in `ApprovalView`."""
    number: str
    source: str = ""
    partner: PartnerName
    asked: InquiryLine | None = None
    inquiry: int = 0
    """The number of ``asked``."""
    minutes: int
    on_page: bool = False
    """As in `ApprovalReasons`."""

    @property
    def shows_also(self) -> tuple[str, ...]:
        return ruling_commands(self.kind)

    @property
    def headline(self) -> Phrase:
        if self.inquiry:
            return phrase("Your answer about %(number)s", number=self.number)
        return phrase("What do you ask about %(number)s?", number=self.number)

    def form(self) -> InputForm | None:
        label = phrase("Your answer") if self.inquiry else phrase("Your question")
        words = FormField(name=REASON_FIELD, label=label)
        return InputForm(
            title=self.headline,
            text=phrase("All who decide see your words, and they stay in the record. Nothing has been recorded yet."),
            fields=(words,),
            does=ClarifyCase(self.case, self.inquiry, number=self.number),
        )

    def buttons(self) -> Sequence[Button]:
        return (Button(phrase("Back"), show_action(self.case)),)


@dataclass(frozen=True, slots=True, kw_only=True)
class ApprovalReasons(View):
    """Asks for the reason of a rejection: one of a few presets, or the next message, for ``minutes``."""

    card: ClassVar[str] = "approval_reasons"

    case: str
    kind: str
    """As in `ApprovalView`."""
    seen: str
    number: str
    source: str = ""
    partner: PartnerName
    despite: int = 0
    """The number of the open question to the requester, where the rejection insists."""
    minutes: int
    own_words: bool = False
    """Whether only the next message is awaited."""
    on_page: bool = False
    """Whether a form of the page asks, and no message is awaited."""
    shows: str = ""
    """As in `ApprovalView`."""

    @property
    def shows_also(self) -> tuple[str, ...]:
        return ruling_commands(self.kind)

    def form(self) -> InputForm | None:
        if self.own_words and not self.on_page:
            return None
        words = FormField(
            name=REASON_FIELD, label=phrase("Reason"), placeholder=phrase("For example: dearer than last time")
        )
        return InputForm(
            title=phrase("Why do you reject %(number)s?", number=self.number),
            text=phrase("The requester and the ERP get your words. Nothing has been recorded yet."),
            fields=(words,),
            does=RejectCase(self.case, self.seen, despite=self.despite, number=self.number),
        )

    def following(self) -> Following:
        return follow_case(self.source, self.number, self.case, self.shows)

    def buttons(self) -> Sequence[Button]:
        back = Button(phrase("Back"), show_action(self.case))
        if self.own_words:
            return (back,)
        quick = [self._quick(reason) for reason in RejectReason if reason is not RejectReason.OTHER]
        return (*quick, self._quick(RejectReason.OTHER), back)

    def _quick(self, reason: RejectReason) -> Button:
        return Button(
            REASON_LABELS[reason], RejectCase(self.case, self.seen, reason, self.despite, self.number), Color.RED
        )


REASON_LABELS = {
    RejectReason.PRICE: phrase("Price too high"),
    RejectReason.BUDGET: phrase("Over budget"),
    RejectReason.QUANTITY: phrase("Wrong quantity"),
    RejectReason.NEEDLESS: phrase("Not needed"),
    RejectReason.OTHER: phrase("Other reason…"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ForwardCandidate:
    """A person who could decide instead."""

    user_id: str
    name: str
    roles: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ApprovalPeople(ListView):
    """The people a document can be forwarded to; ``rows`` is one page of them."""

    card: ClassVar[str] = "approval_people"

    case: str
    kind: str
    """As in `ApprovalView`."""
    number: str
    source: str = ""
    partner: PartnerName
    rows: tuple[ForwardCandidate, ...]
    shows: str = ""
    """As in `ApprovalView`."""

    @property
    def shows_also(self) -> tuple[str, ...]:
        return ruling_commands(self.kind)

    def following(self) -> Following:
        return follow_case(self.source, self.number, self.case, self.shows)

    def row_buttons(self) -> Sequence[Button]:
        return [Button(row.name, ForwardCase(self.case, row.user_id, number=self.number)) for row in self.rows]

    def buttons(self) -> Sequence[Button]:
        return (*ListView.buttons(self), Button(phrase("Back"), show_action(self.case)))


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanLevel:
    """One level of the plan: required approvers by name, those barred and why, and the votes so far."""

    number: int
    need_all: bool
    approvers: tuple[str, ...]
    excluded: tuple[tuple[str, Phrase], ...] = ()
    spoken: tuple[VoteLine, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ApprovalWhy(View):
    """The rule that applies, the approvers at each level, and the asker's rights. ``may`` and ``may_reject`` are None
    once it is over.
    """

    card: ClassVar[str] = "approval_why"

    kind: str
    """As in `ApprovalView`."""
    number: str
    source: str = ""
    status: ReviewState | None = None
    case: str = ""
    rule: Label = ""
    policy: str = ""
    reasons: Annotated[tuple[Phrase, ...], Stating(FieldClass.COST)] = ()
    checks: CheckedLines | None = None
    plan_levels: tuple[PlanLevel, ...] = ()
    asked: tuple[InquiryLine, ...] = ()
    level: int = 0
    may: bool | None = None
    because: Annotated[tuple[Phrase, ...], Stating(FieldClass.COST)] = ()
    may_reject: bool | None = None
    ask: tuple[str, ...] = ()

    @property
    def shows_also(self) -> tuple[str, ...]:
        return ruling_commands(self.kind)

    @property
    def origin(self) -> str:
        return self.source

    def question(self) -> Ask:
        return Ask(command_line("why", self.number))

    def buttons(self) -> Sequence[Button]:
        shown = (Button(phrase("Show it"), show_action(self.case), Color.BLUE),) if self.case else ()
        return (*shown, Button(phrase("Details"), Ask(command_line(self.kind, self.number))))


@dataclass(frozen=True, slots=True, kw_only=True)
class UnseenApproval(View):
    """Stands in for a document that some readers may not see: only its existence, age and state."""

    card: ClassVar[str] = "approval_unseen"

    case: str
    kind: str
    """As in `ApprovalView`."""
    state: CaseState
    elsewhere: ExternalDecision | None = None
    since: datetime

    @property
    def headline(self) -> Phrase:
        """The title for its current state."""
        return _headline(self.state, self.elsewhere, self.kind)

    def question(self) -> Ask:
        return show_action(self.case)

    def buttons(self) -> Sequence[Button]:
        return (Button(SEE_ALL, self.question(), Color.BLUE),) if self.shared else ()


def is_settled(state: CaseState) -> bool:
    """Return whether the ERP has confirmed the decision made here."""
    return state in (CaseState.APPROVED, CaseState.REJECTED)


def follow_case(source: str, number: str, case: str, shows: str = "") -> Following:
    """Return the documents whose changes redraw a card about one case."""
    return Following((DocumentRef(source, number),), show_action(case), shows=(shows,) if shows else ())


def show_action(case: str) -> Ask:
    """Return the action that shows a case to the asker."""
    return Ask(command_line("pending", case))
