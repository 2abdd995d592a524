"""A company's vocabulary: the formats of document numbers and products, and the names of warehouses and partners."""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum, auto
from functools import cached_property, lru_cache
from itertools import accumulate, islice
from operator import add
from types import MappingProxyType

from bot.erp.index.pinyin import may_be_initials, may_be_syllables
from bot.erp.kinds import DELIVERIES, FOLLOWED

_LAST_DIGITS = re.compile(r"(.*?)(\d+)")
_NO_SIGN = re.compile(r"[\W_]+")
_LATIN_WORDS = re.compile(r"[a-z0-9']+")
_NOT_PLAIN = re.compile("['À-ɏ]")
"""Signs that people leave out or write plainly where they type the name."""
_SPELLED_OUT = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss", "æ": "ae", "ø": "oe", "å": "aa"})
_SIGNS = re.compile(r"[^\w\s.,'&()-]")
_KINDS_OF_STORE = re.compile(
    r"(?:原料|材料|成品|半成品|备件|中心|总|分)*(?:仓库|仓|库)$|\s*(?:main|central)?\s*warehouse$", re.IGNORECASE
)

_STORES = (
    *("仓库", "仓", "库", "的仓库", "的仓", "那个仓库", "那个仓", "那边的仓库", "那边的仓", "那边仓库", "那边仓"),
    *("苍", "舱", "沧"),
)
"""How people call the warehouse at a place; the last ones are what input methods make of 仓."""

_USUAL_PREFIXES: Mapping[str, str] = MappingProxyType(
    {prefix: kind.command for kind in FOLLOWED if kind != DELIVERIES for prefix in kind.words.prefixes}
)
"""Prefix → the command that shows such documents."""
_USUAL_DELIVERY = re.compile(rf"(?:{'|'.join(DELIVERIES.words.prefixes)})\d")
"""The same for deliveries."""


# Each word of a sentence is compared with the same prefixes of numbers again and again.
@lru_cache(maxsize=512)
def spelled(number: str) -> str:
    """Return the spelled part of a number: its letters and digits, in lower case."""
    return _NO_SIGN.sub("", number).casefold()


@dataclass(frozen=True, slots=True)
class NumberShape:
    """The format of a kind of number: ``SO-`` and digits, padded with zeros to ``width`` (0: not padded)."""

    prefix: str
    width: int = 0

    @classmethod
    def of(cls, number: str) -> NumberShape | None:
        """Return the format of a number; None for a text without a prefix or without digits at its end."""
        match = _LAST_DIGITS.fullmatch(number)
        if match is None or not any(map(str.isalpha, match[1])):
            return None
        return cls(match[1], len(match[2]) if match[2].startswith("0") else 0)

    def number(self, typed: str) -> str | None:
        """Return the number of this format spelled by ``typed``, such as ``SO-1001`` for ``so 1001``; None for none."""
        letters, digits = spelled(self.prefix), spelled(typed)
        rest = digits.removeprefix(letters)
        if not digits.startswith(letters) or not rest.isdigit():
            return None
        return f"{self.prefix}{rest.zfill(self.width)}"


_LEGAL_FORM = re.compile(
    r"(?:股份|集团|责任|实业)*有限(?:责任)?公司.*$|(?:集团|总)?公司$"
    r"|,? *(?:co\.?,? *ltd\.?|inc\.?|llc|ltd\.?|gmbh|corp\.?)$",
    re.IGNORECASE,
)


class Trade(Enum):
    """The side of the business of a partner or person: whom the company sells to, or buys from."""

    SALE = auto()
    PURCHASE = auto()


_SHORTEST_NAME = 2
_SHORTEST_PINYIN = 4
"""Letters from which a word counts as the pinyin of a name: shorter ones fit too many."""


