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
from bot.phrase import phrase

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
    changes=True,
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
    ending = [watch for watch in known if every or watch.subject.casefold() == (what or "").casefold()]
    if what and not ending:
        others = dict.fromkeys(watch.subject for watch in known)
        raise NothingFound(what, tuple(command_line("unwatch", subject) for subject in list(others)[:_CLOSEST]))
    await service.drop_watches(tuple(watch.id for watch in ending))
    return AlertReply(
        title=phrase("You are no longer watching it"),
        watches=AlertRights(policy, context.person, context.conversation.id).shown_watches(ending[:_SHOWN]),
        next=(Suggestion(command_line("watches"), phrase("My watches")),),
    )
