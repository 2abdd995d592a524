"""Views of failures, refusals and hints. Each says what is wrong and what to do about it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Annotated, ClassVar

from bot.cards.actions import Ask
from bot.cards.form import InputForm
from bot.cards.view import Button, Color, Label, View
from bot.words.disclosure import HIDDEN, ClassedBy, FieldClass
from bot.words.phrase import Phrase, Words, phrase


@dataclass(frozen=True, slots=True)
class Suggestion:
    """Something that may have been meant: the line that asks for it, and its name; they tell what is of a class."""

    line: Annotated[str, ClassedBy("tells")]
    name: Annotated[Label, ClassedBy("tells")] = ""
    tells: FieldClass | None = None

    @property
    def label(self) -> Label:
        """The name, or the line itself where there is none."""
        return self.name or self.line


def _suggestion_buttons(picks: Sequence[Suggestion]) -> tuple[Button, ...]:
    return tuple(Button(pick.label, Ask(pick.line)) for pick in picks if pick.line is not HIDDEN)


_HELP = Button(phrase("Help"), Ask("/help"))


def _retry_button(line: str, offset: int = 0) -> tuple[Button, ...]:
    return (Button(phrase("Try again"), Ask(line, offset), Color.BLUE),) if line else ()


@dataclass(frozen=True, slots=True, kw_only=True)
class WithheldNotice(View):
    """Stands in a group for an answer that is about documents which not everybody there may see."""

    card: ClassVar[str] = "withheld"


@dataclass(frozen=True, slots=True, kw_only=True)
class UnknownCommandNotice(View):
    """No command is called what was typed; ``suggestions`` are those that resemble it."""

    card: ClassVar[str] = "unknown_command"

    typed: str
    suggestions: tuple[Suggestion, ...] = ()
    example: str = ""

    def buttons(self) -> Sequence[Button]:
        return (*_suggestion_buttons(self.suggestions), _HELP)


@dataclass(frozen=True, slots=True, kw_only=True)
class NotUnderstoodNotice(View):
    """Nothing was made of a sentence; ``suggestions`` are questions that fit what the person does."""

    card: ClassVar[str] = "not_understood"

    typed: str
    suggestions: tuple[Suggestion, ...]

    def buttons(self) -> Sequence[Button]:
        return (*_suggestion_buttons(self.suggestions), _HELP)


@dataclass(frozen=True, slots=True, kw_only=True)
class ChoiceNotice(View):
    """A sentence that may ask for several things, or for something that no line tells: ``gap`` says what."""

    card: ClassVar[str] = "choice"

    suggestions: Annotated[tuple[Suggestion, ...], ClassedBy("tells")]
    gap: Phrase | None = None
    tells: FieldClass | None = None
    """Whose names they tell, where the asker did not type them."""

    def buttons(self) -> Sequence[Button]:
        return _suggestion_buttons(self.suggestions)


@dataclass(frozen=True, slots=True, kw_only=True)
class BadArgumentNotice(View):
    """The command is known, its arguments are not understood."""

    card: ClassVar[str] = "bad_argument"

    problem: Phrase
    usage: Label
    """How the command is written, such as ``/stock <SKU> [@warehouse]``."""
    examples: tuple[str, ...] = ()
    missing: InputForm | None = None
    """What asks for the argument that is missing."""

    def form(self) -> InputForm | None:
        return self.missing

    def buttons(self) -> Sequence[Button]:
        return tuple(Button(example, Ask(example)) for example in self.examples)


@dataclass(frozen=True, slots=True, kw_only=True)
class NotFoundNotice(View):
    """The ERP has no such thing; ``closest`` are similar things that it has, ``notes`` what was not searched."""

    card: ClassVar[str] = "not_found"

    what: Annotated[str, ClassedBy("tells")]
    closest: tuple[Suggestion, ...] = ()
    example: str = ""
    tells: FieldClass | None = None
    """Whose name it is, where the asker did not type it."""
    notes: tuple[Phrase, ...] = ()

    def buttons(self) -> Sequence[Button]:
        return _suggestion_buttons(self.closest)


@dataclass(frozen=True, slots=True, kw_only=True)
class DeniedNotice(View):
    """The access policy said no; ``ask`` are roles or people who can help."""

    card: ClassVar[str] = "denied"

    reason: Phrase
    ask: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitNotice(View):
    """Somebody asks or opens more than one person or one conversation may; ``until`` is when it goes on, ``way`` what
    can be asked until then."""

    card: ClassVar[str] = "limit"

    reason: Phrase
    until: datetime
    way: Phrase | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitReport(View):
    """Tells administrators who came to a limit: ``rule`` is the setting, ``allowed`` its value."""

    card: ClassVar[str] = "limit_report"

    name: str
    user_id: str
    rule: str
    allowed: int
    at: datetime

    def buttons(self) -> Sequence[Button]:
        return (Button(phrase("What they saw"), Ask(f"/audit {self.user_id}")),)


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenedRules(View):
    """Tells administrators what an edit of ``file`` lets people do or see that they could not; ``more``: lines left."""

    card: ClassVar[str] = "opened_rules"

    file: str
    lines: tuple[Words, ...]
    more: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleProposal(View):
    """Tells administrators of rules that wait for another one of them; ``author`` is a name, ``url`` the page of it."""

    card: ClassVar[str] = "rule_proposal"

    subject: Words
    author: str
    reason: str
    url: str
    is_open: bool = True
    is_in_force: bool = False

    def buttons(self) -> Sequence[Button]:
        return (Button(phrase("Look at it"), self.url, Color.BLUE),) if self.is_open else ()


@dataclass(frozen=True, slots=True)
class QuotaShare:
    """What one purpose or one group spent of a quota; ``name`` is the purpose's, or the group's own."""

    name: str
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class QuotaReport(View):
    """Tells administrators how much of a month's quota (``calls`` or ``uses``) is used, and what would be enough.

    ``edition`` with ``packs`` is the smallest that covers the forecasts; it allows ``calls`` and ``uses`` a month.
    ``refused`` tells that DingTalk says that nothing is left, whatever this bot counted.
    """

    card: ClassVar[str] = "quota_report"

    quota: str
    used: int
    limit: int
    forecast: int
    purposes: tuple[QuotaShare, ...]
    groups: tuple[QuotaShare, ...]
    edition: str
    packs: int
    calls: int
    uses: int
    remark: Words = ""
    refused: bool = False

    @property
    def percent(self) -> int:
        """The part that is used, rounded down."""
        return self.used * 100 // self.limit

    @property
    def is_beyond(self) -> bool:
        """Whether the month is going to need more than there is."""
        return self.forecast > self.limit


@dataclass(frozen=True, slots=True)
class FailingPart:
    """A part of the bot that is not well; ``status`` is ``degraded`` or ``down``, ``reason`` what ``/readyz`` says.

    ``about`` are the keys of what the reason names.
    """

    name: str
    status: str
    reason: Words
    about: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class HealthNotice(View):
    """Tells administrators which parts of the bot are not well, or were not until ``ended``."""

    card: ClassVar[str] = "health_report"

    parts: tuple[FailingPart, ...]
    began: datetime
    ended: datetime | None = None

    @property
    def is_down(self) -> bool:
        """Whether something is down, so that questions may stay without an answer."""
        return any(part.status == "down" for part in self.parts)


@dataclass(frozen=True, slots=True, kw_only=True)
class ErpDownNotice(View):
    """A source failed to answer, or the bot was ``away``; ``line`` asks again."""

    card: ClassVar[str] = "erp_down"

    problem: Phrase
    source: str = ""
    away: bool = False
    line: str = ""
    offset: int = 0

    def buttons(self) -> Sequence[Button]:
        return _retry_button(self.line, self.offset)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Repeatable(View):
    """Something was not done because of a ``problem``; ``line`` asks again."""

    problem: Phrase
    line: str = ""

    def buttons(self) -> Sequence[Button]:
        return _retry_button(self.line)


@dataclass(frozen=True, slots=True, kw_only=True)
class NotRecordedNotice(_Repeatable):
    """What was asked has to be recorded, which is not possible now."""

    card: ClassVar[str] = "not_recorded"


@dataclass(frozen=True, slots=True, kw_only=True)
class FailedNotice(_Repeatable):
    """An unexpected error; ``reference`` is the short number under which the log has it."""

    card: ClassVar[str] = "failed"

    reference: str


@dataclass(frozen=True, slots=True, kw_only=True)
class HintNotice(View):
    """A message that cannot hold a question, such as a picture or a file."""

    card: ClassVar[str] = "hint"

    problem: Phrase
    example: str = "/stock SKU123"

    def buttons(self) -> Sequence[Button]:
        return (_HELP,)


@dataclass(frozen=True, slots=True, kw_only=True)
class ExternalNotice(View):
    """Somebody from outside the organisation asked."""

    card: ClassVar[str] = "external"
    leads_back: ClassVar[bool] = False


class Introduction(StrEnum):
    """What lets the bot know whether somebody is a member of the organisation."""

    WAIT = "wait"
    WRITE = "write"
    """They have to write to it."""
    WRITE_IN_GROUP = "write_in_group"
    """Anybody has to, so that it knows whose bot it is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UnconfirmedNotice(View):
    """Nobody knows whether somebody may ask; ``line`` and ``offset`` ask again."""

    card: ClassVar[str] = "unconfirmed"
    leads_back: ClassVar[bool] = False

    needs: Introduction
    line: str = ""
    offset: int = 0

    def buttons(self) -> Sequence[Button]:
        return _retry_button(self.line, self.offset)


