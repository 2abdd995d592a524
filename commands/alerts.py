"""/alerts: the open alerts of a conversation, and the actions of an alert's buttons as words."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta

from bot.access.areas import EVERY_AREA
from bot.access.audit import AuditEntry, AuditKind, AuditLog
from bot.access.people import Person
from bot.access.policy import AccessPolicy, AccessRequest, AccessVerdict, Denied
from bot.alerts import labels
from bot.alerts.actions import AlertActionOutcome, AlertActionResult
from bot.alerts.alert import Alert, UserStamp
from bot.alerts.rights import AlertRights
from bot.alerts.service import AlertService
from bot.alerts.timeline import build_timeline, people_in
from bot.alerts.view_builder import build_alert_view, build_card_view, build_list_view, build_mute_list, headline
from bot.alerts.views import AlertAssignees, AlertList, AlertRange, AlertSnooze, AssigneeOption
from bot.cards.actions import BLANK, FillIn
from bot.cards.form import VALUE_FIELD, FormField, FormFieldKind, InputForm
from bot.cards.view import View
from bot.chat.arguments import Keyword, Word, shortened
from bot.chat.colleagues import Colleagues
from bot.chat.conditions import ListCondition, WiderList
from bot.chat.context import QuestionContext, own_place, place_of, places_of
from bot.chat.days import missing_day
from bot.chat.errors import BadArgument, NothingFound
from bot.chat.message import ConversationKind
from bot.chat.operations import Operations
from bot.chat.parsing import command_line
from bot.chat.records.list_counts import count_overdue
from bot.chat.registry import Commands, command
from bot.erp.hub import ErpHub
from bot.outbox.place import PlaceKind
from bot.words.disclosure import cut
from bot.words.phrase import Phrase, phrase

MORNING = time(9)
"""Until when “tomorrow” puts an alert off."""


class AlertRef(Word):
    """The id of an alert or of a card, or a part of a subject or type that narrows the list."""

    placeholder = phrase("id, subject or type")


class Assignee(Word):
    """The user id of the person who is to take care."""

    placeholder = phrase("user id")


class AlertsScope(Keyword, changes=False):
    """Whose alerts."""

    MINE = phrase("mine"), "我的"
    ALL = phrase("all"), "所有群", "全部群", "各群"


class AlertPast(Keyword, changes=False):
    """What is not open: alerts that are over, what happened to one, or what is muted here."""

    ENDED = phrase("ended"), "history", "已结束", "历史"
    TIMELINE = phrase("timeline"), "经过", "时间线"
    MUTED = phrase("muted"), "已静音", "暂停的"


class AlertOperation(Keyword):
    """What is done to an alert."""

    ACK = phrase("ack"), "acknowledge", "我来跟进", "跟进", "知道了", "知道", "收到", "认领"
    SNOOZE = phrase("snooze"), "later", "稍后", "延后"
    HOUR = phrase("1h"), "1小时"
    HOURS = phrase("4h"), "4小时"
    TOMORROW = phrase("tomorrow"), "明天"
    DAY = phrase("until"), "直到", "延到"
    ASSIGN = phrase("assign"), "指派", "分派"


_PAUSES: Mapping[AlertOperation, Callable[[datetime], datetime]] = {
    AlertOperation.HOUR: lambda now: now + timedelta(hours=1),
    AlertOperation.HOURS: lambda now: now + timedelta(hours=4),
    AlertOperation.TOMORROW: lambda now: _morning_of(now.date() + timedelta(days=1), now),
}

_HIDING = frozenset({AlertOperation.SNOOZE, AlertOperation.DAY, *_PAUSES})

NEWEST = 500
"""Alerts that are over and looked at, the newest."""

LONGEST = timedelta(days=30)
"""For how long an alert may be put off: after that nobody would remember it."""


@command(
    "alerts",
    aliases=("预警", "警报", "告警", "yj", "jb", "alert"),
    examples=("/alerts", "/预警 stock.low", "/alerts mine"),
    shows=("alerts", *EVERY_AREA),
    changes=False,
    summary=phrase("Open alerts of this group; in your own chat those of all groups"),
    place=52,
)
async def alerts(
    word: AlertRef | None = None,
    to: Assignee | None = None,
    *,
    which: AlertsScope | None = None,
    past: AlertPast | None = None,
    operation: AlertOperation | None = None,
    service: AlertService,
    colleagues: Colleagues,
    policy: AccessPolicy,
    audit: AuditLog,
    erp: ErpHub,
    commands: Commands,
    operations: Operations,
    context: QuestionContext,
) -> View:
    """Show the open alerts or one of them, what is over or happened to one, or act on one."""
    colleagues.record_seen(context)
    rights = AlertRights(policy, context.person, context.conversation.id)
    if operation:
        if not word:
            raise BadArgument(phrase("Say which alert: tap its buttons, or type its id from /alerts."))
        visible = await _find(word, service, context)
        if visible is None:
            raise NothingFound(word)
        rights.check(visible.alert)
        if operation in _HIDING and visible.alert.is_open:
            _require_right_to_hide(visible, policy, context)
        until = _until(operation, to or "", visible.alert, context.now)
        view = await _apply(operation, to or "", until, visible, service, colleagues, context)
        if until is not None:
            _record_snooze(audit, until, visible.alert, context)
        return cut(view, rights.fields([visible.alert]))
    if to:
        raise BadArgument(phrase("“%(word)s” was not understood.", word=shortened(to)))
    if past is AlertPast.TIMELINE:
        return await _timeline(word, rights, service, operations, colleagues, context)
    if past is AlertPast.MUTED:
        return build_mute_list(await service.mutes(place_of(context), context.now), context.offset)
    if past is AlertPast.ENDED:
        return await _ended(word or "", rights, service, context)
    looks_at = _looks_at(which, context)
    if one := await _one(word, rights, service, context):
        return one
    if word and looks_at is AlertRange.ALL and (one := await _one_of_all(word, rights, service, context)):
        return one
    listed = await _list(word or "", looks_at, rights, service, context)
    if looks_at is not AlertRange.ALL or word or context.offset:
        return listed
    return replace(listed, overdue=await count_overdue(erp, {each.name for each in commands.usable(policy, context)}))


async def _one(word: str | None, rights: AlertRights, service: AlertService, context: QuestionContext) -> View | None:
    """Return the alert or the card with this id, if it is shown here; None if the word is no such id."""
    if not word:
        return None
    if visible := await _find(word, service, context):
        rights.check(visible.alert)
        return cut(visible.view(context.now), rights.fields([visible.alert]))
    content = await service.card_with_alerts(word)
    if content is None or content.card.place not in places_of(context):
        return None
    seen = tuple(filter(rights.may_see, content.alerts))
    if content.alerts and not seen:
        rights.check(content.alerts[0])
    card = replace(content.card, further=content.card.further.of_types(rights.may_count))
    view = build_card_view(replace(content, card=card, alerts=seen), context.now, offset=context.offset)
    return cut(view, rights.fields(seen))


async def _timeline(
    word: str | None,
    rights: AlertRights,
    service: AlertService,
    operations: Operations,
    colleagues: Colleagues,
    context: QuestionContext,
) -> View:
    """Return what happened to an alert, for those who are shown the alert itself here."""
    if not word:
        raise BadArgument(phrase("Say which alert: tap its buttons, or type its id from /alerts."))
    visible = await _find(word, service, context)
    if visible is None and not (context.is_private and await _one_of_all(word, rights, service, context)):
        raise NothingFound(word)
    alert = visible.alert if visible else await service.alert(word)
    assert alert is not None, "one of both has found it"
    rights.check(alert)
    notes = await service.history(alert.id)
    people = await colleagues.lookup(people_in(notes))
    cards = await service.cards_of(alert.id)
    steps = [(card, step) for card in cards for step in await operations.deliveries.steps_of(card.id)]
    view = build_timeline(
        alert,
        notes,
        steps,
        own=own_place(context),
        names={person.user_id or "": person.name for person in people},
        offset=context.offset,
        size=context.rows,
    )
    return cut(view, rights.fields([alert]))


async def _ended(text: str, rights: AlertRights, service: AlertService, context: QuestionContext) -> AlertList:
    """Return the alerts that are over, of all groups and the asker's own; only to the asker's own eyes."""
    if not (context.is_private or context.rows):
        raise BadArgument(phrase("The alerts of all groups are shown in your own chat with the bot."))
    wanted = (labels.type_by_label(text) or text).casefold()
    known = await service.ended_for(own_place(context), NEWEST)
    found = [
        alert
        for alert, is_own in known
        if (rights.may_see if is_own else rights.may_see_anywhere)(alert)
        and context.books.hold(alert.event.source)
        and _fits(alert, wanted)
    ]
    view = _listed(found, text, AlertRange.ENDED, rights, context)
    return replace(view, more=len(known) == NEWEST)


def _listed(
    alerts: Sequence[Alert], text: str, looks_at: AlertRange, rights: AlertRights, context: QuestionContext
) -> AlertList:
    """Return a list whose rows tell what the asker may see of each alert."""
    view = build_list_view(
        alerts,
        context.now,
        line=command_line("alerts", text, _SCOPES[looks_at]),
        offset=context.offset,
        size=context.rows,
        text=labels.type_label(labels.type_by_label(text) or text),
        looks_at=looks_at,
    )
    by_id = {alert.id: alert for alert in alerts}
    rows = tuple(cut(row, rights.fields([by_id[row.id]])) for row in view.rows)
    return replace(view, rows=rows)


def _looks_at(which: AlertsScope | None, context: QuestionContext) -> AlertRange:
    """Return which alerts are meant: those of all groups in one's own chat. Raises `BadArgument` in a group."""
    if which is AlertsScope.MINE:
        return AlertRange.MINE
    if which is AlertsScope.ALL and not (context.is_private or context.rows):
        raise BadArgument(phrase("The alerts of all groups are shown in your own chat with the bot."))
    in_group = which is None and context.conversation.kind is ConversationKind.GROUP
    return AlertRange.HERE if in_group else AlertRange.ALL


