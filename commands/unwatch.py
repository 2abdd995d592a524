"""/unwatch: end watches."""

from __future__ import annotations

from bot.access.policy import AccessPolicy
from bot.alerts.rights import AlertRights
from bot.alerts.service import AlertService
from bot.alerts.views import AlertReply
from bot.cards.notices import Suggestion
from bot.cards.view import View
from bot.chat.arguments import Keyword, Word
from bot.chat.context import QuestionContext
from bot.chat.errors import BadArgument, NothingFound
from bot.chat.parsing import command_line
from bot.chat.registry import command
from bot.erp.books import InSeveralBooks
from bot.words.phrase import phrase

_CLOSEST, _SHOWN = 4, 8


class WatchSubject(Word):
    """The SKU or document number of a watch."""

    placeholder = phrase("SKU or number")


class WatchesScope(Keyword):
    """All watches at once."""

    ALL = phrase("all"), "全部", "所有"


@command(
    "unwatch",
    aliases=("取消关注", "qxgz"),
    examples=("/unwatch SKU123", "/取消关注 SO-1001", "/unwatch all"),
    summary=phrase("Stop watching something"),
    place=58,
)
async def unwatch(
    what: WatchSubject | None = None,
    *,
    every: WatchesScope | None = None,
    service: AlertService,
    policy: AccessPolicy,
    context: QuestionContext,
) -> View:
    """End the watches on one subject, or all."""
    known = await service.watches(context.person.user_id or "")
    if what is None and every is None:
        raise BadArgument(phrase("Say what you no longer want to watch."))
    within = [watch for watch in known if context.books.hold(watch.source)]
    ending = [watch for watch in within if every or watch.subject.casefold() == (what or "").casefold()]
    if what and not ending:
        others = dict.fromkeys((watch.subject, watch.books.names) for watch in known)
        closest = (command_line("unwatch", subject, books=books) for subject, books in [*others][:_CLOSEST])
        raise NothingFound(what, tuple(closest))
    if what and len(books := dict.fromkeys(watch.books.names for watch in ending)) > 1:
        raise InSeveralBooks(what, books)
    await service.drop_watches(tuple(watch.id for watch in ending))
    return AlertReply(
        title=phrase("You are no longer watching it"),
        watches=AlertRights(policy, context.person, context.conversation.id).shown_watches(ending[:_SHOWN]),
        next=(Suggestion(command_line("watches"), phrase("My watches")),),
    )