@dataclass(frozen=True, slots=True, kw_only=True)
class QuotaNotice(View):
    """The organisation's push quota is used up: DingTalk leaves the text of messages out.

    Docs: platform/dingtalk/limits.md#push-quota
    """

    card: ClassVar[str] = "quota"


@dataclass(frozen=True, slots=True, kw_only=True)
class BusyNotice(View):
    """A click had to be answered before the ERP did; ``line`` and ``offset`` are what was clicked.

    ``is_decision``: it was a decision, and the card will show whether it counts.
    """

    card: ClassVar[str] = "busy"

    line: str
    offset: int = 0
    is_decision: bool = False

    def buttons(self) -> Sequence[Button]:
        return _retry_button(self.line, self.offset)


@dataclass(frozen=True, slots=True, kw_only=True)
class InterimNotice(View):
    """Stands until the ERP has answered a question, and then becomes the answer."""

    card: ClassVar[str] = "interim"


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpiredNotice(View):
    """A decision on a card that is not kept up to date any more; ``refresh`` shows what it is about as it is now."""

    card: ClassVar[str] = "expired"

    refresh: Ask

    def buttons(self) -> Sequence[Button]:
        return (Button(phrase("Refresh"), self.refresh, Color.BLUE),)


@dataclass(frozen=True, slots=True, kw_only=True)
class LostCardNotice(View):
    """A card that stands, and of which nobody remembers anything since the database lost its last writes."""

    card: ClassVar[str] = "lost_card"
    leads_back: ClassVar[bool] = False

    def buttons(self) -> Sequence[Button]:
        return (Button(phrase("Approvals"), Ask("/pending")), Button(phrase("Alerts"), Ask("/alerts")))


@dataclass(frozen=True, slots=True, kw_only=True)
class FormClosedNotice(View):
    """Stands on a form that takes nothing any more."""

    card: ClassVar[str] = "form_closed"

    title: Phrase
    text: Phrase


@dataclass(frozen=True, slots=True, kw_only=True)
class OutOfDateNotice(View):
    """A button of an older release or of a foreign card; ``line``, where it is known, asks again."""

    card: ClassVar[str] = "out_of_date"

    line: str = ""

    def buttons(self) -> Sequence[Button]:
        return _retry_button(self.line) or (_HELP,)
