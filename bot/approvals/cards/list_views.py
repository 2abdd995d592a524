"""Views of several documents: the list of those waiting for a person, and approving several at once."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from operator import attrgetter
from typing import Annotated, ClassVar

from bot.approvals.cards.views import ruling_commands, show_action
from bot.approvals.document import FINGERPRINT_PREFIX
from bot.approvals.typed_votes import mark_cases
from bot.cards.actions import ApproveAll, Ask
from bot.cards.tables import Table
from bot.cards.view import Button, Color, Following, ListView, View
from bot.chat.conditions import WiderList
from bot.chat.parsing import command_line
from bot.chat.view_parts import EmptiedList, button_label, export_buttons
from bot.erp.kinds import decided_kind, deciding_of
from bot.erp.model import DocumentRef, Money, PartnerName
from bot.words.columns import Column
from bot.words.disclosure import MONEY_FIELDS, ClassedBy, FieldClass, Stating
from bot.words.phrase import Phrase, phrase


@dataclass(frozen=True, slots=True, kw_only=True)
class ApprovalListRow:
    """A document in a list.

    ``result`` is the outcome of approving it together with others, in words that anybody may read; ``words`` is the
    message of the ERP or of a limit. ``done``: the reader has nothing left to do about it. ``settled``: the ERP has the
    decision.
    """

    case: str
    kind: str
    """The command of the document's kind."""
    number: str
    source: str = ""
    partner: PartnerName
    amount: Annotated[Money | None, ClassedBy("classes")] = None
    classes: frozenset[FieldClass] = MONEY_FIELDS
    """What the amount tells of the business."""
    day: date | None = None
    """The day of the document."""
    due_on: date | None = None
    result: Phrase | None = None
    words: Annotated[Phrase | str, Stating(FieldClass.COST)] = ""
    done: bool = False
    settled: bool = False
    shows: str = ""
    """As in `bot.approvals.cards.views.ApprovalView`."""

    @property
    def called(self) -> Phrase:
        """What it is called, with its number."""
        return deciding_of(decided_kind(self.kind)).title(self.number)

    @property
    def dated(self) -> Phrase:
        """What its day is called."""
        return deciding_of(decided_kind(self.kind)).day

    @property
    def due(self) -> Phrase:
        """What the day is called on which it is due."""
        return decided_kind(self.kind).cards.row_due


def _differ(rows: Sequence[ApprovalListRow]) -> bool:
    return len({row.source for row in rows}) > 1


MIN_FOR_APPROVE_ALL = 2
"""The number of documents from which a list offers to approve them together."""


