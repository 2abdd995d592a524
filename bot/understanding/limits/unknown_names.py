"""Names in a sentence that the company does not have: 大疆 in 宏达和大疆的订单, "acme" in "stock of SKU123 for acme".

An unknown word is usually a verb or adverb missing from the lists. So it counts as a name by its length, its position,
or its beginning or end.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Container, Iterable, Iterator
from dataclasses import dataclass

from bot.understanding.scanning.recognition import AND, Recognition, end_of
from bot.understanding.scanning.spans import MASK, Scan, Span, SpanKind

_SHORTEST, _CLEARLY_A_NAME = 2, 3
"""Signs of a Chinese word that may be a name, and that is one wherever it stands."""
_LONGEST = 10
"""Signs of the known words that are looked for in what was left over."""
_STRETCH = re.compile(rf"[^{MASK}\s,;:!?，；：！？。、…~()（）\"“”\[\]【】的]+")
_OF_NO_NAME = re.compile(
    r"[我你您她它咱吗呢吧啊呀哦嘛么了着很就把被谁哪啥怎没别也还得们]|多少|(?<![A-Za-z])[0-9.,%×*+-]+"
    r"|[零〇一二两三四五六七八九十百千万亿半几]{2,}"
)
"""Signs of speech and numbers, of which no name is made."""
_LATIN = re.compile(r"[A-Za-z][A-Za-z0-9'&._/-]*")
_IDEOGRAPH = re.compile("[\u3400-\u9fff]")
_POSSESSIVE = "'s"
_ENDINGS = re.compile("[子比]$")
"""Said after a name that is known without it: 纸箱子, 宝钢比宁波电机."""
_SPEAKER = re.compile("[让叫请托喊要]?[我咱]|[说问催]")
"""Stands after somebody who wants to know, and of whom nothing is asked: 陈工让我查."""
_OF = "的"
_BEFORE_A_NAME = frozenset("在给向从由替帮往")
_SURNAMES = frozenset(
    "王李张刘陈杨赵黄周吴徐孙胡朱郭罗宋郑谢韩唐冯董萧曹袁邓傅沈曾彭吕苏卢蒋蔡贾丁魏薛阎潘杜戴汪田姜范姚谭廖邹熊陆郝孔崔邱秦史顾侯邵孟龙汤尹黎武乔贺赖龚关"
)
_OF_A_PLACE_OR_COLOUR = frozenset("色店厂省市区县镇村路州")
_PREPOSITION = re.compile(r"(?<![a-z])(?:in|of|from|by|with|at|for)(?: (?:the|a|an|our|my|your|their))? $")
_JOINED_AFTER = re.compile(r"(?: and | or | vs\.? |, ?|、|，|/| & )$")
_JOINED_BEFORE = re.compile(r"(?:'s)?(?: and | or | vs\.? |, ?|、|，|/| & )")
_COLOUR = re.compile("(?:red|blue|green|black|white|grey|gray|yellow|orange|purple|brown|pink)")


@dataclass(frozen=True)
class UnknownNames:
    """Finds the unknown names in one sentence that no line holds; ``is_held`` tells what a line holds."""

    recognition: Recognition
    scan: Scan
    is_held: Callable[[Span], bool]

    def names(self) -> Iterator[str]:
        """Yield them as written."""
        for start, end in _joined(self._unread(), self.scan.text):
            first, last = self._bare(start, end)
            if self._stands_as_a_name(start, end) and not _SPEAKER.match(self.scan.text, last):
                yield self.scan.text[first:last]

    def _unread(self) -> Iterator[tuple[int, int]]:
        """Yield the spans of unrecognised words."""
        rest = self.scan.rest
        for span in self.scan.spans:
            if span.kind is not SpanKind.NAME or self.is_held(span) or self.recognition.is_in_a_name(span.value):
                rest = f"{rest[: span.start]}{MASK * len(span.text)}{rest[end_of(span) :]}"
        if not any(match.end() - match.start() >= _SHORTEST for match in _STRETCH.finditer(rest)):
            return
        words = self.recognition.sentences.known_words
        for match in _STRETCH.finditer(_without_words(self.scan.text, rest, words)):
            start, end = match.span()
            if self.scan.text[start:end].isascii():
                end -= len(_POSSESSIVE) if self.scan.text[start:end].endswith(_POSSESSIVE) else 0
                piece = self.scan.text[start:end]
                if len(piece) >= _SHORTEST and _LATIN.fullmatch(piece) and piece.casefold() not in words:
                    yield start, end
            else:
                yield start, end

    def _bare(self, start: int, end: int) -> tuple[int, int]:
        """Return a Chinese piece without meaningless characters at its ends; two characters always remain.

        After another name the first character belongs to this one: 比 in 宏达与比亚迪.
        """
        text, words = self.scan.text, self.recognition.sentences.known_words
        if text[start:end].isascii():
            return start, end
        while start < end and text[start] in words and not self._is_joined_to_a_name(start):
            if end - start <= _SHORTEST and self._is_listed(start, end):
                break
            start += 1
        while start < end and text[end - 1] in words and (end - start > _SHORTEST or not self._is_listed(start, end)):
            end -= 1
        return start, end

    def _stands_as_a_name(self, start: int, end: int) -> bool:
        text = self.scan.text
        if text[start:end].isascii():
            return self._is_latin_name(start, end)
        first, last = self._bare(start, end)
        piece = text[first:last]
        return (
            len(piece) >= _SHORTEST
            and (
                len(piece) >= _CLEARLY_A_NAME
                or self._is_listed(first, last)
                or text[end : end + 1] == _OF
                or text[first - 1 : first] in _BEFORE_A_NAME
                or piece[0] in _SURNAMES
                or piece[-1] in _OF_A_PLACE_OR_COLOUR
                or (start == 0 and self._subject_at(end))
                or (text[first - 1 : first] == _OF and end == last and self._is_followed(end))
            )
            and self._is_strange(_ENDINGS.sub("", piece))
        )

    def _is_latin_name(self, start: int, end: int) -> bool:
        text = self.scan.text
        return bool(
            _IDEOGRAPH.search(text)
            or (start and text[start].isupper() and not text.isupper())
            or text.startswith(_POSSESSIVE, end)
            or _COLOUR.fullmatch(text.casefold(), start, end)
            or _PREPOSITION.search(text.casefold(), 0, start)
            or self._is_listed(start, end)
        )

    def _is_listed(self, start: int, end: int) -> bool:
        """Return whether a known name stands beside it, separated only by a word for "and"."""
        text = self.scan.text
        after = AND.match(text, end) or _JOINED_BEFORE.match(text.casefold(), end)
        return bool(after and self._subject_at(after.end())) or self._follows_a_name(start)

    def _follows_a_name(self, start: int) -> bool:
        before = _JOINED_AFTER.search(self.scan.text.casefold(), 0, start)
        return self._is_joined_to_a_name(start) or (before is not None and before.start() in self._ends_of_names)

    def _is_joined_to_a_name(self, start: int) -> bool:
        joins = (AND.fullmatch(self.scan.text, max(0, start - size), start) for size in (1, 2))
        return any(match is not None and match.start() in self._ends_of_names for match in joins)

    @property
    def _ends_of_names(self) -> set[int]:
        return {end_of(span) for span in self.scan.spans if span.kind is not SpanKind.CUE}

    def _subject_at(self, place: int) -> bool:
        return any(span.start == place for span in self.scan.spans if span.kind is not SpanKind.CUE)

    def _is_followed(self, place: int) -> bool:
        """Return whether a recognised part begins here: 订单 in 宏达的铂金订单."""
        return any(span.start == place for span in self.scan.spans)

    def _is_strange(self, piece: str) -> bool:
        """Return whether nothing has this name, or one that sounds like it."""
        found = self.recognition.named(0, piece)
        return found.kind is SpanKind.NAME and not self.recognition.is_in_a_name(found.value)


def _without_words(text: str, rest: str, words: Container[str]) -> str:
    """Return ``rest`` with known words and characters that no name contains masked."""
    folded = text.casefold() if len(text.casefold()) == len(text) else text
    masked = list(rest)
    for match in _OF_NO_NAME.finditer(rest):
        masked[match.start() : match.end()] = MASK * len(match[0])
    for start in (place for place, sign in enumerate(folded) if not sign.isascii()):
        for end in range(min(len(folded), start + _LONGEST), start + 1, -1):
            if folded[start:end] in words:
                masked[start:end] = MASK * (end - start)
                break
    return "".join(masked)


def _joined(places: Iterable[tuple[int, int]], text: str) -> Iterator[tuple[int, int]]:
    """Yield adjacent words as one: "acme trading"."""
    first: tuple[int, int] | None = None
    for start, end in places:
        if first and text[first[1] : start] == " " and text[first[0] : end].isascii():
            first = first[0], end
            continue
        if first:
            yield first
        first = start, end
    if first:
        yield first