_SHORTEST_SHORTENING, _SHORTEST_ABBREVIATION, _LONGEST_ABBREVIATION = 3, 4, 6
"""Signs of what shortens a name, of a partner at least four."""
_MOST_TEXTS = 500
"""The most texts with a part of an abbreviation that are looked at: among more, none is likely to be meant."""


@dataclass(frozen=True, slots=True)
class JoinedTexts:
    """Texts that are searched for a part of one of them.

    A search through the texts of 100 000 products takes milliseconds, and most pieces of a sentence are in none. So the
    first and last position of each pair of adjacent characters is stored, and only the part in between is searched.
    """

    text: str
    pairs: Mapping[str, tuple[int, int]]

    @classmethod
    def of(cls, texts: Iterable[str]) -> JoinedTexts:
        """Build it from texts, ignoring case."""
        text = "\n".join(("", *texts, "")).casefold()
        last = dict(zip(map(add, text, text[1:]), range(len(text)), strict=False))
        backwards = range(len(text) - 2, -1, -1)
        first = dict(zip(map(add, text[-2::-1], text[:0:-1]), backwards, strict=True))
        return cls(text, {pair: (first[pair], at) for pair, at in last.items()})

    def hold(self, piece: str) -> bool:
        """Return whether a text contains ``piece``, in lower case."""
        return self._find(piece, *self._between(piece)) >= 0

    def _between(self, piece: str) -> tuple[int, int]:
        """Return the range in which a piece may begin."""
        first, last = 0, len(self.text)
        for offset, pair in enumerate(map(add, piece, piece[1:])):
            begins = self.pairs.get(pair)
            if begins is None:
                return 0, -1
            first, last = max(first, begins[0] - offset), min(last, begins[1] - offset)
        return first, last

    def _find(self, piece: str, first: int, last: int) -> int:
        return self.text.find(piece, first, last + len(piece)) if first <= last else -1

    def abbreviated_by(self, piece: str, *, least: int) -> str | None:
        """Return the only text that contains two parts of ``piece`` in order, the second of ``least`` characters."""
        if not _SHORTEST_SHORTENING <= len(piece) <= _LONGEST_ABBREVIATION or piece.isascii():
            return None
        found: set[str] = set()
        for size in range(_SHORTEST_NAME, len(piece) - least + 1):
            if self.hold(piece[:size]) and self.hold(piece[size:]):
                found.update(islice(self._holding(piece[:size], piece[size:]), _MOST_TEXTS))
        return found.pop() if len(found) == 1 else None

    def holding_both(self, first: str, last: str) -> str | None:
        """Return the only text that contains two parts in order."""
        found = set(islice(self._holding(first, last), 2))
        return found.pop() if len(found) == 1 else None

    def _holding(self, first: str, last: str) -> Iterator[str]:
        """Yield the texts that contain two pieces in order, among the first ones that contain the one."""
        start, latest = self._between(first)
        at = self._find(first, start, latest)
        for _ in range(_MOST_TEXTS):
            if at < 0:
                return
            end = self.text.find("\n", at)
            if last in self.text[at + len(first) : end]:
                yield self.text[self.text.rfind("\n", 0, at) + 1 : end]
            at = self._find(first, end, latest)


_LETTERS, _BLOCK = 4, 200
"""Letters of which it is known in which names they stand, and names that are looked through before the loop goes on."""


