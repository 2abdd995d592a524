"""Change requests that continue a question: 低于50提醒我 after some stock, 每天八点半发我 after a report."""

from __future__ import annotations

import re
from dataclasses import replace

from bot.chat.parsing import command_line
from bot.chat.questions.reading import ReadBy, Reading, Understood
from bot.understanding.change_requests import ChangeRequest, line_of, without_limit, without_times
from bot.understanding.exporting import as_export
from bot.understanding.following.continued import continued
from bot.understanding.following.documents import OF_THIS, document_of
from bot.understanding.following.follow_up import FollowUp
from bot.understanding.scanning.spans import SpanKind, days_said
from bot.understanding.sentences import IN_THE_ERP

_UNREAD_NAME = re.compile(r"[\u3400-\u9fff]{4}")
_NO_MORE, _UNWATCH = re.compile("(?:别|不要|不用|甭|不必)(?:再|)(?:提醒|通知|告诉)"), "不用盯了"
"""Said after one thing, it ends that this thing is watched."""


_ENDS_ALL = re.compile(
    r"(?:把)?(?:这些|它们)?(?:全部|全都|统统|全|都)(?:给我|帮我)?(?:取消|删掉|删了|清空|清掉|停掉|停了|不要)(?:掉|了)?[吧呗]?"
    r"|(?:cancel|remove|stop|delete) (?:all(?: of them)?|them all|everything)",
    re.IGNORECASE,
)
"""Wants no more of what a list of one's own holds: 都取消."""
_ENDED_BY = {"watches": "unwatch", "subscriptions": "unsubscribe"}


def all_ended(follow_up: FollowUp) -> Reading | None:
    """Return the asker's current list, with the request to end all of it: 都取消, after the list of watches."""
    listed = follow_up.before.command
    ended_by = _ENDED_BY.get(listed or "")
    if ended_by is None or not follow_up.may_use(listed) or not _ENDS_ALL.fullmatch(follow_up.text.strip(" .。!！")):
        return None
    reading = follow_up.reading(follow_up.last.line, Understood("cue", follow_up.text, ended_by))
    return replace(reading, change=command_line(ended_by, "all"))


def is_change_request(follow_up: FollowUp) -> bool:
    """Return whether a text asks for a change."""
    return follow_up.change is not None


def requested_change(follow_up: FollowUp) -> Reading | None:
    """Return the subject of a request that names none: 低于50提醒我, after the stock of a product."""
    return _requested_change(follow_up, follow_up.change) if follow_up.change else None


def _requested_change(follow_up: FollowUp, change: ChangeRequest) -> Reading | None:
    grammar, words = follow_up.grammar, follow_up.words
    if change.command == IN_THE_ERP:
        return _wanted_of_the_document(follow_up)
    if change.command == "subscribe" and (digest := _digested(follow_up, change)):
        return digest
    if change.command == "mute" and _NO_MORE.search(follow_up.text) and words:
        return _requested_change(follow_up.saying(_UNWATCH), replace(change, command="unwatch"))
    if change.command not in {"watch", "unwatch"} or not words:
        return None
    whole = f"{words[0]} {follow_up.text}"
    scan = grammar.recognition.scan(whole)
    about = [*scan.of_kind(SpanKind.PRODUCT), *scan.of_kind(SpanKind.DOCUMENT)]
    if [span.value for span in about] != [words[0]]:
        return None
    if _UNREAD_NAME.search(without_limit(grammar.recognition.scan(change.rest).rest)):
        return None  # it is about somebody or something else
    reading = grammar.read(whole, follow_up.usable)
    return replace(reading, by=ReadBy.CONTEXT) if reading else None


def _wanted_of_the_document(follow_up: FollowUp) -> Reading | None:
    """Return the current document, for a change that only the ERP makes: 这单帮我取消."""
    document = document_of(follow_up.grammar, follow_up.last.line)
    if document is None or not OF_THIS.search(follow_up.text) or not follow_up.may_use(document[0]):
        return None
    if follow_up.scan.of_kind(SpanKind.DOCUMENT):
        return None  # another one
    reading = follow_up.reading(command_line(*document), Understood("document", follow_up.text, document[1]))
    return replace(reading, wants_erp=True)


def _digested(follow_up: FollowUp, change: ChangeRequest) -> Reading | None:
    """Return the daily request for the current list: 每天早上八点半发我; None if another one is named."""
    grammar, line = follow_up.grammar, follow_up.last.line
    asked = grammar.read(follow_up.text, follow_up.usable)
    if asked is None or asked.change != command_line(change.command) or as_export(line, grammar.commands) is None:
        return None
    days = days_said(grammar.recognition.scan(without_times(change.rest)), months=True)
    other = continued(follow_up.saying(days), with_subject=False) if days else None
    if days and other is None:
        return None  # 发我昨天的 wants no other days
    done = line_of(change, follow_up.scan, lambda rest: other.line if other else line)
    return replace(asked, by=ReadBy.CONTEXT, change=done)
