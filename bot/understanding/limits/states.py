"""Two states at once: 开了票没发货的订单, "shipped but not invoiced". A list holds one."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

from bot.understanding.sentences import DocumentStep
from bot.understanding.spoken_words import PARTED, SpokenWords

_DONE = "[了过好完齐到清]"
_DENIED_IN_ENGLISH = r"\b(?:not|never|(?:has|have|is|are|was|were)n[o']?t|yet to be)(?: (?:yet|been|be|fully))* |\bun-?"
_THE_OTHER_WAY = re.compile(
    "(?P<what>发?票|货款|款|钱|货)(?:还|都|却|也|已经?)*(?P<denied>没有?|未)?(?P<how>[开到来收付发给打])(?P<over>了)?"
)
"""货发了票没开: what it is done to stands first."""
_DONE_TO = {"票": DocumentStep.INVOICED, "款": DocumentStep.PAID, "钱": DocumentStep.PAID, "货": DocumentStep.RECEIVED}
_SENT = "发"
_SAYS_DONE = re.compile(_DONE)
_BETWEEN = 9
"""Most signs between two states of one document."""
_HELD = frozenset({(DocumentStep.INVOICED, DocumentStep.PAID)})
"""States that one list holds: what is not paid of what was invoiced."""
_IMPLIED = frozenset({(DocumentStep.APPROVED, DocumentStep.RECEIVED)})
"""A state without which there is not the other one: what was ordered and did not come was approved."""


@dataclass(frozen=True, slots=True)
class _State:
    step: DocumentStep
    start: int
    end: int
    is_denied: bool
    is_over: bool

    @property
    def is_said(self) -> bool:
        """Return whether the state is affirmed or denied: 发货 alone is neither."""
        return self.is_denied or self.is_over


@dataclass(frozen=True, slots=True)
class TwoStates:
    """The positions of two states in a text."""

    first: tuple[int, int]
    second: tuple[int, int]

    def words_in(self, text: str) -> str:
        """Return the words of both."""
        return text[self.first[0] : self.second[1]]

    def alone_in(self, text: str) -> tuple[str, str]:
        """Return the text with each of them alone."""
        return _cut(text, self.first[1], self.second[1]), _cut(text, self.first[0], self.second[0])


@dataclass(frozen=True)
class StateFinder:
    """Finds the required states of documents in a text."""

    words: Mapping[str, SpokenWords]
    """What is done to documents (`DocumentStep`) → the words for it."""

    def two_states(self, text: str) -> TwoStates | None:
        """Return two required states, one of them denied; None if a list holds the question."""
        for first, second in self._pairs_in(text):
            if (first.step, second.step) not in _HELD | _IMPLIED:
                return TwoStates((first.start, first.end), (second.start, second.end))
        return None

    def without_implied(self, text: str) -> str:
        """Return a text without states implied by another: 已审批但没到货的采购单."""
        for first, second in self._pairs_in(text):
            if (first.step, second.step) in _IMPLIED:
                return _cut(text, first.start, second.start)
        return text

    def _pairs_in(self, text: str) -> Iterator[tuple[_State, _State]]:
        for first, second in pairwise(self._states_in(text.casefold())):
            between = text[first.end : second.start]
            is_near = len(between) <= _BETWEEN
            one_denied = (second.is_denied and first.is_said) or (first.is_denied and second.is_said)
            if is_near and one_denied and first.step is not second.step:
                yield first, second

    def _states_in(self, text: str) -> list[_State]:
        """Return the states in a lower-case text, from left to right, without overlaps."""
        found: list[_State] = []
        for state in sorted((*self._said_in(text), *_said_the_other_way(text)), key=lambda state: state.start):
            if not found or state.start >= found[-1].end:
                found.append(state)
        return found

    def _said_in(self, text: str) -> Iterator[_State]:
        pattern = self._english if text.isascii() else self._chinese
        for match in pattern.finditer(text):
            said = match.groupdict()
            step = next(each for each in DocumentStep if said.get(each))
            is_over = text.isascii() or bool(said["already"] or said["over"] or _SAYS_DONE.search(said[step][:-1]))
            yield _State(step, match.start(), match.end(), bool(said["denied"]), is_over)

    @cached_property
    def _chinese(self) -> re.Pattern[str]:
        return re.compile(
            r"(?P<denied>(?:(?<!有)|(?<=没有))(?:没有?|尚?未)[能给再]?)?(?P<already>已经?|都|早就?|早已)?"
            rf"(?:{self._each_named(latin=False)})(?P<over>{_DONE}|之?后|以后)?"
        )

    @cached_property
    def _english(self) -> re.Pattern[str]:
        return re.compile(rf"(?:(?P<denied>{_DENIED_IN_ENGLISH})|\b)(?:{self._each_named(latin=True)})\b")

    def _each_named(self, *, latin: bool) -> str:
        """Return the words for each action as a group of its name; the files have some for every action."""
        words = {step: [each for each in self.words[step].words if each.isascii() is latin] for step in DocumentStep}
        return "|".join(f"(?P<{step}>{'|'.join(map(_with_signs, said))})" for step, said in words.items() if said)


def _with_signs(word: str) -> str:
    """Return a word with the optional signs of completion inside it; at its end, one of them is required."""
    verb, parted, what = map(re.escape, word.partition(PARTED))
    signs = f"{_DONE}*" if what else f"(?={_DONE})"
    return f"{verb}{signs if parted else ''}{what}"


def _said_the_other_way(text: str) -> Iterator[_State]:
    for match in _THE_OTHER_WAY.finditer(text):
        is_sent = match["what"] == "货" and match["how"] == _SENT
        step = DocumentStep.SHIPPED if is_sent else _DONE_TO[match["what"][-1]]
        yield _State(step, match.start(), match.end(), bool(match["denied"]), bool(match["over"]))


def _cut(text: str, start: int, end: int) -> str:
    return f"{text[:start]} {text[end:]}".strip()
