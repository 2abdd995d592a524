"""Sentences that go on from the last question: 那北京仓呢, 它的采购单, 第二个, "what about SKU124"."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace

from bot.chat.days import names_days
from bot.chat.parsing import normalise, split
from bot.chat.questions.dialogues import LastQuestion
from bot.chat.questions.reading import ReadBy, Reading, Understood
from bot.understanding.exporting import EXPORT, as_export, drop_export, export_reading, listed_by, wants_the_last
from bot.understanding.following.another import is_another, of_another_number
from bot.understanding.following.bounds import follow_within
from bot.understanding.following.continued import continued
from bot.understanding.following.documents import document_of, of_the_document
from bot.understanding.following.going_on import GOES_ON, PRONOUN, names_nobody_unknown
from bot.understanding.following.goods import of_every_partner, of_goods, ranked_on_the_same_days
from bot.understanding.following.links import linked
from bot.understanding.following.list_parts import of_the_list
from bot.understanding.following.lists import moved_otherwise, ranked_again, ranked_of_others, widened
from bot.understanding.following.one_product import of_its_documents, of_the_product
from bot.understanding.following.partners import of_the_partner
from bot.understanding.following.reports import compared, is_drawn
from bot.understanding.following.rows import is_a_row, of_a_row, without_row
from bot.understanding.following.subjects import for_a_customer, of_another_document, said_in
from bot.understanding.following.wishes import all_ended, is_a_wish, wished
from bot.understanding.grammar import Grammar
from bot.understanding.limits.left_out import Comparison
from bot.understanding.scanning.recognition import NAMED

_WITHOUT_A_SUBJECT = frozenset({"help", "whoami", "watches", "subscriptions"})
"""Commands after which nothing goes on: they are about the asker, and not about the business."""
_OF_WHOM = re.compile(r"^(?:only |just )?(?:of|from|by) ", re.IGNORECASE)


def follow(grammar: Grammar, sentence: str, last: LastQuestion, usable: frozenset[str] | None = None) -> Reading | None:
    """Return the line that a sentence asks for after ``last``; None where it does not go on from there."""
    text = normalise(sentence)
    reading = _follow(grammar, text, replace(last, line=listed_by(last.line, grammar.commands)), usable)
    if reading is None or reading.wish or reading.by is not ReadBy.CONTEXT:
        return reading
    wanted = drop_export(text)
    said = GOES_ON.sub(" ", without_row(text if wanted is None else wanted)).strip()
    missing = Comparison(grammar.recognition, grammar.recognition.scan(said), (reading.line,)).left_out()
    return replace(reading, unknown=missing.unknown, unheld=missing.unheld)


def _follow(grammar: Grammar, text: str, last: LastQuestion, usable: frozenset[str] | None) -> Reading | None:
    for way in _WAYS:
        if (reading := way.read(grammar, text, last, usable)) or way.claims(grammar, text, last):
            return reading
    return None


def _limited(grammar: Grammar, text: str, last: LastQuestion, usable: frozenset[str] | None) -> Reading | None:
    """Return what comes nearest to what no line tells of what was asked before: 毛利呢, after a product's price."""
    scan = grammar.recognition.scan(text)
    if text.startswith("/") or any(span.kind in NAMED for span in scan.spans):
        return None
    limit = grammar.limits.find(scan)
    if limit is None or (limit.is_pointed_to and document_of(grammar, last.line)):
        return None
    readings = [reading for each in limit.instead if (reading := follow(grammar, each, last, usable))]
    lines = dict.fromkeys([*(reading.line for reading in readings if not reading.unsure), last.line])
    line, *others = lines
    return Reading(
        line=line,
        by=ReadBy.CONTEXT,
        alternatives=tuple(others),
        unsure=True,
        gap=limit.said,
        understood=said_in(scan),
    )


def _wants_a_file(grammar: Grammar, text: str, last: LastQuestion) -> bool:
    return not text.startswith("/") and drop_export(text) is not None


def _exported(grammar: Grammar, text: str, last: LastQuestion, usable: frozenset[str] | None) -> Reading | None:
    """Return the line that exports the list that is there, or the one that follows from it."""
    wanted = None if text.startswith("/") else drop_export(text)
    if wanted is None:
        return None
    if wants_the_last(wanted):
        line = as_export(last.line, grammar.commands)
        understood = (Understood("cue", EXPORT, EXPORT),)
        return Reading(line=line, by=ReadBy.CONTEXT, understood=understood) if line else None
    inner = follow(grammar, wanted, last, usable)
    return export_reading(inner, grammar.commands) if inner else None


