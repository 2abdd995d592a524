"""/subscribe: a list or report at a time of day, in one's own chat or in a group."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import time

from bot.alerts.subscriptions import (
    Subscription,
    Subscriptions,
    SubscriptionWaits,
    list_view,
    own_chat_line,
    take_weekday,
)
from bot.cards.view import View
from bot.chat.arguments import InnerLine
from bot.chat.context import QuestionContext, place_of
from bot.chat.errors import BadArgument
from bot.chat.exports import for_readers
from bot.chat.message import Conversation, ConversationKind
from bot.chat.registry import Commands, command
from bot.words.disclosure import cut
from bot.words.phrase import phrase

MAX_SUBSCRIPTIONS = 10
"""Subscriptions of one person, or of one group."""

_TIME = re.compile(r"(?:早上|上午|每早|早)?\s*(?<!\d)(?P<hour>\d{1,2})(?::(?P<minute>\d{2})|点(?P<half>半)?)(?!\d)")
_DAILY = re.compile(r"每天|天天|(?<![a-z])(?:daily|every day)(?![a-z])", re.IGNORECASE)
_OWN_CHAT = re.compile(r"(?:发到)?(?:单聊|私聊)|(?<![a-z])private(?![a-z])", re.IGNORECASE)
_WORKDAYS = re.compile(r"(?:每个)?工作日|(?<![a-z])(?:on )?(?:workdays|weekdays)(?![a-z])", re.IGNORECASE)


class SubscriptionRequest(InnerLine):
    """The line that shows the list, a time of day, and perhaps on which days."""

    placeholder = phrase("list or report, and a time")


@command(
    "subscribe",
    aliases=("订阅", "dy"),
    examples=(
        "/subscribe report yesterday 08:30",
        "/订阅 日报 18:00",
        "/subscribe order late 9:00 daily",
        "/订阅 周报 每周一 9:00",
    ),
    summary=phrase("A list or report every working day at a time"),
    place=59,
)
async def subscribe(
    wish: SubscriptionRequest | None = None, *, service: Subscriptions, commands: Commands, context: QuestionContext
) -> View:
    """Check that the line is answered here and now, and keep it. In a group it comes to the group."""
    rest = commands.parse(context.line).rest
    found = _TIME.search(rest)
    if not wish or found is None:
        raise BadArgument(phrase("Say what and at which time, such as: %(line)s", line="/subscribe report 08:30"))
    at, daily = _read_time(found), _DAILY.search(rest) is not None
    weekday, words = take_weekday(f"{rest[: found.start()]} {rest[found.end() :]}")
    words = _WORKDAYS.sub(" ", _DAILY.sub(" ", words))
    line, asked = commands.line_of(" ".join(_OWN_CHAT.sub(" ", words).split())), context
    if context.conversation.kind is ConversationKind.GROUP and _OWN_CHAT.search(words):
        # The rules of the group do not count there.
        asked = replace(context, conversation=Conversation("", ConversationKind.DIRECT))
    answer = await service.preview(line, asked)
    if answer.outcome != "answered":
        return for_readers(cut(answer.view, answer.grant.fields), context)
    place, zone = place_of(asked), context.now.tzinfo
    assert zone is not None, "the clock gives aware times"
    new = Subscription(
        place=place,
        conversation=asked.conversation.id,
        user_id=context.person.user_id or "",
        line=line,
        at=at,
        workdays=not daily and weekday is None,
        weekday=weekday,
        next_at=context.now,
    )
    new = replace(new, next_at=new.after(context.now, zone))
    if not service.is_shown(answer, place):
        return SubscriptionWaits(line=line, group=True, refused=True, own=own_chat_line(new))
    known = await service.store.at_place(place)
    if len(known) >= MAX_SUBSCRIPTIONS and new.id not in {each.id for each in known}:
        raise BadArgument(phrase("There are %(num)s subscriptions here already. Stop one first.", num=len(known)))
    await service.store.put(new)
    said = phrase("Subscribed: %(line)s", line=line)
    # What else comes to somebody's own chat is not for a group.
    shown = await service.store.at_place(place) if place == place_of(context) else (new,)
    return list_view(said, shown, replace(context, offset=0), place=place)


def _read_time(found: re.Match[str]) -> time:
    hour, minute = int(found["hour"]), 30 if found["half"] else int(found["minute"] or 0)
    if hour > 23 or minute > 59:
        raise BadArgument(phrase("“%(word)s” is not a time of day.", word=found[0].strip()))
    return time(hour, minute)
