"""The company's own grammar: from what stands in a sentence to the command line that asks for it."""

from __future__ import annotations

import re
from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from functools import cached_property
from itertools import islice, pairwise
from math import inf

from bot.chat.arguments import Word
from bot.chat.days import (
    Days,
    DaysOrMonth,
    names_days,
    names_days_ahead,
    names_days_due_later,
    names_missing_day,
    names_month_in_digits,
)
from bot.chat.parsing import MAX_LINE_BYTES, command_line, normalise, split
from bot.chat.questions.reading import ReadBy, Reading, Understood
from bot.chat.records.demand import read_amount, typed_demand
from bot.chat.registry import Commands
from bot.understanding.exporting import drop_export, export_reading, wants_the_last
from bot.understanding.homophones import Homophones
from bot.understanding.likeness import NOTHING, Likeness, pieces_of
from bot.understanding.misspellings import Misspellings
from bot.understanding.scanning import (
    Scan,
    Span,
    SpanKind,
    drop_corrected,
    drop_counted_units,
    drop_negated,
    drop_repeated,
    leftover,
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
)
from bot.understanding.sentences import IN_THE_ERP, LIST_WEIGHT, Cue, Sentences
from bot.understanding.vocabulary import Trade, Vocabulary
from bot.understanding.wishes import Wish, find_wish, line_of, shown_instead

LONGEST_WORD = 24
"""Characters of a filler or date at most."""
MAX_SENTENCE = 120
"""Characters of a sentence that is read: longer ones tell stories."""

_NUMERALS = "[0-9.,]*[零〇一二两三四五六七八九十百千万半]*"
_AMOUNT = re.compile(rf"{_NUMERALS}?(?=\s*千克)|{_NUMERALS}")
"""The number before a unit: 千克 is a unit, 千个 are thousand."""
_COUNT = re.compile(r"(?<![\w.,-])(\d{1,7})\s*(?:[x×*]|of)?\s*$")
_TIMES = re.compile(r"(?<=\d)乘(?=\d)")
_ENOUGH = "够"
_PAYING = "付"
_TO_PAY = frozenset({"invoice", "bill"})
_MOVED = re.compile(
    "(?!.*(?:票|账单|没有|应))(?:.*?[^没未要该应])??(?:付给|付了(?!吗|没)|付款了|打款|汇了|打了|收到|收了)"
)
"""Says that money moved, where no document is named on which it is owed."""
_ADDRESS = re.compile(r"https?://\S+", re.IGNORECASE)
_OF_CODE = frozenset("<>{}|=`\\")
"""Signs of markup and programs, which hold words but are no sentences."""
_NEAR = 1
"""Difference of weights at which the second reading is offered too."""
_OF_PRODUCTS = ("stock", "mo", "price", "arrivals", "product", "shortage")
_OF_MONEY = ("bill", "payment")
_OF_GOODS_ALONE = frozenset({"stock", "price", "product", "shortage", "mo"})
AT_WAREHOUSES = ("stock", "shortage")
"""Commands that take a warehouse."""
OF_PARTNERS = frozenset({"customer", "vendor", "order", "invoice", "po", "bill", "payment"})
"""Commands that look for a partner's name: ERPs do not know it in pinyin."""
_ON_THE_OTHER_SIDE = {
    Trade.PURCHASE: {"customer": "vendor", "order": "po", "delivery": "po", "invoice": "bill", "arrivals": "po"},
    Trade.SALE: {"vendor": "customer", "po": "order", "arrivals": "order", "bill": "invoice"},
}
"""What a word speaks for that is said of a vendor or customer: 宝钢的订单 are purchase orders."""
_AND = re.compile(r"\s*(?:和|跟|与|及|以及|还有|、|,|，|and|vs\.?)\s*", re.IGNORECASE)
_VENDORS = re.compile(r"供应商|供货商|供方|\b(?:vendors?|suppliers?)\b", re.IGNORECASE)
_OWED_TO_US = re.compile(
    r"(?:付|欠|打|汇|转|还)[^,，。我咱]{0,4}(?:我们|咱|我司|我方)|\b(?:owe|owes|owing|pay|pays|paid|paying) us\b",
    re.IGNORECASE,
)
_DEBT = re.compile(r"欠|\b(?:owe|owes|owed|owing)\b", re.IGNORECASE)
_RECORDS_OF_PARTNERS = ("customer", "vendor")
"""Commands that say all of a partner: 宏达怎么样."""
_LISTED_BY_PARTNER = (OF_PARTNERS | {"delivery"}) - set(_RECORDS_OF_PARTNERS)
SAYS_WHAT_TO_DO = 2
"""Weight from which words say which command is meant."""
_SAYS_OUTRIGHT = 4
_DECISIVE = 6
_WORD, _CHOSEN_OUTRIGHT, _CHOSEN, _CHOSEN_BY_A_HINT, _AS_LIKELY = 0.3, 6.0, 2.5, 1.0, 0.25
"""What a word's weight, and that words chose a command (outright, or only questions and hints, where nothing is named),
count beside the logarithm of likeness; and the difference below which two are as likely. Measured on sentences that
were not learnt from: `docs/explanation/understanding.md`."""
_OF_THE_COMPANY_AND_NOTHING = 1.0
"""How much more a sentence that names something of the company must be like office talk."""
_MOST_ALTERNATIVES = 3
_OF_THE_COMPANY = frozenset({SpanKind.DOCUMENT, SpanKind.DELIVERY, SpanKind.PRODUCT, SpanKind.WAREHOUSE})
"""What no sentence about anything else names."""
_NAMED = frozenset(
    {SpanKind.DOCUMENT, SpanKind.DELIVERY, SpanKind.PRODUCT, SpanKind.PARTNER, SpanKind.PERSON, SpanKind.PLACE}
)
"""What a question is about, beside which a short word that nobody knows is no name."""
_NAMES = (SpanKind.NAME, SpanKind.PARTNER, SpanKind.PERSON, SpanKind.PLACE)
_SHORTEST_NAME = 2
_SIZED = re.compile(r"(?=.*\d).*[^\x00-\x7f]")
_LONGEST_PARTED = 16
"""Signs of a piece that may be a name and its size."""
_LONG_NAME = 4
"""Signs from which an unknown name counts as one; shorter ones are mostly words."""
_LATE, _OPEN = "late", "open"
"""The lists of what is due and of what is not done yet, where a command has both."""
_RECEIVED, _PAID = "received", "paid"
"""The lists of money that came in and went out."""
_PAID_BY_THEM = re.compile(
    r"客户|(?:谁|哪家|哪些人).{0,4}(?:付|打|汇)|(?:付|打|汇)[^,，。]{0,4}给?(?:我们|咱)"
    r"|\b(?:customers?|clients?|paid us|who paid)\b",
    re.IGNORECASE,
)
"""Says that somebody else paid: what they paid was received."""
_BOTH_WAYS = "收付"
AGEING, _OF_PAYABLES = "ageing", "payables"
_UNKNOWN = "name"
"""The kind of a name that nobody knows."""
_BARE = "find"
"""The command that looks up a name of which nothing is asked."""
_NUMBER_OF_SOMETHING = re.compile(r"(?!1[3-9]\d{9}$)\d{4,}(?: \d{4,})*")
"""Digits that may be a document's or product's: no telephone number, and not 666."""
_OF_SALES_OR_DEBTS = re.compile(
    r"销|卖|订单|业绩|账|帐|\b(?:sales|sold|sell|orders?|age?ing|receivables|payables)\b", re.IGNORECASE
)
_SEARCHED_FOR = re.compile(r"^(?:(?:everything|anything|all|the|erp|in|it) )*for ")
_TRAIL = "audit"
"""The command that tells who saw or changed what a number names."""
_HOW_TO = "help"
_OF_THE_WHOLE_COMPANY = frozenset({"report", "chart"})
"""Commands that answer for no single customer, vendor or product."""
_OWNED = frozenset({"order", "po"})
"""Commands about documents that are somebody's."""
_OWN = re.compile(
    r"(?<![给帮替])我(?:的|名下|自己的|下的|跟的|负责的|经手的|签的|开的|(?:个人|自己)?(?:卖|签|接)了?(?=多少|几|的)"
    r"|(?:还|手上|手里|名下)?有(?:哪些|几个|几张|多少|什么))|\b(?:my|mine)\b",
    re.IGNORECASE,
)
_ME = re.compile(r"我|\b(?:i|me|my)\b", re.IGNORECASE)
_ALWAYS_DUE = frozenset({"arrivals"})
"""Commands whose days are always those on which something is due."""
_ALONE = frozenset({"help", "whoami", "lang", "alerts", "pending", "watches", "subscriptions"})
"""Commands that are asked without a document or a name."""
_NAMED_ONLY = frozenset({"price", "product"})
"""Commands that mean nothing without a product."""
_EVERYDAY_LISTS = (_ALONE - {"help"}) | {"chart"}
"""Commands whose lists are words of every day, such as 今天 or 销售: they do not speak for the command."""