@dataclass(frozen=True, slots=True)
class SpelledNames:
    """Names with their spellings, searched as one text.

    A search through the syllables of twenty thousand names takes two milliseconds, and most words spell none of them.
    So the range of names with each four-letter sequence is stored, and only that is searched.
    """

    text: str
    starts: Sequence[int]
    """Where the spellings of each name begin."""
    spelled: Sequence[str]
    places: Mapping[str, tuple[int, int]]

    @classmethod
    def of(cls, spellings: Mapping[str, str]) -> SpelledNames:
        """Build it from names with their spellings, each after a line break."""
        kept = {name: spelling for name, spelling in spellings.items() if spelling}
        starts = [0, *accumulate(map(len, kept.values()))][:-1]
        spelled = tuple(kept.values())
        places: dict[str, tuple[int, int]] = {}
        for place in range(0, len(spelled), _BLOCK):
            block = "".join(spelled[place : place + _BLOCK])
            start, end = starts[place], starts[place] + len(block)
            for four in set(map("".join, zip(*(block[offset:] for offset in range(_LETTERS)), strict=False))):
                places[four] = places[four][0] if four in places else start, end
        return cls("".join(spelled), starts, tuple(kept), places)

    def names(self, part: str, limit: int) -> tuple[str, ...]:
        """Return the first names with a spelling that contains ``part``."""
        found: list[str] = []
        at, end = self._between(part)
        while at < end and len(found) < limit and (at := self.text.find(part, at, end)) >= 0:
            place = bisect_right(self.starts, at) - 1
            found.append(self.spelled[place])
            at = self.starts[place + 1] if place + 1 < len(self.starts) else end
        return tuple(found)

    def _between(self, part: str) -> tuple[int, int]:
        """Return the range in which ``part`` may stand."""
        first, last = 0, len(self.text)
        for offset in range(len(part) - _LETTERS + 1):
            start, end = self.places.get(part[offset : offset + _LETTERS], (last, first))
            first, last = max(first, start), min(last, end)
        return first, last


