"""The running bot in small steps: what came is worked on, what is owed is sent, somebody taps a button."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from itertools import count

from bot.alerts.alert import Mute, UserStamp
from bot.alerts.processing.processor import AlertProcessor
from bot.alerts.repository import AlertRepository, AlertUnitOfWork
from bot.alerts.routing import AlertRules
from bot.alerts.service import AlertComposer, AlertService, AlertUnitOfWorkRunner
from bot.cards.card import Card
from bot.cards.view import Button, View
from bot.mechanisms.metrics import Metrics
from bot.outbox.delivery import DingWay
from bot.outbox.place import Place
from bot.outbox.ports import NOBODY_CALLED, NOBODYS, SendFailed, SendFailureKind
from bot.outbox.worker import OutboxWorker
from bot.store.alerts.repository import StoredAlertTransactions
from bot.store.database import Database
from bot.store.outbox.deliveries import StoredDeliveries
from bot.store.outbox.queue import StoredBacklog
from bot.words.phrase import Phrase
from tests.chat.audience_parts import sees_all


class BlankRenderer:
    """Leaves cards blank."""

    def render(
        self,
        view: View,
        language: str,
        *,
        zone: tzinfo,
        read_as: Phrase | None = None,
        trail: Sequence[str] | None = None,
        tries: Sequence[Button] = (),
        reference: str = "",
    ) -> Card:
        return Card(name=view.card, language=language, title="", body="", tips="", buttons=(), twin="", fields={})


@dataclass
class FakeMessenger:
    """Takes cards, or refuses them for good."""

    refuses: str = ""
    taken: list[str] = field(default_factory=list)

    async def show(
        self,
        places: Sequence[Place],
        track_id: str,
        card: Card,
        *,
        own: Mapping[str, Card] = NOBODYS,
        called: Mapping[str, str] = NOBODY_CALLED,
    ) -> tuple[Place, ...]:
        self._take(f"{places[0]} {card.name}")
        return ()

    async def change(self, track_id: str, card: Card, made_as: str, own: Mapping[str, Card] = NOBODYS) -> None:
        self._take(f"{track_id} changed")

    async def ding(self, place: Place, card: Card, way: DingWay) -> None:
        raise AssertionError("nobody is called")

    async def write(self, place: Place, card: Card) -> None:
        self._take(f"{place} text")

    def _take(self, what: str) -> None:
        if self.refuses:
            raise SendFailed(SendFailureKind.HOPELESS, self.refuses)
        self.taken.append(what)


class RunningBot:
    """Works on a database at the times that it is told; ids are numbers."""

    def __init__(self, database: Database, rules: AlertRules, now: Callable[[], datetime]) -> None:
        ids = count(1)
        transactions = StoredAlertTransactions(database, now)
        metrics = Metrics()

        def unit(repository: AlertRepository) -> AlertUnitOfWork:
            return AlertUnitOfWork(repository=repository, rules=rules, now=now(), new_id=lambda: f"id{next(ids)}")

        async def name_of(user_id: str) -> str:
            return user_id

        self.now = now
        self.dingtalk = FakeMessenger()
        self.deliveries = StoredDeliveries(database)
        units = AlertUnitOfWorkRunner(transactions, unit, lambda: None)
        self._alerts = AlertService(units)
        self._processor = AlertProcessor(transactions, unit=unit, now=now, metrics=metrics)
        self._outbox = OutboxWorker(
            StoredBacklog(database),
            self.dingtalk,
            {"alert": AlertComposer(units, now=now, name_of=name_of, reader_at=sees_all)},
            BlankRenderer(),
            worker="w",
            track_of=lambda key: f"track-{key}",
            language_of=lambda place: "en",
            metrics=metrics,
            now=now,
            draw=lambda: 0.0,
        )

    async def work(self) -> None:
        """Work on what came and what is due, and send what is owed."""
        await self._processor.round()
        for _ in range(3):
            await self._outbox.run_once()
            await self._outbox.idle()

    async def tap(self, card: str, alert: str, user_id: str) -> None:
        """Let somebody acknowledge."""
        await self.deliveries.clicked(card, user_id, self.now())
        await self._alerts.acknowledge(alert, UserStamp(user_id, user_id, self.now()))

    async def mute(self, mute: Mute) -> None:
        await self._alerts.put_mute(mute)
