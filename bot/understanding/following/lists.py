"""Sentences that continue a whole list: a ranking by other days or another measure, or all of a list."""

from __future__ import annotations

import re
from collections.abc import Mapping

from bot.chat.days import Days
from bot.chat.parsing import command_line, split
from bot.chat.questions.reading import Reading, Understood
from bot.understanding.command_kinds import RANKED, RANKED_BY_DAYS
from bot.understanding.following.follow_up import NEED, FollowUp
from bot.understanding.following.follow_up_words import GOES_ON
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
