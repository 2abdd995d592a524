"""/alerts: what is open here; and what its buttons do to an alert, in words."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, time, timedelta

from bot.access.person import Person
from bot.alerts import faces
from bot.alerts.acting import Acted, AlertActions, Outcome
from bot.alerts.alert import Alert, Mark
from bot.alerts.board import AlertBoard
from bot.alerts.drawing import draw_alert, draw_card, draw_list, headline
from bot.alerts.views import AlertPeople, AlertSnooze, Candidate
from bot.cards.actions import Pause
from bot.cards.view import View
from bot.chat.arguments import Keyword, Word, shortened
from bot.chat.asking import Asking
from bot.chat.colleagues import Colleagues
from bot.chat.errors import BadArgument, NothingFound
from bot.chat.line import command_line
from bot.chat.places import own_place, place_of, places_of
from bot.chat.registry import command
from bot.outbox.place import PlaceKind
from bot.phrase import Phrase, phrase

MORNING = time(9)
"""Until when “tomorrow” puts an alert off."""


class AlertWord(Word):
    """The id of an alert or of a card, or a part of a subject or type by which the list is narrowed."""

    placeholder = phrase("id, subject or type")


class Assignee(Word):
    """The user id of who is to take care."""

    placeholder = phrase("user id")


class AlertsOf(Keyword):
    """Whose alerts."""

    MINE = phrase("mine"), "我的"


class Deed(Keyword):
    """What is done to an alert."""

    ACK = phrase("ack"), "acknowledge", "知道了", "知道", "收到", "认领"
    SNOOZE = phrase("snooze"), "later", "稍后", "延后"
    HOUR = phrase("1h"), "1小时"
    HOURS = phrase("4h"), "4小时"
    TOMORROW = phrase("tomorrow"), "明天"
    ASSIGN = phrase("assign"), "指派", "分派"


_PAUSES = {Deed.HOUR: Pause.HOUR, Deed.HOURS: Pause.HOURS, Deed.TOMORROW: Pause.TOMORROW}


@command(
    "alerts",
    aliases=("警报", "告警", "预警", "jb", "alert"),
    examples=("/alerts", "/警报 stock.low", "/alerts mine"),
    summary=phrase("Open alerts of this conversation"),
    place=52,
)
async def alerts(
    word: AlertWord | None = None,
    to: Assignee | None = None,
    *,
    which: AlertsOf | None = None,
    deed: Deed | None = None,
    board: AlertBoard,
    actions: AlertActions,
    colleagues: Colleagues,
    asking: Asking,
) -> View:
    """Show the open alerts or one of them, or do something to one."""
    colleagues.meet(asking)
    if deed:
        if not word:
            raise BadArgument(phrase("Say which alert: tap its buttons, or type its id from /alerts."))
        here = await _find(word, board, asking)
        if here is None:
            raise NothingFound(word)
        return await _do(deed, to or "", here, actions, colleagues, asking)
    if to:
        raise BadArgument(phrase("“%(word)s” is too much here.", word=shortened(to)))
    return await _one(word, board, asking) or await _list(word or "", which, board, asking)


async def _one(word: str | None, board: AlertBoard, asking: Asking) -> View | None:
    """Return the alert or the card with this id, if it is shown here; None when the word is no such id."""
    if not word:
        return None
    if here := await _find(word, board, asking):
        return here.drawn(asking.now)
    posted = await board.posted(word)
    if posted is None or posted.card.place not in places_of(asking):
        return None
    return draw_card(posted, asking.now, offset=asking.offset)


async def _list(text: str, which: AlertsOf | None, board: AlertBoard, asking: Asking) -> View:
    place = own_place(asking) if which else place_of(asking)
    wanted = (faces.type_named(text) or text).casefold()
    found = [alert for alert in await board.open_at(place) if _fits(alert, wanted)]
    mine = place.kind is PlaceKind.PERSON
    line = command_line("alerts", text, AlertsOf.MINE if mine else "")
    return draw_list(found, asking.now, line=line, offset=asking.offset, text=text, mine=mine)


def _fits(alert: Alert, text: str) -> bool:
    event = alert.event
    return any(text in words.casefold() for words in (event.type, faces.subject(event), event.warehouse))


@dataclass(frozen=True, slots=True)
class _Here:
    """An alert that is shown where it was asked for; ``shared`` is the card that it has in common with others."""

    alert: Alert
    shared: str

    def drawn(self, now: datetime, acted: Acted | None = None) -> View:
        note = _note(acted) if acted else None
        return draw_alert(acted.alert if acted else self.alert, now, note=note, back=self.shared)


async def _find(alert_id: str, board: AlertBoard, asking: Asking) -> _Here | None:
    """Return an alert that a card here shows: an id alone, which anybody can send, opens nothing of other places."""
    alert = await board.alert(alert_id)
    if alert is None:
        return None
    cards = [card for card in await board.cards_of(alert_id) if card.place in places_of(asking)]
    if not cards:
        return None
    shared = next((card.id for card in reversed(cards) if len(card.alerts) > 1), "")
    return _Here(alert, shared)


async def _do(deed: Deed, to: str, here: _Here, actions: AlertActions, colleagues: Colleagues, asking: Asking) -> View:
    alert, now = here.alert, asking.now
    me = Mark(asking.person.user_id or "", asking.person.name, now)
    if not alert.is_open:
        return here.drawn(now, Acted(outcome=Outcome.OVER, alert=alert))
    if to and deed is not Deed.ASSIGN:
        raise BadArgument(phrase("“%(word)s” is too much here.", word=shortened(to)))
    match deed:
        case Deed.ACK:
            acted = await actions.acknowledge(alert.id, me)
        case Deed.SNOOZE:
            return AlertSnooze(id=alert.id, headline=headline(alert), subject=faces.subject(alert.event))
        case Deed.ASSIGN if not to:
            return await _people(alert, colleagues, asking)
        case Deed.ASSIGN:
            acted = await actions.assign(alert.id, await _mark(to, colleagues, asking), me)
        case _:
            acted = await actions.snooze(alert.id, _until(_PAUSES[deed], now), me)
    if acted is None:
        raise NothingFound(alert.id)
    return here.drawn(now, acted)


def _note(acted: Acted) -> Phrase | None:
    if acted.outcome is Outcome.OVER:
        return phrase("It is over already: there is nothing left to do.")
    if acted.outcome is Outcome.ALREADY and acted.first:
        return phrase("%(name)s took it already, at %(time)s.", name=acted.first.name, time=acted.first.at)
    return None


def _until(pause: Pause, now: datetime) -> datetime:
    match pause:
        case Pause.HOUR:
            return now + timedelta(hours=1)
        case Pause.HOURS:
            return now + timedelta(hours=4)
        case Pause.TOMORROW:
            return datetime.combine(now.date() + timedelta(days=1), MORNING, tzinfo=now.tzinfo)


async def _people(alert: Alert, colleagues: Colleagues, asking: Asking) -> View:
    around = colleagues.around(asking)
    page = around[asking.offset : asking.offset + AlertPeople.page_size]
    return AlertPeople(
        id=alert.id,
        headline=headline(alert),
        subject=faces.subject(alert.event),
        rows=tuple(_candidate(person, asking) for person in await colleagues.named(page)),
        total=len(around),
        offset=asking.offset,
        line=command_line("alerts", alert.id, Deed.ASSIGN),
    )


def _candidate(person: Person, asking: Asking) -> Candidate:
    assert person.user_id is not None, "colleagues are members"
    return Candidate(
        user_id=person.user_id,
        name=person.name,
        roles=tuple(sorted(person.roles)),
        is_me=person.user_id == asking.person.user_id,
    )


async def _mark(user_id: str, colleagues: Colleagues, asking: Asking) -> Mark:
    """Return who is to take care: only somebody of the list, whatever a client sends."""
    known = await colleagues.named([user_id]) if user_id in colleagues.around(asking) else ()
    if not known:
        raise BadArgument(phrase("“%(name)s” is not among those who can be chosen here.", name=shortened(user_id)))
    return Mark(user_id, known[0].name, asking.now)
