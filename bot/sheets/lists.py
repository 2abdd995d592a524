"""The list of a sheet's owner, as the owner would be answered in their own chat at this moment.

It goes through the same rules and cuts, so a table shows what its owner may see, and nothing else. To read it is no
question of theirs and is not recorded: `bot.sheets.sharing` records what a table shows anew.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, tzinfo
from decimal import Decimal

from bot.access.people import MembershipDoubt, Person
from bot.access.shown import find_shown
from bot.cards.language import Language
from bot.cards.tables import Table
from bot.cards.view import ListView, View
from bot.cards.workbook import money_places
from bot.chat.answers.page_answers import CutAnswer, PageAnswers
from bot.chat.message import Conversation, ConversationKind
from bot.chat.questions.failures import NO_ANSWER_NOW, QuestionOutcome
from bot.chat.view_parts import Freshness
from bot.erp.model import Money
from bot.sheets.records import AT_ONCE
from bot.sheets.sheet import ListNotRead, ReadList, SharedSheet, WantedRow, key_text, number_of
from bot.words.disclosure import HIDDEN, FieldClass
from bot.words.phrase import phrase

SHEET_PLACE = "sheet:"
"""How the place of a shared table begins; its name follows."""
_CLOSED = ReadList(closed=True)
_NO_ANSWER = phrase("nobody can say at the moment what its owner may see")


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnersLists:
    """Reads lists in full, up to ``most`` rows. ``answers`` record nothing themselves."""

    answers: PageAnswers
    identify: Callable[[str], Awaitable[Person]]
    """Returns the person of a userId as they are now."""
    language: Language
    zone: tzinfo
    key_heading: str
    most: int

    async def read(self, sheet: SharedSheet) -> ReadList:
        """Return the list. Who has left may see none of it."""
        person = await self.identify(sheet.owner)
        if person.doubt is MembershipDoubt.NO_ANSWER:
            raise ListNotRead(_NO_ANSWER)
        if person.user_id is None:
            return _CLOSED
        found = await self._ask(sheet, person, sheet.line, 0)
        table = None if found is None else found.view.table()
        if found is None or table is None:
            return _CLOSED
        views: list[View] = [found.view]
        while isinstance(view := views[-1], ListView) and view.rows and view.last < min(view.total, self.most):
            following = await self._ask(sheet, person, found.asked, view.last)
            page = None if following is None else following.view.table()
            if following is None or page is None:
                return _CLOSED
            table = table.continued(page)
            views.append(following.view)
        return self._read(table.first(self.most), views, found)

    async def _ask(self, sheet: SharedSheet, person: Person, line: str, offset: int) -> CutAnswer | None:
        """Return the answer; None where the person may not see it. Raises `ListNotRead` for what is no list."""
        place = Conversation(f"{SHEET_PLACE}{sheet.name}", ConversationKind.DIRECT)
        found = await self.answers.look_up(person, line, place=place, offset=offset, rows=AT_ONCE, is_question=False)
        outcome = found.answer.outcome
        if outcome == QuestionOutcome.DENIED:
            return None
        if outcome in NO_ANSWER_NOW:
            raise ListNotRead(_NO_ANSWER)
        if outcome != QuestionOutcome.ANSWERED or found.view.table() is None:
            raise ListNotRead(phrase("the line gives no list now (%(outcome)s)", outcome=outcome))
        return found

    def _read(self, table: Table, views: Sequence[View], found: CutAnswer) -> ReadList:
        say = self.language.say
        headings = [say(heading) for heading in table.headings]
        shown: set[FieldClass] = set()
        for view in views:
            shown |= find_shown(view).classes & found.answer.grant.fields
        with_currency = any(isinstance(value, Money) for row in table.rows for value in row)
        if with_currency:
            headings.append(say(phrase("Currency")))
        rows = []
        for key, values in zip(table.keys, table.rows, strict=True):
            texts = [*(self._text(value) for value in values), *([_currencies(values)] if with_currency else ())]
            cells = {self.key_heading: key_text(key), **dict(zip(headings, texts, strict=True))}
            rows.append(WantedRow(key_text(key), number_of(key_text(key)), cells))
        return ReadList(
            headings=tuple(headings),
            rows=tuple(rows),
            # Rows that move between two pages while they are read may be on neither.
            is_whole=len(rows) >= min(table.total, self.most) and all(map(_is_whole, views)),
            shown=tuple(sorted(shown)),
            rule=found.answer.rule,
        )

    def _text(self, value: object) -> str:
        """Return a value as text: figures exactly as they are, without signs between their digits."""
        match value:
            case _ if value is HIDDEN:
                return str(HIDDEN)
            case Money():
                return f"{value.amount:.{money_places(value)}f}"
            case Decimal():
                return f"{value:f}"
            case datetime():
                return f"{value.astimezone(self.zone):%Y-%m-%d %H:%M}"
            case date():
                return value.isoformat()
            case int() if not isinstance(value, bool):
                return str(value)
            case None:
                return ""
        # A cell that is read back has no blanks at its ends.
        return " ".join(self.language.show(value).split())


def _currencies(values: Iterable[object]) -> str:
    return ", ".join(dict.fromkeys(value.currency for value in values if isinstance(value, Money)))


def _is_whole(view: View) -> bool:
    seen = getattr(view, "freshness", None)
    return not (isinstance(seen, Freshness) and seen.failures) and not getattr(view, "silences", ())
