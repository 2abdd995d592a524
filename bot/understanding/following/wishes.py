"""Wishes that go on from what was asked: 低于50提醒我 after the stock of a product, 每天八点半发我 after a report."""

from __future__ import annotations

import re
from dataclasses import replace

from bot.chat.parsing import command_line, split
from bot.chat.questions.dialogues import LastQuestion
from bot.chat.questions.reading import ReadBy, Reading, Understood
from bot.understanding.exporting import as_export
from bot.understanding.following.continued import continued
from bot.understanding.following.documents import OF_THIS, document_of
from bot.understanding.grammar import Grammar
from bot.understanding.scanning.spans import SpanKind, days_said
from bot.understanding.sentences import IN_THE_ERP
from bot.understanding.wishes import Wish, find_wish, line_of, without_limit, without_times

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


def all_ended(grammar: Grammar, text: str, last: LastQuestion, usable: frozenset[str] | None = None) -> Reading | None:
    """Return the list of one's own that is there, with the wish to end all of it: 都取消, after what one watches."""
    listed = grammar.commands.parse(last.line).command or ""
    ended_by = _ENDED_BY.get(listed)
    if (
        ended_by is None
        or (usable is not None and listed not in usable)
        or not _ENDS_ALL.fullmatch(text.strip(" .。!！"))
    ):
        return None
    understood = (Understood("cue", text, ended_by),)
    return Reading(line=last.line, by=ReadBy.CONTEXT, understood=understood, wish=command_line(ended_by, "all"))


def is_a_wish(grammar: Grammar, text: str, last: LastQuestion) -> bool:
    """Whether a text wants something changed."""
    return not text.startswith("/") and find_wish(text.casefold(), grammar.sentences.wishes) is not None


def wished(grammar: Grammar, text: str, last: LastQuestion, usable: frozenset[str] | None) -> Reading | None:
    """Return what a wish is about that names nothing itself: 低于50提醒我, after the stock of a product."""
    wish = None if text.startswith("/") else find_wish(text.casefold(), grammar.sentences.wishes)
    return _wished(grammar, wish, text, last, usable) if wish else None


def _wished(
    grammar: Grammar, wish: Wish, text: str, last: LastQuestion, usable: frozenset[str] | None
) -> Reading | None:
    words = split(grammar.commands.parse(last.line).rest)
    if wish.command == IN_THE_ERP:
        return _wanted_of_the_document(grammar, text, last, usable)
    if wish.command == "subscribe" and (digest := _digested(grammar, wish, text, last, usable)):
        return digest
    if wish.command == "mute" and _NO_MORE.search(text) and words:
        return _wished(grammar, replace(wish, command="unwatch"), _UNWATCH, last, usable)
    if wish.command not in {"watch", "unwatch"} or not words:
        return None
    scan = grammar.recognition.scan(f"{words[0]} {text}")
    about = [*scan.of_kind(SpanKind.PRODUCT), *scan.of_kind(SpanKind.DOCUMENT)]
    if [span.value for span in about] != [words[0]]:
        return None
    if _UNREAD_NAME.search(without_limit(grammar.recognition.scan(wish.rest).rest)):
        return None  # it is about somebody or something else
    reading = grammar.read(f"{words[0]} {text}", usable)
    return replace(reading, by=ReadBy.CONTEXT) if reading else None


def _wanted_of_the_document(
    grammar: Grammar, text: str, last: LastQuestion, usable: frozenset[str] | None
) -> Reading | None:
    """Return the document that is there, of which something is wanted that only the ERP does: 这单帮我取消."""
    document = document_of(grammar, last.line)
    if document is None or not OF_THIS.search(text) or (usable is not None and document[0] not in usable):
        return None
    if grammar.recognition.scan(text).of_kind(SpanKind.DOCUMENT):
        return None  # another one
    understood = (Understood("document", text, document[1]),)
    return Reading(line=command_line(*document), by=ReadBy.CONTEXT, understood=understood, wants_erp=True)


def _digested(
    grammar: Grammar, wish: Wish, text: str, last: LastQuestion, usable: frozenset[str] | None
) -> Reading | None:
    """Return the wish for the list that is there, every day: 每天早上八点半发我; None where another one is named."""
    asked = grammar.read(text, usable)
    bare = command_line(wish.command)
    if asked is None or asked.wish != bare or as_export(last.line, grammar.commands) is None:
        return None
    days = days_said(grammar.recognition.scan(without_times(wish.rest)), months=True)
    other = continued(grammar, days, last, usable, with_subject=False) if days else None
    if days and other is None:
        return None  # 发我昨天的 wants no other days
    listed = other.line if other else last.line
    done = line_of(wish, grammar.recognition.scan(text), lambda rest: listed)
    return replace(asked, by=ReadBy.CONTEXT, wish=done)