@dataclass(frozen=True, kw_only=True)
class Vocabulary:
    """The vocabulary of one company. Everything may be empty: then numbers are known only by their usual prefixes.

    ``documents`` maps commands to the formats of their numbers, including customer and vendor codes. ``partners`` are
    customers and vendors, ``vendors`` those that sell to the company; ``sellers`` and ``buyers`` are its people in
    sales and purchasing, ``goods`` the names and specifications of products.
    """

    documents: Mapping[str, tuple[NumberShape, ...]] = field(default_factory=lambda: MappingProxyType({}))
    products: tuple[NumberShape, ...] = ()
    deliveries: tuple[NumberShape, ...] = ()
    warehouses: tuple[str, ...] = ()
    partners: tuple[str, ...] = ()
    vendors: tuple[str, ...] = ()
    sellers: tuple[str, ...] = ()
    buyers: tuple[str, ...] = ()
    goods: tuple[str, ...] = ()
    sizes: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: MappingProxyType({}))
    """The names of goods by the sizes that they have."""
    pinyin: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    """Names of partners and people with their spellings by syllables, each after a line break."""
    initials: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    """The same by first letters."""
    codes: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    """The names of customers and vendors by their codes, of as many as the ERPs were asked for."""
    readings: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: MappingProxyType({}))
    """How common characters are read."""

    def document(self, typed: str) -> tuple[str, str] | None:
        """Return the command for the document spelled by ``typed``, and its number; None for none."""
        for command, shapes in self.documents.items():
            for shape in shapes:
                if number := shape.number(typed):
                    return command, number
        if self.product(typed):
            return None
        letters = re.match(r"[a-z]+(?=.*\d)", spelled(typed))
        usual = _USUAL_PREFIXES.get(letters[0]) if letters else None
        return (usual, typed) if usual else None

    def delivery(self, typed: str) -> str | None:
        """Return the number of the delivery spelled by ``typed``; None for none."""
        known = next((number for shape in self.deliveries if (number := shape.number(typed))), None)
        return known or (typed if _USUAL_DELIVERY.match(spelled(typed)) and not self.product(typed) else None)

    def product(self, typed: str) -> str | None:
        """Return the code spelled by ``typed``; None if no product code begins like it."""
        return next((code for shape in self.products if (code := shape.number(typed))), None)

    @cached_property
    def partner_names(self) -> Mapping[str, str]:
        """The names of partners, with and without legal form, by the same in lower case."""
        names: dict[str, str] = {}
        for partner in self.partners:
            for name in (partner, _LEGAL_FORM.sub("", partner).strip()):
                if len(name) > _SHORTEST_NAME:
                    names.setdefault(name.casefold(), name)
        return names

    def partner(self, piece: str) -> str | None:
        """Return the part of a partner's name written by ``piece``, or the only name it spells; None for none."""
        if len(piece) < _SHORTEST_NAME:
            return None
        if self.knows_partner(piece):
            return piece
        if name := self._typed_plainly.get(piece.casefold()):
            return name
        spelled_out = self.spelled_by(piece, limit=2)
        return spelled_out[0] if len(spelled_out) == 1 else None

    def abbreviated_partner(self, piece: str) -> str | None:
        """Return the only partner abbreviated by two parts of the name: 长安恒兴 is 东莞市长安镇恒兴五金厂."""
        if len(piece) < _SHORTEST_ABBREVIATION:
            return None
        found = self._all_partners.abbreviated_by(piece.casefold(), least=_SHORTEST_NAME)
        return self.partner_names.get(found) if found else None

    def latin_partner(self, words: str) -> str | None:
        """Return the part of a partner's name written by ``words``; nobody types the signs between them, as in *Steel*
        Wire.
        """
        if self.knows_partner(words):
            return words
        written = {name for plain, name in self._plain_latin.items() if f" {words.casefold()} " in plain}
        return written.pop() if len(written) == 1 else None

    @cached_property
    def _plain_latin(self) -> Mapping[str, str]:
        """Names with signs between Latin words, keyed by these words in lower case, separated by blanks."""
        words = {name: _LATIN_WORDS.findall(name.casefold()) for name in self.partners if _SIGNS.search(name)}
        return {f" {' '.join(found)} ": name for name, found in words.items() if len(found) > 1}

    def partner_with(self, first: str, last: str) -> str | None:
        """Return the only partner whose name contains two parts in order."""
        found = self._all_partners.holding_both(first.casefold(), last.casefold())
        return self.partner_names.get(found) if found else None

    def abbreviated_goods(self, piece: str) -> str | None:
        """Return the only name of goods abbreviated by ``piece``: 落地扇 is 落地电风扇."""
        return self._all_goods.abbreviated_by(piece.casefold(), least=1)

    def trade(self, name: str) -> Trade | None:
        """Return the side of the business of a partner or person; None for both, and if unknown."""
        folded = name.casefold()
        sells = self._all_vendors.hold(folded) or name in self.buyers
        buys = self._all_customers.hold(folded) or name in self.sellers
        return None if sells == buys else Trade.PURCHASE if sells else Trade.SALE

    @cached_property
    def people(self) -> Mapping[str, str]:
        """The people in sales and purchasing, by lower-case name."""
        return {name.casefold(): name for name in (*self.sellers, *self.buyers) if len(name) >= _SHORTEST_NAME}

    def person(self, piece: str) -> str | None:
        """Return the only person whose full name ``piece`` writes or spells; None for nobody or several."""
        folded = piece.casefold()
        if folded in self.people:
            return self.people[folded]
        spelled_out = {
            name
            for name in self.people.values()
            for spelling in (self.pinyin.get(name, ""), self.initials.get(name, ""))
            if len(folded) >= _SHORTEST_NAME and folded in spelling.split()
        }
        return spelled_out.pop() if len(spelled_out) == 1 else None

    def spelled_by(self, piece: str, *, limit: int) -> tuple[str, ...]:
        """Return the partners' names spelled by ``piece`` in syllables (hongda), or otherwise in first letters (hd)."""
        folded = piece.casefold()
        if len(folded) < _SHORTEST_NAME or not (folded.isascii() and folded.isalpha()):
            return ()
        found: tuple[str, ...] = ()
        if len(folded) >= _SHORTEST_PINYIN and may_be_syllables(folded):
            found = self._by_syllables.names(folded, limit)
        return found or (self._by_initials.names(folded, limit) if may_be_initials(folded) else ())

    def prepare(self) -> None:
        """Build the search tables. That takes half a second for 20 000 names and 100 000 products."""
        _ = self._all_partners, self._all_goods, self._by_syllables, self._by_initials, self.partner_names
        _ = self._all_vendors, self._all_customers, self.people, self._plain_latin

    @cached_property
    def _by_syllables(self) -> SpelledNames:
        return SpelledNames.of({name: self.pinyin.get(name, "") for name in self.partners})

    @cached_property
    def _by_initials(self) -> SpelledNames:
        return SpelledNames.of({name: self.initials.get(name, "") for name in self.partners})

    def spells_partner(self, piece: str) -> bool:
        """Return whether ``piece`` is no part of a partner's name, but spells one in pinyin."""
        return not self.knows_partner(piece) and bool(self.spelled_by(piece, limit=1))

    def knows_partner(self, piece: str) -> bool:
        """Return whether a partner's name contains ``piece``."""
        return self._all_partners.hold(piece.casefold())

    def names_goods(self, piece: str) -> bool:
        """Return whether goods are called ``piece``, or begin or end with it."""
        folded = piece.casefold()
        return self._all_goods.hold(f"\n{folded}") or self._all_goods.hold(f"{folded}\n")

    def knows_product(self, piece: str) -> bool:
        """Return whether a product's name or specification contains ``piece``."""
        return self._all_goods.hold(piece.casefold())

    @cached_property
    def _all_partners(self) -> JoinedTexts:
        return JoinedTexts.of(self.partners)

    @cached_property
    def _typed_plainly(self) -> Mapping[str, str]:
        """The words of partners' names by their plain typed form: oneil is O'Neil, muller and mueller are Müller."""
        words = {word for partner in self.partners for word in partner.split() if _NOT_PLAIN.search(word)}
        return {plain: word for word in sorted(words) for plain in _plainly(word)}

    @cached_property
    def _all_vendors(self) -> JoinedTexts:
        return JoinedTexts.of(self.vendors)

    @cached_property
    def _all_customers(self) -> JoinedTexts:
        vendors = frozenset(self.vendors)
        return JoinedTexts.of(name for name in self.partners if name not in vendors)

    @cached_property
    def _all_goods(self) -> JoinedTexts:
        return JoinedTexts.of(self.goods)

    def stores(self) -> Mapping[str, str]:
        """Return the warehouses by people's words for them (上海仓, 上海仓库, shanghai warehouse)."""
        spoken = {name: name for name in self.warehouses}
        for place, store in self.places().items():
            words = (f"{place} warehouse",) if place.isascii() else tuple(f"{place}{kind}" for kind in _STORES)
            for word in words:
                spoken.setdefault(word, store)
        return spoken

    def places(self) -> Mapping[str, str]:
        """Return people's names for the warehouse at a place, by place (上海, shanghai)."""
        places: dict[str, str] = {}
        for name in self.warehouses:
            if (place := _KINDS_OF_STORE.sub("", name).strip()) and place != name:
                store = name if place.isascii() else f"{place}仓"
                romanised = [spelling.removesuffix("cang") for spelling in self.pinyin.get(name, "").split()]
                places.update({spoken.casefold(): store for spoken in (place, *romanised)})
        return places


def _plainly(word: str) -> Iterator[str]:
    """Yield the typed forms of a word without apostrophes, accents and umlauts."""
    folded = word.replace("'", "").casefold()
    for spelling in (folded, folded.translate(_SPELLED_OUT)):
        yield "".join(sign for sign in unicodedata.normalize("NFKD", spelling) if not unicodedata.combining(sign))


def shapes_of(numbers: Iterable[str]) -> tuple[NumberShape, ...]:
    """Return the formats of numbers, each once, the longest prefix first."""
    found = dict.fromkeys(shape for number in numbers if (shape := NumberShape.of(number)))
    return tuple(sorted(found, key=lambda shape: -len(shape.prefix)))