@dataclass(frozen=True)
class Grammar:
    """Reads sentences with the words of the commands and of one company. It is pure: it asks nobody."""

    commands: Commands
    sentences: Sentences
    vocabulary: Vocabulary
    likeness: Likeness = field(default_factory=Likeness.load)

    def prepare(self) -> Grammar:
        """Build what reading needs, and return the grammar: for another thread than that of the loop."""
        self.vocabulary.prepare()
        _ = self._partners, self._longest_partner, self._stores, self._places, self._longest_store
        _ = self._longest_person, self._longest_cue, self._quantity, self._homophones, self._misspellings
        _ = self._stores_heard
        return self

    def read(self, sentence: str, usable: frozenset[str] | None = None) -> Reading | None:
        """Return the line that ``sentence`` asks for, among the commands ``usable`` (None: all); None if there is none.

        The line never names a command that may write.
        """
        text = _ADDRESS.sub(" ", normalise(sentence)).strip()
        if not text or len(text) > MAX_SENTENCE:
            return None
        wanted = None if text.startswith("/") else drop_export(text)
        if wanted is not None and not wants_the_last(wanted) and (inner := self.read(wanted, usable)):
            return export_reading(inner, self.commands)
        if typed := self._typed(text):
            return Reading(line=typed, by=ReadBy.COMMAND)
        if not _OF_CODE.isdisjoint(text):
            return None
        if wish := find_wish(text.casefold(), self.sentences.wishes):
            return self._of_wish(wish, text, usable)
        return self._asked(text, usable)

    def _of_wish(self, wish: Wish, text: str, usable: frozenset[str] | None) -> Reading | None:
        """Return what a sentence is about that wants something changed, with the line that does it."""
        scan = self.scan(text)
        named = bool(scan.of_kind(SpanKind.DOCUMENT) or scan.of_kind(SpanKind.PRODUCT))
        if wish.command == IN_THE_ERP:
            asked = self._asked(text, usable)
            return replace(asked, wants_erp=named or asked.wants_erp) if asked else None
        asked = self._asked(text, usable)
        if asked and not wish.outright and (wish.command == "lang" or (wish.command == "watch" and not named)):
            return asked
        about = " ".join(span.value for span in _in_order(scan.spans) if span.kind in _NAMED) if named else ""
        line = self._line_asked(about, usable) or shown_instead(wish)
        if usable is not None and _command_of(line) not in usable:
            return None
        understood = (Understood("cue", text, wish.command),)
        done = line_of(wish, scan, lambda rest: self._line_asked(rest, usable))
        return Reading(line=line, by=ReadBy.GRAMMAR, understood=understood, wish=done)

    def _line_asked(self, text: str, usable: frozenset[str] | None) -> str:
        reading = self._asked(normalise(text), usable)
        return reading.line if reading and not reading.unsure else ""

    def _asked(self, text: str, usable: frozenset[str] | None) -> Reading | None:
        """Return what a sentence asks for that is no typed line."""
        if not text:
            return None
        scan = self.scan(text)
        found = self._found(scan, usable)
        if not found:
            return None
        line, *others = found
        return Reading(
            line=line,
            by=ReadBy.GRAMMAR,
            alternatives=tuple(others[:_MOST_ALTERNATIVES]),
            unsure=bool(others) and found[others[0]] >= found[line],
            understood=tuple(Understood(span.kind.value, span.text, span.value) for span in _in_order(scan.spans)),
        )

    def _found(self, scan: Scan, usable: frozenset[str] | None) -> Mapping[str, int]:
        """Return lines with their weights, the likeliest first; two of the same weight are as likely.

        Words choose the command, unless the sentence is much more like those that ask for another one.
        """
        anchored = self._is_of_the_company(scan)
        if not scan.spans or (scan.of_kind(SpanKind.OFF_TOPIC) and not anchored):
            return {}  # likeness alone does not decide
        weights = self.weigh(scan, usable)
        found = dict(self._fitting(scan, weights, usable))
        leading = {_command_of(line): line for line, weight in found.items() if weight == max(found.values())}
        several = len(found) > 1 and len({_command_of(line) for line in found}) == 1
        drawn = bool(scan.of_kind(SpanKind.PRODUCT)) and self._draws_stock(scan, weights)
        if several or drawn or _says_itself(scan) or not leading.keys() <= set(self.likeness.commands):
            return found  # documents, names, and commands of which no sentences are known
        scores = self._scores(scan, weights, leading or {NOTHING: ""}, usable)
        if anchored:
            said = max(weights.values(), default=0) >= LIST_WEIGHT
            scores[NOTHING] = -inf if said else scores.get(NOTHING, -inf) - _OF_THE_COMPANY_AND_NOTHING
        if self._is_unlike(scan):
            return {} if scores.get(NOTHING, -inf) > min(scores.get(name, inf) for name in leading or ("",)) else found
        best = max(scores, key=lambda name: scores[name], default=NOTHING)
        line = "" if best == NOTHING else leading.get(best) or self._line_of(best, scan, usable)
        if not line or (best in leading and len(leading) == 1):
            return {} if best == NOTHING else found
        # A document's command may stand on the side of the business that the words do not mean.
        least = scores[best] - _AS_LIKELY
        near = [other for name, other in leading.items() if name != best and scores.get(name, -inf) > least]
        return dict.fromkeys((line, *near), _DECISIVE)

    def _is_of_the_company(self, scan: Scan) -> bool:
        """Whether a sentence names a number, a partner, a warehouse or goods that the company has."""
        names = (*scan.of_kind(SpanKind.NAME), *scan.of_kind(SpanKind.PARTNER))
        named = any(
            self._is_in_a_name(span.value)
            if len(span.value) > _SHORTEST_NAME
            else self.vocabulary.names_goods(span.value)
            for span in names
        )
        return named or any(span.kind in _OF_THE_COMPANY for span in scan.spans)

    def _is_unlike(self, scan: Scan) -> bool:
        """Whether a name stands in a sentence that nobody knows: its signs are like nothing."""
        return any(not self._is_like_words(span.value) for span in scan.of_kind(SpanKind.NAME))

    def _is_like_words(self, name: str) -> bool:
        """Whether a piece that was left over is part of a known name, or so short that it may be a word."""
        return len(name) < _LONG_NAME or self._is_name(name)

    def _line_of(self, name: str, scan: Scan, usable: frozenset[str] | None) -> str:
        """Return the line that a sentence is if it asks for this command; empty where it cannot ask for it."""
        weights = {} if name == _BARE else {name: _DECISIVE}
        line = next((line for line, _ in self._fitting(scan, weights, usable)), "")
        return line if _command_of(line) == name else ""

    def _fitting(
        self, scan: Scan, weights: Mapping[str, int], usable: frozenset[str] | None
    ) -> Iterable[tuple[str, int]]:
        return ((line, weight) for line, weight in self._lines(scan, weights, usable) if _fits(line))

    def _scores(
        self, scan: Scan, weights: Mapping[str, int], chosen: Container[str], usable: frozenset[str] | None
    ) -> dict[str, float]:
        """Return how much speaks for each command: what the sentence is like, its words, and that words chose it."""
        trade = self._trade(scan)
        others = self._on_the_other_side(trade, scan)
        heaviest = max(weights.values(), default=0)
        bonus = _CHOSEN if scan.has_subject or heaviest >= LIST_WEIGHT else _CHOSEN_BY_A_HINT
        if heaviest >= _DECISIVE:
            bonus = _CHOSEN_OUTRIGHT
        odds: dict[str, float] = {}
        for name, value in self.likeness.odds(self.pieces(scan)).items():
            meant = others.get(name, name)
            odds[meant] = max(value, odds.get(meant, -inf))
        return {
            name: value + _WORD * min(weights.get(name, 0), _DECISIVE) + (bonus if name in chosen else 0.0)
            for name, value in odds.items()
            if usable is None or name in usable or name == NOTHING
        }

    def spell_out(self, line: str, limit: int = _MOST_ALTERNATIVES + 1) -> tuple[str, ...]:
        """Return the lines that a typed one stands for if a word of it spells names of customers or vendors."""
        parsed = self.commands.parse(line)
        if parsed.command is None or not self.commands[parsed.command].signature.names_partners:
            return ()
        words = split(parsed.rest)
        for place, word in enumerate(words):
            if word in self.sentences.typed.get(parsed.command, ()) or self.vocabulary.knows_partner(word):
                continue
            if names := self.vocabulary.spelled_by(word, limit=limit):
                lines = (command_line(parsed.command, *words[:place], name, *words[place + 1 :]) for name in names)
                return tuple(line for line in lines if _fits(line))
        return ()

    def _typed(self, text: str) -> str | None:
        """Return the line of a command as it is typed: with a slash, or its name and what belongs to it."""
        word, _, rest = text.partition(" ")
        command = self.commands.named(word)
        if command is None:
            return None
        if command.name == _BARE:
            rest = _SEARCHED_FOR.sub("", rest)
        line = f"/{command.name} {rest or self.commands.implied(word)}".strip()
        if text.startswith("/") or command.name not in self.sentences.commands:
            return line
        spelled = command.name in OF_PARTNERS and self.vocabulary.spells_partner(rest)
        return None if spelled or self.vocabulary.document(text) or self._is_sentence(rest, command.name) else line

    def _is_sentence(self, text: str, command: str) -> bool:
        """Whether there are words in ``text`` that the command does not take."""
        if len(text) > _SHORTEST_NAME and self._is_in_a_name(text):
            return False
        scan = Scan.of(text)
        take_words(scan, self.sentences.typed[command], LONGEST_WORD, scan.drop)
        words = (self.sentences.cues, self.sentences.fillers)
        spoken: list[int] = []
        for known in words:
            take_words(scan, known, self._longest_cue, lambda start, end: spoken.append(start))
        return bool(spoken)

    def scan(self, text: str) -> Scan:
        """Return what stands in a normalised text."""
        scan = Scan.of(self._misspellings.mend(_TIMES.sub("×", text), self._is_called_so))
        sentences = self.sentences
        drop_negated(scan)
        take_mentions(scan, self._stores)
        take_names(scan, SpanKind.PARTNER, self._partners, self._longest_partner)
        take_names(scan, SpanKind.PERSON, self.vocabulary.people, self._longest_person)
        take_parts_of_names(scan, SpanKind.PARTNER, self.vocabulary.knows_partner, sentences.cues)
        take_latin_names(scan, SpanKind.PARTNER, self.vocabulary.latin_partner)
        take_latin_names(scan, SpanKind.NAME, self._latin_goods)
        take_codes(scan, self.vocabulary)
        take_stock_of_warehouses(scan, sentences.cues)
        scan.respell(self._stores_heard.mend(scan.rest, self._is_in_a_name))
        take_names(scan, SpanKind.WAREHOUSE, self._stores, self._longest_store)
        take_days(scan, self.vocabulary.knows_product)
        take_quantities(scan, self._quantity)
        take_off_topic(scan, sentences.off_topic, LONGEST_WORD, self._is_in_a_name)
        scan.respell(self._homophones.mend(scan.rest, self._is_word))
        take_parted_words(scan, sentences.parted, sentences.cues, self._longest_cue)
        take_words(scan, sentences.cues, self._longest_cue, lambda start, end: scan.take(SpanKind.CUE, start, end))
        take_words(scan, sentences.dates, LONGEST_WORD, lambda start, end: scan.take(SpanKind.DATE, start, end))
        if any(self._takes_months(cue.command) for cue in self.cues_in(scan)):
            take_months(scan)
        drop_counted_units(scan, sentences.units)
        take_digits(scan)
        take_words(scan, sentences.phrases, LONGEST_WORD, scan.drop)
        for start, piece in leftover(scan, sentences.fillers, sentences.verbs, LONGEST_WORD, self._is_name):
            if len(piece) > 1 or piece.isdecimal():
                scan.spans.extend(self._named(at, part) for at, part in self._parted(start, piece))
        drop_corrected(scan)
        self._join_partners(scan)
        self._drop_words_beside_names(scan)
        self._name_partners(scan)
        drop_repeated(scan)
        return scan

    def _name_partners(self, scan: Scan) -> None:
        """Take codes of partners for their names, by which documents are found, where a list of those is asked for."""
        documents, names = scan.of_kind(SpanKind.DOCUMENT), self.vocabulary.codes
        if scan.of_kind(SpanKind.PRODUCT) or any(span.value not in names for span in documents):
            return
        if _DEBT.search(scan.text):
            return  # what they owe stands in their record
        weights = {cue.command: cue.weight for cue in sorted(self.cues_in(scan), key=lambda cue: cue.weight)}
        records = max((weights.get(name, 0) for name in _RECORDS_OF_PARTNERS), default=0)
        if max((weights.get(name, 0) for name in _LISTED_BY_PARTNER), default=0) > records:
            for span in documents:
                scan.spans.remove(span)
                scan.spans.append(replace(span, kind=SpanKind.PARTNER, value=names[span.value], command=""))

    def _drop_words_beside_names(self, scan: Scan) -> None:
        """Leave out what is as short as a word and no name where something is named that the company has."""
        unknown = [span for span in scan.of_kind(SpanKind.NAME) if not self._is_name(span.value)]
        if any(span.kind in _NAMED for span in scan.spans) or len(unknown) < len(scan.of_kind(SpanKind.NAME)):
            scan.spans = [span for span in scan.spans if span not in unknown or not _is_short_word(span.value)]

    def _join_partners(self, scan: Scan) -> None:
        """Take two parts of one partner's name for the whole: 慈溪 and 风扇配件厂, "Müller & Söhne"."""
        for first, last in pairwise(scan.of_kind(SpanKind.PARTNER)):
            between = scan.text[first.start + len(first.text) : last.start]
            name = None if between not in {"", "&", " & "} else self.vocabulary.partner_with(first.value, last.value)
            if name:
                scan.spans.remove(first)
                scan.spans.remove(last)
                scan.spans.append(Span(SpanKind.PARTNER, first.start, first.text + between + last.text, name))
                return

    def _parted(self, start: int, piece: str) -> Iterable[tuple[int, str]]:
        """Return a piece, parted where goods stand beside their size, a place or a partner: 5号纸箱."""
        knows = self.vocabulary.knows_product
        for place in self._places:
            before, after = piece.removesuffix(place), piece.removeprefix(place)
            if before != piece and len(before) >= _SHORTEST_NAME and knows(before):
                return (start, before), (start + len(before), place)
            if after != piece and len(after) >= _SHORTEST_NAME and knows(after):
                return (start, place), (start + len(place), after)
        if piece.isascii() or len(piece) > _LONGEST_PARTED or self._is_in_a_name(piece):
            return ((start, piece),)
        for size in range(len(piece) - _SHORTEST_NAME, _SHORTEST_NAME - 1, -1):
            first, last = piece[:size], piece[size:]
            taken = last[1:] if last[0] in self.sentences.verbs and len(last) > _SHORTEST_NAME else last
            sized = _SIZED.search(piece) and knows(first)
            if (sized or self.vocabulary.knows_partner(first)) and self._names_goods(taken):
                return (start, first), (start + len(piece) - len(taken), taken)
        return ((start, piece),)

    def _latin_goods(self, words: str) -> str | None:
        """Return what Latin words write of a name of goods, in singular too; None where they are said of anything."""
        sentences = self.sentences
        if all(word in sentences.fillers or word in sentences.cues for word in words.split()):
            return None
        single = words.removesuffix("es") if words.endswith(("shes", "ches", "xes")) else words.removesuffix("s")
        return next((name for name in (words, single) if self.vocabulary.knows_product(name)), None)

    def _names_goods(self, piece: str) -> bool:
        """Whether goods are called so, or so for short."""
        return self.vocabulary.knows_product(piece) or self.vocabulary.abbreviated_goods(piece) is not None

    def _named(self, start: int, piece: str) -> Span:
        """Return a piece that was left over as the name of something."""
        if len(piece) > 1 and piece.endswith(("仓", "仓库")):
            return Span(SpanKind.WAREHOUSE, start, piece, piece)
        if store := self._places.get(piece.casefold()):
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
        """Return a piece as the name that sounds like it, if it has a sign that input methods offer for another one."""
        meant = tuple(self._homophones.variants(piece))
        if goods := {name for name in meant if self._sounds_like_goods(name)}:
            return Span(SpanKind.NAME, start, piece, goods.pop() if len(goods) == 1 else piece)
        partners = {name for name in meant if len(name) > _SHORTEST_NAME and self.vocabulary.knows_partner(name)}
        if len(partners) == 1:
            return Span(SpanKind.PARTNER, start, piece, partners.pop())
        return Span(SpanKind.NAME, start, piece, piece)

    def _sounds_like_goods(self, name: str) -> bool:
        """Whether goods are called so; of two signs, at the beginning or end of a name alone."""
        knows = self.vocabulary.names_goods if len(name) == _SHORTEST_NAME else self.vocabulary.knows_product
        return knows(name)

    def pieces(self, scan: Scan) -> list[str]:
        """Return the pieces of a sentence that say what it is like."""
        return pieces_of(scan, self._kind_of)

    def pieces_of_strangers(self, scan: Scan) -> list[str]:
        """Return the pieces of a sentence as if nobody knew the names in it."""
        known = (SpanKind.PARTNER, SpanKind.NAME)
        return pieces_of(scan, lambda span: _UNKNOWN if span.kind in known else self._kind_of(span))

    def _kind_of(self, span: Span) -> str:
        """Return what a span is for what a sentence is like; empty for a name that is unknown."""
        match span.kind:
            case SpanKind.DOCUMENT:
                return f"document_{span.command}"
            case SpanKind.PARTNER | SpanKind.PERSON:
                trade = self.vocabulary.trade(span.value)
                return f"{span.kind}_{trade.name.casefold()}" if trade else span.kind.value
            case SpanKind.NAME:
                if self.vocabulary.knows_product(span.value):
                    return "goods"
                return "" if self._is_like_words(span.value) else _UNKNOWN
            case _:
                return span.kind.value

    def weigh(self, scan: Scan, usable: frozenset[str] | None, about: str = "") -> dict[str, int]:
        """Return how much speaks for each command; ``about`` is somebody whom the sentence means and does not name."""
        weights: dict[str, int] = {}
        trade = self._trade(scan) if _partners_or_people(scan) or not about else self.vocabulary.trade(about)
        others = self._on_the_other_side(trade, scan)
        barred = self._barred(scan)
        for cue in self.cues_in(scan):
            command = others.get(cue.command, cue.command)
            listed = cue.keyword and cue.weight <= LIST_WEIGHT and cue.command in _EVERYDAY_LISTS
            if not listed and command not in barred and (usable is None or command in usable):
                weights[command] = weights.get(command, 0) + cue.weight
        return weights

    def _on_the_other_side(self, trade: Trade | None, scan: Scan) -> Mapping[str, str]:
        """Return what words speak for instead; when goods of a vendor arrive is a question about the goods."""
        others = _ON_THE_OTHER_SIDE[trade] if trade else {}
        if self._names_known_goods(scan):
            return {name: other for name, other in others.items() if name != "arrivals"}
        return others

    def _trade(self, scan: Scan) -> Trade | None:
        """Return the side of the business on which those stand that a sentence names."""
        named = _partners_or_people(scan)
        sides = {self.vocabulary.trade(span.value) for span in named}
        if not named and not scan.of_kind(SpanKind.PRODUCT) and _VENDORS.search(scan.text):
            return Trade.PURCHASE
        if not named and _OWED_TO_US.search(scan.text):
            return Trade.SALE
        return sides.pop() if len(sides) == 1 else None

    def _barred(self, scan: Scan) -> frozenset[str]:
        """Return the commands that a sentence cannot mean: nobody asks for the stock of a customer."""
        named = (*scan.of_kind(SpanKind.NAME), *scan.of_kind(SpanKind.PARTNER))
        goods = scan.of_kind(SpanKind.PRODUCT) or any(self.vocabulary.knows_product(span.value) for span in named)
        return _OF_GOODS_ALONE if _partners_or_people(scan) and not goods else frozenset()

    def cues_in(self, scan: Scan) -> Iterable[Cue]:
        """Yield what the words of a sentence speak for."""
        for span in scan.of_kind(SpanKind.CUE):
            yield from self._cues_of(span)

    def _cues_of(self, span: Span) -> tuple[Cue, ...]:
        return self.sentences.cues[span.value.casefold()]

    def _lines(
        self, scan: Scan, weights: Mapping[str, int], usable: frozenset[str] | None
    ) -> Iterable[tuple[str, int]]:
        """Yield lines with their weights, the likeliest first; alternatives of the same weight are as likely."""
        ranked = sorted(weights, key=lambda name: (-weights[name], self.commands[name].place))
        documents, products = scan.of_kind(SpanKind.DOCUMENT), scan.of_kind(SpanKind.PRODUCT)
        deliveries = scan.of_kind(SpanKind.DELIVERY)
        if deliveries and (usable is None or "delivery" in usable):
            return [(command_line("delivery", span.value), _DECISIVE) for span in deliveries]
        if products and any(name in weights for name in _NAMED_ONLY):
            documents = [span for span in documents if span.command not in _RECORDS_OF_PARTNERS]
        if documents:
            found = list(self._of_documents(documents, weights, usable))
            # Without a word of what is asked, the products beside a document are asked for as well.
            return (
                found
                if weights or not products
                else [*found, *self._of_products(scan, products, ranked, weights, usable)]
            )
        if products or scan.of_kind(SpanKind.WAREHOUSE):
            return self._of_products(scan, products, ranked, weights, usable)
        return self._of_lists(scan, ranked, weights)

    def _of_documents(
        self, documents: list[Span], weights: Mapping[str, int], usable: frozenset[str] | None
    ) -> Iterable[tuple[str, int]]:
        for document in documents:
            name = document.command or _BARE
            moved, ordered = weights.get("delivery", 0), weights.get("order", 0)
            said = moved > ordered or moved == ordered == SAYS_WHAT_TO_DO  # 这单 is said of any document
            if name == "order" and said and self._has_deliveries:
                name = "delivery"
            if weights.get(_TRAIL, 0) >= SAYS_WHAT_TO_DO:
                name = _TRAIL
            if name == "po" and weights.get("why", 0):
                yield command_line("why", document.value), _DECISIVE + 1
            if usable is None or name in usable:
                yield command_line(name, document.value), _DECISIVE

    @property
    def _has_deliveries(self) -> bool:
        """Whether the ERPs tell of deliveries, or nothing is known of them yet."""
        return bool(self.vocabulary.deliveries) or not self.vocabulary.documents

    def _buyer(self, scan: Scan) -> bool:
        """Whether a customer stands in a sentence, and no vendor."""
        return bool(scan.of_kind(SpanKind.PARTNER)) and self._trade(scan) is Trade.SALE

    def _of_products(
        self,
        scan: Scan,
        products: list[Span],
        ranked: list[str],
        weights: Mapping[str, int],
        usable: frozenset[str] | None,
    ) -> Iterable[tuple[str, int]]:
        asked = [name for name in ranked if name in _OF_PRODUCTS]
        if products and self._draws_stock(scan, weights):
            yield self.with_days(command_line("chart", "stock", products[0].value), "chart", scan), _DECISIVE
            return
        if products and not asked and max(weights.get(name, 0) for name in _OF_MONEY) >= SAYS_WHAT_TO_DO:
            asked = ["price"]  # what is paid for a product
        if products and asked[:1] == ["shortage"]:
            asked = asked[1:]  # 补货 of one product is its stock, or when it arrives
        command = asked[0] if asked else "stock"
        says_stock = weights.get("stock", 0) >= SAYS_WHAT_TO_DO
        if command == "stock" and products and not says_stock and self._buyer(scan):
            command = "price" if usable is None or "price" in usable else command
        if products and weights.get(_TRAIL, 0) > max((weights.get(name, 0) for name in asked), default=0):
            command = _TRAIL  # ids of people look like codes
        words = [span.value for span in products] or [_joined(self._without_strangers(command, scan), SpanKind.NAME)]
        if command == "shortage" and any(words):
            command = "stock"  # whether one product is short
        stores = _stores_in(scan) if command in AT_WAREHOUSES else ()
        if command == "price":
            codes = [span.value for span in scan.of_kind(SpanKind.DOCUMENT) if span.command in _RECORDS_OF_PARTNERS]
            words = [*words[:1], *(codes[:1] or [_joined(scan, SpanKind.PARTNER)])]
        needed = self.demand(scan) if command == "stock" and len(words) == 1 and words[0] else ""
        if any(words) or stores:
            several = words if command in {"stock", "price"} else words[:1]
            for store in stores or ("",):
                yield command_line(command, *several, store, needed), _DECISIVE

    def _draws_stock(self, scan: Scan, weights: Mapping[str, int]) -> bool:
        """Whether a picture of a product is asked for: there is one of its stock alone."""
        return weights.get("chart", 0) >= _SAYS_OUTRIGHT and not _OF_SALES_OR_DEBTS.search(scan.text)

    def demand(self, scan: Scan) -> str:
        """Return the one quantity that a sentence names, as it is typed; empty where there is none."""
        spans = scan.of_kind(SpanKind.QUANTITY)
        if not spans and any(_ENOUGH in span.text or span.text == "enough" for span in scan.of_kind(SpanKind.CUE)):
            spans = scan.of_kind(SpanKind.DIGITS)
        if not spans and (counted := self._counted(scan)):
            return typed_demand(counted, "")
        if len(spans) != 1 or (match := _AMOUNT.match(spans[0].text)) is None:
            return ""
        amount = read_amount(match[0].strip())
        an_article = match[0] == "一"  # 一个 is a thing, not a quantity
        return "" if amount is None or an_article else typed_demand(amount, spans[0].text[match.end() :].strip())

    def _counted(self, scan: Scan) -> Decimal | None:
        """Return the number right before the one product of a sentence: 30 FAN-20."""
        products = scan.of_kind(SpanKind.PRODUCT)
        match = _COUNT.search(scan.text[: products[0].start]) if len(products) == 1 else None
        return read_amount(match[1]) if match else None

    def _of_lists(self, scan: Scan, ranked: list[str], weights: Mapping[str, int]) -> Iterable[tuple[str, int]]:
        if others := self._several_partners(scan):
            for partner in others:
                rest = [span for span in scan.spans if span is partner or span not in others]
                yield from islice(self._of_lists(Scan(scan.text, scan.rest, rest), ranked, weights), 1)
            return
        if len(stores := _store_spans(scan)) > 1:
            for store in stores:
                rest = [span for span in scan.spans if span is store or span not in stores]
                yield from islice(self._of_lists(Scan(scan.text, scan.rest, rest), ranked, weights), 1)
            return
        named = _joined(scan, *_NAMES)
        if not ranked and self._is_product(scan) and stores:
            yield command_line("stock", _joined(scan, SpanKind.NAME), *_stores_in(scan)), 1
            return
        if not ranked:
            digits = scan.of_kind(SpanKind.DIGITS)
            is_number = len(digits) == len(scan.spans) and _says_itself(scan)
            bare = " ".join(span.value for span in digits) if is_number else ""
            if _NUMBER_OF_SOMETHING.fullmatch(bare) or (len(named) > 1 and self._is_known(scan)):
                yield command_line(_BARE, bare or named), 1
            return
        apart = _OF_THE_WHOLE_COMPANY if named else _NAMED_ONLY  # its figures would be those of all
        ranked = [name for name in ranked if name not in apart]
        if topic := self._topic(scan, weights):
            yield command_line(_HOW_TO, topic), _DECISIVE
            return
        if weights.get("chart", 0) >= _DECISIVE and not named:
            ranked = ["chart"]  # a picture is asked for outright, and the other words say of what
        elif weights.get("pending", 0) >= _DECISIVE and not named and _ME.search(scan.text):
            ranked = ["pending"]  # what waits for the asker, of whatever kind
        if self._is_product(scan) and any(
            weights[name] == weights[ranked[0]] for name in ranked if name in _OF_PRODUCTS
        ):
            ranked = [name for name in ranked if name in _OF_PRODUCTS]
        ranked = [name for name in ranked if name != _TRAIL]  # of nothing that is named by a number
        for name in ranked[:_MOST_ALTERNATIVES]:
            known = named and self._is_known(scan)
            least = 1 if known and name in _OF_PRODUCTS + _RECORDS_OF_PARTNERS else SAYS_WHAT_TO_DO
            if weights[name] < least or weights[ranked[0]] - weights[name] > _NEAR:
                break
            if name == "help" and named and weights[name] < _SAYS_OUTRIGHT:
                break  # a greeting for somebody else
            yield self._list_line(name, scan), weights[name]

    def _several_partners(self, scan: Scan) -> list[Span]:
        """Return the partners that a sentence names one beside the other; nothing where one name holds both."""
        partners = scan.of_kind(SpanKind.PARTNER)
        apart = [
            _AND.fullmatch(scan.text, first.start + len(first.text), last.start) is not None
            and not self.vocabulary.partner_with(first.value, last.value)
            for first, last in pairwise(partners)
        ]
        return partners if apart and all(apart) else []

    def _topic(self, scan: Scan, weights: Mapping[str, int]) -> str:
        """Return the command of which a sentence asks how it is used."""
        topics = {name: weight for name, weight in weights.items() if name != _HOW_TO and weight >= SAYS_WHAT_TO_DO}
        return max(topics, key=lambda name: topics[name], default="") if weights.get(_HOW_TO, 0) >= _DECISIVE else ""

    def _without_strangers(self, name: str, scan: Scan) -> Scan:
        """Leave out names that nobody knows, apart from the known one that fills the command's place for a name.

        Beside goods of a size alone (M10) every word counts, and what follows a name may belong to it.
        """
        names = scan.of_kind(SpanKind.NAME)
        strangers = [span for span in names if not self._is_name(span.value)]
        known = [span for span in names if span not in strangers and not any(map(str.isdecimal, span.value))]
        if name not in _OF_PRODUCTS:
            known += _partners_or_people(scan)
        apart = [span for span in strangers if known and not any(_are_beside(scan, span, other) for other in names)]
        return Scan(scan.text, scan.rest, [span for span in scan.spans if span not in apart]) if apart else scan

    def _list_line(self, name: str, scan: Scan) -> str:
        scan = self._without_strangers(name, scan)
        named = _joined(scan, *_NAMES)
        cues = [cue for cue in self.cues_in(scan) if cue.command == name]
        if fixed := next((cue.fixed for cue in cues if cue.fixed), ""):
            return command_line(name, fixed)
        if name in _ALONE:
            return command_line(name, next((cue.keyword for cue in cues if cue.keyword), ""))
        digits = [span.value for span in scan.of_kind(SpanKind.DIGITS)] or [named]
        if digits[0].isdecimal():
            return command_line(name, self._number(name, digits[0]))
        goods = _joined(scan, SpanKind.NAME) if self._names_known_goods(scan) else ""
        comes = name == "arrivals" or (name == "po" and any(cue.command == "arrivals" for cue in self.cues_in(scan)))
        if comes and goods:
            return self.with_days(command_line("arrivals", goods), "arrivals", scan)
        if name == "arrivals" and scan.of_kind(SpanKind.PARTNER):
            return command_line("po", named)  # what is on its way from a vendor
        if name == "price":
            return command_line(name, _joined(scan, SpanKind.NAME), _joined(scan, SpanKind.PARTNER, SpanKind.PERSON))
        if name == "shortage" and scan.of_kind(SpanKind.PLACE) and not scan.of_kind(SpanKind.NAME):
            return command_line(name, *_stores_in(scan))
        if name == "shortage":
            known = named and self._is_known(scan)
            return command_line("stock", named, self.demand(scan)) if known else command_line(name)
        if name == "stock":
            goods = _joined(scan, SpanKind.NAME, SpanKind.PARTNER)
            if stores := _stores_in(scan):
                return command_line(name, goods, *stores, self.demand(scan) if goods else "")
            return command_line(name, named, self.demand(scan) if named else "")
        if not named and (name in _OWNED or name == "report") and (own := _OWN.search(_without_days(scan))):
            name = "order" if name == "report" else name  # there are figures of the company, and lists of a person's
            named = "mine" if own[0].isascii() else "我的"
        name = self._paid_or_to_pay(name, scan)
        keyword = self.list_named(name, scan)
        if keyword == AGEING:
            return command_line(name, keyword)  # it is of now, whatever days are named
        if keyword == _LATE and _OPEN in self.sentences.lists[name] and self._is_due_later(name, scan):
            keyword = _OPEN  # nothing that is due today is late
        return self.with_days(command_line(name, keyword, named), name, scan)

    def _paid_or_to_pay(self, name: str, scan: Scan) -> str:
        """Return the command for money that moved on days that are over, or moves on days ahead."""
        days = [span.text for span in scan.of_kind(SpanKind.DATE)]
        if name == "payment" and any(map(names_days_ahead, days)):
            return "bill" if _PAYING in scan.text else "invoice"
        if name in _TO_PAY and any(map(names_days, days)) and _MOVED.match(scan.text):
            return "payment"
        return name

    def _is_due_later(self, name: str, scan: Scan) -> bool:
        """Whether something is due on days that a sentence names and that are not over."""
        line = self.with_days("", name, scan).strip()
        return bool(line) and names_days_due_later(line)

    def with_days(self, line: str, name: str, scan: Scan) -> str:
        """Return a line with the days that a sentence names, if its command lists documents of days."""
        if not self._takes(Days, name):
            return line
        dates = (span.text for span in scan.of_kind(SpanKind.DATE))
        named = (names_days, names_missing_day, *([names_month_in_digits] if self._takes_months(name) else []))
        days = next((text for text in dates if any(says(text) for says in named)), "")
        if not days:
            return line
        due = names_days_ahead(days) or any(word in scan.text.casefold() for word in self.sentences.due)
        if not due or name in _ALWAYS_DUE:
            return f"{line} {days}"
        return f"{line} due {days}" if days.isascii() else f"{line} {days}到期"

    def _takes(self, kind: type[Word], name: str) -> bool:
        return any(issubclass(parameter.type, kind) for parameter in self.commands[name].signature.parameters)

    def _takes_months(self, name: str) -> bool:
        return self._takes(DaysOrMonth, name)

    def list_named(self, name: str, scan: Scan) -> str:
        """Return the named list of a command that is meant: what is late for an order is late for any document."""
        keyword = self._said_list(name, scan)
        if name == "payment":
            return self._direction(keyword, scan)
        owing = any(cue.command == "bill" and cue.weight > LIST_WEIGHT for cue in self.cues_in(scan))
        return _OF_PAYABLES if owing and name == "chart" and keyword in {"", AGEING} else keyword

    def _said_list(self, name: str, scan: Scan) -> str:
        lists = self.sentences.lists[name]
        days = (span.text.casefold() for span in scan.of_kind(SpanKind.DATE))
        dated = [cue for day in days for cue in self.sentences.cues.get(day, ())]  # some lists are of a day
        own = {cue.keyword for cue in (*self.cues_in(scan), *dated) if cue.keyword and cue.command == name}
        said = ((span.value, cue) for span in scan.of_kind(SpanKind.CUE) for cue in self._cues_of(span))
        others = {self._narrowed(name, word, cue.keyword) for word, cue in said if cue.keyword}
        return next((keyword for keyword in lists if keyword in own | others), "")

    def _direction(self, keyword: str, scan: Scan) -> str:
        """Return whether money came in or went out; of a customer or vendor it only moves one way."""
        if _BOTH_WAYS in scan.text or (self._trade(scan) and _partners_or_people(scan)):
            return ""
        return _RECEIVED if keyword == _PAID and _PAID_BY_THEM.search(scan.text) else keyword

    def only_names_lists_of(self, name: str, scan: Scan) -> bool:
        """Whether each word that asks for something is a list of this command: 逾期 is one of many."""
        spoken = [self._cues_of(span) for span in scan.of_kind(SpanKind.CUE)]
        return bool(spoken) and all(any(cue.keyword and cue.command == name for cue in cues) for cues in spoken)

    def _narrowed(self, name: str, word: str, keyword: str) -> str:
        """Return the list of a command that a word means which names the list ``keyword`` of another one."""
        narrowed = self.sentences.narrowed.get(name, {})
        return next((own for own, words in narrowed.items() if any(part in word for part in words)), keyword)

    def _number(self, command: str, digits: str) -> str:
        """Return the whole number of a document of which only the digits were said."""
        shapes = self.vocabulary.documents.get(command, ())
        return f"{shapes[0].prefix}{digits.zfill(shapes[0].width)}" if len(shapes) == 1 else digits

    def _is_known(self, scan: Scan) -> bool:
        names = scan.of_kind(SpanKind.NAME)
        known = all(self.vocabulary.knows_product(span.value) for span in names)
        return known and bool(names or _partners_or_people(scan) or scan.of_kind(SpanKind.PLACE))

    def _names_known_goods(self, scan: Scan) -> bool:
        names = scan.of_kind(SpanKind.NAME)
        return bool(names) and all(self.vocabulary.knows_product(span.value) for span in names)

    def _is_product(self, scan: Scan) -> bool:
        """Whether products are named, and nobody."""
        return bool(scan.of_kind(SpanKind.NAME)) and not scan.of_kind(SpanKind.PARTNER) and self._is_known(scan)

    def _is_name(self, piece: str) -> bool:
        """Whether a piece of more than one sign is part of a name that the company has."""
        if len(piece) < _SHORTEST_NAME:
            return False
        vocabulary = self.vocabulary
        kept = piece[:_SHORTEST_NAME] in self.sentences.kept or len(tuple(self._parted(0, piece))) > 1
        return kept or vocabulary.knows_product(piece) or vocabulary.knows_partner(piece)

    @cached_property
    def _partners(self) -> Mapping[str, str]:
        return self.vocabulary.partner_names

    @cached_property
    def _longest_partner(self) -> int:
        return max(map(len, self._partners), default=0)

    @cached_property
    def _longest_person(self) -> int:
        return max(map(len, self.vocabulary.people), default=0)

    @cached_property
    def _stores(self) -> Mapping[str, str]:
        return {spoken.casefold(): name for spoken, name in self.vocabulary.stores().items()}

    @cached_property
    def _places(self) -> Mapping[str, str]:
        return self.vocabulary.places()

    @cached_property
    def _longest_store(self) -> int:
        return max(map(len, self._stores), default=0)

    @cached_property
    def _longest_cue(self) -> int:
        return max(map(len, self.sentences.cues), default=0)

    @cached_property
    def _misspellings(self) -> Misspellings:
        sentences = self.sentences
        return Misspellings((*sentences.cues, *sentences.fillers, *sentences.phrases))

    @cached_property
    def _homophones(self) -> Homophones:
        return Homophones(self.sentences.heard, self.vocabulary.readings)

    @cached_property
    def _stores_heard(self) -> Homophones:
        called = (spoken for spoken in self._stores if spoken.endswith("仓") and not spoken.isascii())
        return Homophones(called, self.vocabulary.readings)

    def _is_word(self, piece: str) -> bool:
        """Whether a piece means something as it is written."""
        sentences = self.sentences
        words = (sentences.cues, sentences.fillers, sentences.phrases, sentences.dates)
        return self._is_in_a_name(piece) or any(piece in each for each in words)

    def _is_called_so(self, word: str) -> bool:
        """Whether a Latin word is part of a name, or spells one, or means something as it is written."""
        sentences = self.sentences
        words = (sentences.cues, sentences.fillers, sentences.phrases, sentences.dates, sentences.off_topic)
        return any(word in each for each in words) or bool(
            self._is_in_a_name(word) or self.vocabulary.spelled_by(word, limit=1) or names_days(word)
        )

    def _is_in_a_name(self, piece: str) -> bool:
        """Whether something or somebody that the company has is called so, in part at least."""
        return self.vocabulary.knows_product(piece) or self.vocabulary.knows_partner(piece)

    @cached_property
    def _quantity(self) -> re.Pattern[str]:
        return quantity_pattern(self.sentences.units)


