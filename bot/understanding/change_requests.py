"""Sentences that ask for a change: SKU123低于50提醒我, "stop watching SKU123", 每天八点半把日报发我.

A sentence changes nothing. The card shows the subject of the request, and the line to send for it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from bot.chat.parsing import command_line
from bot.chat.records.demand import read_amount
from bot.understanding.scanning.spans import Scan, SpanKind
from bot.understanding.sentences import ChangeRequestWords
from bot.understanding.spoken_words import SpokenWords

_SHOWS: Mapping[str, str] = {
    **dict.fromkeys(("watch", "unwatch"), "/watches"),
    **dict.fromkeys(("subscribe", "unsubscribe"), "/subscriptions"),
    **dict.fromkeys(("mute", "unmute"), "/alerts"),
    **{command: f"/help {command}" for command in ("lang", "bind", "unbind")},
}
"""What is shown of a wish that is about no document and no product."""
_ABOUT_A_SUBJECT = frozenset({"watch", "unwatch"})
_ABOUT_ALERTS = frozenset({"mute", "unmute"})
_ABOUT_ACCOUNTS = frozenset({"bind", "unbind"})
_ABOUT_A_LIST = frozenset({"subscribe", "unsubscribe"})
_ALL = re.compile(r"全部|所有|都|全|\b(?:all|everything|anything)\b", re.IGNORECASE)
_NUMBER = r"[0-9][0-9,.]*[百千万]?|[零〇一二两三四五六七八九十百千万半]+"
_BELOW = re.compile(
    rf"(?:低于|少于|小于|不到|不足|跌破|降到|掉到|跌到|剩不到|below|under|less than|fewer than)\s*({_NUMBER})"
)
_ABOVE = re.compile(rf"(?:高于|多于|大于|超过|超出|涨到|above|over|more than)\s*({_NUMBER})")
_TIME = re.compile(
    r"(?P<part>早上|上午|早晨|一早|中午|下午|傍晚|晚上|每晚|早|晚)?\s*"
    r"(?P<hour>\d{1,2}|[零〇一二两三四五六七八九十]{1,3})\s*"
    r"(?:[:：](?P<minute>\d{2})|点钟?(?P<past>半|一刻|三刻|[零〇一二三四五六七八九十\d]{1,3}分?)?|(?=\s*[ap]m)"
    r"|(?<=\bat \d)(?!\d)|(?<=\bat \d\d)(?!\d))"
    r"\s*(?P<half>am|pm)?",
    re.IGNORECASE,
)
_AFTERNOON = frozenset({"下午", "傍晚", "晚上", "每晚", "晚", "pm"})
_PAST: Mapping[str, int] = {"半": 30, "一刻": 15, "三刻": 45, "": 0}
_DAILY = re.compile(r"每天|每日|天天|\b(?:every|each) (?:day|morning|evening)\b|\bdaily\b", re.IGNORECASE)
_WORKDAYS = re.compile(r"每个?工作日|工作日|\b(?:on|every|each) (?:weekdays?|workdays?|working days?)\b", re.IGNORECASE)
_LOW_STOCK = re.compile(r"低库存|缺货|库存不足|low[- ]stock|stock\.low", re.IGNORECASE)
_COUNTED = {"one": 1, "an": 1, "two": 2, "three": 3, "four": 4, "six": 6, "eight": 8, "twelve": 12}
_HOURS = re.compile(
    rf"(?P<number>{_NUMBER})\s*(?:个?(?:小时|钟头)|(?:hours?|h)\b)|\b(?P<word>{'|'.join(_COUNTED)}) hours?\b",
    re.IGNORECASE,
)
_HALF_A_DAY = re.compile("半天|半日")
_LANGUAGES = {
    "en": re.compile("英文|英语|english", re.IGNORECASE),
    "zh": re.compile("中文|汉语|chinese", re.IGNORECASE),
}
_FOREIGN = re.compile(
    r"(?:不懂|不会|不认识|不明白)(?:说|看)?(?:英文|英语|中文|汉语)"
    r"|(?:don'?t|do not|can'?t|cannot) (?:understand|read|speak|know) (?:any )?(?:english|chinese)",
    re.IGNORECASE,
)
"""Names a language that the person does not want."""
_ACCOUNT = re.compile(r"(?<![\w@.])[a-z][\w.+-]*(?:@[\w-]+(?:\.[\w-]+)+)?(?![\w@])", re.ASCII | re.IGNORECASE)
_NO_ACCOUNT = frozenset(
    {
        *(
            "erp",
            "account",
            "accounts",
            "my",
            "me",
            "i",
            "it",
            "the",
            "from",
            "to",
            "as",
            "with",
            "and",
            "please",
            "pls",
        ),
        *("link", "unlink", "bind", "unbind", "connect", "disconnect", "want"),
    }
)
"""Words beside the name of an ERP and an account in it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeRequest:
    """A requested change: the command that makes it, and the sentence without the requesting words."""

    command: str
    rest: str
    outright: bool
    """Whether one word says so, and not two that may stand in a question too."""