_SCOPES = {
    AlertRange.HERE: "",
    AlertRange.MINE: AlertsScope.MINE,
    AlertRange.ALL: AlertsScope.ALL,
    AlertRange.ENDED: AlertPast.ENDED,
}


async def _list(
    text: str, looks_at: AlertRange, rights: AlertRights, service: AlertService, context: QuestionContext
) -> AlertList:
    own, everywhere = own_place(context), looks_at is AlertRange.ALL
    wanted = (labels.type_by_label(text) or text).casefold()
    here = await service.open_at(place_of(context) if looks_at is AlertRange.HERE else own)
    known = {alert.id for alert in here}
    known_open = await service.open_for(own) if everywhere else here
    asked = [alert for alert in known_open if context.books.hold(alert.event.source)]
    shown_to = [alert for alert in asked if (rights.may_see if alert.id in known else rights.may_see_anywhere)(alert)]
    fitting = [alert for alert in asked if _fits(alert, wanted)]
    found = [alert for alert in shown_to if _fits(alert, wanted)]
    seen = {alert.id for alert in found}
    hidden = [alert for alert in fitting if alert.id not in seen]
    left_out = sum(alert.id in known for alert in hidden)
    emptied = (WiderList(by=frozenset({ListCondition.TEXT}), total=len(shown_to)),) if shown_to and not found else ()
    others = any(map(rights.may_see, hidden))
    view = _listed(found, text, looks_at, rights, context)
    return replace(view, left_out=left_out, others=others, emptied=emptied)


