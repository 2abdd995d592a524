"""Sentences that continue the last question: 那北京仓呢, 它的采购单, 第二个, "what about SKU124"."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace

from bot.chat.days import names_days
from bot.chat.parsing import normalise
from bot.chat.questions.dialogues import LastQuestion
from bot.chat.questions.reading import ReadBy, Reading, Understood
from bot.understanding.exporting import EXPORT, as_export, drop_export, export_reading, wants_the_last
from bot.understanding.following.bounds import follow_created, follow_within
from bot.understanding.following.change_requests import all_ended, is_change_request, requested_change
from bot.understanding.following.continued import continued
from bot.understanding.following.documents import document_of, of_the_document
from bot.understanding.following.follow_up import GOES_ON, PRONOUN, FollowUp, names_nobody_unknown
from bot.understanding.following.goods import (
    of_every_partner,
    of_goods,
    of_its_documents,
    of_the_product,
    ranked_on_the_same_days,
)
from bot.understanding.following.lists import (
    is_a_row,
    moved_otherwise,
    of_a_row,
    of_the_list,
    ranked_again,
    ranked_of_others,
    widened,
    without_row,
)
from bot.understanding.following.other_days import compared, is_drawn, of_the_days_before
from bot.understanding.following.partners import linked, of_nobody_there, of_the_partner, owed
from bot.understanding.following.subjects import for_a_customer, is_replacement, of_another_document, of_replaced_number
from bot.understanding.grammar import Grammar
from bot.understanding.limits.bounds import find_bounds, without_bounds
from bot.understanding.scanning.recognition import NAMED

_WITHOUT_A_SUBJECT = frozenset({"help", "whoami", "watches", "subscriptions"})
"""Commands after which nothing goes on: they are about the asker, and not about the business."""
_OF_WHOM = re.compile(r"^(?:only |just )?(?:of|from|by) ", re.IGNORECASE)


def follow(grammar: Grammar, sentence: str, last: LastQuestion, usable: frozenset[str] | None = None) -> Reading | None:
    """Return the line that a sentence asks for after ``last``; None if it does not continue it."""
    return follow_turn(FollowUp(grammar, normalise(sentence), last, usable).on_the_list())


def follow_turn(follow_up: FollowUp) -> Reading | None:
    """Return the line that a text asks for after the last question; None if it does not continue it."""
    reading = _follow(follow_up)
    if reading is None or reading.change or reading.unsupported or reading.by is not ReadBy.CONTEXT:
        return reading
    wanted = drop_export(follow_up.text)
    said = GOES_ON.sub(" ", without_row(follow_up.text if wanted is None else wanted)).strip()
    if without_bounds(reading.line)[1]:
        said = find_bounds(said).rest
    scan = follow_up.saying(said).scan
    for part in reading.understood:
        if part.text == follow_up.text:
            return reading  # all of it says one thing, such as 不限时间
    return follow_up.grammar.with_residue(reading, scan, follow_up.usable)


def _follow(follow_up: FollowUp) -> Reading | None:
    for way in _WAYS:
        if (reading := way.read(follow_up)) or way.claims(follow_up):
            return reading
    return None


def _limited(follow_up: FollowUp) -> Reading | None:
    """Return the nearest lines to an unanswerable question about the subject: 毛利呢, after a product's price."""
    if follow_up.text.startswith("/") or any(span.kind in NAMED for span in follow_up.scan.spans):
        return None
    limit = follow_up.grammar.limits.find(follow_up.scan)
    if limit is None or (limit.is_pointed_to and document_of(follow_up.grammar, follow_up.last.line)):
        return None
    readings = [reading for each in limit.instead if (reading := follow_turn(follow_up.saying(normalise(each))))]
    lines = dict.fromkeys([*(reading.line for reading in readings if not reading.unsure), follow_up.last.line])
    line, *others = lines
    return replace(follow_up.reading(line), alternatives=tuple(others), unsure=True, unsupported=limit.said)


def _wants_a_file(follow_up: FollowUp) -> bool:
    return _wanted(follow_up) is not None


def _wanted(follow_up: FollowUp) -> str | None:
    """Return the subject of a requested file."""
    return None if follow_up.text.startswith("/") else drop_export(follow_up.text)


