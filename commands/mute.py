"""/mute: be spared for a while what one does not want to hear of in this conversation."""

from __future__ import annotations

import re
from datetime import timedelta

from bot.alerts import faces
from bot.alerts.board import AlertBoard
from bot.alerts.event import CUSTOM, EventType
from bot.alerts.ledger import Mute
from bot.alerts.views import AlertSaid, MuteRow, Mutes
from bot.cards.notices import Pick
from bot.cards.view import View
from bot.chat.arguments import Keyword, Word, shortened
from bot.chat.asking import Asking
from bot.chat.durations import parse_duration
from bot.chat.errors import BadArgument, NothingFound
from bot.chat.line import command_line
from bot.chat.places import place_of, places_of
from bot.chat.registry import command
from bot.phrase import phrase

USUAL, LONGEST = timedelta(hours=2), timedelta(days=30)
"""How long a mute lasts if nobody says, and at most: nobody remembers one after that."""


class Muted(Word):
    """A type of alert, such as ``stock.low`` or ``stock.*``, a Chinese word for it, or one SKU or document number."""

    placeholder = phrase("type or subject")


class Span(Word):
    """For how long."""

    placeholder = phrase("2h")
    takes_rest = True


class MuteWish(Keyword):
    """What else can be wanted."""

    LIST = phrase("list"), "列表"
    OFF = phrase("off"), "取消", "解除", "恢复", "stop", "unmute"


_KNOWN = frozenset(event_type.value for event_type in EventType)
_AREAS = frozenset(event_type.partition(".")[0] for event_type in EventType) | {CUSTOM.rstrip(".")}
_TYPED = re.compile(r"([a-z]+)\.([a-z0-9_.*-]+)")


@command(
    "mute",
    aliases=("静音", "jy", "免打扰"),
    examples=("/mute stock.low 2h", "/静音 低库存 半天", "/mute stock.low off"),
    summary=phrase("Hold back alerts in this conversation for a while"),
    place=54,
)
async def mute(
    what: Muted | None = None,
    span: Span | None = None,
    *,
    wish: MuteWish | None = None,
    board: AlertBoard,
    asking: Asking,
) -> View:
    """Show what is muted here, mute something, or end that."""
    if what is None:
        if wish is MuteWish.OFF:
            raise BadArgument(phrase("Say what is to be heard of again."))
        return await _list(board, asking)
    pattern = _pattern(what)
    if wish is MuteWish.OFF:
        return await _lift(pattern, board, asking)
    return await _mute(pattern, span or "", board, asking)


@command(
    "unmute",
    aliases=("取消静音", "解除静音", "qxjy"),
    examples=("/unmute stock.low", "/取消静音 低库存"),
    summary=phrase("End what /mute began"),
    place=55,
)
async def unmute(what: Muted, *, board: AlertBoard, asking: Asking) -> View:
    """Let alerts through again."""
    return await _lift(_pattern(what), board, asking)


async def _mute(pattern: str, span: str, board: AlertBoard, asking: Asking) -> View:
    length = parse_duration(span) if span else USUAL
    if length is None:
        raise BadArgument(phrase("“%(text)s” is no length of time. Write 30m, 2h or 1d.", text=shortened(span)))
    if not timedelta(0) < length <= LONGEST:
        raise BadArgument(phrase("A mute lasts at least a minute and at most %(num)s days.", num=LONGEST.days))
    place, until = place_of(asking), asking.now + length
    by, mute_id = asking.person.name, f"{place}|{pattern.casefold()}"
    await board.put_mute(Mute(id=mute_id, place=place, pattern=pattern, by=by, made_at=asking.now, until=until))
    word = faces.word(pattern)
    return AlertSaid(
        title=phrase("Muted: %(what)s", what=word),
        lines=(phrase("Nothing is shown here about it until %(time)s.", time=until),),
        next=(Pick(command_line("mute", pattern, MuteWish.OFF), phrase("Unmute %(what)s", what=word)),),
    )


async def _lift(pattern: str, board: AlertBoard, asking: Asking) -> View:
    """End the mutes of this pattern at the first place that has one."""
    known: list[Mute] = []
    for place in places_of(asking):
        mutes = await board.mutes(place, asking.now)
        known.extend(mutes)
        if ending := [one for one in mutes if one.pattern.casefold() == pattern.casefold()]:
            for one in ending:
                await board.lift_mute(one)
            return AlertSaid(
                title=phrase("No longer muted: %(what)s", what=faces.word(pattern)),
                lines=(phrase("What was held back is shown now if it is still open."),),
            )
    raise NothingFound(pattern, tuple(command_line("mute", one.pattern, MuteWish.OFF) for one in known))


async def _list(board: AlertBoard, asking: Asking) -> View:
    mutes = await board.mutes(place_of(asking), asking.now)
    page = mutes[asking.offset : asking.offset + Mutes.page_size]
    return Mutes(
        rows=tuple(
            MuteRow(pattern=one.pattern, word=faces.word(one.pattern), until=one.until, by=one.by) for one in page
        ),
        total=len(mutes),
        offset=asking.offset,
        line=command_line("mute", MuteWish.LIST),
    )


def _row(mute: Mute) -> MuteRow:
    return MuteRow(pattern=mute.pattern, word=faces.word(mute.pattern), until=mute.until, by=mute.by)


def _pattern(text: str) -> str:
    """Return the type that is meant, else the subject as it was typed; raises `BadArgument` for no type of ours."""
    if named := faces.type_named(text):
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
    types = ", ".join(one.value for one in EventType if one.startswith(f"{match[1]}."))
    raise BadArgument(phrase("There is no type “%(text)s”. There are: %(types)s.", text=shortened(text), types=types))
