"""Recognition of the parts of a sentence: names, numbers, warehouses, days and known words of one company."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from itertools import chain, pairwise

from bot.chat.arguments import Word
from bot.chat.days import DaysOrMonth, names_days
from bot.chat.registry import Commands
from bot.erp.index.pinyin import may_be_initials
from bot.understanding.command_kinds import OF_PARTNERS, RECORDS_OF_PARTNERS
from bot.understanding.scanning.finding import (
    begins_a_word,
    drop_corrected,
    drop_counted_units,
    drop_negated,
    drop_repeated,
    quantity_pattern,
    take_codes,
    take_days,
    take_digits,
    take_latin_names,
    take_mentions,
    take_months,
    take_names,
    take_off_topic,
    take_parted_words,
    take_parts_of_names,
    take_quantities,
    take_stock_of_warehouses,
    take_words,
    without_address,
)
from bot.understanding.scanning.leftovers import AND, leftover, without_fillers
from bot.understanding.scanning.misspellings import Homophones, Misspellings, SameSound
from bot.understanding.scanning.sizes import Sizes
from bot.understanding.scanning.spans import Scan, Span, SpanKind
from bot.understanding.scanning.spoken_numbers import (
    part_codes,
    spell_digits,
    take_counted_numbers,
    take_further_numbers,
    take_spoken_codes,
)
from bot.understanding.sentences import Cue, Sentences
from bot.understanding.vocabulary import Vocabulary

LONGEST_WORD = 24
"""Characters of a filler or date at most."""
_TOP = re.compile(
    r"前(?:[0-9]{1,3}|[一二两三四五六七八九十]{1,3})"
    r"(?=[大名位家强款种]|个(?!月|星期|季|工作日|小时|礼拜)|的|$|[\s,，。]|客户|供应商|产品|商品|物料)"
)
_ANY_TOP = "前十"
_TOP_OF = re.compile(r"\btop (?:[0-9]{1,3}|three|four|five|six|eight|ten|twenty)\b(?= [a-z]|$)", re.IGNORECASE)
"""The first so many of a ranking: its card numbers them all, and the number is none of a document."""
_DEBT = re.compile(r"欠|\b(?:owe|owes|owed|owing)\b", re.IGNORECASE)
_LISTED_BY_PARTNER = OF_PARTNERS.difference(RECORDS_OF_PARTNERS)
NAMED = frozenset(
    {SpanKind.DOCUMENT, SpanKind.DELIVERY, SpanKind.PRODUCT, SpanKind.PARTNER, SpanKind.PERSON, SpanKind.PLACE}
)
"""What a question is about, beside which a short word that nobody knows is no name."""
SHORTEST_NAME = 2
_SIZED = re.compile(r"(?=.*\d).*[^\x00-\x7f]")
_SPOKEN_AMOUNT = re.compile("[一二两三四五六七八九]?[十百千万][零一二两三四五六七八九十百千万]*")
_COUNTED_OR_MADE = frozenset({"stock", "arrivals", "shortage", "mo"})
"""Commands that a sentence asks of goods; a price may be one for a customer."""
_LONGEST_INITIALS = 5
_SCANS_KEPT = 32
"""Texts: a sentence and the parts of it that are read by themselves."""
_LONGEST_PARTED = 16
"""Signs of a piece that may be a name and its size."""


@dataclass(frozen=True)
class Recognition:
    """Finds the parts of sentences with the words of the commands and of one company."""

    commands: Commands
    sentences: Sentences
    vocabulary: Vocabulary

    def prepare(self) -> None:
        """Build the search tables: that takes a second for a large company."""
        self.vocabulary.prepare()
        _ = self.partners, self.longest_partner, self.stores, self.places, self.longest_store, self.stores_heard
        _ = self.sentences.parted_by_sign, self.sentences.known_words
        _ = self.longest_person, self.longest_cue, self.quantity, self.homophones, self.misspellings, self.people_heard

    def scan(self, text: str) -> Scan:
        """Return the scan of a normalised text."""
        found = self._scanned(text)
        return replace(found, spans=[*found.spans])

    @cached_property
    def _scanned(self) -> Callable[[str], Scan]:
        """Scans each text once: reading a sentence after a question needs its scan a dozen times."""
        return lru_cache(maxsize=_SCANS_KEPT)(self._scan)

    def _scan(self, text: str) -> Scan:
        text = _TOP.sub(_ANY_TOP, _TOP_OF.sub("top", without_address(text)))
        scan = Scan.of(self.misspellings.mend(self.sizes.mend(text), self._is_called_so))
        sentences = self.sentences
        drop_negated(scan)
        take_mentions(scan, self.stores)
        take_names(scan, SpanKind.PARTNER, self.partners, self.longest_partner)
        take_names(scan, SpanKind.PERSON, self.vocabulary.people, self.longest_person)
        scan.respell(self.people_heard.mend(scan.rest, self._is_word))
        take_names(scan, SpanKind.PERSON, self.vocabulary.people, self.longest_person)
        take_parts_of_names(scan, SpanKind.PARTNER, self.vocabulary.knows_partner, sentences.cues)
        take_latin_names(scan, SpanKind.PARTNER, self.vocabulary.latin_partner)
        take_latin_names(scan, SpanKind.NAME, self._latin_goods)
        part_codes(scan, self.vocabulary)
        take_codes(scan, self.vocabulary)
        take_spoken_codes(scan, self.vocabulary)
        take_further_numbers(scan, self.vocabulary, sentences.units)
        take_stock_of_warehouses(scan, sentences.cues)
        scan.respell(self.stores_heard.mend(scan.rest, self.is_in_a_name))
        take_names(scan, SpanKind.WAREHOUSE, self.stores, self.longest_store)
        spell_digits(scan)
        take_counted_numbers(scan)
        take_days(scan, self._is_size)
        take_quantities(scan, self.quantity)
        take_off_topic(scan, sentences.off_topic, LONGEST_WORD, self.is_in_a_name)
        scan.respell(self.homophones.mend(scan.rest, self._is_word))
        take_parted_words(scan, sentences.parted_by_sign, sentences.cues, self.longest_cue)
        take_words(scan, sentences.cues, self.longest_cue, lambda start, end: scan.take(SpanKind.CUE, start, end))
        take_words(scan, sentences.dates, LONGEST_WORD, lambda start, end: scan.take(SpanKind.DATE, start, end))
        if any(self.takes_months(cue.command) for cue in self.cues_in(scan)):
            take_months(scan)
        drop_counted_units(scan, sentences.units)
        take_digits(scan)
        take_words(scan, sentences.phrases, LONGEST_WORD, scan.drop)
        for match in sentences.due_soon.find_all(scan.rest):
            scan.drop(*match.span())
        for start, piece in leftover(scan, sentences.fillers, sentences.verbs, LONGEST_WORD, self.is_name):
            if (len(piece) > 1 or piece.isdecimal()) and not self._is_amount(piece):
                scan.spans.extend(self.named(at, part) for at, part in self._apart(start, piece))
        drop_corrected(scan)
        self._drop_kinds_of_goods(scan)
        self._keep_initials(scan)
        self._join_partners(scan)
        self._drop_words_beside_names(scan)
        self._take_sizes(scan)
        self._name_partners(scan)
        drop_repeated(scan)
        return scan

    def _is_amount(self, piece: str) -> bool:
        """Return whether a piece is a number in characters, and no part of a name: 两千."""
        return _SPOKEN_AMOUNT.fullmatch(piece) is not None and not self.is_in_a_name(piece)

    def _keep_initials(self, scan: Scan) -> None:
        """Keep words as typed that may be goods, if the question applies only to goods.

        xd还剩多少 asks for 锌锭, whose first letters the product index knows, not for a partner with these letters;
        线材什么时候到 asks for goods, although a vendor's name contains the word.
        """
        asked = {cue.command: cue.weight for cue in sorted(self.cues_in(scan), key=lambda cue: cue.weight)}
        goods = max((asked.get(name, 0) for name in _COUNTED_OR_MADE), default=0)
        others = max((weight for name, weight in asked.items() if name not in _COUNTED_OR_MADE), default=0)
        partners = scan.of_kind(SpanKind.PARTNER)
        if not goods > others or len(partners) != 1 or scan.of_kind(SpanKind.PRODUCT) or scan.of_kind(SpanKind.NAME):
            return
        (partner,) = partners
        spells_goods = len(partner.text) <= _LONGEST_INITIALS and may_be_initials(partner.text.casefold())
        if spells_goods or self._is_part_of_goods(partner):
            scan.spans.remove(partner)
            scan.spans.append(replace(partner, kind=SpanKind.NAME, value=partner.text))

    def _drop_kinds_of_goods(self, scan: Scan) -> None:
        """Drop the kind of goods beside their code, although a partner's name contains the word: 电机RM-42."""
        products = scan.of_kind(SpanKind.PRODUCT)
        for partner in scan.of_kind(SpanKind.PARTNER):
            if self._is_part_of_goods(partner) and any(are_beside(scan, partner, product) for product in products):
                scan.spans.remove(partner)
                scan.drop(partner.start, end_of(partner))

    def _is_part_of_goods(self, partner: Span) -> bool:
        """Return whether a part of a partner's name is also one of goods: 线材."""
        whole = partner.text.casefold() in self.partners
        return not whole and partner.value == partner.text and self.vocabulary.names_goods(partner.text)

    @cached_property
    def sizes(self) -> Sizes:
        return Sizes(self.vocabulary.sizes, self.vocabulary.knows_product)

    def _is_size(self, size: str, text: str, start: int, end: int) -> bool:
        """Return whether 5号 is a size at a place in a text: goods of that size stand beside it, or begin after it."""
        if size in self.vocabulary.sizes:
            return self.sizes.is_beside_goods(size, text, start, end)
        return begins_a_word(text, end) and self.vocabulary.knows_product(size)

    def _take_sizes(self, scan: Scan) -> None:
        """Take a quantity beside goods as their size if there are goods of this size: 钢卷尺5米."""
        goods = [span for span in scan.of_kind(SpanKind.NAME) if self.vocabulary.knows_product(span.value)]
        for span in scan.of_kind(SpanKind.QUANTITY):
            beside = [other for other in goods if are_beside(scan, span, other)]
            if beside and self._are_goods_of_size(span.text, beside):
                scan.spans.remove(span)
                scan.spans.append(replace(span, kind=SpanKind.NAME))

    def _are_goods_of_size(self, size: str, goods: Iterable[Span]) -> bool:
        if size in self.vocabulary.sizes:
            return any(self.sizes.of(each.value, size) for each in goods)
        return self.vocabulary.knows_product(size)

    def _name_partners(self, scan: Scan) -> None:
        """Replace partner codes by names, which documents are searched by, if a list of documents is asked for."""
        documents, names = scan.of_kind(SpanKind.DOCUMENT), self.vocabulary.codes
        if scan.of_kind(SpanKind.PRODUCT) or any(span.value not in names for span in documents):
            return
        if _DEBT.search(scan.text):
            return  # what they owe stands in their record
        weights = {cue.command: cue.weight for cue in sorted(self.cues_in(scan), key=lambda cue: cue.weight)}
        records = max((weights.get(name, 0) for name in RECORDS_OF_PARTNERS), default=0)
        if max((weights.get(name, 0) for name in _LISTED_BY_PARTNER), default=0) > records:
            for span in documents:
                scan.spans.remove(span)
                scan.spans.append(replace(span, kind=SpanKind.PARTNER, value=names[span.value], command=""))

    def _drop_words_beside_names(self, scan: Scan) -> None:
        """Drop texts as short as a word, which are no name, if a name of the company is given."""
        unknown = [span for span in scan.of_kind(SpanKind.NAME) if not self.is_name(span.value)]
        if any(span.kind in NAMED for span in scan.spans) or len(unknown) < len(scan.of_kind(SpanKind.NAME)):
            scan.spans = [span for span in scan.spans if span not in unknown or not _is_short_word(span.value)]

    def _join_partners(self, scan: Scan) -> None:
        """Join two parts of one partner's name: 慈溪 and 风扇配件厂, "Müller & Söhne"."""
        for first, last in pairwise(scan.of_kind(SpanKind.PARTNER)):
            between = scan.text[first.start + len(first.text) : last.start]
            name = None if between not in {"", "&", " & "} else self.vocabulary.partner_with(first.value, last.value)
            if name:
                scan.spans.remove(first)
                scan.spans.remove(last)
                scan.spans.append(Span(SpanKind.PARTNER, first.start, first.text + between + last.text, name))
                return

    def _parted(self, start: int, piece: str) -> Iterable[tuple[int, str]]:
        """Return a piece, split where goods stand beside their size, a place or a partner: 5号纸箱."""
        knows = self.vocabulary.knows_product
        for place in self.places:
            before, after = piece.removesuffix(place), piece.removeprefix(place)
            goods = tuple(self._parted(start, before)) if before != piece and len(before) >= SHORTEST_NAME else ()
            if goods and (len(goods) > 1 or knows(before)):
                return *goods, (start + len(before), place)
            if after != piece and len(after) >= SHORTEST_NAME and knows(after):
                return (start, place), (start + len(place), after)
        if piece.isascii() or len(piece) > _LONGEST_PARTED or self.is_in_a_name(piece):
            return ((start, piece),)
        for size in range(len(piece) - SHORTEST_NAME, SHORTEST_NAME - 1, -1):
            first, last = piece[:size], piece[size:]
            taken = last[1:] if last[0] in self.sentences.verbs and len(last) > SHORTEST_NAME else last
            sized = _SIZED.search(piece) and self._names_goods(first)
            if (sized or self.vocabulary.knows_partner(first)) and self._names_goods(taken):
                return (start, first), (start + len(piece) - len(taken), taken)
        return ((start, piece),)

    def _apart(self, start: int, piece: str) -> Iterator[tuple[int, str]]:
        """Yield a piece split at 和 if the company has one side of it: 宏达和大疆."""
        for match in AND.finditer(piece) if not self.is_in_a_name(piece) else ():
            sides = [self._bare(0, match.start(), piece), self._bare(match.end(), len(piece), piece)]
            if all(len(side) >= SHORTEST_NAME for _, side in sides) and any(
                self.is_in_a_name(side) for _, side in sides
            ):
                for at, side in sides:
                    yield from self._apart(start + at, side)
                return
        yield from self._parted(start, piece)

    def _bare(self, start: int, end: int, text: str) -> tuple[int, str]:
        """Return the start of a part of a text without meaningless words at its ends, and the remaining text.

        A single character is no name: 老 is a part of 老王.
        """
        first, last = without_fillers(text, start, end, self.sentences.fillers, LONGEST_WORD, self.is_name)
        return (start, text[start:end]) if last - first == 1 else (first, text[first:last])

    def _latin_goods(self, words: str) -> str | None:
        """Return the name of goods in Latin words, also in the singular; None for everyday words."""
        sentences = self.sentences
        if all(word in sentences.fillers or word in sentences.cues for word in words.split()):
            return None
        single = words.removesuffix("es") if words.endswith(("shes", "ches", "xes")) else words.removesuffix("s")
        return next((name for name in (words, single) if self.vocabulary.knows_product(name)), None)

    def _names_goods(self, piece: str) -> bool:
        """Return whether goods have this name, or are called so for short."""
        return self.vocabulary.knows_product(piece) or self.vocabulary.abbreviated_goods(piece) is not None

    def named(self, start: int, piece: str) -> Span:
        """Return an unrecognised piece as a name of some kind."""
        if len(piece) > 1 and piece.endswith(("仓", "仓库")):
            return Span(SpanKind.WAREHOUSE, start, piece, piece)
        if store := self.places.get(piece.casefold()):
            return Span(SpanKind.PLACE, start, piece, store)
        if person := self.vocabulary.person(piece):
            return Span(SpanKind.PERSON, start, piece, person)
        if partner := self.vocabulary.partner(piece):
            return Span(SpanKind.PARTNER, start, piece, partner)
        if self.vocabulary.knows_product(piece):
            return Span(SpanKind.NAME, start, piece, piece)
        if partner := self.vocabulary.abbreviated_partner(piece):
            return Span(SpanKind.PARTNER, start, piece, partner)
        if goods := self.vocabulary.abbreviated_goods(piece):
            return Span(SpanKind.NAME, start, piece, goods)
        return self._heard(start, piece)

    def _heard(self, start: int, piece: str) -> Span:
        """Return the name that sounds like a piece, if they differ in a character that input methods confuse."""
        if piece.casefold() in self.sentences.everyday:
            return Span(SpanKind.NAME, start, piece, piece)  # 一直 is no 一字
        meant = tuple(self.homophones.variants(piece))
        if goods := {name for name in meant if self._sounds_like_goods(name)}:
            return Span(SpanKind.NAME, start, piece, goods.pop() if len(goods) == 1 else piece)
        people = {person for name in meant if (person := self.vocabulary.people.get(name))}
        if len(people) == 1:
            return Span(SpanKind.PERSON, start, piece, people.pop())
        partners = {name for name in meant if self.vocabulary.knows_partner(name)}
        if len(partners) == 1:
            return Span(SpanKind.PARTNER, start, piece, partners.pop())
        return Span(SpanKind.NAME, start, piece, piece)

    def _sounds_like_goods(self, name: str) -> bool:
        """Return whether goods have a name that sounds so; two characters only match the beginning or end of a name."""
        knows = self.vocabulary.names_goods if len(name) == SHORTEST_NAME else self.vocabulary.knows_product
        return knows(name)

    def cues_in(self, scan: Scan) -> Iterable[Cue]:
        """Yield the meanings of the words of a sentence."""
        for span in scan.of_kind(SpanKind.CUE):
            yield from self.cues_of(span)

    def cues_of(self, span: Span) -> tuple[Cue, ...]:
        return self.sentences.cues_of(span.value.casefold())

    def is_known(self, scan: Scan) -> bool:
        """Return whether a sentence names something, and the company has all of it."""
        names = scan.of_kind(SpanKind.NAME)
        known = all(self.vocabulary.knows_product(span.value) for span in names)
        return known and bool(names or partners_or_people(scan) or scan.of_kind(SpanKind.PLACE))

    def names_known_goods(self, scan: Scan) -> bool:
        """Return whether goods are named, and the company has all of them."""
        names = scan.of_kind(SpanKind.NAME)
        return bool(names) and all(self.vocabulary.knows_product(span.value) for span in names)

    def takes(self, kind: type[Word], name: str) -> bool:
        return any(issubclass(parameter.type, kind) for parameter in self.commands[name].signature.parameters)

    def takes_months(self, name: str) -> bool:
        return self.takes(DaysOrMonth, name)

    def is_name(self, piece: str) -> bool:
        """Return whether a piece of several characters is part of a name of the company."""
        if len(piece) < SHORTEST_NAME:
            return False
        vocabulary = self.vocabulary
        kept = piece[:SHORTEST_NAME] in self.sentences.kept or len(tuple(self._parted(0, piece))) > 1
        return kept or vocabulary.knows_product(piece) or vocabulary.knows_partner(piece)

    @cached_property
    def partners(self) -> Mapping[str, str]:
        return self.vocabulary.partner_names

    @cached_property
    def longest_partner(self) -> int:
        return max(map(len, self.partners), default=0)

    @cached_property
    def longest_person(self) -> int:
        return max(map(len, self.vocabulary.people), default=0)

    @cached_property
    def stores(self) -> Mapping[str, str]:
        return {spoken.casefold(): name for spoken, name in self.vocabulary.stores().items()}

    @cached_property
    def places(self) -> Mapping[str, str]:
        return self.vocabulary.places()

    @cached_property
    def longest_store(self) -> int:
        return max(map(len, self.stores), default=0)

    @cached_property
    def longest_cue(self) -> int:
        return self.sentences.cues.longest

    @cached_property
    def misspellings(self) -> Misspellings:
        sentences = self.sentences
        return Misspellings(chain(sentences.cues, sentences.fillers, sentences.phrases))

    @cached_property
    def sounds(self) -> SameSound:
        return SameSound.of(self.vocabulary.readings)

    @cached_property
    def homophones(self) -> Homophones:
        return Homophones(self.sentences.heard, self.sounds)

    @cached_property
    def stores_heard(self) -> Homophones:
        called = (spoken for spoken in self.stores if spoken.endswith("仓") and not spoken.isascii())
        return Homophones(called, self.sounds)

    @cached_property
    def people_heard(self) -> Homophones:
        """People's names with other characters after the surname: 李那 for 李娜."""
        names = (name for name in self.vocabulary.people.values() if not name.isascii())
        return Homophones(names, self.sounds, kept_signs=1)

    def _is_word(self, piece: str) -> bool:
        """Return whether a piece has a meaning as written."""
        sentences = self.sentences
        words = (sentences.cues, sentences.fillers, sentences.phrases, sentences.dates)
        return self.is_in_a_name(piece) or any(piece in each for each in words)

    def _is_called_so(self, word: str) -> bool:
        """Return whether a Latin word is part of a name, or spells one, or has a meaning as written."""
        sentences = self.sentences
        words = (sentences.cues, sentences.fillers, sentences.phrases, sentences.dates, sentences.off_topic)
        return any(word in each for each in words) or bool(
            self.is_in_a_name(word) or self.vocabulary.spelled_by(word, limit=1) or names_days(word)
        )

    def is_in_a_name(self, piece: str) -> bool:
        """Return whether a piece is at least part of a name of the company."""
        return self.vocabulary.knows_product(piece) or self.vocabulary.knows_partner(piece)

    @cached_property
    def quantity(self) -> re.Pattern[str]:
        return quantity_pattern(self.sentences.units)


def are_beside(scan: Scan, one: Span, other: Span) -> bool:
    """Return whether two spans are adjacent."""
    first, last = in_order((one, other))
    return one is not other and not scan.text[end_of(first) : last.start].strip(" 的")


def end_of(span: Span) -> int:
    return span.start + len(span.text)


def in_order(spans: Iterable[Span]) -> list[Span]:
    return sorted(spans, key=lambda span: span.start)


def _is_short_word(piece: str) -> bool:
    return len(piece) <= SHORTEST_NAME and not piece.isascii()


def says_itself(scan: Scan) -> bool:
    """Return whether a sentence contains only names and numbers."""
    signs = sum(len(span.text) for span in scan.spans)
    return signs >= len(scan.text.replace(" ", "")) and not scan.of_kind(SpanKind.CUE)


def partners_or_people(scan: Scan) -> list[Span]:
    return scan.of_kind(SpanKind.PARTNER) or scan.of_kind(SpanKind.PERSON)