def _fits(alert: Alert, text: str) -> bool:
    event = alert.event
    return any(text in words.casefold() for words in (event.type, labels.subject_label(event), event.warehouse))


@dataclass(frozen=True, slots=True)
class _VisibleAlert:
    """An alert that is shown in this conversation; ``shared_card`` is the card that it shares with others.

    ``elsewhere``: other conversations or people see it, too.
    """

    alert: Alert
    shared_card: str
    elsewhere: bool

    def view(self, now: datetime, result: AlertActionResult | None = None) -> View:
        note = _note(result) if result else None
        return build_alert_view(result.alert if result else self.alert, now, note=note, back=self.shared_card)


async def _find(alert_id: str, service: AlertService, context: QuestionContext) -> _VisibleAlert | None:
    """Return an alert that a card shows here: an id, which anybody can send, opens no alerts of other places."""
    alert = await service.alert(alert_id)
    if alert is None:
        return None
    all_cards = await service.cards_of(alert_id)
    cards = [card for card in all_cards if card.place in places_of(context)]
    if not cards:
        return None
    shared_card = next((card.id for card in reversed(cards) if len(card.alerts) > 1), "")
    elsewhere = any(card.place not in places_of(context) for card in all_cards if not card.is_closed)
    return _VisibleAlert(alert, shared_card, elsewhere)


