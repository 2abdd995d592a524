"""/mute: hold alerts back in this conversation for a while."""

from __future__ import annotations

import re
from datetime import timedelta

from bot.access.audit import AuditEntry, AuditKind, AuditLog
from bot.access.policy import AccessPolicy, AccessRequest, AccessVerdict, Denied
from bot.alerts import labels
from bot.alerts.alert import Mute
from bot.alerts.event import CUSTOM, EventType
from bot.alerts.service import AlertService
from bot.alerts.view_builder import build_mute_list
from bot.alerts.views import AlertReply
from bot.cards.notices import Suggestion
from bot.cards.view import View
from bot.chat.arguments import Keyword, Word, shortened
from bot.chat.context import QuestionContext, place_of, places_of
from bot.chat.errors import BadArgument, NothingFound
from bot.chat.parsing import command_line, parse_duration
from bot.chat.registry import command
from bot.words.phrase import phrase
from bot.words.role_labels import label_roles

USUAL, LONGEST = timedelta(hours=2), timedelta(days=30)
"""How long a mute lasts by default, and at most: after that nobody would remember it."""


class MutePattern(Word):
    """A type of alert, such as ``stock.low`` or ``stock.*``, a Chinese word for it, or one SKU or document number."""

    placeholder = phrase("type or subject")


class MuteDuration(Word):
    """How long the mute lasts."""

    placeholder = phrase("2h")
    takes_rest = True


class MuteOption(Keyword):
    """What to do instead of muting, or that critical alerts are meant as well."""

    LIST = phrase("list"), "列表"
    CRITICAL = phrase("critical"), "严重", "紧急", "含严重", "包括严重"
    OFF = phrase("off"), "取消", "解除", "恢复", "stop", "unmute"


_KNOWN = frozenset(event_type.value for event_type in EventType)
_AREAS = frozenset(event_type.partition(".")[0] for event_type in EventType) | {CUSTOM.rstrip(".")}
_TYPED = re.compile(r"([a-z]+)\.([a-z0-9_.*-]+)")


@command(
    "mute",
    aliases=("暂停提醒", "静音", "zttx", "jy", "免打扰"),
    examples=("/mute stock.low 2h", "/暂停提醒 低库存 半天", "/mute stock.low off"),
    changes=True,
    shows=(),
    summary=phrase("Hold back alerts in this conversation for a while"),
    place=54,
)
async def mute(
    what: MutePattern | None = None,
    span: MuteDuration | None = None,
    *,
    option: MuteOption | None = None,
    service: AlertService,
    policy: AccessPolicy,
    audit: AuditLog,
    context: QuestionContext,
) -> View:
    """Show what is muted here, mute something, or end that.

    Everybody may spare a conversation what is not critical. Critical alerts are muted only by those with the right to,
    and only if they say so.
    """
    if what is None:
        if option is MuteOption.CRITICAL:
            raise BadArgument(phrase("Say what is to be muted, such as: %(line)s", line="/mute custom.sec 2h critical"))
        if option is MuteOption.OFF:
            raise BadArgument(phrase("Say what you want to hear about again."))
        return build_mute_list(await service.mutes(place_of(context), context.now), context.offset)
    pattern = _pattern(what)
    if option is MuteOption.OFF:
        return await _lift(pattern, service, audit, context)
    critical = option is MuteOption.CRITICAL
    if critical:
        _require_right(policy, context)
    return await _mute(pattern, span or "", service, audit, context, critical=critical)


@command(
    "unmute",
    aliases=("恢复提醒", "取消静音", "解除静音", "hftx", "qxjy"),
    examples=("/unmute stock.low", "/恢复提醒 低库存"),
    changes=True,
    shows=(),
    summary=phrase("End what /mute began"),
    place=55,
)
async def unmute(what: MutePattern, *, service: AlertService, audit: AuditLog, context: QuestionContext) -> View:
    """Let alerts through again."""
    return await _lift(_pattern(what), service, audit, context)


