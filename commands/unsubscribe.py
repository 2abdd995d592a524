"""/unsubscribe: end subscriptions."""

from __future__ import annotations

from dataclasses import replace

from bot.alerts.subscriptions import Subscriptions, list_view
from bot.cards.view import View
from bot.chat.arguments import InnerLine, Keyword
from bot.chat.context import QuestionContext, place_of
from bot.chat.errors import BadArgument, NothingFound
from bot.chat.registry import Commands, command
from bot.words.phrase import phrase


class SubscribedLine(InnerLine):
    """The line that was subscribed to."""


class SubscriptionsScope(Keyword):
    """All of them at once."""

    ALL = phrase("all"), "全部", "所有"


@command(
    "unsubscribe",
    aliases=("取消订阅", "退订", "qxdy"),
    examples=("/unsubscribe report", "/取消订阅 日报", "/unsubscribe all"),
    changes=True,
    shows=(),
    summary=phrase("Stop a subscription"),
    place=59,
)
async def unsubscribe(
    line: SubscribedLine | None = None,
    *,
    every: SubscriptionsScope | None = None,
    service: Subscriptions,
    commands: Commands,
    context: QuestionContext,
) -> View:
    """End one, or all of this chat or group: everybody in a group may stop what comes to it."""
    known = await service.store.at_place(place_of(context))
    if line is None and every is None:
        raise BadArgument(phrase("Say which subscription is to end."))
    wanted = commands.line_of(commands.parse(context.line).rest)
    ending = [each for each in known if every or each.line.casefold() == wanted.casefold()]
    if not ending and not every:
        raise NothingFound(wanted, ("/subscriptions",) if known else ())
    await service.store.drop([each.id for each in ending])
    ended = {each.id for each in ending}
    left = [each for each in known if each.id not in ended]
    said = phrase("Unsubscribed: %(lines)s", lines=tuple(each.line for each in ending))
    return list_view(said, left, replace(context, offset=0))