_ACTED_ON_ELSEWHERE = phrase("Other groups show it: people act on it there.")
_SENT_TO_NOBODY = phrase("No rule sends it to anybody.")


async def _one_of_all(
    alert_id: str, rights: AlertRights, service: AlertService, context: QuestionContext
) -> View | None:
    """Return an alert to look at that any group shows, or that no rule sends anywhere, if the rules let the asker see
    its document.
    """
    alert = await service.alert(alert_id)
    if alert is None or not rights.may_see_anywhere(alert):
        return None
    cards = await service.cards_of(alert_id)
    is_nobodys = not cards and not alert.is_watched
    if not is_nobodys and not any(card.place.kind is PlaceKind.GROUP for card in cards):
        return None
    note = _SENT_TO_NOBODY if is_nobodys else _ACTED_ON_ELSEWHERE
    view = build_alert_view(alert, context.now, note=note, elsewhere=True)
    return cut(view, rights.fields([alert]))


def _require_right_to_hide(visible: _VisibleAlert, policy: AccessPolicy, context: QuestionContext) -> None:
    """Raise `Denied` for what is critical or not the person's own matter, unless they may mute that as well.

    An alert that is put off is put off at every place.
    """
    why = _why_not_hide(visible, context)
    request = AccessRequest(command="mute", conversation_id=context.conversation.id, reserved=True)
    verdict = policy.decide(context.person, request)
    if why is None or verdict.allowed:
        return
    raise Denied(AccessVerdict(False, why, verdict.ask))


def _why_not_hide(visible: _VisibleAlert, context: QuestionContext) -> Phrase | None:
    if visible.alert.is_critical:
        return phrase("A critical alert is put off only by somebody with the right to mute it.")
    in_charge = visible.alert.assigned or visible.alert.acknowledged
    if in_charge is not None and in_charge.user_id != context.person.user_id:
        return phrase("%(name)s takes care of it, and may put it off.", name=in_charge.name)
    if visible.elsewhere:
        return phrase("Others see this alert in their own conversations: you cannot put it off for them.")
    return None


def _record_snooze(audit: AuditLog, until: datetime, alert: Alert, context: QuestionContext) -> None:
    entry = AuditEntry(
        kind=AuditKind.MUTE,
        at=context.now,
        actor=context.person.user_id or "",
        action="snooze",
        conversation=context.conversation.id,
        detail=f"{alert.event.type} {alert.event.subject} until {until.isoformat(timespec='minutes')}",
    )
    audit.record(entry)


async def _apply(
    operation: AlertOperation,
    to: str,
    until: datetime | None,
    visible: _VisibleAlert,
    service: AlertService,
    colleagues: Colleagues,
    context: QuestionContext,
) -> View:
    alert, now = visible.alert, context.now
    me = UserStamp(context.person.user_id or "", context.person.name, now)
    if not alert.is_open:
        return visible.view(now, AlertActionResult(outcome=AlertActionOutcome.OVER, alert=alert))
    if until is not None:
        return _shown(visible, await service.snooze(alert.id, until, me), now)
    if to and operation is not AlertOperation.ASSIGN:
        raise BadArgument(phrase("“%(word)s” was not understood.", word=shortened(to)))
    match operation:
        case AlertOperation.ACK:
            result = await service.acknowledge(alert.id, me)
        case AlertOperation.SNOOZE:
            return AlertSnooze(
                id=alert.id,
                headline=headline(alert),
                subject=labels.subject_label(alert.event),
                words_classes=alert.event.words_classes,
                source=alert.event.source,
            )
        case AlertOperation.ASSIGN if not to:
            return await _people(alert, colleagues, context)
        case _:
            result = await service.assign(alert.id, await _stamp(to, colleagues, context), me)
    return _shown(visible, result, now)