def _within_amounts(grammar: Grammar, text: str, last: LastQuestion, usable: frozenset[str] | None) -> Reading | None:
    return follow_within(grammar, text, last, lambda part, before: follow(grammar, part, before, usable))


def _is_after_the_asker(grammar: Grammar, text: str, last: LastQuestion) -> bool:
    return grammar.commands.parse(last.line).command in _WITHOUT_A_SUBJECT


def _says_that_it_goes_on(grammar: Grammar, text: str, last: LastQuestion) -> bool:
    """Whether a sentence cannot stand for itself: it has such a word, or is nothing but another name or other days."""
    return bool(
        PRONOUN.search(text)
        or GOES_ON.search(text)
        or is_drawn(grammar, text, last)
        or _names_days_of_a_list(grammar, text, last)
        or is_another(grammar, text, last)
    )


def _names_days_of_a_list(grammar: Grammar, text: str, last: LastQuestion) -> bool:
    """Whether a text names days and nothing else, after a list: 上个月的."""
    shown = any(grammar.vocabulary.document(word) for word in split(grammar.commands.parse(last.line).rest))
    return not shown and names_days(text.rstrip("的 "))


def _left_unsaid(grammar: Grammar, text: str, last: LastQuestion, usable: frozenset[str] | None) -> Reading | None:
    """Return what is asked of the product, the partner or the list that is there, without a word that says so."""
    if _says_that_it_goes_on(grammar, text, last):
        return None
    ways = (of_the_product, of_the_partner, of_the_list)
    return next((reading for way in ways if (reading := way(grammar, text, last, usable))), None)


def _continued(grammar: Grammar, text: str, last: LastQuestion, usable: frozenset[str] | None) -> Reading | None:
    """Return the line before with what is new in it."""
    if not _says_that_it_goes_on(grammar, text, last):
        return None
    pronoun = PRONOUN.search(text)
    bare = GOES_ON.sub(" ", PRONOUN.sub(" ", text)).strip()
    is_known = names_nobody_unknown(grammar, bare)
    if not bare or (_OF_WHOM.match(text) and not is_known) or not (pronoun or text.endswith(bare) or is_known):
        return None  # 今天天气呢 only ends like it
    reading = continued(grammar, bare, last, usable, with_subject=pronoun is not None)
    return reading or moved_otherwise(grammar, text.strip(" ?？"), last, usable)


def _nothing(grammar: Grammar, text: str, last: LastQuestion, usable: frozenset[str] | None) -> Reading | None:
    return None


def _never(grammar: Grammar, text: str, last: LastQuestion) -> bool:
    return False


@dataclass(frozen=True, slots=True)
class _Way:
    """A way to go on. A sentence that it ``claims`` goes on in no later way, whether it finds a line or not."""

    read: Callable[[Grammar, str, LastQuestion, frozenset[str] | None], Reading | None]
    claims: Callable[[Grammar, str, LastQuestion], bool] = _never


_WAYS = (
    # What nothing tells, what changes something and what wants a file is said first: the rest of it looks like more.
    _Way(_limited),  # 毛利呢
    _Way(all_ended),  # 都取消
    _Way(wished, claims=is_a_wish),  # 低于50提醒我
    _Way(_exported, claims=_wants_a_file),  # 导出
    # Amounts and rows are numbers, and numbers name documents.
    _Way(_within_amounts),  # 五万以上的
    _Way(of_a_row, claims=is_a_row),  # 第二个
    _Way(_nothing, claims=_is_after_the_asker),
    # What belongs to the one thing that is there goes before the same of another one.
    _Way(compared),  # 同比呢
    _Way(of_its_documents),  # 它被哪些订单占用
    _Way(linked),  # 它的收款
    _Way(of_the_document),  # 开票没
    _Way(of_another_document),  # SO-1044呢
    _Way(of_another_number),  # 138呢
    # Each of these knows a few lines, and after them its own words.
    _Way(ranked_again),  # 上个月的
    _Way(ranked_of_others),  # 供应商呢
    _Way(widened),  # 不限时间
    _Way(for_a_customer),  # 美居拿多少
    _Way(of_every_partner),  # 所有供应商的
    _Way(of_goods),  # 上海的够不够
    _Way(ranked_on_the_same_days),  # 谁买得最多
    # What is left has no words of its own: it is the line before, with what the sentence says.
    _Way(_left_unsaid),  # 还欠多少
    _Way(_continued),  # 那北京仓呢
)