def _joined(scan: Scan, *kinds: SpanKind) -> str:
    """Return the names of these kinds; a place is said as it was written."""
    spans = [span for span in _in_order(scan.spans) if span.kind in kinds]
    return " ".join(span.text if span.kind is SpanKind.PLACE else span.value for span in spans)


def _are_beside(scan: Scan, one: Span, other: Span) -> bool:
    """Whether nothing stands between two spans."""
    first, last = _in_order((one, other))
    return one is not other and not scan.text[_end_of(first) : last.start].strip(" 的")


def _without_days(scan: Scan) -> str:
    """Return a text without the days in it: 我上周下的单子 are 我下的单子."""
    text = scan.text
    for span in sorted(scan.of_kind(SpanKind.DATE), key=lambda span: -span.start):
        text = text[: span.start] + text[span.start + len(span.text) :]
    return text


def _partners_or_people(scan: Scan) -> list[Span]:
    return scan.of_kind(SpanKind.PARTNER) or scan.of_kind(SpanKind.PERSON)


def _store_spans(scan: Scan) -> list[Span]:
    """Return the warehouses that are meant, each once: named outright, or by their places."""
    spans = _in_order((*scan.of_kind(SpanKind.WAREHOUSE), *scan.of_kind(SpanKind.PLACE)))
    named = [span for span in spans if span.kind is SpanKind.WAREHOUSE]
    beside = {
        span for pair in pairwise(spans) if _AND.fullmatch(scan.text, _end_of(pair[0]), pair[1].start) for span in pair
    }
    meant = [span for span in spans if not named or span in named or span in beside]
    return [*{span.value: span for span in reversed(meant)}.values()][::-1]


def _stores_in(scan: Scan) -> tuple[str, ...]:
    """Return the warehouses that are meant, as they are typed."""
    return tuple(f"@{span.value}" for span in _store_spans(scan))


def _end_of(span: Span) -> int:
    return span.start + len(span.text)


def _in_order(spans: Iterable[Span]) -> list[Span]:
    return sorted(spans, key=lambda span: span.start)


def _is_short_word(piece: str) -> bool:
    return len(piece) <= _SHORTEST_NAME and not piece.isascii()


def _says_itself(scan: Scan) -> bool:
    """Whether a sentence is nothing but names and numbers."""
    signs = sum(len(span.text) for span in scan.spans)
    return signs >= len(scan.text.replace(" ", "")) and not scan.of_kind(SpanKind.CUE)


def _command_of(line: str) -> str:
    return line.removeprefix("/").partition(" ")[0]


def _fits(line: str) -> bool:
    return len(line.encode()) <= MAX_LINE_BYTES
