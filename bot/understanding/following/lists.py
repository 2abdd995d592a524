"""Sentences that continue a list: all of it, a part or a row, or a ranking by other days or another measure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace

from bot.chat.days import Days, names_days
from bot.chat.parsing import command_line, split
from bot.chat.questions.reading import ReadBy, Reading, Understood
from bot.understanding.command_kinds import RANKED, RANKED_BY_DAYS
from bot.understanding.following.continued import continued
from bot.understanding.following.follow_up import (
    ANY_OF_THEM,
    GOES_ON,
    NEED,
    OF_SEVERAL,
    FollowUp,
    names_nobody_unknown,
    parts_of,
)
from bot.understanding.grammar import Grammar
from bot.understanding.scanning.spans import Scan, SpanKind, days_said

_OF_THE_OTHERS: Mapping[str, Mapping[str, str]] = {
    "vendor": {"owing": "payable", "best": "biggest"},
    "customer": {"payable": "owing", "biggest": "best"},
}
"""What a word for a ranking of customers means after one of vendors, and the other way about: 欠得最多的."""
_THE_SAME_OF = {
    "客户": {"payable": "owing", "biggest": "best", "best": "best"},
    "供应商": {"owing": "payable", "best": "biggest"},
}
_RANKED_OF = {"客户": "customer", "供应商": "vendor"}
_OF_OTHERS = re.compile(r"那?么?(?:(?P<客户>客户|买家)|(?P<供应商>供应商|供货商|厂家))的?[呢吧]?")
"""Asks for the ranking that is there, but of others: 供应商呢, after who owes most."""
_BY_CUSTOMERS = re.compile("(?<![找跟向从问])谁(?:买|订|下单|拿货)")
_WHOLE = re.compile(
    r"(?:那|就|还是)?(?:给我|帮我)?(?:看|查|列|要)?(?:全部|所有|全都|全)(?:都|的|都要|都看|都列|都列出来|列出来|看看|看一下)*[吧呢]?"
    r"|(?:all of (?:them|it)|show (?:me )?all|all please|the whole list|everything)",
    re.IGNORECASE,
)
_OF_ALL_DAYS = re.compile(
    r"(?:不限|不管|不分|不论|别管)(?:时间|日期|哪天|什么时候|哪个月|月份)(?:都要|都看|都行|的)?|(?:所有|全部|任何)(?:时间|日期)的?"
    r"|(?:of |at |for )?(?:any|all) (?:time|dates?|days?)",
    re.IGNORECASE,
)
_SAYS_NOTHING = re.compile("[那么再就还是看查的呢吧吗]*")
_PAID = re.compile(
    r"(?:那么?|再看看?)?(?:付|付出|付出去|付给别人|支出|打出去|我们付)的(?:呢|有哪些|多少)?"
    r"|(?:and |what about )?(?:(?:what )?we paid|paid out|outgoing|the payments made)",
    re.IGNORECASE,
)
_RECEIVED = re.compile(
    r"(?:那么?|再看看?)?(?:收|收到|收进来|进来|到账|客户付)的(?:呢|有哪些|多少)?"
    r"|(?:and |what about )?(?:(?:what )?we received|received|incoming|money in)",
    re.IGNORECASE,
)
"""Say which way money moved, in a sentence that says nothing else."""


def ranked_again(follow_up: FollowUp) -> Reading | None:
    """Return the current ranking by other days or another measure: 上个月的, 下单最多的呢; None for anything else."""
    command = follow_up.before.command
    if command is None or command not in RANKED or not follow_up.may_use(command):
        return None
    follow_up = follow_up.saying(GOES_ON.sub("", follow_up.text).strip())
    words = list(follow_up.words)
    said = Days.take_marked(words)
    old = next((word for word in words if word in follow_up.grammar.sentences.lists[command]), "")
    if command == "vendor" and (_BY_CUSTOMERS.search(follow_up.text) or "客户" in follow_up.text):
        return None  # they buy from us
    if not old or len(words) != 1 or not _only_days_and_rankings(follow_up.grammar, follow_up.scan):
        return None
    keyword = _measure(follow_up.grammar, command, follow_up.scan)
    days = days_said(follow_up.scan, months=True)
    if not days and (not keyword or (keyword == old and not said)):
        return None
    ranking = keyword or old
    if days and ranking not in RANKED_BY_DAYS:
        return None  # what is owed is of now
    return follow_up.reading(_ranking(command, ranking, days))


def moved_otherwise(follow_up: FollowUp) -> Reading | None:
    """Return outgoing payments instead of incoming ones, or the reverse: 那付的呢; None for anything else."""
    text = follow_up.text.strip(" ?？")
    if follow_up.before.command != "payment" or not follow_up.may_use("payment"):
        return None
    wanted = "paid" if _PAID.fullmatch(text) else "received" if _RECEIVED.fullmatch(text) else ""
    old = next((word for word in follow_up.words if word in follow_up.grammar.sentences.lists["payment"]), "")
    if not wanted or old in {"", wanted}:
        return None
    return follow_up.reading(
        f"/payment {follow_up.before.rest.replace(old, wanted, 1)}", Understood("cue", text, wanted)
    )


def ranked_of_others(follow_up: FollowUp) -> Reading | None:
    """Return the current ranking for others on the same days: 供应商呢, after the largest debtors."""
    match = _OF_OTHERS.fullmatch(follow_up.text)
    if match is None or follow_up.before.command not in RANKED or match.lastgroup is None:
        return None
    words = list(follow_up.words)
    days = Days.take_marked(words) or ""
    command = _RANKED_OF[match.lastgroup]
    ranking = _THE_SAME_OF[match.lastgroup].get(words[0], "") if len(words) == 1 else ""
    if not ranking or command == follow_up.before.command or not follow_up.may_use(command):
        return None
    return follow_up.reading(_ranking(command, ranking, days), Understood("cue", follow_up.text, ranking))


def _ranking(command: str, ranking: str, days: str) -> str:
    return f"{command_line(command, ranking)} {days if ranking in RANKED_BY_DAYS else ''}".rstrip()


def _only_days_and_rankings(grammar: Grammar, scan: Scan) -> bool:
    """Return whether a sentence contains only days and a ranking measure."""
    left = _SAYS_NOTHING.sub("", "".join(sign for sign in scan.rest if sign.isalnum()))
    said = (SpanKind.DATE, SpanKind.CUE)
    spoken = all(span.kind in said for span in scan.spans)
    cues = [grammar.recognition.cues_of(span) for span in scan.of_kind(SpanKind.CUE)]
    return spoken and not left and all(any(cue.command in RANKED and cue.keyword for cue in each) for each in cues)


def _measure(grammar: Grammar, command: str, scan: Scan) -> str:
    """Return the ranking measure that a sentence wants; empty if it gives none."""
    said = {(cue.command, cue.keyword) for cue in grammar.recognition.cues_in(scan) if cue.keyword}
    own = {keyword for name, keyword in said if name == command}
    other = {_OF_THE_OTHERS.get(command, {}).get(keyword, "") for name, keyword in said if name != command}
    return next((keyword for keyword in grammar.sentences.lists[command] if keyword in (own or other)), "")


def widened(follow_up: FollowUp) -> Reading | None:
    """Return the current list without its days, or all of it: 不限时间, 全部的; None for anything else."""
    command, bare = follow_up.before.command, follow_up.text.rstrip(" 。.!！")
    if command is None or command in RANKED or not follow_up.may_use(command):
        return None
    words = list(split(follow_up.before.rest, listed=command == "stock"))
    days = Days.take_marked(words)
    if _WHOLE.fullmatch(bare):
        known = follow_up.grammar.sentences.lists.get(command, ())
        words = [word for word in words if word not in known and not word.startswith(("@", NEED))]
    elif not (days and _OF_ALL_DAYS.fullmatch(bare)):
        return None
    line = command_line(command, *words)
    return None if line == follow_up.last.line else follow_up.reading(line, Understood("cue", follow_up.text, command))


_PART_OF_THE_LIST = re.compile(
    r"的(?:[吗呢吧么]|有吗|有没有|有哪些|(?:还)?有?(?:几[个张笔单家条]|多少)|(?:就|也)(?:行|好|可以|要)|都(?:要|看|给我|列出来|发我))?$"
    r"|^(?:the |still |only )*(?:not (?:yet )?(?:shipped|delivered|paid|received|arrived|done)(?: yet)?"
    r"|unpaid|unshipped|overdue|late|open) ?(?:ones?)?$"
    r"|^(?:只看|只要|只查|就看|光看|单看)|也(?:看|查)(?:看|查|下|一下)?$|^(?:only|just|from)\b|\bonly$",
    re.IGNORECASE,
)
"""Said of a list that is there: 延期的, 只看深圳仓."""
_SOME_OF_THEM = re.compile(r"哪[些几个]|有没有|有几|有[^，,]*的[吗么没]|\bwhich\b|\bany\b", re.IGNORECASE)


def of_the_list(follow_up: FollowUp) -> Reading | None:
    """Return the line for a part of the current list; None if another one may be meant."""
    command, any_of_them = follow_up.before.command or "", ANY_OF_THEM.search(follow_up.text)
    of_several = OF_SEVERAL.search(follow_up.text) or any_of_them
    part = follow_up.saying(any_of_them["which"]) if any_of_them else follow_up
    some = command and _SOME_OF_THEM.search(part.text) and not part.scan.of_kind(SpanKind.DATE)
    is_part = some and follow_up.grammar.lines.lists.only_lists_are_named(command, part.scan)
    if not (is_part or _PART_OF_THE_LIST.search(part.text)) or not names_nobody_unknown(part):
        return None
    if follow_up.names_a_document and not of_several:
        return None
    reading = continued(part, with_subject=False)
    return reading if reading and follow_up.grammar.commands.parse(reading.line).command == command else None


def late_in_the_list(follow_up: FollowUp, alone: Reading | None) -> Reading | None:
    """Return the late or due part of the current list: 快到期的呢; None if any other list may be meant."""
    text, before = follow_up.text, follow_up.before
    if alone is None or not alone.by_work or not (GOES_ON.search(text) or _PART_OF_THE_LIST.search(text)):
        return None
    for line in (alone.line, *alone.alternatives):
        parsed = follow_up.grammar.commands.parse(line)
        if parsed.command is not None and parsed.command == before.command:
            words, late = follow_up.parts.words, parts_of(follow_up.grammar, parsed)
            if any(follow_up.grammar.vocabulary.document(word) for word in words):
                return None
            goes_on = f"{command_line(parsed.command, late.listed, *words)} {late.days}".rstrip()
            return Reading(line=goes_on, by=ReadBy.CONTEXT, understood=alone.understood)
    return None


_NUMERALS = "一二三四五六七八九十"
_ORDINALS = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth")
_ROW = re.compile(
    rf"(?:看看|看一下|看|打开|要|查|选|就)?第\s*(?P<chinese>[{_NUMERALS}]|\d{{1,2}})\s*(?:个|条|张|单|项|笔|行|种)?(?:吧|呢|的)?"
    rf"|(?:show |open )?(?:the )?(?P<english>{'|'.join(_ORDINALS)}|last)(?: one)?(?: please)?",
    re.IGNORECASE,
)


def is_a_row(follow_up: FollowUp) -> bool:
    """Return whether a text names a row, and nothing else; last purchase price names no row."""
    match = _match(follow_up.text)
    return match is not None and (match.end() == len(follow_up.text) or match[0].casefold().strip() != "last")


def without_row(text: str) -> str:
    """Return a text without its row."""
    return _ROW.sub(" ", text, count=1)


def _match(text: str) -> re.Match[str] | None:
    return None if names_days(text) else _ROW.match(text)


def of_a_row(follow_up: FollowUp) -> Reading | None:
    """Return the line that a row opens, or the question about it: 第二个什么价; None for other texts."""
    match = _match(follow_up.text)
    chosen = _row(follow_up, match) if match else None
    if match is None or chosen is None or match.end() == len(follow_up.text):
        return chosen
    grammar, rest = follow_up.grammar, follow_up.text[match.end() :].strip()
    subject = split(grammar.commands.parse(chosen.line).rest)[:1]
    asked = grammar.read(f"{subject[0]} {rest}", follow_up.usable) if subject and rest else None
    if asked is None or asked.unsure or not set(subject) <= set(split(grammar.commands.parse(asked.line).rest)):
        return None
    return replace(asked, by=ReadBy.CONTEXT, alternatives=())


def _row(follow_up: FollowUp, match: re.Match[str]) -> Reading | None:
    english, chinese, rows = (match["english"] or "").casefold(), match["chinese"] or "", follow_up.last.rows
    if english == "last":
        number = len(rows)
    elif english:
        number = _ORDINALS.index(english) + 1
    else:
        number = int(chinese) if chinese.isdecimal() else _NUMERALS.index(chinese) + 1
    if not 1 <= number <= len(rows):
        return None
    return follow_up.reading(rows[number - 1], Understood("row", match[0], str(number)))