def _shown(visible: _VisibleAlert, result: AlertActionResult | None, now: datetime) -> View:
    if result is None:
        raise NothingFound(visible.alert.id)
    return visible.view(now, result)


def _note(result: AlertActionResult) -> Phrase | None:
    if result.outcome is AlertActionOutcome.OVER:
        return phrase("It is over already: there is nothing left to do.")
    if result.outcome is AlertActionOutcome.ALREADY and result.first:
        return phrase("%(name)s took it already, at %(time)s.", name=result.first.name, time=result.first.at)
    return None


def _until(operation: AlertOperation, day: str, alert: Alert, now: datetime) -> datetime | None:
    """Return until when an open alert is to be put off, None where something else is wanted."""
    if not alert.is_open:
        return None
    if operation is AlertOperation.DAY:
        return _day_meant(day, alert, now)
    return None if day or operation not in _PAUSES else _PAUSES[operation](now)


def _morning_of(day: date, now: datetime) -> datetime:
    return datetime.combine(day, MORNING, tzinfo=now.tzinfo)


def _day_meant(text: str, alert: Alert, now: datetime) -> datetime:
    today = now.date()
    if not text:
        example = command_line("alerts", alert.id, f"{today + timedelta(days=7)}", AlertOperation.DAY)
        raise BadArgument(phrase("Say until which day, such as: %(line)s", line=example), _day_form(alert.id))
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise missing_day(shortened(text)) from None
    if not today < day <= today + LONGEST:
        raise BadArgument(phrase("That is possible from tomorrow on, for at most %(num)s days.", num=LONGEST.days))
    return _morning_of(day, now)


def _day_form(alert_id: str) -> InputForm:
    return InputForm(
        title=phrase("Until which day?"),
        text=phrase("Until nine in the morning of that day you are not reminded of this alert."),
        fields=(FormField(name=VALUE_FIELD, label=phrase("Day"), kind=FormFieldKind.DATE),),
        does=FillIn(f"{command_line('alerts', alert_id)} {BLANK} {AlertOperation.DAY}"),
    )


async def _people(alert: Alert, colleagues: Colleagues, context: QuestionContext) -> View:
    candidates = colleagues.candidates(context)
    page = candidates[context.offset : context.offset + AlertAssignees.page_size]
    return AlertAssignees(
        id=alert.id,
        headline=headline(alert),
        subject=labels.subject_label(alert.event),
        words_classes=alert.event.words_classes,
        source=alert.event.source,
        rows=tuple(_candidate(person, context) for person in await colleagues.lookup(page)),
        total=len(candidates),
        offset=context.offset,
        line=command_line("alerts", alert.id, AlertOperation.ASSIGN),
    )


def _candidate(person: Person, context: QuestionContext) -> AssigneeOption:
    assert person.user_id is not None, "colleagues are members"
    return AssigneeOption(
        user_id=person.user_id,
        name=person.name,
        roles=tuple(sorted(person.roles)),
        is_me=person.user_id == context.person.user_id,
    )


async def _stamp(user_id: str, colleagues: Colleagues, context: QuestionContext) -> UserStamp:
    """Return who is to take care: only a candidate, whatever a client sends."""
    known = await colleagues.lookup([user_id]) if user_id in colleagues.candidates(context) else ()
    if not known:
        raise BadArgument(phrase("“%(name)s” is not among those who can be chosen here.", name=shortened(user_id)))
    return UserStamp(user_id, known[0].name, context.now)