def _require_right(policy: AccessPolicy, context: QuestionContext) -> None:
    """Raise `Denied` unless the person may mute critical alerts here."""
    request = AccessRequest(command="mute", conversation_id=context.conversation.id, reserved=True)
    verdict = policy.decide(context.person, request)
    if not verdict.allowed:
        reason = phrase("Critical alerts may only be muted by: %(roles)s.", roles=label_roles(verdict.ask))
        raise Denied(AccessVerdict(False, reason, verdict.ask))


async def _mute(
    pattern: str, span: str, service: AlertService, audit: AuditLog, context: QuestionContext, *, critical: bool
) -> View:
    length = parse_duration(span) if span else USUAL
    if length is None:
        raise BadArgument(phrase("“%(text)s” is not a length of time. Write 30m, 2h or 1d.", text=shortened(span)))
    if not timedelta(0) < length <= LONGEST:
        raise BadArgument(phrase("A mute lasts at least a minute and at most %(num)s days.", num=LONGEST.days))
    place, until = place_of(context), context.now + length
    by, mute_id = context.person.name, f"{place}|{pattern.casefold()}"
    mute = Mute(id=mute_id, place=place, pattern=pattern, by=by, made_at=context.now, until=until, critical=critical)
    await service.put_mute(mute)
    _record(audit, context, "mute", mute)
    word = labels.type_label(pattern)
    kept = () if critical else (phrase("Critical alerts are shown all the same."),)
    return AlertReply(
        title=phrase("Muted: %(what)s", what=word),
        lines=(phrase("Nothing is shown here about it until %(time)s.", time=until), *kept),
        next=(Suggestion(command_line("mute", pattern, MuteOption.OFF), phrase("Unmute %(what)s", what=word)),),
    )


def _record(audit: AuditLog, context: QuestionContext, action: str, mute: Mute) -> None:
    until = f" until {mute.until.isoformat(timespec='minutes')}" if action == "mute" else ""
    entry = AuditEntry(
        kind=AuditKind.MUTE,
        at=context.now,
        actor=context.person.user_id or "",
        action=action,
        conversation=context.conversation.id,
        detail=f"{mute.pattern}{until}{', critical as well' if mute.critical else ''}",
    )
    audit.record(entry)


async def _lift(pattern: str, service: AlertService, audit: AuditLog, context: QuestionContext) -> View:
    """End the mutes of this pattern at the first place that has any."""
    known: list[Mute] = []
    for place in places_of(context):
        mutes = await service.mutes(place, context.now)
        known.extend(mutes)
        if ending := [mute for mute in mutes if mute.pattern.casefold() == pattern.casefold()]:
            for mute in ending:
                await service.lift_mute(mute)
                _record(audit, context, "unmute", mute)
            return AlertReply(
                title=phrase("No longer muted: %(what)s", what=labels.type_label(pattern)),
                lines=(phrase("What was held back is shown now if it is still open."),),
            )
    raise NothingFound(pattern, tuple(command_line("mute", mute.pattern, MuteOption.OFF) for mute in known))


def _pattern(text: str) -> str:
    """Return the type that is meant, else the subject as typed; raises `BadArgument` for an unknown type."""
    if named := labels.type_by_label(text):
        return named
    match = _TYPED.fullmatch(text.casefold())
    if match is None or match[1] not in _AREAS:
        if "*" in text:
            raise BadArgument(phrase("Only types may end in “*”, such as stock.*"))
        return text
    pattern = match[0]
    star = pattern.find("*")
    if star in (-1, len(pattern) - 1) and (star >= 0 or pattern in _KNOWN or pattern.startswith(CUSTOM)):
        return pattern
    types = tuple(event_type.value for event_type in EventType if event_type.startswith(f"{match[1]}."))
    raise BadArgument(phrase("There is no type “%(text)s”. There are: %(types)s.", text=shortened(text), types=types))
