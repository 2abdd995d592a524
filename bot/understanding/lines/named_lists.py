"""The named list of a command in a sentence, and its days: 逾期的发票, 上周到货的采购单."""

from __future__ import annotations

import re
from dataclasses import dataclass

from bot.chat.days import (
    Days,
    names_days_ahead,
    names_days_due_later,
)
from bot.understanding.command_kinds import BY_STATE, DUE, OWED
from bot.understanding.lines.trade_finding import TradeFinder
from bot.understanding.scanning.recognition import Recognition, partners_or_people
from bot.understanding.scanning.spans import Scan, SpanKind, days_said
from bot.understanding.sentences import LIST_WEIGHT, Cue
from bot.understanding.unsupported_topics import is_done

LATE, OPEN, DONE = "late", "open", "done"
"""The lists of what is due, of what is not done yet and of what was done, where a command has them."""
_OVERDUE = "overdue"
_RECEIVED, _PAID = "received", "paid"
"""The lists of money that came in and went out."""
_PAID_BY_THEM = re.compile(
    r"客户|(?<!采购)订单|给(?:我们|咱们?|公司)(?:付|打|汇|转)|(?:谁|哪家|哪些人).{0,4}(?:付|打|汇)|(?:付|打|汇)[^,，。]{0,4}给?(?:我们|咱)"
    r"|\b(?:customers?|clients?|paid us|who paid|(?<!purchase )orders? paid)\b",
    re.IGNORECASE,
)
"""Says that somebody else paid: what they paid was received."""
_PAID_BY_US = re.compile(
    "(?:给|(?<!谁)[付打汇][了过]?)(?:供应商|供货商|厂家|厂商)|(?<!给)(?:我们|咱们?|公司)(?:付|打|汇|转)"
)
_COMES_IN = re.compile("(?<![没未])(?:收|回|进)(?:款|钱|账)(?!.*付)|(?<![没未])收[到回]?了?多少(?!货)")
_BOTH_WAYS, _GIVEN_BACK = "收付", "退"
AGEING, _OF_PAYABLES = "ageing", "payables"
_IS_OPEN = re.compile("应[收付](?:都|还|总共|一共)?有?(?:哪些|多少|几笔|几张|什么)|(?:哪些|多少|几笔)应[收付]")
"""Names what is not paid yet: 应收有哪些."""
_SOON = re.compile("[快要将]|soon|coming|nearly|almost|about to")
_ALWAYS_DUE = frozenset({"arrivals", "promise"})
"""Commands whose days are always those on which something is due."""
_NEVER_DUE = frozenset({"receipt", "leadtimes"})
"""Commands of what is done: 到货 is said of its day, too."""


