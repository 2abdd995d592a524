"""Two states that a sentence asks for at once: 开了票没发货的订单, "shipped but not invoiced". A list holds one."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise


class Deed(StrEnum):
    """What is done to an order, or to what belongs to it."""

    INVOICED = "invoiced"
    SHIPPED = "shipped"
    PAID = "paid"
    RECEIVED = "received"
    APPROVED = "approved"
    FINISHED = "finished"


_DONE = "[了过好完齐到清]"
_IN_CHINESE = {
    Deed.INVOICED: rf"开具?{_DONE}*(?:发票|票)",
    Deed.SHIPPED: rf"[发出送交]{_DONE}*货|发(?:出去|走|掉)|出库|签收",
    Deed.PAID: rf"[付收打回结给]{_DONE}*(?:货款|款项|款|钱|账)|付清|结清|到账",
    Deed.RECEIVED: rf"[到来收]{_DONE}*[货料]|入库",
    Deed.APPROVED: rf"审批|批准|审核|批(?={_DONE})",
    Deed.FINISHED: "完工|做完|生产完|下线",
}
_IN_ENGLISH = {
    Deed.INVOICED: "invoiced|billed",
    Deed.SHIPPED: "shipped|delivered|dispatched",
    Deed.PAID: "paid|settled",
    Deed.RECEIVED: "received|arrived",
    Deed.APPROVED: "approved",
    Deed.FINISHED: "finished|completed|manufactured",
}
_DENIED_IN_ENGLISH = r"\b(?:not|never|(?:has|have|is|are|was|were)n[o']?t|yet to be)(?: (?:yet|been|be|fully))* |\bun-?"


def _one_of(deeds: dict[Deed, str]) -> str:
    return "|".join(f"(?P<{deed}>{words})" for deed, words in deeds.items())


_CHINESE = re.compile(
    r"(?P<denied>(?:(?<!有)|(?<=没有))(?:没有?|尚?未)[能给再]?)?(?P<already>已经?|都|早就?|早已)?"
    rf"(?:{_one_of(_IN_CHINESE)})(?P<over>{_DONE}|之?后|以后)?"
)
_ENGLISH = re.compile(rf"(?:(?P<denied>{_DENIED_IN_ENGLISH})|\b)(?:{_one_of(_IN_ENGLISH)})\b")
_THE_OTHER_WAY = re.compile(
    "(?P<what>发?票|货款|款|钱|货)(?:还|都|却|也|已经?)*(?P<denied>没有?|未)?(?P<how>[开到来收付发给打])(?P<over>了)?"
)
"""货发了票没开: what it is done to stands first."""
_DONE_TO = {"票": Deed.INVOICED, "款": Deed.PAID, "钱": Deed.PAID, "货": Deed.RECEIVED}
_SENT = "发"
_SAYS_DONE = re.compile(_DONE)
_BETWEEN = 9
"""Most signs between two states of one document."""
_APART = re.compile(r"[吗么呢?？;；。]|没有?(?=[\s,，]|$)|的|\b(?:orders?|invoices?|bills?|deliveries|pos)\b")
"""Stands between a state and a question of its own: 发货的订单付款了没."""
_HELD = frozenset({(Deed.INVOICED, Deed.PAID)})
"""States that one list holds: what is not paid of what was invoiced."""
_IMPLIED = frozenset({(Deed.APPROVED, Deed.RECEIVED)})
"""A state without which there is not the other one: what was ordered and did not come was approved."""


@dataclass(frozen=True, slots=True)
class _State:
    deed: Deed
    start: int
    end: int
    is_denied: bool
    is_over: bool

    @property
    def is_said(self) -> bool:
        """Whether it is said to be so, or not to be so: 发货 alone is neither."""
        return self.is_denied or self.is_over


@dataclass(frozen=True, slots=True)
class TwoStates:
    """Where two states stand in a text."""

    first: tuple[int, int]
    second: tuple[int, int]

    def words_in(self, text: str) -> str:
        """Return the words of both."""
        return text[self.first[0] : self.second[1]]

    def alone_in(self, text: str) -> tuple[str, str]:
        """Return the text with each of them alone."""
        return _cut(text, self.first[1], self.second[1]), _cut(text, self.first[0], self.second[0])


def find_two_states(text: str) -> TwoStates | None:
    """Return the two states that documents are to have, one of them not so; None where a list holds what is asked."""
    for first, second in _pairs_in(text):
        if (first.deed, second.deed) not in _HELD | _IMPLIED:
            return TwoStates((first.start, first.end), (second.start, second.end))
    return None


def without_implied(text: str) -> str:
    """Return a text without states that are certain beside another one: 已审批但没到货的采购单."""
    for first, second in _pairs_in(text):
        if (first.deed, second.deed) in _IMPLIED:
            return _cut(text, first.start, second.start)
    return text


def _pairs_in(text: str) -> Iterator[tuple[_State, _State]]:
    for first, second in pairwise(_states_in(text.casefold())):
        between = text[first.end : second.start]
        is_near = len(between) <= _BETWEEN and not _APART.search(between)
        one_denied = (second.is_denied and first.is_said) or (first.is_denied and second.is_said)
        if is_near and one_denied and first.deed is not second.deed:
            yield first, second


def _states_in(text: str) -> list[_State]:
    """Return the states that a text in small letters says, from left to right; each sign says one."""
    found: list[_State] = []
    for state in sorted((*_said_in(text), *_said_the_other_way(text)), key=lambda state: state.start):
        if not found or state.start >= found[-1].end:
            found.append(state)
    return found


def _said_the_other_way(text: str) -> Iterator[_State]:
    for match in _THE_OTHER_WAY.finditer(text):
        is_sent = match["what"] == "货" and match["how"] == _SENT
        deed = Deed.SHIPPED if is_sent else _DONE_TO[match["what"][-1]]
        yield _State(deed, match.start(), match.end(), bool(match["denied"]), bool(match["over"]))


def _said_in(text: str) -> Iterator[_State]:
    pattern = _ENGLISH if text.isascii() else _CHINESE
    for match in pattern.finditer(text):
        deed = next(each for each in Deed if match[each])
        said = match.groupdict()
        is_over = text.isascii() or bool(said["already"] or said["over"] or _SAYS_DONE.search(match[deed][:-1]))
        yield _State(deed, match.start(), match.end(), bool(match["denied"]), is_over)


def _cut(text: str, start: int, end: int) -> str:
    return f"{text[:start]} {text[end:]}".strip()