def _exported(follow_up: FollowUp) -> Reading | None:
    """Return the line that exports the current list, or the one that follows from it."""
    wanted = _wanted(follow_up)
    if wanted is None:
        return None
    if wants_the_last(wanted):
        line = as_export(follow_up.last.line, follow_up.grammar.commands)
        return follow_up.reading(line, Understood("cue", EXPORT, EXPORT)) if line else None
    inner = follow_turn(follow_up.saying(normalise(wanted)))
    return export_reading(inner, follow_up.grammar.commands) if inner else None


def _within_amounts(follow_up: FollowUp) -> Reading | None:
    return follow_within(follow_up, follow_turn)


def _is_after_the_asker(follow_up: FollowUp) -> bool:
    return follow_up.before.command in _WITHOUT_A_SUBJECT


def _says_that_it_goes_on(follow_up: FollowUp) -> bool:
    """Return whether a sentence cannot stand alone: it has a continuing word, or is only another name or other days."""
    if (
        PRONOUN.search(follow_up.text)
        or GOES_ON.search(follow_up.text)
        or is_drawn(follow_up)
        or is_replacement(follow_up)
    ):
        return True
    return names_days(follow_up.text.rstrip("的 ")) and not follow_up.names_a_document  # 上个月的, after a list


def _short_question(follow_up: FollowUp) -> Reading | None:
    """Return the question about the current product, partner or list, without a word that refers to it."""
    if _says_that_it_goes_on(follow_up):
        return None
    return of_the_product(follow_up) or of_the_partner(follow_up) or of_the_list(follow_up)


def _continued(follow_up: FollowUp) -> Reading | None:
    """Return the previous line with its new parts."""
    if not _says_that_it_goes_on(follow_up):
        return None
    pronoun = PRONOUN.search(follow_up.text)
    bare = follow_up.saying(GOES_ON.sub(" ", PRONOUN.sub(" ", follow_up.text)).strip())
    is_known = names_nobody_unknown(bare)
    if not bare.text or (_OF_WHOM.match(follow_up.text) and not is_known):
        return None
    if not (pronoun or is_known or follow_up.text.endswith(bare.text)):
        return None  # 今天天气呢 only ends like it
    return continued(bare, with_subject=pronoun is not None) or moved_otherwise(follow_up)


def _nothing(follow_up: FollowUp) -> Reading | None:
    return None


def _never(follow_up: FollowUp) -> bool:
    return False


@dataclass(frozen=True, slots=True)
class _Way:
    """One way of continuing. A sentence that it ``claims`` continues in no later way, whether or not it finds a
    line.
    """

    read: Callable[[FollowUp], Reading | None]
    claims: Callable[[FollowUp], bool] = _never


_WAYS = (
    # What nothing tells, what changes something and what wants a file is said first: the rest of it looks like more.
    _Way(of_nobody_there),  # 这家供应商, after a sales order
    _Way(_limited),  # 毛利呢
    _Way(all_ended),  # 都取消
    _Way(requested_change, claims=is_change_request),  # 低于50提醒我
    _Way(_exported, claims=_wants_a_file),  # 导出
    # Amounts and rows are numbers, and numbers name documents.
    _Way(_within_amounts),  # 五万以上的
    _Way(follow_created),  # 孙悦开的呢
    _Way(of_a_row, claims=is_a_row),  # 第二个
    _Way(_nothing, claims=_is_after_the_asker),
    _Way(of_the_days_before),  # "and the month before?"
    # What belongs to the one thing that is there goes before the same of another one.
    _Way(compared),  # 同比呢
    _Way(owed),  # 这个客户还欠多少
    _Way(of_its_documents),  # 它被哪些订单占用
    _Way(linked),  # 它的收款
    _Way(of_the_document),  # 开票没
    _Way(of_another_document),  # SO-1044呢
    _Way(of_replaced_number),  # 138呢
    # Each of these knows a few lines, and after them its own words.
    _Way(ranked_again),  # 上个月的
    _Way(ranked_of_others),  # 供应商呢
    _Way(widened),  # 不限时间
    _Way(for_a_customer),  # 美居拿多少
    _Way(of_every_partner),  # 所有供应商的
    _Way(of_goods),  # 上海的够不够
    _Way(ranked_on_the_same_days),  # 谁买得最多
    # What is left has no words of its own: it is the line before, with what the sentence says.
    _Way(_short_question),  # 还欠多少
    _Way(_continued),  # 那北京仓呢
)