@dataclass(frozen=True)
class NamedLists:
    """Finds a command's words for its named lists, and the days that restrict them."""

    recognition: Recognition
    trades: TradeFinder

    def named(self, name: str, scan: Scan) -> str:
        """Return the named list that is meant: the word for a late order applies to any document."""
        keyword = self._said_list(name, scan)
        if name == "payment":
            return self._direction(keyword, scan)
        if not keyword and _IS_OPEN.search(scan.text) and self._is_of_all(name, scan):
            return OPEN
        if name in BY_STATE and keyword in {"", DONE}:
            return DONE if self._was_made(scan, said=keyword == DONE) else ""
        owing = any(cue.command == "bill" and cue.weight > LIST_WEIGHT for cue in self.recognition.cues_in(scan))
        return _OF_PAYABLES if owing and name == "chart" and keyword in {"", AGEING} else keyword

    def _said_list(self, name: str, scan: Scan) -> str:
        lists = self.recognition.sentences.lists[name]
        days = (span.text.casefold() for span in scan.of_kind(SpanKind.DATE))
        dated = [cue for day in days for cue in self.recognition.sentences.cues_of(day)]  # some lists are of a day
        own = {cue.keyword for cue in (*self.recognition.cues_in(scan), *dated) if cue.keyword and cue.command == name}
        said = ((span.value, cue) for span in scan.of_kind(SpanKind.CUE) for cue in self.recognition.cues_of(span))
        others = {self._narrowed(name, word, cue.keyword) for word, cue in said if cue.keyword}
        return next((keyword for keyword in lists if keyword in own | others), "")

    def _is_of_all(self, name: str, scan: Scan) -> bool:
        """Return whether the whole debt is meant: no partner, document or days are named."""
        named = any(span.kind is not SpanKind.CUE for span in scan.spans)
        return name in OWED and not named

    def tells_state(self, name: str, scan: Scan) -> bool:
        """Return whether a command has a list for the named state: in production or finished."""
        words = self.recognition.sentences.finished
        made = words.search(scan.text.casefold()) is not None
        return name in BY_STATE and (made or self.named(name, scan) in {OPEN, DONE})

    def _was_made(self, scan: Scan, *, said: bool) -> bool:
        """Return whether finished goods are meant: 昨天完工的, not 要完工的; without days only if it is ``said``."""
        words, text = self.recognition.sentences.finished, scan.text.casefold()
        if not any(is_done(text, match) for match in words.find_all(text)):
            return False
        days = days_said(scan, months=True)
        return not names_days_ahead(days) if days else said

    def _direction(self, keyword: str, scan: Scan) -> str:
        """Return whether money came in or went out; for a customer or vendor it only moves one way."""
        if _BOTH_WAYS in scan.text or (self.trades.trade_of(scan) and partners_or_people(scan)):
            return ""
        if not keyword and _PAID_BY_US.search(scan.text):
            return _PAID
        if not keyword and _COMES_IN.search(scan.text):
            return _RECEIVED
        by_them = _PAID_BY_THEM.search(scan.text) and _GIVEN_BACK not in scan.text
        return _RECEIVED if by_them else keyword

    def only_lists_are_named(self, name: str, scan: Scan) -> bool:
        """Return whether each word of the question is a list of this command: 逾期 is one of many."""
        shared = {LATE, _OVERDUE} & set(self.recognition.sentences.lists.get(name, ()))

        def names_one(word: str, cue: Cue) -> bool:
            meant = self._narrowed(name, word, cue.keyword)
            own = cue.command == name or meant in shared or self._narrowed(name, word, "") != ""
            return bool(cue.keyword) and own

        spoken = scan.of_kind(SpanKind.CUE)
        return bool(spoken) and all(
            any(names_one(span.value, cue) for cue in self.recognition.cues_of(span)) for span in spoken
        )

    def _narrowed(self, name: str, word: str, keyword: str) -> str:
        """Return a command's own list for a word that names the list ``keyword`` of another one."""
        narrowed = self.recognition.sentences.narrowed.get(name, {})
        return next((own for own, words in narrowed.items() if any(part in word for part in words)), keyword)

    def are_due_soon(self, name: str, scan: Scan) -> bool:
        """Return whether a sentence asks for documents due soon, without days."""
        words = self.recognition.sentences.due_soon
        match = words.search(scan.text.casefold()) if name in DUE else None
        return match is not None and _SOON.search(match[0]) is not None and not days_said(scan, months=False)

    def is_due_later(self, name: str, scan: Scan) -> bool:
        """Return whether the named days are due dates that are not past."""
        line = self.with_days("", name, scan).strip()
        return bool(line) and names_days_due_later(line)

    def with_days(self, line: str, name: str, scan: Scan) -> str:
        """Return a line with the days of a sentence, if its command lists documents by day."""
        if not self.recognition.takes(Days, name):
            return line
        days = days_said(scan, months=self.recognition.takes_months(name))
        if not days:
            return line
        if name in BY_STATE and DONE in line.split():
            return f"{line} {days}"
        due = names_days_ahead(days) or any(word in scan.text.casefold() for word in self.recognition.sentences.due)
        if not due or name in _ALWAYS_DUE | _NEVER_DUE:
            return f"{line} {days}"
        return f"{line} due {days}" if days.isascii() else f"{line} {days}到期"


def soon(text: str) -> str:
    """Return the due days that a text means by soon."""
    return "due next 7 days" if text.isascii() else "7天内到期"
