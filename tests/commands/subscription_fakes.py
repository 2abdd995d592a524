"""Subscriptions in a dictionary."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, tzinfo
from operator import attrgetter

from bot.alerts.subscriptions import Subscription
from bot.outbox.delivery import Delivery
from bot.outbox.place import Place


@dataclass
class MemorySubscriptions:
    """Implements `bot.alerts.subscriptions.SubscriptionStore`."""

    kept: dict[str, Subscription] = field(default_factory=dict)
    owed: list[Delivery] = field(default_factory=list)

    async def put(self, subscription: Subscription) -> None:
        self.kept[subscription.id] = subscription

    async def find(self, subscription_id: str) -> Subscription | None:
        return self.kept.get(subscription_id)

    async def at_place(self, place: Place) -> tuple[Subscription, ...]:
        found = (each for each in self.kept.values() if each.place == place and not each.ended)
        return tuple(sorted(found, key=attrgetter("at", "id")))

    async def drop(self, ids: Sequence[str]) -> None:
        for each in ids:
            self.kept.pop(each, None)

    async def end(self, subscription_id: str) -> None:
        self.kept[subscription_id] = replace(self.kept[subscription_id], ended=True)

    async def wait(self, subscription_id: str, told: Delivery) -> None:
        if not self.kept[subscription_id].waits:
            self.kept[subscription_id] = replace(self.kept[subscription_id], waits=True)
            self.owed.append(told)

    async def go_on(self, subscription_id: str) -> None:
        self.kept[subscription_id] = replace(self.kept[subscription_id], waits=False)

    async def send_due(self, now: datetime, zone: tzinfo) -> int:
        due = [each for each in self.kept.values() if each.next_at <= now and not each.ended]
        self.owed += [each.delivery(now, zone) for each in due]
        self.kept |= {each.id: replace(each, next_at=each.after(now, zone)) for each in due}
        return len(due)