def find_change_request(text: str, known: Mapping[str, ChangeRequestWords]) -> ChangeRequest | None:
    """Return the change requested by a normalised sentence; None for a question."""
    for command, words in known.items():
        if words.alone.search(text):
            return ChangeRequest(command=command, rest=_without_all(text, words.alone), outright=True)
        verb, when = (each.search(text) for each in (words.verbs, words.when))
        if verb and when and (command != "subscribe" or _TIME.search(text)):
            return ChangeRequest(command=command, rest=_without(text, verb), outright=False)
    return None


def _without(text: str, match: re.Match[str]) -> str:
    return f"{text[: match.start()]} {text[match.end() :]}"


def _without_all(text: str, words: SpokenWords) -> str:
    """Return a text without any of the words: 日报不用再发我了 退订 states the request twice."""
    for match in reversed(list(words.find_all(text))):
        text = _without(text, match)
    return text


def shown_instead(change: ChangeRequest) -> str:
    """Return the line shown for a request without a subject; empty if the sentence itself is read."""
    return _SHOWS.get(change.command, "")


def line_of(change: ChangeRequest, scan: Scan, read: Callable[[str], str]) -> str:
    """Return the line that makes the change, as far as the sentence tells; ``read`` reads the rest."""
    text = scan.text.casefold()
    if change.command in _ABOUT_A_SUBJECT:
        subject = next(iter(_subjects(scan)), "")
        if not subject and change.command == "unwatch" and _ALL.search(text):
            subject = "all"
        return f"{command_line(change.command, subject)}{_limit(text) if change.command == 'watch' else ''}"
    if change.command in _ABOUT_A_LIST:
        return _digest(change, text, read)
    if change.command in _ABOUT_ALERTS:
        kind = "stock.low" if _LOW_STOCK.search(text) else next(iter(_subjects(scan)), "")
        return command_line(change.command, kind, *(_duration(text) if change.command == "mute" else ()))
    if change.command == "lang":
        wanted = _FOREIGN.sub("", text)
        return command_line("lang", next((code for code, named in _LANGUAGES.items() if named.search(wanted)), ""))
    if change.command in _ABOUT_ACCOUNTS:
        words = [word for word in _ACCOUNT.findall(scan.text) if word.casefold() not in _NO_ACCOUNT]
        return command_line(change.command, *words[:2])
    return command_line(change.command)


def without_limit(text: str) -> str:
    """Return a text without the limit of a notification."""
    return _ABOVE.sub(" ", _BELOW.sub(" ", text))


def _subjects(scan: Scan) -> Sequence[str]:
    return [span.value for kind in (SpanKind.PRODUCT, SpanKind.DOCUMENT) for span in scan.of_kind(kind)]


def _limit(text: str) -> str:
    for sign, pattern in (("<", _BELOW), (">", _ABOVE)):
        if (match := pattern.search(text)) and (amount := read_amount(match[1].strip(",."))) is not None:
            return f" {sign} {amount:f}"
    return ""


def _digest(change: ChangeRequest, text: str, read: Callable[[str], str]) -> str:
    time = _TIME.search(text) if change.command == "subscribe" else None
    at = _time_of(time) if time else ""
    bare = change.rest.replace(time[0], " ") if time else change.rest
    listed = next((line for words in (bare, text) if (line := read(without_times(words)))), "").removeprefix("/")
    if not listed or listed == "subscriptions" or (change.command == "unsubscribe" and _ALL.search(text)):
        return command_line(change.command, "all" if change.command == "unsubscribe" and _ALL.search(text) else "")
    daily = " daily" if at and _DAILY.search(text) else ""
    return f"/{change.command} {listed} {at}{daily}".rstrip()


def without_times(text: str) -> str:
    """Return a text without the frequency and time of a notification."""
    return _DAILY.sub(" ", _WORKDAYS.sub(" ", _TIME.sub(" ", text)))


def _time_of(match: re.Match[str]) -> str:
    hour = int(read_amount(match["hour"]) or 0)
    if {match["part"], (match["half"] or "").casefold()} & _AFTERNOON and hour < 12:
        hour += 12
    past = (match["past"] or "").removesuffix("分")
    minute = int(match["minute"]) if match["minute"] else _PAST.get(past, int(read_amount(past) or 0))
    return f"{hour:02}:{minute:02}" if hour < 24 and minute < 60 else ""


def _duration(text: str) -> Sequence[str]:
    if match := _HOURS.search(text):
        hours = read_amount(match["number"]) if match["number"] else _COUNTED[match["word"].casefold()]
        return () if hours is None else (f"{Decimal(hours):f}h",)
    return ("12h",) if _HALF_A_DAY.search(text) else ()
