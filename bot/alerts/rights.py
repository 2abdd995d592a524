"""What a person may see of alerts: no more than of their documents."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from bot.access.areas import command_of
from bot.access.grants import Scope
from bot.access.people import Person
from bot.access.policy import AccessPolicy, AccessVerdict, Denied, out_of_scope
from bot.alerts.alert import Alert, Watch
from bot.alerts.event import Event
from bot.words.disclosure import ALL_FIELDS, FieldClass, cut


@dataclass(frozen=True, slots=True)
class AlertRights:
    """The rights of one person in one conversation."""

    policy: AccessPolicy
    person: Person
    conversation_id: str

    def may_see(self, alert: Alert) -> bool:
        """Return whether the person may ask for the alert's document."""
        verdict = self._verdict(alert)
        return verdict is None or (verdict.allowed and self._covers(verdict, alert.event))

    def may_see_anywhere(self, alert: Alert) -> bool:
        """Return whether the rules on ERP documents let the person see the alert wherever it is shown.

        News about no document, such as ``custom.door``, is only for people at its places.
        """
        return self._verdict(alert) is not None and self.may_see(alert)

    def check(self, alert: Alert) -> None:
        """Raise `Denied` unless the person may ask for the alert's document."""
        verdict = self._verdict(alert)
        if verdict is None or self.may_see(alert):
            return
        if verdict.allowed:
            raise Denied(out_of_scope(verdict))
        raise Denied(verdict)

    def fields(self, alerts: Iterable[Alert]) -> frozenset[FieldClass]:
        """Return the field classes visible to the person on all these alerts."""
        verdicts = (self._verdict(alert) for alert in alerts)
        return ALL_FIELDS.intersection(*(verdict.grant.fields for verdict in verdicts if verdict is not None))

    def may_count(self, event_type: str) -> bool:
        """Return whether the person may see every document that alerts of a type are about."""
        command = command_of(event_type)
        return command is None or self.policy.sees_all(self.person, (command,), self.conversation_id)

    def watch_fields(self, watch: Watch) -> frozenset[FieldClass]:
        """Return the field classes visible to the person in their watch: none if they may no longer query it."""
        verdicts = [self.policy.decide_area(self.person, name, self.conversation_id) for name in watch.commands]
        return ALL_FIELDS.intersection(*(verdict.grant.fields if verdict.allowed else () for verdict in verdicts))

    def shown_watches(self, watches: Iterable[Watch]) -> tuple[Watch, ...]:
        """Return watches as the person may see them."""
        return tuple(cut(watch, self.watch_fields(watch)) for watch in watches)

    def _verdict(self, alert: Alert) -> AccessVerdict | None:
        command = command_of(alert.event.type)
        return self.policy.decide_area(self.person, command, self.conversation_id) if command else None

    def _covers(self, verdict: AccessVerdict, event: Event) -> bool:
        return any(is_within(event, scope, self.person) for scope in verdict.grant.scopes)


def is_within(event: Event, scope: Scope, person: Person | None) -> bool:
    """Return whether a scope covers an event; missing data is outside.

    An owner is identified by userId alone: a self-chosen DingTalk name proves nothing. Without a ``person``, no scope
    of own documents matches.
    """
    restrictions = (
        (scope.sources, {event.source}),
        (scope.companies, {event.company}),
        (scope.warehouses, {event.warehouse}),
        (scope.categories, {event.category}),
        (scope.partners, {event.customer, event.supplier}),
        (frozenset({person.user_id} if person else ()) if scope.own else None, {event.owner}),
    )
    return all(wanted is None or _meet(wanted, has) for wanted, has in restrictions)


def _meet(wanted: Iterable[str | None], has: Iterable[str]) -> bool:
    return not {word.casefold() for word in wanted if word}.isdisjoint(word.casefold() for word in has)