_COLUMNS = (
    Column(phrase("Number"), "number"),
    Column(phrase("Partner"), "partner"),
    Column(phrase("Amount"), "amount"),
    Column(phrase("Due"), "due_on"),
    Column(phrase("Day"), "day"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ApprovalList(EmptiedList, ListView):
    """The documents waiting for one person, oldest first.

    ``mute``: nobody can decide at present. ``silences`` say where more may wait that was not found yet.
    """

    card: ClassVar[str] = "approval_list"
    command: ClassVar[str] = "pending"

    rows: tuple[ApprovalListRow, ...]
    mute: bool = False
    silences: tuple[Phrase, ...] = ()
    emptied: tuple[WiderList, ...] = ()

    @property
    def shows_also(self) -> tuple[str, ...]:
        return ruling_commands(*(row.kind for row in self.rows))

    @property
    def of_several(self) -> bool:
        """Whether they come from several sources, so that each names its source."""
        return self.apart or _differ(self.rows)

    @property
    def mixed(self) -> bool:
        """Whether they are of several kinds, so that each names its kind."""
        return len({row.kind for row in self.rows}) > 1

    def following(self) -> Following | None:
        return _follow_rows(self.rows, self.offset)

    def row_buttons(self) -> Sequence[Button]:
        return [*_row_buttons(self.rows, named=self.of_several), *self.widening_buttons()]

    def buttons(self) -> Sequence[Button]:
        pages, files = ListView.buttons(self), export_buttons(self.line) if self.total else []
        if self.mute or len(self.rows) < MIN_FOR_APPROVE_ALL:
            return (*pages, *files)
        every = Button(phrase("Approve all…"), Ask(command_line("pending", "all"), self.offset))
        return (*pages, every, *files)

    def table(self) -> Table:
        return _table(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class ApprovalChoice(View):
    """Asks which document is meant when several with the same number wait."""

    card: ClassVar[str] = "approval_choice"

    number: str
    rows: tuple[ApprovalListRow, ...]

    @property
    def shows_also(self) -> tuple[str, ...]:
        return ruling_commands(*(row.kind for row in self.rows))

    def buttons(self) -> Sequence[Button]:
        return [Button(self.label(row), show_action(row.case)) for row in self.rows]

    def label(self, row: ApprovalListRow) -> Phrase | str:
        """Return what tells one of them from the others."""
        return row.called if len({row.kind for row in self.rows}) > 1 else row.source


@dataclass(frozen=True, slots=True, kw_only=True)
class ApprovalAll(ListView):
    """Asks for confirmation before approving all documents shown, and only these."""

    card: ClassVar[str] = "approval_all"

    rows: tuple[ApprovalListRow, ...]
    note: Phrase | None = None

    @property
    def shows_also(self) -> tuple[str, ...]:
        return ruling_commands(*(row.kind for row in self.rows))

    @property
    def of_several(self) -> bool:
        """Whether they come from several sources, so that each names its source."""
        return self.apart or _differ(self.rows)

    @property
    def mixed(self) -> bool:
        """Whether they are of several kinds, so that each names its kind."""
        return len({row.kind for row in self.rows}) > 1

    def following(self) -> Following | None:
        return _follow_rows(self.rows, self.offset)

    def table(self) -> Table:
        return _table(self)

    def buttons(self) -> Sequence[Button]:
        label = phrase("Yes, approve all %(num)s", num=len(self.rows))
        return (
            Button(label, ApproveAll(page_fingerprint(row.case for row in self.rows), self.offset), Color.BLUE),
            Button(phrase("Back"), Ask(command_line("pending"), self.offset)),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ApprovalResults(View):
    """The outcome of approving several at once, one by one: first what was recorded, then the ERP's answer."""

    card: ClassVar[str] = "approval_results"

    rows: tuple[ApprovalListRow, ...]

    @property
    def shows_also(self) -> tuple[str, ...]:
        return ruling_commands(*(row.kind for row in self.rows))

    @property
    def of_several(self) -> bool:
        """Whether they come from several sources, so that each names its source."""
        return self.apart or _differ(self.rows)

    @property
    def mixed(self) -> bool:
        """Whether they are of several kinds, so that each names its kind."""
        return len({row.kind for row in self.rows}) > 1

    def question(self) -> Ask | None:
        return Ask(command_line("pending", mark_cases(row.case for row in self.rows)))

    def is_for_all(self) -> bool:
        return True

    def following(self) -> Following | None:
        documents = tuple(DocumentRef(row.source, row.number) for row in self.rows)
        again = self.question()
        return None if again is None else Following(documents, again, takes_over=True, shows=_shown_states(self.rows))

    def buttons(self) -> Sequence[Button]:
        left = _row_buttons([row for row in self.rows if not row.done], named=self.of_several)
        return (*left, Button(phrase("What else waits"), Ask(command_line("pending"))))


def _row_buttons(rows: Sequence[ApprovalListRow], *, named: bool) -> list[Button]:
    """Return the buttons that open each document; ``named``: with its source."""
    return [Button(button_label(row.number, (row.source,) if named else ()), show_action(row.case)) for row in rows]


def _table(view: ApprovalList | ApprovalAll) -> Table:
    columns = (*_COLUMNS, Column(phrase("Company"), "source")) if view.of_several else _COLUMNS
    return Table.of_rows(columns, view.rows, total=view.total, key_of=attrgetter("case"))


def _follow_rows(rows: Sequence[ApprovalListRow], offset: int = 0) -> Following | None:
    """Return the documents whose changes redraw a list; it then shows what waits by then."""
    documents = tuple(DocumentRef(row.source, row.number) for row in rows)
    again = Ask(command_line("pending"), offset)
    return Following(documents, again, shows=_shown_states(rows)) if documents else None


def _shown_states(rows: Iterable[ApprovalListRow]) -> tuple[str, ...]:
    return tuple(row.shows for row in rows if row.shows)


def page_fingerprint(cases: Iterable[str]) -> str:
    """Return a fingerprint of these cases in this order."""
    return hashlib.sha256("\n".join(cases).encode()).hexdigest()[:FINGERPRINT_PREFIX]
